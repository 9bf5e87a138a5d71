//! Observed replies written into a document.

use std::collections::BTreeMap;

use scenarios::record::{Run, Unmet, rewrite};
use scenarios::reply::Expressiveness;
use scenarios::{Document, Reply, Scenario};

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

/// Rewrites a document of one scenario with the replies of its steps in several runs. The keys of
/// run 0 are `run0:NAME`, and so on.
fn record(transcript: &str, runs: &[&[Option<Reply>]]) -> String {
    let text = format!("# T\n\n## A\nProse.\n\n```redis\n{transcript}```\n\nMore.\n");
    let document = Document::parse("a/b.md", &text).expect("parses");
    let replies: Vec<BTreeMap<(usize, usize), Reply>> = runs
        .iter()
        .map(|run| {
            let numbered = run.iter().enumerate();
            numbered
                .filter_map(|(step, reply)| Some(((0, step), reply.clone()?)))
                .collect()
        })
        .collect();
    let resolver =
        |run: usize| move |_: &Scenario, name: &str| format!("run{run}:{name}").into_bytes();
    let keys: Vec<_> = (0..runs.len()).map(resolver).collect();
    let runs: Vec<Run<'_>> = keys
        .iter()
        .zip(&replies)
        .map(|(keys, replies)| Run {
            expressiveness: Expressiveness::Resp2,
            keys,
            replies,
        })
        .collect();
    let written = rewrite(&text, &document, &runs, Unmet::Replace);
    let again = Document::parse("a/b.md", &written).expect("what is written can be read");
    assert_eq!(
        rewrite(&written, &again, &runs, Unmet::Replace),
        written,
        "recording twice changes nothing"
    );
    let start = "# T\n\n## A\nProse.\n\n```redis\n";
    let body = written.strip_prefix(start).expect("the text before stays");
    body.strip_suffix("```\n\nMore.\n")
        .expect("the text after stays")
        .to_owned()
}

#[test]
fn replies_are_written_below_commands_that_have_none() {
    let transcript = "# first\n> SET {k} v\n\n> LRANGE {l} 0 -1\nwait 5ms\n> GET {k}\n";
    let array = Reply::Array(vec![
        bulk("a"),
        Reply::Array(vec![Reply::Nil, Reply::Integer(2)]),
    ]);
    let replies = [
        Some(Reply::Status("OK".into())),
        Some(array),
        None,
        Some(bulk("v\n")),
    ];
    let expected = "# first\n> SET {k} v\nOK\n\n> LRANGE {l} 0 -1\n1) \"a\"\n2) 1) (nil)\n   2) (integer) 2\n\
                    wait 5ms\n> GET {k}\n\"v\\n\"\n";
    assert_eq!(record(transcript, &[&replies]), expected);
}

#[test]
fn what_still_holds_stays_and_the_rest_is_replaced() {
    let transcript =
        "> PTTL {k}\n(integer) 1..200\n> MGET {a} {b}\n1) (string)\n2) \"old\"\n> GET {k}\n\"x\"\n";
    let replies = [
        Some(Reply::Integer(17)),
        Some(Reply::Array(vec![bulk("1"), bulk("new")])),
        None,
    ];
    let expected =
        "> PTTL {k}\n(integer) 1..200\n> MGET {a} {b}\n1) (string)\n2) \"new\"\n> GET {k}\n\"x\"\n";
    assert_eq!(record(transcript, &[&replies]), expected);
}

#[test]
fn commands_over_several_lines_and_blocks_keep_their_shape() {
    let transcript = "> EVAL '\n  return 1\n' 0\n> pipeline\n  PING\nend\n1) \"old\"\n";
    let replies = [
        Some(Reply::Integer(1)),
        Some(Reply::Array(vec![Reply::Status("PONG".into())])),
    ];
    let expected = "> EVAL '\n  return 1\n' 0\n(integer) 1\n> pipeline\n  PING\nend\n1) PONG\n";
    assert_eq!(record(transcript, &[&replies]), expected);
}

#[test]
fn keys_are_written_by_their_names() {
    let transcript = "> BLPOP {q} 0\n> GET {k}\n> GET {k}\n> GET {k}\n";
    let replies = [
        Some(Reply::Array(vec![bulk("run0:q"), bulk("run0:k:1 x")])),
        Some(bulk("run0:k:7")),
        Some(bulk("see run0:k")),
        Some(Reply::Error("ERR no run0:k here".into())),
    ];
    let expected = "> BLPOP {q} 0\n1) {q}\n2) {k}\":1 x\"\n> GET {k}\n{k}:7\n> GET {k}\n(like \"see *\")\n\
                    > GET {k}\n(error) ERR no * here\n";
    assert_eq!(record(transcript, &[&replies]), expected);
}

#[test]
fn what_varies_between_runs_is_written_as_a_comparator() {
    let transcript =
        "> INCR {a}\n> XADD {s} * f v\n> SMEMBERS {s}\n> GET {k}\n> GET {k}\n> GET {k}\n";
    let run = |n: i64, id: &str, members: [&str; 2], last: Reply| {
        let members = members.map(bulk).to_vec();
        [
            Some(Reply::Integer(n)),
            Some(bulk(id)),
            Some(Reply::Array(members)),
            Some(bulk(&format!("run{}:k", n - 1))),
            Some(Reply::Error(format!("ERR {n}"))),
            Some(last),
        ]
    };
    let runs = [
        run(1, "1-1", ["a", "b"], Reply::Nil),
        run(2, "2-1", ["b", "a"], Reply::Error("ERR x".into())),
    ];
    let expected = "> INCR {a}\n(integer)\n> XADD {s} * f v\n(string)\n> SMEMBERS {s}\n(unordered)\n1) \"a\"\n2) \"b\"\n\
                    > GET {k}\n{k}\n> GET {k}\n(error) ERR *\n> GET {k}\n";
    assert_eq!(record(transcript, &[&runs[0], &runs[1]]), expected);
}

#[test]
fn captured_replies_stay_captured() {
    let transcript = "> XADD {s} * f v\n(integer) => $id\n> XRANGE {s} $id $id\n";
    let runs = ["1-1", "2-1"].map(|id| {
        let entry = Reply::Array(vec![bulk(id), Reply::Array(vec![bulk("f"), bulk("v")])]);
        [Some(bulk(id)), Some(Reply::Array(vec![entry]))]
    });
    let expected = "> XADD {s} * f v\n(string) => $id\n> XRANGE {s} $id $id\n1) 1) (string)\n   2) 1) \"f\"\n      2) \"v\"\n";
    assert_eq!(record(transcript, &[&runs[0], &runs[1]]), expected);
}

#[test]
fn long_repeated_values_are_written_short() {
    let replies = [Some(bulk(&"xy".repeat(500_000)))];
    assert_eq!(
        record("> GET {k}\n", &[&replies]),
        "> GET {k}\n<1000000 \"xy\">\n"
    );
}

#[test]
fn windows_line_ends_are_kept() {
    let text = "## A\r\n```redis\r\n> GET {k}\r\n> GET {l}\r\n\"b\"\r\n```\r\n";
    let document = Document::parse("a.md", text).expect("parses");
    let replies = BTreeMap::from([((0, 0), bulk("a")), ((0, 1), Reply::Nil)]);
    let run = Run {
        expressiveness: Expressiveness::Resp2,
        keys: &|_, name| name.as_bytes().to_vec(),
        replies: &replies,
    };
    let expected = "## A\r\n```redis\r\n> GET {k}\r\n\"a\"\r\n> GET {l}\r\n(nil)\r\n```\r\n";
    assert_eq!(rewrite(text, &document, &[run], Unmet::Replace), expected);
}

#[test]
fn what_was_not_observed_is_left_as_it_is() {
    let run = Run {
        expressiveness: Expressiveness::Resp2,
        keys: &|_, name| name.as_bytes().to_vec(),
        replies: &BTreeMap::new(),
    };
    for (path, text) in scenarios::suite::SOURCES {
        let document = Document::parse(path, text).expect("sound");
        assert_eq!(rewrite(text, &document, &[run], Unmet::Replace), *text);
    }
}
