//! One engine with one client and a clock that is moved by hand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis_engine::{ClientId, Config, Connect, Dialect, Engine, ManualClock, Options, Reply};

/// When the tests begin, in milliseconds since the Unix epoch.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

/// An engine under test.
pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) clock: ManualClock,
    pub(crate) client: ClientId,
}

impl Bench {
    /// As stock Redis.
    pub(crate) fn redis() -> Bench {
        Bench::new(Dialect::REDIS)
    }

    /// As Upstash.
    pub(crate) fn upstash() -> Bench {
        Bench::new(Dialect::UPSTASH)
    }

    pub(crate) fn new(dialect: Dialect) -> Bench {
        let clock = ManualClock::at(START_MS);
        let mut engine = Engine::new(Options {
            dialect,
            config: Config::default(),
            clock: Arc::new(clock.clone()),
            seed: 7,
        });
        let client = engine.connect(Connect::default());
        Bench {
            engine,
            clock,
            client,
        }
    }

    /// Runs a command written as one line, words separated by spaces.
    pub(crate) fn run(&mut self, line: &str) -> Reply {
        let args: Vec<Bytes> = line
            .split(' ')
            .map(|word| Bytes::copy_from_slice(word.as_bytes()))
            .collect();
        self.engine.execute(self.client, &args)
    }

    /// Runs a command given as arguments.
    pub(crate) fn run_args(&mut self, args: &[&[u8]]) -> Reply {
        let args: Vec<Bytes> = args.iter().map(|arg| Bytes::copy_from_slice(arg)).collect();
        self.engine.execute(self.client, &args)
    }

    /// Runs a command and shows its reply on one line, as `["a", 1, nil]`.
    pub(crate) fn show(&mut self, line: &str) -> String {
        show(&self.run(line))
    }

    pub(crate) fn advance_ms(&mut self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
        self.engine.tick();
    }
}

/// Shows a reply on one line.
pub(crate) fn show(reply: &Reply) -> String {
    let list = |items: &[Reply]| items.iter().map(show).collect::<Vec<_>>().join(", ");
    match reply {
        Reply::None => "none".to_owned(),
        Reply::Status(text) => String::from_utf8_lossy(text).into_owned(),
        Reply::Error(error) => format!("(error) {error}"),
        Reply::Integer(n) => n.to_string(),
        Reply::Bulk(bytes) | Reply::Verbatim(_, bytes) | Reply::BigNumber(bytes) => {
            format!("\"{}\"", bytes.escape_ascii())
        }
        Reply::Nil | Reply::NilArray => "nil".to_owned(),
        Reply::Array(items) => format!("[{}]", list(items)),
        Reply::Set(items) => format!("~[{}]", list(items)),
        Reply::Push(items) => format!(">[{}]", list(items)),
        Reply::Map(pairs) => {
            let shown: Vec<String> = pairs
                .iter()
                .map(|(k, v)| format!("{}: {}", show(k), show(v)))
                .collect();
            format!("{{{}}}", shown.join(", "))
        }
        Reply::Double(value) => format!("{value:?}"),
        Reply::Boolean(value) => value.to_string(),
    }
}
