//! Strings.

use crate::testing::Bench;

#[test]
fn what_is_set_is_read_back() {
    let mut bench = Bench::redis();
    assert_eq!(bench.show("GET k"), "nil");
    assert_eq!(bench.show("SET k v"), "OK");
    assert_eq!(bench.show("GET k"), "\"v\"");
    assert_eq!(
        bench.show("NOPE a"),
        "(error) ERR unknown command 'NOPE', with args beginning with: 'a' "
    );
}
