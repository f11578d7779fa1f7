//! What a check may read and write on this machine.
//!
//! Reading is a list of what is allowed, because keys lie in more places than anybody remembers: the
//! system, the tools that `PATH` and other passed variables lead to, the work tree, the package. Where an
//! allowed folder holds a place of keys, its other entries are allowed one by one. Writing is what the
//! check declares, and an empty folder of its own.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Exit, Failure, OnPath};

/// Where systems keep programs, libraries and what these read.
const SYSTEM: [&str; 17] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/proc",
    "/sys",
    "/var/lib/dpkg",
    "/var/lib/ghc",
    "/var/cache/fontconfig",
];

/// What no check reads, on any system.
const SYSTEM_SECRETS: [&str; 8] = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh",
    "/etc/ssl/private",
];

/// Where keys and tokens lie below a user's home.
const HOME_SECRETS: [&str; 34] = [
    ".ssh",
    ".aws",
    ".azure",
    ".gnupg",
    ".kube",
    ".docker",
    ".netrc",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".gitconfig",
    ".vault-token",
    ".password-store",
    ".mozilla",
    ".terraform.d",
    ".terraformrc",
    ".bash_history",
    ".zsh_history",
    ".psql_history",
    ".claude",
    ".codex",
    ".gemini",
    ".cursor",
    ".config",
    ".local/share",
    ".local/state",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".gem/credentials",
    ".m2/settings.xml",
    ".gradle/gradle.properties",
];

/// Tools that live below a home, readable when `HOME` is passed.
const HOME_TOOLS: [&str; 17] = [
    ".cargo",
    ".rustup",
    ".m2",
    ".gradle",
    ".nvm",
    ".pyenv",
    ".rbenv",
    ".asdf",
    ".sdkman",
    ".deno",
    ".bun",
    ".npm",
    ".gem",
    ".local/bin",
    ".local/lib",
    ".volta",
    "go",
];

/// Folders of the machine over which an empty one is put, with what the check needs put back: sockets of
/// servers and of other users' programs lie there.
const RUNNING: [&str; 4] = ["/run", "/tmp", "/var/tmp", "/dev/shm"];

/// The same for a check that may reach anything, and so finds names through a file in `/run`.
const RUNNING_OF_OTHERS: [&str; 8] =
    ["/run/user", "/run/dbus", "/run/docker", "/run/containerd", "/run/podman", "/tmp", "/var/tmp", "/dev/shm"];

/// How deep entries are allowed one by one, at most.
const DEPTH_MAX: usize = 12;

/// What a check may read and write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// Files and folders, with all below, that may be read and run.
    pub read: Vec<PathBuf>,
    /// The same where no folder can be made to look empty: what is hidden is left out.
    pub read_around: Vec<PathBuf>,
    /// Folders, with all below, whose names may be listed then.
    pub list: Vec<PathBuf>,
    /// Files and folders, with all below, that may also be written.
    pub write: Vec<PathBuf>,
    /// Folders that are made to look empty, where mounts are possible.
    pub hidden: Vec<PathBuf>,
    /// The same, but for what is needed below.
    pub emptied: Vec<PathBuf>,
    /// What is needed, none below another.
    pub needed: Vec<PathBuf>,
    /// Sockets of the user's own programs, over which nothing is put.
    pub sockets: Vec<PathBuf>,
    /// Whether it can have a `/dev/shm` of its own.
    pub private_memory: bool,
}

/// What the reach of a check depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// The user's home.
    pub(crate) home: Option<PathBuf>,
    /// Where this program keeps keys and credentials.
    pub(crate) keys: Vec<PathBuf>,
    /// Folders in what it is given that are about the work, and not the work.
    pub(crate) records: Vec<PathBuf>,
    /// What the check is given: work tree, package, document, Git's folders.
    pub(crate) given: Vec<PathBuf>,
    /// What it may write.
    pub(crate) write: Vec<PathBuf>,
    /// The variables that it gets.
    pub(crate) env: Vec<(String, String)>,
    /// Sockets that the user's environment names, such as the one of an SSH agent.
    pub(crate) sockets: Vec<PathBuf>,
    /// Whether it may reach anything, so that what finds names has to be readable.
    pub(crate) any_network: bool,
}

impl Surroundings {
    /// Works out what may be read, and what has to be hidden.
    pub(crate) fn reach(&self) -> Reach {
        let secrets: Vec<PathBuf> = self.secrets().iter().filter_map(|path| path.canonicalize().ok()).collect();
        let mut wanted: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
        wanted.extend(self.tools());
        wanted.extend(self.given.iter().cloned());
        if self.any_network {
            wanted.extend(["/run/systemd/resolve", "/run/resolvconf"].map(PathBuf::from));
        }
        // A link is work, and where it leads, too: only a real folder is hidden.
        let is_real = |path: &&PathBuf| path.canonicalize().is_ok_and(|real| real == **path && real.is_dir());
        let records: Vec<PathBuf> = self.records.iter().filter(is_real).cloned().collect();
        let read = allowed(&wanted, &secrets);
        let read_around = allowed(&wanted, &[secrets.as_slice(), &records].concat());
        let mut list = self.given.clone();
        list.retain(|given| records.iter().any(|record| record.starts_with(given)));
        let needed: Vec<&PathBuf> = self.given.iter().chain(&self.write).collect();
        let is_free = |folder: &Path| !needed.iter().any(|path| path.starts_with(folder));
        let mut hidden: Vec<PathBuf> =
            secrets.into_iter().chain(records).filter(|path| path.is_dir() && is_free(path)).collect();
        let running = if self.any_network { &RUNNING_OF_OTHERS[..] } else { &RUNNING[..] };
        let real = |path: PathBuf| path.canonicalize().ok();
        let mut needed: Vec<PathBuf> = read.iter().chain(&self.write).cloned().filter_map(real).collect();
        needed.retain(|path| !running.iter().any(|folder| path == Path::new(folder)));
        outermost(&mut needed);
        // What the check reads whole cannot look empty.
        let is_apart = |folder: &PathBuf| folder.is_dir() && !needed.iter().any(|path| folder.starts_with(path));
        let mut emptied: Vec<PathBuf> = running.iter().map(PathBuf::from).filter_map(real).filter(is_apart).collect();
        outermost(&mut emptied);
        outermost(&mut hidden);
        let sockets = self.sockets.iter().cloned().filter_map(real).collect();
        // It may write all of it, so nothing that it may only read can be put back there.
        let shm = Path::new("/dev/shm");
        let private_memory =
            emptied.iter().any(|folder| folder == shm) && !needed.iter().any(|path| path.starts_with(shm));
        Reach { read, read_around, list, write: self.write.clone(), hidden, emptied, needed, sockets, private_memory }
    }

    fn secrets(&self) -> Vec<PathBuf> {
        let below = self.home.iter().flat_map(|home| HOME_SECRETS.iter().map(|name| home.join(name)));
        SYSTEM_SECRETS.iter().map(PathBuf::from).chain(below).chain(self.keys.iter().cloned()).collect()
    }

    /// Where the passed variables lead: `PATH`, folders such as `CARGO_HOME`, and with `HOME` the tools
    /// that are known to live there; never the home itself.
    fn tools(&self) -> Vec<PathBuf> {
        let mut tools = Vec::new();
        for (name, value) in &self.env {
            match (name.as_str(), &self.home) {
                ("PATH", home) => {
                    tools
                        .extend(std::env::split_paths(value).flat_map(|folder| with_library(&folder, home.as_deref())));
                }
                ("HOME", Some(home)) => tools.extend(HOME_TOOLS.iter().map(|tool| home.join(tool))),
                _ => tools.push(PathBuf::from(value)),
            }
        }
        let holds_home = |path: &PathBuf| self.home.as_ref().is_some_and(|home| home.starts_with(path));
        tools.retain(|path| path.is_absolute() && path.is_dir() && !holds_home(path) && path.components().count() > 2);
        tools
    }
}

/// Leaves out what lies below another.
fn outermost(paths: &mut Vec<PathBuf>) {
    paths.sort();
    paths.dedup_by(|path, above| path.starts_with(above));
}

/// A folder of programs; for `X/bin` also what lies beside it, such as `X/lib`; and for one of a tool that
/// is known to live in a home, such as `~/.pyenv/shims`, all of that tool.
fn with_library(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let parent = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name == "bin"));
    let beside = |parent: &Path| ["lib", "lib64", "libexec", "share", "include"].map(|name| parent.join(name));
    let tools = home.into_iter().flat_map(|home| HOME_TOOLS.iter().map(|tool| home.join(tool)));
    // `~/.local/share` holds more than programs need; it is among the secrets, and stays out.
    let mut all = vec![folder.to_owned()];
    all.extend(parent.into_iter().flat_map(beside));
    all.extend(tools.filter(|tool| folder.starts_with(tool)));
    all
}

/// What may be read of what is wanted.
fn allowed(wanted: &[PathBuf], secrets: &[PathBuf]) -> Vec<PathBuf> {
    let mut read = Vec::new();
    for path in wanted.iter().filter_map(|path| path.canonicalize().ok()) {
        allow(&path, secrets, DEPTH_MAX, &mut read);
    }
    read.sort();
    read.dedup();
    read
}

/// Allows a path; one that holds a secret, entry by entry.
fn allow(path: &Path, secrets: &[PathBuf], depth: usize, allowed: &mut Vec<PathBuf>) {
    if secrets.iter().any(|secret| path.starts_with(secret)) {
        return;
    }
    if !secrets.iter().any(|secret| secret.starts_with(path)) {
        allowed.push(path.to_owned());
        return;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten().filter(|_| depth > 0);
    for entry in entries {
        // A link is allowed by what it leads to, and that only if it is allowed by itself.
        if entry.file_type().is_ok_and(|kind| !kind.is_symlink()) {
            allow(&entry.path(), secrets, depth - 1, allowed);
        }
    }
}

/// Where a check may write, for its globs: folders are made, single files at the top are made empty.
#[derive(Debug, Default)]
pub(crate) struct Writable {
    /// What may be written.
    pub(crate) paths: Vec<PathBuf>,
    /// Empty files that we made.
    pub(crate) made: Vec<PathBuf>,
}

impl Writable {
    /// Prepares the places of some globs below a root. What a branch brings along may be a link that leads
    /// out: no part of a place may be one.
    pub(crate) fn prepare<'a>(root: &Path, globs: impl IntoIterator<Item = &'a String>) -> Result<Self, Failure> {
        let mut writable = Self::default();
        for glob in globs {
            let is_plain = |part: &&str| !part.contains(['*', '?', '[', '{']);
            let parts: Vec<&str> = glob.split('/').filter(|part| !part.is_empty()).collect();
            let fixed: Vec<&str> = parts.iter().copied().take_while(is_plain).collect();
            let is_file = fixed.len() == parts.len() && !glob.ends_with('/');
            let folder = if is_file { &fixed[..fixed.len() - 1] } else { &fixed[..] };
            if !folder.is_empty() {
                let place = root.join(folder.join("/"));
                refuse_links(root, &place)?;
                make_ignored(root, &place)?;
                writable.paths.push(place);
            } else if is_file {
                writable.file(root, fixed[0])?;
            }
        }
        writable.paths.sort();
        writable.paths.dedup();
        Ok(writable)
    }

    /// The work tree itself is not writable, so a file at its top has to be there.
    fn file(&mut self, root: &Path, name: &str) -> Result<(), Failure> {
        let place = root.join(name);
        refuse_links(root, &place)?;
        if place.symlink_metadata().is_err() {
            fs::write(&place, "").on("create", &place)?;
            self.made.push(place.clone());
        }
        self.paths.push(place);
        Ok(())
    }

    /// Takes away what we made and nobody wrote to: an empty file that a check did not make is no result.
    pub(crate) fn tidy(&self) {
        let is_empty =
            |path: &&PathBuf| path.symlink_metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
        for path in self.made.iter().filter(is_empty) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Makes a folder for what a check writes. What is new there is no part of the work, so Git is told to
/// leave it out: else one check's results would be in the tree that the next one judges.
fn make_ignored(root: &Path, place: &Path) -> Result<(), Failure> {
    let below = |at: &&Path| at.starts_with(root) && *at != root;
    let new = place.ancestors().take_while(below).filter(|at| at.symlink_metadata().is_err()).last();
    fs::create_dir_all(place).on("create", place)?;
    let has_git = root.ancestors().any(|at| at.join(".git").symlink_metadata().is_ok());
    let Some(new) = new.filter(|_| has_git) else { return Ok(()) };
    let ignore = new.join(".gitignore");
    fs::write(&ignore, "*\n").on("create", &ignore)
}

/// Refuses a link on the way from a root to a place.
fn refuse_links(root: &Path, place: &Path) -> Result<(), Failure> {
    let mut at = root.to_owned();
    for part in place.strip_prefix(root).unwrap_or(Path::new("")).components() {
        if let Component::Normal(part) = part {
            at.push(part);
        }
        if at.is_symlink() {
            let seen = format!("`{}` is a link, and the check would write where it leads", at.display());
            return Err(Failure::new(Exit::Could, "leaves-project", seen).hint("remove the link"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().canonicalize().expect("it is there");
        for name in [".ssh", ".aws", ".cargo/bin", "go/bin", "work/src", "work/keys", ".config/gh", "Documents"] {
            fs::create_dir_all(home.join(name)).expect("made");
        }
        fs::write(home.join(".cargo/credentials.toml"), "token").expect("written");
        fs::write(home.join(".cargo/config.toml"), "").expect("written");
        (folder, home)
    }

    fn surroundings(home: &Path) -> Surroundings {
        Surroundings { home: Some(home.to_owned()), given: vec![home.join("work")], ..Surroundings::default() }
    }

    fn covers(read: &[PathBuf], path: &Path) -> bool {
        read.iter().any(|allowed| path.starts_with(allowed))
    }

    #[test]
    fn the_work_tree_and_the_system_are_read_and_the_rest_of_a_home_is_not() {
        let (_folder, home) = home();
        let reach = surroundings(&home).reach();
        assert!(covers(&reach.read, &home.join("work/src")) && covers(&reach.read, Path::new("/usr/bin/env")));
        for place in [".ssh/id", ".aws/credentials", ".config/gh/hosts.yml", "Documents/x", ".cargo/bin/cargo", ""] {
            assert!(!covers(&reach.read, &home.join(place)), "{place}");
        }
        assert!(!covers(&reach.read, Path::new("/etc/shadow")) && covers(&reach.read, Path::new("/etc/passwd")));
    }

    #[test]
    fn passed_variables_lead_to_tools_and_never_to_a_whole_home() {
        let (_folder, home) = home();
        let text = |path: PathBuf| path.display().to_string();
        let mut of = surroundings(&home);
        of.env = vec![
            ("PATH".to_owned(), text(home.join("go/bin"))),
            ("X".to_owned(), text(home.clone())),
            ("Y".to_owned(), "/".to_owned()),
        ];
        let reach = of.reach();
        assert!(covers(&reach.read, &home.join("go/pkg/x")) && !covers(&reach.read, &home.join(".cargo/bin")));
        assert!(!covers(&reach.read, &home.join("Documents")) && !reach.read.contains(&PathBuf::from("/")));
        of.env = vec![("HOME".to_owned(), text(home.clone()))];
        let reach = of.reach();
        assert!(
            covers(&reach.read, &home.join(".cargo/config.toml")) && covers(&reach.read, &home.join(".cargo/bin/x"))
        );
        assert!(
            !covers(&reach.read, &home.join(".cargo/credentials.toml")) && !covers(&reach.read, &home.join(".ssh"))
        );
    }

    #[test]
    fn keys_are_kept_from_it_also_where_they_lie_in_the_work_tree() {
        let (_folder, home) = home();
        let mut of = surroundings(&home);
        of.keys = vec![home.join("work/keys")];
        let reach = of.reach();
        assert!(
            covers(&reach.read, &home.join("work/src")) && !covers(&reach.read, &home.join("work/keys/default.pem"))
        );
        assert!(reach.hidden.contains(&home.join("work/keys")) && reach.hidden.contains(&home.join(".ssh")));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_about_the_work_is_hidden_and_the_work_beside_it_is_listed() {
        let (_folder, home) = home();
        let mut of = surroundings(&home);
        of.records = vec![home.join("work/keys"), home.join("work/link"), home.join("work/none")];
        std::os::unix::fs::symlink("src", home.join("work/link")).expect("linked");
        let reach = of.reach();
        assert!(reach.hidden.contains(&home.join("work/keys")) && !reach.hidden.contains(&home.join("work/src")));
        assert!(reach.read.contains(&home.join("work")), "where it looks empty, nothing is left out");
        assert!(covers(&reach.read_around, &home.join("work/src")));
        assert!(!covers(&reach.read_around, &home.join("work/keys/x")));
        assert_eq!(reach.list, [home.join("work")]);
    }

    #[test]
    fn nothing_is_hidden_that_the_check_needs() {
        let (_folder, home) = home();
        let mut of = surroundings(&home);
        of.keys = vec![home.clone()];
        assert!(!of.reach().hidden.contains(&home));
        of.write = vec!["/dev/shm/x".into(), "/run/x".into()];
        let reach = of.reach();
        assert!(!reach.hidden.contains(&PathBuf::from("/run")));
    }

    #[test]
    fn what_may_be_written_is_made_and_what_nobody_wrote_goes_again() {
        let (_folder, home) = home();
        let globs =
            ["out/a.sql", "target/**", "report.xml", "**/cache/**", "*.log", "deep/er/x?.txt"].map(str::to_owned);
        let writable = Writable::prepare(&home, &globs).expect("prepared");
        let expected = ["deep/er", "out", "report.xml", "target"].map(|name| home.join(name));
        assert_eq!(writable.paths, expected);
        writable.tidy();
        assert!(!home.join("report.xml").exists() && home.join("target").is_dir());
        fs::write(home.join("report.xml"), "mine").expect("written");
        Writable::prepare(&home, &globs).expect("prepared").tidy();
        assert!(home.join("report.xml").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_an_output_is_refused() {
        let (_folder, home) = home();
        let work = home.join("work");
        std::os::unix::fs::symlink(home.join(".ssh"), work.join("out")).expect("linked");
        std::os::unix::fs::symlink(home.join(".ssh/authorized_keys"), work.join("report.xml")).expect("linked");
        for glob in ["out/**", "out/x.sql", "out/deep/x", "report.xml"] {
            assert_eq!(Writable::prepare(&work, [&glob.to_owned()]).expect_err(glob).code, "leaves-project");
        }
    }
}
