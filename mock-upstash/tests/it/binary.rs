//! The program itself: what it prints, how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mock-upstash"));
    command.args(arguments);
    for name in ["TOKEN", "LISTEN", "REDIS_LISTEN", "TLS", "UPSTREAM"] {
        command.env_remove(format!("MOCK_UPSTASH_{name}"));
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().expect("it runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_command_gets_the_variables_and_its_exit_code_is_kept() {
    let script = "echo $UPSTASH_REDIS_REST_URL $UPSTASH_REDIS_REST_TOKEN $REDIS_URL; exit 7";
    let output = run(&["--token", "t", "run", "--", "sh", "-c", script]);
    assert_eq!(
        output.status.code(),
        None.or(Some(7)),
        "{}",
        text(&output.stderr)
    );
    let line = text(&output.stdout);
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    assert!(line.contains(" t redis://default:t@127.0.0.1:"), "{line}");
    let killed = run(&["run", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(killed.status.code(), Some(128 + 9));
    let missing = run(&["run", "--", "/no/such/program"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("cannot run '/no/such/program'"));
}

#[test]
fn it_prints_what_a_shell_can_take_and_stops_when_told() {
    for signal in ["TERM", "INT"] {
        let mut child = program(&["--listen", "127.0.0.1:0", "--token", "secret"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let lines: Vec<String> = out
            .lines()
            .take(3)
            .map(|line| line.expect("text"))
            .collect();
        assert!(
            lines[0].starts_with("UPSTASH_REDIS_REST_URL=http://127.0.0.1:"),
            "{lines:?}"
        );
        assert_eq!(lines[1], "UPSTASH_REDIS_REST_TOKEN=secret");
        assert!(
            lines[2].starts_with("REDIS_URL=redis://default:secret@127.0.0.1:"),
            "{lines:?}"
        );
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.expect("kill is there").success());
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{signal}");
    }
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("port 0 for a free one"),
        "{}",
        text(&output.stderr)
    );
    for (arguments, told) in [
        (&["--quirk", "nope=on"][..], "no quirk is called 'nope'"),
        (&["--assume", "nope=on"], "no assumption is called 'nope'"),
        (
            &["--assume", "forbidden-status=maybe"],
            "neither on nor off",
        ),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(told),
            "{}",
            text(&output.stderr)
        );
    }
    let upstream = run(&["--listen", "127.0.0.1:0", "--upstream", "http://u:secret@h"]);
    assert_eq!(upstream.status.code(), Some(1));
    assert!(!text(&upstream.stderr).contains("secret"));
}

#[test]
fn faults_and_a_certificate_are_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = folder.path().join("faults.toml");
    std::fs::write(&faults, "[[fault]]\neffect = { error = \"ERR told\" }\n").expect("written");
    let certificate = folder.path().join("ca.pem");
    let script = format!("head -n 1 {}", certificate.display());
    let output = program(&["--tls-ca-file"])
        .arg(&certificate)
        .arg("--faults")
        .arg(&faults)
        .args(["run", "--", "sh", "-c", &script])
        .output()
        .expect("it runs");
    assert_eq!(
        text(&output.stdout),
        "-----BEGIN CERTIFICATE-----\n",
        "{}",
        text(&output.stderr)
    );
    std::fs::write(&faults, "[[fault]]\neffect = \"explode\"\n").expect("written");
    let output = program(&["--listen", "127.0.0.1:0", "--faults"])
        .arg(&faults)
        .output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("faults.toml is no file of faults"));
}

#[test]
fn quirks_and_assumptions_are_listed() {
    for (subcommand, id) in [
        ("quirks", "script-rollback"),
        ("assumptions", "forbidden-status"),
    ] {
        let output = run(&[subcommand]);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains(id));
    }
}

#[test]
fn listings_are_printed_and_a_reader_may_go_away() {
    for (name, part) in [
        ("quirks", "script-rollback  (on)"),
        ("assumptions", "wire-sizes"),
        ("plans", "fixed-500gb       500 GB"),
    ] {
        let output = run(&[name]);
        assert_eq!(output.status.code(), Some(0));
        let printed = text(&output.stdout);
        assert!(printed.contains(part), "{name}: {printed}");
        let mut child = program(&[name])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{name}");
        assert_eq!(text(&output.stderr), "", "{name}");
    }
}
