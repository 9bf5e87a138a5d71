//! Servers that are broken in how they run scripts.

use scenarios::client::Command;
use scenarios::{ClientError, Reply};

use super::{Breakage, BrokenClient, count, is_script, number};

impl BrokenClient {
    /// What is broken about scripts.
    pub(super) async fn script(&mut self, command: &Command) -> Result<Option<Reply>, ClientError> {
        let reply = match self.how {
            Breakage::PlainDel if is_script(command, "'DEL'") => {
                self.send(&[b"DEL", &command[3]]).await?
            }
            Breakage::KeepsLocks if is_script(command, "'DEL'") && self.now_and_then() => {
                Reply::Integer(1)
            }
            Breakage::NeverClears if is_script(command, "'ZCARD'") => {
                let mut kept = command.clone();
                kept[5] = b"0".to_vec();
                self.inner.command(&kept).await?
            }
            Breakage::RefusesStores
                if is_script(command, "> tonumber(ARGV[1])") && self.now_and_then() =>
            {
                Reply::Integer(0)
            }
            Breakage::ForgetsFence if is_script(command, "'INCR'") && self.now_and_then() => {
                self.send(&[b"DEL", &command[4]]).await?;
                return Ok(None);
            }
            Breakage::StoresLate if is_script(command, "> tonumber(ARGV[1])") => {
                self.send(&[b"SET", &command[3], &command[4]]).await?;
                Reply::Integer(1)
            }
            Breakage::SplitSeats if is_script(command, "'ZCARD'") => {
                let (key, token, now, until) = (&command[3], &command[4], &command[5], &command[6]);
                self.send(&[b"ZREMRANGEBYSCORE", key, b"-inf", now]).await?;
                let taken = self.send(&[b"ZCARD", key]).await?;
                if count(&taken) >= number(&command[7]) {
                    return Ok(Some(Reply::Integer(0)));
                }
                self.send(&[b"ZADD", key, until, token]).await?;
                Reply::Integer(1)
            }
            Breakage::SplitScripts if is_script(command, "local n = tonumber") => {
                let held = self.send(&[b"GET", &command[3]]).await?;
                let next = count(&held) + 1;
                let text = next.to_string();
                self.send(&[b"SET", &command[3], text.as_bytes()]).await?;
                Reply::Integer(next)
            }
            Breakage::SplitSwaps if is_script(command, "== ARGV[1] then redis.call('SET'") => {
                let held = self.send(&[b"GET", &command[3]]).await?;
                if held.as_bytes() != Some(&command[4]) {
                    return Ok(Some(Reply::Integer(0)));
                }
                self.send(&[b"SET", &command[3], &command[5]]).await?;
                Reply::Integer(1)
            }
            Breakage::ForgetsCalls if is_script(command, "limit, window") => {
                if self.now_and_then() {
                    self.send(&[b"DEL", &command[4]]).await?;
                }
                return Ok(None);
            }
            Breakage::CountsTwice if is_script(command, "limit, window") => {
                if self.now_and_then() {
                    let mut first = command.clone();
                    if let Some(name) = first.last_mut() {
                        name.extend_from_slice(b"-first");
                    }
                    self.inner.command(&first).await?;
                }
                return Ok(None);
            }
            _ => return Ok(None),
        };
        Ok(Some(reply))
    }
}
