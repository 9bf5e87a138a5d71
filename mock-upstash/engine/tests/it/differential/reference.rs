//! A real redis-server to compare with, started for a test and stopped at its end.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::wire::{Wire, encode};

/// Where the binary is looked for, newest Redis first, before PATH is.
const VARIABLES: [&str; 2] = ["REDIS_SERVER_8_10", "REDIS_SERVER"];

/// Where the binaries of all versions are looked for.
const VERSIONS: [&str; 3] = ["REDIS_SERVER_7_0", "REDIS_SERVER_8_0", "REDIS_SERVER_8_10"];

/// A redis-server of this test's own. It listens on a socket in a folder that goes with it.
pub(crate) struct Server {
    process: Child,
    folder: TempDir,
}

impl Server {
    /// Starts a server.
    ///
    /// Fails the test when there is no binary: a comparison that is left out proves nothing.
    pub(crate) fn start() -> Server {
        let binary = VARIABLES
            .iter()
            .find_map(std::env::var_os)
            .map_or_else(|| PathBuf::from("redis-server"), PathBuf::from);
        Server::start_binary(&binary)
    }

    /// Starts a server of every version that there is a binary of; of the one that tests take
    /// otherwise, when none is named by its version.
    pub(crate) fn start_versions() -> Vec<Server> {
        let named: Vec<Server> = VERSIONS
            .iter()
            .filter_map(std::env::var_os)
            .map(|binary| Server::start_binary(Path::new(&binary)))
            .collect();
        if named.is_empty() {
            return vec![Server::start()];
        }
        named
    }

    fn start_binary(binary: &Path) -> Server {
        let folder = tempfile::tempdir().expect("a folder for the server's socket");
        let process = Command::new(binary)
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--enable-debug-command", "yes"])
            // Timeouts are looked at as often: blocking commands cost a test no tenth of a second.
            .args(["--hz", "500"])
            .arg("--unixsocket")
            .arg(folder.path().join("socket"))
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot start {}: {error}. These tests compare the engine with a real Redis: \
                     install redis-server, or name one in {}",
                    binary.display(),
                    VARIABLES.join(" or ")
                )
            });
        let mut server = Server { process, folder };
        server.wait_until_it_listens();
        server
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "another process has no clock that could be moved"
    )]
    fn wait_until_it_listens(&mut self) {
        for _ in 0..1000 {
            if UnixStream::connect(self.folder.path().join("socket")).is_ok() {
                return;
            }
            if let Ok(Some(status)) = self.process.try_wait() {
                panic!("the redis-server ended at once: {status}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the redis-server does not listen");
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Connection {
        let stream = UnixStream::connect(self.folder.path().join("socket"))
            .expect("the server listened before");
        // A server that does not answer is a failure, not a test that never ends.
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout above zero");
        Connection {
            replies: BufReader::new(stream),
            closed: false,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nothing else to do about an error here.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A client of the server.
pub(crate) struct Connection {
    replies: BufReader<UnixStream>,
    closed: bool,
}

impl Connection {
    /// Sends commands in one go and reads a reply for each.
    pub(crate) fn run_all(&mut self, commands: &[Vec<Vec<u8>>]) -> io::Result<Vec<Wire>> {
        self.send(commands)?;
        commands.iter().map(|_| self.receive()).collect()
    }

    /// Sends commands without waiting for what they answer.
    pub(crate) fn send(&mut self, commands: &[Vec<Vec<u8>>]) -> io::Result<()> {
        let mut request = Vec::new();
        for command in commands {
            encode(command, &mut request);
        }
        self.replies.get_mut().write_all(&request)
    }

    /// Reads one reply.
    pub(crate) fn receive(&mut self) -> io::Result<Wire> {
        Wire::read(&mut self.replies)
    }

    /// Replies that have arrived, without waiting for more.
    pub(crate) fn arrived(&mut self) -> io::Result<Vec<Wire>> {
        let mut arrived = Vec::new();
        while !self.closed && self.has_something()? {
            arrived.push(self.receive()?);
        }
        Ok(arrived)
    }

    fn has_something(&mut self) -> io::Result<bool> {
        self.replies.get_ref().set_nonblocking(true)?;
        let outcome = match self.replies.fill_buf() {
            Ok(bytes) => {
                self.closed = bytes.is_empty();
                Ok(!self.closed)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                self.closed = true;
                Ok(false)
            }
            Err(error) => Err(error),
        };
        self.replies.get_ref().set_nonblocking(false)?;
        outcome
    }

    /// Whether the server was seen to close the connection.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Sends one command, written as words, and reads its reply.
    pub(crate) fn run(&mut self, line: &str) -> Wire {
        let command = line.split(' ').map(|word| word.as_bytes().to_vec());
        let replies = self.run_all(&[command.collect()]);
        replies
            .ok()
            .and_then(|mut replies| replies.pop())
            .unwrap_or_else(|| panic!("the server did not answer {line}"))
    }
}
