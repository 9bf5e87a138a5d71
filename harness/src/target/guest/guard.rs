//! Giving keys an expiry as they are written, in the background.

use std::sync::Arc;
use std::time::Duration;

use scenarios::client::Command;
use scenarios::{Client, Reply};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::expiry::SAFETY_EXPIRY;
use super::ledger::Ledger;

/// How long a task that has been told to end may take to send what it was told before.
const END_LIMIT: Duration = Duration::from_secs(2);

/// The task that gives keys an expiry, and where to tell it of one.
pub(super) struct Guard {
    keys: mpsc::UnboundedSender<Vec<u8>>,
    task: JoinHandle<()>,
}

impl Guard {
    /// Starts the task. Must be called within a tokio runtime.
    pub(super) fn start(ledger: Arc<Ledger>) -> Self {
        let (keys, received) = mpsc::unbounded_channel();
        Guard {
            keys,
            task: tokio::spawn(watch_over(ledger, received)),
        }
    }

    /// Has a key given an expiry soon, unless it has one by then.
    pub(super) fn tell(&self, key: &[u8]) {
        // The task ends only with the guard, and its keys are deleted then.
        let _ = self.keys.send(key.to_vec());
    }

    /// Ends the task when it has done what it was told.
    pub(super) async fn end(self) {
        drop(self.keys);
        // An expiry that comes after the deletion finds no key: there is no need to wait long.
        let _ = tokio::time::timeout(END_LIMIT, self.task).await;
    }
}

/// Gives keys their expiry, on a connection of its own, as fast as they come in.
async fn watch_over(ledger: Arc<Ledger>, mut keys: mpsc::UnboundedReceiver<Vec<u8>>) {
    let mut client: Option<Box<dyn Client>> = None;
    let mut has_nx = true;
    let mut batch = Vec::new();
    loop {
        let told = keys.recv_many(&mut batch, 100).await;
        if told == 0 {
            break;
        }
        batch.sort();
        batch.dedup();
        if client.is_none() {
            client = ledger.connector().connect().await.ok();
        }
        let Some(connected) = client.as_mut() else {
            // The keys are in the journal, and deleted at the end of the scenario.
            ledger.expected_done(told as u64);
            batch.clear();
            continue;
        };
        if has_nx {
            ledger.bill(batch.len() as u64);
            let commands: Vec<Command> = batch.iter().map(|key| expire_nx(key)).collect();
            match connected.pipeline(&commands).await {
                Ok(replies) => has_nx = !replies.iter().any(Reply::is_error),
                Err(_) => client = None,
            }
        }
        if let Some(connected) = client.as_mut()
            && !has_nx
        {
            ledger.bill(3 * batch.len() as u64);
            let commands: Vec<Command> = batch.iter().map(|key| expire_by_script(key)).collect();
            if connected.pipeline(&commands).await.is_err() {
                client = None;
            }
        }
        ledger.expected_done(told as u64);
        batch.clear();
    }
}

fn expire_nx(key: &[u8]) -> Command {
    let ms = SAFETY_EXPIRY.as_millis().to_string();
    vec![
        b"PEXPIRE".to_vec(),
        key.to_vec(),
        ms.into_bytes(),
        b"NX".to_vec(),
    ]
}

/// For servers before Redis 7.0, whose PEXPIRE has no NX.
fn expire_by_script(key: &[u8]) -> Command {
    let script =
        "if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end";
    let ms = SAFETY_EXPIRY.as_millis().to_string();
    vec![
        b"EVAL".to_vec(),
        script.as_bytes().to_vec(),
        b"1".to_vec(),
        key.to_vec(),
        ms.into_bytes(),
    ]
}
