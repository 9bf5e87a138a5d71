//! Subscribers and publishers against Redis: who is sent what, in which order, in which form.

use proptest::prelude::*;

use super::generate::{any_of, command, key, maybe, one_of, times, value};
use super::interleaving::{Step, anybody, interleaved_against_redis};

fn steps() -> BoxedStrategy<Step> {
    let channel = || one_of(&["a", "b", "abc", "", "a\0\r\n"]);
    let pattern = || one_of(&["*", "a*", "?", "[ab]", "a", "", "\\a"]);
    anybody(vec![
        command("SUBSCRIBE", vec![times(channel(), 1..4)]),
        command("PSUBSCRIBE", vec![times(pattern(), 1..4)]),
        command("UNSUBSCRIBE", vec![times(channel(), 0..3)]),
        command("PUNSUBSCRIBE", vec![times(pattern(), 0..3)]),
        command("PUBLISH", vec![channel(), value()]),
        command("PUBLISH", vec![channel(), value()]),
        command("PUBLISH", vec![one_of(&["a", "abc"]), value()]),
        any_of(vec![
            command("PUBSUB", vec![one_of(&["CHANNELS"]), maybe(pattern())]),
            command("PUBSUB", vec![one_of(&["NUMSUB"]), times(channel(), 0..4)]),
            command("PUBSUB", vec![one_of(&["NUMPAT", "nope"])]),
        ]),
        command("PING", vec![maybe(value())]),
        command("HELLO", vec![one_of(&["2", "3"])]),
        any_of(vec![
            command("GET", vec![key()]),
            one_of(&["RESET", "QUIT", "MULTI", "DISCARD", "DBSIZE"]),
        ]),
    ])
}

#[test]
fn subscribers_are_sent_what_redis_sends_them() {
    let nothing = Just(Vec::new()).boxed();
    interleaved_against_redis("pubsub", nothing, steps(), |control| {
        control.run("FLUSHALL");
    });
}
