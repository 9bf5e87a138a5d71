//! What the operations of a benchmark send, spelt out in commands.

use scenarios::client::Command;

use super::operation::{Case, Kind, Way};

/// Releases a lock only for its holder.
const RELEASE: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) else return 0 end";
/// A fixed window: counts, and begins the window with the first hit.
const LIMIT: &str = "local hits = redis.call('INCR', KEYS[1]) if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return hits";
const READ: &str = "return redis.call('GET', KEYS[1])";
/// Keys expire after an hour by themselves, should nobody come to delete them.
const EXPIRY: [&str; 2] = ["EX", "3600"];

/// How long a key is taken to be where traffic is reckoned: `session:` and a number, say.
const KEY_LENGTH: usize = 20;

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

/// What one client sends for a case, and what has to be there before.
#[derive(Debug, Clone)]
pub struct Script {
    /// Commands that make what the case needs; every key the case touches is named in them.
    pub seed: Vec<Command>,
    /// The exchanges of one operation, one after the other.
    pub exchanges: Vec<Exchange>,
}

impl Case {
    /// How many bytes of arguments and values one operation moves, both ways.
    pub fn bytes(&self) -> u64 {
        let script = self.script("", 0);
        let length = |words: &[&[u8]]| words.iter().map(|word| word.len()).sum::<usize>();
        let sent: usize = script
            .exchanges
            .iter()
            .flat_map(Exchange::commands)
            .map(|command| {
                // A benchmark's own keys are longer than those that people choose.
                let keys = scenarios::key_position::keys(command);
                let all: usize = command.iter().map(Vec::len).sum();
                all - length(&keys) + keys.len() * KEY_LENGTH
            })
            .sum();
        let received = match self.kind {
            Kind::Get
            | Kind::CacheHit
            | Kind::ColdStart
            | Kind::HashGetAll
            | Kind::Eval
            | Kind::PushPop
            | Kind::Job
            | Kind::Session => self.size * self.batch,
            Kind::Set
            | Kind::Incr
            | Kind::SortedSetAdd
            | Kind::Lock
            | Kind::CacheMiss
            | Kind::RateLimit => 0,
        };
        (sent + received) as u64
    }

    /// What the client with this number sends, its keys under `prefix`.
    pub fn script(&self, prefix: &str, client: usize) -> Script {
        let base = format!("{prefix}{}:{client}", self.id.replace('/', "-"));
        let value = "x".repeat(self.size);
        let items: Vec<(Vec<Command>, Vec<Command>)> = (0..self.batch)
            .map(|item| self.item(&format!("{base}:{item}"), &value))
            .collect();
        // The first commands of all items go together, then their second ones.
        let steps = items.first().map_or(0, |(_, commands)| commands.len());
        let exchanges = (0..steps)
            .map(|step| {
                let mut commands: Vec<Command> = items
                    .iter()
                    .map(|(_, commands)| commands[step].clone())
                    .collect();
                match self.way {
                    Way::Single => Exchange::One(commands.swap_remove(0)),
                    Way::Pipeline => Exchange::Pipeline(commands),
                    Way::Transaction => Exchange::Transaction(commands),
                }
            })
            .collect();
        Script {
            seed: items.into_iter().flat_map(|(seed, _)| seed).collect(),
            exchanges,
        }
    }

    /// What has to be there for one operation, and its commands, one after the other.
    fn item(&self, base: &str, value: &str) -> (Vec<Command>, Vec<Command>) {
        let key = |name: &str| format!("{base}:{name}");
        let set = |key: &str| words_of(&["SET", key, value, EXPIRY[0], EXPIRY[1]]);
        let (main, other) = (key("a"), key("b"));
        let expire = |key: &str| words_of(&["EXPIRE", key, EXPIRY[1]]);
        match self.kind {
            Kind::Get | Kind::CacheHit | Kind::ColdStart => {
                (vec![set(&main)], vec![words_of(&["GET", &main])])
            }
            Kind::Set => (vec![set(&main)], vec![set(&main)]),
            Kind::Incr => (
                vec![words_of(&["SET", &main, "0", EXPIRY[0], EXPIRY[1]])],
                vec![words_of(&["INCR", &main])],
            ),
            Kind::HashGetAll => (
                hash(&main, 10, self.size / 10),
                vec![words_of(&["HGETALL", &main])],
            ),
            Kind::SortedSetAdd => (
                vec![words_of(&["ZADD", &main, "0", "first"]), expire(&main)],
                vec![words_of(&["ZADD", &main, "1", value])],
            ),
            // The list is never empty, so it keeps its expiry.
            Kind::PushPop => (
                vec![words_of(&["LPUSH", &main, value]), expire(&main)],
                vec![
                    words_of(&["LPUSH", &main, value]),
                    words_of(&["RPOP", &main]),
                ],
            ),
            Kind::Eval => (
                vec![set(&main)],
                vec![words_of(&["EVAL", READ, "1", &main])],
            ),
            Kind::Lock => (
                vec![words_of(&["DEL", &main])],
                vec![
                    words_of(&["SET", &main, "token", "NX", "PX", "10000"]),
                    words_of(&["EVAL", RELEASE, "1", &main, "token"]),
                ],
            ),
            Kind::Job => (
                vec![
                    words_of(&["LPUSH", &main, value]),
                    words_of(&["LPUSH", &other, "kept"]),
                    expire(&main),
                    expire(&other),
                ],
                vec![
                    words_of(&["LPUSH", &main, value]),
                    words_of(&["LMOVE", &main, &other, "RIGHT", "LEFT"]),
                    words_of(&["LREM", &other, "1", value]),
                ],
            ),
            Kind::Session => (
                hash(&main, 10, self.size / 10),
                vec![words_of(&["HGETALL", &main]), expire(&main)],
            ),
            Kind::CacheMiss => (
                vec![words_of(&["DEL", &main]), set(&other)],
                vec![words_of(&["GET", &main]), set(&other)],
            ),
            Kind::RateLimit => (
                vec![words_of(&["DEL", &main])],
                vec![words_of(&["EVAL", LIMIT, "1", &main, "60000"])],
            ),
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
    use super::super::operation::cases;
    use super::*;

    #[test]
    fn ids_are_unique_and_every_key_is_seeded() {
        let all = cases(&[100, 1_000, 10_000, 100_000], &[1, 10, 100], true);
        let mut ids: Vec<&str> = all.iter().map(|case| case.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all.len());
        for case in all.iter().filter(|case| case.size <= 1_000) {
            let script = case.script("p:", 3);
            let seeded: std::collections::HashSet<Vec<u8>> = script
                .seed
                .iter()
                .flat_map(scenarios::key_position::keys)
                .map(|key| key.to_vec())
                .collect();
            let used = script.exchanges.iter().flat_map(Exchange::commands);
            for key in used.flat_map(scenarios::key_position::keys) {
                assert!(seeded.contains(key), "{}", case.id);
                assert!(key.starts_with(b"p:"), "{}", case.id);
            }
        }
    }

    #[test]
    fn a_batch_does_each_step_for_all_of_its_items_at_once() {
        let all = cases(&[100], &[3], true);
        let case = all
            .iter()
            .find(|case| case.id == "locks/acquire-release/transaction/3");
        let script = case.expect("it is there").script("p:", 0);
        let [
            Exchange::Transaction(acquire),
            Exchange::Transaction(release),
        ] = &script.exchanges[..]
        else {
            panic!("{:?}", script.exchanges);
        };
        assert_eq!((acquire.len(), release.len()), (3, 3));
        assert!(acquire.iter().all(|command| command[0] == b"SET"));
        assert_ne!(acquire[0][1], acquire[1][1]);
        assert_eq!(acquire[2][1], release[2][3]);
    }
}
