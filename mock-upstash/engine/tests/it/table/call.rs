//! Calls of every command, read from `tests/data/calls.txt`.

/// Whose answers a block of calls expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// A redis-server's.
    Redis,
    /// Those written down, of the engine as stock Redis.
    Engine,
    /// Those written down, of the engine as Upstash.
    Upstash,
}

/// What a call is to answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// What the redis-server answers.
    AsRedis,
    /// A reply, as tests show it.
    Reply(String),
    /// Any text, kept under a name.
    Kept(String),
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) line: String,
    pub(super) args: Vec<Vec<u8>>,
    pub(super) expected: Expected,
}

/// Calls on one connection.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) judge: Judge,
    pub(super) title: String,
    pub(super) calls: Vec<Call>,
}

/// The blocks of the file.
pub(super) fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in include_str!("../../data/calls.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((judge, title)) = heading(line) {
            blocks.push(Block {
                judge,
                title: title.to_owned(),
                calls: Vec::new(),
            });
            continue;
        }
        let block = blocks.last_mut().expect("a heading comes first");
        if let Some(name) = line.strip_prefix("=> $") {
            last(block).expected = Expected::Kept(name.to_owned());
        } else if let Some(reply) = line.strip_prefix("= ") {
            last(block).expected = Expected::Reply(reply.to_owned());
        } else {
            block.calls.push(Call {
                line: line.to_owned(),
                args: words(line),
                expected: Expected::AsRedis,
            });
        }
    }
    blocks
}

fn heading(line: &str) -> Option<(Judge, &str)> {
    let (judge, title) = line.strip_prefix('[')?.split_once("] ")?;
    let judge = match judge {
        "redis" => Judge::Redis,
        "engine" => Judge::Engine,
        "upstash" => Judge::Upstash,
        other => panic!("no such judge: {other}"),
    };
    Some((judge, title))
}

fn last(block: &mut Block) -> &mut Call {
    assert_ne!(block.judge, Judge::Redis, "Redis says what it answers");
    block.calls.last_mut().expect("a call stands before it")
}

/// Splits a line into words, as redis-cli does.
fn words(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut rest = line.as_bytes();
    while let [first, tail @ ..] = rest {
        match first {
            b' ' => rest = tail,
            b'"' => {
                let (word, tail) = quoted(tail);
                words.push(word);
                rest = tail;
            }
            _ => {
                let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
                words.push(rest[..end].to_vec());
                rest = &rest[end..];
            }
        }
    }
    words
}

fn quoted(mut rest: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut word = Vec::new();
    loop {
        rest = match rest {
            [b'"', tail @ ..] => return (word, tail),
            [b'\\', b'x', high, low, tail @ ..] => {
                let digit = |b: u8| char::from(b).to_digit(16).expect("a hexadecimal digit");
                word.push((digit(*high) * 16 + digit(*low)) as u8);
                tail
            }
            [b'\\', b'n', tail @ ..] => {
                word.push(b'\n');
                tail
            }
            [b'\\', other, tail @ ..] => {
                word.push(*other);
                tail
            }
            [other, tail @ ..] => {
                word.push(*other);
                tail
            }
            [] => panic!("quotes that do not end"),
        };
    }
}
