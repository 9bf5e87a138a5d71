//! From the name of a target to a target that answers.

use std::sync::Arc;

use mock_upstash::MockUpstash;
use scenarios::client::Command;
use scenarios::{Connector, Reply};
use url::Url;

use super::endpoint::Endpoint;
use super::error::TargetError;
use super::guest::{Journal, Ledger, Orphan, default_folder};
use super::option::Options;
use super::provision::{Server, provision};
use super::rest::RestConnector;
use super::secret::{Secret, redact_text, redact_url};
use super::spec::{TargetKind, TargetSpec};
use super::tcp::TcpConnector;
use super::{Opened, Target};

/// A server that runs for as long as its target.
pub(super) enum Held {
    /// A Redis in a container or a process.
    Server(Server),
    /// The mock.
    Mock(MockUpstash),
}

impl Held {
    pub(super) async fn stop(self) {
        match self {
            Held::Server(mut server) => server.stop().await,
            Held::Mock(mock) => mock.stop().await,
        }
    }
}

/// The variables that hold the REST URL and token of an Upstash database: Upstash's own names,
/// then those that Vercel sets.
const REST_VARIABLES: [(&str, &str); 2] = [
    ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
    ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
];
/// The variable that holds the `rediss://` URL of an Upstash database.
const TCP_VARIABLE: &str = "UPSTASH_REDIS_URL";

/// Where a target is, as far as the command line and the environment tell.
pub(crate) enum Place {
    /// Nowhere yet: swapcheck starts it.
    Started,
    /// At a REST URL.
    Rest(Url, Secret),
    /// At a URL of the Redis protocol.
    Tcp(Url),
    /// Nothing tells, which is said in a line and is no failure.
    Absent(String),
}

/// Finds out where `spec` is, without asking anybody.
///
/// # Errors
/// [`TargetError::Mistake`] for a URL that is none, or credentials of which half is missing.
pub(crate) fn locate(spec: &TargetSpec, options: &Options) -> Result<Place, TargetError> {
    Ok(match spec.kind() {
        TargetKind::Redis | TargetKind::Mock => Place::Started,
        TargetKind::Upstash => match rest_credentials(options)? {
            Some((url, token)) => Place::Rest(url, token),
            None => Place::Absent(
                "no Upstash database: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or \
                 KV_REST_API_URL and KV_REST_API_TOKEN) to include one"
                    .to_owned(),
            ),
        },
        TargetKind::UpstashTcp => match options.environment.get(TCP_VARIABLE) {
            Some(text) => Place::Tcp(url_of(TCP_VARIABLE, text, &["redis", "rediss"])?),
            None => Place::Absent(format!(
                "no Upstash database over TCP: set {TCP_VARIABLE} to its rediss:// URL to include one"
            )),
        },
        TargetKind::RedisUrl => Place::Tcp(given(spec)?.clone()),
        TargetKind::RestUrl => {
            let url = given(spec)?;
            Place::Rest(url.clone(), token_for(url, options)?)
        }
    })
}

/// Finds or starts the server that `spec` names, and makes sure that it answers.
///
/// # Errors
/// When the server cannot be reached or started, or refuses the credentials; see [`TargetError`].
pub async fn open(spec: &TargetSpec, options: &Options) -> Result<Opened, TargetError> {
    let target = match locate(spec, options)? {
        Place::Absent(reason) => return Ok(Opened::Absent(reason)),
        Place::Started if spec.kind() == TargetKind::Mock => {
            let mut target = open_mock(MockUpstash::builder(), true, options).await?;
            target.name = spec.name().to_owned();
            target
        }
        Place::Started => open_redis(spec, options).await?,
        Place::Rest(url, token) => open_rest(spec, &url, token, options).await?,
        Place::Tcp(url) => open_tcp(spec, &url, options).await?,
    };
    Ok(Opened::Ready(Box::new(target)))
}

fn given(spec: &TargetSpec) -> Result<&Url, TargetError> {
    spec.url()
        .ok_or_else(|| TargetError::Mistake(format!("the target '{}' has no URL", spec.name())))
}

async fn open_redis(spec: &TargetSpec, options: &Options) -> Result<Target, TargetError> {
    let provisioned = provision(options).await?;
    let local = Options {
        ca_file: None,
        ..options.clone()
    };
    let connector: Arc<dyn Connector> = Arc::new(TcpConnector::new(&provisioned.url, &local)?);
    let mut target = Target::around(spec.name(), spec.kind(), connector, true);
    target.endpoint = Some(Endpoint {
        url: provisioned.url.clone(),
        token: None,
        ca_file: None,
    });
    target.description = provisioned.description;
    target.notes = provisioned.notes;
    *target.kept.server.lock().await = Some(Held::Server(provisioned.server));
    target.version = version(&target).await;
    Ok(target)
}

/// Starts a mock in this process, and reaches it over REST or over TCP.
///
/// # Errors
/// When it cannot be started or does not answer.
pub(crate) async fn open_mock(
    builder: mock_upstash::Builder,
    rest: bool,
    options: &Options,
) -> Result<Target, TargetError> {
    let mock = builder.start().await.map_err(|error| {
        TargetError::Provision(format!("the mock could not be started: {error}"))
    })?;
    let own = |url: &str| {
        Url::parse(url).map_err(|error| {
            TargetError::Provision(format!("the mock's own URL cannot be read: {error}"))
        })
    };
    let local = Options {
        ca_file: None,
        ..options.clone()
    };
    let url = own(&mock.url())?;
    let connector: Arc<dyn Connector> = match mock.redis_url().filter(|_| !rest) {
        Some(redis) => Arc::new(TcpConnector::new(&own(&redis)?, &local)?),
        None => {
            let connector = RestConnector::new(&url, Secret::new(mock.token()), &local)?;
            connector.check().await?;
            Arc::new(connector)
        }
    };
    let kind = if rest {
        TargetKind::Mock
    } else {
        TargetKind::UpstashTcp
    };
    let mut target = Target::around("mock", kind, connector, true);
    target.endpoint = Some(Endpoint {
        url: url.clone(),
        token: Some(Secret::new(mock.token())),
        ca_file: None,
    });
    target.description = format!("mock in this process, {}", redact_url(&url));
    target.version = version(&target).await;
    *target.kept.server.lock().await = Some(Held::Mock(mock));
    Ok(target)
}

async fn open_tcp(spec: &TargetSpec, url: &Url, options: &Options) -> Result<Target, TargetError> {
    let connector = TcpConnector::new(url, options)?;
    connector.dial().await?;
    as_guest(spec, url, None, Arc::new(connector), options).await
}

async fn open_rest(
    spec: &TargetSpec,
    url: &Url,
    token: Secret,
    options: &Options,
) -> Result<Target, TargetError> {
    let connector = RestConnector::new(url, token.clone(), options)?;
    connector.check().await?;
    as_guest(spec, url, Some(token), Arc::new(connector), options).await
}

async fn as_guest(
    spec: &TargetSpec,
    url: &Url,
    token: Option<Secret>,
    connector: Arc<dyn Connector>,
    options: &Options,
) -> Result<Target, TargetError> {
    let shown = redact_url(url);
    let folder = options.journal_dir.clone().unwrap_or_else(default_folder);
    let mut notes = Vec::new();
    let orphans = Orphan::find(&folder, &shown);
    let journal = Journal::create(&folder, &shown)
        .inspect_err(|error| {
            notes.push(format!(
                "no journal of keys can be written to {} ({error}): if this run is killed, keys of \
                 scenarios that look at expiries stay on {shown}",
                folder.display()
            ));
        })
        .ok();
    let ledger = Ledger::guest(connector.clone(), options.max_commands, journal);
    for orphan in orphans {
        match ledger.delete(&orphan.keys).await {
            Ok(()) if orphan.keys.is_empty() => orphan.forget(),
            Ok(()) => {
                let count = orphan.keys.len();
                notes.push(format!(
                    "deleted what a run that was killed had left behind ({count} keys)"
                ));
                orphan.forget();
            }
            Err(error) => notes.push(format!(
                "what a run that was killed had left behind could not be deleted: {error}"
            )),
        }
    }
    let mut target = Target {
        name: spec.name().to_owned(),
        kind: spec.kind(),
        connector,
        owned: false,
        description: shown,
        version: None,
        notes,
        endpoint: Some(Endpoint {
            url: url.clone(),
            token,
            ca_file: options.ca_file.clone(),
        }),
        ledger,
        kept: Box::default(),
    };
    // The check of the credentials, and what follows.
    target.ledger.bill(2);
    target.version = version(&target).await;
    Ok(target)
}

/// What the server says of itself; `None` where it says nothing, or may not be asked.
async fn version(target: &Target) -> Option<String> {
    let info: Command = vec![b"INFO".to_vec(), b"server".to_vec()];
    let mut client = target.connector.connect().await.ok()?;
    let Ok(Reply::Bulk(text)) = client.command(&info).await else {
        return None;
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    };
    let redis = field("redis_version");
    match (field("upstash_version"), field("valkey_version"), redis) {
        (Some(upstash), _, Some(redis)) => Some(format!("Upstash {upstash} (Redis {redis})")),
        (Some(upstash), _, None) => Some(format!("Upstash {upstash}")),
        (None, Some(valkey), _) => Some(format!("Valkey {valkey}")),
        (None, None, redis) => redis.map(|redis| format!("Redis {redis}")),
    }
}

/// The REST URL and token of the environment, if both are set; one without the other is a mistake.
fn rest_credentials(options: &Options) -> Result<Option<(Url, Secret)>, TargetError> {
    let environment = &options.environment;
    for (url_variable, token_variable) in REST_VARIABLES {
        match (
            environment.get(url_variable),
            environment.secret(&[token_variable]),
        ) {
            (Some(url), Some((_, token))) => {
                return Ok(Some((
                    url_of(url_variable, url, &["http", "https"])?,
                    token,
                )));
            }
            (Some(_), None) => return Err(half_set(url_variable, token_variable)),
            (None, Some(_)) => return Err(half_set(token_variable, url_variable)),
            (None, None) => {}
        }
    }
    Ok(None)
}

fn half_set(set: &str, missing: &str) -> TargetError {
    TargetError::Mistake(format!(
        "{set} is set and {missing} is not: set both, or neither"
    ))
}

/// A URL from a variable, which people paste with quotes around it or mix up with another.
fn url_of(variable: &str, text: &str, schemes: &[&str]) -> Result<Url, TargetError> {
    let shown = redact_text(text);
    let expected = schemes.last().copied().unwrap_or_default();
    let url = Url::parse(text).map_err(|error| {
        let quoted = text.starts_with(['"', '\'']);
        let advice = if quoted {
            "take the quotes away"
        } else {
            "copy it from the Upstash console"
        };
        TargetError::Mistake(format!(
            "{variable} is not a URL ('{shown}': {error}): {advice}"
        ))
    })?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(TargetError::Mistake(format!(
            "{variable} is '{shown}', and should begin with {expected}://: copy it from the Upstash \
             console, which shows one for REST (https://) and one for TCP (rediss://)"
        )));
    }
    Ok(url)
}

/// The token for a URL that was given by hand: in it, or in the environment.
fn token_for(url: &Url, options: &Options) -> Result<Secret, TargetError> {
    let in_query = url
        .query_pairs()
        .find(|(name, _)| name == "_token")
        .map(|(_, token)| token.into_owned());
    if let Some(token) = in_query.or_else(|| url.password().map(str::to_owned)) {
        return Ok(Secret::new(token));
    }
    let variables = REST_VARIABLES.map(|(_, token)| token);
    options
        .environment
        .secret(&variables)
        .map(|(_, token)| token)
        .ok_or_else(|| {
            TargetError::Mistake(format!(
                "no token for {}: set {}, or give it in the URL as ?_token=…",
                redact_url(url),
                variables[0]
            ))
        })
}
