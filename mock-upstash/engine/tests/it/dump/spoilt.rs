//! Payloads made to deceive: whatever the bytes, nothing panics or grows without bound.

use proptest::prelude::*;
use redis_engine::dump;
use redis_engine::session::Protocol;

use super::sample::{line, makers, old_bodies, with};
use crate::differential::Peer;
use crate::differential::wire::Wire;
use crate::fuzz;

/// Bodies of every encoding, to be spoilt.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = old_bodies().into_iter().map(|(_, body)| body).collect();
    let mut engine = Peer::new(Protocol::Resp2);
    for command in makers() {
        engine.run(&command);
    }
    let Wire::Array(keys) = engine.run(&line("KEYS *")) else {
        panic!("no keys");
    };
    for key in keys {
        let Wire::Bulk(key) = key else {
            panic!("a key that is no string");
        };
        let reply = engine.run(&with("DUMP", [key]));
        if let Wire::Bulk(payload) = reply
            && payload.len() < 12_000
        {
            bodies.push(payload[..payload.len() - 10].to_vec());
        }
    }
    let listpack = b"\x10\0\0\0\x03\0\x81a\x02\x81b\x02\x05\x01\xff";
    bodies.push([&[25, 9, 0, 0, 0, 0, 0, 0, 0, 16], &listpack[..]].concat());
    for kind in [16, 17, 20, 23] {
        bodies.push([&[kind, 16], &listpack[..]].concat());
    }
    bodies.push([&[18, 2, 1, 1, b'p', 2, 16], &listpack[..]].concat());
    bodies.push(b"\x0b\x0c\x02\0\0\0\x02\0\0\0\x01\0\x02\0".to_vec());
    bodies.push(b"\x16\x01\x09\x01f\x01v".to_vec());
    bodies
}

#[test]
fn spoilt_payloads_are_refused_or_harmless() {
    let samples = samples();
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    let spoilt = (
        prop::sample::select(samples),
        prop::collection::vec(change, 1..6),
    )
        .prop_map(|(mut body, changes)| {
            for (place, byte, how) in changes {
                let place = place.index(body.len().max(1));
                match how {
                    0 => body.truncate(place),
                    1 => body.insert(place.min(body.len()), byte),
                    2 if place < body.len() => drop(body.remove(place)),
                    _ if place < body.len() => body[place] = byte,
                    _ => body.push(byte),
                }
            }
            body
        });
    let config = ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(body in spoilt)| fuzz::payload::run(&body));
}

#[test]
fn every_cut_and_every_first_byte_is_refused_or_harmless() {
    for body in samples().into_iter().filter(|body| body.len() < 200) {
        for cut in 0..body.len() {
            fuzz::payload::run(&body[..cut]);
            for byte in [0, 1, 0x7f, 0x80, 0x81, 0xc3, 0xf0, 0xf4, 0xfe, 0xff] {
                let mut spoilt = body.clone();
                spoilt[cut] = byte;
                fuzz::payload::run(&spoilt);
            }
        }
    }
}

#[test]
fn payloads_that_promise_much_cost_little() {
    let huge = b"\x81\xff\xff\xff\xff\xff\xff\xff\xff";
    for kind in 0..=30u8 {
        fuzz::payload::run(&[&[kind], &huge[..]].concat());
        fuzz::payload::run(&[&[kind], &huge[..], huge].concat());
        fuzz::payload::run(&[&[kind, 0x80, 0x7f, 0xff, 0xff, 0xff], &huge[..]].concat());
        // A compressed string that says it has 2^62 bytes.
        let compressed = b"\xc3\x05\x81\x40\0\0\0\0\0\0\0\x00a\xe0\x00\x00";
        assert!(dump::restore_body(&[&[kind], &compressed[..]].concat()).is_err());
    }
}
