//! Known histories give known numbers.

use serde_json::json;

use super::*;

const DAY: u64 = 86_400;

fn brief(id: &str, package: &str, rendered: Option<u64>) -> Brief {
    let sha = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let document = json!({
        "schema": "https://agent-skill.invalid/brief/v1", "id": id,
        "from": {"package": package, "version": "1.0.0", "digest": sha}, "params": {},
        "boundary": {"task_class": "t", "environment": "e", "data_class": "internal", "approval": "plan-first"},
        "tools": [], "checks": [], "escalate": [], "body_sha256": "",
        "deliverables": [{"id": "sql", "path": format!("{id}.sql"), "kind": "sql"}, {"id": "plan", "path": format!("{id}.md"), "kind": "md"}],
        "tasks": [
            {"id": "plan", "makes": ["plan"]}, {"id": "write", "makes": ["sql"]},
            {"id": "prove", "needs": ["write"], "checks": ["tests"]},
            {"id": "merge", "needs": ["prove", "plan"], "human": "merge"},
        ],
    });
    Brief { document: serde_json::from_value(document).expect("a document"), rendered }
}

fn run(brief: &str, at: u64, ended: Ended, deliverables_exist: bool) -> Run {
    Run {
        brief: brief.to_owned(),
        check: "a/tests".to_owned(),
        started: at,
        ended_at: at + 10,
        ended,
        deliverables_exist,
    }
}

fn commit(at: u64, path: &str) -> Commit {
    Commit { at, is_revert: false, paths: vec![path.to_owned()] }
}

fn facts() -> Facts {
    Facts {
        briefs: vec![
            brief("one", "a/x", Some(DAY)),
            brief("two", "a/x", Some(2 * DAY)),
            brief("three", "a/x", Some(3 * DAY)),
            brief("four", "a/y", None),
        ],
        runs: vec![
            run("one", DAY, Ended::Failed, false),
            run("one", DAY + 100, Ended::Error, true),
            run("one", DAY + 200, Ended::Passed, true),
            run("two", 2 * DAY, Ended::Failed, true),
            run("two", 2 * DAY + 50, Ended::Failed, true),
            run("two", 2 * DAY + 100, Ended::Passed, true),
            run("two", 2 * DAY + 200, Ended::Failed, true),
            run("two", 2 * DAY + 300, Ended::Passed, true),
        ],
        approvals: vec![
            Approval { brief: "one".to_owned(), task: "merge".to_owned(), decided: DAY + 510 },
            Approval { brief: "two".to_owned(), task: "merge".to_owned(), decided: 2 * DAY + 3910 },
            Approval { brief: "three".to_owned(), task: "merge".to_owned(), decided: 3 * DAY },
        ],
        commits: vec![
            commit(DAY, "one.sql"),
            commit(DAY + 510 + 14 * DAY, "one.sql"),
            commit(DAY + 511 + 14 * DAY, "one.sql"),
            commit(DAY + 1000, "other.sql"),
            Commit { is_revert: true, ..commit(40 * DAY, "two.md") },
            Commit { is_revert: true, ..commit(40 * DAY, "other.md") },
        ],
        escalations: vec![DAY, 5 * DAY],
        verified: vec![(DAY, true), (DAY, false), (2 * DAY, false), (3 * DAY, false)],
        overridden: vec![(DAY, "install --force".to_owned()), (2 * DAY, "install --force".to_owned())],
        evals: Vec::new(),
    }
}

#[test]
fn a_known_history_gives_known_numbers() {
    let stats = compute(&facts(), 0);
    assert_eq!(stats.reuse.rendered, BTreeMap::from([("a/x".to_owned(), 3), ("a/y".to_owned(), 1)]));
    assert_eq!((stats.reuse.top_share, stats.reuse.reused), (Some(0.75), 1));
    assert_eq!(stats.first_pass, Share { count: 1, of: 2, share: Some(0.5) });
    assert_eq!(stats.rework.cycles, BTreeMap::from([("a/tests".to_owned(), 3)]));
    assert_eq!((stats.rework.commits_after_merge, stats.rework.reverts), (1, 1));
    assert_eq!(stats.review, Some(Review { decisions: 2, median_seconds: 300 }));
    assert_eq!(stats.stale, Share { count: 1, of: 4, share: Some(0.25) });
    let cut = stats.decomposition.expect("there are briefs");
    assert_eq!((cut.tasks_per_brief, cut.deliverables_per_task), (4.0, Some(1.0)));
    assert_eq!(cut.checked, Share { count: 4, of: 8, share: Some(0.5) });
    assert_eq!((stats.escalations, stats.overrides["install --force"]), (2, 2));
}

#[test]
fn since_leaves_out_what_was_before_and_keeps_what_has_no_time() {
    let stats = compute(&facts(), 2 * DAY);
    assert_eq!(stats.reuse.rendered, BTreeMap::from([("a/x".to_owned(), 2), ("a/y".to_owned(), 1)]));
    assert_eq!(stats.first_pass, Share { count: 0, of: 1, share: Some(0.0) });
    assert_eq!((stats.escalations, stats.stale.of), (1, 2));
}

#[test]
fn nothing_measured_is_nothing_said() {
    let stats = compute(&Facts::default(), 0);
    assert_eq!(stats, Stats::default());
    assert_eq!(stats.first_pass.share, None);
}

#[test]
fn an_error_is_neither_a_failure_nor_a_pass() {
    let runs = vec![run("one", 1, Ended::Error, true), run("one", 2, Ended::Error, true)];
    let stats = compute(&Facts { runs, ..Facts::default() }, 0);
    assert_eq!((stats.first_pass.of, stats.rework.cycles.len()), (0, 0));
}
