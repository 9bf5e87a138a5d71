//! The mock-upstash command: a server, or a server for the time of one command.

mod child;
mod listing;

use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use mock_upstash::{
    Assumption, Builder, Dialect, Fault, LimitSetting, MockUpstash, Plan, assumption, dialect,
};

/// A local Upstash: the REST API and the Redis protocol over an embedded engine.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Args)]
struct Server {
    /// Where the REST API listens; port 0 takes a free one
    #[arg(
        long,
        env = "MOCK_UPSTASH_LISTEN",
        default_value = "127.0.0.1:8079",
        value_name = "ADDR",
        value_parser = address
    )]
    listen: SocketAddr,
    /// Where the Redis protocol is spoken; without it, a free port of the loopback interface
    #[arg(
        long,
        env = "MOCK_UPSTASH_REDIS_LISTEN",
        value_name = "ADDR",
        value_parser = address
    )]
    redis_listen: Option<SocketAddr>,
    /// The token, which is also the Redis password; without it, a random one
    #[arg(long, env = "MOCK_UPSTASH_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The token that may only read; without it, a random one
    #[arg(long, env = "MOCK_UPSTASH_READ_ONLY_TOKEN", hide_env_values = true)]
    read_only_token: Option<String>,
    /// Speaks TLS on both addresses, with a certificate made at the start; --tls-ca-file writes what
    /// clients need to trust it
    #[arg(long, env = "MOCK_UPSTASH_TLS")]
    tls: bool,
    /// Where to write the certificate that clients are to trust; implies --tls
    #[arg(long, env = "MOCK_UPSTASH_TLS_CA_FILE", value_name = "PATH")]
    tls_ca_file: Option<PathBuf>,
    /// A Redis, Valkey or cluster to carry out the commands, as
    /// `redis://[user:password@]host[:port][/db]`
    #[arg(
        long,
        env = "MOCK_UPSTASH_UPSTREAM",
        hide_env_values = true,
        value_name = "URL"
    )]
    upstream: Option<String>,
    /// Faults from the start, in TOML: a `[[fault]]` for each
    #[arg(long, env = "MOCK_UPSTASH_FAULTS", value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Whether /_mock/ is served; without it, only on addresses that no other machine can reach
    #[arg(long, env = "MOCK_UPSTASH_CONTROL", value_name = "on|off", value_parser = on_or_off)]
    control: Option<bool>,
    /// How many requests /_mock/requests remembers
    #[arg(
        long,
        env = "MOCK_UPSTASH_JOURNAL",
        default_value_t = 1024,
        value_name = "COUNT"
    )]
    journal: usize,
    /// Most connections of each kind; without it, as many as the plan allows
    #[arg(long, env = "MOCK_UPSTASH_MAX_CONNECTIONS", value_name = "COUNT")]
    max_connections: Option<usize>,
    /// The plan whose limits hold: free, payg, fixed-250mb, fixed-1gb, fixed-5gb, fixed-10gb,
    /// fixed-50gb, fixed-100gb, fixed-500gb or unlimited; without it those of payg, except that nobody
    /// is slowed down
    #[arg(long, env = "MOCK_UPSTASH_PLAN", value_name = "PLAN")]
    plan: Option<Plan>,
    /// Sets one limit in the plan's place, as `max-request-size=1MB` or `max-storage=none`;
    /// repeatable
    #[arg(
        long,
        env = "MOCK_UPSTASH_LIMIT",
        value_name = "LIMIT=VALUE",
        value_delimiter = ','
    )]
    limit: Vec<LimitSetting>,
    /// Lets keys make room when storage is full, those that expire first, as with eviction switched on
    /// in Upstash's console; without it writes are refused then
    #[arg(long, env = "MOCK_UPSTASH_EVICTION")]
    eviction: bool,
    /// How long a connection over TCP may be idle before it is closed, as 1h; without it, as long as it
    /// likes
    #[arg(
        long,
        env = "MOCK_UPSTASH_IDLE_TIMEOUT",
        value_name = "DURATION",
        value_parser = duration
    )]
    idle_timeout: Option<Duration>,
    /// How long the header of a request may take, and an idle connection is kept
    #[arg(
        long,
        env = "MOCK_UPSTASH_HEADER_TIMEOUT",
        value_name = "DURATION",
        value_parser = duration,
        default_value = "60s"
    )]
    header_timeout: Duration,
    /// How long the body of a request may take
    #[arg(
        long,
        env = "MOCK_UPSTASH_BODY_TIMEOUT",
        value_name = "DURATION",
        value_parser = duration,
        default_value = "60s"
    )]
    body_timeout: Duration,
    /// Read regions of the database: each write is billed once more for each
    #[arg(
        long,
        env = "MOCK_UPSTASH_READ_REGIONS",
        default_value_t = 0,
        value_name = "COUNT"
    )]
    read_regions: u64,
    /// Where randomness comes from: the same seed and requests give the same replies
    #[arg(long, env = "MOCK_UPSTASH_SEED", default_value_t = 0)]
    seed: u64,
    /// How long changes take to the replica that serves reads, as 50ms or 2s; 0 for none
    #[arg(
        long,
        env = "MOCK_UPSTASH_REPLICA_LAG",
        default_value = "0",
        value_name = "DURATION",
        value_parser = duration
    )]
    replica_lag: Duration,
    /// Whose behaviour to show
    #[arg(long, env = "MOCK_UPSTASH_DIALECT", value_enum, default_value_t = DialectName::Upstash)]
    dialect: DialectName,
    /// Switches one way in which Upstash departs from Redis, as `script-rollback=off`; repeatable
    #[arg(
        long,
        env = "MOCK_UPSTASH_QUIRK",
        value_name = "ID=on|off",
        value_parser = quirk,
        value_delimiter = ','
    )]
    quirk: Vec<(dialect::Quirk, bool)>,
    /// Fills a gap in what is known of Upstash the other way, as `forbidden-status=on`; repeatable
    #[arg(
        long,
        env = "MOCK_UPSTASH_ASSUME",
        value_name = "ID=on|off",
        value_parser = assume,
        value_delimiter = ','
    )]
    assume: Vec<(Assumption, bool)>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DialectName {
    /// Differs from Redis where Upstash does
    Upstash,
    /// Stock Redis
    Redis,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the mock on free ports, runs a command with its variables set, and ends with the
    /// command's exit code
    Run {
        /// The command and its arguments, after `--`
        #[arg(required = true, last = true)]
        command: Vec<String>,
    },
    /// Lists the ways in which Upstash departs from Redis, each with its switch
    Quirks,
    /// Lists the gaps in what is known of Upstash, each with its switch
    Assumptions,
    /// Lists the plans and what each allows
    Plans,
}

fn quirk(text: &str) -> Result<(dialect::Quirk, bool), String> {
    let (id, on) = switch(text)?;
    let row = dialect::find(id)
        .ok_or_else(|| format!("no quirk is called '{id}'; `mock-upstash quirks` lists them"))?;
    Ok((row.quirk, on))
}

fn assume(text: &str) -> Result<(Assumption, bool), String> {
    let (id, on) = switch(text)?;
    let row = assumption::find(id).ok_or_else(|| {
        format!("no assumption is called '{id}'; `mock-upstash assumptions` lists them")
    })?;
    Ok((row.assumption, on))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; write HOST:PORT, as 127.0.0.1:8079"))?;
    found.next().ok_or_else(|| "it has no address".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let number: u32 = number
        .parse()
        .map_err(|_| "write a whole number and a unit, as 50ms or 2s".to_owned())?;
    let unit = match unit {
        "us" => Duration::from_micros(1),
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        "h" => Duration::from_secs(3600),
        "" if number == 0 => Duration::ZERO,
        _ => return Err("its unit is one of us, ms, s, m, h, as in 50ms".to_owned()),
    };
    Ok(unit * number)
}

fn switch(text: &str) -> Result<(&str, bool), String> {
    let (id, state) = text.split_once('=').ok_or("write ID=on or ID=off")?;
    Ok((id, on_or_off(state)?))
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(format!("'{text}' is neither on nor off")),
    }
}

/// What a file of faults holds.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    fault: Vec<Fault>,
}

impl Server {
    fn builder(&self) -> Builder {
        let dialect = match self.dialect {
            DialectName::Upstash => Dialect::UPSTASH,
            DialectName::Redis => Dialect::REDIS,
        };
        let mut builder = MockUpstash::builder()
            .listen(self.listen)
            .dialect(dialect)
            .tls(self.tls || self.tls_ca_file.is_some())
            .journal(self.journal)
            .seed(self.seed)
            .replica_lag(self.replica_lag)
            .read_regions(self.read_regions)
            .eviction(self.eviction)
            .idle_timeout(self.idle_timeout)
            .header_timeout(self.header_timeout)
            .body_timeout(self.body_timeout);
        if let Some(count) = self.max_connections {
            builder = builder.max_connections(count);
        }
        if let Some(plan) = self.plan {
            builder = builder.plan(plan);
        }
        for setting in &self.limit {
            builder = builder.limit(setting.limit, setting.value);
        }
        for (quirk, on) in &self.quirk {
            builder = builder.quirk(*quirk, *on);
        }
        for (assumption, on) in &self.assume {
            builder = builder.assume(*assumption, *on);
        }
        if let Some(address) = self.redis_listen {
            builder = builder.redis_listen(Some(address));
        }
        if let Some(token) = &self.token {
            builder = builder.token(token);
        }
        if let Some(token) = &self.read_only_token {
            builder = builder.read_only_token(token);
        }
        if let Some(url) = &self.upstream {
            builder = builder.upstream(url);
        }
        if let Some(on) = self.control {
            builder = builder.control(on);
        }
        builder
    }

    /// Starts the mock, with its faults, and writes the certificate where it is wanted.
    async fn start(&self, builder: Builder) -> anyhow::Result<MockUpstash> {
        let faults = match &self.faults {
            None => Vec::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read faults from {}", path.display()))?;
                let file: FaultFile = toml::from_str(&text)
                    .with_context(|| format!("{} is no file of faults", path.display()))?;
                file.fault
            }
        };
        let mock = builder.start().await?;
        faults.into_iter().for_each(|fault| mock.inject(fault));
        if let (Some(path), Some(pem)) = (&self.tls_ca_file, mock.tls_ca_pem()) {
            std::fs::write(path, pem)
                .with_context(|| format!("cannot write the certificate to {}", path.display()))?;
        }
        Ok(mock)
    }

    /// Warns when others can reach an address, and the token is none of the user's own.
    fn warn(&self, listen: SocketAddr) {
        let reachable = [Some(listen), self.redis_listen];
        let reachable = reachable.iter().flatten().find(|at| !at.ip().is_loopback());
        if let Some(address) = reachable
            && self.token.is_none()
        {
            eprintln!(
                "warning: {address} can be reached from other machines; choose a token of your own with --token"
            );
        }
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    // What is set of the server may stand before `run` or behind it.
    let matches = Arguments::command()
        .mut_args(|argument| argument.global(true))
        .get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let ended = runtime()
        .context("cannot start threads")
        .and_then(|runtime| runtime.block_on(run(arguments)));
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Threads for REST on half of the processors: whoever asks runs on the same machine, and commands run one
/// at a time anyway. The variable `TOKIO_WORKER_THREADS` names another number.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        builder.worker_threads((processors / 2).max(1));
    }
    builder.enable_all().build()
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Some(Command::Quirks) => Ok(print(&listing::quirks())),
        Some(Command::Assumptions) => Ok(print(&listing::assumptions())),
        Some(Command::Plans) => Ok(print(&listing::plans())),
        Some(Command::Run { command }) => {
            let free = SocketAddr::from(([127, 0, 0, 1], 0));
            let builder = arguments.server.builder().listen(free);
            arguments.server.warn(free);
            let mock = arguments.server.start(builder).await?;
            let all = variables(&mock).into_iter().chain(legacy_variables(&mock));
            let code = child::run(&command, all).await?;
            mock.stop().await;
            Ok(code)
        }
        None => serve(&arguments.server).await,
    }
}

/// The variables that clients read, with their values.
fn variables(mock: &MockUpstash) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("UPSTASH_REDIS_REST_URL", mock.url()),
        ("UPSTASH_REDIS_REST_TOKEN", mock.token().to_owned()),
    ];
    if let Some(url) = mock.redis_url() {
        all.push(("REDIS_URL", url));
    }
    all
}

/// The names of Vercel's former key-value store, by which `@vercel/kv` and others still find a database.
/// They are set for a command so that it does not reach a real one.
fn legacy_variables(mock: &MockUpstash) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("KV_REST_API_URL", mock.url()),
        ("KV_REST_API_TOKEN", mock.token().to_owned()),
        (
            "KV_REST_API_READ_ONLY_TOKEN",
            mock.read_only_token().to_owned(),
        ),
    ];
    all.extend(mock.redis_url().map(|url| ("KV_URL", url)));
    all
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,[]".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

async fn serve(server: &Server) -> anyhow::Result<ExitCode> {
    server.warn(server.listen);
    // From here on a signal stops it gracefully, however early it comes.
    let stop = child::stop_signal()?;
    let mock = server.start(server.builder()).await?;
    let mut out = std::io::stdout().lock();
    for (name, value) in variables(&mock) {
        // Whoever closed standard output has no need of the lines.
        writeln!(out, "{name}={}", quoted(&value)).ok();
    }
    out.flush().ok();
    drop(out);
    stop.await;
    mock.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Prints a listing; a reader that goes away (`| head`) ends it, quietly.
fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .ok();
    ExitCode::SUCCESS
}
