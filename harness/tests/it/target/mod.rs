//! Targets: naming, reaching, provisioning, and being a guest.

mod absent;
pub(crate) mod guest;
mod provision;
mod rest;
mod signal;
mod spec;
mod tcp;

use scenarios::client::Command;
use scenarios::{Client, Reply};
use swapcheck::target::{Opened, Options, Target, TargetError, TargetSpec, open};

/// A command of words.
fn command(words: &[&str]) -> Command {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// Sends a command that has to be answered.
async fn ask(client: &mut dyn Client, words: &[&str]) -> Reply {
    client
        .command(&command(words))
        .await
        .unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

fn spec(text: &str) -> TargetSpec {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Opens a target that is there.
async fn ready(text: &str, options: &Options) -> Target {
    match open(&spec(text), options).await {
        Ok(Opened::Ready(target)) => *target,
        Ok(Opened::Absent(reason)) => panic!("{text} is absent: {reason}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Opens a target that must fail.
async fn refused(text: &str, options: &Options) -> TargetError {
    match open(&spec(text), options).await {
        Err(error) => error,
        Ok(_) => panic!("{text} was opened"),
    }
}

/// Asserts that a message says all these things, and nothing of what it must not.
#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "'{part}' is missing in: {message}");
    }
    for never in ["s3cr3t", "RUST_BACKTRACE", "panicked"] {
        assert!(!message.contains(never), "'{never}' is in: {message}");
    }
    assert!(!message.contains('\n'), "more than one line: {message}");
}
