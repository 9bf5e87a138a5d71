//! The Markdown of a document: which heading, prose and transcript belong together.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

use super::{Line, Mistakes};
use crate::document::Location;

/// A document as headings divide it.
pub(super) struct Outline<'t> {
    pub(super) title: Option<String>,
    pub(super) prose: String,
    pub(super) sections: Vec<Section<'t>>,
}

/// What a level-2 heading introduces.
pub(super) struct Section<'t> {
    pub(super) title: String,
    pub(super) prose: String,
    /// The lines of its transcripts, an empty line between two of them.
    pub(super) lines: Vec<Line<'t>>,
    pub(super) location: Location,
    /// How many characters the heading's first line has.
    pub(super) length: usize,
}

pub(super) fn outline<'t>(text: &'t str, mistakes: &mut Mistakes) -> Outline<'t> {
    let places = Places::new(text);
    let mut outline = Outline {
        title: None,
        prose: String::new(),
        sections: Vec::new(),
    };
    // Up to where the text has been given to a heading, a transcript or prose.
    let mut done = 0;
    let mut depth = 0usize;
    let mut heading: Option<(HeadingLevel, String, usize)> = None;
    let mut transcript: Option<Transcript> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 && level <= HeadingLevel::H2 => {
                add_prose(&mut outline, &text[done.min(range.start)..range.start]);
                heading = Some((level, String::new(), range.start));
            }
            Event::End(TagEnd::Heading(_)) if heading.is_some() => {
                done = range.end;
                if let Some((level, title, start)) = heading.take() {
                    finish_heading(&mut outline, level, title, start, &places);
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if is_transcript(&info) => {
                let margin = places.locate(range.start).column == 1;
                if depth > 0 || !margin {
                    mistakes.add(
                        places.locate(range.start),
                        3,
                        "this transcript is indented or inside a list or quote",
                        "begin its ``` at the left margin, outside of lists and quotes",
                    );
                }
                add_prose(&mut outline, &text[done.min(range.start)..range.start]);
                done = range.end;
                transcript = Some(Transcript {
                    start: range.start,
                    closed: is_closed(&text[range]),
                    content: None,
                });
            }
            Event::End(TagEnd::CodeBlock) if transcript.is_some() => {
                if let Some(transcript) = transcript.take() {
                    finish_transcript(&mut outline, &transcript, &places, mistakes);
                }
            }
            Event::Text(content) | Event::Code(content) => {
                if let Some((_, title, _)) = &mut heading {
                    title.push_str(&content);
                } else if let Some(transcript) = &mut transcript {
                    let start = transcript
                        .content
                        .as_ref()
                        .map_or(range.start, |content| content.0);
                    transcript.content = Some((start, range.end));
                }
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, title, _)) = &mut heading {
                    title.push(' ');
                }
            }
            Event::Start(Tag::List(_) | Tag::BlockQuote(_) | Tag::Item) => depth += 1,
            Event::End(TagEnd::List(_) | TagEnd::BlockQuote(_) | TagEnd::Item) => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }
    add_prose(&mut outline, &text[done.min(text.len())..]);
    report_gaps(&outline, mistakes);
    outline
}

/// A code block being read: where it begins, and where its content begins and ends.
struct Transcript {
    start: usize,
    closed: bool,
    content: Option<(usize, usize)>,
}

fn is_transcript(info: &str) -> bool {
    info.split_whitespace()
        .next()
        .is_some_and(|tag| tag.eq_ignore_ascii_case("redis"))
}

/// Whether the last line of a fenced block is the fence that ends it.
fn is_closed(block: &str) -> bool {
    let last = block
        .trim_end()
        .lines()
        .skip(1)
        .last()
        .unwrap_or_default()
        .trim();
    last.len() >= 3
        && (last.bytes().all(|byte| byte == b'`') || last.bytes().all(|byte| byte == b'~'))
}

fn add_prose(outline: &mut Outline<'_>, prose: &str) {
    let prose = prose.trim();
    let target = match outline.sections.last_mut() {
        Some(section) => &mut section.prose,
        None => &mut outline.prose,
    };
    if !target.is_empty() && !prose.is_empty() {
        target.push_str("\n\n");
    }
    target.push_str(prose);
}

fn finish_heading(
    outline: &mut Outline<'_>,
    level: HeadingLevel,
    title: String,
    start: usize,
    places: &Places<'_>,
) {
    if level == HeadingLevel::H1 {
        outline.title.get_or_insert(title);
        return;
    }
    let location = places.locate(start);
    let length = places.lines[location.line - 1].1.chars().count();
    let (prose, lines) = (String::new(), Vec::new());
    outline.sections.push(Section {
        title,
        prose,
        lines,
        location,
        length,
    });
}

fn finish_transcript<'t>(
    outline: &mut Outline<'t>,
    transcript: &Transcript,
    places: &Places<'t>,
    mistakes: &mut Mistakes,
) {
    let Some(section) = outline.sections.last_mut() else {
        mistakes.add(
            places.locate(transcript.start),
            3,
            "this transcript belongs to no scenario",
            "put a heading before it: `## What the application relies on`",
        );
        return;
    };
    let Some((start, end)) = transcript.content else {
        return;
    };
    if !section.lines.is_empty() {
        section.lines.push(Line {
            number: 0,
            text: "",
        });
    }
    if !transcript.closed {
        mistakes.add(
            places.locate(transcript.start),
            3,
            "this transcript is never closed",
            "put ``` on a line of its own after its last line",
        );
    }
    // What follows an unclosed transcript was not meant to be a part of it.
    let within =
        |text: &str| transcript.closed || !(text.starts_with("## ") || text.starts_with("```"));
    let first = places.locate(start).line;
    let lines = places.lines[first - 1..]
        .iter()
        .take_while(|(offset, text)| *offset < end && within(text));
    for (number, (_, text)) in (first..).zip(lines) {
        section.lines.push(Line { number, text });
    }
}

fn report_gaps(outline: &Outline<'_>, mistakes: &mut Mistakes) {
    for section in outline
        .sections
        .iter()
        .filter(|section| section.lines.is_empty())
    {
        mistakes.add(
            section.location,
            section.length,
            format!("the scenario `{}` has no transcript", section.title),
            "add a fenced block tagged `redis`, or make the heading one of level 3",
        );
    }
    if outline.sections.is_empty() {
        mistakes.add(
            Location { line: 1, column: 1 },
            1,
            "the document has no scenario",
            "a scenario is a level-2 heading (`## …`) followed by a fenced block tagged `redis`",
        );
    }
}

/// The lines of a text: the byte at which each begins, and its characters.
struct Places<'t> {
    lines: Vec<(usize, &'t str)>,
}

impl<'t> Places<'t> {
    fn new(text: &'t str) -> Places<'t> {
        let mut offset = 0;
        let mut lines = Vec::new();
        for line in text.split_inclusive('\n') {
            lines.push((offset, line.trim_end_matches(['\n', '\r'])));
            offset += line.len();
        }
        lines.push((offset, ""));
        Places { lines }
    }

    fn locate(&self, offset: usize) -> Location {
        let index = self
            .lines
            .partition_point(|(start, _)| *start <= offset)
            .saturating_sub(1);
        let (start, text) = self.lines[index];
        let before = text
            .char_indices()
            .take_while(|(at, _)| start + at < offset)
            .count();
        Location {
            line: index + 1,
            column: before + 1,
        }
    }
}
