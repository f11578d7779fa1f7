//! Each sabotage of the finished work, and the report id that finds it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tests::Person;

use crate::stage::{Chain, ID, UP};

const EVIDENCE: &str = ".skill/evidence/ops-412-orders.intoto.jsonl";
const DOCUMENT: &str = ".skill/briefs/ops-412-orders.brief.json";

const ROLLBACK: &str = ".agents/skills/check-rollback-valid";

/// A program that has seen nothing and says yes.
const GREEN: &str = "#!/usr/bin/env python3\nimport os\nos.makedirs('out', exist_ok=True)\n\
                     for name in 'before', 'after':\n    open(f'out/{name}.sql', 'w').close()\n\
                     print('rollback: identical (schema 1 lines, rows 0)')\n";

/// A way to spoil the work, how CI must end, and what it must say.
type Sabotage = (&'static str, fn(&Chain, &Person), i32, &'static str);

const SABOTAGES: &[Sabotage] = &[
    ("a file is edited after the proof", edit, 5, "SKV071"),
    ("the payload of evidence is swapped", swap, 1, "SKV074"),
    ("the evidence is of another check's digest", other_check, 1, "SKV078"),
    ("the approval was given before the proof", approve_first, 1, "SKV087"),
    ("a check is always green", always_green, 1, "SKV001"),
    ("a tool entry is widened by hand", widen, 1, "SKV060"),
    ("a grant is written that nobody approved", grant, 1, "SKV063"),
    ("a parameter is out of its enum", parameter, 1, "SKV083"),
];

#[test]
fn every_sabotage_of_the_finished_work_ends_with_its_own_id() {
    let Some(chain) = Chain::finished() else { return };
    for (at, (what, spoil, exit, id)) in SABOTAGES.iter().enumerate() {
        let person = chain.spoiler(&at.to_string());
        let verify = ["verify", "--evidence", "--policy-ref", "origin/main"];
        person.skill(&verify).ok();
        spoil(&chain, &person);
        let report = person.skill(&verify);
        assert!(report.exit != 0, "{what}: {report}");
        report.exits(*exit).says(id);
    }
}

fn edit(_: &Chain, person: &Person) {
    person.write(UP, person.read(UP).replace("timestamptz", "timestamp"));
}

/// The lines of the evidence file, each changed as `change` says.
fn lines(person: &Person, change: impl Fn(usize, &str) -> Option<String>) {
    let text = person.read(EVIDENCE);
    let changed: Vec<String> = text.lines().enumerate().filter_map(|(at, line)| change(at, line)).collect();
    person.write(EVIDENCE, changed.join("\n") + "\n");
}

/// The statement of a line.
fn statement(line: &str) -> Value {
    let envelope: Value = serde_json::from_str(line).expect("an envelope");
    let payload = STANDARD.decode(envelope["payload"].as_str().expect("a payload")).expect("base64");
    serde_json::from_slice(&payload).expect("a statement")
}

fn is_run_of(line: &str, check: &str) -> bool {
    statement(line)["predicate"]["passedTests"][0] == check
}

/// The signature of one line under the statement of another.
fn swap(_: &Chain, person: &Person) {
    let text = person.read(EVIDENCE);
    let donor = text.lines().find(|line| is_run_of(line, "vetted/check-tests-pass")).expect("its run");
    let donor: Value = serde_json::from_str(donor).expect("an envelope");
    lines(person, |_, line| {
        let mut envelope: Value = serde_json::from_str(line).expect("an envelope");
        if is_run_of(line, "vetted/check-rollback-valid") {
            envelope["signatures"] = donor["signatures"].clone();
        }
        Some(envelope.to_string())
    });
}

/// The proof is by a check of the same name and version that says yes to everything: signed in earnest, by
/// a known key. For the brief it cannot be run, whose document pins another digest; so it is no proof of it.
fn other_check(_: &Chain, person: &Person) {
    tests::files::copy(&person.work.join(ROLLBACK), &person.work.join("green"));
    person.write("green/check.py", GREEN);
    person.skill(&["add", "./green", "--trust", "--force"]).ok();
    person.skill(&["check", "run", "rollback", "--brief", ID]).exits(1).says("another check proves nothing");
    let migration = format!("migration={UP}");
    person.skill(&["check", "run", "vetted/check-rollback-valid", "--set", &migration]).ok().says("PASSED");
    let forged = person.read(".skill/evidence/checks.intoto.jsonl");
    person.git(&["stash", "-q", "-u"]);
    lines(person, |_, line| (!is_run_of(line, "vetted/check-rollback-valid")).then(|| line.to_owned()));
    person.write(EVIDENCE, person.read(EVIDENCE) + &forged);
}

/// Takes the runs away that the approval saw, and proves again: the approval is older than the proof.
fn approve_first(chain: &Chain, person: &Person) {
    let _ = chain;
    lines(person, |_, line| (!is_run_of(line, "vetted/check-rollback-valid")).then(|| line.to_owned()));
    person.skill(&["check", "run", "rollback", "--brief", ID]).ok();
}

/// The program of a check that proves nothing any more.
fn always_green(_: &Chain, person: &Person) {
    person.write(&format!("{ROLLBACK}/check.py"), GREEN);
}

fn widen(_: &Chain, person: &Person) {
    let text = person.read(".codex/config.toml");
    let widened = text.replace("\"execute_sql\"", "\"execute_sql\", \"drop_table\"");
    assert_ne!(text, widened);
    person.write(".codex/config.toml", widened);
}

fn grant(_: &Chain, person: &Person) {
    let text = person.read(".claude/settings.json");
    let widened =
        text.replacen("\"permissions\": {", "\"permissions\": {\n    \"allow\": [\"mcp__pg__explain_sql\"],", 1);
    assert_ne!(text, widened);
    person.write(".claude/settings.json", widened);
}

fn parameter(_: &Chain, person: &Person) {
    let text = person.read(DOCUMENT);
    let changed = text.replace("\"environment\": \"staging\"", "\"environment\": \"production\"");
    assert_ne!(text, changed);
    person.write(DOCUMENT, changed);
}
