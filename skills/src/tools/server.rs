//! Servers: what is started or called, pinned, and which of its tools are exposed.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::pin::{Pin, PinTable};
use super::runner;
use crate::manifest::secrets::looks_secret;
use crate::manifest::source::{LIST_MAX, Ordered, Source, is_env_name};
use crate::refusal::Refusal;

/// Longest id of a server and name of a tool; agents join both into one name of 64 characters.
const ID_CHARS_MAX: usize = 32;
const TOOL_CHARS_MAX: usize = 64;

/// Programs that run whatever text they are given: pinning an argument of theirs pins nothing.
const SHELLS: [&str; 11] = ["sh", "bash", "dash", "zsh", "fish", "ksh", "cmd", "powershell", "pwsh", "env", "sudo"];

/// What a tool does to the world, as its author declares and reviewers believe; later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something that can be changed back.
    Mutate,
    /// It takes away what cannot be brought back.
    Destructive,
}

impl Access {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Mutate => "mutate",
            Self::Destructive => "destructive",
        }
    }
}

/// A tool that the bundle exposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name on the server.
    pub name: String,
    /// What it does.
    pub access: Access,
    /// Whether each call is asked about, whatever the boundary says.
    pub ask: bool,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A program, spoken to over its standard streams.
    Stdio {
        /// The program's name, looked up by the agent.
        command: String,
        /// Its arguments; one of them names what is pinned.
        args: Vec<String>,
        /// Variables of the server, each with the user's variable that it is taken from.
        env: Vec<(String, String)>,
        /// What exactly is started.
        pin: Pin,
    },
    /// A remote address. What answers there cannot be pinned, and its "pin" says so.
    Http {
        /// The address.
        url: String,
        /// Headers, each with the user's variable that it is taken from.
        headers: Vec<(String, String)>,
    },
}

/// A server of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What the bundle calls it.
    pub id: String,
    /// How it is reached.
    pub launch: Launch,
    /// The tools that are exposed, in the author's order; all others are hidden.
    pub tools: Vec<Tool>,
}

impl Server {
    /// What is started, as the index shows it: `npm:pg-readonly-mcp@0.6.2`, `url:https://…`.
    pub fn pin(&self) -> String {
        match &self.launch {
            Launch::Stdio { pin, .. } => pin.to_string(),
            Launch::Http { url, .. } => format!("url:{url}"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerTable {
    transport: Transport,
    command: Option<Spanned<String>>,
    #[serde(default)]
    args: Vec<Spanned<String>>,
    #[serde(default)]
    env: Ordered<EnvRef>,
    url: Option<Spanned<String>>,
    #[serde(default)]
    headers: Ordered<EnvRef>,
    pin: Option<Spanned<PinTable>>,
    #[serde(default)]
    tools: Ordered<ToolTable>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Stdio,
    Http,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolTable {
    access: Access,
    approval: Option<ToolApproval>,
}

/// Only `ask`: anything else would widen what the boundary says, or hide a tool that is listed.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ToolApproval {
    Ask,
}

/// The only shape that an environment value can take: the name of the user's variable.
struct EnvRef(Spanned<String>);

impl<'de> Deserialize<'de> for EnvRef {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        struct Reference {
            from_env: Spanned<String>,
        }

        struct Shape;

        impl<'de> serde::de::Visitor<'de> for Shape {
            type Value = EnvRef;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`{ from-env = \"NAME\" }`")
            }

            // The value may be the secret itself, so the sentence does not repeat it.
            fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<EnvRef, E> {
                Err(E::custom(
                    "a literal value, expected `{ from-env = \"NAME\" }`: a package holds names, never secrets",
                ))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<EnvRef, A::Error> {
                let reference = Reference::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(EnvRef(reference.from_env))
            }
        }

        deserializer.deserialize_any(Shape)
    }
}

impl ServerTable {
    pub(super) fn server(self, source: Source<'_>, id: Spanned<String>) -> Result<Server, Refusal> {
        if !is_id(id.get_ref()) {
            let message =
                format!("the id of a server is lower-case letters, digits and dashes, at most {ID_CHARS_MAX}");
            return Err(source.refuse("tools-name", &id, message));
        }
        let (tools, launch) = match self.transport {
            Transport::Stdio => self.stdio(source, &id)?,
            Transport::Http => self.http(source, &id)?,
        };
        if tools.0.is_empty() {
            let message = format!("server `{}` exposes no tool: list them in `[server.{0}.tools]`", id.get_ref());
            return Err(source.refuse("tools-server", &id, message));
        }
        let tools = tools.0.into_iter().map(|(name, table)| tool(source, name, &table)).collect::<Result<_, _>>()?;
        Ok(Server { id: id.into_inner(), launch, tools })
    }

    fn stdio(self, source: Source<'_>, id: &Spanned<String>) -> Result<(Ordered<ToolTable>, Launch), Refusal> {
        let refuse = |message: &str| Err(source.refuse("tools-server", id, message));
        if self.url.is_some() || !self.headers.0.is_empty() {
            return refuse("a server of transport `stdio` has no `url` and no `headers`");
        }
        let Some(command) = self.command else { return refuse("a server of transport `stdio` has a `command`") };
        let Some(pin) = self.pin else {
            return Err(source
                .refuse("tools-pin", id, "a server has a `pin`: which package, which version, which digest")
                .hint("for example `pin = { registry = \"npm\", name = …, version = …, integrity = \"sha512-…\" }`"));
        };
        check_command(source, &command)?;
        check_args(source, &self.args)?;
        let at = Spanned::new(pin.span(), ());
        let args = source.list("args", self.args, LIST_MAX)?;
        let pin = pin.into_inner().pin(source, &at)?;
        if let Some(fault) = runner::fault(&pin, command.get_ref(), &args) {
            return Err(source.refuse("tools-pin", &at, fault));
        }
        let launch = Launch::Stdio { command: command.into_inner(), args, env: references(source, self.env)?, pin };
        Ok((self.tools, launch))
    }

    fn http(self, source: Source<'_>, id: &Spanned<String>) -> Result<(Ordered<ToolTable>, Launch), Refusal> {
        let refuse = |message: &str| Err(source.refuse("tools-server", id, message));
        if self.command.is_some() || !self.args.is_empty() || !self.env.0.is_empty() || self.pin.is_some() {
            return refuse(
                "a server of transport `http` has no `command`, `args`, `env` or `pin`: its address is all there is",
            );
        }
        let Some(url) = self.url else { return refuse("a server of transport `http` has a `url`") };
        let lawful = url.get_ref().strip_prefix("https://").is_some_and(|rest| {
            let plain = |c: char| c.is_ascii_graphic() && !"@?#${}\"'`\\<>".contains(c);
            !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(plain)
        });
        if !lawful {
            let message = "`url` is not a plain `https://host/path`, without user, query, fragment or variables";
            return Err(source.refuse("tools-server", &url, message));
        }
        if looks_secret(url.get_ref()) {
            return Err(secret(source, &url));
        }
        let launch = Launch::Http { url: source.text("url", url)?, headers: references(source, self.headers)? };
        Ok((self.tools, launch))
    }
}

/// A program by its name: a path is another file on each machine, and a shell starts anything.
fn check_command(source: Source<'_>, command: &Spanned<String>) -> Result<(), Refusal> {
    let name = command.get_ref();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
    if !is_name || name.starts_with(['.', '-']) {
        return Err(source.refuse(
            "tools-server",
            command,
            "`command` is not the name of a program, without path or arguments",
        ));
    }
    if SHELLS.contains(&name.trim_end_matches(".exe")) {
        return Err(source
            .refuse(
                "tools-server",
                command,
                "`command` is a program that starts any other, so a pin would mean nothing",
            )
            .hint("start the pinned package itself, for example with `npx`, `uvx` or `docker`"));
    }
    Ok(())
}

/// Arguments say the same on every machine: agents replace variables in them, which would be a second
/// road for values, past `env`.
fn check_args(source: Source<'_>, args: &[Spanned<String>]) -> Result<(), Refusal> {
    for arg in args {
        if looks_secret(arg.get_ref()) {
            return Err(secret(source, arg));
        }
        if ["$", "{env:", "{{", "`", "%{"].iter().any(|syntax| arg.get_ref().contains(syntax)) {
            return Err(source
                .refuse("tools-server", arg, "an argument holds a variable, which some agents would replace")
                .hint("hand values to the server with `env = { NAME = { from-env = \"NAME\" } }`"));
        }
        if arg.get_ref().ends_with("@latest") || arg.get_ref().ends_with(":latest") {
            return Err(source.refuse(
                "tools-pin",
                arg,
                "an argument asks for `latest`, which is another thing every day",
            ));
        }
    }
    Ok(())
}

fn secret<T>(source: Source<'_>, at: &Spanned<T>) -> Refusal {
    source
        .refuse("tools-secret", at, "this has the form of a secret, and a published version is never taken back")
        .hint("name a variable with `{ from-env = \"NAME\" }`, and replace the secret wherever it is used")
}

fn references(source: Source<'_>, entries: Ordered<EnvRef>) -> Result<Vec<(String, String)>, Refusal> {
    let mut references = Vec::new();
    for (name, EnvRef(from)) in entries.0 {
        let header = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.get_ref().is_empty() || !name.get_ref().chars().all(header) || looks_secret(name.get_ref()) {
            return Err(source.refuse("tools-env", &name, "this is not the name of a variable or header"));
        }
        if !is_env_name(from.get_ref()) || looks_secret(from.get_ref()) {
            return Err(source.refuse("tools-env", &from, "`from-env` is not the name of an environment variable"));
        }
        references.push((name.into_inner(), from.into_inner()));
    }
    Ok(references)
}

/// Whether a server may be called this. Names become parts of agents' own syntax (`mcp__pg__query`,
/// `pg_*`): no wildcard, no separator.
pub fn is_id(id: &str) -> bool {
    let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    id.len() <= ID_CHARS_MAX && id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(lawful)
}

fn tool(source: Source<'_>, name: Spanned<String>, table: &ToolTable) -> Result<Tool, Refusal> {
    let text = name.get_ref();
    let lawful = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if text.is_empty() || text.len() > TOOL_CHARS_MAX || !text.chars().all(lawful) {
        let message = format!("the name of a tool is letters, digits, `_`, `-` and `.`, at most {TOOL_CHARS_MAX}");
        return Err(source.refuse("tools-name", &name, message));
    }
    let ask = matches!(table.approval, Some(ToolApproval::Ask));
    Ok(Tool { name: name.into_inner(), access: table.access, ask })
}
