//! `swapcheck bench`: measures latency and throughput of targets against each other.

mod arguments;
mod progress;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;

pub(super) use self::arguments::BenchArgs;
use self::arguments::{ArrivalArg, BenchCommand, Connections, HttpArg, MergeArgs};
use self::progress::{advance, progress_bar};

use super::session::{gather, runtime, shutdown, stop_on_signal};
use super::{Failure, output};
use crate::bench::load::Arrival;
use crate::bench::operation::{Case, cases};
use crate::bench::price::RATES;
use crate::bench::regression::{Metric, Rule, changes};
use crate::bench::{
    Distance, Format, HttpVersion, Outcome, Plan, Settings, Wanted, measure, merge, terminal,
};
use crate::exit::Exit;
use crate::run::Events;
use crate::target::{Environment, Notify, Options, Target, TargetKind, TargetSpec};

/// How many billable commands are sent to a server that is not ours, unless told otherwise.
const GUEST_BUDGET: u64 = 100_000;

/// How many operations an open loop has to start for anything to be said of them.
const FEWEST: f64 = 10.0;

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
