//! Holds the mock to what it is meant to reach, as ratios to a bare HTTP server and to a redis-server
//! measured by turns in the same run, and writes a table in Markdown. `ci/bench` calls it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use benches::client::{Framing, http_post, resp};
use benches::process::{Asking, Process, connect, first_answer, free_address, place};
use benches::server::{RedisServer, serve_bare_axum};
use benches::turns::{Contestant, by_turns, ratio};

const TOKEN: &str = "secret";
const ELEMENTS: usize = 1_000_000;

/// A criterion: what it is about, what is wanted, what came out, and whether that is so, in a word.
struct Row(String, String, String, &'static str);

fn word(met: bool) -> &'static str {
    if met { "yes" } else { "**no**" }
}

struct Settings {
    mock: PathBuf,
    quick: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let settings = match words[..] {
        ["--serve-axum", address] => {
            return ExitCode::from(u8::from(serve(address).is_err()));
        }
        [mock] => Settings {
            mock: mock.into(),
            quick: false,
        },
        [mock, "--quick"] => Settings {
            mock: mock.into(),
            quick: true,
        },
        _ => {
            eprintln!("criteria: name the program mock-upstash, and --quick for a try-out");
            return ExitCode::from(2);
        }
    };
    match place() {
        Ok(None) => {}
        Ok(Some(ended)) => return ExitCode::from(u8::from(!ended.success())),
        Err(error) => {
            eprintln!("criteria: {error}");
            return ExitCode::FAILURE;
        }
    }
    match rows(&settings) {
        Ok(rows) => {
            println!("| criterion | wanted | measured | reached |\n| --- | --- | --- | --- |");
            for Row(what, wanted, measured, met) in rows {
                println!("| {what} | {wanted} | {measured} | {met} |");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("criteria: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> io::Result<()> {
    let address = address.parse().map_err(io::Error::other)?;
    tokio::runtime::Runtime::new()?.block_on(serve_bare_axum(address))
}

fn rows(settings: &Settings) -> io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    fronts(settings, &mut rows)?;
    start(settings, &mut rows)?;
    memory(settings, &mut rows)?;
    stalls(settings, &mut rows)?;
    Ok(rows)
}

struct Mock {
    process: Process,
    rest: SocketAddr,
    redis: SocketAddr,
}

fn mock(program: &Path, alone: bool) -> io::Result<Mock> {
    let start = if alone {
        Process::start
    } else {
        Process::start_anywhere
    };
    let (rest, redis) = (free_address()?, free_address()?);
    let words = ["--listen", "--redis-listen", "--token"].map(str::to_owned);
    let [listen, redis_listen, token] = words;
    let arguments = [
        listen,
        rest.to_string(),
        redis_listen,
        redis.to_string(),
        token,
        TOKEN.to_owned(),
    ];
    Ok(Mock {
        process: start(program, &arguments)?,
        rest,
        redis,
    })
}

/// The fronts, each server in a process of its own.
fn fronts(settings: &Settings, rows: &mut Vec<Row>) -> io::Result<()> {
    let redis = RedisServer::start().ok_or_else(|| {
        io::Error::other("there is no redis-server to compare with: name one in REDIS_SERVER")
    })?;
    let axum = free_address()?;
    let program = std::env::current_exe()?;
    let _axum = Process::start(&program, &["--serve-axum".to_owned(), axum.to_string()])?;
    let mock = mock(&settings.mock, true)?;
    for address in [axum, mock.rest, mock.redis] {
        connect(address)?;
    }
    let get = http_post("/", TOKEN, r#"["GET","k"]"#);
    let set = http_post("/", TOKEN, r#"["SET","k","v"]"#);
    let members = vec![r#"["GET","k"]"#; 50].join(",");
    let pipeline = http_post("/pipeline", TOKEN, &format!("[{members}]"));
    let (one, deep) = (resp(&["GET", "k"]), resp(&["GET", "k"]).repeat(16));
    let (rest, http) = ((mock.rest, None), Framing::Http);
    let (ours, theirs) = ((mock.redis, Some(TOKEN)), (redis.address, None));
    // A reply to GET is two lines.
    let (single, sixteen) = (Framing::Lines(2), Framing::Lines(32));
    Asking::connect(mock.redis, Some(TOKEN))?.ask(&["SET", "k", "v"])?;
    Asking::connect(redis.address, None)?.ask(&["SET", "k", "v"])?;
    // One thread asks: several on a machine of few processors would take turns with the servers.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let rounds = if settings.quick { 5 } else { 30 };
    for (connections, over) in [(1, "1 connection"), (32, "32 connections")] {
        let many = (connections, if connections == 1 { 1_000 } else { 6_400 });
        let few = (connections, many.1 / 10);
        let all = runtime.block_on(async {
            let mut all = [
                Contestant::new((axum, None), (get.clone(), http), 1, many).await,
                Contestant::new(rest, (get.clone(), http), 1, many).await,
                Contestant::new(rest, (set.clone(), http), 1, many).await,
                Contestant::new(rest, (pipeline.clone(), http), 50, few).await,
                Contestant::new(theirs, (one.clone(), single), 1, many).await,
                Contestant::new(ours, (one.clone(), single), 1, many).await,
                Contestant::new(theirs, (deep.clone(), sixteen), 16, few).await,
                Contestant::new(ours, (deep.clone(), sixteen), 16, few).await,
            ];
            by_turns(&mut all, rounds).await;
            all
        });
        let [axum, get, set, pipeline, redis, resp, redis_deep, resp_deep] = &all;
        let mut rate = |what: &str, one: &Contestant, other: &Contestant, least: f64| {
            let [middle, low, high] = ratio(one, other);
            rows.push(Row(
                format!("{what}, {over}: commands per second"),
                format!("×{least} or more"),
                format!("×{middle:.2} (quartiles {low:.2} to {high:.2})"),
                // What the rounds do not agree on is left open.
                if low < least && high >= least {
                    "unsure"
                } else {
                    word(middle >= least)
                },
            ));
        };
        rate("REST GET against a bare axum server", get, axum, 0.85);
        rate("REST SET against a bare axum server", set, axum, 0.85);
        if connections == 32 {
            rate("REST GET against GET of redis-server", get, redis, 1.0);
        }
        rate(
            "REST, pipeline of 50 GET against single ones",
            pipeline,
            get,
            10.0,
        );
        rate("RESP GET against redis-server", resp, redis, 1.0);
        rate(
            "RESP GET against redis-server, pipelines of 16",
            resp_deep,
            redis_deep,
            1.0,
        );
        for (name, one) in [("GET", get), ("SET", set)] {
            let (ours, theirs) = (one.p99_us(), axum.p99_us());
            let times = ours as f64 / theirs.max(1) as f64;
            rows.push(Row(
                format!("REST {name} against a bare axum server, {over}: p99"),
                "×1.3 or less".to_owned(),
                format!("×{times:.2} ({ours} µs to {theirs} µs)"),
                word(times <= 1.3),
            ));
        }
    }
    Ok(())
}

/// From the start of the program to its first answer, and what it occupies then.
fn start(settings: &Settings, rows: &mut Vec<Row>) -> io::Result<()> {
    let ping = http_post("/", TOKEN, r#"["PING"]"#);
    let mut times = Vec::new();
    let mut idle = 0;
    for _ in 0..if settings.quick { 5 } else { 30 } {
        let began = Instant::now();
        let mock = mock(&settings.mock, false)?;
        first_answer(&mut connect(mock.rest)?, &ping)?;
        times.push(began.elapsed());
        std::thread::sleep(Duration::from_millis(50));
        idle = idle.max(mock.process.resident_bytes());
    }
    times.sort_unstable();
    let middle = times[times.len() / 2];
    rows.push(Row(
        "mock-upstash, from its start to its first answer".into(),
        "15 ms or less".into(),
        format!(
            "{middle:.1?} (median of {}, at most {:.1?})",
            times.len(),
            times[times.len() - 1]
        ),
        word(middle <= Duration::from_millis(15)),
    ));
    rows.push(Row(
        "mock-upstash, idle: resident memory".into(),
        "less than 10 MB".into(),
        format!("{:.1} MB", idle as f64 / 1e6),
        word(idle < 10_000_000),
    ));
    Ok(())
}

/// What a million small strings take.
fn memory(settings: &Settings, rows: &mut Vec<Row>) -> io::Result<()> {
    let pair = |n: usize| vec![format!("key:{n:07}"), format!("value-{n:07}")];
    let mock = mock(&settings.mock, false)?;
    let mut asking = Asking::connect(mock.redis, Some(TOKEN))?;
    let before = mock.process.resident_bytes();
    asking.fill(&["MSET"], ELEMENTS, pair)?;
    let ours = mock.process.resident_bytes().saturating_sub(before);
    let address = free_address()?;
    let program = std::env::var_os("REDIS_SERVER").map_or("redis-server".into(), PathBuf::from);
    let words = [
        "--port",
        &address.port().to_string(),
        "--save",
        "",
        "--appendonly",
        "no",
    ];
    let redis = Process::start(&program, &words.map(str::to_owned))?;
    let mut asking = Asking::connect(address, None)?;
    let before = redis.resident_bytes();
    asking.fill(&["MSET"], ELEMENTS, pair)?;
    let theirs = redis.resident_bytes().saturating_sub(before).max(1);
    let times = ours as f64 / theirs as f64;
    let each = |bytes: usize| bytes / ELEMENTS;
    rows.push(Row(
        "a million small strings, against redis-server: memory".into(),
        "less than ×2".into(),
        format!(
            "×{times:.2} ({} bytes to {} for each)",
            each(ours),
            each(theirs)
        ),
        word(times < 2.0),
    ));
    Ok(())
}

/// The longest that another client waits while a million elements go.
fn stalls(settings: &Settings, rows: &mut Vec<Row>) -> io::Result<()> {
    type Fill = fn(&mut Asking) -> io::Result<()>;
    let cases: [(&str, Fill, &[&str]); 6] = [
        ("a PING", |_| Ok(()), &["PING"]),
        (
            "FLUSHALL of a million keys",
            |asking| {
                asking.fill(&["MSET"], ELEMENTS, |n| {
                    vec![format!("k:{n}"), n.to_string()]
                })
            },
            &["FLUSHALL"],
        ),
        (
            "DEL of a list of a million",
            |asking| asking.fill(&["RPUSH", "k"], ELEMENTS, |n| vec![format!("element{n}")]),
            &["DEL", "k"],
        ),
        (
            "DEL of a set of a million",
            |asking| asking.fill(&["SADD", "k"], ELEMENTS, |n| vec![format!("member{n}")]),
            &["DEL", "k"],
        ),
        (
            "DEL of a hash of a million",
            |asking| {
                asking.fill(&["HSET", "k"], ELEMENTS, |n| {
                    vec![format!("field{n}"), n.to_string()]
                })
            },
            &["DEL", "k"],
        ),
        (
            "DEL of a sorted set of a million",
            |asking| {
                asking.fill(&["ZADD", "k"], ELEMENTS, |n| {
                    vec![n.to_string(), format!("member{n}")]
                })
            },
            &["DEL", "k"],
        ),
    ];
    let mock = mock(&settings.mock, false)?;
    for (name, fill, command) in cases {
        let mut longest = Duration::MAX;
        // The best run counts: whatever else the machine does only adds.
        for _ in 0..if settings.quick { 1 } else { 3 } {
            let mut asking = Asking::connect(mock.redis, Some(TOKEN))?;
            fill(&mut asking)?;
            let other = Asking::connect(mock.redis, Some(TOKEN))?;
            let until = Instant::now() + Duration::from_millis(400);
            let waiting = std::thread::spawn(move || longest_wait(other, until));
            std::thread::sleep(Duration::from_millis(50));
            asking.ask(command)?;
            let waited = waiting
                .join()
                .map_err(|_| io::Error::other("the other client failed"))??;
            longest = longest.min(waited);
        }
        rows.push(Row(
            format!("another client's longest wait during {name}"),
            "10 ms or less".into(),
            format!("{longest:.1?}"),
            word(longest <= Duration::from_millis(10)),
        ));
    }
    Ok(())
}

fn longest_wait(mut client: Asking, until: Instant) -> io::Result<Duration> {
    let mut longest = Duration::ZERO;
    while Instant::now() < until {
        let sent = Instant::now();
        client.ask(&["SET", "other", "v"])?;
        longest = longest.max(sent.elapsed());
    }
    Ok(longest)
}
