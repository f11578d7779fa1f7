//! The manifest `skill.toml`, schema 1 (FORMATS §1).
//!
//! What `SKILL.md` says about a skill, the manifest may not say again: two places would be two
//! truths, and each reader would believe another one. Other kinds have no `SKILL.md` of their own and
//! say it here.

mod globs;
mod kind;
pub(crate) mod patterns;
pub(crate) mod secrets;
pub(crate) mod source;
mod wire;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use self::globs::Globs;
pub use self::kind::{Kind, check_dependency, kind_may_depend_on};
pub use self::secrets::looks_secret;
use self::source::{LIST_MAX, Source};
use self::wire::{SchemaProbe, Wire};
use crate::brief::Tables;
use crate::check::Check;
use crate::limits::MANIFEST_BYTES_MAX;
use crate::name::PackageName;
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::statement::Dependency;
use crate::tools::Bundle;
use crate::version::Version;

/// The file that a manifest is read from.
pub const SKILL_TOML: &str = "skill.toml";

/// The only schema there is.
const SCHEMA: i64 = 1;

/// Most keywords; more than ten are not words to find it by, but noise in everybody's search.
const KEYWORDS_MAX: usize = 10;

/// A manifest, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its kind.
    pub kind: Kind,
    /// What it is for; of a skill, `SKILL.md` says it.
    pub description: Option<String>,
    /// Its licence; of a skill, `SKILL.md` says it.
    pub license: Option<String>,
    /// Who answers for it.
    pub owners: Vec<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Where its source is kept.
    pub repository: Option<String>,
    /// Where people read about it.
    pub homepage: Option<String>,
    /// Globs of the only files to pack; empty means all.
    pub include: Vec<String>,
    /// Globs of files not to pack.
    pub exclude: Vec<String>,
    /// What it needs of the machine.
    pub requires: Requires,
    /// The packages that it needs, in the author's order.
    pub dependencies: Vec<Dependency>,
    /// `[evals] file`: where its evals are in the package.
    pub evals: Option<FilePath>,
    /// What only its kind says.
    pub kinded: Kinded,
    globs: Globs,
}

/// The tables of a manifest that belong to its kind, read strictly.
#[derive(Debug, Clone, PartialEq)]
pub enum Kinded {
    /// A skill says the rest in `SKILL.md`.
    Skill,
    /// The tables of a brief.
    Brief(Box<Tables>),
    /// The tables of a tool bundle.
    Tools(Box<Bundle>),
    /// The tables of a check.
    Check(Box<Check>),
}

/// Preconditions, reported by `skill doctor`, never called a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requires {
    /// Programs, with an optional version: `psql >=14`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bins: Vec<String>,
    /// Names of environment variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Operating systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<String>,
    /// Agents, with an optional version: `codex >=0.150`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
}

impl Kinded {
    /// The kind whose tables these are.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Skill => Kind::Skill,
            Self::Brief(_) => Kind::Brief,
            Self::Tools(_) => Kind::Tools,
            Self::Check(_) => Kind::Check,
        }
    }
}

impl Manifest {
    /// Parses `skill.toml`, the first broken rule being the refusal.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(Refusal::new(
                "manifest-too-large",
                format!("skill.toml has {} bytes, at most {MANIFEST_BYTES_MAX} are allowed", bytes.len()),
            ));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Refusal::new("manifest-malformed", "skill.toml is not UTF-8").hint("save it as UTF-8"))?;
        let source = Source(text);
        source.check_schema()?;
        let wire: Wire = source.read()?;
        source.check_tables(&wire)?;
        source.check_one_truth(&wire)?;
        source.check_dependencies(&wire)?;
        let kinded = match wire.package.kind {
            Kind::Skill => Kinded::Skill,
            Kind::Brief => Kinded::Brief(Box::new(Tables::parse(text)?)),
            Kind::Tools => Kinded::Tools(Box::new(Bundle::read(source)?)),
            Kind::Check => Kinded::Check(Box::new(Check::read(source)?)),
        };
        source.manifest(wire, kinded)
    }

    /// Whether a file of the folder goes into the archive.
    pub fn packs(&self, path: &FilePath) -> bool {
        packs_by_default(path) && self.globs.packs(path)
    }
}

/// Whether a file goes into the archive of a folder that has no manifest: not what version control,
/// operating systems and editors leave behind, and not `.skill/` at the top, which is ours.
pub fn packs_by_default(path: &FilePath) -> bool {
    globs::by_default(path)
}

impl Source<'_> {
    /// A newer schema is said to be newer, whatever else in it is unknown to us.
    fn check_schema(&self) -> Result<(), Refusal> {
        let probe: SchemaProbe = self.read()?;
        match probe.package.and_then(|package| package.schema) {
            Some(schema) if *schema.get_ref() != SCHEMA => {
                let message =
                    format!("schema {} is not one that this program reads, expected {SCHEMA}", schema.get_ref());
                Err(self.refuse("manifest-schema", &schema, message).hint("a newer `skill` may read it"))
            }
            _ => Ok(()),
        }
    }

    /// A table that belongs to another kind is a mistake of the kind or of the table: say which.
    fn check_tables(&self, wire: &Wire) -> Result<(), Refusal> {
        use Kind::{Brief, Check, Skill, Tools};
        let kind = wire.package.kind;
        let tables: [(&str, Option<usize>, &[Kind]); 8] = [
            ("boundary", start(wire.boundary.as_ref()), &[Brief, Tools]),
            ("param", start(wire.param.as_ref()), &[Brief, Check]),
            ("brief", start(wire.brief.as_ref()), &[Brief]),
            ("server", start(wire.server.as_ref()), &[Tools]),
            ("rule", start(wire.rule.as_ref()), &[Tools]),
            ("grant", start(wire.grant.as_ref()), &[Tools]),
            ("check", start(wire.check.as_ref()), &[Check]),
            ("evals", start(wire.evals.as_ref()), &[Skill, Brief]),
        ];
        for (table, at, kinds) in tables {
            if let (Some(at), false) = (at, kinds.contains(&kind)) {
                let owners: Vec<String> = kinds.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
                return Err(Refusal::new(
                    "manifest-foreign-table",
                    format!(
                        "skill.toml line {}: table `[{table}]` belongs to kind {}, this package is of kind `{}`",
                        self.line(at),
                        owners.join(" or "),
                        kind.as_str()
                    ),
                ));
            }
        }
        Ok(())
    }

    /// What `SKILL.md` owns is not said twice.
    fn check_one_truth(&self, wire: &Wire) -> Result<(), Refusal> {
        let package = &wire.package;
        let skill = package.kind == Kind::Skill;
        let repeated = [
            ("description", start(package.description.as_ref()).filter(|_| skill)),
            ("license", start(package.license.as_ref()).filter(|_| skill)),
            ("compatibility", start(package.compatibility.as_ref())),
            ("allowed-tools", start(package.allowed_tools.as_ref())),
        ];
        for (key, at) in repeated {
            if let Some(at) = at {
                return Err(Refusal::new(
                    "manifest-repeats",
                    format!("skill.toml line {}: `{key}` belongs in the front matter of SKILL.md", self.line(at)),
                )
                .hint("remove it from skill.toml; SKILL.md is where agents read it"));
            }
        }
        Ok(())
    }

    fn check_dependencies(&self, wire: &Wire) -> Result<(), Refusal> {
        let dependencies = &wire.dependencies.0;
        if dependencies.len() > LIST_MAX {
            let seen = dependencies.len();
            return Err(Refusal::new(
                "manifest-limit",
                format!("skill.toml has {seen} dependencies, at most {LIST_MAX} are allowed"),
            ));
        }
        if dependencies.iter().any(|dependency| dependency.name == wire.package.name) {
            return Err(Refusal::new(
                "manifest-self-dependency",
                format!("skill.toml: `{}` depends on itself", wire.package.name),
            ));
        }
        Ok(())
    }

    fn manifest(&self, wire: Wire, kinded: Kinded) -> Result<Manifest, Refusal> {
        let package = wire.package;
        let include = self.list("include", package.include, LIST_MAX)?;
        let exclude = self.list("exclude", package.exclude, LIST_MAX)?;
        let globs = Globs::new(&include, &exclude)
            .map_err(|error| Refusal::new("manifest-glob", format!("skill.toml: not a glob: {error}")))?;
        Ok(Manifest {
            name: package.name,
            version: package.version,
            kind: package.kind,
            description: package.description.map(Spanned::into_inner),
            license: package.license.map(|license| self.text("license", license)).transpose()?,
            owners: self.list("owners", package.owners, LIST_MAX)?,
            keywords: self.list("keywords", package.keywords, KEYWORDS_MAX)?,
            repository: package.repository.map(|url| self.url("repository", url)).transpose()?,
            homepage: package.homepage.map(|url| self.url("homepage", url)).transpose()?,
            include,
            exclude,
            requires: Requires {
                bins: self.list("bins", wire.requires.bins, LIST_MAX)?,
                env: self.env(wire.requires.env)?,
                os: self.list("os", wire.requires.os, LIST_MAX)?,
                agents: self.list("agents", wire.requires.agents, LIST_MAX)?,
            },
            dependencies: wire.dependencies.0,
            evals: wire.evals.map(|evals| evals.into_inner().file),
            kinded,
            globs,
        })
    }
}

fn start<T>(value: Option<&Spanned<T>>) -> Option<usize> {
    value.map(|value| value.span().start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"skill\"\n";

    fn parse(more: &str) -> Result<Manifest, Refusal> {
        Manifest::parse(format!("{HEAD}{more}").as_bytes())
    }

    fn refuses(more: &str, code: &str, words: &str) {
        let refusal = parse(more).expect_err(more);
        assert_eq!(refusal.code, code, "{more}: {refusal}");
        assert!(refusal.message.contains(words), "{more}: {refusal}");
    }

    #[test]
    fn the_smallest_manifest_has_four_keys() {
        let manifest = parse("").expect("a manifest");
        assert_eq!((manifest.name.to_string(), manifest.kind), ("acme/pdf".to_owned(), Kind::Skill));
        for key in ["schema", "name", "version", "kind"] {
            let without: String =
                HEAD.lines().filter(|line| !line.starts_with(key)).map(|l| format!("{l}\n")).collect();
            let refusal = Manifest::parse(without.as_bytes()).expect_err(key);
            assert!(refusal.message.contains(&format!("`{key}`")), "{refusal}");
        }
    }

    #[test]
    fn dependencies_keep_the_authors_order() {
        let manifest = parse("[dependencies]\n\"b/z\" = \"^1\"\n\"@a/y\" = \"*\"\n").expect("a manifest");
        let names: Vec<String> = manifest.dependencies.iter().map(|dependency| dependency.name.to_string()).collect();
        assert_eq!(names, ["b/z", "a/y"]);
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        refuses("keyword = []\n", "manifest-malformed", "skill.toml line 6: unknown field `keyword`");
        refuses("[requires]\nbin = []\n", "manifest-malformed", "line 7: unknown field `bin`");
        refuses("[evals]\nfile = \"e.json\"\nx = 1\n", "manifest-malformed", "line 8");
        refuses("[dependency]\n", "manifest-malformed", "line 6: unknown field `dependency`");
    }

    #[test]
    fn tables_of_third_parties_are_theirs() {
        assert!(parse("[x.acme]\nanything = { goes = true }\n").is_ok());
    }

    #[test]
    fn tables_of_another_kind_are_refused_naming_the_kind() {
        refuses(
            "[brief]\ntemplate = \"b.md\"\n",
            "manifest-foreign-table",
            "line 6: table `[brief]` belongs to kind `brief`",
        );
        refuses("[check]\nargv = []\n", "manifest-foreign-table", "kind `check`");
        refuses("[[rule]]\neffect = \"deny\"\n", "manifest-foreign-table", "kind `tools`");
        refuses("[param.x]\ntype = \"string\"\n", "manifest-foreign-table", "kind `brief` or `check`");
    }

    #[test]
    fn what_skill_md_says_is_not_said_again() {
        for key in ["description", "license", "compatibility", "allowed-tools"] {
            refuses(&format!("{key} = \"x\"\n"), "manifest-repeats", &format!("line 6: `{key}` belongs"));
        }
    }

    #[test]
    fn evals_name_a_lawful_file() {
        assert!(parse("[evals]\nfile = \"evals/evals.json\"\n").is_ok());
        refuses("[evals]\nfile = \"../x.json\"\n", "manifest-malformed", "leaves the folder");
    }

    #[test]
    fn lists_are_bounded() {
        let words = |n: usize| format!("keywords = [{}]\n", vec!["\"w\""; n].join(", "));
        assert!(parse(&words(10)).is_ok());
        refuses(&words(11), "manifest-limit", "line 6: `keywords` has 11 entries, at most 10");
        refuses("owners = [\"\"]\n", "manifest-limit", "`owners` is empty");
        let many: String = (0..65).map(|n| format!("\"a/d{n}\" = \"*\"\n")).collect();
        refuses(&format!("[dependencies]\n{many}"), "manifest-limit", "65 dependencies");
    }

    #[test]
    fn dependencies_are_names_and_requirements_each_once_and_not_itself() {
        refuses("[dependencies]\n\"acme/pdf\" = \"*\"\n", "manifest-self-dependency", "depends on itself");
        refuses("[dependencies]\n\"a/b\" = \"*\"\n\"@a/b\" = \"*\"\n", "manifest-malformed", "`a/b` appears twice");
        refuses("[dependencies]\n\"a/b\" = \"*\"\n\"a/b\" = \"*\"\n", "manifest-malformed", "duplicate key");
        refuses("[dependencies]\nab = \"*\"\n", "manifest-malformed", "`ab` is not a package name");
        refuses("[dependencies]\n\"a/b\" = \"one\"\n", "manifest-malformed", "line 7: `one` is not a requirement");
        refuses("[dependencies]\n\"a/b\" = { version = \"1\" }\n", "manifest-malformed", "line 7");
    }

    #[test]
    fn environment_variables_are_names_never_values() {
        assert!(parse("[requires]\nenv = [\"PG_URL\"]\n").is_ok());
        refuses("[requires]\nenv = [\"PG_URL=postgres://u:p@h\"]\n", "manifest-env", "line 7");
    }

    #[test]
    fn links_are_web_addresses() {
        assert!(parse("homepage = \"https://example.org\"\n").is_ok());
        refuses("homepage = \"javascript:alert(1)\"\n", "manifest-url", "line 6: `homepage` is not a web address");
    }

    #[test]
    fn a_newer_schema_is_called_newer() {
        let newer = HEAD.replace("schema = 1", "schema = 2\nnews = true");
        assert_eq!(Manifest::parse(newer.as_bytes()).expect_err("newer").code, "manifest-schema");
    }

    #[test]
    fn size_is_bounded() {
        let long = "#".repeat(MANIFEST_BYTES_MAX);
        assert_eq!(parse(&long).expect_err("long").code, "manifest-too-large");
    }

    fn packs(manifest: &Manifest, path: &str) -> bool {
        manifest.packs(&FilePath::parse(path).expect("lawful"))
    }

    #[test]
    fn include_and_exclude_choose_files() {
        let manifest = parse("include = [\"docs\", \"*.md\"]\nexclude = [\"docs/draft/\"]\n").expect("a manifest");
        for (path, expected) in [
            ("SKILL.md", true),
            ("skill.toml", true),
            ("docs/a/b.txt", true),
            ("README.md", true),
            ("other/README.md", false),
            ("docs/draft/a.md", false),
            ("scripts/x.sh", false),
        ] {
            assert_eq!(packs(&manifest, path), expected, "{path}");
        }
        refuses("exclude = [\"a[\"]\n", "manifest-glob", "not a glob");
    }

    #[test]
    fn what_tools_leave_behind_is_not_packed() {
        let manifest = parse("").expect("a manifest");
        for path in [".skill/state", "a/.DS_Store", "a~", "x/__pycache__/y.pyc", ".a.swp", "._SKILL.md", ".#lock"] {
            assert!(!packs(&manifest, path), "{path}");
        }
        for path in [".gitignore", "a/.skill/x", "skill.md~x", "scripts/run.sh", ".env.example"] {
            assert!(packs(&manifest, path), "{path}");
        }
    }
}
