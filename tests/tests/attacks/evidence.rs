//! Sabotage of a hand-over, each by its name: the work is finished and green, then one thing is done to it.

use serde_json::Value;
use skills::dsse::{Envelope, IN_TOTO};
use skills::evidence::{Outcome, Run, format};
use skills::key::SigningKey;
use skills::{Sha256, Version};
use tests::World;
use tests::workshop::{BRIEF, EVIDENCE, Workshop, key, signer};

/// A finished hand-over; verified green before anything is done to it.
fn finished(world: &World) -> Workshop {
    let workshop = Workshop::new(world);
    workshop.finish();
    workshop.verify(&[]).ok();
    workshop
}

/// The document of the brief, changed by hand.
fn edit(workshop: &Workshop, from: &str, to: &str) {
    let path = format!(".skill/briefs/{BRIEF}.brief.json");
    let text = workshop.alice.read(&path);
    assert!(text.contains(from), "{from}: {text}");
    workshop.alice.write(&path, text.replacen(from, to, 1));
}

#[test]
fn a_file_that_is_edited_after_the_proof_makes_it_stale() {
    let world = World::new();
    let workshop = finished(&world);
    workshop.alice.write("src/orders.sql", "drop table orders;\n");
    workshop.verify(&[]).exits(5).says("SKV071");
}

#[test]
fn a_payload_that_is_swapped_is_rejected() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    let failed = Run { outcome: Outcome::Failed(vec!["exit 1".into()]), exit: Some(1), ..workshop.run() };
    let genuine = Envelope::sign(IN_TOTO, failed.to_payload(), &key(1));
    workshop.append(&format(&Envelope { payload: workshop.run().to_payload(), ..genuine }));
    workshop.verify(&[]).exits(1).says("SKV074").says("REJECTED bad signature");
    workshop.approve("review-plan").ok();
    workshop.approve("hand-over").exits(1).says("bad signature");
}

#[test]
fn evidence_of_another_checks_digest_is_rejected() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    let mut run = workshop.run();
    run.check.digest = Sha256::of("a check that is always green");
    workshop.sign(&run, 1);
    workshop.verify(&[]).exits(1).says("SKV077");
    let mut run = workshop.run();
    run.check.version = Version::parse("1.0.1").expect("a version");
    workshop.sign(&run, 1);
    workshop.verify(&[]).exits(1).says("line 2 counts for nothing: other check");
}

#[test]
fn evidence_of_another_brief_is_rejected() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    let mut run = workshop.run();
    run.brief.as_mut().expect("a brief").digest = Sha256::of("another rendering");
    workshop.sign(&run, 1);
    workshop.verify(&[]).exits(1).says("SKV078");
}

#[test]
fn a_decision_before_the_proof_counts_for_nothing_after_it() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.alice.write("docs/plan.md", "Add the column, nullable.\n");
    workshop.approve("review-plan").ok();
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    let proof = workshop.alice.read(EVIDENCE);
    workshop.approve("hand-over").ok();
    let decision = workshop.alice.read(EVIDENCE)[proof.len()..].to_owned();
    // The proof it saw is taken away, and another one put in its place afterwards.
    let plan = proof.lines().next().expect("the first decision").to_owned() + "\n";
    workshop.alice.write(EVIDENCE, plan + &decision);
    let later = skills::evidence::Moment::from_unix_seconds(1_795_340_000);
    workshop.sign(&Run { started_on: later, ..workshop.run() }, 1);
    workshop.verify(&[]).exits(1).says("SKV087").says("before the proof");
}

#[test]
fn a_check_that_is_always_green_is_no_proof() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    // No command installs such a check: the branch takes the fixtures away, and writes the lock to match.
    let folder = workshop.alice.work.join(".agents/skills/check-tests");
    let digest = || tree_digest(&folder).to_string();
    let before = digest();
    std::fs::remove_dir_all(folder.join("fixtures/fail")).expect("removed");
    let lock = workshop.alice.read("skills.lock");
    assert!(lock.contains(&before), "{lock}");
    workshop.alice.write("skills.lock", lock.replace(&before, &digest()));
    let set = ["--set", "ticket=OPS-1", "--set", "table=orders", "--force"];
    workshop.alice.skill(&[&["brief", "render", "acme/brief-change"], &set[..]].concat()).ok();
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    workshop.verify(&[]).exits(1).says("SKV079");
    workshop.approve("review-plan").ok();
    workshop.approve("hand-over").exits(1).says("passing proves nothing");
}

/// The digest of a folder's files, by its definition.
fn tree_digest(folder: &std::path::Path) -> skills::TreeDigest {
    let mut files: Vec<(String, Sha256)> = Vec::new();
    let mut waiting = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = waiting.pop() {
        for entry in std::fs::read_dir(folder).expect("read") {
            let entry = entry.expect("an entry");
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                waiting.push((entry.path(), format!("{path}/")));
            } else {
                files.push((path, Sha256::of(std::fs::read(entry.path()).expect("read"))));
            }
        }
    }
    skills::TreeDigest::of(files.iter().map(|(path, digest)| (path.as_str(), *digest)))
}

#[test]
fn fixtures_that_are_removed_after_the_install_are_an_edit() {
    let world = World::new();
    let workshop = finished(&world);
    std::fs::remove_dir_all(workshop.alice.work.join(".agents/skills/check-tests/fixtures")).expect("removed");
    workshop.verify(&[]).exits(1).says("SKV082").says("was edited since it was installed");
}

#[test]
fn a_parameter_out_of_its_enum_is_refused_by_the_package() {
    let world = World::new();
    let workshop = finished(&world);
    edit(&workshop, "\"environment\": \"dev\",\n    \"table\"", "\"environment\": \"production\",\n    \"table\"");
    workshop.verify(&[]).exits(1).says("SKV083").says("production");
    workshop.approve("hand-over").exits(1).says("SKV083");
}

#[test]
fn a_brief_that_asks_for_less_than_its_package_renders_is_refused() {
    let world = World::new();
    let workshop = finished(&world);
    edit(&workshop, "\"level\": 1", "\"level\": 0");
    workshop.verify(&[]).exits(1).says("SKV081").says("another `checks`");
}

#[test]
fn a_text_that_is_edited_is_not_the_one_that_was_rendered() {
    let world = World::new();
    let workshop = finished(&world);
    let path = format!(".skill/briefs/{BRIEF}.brief.md");
    let text = workshop.alice.read(&path);
    workshop.alice.write(&path, text.replace("Touch only", "Touch anything but"));
    workshop.verify(&[]).exits(1).says("SKV081");
}

#[test]
fn a_package_that_is_no_longer_the_locked_one_is_named() {
    let world = World::new();
    let workshop = finished(&world);
    let digest = workshop.document().checks[0].digest.to_string();
    edit(&workshop, &digest, &Sha256::of("green").to_string());
    workshop.verify(&[]).exits(1).says("SKV082").says("has another digest in the lock");
}

#[test]
fn a_branch_that_registers_its_own_key_is_rejected_by_the_policy_of_its_base() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    let policy = workshop.alice.read(".skill/trust.toml");
    workshop
        .alice
        .write(".skill/trust.toml", policy + &signer("mallory", 9, "independent", "\"evidence\", \"approval\""));
    workshop.sign(&workshop.run(), 9);
    workshop.commit("work, and a key for it");
    workshop.verify(&[]).exits(3).keeps_quiet_about("SKV075");
    workshop.verify(&["--policy-ref", "main"]).exits(1).says("SKV075").says("REJECTED unknown signer");
}

#[test]
fn a_signer_without_the_role_or_the_trust_is_rejected() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    let wanted = workshop.alice.read("skills.toml");
    workshop.alice.write("skills.toml", wanted + "\n[policy]\nevidence.trust = \"ci\"\n");
    workshop.sign(&workshop.run(), 1);
    workshop.verify(&[]).exits(1).says("SKV076").says("`ci` is demanded");
    workshop.sign(&workshop.run(), 2);
    workshop.verify(&[]).exits(3).says("SKV086").says("note SKV076");
}

#[test]
fn a_branch_cannot_lower_the_trust_that_its_base_demands() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    let wanted = workshop.alice.read("skills.toml");
    workshop.alice.git(&["checkout", "-q", "main"]);
    workshop.alice.write("skills.toml", format!("{wanted}\n[policy]\nevidence.trust = \"ci\"\n"));
    workshop.alice.git(&["commit", "-qam", "stricter"]);
    workshop.alice.git(&["checkout", "-q", "work"]);
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    workshop.verify(&["--policy-ref", "main"]).exits(1).says("SKV076");
}

#[test]
fn a_decision_of_a_stranger_or_of_a_signer_without_the_role_is_refused_and_rejected() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.alice.write("docs/plan.md", "Add the column, nullable.\n");
    let policy = workshop.alice.read(".skill/trust.toml");
    workshop.approve("review-plan").ok();
    workshop.alice.write(".skill/trust.toml", policy.replace("\"approval\"", "\"evidence\""));
    workshop.verify(&[]).exits(1).says("SKV087").says("no role `approval`");
    workshop.approve("review-plan").exits(4).says("no role `approval`").says("roles = [\"approval\"]");
}

#[test]
fn files_that_are_cut_off_doubled_or_endless_are_read_within_bounds() {
    let world = World::new();
    let workshop = finished(&world);
    let whole = workshop.alice.read(EVIDENCE);
    workshop.alice.write(EVIDENCE, whole.repeat(2));
    workshop.verify(&[]).ok();
    workshop.alice.write(EVIDENCE, format!("{whole}{}", &whole[..whole.len() / 2]));
    workshop.verify(&[]).ok().says("note SKV073").says("line 5 counts for nothing: malformed");
    let first = whole.lines().next().expect("a line");
    workshop.alice.write(EVIDENCE, format!("{}\n{}", &first[..99], &whole[first.len() + 1..]));
    workshop.verify(&[]).exits(3).says("note SKV073").says("line 1 counts for nothing");
    workshop.alice.write(EVIDENCE, "{}\n".repeat(100_000));
    workshop.verify(&[]).exits(2).says("more evidence than is read");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_evidence_is_never_followed() {
    let world = World::new();
    let workshop = finished(&world);
    let path = workshop.alice.work.join(EVIDENCE);
    let elsewhere = world.path("elsewhere.jsonl");
    std::fs::rename(&path, &elsewhere).expect("moved");
    std::os::unix::fs::symlink(&elsewhere, &path).expect("linked");
    workshop.verify(&[]).exits(2).says("is not a regular file");
    workshop.approve("hand-over").exits(2).says("is not a regular file");
}

#[test]
fn a_change_that_takes_its_brief_away_is_not_green() {
    let world = World::new();
    let workshop = finished(&world);
    std::fs::remove_dir_all(workshop.alice.work.join(".skill/briefs")).expect("removed");
    workshop.verify(&[]).exits(3).says("there is no open brief");
}

#[test]
fn a_weak_or_foreign_signature_with_a_known_key_id_is_rejected() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    workshop.write_work();
    let stranger = SigningKey::from_seed(&[9; 32]);
    let mut envelope = Envelope::sign(IN_TOTO, workshop.run().to_payload(), &stranger);
    envelope.signatures[0].0 = key(1).public().id();
    workshop.append(&format(&envelope));
    workshop.verify(&[]).exits(1).says("SKV074");
}

#[test]
fn the_report_as_json_has_each_rejected_line_with_its_reason() {
    let world = World::new();
    let workshop = finished(&world);
    workshop.sign(&workshop.run(), 9);
    let report: Value = workshop.verify(&["--json"]).ok().json();
    let findings = report["data"]["briefs"][0]["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!((findings[0]["id"].as_str(), findings[0]["class"].as_str()), (Some("SKV075"), Some("note")));
}

#[test]
fn a_pass_that_was_signed_and_is_none_is_found_by_running_it_again() {
    let world = World::new();
    let workshop = finished(&world);
    workshop.verify(&["--rerun", "tests"]).ok();
    workshop.verify(&["--rerun", "other"]).exits(3).says("no open brief has a check `other`");
    workshop.alice.write("src/test.sh", "exit 1\n");
    let later = skills::evidence::Moment::from_unix_seconds(1_795_340_000);
    workshop.sign(&Run { started_on: later, ..workshop.run() }, 1);
    workshop.approve("hand-over").ok();
    workshop.verify(&[]).ok();
    workshop.verify(&["--rerun-all"]).exits(1).says("SKV080").says("run again, it did not pass");
}

#[test]
fn a_brief_of_a_task_that_is_deleted_or_closed_by_hand_is_no_proof() {
    let world = World::new();
    let workshop = Workshop::new(&world);
    let alice = &workshop.alice;
    let text = alice.read("packages/brief-change/skill.toml").replace("acme/brief-change", "acme/brief-top");
    let text =
        text.replace("\"acme/check-tests\" = \"^1\"", "\"acme/check-tests\" = \"^1\"\n\"acme/brief-change\" = \"^1\"");
    let head = text.split("[[brief.task]]").next().expect("tables before the tasks");
    let tasks = "[[brief.task]]\nid = \"write\"\nmakes = [\"plan\", \"change\"]\n\
        [[brief.task]]\nid = \"prove\"\nneeds = [\"write\"]\nchecks = [\"tests\"]\n\
        [[brief.task]]\nid = \"sub\"\nneeds = [\"prove\"]\nuse = \"acme/brief-change\"\n\
        with = { ticket = \"SUB-1\", table = \"subs\" }\n";
    alice.write("packages/brief-top/skill.toml", head.to_owned() + tasks);
    alice.write("packages/brief-top/brief.md", alice.read("packages/brief-change/brief.md"));
    alice.skill(&["add", "./packages/brief-top", "--trust"]).ok();
    std::fs::remove_dir_all(alice.work.join(".skill/briefs")).expect("removed");
    alice.skill(&["brief", "render", "acme/brief-top", "--set", "ticket=OPS-1", "--set", "table=orders"]).ok();
    let child = workshop.document().briefs[0].id.clone();
    workshop.write_work();
    workshop.sign(&workshop.run(), 1);
    let unproved = |why: &str| {
        workshop.verify(&["--attest", "../att.json"]).exits(3).says("SKV084").says(why);
        let statement = alice.read("../att.json");
        assert!(!statement.contains("SKILL_CHECKS_PASSED"), "{statement}");
    };
    unproved("is not done");
    alice.skill(&["brief", "close", &child, "--as", "merged"]).ok();
    workshop.sign(&workshop.run(), 1);
    unproved("is not done");
    std::fs::remove_dir_all(alice.work.join(".skill/briefs/closed")).expect("removed");
    workshop.sign(&workshop.run(), 1);
    unproved("is not done");
}

#[test]
fn a_brief_of_the_base_that_is_deleted_or_renamed_is_missed() {
    let world = World::new();
    let workshop = finished(&world);
    let alice = &workshop.alice;
    workshop.commit("the work, begun on main");
    alice.git(&["branch", "-f", "main"]);
    let easy = ["--set", "ticket=OPS-2", "--set", "table=orders"];
    alice.skill(&[&["brief", "render", "acme/brief-change"], &easy[..]].concat()).ok();
    let judged = || workshop.verify(&["--policy-ref", "main"]);
    judged().keeps_quiet_about("SKV089");
    let path = |name: &str| format!(".skill/briefs/{name}.brief.json");
    for name in ["Ops_1", "ops-1-orders.old"] {
        alice.git(&["mv", &path(BRIEF), &path(name)]);
        judged().exits(1).says("SKV089").says("is not called like a brief");
        workshop.verify(&[]).exits(1).says("SKV081");
        alice.git(&["mv", &path(name), &path(BRIEF)]);
    }
    alice.git(&["mv", &path(BRIEF), ".skill/briefs/kept.json"]);
    workshop.commit("away");
    judged().exits(1).says("SKV089").says("is open at main, and here neither open nor closed");
    judged_by_name(&workshop);
    alice.git(&["mv", ".skill/briefs/kept.json", &path(BRIEF)]);
    alice.skill(&["brief", "close", BRIEF, "--as", "abandoned"]).ok();
    judged().keeps_quiet_about("SKV089");
}

/// Naming the other brief does not help.
fn judged_by_name(workshop: &Workshop) {
    workshop.verify(&["--policy-ref", "main", "ops-2-orders"]).exits(1).says("SKV089");
}

#[test]
fn a_branch_cannot_loosen_the_policy_of_its_base() {
    let world = World::new();
    let workshop = finished(&world);
    let wanted = workshop.alice.read("skills.toml");
    workshop.commit("work");
    workshop.alice.git(&["checkout", "-q", "main"]);
    workshop.alice.write("skills.toml", format!("{wanted}\n[policy]\ndeny = [\"acme/brief-*\"]\n"));
    workshop.alice.git(&["commit", "-qam", "stricter"]);
    workshop.alice.skill(&["verify"]).exits(4).says("SKV034").says("denies `acme/brief-*`");
    workshop.alice.git(&["checkout", "-q", "work"]);
    workshop.alice.skill(&["verify"]).ok().keeps_quiet_about("SKV034");
    workshop.alice.skill(&["verify", "--policy-ref", "main"]).exits(4).says("SKV034");
}
