//! A draft: servers as they were found, and everything else left to the author.

use std::fmt::Write as _;

use skills::manifest::Manifest;
use skills::tools::server::is_id;
use skills::{PackageName, Refusal};

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) description: Option<String>,
    pub(super) servers: Vec<Server>,
}

/// A server that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) launch: Launch,
    /// Its tools, where the source lists them.
    pub(super) tools: Vec<String>,
}

/// How it is started or reached; pairs are its own names of variables, and the user's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Launch {
    Stdio { command: String, args: Vec<String>, env: Vec<(String, String)>, pin: Pin },
    Http { url: String, headers: Vec<(String, String)> },
}

/// A pin as far as the source knows it: which digest, only a registry of packages can say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pin {
    Npm { name: String, version: String },
    Pypi { name: String, version: String },
    Oci { name: String, digest: String },
    Mcpb { url: Option<String>, sha256: Option<String> },
}

/// What stands where something is left open: for the author, or for the trial.
struct Blanks {
    task_class: &'static str,
    word: &'static str,
    owner: &'static str,
    integrity: String,
    hex: String,
    url: &'static str,
    tool: &'static str,
}

impl Blanks {
    fn open() -> Self {
        let todo = || String::from("TODO");
        Self {
            task_class: "TODO",
            word: "TODO",
            owner: "team:TODO",
            integrity: todo(),
            hex: todo(),
            url: "TODO",
            tool: "# TODO: list the tools that are exposed, for example\n# query = { access = \"read\" }\n",
        }
    }

    fn filled() -> Self {
        Self {
            task_class: "draft",
            word: "draft",
            owner: "team:draft",
            integrity: format!("sha512-{}==", "A".repeat(86)),
            hex: "0".repeat(64),
            url: "https://example.invalid/draft.mcpb",
            tool: "draft = { access = \"mutate\" }\n",
        }
    }
}

impl Draft {
    /// Whether it would be a lawful bundle, once every blank is filled in. What is refused is not repeated.
    pub(super) fn check(&self, package: &PackageName) -> Result<(), Refusal> {
        if let Some(bad) = self.servers.iter().find(|server| !is_id(&server.id)) {
            let seen =
                format!("the id of a server has {} characters, or others than letters, digits, dashes", bad.id.len());
            return Err(Refusal::new("tools-name", seen));
        }
        let text = self.with(package, &Blanks::filled());
        Manifest::parse(text.as_bytes()).map(drop)
    }

    /// The manifest, with its blanks.
    pub(super) fn text(&self, package: &PackageName) -> String {
        self.with(package, &Blanks::open())
    }

    fn with(&self, package: &PackageName, blanks: &Blanks) -> String {
        let description = self.description.as_deref().unwrap_or("TODO: what it is for, in one sentence");
        let mut text = format!(
            "# A draft. Every tool counts as one that changes something: say `read` where it only looks, and\n\
             # `destructive` where nothing brings back what it takes away. `skill lint` names what is open.\n\
             [package]\nschema = 1\nname = {}\nversion = \"0.1.0\"\nkind = \"tools\"\ndescription = {}\n\
             license = \"Apache-2.0\"\nowners = [{}]\n\n\
             [boundary]\ntask-class = [{}]\nenvironment = [{}]\ndata-class = \"public\"\napproval = \"ask-on-mutate\"\n",
            quoted(&package.to_string()),
            quoted(description),
            quoted(blanks.owner),
            quoted(blanks.task_class),
            quoted(blanks.word),
        );
        for server in &self.servers {
            server.write(&mut text, blanks);
        }
        text
    }
}

impl Server {
    fn write(&self, text: &mut String, blanks: &Blanks) {
        let _ = writeln!(text, "\n[server.{}]", self.id);
        match &self.launch {
            Launch::Stdio { command, args, env, pin } => {
                let open = |arg: &String| quoted(if arg == "TODO" { blanks.url } else { arg });
                let args: Vec<String> = args.iter().map(open).collect();
                let _ = writeln!(text, "transport = \"stdio\"\ncommand = {}", quoted(command));
                let _ = writeln!(text, "args = [{}]\npin = {}", args.join(", "), pin.text(blanks));
                write_pairs(text, "env", env);
            }
            Launch::Http { url, headers } => {
                let _ = writeln!(text, "transport = \"http\"\nurl = {}", quoted(url));
                write_pairs(text, "headers", headers);
            }
        }
        let _ = writeln!(text, "\n[server.{}.tools]", self.id);
        for tool in &self.tools {
            let _ = writeln!(text, "{} = {{ access = \"mutate\" }}", quoted(tool));
        }
        if self.tools.is_empty() {
            text.push_str(blanks.tool);
        }
    }
}

fn write_pairs(text: &mut String, key: &str, pairs: &[(String, String)]) {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, from)| format!("{} = {{ from-env = {} }}", quoted(name), quoted(from))).collect();
    if !pairs.is_empty() {
        let _ = writeln!(text, "{key} = {{ {} }}", pairs.join(", "));
    }
}

impl Pin {
    fn text(&self, blanks: &Blanks) -> String {
        let or = |value: &Option<String>, blank: &str| quoted(value.as_deref().unwrap_or(blank));
        match self {
            Self::Npm { name, version } => format!(
                "{{ registry = \"npm\", name = {}, version = {}, integrity = {} }}",
                quoted(name),
                quoted(version),
                quoted(&blanks.integrity)
            ),
            Self::Pypi { name, version } => format!(
                "{{ registry = \"pypi\", name = {}, version = {}, sha256 = {} }}",
                quoted(name),
                quoted(version),
                quoted(&blanks.hex)
            ),
            Self::Oci { name, digest } => {
                format!("{{ registry = \"oci\", name = {}, digest = {} }}", quoted(name), quoted(digest))
            }
            Self::Mcpb { url, sha256 } => format!(
                "{{ registry = \"mcpb\", url = {}, file-sha256 = {} }}",
                or(url, blanks.url),
                or(sha256, &blanks.hex)
            ),
        }
    }
}

/// A string of TOML, on one line: what JSON escapes, TOML reads, but for one character that JSON lets be.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
