//! What the fuzz targets try for hours, for seconds: valid inputs spoilt at random, from a fixed seed.
//!
//! A target and its test share what they do with an input, `fuzz/entry`. That nothing takes for ever
//! shows in these tests' ending.

#[path = "../../fuzz/entry/arguments.rs"]
mod arguments;
#[path = "../../fuzz/entry/glob.rs"]
mod glob;
#[path = "../../fuzz/entry/json.rs"]
mod json;
#[path = "../../fuzz/entry/lua_pattern.rs"]
mod lua_pattern;
#[path = "../../fuzz/entry/payload.rs"]
pub(crate) mod payload;

use redis_engine::command;

use crate::dump::spoilt;

/// A source of numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        // A linear congruential generator; its upper bits are good enough to spoil bytes.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    /// A sample with some of its bytes changed, taken out, doubled, or replaced by part of another.
    fn spoilt(&mut self, samples: &[Vec<u8>], alphabet: &[u8]) -> Vec<u8> {
        let mut input = samples[self.below(samples.len())].clone();
        for _ in 0..self.below(6) {
            let at = self.below(input.len());
            let byte = match self.below(3) {
                0 => self.below(256) as u8,
                _ => alphabet[self.below(alphabet.len())],
            };
            match self.below(6) {
                0 => input.truncate(at),
                1 => input.insert(at, byte),
                2 if at < input.len() => drop(input.remove(at)),
                3 => {
                    let other = &samples[self.below(samples.len())];
                    let from = self.below(other.len());
                    input.splice(at..at, other[from..].iter().copied());
                }
                4 => {
                    let again = input[at..].to_vec();
                    input.extend(again);
                }
                _ if at < input.len() => input[at] = byte,
                _ => input.push(byte),
            }
        }
        input
    }
}

fn spoil(samples: &[Vec<u8>], alphabet: &[u8], count: usize, run: fn(&[u8])) {
    let mut dice = Dice(1);
    for sample in samples {
        run(sample);
    }
    for _ in 0..count {
        run(&dice.spoilt(samples, alphabet));
    }
}

fn all(samples: &[&str]) -> Vec<Vec<u8>> {
    samples
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect()
}

#[test]
fn globs_of_any_bytes_are_matched() {
    let long = format!("{}b\n{}", "*a".repeat(40), "a".repeat(200));
    let samples = all(&[
        "a*b?c\naxxbyc",
        "[a-z]*\nabc",
        "[^\\]a]\nb",
        "\\*\n*",
        "h[ae]llo\nhello",
        &long,
    ]);
    spoil(&samples, b"*?[]^-\\a\n", 20_000, glob::run);
}

#[test]
fn payloads_of_any_bytes_are_read_or_refused() {
    spoil(
        &spoilt::samples(),
        b"\x00\x01\x7f\x80\x81\xc0\xc3\xf0\xfe\xff",
        20_000,
        payload::run,
    );
}

#[test]
fn json_and_its_paths_of_any_bytes_are_read_or_refused() {
    let deep = format!("$..a\n{}1{}", "[".repeat(200), "]".repeat(200));
    let deeper = format!("$\n{}", "{\"a\":".repeat(20_000));
    let nested = format!("$[?{}@.a{}]\n{{}}", "(".repeat(500), ")".repeat(500));
    let samples = all(&[
        "$.a[0].b\n{\"a\":[{\"b\":1.5e3}],\"c\":null}",
        "$..*\n{\"a\":{\"b\":[1,2,{\"c\":[true,false]}]}}",
        "$[?(@.p>1 && @.q==\"x\")].n\n[{\"p\":2,\"q\":\"x\",\"n\":\"\\u00e9\\ud83d\\ude00\"}]",
        "$['a','b'][1:-1:2]\n{\"a\":[1,2,3,4],\"b\":[-0,1e308]}",
        ".a.b[0]\n{\"a\":{\"b\":[\"\\n\\t\\\\\"]}}",
        "$..a..b..c\n{\"a\":{\"b\":{\"c\":{\"a\":{\"b\":{\"c\":1}}}}}}",
        &deep,
        &deeper,
        &nested,
    ]);
    spoil(&samples, b"$.[]*?@(){}:,\"'\\0-1e\n", 15_000, json::run);
}

#[test]
fn lua_patterns_of_any_bytes_end() {
    let slow = format!("{}b\n{}", "a-".repeat(30), "a".repeat(60));
    let samples = all(&[
        "(%a+)=(%d*)\nkey=12",
        "%b()\n(a(b)c)",
        "[^%s]-%f[%w]\n a b",
        "()%1\naa",
        &slow,
    ]);
    spoil(&samples, b"%()[]^$*+-?.abf1\n", 400, lua_pattern::run);
}

#[test]
fn commands_of_any_bytes_are_answered() {
    let words = ["k", "1", "0", "-1", "a", "k2", "2", "x"];
    let mut samples = Vec::new();
    for row in command::all().flat_map(|row| std::iter::once(row).chain(row.subcommands)) {
        let name = row.name.replace(' ', "\t");
        let given = name.split('\t').count();
        let count =
            usize::from(row.arity.unsigned_abs()).saturating_sub(given) + row.name.len() % 4;
        let args: Vec<&str> = words.iter().cycle().take(count).copied().collect();
        samples.push([&[&name[..]], &args[..]].concat().join("\t").into_bytes());
    }
    samples.extend(all(&[
        "SET\tk\t1\nINCR\tk\nSETRANGE\tk\t1048575\txx\nBITFIELD\tk\tSET\tu8\t#99999999\t1",
        "RPUSH\tk\ta\tb\nLINSERT\tk\tBEFORE\ta\tx\nLPOS\tk\ta\tRANK\t-9223372036854775808",
        "ZADD\tk\t1\ta\tinf\tb\nZRANGE\tk\t(1\t+inf\tBYSCORE\tLIMIT\t0\t-1\nZRANDMEMBER\tk\t-5",
        "XADD\tk\t1-1\tf\tv\nXGROUP\tCREATE\tk\tg\t0\nXREADGROUP\tGROUP\tg\tc\tSTREAMS\tk\t>\nXAUTOCLAIM\tk\tg\tc\t0\t-",
        "HSET\tk\tf\tv\nHEXPIRE\tk\t10\tFIELDS\t1\tf\nHSCAN\tk\t0\tMATCH\t*\tCOUNT\t1",
        "GEOADD\tk\t1\t2\ta\nGEOSEARCH\tk\tFROMMEMBER\ta\tBYBOX\t1\t1\tkm\tASC",
        "PFADD\tk\ta\nPFMERGE\tk2\tk\nSETRANGE\tk\t10\tx\nPFCOUNT\tk",
        "JSON.SET\tk\t$\t{\"a\":[1]}\nJSON.ARRAPPEND\tk\t$.a\t2\nJSON.GET\tk\t$..*",
        "EVAL\treturn redis.call('GET', KEYS[1])\t1\tk\nEVAL\treturn cjson.decode(ARGV[1])\t0\t[1]",
        "MULTI\nSET\tk\tv\nGET\tk\nEXEC",
    ]));
    spoil(&samples, b"\t\n019-kax*$", 1_500, arguments::run);
}
