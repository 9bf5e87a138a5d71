//! Hashes.

use crate::testing::Bench;

#[test]
fn fields_expire_to_the_millisecond_and_take_the_key_with_them() {
    let mut bench = Bench::redis();
    bench.run("HSET h a 1 b 2");
    assert_eq!(bench.show("HPEXPIRE h 100 FIELDS 2 a missing"), "[1, -2]");
    assert_eq!(bench.show("HPEXPIRE h 200 FIELDS 1 b"), "[1]");
    bench.advance_ms(100);
    assert_eq!(bench.show("HPTTL h FIELDS 2 a b"), "[0, 100]");
    bench.advance_ms(1);
    assert_eq!(bench.show("HKEYS h"), "[\"b\"]");
    bench.advance_ms(99);
    assert_eq!(bench.show("EXISTS h"), "1");
    bench.advance_ms(1);
    assert_eq!(bench.show("EXISTS h"), "0");
}

#[test]
fn a_hash_that_is_copied_renamed_or_deleted_keeps_its_fields_times_straight() {
    let mut bench = Bench::redis();
    bench.run("HSETEX h PX 100 FIELDS 1 a 1");
    bench.run("COPY h copy");
    bench.run("RENAME h moved");
    bench.run("HSETEX gone PX 100 FIELDS 1 a 1");
    bench.run("DEL gone");
    bench.run("HSET gone a 1");
    bench.advance_ms(101);
    assert_eq!(bench.show("EXISTS h copy moved gone"), "1");
    assert_eq!(bench.engine.databases[0].expiring_fields_len(), 0);
}

#[test]
fn setting_a_field_ends_its_expiry_and_counting_does_not() {
    let mut bench = Bench::redis();
    bench.run("HSETEX h EX 10 FIELDS 2 n 1 s x");
    bench.run("HINCRBY h n 1");
    bench.run("HSET h s y");
    assert_eq!(bench.show("HTTL h FIELDS 2 n s"), "[10, -1]");
    assert_eq!(bench.show("HGETEX h PERSIST FIELDS 1 n"), "[\"2\"]");
    bench.advance_ms(20_000);
    assert_eq!(bench.show("HGETALL h"), "{\"n\": \"2\", \"s\": \"y\"}");
}

#[test]
fn a_large_hash_is_scanned_in_steps() {
    let mut bench = Bench::redis();
    for i in 0..600 {
        bench.run(&format!("HSET h f{i} v"));
    }
    assert_eq!(
        bench.show("HSCAN h 0 COUNT 2 NOVALUES"),
        "[\"598\", [\"f599\", \"f598\"]]"
    );
    assert_eq!(bench.show("HSCAN h 1 NOVALUES"), "[\"0\", [\"f0\"]]");
    assert_eq!(
        bench.show("HRANDFIELD h -9223372036854775807"),
        "(error) ERR value is out of range"
    );
}
