//! A slow network on one machine: a relay between two ends of a TCP connection, with a rate for each way and a latency.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The most bytes that are delayed as one piece.
const CHUNK_BYTES: usize = 4096;
/// The most pieces that wait in the relay, 4 MiB; then the sender waits, as at a full buffer of a router.
const WAITING_CHUNKS: usize = 1024;

/// The longest time until the relay sees that it is to close.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// The rates and the latency of a link.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "units stand in names")]
pub(crate) struct LinkRates {
    /// Bytes per second from the client to the server; infinite: no limit.
    pub(crate) up_bytes_per_s: f64,
    /// Bytes per second from the server to the client; infinite: no limit.
    pub(crate) down_bytes_per_s: f64,
    /// The time that each byte takes in addition, each way, in seconds.
    pub(crate) latency_s: f64,
}

/// One way of a link: a token bucket that fills at the rate and holds nothing, so that bytes leave exactly at the rate and
/// never in a burst.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "units stand in names")]
struct Lane {
    bytes_per_s: f64,
    latency_s: f64,
    /// The time at which everything that arrived so far is sent, in seconds.
    free_s: f64,
}

impl Lane {
    fn new(bytes_per_s: f64, latency_s: f64) -> Self {
        Self { bytes_per_s, latency_s, free_s: 0.0 }
    }

    /// The time at which bytes that arrive now are at the other end, in seconds.
    fn delivered_s(&mut self, now_s: f64, bytes: usize) -> f64 {
        self.free_s = self.free_s.max(now_s) + bytes as f64 / self.bytes_per_s;
        self.free_s + self.latency_s
    }
}

/// Bytes that went through a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkBytes {
    /// From the client to the server.
    pub(crate) up: u64,
    /// From the server to the client.
    pub(crate) down: u64,
}

/// A link to a server of this machine. All connections through it share its rates. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct ThrottledLink {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    start: Instant,
    up: Direction,
    down: Direction,
    is_closing: AtomicBool,
    /// Both sockets of every connection, to end them.
    sockets: Mutex<Vec<TcpStream>>,
}

impl Shared {
    /// Waits until a time since the start, in seconds; false if the link closes before.
    fn wait_until(&self, time_s: f64) -> bool {
        loop {
            let wait_s = time_s - self.start.elapsed().as_secs_f64();
            if wait_s <= 0.0 {
                return true;
            }
            if self.is_closing.load(Ordering::SeqCst) {
                return false;
            }
            thread::sleep(Duration::from_secs_f64(wait_s).min(LONGEST_SLEEP));
        }
    }
}

#[derive(Debug)]
struct Direction {
    lane: Mutex<Lane>,
    bytes: AtomicU64,
}

impl Direction {
    fn new(bytes_per_s: f64, latency_s: f64) -> Self {
        Self { lane: Mutex::new(Lane::new(bytes_per_s, latency_s)), bytes: AtomicU64::new(0) }
    }
}

impl ThrottledLink {
    /// Starts a link to a server, at an address of this machine that the system picks.
    pub(crate) fn start(server: SocketAddr, rates: LinkRates) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            start: Instant::now(),
            up: Direction::new(rates.up_bytes_per_s, rates.latency_s),
            down: Direction::new(rates.down_bytes_per_s, rates.latency_s),
            is_closing: AtomicBool::new(false),
            sockets: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("link".to_owned());
        let acceptor = acceptor.spawn(move || accept(&listener, server, &accepting))?;
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// The address at which clients find the server behind the link.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The bytes that have gone into the link so far.
    pub(crate) fn bytes(&self) -> LinkBytes {
        let Shared { up, down, .. } = &*self.shared;
        LinkBytes { up: up.bytes.load(Ordering::SeqCst), down: down.bytes.load(Ordering::SeqCst) }
    }
}

impl Drop for ThrottledLink {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections. If that fails, it has ended already.
        let _ = TcpStream::connect(self.address);
        for socket in self.shared.sockets.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// Serves connections until the link closes. A connection that fails ends alone.
fn accept(listener: &TcpListener, server: SocketAddr, shared: &Shared) {
    thread::scope(|scope| {
        for client in listener.incoming() {
            if shared.is_closing.load(Ordering::SeqCst) {
                break;
            }
            let Ok(client) = client else { continue };
            scope.spawn(move || {
                let _ = relay(client, server, shared);
            });
        }
    });
}

fn relay(client: TcpStream, server: SocketAddr, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    for socket in [&client, &server] {
        // Small messages must not wait for others: the delays here are those of the lanes alone.
        socket.set_nodelay(true)?;
        shared.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(socket.try_clone()?);
    }
    if shared.is_closing.load(Ordering::SeqCst) {
        return Ok(());
    }
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    thread::scope(|scope| {
        scope.spawn(|| carry(&from_client, server, &shared.up, shared));
        carry(&from_server, client, &shared.down, shared);
    });
    Ok(())
}

/// Carries bytes one way until either end closes.
fn carry(from: &TcpStream, mut to: TcpStream, direction: &Direction, shared: &Shared) {
    let (sender, receiver) = sync_channel::<(f64, Vec<u8>)>(WAITING_CHUNKS);
    let mut reader = from;
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut buffer = [0; CHUNK_BYTES];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut lane = direction.lane.lock().unwrap_or_else(PoisonError::into_inner);
                let delivered_s = lane.delivered_s(shared.start.elapsed().as_secs_f64(), count);
                drop(lane);
                direction.bytes.fetch_add(count as u64, Ordering::SeqCst);
                if sender.send((delivered_s, buffer[..count].to_vec())).is_err() {
                    break;
                }
            }
        });
        for (delivered_s, bytes) in receiver {
            if !shared.wait_until(delivered_s) || to.write_all(&bytes).is_err() {
                // Ends the reader, too, which may be waiting for bytes that nobody takes.
                let _ = from.shutdown(Shutdown::Read);
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_sends_at_its_rate_and_never_in_a_burst() {
        // Numbers without a rounding error.
        let mut lane = Lane::new(1024.0, 0.5);
        // Bytes that arrive together leave one after the other.
        assert_eq!(lane.delivered_s(10.0, 128), 10.625);
        assert_eq!(lane.delivered_s(10.0, 256), 10.875);
        // A pause saves nothing up.
        assert_eq!(lane.delivered_s(20.0, 1024), 21.5);
        // What arrives while the lane is busy waits; the latency of both overlaps.
        assert_eq!(lane.delivered_s(20.5, 512), 22.0);
        let mut unlimited = Lane::new(f64::INFINITY, 0.0);
        assert_eq!(unlimited.delivered_s(3.0, 1 << 30), 3.0);
    }

    /// A server that sends everything back, for one connection.
    fn echo() -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let address = listener.local_addr().expect("it is bound");
        let serve = move || {
            let (mut socket, _) = listener.accept().expect("a connection");
            let mut all = Vec::new();
            socket.read_to_end(&mut all).expect("readable");
            socket.write_all(&all).expect("writable");
        };
        (address, thread::spawn(serve))
    }

    #[test]
    fn a_link_takes_the_time_of_its_rates_and_latency_and_changes_nothing() {
        let (server, echo) = echo();
        let rates = LinkRates { up_bytes_per_s: 1e6, down_bytes_per_s: 2e6, latency_s: 0.02 };
        let link = ThrottledLink::start(server, rates).expect("loopback");
        let sent: Vec<u8> = (0..100_000_u32).map(|index| (index % 251 * (index % 241) % 256) as u8).collect();
        let begin = Instant::now();
        let mut socket = TcpStream::connect(link.address()).expect("the link listens");
        socket.write_all(&sent).expect("writable");
        socket.shutdown(Shutdown::Write).expect("open");
        let mut received = Vec::new();
        socket.read_to_end(&mut received).expect("readable");
        let took_s = begin.elapsed().as_secs_f64();
        assert!(received == sent);
        assert_eq!(link.bytes(), LinkBytes { up: 100_000, down: 100_000 });
        // 0.1 s up, 0.05 s down and twice the latency; a busy machine may add to that, but nothing can take from it.
        assert!((0.19..2.0).contains(&took_s), "{took_s} s");
        echo.join().expect("no panic");
        let address = link.address();
        drop(link);
        assert!(TcpStream::connect(address).is_err(), "the link still listens");
    }

    #[test]
    fn a_link_ends_while_a_connection_is_open() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        let rates = LinkRates { up_bytes_per_s: 10.0, down_bytes_per_s: 10.0, latency_s: 0.0 };
        let link = ThrottledLink::start(listener.local_addr().expect("it is bound"), rates).expect("loopback");
        let mut client = TcpStream::connect(link.address()).expect("the link listens");
        let _server = listener.accept().expect("the link connects");
        // At this rate the bytes would be there after minutes.
        client.write_all(&[0; 4000]).expect("writable");
        let begin = Instant::now();
        drop(link);
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert!(matches!(client.read(&mut [0; 8]), Ok(0) | Err(_)));
    }
}
