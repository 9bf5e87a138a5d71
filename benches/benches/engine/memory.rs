//! What a million small strings take in memory, here and in a redis-server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Store;

const KEYS: usize = 1_000_000;

fn pair(n: usize) -> String {
    format!("key:{n:07} value-{n:07}")
}

/// Prints both figures and their ratio.
pub(crate) fn report() {
    let before = resident_bytes(std::process::id());
    let mut store = Store::redis();
    store.fill("MSET", KEYS, pair);
    let ours = resident_bytes(std::process::id()).saturating_sub(before);
    let per_key = |bytes: usize| bytes as f64 / KEYS as f64;
    println!(
        "memory  {KEYS} small strings: {:.0} bytes per key in the engine",
        per_key(ours)
    );
    drop(store);
    let binary = std::env::var_os("REDIS_SERVER").map_or("redis-server".into(), PathBuf::from);
    match Server::start(&binary) {
        Ok(mut server) => {
            let before = resident_bytes(server.process.id());
            server.fill();
            let theirs = resident_bytes(server.process.id()).saturating_sub(before);
            println!(
                "memory  {KEYS} small strings: {:.0} bytes per key in {}; ratio {:.2}",
                per_key(theirs),
                binary.display(),
                ours as f64 / theirs as f64
            );
        }
        Err(error) => {
            println!("memory  no redis-server to compare with ({error}); name one in REDIS_SERVER")
        }
    }
}

/// Memory that a process occupies.
fn resident_bytes(process: u32) -> usize {
    /// Size of a page on every system that these figures are read on.
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm"))
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0) * PAGE
}

struct Server {
    process: Child,
    folder: PathBuf,
    connection: BufReader<UnixStream>,
}

impl Server {
    fn start(binary: &PathBuf) -> std::io::Result<Server> {
        let folder = std::env::temp_dir().join(format!("engine-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let socket = folder.join("socket");
        let mut process = Command::new(binary)
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--unixsocket")
            .arg(&socket)
            .arg("--dir")
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()?;
        for _ in 0..500 {
            if let Ok(connection) = UnixStream::connect(&socket) {
                return Ok(Server {
                    process,
                    folder,
                    connection: BufReader::new(connection),
                });
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        process.kill()?;
        Err(std::io::Error::other("it does not listen"))
    }

    fn fill(&mut self) {
        for n in 0..KEYS {
            let line = format!("SET {}\r\n", pair(n));
            let sent = self.connection.get_mut().write_all(line.as_bytes());
            sent.expect("the server takes commands");
            // Replies are read in batches, before they fill the socket.
            if n % 1000 == 999 {
                let mut replies = vec![0; 1000 * "+OK\r\n".len()];
                let read = self.connection.read_exact(&mut replies);
                read.expect("the server answers");
            }
        }
        let mut size = String::new();
        let asked = self.connection.get_mut().write_all(b"DBSIZE\r\n");
        asked.expect("the server takes commands");
        self.connection
            .read_line(&mut size)
            .expect("the server answers");
        assert_eq!(size, format!(":{KEYS}\r\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
