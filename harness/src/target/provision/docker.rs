//! A Redis in a container, by testcontainers, and finding out beforehand whether Docker is there.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use testcontainers::core::IntoContainerPort;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::super::dial::Wire;
use super::super::option::{Environment, Notify};
use super::reaper::Reaper;
use super::{answers, local_url};

/// How long Docker may take to answer the simplest question.
const PROBE_LIMIT: Duration = Duration::from_secs(3);
/// How long getting the image and starting it may take.
const START_LIMIT: Duration = Duration::from_secs(180);
/// How long the server in the container may take to answer.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// A container that is removed with this value, or with the process.
pub(crate) struct Container {
    pub(crate) host: String,
    pub(crate) port: u16,
    held: Option<ContainerAsync<GenericImage>>,
    reaper: Reaper,
}

/// Why there is no container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoContainer {
    /// What is the matter, for who gets along without.
    pub(crate) reason: String,
    /// What to do about it, for who does not.
    pub(crate) advice: String,
    /// Docker's own words.
    pub(crate) detail: Option<String>,
}

impl NoContainer {
    fn new(reason: impl Into<String>, advice: impl Into<String>) -> Self {
        NoContainer {
            reason: reason.into(),
            advice: advice.into(),
            detail: None,
        }
    }
}

impl std::fmt::Display for NoContainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.reason, self.advice)?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

/// Where Docker listens.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Endpoint {
    Socket(PathBuf),
    Address(String),
    /// A way that is left to testcontainers to try, such as `https://`.
    Other(String),
}

/// Says why Docker cannot be used; `Ok` when it answers.
pub(crate) async fn probe(environment: &Environment) -> Result<(), NoContainer> {
    let endpoint = endpoint(environment);
    match timeout(PROBE_LIMIT, ping(&endpoint)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(NoContainer::new(
            format!(
                "Docker does not answer at {} within {} s",
                endpoint.shown(),
                PROBE_LIMIT.as_secs()
            ),
            "restart it",
        )),
    }
}

impl Endpoint {
    fn shown(&self) -> String {
        match self {
            Endpoint::Socket(path) => path.display().to_string(),
            Endpoint::Address(text) | Endpoint::Other(text) => text.clone(),
        }
    }
}

/// The places that testcontainers looks at, in its order.
fn endpoint(environment: &Environment) -> Endpoint {
    if let Some(host) = environment.get("DOCKER_HOST") {
        return if let Some(path) = host.strip_prefix("unix://") {
            Endpoint::Socket(path.into())
        } else if let Some(address) = host.strip_prefix("tcp://").or(host.strip_prefix("http://")) {
            Endpoint::Address(address.trim_end_matches('/').to_owned())
        } else {
            Endpoint::Other(host.to_owned())
        };
    }
    let system = PathBuf::from("/var/run/docker.sock");
    let of_user = [
        ("XDG_RUNTIME_DIR", ".docker/run/docker.sock"),
        ("HOME", ".docker/run/docker.sock"),
        ("HOME", ".docker/desktop/docker.sock"),
    ]
    .into_iter()
    .filter_map(|(variable, path)| Some(PathBuf::from(environment.get(variable)?).join(path)));
    let found = std::iter::once(system.clone())
        .chain(of_user)
        .find(|path| path.exists());
    Endpoint::Socket(found.unwrap_or(system))
}

async fn ping(endpoint: &Endpoint) -> Result<(), NoContainer> {
    let shown = endpoint.shown();
    let connected: std::io::Result<Box<dyn Wire>> = match endpoint {
        Endpoint::Socket(path) => UnixStream::connect(path)
            .await
            .map(|stream| Box::new(stream) as _),
        Endpoint::Address(address) => TcpStream::connect(address)
            .await
            .map(|stream| Box::new(stream) as _),
        Endpoint::Other(_) => return Ok(()),
    };
    let mut stream = connected.map_err(|error| unconnected(&shown, &error))?;
    let unanswered = |error: std::io::Error| {
        NoContainer::new(
            format!("Docker at {shown} closed the connection ({error})"),
            "restart it",
        )
    };
    stream
        .write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        .await
        .map_err(unanswered)?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.map_err(unanswered)?;
    // A server that wants TLS or a login answers as well, and is testcontainers' to talk to.
    match answer.starts_with(b"HTTP/1.") {
        true => Ok(()),
        false => Err(NoContainer::new(
            format!("what listens at {shown} is not Docker"),
            "check DOCKER_HOST",
        )),
    }
}

fn unconnected(shown: &str, error: &std::io::Error) -> NoContainer {
    match error.kind() {
        std::io::ErrorKind::NotFound => NoContainer::new(
            format!("Docker is not here (no {shown})"),
            "install it, or start it",
        ),
        std::io::ErrorKind::PermissionDenied => NoContainer::new(
            format!("you may not use Docker ({shown}: permission denied)"),
            "add yourself to the group 'docker' and log in again",
        ),
        std::io::ErrorKind::ConnectionRefused => NoContainer::new(
            format!("Docker does not run (nobody listens at {shown})"),
            "start it",
        ),
        _ => NoContainer::new(
            format!("Docker cannot be reached at {shown} ({error})"),
            "check DOCKER_HOST, and that Docker runs",
        ),
    }
}

impl Container {
    /// Starts a container of `image`, getting the image first where it is missing.
    ///
    /// # Errors
    /// When the image cannot be had or started, or nothing in it answers as Redis.
    pub(crate) async fn start(image: &str, notify: &Notify) -> Result<Self, NoContainer> {
        timeout(START_LIMIT, Self::start_unlimited(image, notify))
            .await
            .unwrap_or_else(|_| {
                Err(NoContainer::new(
                    format!(
                        "a container of {image} was not running after {} s",
                        START_LIMIT.as_secs()
                    ),
                    format!("get the image beforehand with 'docker pull {image}'"),
                ))
            })
    }

    async fn start_unlimited(image: &str, notify: &Notify) -> Result<Self, NoContainer> {
        let (name, tag) = split_image(image);
        if let Ok(docker) = docker_client_instance().await
            && docker
                .inspect_image(&format!("{name}:{tag}"))
                .await
                .is_err()
        {
            notify.tell(&format!(
                "getting the image {image}, which is not on this machine yet"
            ));
        }
        let container_name = format!("swapcheck-redis-{:016x}", rand::random::<u64>());
        // Before there is a container: a process that is killed while it starts leaves none.
        let mut reaper = Reaper::start("", REMOVE, [&container_name]).map_err(|error| {
            NoContainer::new(
                format!("/bin/sh cannot be run ({error})"),
                "swapcheck removes containers by it",
            )
        })?;
        let started = GenericImage::new(name, tag)
            .with_exposed_port(6379.tcp())
            .with_container_name(&container_name)
            .with_label("org.swapcheck.owner", std::process::id().to_string())
            .with_startup_timeout(READY_LIMIT)
            .start()
            .await;
        let held = match started {
            Ok(container) => container,
            Err(error) => {
                reaper.reap();
                return Err(explain(image, &error.to_string()));
            }
        };
        let mut container = Container {
            host: String::new(),
            port: 0,
            held: None,
            reaper,
        };
        let place = async {
            let host = held.get_host().await?;
            let port = held.get_host_port_ipv4(6379.tcp()).await?;
            Ok::<_, testcontainers::TestcontainersError>((host.to_string(), port))
        };
        let place = place.await;
        container.held = Some(held);
        match place {
            Ok((host, port)) => {
                // A name would be looked up in IPv6 first, where the port is another one.
                container.host = if host == "localhost" {
                    "127.0.0.1".to_owned()
                } else {
                    host
                };
                container.port = port;
            }
            Err(error) => {
                container.stop().await;
                return Err(NoContainer::new(
                    format!("the container of {image} has no port 6379 ({error})"),
                    "is it an image of a Redis server?",
                ));
            }
        }
        if let Err(error) = container.wait(image).await {
            container.stop().await;
            return Err(error);
        }
        Ok(container)
    }

    async fn wait(&self, image: &str) -> Result<(), NoContainer> {
        let unusable = |what: &str| {
            NoContainer::new(
                format!("the container of {image} {what}"),
                format!(
                    "is it an image of a Redis server? See what 'docker run --rm {image}' says"
                ),
            )
        };
        let url = local_url(&self.host, self.port).map_err(|_| unusable("has no address"))?;
        let started = Instant::now();
        while !answers(&url).await {
            let ended = match &self.held {
                Some(held) => matches!(held.is_running().await, Ok(false)),
                None => true,
            };
            if ended {
                return Err(unusable("ended at once"));
            }
            if started.elapsed() > READY_LIMIT {
                return Err(unusable("does not answer on port 6379"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Removes the container and waits until it is gone.
    pub(crate) async fn stop(&mut self) {
        let removed = match self.held.take() {
            Some(held) => held.rm().await.is_ok(),
            None => false,
        };
        match removed {
            true => self.reaper.dismiss(),
            false => self.reaper.reap(),
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // testcontainers removes a dropped container too, but panics outside a tokio runtime. The
        // reaper, dropped next, needs none.
        if let Some(held) = self.held.take() {
            std::mem::forget(held);
        }
    }
}

/// By Docker's own command, else by its socket.
const REMOVE: &str = "docker rm --force --volumes \"$1\" || \
    curl --silent --request DELETE --unix-socket /var/run/docker.sock \
    \"http://docker/containers/$1?force=true&v=true\"";

/// `name:tag` or `name@sha256:digest`; the colon of a registry's port is none of the two.
fn split_image(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') && !name.is_empty() => (name, tag),
        _ => (image, "latest"),
    }
}

/// What Docker's words mean.
fn explain(image: &str, error: &str) -> NoContainer {
    let lower = error.to_ascii_lowercase();
    let any = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    let (reason, advice) = if any(&[
        "no such host",
        "timeout",
        "dial tcp",
        "connection refused",
        "network is unreachable",
    ]) {
        (
            format!("the image {image} is not on this machine and its registry cannot be reached"),
            "check the network, or name an image that 'docker images' lists by --redis-image",
        )
    } else if any(&["invalid reference format"]) {
        (
            format!("'{image}' is not the name of an image"),
            "it looks like redis:8 or registry.example.com/redis:8",
        )
    } else if any(&["not found", "pull access denied", "manifest unknown", "404"]) {
        (
            format!("there is no image {image}"),
            "check its spelling, or see 'docker images' for those that are here",
        )
    } else if any(&["port is already allocated", "address already in use"]) {
        (
            format!("a port that the container of {image} needs is taken"),
            "stop what uses it",
        )
    } else if any(&["no space left"]) {
        (
            format!("there is no room for a container of {image}"),
            "make some, with 'docker system prune' perhaps",
        )
    } else {
        (
            format!("no container of {image} could be started"),
            "see what Docker says to 'docker run --rm IMAGE'",
        )
    };
    NoContainer {
        detail: Some(one_line(error)),
        ..NoContainer::new(reason, advice)
    }
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_split_at_its_tag() {
        assert_eq!(split_image("redis:8"), ("redis", "8"));
        assert_eq!(split_image("redis"), ("redis", "latest"));
        assert_eq!(
            split_image("localhost:5000/redis"),
            ("localhost:5000/redis", "latest")
        );
        assert_eq!(
            split_image("localhost:5000/redis:7.4"),
            ("localhost:5000/redis", "7.4")
        );
        assert_eq!(split_image("redis@sha256:ab"), ("redis@sha256", "ab"));
    }

    #[test]
    fn docker_is_looked_for_where_it_is_said_to_be() {
        let at = |host: &str| endpoint(&Environment::of([("DOCKER_HOST", host)]));
        assert_eq!(at("unix:///a/b.sock"), Endpoint::Socket("/a/b.sock".into()));
        assert_eq!(at("tcp://h:2375"), Endpoint::Address("h:2375".to_owned()));
        assert_eq!(at("ssh://h"), Endpoint::Other("ssh://h".to_owned()));
    }

    #[test]
    fn a_docker_that_may_not_be_used_is_told_from_one_that_is_not_there() {
        let said = |kind: std::io::ErrorKind| unconnected("/d.sock", &kind.into()).to_string();
        assert_eq!(
            said(std::io::ErrorKind::PermissionDenied),
            "you may not use Docker (/d.sock: permission denied): add yourself to the group \
             'docker' and log in again"
        );
        assert_eq!(
            said(std::io::ErrorKind::NotFound),
            "Docker is not here (no /d.sock): install it, or start it"
        );
        assert!(said(std::io::ErrorKind::ConnectionRefused).ends_with("start it"));
    }

    #[test]
    fn failures_are_told_apart() {
        for (words, part) in [
            (
                "dial tcp: lookup registry: no such host",
                "registry cannot be reached",
            ),
            ("pull access denied for x", "there is no image x:1"),
            (
                "invalid reference format",
                "'x:1' is not the name of an image",
            ),
            ("port is already allocated", "is taken"),
            ("write: no space left on device", "no room"),
            ("something else\nover two lines", "could be started"),
        ] {
            let explained = explain("x:1", words).to_string();
            assert!(explained.contains(part), "{explained}");
            assert!(!explained.contains('\n'), "{explained}");
        }
    }
}
