//! Servers as processes of their own, whose memory can be read, and a blocking client for them.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::client::resp;

/// Set for a process that has one processor to itself while the servers have another.
const PLACED: &str = "BENCHES_PLACED";

/// Runs this program again on the first processor, so that the servers can have the second; `None` when
/// that has happened, and on a machine without a second one or without `taskset` (util-linux).
///
/// Left alone, the kernel moves asker and server together and apart, and what one connection then shows is
/// mostly how long an idle processor takes to wake.
///
/// # Errors
/// When the program cannot be run.
pub fn place() -> io::Result<Option<ExitStatus>> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let taskset = Command::new("taskset").arg("--version").output();
    if std::env::var_os(PLACED).is_some() || processors < 2 || taskset.is_err() {
        return Ok(None);
    }
    let mut again = Command::new("taskset");
    again
        .args(["--cpu-list", "0"])
        .arg(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1)).env(PLACED, "");
    again.status().map(Some)
}

/// A command that runs a server: on the second processor if this program has the first, or on both, for
/// one whose threads are to help each other.
pub(crate) fn server(program: impl AsRef<OsStr>, processors: &str) -> Command {
    if std::env::var_os(PLACED).is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", processors]).arg(program);
    command
}

/// A server in a process of its own, ended when dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts it on a processor that it has to itself, if there are two.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(program: &Path, arguments: &[String]) -> io::Result<Process> {
        Process::start_on("1", program, arguments)
    }

    /// Starts it where every processor is open to it.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start_anywhere(program: &Path, arguments: &[String]) -> io::Result<Process> {
        Process::start_on("0,1", program, arguments)
    }

    fn start_on(processors: &str, program: &Path, arguments: &[String]) -> io::Result<Process> {
        let child = server(program, processors)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Process { child })
    }

    /// The memory it occupies, in bytes (the second field of Linux's statm, in pages).
    pub fn resident_bytes(&self) -> usize {
        /// The size of a page on every system that these figures are read on.
        const PAGE: usize = 4096;
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()));
        let pages = text
            .ok()
            .and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
        pages.unwrap_or(0) * PAGE
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine where nobody listens.
///
/// # Errors
/// When no port is free.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

/// Connects as soon as somebody listens.
///
/// # Errors
/// When nobody does within ten seconds.
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let limit = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) if Instant::now() > limit => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}

/// A client of the Redis protocol for commands that are answered in a line.
pub struct Asking(BufReader<TcpStream>);

impl Asking {
    /// Connects, and gives the password where there is one.
    ///
    /// # Errors
    /// When nobody listens, or the password is refused.
    pub fn connect(address: SocketAddr, password: Option<&str>) -> io::Result<Asking> {
        let mut asking = Asking(BufReader::new(connect(address)?));
        if let Some(password) = password {
            asking.ask(&["AUTH", password])?;
        }
        Ok(asking)
    }

    /// Sends a command and reads the line that answers it.
    ///
    /// # Errors
    /// When the answer is an error, or the connection is lost.
    pub fn ask(&mut self, command: &[&str]) -> io::Result<String> {
        self.0.get_mut().write_all(&resp(command))?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        match line.is_empty() || line.starts_with('-') {
            true => Err(io::Error::other(format!("{}: {line:?}", command[0]))),
            false => Ok(line),
        }
    }

    /// Adds elements `0..count`, a thousand with each command: `words` gives those of one.
    ///
    /// # Errors
    /// When a command is refused.
    pub fn fill(
        &mut self,
        command: &[&str],
        count: usize,
        words: impl Fn(usize) -> Vec<String>,
    ) -> io::Result<()> {
        for first in (0..count).step_by(1000) {
            let all: Vec<String> = (first..count.min(first + 1000)).flat_map(&words).collect();
            let mut line = command.to_vec();
            line.extend(all.iter().map(String::as_str));
            self.ask(&line)?;
        }
        Ok(())
    }
}

/// Sends an HTTP request and waits for the first byte of its answer.
///
/// # Errors
/// When the connection is lost.
pub fn first_answer(stream: &mut TcpStream, request: &[u8]) -> io::Result<()> {
    stream.write_all(request)?;
    stream.read_exact(&mut [0; 1])
}
