//! A tool bundle: which tools an agent gets for a task, and what stays denied (FORMATS §4).
//!
//! A bundle only narrows. It names servers that are pinned to exact bytes, exposes the tools it lists
//! and no other, and denies or asks; what it wishes to be allowed is a *grant*, which is written
//! nowhere before a human approves it. Secrets have no place in it: an environment value can only be
//! the name of a variable on the user's machine.
//!
//! Whether a tool reads or changes things is declared by the author, reviewed, and signed with the
//! rest; never asked of the server at run time, which would be asking the wolf.
//!
//! What a rule becomes in each agent's configuration, and how much of it that agent can enforce, is
//! the business of the `cli`.

mod grant;
pub mod pin;
pub mod rule;
mod runner;
pub mod server;
pub mod unwrap;
pub mod words;

use serde::Deserialize;
use toml::Spanned;

pub use self::grant::{Grant, Granted};
pub use self::pin::Pin;
pub use self::rule::{Effect, Rule, Subject};
pub use self::server::{Access, Launch, Server, Tool};
use crate::boundary::{Clearance, ClearanceTable};
use crate::manifest::source::{LIST_MAX, Ordered, Source};
use crate::refusal::Refusal;

/// Most characters of a reason: one sentence, shown beside what it explains.
const REASON_CHARS_MAX: usize = 256;

/// A tool bundle, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// What it may be used for, at most.
    pub boundary: Clearance,
    /// The servers, in the author's order.
    pub servers: Vec<Server>,
    /// What is denied or asked, in the author's order; of several that fit, the strictest holds.
    pub rules: Vec<Rule>,
    /// What it wishes to be allowed, once a human has approved it.
    pub grants: Vec<Grant>,
}

/// The tables of the kind; whatever else stands in the manifest has been judged before.
#[derive(Deserialize)]
struct Wire {
    boundary: Option<ClearanceTable>,
    #[serde(default)]
    server: Ordered<server::ServerTable>,
    #[serde(default)]
    rule: Vec<Spanned<rule::RuleTable>>,
    #[serde(default)]
    grant: Vec<Spanned<grant::GrantTable>>,
}

impl Bundle {
    /// Reads the tables of a bundle; runs the tests that its rules bring along.
    pub(crate) fn read(source: Source<'_>) -> Result<Self, Refusal> {
        let wire: Wire = source.read()?;
        let boundary = wire.boundary.ok_or_else(no_boundary)?.clearance(source)?;
        for (table, entries) in [("rule", wire.rule.len()), ("grant", wire.grant.len())] {
            if entries > LIST_MAX {
                let message = format!("skill.toml has {entries} entries of `[[{table}]]`, at most {LIST_MAX}");
                return Err(Refusal::new("manifest-limit", message));
            }
        }
        let servers =
            wire.server.0.into_iter().map(|(id, table)| table.server(source, id)).collect::<Result<_, _>>()?;
        let rules = wire.rule.into_iter().map(|table| rule::rule(source, table)).collect::<Result<_, _>>()?;
        let mut bundle = Self { boundary, servers, rules, grants: Vec::new() };
        for table in wire.grant {
            let grant = grant::grant(source, table, &bundle)?;
            bundle.grants.push(grant);
        }
        if bundle.servers.is_empty() && bundle.rules.is_empty() {
            return Err(Refusal::new("tools-empty", "skill.toml: the bundle has no server and no rule")
                .hint("a bundle exposes tools with `[server.X]`, or narrows with `[[rule]]`"));
        }
        Ok(bundle)
    }

    /// A tool by its server's id and its own name.
    pub fn tool(&self, server: &str, tool: &str) -> Option<&Tool> {
        self.servers.iter().find(|known| known.id == server)?.tools.iter().find(|known| known.name == tool)
    }

    /// Whether any tool that it exposes changes something.
    pub fn mutates(&self) -> bool {
        self.servers.iter().flat_map(|server| &server.tools).any(|tool| tool.access > Access::Read)
    }

    /// What the rules say about a command line: the strictest of those that fit. This is the matcher
    /// that judges `match` and `not-match`, and it is no more than that: a shell can hide a command
    /// from any matcher.
    pub fn judge_command(&self, argv: &[String]) -> Option<(Effect, &Rule)> {
        let fits = self.rules.iter().filter(|rule| rule.fits_command(argv));
        fits.max_by_key(|rule| rule.effect).map(|rule| (rule.effect, rule))
    }
}

fn no_boundary() -> Refusal {
    Refusal::new("boundary-missing", "skill.toml: a package of kind `tools` needs a table `[boundary]`")
        .hint("it says `task-class`, `environment`, `data-class` and `approval`")
}

/// Why something is asked for or denied: one line, where it is given.
fn reason(source: Source<'_>, reason: Option<Spanned<String>>) -> Result<Option<String>, Refusal> {
    let Some(reason) = reason else { return Ok(None) };
    if reason.get_ref().chars().count() > REASON_CHARS_MAX {
        let message = format!("a reason has more than {REASON_CHARS_MAX} characters");
        return Err(source.refuse("manifest-limit", &reason, message));
    }
    source.text("reason", reason).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDARY: &str = "[boundary]\ntask-class = [\"diagnose\"]\nenvironment = [\"dev\"]\n\
                            data-class = \"internal\"\napproval = \"ask-on-mutate\"\n";
    const SERVER: &str = "[server.pg]\ntransport = \"stdio\"\ncommand = \"npx\"\nargs = [\"-y\", \"pg-mcp@0.6.2\"]\n\
                          env = { PG_URL = { from-env = \"PG_URL\" } }\n\
                          pin = { registry = \"npm\", name = \"pg-mcp\", version = \"0.6.2\", integrity = \"INTEGRITY\" }\n\
                          [server.pg.tools]\nquery = { access = \"read\" }\ncancel = { access = \"mutate\", approval = \"ask\" }\n\
                          kill = { access = \"destructive\" }\nnote = { access = \"mutate\" }\n";
    const RULES: &str = "[[rule]]\neffect = \"ask\"\ncommand = [\"psql\"]\nmatch = [\"psql -c 'select 1'\"]\n\
                         [[rule]]\neffect = \"deny\"\ncommand = [\"psql\", \"--file\"]\nnot-match = [\"psql\"]\n\
                         [[rule]]\neffect = \"deny\"\nread = [\".pgpass\"]\n";

    fn server() -> String {
        SERVER.replace("INTEGRITY", &format!("sha512-{}==", "A".repeat(86)))
    }

    fn bundle(text: &str) -> Result<Bundle, Refusal> {
        Bundle::read(Source(text))
    }

    fn whole() -> String {
        format!("{BOUNDARY}{}{RULES}", server())
    }

    /// The whole bundle, with one thing in it changed.
    fn refuses(from: &str, to: &str, code: &str, words: &str) -> Refusal {
        let text = whole();
        assert!(text.contains(from), "{from}");
        let refusal = bundle(&text.replacen(from, to, 1)).expect_err(to);
        assert_eq!(refusal.code, code, "{to}: {refusal}");
        assert!(refusal.message.contains(words), "{to}: {refusal}");
        refusal
    }

    fn grants(tool: &str) -> Result<Bundle, Refusal> {
        bundle(&format!("{}[[grant]]\n{tool}\nreason = \"why\"\n", whole()))
    }

    #[test]
    fn a_bundle_is_read_in_the_authors_order() {
        let bundle = bundle(&whole()).expect("a bundle");
        let tools: Vec<&str> = bundle.servers[0].tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(tools, ["query", "cancel", "kill", "note"]);
        assert_eq!(bundle.servers[0].pin().to_string(), "npm:pg-mcp@0.6.2");
        assert_eq!(bundle.tool("pg", "cancel").map(|tool| (tool.access, tool.ask)), Some((Access::Mutate, true)));
        assert!(bundle.mutates() && bundle.tool("pg", "drop").is_none());
    }

    #[test]
    fn a_bundle_without_a_boundary_or_without_content_is_refused() {
        assert_eq!(bundle(&server()).expect_err("none").code, "boundary-missing");
        assert_eq!(bundle(BOUNDARY).expect_err("empty").code, "tools-empty");
        refuses("approval = \"ask-on-mutate\"\n", "", "manifest-malformed", "missing field `approval`");
        refuses("\"internal\"", "\"secret\"", "manifest-malformed", "unknown variant `secret`");
        refuses("[\"dev\"]", "[]", "boundary-word", "could be used nowhere");
        refuses("[\"dev\"]", "[\"*\"]", "boundary-word", "line 3");
    }

    #[test]
    fn misspelt_keys_are_refused_wherever_they_stand() {
        refuses("command = \"npx\"", "comand = \"npx\"", "manifest-malformed", "unknown field `comand`");
        refuses("from-env", "from-evn", "manifest-malformed", "unknown field `from-evn`");
        refuses("access = \"read\"", "acces = \"read\"", "manifest-malformed", "unknown field `acces`");
        refuses("not-match", "notmatch", "manifest-malformed", "unknown field `notmatch`");
        refuses("integrity", "integrty", "manifest-malformed", "unknown field `integrty`");
        refuses("task-class", "task_class", "manifest-malformed", "unknown field `task_class`");
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        let secret = "sk-secret-0123456789abcdef";
        for (from, to, code) in [
            ("{ from-env = \"PG_URL\" }", format!("\"{secret}\""), "manifest-malformed"),
            ("\"-y\"", format!("\"--token={secret}\""), "tools-secret"),
            ("from-env = \"PG_URL\"", format!("from-env = \"{secret}\""), "tools-env"),
        ] {
            let refusal = refuses(from, &to, code, "line ");
            assert!(!refusal.message.contains(secret), "{refusal}");
        }
        refuses("{ from-env = \"PG_URL\" }", "5432", "manifest-malformed", "from-env");
    }

    #[test]
    fn the_strictest_rule_that_fits_is_the_verdict() {
        let bundle = bundle(&whole()).expect("a bundle");
        let verdict = |line: &str| bundle.judge_command(&words::split(line).expect("words")).map(|(effect, _)| effect);
        assert_eq!(verdict("psql -c 'select 1'"), Some(Effect::Ask));
        assert_eq!(verdict("psql --file x.sql"), Some(Effect::Deny));
        assert_eq!(verdict("psqlx"), None);
    }

    #[test]
    fn a_rule_cannot_allow() {
        for word in ["allow", "permit", "auto"] {
            let refusal = refuses("effect = \"ask\"", &format!("effect = \"{word}\""), "tools-effect", "only narrows");
            assert!(refusal.hint.expect("a way out").contains("[[grant]]"));
        }
    }

    #[test]
    fn a_rule_has_one_subject_and_its_own_tests_hold() {
        refuses("command = [\"psql\"]\n", "", "tools-rule", "exactly one of");
        refuses("read = [\".pgpass\"]", "read = [\"a\"]\nedit = [\"b\"]", "tools-rule", "exactly one of");
        refuses("\"psql -c 'select 1'\"", "\"pg_dump\"", "tools-rule-test", "`match`");
        refuses("not-match = [\"psql\"]", "not-match = [\"psql --file x\"]", "tools-rule-test", "`not-match`");
        refuses("\"psql -c 'select 1'\"", "\"psql -c 'select\"", "tools-rule-test", "quote");
        refuses("read = [\".pgpass\"]", "read = [\"a\"]\nmatch = [\"b\"]", "tools-rule", "`match`");
    }

    #[test]
    fn a_pattern_cannot_break_out_of_an_agents_configuration() {
        refuses(".pgpass", "x), Bash(*", "tools-pattern", "syntax");
        refuses("[\"psql\"]", "[\"psql *\"]", "tools-pattern", "line ");
        refuses("[\"psql\"]", "[\"*\"]", "tools-pattern", "line ");
        refuses("query =", "\"*\" =", "tools-name", "tool");
        refuses("[server.pg.tools]", "[server.pg.tools]\n\"a,b\" = { access = \"read\" }", "tools-name", "tool");
    }

    #[test]
    fn a_grant_is_for_an_exposed_tool_that_nothing_else_restrains() {
        assert_eq!(grants("mcp = \"pg:query\"").expect("a wish").grants[0].reason, "why");
        assert!(grants("command = [\"ls\"]").is_ok());
        for (tool, words) in [
            ("mcp = \"pg:drop\"", "not a tool"),
            ("mcp = \"pg\"", "not a tool"),
            ("mcp = \"pg:kill\"", "destructive"),
            ("mcp = \"pg:cancel\"", "asked about"),
            ("mcp = \"pg:note\"", "ask-on-mutate"),
            ("command = [\"psql\"]", "rule"),
            ("command = [\"psql\", \"-c\"]", "rule"),
            ("", "exactly one of"),
        ] {
            let refusal = grants(tool).expect_err(tool);
            assert_eq!(refusal.code, "tools-grant", "{refusal}");
            assert!(refusal.message.contains(words), "{tool}: {refusal}");
        }
        let without = format!("{}[[grant]]\nmcp = \"pg:query\"\n", whole());
        assert!(bundle(&without).expect_err("no reason").message.contains("missing field `reason`"));
    }

    #[test]
    fn the_order_of_tables_does_not_matter() {
        let text = format!("[[grant]]\nmcp = \"pg:query\"\nreason = \"why\"\n{RULES}{}{BOUNDARY}", server());
        assert_eq!(bundle(&text).expect("a bundle").grants.len(), 1);
    }
}
