//! `skills.toml`: what a repository wants.
//!
//! Written by people, edited by commands: reading is strict (an unknown key is a typing error, not
//! an extension), and every edit keeps the person's comments, order and spacing.
//!
//! ```toml
//! [skills]
//! "acme/pdf-fill" = "^1.2"
//! "acme/report"   = { version = "^2", as = "acme-report" }   # installed under another name
//! "local/house"   = { path = "./skills/house" }              # a folder, pinned by its digest
//!
//! [agents]
//! use  = ["claude-code", "codex"]     # without it: the agents found here
//! link = "symlink"                    # or "copy"
//!
//! [registries]
//! "skills.example" = "https://skills.example"
//!
//! [tools]
//! clients = ["claude-code", "codex"]  # without it: the clients found here
//! runtime-hook = false                # their hooks call `skill hook eval`
//!
//! [tools.rename]
//! pg = "pg2"                          # a server's name here; "acme/tools-pg:pg" for one bundle only
//!
//! [policy]                            # read by `policy.rs`
//! ```

use std::collections::BTreeMap;

use crate::clients::{Client, Renames};
use crate::policy::{EvidenceTrust, WorkspacePolicy};
use crate::project::toml_sentence;
use index::lock::LinkKind;
use serde::Deserialize;
use skills::evidence::Trust;
use skills::{PackageName, Refusal, Requirement, SkillName};
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// Largest `skills.toml` read, in bytes.
pub const WANTS_BYTES_MAX: usize = 1024 * 1024;

/// A parsed `skills.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// What is wanted, sorted by name.
    pub skills: BTreeMap<PackageName, Want>,
    /// The agents to place for; `None`: the ones found.
    pub agents: Option<Vec<String>>,
    /// How agents' own folders point to the canonical one.
    pub link: Option<LinkKind>,
    /// Registry URLs by registry name, in the order written; the first is the default.
    pub registries: Vec<(String, String)>,
    /// How tool bundles reach the clients here.
    pub tools: Tools,
    /// What may be installed and granted here.
    pub policy: WorkspacePolicy,
    /// Whether `skill stats share` may show counts to be shared: `[stats] share = true`.
    pub share_stats: bool,
}

/// `[tools]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tools {
    /// The clients to write for; `None`: the ones found.
    pub clients: Option<Vec<Client>>,
    /// Whether clients' hooks call `skill hook eval`.
    pub runtime_hook: bool,
    /// Other names of servers: `SERVER`, or `SCOPE/NAME:SERVER` for one bundle, and the name here.
    pub rename: BTreeMap<String, String>,
}

/// One line of `[skills]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Where from.
    pub origin: Origin,
    /// The folder to install into, where it is not the name's last part.
    pub alias: Option<SkillName>,
}

/// Where a wanted skill comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The registry of its namespace; which versions.
    Registry(Requirement),
    /// A folder, relative to `skills.toml`.
    Path(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantsToml {
    #[serde(default)]
    skills: toml::Table,
    #[serde(default)]
    agents: AgentsToml,
    #[serde(default)]
    registries: toml::Table,
    #[serde(default)]
    tools: ToolsToml,
    #[serde(default)]
    policy: WorkspacePolicy,
    #[serde(default)]
    stats: StatsToml,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatsToml {
    #[serde(default)]
    share: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ToolsToml {
    clients: Option<Vec<String>>,
    #[serde(default)]
    runtime_hook: bool,
    #[serde(default)]
    rename: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentsToml {
    r#use: Option<Vec<String>>,
    link: Option<LinkKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantToml {
    version: Option<String>,
    path: Option<String>,
    r#as: Option<SkillName>,
}

impl Wants {
    /// Parses the text of a `skills.toml`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let wire: WantsToml = toml::from_str(text)
            .map_err(|error: toml::de::Error| malformed(&toml_sentence(text, error.message(), error.span())))?;
        let mut wants = Self { agents: wire.agents.r#use, link: wire.agents.link, ..Self::default() };
        for (name, value) in wire.skills {
            let package = PackageName::parse(&name).map_err(|refusal| refusal.at("[skills]"))?;
            let want = parse_want(value).map_err(|refusal| refusal.at(format_args!("[skills] `{package}`")))?;
            if wants.skills.insert(package, want).is_some() {
                return Err(malformed(&format!("[skills] names `{name}` twice")));
            }
        }
        for (name, url) in wire.registries {
            let url =
                url.as_str().ok_or_else(|| malformed(&format!("[registries] `{name}` is not a URL in quotes")))?;
            wants.registries.push((name, url.to_owned()));
        }
        wants.tools = wire.tools.decode()?;
        wants.policy = wire.policy;
        wants.share_stats = wire.stats.share;
        Ok(wants)
    }

    /// How far whoever signs evidence has to be independent: `[policy] evidence.trust`.
    pub fn evidence_trust(&self) -> Trust {
        match self.policy.evidence.trust {
            Some(EvidenceTrust::Ci) => Trust::Ci,
            Some(EvidenceTrust::Local) | None => Trust::Local,
        }
    }

    /// The URL of a registry by its name.
    pub fn registry_url(&self, name: &str) -> Option<&str> {
        self.registries.iter().find(|(known, _)| known == name).map(|(_, url)| url.as_str())
    }
}

impl ToolsToml {
    fn decode(self) -> Result<Tools, Refusal> {
        let client = |name: String| Client::named(&name).map_err(|failure| malformed(&format!("[tools]: {failure}")));
        let clients = self.clients.map(|names| names.into_iter().map(client).collect::<Result<_, _>>()).transpose()?;
        let tools = Tools { clients, runtime_hook: self.runtime_hook, rename: self.rename };
        let pairs: Vec<String> = tools.pairs().map(|(_, server, new)| format!("{server}={new}")).collect();
        for pair in &pairs {
            Renames::parse(&[pair]).map_err(|failure| malformed(&format!("[tools.rename]: {failure}")))?;
        }
        let wrong = |(package, ..): (Option<&str>, &str, &str)| {
            package.filter(|name| PackageName::parse(name).is_err()).map(str::to_owned)
        };
        let wrong = tools.pairs().find_map(wrong);
        match wrong {
            Some(name) => Err(malformed(&format!("[tools.rename]: `{}` is not a package", name.escape_debug()))),
            None => Ok(tools),
        }
    }
}

impl Tools {
    /// Package, if one is named, server and new name.
    fn pairs(&self) -> impl Iterator<Item = (Option<&str>, &str, &str)> {
        self.rename.iter().map(|(key, new)| match key.rsplit_once(':') {
            Some((package, server)) => (Some(package), server, new.as_str()),
            None => (None, key.as_str(), new.as_str()),
        })
    }

    /// The other names that hold for one bundle: what names the bundle wins.
    pub fn renames(&self, package: &PackageName) -> Renames {
        let name = package.to_string();
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for (only, server, new) in self.pairs() {
            if only == Some(name.as_str()) || (only.is_none() && !named.contains_key(server)) {
                named.insert(server, new);
            }
        }
        let pairs: Vec<String> = named.iter().map(|(server, new)| format!("{server}={new}")).collect();
        Renames::parse(&pairs).expect("every pair was parsed when skills.toml was")
    }
}

fn parse_want(value: toml::Value) -> Result<Want, Refusal> {
    let wire = match value {
        toml::Value::String(version) => WantToml { version: Some(version), path: None, r#as: None },
        value => value.try_into().map_err(|error: toml::de::Error| malformed(error.message()))?,
    };
    let origin = match (wire.version, wire.path) {
        (Some(version), None) => Origin::Registry(Requirement::parse(&version)?),
        (None, Some(path)) => Origin::Path(path),
        _ => return Err(malformed("expected either `version` or `path`")),
    };
    Ok(Want { origin, alias: wire.r#as })
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("wants-malformed", why.to_owned())
}

/// Edits the text of a `skills.toml`, keeping everything that it does not touch.
pub struct WantsEdit(DocumentMut);

impl WantsEdit {
    /// Starts from the text as it is.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        text.parse()
            .map(Self)
            .map_err(|error: toml_edit::TomlError| malformed(&toml_sentence(text, error.message(), error.span())))
    }

    /// Adds a wanted skill, or changes it.
    pub fn want(&mut self, name: &PackageName, want: &Want) {
        let skills = self.table("skills");
        let key = name.to_string();
        // A name written with `@` is the same name: keep its line, drop nothing twice.
        skills.remove(&format!("@{key}"));
        let value = format_want(want);
        match skills.get_mut(&key).and_then(Item::as_value_mut) {
            Some(old) => {
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
            None => {
                skills.insert(&key, Item::Value(value));
            }
        }
    }

    /// Removes a wanted skill; says whether it was there.
    pub fn unwant(&mut self, name: &PackageName) -> bool {
        let skills = self.table("skills");
        skills.remove(&name.to_string()).or_else(|| skills.remove(&format!("@{name}"))).is_some()
    }

    /// Names a registry, unless it is named already.
    pub fn registry(&mut self, name: &str, url: &str) {
        // In a new file, what is wanted stands before where it comes from.
        self.table("skills");
        let registries = self.table("registries");
        if !registries.contains_key(name) {
            registries.insert(name, toml_edit::value(url));
        }
    }

    /// Sets the agents to place for.
    pub fn agents(&mut self, names: &[String]) {
        let array: toml_edit::Array = names.iter().map(String::as_str).collect();
        self.table("agents").insert("use", toml_edit::value(array));
    }

    /// Gives a server another name here: `SERVER`, or `SCOPE/NAME:SERVER` for one bundle only.
    pub fn rename(&mut self, server: &str, new: &str) {
        let tools = self.table("tools");
        tools.set_implicit(true);
        let rename = tools.entry("rename").or_insert_with(|| Item::Table(Table::new()));
        if let Some(rename) = rename.as_table_like_mut() {
            rename.insert(server, toml_edit::value(new));
        }
    }

    /// The text after all edits.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    fn table(&mut self, name: &str) -> &mut Table {
        if !self.0.contains_table(name) {
            self.0.insert(name, Item::Table(Table::new()));
        }
        self.0[name].as_table_mut().expect("it was inserted as a table, or parsed as one")
    }
}

fn format_want(want: &Want) -> Value {
    let (key, text) = match &want.origin {
        Origin::Registry(requirement) => ("version", requirement.to_string()),
        Origin::Path(path) => ("path", path.clone()),
    };
    if let (Origin::Registry(_), None) = (&want.origin, &want.alias) {
        return text.into();
    }
    let mut table = InlineTable::new();
    table.insert(key, text.into());
    if let Some(alias) = &want.alias {
        table.insert("as", alias.as_str().into());
    }
    table.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).expect("a name")
    }

    fn any(alias: Option<&str>) -> Want {
        Want {
            origin: Origin::Registry(Requirement::parse("^1.2").expect("a requirement")),
            alias: alias.map(|text| SkillName::parse(text).expect("a name")),
        }
    }

    fn refuses(text: &str) {
        assert_eq!(Wants::parse(text).expect_err(text).code, "wants-malformed", "{text}");
    }

    #[test]
    fn a_comment_and_an_order_survive_every_edit() {
        let text = "# ours\n[skills]\n# the best one\n\"b/b\" = \"^1\"   # pinned by ops\n\"a/a\" = \"2\"\n\n[agents]\nuse = [ \"codex\" ]\n";
        let mut edit = WantsEdit::new(text).expect("TOML");
        edit.want(&name("b/b"), &any(None));
        edit.want(&name("c/c"), &any(Some("see")));
        assert!(edit.unwant(&name("a/a")));
        assert_eq!(
            edit.text(),
            "# ours\n[skills]\n# the best one\n\"b/b\" = \"^1.2\"   # pinned by ops\n\"c/c\" = { version = \"^1.2\", as = \"see\" }\n\n[agents]\nuse = [ \"codex\" ]\n"
        );
        let wants = Wants::parse(&edit.text()).expect("wants");
        assert_eq!(wants.skills[&name("c/c")], any(Some("see")));
    }

    #[test]
    fn an_empty_file_wants_nothing_and_takes_an_edit() {
        assert_eq!(Wants::parse("").expect("wants"), Wants::default());
        let mut edit = WantsEdit::new("").expect("TOML");
        edit.want(&name("a/a"), &any(None));
        assert_eq!(edit.text(), "[skills]\n\"a/a\" = \"^1.2\"\n");
    }

    #[test]
    fn clients_and_other_names_are_read_and_written() {
        let mut edit = WantsEdit::new("[tools]\nclients = [\"codex\"] # one\n").expect("TOML");
        edit.rename("pg", "pg2");
        edit.rename("acme/tools-b:pg", "pg3");
        let wants = Wants::parse(&edit.text()).expect("wants");
        assert!(edit.text().contains("clients = [\"codex\"] # one\n"), "{}", edit.text());
        assert_eq!(wants.tools.clients, Some(vec![Client::Codex]));
        assert_eq!(wants.tools.renames(&name("acme/tools-a")).of("pg"), "pg2");
        assert_eq!(wants.tools.renames(&name("acme/tools-b")).of("pg"), "pg3");
        let mut edit = WantsEdit::new("").expect("TOML");
        edit.rename("pg", "pg2");
        assert_eq!(edit.text(), "[tools.rename]\npg = \"pg2\"\n");
    }

    #[test]
    fn typing_errors_are_refused() {
        refuses("[tools]\nclients = [\"claude\"]");
        refuses("[tools]\nclient = [\"codex\"]");
        refuses("[tools.rename]\npg = \"P G\"");
        refuses("[tools.rename]\n\"acme:pg\" = \"pg2\"");
        refuses("[policy]\ngrants = \"allow\"");
        refuses("[policy]\ngrant = \"deny\"");
        refuses("[skill]\n");
        refuses("[skills]\n\"a/a\" = { verson = \"1\" }");
        refuses("[skills]\n\"a/a\" = { version = \"1\", path = \".\" }");
        refuses("[skills]\n\"a/a\" = \"1\"\n\"@a/a\" = \"1\"");
        refuses("[agents]\nlink = \"hardlink\"");
        refuses("<<<<<<< HEAD\n[skills]\n");
    }
}
