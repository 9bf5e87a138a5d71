//! The flags of `swapcheck bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::bench::Wanted;
use crate::bench::regression::Rule;
use crate::cli::shard::Shard;
use crate::target::TargetSpec;

/// What to measure, where, and how.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct BenchArgs {
    #[command(subcommand)]
    pub(super) command: Option<BenchCommand>,
    /// A target: redis, mock, upstash, upstash-tcp, a URL, or NAME=URL; the first is the reference
    /// [default: redis and mock]
    #[arg(long, value_name = "TARGET")]
    pub(super) target: Vec<TargetSpec>,
    /// Only cases whose id matches this glob, such as 'get/*' or 'locks/*'; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub(super) filter: Vec<String>,
    /// Every operation at every size in every batch, not only the choice that shows each of them
    #[arg(long)]
    pub(super) full: bool,
    /// Value sizes in bytes
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "100,1000,10000,100000", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(super) size: Vec<u64>,
    /// How many operations at once, in pipelines and transactions
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,10,100", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(super) batch: Vec<u64>,
    /// How many clients at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) clients: u16,
    /// Open loop: start this many operations a second, and count latency from the intended start
    #[arg(long, value_name = "PER_SECOND", value_parser = positive)]
    pub(super) rate: Option<f64>,
    /// When operations of an open loop start
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value = "poisson",
        requires = "rate"
    )]
    pub(super) arrival: ArrivalArg,
    /// How long each case is measured on each target: 1500ms, 10s
    #[arg(long, value_name = "TIME", default_value = "1200ms", value_parser = time)]
    pub(super) duration: Duration,
    /// How long each case runs on each target before it is measured
    #[arg(long, value_name = "TIME", default_value = "150ms", value_parser = time)]
    pub(super) warmup: Duration,
    /// In how many rounds targets take turns
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(3..=1000))]
    pub(super) rounds: u16,
    /// After how long no answer counts as a timeout
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    pub(super) timeout: Duration,
    /// Measure as if the targets were this round trip further away; a list measures at each:
    /// 1ms,20ms,80ms. Bandwidth, loss and TCP's slow start are not imitated
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = time)]
    pub(super) rtt: Vec<Duration>,
    /// How much longer a round trip through the relay may take, evenly spread
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time, requires = "rtt")]
    pub(super) jitter: Duration,
    /// Whether clients keep their connections, or make one for each operation
    #[arg(long, value_name = "MODE", value_enum, default_value = "kept")]
    pub(super) connections: Connections,
    /// Clients take turns on this many kept connections [default: each has its own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) pool: Option<u16>,
    /// The version of HTTP that REST is spoken in; clients share a connection of HTTP/2
    #[arg(long, value_name = "VERSION", value_enum, default_value = "1.1")]
    pub(super) http: HttpArg,
    /// Repeat the arrivals of another benchmark
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Stop after this many billable commands on a server that swapcheck did not start
    /// [default: 100000]
    #[arg(long, value_name = "N")]
    pub(super) max_commands: Option<u64>,
    /// The image of the Redis container [default: redis:8]
    #[arg(long, value_name = "IMAGE", env = "SWAPCHECK_REDIS_IMAGE")]
    pub(super) redis_image: Option<String>,
    /// A certificate authority (PEM) to trust besides the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Write all figures and histograms to a file, to be compared with later or merged
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Hold the figures against those of an earlier benchmark
    #[arg(long, value_name = "FILE")]
    pub(super) compare: Option<PathBuf>,
    /// Fail when a figure is surely worse than in --compare: 'p99>+10%', 'throughput<-5%'; may be
    /// given several times
    #[arg(long, value_name = "RULE", requires = "compare")]
    pub(super) fail_on: Vec<Rule>,
    /// Look up which plan of Upstash fits so many operations a second, and what it costs
    /// [default: --rate, else 0.1,1,10,100]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = positive)]
    pub(super) cost_rate: Vec<f64>,
    /// Write a report: json=FILE, markdown=FILE, html=FILE, or hlog=FILE for HdrHistogram's own tools;
    /// may be given several times [default: the first three, in target/swapcheck]
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(super) report: Vec<Wanted>,
    /// Measure only this part of the cases, as in 1/4; `swapcheck bench merge` puts parts together
    #[arg(long, value_name = "PART/PARTS")]
    pub(super) shard: Option<Shard>,
}

#[derive(Debug, Subcommand)]
pub(super) enum BenchCommand {
    /// Put benchmarks together that were saved on several machines
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// Files that `swapcheck bench --save` has written
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Write the whole to a file
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Write a report: json=FILE, markdown=FILE, html=FILE, or hlog=FILE for HdrHistogram's own tools;
    /// may be given several times [default: the first three, in target/swapcheck]
    #[arg(long, value_name = "FORMAT=FILE")]
    pub(super) report: Vec<Wanted>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ArrivalArg {
    Constant,
    Poisson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Connections {
    Kept,
    Fresh,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum HttpArg {
    #[value(name = "1.1")]
    One,
    #[value(name = "2")]
    Two,
}

/// `1500ms`, `20ms`, `2s`, `500us`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let scale = match text[digits..].trim() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err("write a number and its unit, as in 250ms or 2s".into()),
    };
    let seconds = text[..digits]
        .parse::<f64>()
        .map_err(|_| "write a number and its unit, as in 250ms or 2s".to_owned())?
        * scale;
    if seconds > 3600.0 {
        return Err("an hour is the most".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn positive(text: &str) -> Result<f64, String> {
    match text.trim_end_matches("/s").parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1e6 => Ok(rate),
        _ => Err("write operations per second, more than 0 and at most 1000000".into()),
    }
}
