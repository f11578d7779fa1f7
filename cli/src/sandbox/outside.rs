//! The command's end of the sandbox: orders in, output and outcome out, and the last word on time.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::statvfs::statvfs;
use nix::unistd::Pid;

use super::outer::{self, Leave};
use super::wire::{self, Go, Report};
use super::{End, Limits, Listener, Orders, Run, Said};
use crate::failure::Failure;

/// Read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// How often the machine is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// How much longer than the check we wait for those who keep its time.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the check; where the kernel refuses namespaces, without them.
pub(super) fn run(orders: &Orders, listener: &Listener) -> Result<Run, Failure> {
    match attempt(orders, listener, true).map_err(lost)? {
        Some(run) => Ok(run),
        None => attempt(orders, listener, false)
            .map_err(lost)?
            .ok_or_else(|| lost(io::Error::other("it refused what nobody asked for"))),
    }
}

fn lost(error: io::Error) -> Failure {
    Failure::could_not(
        "sandbox-lost",
        format!("the process that confines the check could not be started or was lost: {error}"),
    )
}

/// One start of the three processes; `None` where the kernel refuses what was asked.
fn attempt(orders: &Orders, listener: &Listener, namespaces: bool) -> io::Result<Option<Run>> {
    let (socket, theirs) = UnixStream::pair()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(outer::arguments()).process_group(0).env_clear();
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = Started(command.spawn()?);
    drop(command);
    let leave = Leave {
        namespaces,
        network: orders.network,
        emptied: orders.reach.emptied.clone(),
        needed: orders.reach.needed.clone(),
        hidden: orders.reach.hidden.clone(),
        sockets: orders.reach.sockets.clone(),
    };
    wire::send(&socket, &leave)?;
    // Whoever was refused may be gone by now; what it said is read below.
    match wire::send(&socket, orders) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        sent => sent?,
    }
    see_through(child, &socket, orders, listener)
}

fn see_through(
    mut child: Started,
    socket: &UnixStream,
    orders: &Orders,
    listener: &Listener,
) -> io::Result<Option<Run>> {
    socket.set_read_timeout(Some(GRACE))?;
    let enforced = match wire::receive(socket)? {
        Some(Report::Refused(_)) => return Ok(None),
        Some(Report::Ready(enforced)) => enforced,
        _ => return Err(io::Error::other("it said nothing")),
    };
    let streams = [
        child.0.stdout.take().map(|pipe| listen(pipe, Said::Out, listener)),
        child.0.stderr.take().map(|pipe| listen(pipe, Said::Err, listener)),
    ];
    let started = Instant::now();
    wire::send(socket, &Go)?;
    let end = wait(socket, orders, started)?;
    let took = started.elapsed();
    drop(child);
    for stream in streams.into_iter().flatten() {
        // Everybody who could write is gone; a stream that stays open all the same is left alone.
        let _ = stream.recv_timeout(GRACE);
    }
    Ok(Some(Run { enforced, end, took }))
}

/// The processes inside; ended with their group when dropped.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.0.id()) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let _ = self.0.wait();
    }
}

/// Hands on what arrives on a pipe, in a thread of its own; the receiver hears of its end.
fn listen(mut pipe: impl Read + Send + 'static, said: Said, listener: &Listener) -> Receiver<()> {
    let (done, ended) = mpsc::channel();
    let listener = Arc::clone(listener);
    thread::spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match pipe.read(&mut chunk) {
                Ok(0) => break,
                Ok(bytes) => listener(said, &chunk[..bytes]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = done.send(());
    });
    ended
}

/// Waits for the end, with an eye on the machine. The time is kept inside; should that fail, here.
fn wait(socket: &UnixStream, orders: &Orders, started: Instant) -> io::Result<End> {
    socket.set_read_timeout(Some(LOOK))?;
    let before = Machine::look(orders);
    loop {
        match wire::receive(socket) {
            Ok(Some(Report::Ended(end))) => return Ok(end),
            Ok(_) => return Err(io::Error::other("it ended without a word")),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
        if started.elapsed() > orders.timeout + GRACE {
            return Ok(End::TimedOut);
        }
        if let Some(what) = before.lost(&Machine::look(orders), &orders.limits) {
            return Ok(End::TookTooMuch(what.to_owned()));
        }
    }
}

/// What the machine has for everybody. No limit of a process bounds all of a check's files together, and
/// none bounds the processes of root; so this is looked at from outside, together with whatever else
/// happens here. The bounds are far apart for that reason.
struct Machine {
    /// Free bytes of every disk that the check may write to.
    free: Vec<u64>,
    /// Processes and threads.
    processes: u64,
}

impl Machine {
    fn look(orders: &Orders) -> Self {
        let free = |path| statvfs(path).map_or(0, |disk| disk.blocks_available() * disk.fragment_size());
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let processes = load.split_whitespace().nth(3).and_then(|ratio| ratio.split_once('/')?.1.parse().ok());
        Self {
            free: orders.reach.write.iter().map(|path| free(path.as_path())).collect(),
            processes: processes.unwrap_or(0),
        }
    }

    /// What it has less of by now than a check may take.
    fn lost(&self, now: &Self, limits: &Limits) -> Option<&'static str> {
        let mut disks = self.free.iter().zip(&now.free);
        if disks.any(|(before, now)| before.saturating_sub(*now) > limits.disk_bytes) {
            Some("of the disk")
        } else if now.processes.saturating_sub(self.processes) > limits.processes {
            Some("with its processes")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_fills_a_disk_or_the_table_of_processes_is_found_out() {
        let machine = |free: &[u64], processes| Machine { free: free.to_vec(), processes };
        let limits = Limits { disk_bytes: 100, processes: 10, ..Limits::default() };
        let before = machine(&[1000, 500], 200);
        assert_eq!(before.lost(&machine(&[900, 400], 210), &limits), None);
        assert_eq!(before.lost(&machine(&[2000, 600], 100), &limits), None, "others tidied up");
        assert_eq!(before.lost(&machine(&[1000, 399], 200), &limits), Some("of the disk"));
        assert_eq!(before.lost(&machine(&[1000, 500], 211), &limits), Some("with its processes"));
    }
}
