//! The command line: one file per subcommand, and the one place where errors become exit codes.

mod bench;
mod differences;
mod explain;
mod list;
mod output;
mod record;
mod run;
mod session;
mod shard;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::baseline::BaselineError;
use crate::compare::CatalogueError;
use crate::exit::Exit;
use crate::report::ReportError;
use crate::suite::SuiteError;
use crate::target::TargetError;

pub use run::RunArgs;

/// Finds out how an application on Redis would behave on Upstash: runs one suite of scenarios on a
/// Redis, on a mock of Upstash and on your Upstash, and reports every difference, the latency and
/// the cost.
#[derive(Debug, Parser)]
#[command(name = "swapcheck", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit codes: 0 nothing unexpected, 1 unexpected differences, 2 a mistake in \
    flags, configuration or a document, 3 a target could not be reached or provisioned."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the scenarios and report what differs (this is what happens without a subcommand)
    Run(Box<RunArgs>),
    /// Measure latency and throughput of targets against each other
    Bench(Box<bench::BenchArgs>),
    /// List areas and scenarios with their ids
    List(list::ListArgs),
    /// Print a scenario with its prose and its transcript
    Explain(explain::ExplainArgs),
    /// Write the replies that a target gives into documents, as their expectations
    Record(record::RecordArgs),
    /// Print the documented differences between Redis and Upstash
    Differences(differences::DifferencesArgs),
}

/// An error, and how the process exits for it.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn mistake(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Mistake,
            message: message.into(),
        }
    }

    fn unreachable(message: impl Into<String>) -> Self {
        Failure {
            exit: Exit::Unreachable,
            message: message.into(),
        }
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        let exit = if error.is_mistake() {
            Exit::Mistake
        } else {
            Exit::Unreachable
        };
        Failure {
            exit,
            message: error.to_string(),
        }
    }
}

/// What the user gave is wrong: a document, a file, a flag.
macro_rules! mistakes {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Failure::mistake(error.to_string())
            }
        }
    )*};
}

mistakes!(SuiteError, BaselineError, CatalogueError, ReportError);

/// Reads the command line, does what it says, and yields the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions are errors to clap; a reader that went away is none to us.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Mistake.code()));
        }
    };
    let done = match cli.command {
        None => run::run(cli.run),
        Some(Command::Run(args)) => run::run(*args),
        Some(Command::Bench(args)) => bench::bench(&args),
        Some(Command::List(args)) => list::list(&args),
        Some(Command::Explain(args)) => explain::explain(&args),

        Some(Command::Record(args)) => record::record(&args),
        Some(Command::Differences(args)) => differences::differences(&args),
    };
    match done {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(failure) => {
            output::error(&failure.message);
            ExitCode::from(failure.exit.code())
        }
    }
}
