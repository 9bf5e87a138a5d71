//! `/_mock/`: what a test may ask of the mock, over HTTP, for languages other than Rust.

use std::time::Duration;

use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use redis_engine::Clock;
use serde::{Deserialize, Serialize};

use super::response::{self, Body, Refusal};
use crate::fault::Fault;
use crate::plan::Plan;
use crate::shared::{DEFAULT_USER, Shared};
use crate::usage::LimitTable;

/// Whether a path is one of these.
pub(super) fn is_path(path: &str) -> bool {
    path == "/_mock" || path.starts_with("/_mock/")
}

/// Answers a request under `/_mock/`; it must come with the standard token.
pub(super) fn answer(
    shared: &Shared,
    token: &Bytes,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<Response<Body>, Refusal> {
    let caller = shared.caller(&mut shared.engine.lock(), token);
    if caller.is_none_or(|caller| caller.user != DEFAULT_USER) {
        return Err(Refusal::unauthorized());
    }
    let place = path.trim_start_matches("/_mock").trim_matches('/');
    let mut words = place.split('/');
    match (
        words.next().unwrap_or_default(),
        words.next(),
        method.as_str(),
    ) {
        ("time", None, "GET") => json(&Time::of(shared)),
        ("time", None, "POST" | "PUT") => {
            let change: TimeChange = read(body)?;
            change.apply(shared);
            json(&Time::of(shared))
        }
        ("replica", None, "GET") => json(&ReplicaState::of(shared)),
        ("replica", None, "POST" | "PUT") => {
            let change: ReplicaChange = read(body)?;
            shared.set_replica_lag(Duration::from_millis(change.lag_ms));
            json(&ReplicaState::of(shared))
        }
        ("failover", None, "POST" | "PUT") => json(&Failover {
            lost_keys: shared.failover(),
        }),
        ("reset", None, "POST" | "PUT") => {
            shared.reset();
            done()
        }
        ("requests", None, "GET") => json(&shared.journal.requests()),
        ("requests", None, "DELETE") => {
            shared.journal.clear();
            done()
        }
        ("faults", None, "GET") => json(&shared.faults.list()),
        ("faults", None, "POST") => {
            shared.faults.add(read(body)?);
            done()
        }
        ("faults", None, "PUT") => {
            let faults: Vec<Fault> = read(body)?;
            shared.faults.clear();
            faults
                .into_iter()
                .for_each(|fault| shared.faults.add(fault));
            done()
        }
        ("faults", None, "DELETE") => {
            shared.faults.clear();
            done()
        }
        ("usage", None, "GET") => json(&shared.usage()),
        ("usage", None, "POST" | "PUT") => {
            shared.set_usage(read(body)?);
            json(&shared.usage())
        }
        ("limits", None, "GET") => json(&shared.limit_table()),
        ("limits", None, "POST" | "PUT") => {
            let changes: LimitTable = read(body)?;
            shared.set_limits(changes);
            json(&shared.limit_table())
        }
        ("plan", None, "POST" | "PUT") => {
            let name: String = read(body)?;
            let plan = name.parse::<Plan>();
            shared.set_plan(plan.map_err(|error| Refusal::bad_request(format!("ERR {error}")))?);
            json(&shared.limit_table())
        }
        ("snapshots", None, "GET") => {
            let all = shared.snapshots.list();
            json(
                &all.iter()
                    .map(|(name, keys)| SnapshotRow { name, keys: *keys })
                    .collect::<Vec<_>>(),
            )
        }
        ("snapshots", Some(name), "PUT" | "POST") if words.next().is_none() => {
            let snapshot = shared.engine.lock().snapshot();
            if !shared.snapshots.keep(name, snapshot) {
                return Err(Refusal::bad_request(
                    "ERR there are too many snapshots; DELETE one first",
                ));
            }
            done()
        }
        ("snapshots", Some(name), "DELETE") if shared.snapshots.remove(name) => done(),
        ("restore", Some(name), "POST" | "PUT") => {
            let Some(snapshot) = shared.snapshots.get(name) else {
                return Err(not_found(&format!("no snapshot is called '{name}'")));
            };
            shared.engine.lock().restore(&snapshot);
            done()
        }
        _ => Err(not_found(&format!(
            "{method} {path} does nothing; there are GET and POST /_mock/time, POST /_mock/reset, \
             GET and POST /_mock/replica, POST /_mock/failover, \
             GET and DELETE /_mock/requests, GET, POST, PUT and DELETE /_mock/faults, \
             GET and PUT /_mock/usage, GET and PUT /_mock/limits, PUT /_mock/plan, \
             GET /_mock/snapshots, PUT and DELETE /_mock/snapshots/NAME, POST /_mock/restore/NAME"
        ))),
    }
}

/// What the mock's clock shows.
#[derive(Serialize)]
struct Time {
    /// Milliseconds since the Unix epoch.
    now_ms: u64,
    /// Whether it stands still.
    frozen: bool,
}

impl Time {
    fn of(shared: &Shared) -> Time {
        Time {
            now_ms: shared.clock.now_us() / 1000,
            frozen: shared.clock.is_frozen(),
        }
    }
}

/// What is to happen to the clock: `{"frozen": true, "advance_ms": 60000}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeChange {
    frozen: Option<bool>,
    advance_ms: Option<u64>,
}

impl TimeChange {
    fn apply(self, shared: &Shared) {
        match self.frozen {
            Some(true) => shared.clock.freeze(),
            Some(false) => shared.clock.unfreeze(),
            None => {}
        }
        shared.advance(Duration::from_millis(self.advance_ms.unwrap_or(0)));
    }
}

/// How far behind the replica is that serves reads.
#[derive(Serialize)]
struct ReplicaState {
    /// How long changes take to it; 0 when there is none.
    lag_ms: u64,
    /// How many changes it has not got yet.
    behind: u64,
}

impl ReplicaState {
    fn of(shared: &Shared) -> ReplicaState {
        let mut engine = shared.engine.lock();
        ReplicaState {
            lag_ms: u64::try_from(engine.replica_lag().as_millis()).unwrap_or(u64::MAX),
            behind: engine.replica_behind(),
        }
    }
}

/// What is to become of the replica: `{"lag_ms": 50}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplicaChange {
    lag_ms: u64,
}

/// What a failover cost.
#[derive(Serialize)]
struct Failover {
    lost_keys: usize,
}

/// A snapshot that is kept.
#[derive(Serialize)]
struct SnapshotRow<'s> {
    name: &'s str,
    keys: usize,
}

fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::bad_request(format!("ERR the body is not what is wanted: {error}"))
    })
}

fn json(value: &impl Serialize) -> Result<Response<Body>, Refusal> {
    let body = serde_json::to_vec(value)
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, format!("ERR {error}")))?;
    Ok(response::json(StatusCode::OK, body))
}

fn done() -> Result<Response<Body>, Refusal> {
    Ok(response::json(
        StatusCode::OK,
        b"{\"result\":\"OK\"}".to_vec(),
    ))
}

fn not_found(what: &str) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, format!("ERR {what}"))
}
