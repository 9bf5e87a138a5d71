//! The geo commands against Redis.

use proptest::prelude::*;

use super::against_redis;
use super::generate::{
    Part, any_of, command, float, index, integer, key, maybe, one_of, options, sequence, times,
    word,
};

fn degrees(lowest: f64, highest: f64, boundaries: &[&str]) -> Part {
    let text = |degrees: f64| vec![format!("{degrees:.6}").into_bytes()];
    let boundaries = one_of(boundaries);
    prop_oneof![
        4 => (36.0..39.0f64).prop_map(text),
        2 => (lowest..highest).prop_map(text),
        1 => boundaries,
    ]
    .boxed()
}

fn position() -> Part {
    let longitudes = ["180", "-180", "0", "181", "x", "179.9", "-179.9", "nan"];
    let latitudes = ["85.05112878", "-85.05112878", "0", "86", "x", "84", "-84"];
    sequence(vec![
        degrees(-180.0, 180.0, &longitudes),
        degrees(-85.0, 85.0, &latitudes),
    ])
}

fn member() -> Part {
    one_of(&["a", "b", "c", "d", "e", ""])
}

fn distance() -> Part {
    one_of(&[
        "0", "1", "100", "200", "500", "5000", "20000", "100000", "0.5", "-1", "x", "1e10", "inf",
    ])
}

fn unit() -> Part {
    one_of(&["m", "km", "mi", "ft", "KM", "parsec"])
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let circle = || sequence(vec![distance(), unit()]);
    let common = || {
        vec![
            one_of(&["ASC", "desc"]),
            sequence(vec![word("COUNT"), index(), maybe(word("ANY"))]),
            one_of(&["WITHDIST", "WITHCOORD", "WITHHASH", "ANY"]),
        ]
    };
    let store = || {
        let mut parts = common();
        parts.push(sequence(vec![one_of(&["STORE", "STOREDIST"]), key()]));
        options(parts)
    };
    let place = || {
        let from = any_of(vec![
            sequence(vec![word("FROMMEMBER"), member()]),
            sequence(vec![word("FROMLONLAT"), position()]),
        ]);
        let by = any_of(vec![
            sequence(vec![word("BYRADIUS"), circle()]),
            sequence(vec![word("BYBOX"), distance(), circle()]),
        ]);
        any_of(vec![
            sequence(vec![from.clone(), by.clone()]),
            sequence(vec![by.clone(), from.clone()]),
            options(vec![from, by]),
        ])
    };
    let triples = || times(sequence(vec![position(), member()]), 1..4);
    vec![
        command("GEOADD", vec![key(), triples()]),
        // Scores that GEOADD never gives.
        command(
            "ZADD",
            vec![key(), any_of(vec![integer(), float()]), member()],
        ),
        command("GEOADD", vec![key(), triples()]),
        command(
            "GEOADD",
            vec![key(), options(vec![one_of(&["NX", "XX", "ch"])]), triples()],
        ),
        command("GEODIST", vec![key(), member(), member(), maybe(unit())]),
        command("GEOHASH", vec![key(), times(member(), 0..4)]),
        command("GEOPOS", vec![key(), times(member(), 0..4)]),
        command("GEOSEARCH", vec![key(), place(), options(common())]),
        command("GEOSEARCH", vec![key(), place(), options(common())]),
        command(
            "GEOSEARCHSTORE",
            vec![
                key(),
                key(),
                place(),
                maybe(one_of(&["STOREDIST", "ASC", "WITHDIST"])),
                maybe(sequence(vec![word("COUNT"), index()])),
            ],
        ),
        command("GEORADIUS", vec![key(), position(), circle(), store()]),
        command(
            "GEORADIUS_RO",
            vec![key(), position(), circle(), options(common())],
        ),
        command(
            "GEORADIUSBYMEMBER",
            vec![key(), member(), circle(), store()],
        ),
        command(
            "GEORADIUSBYMEMBER_RO",
            vec![key(), member(), circle(), options(common())],
        ),
    ]
}

#[test]
fn geo_commands_answer_as_redis_does() {
    against_redis("geo", commands());
}
