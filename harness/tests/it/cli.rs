//! The command line from outside: bad input gets one clear message, its exit code, and no panic.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::server::RedisServer;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs swapcheck without credentials in its environment, in a folder of its own.
fn swapcheck(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder");
    swapcheck_in(folder.path(), arguments)
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapcheck"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    for name in [
        "UPSTASH_REDIS_REST_URL",
        "UPSTASH_REDIS_REST_TOKEN",
        "UPSTASH_REDIS_URL",
        "KV_REST_API_URL",
        "KV_REST_API_TOKEN",
        "SWAPCHECK_REDIS_IMAGE",
        "NO_COLOR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(name);
    }
    command
}

fn swapcheck_in(folder: &Path, arguments: &[&str]) -> Ran {
    let output = command(folder, arguments).output().expect("swapcheck runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let ran = Ran {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

/// A mistake: exit code, and a message that holds all of these.
fn fails(arguments: &[&str], code: i32, parts: &[&str]) {
    let ran = swapcheck(arguments);
    assert_eq!(
        ran.code,
        Some(code),
        "{arguments:?}: {}{}",
        ran.out,
        ran.err
    );
    for part in parts {
        assert!(
            ran.err.contains(part),
            "{arguments:?} does not say '{part}': {}",
            ran.err
        );
    }
}

#[test]
fn an_unknown_area_names_the_areas() {
    fails(
        &["run", "--area", "lock"],
        2,
        &["no area 'lock'", "cache, locks, patterns, queue, sessions"],
    );
}

#[test]
fn an_image_that_was_named_and_cannot_be_had_ends_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (arguments, name) in [
        (&["--redis-image", "no/such:image"][..], None),
        (&[], Some("no/such:image")),
    ] {
        let mut command = command(folder.path(), arguments);
        command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        if let Some(name) = name {
            command.env("SWAPCHECK_REDIS_IMAGE", name);
        }
        let output = command.output().expect("swapcheck runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("no/such:image cannot be used"), "{said}");
    }
}

#[test]
fn mistakes_in_the_environment_are_found_before_a_server_is_started() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = command(folder.path(), &["--redis-image", "no/such:image"]);
    command
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .env("UPSTASH_REDIS_REST_URL", "https://example.invalid");
    let output = command.output().expect("swapcheck runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("UPSTASH_REDIS_REST_TOKEN is not"), "{said}");
}

#[test]
fn a_word_that_is_neither_subcommand_nor_document_is_told_so() {
    fails(&["bnech"], 2, &["'bnech'", "swapcheck --help"]);
}

#[test]
fn a_filter_that_leaves_nothing_says_where_ids_are() {
    fails(
        &["--filter", "nothing/*"],
        2,
        &["no scenario is left", "swapcheck list"],
    );
    fails(
        &["--filter", "[oops"],
        2,
        &["filter '[oops'", "write a glob"],
    );
}

#[test]
fn a_document_that_is_not_there_is_named() {
    fails(
        &["missing.md"],
        2,
        &["'missing.md' cannot be read", "check the path"],
    );
}

#[test]
fn mistakes_of_a_document_are_shown_all_with_their_places() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let document = "## One\nProse.\n\n```redis\n> GET user:1\n> SET {k} v\n(integer\n```\n";
    std::fs::write(folder.path().join("mine.md"), document).expect("the document is written");
    let ran = swapcheck_in(folder.path(), &["run", "mine.md", "--target", "mock"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("mine.md:5:") && ran.err.contains("mine.md:7:"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains('^'), "{}", ran.err);
}

#[test]
fn a_document_without_a_scenario_says_how_to_write_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("empty.md"), "# Only a title\n").expect("it is written");
    let ran = swapcheck_in(folder.path(), &["run", "empty.md"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("empty.md"), "{}", ran.err);
}

#[test]
fn a_bad_target_is_a_mistake_and_an_unreachable_one_is_not() {
    fails(&["--target", "reddis"], 2, &["did you mean 'redis'"]);
    fails(&["--target", "redis://"], 2, &["names no host"]);
    fails(&["--target", "ftp://example.com"], 2, &["scheme 'ftp'"]);
    fails(
        &["--target", "redis://127.0.0.1:1", "--area", "locks"],
        3,
        &["127.0.0.1:1"],
    );
    fails(
        &["--target", "mock", "--target", "mock"],
        2,
        &["two targets have the name 'mock'"],
    );
}

#[test]
fn a_required_target_that_is_absent_fails_at_once() {
    let needed = [
        "--target",
        "mock",
        "--target",
        "upstash",
        "--require",
        "upstash",
        "--area",
        "locks",
    ];
    fails(
        &needed,
        3,
        &["required target 'upstash'", "UPSTASH_REDIS_REST_URL"],
    );
    fails(
        &["--target", "mock", "--require", "redis"],
        2,
        &["--require names 'redis'", "--target redis"],
    );
}

#[test]
fn a_report_needs_a_known_format_and_a_file() {
    fails(
        &["--report", "pdf=x"],
        2,
        &["'pdf' is no format", "json, junit, markdown or html"],
    );
    fails(&["--report", "json"], 2, &["json=report.json"]);
}

#[test]
fn a_baseline_that_is_not_there_says_how_to_write_one() {
    fails(
        &["--baseline", "missing.toml"],
        2,
        &["missing.toml", "--write-baseline"],
    );
}

#[test]
fn flags_that_do_not_exist_are_refused() {
    fails(&["--tarqet", "mock"], 2, &["--target"]);
    fails(&["--jobs", "0"], 2, &["--jobs"]);
}

#[test]
fn explain_wants_one_scenario() {
    fails(
        &["explain", "no-such-scenario"],
        2,
        &["no scenario 'no-such-scenario'", "swapcheck list"],
    );
    fails(
        &["explain", "locks/"],
        2,
        &["is a part of", "locks/mutual-exclusion/"],
    );
    let ran = swapcheck(&[
        "explain",
        "locks/mutual-exclusion/a-lock-has-one-holder-until-it-expires",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("a> SET {lock}"), "{}", ran.out);
}

#[test]
fn list_and_differences_print_what_there_is() {
    let ran = swapcheck(&["list", "--area", "locks"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.starts_with("locks ("), "{}", ran.out);
    let ran = swapcheck(&["differences", "--markdown"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.out.contains("script-rollback"), "{}", ran.out);
    fails(
        &["differences", "no-such-id"],
        2,
        &["no documented difference"],
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut child = command(folder.path(), &["list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("swapcheck runs");
    drop(child.stdout.take());
    let mut err = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut err)
        .expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(err, "");
}

#[test]
fn the_mock_alone_is_judged_by_the_documents_and_leaves_all_reports() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let document = "## A value is read back\nCaches rely on it.\n\n```redis\n> SET {k} v\nOK\n> GET {k}\n\"v\"\n```\n";
    std::fs::write(folder.path().join("mine.md"), document).expect("the document is written");
    let ran = swapcheck_in(folder.path(), &["mine.md", "--target", "mock"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("ready: all 1 scenarios match on mock"),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains("--target redis://HOST:PORT"),
        "{}",
        ran.out
    );
    for file in ["report.json", "junit.xml", "report.md", "report.html"] {
        assert!(
            folder.path().join("target/swapcheck").join(file).is_file(),
            "{file} is missing"
        );
    }
}

#[test]
fn the_page_links_what_differs_to_the_catalogue() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let filter = "cache/key/a-key-cannot-be-copied-onto-itself";
    let arguments = ["--target", "mock", "--filter", filter, "--no-workloads"];
    let ran = swapcheck_in(folder.path(), &arguments);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let page = folder.path().join("target/swapcheck/report.html");
    let page = std::fs::read_to_string(page).expect("a page");
    assert!(page.contains("href=\"#difference-copy-onto-itself\""));
    for link in page.split("href=\"#").skip(1) {
        let anchor = link.split('"').next().unwrap_or_default();
        assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
    // What did not show is there to read about, too.
    assert!(page.contains("id=\"difference-script-rollback\""));
    let ran = swapcheck(&["differences", "copy-onto-itself"]);
    assert!(
        ran.out.contains("--quirk copy-onto-itself=off"),
        "{}",
        ran.out
    );
}

#[test]
fn a_difference_exits_with_1_until_a_baseline_accepts_it_and_again_when_it_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wrong = "## A value is read back\nCaches rely on it.\n\n```redis\n> SET {k} v\nOK\n> GET {k}\n\"w\"\n```\n";
    let file = folder.path().join("mine.md");
    std::fs::write(&file, wrong).expect("the document is written");
    let run = |arguments: &[&str]| {
        swapcheck_in(
            folder.path(),
            &[&["mine.md", "--target", "mock"], arguments].concat(),
        )
    };
    let first = run(&[]);
    assert_eq!(first.code, Some(1), "{}{}", first.out, first.err);
    assert!(first.out.contains("not ready"), "{}", first.out);
    let writing = run(&["--write-baseline", "accepted.toml"]);
    assert_eq!(writing.code, Some(0), "{}{}", writing.out, writing.err);
    let accepted = run(&["--baseline", "accepted.toml"]);
    assert_eq!(accepted.code, Some(0), "{}{}", accepted.out, accepted.err);
    std::fs::write(&file, wrong.replace("\"w\"", "\"v\"")).expect("the document is written");
    let gone = run(&["--baseline", "accepted.toml"]);
    assert_eq!(gone.code, Some(1), "{}{}", gone.out, gone.err);
    assert!(gone.out.contains("gone"), "{}", gone.out);
}

#[test]
fn recording_fills_in_the_replies_of_a_target() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("mine.md");
    let text = "## Mine\nProse stays.\n\n```redis\n> RPUSH {jobs} a b\n> LRANGE {jobs} 0 -1\n> LMPOP 1 {jobs} LEFT\n> GET {none}\n(nil)\n> TYPE {jobs}\n```\n\nEnd.\n";
    std::fs::write(&file, text).expect("the document is written");
    let ran = swapcheck_in(folder.path(), &["record", "mine.md", "--target", "mock"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let recorded = std::fs::read_to_string(&file).expect("the document is there");
    let wanted = "## Mine\nProse stays.\n\n```redis\n> RPUSH {jobs} a b\n(integer) 2\n> LRANGE {jobs} 0 -1\n1) \"a\"\n2) \"b\"\n> LMPOP 1 {jobs} LEFT\n1) {jobs}\n2) 1) \"a\"\n> GET {none}\n(nil)\n> TYPE {jobs}\n\"list\"\n```\n\nEnd.\n";
    assert_eq!(recorded, wanted);
    let ran = swapcheck_in(folder.path(), &["mine.md", "--target", "mock"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
}

#[test]
fn recording_keeps_what_the_document_says_until_told_to_replace_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("mine.md");
    let text = "## Mine\nProse stays.\n\n```redis\n> SET {k} v EX 100\nOK\n> TTL {k}\n> GET {k}\n\"w\"\n> STRLEN {k}\n(integer) 1..9\n```\n";
    std::fs::write(&file, text).expect("the document is written");
    let record = |flags: &[&str]| {
        let arguments = [&["record", "mine.md", "--target", "mock"], flags].concat();
        let ran = swapcheck_in(folder.path(), &arguments);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        let document = std::fs::read_to_string(&file).expect("the document is there");
        (ran.out, document)
    };
    let filled = text.replace("TTL {k}\n", "TTL {k}\n(integer) 95..100\n");
    let (said, document) = record(&[]);
    assert_eq!(document, filled);
    assert!(said.contains("1 reply of mock recorded"), "{said}");
    assert!(
        said.contains("1 of its replies") && said.contains("--replace"),
        "{said}"
    );
    let (said, document) = record(&["--replace"]);
    assert_eq!(document, filled.replace("\"w\"", "\"v\""));
    assert!(said.contains("1 reply of mock recorded"), "{said}");
}

/// How many keys a server holds.
fn keys(server: &RedisServer) -> i64 {
    let client = redis::Client::open(server.url()).expect("a URL");
    let mut connection = client.get_connection().expect("the server answers");
    redis::cmd("DBSIZE")
        .query(&mut connection)
        .expect("DBSIZE answers")
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleans_up_and_reports() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let document = "## A long wait\nSlow jobs rely on it.\n\n```redis\n> SET {k} v\nOK\nwait 60s\n> GET {k}\n\"v\"\n```\n";
    std::fs::write(folder.path().join("mine.md"), document).expect("the document is written");
    let mut child = command(folder.path(), &["mine.md", "--target", &server.url()])
        .env("XDG_STATE_HOME", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("swapcheck runs");
    let begun = std::time::Instant::now();
    while keys(&server) == 0 {
        assert!(begun.elapsed().as_secs() < 20, "the scenario did not begin");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let signalled = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(signalled.is_ok_and(|status| status.success()));
    let mut out = String::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut out)
        .expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{out}");
    assert!(
        out.contains("interrupted") && out.contains("not evaluable"),
        "{out}"
    );
    assert_eq!(keys(&server), 0, "keys were left behind");
}

#[test]
fn a_spent_budget_is_said_and_fails_only_a_required_target() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = format!("mine={}", server.url());
    let run = |more: &[&str]| {
        let arguments = [
            "--area",
            "sessions",
            "--max-commands",
            "20",
            "--target",
            &target,
        ];
        swapcheck_in(folder.path(), &[&arguments, more].concat())
    };
    let ran = run(&[]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("Not evaluable") && ran.out.contains("--max-commands"),
        "{}",
        ran.out
    );
    assert_eq!(run(&["--require", "mine"]).code, Some(1));
    assert_eq!(keys(&server), 0, "keys were left behind");
}

#[test]
fn a_self_check_of_the_suite_finds_no_difference() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let url = server.url();
    let target = format!("mine={url}");
    let arguments = ["--self-check", "--target", &target, "--reference", "mine"];
    let ran = swapcheck(&arguments);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("answered alike"), "{}", ran.out);
}
