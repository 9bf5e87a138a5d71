//! How a user names a target: a word (`redis`, `mock`, `upstash`, `upstash-tcp`) or a URL.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::error::TargetError;
use super::secret::{redact_text, redact_url};

/// What kind of server a target is, and how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetKind {
    /// A Redis that swapcheck starts, reached over TCP.
    Redis,
    /// The mock of Upstash, started in this process, reached over REST.
    Mock,
    /// An Upstash database over REST.
    Upstash,
    /// An Upstash database over TLS.
    UpstashTcp,
    /// Any server that speaks the Redis protocol, by URL.
    RedisUrl,
    /// Any server that speaks Upstash's REST API, by URL.
    RestUrl,
}

impl TargetKind {
    /// Whether commands travel over HTTP.
    pub fn is_rest(self) -> bool {
        matches!(
            self,
            TargetKind::Mock | TargetKind::Upstash | TargetKind::RestUrl
        )
    }
}

/// A target as the user named it, checked but not yet reached.
///
/// ```
/// use swapcheck::target::{TargetKind, TargetSpec};
///
/// let spec: TargetSpec = "staging=rediss://default:secret@example.com:6379/0".parse().unwrap();
/// assert_eq!(spec.name(), "staging");
/// assert_eq!(spec.kind(), TargetKind::RedisUrl);
/// assert!(!spec.to_string().contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TargetSpec {
    name: String,
    kind: TargetKind,
    url: Option<Url>,
}

/// The words that name a target without a URL.
pub const TARGET_WORDS: [(&str, TargetKind); 4] = [
    ("redis", TargetKind::Redis),
    ("mock", TargetKind::Mock),
    ("upstash", TargetKind::Upstash),
    ("upstash-tcp", TargetKind::UpstashTcp),
];

impl TargetSpec {
    /// The target that a word stands for.
    pub fn of(kind: TargetKind) -> Option<TargetSpec> {
        let (word, kind) = TARGET_WORDS.into_iter().find(|(_, known)| *known == kind)?;
        Some(TargetSpec {
            name: word.to_owned(),
            kind,
            url: None,
        })
    }

    /// The name that reports use: the word, the `NAME` of `NAME=URL`, or the URL's host and port.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of target it is.
    pub fn kind(&self) -> TargetKind {
        self.kind
    }

    /// The URL, when one was given. It may hold a password: show it by [`redact_url`] only.
    pub fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }
}

impl FromStr for TargetSpec {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        if let Some((word, kind)) = TARGET_WORDS.into_iter().find(|(word, _)| *word == text) {
            return Ok(TargetSpec {
                name: word.to_owned(),
                kind,
                url: None,
            });
        }
        let (name, url_text) = split_name(text);
        if !url_text.contains("://") {
            return Err(unknown_word(url_text));
        }
        let url = parse_url(url_text)?;
        let kind = match url.scheme() {
            "redis" | "rediss" => TargetKind::RedisUrl,
            "http" | "https" => TargetKind::RestUrl,
            other => {
                return Err(TargetError::Mistake(format!(
                    "the target '{}' has the scheme '{other}', which is not known: use redis:// or \
                     rediss:// (TLS) for the Redis protocol, http:// or https:// for Upstash's REST API",
                    redact_text(url_text)
                )));
            }
        };
        check_url(&url, kind)?;
        let name = match name {
            Some(name) => checked_name(name)?,
            None => default_name(&url),
        };
        Ok(TargetSpec {
            name,
            kind,
            url: Some(url),
        })
    }
}

impl fmt::Display for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Some(url) => write!(f, "{}", redact_url(url)),
            None => f.write_str(&self.name),
        }
    }
}

impl fmt::Debug for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetSpec({} = {self})", self.name)
    }
}

/// `NAME=URL` apart; an `=` after the scheme belongs to the URL.
fn split_name(text: &str) -> (Option<&str>, &str) {
    match (text.find('='), text.find("://")) {
        (Some(equals), Some(scheme)) if equals < scheme => {
            (Some(&text[..equals]), &text[equals + 1..])
        }
        _ => (None, text),
    }
}

fn checked_name(name: &str) -> Result<String, TargetError> {
    let fits = !name.is_empty()
        && name.len() <= 40
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !fits {
        return Err(TargetError::Mistake(format!(
            "the target name '{name}' cannot be used: 1 to 40 letters, digits, '-', '_' or '.'"
        )));
    }
    if TARGET_WORDS.iter().any(|(word, _)| *word == name) {
        return Err(TargetError::Mistake(format!(
            "the target name '{name}' stands for swapcheck's own target: choose another name for the URL"
        )));
    }
    Ok(name.to_owned())
}

fn unknown_word(word: &str) -> TargetError {
    let shown = redact_text(word);
    let near = TARGET_WORDS
        .iter()
        .map(|(known, _)| (distance(&word.to_ascii_lowercase(), known), *known))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map_or_else(
            || ".".to_owned(),
            |(_, known)| format!("; did you mean '{known}'?"),
        );
    TargetError::Mistake(format!(
        "the target '{shown}' is not known{near} Targets are redis, mock, upstash, upstash-tcp, or a \
         URL that begins with redis://, rediss://, http:// or https://"
    ))
}

fn parse_url(text: &str) -> Result<Url, TargetError> {
    Url::parse(text).map_err(|error| {
        TargetError::Mistake(format!(
            "the target '{}' is not a URL: {error}. It should look like \
             redis://user:password@host:6379/0 or https://name.upstash.io; percent-encode special \
             characters in a password",
            redact_text(text)
        ))
    })
}

/// What a URL that parses can still get wrong.
fn check_url(url: &Url, kind: TargetKind) -> Result<(), TargetError> {
    let shown = redact_url(url);
    if url.host_str().is_none_or(str::is_empty) {
        return Err(TargetError::Mistake(format!(
            "the target '{shown}' names no host: write {}://host:port",
            url.scheme()
        )));
    }
    if url.port() == Some(0) {
        return Err(TargetError::Mistake(format!(
            "the target '{shown}' names port 0, which nothing listens on: write the server's port, \
             6379 for most Redis servers"
        )));
    }
    if kind == TargetKind::RedisUrl {
        let database = url.path().trim_matches('/');
        if !database.is_empty() && database.parse::<u16>().is_err() {
            return Err(TargetError::Mistake(format!(
                "the target '{shown}' ends in '/{database}', which is not a database number: write \
                 /0, or leave it out"
            )));
        }
        if let Some((name, _)) = url.query_pairs().next() {
            return Err(TargetError::Mistake(format!(
                "the target '{shown}' has the query parameter '{name}', which redis:// URLs do not \
                 take: write {}://user:password@host:port/database",
                url.scheme()
            )));
        }
    }
    Ok(())
}

fn default_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// Levenshtein distance, to suggest the word that a typo was meant to be.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
