//! Checks that misbehave: each tries one thing that no check may do, in the real sandbox.
//!
//! Where the kernel of this machine does not grant the sandbox, the tests say so and pass: a program can be
//! installed, a kernel cannot.
#![cfg(target_os = "linux")]

use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tests::files::set_mode;
use tests::tools::{have, say};
use tests::{Person, World};

/// Somebody with a project, a key, and one installed check whose program is this script.
struct Trial {
    world: World,
    person: Person,
}

const TABLES: &str = "timeout = \"60s\"\nenv = { pass = [\"PATH\", \"HOME\", \"DB_PASSWORD\"] }\n\
                      [check.evidence]\nkey-lines = [\"^key\"]\n";

impl Trial {
    fn of(script: &str, tables: &str) -> Self {
        let world = World::new();
        let person = world.stranger("agent");
        let manifest = format!(
            "[package]\nschema = 1\nname = \"acme/trial\"\nversion = \"1.0.0\"\nkind = \"check\"\nlicense = \"MIT\"\n\
             description = \"It tries something.\"\n[check]\nargv = [\"./run.sh\"]\ninputs = [\"src/**\"]\n{tables}"
        );
        person.write("packages/trial/skill.toml", manifest);
        person.write("packages/trial/run.sh", format!("#!/bin/sh\n{script}\n"));
        set_mode(&person.work.join("packages/trial/run.sh"), 0o755);
        person.write("packages/trial/fixtures/fail/bad/a.txt", "");
        person.write("packages/trial/fixtures/pass/good/a.txt", "");
        person.write("src/a.txt", "1\n");
        person.skill(&["add", "./packages/trial", "--trust"]).ok();
        Self { world, person }
    }

    /// Runs it; gives what was found, or nothing where this kernel has no sandbox.
    #[track_caller]
    fn run(&self, exit: i32) -> Option<Value> {
        let screen = self.person.skill(&["check", "run", "acme/trial", "--no-evidence", "--json"]).exits(exit);
        let data = screen.json()["data"].clone();
        let enforced = data["run"]["predicate"]["skillRun"]["sandbox"]["enforced"].to_string();
        let whole = ["pid-namespace", "landlock-"].iter().all(|word| enforced.contains(word));
        if !whole {
            say(&format!("skipped: this kernel enforces only {enforced}"));
        }
        whole.then_some(data)
    }
}

fn lines(data: &Value, of: &str) -> Vec<String> {
    let lines = if of == "tail" { &data["tail"] } else { &data["run"]["predicate"]["skillRun"]["observation"][of] };
    lines.as_array().expect("lines").iter().map(|line| line.as_str().expect("text").to_owned()).collect()
}

/// A command line that nobody else has.
fn token() -> String {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    format!("7{}{count:03}.25", std::process::id())
}

/// Whether some process on this machine still has it on its command line.
fn is_alive(token: &str) -> bool {
    let all = std::fs::read_dir("/proc").expect("it is there").flatten();
    let mut lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| String::from_utf8_lossy(&line).split('\0').any(|word| word == token))
}

#[test]
fn what_a_check_leaves_running_ends_with_it() {
    let token = token();
    let script = format!(
        "setsid sleep {token} & (setsid sh -c 'trap \"\" TERM HUP; sleep {token} & sleep {token}' &)\n\
         python3 -c 'import os; os.fork() or os.setsid() or os.fork() or os.execvp(\"sleep\", [\"sleep\", \"{token}\"])'\necho key fine"
    );
    let trial = Trial::of(&script, TABLES);
    if let Some(data) = trial.run(0) {
        assert_eq!(lines(&data, "keyLines"), ["key fine"]);
    }
    assert!(!is_alive(&token), "something of the check is still running");
}

#[test]
fn a_check_that_ignores_signals_and_runs_for_ever_is_ended_and_is_an_error() {
    let token = token();
    let script = format!("trap '' TERM INT HUP\necho key begun\nwhile :; do sleep {token}; done");
    let trial = Trial::of(&script, &TABLES.replace("60s", "1s"));
    let started = Instant::now();
    if let Some(data) = trial.run(3) {
        assert_eq!(data["outcome"], "ERROR");
        assert!(data["why"][0].as_str().expect("why").contains("longer than 1 seconds"), "{data}");
        assert_eq!(lines(&data, "keyLines"), ["key begun"]);
    }
    assert!(started.elapsed() < Duration::from_secs(30));
    assert!(!is_alive(&token));
}

#[test]
fn a_check_writes_nowhere_but_where_it_said() {
    let script = "try() { (echo 0 > \"$1\") 2>/dev/null && echo key wrote $2; }\n\
                  try src/a.txt tree; try new.txt tree; try .git/hooks/x git; try skills.lock lock; try \"$HOME/x\" home\n\
                  try /tmp/skill-escape tmp; try /etc/skill-escape etc; try \"$SKILL_CHECK_PACKAGE/run.sh\" package\n\
                  try /dev/shm/../../tmp/skill-escape tmp; try /proc/self/oom_score_adj proc\n\
                  ln -s ../src/a.txt out/link; try out/link link; ln -s ../src out/folder; try out/folder/b.txt link\n\
                  ln src/a.txt out/hard 2>/dev/null && echo key linked; rm -f src/a.txt 2>/dev/null && echo key removed\n\
                  mv src out/ 2>/dev/null && echo key moved\n\
                  try out/fine out; try \"$TMPDIR/fine\" own";
    let trial = Trial::of(script, &TABLES.replace("timeout", "writes = [\"out/**\"]\ntimeout"));
    trial.person.git(&["init", "-q"]);
    if let Some(data) = trial.run(0) {
        assert_eq!(lines(&data, "keyLines"), ["key wrote out", "key wrote own"], "{data}");
        assert_eq!(trial.person.read("src/a.txt"), "1\n");
    }
    assert!(!PathBuf::from("/tmp/skill-escape").exists());
}

#[test]
fn a_link_planted_where_a_check_writes_is_refused_before_anything_runs() {
    let trial =
        Trial::of("echo evil > out/authorized_keys", &TABLES.replace("timeout", "outputs = [\"out/*\"]\ntimeout"));
    let elsewhere = trial.world.folder("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, trial.person.work.join("out")).expect("linked");
    let refused = trial.person.skill(&["check", "run", "acme/trial", "--no-evidence"]).exits(3);
    refused.says("is a link");
    assert_eq!(std::fs::read_dir(&elsewhere).expect("it is there").count(), 0);
}

#[test]
fn work_that_hides_among_the_evidence_or_the_state_is_read_by_no_check() {
    let script = "for f in .skill/evidence/lib.sh .skill/evidence/zz.intoto.jsonl .skill/state/z.sh; do\n\
                  cat \"$f\" >/dev/null 2>&1 && echo key read $f; done\nls >/dev/null && cat src/a.txt >/dev/null && echo key fine";
    let trial = Trial::of(script, TABLES);
    for path in [".skill/evidence/lib.sh", ".skill/evidence/zz.intoto.jsonl", ".skill/state/z.sh"] {
        trial.person.write(path, "exit 0\n");
    }
    if let Some(data) = trial.run(0) {
        assert_eq!(lines(&data, "keyLines"), ["key fine"], "{data}");
    }
}

#[test]
fn what_lies_among_the_evidence_and_is_none_is_part_of_the_tree() {
    let trial = Trial::of("true", TABLES);
    trial.person.git(&["init", "-q"]);
    let tree = || {
        let screen = trial.person.skill(&["check", "run", "acme/trial", "--no-evidence", "--json"]).ok();
        screen.json()["data"]["run"]["subject"].to_string()
    };
    let before = tree();
    trial.person.write(".skill/evidence/zz.intoto.jsonl", "{}\n");
    assert_eq!(tree(), before, "evidence does not move what it is about");
    trial.person.write(".skill/evidence/lib.sh", "exit 0\n");
    let with = tree();
    assert_ne!(with, before);
    trial.person.write(".skill/evidence/lib.sh", "exit 1\n");
    assert_ne!(tree(), with);
}

#[test]
fn a_check_reads_no_keys() {
    let script = "for f in \"$HOME/.ssh/id\" \"$HOME/.aws/credentials\" \"$HOME/.netrc\" \"$HOME/.config/gh/hosts.yml\" \\\n\
                  \"$HOME/skill/config/keys/default.pem\" \"$HOME/notes\" /etc/shadow /proc/1/environ; do\n\
                  cat \"$f\" >/dev/null 2>&1 && echo \"key read $f\"; done\nls \"$HOME\" >/dev/null 2>&1 && echo key listed\n\
                  env | grep -i skill_home && echo key variable\ncat src/a.txt >/dev/null && echo key fine";
    let trial = Trial::of(script, TABLES);
    for path in [".ssh/id", ".aws/credentials", ".netrc", ".config/gh/hosts.yml", "notes"] {
        tests::write(trial.person.home.join(path), "secret");
    }
    trial.person.skill(&["key", "generate", "--no-passphrase"]).ok();
    if let Some(data) = trial.run(0) {
        assert_eq!(lines(&data, "keyLines"), ["key fine"], "{data}");
    }
}

/// Tries to reach a TCP and a UDP socket of the test, and to resolve a name.
const REACHING: &str = r#"python3 - <<'END'
import socket
def tries(name, work):
    try:
        work()
        print("key reached", name)
    except OSError:
        print("key refused", name)
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", UDP))
def own():
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname()).close()
tries("tcp", lambda: socket.create_connection(("127.0.0.1", TCP), 2).close())
tries("udp", udp)
tries("dns", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
tries("own", own)
END"#;

#[test]
fn a_check_reaches_no_socket_of_the_machine() {
    if !have("python3", "--version") {
        return;
    }
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    tcp.set_nonblocking(true).expect("a socket");
    udp.set_nonblocking(true).expect("a socket");
    let port = |address: std::net::SocketAddr| address.port().to_string();
    let script = REACHING.replace("TCP", &port(tcp.local_addr().expect("bound")));
    let script = script.replace("UDP", &port(udp.local_addr().expect("bound")));
    let outcome = |network: &str| {
        let trial = Trial::of(&script, &format!("network = \"{network}\"\n{TABLES}"));
        trial.run(0).map(|data| lines(&data, "keyLines"))
    };
    let Some(none) = outcome("none") else { return };
    assert_eq!(none, ["key refused tcp", "key refused udp", "key refused dns", "key refused own"]);
    let lo = outcome("loopback").expect("a sandbox");
    // UDP has no connection: what is sent to a port of its own `lo` is sent, and reaches nobody.
    assert_eq!(lo, ["key refused tcp", "key reached udp", "key refused dns", "key reached own"]);
    assert_eq!(tcp.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
    assert_eq!(udp.recv(&mut [0]).expect_err("nothing").kind(), ErrorKind::WouldBlock);
    let any = outcome("any").expect("a sandbox");
    assert_eq!([&any[0], &any[3]], ["key reached tcp", "key reached own"]);
    assert!(tcp.accept().is_ok(), "`any` is what it says");
}

#[test]
fn a_check_reaches_no_unix_socket_of_the_machine() {
    use std::os::unix::net::UnixListener;
    if !have("python3", "--version") {
        return;
    }
    let folder = tempfile::Builder::new().prefix("sockets").tempdir_in("/tmp").expect("a folder");
    let (place, agent) = (folder.path().join("s"), folder.path().join("agent"));
    let listeners = [&place, &agent].map(|path| UnixListener::bind(path).expect("a socket"));
    let script = format!(
        "python3 - <<'END'\nimport os, socket\nfor name in ['{}', '{}', os.environ['TMPDIR'] + '/own']:\n  \
         if name.endswith('own'):\n    server = socket.socket(socket.AF_UNIX); server.bind(name); server.listen()\n  \
         try:\n    socket.socket(socket.AF_UNIX).connect(name); print('key reached', os.path.basename(name))\n  \
         except OSError:\n    print('key refused', os.path.basename(name))\nEND",
        place.display(),
        agent.display()
    );
    for network in ["none", "loopback"] {
        let mut trial = Trial::of(&script, &format!("network = \"{network}\"\n{TABLES}"));
        trial.person = trial.person.with("SSH_AUTH_SOCK", agent.to_str().expect("a path"));
        let Some(data) = trial.run(0) else { return };
        let enforced = data["run"]["predicate"]["skillRun"]["sandbox"]["enforced"].to_string();
        if !enforced.contains("mount-namespace") {
            return say("skipped: this kernel forbids mounts");
        }
        assert_eq!(lines(&data, "keyLines"), ["key refused s", "key refused agent", "key reached own"], "{network}");
    }
    for listener in listeners {
        listener.set_nonblocking(true).expect("a socket");
        assert_eq!(listener.accept().expect_err("nobody").kind(), ErrorKind::WouldBlock);
    }
}

#[test]
fn a_secret_does_not_get_into_evidence_as_the_name_of_a_file() {
    let script = "echo x > \"out/$DB_PASSWORD.txt\"; echo key fine";
    let trial = Trial::of(script, &TABLES.replace("timeout", "outputs = [\"out/*\"]\ntimeout"));
    let person = trial.person.with("DB_PASSWORD", "correct-horse");
    let screen = person.skill(&["check", "run", "acme/trial", "--no-evidence", "--json"]).exits(3);
    screen.says("the name of a file that it made").keeps_quiet_about("correct-horse");
}

#[test]
fn a_gigabyte_without_a_line_break_costs_little_memory() {
    let trial = Trial::of("echo key before\nhead -c 1000000000 /dev/zero\necho\necho key after", TABLES);
    let skill = trial.person.skill_command(&["check", "run", "acme/trial", "--no-evidence", "--json"]);
    let program = skill.get_program().to_str().expect("a path").to_owned();
    // The limit holds for the command and for everything below it: half of what is printed.
    let line = format!("ulimit -v 500000; exec '{program}' check run acme/trial --no-evidence --json");
    let screen = trial.person.run("sh", &["-c", &line]).ok();
    let data = screen.json()["data"].clone();
    assert_eq!(lines(&data, "keyLines"), ["key before", "key after"]);
    assert_eq!(data["run"]["predicate"]["skillRun"]["observation"]["stdout"]["bytes"], 1_000_000_022_u64);
    assert!(screen.stdout.len() < 20_000, "{} bytes", screen.stdout.len());
}

#[test]
fn binary_output_and_terminal_sequences_reach_no_terminal() {
    let trial =
        Trial::of("head -c 300000 /dev/urandom\nprintf '\\nkey \\033[2J\\033]0;evil\\007\\377\\n'; exit 1", TABLES);
    let screen = trial.person.skill(&["check", "run", "acme/trial", "--no-evidence"]).exits(1);
    assert!(!screen.stdout.contains(['\u{1b}', '\u{7}']), "{}", screen.stdout.escape_debug());
    assert!(screen.stdout.lines().all(|line| line.chars().count() <= 90), "{}", screen.stdout);
}

#[test]
fn one_file_cannot_take_the_disk() {
    if !have("python3", "--version") {
        return;
    }
    let script = "python3 -c 'import os; open(os.environ[\"TMPDIR\"] + \"/x\", \"wb\").truncate(5 << 30)' 2>/dev/null || echo key refused\n\
                  ulimit -c | sed 's/^/key core /'";
    if let Some(data) = Trial::of(script, TABLES).run(0) {
        assert_eq!(lines(&data, "keyLines"), ["key refused", "key core 0"]);
    }
}

#[test]
fn a_password_that_a_check_was_given_is_told_to_nobody() {
    let script =
        "echo \"key login with $DB_PASSWORD\"; echo \"again: $DB_PASSWORD\" >&2; echo key AKIAABCDEFGHIJKLMNOP; exit 1";
    let trial = Trial::of(script, TABLES);
    let person = trial.person.with("DB_PASSWORD", "correct-horse-battery");
    person.skill(&["key", "generate", "--no-passphrase"]).ok();
    let text = person.skill(&["check", "run", "acme/trial"]).exits(1);
    text.says("key login with [redacted]").keeps_quiet_about("correct-horse").keeps_quiet_about("AKIAAB");
    let json = person.skill(&["check", "run", "acme/trial", "--json"]).exits(1);
    json.keeps_quiet_about("correct-horse").keeps_quiet_about("AKIAAB");
    let kept = person.read(".skill/evidence/checks.intoto.jsonl");
    for line in kept.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let payload =
            base64::Engine::decode(&base64::prelude::BASE64_STANDARD, line["payload"].as_str().expect("text"));
        let payload = String::from_utf8(payload.expect("base64")).expect("UTF-8");
        assert!(payload.contains("key login with [redacted]") && !payload.contains("correct-horse"), "{payload}");
        assert!(payload.len() < 8_000, "{} bytes", payload.len());
    }
}

#[test]
fn a_tree_that_changes_while_the_check_runs_is_no_proof() {
    let trial = Trial::of(
        "mkdir -p out; touch out/begun; while ! test -e out/go; do sleep 0.05; done",
        &TABLES.replace("timeout", "writes = [\"out/**\"]\ntimeout"),
    );
    let mut command = trial.person.skill_command(&["check", "run", "acme/trial", "--no-evidence", "--json"]);
    let child = command.spawn().expect("skill runs");
    let out = trial.person.work.join("out");
    let limit = Instant::now() + Duration::from_secs(60);
    while !out.join("begun").exists() && Instant::now() < limit {
        std::thread::yield_now();
    }
    trial.person.write("src/a.txt", "2\n");
    trial.person.write("out/go", "");
    let output = child.wait_with_output().expect("it ends");
    let data: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &data["data"]["outcome"]), (Some(1), &Value::from("FAILED")), "{data}");
    assert!(data["data"]["why"].to_string().contains("the tree changed while it ran: `src/a.txt`"), "{data}");
}

#[test]
fn what_another_run_left_behind_is_no_result() {
    let state = "[[check.expect.state]]\nfile-exists = \"out/report\"\n";
    let tables = format!("{}{state}", TABLES.replace("timeout", "outputs = [\"out/report\"]\ntimeout"));
    let trial = Trial::of("test -e again || echo x > out/report", &tables);
    if let Some(data) = trial.run(0) {
        let artifacts = &data["run"]["predicate"]["skillRun"]["artifacts"];
        assert_eq!((&artifacts[0]["path"], &artifacts[0]["bytes"]), (&Value::from("out/report"), &Value::from(2)));
    }
    trial.person.write("again", "");
    if let Some(data) = trial.run(1) {
        assert!(data["why"].to_string().contains("was there before"), "{data}");
        assert_eq!(data["run"]["predicate"]["skillRun"]["artifacts"], serde_json::json!([]));
    }
}

#[test]
fn breaking_is_failing_and_being_killed_says_nothing() {
    if let Some(data) = Trial::of("kill -SEGV $$", TABLES).run(1) {
        assert_eq!(data["why"][0], "it broke with signal 11");
    }
    if let Some(data) = Trial::of("kill -KILL $$", TABLES).run(3) {
        assert_eq!(data["outcome"], "ERROR");
        assert_eq!(data["run"]["predicate"]["result"], "FAILED", "for readers that know only in-toto");
    }
}

#[test]
fn a_missing_program_is_an_error_and_no_failure() {
    for (script, words) in [("exec no-such-program-anywhere", "missing"), ("exit 126", "cannot be started")] {
        if let Some(data) = Trial::of(script, TABLES).run(3) {
            assert!(data["why"][0].as_str().expect("why").contains(words), "{data}");
        }
    }
}

#[test]
fn when_the_command_is_killed_its_check_ends_with_it() {
    let token = token();
    let trial = Trial::of(
        &format!("mkdir -p out; setsid sleep {token} & touch out/begun; sleep {token}"),
        &TABLES.replace("timeout", "writes = [\"out/**\"]\ntimeout"),
    );
    let mut child =
        trial.person.skill_command(&["check", "run", "acme/trial", "--no-evidence"]).spawn().expect("skill runs");
    let limit = Instant::now() + Duration::from_secs(60);
    while !trial.person.work.join("out/begun").exists() && Instant::now() < limit {
        std::thread::yield_now();
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    while is_alive(&token) && Instant::now() < limit {
        std::thread::yield_now();
    }
    assert!(!is_alive(&token), "the check lives on");
}

/// A shell in which the kernel grants no further namespace of users.
const REFUSED: &str = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";

#[test]
fn where_the_kernel_refuses_the_check_runs_and_the_evidence_says_what_was_enforced() {
    if !have("unshare", "--version") {
        return;
    }
    let token = token();
    let trial = Trial::of(&format!("setsid sleep {token} & echo key ran"), TABLES);
    let program = trial.person.skill_command(&[]).get_program().to_str().expect("a path").to_owned();
    let refused = |person: &Person| {
        let args =
            ["-Ur", "sh", "-c", REFUSED, "sh", &program, "check", "run", "acme/trial", "--no-evidence", "--json"];
        person.run("unshare", &args)
    };
    let screen = refused(&trial.person);
    if screen.stdout.is_empty() {
        return say(&format!("skipped: this kernel refuses user namespaces to begin with: {}", screen.stderr));
    }
    let data = screen.ok().json()["data"].clone();
    assert_eq!(lines(&data, "keyLines"), ["key ran"]);
    let enforced = data["run"]["predicate"]["skillRun"]["sandbox"]["enforced"].to_string();
    assert!(!enforced.contains("namespace") && enforced.contains("rlimits"), "{enforced}");
    assert!(!is_alive(&token), "also without a namespace nothing stays behind");
    let required = Trial::of("echo key ran", &format!("sandbox = \"required\"\n{TABLES}"));
    let data = refused(&required.person).exits(3).json()["data"].clone();
    assert_eq!((&data["outcome"], lines(&data, "keyLines").len()), (&Value::from("ERROR"), 0));
    assert!(data["why"][0].as_str().expect("why").contains("requires a sandbox"), "{data}");
}

#[test]
fn the_hidden_command_does_nothing_for_whoever_types_it() {
    let world = World::new();
    let person = world.stranger("curious");
    let screen = person.skill(&["__confine"]).exits(2);
    assert_eq!((screen.stdout.as_str(), screen.stderr.as_str()), ("", ""));
    person.skill(&["__confine", "namespaces"]).exits(2);
    person.skill(&["--help"]).ok().keeps_quiet_about("__confine");
}
