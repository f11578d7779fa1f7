//! What may be published: a tree whose manifest, front matter and files agree.
//!
//! [`Package::from_tree`] is the one decision that `lint`, `publish` and the registry share. It
//! refuses exactly what `lint` calls an error, and a name or version that is missing or said twice
//! differently. What a package can *do* is computed here from its files, because what is declared
//! is only what somebody wishes to be believed.

use serde::{Deserialize, Serialize};

use crate::check::Network;
use crate::frontmatter::{self, FrontMatter};
use crate::lint::{Finding, Level, SKILL_MD, files::has_shebang, lint};
use crate::manifest::{Kind, Kinded, Manifest, Requires, SKILL_TOML};
use crate::name::PackageName;
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::statement::Dependency;
use crate::tools::Bundle;
use crate::tree::{File, Mode, Tree};
use crate::version::Version;

/// File name endings of scripts that an agent would start through their interpreter.
const SCRIPT_ENDINGS: [&str; 14] =
    [".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl"];

/// What a package can do, computed from its files, never declared (FORMATS §2, `caps`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Whether any file may be executed.
    pub exec: bool,
    /// How many of its files are scripts: an exec bit, a shebang or a script's ending.
    pub scripts: u32,
    /// The servers that a tool bundle has agents start.
    pub servers: Vec<Server>,
    /// Whether a tool of it changes something.
    pub mutates: bool,
    /// What it reaches: `any` with servers, what a check says of itself, `none` otherwise.
    pub network: String,
    /// How many permissions it grants.
    pub grants: u32,
    /// Whether `SKILL.md` has `allowed-tools`, which grants them.
    pub allowed_tools: bool,
}

/// A server of a tool bundle, by its pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its name in the bundle.
    pub id: String,
    /// What exactly is started: `npm:pg-readonly-mcp@0.6.2`.
    pub pin: String,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            exec: false,
            scripts: 0,
            servers: Vec::new(),
            mutates: false,
            network: "none".to_owned(),
            grants: 0,
            allowed_tools: false,
        }
    }
}

impl Capabilities {
    /// What a package of these files and tables can do.
    pub fn of(tree: &Tree, kinded: &Kinded) -> Self {
        let scripts = tree.files().iter().filter(|file| is_script(file)).count();
        let caps = Self {
            exec: tree.files().iter().any(|file| file.mode == Mode::Executable),
            scripts: u32::try_from(scripts).expect("a tree has a few thousand files at most"),
            allowed_tools: allows_tools(tree),
            ..Self::default()
        };
        match kinded {
            Kinded::Skill | Kinded::Brief(_) => caps,
            Kinded::Tools(bundle) => caps.with_bundle(bundle),
            Kinded::Check(check) => Self { network: check.network.as_str().to_owned(), ..caps },
        }
    }

    fn with_bundle(self, bundle: &Bundle) -> Self {
        let servers: Vec<Server> =
            bundle.servers.iter().map(|server| Server { id: server.id.clone(), pin: server.pin() }).collect();
        // Nothing that we write bounds what a server reaches, so it may reach anything.
        let network = if servers.is_empty() { Network::None } else { Network::Any };
        Self {
            servers,
            mutates: bundle.mutates(),
            network: network.as_str().to_owned(),
            grants: u32::try_from(bundle.grants.len()).expect("a bundle has a few dozen grants at most"),
            ..self
        }
    }
}

/// `allowed-tools` in a `SKILL.md` grants, whatever the kind of the package.
fn allows_tools(tree: &Tree) -> bool {
    let skill_md = tree.file(SKILL_MD).and_then(|file| frontmatter::read(&file.bytes).ok());
    skill_md.is_some_and(|skill_md| skill_md.front.allowed_tools.is_some())
}

fn is_script(file: &File) -> bool {
    let path = file.path.as_str().to_ascii_lowercase();
    file.mode == Mode::Executable
        || has_shebang(&file.bytes)
        || SCRIPT_ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// A package that may be published.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// Its full name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its kind.
    pub kind: Kind,
    /// When an agent should reach for it.
    pub description: String,
    /// Its licence.
    pub license: Option<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// What it needs.
    pub dependencies: Vec<Dependency>,
    /// What it needs of the machine.
    pub requires: Requires,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Where its evals are.
    pub evals: Option<FilePath>,
    /// What only its kind says.
    pub kinded: Kinded,
    /// Its files.
    pub tree: Tree,
}

impl Package {
    /// Decides whether a tree may be published. Name and version come from `skill.toml`, or are
    /// given; given and in the manifest, they must agree. The version of a folder without a manifest
    /// may also stand in `SKILL.md` as `metadata.version`.
    pub fn from_tree(tree: Tree, name: Option<&PackageName>, version: Option<&Version>) -> Result<Self, Refusal> {
        let manifest = manifest(&tree)?;
        let name = agreed("name", name, manifest.as_ref().map(|manifest| &manifest.name))?
            .ok_or_else(|| missing("package-name-missing", "name", "--name SCOPE/NAME"))?
            .clone();
        refuse_errors(lint(&tree, Some(name.name().as_str())))?;
        let front = tree.file(SKILL_MD).map(|file| frontmatter::read(&file.bytes)).transpose()?.map(|read| read.front);
        let front = front.unwrap_or_default();
        let own_version = front.metadata.get("version").and_then(|text| Version::parse(text).ok());
        let version = agreed("version", version, manifest.as_ref().map(|manifest| &manifest.version))?
            .or(own_version.as_ref())
            .ok_or_else(|| missing("package-version-missing", "version", "--version 1.0.0"))?
            .clone();
        let said = Said::by(manifest, front);
        Ok(Self {
            name,
            version,
            kind: said.kinded.kind(),
            description: said.description.expect("lint found no error, so there is a description").trim().to_owned(),
            license: said.license,
            keywords: said.keywords,
            dependencies: said.dependencies,
            requires: said.requires,
            capabilities: Capabilities::of(&tree, &said.kinded),
            evals: said.evals,
            kinded: said.kinded,
            tree,
        })
    }
}

/// What the author says, wherever it is said: of a skill in `SKILL.md`, of other kinds in the manifest.
struct Said {
    description: Option<String>,
    license: Option<String>,
    keywords: Vec<String>,
    dependencies: Vec<Dependency>,
    requires: Requires,
    evals: Option<FilePath>,
    kinded: Kinded,
}

impl Said {
    fn by(manifest: Option<Manifest>, front: FrontMatter) -> Self {
        let (description, license) = (front.description, front.license);
        let Some(manifest) = manifest else {
            let (requires, kinded) = (Requires::default(), Kinded::Skill);
            let (keywords, dependencies) = (Vec::new(), Vec::new());
            return Self { description, license, keywords, dependencies, requires, evals: None, kinded };
        };
        let Manifest { keywords, dependencies, requires, evals, kinded, .. } = manifest;
        let (description, license) = match kinded {
            Kinded::Skill => (description, license),
            _ => (manifest.description, manifest.license),
        };
        Self { description, license, keywords, dependencies, requires, evals, kinded }
    }
}

fn manifest(tree: &Tree) -> Result<Option<Manifest>, Refusal> {
    tree.file(SKILL_TOML).map(|file| Manifest::parse(&file.bytes)).transpose()
}

/// The one that is said, or the one that both say.
fn agreed<'a, T: PartialEq + std::fmt::Display>(
    what: &str,
    given: Option<&'a T>,
    manifest: Option<&'a T>,
) -> Result<Option<&'a T>, Refusal> {
    match (given, manifest) {
        (Some(given), Some(manifest)) if given != manifest => Err(Refusal::new(
            "package-disagrees",
            format!("the {what} given is `{given}`, skill.toml says `{manifest}`"),
        )
        .hint(format!("leave the {what} out, or change skill.toml"))),
        (given, manifest) => Ok(manifest.or(given)),
    }
}

fn missing(code: &'static str, what: &str, flag: &str) -> Refusal {
    Refusal::new(code, format!("the package has no {what}: there is no skill.toml and none was given"))
        .hint(format!("give it with `{flag}`, or write a skill.toml"))
}

/// The first error is the refusal; the others are counted.
fn refuse_errors(findings: Vec<Finding>) -> Result<(), Refusal> {
    let mut errors = findings.into_iter().filter(|finding| finding.level == Level::Error);
    let Some(first) = errors.next() else { return Ok(()) };
    let place = first.line.map_or_else(|| first.file.clone(), |line| format!("{} line {line}", first.file));
    let others = match errors.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let message = format!("{place}: {} [{}]{others}", first.message, first.code);
    let hint = if first.fixable { Some("`skill lint --fix` mends it".to_owned()) } else { first.hint };
    Err(Refusal { code: "package-lint", message, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKILL: &str = "---\nname: pdf\ndescription: Fill forms.\nlicense: MIT\n---\nDo it.\n";
    const MANIFEST: &str =
        "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"skill\"\nkeywords = [\"forms\"]\n";

    fn file(path: &str, mode: Mode, text: &str) -> File {
        File { path: FilePath::parse(path).expect("lawful"), mode, bytes: text.into() }
    }

    fn package(files: &[(&str, &str)], name: Option<&str>, version: Option<&str>) -> Result<Package, Refusal> {
        let files = files.iter().map(|(path, text)| file(path, Mode::Regular, text)).collect();
        let name = name.map(|name| PackageName::parse(name).expect("a name"));
        let version = version.map(|version| Version::parse(version).expect("a version"));
        Package::from_tree(Tree::new(files).expect("lawful"), name.as_ref(), version.as_ref())
    }

    fn refuses(files: &[(&str, &str)], name: Option<&str>, version: Option<&str>, code: &str) {
        assert_eq!(package(files, name, version).expect_err(code).code, code);
    }

    #[test]
    fn a_package_says_what_its_files_say() {
        let package = package(&[("SKILL.md", SKILL), ("skill.toml", MANIFEST)], None, None).expect("a package");
        assert_eq!((package.name.to_string(), package.version.to_string()), ("acme/pdf".into(), "1.0.0".into()));
        assert_eq!((package.description.as_str(), package.license.as_deref()), ("Fill forms.", Some("MIT")));
        assert_eq!(package.keywords, ["forms"]);
    }

    #[test]
    fn a_folder_with_only_a_skill_md_is_a_package_once_it_is_named() {
        let skill = [("SKILL.md", SKILL)];
        assert!(package(&skill, Some("acme/pdf"), Some("1.0.0")).is_ok());
        refuses(&skill, None, Some("1.0.0"), "package-name-missing");
        refuses(&skill, Some("acme/pdf"), None, "package-version-missing");
        let with_version = SKILL.replace("license: MIT", "metadata:\n  version: 2.1.0");
        let package = package(&[("SKILL.md", &with_version)], Some("acme/pdf"), None).expect("a package");
        assert_eq!(package.version.to_string(), "2.1.0");
    }

    #[test]
    fn what_is_given_and_what_the_manifest_says_agree() {
        let files = [("SKILL.md", SKILL), ("skill.toml", MANIFEST)];
        assert!(package(&files, Some("acme/pdf"), Some("1.0.0")).is_ok());
        refuses(&files, Some("evil/pdf"), None, "package-disagrees");
        refuses(&files, None, Some("1.0.1"), "package-disagrees");
    }

    #[test]
    fn an_error_of_lint_is_a_refusal() {
        refuses(&[("SKILL.md", SKILL)], Some("acme/other"), Some("1.0.0"), "package-lint");
        refuses(&[("README.md", "")], Some("acme/pdf"), Some("1.0.0"), "package-lint");
    }

    const TOOLS: &str = "description = \"Guards.\"\nlicense = \"MIT\"\n[boundary]\ntask-class = [\"any\"]\n\
                         environment = [\"dev\"]\ndata-class = \"public\"\napproval = \"plan-first\"\n\
                         [[rule]]\neffect = \"deny\"\ncommand = [\"dropdb\"]\n";

    fn of_kind(kind: &str, tables: &str) -> Tree {
        let manifest = MANIFEST.replace("\"skill\"", &format!("\"{kind}\""));
        Tree::new(vec![file("skill.toml", Mode::Regular, &format!("{manifest}{tables}"))]).expect("lawful")
    }

    #[test]
    fn other_kinds_are_packages_by_what_their_manifest_says() {
        let package = Package::from_tree(of_kind("tools", TOOLS), None, None).expect("a package");
        assert_eq!((package.kind, package.description.as_str()), (Kind::Tools, "Guards."));
        assert_eq!((package.license.as_deref(), package.capabilities), (Some("MIT"), Capabilities::default()));
    }

    #[test]
    fn other_kinds_obey_the_same_rules() {
        let nameless = of_kind("tools", &TOOLS.replace("description = \"Guards.\"\n", ""));
        assert_eq!(Package::from_tree(nameless, None, None).expect_err("S044").code, "package-lint");
        let allows = of_kind("tools", &TOOLS.replace("\"deny\"", "\"allow\""));
        assert_eq!(Package::from_tree(allows, None, None).expect_err("allow").code, "tools-effect");
    }

    #[test]
    fn a_check_shows_what_it_reaches() {
        let tables = "[check]\nargv = [\"true\"]\ninputs = [\"**\"]\nnetwork = \"any\"\n";
        let tree = of_kind("check", tables);
        let manifest = manifest(&tree).expect("lawful").expect("there is one");
        assert_eq!(Capabilities::of(&tree, &manifest.kinded).network, "any");
    }

    #[test]
    fn capabilities_are_computed_from_the_files() {
        let with_tools = SKILL.replace("license: MIT", "allowed-tools: Bash(git *)");
        let files = vec![
            file("SKILL.md", Mode::Regular, &with_tools),
            file("run", Mode::Executable, "x"),
            file("a.py", Mode::Regular, "x"),
            file("b", Mode::Regular, "#!/bin/sh\n"),
            file("c.rs", Mode::Regular, "#![allow(x)]\n"),
        ];
        let name = PackageName::parse("acme/pdf").expect("a name");
        let version = Version::parse("1.0.0").expect("a version");
        let package = Package::from_tree(Tree::new(files).expect("lawful"), Some(&name), Some(&version)).expect("good");
        let caps = package.capabilities;
        assert_eq!((caps.exec, caps.scripts, caps.allowed_tools), (true, 3, true));
        assert_eq!(
            serde_json::to_string(&Capabilities::default()).expect("JSON"),
            r#"{"exec":false,"scripts":0,"servers":[],"mutates":false,"network":"none","grants":0,"allowed_tools":false}"#
        );
    }
}
