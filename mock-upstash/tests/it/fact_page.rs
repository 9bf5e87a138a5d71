//! FACTS.md names what there is: quirks, assumptions and limits all of them, tests and scenarios by their
//! right names.

use std::collections::BTreeSet;
use std::path::Path;

use mock_upstash::dialect::QUIRKS;
use mock_upstash::{Limit, assumption::ASSUMPTIONS};

const PAGE: &str = include_str!("../../FACTS.md");
const KNOWN: [&str; 5] = ["documented", "tested", "reported", "inferred", "unknown"];

/// A row of six columns: the fact, the mock, the switch, what shows it, how well it is known, the source.
struct Row {
    line: usize,
    cells: Vec<&'static str>,
}

fn rows() -> Vec<Row> {
    let lines = PAGE.lines().enumerate();
    let rows = lines.filter(|(_, line)| line.starts_with('|') && !line.starts_with("| ---"));
    rows.map(|(at, line)| Row {
        line: at + 1,
        cells: line.trim_matches('|').split('|').map(str::trim).collect(),
    })
    .filter(|row| row.cells.len() != 2 && row.cells[1] != "the mock")
    .collect()
}

/// What is between backticks.
fn names(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split('`').skip(1).step_by(2)
}

/// The text of every file below a folder of this repository.
fn sources(folder: &str, extension: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == extension) {
                let text = std::fs::read_to_string(&path).expect("text");
                let name = path.strip_prefix(&root).expect("below").with_extension("");
                found.push((name.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found
}

#[test]
fn rows_of_the_page_of_facts_are_whole() {
    assert!(rows().len() > 100);
    for Row { line, cells } in rows() {
        assert_eq!(cells.len(), 6, "line {line} of FACTS.md");
        let [_, _, switch, shown, known, source] = cells[..] else {
            unreachable!("six columns");
        };
        assert!(KNOWN.contains(&known), "line {line} of FACTS.md: {known}");
        assert!(names(shown).count() > 0, "line {line}: nothing shows it");
        // What is unknown has a switch, unless it is a text alone, and needs no source.
        assert_eq!(source.is_empty(), known == "unknown", "line {line}");
        assert!(
            known != "unknown" || !switch.is_empty() || cells[1] == "Redis's text",
            "line {line}"
        );
    }
}

#[test]
fn every_quirk_and_assumption_is_in_the_page_of_facts() {
    let mut named = BTreeSet::new();
    let limits = Limit::ALL.iter().map(|limit| limit.id());
    let needed = QUIRKS.iter().map(|row| row.id);
    let needed = needed.chain(ASSUMPTIONS.iter().map(|row| row.id));
    let needed: BTreeSet<&str> = needed.chain(limits).collect();
    for row in rows() {
        for id in names(row.cells[2]) {
            assert!(
                needed.contains(id),
                "line {} of FACTS.md: there is no switch {id}",
                row.line
            );
            named.insert(id);
        }
    }
    let missing: Vec<_> = needed.difference(&named).collect();
    assert!(missing.is_empty(), "not in FACTS.md: {missing:?}");
}

#[test]
fn tests_and_scenarios_in_the_page_of_facts_exist() {
    let folders = [
        "src",
        "tests",
        "engine/src",
        "engine/tests",
        "../harness/tests",
    ];
    let mut tests = BTreeSet::new();
    for (_, text) in folders.iter().flat_map(|folder| sources(folder, "rs")) {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for pair in lines.windows(2) {
            let is_test = pair[0] == "#[test]" || pair[0].starts_with("#[tokio::test");
            let behind = pair[1].trim_start_matches("async ").strip_prefix("fn ");
            if let Some(behind) = behind.filter(|_| is_test) {
                tests.extend(behind.split('(').next().map(str::to_owned));
            }
        }
    }
    let mut scenarios = BTreeSet::new();
    for (document, text) in sources("../scenarios", "md") {
        let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
        scenarios.extend(headings.map(|heading| format!("{document}/{}", slug(heading))));
    }
    for row in rows() {
        for name in names(row.cells[3]) {
            let known = match name.contains('/') {
                true => scenarios.contains(name),
                false => tests.contains(name),
            };
            assert!(known, "line {} of FACTS.md: there is no {name}", row.line);
        }
    }
}

/// The part of a scenario's id that its heading makes: words of letters and digits.
fn slug(heading: &str) -> String {
    let words =
        heading.split(|c: char| c.is_whitespace() || matches!(c, '-' | '/' | '_' | '–' | '—'));
    let word = |word: &str| word.replace(|c: char| !c.is_alphanumeric(), "");
    let words: Vec<String> = words.map(word).filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}
