//! The stage: release binaries, a registry, a home, projects; and how a row is printed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::floor::Floor;
use crate::input::Skill;
use crate::once::{Cost, cost};

/// How often each journey is measured; the median is shown.
const ROUNDS: usize = 5;

/// Everything that a measurement needs, gone when dropped.
pub struct Stage {
    folder: TempDir,
    binaries: PathBuf,
    server: Child,
    url: String,
}

/// A repository with skills.
pub struct Project<'s> {
    stage: &'s Stage,
    root: PathBuf,
}

impl Stage {
    /// Builds the release binaries and starts a registry with a user and a key.
    pub fn open() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--release", "--quiet", "--package", "registry", "--package", "cli"])
            .status();
        assert!(built.expect("cargo runs").success(), "the release binaries build");
        let binaries =
            std::env::current_exe().expect("we are a program").parent().expect("in a folder").join("../release");
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("registry.toml");
        fs::write(&config, CONFIG).expect("written");
        let mut server = Command::new(binaries.join("skill-registry"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .arg("--config")
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the registry starts");
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().expect("piped")).read_line(&mut line).expect("its first line");
        let url = line.trim().strip_prefix("listening on ").expect("its address").to_owned();
        let stage = Self { folder, binaries, server, url };
        stage.enroll();
        stage
    }

    fn enroll(&self) {
        let data = self.folder.path().join("data");
        let admin = |args: &[&str]| {
            Command::new(self.binaries.join("skill-registry"))
                .args(args)
                .arg("--data")
                .arg(&data)
                .output()
                .expect("admin runs")
        };
        let token = admin(&["admin", "user", "create", "bench"]).stdout;
        for scope in ["even", "real"] {
            assert!(
                admin(&["admin", "scope", "create", scope, "--owner", "bench"]).status.success(),
                "a scope is created"
            );
        }
        fs::write(self.folder.path().join("token"), token).expect("written");
        let made = self.skill(self.folder.path(), &["key", "generate", "--no-passphrase"]).output().expect("runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    /// The program, in a folder, with our home and registry.
    fn skill(&self, folder: &Path, args: &[&str]) -> Command {
        let token = fs::read_to_string(self.folder.path().join("token")).unwrap_or_default();
        let mut command = Command::new(self.binaries.join("skill"));
        command.args(args).current_dir(folder).env("SKILL_HOME", self.home()).env("HOME", self.folder.path());
        command.env("SKILL_REGISTRY", &self.url).env("SKILL_TOKEN", token.trim());
        command
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Publishes the skills: the first alone, which registers the key, one by one the next hundred
    /// over one connection each, the rest in one request of many.
    pub fn publish(&self, scope: &str, skills: &[Skill], floor: &Floor) {
        let root = self.folder.path().join(format!("{scope}-packages"));
        for skill in skills {
            let folder = root.join(&skill.name);
            for (path, bytes) in &skill.files {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().expect("a parent")).expect("created");
                fs::write(path, bytes).expect("written");
            }
            let manifest = format!(
                "[package]\nschema = 1\nname = \"{scope}/{}\"\nversion = \"1.0.0\"\nkind = \"skill\"\n",
                skill.name
            );
            fs::write(folder.join("skill.toml"), manifest).expect("written");
        }
        let start = Instant::now();
        let mut last = None;
        for (batch, part) in skills.chunks(50).enumerate() {
            let names: Vec<&str> = part.iter().map(|skill| skill.name.as_str()).collect();
            let mut args = vec!["publish", "--register-key"];
            args.extend(&names);
            if batch > 0 {
                args.remove(1);
            }
            last = Some(cost(&self.skill(&root, &args)));
        }
        let took = start.elapsed();
        let rate = skills.len() as f64 / took.as_secs_f64();
        let peak = last.map_or(0, |cost| cost.peak_kib);
        println!(
            "  {:<40} {:>7.1}ms {:>9} {:>6.1}MB {:>7.1}ms {:>6.1}x  {rate:.0} a second",
            "publish, signed and durable, 50 at once",
            ms(took),
            "",
            peak as f64 / 1024.0,
            ms(floor.durable),
            took.as_secs_f64() / floor.durable.as_secs_f64()
        );
    }

    /// A repository that wants all of them.
    pub fn project(&self, scope: &str, skills: &[Skill], agents: &[&str]) -> Project<'_> {
        let root = self.folder.path().join(format!("{scope}-repository"));
        fs::create_dir_all(&root).expect("created");
        let wants: String = skills.iter().map(|skill| format!("\"{scope}/{}\" = \"^1\"\n", skill.name)).collect();
        let agents: Vec<String> = agents.iter().map(|agent| format!("\"{agent}\"")).collect();
        let text = format!(
            "[skills]\n{wants}\n[agents]\nuse = [{}]\n\n[registries]\nlocalhost = \"{}\"\n",
            agents.join(", "),
            self.url
        );
        fs::write(root.join("skills.toml"), text).expect("written");
        Project { stage: self, root }
    }

    /// Prints the median cost of a journey, each round after its preparation.
    pub fn row(&self, name: &str, floor: Duration, prepare: impl Fn(), journey: impl Fn() -> Command) {
        let mut costs: Vec<Cost> = (0..ROUNDS)
            .map(|_| {
                prepare();
                cost(&journey())
            })
            .collect();
        costs.sort_by_key(|cost| cost.wall);
        let Cost { wall, cpu, peak_kib } = costs[ROUNDS / 2];
        let ratio = wall.as_secs_f64() / floor.as_secs_f64().max(1e-9);
        println!(
            "  {name:<40} {:>7.1}ms {:>7.1}ms {:>6.1}MB {:>7.1}ms {ratio:>6.1}x",
            ms(wall),
            ms(cpu),
            peak_kib as f64 / 1024.0,
            ms(floor)
        );
    }

    /// The start of the process is the floor of everything.
    pub fn measure_start(&self) {
        println!("\nthe programs");
        self.row(
            "skill --version",
            Duration::from_micros(1_000),
            || (),
            || self.skill(self.folder.path(), &["--version"]),
        );
    }

    /// What the registry has cost by now.
    pub fn print_registry(&self) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let field = |name: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok())
                .unwrap_or(0.0)
        };
        println!(
            "  {:<40} now {:.1} MB, peak {:.1} MB",
            "skill-registry, memory",
            field("VmRSS:") / 1024.0,
            field("VmHWM:") / 1024.0
        );
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Project<'_> {
    /// `skill install`, trusting what it meets.
    pub fn install(&self, args: &[&str]) -> Command {
        let mut all = vec!["install", "--trust"];
        all.extend(args);
        self.stage.skill(&self.root, &all)
    }

    /// `skill verify --offline`.
    pub fn verify(&self) -> Command {
        self.stage.skill(&self.root, &["verify", "--offline"])
    }

    /// Before anything: no lock, no proofs, no cache.
    pub fn forget_everything(&self) {
        self.cold();
    }

    /// As if this machine had never seen any of it.
    pub fn cold(&self) {
        self.forget_lock();
        self.clear_places();
        let _ = fs::remove_dir_all(self.root.join(".skill"));
        let _ = fs::remove_dir_all(self.stage.home().join("cache"));
    }

    /// As in a fresh clone: lock, policy and proofs are there, the skills are not.
    pub fn clear_places(&self) {
        for folder in [".agents", ".claude"] {
            let _ = fs::remove_dir_all(self.root.join(folder));
        }
    }

    /// As if `skills.toml` had just been written.
    pub fn forget_lock(&self) {
        let _ = fs::remove_file(self.root.join("skills.lock"));
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// Rates that a measurement may exceed, and nothing else changed.
const CONFIG: &str = "";
