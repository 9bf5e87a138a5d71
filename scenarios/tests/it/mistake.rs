//! What is said about mistakes: where, what, and what to do.

use scenarios::Document;

use crate::parse;

/// The first mistake of a transcript: `line:column message`, lines counted within the transcript.
fn first(lines: &str) -> String {
    let errors = parse(lines).expect_err("a mistake");
    let mistake = &errors.mistakes[0];
    assert!(!mistake.help.is_empty());
    let (line, column) = (mistake.location.line - 6, mistake.location.column);
    format!("{line}:{column} {}", mistake.message)
}

#[test]
fn all_mistakes_of_a_file_are_shown_with_a_caret() {
    let text =
        "# Locks\n\n## A lock\n```redis\na> SET lock alice\nOK\n> GET {lock}\n(error) *\n```\n";
    let errors = Document::parse("my/locks.md", text).expect_err("two mistakes");
    let expected = "\
my/locks.md:5:8: this key is written as plain text
  |
5 | a> SET lock alice
  |        ^^^^
  = begin it with a name in braces, outside of quotes: `{lock}`, or `{lock}:more`; the run gives it a prefix that nobody else uses

my/locks.md:8:9: this error has no class
  |
8 | (error) *
  |         ^
  = name its class, then what may follow: `(error) WRONGTYPE *`, `(error) ERR *`; a scenario that takes any error proves nothing

2 mistakes in my/locks.md";
    assert_eq!(errors.to_string(), expected);
}

#[test]
fn keys_are_written_as_keys_wherever_a_command_has_them() {
    for (line, column) in [
        ("> SET lock 1", 7),
        ("> set \"{lock}\" 1", 7),
        ("> MGET {a} b", 12),
        ("> EVAL 'return 1' 2 {a} b c", 25),
        ("> ZUNION 2 {a} b WEIGHTS 1 2", 16),
        ("> ZUNIONSTORE out 1 {a}", 15),
        ("> XREAD COUNT 1 STREAMS {a} b 0 0", 29),
        ("> XREADGROUP GROUP streams c STREAMS a >", 38),
        ("> XGROUP CREATE s g $ MKSTREAM", 17),
        ("> BLPOP {a} b 5", 13),
        ("> SORT {a} BY w_* STORE {b}", 15),
        ("> SCAN 0 MATCH user:*", 16),
        ("> PUBLISH news hi", 11),
        ("> COPY {a} b", 12),
        ("> OBJECT ENCODING k", 19),
        ("> BITOP AND {a} k", 17),
        ("> MSET {a} 1 b 2", 14),
        ("> JSON.MGET {a} b $", 17),
        ("> FT.SEARCH idx *", 13),
    ] {
        let mistake = first(line);
        assert!(
            mistake.starts_with(&format!("1:{column} ")),
            "{line}: {mistake}"
        );
        assert!(
            mistake.ends_with("is written as plain text"),
            "{line}: {mistake}"
        );
    }
}

#[test]
fn arguments_that_are_no_keys_may_be_plain_text() {
    for line in [
        "> SORT {a} BY nosort GET # STORE {b}",
        "> EVAL 'return ARGV[1]' 0 k",
        "> EVAL 'return 1' many {a}",
        "> XADD {s} * field value",
        "> XREAD COUNT 1 STREAMS {a} {b} 0 0",
        "> XGROUP CREATE {s} g $ MKSTREAM",
        "> BLPOP {a} {b} 5",
        "> MSET {a} 1 {b} 2",
        "> SCRIPT LOAD 'return 1'",
        "> GET",
        "> PING hello",
        "> JSON.SET {k} $ '{\"a\":1}'",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", first(line));
    }
}

#[test]
fn a_transcript_is_told_what_is_wrong_with_it() {
    for (lines, expected) in [
        ("OK", "1:1 this is neither a command nor the reply to one"),
        (
            "> GET {k}\n\n\"a\"",
            "3:1 this is neither a command nor the reply to one",
        ),
        ("wait 1s\nOK", "2:1 the step before this has no reply"),
        ("A> GET {k}", "1:1 `A` is no name for a client"),
        (
            "127.0.0.1:6379> GET {k}",
            "1:1 `127.0.0.1:6379` is no name for a client",
        ),
        (">GET {k}", "1:2 a prompt is followed by no space"),
        ("> ", "1:1 there is no command after the prompt"),
        ("> {k} x", "1:3 a command begins with its name"),
        ("> SET {k} \"a", "1:11 this quote is never closed"),
        (
            "> SET {k} 'a'b",
            "1:14 a closing quote is followed by something other than a space",
        ),
        (
            "> SET {k} <12 >",
            "1:11 this is not a length and a text to fill it with",
        ),
        (
            "> GET $id",
            "1:7 this key begins with the captured reply $id",
        ),
        (
            "> SET {k} $id",
            "1:11 no step before this one keeps a reply as $id",
        ),
        (
            "> GET {k}\n$id",
            "2:1 no step before this one keeps a reply as $id",
        ),
        ("> SET {k} \"{k} x\"", "1:11 {k} in quotes is not a key"),
        (
            "> EVAL 'return 1' 1 {k}\n(any) => $n\n> EVAL 'return 1' $n {k}",
            "3:19 EVAL's number of keys is not written out",
        ),
        ("> SCAN 0", "1:3 this SCAN walks over keys of others"),
        ("> every KEYS {k}*", "1:9 KEYS has no cursor to follow"),
        (
            "> MONITOR",
            "1:3 MONITOR answers with a stream that does not end",
        ),
        ("s> message", "1:1 this client has no subscription"),
        (
            "s> SUBSCRIBE news",
            "1:14 this channel is written as plain text",
        ),
        ("a> await", "1:1 this client has started no command"),
        (
            "a>& BLPOP {q} 1",
            "1:1 nothing takes the reply of this command",
        ),
        (
            "a>& BLPOP {q} 1\na> GET {k}",
            "2:1 this client still waits for the reply of its command on line 7",
        ),
        ("> pipeline\nGET {k}", "1:1 `pipeline` is never ended"),
        ("> pipeline\nend", "1:1 this `pipeline` has no command"),
        (
            "> multi\nb> GET {k}\nexec",
            "2:1 `b>` cannot stand in a `multi`",
        ),
        ("end", "1:1 this ends a block that was not begun"),
        ("wait long", "1:1 this is no time to wait"),
        ("wait 61s", "1:1 this is no time to wait"),
        ("only udp", "1:1 this is no requirement"),
        (
            "> PING\nsince redis 7.4",
            "2:1 no step follows `since redis 7.4`",
        ),
        (
            "> multi\nSET {k} 1\nQUEUED\nexec",
            "3:1 `QUEUED` cannot stand in a `multi`",
        ),
        (
            "> pipeline\nGET {k}\n\"v\"\nend",
            "3:1 `\"v\"` cannot stand in a `pipeline`",
        ),
        (
            "a>& SUBSCRIBE {c}",
            "1:5 SUBSCRIBE must be a step of its own",
        ),
        (
            "> pipeline\nSUBSCRIBE {c}\nend",
            "2:1 SUBSCRIBE must be a step of its own",
        ),
        (
            "s> UNSUBSCRIBE {c}",
            "1:4 UNSUBSCRIBE of some channels is not supported in a transcript",
        ),
        (
            "> no reply",
            "1:1 this is none of the things that a client can do",
        ),
    ] {
        assert_eq!(first(lines), expected, "{lines}");
    }
}

#[test]
fn one_mistake_hides_no_other() {
    let lines =
        "> SET {a} \"open\n> GET plain\nOK\n> GET {k} 'x'y\n(error) *\n> GET other\n(integer) x\n";
    let errors = parse(lines).expect_err("mistakes");
    let lines: Vec<usize> = errors
        .mistakes
        .iter()
        .map(|one| one.location.line - 6)
        .collect();
    assert_eq!(lines, [1, 2, 4, 6, 7], "{errors}");
}

#[test]
fn a_reply_is_told_what_is_wrong_with_it() {
    for (reply, expected) in [
        ("3", "2:1 this number has no type"),
        ("(integer) many", "2:11 there is more text after the reply"),
        (
            "(integer) 5..1",
            "2:11 this is no 64-bit integer, nor a range of them",
        ),
        (
            "(integer) 9223372036854775808",
            "2:11 this is no 64-bit integer, nor a range of them",
        ),
        ("(double) x", "2:10 this is no number"),
        ("(nul)", "2:1 these parentheses name no kind of reply"),
        ("(error)", "2:8 this error has no class"),
        ("(error) ER* x", "2:9 this error has no class"),
        ("(like x)", "2:1 (like …) holds no text in quotes"),
        ("(approx) 1", "2:1 this is not a number with a tolerance"),
        ("(unordered)", "2:1 (unordered) stands before no array"),
        ("(status)", "2:9 (status) has no text"),
        ("OK OK", "2:4 there is more text after the reply"),
        ("GET {k}", "2:5 there is more text after the reply"),
        ("\"a\"\n\"b\"", "3:1 this line continues no reply"),
        ("1) \"a\"\n3) \"b\"", "3:1 this is element 3 where 2 is due"),
        ("1) \"a\"\n2~ \"b\"", "3:2 `~` among elements written `)`"),
        ("1) \"a\"\n  2) \"b\"", "3:3 this line continues no reply"),
        ("1)", "2:4 a reply is missing here"),
        ("1# \"a\" \"b\"", "2:8 a map's key is followed by no `=>`"),
        ("\"a\" => name", "2:8 a reply is kept under no name"),
    ] {
        assert_eq!(first(&format!("> PING\n{reply}")), expected, "{reply}");
    }
}

#[test]
fn a_document_is_told_what_is_wrong_with_it() {
    for (text, expected) in [
        ("", "1:1: the document has no scenario"),
        (
            "```redis\n> PING\n```\n## A\n```redis\n> PING\n```\n",
            "1:1: this transcript belongs to no scenario",
        ),
        (
            "## A\n```redis\n> PING\n\n## B\n```redis\n> GET k\n",
            "2:1: this transcript is never closed",
        ),
        (
            "## A\n```redis\n# later\n```\n",
            "1:1: the transcript of this scenario has no step",
        ),
        ("## A\nprose\n", "1:1: the scenario `A` has no transcript"),
        (
            "## A\n- item\n  ```redis\n  > PING\n  ```\n",
            "3:3: this transcript is indented",
        ),
        (
            "## A\n```redis\n> PING\n```\n## a!\n```redis\n> PING\n```\n",
            "5:1: this scenario has the same id",
        ),
        (
            "## ?\n```redis\n> PING\n```\n",
            "1:1: a scenario's heading has no letter",
        ),
    ] {
        let errors = Document::parse("a.md", text)
            .expect_err("a mistake")
            .to_string();
        assert!(errors.contains(expected), "{text}: {errors}");
    }
}

#[test]
fn a_mistake_far_into_a_long_line_is_still_shown() {
    let line = format!("> SET {{k}} {} \"open", "é".repeat(500));
    let errors = parse(&line).expect_err("a mistake").to_string();
    let shown: Vec<&str> = errors.lines().collect();
    assert!(shown[2].chars().count() < 120);
    let caret = shown[3].chars().position(|c| c == '^').expect("a caret");
    assert_eq!(shown[2].chars().nth(caret), Some('"'));
}
