//! One scenario run on one target: its steps in order, each client on a connection of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use scenarios::Expectation;
use scenarios::client::{Client, ClientError, Command, Connector, Subscription};
use scenarios::cursor::Cursor;
use scenarios::reply::Expressiveness;
use scenarios::step::{Action, Bindings, Captures, NotCaptured, Step, message_reply};
use scenarios::{Reply, Scenario};

use super::observation::{Answer, End, Observation, Trace};
use super::prefix::Prefix;
use crate::compare::{self, Difference, Kind};
use crate::latency::TargetLatency;

/// How long a step that is not a wait may take before it counts as unanswered.
///
/// Targets have timeouts of their own, which are shorter and say more; this one keeps a run from
/// hanging on a connector that has none.
const STEP_PATIENCE: Duration = Duration::from_secs(60);

/// What a scenario is run with.
pub(super) struct Execution<'a> {
    /// The scenario.
    pub(super) scenario: &'a Scenario,
    /// The steps the target cannot do, with the reason; the others are run.
    pub(super) unsupported: &'a BTreeMap<usize, String>,
    /// Makes the scenario's clients.
    pub(super) connector: &'a dyn Connector,
    /// What the scenario's keys begin with.
    pub(super) prefix: &'a Prefix,
    /// Set when the run is to stop.
    pub(super) stop: watch::Receiver<bool>,
}

/// A command that was started and whose reply is still to be taken.
type Started = JoinHandle<(Box<dyn Client>, Result<Reply, ClientError>, Duration)>;

/// What a client of the transcript is doing.
enum Speaker {
    Idle(Box<dyn Client>),
    Busy(Started),
}

struct State {
    speakers: BTreeMap<String, Speaker>,
    subscriptions: BTreeMap<String, Box<dyn Subscription>>,
    captures: Captures,
    latency: TargetLatency,
}

/// What a step came to.
struct Done {
    sent: Vec<Command>,
    answer: Answer,
    latency: Option<Duration>,
}

impl Done {
    fn skipped(reason: impl Into<String>) -> Self {
        Done {
            sent: Vec::new(),
            answer: Answer::Skipped(reason.into()),
            latency: None,
        }
    }

    fn silent(sent: Vec<Command>, outcome: Result<(), ClientError>) -> Self {
        let answer = outcome.map_or_else(Answer::Failed, |()| Answer::Done);
        Done {
            sent,
            answer,
            latency: None,
        }
    }

    fn answered(
        sent: Vec<Command>,
        outcome: Result<Reply, ClientError>,
        latency: Duration,
    ) -> Self {
        match outcome {
            Ok(reply) => Done {
                sent,
                answer: Answer::Reply(reply),
                latency: Some(latency),
            },
            Err(error) => Done {
                sent,
                answer: Answer::Failed(error),
                latency: None,
            },
        }
    }
}

impl Execution<'_> {
    /// Runs the scenario to its end, or to the first step after which nothing can be said.
    pub(super) async fn run(&self) -> Trace {
        let level = self.connector.capabilities().expressiveness;
        let mut state = State {
            speakers: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            captures: Captures::new(),
            latency: TargetLatency::default(),
        };
        let mut trace = Trace::ended(End::Complete, level);
        for (index, step) in self.scenario.steps.iter().enumerate() {
            let mut stop = self.stop.clone();
            let done = match self.unsupported.get(&index) {
                Some(reason) => Done::skipped(reason.clone()),
                None => tokio::select! {
                    done = self.step(step, &mut state) => done,
                    () = stopped(&mut stop) => {
                        trace.end = End::NotEvaluable("the run was interrupted".into());
                        break;
                    }
                },
            };
            let ended = end_after(step, &done.answer);
            trace
                .steps
                .push(self.observe(step, done, level, &mut state));
            if let Some(end) = ended {
                trace.end = end;
                break;
            }
        }
        for speaker in state.speakers.into_values() {
            if let Speaker::Busy(started) = speaker {
                started.abort();
            }
        }
        trace.captures = state.captures;
        trace.latency = state.latency;
        trace
    }

    /// Judges the step and keeps what later steps use.
    fn observe(
        &self,
        step: &Step,
        done: Done,
        level: Expressiveness,
        state: &mut State,
    ) -> Observation {
        if let Some(latency) = done.latency
            && !done.sent.iter().any(may_wait)
        {
            let command = label(step, &done.sent);
            state.latency.record(&self.scenario.area, &command, latency);
        }
        let mut mismatches = match (&step.expect, &done.answer) {
            (Some(expectation), Answer::Reply(reply)) => {
                self.check(step, expectation, reply, level, state)
            }
            _ => Vec::new(),
        };
        if let (Action::NoMessage { .. }, Answer::Reply(_)) = (&step.action, &done.answer) {
            let what = "a message came where none was to come";
            mismatches.push(Difference::new(Kind::Extra, what));
        }
        let neutral = |command: &Command| self.prefix.neutral_command(command);
        Observation {
            sent: done.sent.iter().map(neutral).collect(),
            answer: match done.answer {
                Answer::Reply(reply) => Answer::Reply(self.prefix.neutral_reply(&reply)),
                other => other,
            },
            latency: done.latency,
            mismatches,
        }
    }

    /// Holds a reply against its expectation and keeps what it captures. The members of a pipeline
    /// are held one by one, so that one departure does not hide another.
    fn check(
        &self,
        step: &Step,
        expectation: &Expectation,
        reply: &Reply,
        level: Expressiveness,
        state: &mut State,
    ) -> Vec<Difference> {
        let several = matches!(step.action, Action::Pipeline(_) | Action::Transaction(_));
        let members: Vec<(Option<usize>, &Expectation, &Reply)> = match (expectation, reply) {
            (Expectation::Array(wanted), Reply::Array(members))
                if several && wanted.len() == members.len() =>
            {
                let slots = wanted.iter().zip(members).enumerate();
                slots
                    .map(|(slot, (wanted, member))| (Some(slot + 1), wanted, member))
                    .collect()
            }
            _ => vec![(None, expectation, reply)],
        };
        let keys = |name: &str| self.prefix.key(name);
        let mut mismatches = Vec::new();
        for (slot, wanted, member) in members {
            let bindings = Bindings {
                keys: &keys,
                captures: &state.captures,
            };
            match wanted.check(member, level, bindings) {
                Ok(captures) => state.captures.extend(captures),
                Err(departure) => {
                    let mut found =
                        compare::difference(wanted, member, level, bindings, &departure);
                    found.what = self.prefix.neutral_text(&found.what);
                    found.path.splice(0..0, slot);
                    mismatches.push(found);
                }
            }
        }
        mismatches
    }

    async fn step(&self, step: &Step, state: &mut State) -> Done {
        let patience = match &step.action {
            Action::Wait(time) => *time + STEP_PATIENCE,
            Action::Message { within } | Action::NoMessage { within } => *within + STEP_PATIENCE,
            _ => STEP_PATIENCE,
        };
        tokio::time::timeout(patience, self.act(step, state))
            .await
            .unwrap_or_else(|_| Done {
                sent: Vec::new(),
                answer: Answer::Failed(ClientError::OutcomeUnknown(format!(
                    "no reply within {} s",
                    patience.as_secs()
                ))),
                latency: None,
            })
    }

    async fn act(&self, step: &Step, state: &mut State) -> Done {
        let sent = match self.render(step, &state.captures) {
            Ok(sent) => sent,
            Err(missing) => return Done::skipped(missing.to_string()),
        };
        match &step.action {
            Action::Wait(time) => {
                tokio::time::sleep(*time).await;
                Done {
                    sent,
                    answer: Answer::Done,
                    latency: None,
                }
            }
            Action::Unsubscribe => {
                state.subscriptions.remove(&step.client);
                Done {
                    sent,
                    answer: Answer::Done,
                    latency: None,
                }
            }
            Action::Await => self.take_started(step, state).await,
            Action::Message { within } => {
                let Some(subscription) = state.subscriptions.get_mut(&step.client) else {
                    return Done::skipped("the client has no subscription");
                };
                match subscription.next(*within).await {
                    Ok(Some(message)) => Done {
                        sent,
                        answer: Answer::Reply(message_reply(&message)),
                        latency: None,
                    },
                    // No message is an answer too: the document's expectation judges it.
                    Ok(None) => Done {
                        sent,
                        answer: Answer::Reply(Reply::Nil),
                        latency: None,
                    },
                    Err(error) => Done {
                        sent,
                        answer: Answer::Failed(error),
                        latency: None,
                    },
                }
            }
            Action::NoMessage { within } => {
                let Some(subscription) = state.subscriptions.get_mut(&step.client) else {
                    return Done::skipped("the client has no subscription");
                };
                match subscription.next(*within).await {
                    Ok(None) => Done {
                        sent,
                        answer: Answer::Done,
                        latency: None,
                    },
                    Ok(Some(message)) => Done {
                        sent,
                        answer: Answer::Reply(message_reply(&message)),
                        latency: None,
                    },
                    Err(error) => Done {
                        sent,
                        answer: Answer::Failed(error),
                        latency: None,
                    },
                }
            }
            _ => self.send(step, sent, state).await,
        }
    }

    /// The steps that need the client itself.
    async fn send(&self, step: &Step, sent: Vec<Command>, state: &mut State) -> Done {
        let mut client = match self.speaker(&step.client, state).await {
            Ok(client) => client,
            Err(error) => {
                return Done {
                    sent,
                    answer: Answer::Failed(error),
                    latency: None,
                };
            }
        };
        let begun = Instant::now();
        let done = match &step.action {
            Action::Start(_) => {
                let Some(command) = sent.first().cloned() else {
                    return Done::skipped("there is no command to send");
                };
                let started = tokio::spawn(async move {
                    let begun = Instant::now();
                    let outcome = client.command(&command).await;
                    (client, outcome, begun.elapsed())
                });
                state
                    .speakers
                    .insert(step.client.clone(), Speaker::Busy(started));
                return Done {
                    sent,
                    answer: Answer::Done,
                    latency: None,
                };
            }
            Action::Every(_) => {
                let outcome = every(client.as_mut(), &sent).await;
                Done::answered(sent, outcome, begun.elapsed())
            }
            Action::Pipeline(_) => {
                let outcome = client.pipeline(&sent).await.map(Reply::Array);
                Done::answered(sent, outcome, begun.elapsed())
            }
            Action::Transaction(_) => {
                let outcome = client.transaction(&sent).await;
                Done::answered(sent, outcome, begun.elapsed())
            }
            Action::Subscribe { pattern, .. } => {
                let channels = sent.first().map(|command| command[1..].to_vec());
                match client
                    .subscribe(&channels.unwrap_or_default(), *pattern)
                    .await
                {
                    Ok(subscription) => {
                        state
                            .subscriptions
                            .insert(step.client.clone(), subscription);
                        Done::silent(sent, Ok(()))
                    }
                    Err(error) => Done::silent(sent, Err(error)),
                }
            }
            _ => {
                let Some(command) = sent.first().cloned() else {
                    return Done::skipped("there is no command to send");
                };
                let outcome = client.command(&command).await;
                Done::answered(sent, outcome, begun.elapsed())
            }
        };
        state
            .speakers
            .insert(step.client.clone(), Speaker::Idle(client));
        done
    }

    /// The client of that name, connected when it first speaks. The caller puts it back.
    async fn speaker(&self, name: &str, state: &mut State) -> Result<Box<dyn Client>, ClientError> {
        match state.speakers.remove(name) {
            Some(Speaker::Idle(client)) => Ok(client),
            Some(Speaker::Busy(started)) => {
                state
                    .speakers
                    .insert(name.to_owned(), Speaker::Busy(started));
                Err(ClientError::NotSent(format!(
                    "the client {name} still waits for the reply of the command it started"
                )))
            }
            None => self.connector.connect().await,
        }
    }

    async fn take_started(&self, step: &Step, state: &mut State) -> Done {
        match state.speakers.remove(&step.client) {
            Some(Speaker::Busy(started)) => match started.await {
                Ok((client, outcome, latency)) => {
                    state
                        .speakers
                        .insert(step.client.clone(), Speaker::Idle(client));
                    Done {
                        // A blocked command took as long as it was made to wait.
                        latency: None,
                        ..Done::answered(Vec::new(), outcome, latency)
                    }
                }
                Err(error) => Done {
                    sent: Vec::new(),
                    answer: Answer::Failed(ClientError::OutcomeUnknown(error.to_string())),
                    latency: None,
                },
            },
            Some(idle) => {
                state.speakers.insert(step.client.clone(), idle);
                Done::skipped("the client has started no command")
            }
            None => Done::skipped("the client has started no command"),
        }
    }

    fn render(&self, step: &Step, captures: &Captures) -> Result<Vec<Command>, NotCaptured> {
        let keys = |name: &str| self.prefix.key(name);
        let bindings = Bindings {
            keys: &keys,
            captures,
        };
        match &step.action {
            Action::Subscribe { channels, pattern } => {
                let name: &[u8] = if *pattern {
                    b"PSUBSCRIBE"
                } else {
                    b"SUBSCRIBE"
                };
                let mut command = vec![name.to_vec()];
                for channel in channels {
                    command.push(channel.render(bindings)?);
                }
                Ok(vec![command])
            }
            action => action
                .commands()
                .iter()
                .map(|command| command.render(bindings))
                .collect(),
        }
    }
}

/// Returns when the run is to stop; never, when nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Follows a cursor to its end.
async fn every(client: &mut dyn Client, sent: &[Command]) -> Result<Reply, ClientError> {
    let Some(first) = sent.first() else {
        return Err(ClientError::NotSent("there is no command to send".into()));
    };
    let mut cursor = Cursor::new(first.clone());
    loop {
        let command = cursor.command().clone();
        let reply = client.command(&command).await?;
        if let Some(complete) = cursor.take(reply) {
            return Ok(complete);
        }
    }
}

/// Whether a command may take as long as it is told to wait: that is no latency of the target's.
fn may_wait(command: &Command) -> bool {
    let Some(name) = command.first().map(|name| name.to_ascii_uppercase()) else {
        return false;
    };
    match name.as_slice() {
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" | b"BLMPOP" | b"BZPOPMIN" | b"BZPOPMAX"
        | b"BZMPOP" | b"WAIT" | b"WAITAOF" => true,
        b"XREAD" | b"XREADGROUP" => command
            .iter()
            .any(|word| word.eq_ignore_ascii_case(b"BLOCK")),
        _ => false,
    }
}

/// The name under which a step's latency is kept.
fn label(step: &Step, sent: &[Command]) -> String {
    match &step.action {
        Action::Pipeline(_) => "pipeline".into(),
        Action::Transaction(_) => "transaction".into(),
        Action::Every(command) => format!("{} (all pages)", command.name()),
        _ => sent
            .first()
            .and_then(|command| command.first())
            .map(|name| String::from_utf8_lossy(name).to_ascii_uppercase())
            .unwrap_or_default(),
    }
}

/// Whether the scenario ends after this answer: what the transport cannot do, and what the run's own
/// rules refuse, says nothing about the target's behaviour.
fn end_after(step: &Step, answer: &Answer) -> Option<End> {
    let Answer::Failed(error) = answer else {
        return None;
    };
    match error {
        ClientError::Unsupported(reason) => Some(End::Unsupported(reason.clone())),
        ClientError::Refused(reason) => Some(End::NotEvaluable(reason.clone())),
        // Without a connection, or with an unknown state, the steps that follow prove nothing.
        ClientError::NotSent(_) | ClientError::OutcomeUnknown(_) | ClientError::Protocol(_) => {
            Some(End::NoReply(format!(
                "no reply to `{}` (line {}): {error}",
                step.source.lines().next().unwrap_or_default().trim(),
                step.location.line
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Command {
        line.split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect()
    }

    #[test]
    fn what_is_told_to_wait_is_no_latency() {
        assert!(may_wait(&command("blpop q 1")));
        assert!(may_wait(&command("XREAD COUNT 1 block 100 STREAMS s $")));
        assert!(!may_wait(&command("XREAD COUNT 1 STREAMS s 0")));
        assert!(!may_wait(&command("LPOP q")));
    }
}
