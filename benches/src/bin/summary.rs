//! Writes what a run of all benchmarks came to as Markdown: `ci/bench` calls it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use benches::summary::{Estimate, estimates, table};

struct Arguments {
    criterion: PathBuf,
    since: SystemTime,
    commit: String,
    load: String,
    criteria: Option<PathBuf>,
    swapcheck: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Arguments, String> {
        let mut words = std::env::args().skip(1);
        let mut arguments = Arguments {
            criterion: PathBuf::from("target/criterion"),
            since: UNIX_EPOCH,
            commit: "unknown".to_owned(),
            load: "unknown".to_owned(),
            criteria: None,
            swapcheck: None,
        };
        while let Some(flag) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--criterion" => arguments.criterion = value.into(),
                "--since" => {
                    let seconds = value
                        .parse()
                        .map_err(|_| "--since takes seconds".to_owned())?;
                    arguments.since = UNIX_EPOCH + Duration::from_secs(seconds);
                }
                "--commit" => arguments.commit = value,
                "--load" => arguments.load = value,
                "--criteria" => arguments.criteria = Some(value.into()),
                "--swapcheck" => arguments.swapcheck = Some(value.into()),
                _ => return Err(format!("'{flag}' is not known")),
            }
        }
        Ok(arguments)
    }
}

fn main() -> ExitCode {
    match Arguments::read().and_then(|arguments| summary(&arguments)) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("summary: {error}");
            ExitCode::from(2)
        }
    }
}

fn summary(arguments: &Arguments) -> Result<String, String> {
    let all = estimates(&arguments.criterion, arguments.since).map_err(|error| {
        format!(
            "criterion's figures in {} cannot be read: {error}",
            arguments.criterion.display()
        )
    })?;
    if all.is_empty() {
        return Err("no benchmark has written figures since the run began".to_owned());
    }
    let mut text = format!(
        "# Benchmarks at {}\n\n{}",
        arguments.commit,
        machine(&arguments.load)
    );
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))
    };
    if let Some(path) = &arguments.criteria {
        let _ = writeln!(
            text,
            "\n## Criteria\n\nServers in processes of their own, on the second processor where there is \
             one, with the client on the first; measured by turns in short rounds; medians of the \
             ratios of rounds.\n\n{}",
            read(path)?
        );
    }
    text.push_str(
        "\nMedians with criterion's 95 % intervals. A ratio is a time by that of the baseline, which \
         is named in its row.\n\n",
    );
    let mut groups: Vec<&str> = all.iter().map(|one| one.group.as_str()).collect();
    groups.dedup();
    for group in groups {
        let members: Vec<&Estimate> = all.iter().filter(|one| one.group == group).collect();
        let _ = writeln!(text, "## {group}\n\n{}", table(&members));
    }
    if let Some(path) = &arguments.swapcheck {
        let report = read(path)?;
        // Its headings come below this document's.
        let _ = writeln!(
            text,
            "## swapcheck bench\n\n{}",
            report
                .trim_start_matches("# Benchmark\n\n")
                .replace("\n## ", "\n### ")
        );
    }
    Ok(text)
}

fn machine(load: &str) -> String {
    let field = |path: &str, name: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map_or_else(
            || "unknown".to_owned(),
            |(_, value)| value.trim().to_owned(),
        )
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = field("/proc/meminfo", "MemTotal")
        .trim_end_matches(" kB")
        .parse::<f64>()
        .map_or_else(|_| "unknown".to_owned(), |kb| format!("{:.1} GB", kb / 1e6));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
    let rows = [
        ("date", said("date", &["-u", "+%F %H:%M UTC"])),
        ("processor", field("/proc/cpuinfo", "model name")),
        ("cores", cores.to_string()),
        ("memory", memory),
        ("kernel", kernel),
        ("compiler", said("rustc", &["--version"])),
        ("load before", load.to_owned()),
    ];
    let mut text = "| machine | |\n| --- | --- |\n".to_owned();
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}

fn said(program: &str, arguments: &[&str]) -> String {
    Command::new(Path::new(program))
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |text| text.trim().to_owned())
}
