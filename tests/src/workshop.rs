//! A repository with a brief in it, people who may sign, and evidence in the test's own hands.
//!
//! What a check's runner writes is written here by the test, signed with keys of the test: so that a
//! test can lie about anything, and the verifier is all that stands between.

use std::path::Path;

use skills::brief::Document;
use skills::brief::uses::Pinned;
use skills::check::Network;
use skills::dsse::{Envelope, IN_TOTO};
use skills::evidence::{
    BriefRef, GitTree, Moment, Observation, Outcome, Run, Runner, Sandbox, StreamDigest, Trust, format,
};
use skills::key::SigningKey;
use skills::{PackageName, Sha256, SkillName, TreeDigest, Version};

use crate::{Person, Screen, World};

/// The id of the brief.
pub const BRIEF: &str = "ops-1-orders";

/// Its evidence, relative to the repository.
pub const EVIDENCE: &str = ".skill/evidence/ops-1-orders.intoto.jsonl";

const CHECK: &str = r#"[package]
schema = 1
name = "acme/check-tests"
version = "1.0.0"
kind = "check"
description = "The tests pass."
license = "Apache-2.0"
[param.level]
type = "integer"
default = 1
[check]
argv = ["./run.sh"]
inputs = ["src/**"]
[check.expect]
exit = 0
"#;

const PACKAGE: &str = r#"[package]
schema = 1
name = "acme/brief-change"
version = "1.0.0"
kind = "brief"
description = "One change, planned, proved and handed over."
license = "Apache-2.0"
[boundary]
task-class = "change"
environment = "{{ param.environment }}"
data-class = "internal"
approval = "plan-first"
[param.ticket]
type = "string"
[param.table]
type = "string"
[param.environment]
type = "string"
enum = ["dev", "staging"]
default = "dev"
[dependencies]
"acme/check-tests" = "^1"
[brief]
template = "brief.md"
tools = []
skill-stub = false
[[brief.deliverable]]
id = "plan"
path = "docs/plan.md"
kind = "markdown"
[[brief.deliverable]]
id = "change"
path = "src/{{ param.table }}.sql"
kind = "sql"
[[brief.check]]
id = "tests"
use = "acme/check-tests"
[[brief.escalate]]
when = "a lock takes longer than 500 ms"
to = "team:db"
[[brief.task]]
id = "plan"
makes = ["plan"]
[[brief.task]]
id = "review-plan"
needs = ["plan"]
human = "approve"
by = "team:db"
[[brief.task]]
id = "write"
needs = ["review-plan"]
makes = ["change"]
[[brief.task]]
id = "prove"
needs = ["write"]
checks = ["tests"]
[[brief.task]]
id = "hand-over"
needs = ["prove"]
human = "merge"
by = "team:db"
"#;

const TEMPLATE: &str = "## Objective\nAdd one column to table `{{ param.table }}` in {{ boundary.environment }} for {{ param.ticket }}.\n\n\
## Constraints\n- Touch only `{{ param.table }}`.\n\n## Allowed tools\n{{ sections.tools }}\n\n\
## Deliverables\n{{ sections.deliverables }}\n\n## Checks\n{{ sections.checks }}\n\n## Escalation\n{{ sections.escalation }}\n";

/// A repository on the branch `work`, and Alice, who works in it.
pub struct Workshop {
    /// Who works.
    pub alice: Person,
}

/// A key that the test holds, by number.
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

/// A row of the policy for such a key.
pub fn signer(name: &str, seed: u8, trust: &str, roles: &str) -> String {
    row(name, &key(seed).public().to_string(), trust, roles)
}

fn row(name: &str, key: &str, trust: &str, roles: &str) -> String {
    format!("\n[[signer]]\nname = \"{name}\"\nkey = \"ed25519:{key}\"\ntrust = \"{trust}\"\nroles = [{roles}]\n")
}

impl Workshop {
    /// Packages, policy, brief: committed on `main`, and the branch `work` begun. The signers are `local` (key
    /// 1) and `ci` (key 2) for evidence, and Alice's own key for decisions.
    pub fn new(world: &World) -> Self {
        let alice = world.stranger("alice");
        alice.git(&["init", "-q", "-b", "main"]);
        alice.git(&["config", "commit.gpgsign", "false"]);
        alice.write("packages/check-tests/skill.toml", CHECK);
        alice.write("packages/check-tests/run.sh", "#!/bin/sh\nexec sh src/test.sh\n");
        executable(&alice.work.join("packages/check-tests/run.sh"));
        alice.write("packages/check-tests/fixtures/fail/red/src/test.sh", "exit 1\n");
        alice.write("packages/check-tests/fixtures/pass/green/src/test.sh", "exit 0\n");
        alice.write("packages/brief-change/skill.toml", PACKAGE);
        alice.write("packages/brief-change/brief.md", TEMPLATE);
        alice.write("src/test.sh", "exit 0\n");
        alice.write("README.md", "# Orders\n");
        alice.skill(&["init"]).ok();
        alice.skill(&["key", "generate", "--no-passphrase"]).ok();
        for package in ["check-tests", "brief-change"] {
            alice.skill(&["add", &format!("./packages/{package}"), "--trust"]).ok();
        }
        let own = alice.skill(&["key", "show", "--signer", "--as", "alice", "--role", "approval"]).ok().stdout;
        let policy = alice.read(".skill/trust.toml");
        let evidence = "\"evidence\"";
        let rows = [signer("local", 1, "local", evidence), signer("ci", 2, "ci", evidence), format!("\n{own}")];
        alice.write(".skill/trust.toml", policy + &rows.concat());
        let workshop = Self { alice };
        workshop.commit("base");
        workshop.alice.git(&["checkout", "-q", "-b", "work"]);
        let set = ["--set", "ticket=OPS-1", "--set", "table=orders"];
        workshop.alice.skill(&[&["brief", "render", "acme/brief-change"], &set[..]].concat()).ok();
        workshop
    }

    /// Everything as a commit.
    pub fn commit(&self, message: &str) {
        self.alice.git(&["add", "-A"]);
        self.alice.git(&["commit", "-qm", message]);
    }

    /// The deliverables, as an agent would write them.
    pub fn write_work(&self) {
        self.alice.write("docs/plan.md", "Add the column, nullable.\n");
        self.alice.write("src/orders.sql", "alter table orders add column archived_at timestamptz;\n");
    }

    /// A passing run of `tests` for the tree as it is.
    pub fn run(&self) -> Run {
        let document = self.document();
        let check = &document.checks[0];
        let (name, version) = check.uses.rsplit_once('@').expect("name and version");
        let empty = StreamDigest { bytes: 0, sha256: Sha256::of("") };
        Run {
            tree: Some(self.tree()),
            inputs: self.inputs(),
            check: Pinned {
                name: PackageName::parse(name).expect("a name"),
                version: Version::parse(version).expect("a version"),
                digest: check.digest,
            },
            brief: Some(BriefRef { id: SkillName::parse(&document.id).expect("an id"), digest: document.digest() }),
            outcome: Outcome::Passed,
            argv: vec!["./run.sh".to_owned()],
            params: check.with.clone(),
            exit: Some(0),
            started_on: Moment::from_unix_seconds(1_795_336_134),
            duration_ms: 38,
            platform: "x86_64-linux".to_owned(),
            sandbox: Sandbox { network: Network::None, enforced: vec!["landlock".to_owned()] },
            observation: Observation {
                key_lines: vec!["3 passed <b>&\u{1b}[2J".to_owned()],
                stdout: empty.clone(),
                stderr: empty,
            },
            artifacts: Vec::new(),
            runner: Runner { tool: "skill".to_owned(), version: "0.1.0".to_owned(), trust: Trust::Local },
        }
    }

    /// The rendered document.
    pub fn document(&self) -> Document {
        let text = self.alice.read(&format!(".skill/briefs/{BRIEF}.brief.json"));
        Document::parse(text.as_bytes()).expect("a document")
    }

    /// The tree as the program names it.
    pub fn tree(&self) -> GitTree {
        let status = self.alice.skill(&["brief", "status", BRIEF, "--json"]).ok().json();
        GitTree::parse(status["data"]["tree"].as_str().expect("a tree")).expect("a tree")
    }

    /// The digest of what the check reads, by its definition: `sha256sum` of the files below `src`.
    fn inputs(&self) -> Sha256 {
        let folder = self.alice.work.join("src");
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .expect("read")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        let files: Vec<(String, Sha256)> = names
            .into_iter()
            .map(|name| (format!("src/{name}"), Sha256::of(std::fs::read(folder.join(&name)).expect("read"))))
            .collect();
        let hex = TreeDigest::of(files.iter().map(|(path, digest)| (path.as_str(), *digest))).hex();
        Sha256::parse_hex(&hex).expect("the same 32 bytes")
    }

    /// Appends a line of evidence, whatever it is.
    pub fn append(&self, line: &str) {
        let path = self.alice.work.join(EVIDENCE);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        crate::write(path, before + line);
    }

    /// Appends a run, signed with a key of the test.
    pub fn sign(&self, run: &Run, seed: u8) {
        self.append(&format(&Envelope::sign(IN_TOTO, run.to_payload(), &key(seed))));
    }

    /// `skill verify --evidence`, with more.
    pub fn verify(&self, more: &[&str]) -> Screen {
        self.alice.skill(&[&["verify", "--evidence"], more].concat())
    }

    /// `skill approve ID TASK --yes`.
    pub fn approve(&self, task: &str) -> Screen {
        self.alice.skill(&["approve", BRIEF, task, "--yes"])
    }

    /// The plan approved, the work written, proved and approved: nothing is open.
    pub fn finish(&self) {
        self.alice.write("docs/plan.md", "Add the column, nullable.\n");
        self.approve("review-plan").ok();
        self.write_work();
        self.sign(&self.run(), 1);
        self.approve("hand-over").ok();
    }
}

#[cfg(unix)]
fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("the mode is set");
}

#[cfg(not(unix))]
fn executable(_: &Path) {}
