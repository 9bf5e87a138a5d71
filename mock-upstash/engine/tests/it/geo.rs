//! Geo positions.

use crate::testing::Bench;

fn sicily() -> Bench {
    let mut bench = Bench::redis();
    bench.run("GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania");
    bench
}

#[test]
fn positions_and_distances_have_redis_digits() {
    let mut bench = sicily();
    assert_eq!(
        bench.show("GEODIST Sicily Palermo Catania"),
        r#""166274.1516""#
    );
    assert_eq!(
        bench.show("GEODIST Sicily Palermo Palermo km"),
        r#""0.0000""#
    );
    assert_eq!(
        bench.show("GEOHASH Sicily Palermo x"),
        r#"["sqc8b49rny0", nil]"#
    );
    assert_eq!(
        bench.show("GEOPOS Sicily Palermo x"),
        "[[13.361389338970184, 38.1155563954963], nil]"
    );
    assert_eq!(bench.show("ZSCORE Sicily Catania"), "3479447370796909.0");
}

#[test]
fn a_search_answers_what_was_asked_for_in_order() {
    let mut bench = sicily();
    assert_eq!(
        bench.show("GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHDIST WITHHASH"),
        r#"[["Catania", "56.4413", 3479447370796909], ["Palermo", "190.4424", 3479099956230698]]"#
    );
    assert_eq!(
        bench.show("GEOSEARCH Sicily FROMMEMBER Palermo BYBOX 10 10 km"),
        r#"["Palermo"]"#
    );
    assert_eq!(
        bench.show("GEOSEARCHSTORE near Sicily FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST"),
        "1"
    );
    assert_eq!(bench.show("ZSCORE near Catania"), "56.4412578701582");
    assert_eq!(
        bench.show("GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 100 km ANY"),
        "(error) ERR the ANY argument requires COUNT argument"
    );
}
