//! How long other clients wait while a million elements go: a thread frees them, as in the mock.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use redis_engine::{Disposal, Rubbish};

use crate::Store;

const ELEMENTS: usize = 1_000_000;

struct Thread(Sender<Rubbish>);

impl Disposal for Thread {
    fn dispose(&mut self, rubbish: Rubbish) {
        // The thread ends with the engine; what it does not take any more is dropped here.
        drop(self.0.send(rubbish));
    }
}

fn store() -> Store {
    let mut store = Store::redis();
    let (sender, rubbish) = channel::<Rubbish>();
    std::thread::spawn(move || rubbish.into_iter().for_each(drop));
    store.engine.disposal = Box::new(Thread(sender));
    store
}

fn list(store: &mut Store) {
    store.fill("RPUSH k", ELEMENTS, |n| format!("element{n}"));
}

fn set(store: &mut Store) {
    store.fill("SADD k", ELEMENTS, |n| format!("member{n}"));
}

fn hash(store: &mut Store) {
    store.fill("HSET k", ELEMENTS, |n| format!("field{n} value{n}"));
}

fn sorted_set(store: &mut Store) {
    store.fill("ZADD k", ELEMENTS, |n| format!("{n} member{n}"));
}

fn stream(store: &mut Store) {
    for n in 0..ELEMENTS {
        store.run_line(&format!("XADD k 1-{} f v", n + 1));
    }
}

fn keys(store: &mut Store) {
    store.fill("MSET", ELEMENTS, |n| format!("key:{n} value:{n}"));
}

/// A command's name, what fills the store before it, and the command.
type Case = (&'static str, fn(&mut Store), &'static str);

const CASES: [Case; 10] = [
    ("FLUSHALL of 1,000,000 keys", keys, "FLUSHALL"),
    ("FLUSHDB of 1,000,000 keys", keys, "FLUSHDB"),
    ("DEL of a list", list, "DEL k"),
    ("DEL of a set", set, "DEL k"),
    ("DEL of a hash", hash, "DEL k"),
    ("DEL of a sorted set", sorted_set, "DEL k"),
    ("DEL of a stream", stream, "DEL k"),
    ("UNLINK of a hash", hash, "UNLINK k"),
    ("SET over a hash", hash, "SET k v"),
    ("expiry of a hash", hash, "PEXPIREAT k 1"),
];

/// Each case is run so often and the best run counts: whatever else the machine does only adds.
const RUNS: usize = 3;

/// Prints, for each way in which a million elements go, how long the engine was held by it, and the
/// longest that any of the commands right behind it took; at first the latter without anything to free.
pub(crate) fn report() {
    let quiet = best(|| longest_command(&mut store()));
    println!("stall   nothing to free: longest command {quiet:?}");
    for (name, fill, command) in CASES {
        let mut behind = Duration::MAX;
        let held = best(|| {
            let mut store = store();
            fill(&mut store);
            let held = timed(|| store.run_line(command));
            behind = behind.min(longest_command(&mut store));
            held
        });
        println!("stall   {name}: {held:?}; longest command while it is freed: {behind:?}");
    }
}

fn best(mut run: impl FnMut() -> Duration) -> Duration {
    (0..RUNS).map(|_| run()).min().unwrap_or_default()
}

fn longest_command(store: &mut Store) -> Duration {
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    while began.elapsed() < Duration::from_millis(200) {
        longest = longest.max(timed(|| store.run_line("SET other v")));
    }
    longest
}

fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}
