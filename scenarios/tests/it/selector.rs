//! Selections by area and glob.

use scenarios::Document;
use scenarios::selector::{Selector, SelectorError};

fn documents() -> Vec<Document> {
    let text = "## One holder\n```redis\n> PING\n```\n## Two holders\n```redis\n> PING\n```\n";
    ["locks/basic.md", "cache/basic.md"]
        .map(|path| Document::parse(path, text).expect("parses"))
        .to_vec()
}

fn selected(areas: &[&str], filters: &[&str]) -> Vec<String> {
    let own = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<_>>();
    let selector = Selector::new(&own(areas), &own(filters)).expect("valid");
    let documents = documents();
    let scenarios = documents.iter().flat_map(|document| &document.scenarios);
    scenarios
        .filter(|one| selector.selects(one))
        .map(|one| one.id.clone())
        .collect()
}

#[test]
fn everything_is_selected_by_default() {
    assert_eq!(selected(&[], &[]).len(), 4);
}

#[test]
fn areas_and_globs_narrow_the_selection() {
    assert_eq!(
        selected(&["locks"], &[]),
        ["locks/basic/one-holder", "locks/basic/two-holders"]
    );
    assert_eq!(selected(&[], &["cache/*one*"]), ["cache/basic/one-holder"]);
    assert_eq!(selected(&["locks"], &["two"]), ["locks/basic/two-holders"]);
    assert_eq!(selected(&[], &["locks/basic"]).len(), 2);
    assert!(selected(&["locks"], &["cache/*"]).is_empty());
}

#[test]
fn unknown_areas_and_broken_globs_are_refused() {
    let selector = Selector::new(&["lock".to_owned()], &[]).expect("valid");
    let error = selector
        .check_areas(&documents())
        .expect_err("no such area");
    assert_eq!(
        error.to_string(),
        "there is no area \"lock\"; the areas are locks, cache"
    );
    let broken = Selector::new(&[], &["a[".to_owned()]);
    assert!(matches!(broken, Err(SelectorError::Glob { .. })));
}
