//! Eventual consistency at the fronts: sync tokens, and requests that wait until a replica has caught
//! up with theirs. The replica itself is the engine's ([`redis_engine::replica`]).

use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use redis_engine::command::Flags;
use redis_engine::{Clock, Engine};

use crate::assumption::Assumption;
use crate::shared::Shared;

pub(crate) const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");

const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// A position in the digits 0-9a-v, as observed on a live database.
pub(crate) fn sync_token(position: u64) -> HeaderValue {
    let mut rest = position;
    // 13 digits of 5 bits hold 64 bits.
    let mut digits = [b'0'; 13];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = DIGITS[(rest % 32) as usize];
        rest /= 32;
        if rest == 0 || first == 0 {
            break;
        }
    }
    HeaderValue::from_bytes(&digits[first..]).unwrap_or(HeaderValue::from_static("0"))
}

/// The position that a request's token stands for; 0 when it has none, or none that a mock gave out.
pub(crate) fn position(headers: &HeaderMap) -> u64 {
    let token = headers.get(SYNC_TOKEN).map(HeaderValue::as_bytes);
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte);
    let digits: Option<Vec<usize>> = token.unwrap_or_default().iter().map(digit).collect();
    digits
        .filter(|digits| digits.len() <= 12)
        .map_or(0, |digits| {
            digits.iter().fold(0, |all, digit| all * 32 + *digit as u64)
        })
}

/// Whether a replica could serve one of these commands.
fn any_reads<'c>(engine: &Engine, mut commands: impl Iterator<Item = &'c [bytes::Bytes]>) -> bool {
    commands.any(|command| {
        engine
            .find(command)
            .is_ok_and(|row| row.flags.contains(Flags::READONLY))
    })
}

impl Shared {
    /// Sets how long changes take to the replica; zero for none.
    pub(crate) fn set_replica_lag(&self, lag: Duration) {
        {
            let mut engine = self.engine.lock();
            engine.set_replica_lag(lag);
            let on = |assumption| self.assumptions.has(assumption);
            engine.let_replica_serve_transactions(on(Assumption::ReplicaTransactions));
            engine.count_scripts_as_changes(on(Assumption::SyncTokenCoversScripts));
        }
        self.clock_moved.notify_waiters();
    }

    /// Puts the replica in the primary's place; answers how many changed keys are lost with it.
    pub(crate) fn failover(&self) -> usize {
        let lost = self.engine.lock().failover();
        self.clock_moved.notify_waiters();
        lost
    }

    /// Waits until a replica has got to a request's position, if one of its commands reads. While time
    /// stands still nothing would ever arrive: then the primary answers.
    pub(crate) async fn wait_for_replica<'c>(
        &self,
        position: u64,
        commands: impl Iterator<Item = &'c [bytes::Bytes]>,
    ) {
        if position == 0 || self.assumptions.has(Assumption::SyncTokenAtPrimary) {
            return;
        }
        {
            let engine = self.engine.lock();
            if engine.replica_lag().is_zero() || !any_reads(&engine, commands) {
                return;
            }
        }
        loop {
            let moved = self.clock_moved.notified();
            tokio::pin!(moved);
            // From here on no move of the clock is missed.
            moved.as_mut().enable();
            let Some(due_us) = self.engine.lock().replica_due_us(position) else {
                return;
            };
            if self.clock.is_frozen() {
                return;
            }
            let remaining = Duration::from_micros(due_us.saturating_sub(self.clock.now_us()));
            tokio::select! {
                () = tokio::time::sleep(remaining) => {}
                () = moved => {}
            }
        }
    }
}
