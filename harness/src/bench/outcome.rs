//! What a benchmark came to: plain data, which every report is made of, and which files hold.

use serde::{Deserialize, Serialize};

use super::histogram::{Figures, Histogram};
use super::link::HttpVersion;
use super::load::{Arrival, Tally};
use super::operation::{Group, Way};
use super::price::CostRow;
use super::processor::Usage;
use super::series::Series;
use super::statistic::{Ratio, paired};
use super::worker::Stages;

/// The version of the JSON form.
pub const FORMAT: u32 = 1;

/// The share of intervals between targets that may miss the truth.
pub const ERROR: f64 = 0.01;

/// A benchmark, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of swapcheck.
    pub swapcheck: String,
    /// When it began, in UTC.
    pub started_at: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// How it was measured.
    pub settings: Settings,
    /// What was measured, the reference first.
    pub targets: Vec<TargetInfo>,
    /// What the generator reaches against responders that do nothing.
    pub generator: Vec<Ceiling>,
    /// The figures of each case.
    pub cases: Vec<CaseOutcome>,
    /// Operations per second that plans are looked up for.
    pub cost_rates: Vec<f64>,
    /// What the cases cost on Upstash.
    pub costs: Vec<CostRow>,
    /// What a reader must know before using the figures.
    pub warnings: Vec<String>,
}

/// How a benchmark was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How many clients at a time.
    pub clients: usize,
    /// Operations per second that were to start; `None` for a closed loop.
    pub rate: Option<f64>,
    /// When operations start, in an open loop.
    pub arrival: Arrival,
    /// How long each case is measured on each target, in milliseconds.
    pub duration_ms: u64,
    /// How long each case is run on each target before it is measured, in milliseconds.
    pub warmup_ms: u64,
    /// How many rounds a case is measured in.
    pub rounds: usize,
    /// After how long no answer counts as none, in milliseconds.
    pub timeout_ms: u64,
    /// What REST is spoken in.
    pub http: HttpVersion,
    /// Whether every operation makes a connection of its own.
    pub fresh: bool,
    /// How many connections the clients share; `None` when each has its own.
    pub pool: Option<usize>,
    /// How much a round trip through a relay varies, in microseconds.
    pub jitter_us: u64,
    /// Which part of the cases this is: `1/4`.
    pub shard: Option<String>,
    /// The seed of arrivals and of the order of targets.
    pub seed: u64,
}

/// A target, as reports name it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetInfo {
    /// Its name.
    pub name: String,
    /// Where it came from.
    pub description: String,
    /// What the server says of itself.
    pub version: Option<String>,
    /// Whether it is reached by HTTP.
    pub rest: bool,
    /// How many billable commands it was sent.
    pub billable: u64,
}

/// What the generator reaches by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// The protocol: `RESP`, `HTTP/1.1`, `HTTP/2`.
    pub protocol: String,
    /// With how many clients.
    pub clients: usize,
    /// Exchanges per second.
    pub per_second: f64,
    /// The median of an exchange, in microseconds: what the generator adds to every latency, at most.
    pub p50_us: f64,
}

/// One case at one distance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseOutcome {
    /// The case's id.
    pub id: String,
    /// Its place among all cases there are.
    pub number: usize,
    /// What it does once: `get`, `cache/hit`.
    pub operation: String,
    /// What it does.
    pub title: String,
    /// What kind of thing it is.
    pub group: Group,
    /// How its commands are sent.
    pub way: Way,
    /// How many bytes a value has.
    pub size: usize,
    /// How many times the operation is done at once.
    pub batch: usize,
    /// The round trip that the relay adds, in microseconds; 0 without one.
    pub rtt_us: u64,
    /// Billable commands of one operation.
    pub commands: u64,
    /// How many of them write.
    pub writes: u64,
    /// How many bytes of arguments and values they move.
    pub bytes: u64,
    /// What was measured, in the order of the targets.
    pub results: Vec<Measured>,
    /// The reference measured a second time, in the same rounds.
    pub again: Option<Measured>,
    /// Each other target held against the reference.
    pub comparisons: Vec<Comparison>,
    /// The reference against itself: differences smaller than this are none.
    pub noise: Option<Comparison>,
}

/// A target's figures for a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The target.
    pub target: String,
    /// Operations that were done; only these have a latency.
    pub count: u64,
    /// Operations that failed.
    pub errors: u64,
    /// Operations without an answer in time.
    pub timeouts: u64,
    /// The first failure, in words.
    pub first_error: Option<String>,
    /// Why it ended before its time, if it did.
    pub stopped: Option<String>,
    /// Whether a budget allowed fewer operations than there was time for.
    pub capped: bool,
    /// How long it was measured, in seconds.
    pub elapsed_s: f64,
    /// Operations done per second.
    pub per_second: f64,
    /// How many operations an open loop was to start per second; `None` in a closed one.
    pub offered_per_second: Option<f64>,
    /// The share of one processor that the generator used meanwhile; `None` where the system does
    /// not tell.
    pub processor: Option<f64>,
    /// The share of the time that the generator was ready to work and no processor was free.
    pub waiting: Option<f64>,
    /// In an open loop: how late operations began for which a client was free (99 %), in
    /// microseconds.
    pub late_us: Option<f64>,
    /// Percentiles.
    pub figures: Option<Figures>,
    /// All latencies in nanoseconds: HdrHistogram's compressed V2 format in base64.
    pub histogram: Histogram,
    /// The figures of rounds, which comparisons rest on.
    pub rounds: Series,
    /// The stages of fresh connections.
    pub stages: Option<Stages>,
}

/// One target held against another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The target.
    pub target: String,
    /// The ratio of medians.
    pub p50: Option<Ratio>,
    /// The ratio of 99 % quantiles; `None` with too few operations.
    pub p99: Option<Ratio>,
    /// Whether the medians' difference is inconclusive: it may be none, or is no larger than what
    /// the reference shows against itself.
    pub inconclusive: bool,
    /// The same of the 99 % quantiles.
    pub inconclusive_p99: bool,
}

/// So many in so many seconds, per second.
pub(crate) fn rate(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 {
        count as f64 / seconds
    } else {
        0.0
    }
}

impl Measured {
    /// The figures of all rounds together; those of each are to be put in afterwards.
    pub fn new(target: &str, rounds: &[Tally], stages: Option<Stages>) -> Self {
        let mut all = Tally::default();
        for round in rounds {
            all.add(round);
        }
        let elapsed_s = all.elapsed.as_secs_f64();
        Measured {
            target: target.to_owned(),
            count: all.histogram.count(),
            errors: all.errors,
            timeouts: all.timeouts,
            first_error: all.first_error,
            stopped: all.stopped,
            capped: all.capped,
            elapsed_s,
            per_second: rate(all.histogram.count(), elapsed_s),
            offered_per_second: (all.offered > 0)
                .then(|| rate(all.offered, all.scheduled.as_secs_f64())),
            processor: None,
            waiting: None,
            late_us: (all.late.count() > 0).then(|| all.late.quantile_us(0.99)),
            figures: all.histogram.figures(),
            histogram: all.histogram,
            rounds: Series::default(),
            stages,
        }
    }

    /// With what the generator did meanwhile.
    pub(crate) fn used(mut self, usage: Option<Usage>) -> Self {
        self.processor = usage.map(|usage| usage.shares().0);
        self.waiting = usage.map(|usage| usage.shares().1);
        self
    }
}

impl CaseOutcome {
    /// Holds the targets against the first, and the first against itself.
    pub fn compare(&mut self) {
        let Some((reference, subjects)) = self.results.split_first() else {
            return;
        };
        let against = |subject: &Measured, floor: [f64; 2]| {
            let (before, after) = (&reference.rounds, &subject.rounds);
            let p50 = paired(&before.p50_us, &after.p50_us, ERROR);
            let p99 = paired(&before.p99_us, &after.p99_us, ERROR);
            Comparison {
                target: subject.target.clone(),
                inconclusive: open(p50, floor[0]),
                inconclusive_p99: open(p99, floor[1]),
                p50,
                p99,
            }
        };
        self.noise = self.again.as_ref().map(|again| against(again, [0.0; 2]));
        let floor = |get: fn(&Comparison) -> Option<Ratio>| {
            self.noise
                .as_ref()
                .and_then(get)
                .map_or(0.0, |ratio| ratio.ratio.ln().abs())
        };
        let floor = [floor(|noise| noise.p50), floor(|noise| noise.p99)];
        self.comparisons = subjects.iter().map(|one| against(one, floor)).collect();
    }
}

/// Whether a ratio leaves open which of the two is larger, or is no larger than the noise.
fn open(ratio: Option<Ratio>, floor: f64) -> bool {
    ratio.is_none_or(|ratio| ratio.is_inconclusive() || ratio.ratio.ln().abs() <= floor)
}

impl Outcome {
    /// Its JSON, for programs and for later comparisons.
    ///
    /// # Errors
    /// When a figure cannot be written as JSON, which no measurement yields.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads a file that [`Outcome::json`] has made.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn read(path: &std::path::Path) -> Result<Outcome, String> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| {
            format!("'{shown}' cannot be read: {error}; make one by swapcheck bench --save {shown}")
        })?;
        let outcome: Outcome = serde_json::from_str(&text).map_err(|error| {
            format!("'{shown}' is not what swapcheck bench --save writes: {error}")
        })?;
        if outcome.format != FORMAT {
            return Err(format!(
                "'{shown}' has format {}, and this swapcheck reads {FORMAT}: measure again, or use \
                 swapcheck {}",
                outcome.format, outcome.swapcheck
            ));
        }
        Ok(outcome)
    }
}
