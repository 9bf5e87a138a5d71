//! The lines of a transcript: prompts, directives, requirements, and the replies between them.

use super::argument::Scanner;
use super::line::{
    LONGEST_WAIT, Prompt, Way, duration, ends_reply, first_word, is_client_name, prompt,
    requirement, unfit,
};
use super::{Line, Mistakes, reply};
use crate::document::Location;
use crate::requirement::Requirement;
use crate::step::{Action, CommandTemplate, MESSAGE_PATIENCE, Step};

/// What the lines of a scenario say.
pub(super) struct Transcript {
    pub(super) requirements: Vec<Requirement>,
    pub(super) steps: Vec<Step>,
}

pub(super) fn parse(lines: &[Line<'_>], mistakes: &mut Mistakes) -> Transcript {
    let transcript = Transcript {
        requirements: Vec::new(),
        steps: Vec::new(),
    };
    let mut parser = Parser {
        lines,
        next: 0,
        transcript,
        pending: Vec::new(),
        mistakes,
    };
    while parser.next < lines.len() {
        parser.line();
    }
    if let Some((location, requirement)) = parser.pending.first() {
        let message = format!("no step follows `{requirement}`");
        let help = "put the line before the step that it is about, or at the top for all steps";
        parser
            .mistakes
            .add(*location, requirement.to_string().len(), message, help);
    }
    parser.transcript
}

struct Parser<'l, 't, 'm> {
    lines: &'l [Line<'t>],
    next: usize,
    transcript: Transcript,
    /// Requirements that wait for their step.
    pending: Vec<(Location, Requirement)>,
    mistakes: &'m mut Mistakes,
}

impl<'t> Parser<'_, 't, '_> {
    fn line(&mut self) {
        let line = self.lines[self.next];
        let text = line.text;
        let word = first_word(text);
        if text.trim().is_empty() || text.trim_start().starts_with('#') {
            self.next += 1;
        } else if let Some(prompt) = prompt(text) {
            self.prompted(&prompt);
        } else if word == "wait" {
            self.wait();
        } else if matches!(word, "only" | "needs" | "since" | "before") {
            self.requirement();
        } else if matches!(text.trim(), "pipeline" | "multi") {
            self.prompted(&Prompt {
                client: "",
                starts: false,
                column: 0,
            });
        } else {
            self.stray();
        }
    }

    /// A line that is none of these. What follows it up to the next step is not looked at.
    fn stray(&mut self) {
        let text = self.lines[self.next].text;
        let (message, help) = match first_word(text) {
            "end" | "exec" => (
                "this ends a block that was not begun",
                "begin it with `> pipeline` (ended by `end`) or `> multi` (ended by `exec`)",
            ),
            _ if self.transcript.steps.is_empty() || self.follows_blank_line() => (
                "this is neither a command nor the reply to one",
                "begin a command with a prompt: `> GET {key}`; a reply follows its command without \
                 a blank line",
            ),
            _ => (
                "the step before this has no reply",
                "take the line away; the reply of a command started with `>&` is taken by `await`, \
                 a subscription's messages by `message`",
            ),
        };
        self.whole_line(message, help);
        self.next += 1;
        while self
            .lines
            .get(self.next)
            .is_some_and(|line| !ends_reply(line.text))
        {
            self.next += 1;
        }
    }

    fn follows_blank_line(&self) -> bool {
        let before = self
            .next
            .checked_sub(1)
            .and_then(|before| self.lines.get(before));
        before.is_none_or(|line| line.text.trim().is_empty())
    }

    fn prompted(&mut self, prompt: &Prompt<'t>) {
        let line = self.lines[self.next];
        if !is_client_name(prompt.client) {
            let location = Location {
                line: line.number,
                column: 1,
            };
            let message = format!("`{}` is no name for a client", prompt.client);
            let help = match prompt.client.contains(':') {
                true => "write `> ` in place of redis-cli's prompt",
                false => {
                    "write `> ` for the default client, or a name in lower-case letters: `a> `"
                }
            };
            self.mistakes
                .add(location, prompt.client.chars().count(), message, help);
        }
        let rest = &line.text[prompt.column..];
        let word = first_word(rest);
        if !rest.starts_with([' ', '\t']) && prompt.column > 0 && !rest.is_empty() {
            let location = Location {
                line: line.number,
                column: prompt.column + 1,
            };
            let help = "write `> GET {key}`, and `a>& BLPOP {queue} 5` to go on without the reply";
            self.mistakes
                .add(location, 1, "a prompt is followed by no space", help);
        }
        let directive = matches!(
            word,
            "pipeline" | "multi" | "await" | "message" | "no" | "unsubscribe" | "every"
        );
        if word.is_empty() {
            let help = "write the command on the same line: `> GET {key}`";
            self.whole_line("there is no command after the prompt", help);
            self.next += 1;
        } else if directive && prompt.starts {
            let help = "only a command can be started with `>&`; write `>` here";
            self.whole_line(&format!("`{word}` cannot go on without its reply"), help);
            self.skip_step();
        } else if matches!(word, "pipeline" | "multi") && rest.trim() == word {
            self.block(prompt, word);
        } else if directive && word != "every" {
            self.directive(prompt, rest);
        } else {
            self.command(prompt, word == "every");
        }
    }

    /// A command, on one line or, with a quote that goes on, on several.
    fn command(&mut self, prompt: &Prompt<'t>, every: bool) {
        let first = self.next;
        let mut column = prompt.column;
        if every {
            let text = self.lines[first].text;
            column += text[prompt.column..].find("every").unwrap_or(0) + "every".len();
        }
        let Some(command) = self.template(column) else {
            self.skip_reply();
            return;
        };
        let name = command.name();
        let argument_count = command.arguments.len() - 1;
        let way = match (every, prompt.starts) {
            (true, _) => Way::Every,
            (false, true) => Way::Deferred,
            (false, false) => Way::Alone,
        };
        let unfit = unfit(&name, argument_count, way);
        let is_unfit = unfit.is_some();
        if let Some((message, help)) = unfit {
            let length = command
                .source
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .count();
            self.mistakes.add(command.location, length, message, help);
        }
        let action = match name.as_str() {
            "SUBSCRIBE" | "PSUBSCRIBE" if !every && !prompt.starts => Action::Subscribe {
                channels: command.arguments[1..].to_vec(),
                pattern: name == "PSUBSCRIBE",
            },
            "UNSUBSCRIBE" | "PUNSUBSCRIBE" if argument_count == 0 => Action::Unsubscribe,
            _ if every => Action::Every(command.clone()),
            _ if prompt.starts && !is_unfit => Action::Start(command.clone()),
            _ => Action::Command(command.clone()),
        };
        self.step(prompt.client, action, first);
    }

    /// The command on the line that is next, from a column on; the lines it takes are passed.
    fn template(&mut self, column: usize) -> Option<CommandTemplate> {
        let first = self.next;
        // A blank comment line between two transcripts of a scenario ends them both.
        let block = self.lines[first..].iter().position(|line| line.number == 0);
        let lines = &self.lines[first..block.map_or(self.lines.len(), |end| first + end)];
        let mut scanner = Scanner::new(lines, column);
        scanner.skip_spaces();
        let location = scanner.location();
        let arguments = scanner.words(self.mistakes);
        self.next = first + scanner.lines_read();
        let Ok(arguments) = arguments else {
            self.next = first + 1;
            return None;
        };
        if arguments
            .first()
            .is_none_or(|name| name.literal().is_none())
        {
            let help = "write the command's name out: `> GET {key}`";
            self.mistakes
                .add(location, 1, "a command begins with its name", help);
            return None;
        }
        let mut source = lines[0]
            .text
            .chars()
            .skip(location.column - 1)
            .collect::<String>();
        for line in &lines[1..self.next - first] {
            source.push('\n');
            source.push_str(line.text);
        }
        let source = source.trim_end().to_owned();
        Some(CommandTemplate {
            arguments,
            location,
            source,
        })
    }

    /// The commands up to `end` or `exec`.
    fn block(&mut self, prompt: &Prompt<'t>, kind: &str) {
        let first = self.next;
        let close = if kind == "multi" { "exec" } else { "end" };
        let mut commands = Vec::new();
        let mut flawed = false;
        self.next += 1;
        loop {
            let Some(line) = self.lines.get(self.next).filter(|line| line.number > 0) else {
                self.next = first;
                let help = format!("write `{close}` on a line of its own after its last command");
                self.whole_line(&format!("`{kind}` is never ended"), &help);
                self.next = self.lines.len().min(first + 1 + commands.len());
                self.skip_block();
                return;
            };
            let trimmed = line.text.trim_start();
            let mut column = line.text.chars().count() - trimmed.chars().count();
            let mut content = trimmed;
            if let Some(inner) = super::line::prompt(trimmed)
                && inner.client == prompt.client
            {
                column += inner.column;
                content = &trimmed[inner.column..];
            }
            match content.trim() {
                "" => self.next += 1,
                comment if comment.starts_with('#') => self.next += 1,
                end if end == close => break,
                _ => match self.block_command(column, first_word(content), kind) {
                    Some(command) => commands.push(command),
                    None => flawed = true,
                },
            }
        }
        self.next += 1;
        if commands.is_empty() && !flawed {
            let next = std::mem::replace(&mut self.next, first);
            self.whole_line(
                &format!("this `{kind}` has no command"),
                "put commands into it",
            );
            self.next = next;
        }
        let action = match kind {
            "multi" => Action::Transaction(commands),
            _ => Action::Pipeline(commands),
        };
        self.step(prompt.client, action, first);
    }

    fn block_command(&mut self, column: usize, word: &str, kind: &str) -> Option<CommandTemplate> {
        let misplaced = match word {
            "pipeline" | "multi" | "exec" | "end" | "await" | "message" | "every" | "no"
            | "only" | "needs" | "since" | "before" | "QUEUED" => true,
            reply if reply.starts_with(|c: char| c == '(' || c == '"' || c.is_ascii_digit()) => {
                true
            }
            other => prompt(other).is_some(),
        };
        if misplaced {
            let help = format!(
                "a `{kind}` holds commands of one client, and their replies stand after its end; \
                 move the line there, or before it"
            );
            self.whole_line(&format!("`{word}` cannot stand in a `{kind}`"), &help);
            self.next += 1;
            return None;
        }
        let command = self.template(column)?;
        if let Some((message, help)) =
            unfit(&command.name(), command.arguments.len() - 1, Way::Deferred)
        {
            self.mistakes
                .add(command.location, command.name().len(), message, help);
        }
        Some(command)
    }

    /// `await`, `message`, `no message` or `unsubscribe`.
    fn directive(&mut self, prompt: &Prompt<'t>, rest: &str) {
        let first = self.next;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let action = match words.as_slice() {
            ["await"] => Some(Action::Await),
            ["unsubscribe"] => Some(Action::Unsubscribe),
            ["message"] => Some(Action::Message {
                within: MESSAGE_PATIENCE,
            }),
            ["message", "within", time] => duration(time).map(|within| Action::Message { within }),
            ["no", "message", time] => duration(time).map(|within| Action::NoMessage { within }),
            _ => None,
        };
        let Some(action) = action else {
            let help = "write `await`, `message`, `message within 2s`, `no message 50ms` or \
                        `unsubscribe`; a command's name is in upper case";
            self.whole_line("this is none of the things that a client can do", help);
            self.skip_step();
            return;
        };
        self.next += 1;
        self.step(prompt.client, action, first);
    }

    fn wait(&mut self) {
        let first = self.next;
        let words: Vec<&str> = self.lines[first].text.split_whitespace().collect();
        match words.as_slice() {
            ["wait", time] if duration(time).is_some() => {
                let action = Action::Wait(duration(time).unwrap_or_default());
                self.next += 1;
                self.step("", action, first);
            }
            _ => {
                let limit = LONGEST_WAIT.as_secs();
                let help = format!("write `wait 250ms` or `wait 2s`, {limit}s at most");
                self.whole_line("this is no time to wait", &help);
                self.next += 1;
            }
        }
    }

    fn requirement(&mut self) {
        let line = self.lines[self.next];
        let words: Vec<&str> = line.text.split_whitespace().collect();
        let requirement = requirement(&words);
        match requirement {
            Some(requirement) if self.transcript.steps.is_empty() => {
                self.transcript.requirements.push(requirement);
            }
            Some(requirement) => {
                self.pending.push((
                    Location {
                        line: line.number,
                        column: 1,
                    },
                    requirement,
                ));
            }
            None => {
                let help = "it is one of `only rest`, `only tcp`, `needs blocking`, \
                            `needs connection`, `needs command NAME`, `since redis 7.4`, \
                            `before redis 8.0`";
                self.whole_line("this is no requirement", help);
            }
        }
        self.next += 1;
    }

    /// Adds a step whose command ends before the line that is next, and reads the reply after it.
    fn step(&mut self, client: &str, action: Action, first: usize) {
        let command_end = self.next - 1;
        let written = self.lines[first..self.next].iter().map(|line| line.text);
        let source = written.collect::<Vec<_>>().join("\n").trim_end().to_owned();
        let start = self.next;
        let mut expect = None;
        if action.has_reply() {
            while self
                .lines
                .get(self.next)
                .is_some_and(|line| !ends_reply(line.text))
            {
                self.next += 1;
            }
            let lines = &self.lines[start..self.next];
            if !lines.is_empty() {
                expect = reply::parse(lines, self.mistakes);
            }
        }
        let requirements = self
            .pending
            .drain(..)
            .map(|(_, requirement)| requirement)
            .collect();
        let number = |index: usize| self.lines.get(index).map_or(0, |line| line.number);
        let ends = (number(command_end), number(self.next - 1));
        let location = Location {
            line: number(first),
            column: 1,
        };
        let client = client.to_owned();
        self.transcript.steps.push(Step {
            client,
            action,
            expect,
            requirements,
            location,
            source,
            ends,
        });
    }

    /// Passes a step that cannot be read, with the reply after it.
    fn skip_step(&mut self) {
        self.next += 1;
        self.skip_reply();
    }

    fn skip_reply(&mut self) {
        while self
            .lines
            .get(self.next)
            .is_some_and(|line| !ends_reply(line.text))
        {
            self.next += 1;
        }
        self.pending.clear();
    }

    /// Passes what may be commands of a block that is never ended.
    fn skip_block(&mut self) {
        while self
            .lines
            .get(self.next)
            .is_some_and(|line| !line.text.trim().is_empty())
        {
            self.next += 1;
        }
        self.pending.clear();
    }

    fn whole_line(&mut self, message: &str, help: &str) {
        let line = self.lines[self.next];
        let indent = line.text.chars().take_while(|c| c.is_whitespace()).count();
        let length = line.text.trim().chars().count();
        let location = Location {
            line: line.number,
            column: indent + 1,
        };
        self.mistakes.add(location, length, message, help);
    }
}
