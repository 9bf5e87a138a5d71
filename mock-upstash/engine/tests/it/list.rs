//! Lists.

use crate::testing::Bench;

#[test]
fn elements_are_had_from_both_ends() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("RPUSH l a b c"), "3");
    assert_eq!(bench.show("LPUSH l z"), "4");
    assert_eq!(bench.show("LRANGE l 0 -1"), r#"["z", "a", "b", "c"]"#);
    assert_eq!(bench.show("LPOP l"), r#""z""#);
    assert_eq!(bench.show("RPOP l 2"), r#"["c", "b"]"#);
    assert_eq!(bench.show("RPOP l 0"), "[]");
    assert_eq!(bench.show("LPOP missing"), "nil");
    assert_eq!(bench.show("LPOP l 1"), r#"["a"]"#);
    assert_eq!(bench.show("LLEN l"), "0");
    assert_eq!(
        bench.show("LPOP l -1"),
        "(error) ERR value is out of range, must be positive"
    );
}

#[test]
fn positions_count_matches_from_either_end() {
    let mut bench = Bench::redis();
    bench.run("RPUSH l a b c 1 2 3 c c");
    assert_eq!(bench.show("LPOS l c"), "2");
    assert_eq!(bench.show("LPOS l c RANK -1"), "7");
    assert_eq!(bench.show("LPOS l c RANK 2 COUNT 0"), "[6, 7]");
    assert_eq!(bench.show("LPOS l c RANK -2 COUNT 2"), "[6, 2]");
    assert_eq!(bench.show("LPOS l c COUNT 0 MAXLEN 7"), "[2, 6]");
    assert_eq!(bench.show("LPOS l x COUNT 0"), "[]");
    assert_eq!(bench.show("LPOS l x"), "nil");
}

#[test]
fn removal_from_the_right_leaves_the_leftmost() {
    let mut bench = Bench::redis();
    bench.run("RPUSH l a b a c a");
    assert_eq!(bench.show("LREM l -2 a"), "2");
    assert_eq!(bench.show("LRANGE l 0 -1"), r#"["a", "b", "c"]"#);
    assert_eq!(bench.show("LREM l 0 a"), "1");
    assert_eq!(bench.show("LTRIM l 5 9"), "OK");
    assert_eq!(bench.show("LLEN l"), "0");
}

#[test]
fn an_element_moves_within_one_list() {
    let mut bench = Bench::redis();
    bench.run("RPUSH l a b c");
    assert_eq!(bench.show("RPOPLPUSH l l"), r#""c""#);
    assert_eq!(bench.show("LMOVE l l LEFT RIGHT"), r#""c""#);
    assert_eq!(bench.show("LRANGE l 0 -1"), r#"["a", "b", "c"]"#);
    bench.run("SET s v");
    assert_eq!(
        bench.show("LMOVE l s LEFT RIGHT"),
        "(error) WRONGTYPE Operation against a key holding the wrong kind of value"
    );
    assert_eq!(bench.show("LMOVE missing s LEFT RIGHT"), "nil");
    assert_eq!(bench.show("LLEN l"), "3");
}
