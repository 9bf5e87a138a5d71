//! The connection commands against Redis: who a client is, how it authenticates, which protocol it
//! speaks, and how it starts over.

use proptest::prelude::*;

use super::generate::{
    any_of, command, integer, key, maybe, one_of, options, sequence, value, word,
};
use super::interleaving::{Step, Steps, anybody, interleaved_against_redis, sent_by};

/// Users to authenticate as.
fn opening() -> Steps {
    Just(sent_by(
        0,
        &[
            "ACL SETUSER bob on >pw ~* &* +@all",
            "ACL SETUSER carl off >pw ~* +@all",
            "ACL SETUSER dora on nopass ~k1 +@read +@connection",
        ],
    ))
    .boxed()
}

fn steps() -> BoxedStrategy<Step> {
    let user = || one_of(&["bob", "carl", "dora", "default", "nobody", ""]);
    let password = || one_of(&["pw", "", "x"]);
    let name = || one_of(&["me", "you", "", "two words", "a\nb", "\u{e9}", "~!"]);
    let protocol = || one_of(&["2", "3", "3", "1", "4", "x", "03"]);
    let credentials = || sequence(vec![one_of(&["AUTH", "auth"]), user(), password()]);
    let set_name = || sequence(vec![word("SETNAME"), name()]);
    anybody(vec![
        command("HELLO", vec![maybe(protocol())]),
        command(
            "HELLO",
            vec![protocol(), options(vec![credentials(), set_name()])],
        ),
        command("AUTH", vec![maybe(user()), password()]),
        command("AUTH", vec![user(), password()]),
        command("PING", vec![maybe(value())]),
        command("ECHO", vec![value()]),
        command(
            "SELECT",
            vec![any_of(vec![integer(), one_of(&["0", "1", "15", "16"])])],
        ),
        command("CLIENT", vec![word("GETNAME")]),
        command("CLIENT", vec![one_of(&["SETNAME", "setname"]), name()]),
        command(
            "CLIENT",
            vec![one_of(&["ID", "INFO", "GETNAME", "LIST", "nope"])],
        ),
        command(
            "CLIENT",
            vec![
                word("LIST"),
                any_of(vec![
                    sequence(vec![word("ID"), one_of(&["0", "-1", "x", "999999", ""])]),
                    sequence(vec![
                        word("TYPE"),
                        one_of(&["normal", "MASTER", "pubsub", "replica", "slave", "x"]),
                    ]),
                    value(),
                ]),
            ],
        ),
        command(
            "CLIENT",
            vec![
                word("SETINFO"),
                one_of(&["LIB-NAME", "lib-ver", "LIB"]),
                name(),
            ],
        ),
        any_of(vec![
            command("RESET", vec![]),
            command("QUIT", vec![]),
            command("ACL", vec![word("WHOAMI")]),
        ]),
        any_of(vec![
            command("GET", vec![key()]),
            command("SET", vec![key(), value()]),
            command("INCR", vec![key()]),
        ]),
    ])
}

#[test]
fn connections_are_what_redis_takes_them_for() {
    interleaved_against_redis("connection", opening(), steps(), |control| {
        control.run("ACL DELUSER bob carl dora");
        control.run("FLUSHALL");
    });
}
