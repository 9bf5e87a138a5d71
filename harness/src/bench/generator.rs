//! What the generator reaches by itself, against responders that do nothing.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use url::Url;

use super::bare::{Bare, Speech};
use super::link::{HttpVersion, Route};
use super::load::{MachineClock, closed};
use super::outcome::{Ceiling, rate};
use super::script::Exchange;
use super::wire::Prepared;
use super::worker::{Client, Stages};
use crate::target::Endpoint;

const LENGTH: Duration = Duration::from_millis(400);

/// Measures the generator on each protocol, with one client and with many.
pub(crate) async fn ceilings(main: &Handle, stop: &watch::Receiver<bool>) -> Vec<Ceiling> {
    let mut all = Vec::new();
    for (speech, protocol, http) in [
        (Speech::Resp, "RESP", HttpVersion::Http1),
        (Speech::Http1, "HTTP/1.1", HttpVersion::Http1),
        (Speech::Http2, "HTTP/2", HttpVersion::Http2),
    ] {
        let Ok(Ok(bare)) = main.spawn(Bare::start(speech)).await else {
            continue;
        };
        for clients in [1, 16] {
            all.extend(ceiling(&bare, speech, (protocol, http), clients, stop).await);
        }
    }
    all
}

async fn ceiling(
    bare: &Bare,
    speech: Speech,
    (protocol, http): (&str, HttpVersion),
    clients: usize,
    stop: &watch::Receiver<bool>,
) -> Option<Ceiling> {
    let scheme = if speech == Speech::Resp {
        "redis"
    } else {
        "http"
    };
    let endpoint = Endpoint {
        url: Url::parse(&format!("{scheme}://127.0.0.1:{}", bare.port)).ok()?,
        token: None,
        ca_file: None,
    };
    let route = Route::new(&endpoint, http).ok()?;
    let get = vec![b"GET".to_vec(), b"swapcheck:bare:key".to_vec()];
    let prepared = Prepared::new(&Exchange::One(get), true, route.is_rest());
    let first = route.open().await.ok()?.0;
    let mut workers: Vec<Client> = (0..clients)
        .map(|_| Client {
            route: route.clone(),
            target: None,
            prepared: vec![prepared.clone()],
            commands: 1,
            fresh: false,
            pool: None,
            timeout: Duration::from_secs(5),
            stop: stop.clone(),
            link: first.share(),
            stages: Stages::default(),
        })
        .collect();
    let clock = MachineClock::default();
    closed(&mut workers, &clock, LENGTH / 4).await;
    let tally = closed(&mut workers, &clock, LENGTH).await;
    Some(Ceiling {
        protocol: protocol.to_owned(),
        clients,
        per_second: rate(tally.histogram.count(), tally.elapsed.as_secs_f64()),
        p50_us: tally.histogram.quantile_us(0.5),
    })
}
