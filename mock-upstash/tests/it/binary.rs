//! The program itself: what it prints, how it ends.

use std::io::{BufRead, BufReader, Read as _, Write as _};
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
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    let line = text(&output.stdout);
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    assert!(line.contains(" t redis://default:t@127.0.0.1:"), "{line}");
    let behind = run(&["run", "--token", "t", "--", "sh", "-c", script]);
    assert_eq!(behind.status.code(), Some(7), "{}", text(&behind.stderr));
    assert!(text(&behind.stdout).contains(" t redis://default:t@"));
    let killed = run(&["run", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(killed.status.code(), Some(128 + 9));
    let missing = run(&["run", "--", "/no/such/program"]);
    assert_eq!(missing.status.code(), Some(127));
    assert!(text(&missing.stderr).contains("cannot run '/no/such/program'"));
    let no_program = run(&["run", "--", "/"]);
    assert_eq!(no_program.status.code(), Some(126));
}

#[test]
fn a_command_cannot_reach_a_real_database_by_the_names_of_vercels_store() {
    let script = "echo $KV_REST_API_URL $KV_REST_API_TOKEN $KV_REST_API_READ_ONLY_TOKEN $KV_URL";
    let output = program(&["--token", "t", "--read-only-token", "r", "run", "--"])
        .args(["sh", "-c", script])
        .env("KV_REST_API_URL", "https://real.example")
        .output()
        .expect("it runs");
    let line = text(&output.stdout);
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    assert!(line.contains(" t r redis://default:t@127.0.0.1:"), "{line}");
}

#[test]
fn signals_are_passed_on_to_the_command() {
    for signal in ["INT", "TERM"] {
        let script = format!("trap 'exit 40' {signal}; echo ready; while :; do sleep 0.01; done");
        let mut child = program(&["run", "--", "sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("text");
        assert_eq!(line, "ready\n");
        send(signal, child.id());
        assert_eq!(child.wait().expect("it ends").code(), Some(40), "{signal}");
    }
}

fn send(signal: &str, id: u32) {
    let sent = Command::new("kill")
        .args(["-s", signal, &id.to_string()])
        .status();
    assert!(sent.expect("kill is there").success());
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
        send(signal, child.id());
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{signal}");
    }
}

#[test]
fn a_shell_reads_back_any_token() {
    let token = r#"a$b'c"d e`f\g"#;
    let mut child = program(&["--listen", "0.0.0.0:0", "--token", token])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let lines: Vec<_> = out.lines().take(3).map_while(Result::ok).collect();
    send("TERM", child.id());
    child.wait().expect("it ends");
    let script = format!(
        "{}\nprintf %s \"$UPSTASH_REDIS_REST_TOKEN\"",
        lines.join("\n")
    );
    let shell = Command::new("sh").args(["-c", &script]).output();
    assert_eq!(text(&shell.expect("sh is there").stdout), token, "{script}");
    // All interfaces are no address to connect to.
    let url = &lines[0];
    assert!(url.contains("=http://127.0.0.1:"), "{url}");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("port 0 for a free one"), "{told}");
    assert_eq!(told.matches("in use").count(), 1, "{told}");
    for (arguments, wrong) in [
        (&["--token", ""][..], "the token is empty"),
        (&["--token", "t\n"], "the token begins or ends"),
        (&["--read-only-token", ""], "the read-only token is empty"),
        (&["--token", "t", "--read-only-token", "t"], "is the token"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let told = text(&output.stderr);
        assert!(told.contains(wrong), "{told}");
    }
    for (arguments, told) in [
        (&["--listen", "8079"][..], "write HOST:PORT"),
        (&["--quirk", "nope=on"], "no quirk is called 'nope'"),
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
    let mut child = program(&["--listen", "127.0.0.1:0", "--token", "t", "--faults"])
        .arg(&faults)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("text");
    let address = line.trim().rsplit('/').next().expect("an address");
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    let request = "GET /ping?_token=t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.ends_with(r#"{"error":"ERR told"}"#), "{answer}");
    send("TERM", child.id());
    child.wait().expect("it ends");
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
