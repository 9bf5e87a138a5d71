//! Sets.

use redis_engine::{Dialect, Quirk, Reply};

use crate::testing::{Bench, show};

#[test]
fn small_sets_of_integers_are_in_ascending_order() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("SADD s 3 1 -2 10 1"), "4");
    assert_eq!(bench.show("SMEMBERS s"), r#"~["-2", "1", "3", "10"]"#);
    // A member that is no integer comes last, and order of arrival holds from then on.
    bench.run("SADD s x 0");
    assert_eq!(
        bench.show("SMEMBERS s"),
        r#"~["-2", "1", "3", "10", "x", "0"]"#
    );
    bench.run("SREM s 1");
    assert_eq!(bench.show("SMEMBERS s"), r#"~["-2", "3", "10", "x", "0"]"#);
    // An integer that is not written the canonical way is another member.
    assert_eq!(bench.show("SISMEMBER s 03"), "0");
}

#[test]
fn members_are_an_array_where_upstash_says_so() {
    let mut bench = Bench::new(Dialect::REDIS.with(Quirk::Resp3Forms, true));
    bench.run("SADD s 1");
    assert_eq!(bench.show("SMEMBERS s"), r#"["1"]"#);
    assert_eq!(bench.show("SUNION s"), r#"~["1"]"#);
}

#[test]
fn a_scan_sees_every_member_that_stays() {
    let mut bench = Bench::redis();
    for n in 0..1000 {
        bench.run(&format!("SADD s member-{n}"));
    }
    let mut seen = std::collections::HashSet::new();
    let mut cursor = "0".to_owned();
    let mut gone = 0;
    loop {
        let Reply::Array(page) = bench.run(&format!("SSCAN s {cursor} COUNT 7")) else {
            panic!("a scan answers an array");
        };
        let [Reply::Bulk(next), Reply::Array(members)] = &page[..] else {
            panic!("a page is a cursor and members");
        };
        seen.extend(members.iter().map(show));
        // Odd members leave while the scan is under way.
        gone += 2;
        bench.run(&format!("SREM s member-{}", gone + 1));
        if **next == *b"0" {
            break;
        }
        cursor = String::from_utf8_lossy(next).into_owned();
    }
    for n in (0..1000).step_by(2) {
        assert!(seen.contains(&format!("\"member-{n}\"")), "member-{n}");
    }
}

#[test]
fn intersections_check_every_key_before_they_say_empty() {
    let mut bench = Bench::redis();
    bench.run("SET string v");
    bench.run("SADD a 1 2 3");
    assert_eq!(
        bench.show("SINTER missing string"),
        "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    assert_eq!(bench.show("SINTERSTORE a a missing"), "0");
    assert_eq!(bench.show("SCARD a"), "0");
}

#[test]
fn popped_members_are_gone() {
    let mut bench = Bench::redis();
    bench.run("SADD s a b c d e");
    let Reply::Set(popped) = bench.run("SPOP s 3") else {
        panic!("SPOP with a count answers a set");
    };
    assert_eq!(popped.len(), 3);
    for member in popped {
        let Reply::Bulk(member) = member else {
            panic!("members are bulk strings");
        };
        assert_eq!(
            bench.run_args(&[b"SISMEMBER", b"s", &member]),
            Reply::Integer(0)
        );
    }
    assert_eq!(bench.show("SCARD s"), "2");
    assert_eq!(bench.show("SRANDMEMBER s 0"), "[]");
    let Reply::Array(drawn) = bench.run("SRANDMEMBER s -20") else {
        panic!("SRANDMEMBER with a count answers an array");
    };
    assert_eq!(drawn.len(), 20);
}
