//! Users and what they may do; replies as recorded from redis-server 8.10.

use bytes::Bytes;
use redis_engine::Connect;

use crate::testing::{Bench, show};

#[test]
fn rules_are_kept_as_redis_keeps_them() {
    let mut bench = Bench::redis();
    assert_eq!(
        bench.show("ACL LIST"),
        r#"["user default on nopass sanitize-payload ~* &* +@all"]"#
    );
    assert_eq!(
        bench.show("ACL SETUSER bob on >pw ~a:* %R~r:* %W~w:* &ch:* +get +set -set +@hash -hset +config|get -config|get"),
        "OK"
    );
    assert_eq!(
        bench.show("ACL GETUSER bob"),
        r#"{"flags": ~["on", "sanitize-payload"], "passwords": ["30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4"], "commands": "-@all +get -set +@hash -hset -config|get", "keys": "~a:* %R~r:* %W~w:*", "channels": "&ch:*", "selectors": []}"#
    );
    assert_eq!(
        bench.show("ACL SETUSER bob -@all +config|get +config (+get ~x) (~y %R~z +@read)"),
        "OK"
    );
    let list = bench.show("ACL LIST");
    assert!(
        list.contains("resetchannels &ch:* -@all +config (~x resetchannels -@all +get) (~y %R~z resetchannels -@all +@read)"),
        "{list}"
    );
}

#[test]
fn rules_that_are_none_are_refused_in_redis_s_words() {
    let mut bench = Bench::redis();
    for (rules, why) in [
        (
            "+nope",
            "modifier '+nope': Unknown command or category name in ACL",
        ),
        (
            "+@nope",
            "modifier '+@nope': Unknown command or category name in ACL",
        ),
        ("foo", "modifier 'foo': Syntax error"),
        (
            "<pw",
            "modifier '<pw': The password you are trying to remove from the user does not exist",
        ),
        (
            "#abc",
            "modifier '#abc': The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
        ),
        (
            "allkeys ~a",
            "modifier '~a': Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
        ),
    ] {
        let reply = bench.show(&format!("ACL SETUSER bob {rules}"));
        assert_eq!(reply, format!("(error) ERR Error in ACL SETUSER {why}"));
    }
    assert_eq!(
        bench.show("ACL SETUSER bob (+get"),
        "(error) ERR Unmatched parenthesis in acl selector starting at '(+get'."
    );
    assert_eq!(bench.show("ACL USERS"), r#"["default"]"#);
}

#[test]
fn a_user_is_denied_what_no_rule_opens_and_the_log_says_so() {
    let mut bench = Bench::redis();
    bench.run("SET b 1");
    bench.run("ACL SETUSER carl on nopass resetchannels ~a* +@all -del");
    assert_eq!(bench.show("AUTH carl x"), "OK");
    assert_eq!(
        bench.show("GET b"),
        "(error) NOPERM No permissions to access a key"
    );
    assert_eq!(
        bench.show("DEL a"),
        "(error) NOPERM User carl has no permissions to run the 'del' command"
    );
    assert_eq!(
        bench.show("PUBLISH c x"),
        "(error) NOPERM No permissions to access a channel"
    );
    assert_eq!(bench.show("SET a1 v"), "OK");
    assert_eq!(bench.show("ACL WHOAMI"), "\"carl\"");
    let log = bench.show("ACL LOG");
    assert!(
        log.contains(
            r#""reason": "channel", "context": "toplevel", "object": "c", "username": "carl""#
        ),
        "{log}"
    );
}

#[test]
fn upstash_takes_the_passwords_that_it_made() {
    let mut bench = Bench::upstash();
    assert!(
        bench
            .show("ACL SETUSER bob on >pw")
            .starts_with("(error) ERR Error in ACL SETUSER")
    );
    assert!(
        bench
            .show("ACL SETUSER bob nopass")
            .ends_with("'nopass' is not supported")
    );
    assert!(
        bench
            .show("ACL SETUSER bob +client|list")
            .ends_with("'|' is not supported")
    );
    let token = bench.show("ACL GENTOKEN").trim_matches('"').to_owned();
    assert_eq!(
        bench.show(&format!("ACL SETUSER bob on >{token} ~* +get")),
        "OK"
    );
    let refused = bench.show("ACL RESTTOKEN bob wrong");
    assert_eq!(
        refused,
        "(error) ERR Wrong password or user \"bob\" does not exist"
    );
    let rest = bench
        .show(&format!("ACL RESTTOKEN bob {token}"))
        .trim_matches('"')
        .to_owned();
    assert_eq!(
        bench
            .engine
            .acl
            .user_of_token(rest.as_bytes())
            .map(|name| &name[..]),
        Some(b"bob".as_slice())
    );
    let bob = bench.engine.connect(Connect {
        user: Some("bob".into()),
        rest: true,
        ..Connect::default()
    });
    let mut ask = |line: &str| {
        let args: Vec<Bytes> = line.split(' ').map(|word| word.to_owned().into()).collect();
        show(&bench.engine.execute(bob, &args))
    };
    assert_eq!(ask("GET k"), "nil");
    assert_eq!(
        ask("SET k v"),
        "(error) NOPERM this user has no permissions to run the 'set' command or its subcommand"
    );
}
