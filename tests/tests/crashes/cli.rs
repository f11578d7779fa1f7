//! `kill -9` of `skill` in the middle of an install: at every call that changes a name on the disk, and at
//! any moment.
//!
//! Whatever the moment, the repository is in the old state or in the new one once the next run has
//! repaired it, and `verify` says so; and before that run nothing is lost.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::tools::have;
use tests::{Person, Shop, Snapshot};

/// Calls that change what a name means; a kill before each is a state of its own.
pub(super) const CALLS: &str = "rename,renameat,renameat2,unlink,unlinkat,rmdir,symlink,symlinkat,mkdir,mkdirat,openat";

/// Two states, and a repository to crash in.
struct Crash {
    shop: Shop,
    old: Snapshot,
    new: Snapshot,
}

fn crash() -> Crash {
    let shop = Shop::with_pdf_installed();
    shop.publish("acme/more", "1.0.0", "");
    shop.publish("acme/pdf", "1.1.0", "\"acme/more\" = \"^1\"");
    let old = shop.bob.snapshot();
    let copy = repository(&shop, "new");
    copy.skill(&["update"]).ok();
    let new = copy.snapshot();
    Crash { shop, old, new }
}

/// A copy of Bob's repository, with his home.
fn repository(shop: &Shop, name: &str) -> Person {
    let target = shop.world.path(name);
    let _ = std::fs::remove_dir_all(&target);
    copy_all(&shop.bob.work, &target);
    shop.bob.within(target)
}

/// Copies with links and modes.
pub(super) fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(copied.success());
}

impl Crash {
    /// After a crash: readers see no nonsense, and the next run repairs. Gives whether the update happened.
    #[track_caller]
    fn repaired(&self, person: &Person, at: &str) -> bool {
        let verify = person.skill(&["verify", "--offline"]);
        assert!(matches!(verify.exit, 0 | 1 | 3), "{at}: {verify}");
        let install = person.skill(&["install"]);
        assert_eq!(install.exit, 0, "{at}: {install}");
        let seen = person.snapshot();
        let happened = seen == self.new;
        assert!(happened || seen == self.old, "{at}: neither the old state nor the new one: {:?}", seen.paths());
        let verify = person.skill(&["verify", "--offline"]);
        assert_eq!(verify.exit, 0, "{at}: {verify}");
        assert!(!person.work.join(".skill/state/txn").exists(), "{at}: leftovers");
        happened
    }
}

#[test]
fn killed_before_any_call_that_changes_a_name_the_state_is_old_or_new() {
    if !have("strace", "-V") {
        return;
    }
    let crash = crash();
    let calls = count_calls(&crash);
    assert!(calls > 20, "{calls} calls only: is strace allowed to trace?");
    let (mut old, mut new) = (0, 0);
    // Every call near the end, where things are put in place; a sample of the many opens before.
    let points = (1..=calls).filter(|point| point % 7 == 0 || *point + 120 > calls);
    for point in points {
        let person = repository(&crash.shop, "crash");
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e", &format!("trace={CALLS}")]);
        command.args(["-e", &format!("inject={CALLS}:signal=KILL:when={point}")]);
        run_traced(&person, command, &["update"]);
        if crash.repaired(&person, &format!("call {point} of {calls}")) { new += 1 } else { old += 1 }
    }
    assert!(old > 0 && new > 0, "old {old}, new {new}: both states must occur");
    tests::tools::say(&format!(
        "crashes: killed at {} calls of {calls}: {old} times the old state, {new} times the new one",
        old + new
    ));
}

/// How many of the calls one update makes in its busiest thread: strace counts each thread by itself.
fn count_calls(crash: &Crash) -> usize {
    let person = repository(&crash.shop, "count");
    let log = crash.shop.world.path("strace.log");
    let mut command = Command::new("strace");
    command.args(["-f", "-e", &format!("trace={CALLS}"), "-o"]).arg(&log);
    run_traced(&person, command, &["update"]);
    let text = std::fs::read_to_string(log).expect("strace wrote its log");
    let mut threads: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| CALLS.split(',').any(|call| line.contains(&format!(" {call}(")))) {
        *threads.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    threads.into_values().max().unwrap_or(0)
}

pub(super) fn run_traced(person: &Person, mut strace: Command, args: &[&str]) {
    let skill = person.skill_command(args);
    strace.arg(skill.get_program()).args(skill.get_args()).current_dir(&person.work).env_clear();
    strace.envs(skill.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let _ = strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().expect("strace runs");
}

/// Moments that no call marks: after so many polls of the process, each time later.
#[test]
fn killed_at_any_moment_the_state_is_old_or_new() {
    let crash = crash();
    let mut ended = 0;
    for round in 0..40_u32 {
        let person = repository(&crash.shop, "crash");
        let mut child =
            person.skill_command(&["update"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        let limit = std::time::Instant::now() + std::time::Duration::from_micros(u64::from(round) * 700);
        while std::time::Instant::now() < limit && child.try_wait().expect("a child").is_none() {
            std::thread::yield_now();
        }
        ended += u32::from(child.try_wait().expect("a child").is_some());
        let _ = child.kill();
        let _ = child.wait();
        crash.repaired(&person, &format!("round {round}"));
    }
    tests::tools::say(&format!("crashes: 40 kills at any moment, {ended} came after the end"));
}
