//! The people of the chain, and everything up to the finished work.

use tests::binaries::repository;
use tests::{Person, Registry, World, tools};

/// The brief that the work is for.
pub(crate) const ID: &str = "ops-412-orders";

/// What the agent delivers.
pub(crate) const UP: &str = "migrations/ops-412_orders.up.sql";

const DOWN: &str = "migrations/ops-412_orders.down.sql";
const PLAN: &str = "docs/plans/OPS-412.md";
const CHECKS: [&str; 6] = ["tests", "safe", "rollback", "scope", "ticket", "secrets"];

/// A repository whose work is done, proved and approved.
pub(crate) struct Chain {
    world: World,
    _registry: Registry,
    /// The engineer whose agent does the work; signs evidence.
    pub(crate) dana: Person,
    /// Who approves; signs nothing else.
    pub(crate) lena: Person,
}

impl Chain {
    /// Goes the whole way; nothing where PostgreSQL, Git or Python are not installed.
    pub(crate) fn finished() -> Option<Self> {
        let chain = Self::set_up()?;
        chain.render();
        chain.plan();
        chain.work();
        chain.prove();
        chain.hand_over();
        Some(chain)
    }

    fn set_up() -> Option<Self> {
        let have = tools::have("git", "--version") && tools::have("python3", "--version");
        if !have || !have_postgres() {
            return None;
        }
        let world = World::new();
        let registry = world.registry();
        let team = world.publisher("team", "vetted", &registry);
        let vetted = repository().join("skills/vetted");
        let mut folders: Vec<String> = std::fs::read_dir(vetted)
            .expect("the packages that we ship")
            .map(|entry| entry.expect("an entry").path().display().to_string())
            .collect();
        folders.sort();
        let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
        team.skill(&[&["publish", "--register-key"], &folders[..]].concat()).ok();
        let (dana, lena) = (world.person("dana", &registry), world.person("lena", &registry));
        let chain = Self { world, _registry: registry, dana, lena };
        chain.repository();
        Some(chain)
    }

    /// An empty repository with an origin; then the skills, the tools and the signers, on `main`.
    fn repository(&self) {
        let (dana, lena) = (&self.dana, &self.lena);
        dana.git(&["init", "-q", "-b", "main"]);
        let origin = self.world.folder("origin.git");
        let origin = origin.to_str().expect("UTF-8");
        dana.git(&["init", "-q", "--bare", "-b", "main", origin]);
        dana.git(&["remote", "add", "origin", origin]);
        dana.write("migrations/0001_orders.up.sql", FIRST_UP);
        dana.write("migrations/0001_orders.down.sql", "DROP TABLE orders;\n");
        dana.write("test.sh", TESTS);
        dana.write(".claude/.keep", "");
        dana.write(".codex/.keep", "");
        dana.skill(&["init", "--agent", "claude-code", "--agent", "codex"]).ok();
        dana.skill(&["add", "vetted/brief-database-migration", "--trust"]).ok();
        dana.skill(&["key", "generate", "--no-passphrase"]).ok();
        lena.skill(&["key", "generate", "--no-passphrase"]).ok();
        let row = |person: &Person, role: &str| {
            person.skill(&["key", "show", "--signer", "--role", role, "--as", &person.name]).ok().stdout.clone()
        };
        let trust = dana.read(".skill/trust.toml");
        dana.write(".skill/trust.toml", format!("{trust}\n{}\n{}", row(dana, "evidence"), row(lena, "approval")));
        self.commit("skills, tools and signers");
        dana.git(&["push", "-q", "origin", "main"]);
        dana.git(&["checkout", "-q", "-b", "ops-412-archived-at"]);
    }

    fn render(&self) {
        self.dana
            .skill(&[
                "brief",
                "render",
                "vetted/brief-database-migration",
                "--set",
                "table=orders",
                "--set",
                "change=add nullable column archived_at timestamptz",
                "--set",
                "ticket=OPS-412",
                "--set",
                "test_command=sh,test.sh",
            ])
            .ok();
        self.says_tasks(&["ready", "blocked", "blocked", "blocked", "blocked"]);
    }

    fn plan(&self) {
        self.dana.write(PLAN, "# OPS-412\n\n`ADD COLUMN` without default: ACCESS EXCLUSIVE, no rewrite, no scan.\n");
        self.commit("OPS-412: plan");
        self.says_tasks(&["done", "waiting-for-human", "blocked", "blocked", "blocked"]);
        self.approve("review-plan");
        self.says_tasks(&["done", "done", "ready", "blocked", "blocked"]);
    }

    fn work(&self) {
        self.dana.write(UP, GOOD_UP);
        self.dana.write(DOWN, GOOD_DOWN);
        self.commit("OPS-412: archived_at, up and down");
        self.says_tasks(&["done", "done", "done", "ready", "blocked"]);
    }

    fn prove(&self) {
        for check in CHECKS {
            self.dana.skill(&["check", "run", check]).ok().says("PASSED");
        }
        self.says_tasks(&["done", "done", "done", "done", "waiting-for-human"]);
    }

    fn hand_over(&self) {
        self.commit("OPS-412: evidence");
        self.dana.skill(&["review", ID]).ok().says("rollback: identical");
        self.approve("hand-over");
        self.says_tasks(&["done"; 5]);
        self.commit("OPS-412: approved");
        self.dana.git(&["push", "-q", "origin", "HEAD"]);
    }

    /// The human's word, given in the same work tree with another home and key.
    fn approve(&self, task: &str) {
        self.reviewer().skill(&["approve", ID, task, "--yes"]).ok();
    }

    /// Lena in Dana's folder.
    pub(crate) fn reviewer(&self) -> Person {
        self.lena.within(&self.dana.work)
    }

    fn commit(&self, message: &str) {
        self.dana.git(&["add", "-A"]);
        self.dana.git(&["commit", "-q", "-m", message]);
    }

    /// Where the tasks stand, in their order.
    #[track_caller]
    fn says_tasks(&self, states: &[&str]) {
        let status = self.dana.skill(&["brief", "status", ID, "--json"]).ok().json();
        let tasks = status["data"]["tasks"].as_array().expect("a list");
        let seen: Vec<&str> = tasks.iter().map(|task| task["state"].as_str().expect("a word")).collect();
        assert_eq!(seen, states, "{status:#}");
    }

    /// A machine that knows nobody, with a fresh clone of the work and no registry.
    pub(crate) fn ci(&self) -> Person {
        self.cloned(&self.world.stranger("ci"))
    }

    /// Dana with a fresh clone of the finished work, to spoil.
    pub(crate) fn spoiler(&self, name: &str) -> Person {
        self.cloned(&self.dana.within(self.world.path(&format!("spoiled/{name}"))))
    }

    fn cloned(&self, person: &Person) -> Person {
        let origin = self.world.path("origin.git");
        let origin = origin.to_str().expect("UTF-8");
        person.git(&["clone", "-q", "--branch", "ops-412-archived-at", origin, "."]);
        person.clone()
    }
}

/// PostgreSQL's programs, on the PATH or where Debian puts them.
fn have_postgres() -> bool {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    debian.into_iter().any(|version| version.path().join("bin/initdb").exists()) || tools::have("initdb", "--version")
}

const FIRST_UP: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\n";

const GOOD_UP: &str = "SET lock_timeout = '500ms';\nSET statement_timeout = '500ms';\n\
                       ALTER TABLE orders ADD COLUMN archived_at timestamptz;\n";

const GOOD_DOWN: &str = "SET lock_timeout = '500ms';\nSET statement_timeout = '500ms';\n\
                         ALTER TABLE orders DROP COLUMN archived_at;\n";

/// A test suite that says in TAP what ran.
const TESTS: &str = "echo 'TAP version 13'\necho '1..1'\nls migrations/0001_orders.up.sql >/dev/null || exit 1\n\
                     echo 'ok 1 - the first migration is there'\n";
