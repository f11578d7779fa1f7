//! The whole chain, in one go: a registry, an empty repository, a vetted brief, its tools in two
//! clients, the work, its checks on a real PostgreSQL, signed evidence, a human's word, and CI.
//!
//! Then each sabotage of the finished work: every one ends the verification with its own report id.

mod sabotage;
mod stage;

use std::path::Path;

use stage::Chain;

#[test]
fn an_empty_repository_gets_from_a_vetted_brief_to_work_that_ci_believes() {
    let Some(chain) = Chain::finished() else { return };
    let ci = chain.ci();
    ci.skill(&["install", "--locked", "--offline"]).ok();
    ci.skill(&["verify", "--policy-ref", "origin/main"]).ok();
    let mut report = ci.skill(&["verify", "--evidence", "--policy-ref", "origin/main"]).ok();
    for check in ["tests", "safe", "rollback", "scope", "ticket", "secrets"] {
        report = report.says(check);
    }
    report.says("PROVED for this exact tree");
    ci.skill(&["status"]).ok();
    arrived(&ci.work);
}

/// The tools of the brief are in both clients' files, and what was not approved is not allowed.
fn arrived(work: &Path) {
    let text = |path: &str| tests::files::read(work.join(path));
    assert!(text(".mcp.json").contains("@bytebase/dbhub@1.4.0"));
    assert!(text(".codex/config.toml").contains("[mcp_servers.pg]"));
    assert!(text(".claude/settings.json").contains("Bash(dropdb *)"));
    assert!(!text(".claude/settings.json").contains("\"allow\""));
}
