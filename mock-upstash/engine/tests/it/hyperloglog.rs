//! HyperLogLogs.

use crate::testing::Bench;

#[test]
fn many_elements_are_counted_within_one_percent() {
    let mut bench = Bench::redis();
    for i in 0..10_000 {
        bench.run(&format!("PFADD k element:{i}"));
    }
    assert_eq!(bench.show("STRLEN k"), "12304");
    let counted = bench.run("PFCOUNT k").as_integer().unwrap_or(0);
    assert!((9_900..=10_100).contains(&counted), "counted {counted}");
    bench.run("PFMERGE both k other");
    assert_eq!(bench.run("PFCOUNT both").as_integer(), Some(counted));
}

#[test]
fn a_string_made_to_deceive_is_refused() {
    let mut bench = Bench::redis();
    // A long run of zeros that ends in the middle of its opcode.
    let mut forged = b"HYLL\x01".to_vec();
    forged.resize(15, 0);
    forged.extend_from_slice(&[0x80, 0x7f]);
    bench.run_args(&[b"SET", b"k", &forged]);
    for command in ["PFADD k a", "PFCOUNT k", "PFMERGE to k"] {
        assert_eq!(
            bench.show(command),
            "(error) INVALIDOBJ Corrupted HLL object detected"
        );
    }
    bench.run("SET k HYLL");
    assert_eq!(
        bench.show("PFCOUNT k"),
        "(error) WRONGTYPE Key is not a valid HyperLogLog string value."
    );
}
