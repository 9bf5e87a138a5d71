//! What a document says, read back.

use std::time::Duration;

use scenarios::expectation::Expectation;
use scenarios::requirement::{Requirement, Version};
use scenarios::step::Piece;
use scenarios::{Action, Document, key_position};

use crate::{only_step, transcript, with_bindings};

const LOCKS: &str = "\
# Mutual exclusion

What every lock does.

## A lock has one holder until it expires
Every Redis lock is `SET` with `NX`.

```redis
a> SET {lock} alice NX PX 200
OK
b> SET {lock} bob NX PX 200
(nil)
wait 250ms
b> SET {lock} bob NX PX 200
OK
```

More prose.

```redis
needs connection
a> PING
PONG
```

## Nobody else's lock

```lua
return 1
```

```redis
> GET {lock}
```
";

#[test]
fn headings_prose_and_transcripts_belong_together() {
    let document = Document::parse("scenarios/locks/mutual-exclusion.md", LOCKS).expect("parses");
    assert_eq!(document.area, "locks");
    assert_eq!(document.title, "Mutual exclusion");
    assert_eq!(document.prose, "What every lock does.");
    let [first, second] = document.scenarios.as_slice() else {
        panic!("two scenarios")
    };
    assert_eq!(
        first.id,
        "locks/mutual-exclusion/a-lock-has-one-holder-until-it-expires"
    );
    assert_eq!(
        first.prose,
        "Every Redis lock is `SET` with `NX`.\n\nMore prose."
    );
    assert_eq!(first.clients(), ["a", "b"]);
    assert_eq!(first.steps.len(), 5);
    assert_eq!(first.steps[1].location.line, 11);
    assert_eq!(first.steps[1].source, "b> SET {lock} bob NX PX 200");
    assert_eq!(
        first.steps[2].action,
        Action::Wait(Duration::from_millis(250))
    );
    assert_eq!(first.steps[4].requirements, [Requirement::NeedsConnection]);
    assert_eq!(second.id, "locks/mutual-exclusion/nobody-elses-lock");
    assert_eq!(second.prose, "```lua\nreturn 1\n```");
    assert_eq!(second.steps[0].expect, None);
    assert_eq!(second.key_names().into_iter().collect::<Vec<_>>(), ["lock"]);
}

#[test]
fn windows_line_ends_change_nothing() {
    let unix = Document::parse("locks/a.md", LOCKS).expect("parses");
    let windows = Document::parse("locks/a.md", &LOCKS.replace('\n', "\r\n")).expect("parses");
    assert_eq!(unix.scenarios[0].steps, windows.scenarios[0].steps);
}

#[test]
fn a_document_outside_of_folders_is_the_users() {
    let document = Document::parse("./my-app.md", LOCKS).expect("parses");
    assert!(document.scenarios[1].id.starts_with("user/my-app/"));
}

#[test]
fn words_are_split_as_redis_cli_does() {
    let step = only_step(
        r#"> SET {k}" a\t" 'it''s' "\x00\xff\"" $.a <5 ab>"#
            .replace("''", r"\'")
            .as_str(),
    );
    let Action::Command(command) = &step.action else {
        panic!("a command")
    };
    let rendered = with_bindings(|bindings| command.render(bindings)).expect("no captures");
    let expected: Vec<Vec<u8>> = vec![
        b"SET".to_vec(),
        b"t:k a\t".to_vec(),
        b"it's".to_vec(),
        b"\x00\xff\"".to_vec(),
        b"$.a".to_vec(),
        b"ababa".to_vec(),
    ];
    assert_eq!(rendered, expected);
}

#[test]
fn quotes_are_plain_text_over_several_lines() {
    let step = only_step("> EVAL '\n  return {KEYS[1], \"$x\", {k}}\n' 1 {k}:tail\n1) {k}:tail");
    let Action::Command(command) = &step.action else {
        panic!("a command")
    };
    let rendered = with_bindings(|bindings| command.render(bindings)).expect("no captures");
    assert_eq!(rendered[1], b"\n  return {KEYS[1], \"$x\", {k}}\n");
    assert_eq!(key_position::keys(&rendered), [b"t:k:tail"]);
    assert!(step.source.ends_with("' 1 {k}:tail"));
    assert_eq!(step.source.lines().count(), 3);
}

#[test]
fn an_empty_quote_is_an_argument() {
    let Action::Command(command) = only_step("> SET {k} \"\"").action else {
        panic!("a command")
    };
    assert_eq!(command.arguments.len(), 3);
    assert_eq!(command.arguments[2].literal(), Some(Vec::new()));
}

#[test]
fn a_captured_reply_goes_into_later_arguments() {
    let scenario =
        transcript("> XADD {s} * f v\n(string) => $id\n> XRANGE {s} ($id +\n(empty array)");
    let Action::Command(command) = &scenario.steps[1].action else {
        panic!("a command")
    };
    assert_eq!(
        command.arguments[2].pieces,
        [Piece::Bytes(b"(".to_vec()), Piece::Capture("id".into())]
    );
    let rendered = with_bindings(|bindings| command.render(bindings)).expect("captured");
    assert_eq!(rendered[2], b"(1-1");
}

#[test]
fn blocks_hold_commands_with_or_without_a_prompt() {
    let scenario = transcript(
        "a> multi\n  SET {k} 1\na> INCR {k}\n  # counted\nexec\n1) OK\n2) (integer) 2\n\
         pipeline\nGET {k}\nend\n1) \"2\"",
    );
    let Action::Transaction(commands) = &scenario.steps[0].action else {
        panic!("a transaction")
    };
    assert_eq!(commands.len(), 2);
    assert_eq!(scenario.steps[0].client, "a");
    assert!(
        matches!(&scenario.steps[0].expect, Some(Expectation::Array(replies)) if replies.len() == 2)
    );
    let Action::Pipeline(commands) = &scenario.steps[1].action else {
        panic!("a pipeline")
    };
    assert_eq!(commands[0].name(), "GET");
}

#[test]
fn blocking_commands_are_started_and_awaited() {
    let scenario = transcript(
        "needs blocking\na>& BLPOP {q} 5\nb> LPUSH {q} x\n(integer) 1\na> await\n1) {q}\n2) \"x\"",
    );
    assert!(matches!(scenario.steps[0].action, Action::Start(_)));
    assert!(matches!(scenario.steps[2].action, Action::Await));
    assert_eq!(scenario.requirements, [Requirement::NeedsBlocking]);
}

#[test]
fn subscriptions_are_opened_read_and_closed() {
    let scenario = transcript(
        "s> PSUBSCRIBE {news}*\np> PUBLISH {news}:1 hi\n(any)\ns> message within 2s\n1) (any)\n2) {news}:1\n3) \"hi\"\n\
         s> no message 50ms\ns> unsubscribe",
    );
    assert!(
        matches!(&scenario.steps[0].action, Action::Subscribe { pattern: true, channels } if channels.len() == 1)
    );
    assert_eq!(
        scenario.steps[2].action,
        Action::Message {
            within: Duration::from_secs(2)
        }
    );
    assert_eq!(
        scenario.steps[3].action,
        Action::NoMessage {
            within: Duration::from_millis(50)
        }
    );
    assert_eq!(scenario.steps[4].action, Action::Unsubscribe);
}

#[test]
fn a_walk_over_keys_stays_under_its_own() {
    let step =
        only_step("> every SCAN 0 MATCH {user}:* COUNT 10\n(unordered)\n1) {user}:1\n2) {user}:2");
    assert!(matches!(step.action, Action::Every(_)));
    assert!(matches!(step.expect, Some(Expectation::Unordered(_))));
}

#[test]
fn requirements_are_of_the_scenario_or_of_a_step() {
    let scenario = transcript(
        "since redis 7.4\nneeds command json.set\n> PING\nonly tcp\nbefore redis 8\n> PING",
    );
    let version = |major, minor| Version { major, minor };
    let since = Requirement::Since(version(7, 4));
    assert_eq!(
        scenario.requirements,
        [since, Requirement::NeedsCommand(vec!["JSON.SET".into()])]
    );
    let own = [Requirement::OnlyTcp, Requirement::Before(version(8, 0))];
    assert_eq!(scenario.steps[1].requirements, own);
    assert!(scenario.steps[0].requirements.is_empty());
}

#[test]
fn arrays_nest_as_redis_cli_prints_them() {
    let lines =
        "> XRANGE {s} - +\n 1) 1) \"1-1\"\n    2) 1) \"f\"\n       2) \"v\"\n 2) (nil)\n 3) 3";
    assert!(crate::parse(lines).is_err(), "a bare number has no type");
    let lines = lines.replace(
        "3) 3",
        "3) 1# \"a\" => 1) (true)\n       2) (false)\n    2# \"b\" => (empty array)\n",
    );
    let Some(Expectation::Array(elements)) = only_step(&lines).expect else {
        panic!("an array")
    };
    assert_eq!(elements.len(), 3);
    let Expectation::Array(entry) = &elements[0] else {
        panic!("an entry")
    };
    assert!(matches!(&entry[1], Expectation::Array(fields) if fields.len() == 2));
    let Expectation::Map(pairs) = &elements[2] else {
        panic!("a map")
    };
    assert!(matches!(&pairs[0].1, Expectation::Array(inner) if inner.len() == 2));
}

#[test]
fn hand_written_arrays_need_no_padding() {
    let elements: Vec<String> = (1..=11).map(|n| format!("{n}) \"{n}\"")).collect();
    let lines = format!("> LRANGE {{l}} 0 -1\n{}", elements.join("\n"));
    assert!(matches!(only_step(&lines).expect, Some(Expectation::Array(e)) if e.len() == 11));
}

#[test]
fn unordered_stands_before_an_inner_array_too() {
    for inner in [
        "2) (unordered)\n   1) \"a\"\n   2) \"b\"",
        "2) (unordered) 1) \"a\"\n   2) \"b\"",
    ] {
        let step = only_step(&format!("> SSCAN {{s}} 0\n1) \"0\"\n{inner}"));
        let Some(Expectation::Array(parts)) = step.expect else {
            panic!("an array")
        };
        assert!(matches!(&parts[1], Expectation::Unordered(members) if members.len() == 2));
    }
}

#[test]
fn a_requirement_is_shown_as_it_is_written() {
    for line in [
        "only rest",
        "only tcp",
        "needs blocking",
        "needs connection",
        "needs command XINFO STREAM",
        "since redis 7.4",
        "before redis 8.0",
    ] {
        let scenario = transcript(&format!("{line}\n> PING"));
        assert_eq!(scenario.requirements[0].to_string(), line);
    }
}

#[test]
fn versions_are_compared_as_numbers() {
    let version = |text| Version::parse(text).expect("a version");
    assert!(version("7.10") > version("7.4.2"));
    assert_eq!(version(" 8 "), version("8.0.5"));
    assert_eq!(Version::parse("eight"), None);
    assert_eq!(Version::parse(""), None);
}
