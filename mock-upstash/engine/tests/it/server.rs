//! Server commands.

use crate::testing::Bench;

#[test]
fn flushing_takes_out_everything_and_breaks_watches() {
    let mut bench = Bench::redis();
    bench.run("SET k v");
    bench.run("WATCH k");
    let other = bench.engine.connect(redis_engine::Connect::default());
    bench.engine.execute(other, &["FLUSHDB".into()]);
    bench.run("MULTI");
    assert_eq!(bench.show("PING"), "QUEUED");
    assert_eq!(bench.show("EXEC"), "nil");
    assert_eq!(bench.show("DBSIZE"), "0");
    assert_eq!(bench.show("FLUSHALL NOW"), "(error) ERR syntax error");
}

#[test]
fn the_command_table_is_told_by_redis_alone() {
    assert!(Bench::redis().show("COMMAND").contains("\"get\", 2"));
    let mut upstash = Bench::upstash();
    assert_eq!(upstash.show("COMMAND"), "[]");
    assert_eq!(
        upstash.show("COMMAND COUNT"),
        "(error) ERR wrong number of arguments for 'command' command"
    );
}

#[test]
fn settings_are_all_or_nothing_in_redis_and_one_by_one_in_upstash() {
    let mut redis = Bench::redis();
    assert_eq!(redis.show("CONFIG SET notify-keyspace-events KEA"), "OK");
    assert_eq!(
        redis.show("CONFIG GET notify-*"),
        "{\"notify-keyspace-events\": \"AKE\"}"
    );
    assert!(
        redis
            .show("CONFIG SET notify-keyspace-events K nope 1")
            .starts_with("(error) ERR Unknown option")
    );
    assert_eq!(
        redis.show("CONFIG GET notify-*"),
        "{\"notify-keyspace-events\": \"AKE\"}"
    );
    let mut upstash = Bench::upstash();
    assert!(
        upstash
            .show("CONFIG SET notify-keyspace-events Kg nope 1")
            .starts_with("(error) ")
    );
    assert_eq!(
        upstash.show("CONFIG GET *"),
        "[\"notify-keyspace-events\", \"gK\"]"
    );
}

#[test]
fn time_is_the_clock_s() {
    let mut bench = Bench::redis();
    bench.advance_ms(1);
    assert_eq!(bench.show("TIME"), "[\"1700000000\", \"1000\"]");
}

#[test]
fn info_has_the_sections_of_its_dialect() {
    let mut upstash = Bench::upstash();
    assert!(upstash.show("INFO").contains("upstash_version:"));
    assert_eq!(upstash.show("INFO replication"), r##""# replication\r\n""##);
    assert!(
        Bench::redis()
            .show("INFO replication")
            .contains("role:master")
    );
}
