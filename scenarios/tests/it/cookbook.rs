//! The README: every example in it is a sound document.

use scenarios::{Document, Scenario};

const README: &str = include_str!("../../README.md");

fn cookbook() -> Vec<Scenario> {
    // Sections that explain without an example are not scenarios; a heading of level 3 is prose.
    let mut text = String::new();
    for section in README.split("\n## ").skip(1) {
        let level = if section.contains("\n```redis\n") {
            "##"
        } else {
            "###"
        };
        text.push_str(&format!("{level} {section}\n"));
    }
    match Document::parse("scenarios/README.md", &text) {
        Ok(document) => document.scenarios,
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn every_transcript_can_be_read() {
    let steps = cookbook()
        .iter()
        .map(|scenario| scenario.steps.len())
        .sum::<usize>();
    assert!(steps > 50, "{steps}");
}

#[test]
fn the_smallest_document_is_one() {
    let lines = README
        .lines()
        .skip_while(|line| !line.starts_with("    ## "));
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    let text: Vec<&str> = lines
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    let document = Document::parse("scenarios/locks/mutual-exclusion.md", &text.join("\n"));
    let document = document.expect("a sound document");
    let id = "locks/mutual-exclusion/a-lock-has-one-holder-until-it-expires";
    assert_eq!(document.scenarios[0].id, id);
    assert!(README.contains(id));
}

#[test]
fn every_requirement_and_comparator_of_the_tables_can_be_read() {
    let table = README.lines().filter(|line| line.starts_with("| `"));
    let mut read = 0;
    for line in table {
        let cell = line
            .split(" | ")
            .next()
            .unwrap_or_default()
            .trim_start_matches("| ");
        // An escaped bar is a bar within a cell of a Markdown table.
        for code in cell.replace("\\|", "|").split('`').skip(1).step_by(2) {
            let code = code.replace('…', "\"x\"");
            let requirement = ["only", "needs", "since", "before"];
            let transcript = match code.split(' ').next() {
                Some(word) if requirement.contains(&word) => format!("{code}\n> PING"),
                Some("(unordered)") => format!("> SMEMBERS {{key}}\n{code}\n1) \"x\""),
                _ => format!("> GET {{key}}\n{code}"),
            };
            if let Err(errors) = crate::parse(&transcript) {
                panic!("{errors}");
            }
            read += 1;
        }
    }
    assert!(read > 25, "{read}");
}

#[test]
fn the_mistakes_shown_are_those_of_the_transcript_shown() {
    let blocks: Vec<&str> = README.split("```text\n").skip(1).collect();
    let block = |index: usize| blocks[index].split("\n```").next().unwrap_or_default();
    let text = format!("# App\n\n## Session\n```redis\n{}\n```\n", block(0));
    let errors = Document::parse("my-app.md", &text).expect_err("two mistakes");
    assert_eq!(errors.to_string(), block(1));
}
