//! Keyspace notifications against Redis: one client listens to all there are while others change data.

use proptest::prelude::*;

use super::generate::{self, any_of, one_of};
use super::interleaving::{CLIENTS, Step, Steps, interleaved_against_redis, sent_by};
use super::{bitmap, generic, hash, hyperloglog, list, set, sorted_set, stream, string};

/// The first client switches classes of events on and listens.
fn opening() -> Steps {
    let classes = one_of(&[
        "KEA", "KEA", "KEA", "KA", "EA", "KEAn", "KEAnoc", "Ko", "Kg$", "Elsh", "Kzt", "Kx", "En",
        "KE", "A", "",
    ]);
    (classes, any::<bool>())
        .prop_map(|(classes, resp3)| {
            let classes = String::from_utf8_lossy(&classes[0]).into_owned();
            let set = format!("CONFIG SET notify-keyspace-events {classes}");
            let mut lines = vec![&set[..]];
            if resp3 {
                lines.push("HELLO 3");
            }
            lines.push("PSUBSCRIBE __key*__:*");
            sent_by(0, &lines)
        })
        .boxed()
}

fn steps() -> BoxedStrategy<Step> {
    let groups = [
        bitmap::commands(),
        generic::commands(),
        hash::commands(),
        hash::commands(),
        hyperloglog::commands(),
        list::commands(),
        set::commands(),
        sorted_set::commands(),
        stream::commands(),
        stream::commands(),
        string::commands(),
    ];
    let commands = any_of(groups.map(any_of).to_vec());
    (
        1..CLIENTS,
        prop_oneof![6 => generate::mutated(commands), 2 => generate::surroundings()],
    )
        .boxed()
}

#[test]
fn changes_are_notified_as_redis_notifies_them() {
    interleaved_against_redis("notification", opening(), steps(), |control| {
        control.run("CONFIG SET notify-keyspace-events ");
        control.run("FLUSHALL");
    });
}
