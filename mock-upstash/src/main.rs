//! The mock-upstash command: a server, or a server for the time of one command.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use mock_upstash::{Builder, Dialect, MockUpstash, dialect};

/// A local Upstash: the REST API and the Redis protocol over an embedded engine.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
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
        value_name = "ADDR"
    )]
    listen: SocketAddr,
    /// Where the Redis protocol is spoken; without it, a free port of the loopback interface
    #[arg(long, env = "MOCK_UPSTASH_REDIS_LISTEN", value_name = "ADDR")]
    redis_listen: Option<SocketAddr>,
    /// The token, which is also the Redis password; without it, a random one
    #[arg(long, env = "MOCK_UPSTASH_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The token that may only read; without it, a random one
    #[arg(long, env = "MOCK_UPSTASH_READ_ONLY_TOKEN", hide_env_values = true)]
    read_only_token: Option<String>,
    /// Whose behaviour to show
    #[arg(long, env = "MOCK_UPSTASH_DIALECT", value_enum, default_value_t = DialectName::Upstash)]
    dialect: DialectName,
    /// Switches one way in which Upstash departs from Redis, as `script-rollback=off`; repeatable
    #[arg(long, value_name = "ID=on|off", value_parser = quirk)]
    quirk: Vec<(dialect::Quirk, bool)>,
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
}

fn quirk(text: &str) -> Result<(dialect::Quirk, bool), String> {
    let (id, state) = text.split_once('=').ok_or("write ID=on or ID=off")?;
    let row = dialect::find(id)
        .ok_or_else(|| format!("no quirk is called '{id}'; `mock-upstash quirks` lists them"))?;
    match state {
        "on" => Ok((row.quirk, true)),
        "off" => Ok((row.quirk, false)),
        _ => Err(format!("'{state}' is neither on nor off")),
    }
}

impl Server {
    fn builder(&self) -> Builder {
        let dialect = match self.dialect {
            DialectName::Upstash => Dialect::UPSTASH,
            DialectName::Redis => Dialect::REDIS,
        };
        let mut builder = MockUpstash::builder().listen(self.listen).dialect(dialect);
        for (quirk, on) in &self.quirk {
            builder = builder.quirk(*quirk, *on);
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
        builder
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Some(Command::Quirks) => {
            print_quirks();
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Run { command }) => {
            let free = SocketAddr::from(([127, 0, 0, 1], 0));
            let mock = arguments.server.builder().listen(free).start().await?;
            run_command(&mock, &command).await
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

async fn serve(server: &Server) -> anyhow::Result<ExitCode> {
    if !server.listen.ip().is_loopback() && server.token.is_none() {
        eprintln!(
            "warning: {} can be reached from other machines; choose a token of your own with --token",
            server.listen
        );
    }
    let mock = server.builder().start().await?;
    for (name, value) in variables(&mock) {
        println!("{name}={value}");
    }
    stop_signal().await?;
    mock.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn stop_signal() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .context("cannot listen for SIGTERM")?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot listen for Ctrl-C")?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c()
        .await
        .context("cannot listen for Ctrl-C")?;
    Ok(())
}

async fn run_command(mock: &MockUpstash, command: &[String]) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command
        .split_first()
        .context("no command given after `--`")?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .envs(variables(mock))
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run '{program}'"))?;
    let status = tokio::select! {
        status = child.wait() => status.with_context(|| format!("lost sight of '{program}'"))?,
        // The child got the signal too; it decides when to end.
        stopped = stop_signal() => {
            stopped?;
            child.wait().await.with_context(|| format!("lost sight of '{program}'"))?
        }
    };
    // A child that a signal ended has no code; shells say 128 and more, so does this.
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(128);
    Ok(ExitCode::from(code))
}

fn print_quirks() {
    for row in dialect::QUIRKS {
        let state = if Dialect::UPSTASH.has(row.quirk) {
            "on"
        } else {
            "off"
        };
        println!("{} ({state} by default, {:?})", row.id, row.confidence);
        println!("  Redis:   {}", row.redis);
        println!("  Upstash: {}", row.upstash);
        println!("  Source:  {}", row.source);
    }
}
