//! Bitmaps.

use crate::testing::Bench;

#[test]
fn strings_are_combined_bit_by_bit() {
    let mut bench = Bench::redis();
    for (key, bits) in [("a", [0, 1]), ("b", [1, 2]), ("c", [2, 9])] {
        for bit in bits {
            bench.run(&format!("SETBIT {key} {bit} 1"));
        }
    }
    let set_bits = |bench: &mut Bench, operation: &str| {
        bench.run(&format!("BITOP {operation} to a b c"));
        let bits = (0..16).filter(|bit| bench.show(&format!("GETBIT to {bit}")) == "1");
        bits.collect::<Vec<u32>>()
    };
    assert_eq!(set_bits(&mut bench, "OR"), [0, 1, 2, 9]);
    assert!(set_bits(&mut bench, "AND").is_empty());
    assert_eq!(set_bits(&mut bench, "XOR"), [0, 9]);
    assert_eq!(set_bits(&mut bench, "DIFF"), [0]);
    assert_eq!(set_bits(&mut bench, "DIFF1"), [2, 9]);
    assert_eq!(set_bits(&mut bench, "ANDOR"), [1]);
    assert_eq!(set_bits(&mut bench, "ONE"), [0, 9]);
}

#[test]
fn a_field_wraps_saturates_or_fails() {
    let mut bench = Bench::redis();
    assert_eq!(
        bench.show("BITFIELD k INCRBY u2 100 5 OVERFLOW SAT INCRBY u2 102 5"),
        "[1, 3]"
    );
    assert_eq!(
        bench.show("BITFIELD k OVERFLOW FAIL INCRBY u2 102 1 GET u2 102"),
        "[nil, 3]"
    );
    assert_eq!(
        bench.show("BITFIELD k SET i64 0 -9223372036854775808 INCRBY i64 0 -1"),
        "[0, 9223372036854775807]"
    );
}

#[test]
fn an_offset_beyond_the_longest_string_is_refused() {
    let mut bench = Bench::redis();
    assert_eq!(
        bench.show("SETBIT k 4294967296 1"),
        "(error) ERR bit offset is not an integer or out of range"
    );
    assert_eq!(
        bench.show("BITFIELD k GET u8 #9223372036854775807"),
        "(error) ERR bit offset is not an integer or out of range"
    );
}
