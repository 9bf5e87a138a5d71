//! `swapcheck run`: the main job.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedReceiver;

use super::session::{Gathered, gather, preflight, runtime, shutdown, stop_on_signal};
use super::shard::Shard;
use super::workload::WorkloadArgs;
use super::{Failure, output};
use crate::baseline::Baseline;
use crate::compare::{BUILT_IN, Catalogue};
use crate::exit::Exit;
use crate::report::{self, Reporter, Terminal, Wanted};
use crate::run::{
    Absent, Event, Events, Outcome, Plan, Planned, Role, WorkloadPlan, attribute, execute,
    execute_workloads, summarize,
};
use crate::suite::{Selection, SuiteError, load};
use crate::target::{Environment, Notify, Options, Target, TargetKind, TargetSpec};

/// What to run, where, and what to report.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A target: redis, mock, upstash, upstash-tcp, a redis://, rediss:// or https:// URL, or
    /// NAME=URL; may be given several times [default: redis, mock, and upstash where credentials are
    /// set]
    #[arg(long, value_name = "TARGET")]
    target: Vec<TargetSpec>,
    /// The target whose replies the others are held against [default: the first Redis]
    #[arg(long, value_name = "TARGET")]
    reference: Option<String>,
    /// Only this area; may be given several times
    #[arg(long, value_name = "AREA")]
    area: Vec<String>,
    /// Only scenarios whose id matches this glob, such as 'locks/*'; may be given several times
    #[arg(long, value_name = "GLOB")]
    filter: Vec<String>,
    /// Documents, or folders of documents, of your own in place of the suite
    documents: Vec<PathBuf>,
    /// Fail when this target is not there, or something cannot be evaluated on it
    #[arg(long, value_name = "TARGET")]
    require: Vec<String>,
    /// Run the reference against itself, too: no difference may show
    #[arg(long)]
    self_check: bool,
    /// Stop after this many billable commands on a server that swapcheck did not start
    #[arg(long, value_name = "N")]
    max_commands: Option<u64>,
    /// The image of the Redis container; naming one that cannot be had is a failure
    /// [default: redis:8]
    #[arg(long, value_name = "IMAGE", env = "SWAPCHECK_REDIS_IMAGE")]
    redis_image: Option<String>,
    /// A certificate authority (PEM) to trust besides the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Write a report: json=FILE, junit=FILE, markdown=FILE or html=FILE; may be given several times
    /// [default: all four, in target/swapcheck]
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<Wanted>,
    /// Accept the differences listed in this file; fail for new ones, and for ones that are gone
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write the differences of this run to a file, to be accepted from now on
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Repeat the order in which scenarios ran
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Run only this part of the scenarios and workloads, as in 1/4, for machines that share them
    #[arg(long, value_name = "PART/PARTS")]
    shard: Option<Shard>,
    /// How many scenarios run at a time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    #[command(flatten)]
    workload: WorkloadArgs,
}

pub(super) fn run(args: RunArgs) -> Result<Exit, Failure> {
    // Everything that can be wrong with the user's input is found before a server is started.
    let selection = Selection {
        areas: args.area.clone(),
        filters: args.filter.clone(),
        documents: args.documents.clone(),
    };
    let seed = args.seed.unwrap_or_else(|| u64::from(std::process::id()));
    let mut workloads = args.workload.plan(&selection, seed, reach(&args));
    let mut scenarios = match load(&selection) {
        // A filter may take workloads alone.
        Err(SuiteError::NothingSelected) if workloads.is_some() => Vec::new(),
        loaded => loaded?,
    };
    if let Some(shard) = args.shard {
        shard.keep(&mut scenarios);
        if let Some(plan) = &mut workloads {
            shard.keep(&mut plan.workloads);
        }
        workloads = workloads.filter(|plan| !plan.workloads.is_empty());
        if scenarios.is_empty() && workloads.is_none() {
            return Err(Failure::mistake(format!(
                "nothing is left in part {shard}: use fewer parts, or select more"
            )));
        }
    }
    let selected = Selected {
        scenarios,
        workloads,
        seed,
    };
    let catalogue = Catalogue::parse(BUILT_IN)?;
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    let asked = Asked::of(&args)?;
    preflight(&asked.specs, &asked.options, &args.require)?;
    runtime()?.block_on(session(args, asked, selected, catalogue, baseline))
}

/// By a target's name, the flags that reach it again. Secrets are left out of URLs.
fn reach(args: &RunArgs) -> BTreeMap<String, String> {
    let mut besides = String::new();
    if let Some(file) = &args.ca_file {
        besides.push_str(&format!(
            " --ca-file {}",
            quoted(&file.display().to_string())
        ));
    }
    if let Some(most) = args.max_commands {
        besides.push_str(&format!(" --max-commands {most}"));
    }
    let flags = |spec: &TargetSpec| {
        let mut flags = match spec.url() {
            Some(_) => format!("--target {}", quoted(&format!("{}={spec}", spec.name()))),
            None => format!("--target {spec}"),
        };
        // A name that was made of the URL is no name that could be given.
        if spec.name().contains("://") {
            flags = format!("--target {}", quoted(&spec.to_string()));
        }
        if let Some(image) = args
            .redis_image
            .as_ref()
            .filter(|_| spec.kind() == TargetKind::Redis)
        {
            flags.push_str(&format!(" --redis-image {}", quoted(image)));
        }
        (spec.name().to_owned(), flags + &besides)
    };
    let defaults = [
        TargetKind::Redis,
        TargetKind::Mock,
        TargetKind::Upstash,
        TargetKind::UpstashTcp,
    ];
    match args.target.is_empty() {
        true => defaults
            .into_iter()
            .filter_map(TargetSpec::of)
            .map(|spec| flags(&spec))
            .collect(),
        false => args.target.iter().map(flags).collect(),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// What is run.
struct Selected {
    scenarios: Vec<Planned>,
    workloads: Option<WorkloadPlan>,
    seed: u64,
}

/// The targets that were asked for, in words or by default.
struct Asked {
    specs: Vec<TargetSpec>,
    /// Whether the user named them: then each has to be there.
    explicit: bool,
    reference: Option<String>,
    options: Options,
}

impl Asked {
    fn of(args: &RunArgs) -> Result<Self, Failure> {
        let environment = Environment::process();
        let explicit = !args.target.is_empty();
        let mut specs = args.target.clone();
        if !explicit {
            let mut kinds = vec![TargetKind::Redis, TargetKind::Mock, TargetKind::Upstash];
            if environment.get("UPSTASH_REDIS_URL").is_some() {
                kinds.push(TargetKind::UpstashTcp);
            }
            specs.extend(kinds.into_iter().filter_map(TargetSpec::of));
        }
        let mut reference = args.reference.clone();
        if let Some(name) = &args.reference
            && !specs.iter().any(|spec| spec.name() == name)
        {
            let spec: TargetSpec = name.parse()?;
            reference = Some(spec.name().to_owned());
            // The same URL may stand among the targets under a name.
            match specs
                .iter()
                .find(|other| other.url().is_some() && other.url() == spec.url())
            {
                Some(other) => reference = Some(other.name().to_owned()),
                None => specs.insert(0, spec),
            }
        }
        for (index, spec) in specs.iter().enumerate() {
            if specs[..index]
                .iter()
                .any(|other| other.name() == spec.name())
            {
                return Err(Failure::mistake(format!(
                    "two targets have the name '{0}'; give one of them another: --target other-{0}=URL",
                    spec.name()
                )));
            }
        }
        for name in &args.require {
            if !specs.iter().any(|spec| spec.name() == name) {
                let names: Vec<&str> = specs.iter().map(TargetSpec::name).collect();
                return Err(Failure::mistake(format!(
                    "--require names '{name}', which is not among the targets of this run ({}); add \
                     --target {name}",
                    names.join(", ")
                )));
            }
        }
        let options = Options {
            redis_image: args.redis_image.clone(),
            ca_file: args.ca_file.clone(),
            max_commands: args.max_commands,
            environment,
            notify: Notify::new(|line| eprintln!("{line}")),
            ..Options::default()
        };
        Ok(Asked {
            specs,
            explicit,
            reference,
            options,
        })
    }
}

async fn session(
    args: RunArgs,
    asked: Asked,
    selected: Selected,
    catalogue: Catalogue,
    baseline: Option<Baseline>,
) -> Result<Exit, Failure> {
    let (events, receiver) = Events::channel();
    let reporter = tokio::spawn(report_to_terminal(receiver));
    let stop = stop_on_signal(events.clone());
    let mut stopped = stop.clone();
    let gathered = tokio::select! {
        gathered = gather(&asked.specs, &asked.options) => gathered,
        _ = stopped.wait_for(|stop| *stop) => return Ok(Exit::Interrupted),
    };
    let Selected {
        scenarios,
        workloads,
        seed,
    } = selected;
    let plan = match plan(&args, asked, gathered, scenarios, catalogue, seed) {
        Ok(plan) => Arc::new(plan),
        Err((targets, failure)) => {
            shutdown(&targets).await;
            return Err(failure);
        }
    };
    announce(&plan, &events);
    let (started_at, begun) = (Timestamp::now(), Instant::now());
    let mut executed = execute(&plan, &events, &stop).await;
    attribute(&plan, &mut executed, &stop).await;
    // After the scenarios: they measure latency, and workloads keep a server busy.
    let worked = match &workloads {
        Some(workloads) => Some(execute_workloads(&plan, workloads, &events, &stop).await),
        None => None,
    };
    let interrupted = *stop.borrow();
    let duration = begun.elapsed();
    events.send(Event::CleaningUp);
    for left in shutdown(&plan.targets).await {
        events.send(Event::Note(left));
    }
    let mut outcome = summarize(
        &plan,
        &executed,
        baseline.as_ref(),
        started_at,
        duration,
        interrupted,
    );
    if let Some(worked) = worked {
        outcome.add_workloads(worked, &plan.required, baseline.as_ref());
    }
    let outcome = Arc::new(outcome);
    events.send(Event::Finished(outcome.clone()));
    drop(events);
    // The stop's task keeps a sender for as long as the process lives, so the reporter ends by the
    // last event, not by a closed stream.
    let _ = reporter.await;
    files(&args, &outcome)?;
    Ok(exit_of(&args, &outcome))
}

/// The reports and the baseline.
fn files(args: &RunArgs, outcome: &Outcome) -> Result<(), Failure> {
    let wanted = if args.report.is_empty() {
        Wanted::default_set()
    } else {
        args.report.clone()
    };
    report::write(outcome, &wanted)?;
    let paths: Vec<String> = wanted
        .iter()
        .map(|one| one.path.display().to_string())
        .collect();
    let mut text = format!("reports: {}\n", paths.join(", "));
    if let Some(path) = &args.write_baseline {
        let count = Baseline::write(path, outcome)?;
        text.push_str(&format!(
            "baseline: {count} differences and violations written to {0}; accept them with \
             --baseline {0}\n",
            path.display()
        ));
    }
    output::print(&text);
    Ok(())
}

/// A run that only writes a baseline has done its job when the file is written.
fn exit_of(args: &RunArgs, outcome: &Outcome) -> Exit {
    let exit = Exit::from_code(outcome.exit_code);
    let accepted = args.write_baseline.is_some() && outcome.baseline.is_none();
    if accepted && exit == Exit::Differences {
        Exit::Success
    } else {
        exit
    }
}

/// Makes the plan of the targets that are there, or says why there can be none; then the targets
/// come back, to be shut down.
fn plan(
    args: &RunArgs,
    asked: Asked,
    gathered: Gathered,
    scenarios: Vec<Planned>,
    catalogue: Catalogue,
    seed: u64,
) -> Result<Plan, (Vec<Target>, Failure)> {
    let Gathered {
        targets,
        absent,
        failed,
    } = gathered;
    let required = |spec: &TargetSpec| args.require.iter().any(|name| name == spec.name());
    let mut missing = Vec::new();
    for (spec, error) in failed {
        // A Redis that only the default asked for may be missing; whatever else fails, fails. Who
        // names an image asks for it.
        let asked_for = asked.explicit || args.redis_image.is_some() || required(&spec);
        let optional = spec.kind() == TargetKind::Redis && !asked_for;
        if !optional || error.is_mistake() {
            return Err((targets, error.into()));
        }
        missing.push(Absent {
            name: spec.name().to_owned(),
            reason: error.to_string(),
        });
    }
    for (spec, reason) in absent {
        missing.push(Absent {
            name: spec.name().to_owned(),
            reason,
        });
    }
    if targets.is_empty() {
        let reasons: Vec<String> = missing
            .iter()
            .map(|one| format!("{}: {}", one.name, one.reason))
            .collect();
        let message = format!("no target is there to run on; {}", reasons.join("; "));
        return Err((targets, Failure::unreachable(message)));
    }
    let of = |kind| {
        targets
            .iter()
            .position(|target: &Target| target.kind == kind)
    };
    let reference = match &asked.reference {
        Some(name) => targets.iter().position(|target| target.name == *name),
        // One server alone is what the user asks about, so the documents judge it.
        None if targets.len() == 1 => None,
        None => of(TargetKind::Redis).or_else(|| of(TargetKind::RedisUrl)),
    };
    Ok(Plan {
        scenarios,
        reference,
        absent: missing,
        required: args.require.clone(),
        catalogue,
        self_check: args.self_check,
        jobs: usize::from(args.jobs),
        seed,
        run_id: Plan::new_run_id(),
        credentials: credentials(&asked.options.environment),
        targets,
    })
}

fn credentials(environment: &Environment) -> bool {
    [
        ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
        ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
    ]
    .iter()
    .any(|(url, token)| environment.get(url).is_some() && environment.get(token).is_some())
}

fn announce(plan: &Plan, events: &Events) {
    for (index, target) in plan.targets.iter().enumerate() {
        events.send(Event::TargetReady {
            name: target.name.clone(),
            description: target.description.clone(),
            role: if plan.reference == Some(index) {
                Role::Reference
            } else {
                Role::Subject
            },
        });
    }
    for absent in &plan.absent {
        events.send(Event::TargetAbsent {
            name: absent.name.clone(),
            reason: absent.reason.clone(),
        });
    }
    events.send(Event::Started {
        scenarios: plan.scenarios.len(),
        steps: plan
            .scenarios
            .iter()
            .map(|planned| planned.scenario.steps.len())
            .sum(),
        targets: plan.targets.len(),
    });
}

async fn report_to_terminal(mut events: UnboundedReceiver<Event>) {
    let (color, progress) = (output::wants_color(), output::wants_progress());
    let mut terminal = Terminal::new(std::io::stdout(), color, progress, output::width());
    while let Some(event) = events.recv().await {
        terminal.event(&event);
        if matches!(event, Event::Finished(_)) {
            return;
        }
    }
}
