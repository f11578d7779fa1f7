//! A check, from its fixtures to signed evidence: outside any brief, and pinned by one.

use serde_json::Value;
use tests::files::set_mode;
use tests::tools::{is_root, say, skip};
use tests::{Person, World, write};

const HEAD: &str = "schema = 1\nversion = \"1.0.0\"\nlicense = \"MIT\"\n";

/// Writes a check's package: it passes where `state` says `good`.
fn package(person: &Person, name: &str, script: &str, tables: &str) {
    let folder = person.work.join("packages").join(name);
    let manifest = format!(
        "[package]\nname = \"acme/{name}\"\nkind = \"check\"\n{HEAD}description = \"The state is good.\"\n{tables}"
    );
    write(folder.join("skill.toml"), manifest);
    write(folder.join("run.sh"), format!("#!/bin/sh\n{script}\n"));
    set_mode(&folder.join("run.sh"), 0o755);
    write(folder.join("fixtures/pass/good/state"), "good\n");
    write(folder.join("fixtures/fail/bad/state"), "bad\n");
    write(folder.join("fixtures/fail/empty/state"), "");
}

const TABLES: &str = "[check]\nargv = [\"./run.sh\"]\ninputs = [\"state\", \"src/**\"]\noutputs = [\"out/seen\"]\n\
                      env = { pass = [\"PATH\"] }\n[check.evidence]\nkey-lines = [\"^state:\"]\n";
const SCRIPT: &str = "cp state out/seen\necho \"state: $(cat state)\"\ntest \"$(cat state)\" = good";

/// Somebody with a key, and a project in which the check is installed and the state is good.
fn project(world: &World) -> Person {
    let person = world.stranger("author");
    package(&person, "state", SCRIPT, TABLES);
    person.skill(&["key", "generate", "--no-passphrase"]).ok();
    person.skill(&["add", "./packages/state", "--trust"]).ok();
    person.write("state", "good\n");
    person.write("src/a", "1\n");
    person
}

/// The payloads of an evidence file.
fn evidence(person: &Person, id: &str) -> Vec<Value> {
    let text = person.read(&format!(".skill/evidence/{id}.intoto.jsonl"));
    let payload = |line: &str| {
        let envelope: Value = serde_json::from_str(line).expect("an envelope a line");
        let payload = envelope["payload"].as_str().expect("text");
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, payload).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    text.lines().map(payload).collect()
}

fn subject(statement: &Value, name: &str) -> Option<String> {
    let all = statement["subject"].as_array().expect("subjects");
    let found = all.iter().find(|subject| subject["name"] == name)?;
    found["digest"].as_object()?.values().next()?.as_str().map(str::to_owned)
}

const RUN: [&str; 3] = ["check", "run", "acme/state"];

#[test]
fn who_is_no_signer_is_told_before_the_check_runs() {
    let world = World::new();
    let person = project(&world);
    person.skill(&RUN).ok().says("no [[signer]] of .skill/trust.toml is this key");
    let row = person.skill(&["key", "show", "--signer"]).ok().stdout;
    person.write(".skill/trust.toml", format!("{}\n{row}", person.read(".skill/trust.toml")));
    person.skill(&RUN).ok().keeps_quiet_about("[[signer]]");
}

#[test]
fn without_git_the_evidence_names_the_inputs_and_no_tree() {
    let world = World::new();
    let person = project(&world);
    person.skill(&RUN).ok().says("PASSED  acme/state@1.0.0").says("no Git repository").says("state: good");
    let statement = &evidence(&person, "checks")[0];
    assert_eq!(subject(statement, "git-tree"), None);
    assert_eq!(subject(statement, "check-inputs").expect("a digest").len(), 64);
    let run = &statement["predicate"]["skillRun"];
    assert_eq!(run["observation"]["keyLines"], serde_json::json!(["state: good"]));
    assert_eq!((&run["artifacts"][0]["path"], &run["artifacts"][0]["bytes"]), (&"out/seen".into(), &5.into()));
    assert_eq!((&run["runner"]["trust"], &run["exit"]), (&"local".into(), &0.into()));
}

#[test]
fn with_git_neither_results_nor_a_commit_of_the_evidence_move_the_tree_and_an_edit_of_an_input_does() {
    let world = World::new();
    let person = project(&world);
    person.git(&["init", "-q", "-b", "main"]);
    person.skill(&RUN).ok();
    person.git(&["add", "-A"]);
    person.git(&["commit", "-qm", "with its evidence"]);
    person.skill(&RUN).ok();
    person.write("README.md", "another file\n");
    person.skill(&RUN).ok();
    person.write("src/a", "2\n");
    person.skill(&RUN).ok();
    let all = evidence(&person, "checks");
    let subjects = |name: &str| all.iter().map(|one| subject(one, name).expect("a digest")).collect::<Vec<_>>();
    let (trees, inputs) = (subjects("git-tree"), subjects("check-inputs"));
    assert_eq!(trees[0], trees[1]);
    assert!(trees[1] != trees[2] && inputs[1] == inputs[2], "README.md is no input");
    assert_ne!(inputs[2], inputs[3]);
}

#[test]
fn a_failure_is_kept_with_its_reason_and_exits_1() {
    let world = World::new();
    let person = project(&world);
    person.write("state", "bad\n");
    person.skill(&RUN).exits(1).says("FAILED").says("exit 1, expected 0").says("state: bad");
    let run = &evidence(&person, "checks")[0]["predicate"];
    assert_eq!((&run["result"], &run["skillRun"]["why"][0]), (&"FAILED".into(), &"exit 1, expected 0".into()));
}

#[test]
fn two_runs_at_once_both_leave_their_line() {
    let world = World::new();
    let person = project(&world);
    let children: Vec<_> = (0..4).map(|_| person.skill_command(&RUN).spawn().expect("skill runs")).collect();
    for child in children {
        assert!(child.wait_with_output().expect("it ends").status.success());
    }
    assert_eq!(evidence(&person, "checks").len(), 4);
}

#[test]
fn a_dry_run_starts_nothing_and_writes_nothing() {
    let world = World::new();
    let person = project(&world);
    let before = person.snapshot();
    person.skill(&["check", "run", "acme/state", "--dry-run"]).ok().says("would run acme/state@1.0.0").says("./run.sh");
    person.snapshot().is_unchanged_from(&before);
    person.skill(&["check", "run", "acme/other"]).exits(3).says("skills.lock does not have");
    person.skill(&["check", "run", "other"]).exits(3).says("no open brief has a check `other`");
    person.skill(&["check", "run", "acme/state", "--set", "x=1"]).exits(2).says("no parameter 'x'");
    person.skill(&["check", "run", "acme/state", "--brief", "none"]).exits(3).says("no open brief `none`");
}

#[test]
fn without_a_key_nothing_runs_unless_no_evidence_is_wanted() {
    let world = World::new();
    let person = project(&world);
    std::fs::remove_dir_all(person.home.join("skill/config/keys")).expect("removed");
    person.skill(&RUN).exits(3).says("--no-evidence");
    assert!(!person.work.join("out").exists());
    person.skill(&["check", "run", "acme/state", "--no-evidence"]).ok().says("evidence  not kept");
    assert!(!person.work.join(".skill/evidence").exists());
}

#[test]
fn an_edited_check_is_never_run() {
    let world = World::new();
    let person = project(&world);
    write(person.work.join(".agents/skills/state/run.sh"), "#!/bin/sh\nexit 0\n");
    person.skill(&RUN).exits(1).says("edited");
    assert!(!person.work.join(".skill/evidence").exists());
}

/// A brief with one task and one check, rendered.
fn rendered(person: &Person, ids: &[&str]) {
    let folder = person.work.join("packages/brief-state");
    let manifest = format!(
        "[package]\nname = \"acme/brief-state\"\nkind = \"brief\"\n{HEAD}description = \"Make the state good.\"\n\
         [boundary]\ntask-class = \"change\"\nenvironment = \"dev\"\ndata-class = \"internal\"\napproval = \"plan-first\"\n\
         [dependencies]\n\"acme/state\" = \"^1\"\n[brief]\ntemplate = \"brief.md\"\ntools = []\n\
         [[brief.deliverable]]\nid = \"state\"\npath = \"state\"\nkind = \"text\"\n\
         [[brief.check]]\nid = \"good\"\nuse = \"acme/state\"\n\
         [[brief.escalate]]\nwhen = \"the state cannot be 1\"\nto = \"team:acme\"\n\
         [[brief.task]]\nid = \"write\"\nmakes = [\"state\"]\n\
         [[brief.task]]\nid = \"prove\"\nneeds = [\"write\"]\nchecks = [\"good\"]\n"
    );
    write(folder.join("skill.toml"), manifest);
    let sections = [
        ("Allowed tools", "tools"),
        ("Deliverables", "deliverables"),
        ("Checks", "checks"),
        ("Escalation", "escalation"),
    ];
    let section = |(title, name): (&str, &str)| format!("## {title}\n{{{{ sections.{name} }}}}\n\n");
    let sections = sections.map(section).concat();
    let objective = "## Objective\nWrite `good` into the file `state`.\n\n## Constraints\n- Touch only `state`.\n\n";
    write(folder.join("brief.md"), format!("{objective}{sections}"));
    for id in ids {
        person.skill(&["brief", "render", "./packages/brief-state", "--id", id, "--force"]).ok();
    }
}

#[test]
fn a_check_of_a_brief_is_the_very_one_that_the_brief_pins() {
    let world = World::new();
    let person = project(&world);
    rendered(&person, &["ops-1"]);
    person
        .skill(&["check", "list"])
        .ok()
        .says("acme/state@1.0.0")
        .says("1 to pass, 2 to fail")
        .says("good  acme/state@1.0.0  installed");
    person.skill(&["check", "run", "good"]).ok().says(".skill/evidence/ops-1.intoto.jsonl");
    let statement = &evidence(&person, "ops-1")[0];
    assert_eq!(statement["predicate"]["configuration"][1]["uri"], "file:.skill/briefs/ops-1.brief.json");
    person.skill(&["check", "run", "good", "--set", "x=1"]).exits(2).says("pinned");
    rendered(&person, &["ops-2"]);
    person.skill(&["check", "run", "good"]).exits(2).says("ops-1, ops-2");
    person.skill(&["check", "run", "good", "--brief", "ops-2"]).ok();
    person.skill(&["check", "run", "bad", "--brief", "ops-2"]).exits(3).says("the brief has no check `bad`");
    let document = person.read(".skill/briefs/ops-1.brief.json");
    let digest =
        document.split("\"digest\": \"").last().expect("a digest").split('"').next().expect("its end").to_owned();
    let other = format!("sha256:{}", "0".repeat(64));
    person.write(".skill/briefs/ops-1.brief.json", document.replace(&digest, &other));
    person.skill(&["check", "run", "good", "--brief", "ops-1"]).exits(1).says("another check proves nothing here");
    assert_eq!(evidence(&person, "ops-1").len(), 1);
}

#[test]
fn fixtures_show_that_a_check_can_fail_and_a_green_one_is_found_out() {
    let world = World::new();
    let person = world.stranger("author");
    package(&person, "state", SCRIPT, TABLES);
    person.skill(&["check", "test", "./packages/state"]).ok().says("3 of 3 fixtures as they should be");
    package(&person, "green", "exit 0", TABLES);
    let screen = person.skill(&["check", "test", "./packages/green"]).exits(1);
    screen.says("WRONG  fail/bad    PASSED").says("ok     pass/good");
    package(&person, "broken", "exec no-such-program", TABLES);
    person.skill(&["check", "test", "./packages/broken"]).exits(3).says("WRONG  fail/bad    ERROR");
    std::fs::remove_dir_all(person.work.join("packages/state/fixtures/fail")).expect("removed");
    person.skill(&["check", "test", "./packages/state"]).exits(1).says("always green");
    person.skill(&["check", "test", "./packages"]).exits(3).says("no `skill.toml`");
}

#[test]
fn a_fixture_has_a_base_a_branch_a_message_values_and_a_document() {
    let world = World::new();
    let person = world.stranger("author");
    let script = "set -e\ngit diff --name-status \"$1\" HEAD > \"$TMPDIR/diff\"\ngit rev-parse --abbrev-ref HEAD\n\
                  echo \"state: $(git log -1 --format=%s) $(cat \"$TMPDIR/diff\" | tr '\\t\\n' '  ')\"\n\
                  grep -q '\"id\": *\"x\"' \"$SKILL_BRIEF_JSON\"\ntest \"$(git rev-parse --abbrev-ref HEAD)\" = \"feature/OPS-1\"";
    let tables = "[param.base]\ntype = \"string\"\ndefault = \"origin/main\"\n".to_owned()
        + &TABLES.replace("[\"./run.sh\"]", "[\"./run.sh\", \"{{ param.base }}\"]");
    package(&person, "change", script, &tables);
    let fixtures = person.work.join("packages/change/fixtures");
    for name in ["fail/bad", "fail/empty"] {
        write(fixtures.join(format!("{name}.toml")), "[with]\nbase = \"main\"\n");
        write(fixtures.join(format!("{name}.brief.json")), "{\"id\": \"x\"}");
    }
    write(fixtures.join("base/good/state"), "old\n");
    write(fixtures.join("base/good/gone"), "old\n");
    write(fixtures.join("pass/good.brief.json"), "{\"id\": \"x\"}");
    let beside = "[with]\nbase = \"main\"\n[git]\nbranch = \"feature/OPS-1\"\nmessage = \"OPS-1: better\"\n";
    write(fixtures.join("pass/good.toml"), beside);
    let screen = person.skill(&["check", "test", "./packages/change", "--json"]).ok();
    let rows = &screen.json()["data"]["fixtures"];
    assert_eq!(rows[0]["key_lines"], serde_json::json!(["state: OPS-1: better D gone M state "]));
    write(fixtures.join("pass/good.toml"), "[gti]\n");
    person.skill(&["check", "test", "./packages/change"]).exits(2).says("fixtures/pass/good.toml");
}

#[test]
fn postgresql_starts_inside_also_where_root_runs_the_check() {
    let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    if folders.filter(|entry| entry.path().join("bin/initdb").exists()).count() == 0 {
        return skip("PostgreSQL's server is not installed");
    }
    let world = World::new();
    let person = world.stranger("author");
    let script = "set -e\nPATH=\"$(echo /usr/lib/postgresql/*/bin | tr ' ' ':'):$PATH\"\n\
                  initdb --auth=trust --username=postgres --pgdata=\"$TMPDIR/data\" > \"$TMPDIR/log\" 2>&1 || { cat \"$TMPDIR/log\"; exit 9; }\n\
                  pg_ctl -D \"$TMPDIR/data\" -o \"-k $TMPDIR -c listen_addresses=127.0.0.1\" -l \"$TMPDIR/log\" -w start > /dev/null || { cat \"$TMPDIR/log\"; exit 8; }\n\
                  for host in \"$TMPDIR\" 127.0.0.1; do echo \"state: $(psql -h \"$host\" -U postgres -Atc 'select 40 + 2')\"; done\n\
                  test \"$(cat state)\" = good";
    package(&person, "server", script, &TABLES.replace("[check]\n", "[check]\nnetwork = \"loopback\"\n"));
    let screen = person.skill(&["check", "test", "./packages/server", "--only", "good", "--json"]);
    let row = &screen.json()["data"]["fixtures"][0];
    if is_root() && !row["enforced"].to_string().contains("user-namespace") {
        return say("skipped: this kernel grants no namespaces, and PostgreSQL refuses root");
    }
    assert_eq!(row["key_lines"], serde_json::json!(["state: 42", "state: 42"]), "{row}");
}
