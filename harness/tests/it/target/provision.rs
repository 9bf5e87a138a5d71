//! Getting a Redis: from PATH, in a container, or being told what to install.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use scenarios::Reply;
use swapcheck::target::{Environment, KeyExpiry, Options, TargetError};

use super::{ask, bulk, ready, refused, says};
use crate::server::redis_server;

/// No Docker, and this folder as the search path.
fn without_docker(path: &Path) -> Options {
    let path = path.to_str().unwrap();
    Options {
        environment: Environment::of([
            ("DOCKER_HOST", "unix:///nonexistent/docker.sock"),
            ("PATH", path),
        ]),
        ..Options::default()
    }
}

/// A folder with a `redis-server` that is this script.
fn folder_with(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("redis-server");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[tokio::test]
async fn a_server_of_the_path_is_started_and_stopped() {
    let Some(program) = redis_server() else {
        return;
    };
    let folder = folder_with(&format!("exec '{}' \"$@\"", program.display()));
    let target = ready("redis", &without_docker(folder.path())).await;
    assert!(target.owned);
    assert!(
        target.notes[0].contains("Docker is not here"),
        "{:?}",
        target.notes
    );
    assert!(
        target
            .version
            .as_deref()
            .is_some_and(|version| version.starts_with("Redis "))
    );
    let scope = target.scope(b"p:", KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    ask(client.as_mut(), &["SET", "p:k", "v"]).await;
    assert_eq!(ask(client.as_mut(), &["GET", "p:k"]).await, bulk("v"));
    // A guest would be refused; this server is ours.
    assert_eq!(
        ask(client.as_mut(), &["FLUSHALL"]).await,
        Reply::Status("OK".to_owned())
    );
    scope.finish().await.unwrap();
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    target.health().await.expect_err("the server is stopped");
}

#[tokio::test]
async fn a_dropped_target_takes_its_server_along() {
    let Some(program) = redis_server() else {
        return;
    };
    let folder = folder_with(&format!("exec '{}' \"$@\"", program.display()));
    let target = ready("redis", &without_docker(folder.path())).await;
    let connector = target.connector.clone();
    connector.connect().await.map(drop).expect("it runs");
    drop(target);
    assert!(connector.connect().await.is_err());
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_its_log() {
    let folder = folder_with("echo 'FATAL CONFIG FILE ERROR: Bad directive'; exit 1");
    let error = refused("redis", &without_docker(folder.path())).await;
    assert!(matches!(error, TargetError::Provision(_)), "{error:?}");
    says(
        &error.to_string(),
        &[
            "did not start",
            "Bad directive",
            "--target redis://host:port",
        ],
    );
}

#[tokio::test]
async fn taken_ports_are_tried_again_and_then_explained() {
    let folder = folder_with(
        "echo x >>\"$0.count\"; echo 'Warning: Could not create server TCP listening socket: bind: Address already in use'; exit 1",
    );
    let error = refused("redis", &without_docker(folder.path())).await;
    says(
        &error.to_string(),
        &["port taken 5 times", "--target redis://host:port"],
    );
    let tried = std::fs::read_to_string(folder.path().join("redis-server.count")).unwrap();
    assert_eq!(tried.lines().count(), 5);
}

#[tokio::test]
async fn with_nothing_it_is_said_what_to_install() {
    let empty = tempfile::tempdir().unwrap();
    let error = refused("redis", &without_docker(empty.path())).await;
    assert!(!error.is_mistake());
    says(
        &error.to_string(),
        &[
            "there is no Redis",
            "Docker is not here",
            "apt-get install redis-server",
        ],
    );
}

#[tokio::test]
async fn a_named_image_is_not_replaced() {
    let folder = folder_with("exit 1");
    let mut options = without_docker(folder.path());
    options.redis_image = Some("redis:7".to_owned());
    let error = refused("redis", &options).await;
    says(
        &error.to_string(),
        &[
            "redis:7 cannot be used",
            "Docker is not here",
            "Without --redis-image",
        ],
    );
}

#[tokio::test]
async fn a_docker_that_does_not_answer_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let _silent = tokio::net::UnixListener::bind(&socket).unwrap();
    let host = format!("unix://{}", socket.display());
    let options = Options {
        environment: Environment::of([("DOCKER_HOST", &host), ("PATH", "/nonexistent")]),
        ..Options::default()
    };
    let error = tokio::time::timeout(Duration::from_secs(30), refused("redis", &options))
        .await
        .unwrap();
    says(
        &error.to_string(),
        &["Docker does not answer", "restart it"],
    );

    let gone = folder.path().join("gone.sock");
    drop(tokio::net::UnixListener::bind(&gone).unwrap());
    let host = format!("unix://{}", gone.display());
    let options = Options {
        environment: Environment::of([("DOCKER_HOST", &host), ("PATH", "/nonexistent")]),
        ..Options::default()
    };
    says(
        &refused("redis", &options).await.to_string(),
        &["Docker does not run", "start it"],
    );
}

/// Runs one test of this binary in a process of its own, until it has written to a file.
fn victim(test: &str, file: &Path) -> std::process::Child {
    let process = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env("SWAPCHECK_TEST_VICTIM", file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limit = Instant::now() + Duration::from_secs(60);
    while !file.exists() {
        assert!(Instant::now() < limit, "the process did not start a server");
        std::thread::sleep(Duration::from_millis(10));
    }
    process
}

/// Kills a process that started a server, in the way nobody can prepare for.
#[tokio::test]
async fn a_killed_swapcheck_takes_its_server_along() {
    let Some(program) = redis_server() else {
        return;
    };
    // This very test, in a process of its own.
    if let Ok(port_file) = std::env::var("SWAPCHECK_TEST_VICTIM") {
        let folder = folder_with(&format!("exec '{}' \"$@\"", program.display()));
        let target = ready("redis", &without_docker(folder.path())).await;
        std::fs::write(format!("{port_file}.new"), &target.description).unwrap();
        std::fs::rename(format!("{port_file}.new"), &port_file).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port_file = folder.path().join("port");
    let mut victim = victim(
        "target::provision::a_killed_swapcheck_takes_its_server_along",
        &port_file,
    );
    let limit = Instant::now() + Duration::from_secs(30);
    let description = std::fs::read_to_string(&port_file).unwrap();
    let port: u16 = description.rsplit(' ').next().unwrap().parse().unwrap();
    std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server runs");
    victim.kill().unwrap();
    victim.wait().unwrap();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(
            Instant::now() < limit,
            "the server on port {port} still runs"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_mock_is_started_in_this_process() {
    let target = ready("mock", &Options::default()).await;
    assert!(target.owned);
    let scope = target.scope(b"p:", KeyExpiry::Guarded);
    let mut client = scope.connector().connect().await.unwrap();
    assert_eq!(ask(client.as_mut(), &["SET", "p:k", "v"]).await, bulk("OK"));
    assert_eq!(ask(client.as_mut(), &["GET", "p:k"]).await, bulk("v"));
    scope.finish().await.unwrap();
    target.shutdown().await;
    target.health().await.expect_err("the mock is stopped");
}

/// The image that a test may use: CI makes one, and says so.
fn image() -> Option<String> {
    let image = std::env::var("SWAPCHECK_REDIS_IMAGE")
        .ok()
        .filter(|image| !image.is_empty());
    let in_ci = ["CI", "SWAPCHECK_CI"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    assert!(
        image.is_some() || !in_ci,
        "this test needs SWAPCHECK_REDIS_IMAGE: ci/redis-image makes one"
    );
    if image.is_none() {
        eprintln!("not tested: SWAPCHECK_REDIS_IMAGE names no image");
    }
    image
}

fn docker(image: &str) -> Options {
    let environment = Environment::process();
    Options {
        redis_image: Some(image.to_owned()),
        environment,
        ..Options::default()
    }
}

/// The names of the containers that a process of swapcheck has started.
fn containers_of(process: u32) -> String {
    let label = format!("label=org.swapcheck.owner={process}");
    let output = std::process::Command::new("docker")
        .args(["ps", "--all", "--filter", &label, "--format", "{{.Names}}"])
        .output()
        .expect("docker can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_container_is_started_and_removed() {
    let Some(image) = image() else { return };
    let target = ready("redis", &docker(&image)).await;
    assert!(target.owned);
    assert_eq!(target.description, format!("container of {image}"));
    assert!(
        target
            .version
            .as_deref()
            .is_some_and(|version| version.starts_with("Redis "))
    );
    let name = containers_of(std::process::id());
    assert!(name.starts_with("swapcheck-redis-"), "{name}");
    assert_eq!(target.shutdown().await, Vec::<String>::new());
    target.health().await.expect_err("the container is gone");
    assert!(!containers_of(std::process::id()).contains(name.trim()));
}

#[tokio::test]
async fn an_image_that_is_not_there_is_explained() {
    if image().is_none() {
        return;
    }
    // A registry that nobody runs: an answer comes at once, also without a network.
    let error = refused("redis", &docker("127.0.0.1:1/no/such:image")).await;
    assert!(matches!(error, TargetError::Provision(_)), "{error:?}");
    says(
        &error.to_string(),
        &[
            "127.0.0.1:1/no/such:image cannot be used",
            "registry cannot be reached",
            "--redis-image",
        ],
    );
    let error = refused("redis", &docker("Not An Image")).await;
    says(&error.to_string(), &["not the name of an image"]);
}

/// Kills a process that started a container.
#[tokio::test]
async fn a_killed_swapcheck_takes_its_container_along() {
    let Some(image) = image() else { return };
    if let Ok(file) = std::env::var("SWAPCHECK_TEST_VICTIM") {
        let target = ready("redis", &docker(&image)).await;
        std::fs::write(file, &target.description).unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ready");
    let mut victim = victim(
        "target::provision::a_killed_swapcheck_takes_its_container_along",
        &file,
    );
    assert!(!containers_of(victim.id()).is_empty());
    let process = victim.id();
    victim.kill().unwrap();
    victim.wait().unwrap();
    let limit = Instant::now() + Duration::from_secs(30);
    while !containers_of(process).is_empty() {
        assert!(Instant::now() < limit, "the container is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
