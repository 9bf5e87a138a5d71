//! Values of every kind and size, and payloads in encodings of old.

use crc::{CRC_64_REDIS, Crc};

/// An encoded value with version and checksum behind it.
pub(super) fn sealed(body: &[u8], version: u16) -> Vec<u8> {
    let mut payload = [body, &version.to_le_bytes()].concat();
    let checksum = Crc::<u64>::new(&CRC_64_REDIS).checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// Text of no use to a compressor.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

pub(super) type Line = Vec<Vec<u8>>;

pub(super) fn line(words: &str) -> Line {
    words.split(' ').map(|word| word.into()).collect()
}

pub(super) fn with(words: &str, rest: impl IntoIterator<Item = Vec<u8>>) -> Line {
    line(words).into_iter().chain(rest).collect()
}

/// Commands that make a key of every kind, in several sizes.
pub(super) fn makers() -> Vec<Line> {
    let mut lines = Vec::new();
    let integers = [
        "0",
        "-1",
        "127",
        "-128",
        "32767",
        "-32769",
        "2147483648",
        "-9223372036854775808",
    ];
    let texts = || -> Vec<Vec<u8>> {
        let mut texts: Vec<Vec<u8>> = integers.iter().map(|n| n.as_bytes().to_vec()).collect();
        for n in [
            "4095",
            "-4096",
            "8388607",
            "-8388608",
            "2147483647",
            "007",
            "1.5",
            "-0",
        ] {
            texts.push(n.into());
        }
        for length in [1, 20, 63, 64, 65] {
            texts.push(noise(length as u64, length));
        }
        texts
    };
    let long = || -> Vec<Vec<u8>> {
        let sizes = [4095, 4096, 20_000, 70_000];
        sizes
            .iter()
            .map(|size| noise(1, *size))
            .chain([vec![b'x'; 9000]])
            .collect()
    };
    let many = |count: usize| (0..count).map(|n| format!("m{n}").into_bytes());
    for (n, text) in texts()
        .into_iter()
        .chain(long())
        .chain([vec![]])
        .enumerate()
    {
        lines.push(with(&format!("SET string{n}"), [text]));
    }
    for (size, elements) in [
        ("small", texts()),
        ("long", long()),
        ("many", many(3000).collect()),
    ] {
        lines.push(with(&format!("RPUSH list-{size}"), elements.clone()));
        lines.push(with(&format!("SADD set-{size}"), elements.clone()));
        let fields = elements.iter().flat_map(|e| [e.clone(), e.clone()]);
        lines.push(with(&format!("HSET hash-{size}"), fields));
        let scores = [
            "0",
            "1",
            "-17.25",
            "inf",
            "-inf",
            "1e22",
            "3.0000000000000004",
            "70000",
        ];
        let members = elements.iter().enumerate();
        let members = members.flat_map(|(n, e)| [scores[n % scores.len()].into(), e.clone()]);
        lines.push(with(&format!("ZADD zset-{size}"), members));
    }
    for (name, numbers) in [
        ("16", 1..300),
        ("32", 70_000..70_300),
        ("64", 1 << 40..(1 << 40) + 9),
    ] {
        let numbers = numbers.map(|n: i64| n.to_string().into_bytes());
        lines.push(with(&format!("SADD set-integers{name}"), numbers));
    }
    for n in 1..=250 {
        lines.push(line(&format!(
            "XADD stream-many {n}-{n} field {n} other value"
        )));
        if n % 3 == 0 {
            lines.push(line(&format!("XADD stream-mixed {n}-0 field{n} {n}")));
        } else {
            lines.push(line(&format!("XADD stream-mixed {n}-0 field {n}")));
        }
    }
    let mut rest = vec![
        "XDEL stream-mixed 1-0 7-0 250-0",
        "XGROUP CREATE stream-many readers 0",
        "XGROUP CREATE stream-many late $ ENTRIESREAD 3",
        "XGROUP CREATECONSUMER stream-many readers idle",
        "XREADGROUP GROUP readers ann COUNT 5 STREAMS stream-many >",
        "XREADGROUP GROUP readers bob COUNT 120 STREAMS stream-many >",
        "XACK stream-many readers 2-2 100-100",
        "XADD stream-empty 5-5 a b",
        "XDEL stream-empty 5-5",
        "XGROUP CREATE stream-made g $ MKSTREAM",
        "HSET hash-expiring a 1 b 2 c 3 d 4",
        "HPEXPIREAT hash-expiring 4102444800000 FIELDS 2 b d",
        "HPEXPIREAT hash-expiring 4102444900000 FIELDS 1 a",
    ];
    lines.extend(rest.drain(..).map(line));
    lines
}

/// Payloads in encodings that newer servers read and no longer write.
pub(super) fn old_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let ziplist: &[u8] = b"\x17\0\0\0\x14\0\0\0\x04\0\0\x01a\x03\xf2\x02\x02bb\x04\xfe\x40\xff";
    let packed = |kind: u8, blob: &[u8]| [&[kind, blob.len() as u8], blob].concat();
    vec![
        ("list", packed(10, ziplist)),
        ("zset", packed(12, ziplist)),
        ("hash", packed(13, ziplist)),
        ("list", [&[14, 1, ziplist.len() as u8], ziplist].concat()),
        (
            "hash",
            packed(9, b"\x02\x01a\x03\x00one\x02bb\x01\x02x\0\0\xff"),
        ),
        ("zset", b"\x03\x03\x01a\x031.5\x01b\xfe\x01c\xff".to_vec()),
        ("list", b"\x01\x02\xc0\x05\xc1\x00\x10".to_vec()),
        ("string", b"\x00\xc3\x06\x0a\x01ab\xe0\x00\x01".to_vec()),
        ("string", b"\x00\xc3\x05\x0a\x00a\xe0\x00\x00".to_vec()),
    ]
}
