//! From a rendered brief to a hand-over that CI believes, and what moves a proof on the way.

use serde_json::Value;
use skills::evidence::Outcome;
use tests::World;
use tests::workshop::{BRIEF, EVIDENCE, Workshop};

/// The state of each task, in order.
fn states(workshop: &Workshop) -> Vec<String> {
    let status = workshop.alice.skill(&["brief", "status", BRIEF, "--json"]).ok().json();
    let tasks = status["data"]["tasks"].as_array().expect("a list").clone();
    tasks.iter().map(|task| task["state"].as_str().expect("a word").to_owned()).collect()
}

#[test]
fn a_brief_walks_from_its_plan_to_a_hand_over_that_is_verified() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    let (done, ready, blocked, human) = ("done", "ready", "blocked", "waiting-for-human");
    assert_eq!(states(&workshop), [ready, blocked, blocked, blocked, blocked]);
    workshop.approve("review-plan").exits(1).says("`docs/plan.md` has to be there first");
    workshop.alice.write("docs/plan.md", "Add the column, nullable.\n");
    assert_eq!(states(&workshop), [done, human, blocked, blocked, blocked]);
    workshop.approve("review-plan").ok().says("signed: approve `review-plan` of ops-1-orders by alice");
    assert_eq!(states(&workshop), [done, done, ready, blocked, blocked]);
    workshop.write_work();
    assert_eq!(states(&workshop), [done, done, done, ready, blocked]);
    workshop.verify(&[]).exits(3).says("SKV070").says("SKV086");
    workshop.approve("hand-over").exits(1).says("check `tests` is not proved");
    workshop.sign(&workshop.run(), 1);
    assert_eq!(states(&workshop), [done, done, done, done, human]);
    workshop.verify(&[]).exits(3).says("SKV086").keeps_quiet_about("SKV070");
    workshop.approve("hand-over").ok();
    assert_eq!(states(&workshop), [done, done, done, done, done]);
    workshop.verify(&[]).ok().says("PROVED for this exact tree");
    workshop.commit("the work, its proof, and the decision");
    workshop.verify(&["--policy-ref", "main"]).ok();
}

#[test]
fn what_a_check_does_not_read_leaves_its_proof_standing_and_what_it_reads_does_not() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    let verdict = || {
        let report = workshop.verify(&["--json"]).json();
        report["data"]["briefs"][0]["checks"][0]["verdict"].as_str().expect("a word").to_owned()
    };
    assert_eq!(verdict(), "proved");
    workshop.alice.write("README.md", "# Orders, and more\n");
    assert_eq!(verdict(), "proved-inputs");
    workshop.alice.write("src/test.sh", "exit 0 # edited\n");
    assert_eq!(verdict(), "stale");
    let failed = skills::evidence::Run {
        outcome: Outcome::Failed(vec!["exit 101".to_owned()]),
        exit: Some(101),
        ..workshop.run()
    };
    workshop.sign(&failed, 1);
    assert_eq!(verdict(), "not-proved");
    workshop.verify(&[]).exits(1).says("NOT PROVED: exit 101");
}

#[test]
fn only_stale_evidence_has_an_exit_code_of_its_own() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.finish();
    workshop.alice.write("src/test.sh", "exit 0 # edited\n");
    workshop.verify(&[]).exits(5).says("SKV071").says("SKV088");
}

#[test]
fn evidence_that_is_committed_moves_nothing_and_survives_amend_rebase_and_squash() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.alice.write("docs/plan.md", "Add the column, nullable.\n");
    workshop.approve("review-plan").ok();
    workshop.commit("plan");
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    let tree = workshop.tree();
    workshop.approve("hand-over").ok();
    assert_eq!(workshop.tree(), tree);
    workshop.commit("work");
    assert_eq!(workshop.tree(), tree);
    workshop.verify(&[]).ok();
    workshop.alice.git(&["commit", "-q", "--amend", "-m", "other words"]);
    workshop.verify(&[]).ok();
    workshop.alice.git(&["reset", "-q", "--soft", "main"]);
    workshop.commit("squashed");
    workshop.verify(&[]).ok().says("PROVED for this exact tree");
    workshop.alice.git(&["checkout", "-q", "main"]);
    workshop.alice.git(&["commit", "-q", "--allow-empty", "-m", "meanwhile"]);
    workshop.alice.git(&["checkout", "-q", "work"]);
    workshop.alice.git(&["rebase", "-q", "main"]);
    workshop.verify(&[]).ok().says("PROVED for this exact tree");
}

#[test]
fn the_page_shows_what_was_run_and_what_is_open_and_speaks_to_no_terminal_or_browser() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    workshop.alice.skill(&["brief", "escalate", BRIEF, "--note", "<script>alert(1)</script> asked"]).ok();
    let page = workshop.alice.skill(&["review", BRIEF, "--html", "../page.html"]).ok();
    let page = page.says("REVIEW OF ops-1-orders").says("$ ./run.sh").says("3 passed <b>&");
    let page = page.says("docs/plan.md").says("alert(1)").says(&format!("skill approve {BRIEF} review-plan"));
    let page = page.keeps_quiet_about("\u{1b}");
    assert!(page.stdout.lines().all(|line| line.chars().count() <= 80), "{page}");
    let html = workshop.alice.read("../page.html");
    assert!(html.contains("3 passed &lt;b&gt;&amp;") && html.contains("&lt;script&gt;alert(1)"), "{html}");
    assert!(!html.contains("<script") && !html.contains('\u{1b}'), "{html}");
}

#[test]
fn every_format_and_file_of_the_report_says_the_same() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    workshop.verify(&["--format", "github"]).exits(3).says("title=SKV070");
    workshop
        .verify(&["--format", "junit"])
        .exits(3)
        .says("<testcase classname=\"skill.evidence.ops-1-orders\" name=\"tests\">");
    let sarif: Value = serde_json::from_str(&workshop.verify(&["--format", "sarif"]).exits(3).stdout).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    assert!(results.iter().any(|result| result["ruleId"] == "SKV070"), "{sarif:#}");
    workshop.sign(&workshop.run(), 1);
    workshop.approve("review-plan").ok();
    workshop.approve("hand-over").ok();
    workshop.verify(&["--summary-md", "../summary.md", "--attest", "../svr.json"]).ok();
    let summary = workshop.alice.read("../summary.md");
    assert!(summary.contains("| tests | PROVED for this exact tree | local (local) |"), "{summary}");
    let statement: Value = serde_json::from_str(&workshop.alice.read("../svr.json")).expect("JSON");
    assert_eq!(statement["predicateType"], "https://in-toto.io/attestation/svr/v0.2");
    assert_eq!(statement["subject"][0]["digest"]["gitTree"], workshop.tree().as_str());
    let expected = [
        "SKILL_BRIEF_FROM_LOCKED_PACKAGE",
        "SKILL_CHECKS_PASSED",
        "SKILL_HUMAN_GATES_SIGNED",
        "SKILL_TOOLS_WITHIN_BOUNDARY",
    ];
    assert_eq!(statement["predicate"]["properties"], serde_json::json!(expected));
    workshop.alice.write("src/test.sh", "exit 1\n");
    workshop.verify(&["--attest", "../svr.json"]).exits(5);
    let statement: Value = serde_json::from_str(&workshop.alice.read("../svr.json")).expect("JSON");
    let expected = ["SKILL_BRIEF_FROM_LOCKED_PACKAGE", "SKILL_TOOLS_WITHIN_BOUNDARY"];
    assert_eq!(statement["predicate"]["properties"], serde_json::json!(expected));
}

#[test]
fn nothing_is_signed_by_a_dry_run_or_without_a_yes() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.alice.write("docs/plan.md", "Add the column, nullable.\n");
    workshop.alice.skill(&["approve", BRIEF, "review-plan", "--dry-run"]).ok().says("would sign");
    workshop.alice.skill(&["approve", BRIEF, "review-plan"]).exits(4).says("nothing was signed");
    workshop.alice.skill(&["approve", BRIEF, "write", "--yes"]).exits(2).says("it has review-plan, hand-over");
    assert!(!workshop.alice.work.join(EVIDENCE).exists());
    workshop.alice.skill(&["approve", BRIEF, "hand-over", "--decision", "reject", "--yes"]).ok();
    workshop.verify(&[]).exits(1).says("said no to this tree");
}
