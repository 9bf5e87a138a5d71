//! A `redis-server` of this machine, on a free port, for as long as swapcheck runs.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::error::TargetError;
use super::reaper::Reaper;
use super::{answers, local_url};

/// How long a server may take to answer its first PING.
const START_LIMIT: Duration = Duration::from_secs(15);
/// How often another port is tried when somebody was faster.
const PORT_ATTEMPTS: u32 = 5;

/// A running `redis-server`; dropping it stops it.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    pub(crate) port: u16,
    reaper: Reaper,
    /// Its working folder and log, gone with it.
    _folder: tempfile::TempDir,
}

enum Failure {
    PortTaken,
    Other(TargetError),
}

/// The first `redis-server` on a search path.
pub(crate) fn find_server(search_path: &str) -> Option<PathBuf> {
    std::env::split_paths(search_path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("redis-server"))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

impl ServerProcess {
    /// Starts `program` without persistence on a port of the loopback interface.
    ///
    /// # Errors
    /// When it does not answer; the text holds the end of its log.
    pub(crate) async fn start(program: &Path) -> Result<Self, TargetError> {
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port()?;
            match Self::start_on(program, port).await {
                Ok(server) => return Ok(server),
                Err(Failure::PortTaken) => {}
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        Err(TargetError::Provision(format!(
            "{} found its port taken {PORT_ATTEMPTS} times in a row: give a running server by \
             --target redis://host:port instead",
            program.display()
        )))
    }

    async fn start_on(program: &Path, port: u16) -> Result<Self, Failure> {
        let failed = |what: &str, error: std::io::Error| {
            Failure::Other(TargetError::Provision(format!(
                "{} could not be started: {what} ({error})",
                program.display()
            )))
        };
        let folder = tempfile::Builder::new()
            .prefix("swapcheck-redis-")
            .tempdir()
            .map_err(|error| failed("no temporary folder can be made", error))?;
        // KILL, for the shell has made the others be ignored, and there is nothing to save.
        let reaper = Reaper::start(
            "folder=$1; shift; \"$@\" </dev/null >\"$folder/log\" 2>&1 & server=$!",
            "kill -KILL \"$server\"; rm -rf \"$folder\"",
            [
                folder.path().as_os_str(),
                program.as_os_str(),
                "--port".as_ref(),
                port.to_string().as_ref(),
                "--bind".as_ref(),
                "127.0.0.1".as_ref(),
                "--save".as_ref(),
                "".as_ref(),
                "--appendonly".as_ref(),
                "no".as_ref(),
                "--daemonize".as_ref(),
                "no".as_ref(),
                "--dir".as_ref(),
                folder.path().as_os_str(),
            ],
        )
        .map_err(|error| failed("/bin/sh cannot be run", error))?;
        let server = ServerProcess {
            port,
            reaper,
            _folder: folder,
        };
        server.wait(program).await?;
        Ok(server)
    }

    async fn wait(&self, program: &Path) -> Result<(), Failure> {
        let log = self._folder.path().join("log");
        let started = Instant::now();
        let url = local_url("127.0.0.1", self.port).map_err(Failure::Other)?;
        loop {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if text.contains("Address already in use") {
                return Err(Failure::PortTaken);
            }
            // The log comes first: on a port that was taken, somebody else's server would answer.
            if text.contains("Ready to accept connections") && answers(&url).await {
                return Ok(());
            }
            let gave_up = [
                "FATAL",
                "Fatal",
                "not found",
                "cannot open shared object",
                "Can't",
            ]
            .iter()
            .any(|sign| text.contains(sign));
            if gave_up || started.elapsed() > START_LIMIT {
                let last: Vec<&str> = text.lines().rev().take(3).collect();
                return Err(Failure::Other(TargetError::Provision(format!(
                    "{} did not start; the end of its log is: {}. Give a running server by \
                     --target redis://host:port instead",
                    program.display(),
                    match last.is_empty() {
                        true => "(empty)".to_owned(),
                        false => last.into_iter().rev().collect::<Vec<_>>().join(" / "),
                    }
                ))));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the server and waits until it has ended.
    pub(crate) fn stop(&mut self) {
        self.reaper.reap();
    }
}

/// A port that was free a moment ago: nothing better can be had without handing over the socket.
fn free_port() -> Result<u16, TargetError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| {
            TargetError::Provision(format!("no free port can be found on 127.0.0.1: {error}"))
        })
}
