//! Servers that are broken in what they do with lists, sorted sets, streams and channels.

use scenarios::client::Command;
use scenarios::{ClientError, Reply};

use super::{Breakage, BrokenClient, number};

impl BrokenClient {
    /// What is broken about lists, sorted sets, streams and channels.
    pub(super) async fn queue(&mut self, command: &Command) -> Result<Option<Reply>, ClientError> {
        let name = String::from_utf8_lossy(&command[0]).into_owned();
        let reply = match (self.how, name.as_str()) {
            (Breakage::PopsTwice, "LPOP") if self.now_and_then() => {
                self.send(&[b"LINDEX", &command[1], b"0"]).await?
            }
            (Breakage::PopsTheLast, "LPOP") if self.now_and_then() => {
                self.send(&[b"RPOP", &command[1]]).await?
            }
            (Breakage::FindsNothing, "LPOP") if self.now_and_then() => Reply::Nil,
            (Breakage::RetriesPushes, "RPUSH") if self.now_and_then() => {
                self.inner.command(command).await?;
                return Ok(None);
            }
            (Breakage::MovesNowhere, "LMOVE") => self.send(&[b"LPOP", &command[1]]).await?,
            (Breakage::MovesACopy, "LMOVE") => {
                let job = self.send(&[b"LINDEX", &command[1], b"0"]).await?;
                if let Some(job) = job.as_bytes() {
                    self.send(&[b"RPUSH", &command[2], job]).await?;
                }
                job
            }
            (Breakage::DropsMoves, "LMOVE") if self.now_and_then() => {
                let job = self.inner.command(command).await?;
                if let Some(job) = job.as_bytes() {
                    self.send(&[b"LREM", &command[2], b"1", job]).await?;
                }
                // Its consumer does not hear of it either.
                return Err(ClientError::OutcomeUnknown("lost on the way".to_owned()));
            }
            (Breakage::RemovesAll, "LREM") if self.now_and_then() => {
                self.send(&[b"DEL", &command[1]]).await?;
                return Ok(Some(Reply::Integer(1)));
            }
            (Breakage::AlwaysRemoved, "ZREM") => {
                self.inner.command(command).await?;
                Reply::Integer(1)
            }
            (Breakage::LosesDelayed, "ZADD") if self.now_and_then() => Reply::Integer(1),
            (Breakage::ClaimsAtOnce, "XAUTOCLAIM") => {
                let mut hasty = command.clone();
                hasty[4] = b"0".to_vec();
                self.inner.command(&hasty).await?
            }
            (Breakage::ClaimsNothing, "XAUTOCLAIM") => {
                Reply::Array(vec![Reply::Bulk(b"0-0".to_vec()), Reply::Array(Vec::new())])
            }
            (Breakage::RepeatsMessages, "PUBLISH") if self.now_and_then() => {
                self.inner.command(command).await?;
                return Ok(None);
            }
            (Breakage::DueEarly, "ZRANGEBYSCORE" | "ZREVRANGEBYSCORE") => {
                let most = if name == "ZRANGEBYSCORE" { 3 } else { 2 };
                let mut early = command.clone();
                early[most] = (number(&early[most]) + 250).to_string().into_bytes();
                self.inner.command(&early).await?
            }
            (Breakage::KeepsRemoved, "ZREM") if self.now_and_then() => Reply::Integer(1),
            (Breakage::RewindsGroups, "XREADGROUP") if self.now_and_then() => {
                let key = &command[command.len() - 2];
                self.send(&[b"XGROUP", b"SETID", key, &command[2], b"0"])
                    .await?;
                return Ok(None);
            }
            (Breakage::ForgetsAcks, "XACK") if self.now_and_then() => Reply::Integer(1),
            (Breakage::LosesEntries, "XADD") if self.now_and_then() => Reply::Bulk(b"1-1".to_vec()),
            (Breakage::LosesMessages, "PUBLISH") if self.now_and_then() => Reply::Integer(2),
            (Breakage::ReordersMessages, "PUBLISH") => match self.late.take() {
                Some(late) => {
                    let reply = self.inner.command(command).await?;
                    self.inner.command(&late).await?;
                    reply
                }
                None if self.now_and_then() => {
                    self.late = Some(command.clone());
                    Reply::Integer(2)
                }
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }
}
