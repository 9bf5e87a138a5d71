//! Messages: in each publisher's order, none lost, none twice.

use std::collections::BTreeMap;

use super::operation::{History, Operation, Value, Violation};

/// `publish` (publisher, number), the numbers counting up from 1; `receive` returns (publisher,
/// number). Every subscriber was connected all the time; `quiet` is where one had heard nothing for
/// so long that nothing more will come.
///
/// # Errors
/// When a subscriber missed a message, got one twice, or got them out of order.
pub fn check(history: &History) -> Result<(), Violation> {
    let mut published: BTreeMap<(&Value, i64), &Operation> = BTreeMap::new();
    for publish in history.named("publish").filter(|one| !one.is_failed()) {
        if let Some(message) = message(&publish.input) {
            published.insert(message, publish);
        }
    }
    let mut subscribers: BTreeMap<usize, Vec<&Operation>> = BTreeMap::new();
    for receive in history.named("receive") {
        subscribers.entry(receive.client).or_default().push(receive);
    }
    for quiet in history.named("quiet") {
        let received = subscribers.remove(&quiet.client).unwrap_or_default();
        let mut last: BTreeMap<&Value, &Operation> = BTreeMap::new();
        let mut seen = BTreeMap::new();
        for receive in received {
            let Some((publisher, number)) = receive.output().and_then(message) else {
                continue;
            };
            if let Some(twice) = seen.insert((publisher, number), receive) {
                let what = "a subscriber received a message twice";
                return Err(Violation::new(what, [twice, receive]));
            }
            if let Some(before) = last.insert(publisher, receive)
                && before
                    .output()
                    .and_then(message)
                    .is_some_and(|(_, n)| n > number)
            {
                let what = "a subscriber received one publisher's messages out of order";
                return Err(Violation::new(what, [before, receive]));
            }
        }
        let lost = published
            .iter()
            .find(|(message, publish)| publish.output().is_some() && !seen.contains_key(message));
        if let Some((_, publish)) = lost {
            let what = "a subscriber that was connected missed a message";
            return Err(Violation::new(what, [*publish, quiet]));
        }
    }
    Ok(())
}

fn message(value: &Value) -> Option<(&Value, i64)> {
    Some((value.at(0)?, value.at(1)?.integer()?))
}
