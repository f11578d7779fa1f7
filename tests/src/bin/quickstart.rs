//! `cargo quickstart`: the main job, end to end, in one command.
//!
//! Every line after a `$` is run by a shell exactly as it is printed, so whoever repeats them by hand
//! sees the same. The steps are a table: what to say, what to run, how it must end, what it must say.
//! A step that ends otherwise stops the tour with exit code 1. Everything happens in one temporary
//! folder, with a home and a key of its own, and is removed at the end.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use tests::binaries::{binary, build_aloud, repository};

/// Columns that every terminal has.
const COLUMNS: usize = 80;

/// One step of the tour.
struct Step {
    /// Why, for the reader.
    why: &'static str,
    /// What is run, as printed.
    command: &'static str,
    /// The exit code that we promise.
    exit: i32,
    /// What its screen has to say.
    says: &'static str,
}

const fn step(why: &'static str, command: &'static str, says: &'static str) -> Step {
    Step { why, command, exit: 0, says }
}

const STEPS: &[Step] = &[
    step(
        "A user, with a token",
        "skill-registry admin user create ada --data \"$DIR/registry\" \\\n    > \"$DIR/token\"",
        "",
    ),
    step(
        "A scope: the team's namespace",
        "skill-registry admin scope create vetted --owner ada \\\n    --data \"$DIR/registry\"",
        "",
    ),
    step("Ada logs in", "skill login --token-stdin < \"$DIR/token\"", "as ada"),
    step("Ada's signing key, which never leaves this machine", "skill key generate --no-passphrase", ""),
    step(
        "Publish all packages that we ship: every one, or none",
        "skill publish --register-key skills/vetted/*",
        "vetted/skill-orchestrate@1.0.0",
    ),
    step("A fresh repository", "git init --quiet \"$DIR/app\" && cd \"$DIR/app\"", ""),
    step("It uses two agents", "skill init --agent claude-code --agent codex", "wrote skills.toml"),
    step("Install, and accept the key seen above", "skill add vetted/skill-orchestrate --trust", "3 skills installed"),
    step("What came along, and why", "skill tree", "vetted/skill-review-evidence"),
    step("What the agents see", "ls .agents/skills .claude/skills", "skill-write-check"),
    step("Verify every byte and signature, without the network", "skill verify --offline", ""),
    step(
        "Somebody changes one byte",
        "printf X | dd bs=1 seek=300 conv=notrunc status=none \\\n    of=.agents/skills/skill-write-check/SKILL.md",
        "",
    ),
    Step { why: "It is refused: CI would stop here", command: "skill verify --offline", exit: 1, says: "SKV001" },
    step("What was changed", "skill diff vetted/skill-write-check", "SKILL.md"),
    step("Put it right, and verify again", "skill install --force && skill verify --offline", ""),
    step(
        "A brief: its tools arrive in both clients' files, narrowed",
        "skill -q add vetted/brief-database-migration && skill tools list",
        "vetted/tools-postgres-readonly",
    ),
    step(
        "What an agent works by, and what it is held to",
        "skill brief render brief-database-migration --set table=orders \\\n    --set ticket=OPS-412 --set change='add nullable column archived_at'",
        "ops-412-orders.brief.md",
    ),
    step("Where its tasks stand: nothing is done yet", "skill brief status ops-412-orders", "waits for `prove`"),
    step(
        "A check of our own, which has to be able to fail",
        "skill new acme/check-result --kind check && skill check test check-result",
        "2 of 2 fixtures",
    ),
];

fn main() -> ExitCode {
    match tour() {
        Ok(()) => {
            println!("\nAll as promised, and everything is removed again.\n");
            println!("To keep a registry running:");
            println!("  cargo run --release -p registry -- serve --data ./registry-data");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!();
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn tour() -> Result<(), String> {
    println!("Building the programs, as `cargo build --workspace` does\n");
    build_aloud();
    println!();
    let programs = binary("skill");
    let programs = programs.parent().expect("a program is in a folder");
    let folder = tempfile::Builder::new().prefix("skill-quickstart-").tempdir().map_err(|error| error.to_string())?;
    let mut shell = Shell::new(folder.path(), programs);
    println!("Each `$` line can be repeated by hand, from the top of this repository, after");
    println!("  export PATH=\"$PWD/target/debug:$PATH\" DIR=\"$(mktemp -d)\"");
    println!("  export SKILL_HOME=\"$DIR/home\"");
    let server = Server::start(&mut shell)?;
    for step in STEPS {
        shell.take(step)?;
    }
    drop(server);
    folder.close().map_err(|error| format!("the temporary folder could not be removed: {error}"))
}

/// The registry in the background; stopped when dropped.
struct Server(Child);

impl Server {
    fn start(shell: &mut Shell) -> Result<Self, String> {
        let command = "skill-registry serve --data \"$DIR/registry\" --listen 127.0.0.1:0";
        println!("\n# A registry: SQLite and a folder, nothing else\n$ {command} &");
        let child = shell.command(&format!("exec {command}")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut server = Self(child.map_err(|error| format!("the registry could not be started: {error}"))?);
        let mut line = String::new();
        let stdout = server.0.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        print!("  {line}");
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.ok_or_else(|| format!("the registry said `{line}`, expected `listening on …`"))?;
        println!("# Its address: by hand, take the one that your registry printed");
        println!("$ export SKILL_REGISTRY={url}");
        shell.registry = url.to_owned();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell that remembers its folder from step to step.
struct Shell {
    folder: PathBuf,
    here: PathBuf,
    path: String,
    registry: String,
}

impl Shell {
    fn new(folder: &Path, programs: &Path) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", programs.display());
        Self { folder: folder.to_owned(), here: repository(), path, registry: String::new() }
    }

    fn command(&self, text: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", text]).current_dir(&self.here).stdin(Stdio::null());
        command.env("PATH", &self.path).env("DIR", &self.folder).env("SKILL_HOME", self.folder.join("home"));
        for name in ["SKILL_TOKEN", "SKILL_KEY_PASSPHRASE", "SKILL_REGISTRY"] {
            command.env_remove(name);
        }
        if !self.registry.is_empty() {
            command.env("SKILL_REGISTRY", &self.registry);
        }
        command
    }

    /// Prints a step, runs it, prints its screen, and holds it to what we promise.
    fn take(&mut self, step: &Step) -> Result<(), String> {
        println!("\n# {}\n$ {}", step.why, step.command);
        // The last folder a step was in is where the next one starts.
        let marked = format!("exec 2>&1\n{}\nstatus=$?; pwd > \"$DIR/here\"; exit $status", step.command);
        let output = self.command(&marked).output().map_err(|error| format!("no shell: {error}"))?;
        let screen =
            [&output.stdout[..], &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        print!("{}", fold(&screen));
        std::io::stdout().flush().map_err(|error| error.to_string())?;
        let here = std::fs::read_to_string(self.folder.join("here")).unwrap_or_default();
        self.here = PathBuf::from(here.trim_end());
        let exit = output.status.code().unwrap_or(-1);
        if exit != 0 {
            println!("  (exit code {exit})");
        }
        if exit != step.exit {
            return Err(format!("`{}` ended with exit code {exit}, promised is {}", step.command, step.exit));
        }
        if !screen.contains(step.says) {
            return Err(format!("`{}` should have said `{}`", step.command, step.says));
        }
        Ok(())
    }
}

/// Indents a screen and folds its long lines at spaces.
fn fold(screen: &str) -> String {
    let mut out = String::new();
    for line in screen.lines() {
        let mut width = 0;
        for (at, word) in line.split(' ').enumerate() {
            let length = word.chars().count() + 1;
            if at == 0 || (width + length > COLUMNS - 2 && !word.is_empty()) {
                out.push_str(if at == 0 { "  " } else { "\n      " });
                width = if at == 0 { 2 } else { 6 };
            } else {
                out.push(' ');
            }
            out.push_str(word);
            width += length;
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
    }
    out
}
