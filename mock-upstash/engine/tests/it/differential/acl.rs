//! ACL against Redis: rules and how they are kept, what they permit, what the log says of denials.

use proptest::prelude::*;

use super::generate::{
    Part, any_of, command, index, key, maybe, member, one_of, sequence, times, value, word,
};
use super::interleaving::{CLIENTS, Step, anybody, interleaved_against_redis};
use super::reference::Connection;
use super::wire::Wire;

fn user() -> Part {
    one_of(&["bob", "carl", "dora", "Bob", "a b", ""])
}

fn rule() -> Part {
    let switch = one_of(&[
        "on",
        "ON",
        "off",
        "nopass",
        "resetpass",
        "reset",
        "sanitize-payload",
        "skip-sanitize-payload",
        "allkeys",
        "resetkeys",
        "allchannels",
        "resetchannels",
        "allcommands",
        "nocommands",
        "clearselectors",
        "nope",
        "",
    ]);
    let password = one_of(&[
        ">pw",
        ">pw",
        ">other",
        "<pw",
        "<other",
        ">",
        "#abc",
        "#30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4",
        "!30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4",
        "!x",
    ]);
    let pattern = one_of(&[
        "~*", "~k*", "~k1", "%RW~k3", "%R~k*", "%W~k*", "%R~k1", "%w~k2", "%~a", "%X~a", "~",
        "~a b", "&*", "&a*", "&b", "&",
    ]);
    let permission = one_of(&[
        "+@all",
        "-@all",
        "+@read",
        "-@read",
        "+@write",
        "-@write",
        "+@string",
        "+@hash",
        "-@hash",
        "+@list",
        "+@dangerous",
        "-@dangerous",
        "+@fast",
        "-@slow",
        "+@nope",
        "+get",
        "-get",
        "+SET",
        "-set",
        "+config|get",
        "-config|get",
        "+config",
        "-config",
        "+client|id",
        "+acl",
        "-acl|setuser",
        "+config|nope",
        "+select|0",
        "+SELECT|1",
        "-select|0",
        "-select",
        "+get|k1",
        "+Set|K2",
        "+get|",
        "+get|a|b",
        "+config|get|x",
        "+nope",
        "+",
        "-",
        "+xgroup|create",
        "+@pubsub",
        "-publish",
    ]);
    let selector = one_of(&[
        "(+get ~k1)",
        "(+@read ~k*)",
        "(+set",
        "~k2)",
        "(-@all +get)",
        "()",
        "(nope)",
        "(on)",
        "(+get ~k1",
        ")",
        "( +get )",
        "(~* +@all)",
    ]);
    prop_oneof![2 => switch, 2 => password, 3 => pattern, 6 => permission, 1 => selector].boxed()
}

fn steps() -> BoxedStrategy<Step> {
    let admin = vec![
        command(
            "ACL",
            vec![word("GETUSER"), any_of(vec![user(), word("default")])],
        ),
        command("ACL", vec![one_of(&["LIST", "USERS", "WHOAMI", "list"])]),
        command(
            "ACL",
            vec![
                word("CAT"),
                maybe(one_of(&[
                    "read",
                    "write",
                    "set",
                    "sortedset",
                    "list",
                    "hash",
                    "string",
                    "bitmap",
                    "hyperloglog",
                    "geo",
                    "stream",
                    "pubsub",
                    "admin",
                    "fast",
                    "slow",
                    "blocking",
                    "dangerous",
                    "connection",
                    "transaction",
                    "scripting",
                    "keyspace",
                    "nope",
                    "READ",
                    "",
                ])),
            ],
        ),
        command("ACL", vec![word("DELUSER"), times(user(), 1..3)]),
        command(
            "ACL",
            vec![
                word("LOG"),
                maybe(any_of(vec![index(), one_of(&["RESET", "x"])])),
            ],
        ),
        command(
            "ACL",
            vec![
                word("GENPASS"),
                maybe(any_of(vec![index(), one_of(&["5", "4096", "4097"])])),
            ],
        ),
        command("ACL", vec![one_of(&["LOAD", "SAVE", "nope"])]),
    ];
    let tried = vec![
        command("GET", vec![key()]),
        command("SET", vec![key(), value()]),
        command("MGET", vec![key(), key()]),
        command("RENAME", vec![key(), key()]),
        command("HSET", vec![key(), member(), value()]),
        command("LPUSH", vec![key(), value()]),
        command("COPY", vec![key(), key()]),
        command("SUNIONSTORE", vec![key(), key(), key()]),
        command("PUBLISH", vec![one_of(&["a", "b", "abc"]), value()]),
        any_of(vec![
            one_of(&["MULTI", "EXEC", "EXEC", "DISCARD"]),
            command("WATCH", vec![key()]),
            command("CLIENT", vec![word("SETNAME"), member()]),
            command("CLIENT", vec![word("GETNAME")]),
        ]),
        any_of(vec![
            command("TYPE", vec![key()]),
            command("EXISTS", vec![key(), key()]),
            command("INCR", vec![key()]),
            command("GETSET", vec![key(), value()]),
            command("SET", vec![key(), value(), one_of(&["GET", "NX", "EX"])]),
            command("LMOVE", vec![key(), key(), word("LEFT"), word("LEFT")]),
            command("SMOVE", vec![key(), key(), member()]),
            command("PFMERGE", vec![key(), key(), key()]),
            command("BITOP", vec![word("OR"), key(), key()]),
            command("ZRANGESTORE", vec![key(), key(), word("0"), word("-1")]),
            command("ZUNIONSTORE", vec![key(), word("2"), key(), key()]),
            command(
                "XREADGROUP",
                vec![
                    word("GROUP"),
                    word("g"),
                    word("c"),
                    word("STREAMS"),
                    key(),
                    word(">"),
                ],
            ),
            command("DEL", vec![key(), key()]),
        ]),
        command(
            "BITFIELD",
            vec![
                key(),
                times(
                    any_of(vec![
                        sequence(vec![word("GET"), word("u8"), word("0")]),
                        sequence(vec![word("SET"), word("u8"), word("0"), index()]),
                        sequence(vec![word("OVERFLOW"), word("SAT")]),
                    ]),
                    0..3,
                ),
            ],
        ),
        command(
            "GEORADIUS",
            vec![
                key(),
                sequence(vec![word("1"), word("2"), word("3"), word("km")]),
                maybe(sequence(vec![one_of(&["STORE", "STOREDIST"]), key()])),
            ],
        ),
        command(
            "EVAL",
            vec![
                word("return redis.call('SET', KEYS[1], ARGV[1])"),
                word("1"),
                key(),
                value(),
            ],
        ),
        command(
            "EVAL",
            vec![word("return redis.pcall('GET', 'k2')"), word("0")],
        ),
        command("CONFIG", vec![word("GET"), word("maxmemory")]),
        one_of(&["DBSIZE", "RESET", "PING"]),
        command("SELECT", vec![one_of(&["0", "1"])]),
        command(
            "XGROUP",
            vec![
                word("CREATE"),
                key(),
                word("g"),
                word("$"),
                word("MKSTREAM"),
            ],
        ),
    ];
    let log_in = sequence(vec![
        word("AUTH"),
        one_of(&["bob", "carl", "dora", "default"]),
        one_of(&["pw", "other", "x"]),
    ]);
    let set = command("ACL", vec![word("SETUSER"), user(), times(rule(), 0..6)]);
    let open = command(
        "ACL",
        vec![
            word("SETUSER"),
            one_of(&["bob", "carl", "dora"]),
            word("on"),
            word(">pw"),
            times(rule(), 0..6),
        ],
    );
    prop_oneof![
        2 => (0..CLIENTS, set),
        3 => (0..CLIENTS, open),
        3 => anybody(admin),
        3 => (0..CLIENTS, log_in),
        5 => anybody(tried),
    ]
    .boxed()
}

/// Takes away all users but the one that is always there.
fn forget_users(control: &mut Connection) {
    let Wire::Array(users) = control.run("ACL USERS") else {
        panic!("ACL USERS answers a list");
    };
    for user in users {
        if let Wire::Bulk(name) = user
            && name != b"default"
        {
            let words = [&b"ACL"[..], b"DELUSER", &name].map(<[u8]>::to_vec);
            let _ = control.run_all(&[words.to_vec()]);
        }
    }
    control.run("ACL LOG RESET");
    control.run("FLUSHALL");
}

#[test]
fn users_may_do_what_redis_lets_them() {
    let nothing = Just(Vec::new()).boxed();
    interleaved_against_redis("acl", nothing, steps(), forget_users);
}
