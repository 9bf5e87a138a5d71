//! Getting a Redis: a container, else a `redis-server` of this machine, else a word on what to do.

mod docker;
mod process;
mod reaper;

use std::time::Duration;

use scenarios::Connector;
use url::Url;

use self::docker::Container;
use self::process::{ServerProcess, find_server};
use super::error::TargetError;
use super::option::{DEFAULT_REDIS_IMAGE, Options};
use super::tcp::TcpConnector;

/// A Redis that swapcheck started, and stops again.
pub(crate) struct Provisioned {
    pub(crate) url: Url,
    pub(crate) description: String,
    pub(crate) notes: Vec<String>,
    pub(crate) server: Server,
}

/// What runs the Redis.
pub(crate) enum Server {
    Container(Box<Container>),
    Process(ServerProcess),
}

impl Server {
    /// Stops it and waits until it has ended.
    pub(crate) async fn stop(&mut self) {
        match self {
            Server::Container(container) => container.stop().await,
            Server::Process(process) => process.stop(),
        }
    }
}

/// Starts a Redis: in a container, else from PATH. An image that the user named is not replaced by
/// anything else.
///
/// # Errors
/// [`TargetError::Provision`], which names the ways out.
pub(crate) async fn provision(options: &Options) -> Result<Provisioned, TargetError> {
    let named = options
        .redis_image
        .as_deref()
        .or(options.environment.get("SWAPCHECK_REDIS_IMAGE"));
    let image = named.unwrap_or(DEFAULT_REDIS_IMAGE);
    let why_not = match docker::probe(&options.environment).await {
        Err(why_not) => why_not,
        Ok(()) => match Container::start(image, &options.notify).await {
            Ok(container) => return of_container(container, image),
            Err(why_not) => why_not,
        },
    };
    if named.is_some() {
        return Err(TargetError::Provision(format!(
            "the Redis image {image} cannot be used: {why_not}. Without --redis-image and \
             SWAPCHECK_REDIS_IMAGE a redis-server on PATH is tried; --target redis://host:port \
             takes a running server"
        )));
    }
    let Some(program) = find_server(options.environment.get("PATH").unwrap_or_default()) else {
        return Err(TargetError::Provision(format!(
            "there is no Redis to compare with. {}: {}. There is no redis-server on PATH either (on \
             Debian: apt-get install redis-server). Or give a running server by --target \
             redis://host:port",
            why_not.reason, why_not.advice
        )));
    };
    let process = ServerProcess::start(&program).await?;
    Ok(Provisioned {
        url: local_url("127.0.0.1", process.port)?,
        description: format!("{} on port {}", program.display(), process.port),
        notes: vec![format!(
            "{}; used {} instead",
            why_not.reason,
            program.display()
        )],
        server: Server::Process(process),
    })
}

fn of_container(container: Container, image: &str) -> Result<Provisioned, TargetError> {
    Ok(Provisioned {
        url: local_url(&container.host, container.port)?,
        description: format!("container of {image}"),
        notes: Vec::new(),
        server: Server::Container(Box::new(container)),
    })
}

fn local_url(host: &str, port: u16) -> Result<Url, TargetError> {
    Url::parse(&format!("redis://{host}:{port}")).map_err(|error| {
        TargetError::Provision(format!("'{host}' is not a host to connect to: {error}"))
    })
}

/// Whether a Redis answers there already.
async fn answers(url: &Url) -> bool {
    let options = Options {
        connect_timeout: Duration::from_secs(2),
        reply_timeout: Duration::from_secs(2),
        ..Options::default()
    };
    match TcpConnector::new(url, &options) {
        Ok(connector) => connector.connect().await.is_ok(),
        Err(_) => false,
    }
}
