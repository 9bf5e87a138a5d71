//! Slowing down: commands beyond a plan's rate wait, they are not refused (Upstash docs, help/faq).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use redis_engine::{Clock, Engine, Limits};

use crate::shared::Shared;

/// How many times slower commands are once a month's bandwidth is used up. That they are slowed down
/// is documented (Upstash docs, features/auto-upgrade), how much is not.
const THROTTLED: u64 = 10;
/// The rate that is slowed down when the plan has none, in commands per second.
const RATE: u64 = 10_000;

/// How late a command is that a fault slows down as a rate does, in microseconds.
pub(crate) const SLOWED_US: u64 = 1_000_000;

/// When the next command may run.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Whether anything may have to wait: requests look at this alone as long as nothing does.
    on: AtomicBool,
    /// The instant up to which the rate is used, in microseconds since the Unix epoch.
    used_until_us: Mutex<u64>,
}

impl Pace {
    /// Notes which limits hold.
    pub(crate) fn note(&self, limits: &Limits) {
        let on = limits.commands_per_second.is_some()
            || limits.monthly_bandwidth.is_some()
            || (limits.script_ms_per_minute.is_some() && limits.choices.script_time_waits);
        self.on.store(on, Ordering::Release);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// The instant, in microseconds since the Unix epoch, at which these commands may run; `None` for
    /// at once.
    pub(crate) fn due_us<'c>(
        &self,
        engine: &mut Engine,
        commands: impl Iterator<Item = &'c [Bytes]>,
    ) -> Option<u64> {
        let (mut count, mut scripts_due_ms) = (0, None);
        for command in commands {
            count += 1;
            scripts_due_ms = scripts_due_ms.max(engine.script_due_ms(command));
        }
        let scripts_due_us = scripts_due_ms.map(|ms| ms * 1000);
        self.rate_due_us(engine, count).max(scripts_due_us)
    }

    /// When so many more commands may run. A second's worth of commands may come at one time.
    fn rate_due_us(&self, engine: &mut Engine, commands: u64) -> Option<u64> {
        const SECOND_US: u64 = 1_000_000;
        let now_us = engine.clock.now_us();
        engine.usage.roll(now_us / 1000);
        let limits = &engine.limits;
        let throttled = limits
            .monthly_bandwidth
            .is_some_and(|most| engine.usage.month_bandwidth >= most);
        let rate = match limits.commands_per_second {
            Some(rate) if throttled => rate / THROTTLED,
            Some(rate) => rate,
            None if throttled => RATE / THROTTLED,
            None => return None,
        };
        let cost_us = commands.saturating_mul(SECOND_US) / rate.max(1);
        let mut used = self.used_until_us.lock();
        *used = (*used).max(now_us).saturating_add(cost_us);
        let due_us = used.saturating_sub(SECOND_US);
        (due_us > now_us).then_some(due_us)
    }

    /// Begins anew.
    pub(crate) fn reset(&self) {
        *self.used_until_us.lock() = 0;
    }
}

impl Shared {
    /// Waits until a request's commands may run.
    pub(crate) async fn pace<'c>(&self, commands: impl Iterator<Item = &'c [Bytes]>) {
        if !self.pace.is_on() {
            return;
        }
        let due_us = self.pace.due_us(&mut self.engine.lock(), commands);
        if let Some(due_us) = due_us {
            self.sleep_until(due_us).await;
        }
    }

    /// Waits until a connection that begins to be idle now has been so for too long.
    pub(crate) async fn idle(&self) {
        match self.bounds.idle_timeout {
            Some(timeout) => {
                let timeout_us = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
                self.sleep_until(self.clock.now_us().saturating_add(timeout_us))
                    .await;
            }
            None => std::future::pending().await,
        }
    }

    /// Waits for an instant of the mock's clock, in microseconds since the Unix epoch.
    pub(crate) async fn sleep_until(&self, due_us: u64) {
        loop {
            let mut moved = std::pin::pin!(self.clock_moved.notified());
            // From here on no move is missed.
            moved.as_mut().enable();
            let left_us = due_us.saturating_sub(self.clock.now_us());
            if left_us == 0 {
                return;
            }
            let frozen = self.clock.is_frozen();
            let passed = async {
                match frozen {
                    true => std::future::pending().await,
                    false => tokio::time::sleep(Duration::from_micros(left_us)).await,
                }
            };
            tokio::select! {
                () = passed => {}
                () = moved => {}
            }
        }
    }
}
