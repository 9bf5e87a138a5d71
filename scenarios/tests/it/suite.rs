//! The documents that come with swapcheck.

use std::collections::BTreeSet;

use scenarios::suite;

#[test]
fn every_document_of_the_suite_is_sound() {
    let documents = match suite() {
        Ok(documents) => documents,
        Err(errors) => panic!("{errors}"),
    };
    let mut ids = BTreeSet::new();
    for scenario in documents.iter().flat_map(|document| &document.scenarios) {
        assert!(
            ids.insert(scenario.id.as_str()),
            "{} is there twice",
            scenario.id
        );
        assert!(
            !scenario.prose.is_empty(),
            "{} does not say who relies on it",
            scenario.id
        );
        let judged = scenario.steps.iter().any(|step| step.expect.is_some());
        assert!(judged, "{} expects nothing", scenario.id);
    }
}
