//! What is measured: calls of an agent, evals of a version, work in a repository. Numbers that are known before.

use serde_json::{Value, json};
use skills::SkillName;
use skills::dsse::{Envelope, IN_TOTO};
use skills::evidence::{Approval, BriefRef, Decision, Moment, Outcome, Run, format};
use tests::workshop::{BRIEF, Workshop, key};
use tests::{Person, Screen, World};

/// In seconds.
const DAY: u64 = 86_400;

/// When the known history begins: no clock is asked.
const START: u64 = 1_790_000_000;

/// A line of a client's transcript: one call.
fn call(tool: &str, input: &Value) -> String {
    let part = json!({"type": "tool_use", "id": "t1", "name": tool, "input": input});
    format!("{}\n", json!({"type": "assistant", "message": {"role": "assistant", "content": [part]}}))
}

#[test]
fn one_foreign_call_of_a_transcript_is_found_and_nothing_of_the_transcript_is_kept() {
    let world = World::new();
    let alice = Workshop::new(&world).alice;
    let said = json!({"type": "user", "message": {"role": "user", "content": "the password is hunter2"}});
    let own = format!("{said}\n")
        + &call("Read", &json!({"file_path": "src/hunter2.sql"}))
        + &call("Bash", &json!({"command": "ls hunter2"}));
    alice.write("../own.jsonl", &own);
    alice.write("../foreign.jsonl", own + &call("mcp__pg__drop_table", &json!({"name": "hunter2"})));
    let check = |file: &str, more: &[&str]| alice.skill(&[&["trace", "check", "--brief", BRIEF, file], more].concat());
    let before = alice.snapshot();
    check("../foreign.jsonl", &["--dry-run"]).exits(1).says("1 × pg:drop_table: not in a bundle");
    alice.snapshot().is_unchanged_from(&before);
    check("../own.jsonl", &[]).ok().says("2 calls, 0 outside of the bundles");
    let answer = check("../foreign.jsonl", &["--json"]).exits(1).keeps_quiet_about("hunter2").json();
    assert_eq!(answer["data"]["foreign"], json!({"pg:drop_table: not in a bundle": 1}));
    assert_eq!(answer["data"]["tools"], json!({"Bash": 1, "Read": 1, "pg:drop_table": 1}));
    assert_eq!(alice.read(&format!(".skill/evidence/{BRIEF}.trace.jsonl")).lines().count(), 2);
    alice.run("grep", &["-rl", "hunter2", "."]).exits(1);
}

/// A benchmark of so many evals that all end alike.
fn benchmark(person: &Person, evals: u32, rate: f64) {
    let runs: Vec<Value> = (0..evals).map(|id| json!({"eval_id": id, "pass_rate": rate, "tokens": 100})).collect();
    person.write("../benchmark.json", json!({"runs": runs}).to_string());
}

fn record(person: &Person) -> Screen {
    person.skill(&["eval", "record", "../benchmark.json", "--package", "acme/check-tests"])
}

fn compare(person: &Person) -> Screen {
    person.skill(&["eval", "compare", "acme/check-tests@1.0.0", "acme/check-tests@1.1.0", "--json"])
}

#[test]
fn evals_are_kept_signed_and_a_summary_that_was_changed_is_no_summary() {
    let world = World::new();
    let alice = Workshop::new(&world).alice;
    benchmark(&alice, 8, 0.25);
    record(&alice).ok();
    compare(&alice).exits(3).says("eval-missing");
    let manifest = alice.read("packages/check-tests/skill.toml");
    alice.write("packages/check-tests/skill.toml", manifest.replace("\"1.0.0\"", "\"1.1.0\""));
    alice.skill(&["add", "./packages/check-tests", "--trust"]).ok();
    benchmark(&alice, 8, 1.0);
    record(&alice).ok();
    let shown = compare(&alice).ok().json();
    let verdict = |answer: &Value| [&answer["data"]["verdict"], &answer["data"]["p"]].map(Clone::clone);
    assert_eq!(verdict(&shown), [json!("better"), json!(2.0 / 256.0)]);
    let stats = || alice.skill(&["stats", "--json"]).ok().json()["data"].clone();
    let delta = json!([{"package": "acme/check-tests", "from": "1.0.0", "to": "1.1.0", "delta": 0.75, "n": 8,
        "p": 2.0 / 256.0, "verdict": "better", "alike": true}]);
    assert_eq!(stats()["stats"]["eval_delta"], delta);
    alice.skill(&["stats"]).ok().says("1.0.0 → 1.1.0  pass rate +0.750, n = 8, p = 0.0078: better");
    benchmark(&alice, 5, 1.0);
    record(&alice).ok();
    assert_eq!(verdict(&compare(&alice).ok().json()), [json!("not distinguishable"), json!(2.0 / 32.0)]);

    let path = ".skill/evals/acme.check-tests/1.1.0.json";
    let signed = alice.read(path);
    let mut envelope: Value = serde_json::from_str(&signed).expect("JSON");
    let old: Value = serde_json::from_str(&alice.read(".skill/evals/acme.check-tests/1.0.0.json")).expect("JSON");
    envelope["payload"] = old["payload"].clone();
    alice.write(path, envelope.to_string());
    compare(&alice).exits(1).says("eval-signature");
    assert_eq!(stats()["stats"]["eval_delta"], json!([]));
    alice.skill(&["stats"]).ok().says("left out, since no known key signed them as they are: 1");
    alice.write(path, &signed);
    compare(&alice).ok();
    let stranger = world.stranger("stranger");
    tests::files::copy(&alice.work.join(".skill/evals"), &stranger.work.join(".skill/evals"));
    stranger.write("skills.toml", "");
    compare(&stranger).exits(1).says("eval-signature");
}

/// Everything as a commit of that moment.
fn commit(workshop: &Workshop, at: u64, message: &str) {
    let date = format!("{at} +0000");
    let then = workshop.alice.with("GIT_COMMITTER_DATE", &date).with("GIT_AUTHOR_DATE", &date);
    then.git(&["add", "-A"]);
    then.git(&["commit", "-q", "--allow-empty", "-m", message]);
}

fn run_at(workshop: &Workshop, at: u64, outcome: Outcome) {
    let exit = Some(if outcome == Outcome::Passed { 0 } else { 1 });
    let run = Run { outcome, exit, started_on: Moment::from_unix_seconds(at), duration_ms: 5_000, ..workshop.run() };
    workshop.sign(&run, 1);
}

/// The merge gate, decided at that moment.
fn merge_at(workshop: &Workshop, at: u64) {
    let document = workshop.document();
    let approval = Approval {
        tree: workshop.tree(),
        task: "hand-over".to_owned(),
        decision: Decision::Approve,
        by: "alice".to_owned(),
        brief: BriefRef { id: SkillName::parse(BRIEF).expect("an id"), digest: document.digest() },
        shown: Vec::new(),
        opened: Moment::from_unix_seconds(at - 60),
        decided: Moment::from_unix_seconds(at),
    };
    workshop.append(&format(&Envelope::sign(IN_TOTO, approval.to_payload(), &key(3))));
}

/// Rendered, written, red, green, merged after two minutes; then two commits to what was delivered, of which
/// one takes the other back, and one that is too late to be rework.
fn history(workshop: &Workshop) {
    commit(workshop, START, "brief");
    workshop.write_work();
    commit(workshop, START + 100, "work");
    run_at(workshop, START + 200, Outcome::Error("no shell".to_owned()));
    run_at(workshop, START + 300, Outcome::Failed(vec!["exit 1".to_owned()]));
    run_at(workshop, START + 400, Outcome::Passed);
    merge_at(workshop, START + 405 + 120);
    commit(workshop, START + 600, "evidence");
    let work = workshop.alice.read("src/orders.sql");
    for (at, text, message) in [
        (START + DAY, "-- more\n", "more"),
        (START + 2 * DAY, &*work, "Revert \"more\""),
        (START + 30 * DAY, "-- later\n", "later"),
    ] {
        workshop.alice.write("src/orders.sql", text);
        commit(workshop, at, message);
    }
}

#[test]
fn a_repository_with_a_known_history_gives_known_numbers() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    history(&workshop);
    let alice = &workshop.alice;
    alice.skill(&["brief", "escalate", BRIEF, "--note", "May it take a lock?"]).ok();
    alice
        .skill(&["brief", "render", "acme/brief-change", "--set", "ticket=OPS-1", "--set", "table=orders", "--force"])
        .ok();
    workshop.verify(&[]);
    let stats = alice.skill(&["stats", "--json"]).ok().keeps_quiet_about("alice").json()["data"]["stats"].clone();
    assert_eq!(stats["reuse"], json!({"rendered": {"acme/brief-change": 1}, "top_share": 1.0, "reused": 0}));
    assert_eq!(stats["first_pass"], json!({"count": 0, "of": 1, "share": 0.0}));
    let rework = json!({"cycles": {"acme/check-tests": 1}, "commits_after_merge": 2, "reverts": 1});
    assert_eq!(stats["rework"], rework);
    assert_eq!(stats["review"], json!({"median_seconds": 120, "decisions": 1}));
    assert_eq!(stats["stale"], json!({"count": 1, "of": 1, "share": 1.0}));
    let cut =
        json!({"tasks_per_brief": 5.0, "deliverables_per_task": 1.0, "checked": {"count": 2, "of": 2, "share": 1.0}});
    assert_eq!(stats["decomposition"], cut);
    assert_eq!((&stats["escalations"], &stats["overrides"]), (&json!(1), &json!({"brief render --force": 1})));

    let later = alice.skill(&["stats", "--since", "2100-01-01", "--json"]).ok().json()["data"]["stats"].clone();
    assert_eq!(later["first_pass"], json!({"count": 0, "of": 0, "share": null}));
    assert_eq!((&later["review"], &later["rework"]["reverts"]), (&Value::Null, &json!(0)));
    alice.skill(&["stats", "--since", "yesterday"]).exits(2).says("is no date");
}

#[test]
fn nothing_is_shown_to_be_shared_without_consent_and_then_no_name() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    let alice = &workshop.alice;
    alice.skill(&["stats", "share"]).exits(4).says("[stats] share = true");
    alice.write("skills.toml", alice.read("skills.toml") + "\n[stats]\nshare = true\n");
    alice.with("DO_NOT_TRACK", "1").skill(&["stats", "share"]).exits(4).says("DO_NOT_TRACK is set");
    alice.with("CI", "true").skill(&["stats", "share"]).exits(4).says("this is CI");
    let before = alice.snapshot();
    let share = || alice.skill(&["stats", "share"]).ok();
    let shown = share()
        .says("nothing was sent")
        .keeps_quiet_about("acme")
        .keeps_quiet_about("ops-1")
        .keeps_quiet_about("alice");
    assert_eq!((shown.json()["briefs"].clone(), shown.json()["packages"].clone()), (json!(1), json!(1)));
    assert_ne!(shown.json()["workspace"], share().json()["workspace"], "two reports cannot be put together");
    alice.snapshot().is_unchanged_from(&before);
}
