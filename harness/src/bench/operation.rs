//! What is measured: single commands, whole operations of the areas, and batches.

use scenarios::client::Command;

/// Releases a lock only for its holder.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";
/// A fixed window: counts, and begins the window with the first hit.
const LIMIT: &str = "local hits = redis.call('INCR', KEYS[1]) if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return hits";
const READ: &str = "return redis.call('GET', KEYS[1])";
/// Keys expire after an hour by themselves, should nobody come to delete them.
const EXPIRY: [&str; 2] = ["EX", "3600"];

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// A command of its own.
    One(Command),
    /// Several commands at once.
    Pipeline(Vec<Command>),
    /// Several commands as one transaction.
    Transaction(Vec<Command>),
}

impl Exchange {
    /// The commands of the exchange.
    pub fn commands(&self) -> &[Command] {
        match self {
            Exchange::One(command) => std::slice::from_ref(command),
            Exchange::Pipeline(commands) | Exchange::Transaction(commands) => commands,
        }
    }
}

/// What kind of thing a case measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// One command.
    Command,
    /// What an application does as one step: several round trips.
    Operation,
    /// Many commands in one exchange.
    Batch,
    /// A connection made for one command.
    ColdStart,
}

/// One thing to measure, at one size and one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id: `get/1kb`, `pipeline/100`.
    pub id: String,
    /// What it does, in a line.
    pub title: &'static str,
    /// What kind of thing it is.
    pub group: Group,
    /// How many bytes a value has.
    pub size: usize,
    /// How many commands an exchange has.
    pub batch: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Get,
    Set,
    Incr,
    HashGetAll,
    SortedSetAdd,
    PushPop,
    Eval,
    Lock,
    Job,
    Session,
    CacheHit,
    CacheMiss,
    RateLimit,
    Pipeline,
    Transaction,
    ColdStart,
}

/// What one client sends for a case, and what has to be there before.
#[derive(Debug, Clone)]
pub struct Script {
    /// Commands that make what the case needs; every key the case touches is named in them.
    pub seed: Vec<Command>,
    /// The exchanges of one operation, one after the other.
    pub exchanges: Vec<Exchange>,
}

/// All cases at these value sizes and batches.
pub fn cases(sizes: &[usize], batches: &[usize]) -> Vec<Case> {
    let mut all = Vec::new();
    let case = |id: &str, title, group, size, batch, kind| Case {
        id: id.to_owned(),
        title,
        group,
        size,
        batch,
        kind,
    };
    for (name, title, kind) in [
        ("get", "GET of a string", Kind::Get),
        ("set", "SET of a string with an expiry", Kind::Set),
    ] {
        for size in sizes {
            let id = format!("{name}/{}", size_name(*size));
            all.push(case(&id, title, Group::Command, *size, 1, kind));
        }
    }
    for (id, title, kind) in [
        ("incr", "INCR of a counter", Kind::Incr),
        (
            "hgetall",
            "HGETALL of a hash of ten fields of 100 bytes",
            Kind::HashGetAll,
        ),
        ("zadd", "ZADD of one member", Kind::SortedSetAdd),
        ("lpush-rpop", "LPUSH, then RPOP", Kind::PushPop),
        ("eval", "EVAL of a script that reads one key", Kind::Eval),
    ] {
        all.push(case(id, title, Group::Command, 100, 1, kind));
    }
    for (id, title, kind) in [
        (
            "locks/acquire-release",
            "acquire and release a lock",
            Kind::Lock,
        ),
        (
            "queue/enqueue-take",
            "enqueue a job, take it, acknowledge it",
            Kind::Job,
        ),
        (
            "sessions/read-touch",
            "read a session and extend it",
            Kind::Session,
        ),
        ("cache/hit", "cache-aside, hit", Kind::CacheHit),
        ("cache/miss", "cache-aside, miss and fill", Kind::CacheMiss),
        (
            "patterns/rate-limit",
            "a rate-limit check by script",
            Kind::RateLimit,
        ),
    ] {
        all.push(case(id, title, Group::Operation, 1_000, 1, kind));
    }
    for (name, title, kind) in [
        ("pipeline", "GETs in a pipeline", Kind::Pipeline),
        ("transaction", "GETs in a transaction", Kind::Transaction),
    ] {
        for batch in batches {
            let id = format!("{name}/{batch}");
            all.push(case(&id, title, Group::Batch, 100, *batch, kind));
        }
    }
    all.push(case(
        "cold-start",
        "connect, then GET",
        Group::ColdStart,
        100,
        1,
        Kind::ColdStart,
    ));
    all
}

/// A size as ids have it: `100b`, `1kb`.
pub fn size_name(size: usize) -> String {
    match size {
        _ if size >= 1_000_000 && size.is_multiple_of(1_000_000) => {
            format!("{}mb", size / 1_000_000)
        }
        _ if size >= 1_000 && size.is_multiple_of(1_000) => format!("{}kb", size / 1_000),
        _ => format!("{size}b"),
    }
}

impl Case {
    /// What the client with this number sends, its keys under `prefix`.
    pub fn script(&self, prefix: &str, client: usize) -> Script {
        let key = |name: &str| format!("{prefix}{}:{client}:{name}", self.id.replace('/', "-"));
        let value = "x".repeat(self.size);
        let one = |words: &[&str]| vec![Exchange::One(words_of(words))];
        let set = |key: &str| words_of(&["SET", key, &value, EXPIRY[0], EXPIRY[1]]);
        let (main, other) = (key("a"), key("b"));
        let expire = |key: &str| words_of(&["EXPIRE", key, EXPIRY[1]]);
        let (seed, exchanges) = match self.kind {
            Kind::Get | Kind::CacheHit | Kind::ColdStart => {
                (vec![set(&main)], one(&["GET", &main]))
            }
            Kind::Set => (vec![set(&main)], vec![Exchange::One(set(&main))]),
            Kind::Incr => (
                vec![words_of(&["SET", &main, "0", EXPIRY[0], EXPIRY[1]])],
                one(&["INCR", &main]),
            ),
            Kind::HashGetAll => (hash(&main, 10, 100), one(&["HGETALL", &main])),
            Kind::SortedSetAdd => (
                vec![words_of(&["ZADD", &main, "0", "first"]), expire(&main)],
                one(&["ZADD", &main, "1", "member"]),
            ),
            // The list is never empty, so it keeps its expiry.
            Kind::PushPop => (
                vec![words_of(&["LPUSH", &main, &value]), expire(&main)],
                [one(&["LPUSH", &main, &value]), one(&["RPOP", &main])].concat(),
            ),
            Kind::Eval => (vec![set(&main)], one(&["EVAL", READ, "1", &main])),
            Kind::Lock => (
                vec![words_of(&["DEL", &main])],
                [
                    one(&["SET", &main, "token", "NX", "PX", "10000"]),
                    one(&["EVAL", RELEASE, "1", &main, "token"]),
                ]
                .concat(),
            ),
            Kind::Job => (
                vec![
                    words_of(&["LPUSH", &main, &value]),
                    words_of(&["LPUSH", &other, "kept"]),
                    expire(&main),
                    expire(&other),
                ],
                [
                    one(&["LPUSH", &main, &value]),
                    one(&["LMOVE", &main, &other, "RIGHT", "LEFT"]),
                    one(&["LREM", &other, "1", &value]),
                ]
                .concat(),
            ),
            Kind::Session => (
                hash(&main, 10, self.size / 10),
                [one(&["HGETALL", &main]), vec![Exchange::One(expire(&main))]].concat(),
            ),
            Kind::CacheMiss => (
                vec![words_of(&["DEL", &main]), set(&other)],
                [one(&["GET", &main]), vec![Exchange::One(set(&other))]].concat(),
            ),
            Kind::RateLimit => (
                vec![words_of(&["DEL", &main])],
                one(&["EVAL", LIMIT, "1", &main, "60000"]),
            ),
            Kind::Pipeline | Kind::Transaction => {
                let commands = vec![words_of(&["GET", &main]); self.batch];
                let exchange = match self.kind {
                    Kind::Transaction => Exchange::Transaction(commands),
                    _ => Exchange::Pipeline(commands),
                };
                (vec![set(&main)], vec![exchange])
            }
        };
        Script { seed, exchanges }
    }

    /// Whether each operation makes a connection of its own, however the others are run.
    pub fn is_cold(&self) -> bool {
        self.kind == Kind::ColdStart
    }

    /// Which exchanges must not be answered with nil: then they did not do what they are for.
    pub fn needs_value(&self, exchange: usize) -> bool {
        match self.kind {
            Kind::CacheMiss => exchange == 1,
            Kind::Job => exchange == 1,
            _ => true,
        }
    }
}

fn hash(key: &str, fields: usize, size: usize) -> Vec<Command> {
    let mut command = words_of(&["HSET", key]);
    for field in 0..fields {
        command.push(format!("field{field}").into_bytes());
        command.push("x".repeat(size.max(1)).into_bytes());
    }
    vec![command, words_of(&["EXPIRE", key, EXPIRY[1]])]
}

fn words_of(words: &[&str]) -> Command {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_key_is_seeded() {
        let all = cases(&[100, 1_000, 10_000, 100_000], &[1, 10, 100]);
        let mut ids: Vec<&str> = all.iter().map(|case| case.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
        for case in &all {
            let script = case.script("p:", 3);
            let seeded: Vec<Vec<u8>> = script
                .seed
                .iter()
                .flat_map(scenarios::key_position::keys)
                .map(|key| key.to_vec())
                .collect();
            let used = script.exchanges.iter().flat_map(Exchange::commands);
            for key in used.flat_map(scenarios::key_position::keys) {
                assert!(seeded.iter().any(|one| one[..] == key[..]), "{}", case.id);
                assert!(key.starts_with(b"p:"), "{}", case.id);
            }
        }
    }
}
