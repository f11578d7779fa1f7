//! Process 1 of the check's own world: bounds itself for good, starts the check, reaps what it leaves
//! behind, and ends all of it.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, path_beneath_rules,
};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};
use skills::check::Network;

use super::outer::Apart;
use super::wire::{self, Go, Report};
use super::{End, Limits, Orders, outer, suffices};

/// What we ask Landlock for; an older kernel gives what it has.
const LANDLOCK: ABI = ABI::V6;

/// Bounds itself, waits for the word, runs the check to its end.
pub(super) fn play(apart: Apart) -> ExitCode {
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else { return ExitCode::from(2) };
    let Ok(Some(orders)) = wire::receive::<Orders>(&socket) else { return ExitCode::from(2) };
    // Whoever is not process 1 is in no namespace, whatever was said: `kill(-1)` would reach everybody.
    let apart = if getpid().as_raw() == 1 { apart } else { Apart::Not };
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    // The check runs as the same user: it must not read or trace the one who bounds it.
    let _ = prctl::set_dumpable(false);
    let mut enforced = apart.enforced(orders.network);
    enforced.extend(restrict(&orders, apart));
    enforced.extend(limit(&orders.limits));
    if wire::send(&socket, &Report::Ready(enforced.clone())).is_err() || !matches!(wire::receive(&socket), Ok(Some(Go)))
    {
        return ExitCode::SUCCESS;
    }
    let end = if orders.required && !suffices(&enforced, orders.network) {
        End::NotStarted(format!("the check requires a sandbox, and only this is enforced here: {}", listed(&enforced)))
    } else {
        run(&orders, &socket, apart != Apart::Not)
    };
    let _ = wire::send(&socket, &Report::Ended(end));
    ExitCode::SUCCESS
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// Files and TCP by Landlock, and no new rights by set-user-id programs.
fn restrict(orders: &Orders, apart: Apart) -> Option<String> {
    let _ = prctl::set_no_new_privs();
    let status = landlock(orders, apart).ok()?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => {
            Some(format!("landlock-{}", format!("{effective_abi:?}").to_lowercase()))
        }
        _ => None,
    }
}

fn landlock(orders: &Orders, apart: Apart) -> Result<landlock::RestrictionStatus, landlock::RulesetError> {
    let (all, read) = (AccessFs::from_all(LANDLOCK), AccessFs::from_read(LANDLOCK));
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .scope(Scope::from_all(LANDLOCK))?;
    // Without a network of its own, TCP is what Landlock can keep it from.
    if orders.network == Network::None {
        ruleset = ruleset.handle_access(AccessNet::from_all(LANDLOCK))?;
    }
    let private: &[PathBuf] =
        if apart == Apart::WithMounts && orders.reach.private_memory { &[PathBuf::from(outer::SHM)] } else { &[] };
    let (readable, list): (_, &[PathBuf]) = match apart {
        Apart::WithMounts => (&orders.reach.read, &[]),
        Apart::Not | Apart::InNamespaces => (&orders.reach.read_around, &orders.reach.list),
    };
    let devices = AccessFs::from_file(LANDLOCK);
    ruleset
        .create()?
        .add_rules(path_beneath_rules(readable, read))?
        .add_rules(path_beneath_rules(list, AccessFs::ReadDir))?
        .add_rules(path_beneath_rules(&orders.reach.write, all))?
        .add_rules(path_beneath_rules(private, all))?
        .add_rules(path_beneath_rules(["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"], devices))?
        .restrict_self()
}

/// No core files, and no single file, process or crowd that takes the machine.
fn limit(limits: &Limits) -> Option<String> {
    let bounds = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, limits.file_bytes),
        (Resource::RLIMIT_DATA, limits.memory_bytes),
        (Resource::RLIMIT_NPROC, limits.processes),
    ];
    let set = bounds.into_iter().map(|(resource, most)| {
        let hard = nix::sys::resource::getrlimit(resource).map_or(most, |(_, hard)| hard.min(most));
        setrlimit(resource, hard, hard)
    });
    set.collect::<Result<Vec<()>, _>>().is_ok().then(|| "rlimits".to_owned())
}

/// Starts the check and sees it to its end.
fn run(orders: &Orders, socket: &UnixStream, in_namespaces: bool) -> End {
    static OUT_OF_TIME: AtomicBool = AtomicBool::new(false);
    if !in_namespaces {
        let _ = prctl::set_child_subreaper(true);
    }
    let mut command = Command::new(&orders.argv[0]);
    command.args(&orders.argv[1..]).current_dir(&orders.cwd).env_clear().envs(orders.env.iter().cloned());
    let child = match command.stdin(Stdio::null()).process_group(0).spawn() {
        Ok(child) => Pid::from_raw(i32::try_from(child.id()).expect("process ids fit")),
        Err(error) => return End::NotStarted(format!("could not start `{}`: {error}", orders.argv[0])),
    };
    let (clock, timeout) = (socket.try_clone(), orders.timeout);
    std::thread::spawn(move || {
        wait_for_the_end_of_time(clock, timeout);
        OUT_OF_TIME.store(true, Ordering::SeqCst);
        end_all(in_namespaces);
    });
    let end = wait_for(child);
    end_all(in_namespaces);
    while waitpid(Pid::from_raw(-1), None).is_ok() {}
    if OUT_OF_TIME.load(Ordering::SeqCst) { End::TimedOut } else { end }
}

/// Until the time-out, or until whoever gave the orders says that it is over, or is gone.
fn wait_for_the_end_of_time(clock: io::Result<UnixStream>, timeout: Duration) {
    let Ok(clock) = clock else { return std::thread::sleep(timeout) };
    if clock.set_read_timeout(Some(timeout.max(Duration::from_millis(1)))).is_ok() {
        let _ = wire::receive::<Go>(&clock);
    }
}

/// Reaps everything until the check itself has ended.
fn wait_for(child: Pid) -> End {
    loop {
        match waitpid(Pid::from_raw(-1), None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == child => return End::Exit(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => return End::Signal(signal as i32),
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return End::NotStarted(format!("the check was lost: {error}")),
        }
    }
}

/// Ends whatever the check started. Process 1 reaches everybody in its namespace, itself excepted;
/// without one, everybody who descends from here is looked up, until nobody is left.
fn end_all(in_namespaces: bool) {
    if in_namespaces {
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        return;
    }
    for _ in 0..100 {
        let descendants = descendants(getpid().as_raw());
        if descendants.is_empty() {
            return;
        }
        for pid in descendants {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// The living processes below one, by `/proc`.
fn descendants(of: i32) -> Vec<i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    let parents: Vec<(i32, i32)> = all.filter_map(|entry| parent(entry.file_name().to_str()?)).collect();
    let mut found = vec![of];
    let mut at = 0;
    while at < found.len() {
        let above = found[at];
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        at += 1;
    }
    found.split_off(1)
}

/// A process and its parent, from `PID (name) S PARENT …`; the dead do not count.
fn parent(pid: &str) -> Option<(i32, i32)> {
    let number = pid.parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut after = stat.rsplit_once(") ")?.1.split(' ');
    let state = after.next()?;
    let parent = after.next()?.parse().ok()?;
    (state != "Z").then_some((number, parent))
}
