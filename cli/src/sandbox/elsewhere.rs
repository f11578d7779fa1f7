//! Where there is no sandbox: the check runs as it is, and the run says that nothing was enforced.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{End, Listener, Orders, Run, Said};
use crate::failure::Failure;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the check, and ends it when its time is over.
pub(super) fn run(orders: &Orders, listener: &Listener) -> Result<Run, Failure> {
    let ended = |end, took| Ok(Run { enforced: Vec::new(), end, took });
    if orders.required {
        let why = "the check requires a sandbox, and this system has none that we know";
        return ended(End::NotStarted(why.to_owned()), Duration::ZERO);
    }
    let mut command = Command::new(&orders.argv[0]);
    command.args(&orders.argv[1..]).current_dir(&orders.cwd).env_clear().envs(orders.env.iter().cloned());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let started = Instant::now();
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            return ended(End::NotStarted(format!("could not start `{}`: {error}", orders.argv[0])), Duration::ZERO);
        }
    };
    let streams = [
        child.stdout.take().map(|pipe| listen(pipe, Said::Out, listener)),
        child.stderr.take().map(|pipe| listen(pipe, Said::Err, listener)),
    ];
    let end = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status.code().map_or(End::Signal(0), End::Exit),
            Ok(None) if started.elapsed() > orders.timeout => break End::TimedOut,
            Ok(None) => thread::sleep(LOOK),
            Err(error) => return Err(Failure::could_not("sandbox-lost", format!("the check was lost: {error}"))),
        }
    };
    end_group(&mut child);
    streams.into_iter().flatten().for_each(|stream| drop(stream.join()));
    ended(end, started.elapsed())
}

#[cfg(unix)]
fn end_group(child: &mut std::process::Child) {
    use nix::sys::signal::{Signal, killpg};
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
    }
    let _ = child.wait();
}

#[cfg(not(unix))]
fn end_group(child: &mut std::process::Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn listen(mut pipe: impl Read + Send + 'static, said: Said, listener: &Listener) -> thread::JoinHandle<()> {
    let listener = Arc::clone(listener);
    thread::spawn(move || {
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(bytes @ 1..) = pipe.read(&mut chunk) {
            listener(said, &chunk[..bytes]);
        }
    })
}
