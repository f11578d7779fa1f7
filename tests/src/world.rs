//! One folder, the servers that run in it, and the people who use them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::binaries::binary;
use crate::http::{self, Answer, Request};
use crate::screen::Screen;

/// A temporary folder that everything of a test lives in.
pub struct World {
    folder: TempDir,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty world. The name of its folder is part of every test.
    pub fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("skill wörld ");
        let folder = in_memory().map_or_else(|| builder.tempdir(), |memory| builder.tempdir_in(memory));
        Self { folder: folder.expect("a temporary folder") }
    }

    /// A path inside.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A folder inside, made if need be.
    pub fn folder(&self, below: &str) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(&path).expect("the folder is made");
        path
    }

    /// Starts a registry with the default configuration.
    pub fn registry(&self) -> Registry {
        Registry::start(self.folder("registry"), None)
    }

    /// Starts a registry with this configuration file.
    pub fn registry_with(&self, config: &str) -> Registry {
        let path = self.path("registry.toml");
        crate::write(&path, config);
        Registry::start(self.folder("registry"), Some(path))
    }

    /// Somebody with an empty home, who knows no registry.
    pub fn stranger(&self, name: &str) -> Person {
        let home = self.folder(&format!("{name}/home"));
        let work = self.folder(&format!("{name}/work"));
        Person { name: name.to_owned(), home, work, registry: None, token: None, extra: Vec::new() }
    }

    /// Somebody with an empty home, whose `SKILL_REGISTRY` is this registry.
    pub fn person(&self, name: &str, registry: &Registry) -> Person {
        self.stranger(name).at(registry.url())
    }

    /// Somebody who owns a scope, has a key, and is logged in.
    pub fn publisher(&self, name: &str, scope: &str, registry: &Registry) -> Person {
        let mut person = self.person(name, registry);
        let token = registry.user(name);
        registry.scope(scope, name);
        person.skill_reading(&["login", "--token-stdin"], &token).ok();
        person.skill(&["key", "generate", "--no-passphrase"]).ok();
        person.token = Some(token);
        person
    }
}

/// A folder in memory with room for every test, unless `TMPDIR` says where to go: what the registry
/// syncs to a disk, a hundred times over, is two thirds of the time that the tests take.
#[cfg(target_os = "linux")]
fn in_memory() -> Option<&'static Path> {
    const ENOUGH_BYTES: u64 = 2 << 30;
    let folder = Path::new("/dev/shm");
    let free = nix::sys::statvfs::statvfs(folder).ok()?;
    let bytes = free.blocks_available() * free.fragment_size();
    (std::env::var_os("TMPDIR").is_none() && bytes >= ENOUGH_BYTES).then_some(folder)
}

#[cfg(not(target_os = "linux"))]
fn in_memory() -> Option<&'static Path> {
    None
}

/// A running `skill-registry`; killed when dropped.
pub struct Registry {
    data: PathBuf,
    config: Option<PathBuf>,
    url: String,
    process: Option<(Child, BufReader<ChildStdout>)>,
}

impl Registry {
    /// Starts a registry on a data folder, on a free port, and waits until it listens.
    pub fn start(data: PathBuf, config: Option<PathBuf>) -> Self {
        let mut registry = Self { data, config, url: String::new(), process: None };
        registry.resume();
        registry
    }

    /// Starts again on the same data, on another free port.
    pub fn resume(&mut self) {
        let mut command = Command::new(binary("skill-registry"));
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).expect("the log");
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&self.data);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.env_clear().env("RUST_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the registry is started");
        let mut stdout = BufReader::new(child.stdout.take().expect("its stdout is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("its stdout is read");
        let url = line.trim_end().strip_prefix("listening on ").map(str::to_owned);
        self.process = Some((child, stdout));
        self.url = url.unwrap_or_else(|| panic!("the registry said `{line}`; its log:\n{}", self.log()));
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    fn log_path(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// The id of its process.
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("it runs").0.id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some((mut child, _)) = self.process.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; gives the exit code of its graceful end.
    pub fn stop(&mut self) -> Option<i32> {
        let (mut child, _) = self.process.take()?;
        let signalled = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(signalled.success());
        child.wait().expect("it ends").code()
    }

    /// `skill-registry ARGS… --data DIR`, beside the running server.
    pub fn admin(&self, args: &[&str]) -> Screen {
        let output = Command::new(binary("skill-registry"))
            .args(args)
            .arg("--data")
            .arg(&self.data)
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .expect("the registry's program runs");
        Screen::of(format!("skill-registry {}", args.join(" ")), &output)
    }

    /// Creates a user; gives the token.
    #[track_caller]
    pub fn user(&self, name: &str) -> String {
        self.admin(&["admin", "user", "create", name]).ok().stdout.trim_end().to_owned()
    }

    /// Creates a scope.
    #[track_caller]
    pub fn scope(&self, name: &str, owner: &str) {
        self.admin(&["admin", "scope", "create", name, "--owner", owner]).ok();
    }

    /// `skill-registry check`.
    pub fn check(&self) -> Screen {
        self.admin(&["check"])
    }

    /// `GET`.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        http::get(&self.url, path)
    }

    /// Sends a request.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Answer {
        request.send(&self.url)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Somebody with a home of their own, and a folder to work in.
#[derive(Debug, Clone)]
pub struct Person {
    /// What they are called, in transcripts.
    pub name: String,
    /// Their home.
    pub home: PathBuf,
    /// Where their commands run.
    pub work: PathBuf,
    /// What `SKILL_REGISTRY` is set to.
    pub registry: Option<String>,
    /// Their token, where they have one.
    pub token: Option<String>,
    extra: Vec<(String, String)>,
}

impl Person {
    /// The same person with another `SKILL_REGISTRY`.
    #[must_use]
    pub fn at(&self, url: &str) -> Self {
        Self { registry: Some(url.to_owned()), ..self.clone() }
    }

    /// The same person without `SKILL_REGISTRY`.
    #[must_use]
    pub fn nowhere(&self) -> Self {
        Self { registry: None, ..self.clone() }
    }

    /// The same person, working in another folder, which is made if need be.
    #[must_use]
    pub fn within(&self, folder: impl AsRef<Path>) -> Self {
        let work = self.work.join(folder);
        std::fs::create_dir_all(&work).expect("the folder is made");
        Self { work, ..self.clone() }
    }

    /// The same person with one more environment variable.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut person = self.clone();
        person.extra.push((name.to_owned(), value.to_owned()));
        person
    }

    /// A program, in this person's folder and with nothing but this person's environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.work).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.home).env("SKILL_HOME", self.home.join("skill"));
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), &self.name);
            command.env(format!("GIT_{role}_EMAIL"), format!("{}@example.invalid", self.name));
        }
        if let Some(url) = &self.registry {
            command.env("SKILL_REGISTRY", url);
        }
        command.envs(self.extra.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `skill ARGS…`, not started yet.
    pub fn skill_command(&self, args: &[&str]) -> Command {
        let mut command = self.command(binary("skill"));
        command.args(args);
        command
    }

    /// `skill ARGS…`
    pub fn skill(&self, args: &[&str]) -> Screen {
        let output = self.skill_command(args).output().expect("skill runs");
        Screen::of(shown("skill", args), &output)
    }

    /// `skill ARGS…` with this on stdin.
    pub fn skill_reading(&self, args: &[&str], stdin: &str) -> Screen {
        let mut child = self.skill_command(args).stdin(Stdio::piped()).spawn().expect("skill runs");
        // A program that does not read its stdin closes it: that is its right.
        let _ = child.stdin.take().expect("it is piped").write_all(stdin.as_bytes());
        let output = child.wait_with_output().expect("skill ends");
        Screen::of(shown("skill", args), &output)
    }

    /// Any other program.
    pub fn run(&self, program: &str, args: &[&str]) -> Screen {
        let output = self.command(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
        Screen::of(shown(program, args), &output)
    }

    /// `git ARGS…`
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> Screen {
        self.run("git", args).ok()
    }

    /// Reads a file of the folder they work in.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        crate::files::read(self.work.join(path))
    }

    /// Writes a file of the folder they work in.
    #[track_caller]
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        crate::write(self.work.join(path), content);
    }

    /// What is in the folder they work in.
    pub fn snapshot(&self) -> crate::Snapshot {
        crate::Snapshot::of(&self.work)
    }
}

/// A command line as a person would type it.
fn shown(program: &str, args: &[&str]) -> String {
    let quote = |arg: &&str| {
        let plain = !arg.is_empty() && !arg.contains([' ', '"', '\'', '$', '*', '\n']);
        if plain { (*arg).to_owned() } else { format!("'{arg}'") }
    };
    std::iter::once(program.to_owned()).chain(args.iter().map(quote)).collect::<Vec<_>>().join(" ")
}
