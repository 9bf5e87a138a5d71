//! A real redis-server for a test, on a port of its own, gone with the test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A running redis-server.
pub(crate) struct RedisServer {
    port: u16,
    child: Child,
    _folder: tempfile::TempDir,
}

/// The redis-server that tests use: `REDIS_SERVER`, else the first on PATH. Without one a test
/// fails in CI, and says that it proved nothing elsewhere.
pub(crate) fn redis_server() -> Option<PathBuf> {
    let named = std::env::var_os("REDIS_SERVER")
        .map(PathBuf::from)
        .filter(|path| path.is_file());
    let found = named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join("redis-server"))
            .find(|file| file.is_file())
    });
    match found {
        Some(program) => Some(program),
        None if in_ci() => {
            panic!("this test needs a redis-server: put one on PATH, or set REDIS_SERVER")
        }
        None => {
            eprintln!("not tested: there is no redis-server; put one on PATH, or set REDIS_SERVER");
            None
        }
    }
}

/// Keeps tests that run the whole suite from running beside each other: scenarios wait for fractions of
/// a second, and a machine that is too busy makes them differ.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether what cannot be tested is a failure.
pub(crate) fn in_ci() -> bool {
    ["CI", "SWAPCHECK_CI"]
        .iter()
        .any(|name| std::env::var_os(name).is_some())
}

impl RedisServer {
    /// Starts one with these further arguments.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        RedisServer::start_program(redis_server()?, arguments)
    }

    /// Starts the one with the newest commands, which `REDIS_SERVER_8_10` names.
    pub(crate) fn start_newest() -> Option<Self> {
        RedisServer::start_program(std::env::var_os("REDIS_SERVER_8_10")?.into(), &[])
    }

    fn start_program(program: PathBuf, arguments: &[&str]) -> Option<Self> {
        for _ in 0..5 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let folder = tempfile::tempdir().unwrap();
            let mut child = Command::new(&program)
                .args([
                    "--port",
                    &port.to_string(),
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                ])
                .arg("--dir")
                .arg(folder.path())
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("redis-server can be run");
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(20) {
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                    return Some(RedisServer {
                        port,
                        child,
                        _folder: folder,
                    });
                }
                // It ends at once when another process took the port meanwhile.
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("redis-server did not start");
    }

    /// Where it listens: `redis://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
