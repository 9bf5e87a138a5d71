//! A relay on loopback that delays what passes through it, as a distance does.
//!
//! Each direction takes half the round trip, and jitter on top. Threads and the system's own sleep
//! do it: tokio's timer has ticks of a millisecond, which is much of a short distance. Bandwidth,
//! loss and the slow start of TCP are not imitated: at a real distance large values take longer. The system completes a connection on loopback by itself, so that
//! whoever connects waits for the round trip of a handshake of its own accord.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;

/// A relay; it takes no more connections once it is dropped.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

/// How far away the target seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    /// A round trip.
    pub rtt: Duration,
    /// How much longer a round trip may take, evenly spread.
    pub jitter: Duration,
}

impl Distance {
    /// How long one round trip takes.
    pub(crate) fn round_trip(&self, random: &mut impl RngExt) -> Duration {
        self.rtt + self.jitter.mul_f64(random.random::<f64>())
    }
}

impl Relay {
    /// Starts a relay in front of a server.
    ///
    /// # Errors
    /// When its host is not found, or no port can be had.
    pub fn start(host: &str, port: u16, distance: Distance, seed: u64) -> io::Result<Self> {
        // The name is looked up once: connections through a relay spend no time on it.
        let to = std::net::ToSocketAddrs::to_socket_addrs(&(host, port))?
            .next()
            .ok_or_else(|| io::Error::other(format!("the host '{host}' has no address")))?;
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let stop = ended.clone();
        thread::Builder::new().name("relay".into()).spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let seed = seed.wrapping_add(number as u64);
                // A thread each: connecting to a server that is really far away takes its time. A
                // server that is gone closes the connection of the client, as it would itself.
                let _ = thread::Builder::new()
                    .name("relay-connect".into())
                    .spawn(move || pass_on(client, to, distance, seed));
            }
        })?;
        Ok(Relay { address, ended })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

fn pass_on(client: TcpStream, to: SocketAddr, distance: Distance, seed: u64) -> io::Result<()> {
    let server = TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    direction(client.try_clone()?, server.try_clone()?, distance, seed)?;
    direction(server, client, distance, !seed)
}

/// Two threads for each direction: one reads at once, one writes when the time has come.
fn direction(
    mut from: TcpStream,
    mut to: TcpStream,
    distance: Distance,
    seed: u64,
) -> io::Result<()> {
    let (sender, receiver) = mpsc::sync_channel::<(Instant, Vec<u8>)>(4096);
    thread::Builder::new()
        .name("relay-read".into())
        .spawn(move || {
            let mut random = Pcg64Mcg::seed_from_u64(seed);
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read) = from.read(&mut buffer) {
                let due = Instant::now() + distance.round_trip(&mut random) / 2;
                let end = read == 0;
                if sender.send((due, buffer[..read].to_vec())).is_err() || end {
                    return;
                }
            }
        })?;
    thread::Builder::new()
        .name("relay-write".into())
        .spawn(move || {
            sleep_exactly();
            // Bytes stay in order: one that is due earlier waits for those before it.
            while let Ok((due, bytes)) = receiver.recv() {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if bytes.is_empty() || to.write_all(&bytes).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Write);
        })?;
    Ok(())
}

/// Asks Linux to wake this thread when it is to wake, and not up to 50 µs later together with others.
/// Elsewhere, and where it is refused, the delay is that much less exact.
fn sleep_exactly() {
    let thread = std::fs::read_link("/proc/thread-self").ok();
    let number = thread.as_ref().and_then(|path| path.file_name()?.to_str());
    if let Some(number) = number {
        let _ = std::fs::write(format!("/proc/{number}/timerslack_ns"), "1");
    }
}
