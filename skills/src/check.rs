//! A check: a program that proves that work is done (FORMATS §5).
//!
//! It says beforehand what it starts, what its result depends on, what it may touch, and what has to be
//! true afterwards; so a green result means the same on every machine, and goes stale when an input
//! changes. There is no shell anywhere: a command is a list of words, and a value never becomes syntax.
//!
//! A check must be able to fail: it brings trees along that pass and trees that fail ([`Fixtures`]).
//! Running it, and what a kernel enforces of its bounds, is the business of the `cli`.

mod argv;
mod evidence;
mod expect;
mod fixtures;
mod inputs;
mod junit;
mod output;
mod pattern;
mod timeout;
mod verdict;

use serde::{Deserialize, Serialize};
use toml::Spanned;

pub use self::argv::Word;
pub use self::evidence::Evidence;
pub use self::expect::{Expect, OutputExpectation, SarifLevel, StateExpectation, Stream};
pub use self::fixtures::Fixtures;
pub use self::inputs::Inputs;
pub use self::output::{Output, Said, is_secret, tells_secret};
pub use self::pattern::Pattern;
pub use self::verdict::{Found, Left, judge};
use crate::brief::param::{Params, Values};
use crate::manifest::patterns;
use crate::manifest::secrets::{looks_secret, names_secret};
use crate::manifest::source::{LIST_MAX, Ordered, Source, is_env_name};
use crate::path::FilePath;
use crate::refusal::Refusal;

/// A check, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What it is told.
    pub params: Params,
    /// The command, before values are filled in.
    pub argv: Vec<Word>,
    /// Where it is started.
    pub cwd: Cwd,
    /// How long it may take, in seconds.
    pub timeout_seconds: u64,
    /// Globs of what the result depends on; `**` is the whole tree.
    pub inputs: Vec<String>,
    /// Globs of what it produces: digested as artifacts, and writable.
    pub outputs: Vec<String>,
    /// Globs of what it may write besides; everything else is read-only.
    pub writes: Vec<String>,
    /// What it may reach.
    pub network: Network,
    /// Names of variables that are handed on.
    pub env_pass: Vec<String>,
    /// Variables that are set, in the author's order.
    pub env_set: Vec<(String, String)>,
    /// Whether a machine without the sandbox is an error instead of a note in the evidence.
    pub sandbox_required: bool,
    /// What has to be true afterwards.
    pub expect: Expect,
    /// What is kept of its output.
    pub evidence: Evidence,
}

/// Where a check is started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cwd {
    /// In the tree that is judged.
    #[default]
    Workspace,
    /// In the check's own package.
    Package,
}

/// What a check may reach; later is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing.
    #[default]
    None,
    /// What it starts itself; not the machine's own loopback.
    Loopback,
    /// Anything.
    Any,
}

impl Network {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Loopback => "loopback",
            Self::Any => "any",
        }
    }
}

/// The tables of the kind; whatever else stands in the manifest has been judged before.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    param: Params,
    check: Option<CheckTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct CheckTable {
    argv: Spanned<argv::WordList>,
    #[serde(default)]
    cwd: Cwd,
    timeout: Option<Spanned<String>>,
    inputs: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    outputs: Vec<Spanned<String>>,
    #[serde(default)]
    writes: Vec<Spanned<String>>,
    #[serde(default)]
    network: Network,
    #[serde(default)]
    env: EnvTable,
    sandbox: Option<Sandbox>,
    #[serde(default)]
    expect: expect::ExpectTable,
    #[serde(default)]
    evidence: evidence::EvidenceTable,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EnvTable {
    pass: Vec<Spanned<String>>,
    set: Ordered<Spanned<String>>,
}

/// The one word there is; without it the evidence says what was enforced.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sandbox {
    Required,
}

impl Check {
    /// Reads the tables of a check.
    pub(crate) fn read(source: Source<'_>) -> Result<Self, Refusal> {
        let wire: Wire = source.read()?;
        wire.param.check_tables()?;
        let Some(table) = wire.check else {
            return Err(Refusal::new("check-missing", "skill.toml: a package of kind `check` needs a table `[check]`"));
        };
        let argv = argv::words(source, table.argv, &wire.param)?;
        if table.inputs.get_ref().is_empty() {
            let message = "`inputs` is empty, so the result would depend on nothing and never go stale";
            return Err(source.refuse("check-pattern", &table.inputs, message).hint("`[\"**\"]` is the whole tree"));
        }
        Ok(Self {
            params: wire.param,
            argv,
            cwd: table.cwd,
            timeout_seconds: table
                .timeout
                .map_or(Ok(timeout::DEFAULT_SECONDS), |text| timeout::parse(source, &text))?,
            inputs: globs(source, "inputs", table.inputs.into_inner())?,
            outputs: written(source, "outputs", table.outputs)?,
            writes: written(source, "writes", table.writes)?,
            network: table.network,
            env_pass: env_pass(source, table.env.pass)?,
            env_set: env_set(source, table.env.set)?,
            sandbox_required: table.sandbox.is_some_and(|Sandbox::Required| true),
            expect: table.expect.expect(source)?,
            evidence: table.evidence.evidence(source)?,
        })
    }

    /// The command with values filled in: only here do values meet words.
    pub fn command(&self, values: &Values) -> Result<Vec<String>, Refusal> {
        argv::command(&self.argv, values)
    }

    /// The program as a file of the package, where it is one.
    pub fn program(&self) -> Option<FilePath> {
        FilePath::parse(self.argv.first()?.literal()?.strip_prefix("./")?).ok()
    }
}

fn globs(source: Source<'_>, key: &str, patterns: Vec<Spanned<String>>) -> Result<Vec<String>, Refusal> {
    for pattern in &patterns {
        if let Some(fault) = patterns::fault(pattern.get_ref()) {
            return Err(source.refuse("check-pattern", pattern, format!("a pattern of `{key}` {fault}")));
        }
    }
    source.list(key, patterns, LIST_MAX)
}

/// What agents, editors, Git and CI load or run, outside of any sandbox: no check writes there.
const LOADED: [&str; 26] = [
    ".git",
    ".skill",
    ".agents",
    ".claude",
    ".codex",
    ".cursor",
    ".gemini",
    ".opencode",
    ".vscode",
    ".idea",
    ".devcontainer",
    ".github",
    ".gitlab",
    ".circleci",
    ".husky",
    ".cursorrules",
    ".mcp.json",
    ".envrc",
    ".gitlab-ci.yml",
    ".gitattributes",
    ".gitmodules",
    "skills.toml",
    "skills.lock",
    "agents.md",
    "claude.md",
    "gemini.md",
];

/// What a check may write: never the whole tree that it judges, nor where history and evidence lie, nor
/// what others would run.
fn written(source: Source<'_>, key: &str, patterns: Vec<Spanned<String>>) -> Result<Vec<String>, Refusal> {
    for pattern in &patterns {
        let refuse = |seen: &str| Err(source.refuse("check-pattern", pattern, format!("a pattern of `{key}` {seen}")));
        let mut parts = pattern.get_ref().split('/').filter(|part| !matches!(*part, "" | "."));
        if parts.clone().all(|part| matches!(part, "*" | "**")) {
            return refuse("is the whole tree, which a check judges and does not write");
        }
        if parts.clone().next().is_some_and(|first| first.starts_with('.') && first.contains(['*', '?', '[', '{'])) {
            return refuse("could be any hidden folder, also one that others load or run");
        }
        // A tree below this one may be a repository or a project too, so every part is looked at.
        if let Some(part) = parts.find(|part| LOADED.iter().any(|name| part.eq_ignore_ascii_case(name))) {
            return refuse(&match part.to_ascii_lowercase().as_str() {
                ".git" | ".skill" => format!("is in `{part}`, where history and evidence lie"),
                _ => format!("is in `{part}`, which agents, editors or CI load or run outside of the sandbox"),
            });
        }
    }
    globs(source, key, patterns)
}

fn env_pass(source: Source<'_>, names: Vec<Spanned<String>>) -> Result<Vec<String>, Refusal> {
    if let Some(bad) = names.iter().find(|name| !is_env_name(name.get_ref())) {
        return Err(source.refuse(
            "check-env",
            bad,
            "an entry of `env.pass` is not the name of an environment variable",
        ));
    }
    source.list("env.pass", names, LIST_MAX)
}

/// Values that anybody may read: they stand in the package and in the evidence.
fn env_set(source: Source<'_>, entries: Ordered<Spanned<String>>) -> Result<Vec<(String, String)>, Refusal> {
    let mut set = Vec::new();
    for (name, value) in entries.0 {
        if !is_env_name(name.get_ref()) {
            return Err(source.refuse(
                "check-env",
                &name,
                "a key of `env.set` is not the name of an environment variable",
            ));
        }
        if names_secret(name.get_ref()) || looks_secret(value.get_ref()) {
            return Err(source
                .refuse("check-env", &name, format!("`{}` would be a secret in a public file", name.get_ref()))
                .hint("hand it on from the machine with `env.pass`"));
        }
        set.push((name.into_inner(), source.text("env.set", value)?));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    const WHOLE: &str = r#"
[param.migration]
type = "path"
must-exist = true
[param.command]
type = "array"
items = "string"
default = ["cargo", "test"]
[check]
argv = ["./run.sh", "--file={{ param.migration }}", "{{ param.command }}"]
cwd = "workspace"
timeout = "5m"
inputs = ["migrations/**"]
outputs = ["out/before.sql", "out/after.sql"]
writes = ["tmp/**"]
network = "loopback"
env = { pass = ["PATH"], set = { CI = "true" } }
sandbox = "required"
[check.expect]
exit = 0
[[check.expect.output]]
stream = "any"
regex = "^rollback: identical"
min = 1
[[check.expect.state]]
equal-files = ["out/before.sql", "out/after.sql"]
[check.evidence]
key-lines = ["^rollback:"]
max-lines = 20
max-bytes = 4096
redact = ["(?i)password=\\S+"]
"#;

    fn check(text: &str) -> Result<Check, Refusal> {
        Check::read(Source(text))
    }

    /// The whole check, with one thing in it changed.
    fn refuses(from: &str, to: &str, code: &str, words: &str) {
        assert!(WHOLE.contains(from), "{from}");
        let refusal = check(&WHOLE.replacen(from, to, 1)).expect_err(to);
        assert_eq!(refusal.code, code, "{to}: {refusal}");
        assert!(refusal.message.contains(words), "{to}: {refusal}");
    }

    fn accepts(from: &str, to: &str) -> Check {
        assert!(WHOLE.contains(from), "{from}");
        check(&WHOLE.replacen(from, to, 1)).unwrap_or_else(|refusal| panic!("{to}: {refusal}"))
    }

    fn command(migration: &str) -> Result<Vec<String>, Refusal> {
        let check = check(WHOLE).expect("a check");
        let given: Map<String, serde_json::Value> = [("migration".to_owned(), json!(migration))].into_iter().collect();
        check.command(&check.params.accept(&given)?)
    }

    #[test]
    fn a_check_is_read_whole() {
        let check = check(WHOLE).expect("a check");
        assert_eq!(check.timeout_seconds, 300);
        assert_eq!((check.network, check.cwd, check.sandbox_required), (Network::Loopback, Cwd::Workspace, true));
        assert_eq!(check.env_set, [("CI".to_owned(), "true".to_owned())]);
        assert_eq!(check.program().map(|path| path.to_string()).as_deref(), Some("run.sh"));
        assert_eq!((check.expect.outputs.len(), check.expect.states.len()), (1, 1));
        assert_eq!((check.evidence.max_lines, check.evidence.max_bytes), (20, 4096));
    }

    #[test]
    fn the_smallest_check_has_a_command_and_inputs_and_is_strict_about_the_rest() {
        let check = check("[check]\nargv = [\"true\"]\ninputs = [\"**\"]\n").expect("a check");
        assert_eq!((check.network, check.cwd, check.sandbox_required), (Network::None, Cwd::Workspace, false));
        assert_eq!((check.expect.exit, check.writes.len(), check.env_pass.len()), (0, 0, 0));
        assert_eq!(check.timeout_seconds, 300);
    }

    #[test]
    fn misspelt_keys_are_refused_wherever_they_stand() {
        for (from, to) in [
            ("timeout =", "time-out ="),
            ("pass =", "pas ="),
            ("exit =", "exits ="),
            ("stream =", "steam ="),
            ("equal-files =", "equals-files ="),
            ("key-lines =", "keylines ="),
            ("must-exist =", "must-exists ="),
        ] {
            refuses(from, to, "manifest-malformed", "unknown field");
        }
        refuses("[check]", "[checks]", "manifest-malformed", "");
        assert_eq!(check("[param.x]\ntype = \"string\"\n").expect_err("none").code, "check-missing");
    }

    #[test]
    fn a_command_is_a_list_of_words_and_there_is_no_shell() {
        let argv = r#"["./run.sh", "--file={{ param.migration }}", "{{ param.command }}"]"#;
        refuses(argv, "\"./run.sh x | tee y\"", "manifest-malformed", "there is no shell");
        refuses(argv, "[]", "check-argv", "no word");
        refuses(argv, "[\"sh\", \"-c\", \"x\"]", "check-argv", "shell");
        refuses(argv, "[\"bash\", \"-ec\", \"x\"]", "check-argv", "shell");
        refuses(argv, "[\"bash\", \"-o\", \"pipefail\", \"-c\", \"x\"]", "check-argv", "shell");
        refuses(argv, "[\"pwsh\", \"-Command\", \"x\"]", "check-argv", "shell");
        accepts(argv, "[\"bash\", \"--norc\", \"t.sh\"]");
        refuses(argv, "[\"/bin/true\"]", "check-argv", "program");
        refuses(argv, "[\"../run.sh\"]", "check-argv", "program");
        refuses(argv, "[\"./../run.sh\"]", "check-argv", "program");
        refuses(argv, "[\"true\", \"a\\u0000b\"]", "check-argv", "control");
        accepts(argv, "[\"sh\", \"t.sh\"]");
    }

    #[test]
    fn templates_name_a_parameter_and_do_nothing_else() {
        refuses("{{ param.migration }}", "{{ param.migratoin }}", "check-argv", "`migratoin`");
        refuses("{{ param.migration }}", "{{ param.migration | upper }}", "check-argv", "`{{ param.NAME }}`");
        refuses("{{ param.migration }}", "{% for x in y %}", "check-argv", "`{{ param.NAME }}`");
        refuses("{{ param.migration }}", "{{ env.HOME }}", "check-argv", "`{{ param.NAME }}`");
        refuses("{{ param.migration }}", "{{ param.migration", "check-argv", "`{{ param.NAME }}`");
        refuses("--file={{ param.migration }}", "x{{ param.command }}", "check-argv", "a word of its own");
        refuses("must-exist = true", "secret = true", "param-secret", "secret");
    }

    #[test]
    fn values_become_words_and_never_syntax() {
        let words = command("a b; rm -rf $HOME/{{ param.command }}").expect("words");
        let expected = ["./run.sh", "--file=a b; rm -rf $HOME/{{ param.command }}", "cargo", "test"];
        assert_eq!(words, expected);
    }

    #[test]
    fn a_value_does_not_become_an_option() {
        let alone = WHOLE.replace("--file={{ param.migration }}", "{{ param.migration }}");
        let check = check(&alone).expect("a check");
        let given = |text: &str| [("migration".to_owned(), json!(text))].into_iter().collect::<Map<_, _>>();
        let words = |text: &str| check.command(&check.params.accept(&given(text)).expect("accepted"));
        assert_eq!(words("a.sql").expect("words")[1], "a.sql");
        assert_eq!(words("--output=x").expect_err("an option").code, "check-argument");
    }

    #[test]
    fn a_timeout_is_a_number_with_a_unit_within_bounds() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("15m", 900), ("6h", 21_600)] {
            assert_eq!(accepts("\"5m\"", &format!("\"{text}\"")).timeout_seconds, seconds, "{text}");
        }
        for text in ["0s", "7h", "5", "m", "-5m", "5 m", "1h30m", "5min", "1.5h", "99999999999999999999s", "٥m"] {
            refuses("\"5m\"", &format!("\"{text}\""), "check-timeout", "1s to 6h");
        }
    }

    #[test]
    fn a_check_depends_on_something_and_writes_little() {
        refuses("[\"migrations/**\"]", "[]", "check-pattern", "never go stale");
        refuses("inputs = [\"migrations/**\"]\n", "", "manifest-malformed", "missing field `inputs`");
        refuses("\"migrations/**\"", "\"/etc/**\"", "check-pattern", "not relative");
        refuses("\"migrations/**\"", "\"../**\"", "check-pattern", "`..`");
        refuses("\"migrations/**\"", "\"{{ param.migration }}\"", "check-pattern", "template");
        for whole in ["**", "*", "**/*"] {
            refuses("\"tmp/**\"", &format!("\"{whole}\""), "check-pattern", "whole tree");
        }
        for folder in [".git/**", ".skill/evidence/x", ".GIT/hooks/post-commit"] {
            refuses("\"tmp/**\"", &format!("\"{folder}\""), "check-pattern", "history and evidence");
            refuses("\"out/before.sql\"", &format!("\"{folder}\""), "check-pattern", "history and evidence");
        }
        accepts("\"tmp/**\"", "\"**/__pycache__/**\"");
    }

    #[test]
    fn a_check_does_not_write_what_runs_outside_of_the_sandbox() {
        for (pattern, words) in [
            ("vendor/x/.git/hooks/**", "history and evidence"),
            ("vendor/x/.GIT/config", "history and evidence"),
            ("./.git/hooks/**", ""),
            (".claude/**", "outside of the sandbox"),
            (".Agents/skills/x/**", "outside of the sandbox"),
            ("sub/.vscode/tasks.json", "outside of the sandbox"),
            (".github/workflows/x.yml", "outside of the sandbox"),
            (".mcp.json", "outside of the sandbox"),
            (".envrc", "outside of the sandbox"),
            ("skills.toml", "outside of the sandbox"),
            ("skills.lock", "outside of the sandbox"),
            (".gitattributes", "outside of the sandbox"),
            ("CLAUDE.md", "outside of the sandbox"),
            (".c*/**", "hidden folder"),
            (".[a-z]it/hooks/**", "hidden folder"),
        ] {
            refuses("\"tmp/**\"", &format!("\"{pattern}\""), "check-pattern", words);
            refuses("\"out/before.sql\"", &format!("\"{pattern}\""), "check-pattern", words);
        }
        for pattern in [".coverage", ".pytest_cache/**", "out/.hidden/**", "out/*.md"] {
            accepts("\"tmp/**\"", &format!("\"{pattern}\""));
        }
    }

    #[test]
    fn secrets_are_not_set() {
        refuses("CI = \"true\"", "PGPASSWORD = \"x\"", "check-env", "secret");
        refuses("CI = \"true\"", "X = \"postgres://a:b@h/d\"", "check-env", "secret");
        refuses("CI = \"true\"", "\"A=B\" = \"x\"", "check-env", "not the name");
        refuses("\"PATH\"", "\"PATH=/evil\"", "check-env", "not the name");
    }

    #[test]
    fn words_of_orders_are_only_those() {
        refuses("\"loopback\"", "\"host\"", "manifest-malformed", "expected one of `none`, `loopback`, `any`");
        refuses("\"required\"", "\"off\"", "manifest-malformed", "`required`");
        refuses("\"workspace\"", "\"/\"", "manifest-malformed", "unknown variant");
    }

    #[test]
    fn expectations_are_bounded_and_can_be_met() {
        refuses("exit = 0", "exit = 256", "manifest-malformed", "");
        refuses("exit = 0", "exit = -1", "manifest-malformed", "");
        refuses("\"^rollback: identical\"", "\"(\"", "check-regex", "not a regular expression");
        refuses("\"^rollback: identical\"", "\"(a{1000}){1000}\"", "check-regex", "not a regular expression");
        refuses("min = 1", "min = 2\nmax = 1", "check-expect", "`min`");
        refuses("\"any\"", "\"all\"", "manifest-malformed", "unknown variant");
        let check = accepts("min = 1", "max = 0");
        assert_eq!((check.expect.outputs[0].min, check.expect.outputs[0].max), (0, Some(0)));
    }

    #[test]
    fn the_final_state_is_one_expectation_an_entry() {
        let state = "equal-files = [\"out/before.sql\", \"out/after.sql\"]";
        for good in [
            "file-exists = \"out/a\"",
            "file-absent = \"out/a\"",
            "json = { path = \"plan.json\", pointer = \"/a/0/b~1c\", equals = 0 }",
            "junit = { path = \"junit.xml\", min-tests = 1 }",
            "sarif = { path = \"r.sarif\", max-level = \"warning\" }",
            "git-clean = true",
        ] {
            accepts(state, good);
        }
        refuses(state, "", "check-expect", "exactly one of");
        refuses(state, "file-exists = \"a\"\nfile-absent = \"b\"", "check-expect", "exactly one of");
        refuses(state, "file-exists = \"../a\"", "manifest-malformed", "leaves the folder");
        refuses(state, "equal-files = [\"a\"]", "manifest-malformed", "");
        refuses(state, "equal-files = [\"a\", \"a\"]", "check-expect", "itself");
        refuses(state, "git-clean = false", "check-expect", "`git-clean`");
        refuses(state, "json = { path = \"a\", pointer = \"a\", equals = 0 }", "check-expect", "pointer");
        refuses(state, "json = { path = \"a\", pointer = \"/~2\", equals = 0 }", "check-expect", "pointer");
        refuses(state, "json = { path = \"a\", pointer = \"\", equals = nan }", "check-expect", "JSON");
        refuses(state, "json = { path = \"a\", pointer = \"\", equals = 1979-05-27 }", "check-expect", "JSON");
        refuses(state, "junit = { path = \"a\", min-tests = 0 }", "check-expect", "`min-tests`");
        refuses(state, "sarif = { path = \"a\", max-level = \"bad\" }", "manifest-malformed", "unknown variant");
    }

    #[test]
    fn evidence_is_compact() {
        refuses("max-lines = 20", "max-lines = 201", "check-evidence", "200");
        refuses("max-bytes = 4096", "max-bytes = 65537", "check-evidence", "65536");
        refuses("\"^rollback:\"", "\"[\"", "check-regex", "not a regular expression");
        refuses("\"(?i)password=\\\\S+\"", "\"x*\"", "check-regex", "nothing at all");
    }
}
