//! One scenario on one target, its keys deleted at the end, outside of any comparison.

use std::collections::BTreeMap;

use tokio::sync::watch;

use scenarios::Scenario;

use super::execution::Execution;
use super::observation::{End, Trace};
use super::plan::key_expiry;
use super::prefix::Prefix;
use super::requirement::{Ability, Fit};
use crate::target::Target;

/// Runs a scenario on a target and tells what it did. `run_id` and `attempt` set its keys apart.
pub async fn observe(
    target: &Target,
    scenario: &Scenario,
    run_id: &str,
    attempt: usize,
    stop: watch::Receiver<bool>,
) -> Trace {
    let level = target.capabilities().expressiveness;
    match Ability::of(target).fit(target, scenario).await {
        Fit::Steps(unsupported) => {
            let prefix = Prefix::new(run_id, 0, attempt, scenario.key_names());
            in_scope(target, scenario, &unsupported, &prefix, stop).await
        }
        Fit::Nothing(reason) => Trace::ended(End::Unsupported(reason), level),
        Fit::Unknown(reason) => Trace::ended(End::NotEvaluable(reason), level),
    }
}

/// Runs the steps that the target can do, within the rules for a server that is not ours.
pub(super) async fn in_scope(
    target: &Target,
    scenario: &Scenario,
    unsupported: &BTreeMap<usize, String>,
    prefix: &Prefix,
    stop: watch::Receiver<bool>,
) -> Trace {
    let scope = target.scope(prefix.as_bytes(), key_expiry(scenario));
    let connector = scope.connector();
    let connector = connector.as_ref();
    let mut trace = Execution {
        scenario,
        unsupported,
        connector,
        prefix,
        stop,
    }
    .run()
    .await;
    trace.billed = scope.billed();
    // What could not be deleted now is tried again when the run shuts down, and reported there.
    if let Err(error) = scope.finish().await {
        tracing::debug!(target = %target.name, scenario = %scenario.id, %error, "keys left for later");
    }
    trace
}
