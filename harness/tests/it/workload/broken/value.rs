//! Servers that are broken in what they do with keys, and with hashes.

use std::sync::PoisonError;

use scenarios::client::Command;
use scenarios::{ClientError, Reply};

use super::{Breakage, BrokenClient, count, number, words};

impl BrokenClient {
    /// What is broken about keys with values.
    pub(super) async fn value(&mut self, command: &Command) -> Result<Option<Reply>, ClientError> {
        let name = String::from_utf8_lossy(&command[0]).into_owned();
        let reply = match (self.how, name.as_str()) {
            (Breakage::StaleReads, "SET") => {
                self.remember(&command[1]).await?;
                return Ok(None);
            }
            (Breakage::StaleReads, "GET") if self.now_and_then() => {
                return Ok(self.copy(&command[1]));
            }
            (Breakage::LosesNx, "SET") => {
                let without = command.iter().filter(|word| *word != b"NX").cloned();
                self.inner.command(&without.collect()).await?
            }
            (Breakage::ExpiresEarly, "SET") => {
                let mut early = command.clone();
                if let Some(at) = early.iter().position(|word| word == b"PX") {
                    early[at + 1] = (number(&early[at + 1]) / 4).max(1).to_string().into_bytes();
                }
                self.inner.command(&early).await?
            }
            (Breakage::ForgetsWrites, "SET") if self.now_and_then() => {
                let held = self.send(&[b"GET", &command[1]]).await?;
                let reply = self.inner.command(command).await?;
                match held.as_bytes() {
                    Some(held) => self.send(&[b"SET", &command[1], held]).await?,
                    None => self.send(&[b"DEL", &command[1]]).await?,
                };
                reply
            }
            (Breakage::NeverExpires, "SET") => {
                let without = command.iter().take(command.len() - 2).cloned();
                self.inner.command(&without.collect()).await?
            }
            (Breakage::ExpiresInSeconds, "SET") => {
                let seconds = command.iter().map(|word| match word.as_slice() {
                    b"PX" => b"EX".to_vec(),
                    word => word.to_vec(),
                });
                self.inner.command(&seconds.collect()).await?
            }
            (Breakage::LosesIncrements, "INCR") if self.one_in(50) => {
                let held = self.send(&[b"GET", &command[1]]).await?;
                Reply::Integer(count(&held) + 1)
            }
            (Breakage::RetriesIncrements, "INCR") if self.now_and_then() => {
                self.inner.command(command).await?;
                return Ok(None);
            }
            (Breakage::IgnoresWatch, "WATCH") => Reply::Status("OK".to_owned()),
            (Breakage::MixesAnswers, "GET") => {
                let own = self.inner.command(command).await?;
                let last = self.shared.last_answer.lock();
                let mut last = last.unwrap_or_else(PoisonError::into_inner);
                let other = last.replace(own.clone());
                match other.filter(|_| self.now_and_then()) {
                    Some(other) => other,
                    None => own,
                }
            }
            (Breakage::SplitIncrements, "INCR") => {
                let held = self.send(&[b"GET", &command[1]]).await?;
                let next = count(&held) + 1;
                let text = next.to_string();
                self.send(&[b"SET", &command[1], text.as_bytes()]).await?;
                Reply::Integer(next)
            }
            (Breakage::SplitFieldIncrements, "HINCRBY") => {
                let held = self.send(&[b"HGET", &command[1], &command[2]]).await?;
                let next = count(&held) + 1;
                let text = next.to_string();
                self.send(&[b"HSET", &command[1], &command[2], text.as_bytes()])
                    .await?;
                Reply::Integer(next)
            }
            (Breakage::RewritesHashes, "HSET") => {
                let fields = self.send(&[b"HGETALL", &command[1]]).await?;
                let mut rewrite = words(&[b"HSET", &command[1]]);
                rewrite.extend(flat(&fields));
                rewrite.extend(command[2..].iter().cloned());
                self.inner.command(&rewrite).await?
            }
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }
}

/// The fields and values of a hash, one after the other.
fn flat(reply: &Reply) -> Command {
    let bytes = |reply: &Reply| reply.as_bytes().unwrap_or_default().to_vec();
    match reply {
        Reply::Array(items) => items.iter().map(bytes).collect(),
        Reply::Map(pairs) => pairs
            .iter()
            .flat_map(|(field, value)| [bytes(field), bytes(value)])
            .collect(),
        _ => Vec::new(),
    }
}
