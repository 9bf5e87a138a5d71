//! `swapcheck bench`: measures latency and throughput of targets against each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::watch;

use super::session::{gather, runtime, shutdown, stop_on_signal};
use super::shard::Shard;
use super::{Failure, output};
use crate::bench::load::Arrival;
use crate::bench::operation::{Case, cases};
use crate::bench::price::RATES;
use crate::bench::regression::{Metric, Rule, changes};
use crate::bench::{
    Distance, Format, HttpVersion, Outcome, Plan, Progress, Settings, Wanted, measure, merge,
    terminal,
};
use crate::exit::Exit;
use crate::run::Events;
use crate::target::{Environment, Notify, Options, Target, TargetKind, TargetSpec};

/// How many billable commands are sent to a server that is not ours, unless told otherwise.
const GUEST_BUDGET: u64 = 100_000;

/// How many operations an open loop has to start for anything to be said of them.
const FEWEST: f64 = 10.0;

/// What to measure, where, and how.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    /// A target: redis, mock, upstash, upstash-tcp, a URL, or NAME=URL; the first is the reference
    /// [default: redis and mock]
    #[arg(long, value_name = "TARGET")]
    target: Vec<TargetSpec>,
    /// Only cases whose id matches this glob, such as 'get/*' or 'locks/*'; may be given several times
    #[arg(long, value_name = "GLOB")]
    filter: Vec<String>,
    /// Every operation at every size in every batch, not only the choice that shows each of them
    #[arg(long)]
    full: bool,
    /// Value sizes in bytes
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "100,1000,10000,100000", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    size: Vec<u64>,
    /// How many operations at once, in pipelines and transactions
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,10,100", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    batch: Vec<u64>,
    /// How many clients at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    clients: u16,
    /// Open loop: start this many operations a second, and count latency from the intended start
    #[arg(long, value_name = "PER_SECOND", value_parser = positive)]
    rate: Option<f64>,
    /// When operations of an open loop start
    #[arg(
        long,
        value_name = "WHEN",
        value_enum,
        default_value = "poisson",
        requires = "rate"
    )]
    arrival: ArrivalArg,
    /// How long each case is measured on each target: 1500ms, 10s
    #[arg(long, value_name = "TIME", default_value = "1200ms", value_parser = time)]
    duration: Duration,
    /// How long each case runs on each target before it is measured
    #[arg(long, value_name = "TIME", default_value = "150ms", value_parser = time)]
    warmup: Duration,
    /// In how many rounds targets take turns
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(3..=1000))]
    rounds: u16,
    /// After how long no answer counts as a timeout
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time)]
    timeout: Duration,
    /// Measure as if the targets were this round trip further away; a list measures at each:
    /// 1ms,20ms,80ms
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = time)]
    rtt: Vec<Duration>,
    /// How much longer a round trip through the relay may take, evenly spread
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time, requires = "rtt")]
    jitter: Duration,
    /// Whether clients keep their connections, or make one for each operation
    #[arg(long, value_name = "MODE", value_enum, default_value = "kept")]
    connections: Connections,
    /// Clients take turns on this many kept connections [default: each has its own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pool: Option<u16>,
    /// The version of HTTP that REST is spoken in; clients share a connection of HTTP/2
    #[arg(long, value_name = "VERSION", value_enum, default_value = "1.1")]
    http: HttpArg,
    /// Repeat the arrivals of another benchmark
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Stop after this many billable commands on a server that swapcheck did not start
    /// [default: 100000]
    #[arg(long, value_name = "N")]
    max_commands: Option<u64>,
    /// The image of the Redis container [default: redis:8]
    #[arg(long, value_name = "IMAGE", env = "SWAPCHECK_REDIS_IMAGE")]
    redis_image: Option<String>,
    /// A certificate authority (PEM) to trust besides the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Write all figures and histograms to a file, to be compared with later or merged
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Hold the figures against those of an earlier benchmark
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Fail when a figure is surely worse than in --compare: 'p99>+10%', 'throughput<-5%'; may be
    /// given several times
    #[arg(long, value_name = "RULE", requires = "compare")]
    fail_on: Vec<Rule>,
    /// Look up which plan of Upstash fits so many operations a second, and what it costs
    /// [default: --rate, else 0.1,1,10,100]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = positive)]
    cost_rate: Vec<f64>,
    /// Write a report: json=FILE, markdown=FILE, html=FILE, or hlog=FILE for HdrHistogram's own tools;
    /// may be given several times [default: the first three, in target/swapcheck]
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<Wanted>,
    /// Measure only this part of the cases, as in 1/4; `swapcheck bench merge` puts parts together
    #[arg(long, value_name = "PART/PARTS")]
    shard: Option<Shard>,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Put benchmarks together that were saved on several machines
    Merge(MergeArgs),
}

#[derive(Debug, Args)]
struct MergeArgs {
    /// Files that `swapcheck bench --save` has written
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the whole to a file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write a report: json=FILE, markdown=FILE, html=FILE, or hlog=FILE for HdrHistogram's own tools;
    /// may be given several times [default: the first three, in target/swapcheck]
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<Wanted>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ArrivalArg {
    Constant,
    Poisson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Connections {
    Kept,
    Fresh,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum HttpArg {
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

pub(super) fn bench(args: &BenchArgs) -> Result<Exit, Failure> {
    if let Some(BenchCommand::Merge(args)) = &args.command {
        return merged(args);
    }
    let chosen = choose(args)?;
    let settings = settings(args)?;
    for one in wanted(args.save.as_deref(), &args.report) {
        one.check().map_err(Failure::mistake)?;
    }
    // A file that cannot be read is found before minutes are spent.
    let earlier = args
        .compare
        .as_deref()
        .map(Outcome::read)
        .transpose()
        .map_err(Failure::mistake)?;
    runtime()?.block_on(session(args, chosen, settings, earlier))
}

fn merged(args: &MergeArgs) -> Result<Exit, Failure> {
    let parts = args
        .files
        .iter()
        .map(|file| Outcome::read(file))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Failure::mistake)?;
    let whole = merge(parts).map_err(Failure::mistake)?;
    output::print(&terminal(&whole, output::width()));
    write(&whole, args.save.as_deref(), &args.report)?;
    Ok(Exit::Success)
}

/// Holds the figures against an earlier benchmark's, and says how.
fn compared(earlier: &Outcome, outcome: &Outcome, rules: &[Rule]) -> Result<Exit, Failure> {
    let shown = [Metric::P50, Metric::P99].map(|metric| Rule {
        metric,
        above: true,
        limit: f64::INFINITY,
    });
    let asked = !rules.is_empty();
    let rules = if rules.is_empty() { &shown[..] } else { rules };
    let changes = changes(earlier, outcome, rules).map_err(Failure::mistake)?;
    output::print(&changes.text());
    Ok(if asked && changes.alarm() {
        Exit::Differences
    } else {
        Exit::Success
    })
}

fn choose(args: &BenchArgs) -> Result<Vec<Case>, Failure> {
    let sizes: Vec<usize> = args.size.iter().map(|size| *size as usize).collect();
    let batches: Vec<usize> = args.batch.iter().map(|batch| *batch as usize).collect();
    let mut chosen = cases(&sizes, &batches, args.full);
    let ids: Vec<String> = chosen.iter().map(|case| case.id.clone()).collect();
    let globs = args
        .filter
        .iter()
        .map(|text| {
            globset::Glob::new(text)
                .map(|glob| glob.compile_matcher())
                .map_err(|error| Failure::mistake(format!("--filter '{text}' is no glob: {error}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if !globs.is_empty() {
        chosen.retain(|case| globs.iter().any(|glob| glob.is_match(&case.id)));
    }
    if let Some(shard) = args.shard {
        shard.keep(&mut chosen);
    }
    if chosen.is_empty() {
        let more = if args.full {
            ""
        } else {
            "; --full has every operation at every size in every batch"
        };
        return Err(Failure::mistake(format!(
            "no case is left by --filter and --shard; the cases are {}{more}",
            ids.join(", ")
        )));
    }
    Ok(chosen)
}

fn settings(args: &BenchArgs) -> Result<Settings, Failure> {
    if args.duration.is_zero() {
        return Err(Failure::mistake(
            "--duration 0 measures nothing: write 1500ms, say",
        ));
    }
    if let Some(rate) = args.rate
        && rate * args.duration.as_secs_f64() < FEWEST
    {
        return Err(Failure::mistake(format!(
            "--rate {rate} for {} s starts fewer than {FEWEST} operations, which tell nothing: give a \
             longer --duration",
            args.duration.as_secs_f64()
        )));
    }
    if args.timeout.is_zero() {
        return Err(Failure::mistake(
            "--timeout 0 lets no answer in: write 5s, say",
        ));
    }
    if args.pool.is_some() && args.connections == Connections::Fresh {
        return Err(Failure::mistake(
            "--pool keeps connections and --connections fresh makes one for each operation: leave \
             one of them out",
        ));
    }
    Ok(Settings {
        clients: usize::from(args.clients),
        rate: args.rate,
        arrival: match args.arrival {
            ArrivalArg::Constant => Arrival::Constant,
            ArrivalArg::Poisson => Arrival::Poisson,
        },
        duration_ms: args.duration.as_millis() as u64,
        warmup_ms: args.warmup.as_millis() as u64,
        rounds: usize::from(args.rounds),
        timeout_ms: args.timeout.as_millis() as u64,
        http: match args.http {
            HttpArg::One => HttpVersion::Http1,
            HttpArg::Two => HttpVersion::Http2,
        },
        fresh: args.connections == Connections::Fresh,
        pool: args.pool.map(usize::from),
        jitter_us: args.jitter.as_micros() as u64,
        shard: args.shard.map(|shard| shard.to_string()),
        seed: args.seed,
    })
}

async fn session(
    args: &BenchArgs,
    cases: Vec<Case>,
    settings: Settings,
    earlier: Option<Outcome>,
) -> Result<Exit, Failure> {
    let (events, _receiver) = Events::channel();
    let mut stop = stop_on_signal(events);
    let specs = specs(args)?;
    let options = Options {
        redis_image: args.redis_image.clone(),
        ca_file: args.ca_file.clone(),
        max_commands: args.max_commands.or(Some(GUEST_BUDGET)),
        environment: Environment::process(),
        notify: Notify::new(|line| eprintln!("{line}")),
        ..Options::default()
    };
    let gathered = tokio::select! {
        gathered = gather(&specs, &options) => gathered,
        _ = stop.wait_for(|stop| *stop) => return Ok(Exit::Interrupted),
    };
    let missing = gathered
        .absent
        .into_iter()
        .map(|(spec, reason)| Failure::unreachable(format!("{}: {reason}", spec.name())))
        .chain(gathered.failed.into_iter().map(|(_, error)| error.into()))
        .next();
    if let Some(failure) = missing {
        shutdown(&gathered.targets).await;
        return Err(failure);
    }
    for target in &gathered.targets {
        for note in &target.notes {
            eprintln!("{}: {note}", target.name);
        }
    }
    let targets: Vec<Arc<Target>> = gathered.targets.into_iter().map(Arc::new).collect();
    let plan = Plan {
        targets: targets.clone(),
        cases,
        distances: distances(args),
        settings,
        cost_rates: cost_rates(args),
        main: tokio::runtime::Handle::current(),
    };
    let outcome = generate(plan, stop.clone()).await;
    for left in shutdown(targets.iter().map(Arc::as_ref)).await {
        eprintln!("{left}");
    }
    let outcome = outcome?;
    output::print(&terminal(&outcome, output::width()));
    write(&outcome, args.save.as_deref(), &args.report)?;
    if outcome.interrupted {
        return Ok(Exit::Interrupted);
    }
    if let Some(reason) = unmeasured(&outcome) {
        return Err(Failure::unreachable(reason));
    }
    match &earlier {
        Some(earlier) => compared(earlier, &outcome, &args.fail_on),
        None => Ok(Exit::Success),
    }
}

/// Says which target nothing could be measured on, if there is one.
fn unmeasured(outcome: &Outcome) -> Option<String> {
    outcome.targets.iter().find_map(|target| {
        let mut results = outcome
            .cases
            .iter()
            .flat_map(|case| &case.results)
            .filter(|one| one.target == target.name);
        let first = results.clone().next()?;
        let reason = first.first_error.as_ref().or(first.stopped.as_ref());
        results.all(|one| one.count == 0).then(|| {
            format!(
                "nothing could be measured on {}: {}",
                target.name,
                reason.map_or("no answer came in time", String::as_str)
            )
        })
    })
}

fn specs(args: &BenchArgs) -> Result<Vec<TargetSpec>, Failure> {
    let mut specs = args.target.clone();
    if specs.is_empty() {
        specs.extend(
            [TargetKind::Redis, TargetKind::Mock]
                .into_iter()
                .filter_map(TargetSpec::of),
        );
    }
    for (index, spec) in specs.iter().enumerate() {
        if specs[..index]
            .iter()
            .any(|other| other.name() == spec.name())
        {
            return Err(Failure::mistake(format!(
                "two targets have the name '{0}'; what a target shows against itself is measured \
                 anyway. For two servers write --target other-{0}=URL",
                spec.name()
            )));
        }
    }
    Ok(specs)
}

fn cost_rates(args: &BenchArgs) -> Vec<f64> {
    match (&args.cost_rate[..], args.rate) {
        ([], Some(rate)) => vec![rate],
        ([], None) => RATES.to_vec(),
        (rates, _) => rates.to_vec(),
    }
}

fn distances(args: &BenchArgs) -> Vec<Option<Distance>> {
    if args.rtt.is_empty() {
        return vec![None];
    }
    let mut rtts = args.rtt.clone();
    rtts.sort_unstable();
    rtts.dedup();
    let distance = |rtt| {
        Some(Distance {
            rtt,
            jitter: args.jitter,
        })
    };
    rtts.into_iter().map(distance).collect()
}

/// Runs the measurement on a thread of its own, whose processor it has to itself.
async fn generate(plan: Plan, stop: watch::Receiver<bool>) -> Result<Outcome, Failure> {
    let bar = progress_bar(&plan);
    let failed = |error: String| {
        Failure::unreachable(format!(
            "the generator cannot start: {error}; check the limits on threads and open files"
        ))
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("generator".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let outcome = runtime.map(|runtime| {
                runtime.block_on(measure(&plan, &stop, |progress| advance(&bar, &progress)))
            });
            bar.finish_and_clear();
            // Nobody waits any more only when the process ends.
            let _ = sender.send(outcome);
        })
        .map_err(|error| failed(error.to_string()))?;
    receiver
        .await
        .map_err(|_| failed("it ended without a result".into()))?
        .map_err(|error| failed(error.to_string()))
}

fn progress_bar(plan: &Plan) -> ProgressBar {
    let minutes = plan.estimate().as_secs_f64() / 60.0;
    eprintln!(
        "{} cases, about {minutes:.1} minutes",
        plan.cases.len() * plan.distances.len()
    );
    if !output::wants_progress() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(1);
    // The template is a constant that indicatif accepts.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {eta} left  {msg}") {
        bar.set_style(style);
    }
    bar
}

fn advance(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total);
    bar.set_position(progress.done);
    bar.set_message(progress.what.clone());
}

/// The files to write.
fn wanted(save: Option<&Path>, reports: &[Wanted]) -> Vec<Wanted> {
    let mut wanted = if reports.is_empty() {
        Wanted::default_set()
    } else {
        reports.to_vec()
    };
    wanted.extend(save.map(|path| Wanted {
        format: Format::Json,
        path: path.to_owned(),
    }));
    wanted
}

fn write(outcome: &Outcome, save: Option<&Path>, reports: &[Wanted]) -> Result<(), Failure> {
    let wanted = wanted(save, reports);
    for one in &wanted {
        one.write(outcome).map_err(Failure::mistake)?;
    }
    let paths: Vec<String> = wanted
        .iter()
        .map(|one| one.path.display().to_string())
        .collect();
    output::print(&format!("reports: {}\n", paths.join(", ")));
    Ok(())
}
