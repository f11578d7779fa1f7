//! The clients themselves load what we render for them: Codex, Claude Code, OpenCode, Gemini CLI.
//!
//! Each runs with an empty home, no login and, where the kernel allows it, no network. What they print was
//! tried by hand with the versions that `.ci/run` pins; a newer client that reads our files otherwise turns
//! these red. Cursor and Copilot offer no program of npm that says what it read.
//!
//! `SKILL_TEST_CLIENTS` names the folder of `node_modules` that they are installed in.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tests::binaries::repository;
use tests::files::write;
use tests::screen::Screen;
use tests::tools::path_from;
use tests::world::{Person, World};

/// The worked example of the format, a bundle for PostgreSQL.
const BUNDLE: &str = include_str!("../../cli/src/clients/samples/postgres.toml");

/// A bundle with everything that one can say, and reasons full of syntax.
const MANY: &str = include_str!("../../cli/src/clients/samples/many.toml");

const RULES: &str = ".codex/rules/skill-tools-postgres-readonly.rules";

/// A repository in which bundles are installed for one client, and that client.
struct Desk {
    _world: World,
    person: Person,
    modules: PathBuf,
}

impl Desk {
    /// Sits down where the clients are installed.
    fn of(client: &str) -> Option<Self> {
        let modules = path_from("SKILL_TEST_CLIENTS")?;
        let world = World::new();
        let person = world.stranger("dora").within("repo").with("PG_READONLY_URL", "postgres://nowhere");
        let person = person.with("FAR_TOKEN", "none").with("STAGING_URL", "postgres://nowhere");
        // A proxy that is a closed door, for clients that would call home.
        let person = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]
            .into_iter()
            .fold(person, |person, name| person.with(name, "http://127.0.0.1:9"));
        person.git(&["init", "--quiet"]);
        person.write("skills.toml", format!("[tools]\nclients = [\"{client}\"]\nruntime-hook = true\n"));
        let desk = Self { _world: world, person, modules };
        desk.install("platform/tools-postgres-readonly", BUNDLE);
        Some(desk)
    }

    /// Installs a bundle from a folder, and approves everything that it wishes for.
    fn install(&self, package: &str, manifest: &str) {
        let (_, name) = package.split_once('/').expect("a package's name");
        self.person.write(&format!("packages/{name}/skill.toml"), manifest);
        self.person.skill(&["add", &format!("./packages/{name}"), "--trust"]).ok();
        self.person.skill(&["approve", package, "--yes"]).ok();
    }

    /// Runs a client, bounded in time.
    fn run(&self, program: &str, args: &[&str]) -> Screen {
        let mut all = vec!["120".to_owned()];
        if has_namespaces() {
            all.extend(["unshare", "-rn"].map(str::to_owned));
        }
        all.push(self.modules.join(".bin").join(program).display().to_string());
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let paths = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{paths}", self.modules.join("node/bin").display());
        self.person.with("PATH", &path).run("timeout", &all)
    }

    fn json(&self, program: &str, args: &[&str]) -> Value {
        let screen = self.run(program, args).ok();
        serde_json::from_str(&screen.stdout).unwrap_or_else(|error| panic!("{error}\n{screen}"))
    }
}

/// Whether a program can be started without a network here.
fn has_namespaces() -> bool {
    Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|output| output.status.success())
}

#[test]
fn codex_judges_commands_by_our_rules() {
    let Some(desk) = Desk::of("codex") else { return };
    let decide = |words: &[&str]| {
        let mut args = vec!["execpolicy", "check", "--rules", RULES, "--"];
        args.extend(words);
        desk.json("codex", &args)["decision"].clone()
    };
    assert_eq!(decide(&["dropdb", "orders"]), "forbidden");
    assert_eq!(decide(&["psql", "-c", "select 1"]), "prompt");
    assert_eq!(decide(&["createdb", "orders"]), Value::Null);
    // What the account of coverage says that it does not see.
    assert_eq!(decide(&["/usr/bin/dropdb", "orders"]), Value::Null);
    assert_eq!(decide(&["sh", "-c", "dropdb orders"]), Value::Null);
}

#[test]
fn codex_reads_rules_whose_reasons_are_full_of_syntax() {
    let Some(desk) = Desk::of("codex") else { return };
    desk.install("acme/tools-many", MANY);
    let rules = ".codex/rules/skill-tools-many.rules";
    let decide = |words: &[&str]| {
        let mut args = vec!["execpolicy", "check", "--rules", rules, "--"];
        args.extend(words);
        desk.json("codex", &args)
    };
    let denied = decide(&["kubectl", "delete", "pod"]);
    assert_eq!(denied["decision"], "forbidden");
    assert!(denied.to_string().contains("prefix_rule(pattern = [\\\"x\\\"])"), "the reason is a reason: {denied}");
    assert_eq!(decide(&["x"])["decision"], Value::Null, "and no rule");
    assert_eq!(decide(&["git", "status", "-s"])["decision"], "allow");
}

#[test]
fn codex_enables_the_tools_of_the_bundle_and_no_other() {
    let Some(desk) = Desk::of("codex") else { return };
    assert_ne!(desk.run("codex", &["mcp", "get", "pg", "--json"]).exit, 0, "not before the project is trusted");
    let root = desk.person.work.canonicalize().expect("the repository");
    let trust = format!("[projects.{:?}]\ntrust_level = \"trusted\"\n", root.display().to_string());
    write(desk.person.home.join(".codex/config.toml"), trust);
    let server = desk.json("codex", &["mcp", "get", "pg", "--json"]);
    assert_eq!(server["enabled_tools"], json!(["query", "describe_table", "cancel_backend"]));
    assert_eq!(server["transport"]["args"], json!(["-y", "pg-readonly-mcp@0.6.2"]));
    assert_eq!(server["transport"]["env_vars"], json!(["PG_READONLY_URL"]));
    desk.run("codex", &["mcp", "list"]).ok().says("pg-readonly-mcp@0.6.2").keeps_quiet_about("postgres://");
}

#[test]
fn claude_code_lists_our_server_as_pending_and_finds_our_settings_valid() {
    let Some(desk) = Desk::of("claude-code") else { return };
    desk.run("claude", &["mcp", "list"]).ok().says("pg: npx -y pg-readonly-mcp@0.6.2").says("Pending approval");
    desk.run("claude", &["mcp", "get", "pg"]).ok().says("PG_READONLY_URL=${PG_READONLY_URL}");
    desk.run("claude", &["doctor"]).ok().keeps_quiet_about("Invalid settings");
    // That silence means something: a form that it does not know is reported.
    let settings = desk.person.read(".claude/settings.json").replace("Bash(dropdb *)", "mcp__pg__x(dropdb)");
    desk.person.write(".claude/settings.json", settings);
    desk.run("claude", &["doctor"]).says("Invalid settings");
}

#[test]
fn claude_code_finds_every_form_of_a_rule_valid() {
    let Some(desk) = Desk::of("claude-code") else { return };
    desk.install("acme/tools-many", MANY);
    desk.run("claude", &["doctor"]).ok().keeps_quiet_about("Invalid settings");
    desk.run("claude", &["mcp", "list"]).ok().says("https://mcp.example.com/mcp").says("uvx near-mcp==1.2.3");
}

#[test]
fn gemini_lists_our_server_and_starts_nothing_in_a_folder_that_nobody_trusts() {
    let Some(desk) = Desk::of("gemini") else { return };
    desk.run("gemini", &["mcp", "list"]).ok().says("pg: npx -y pg-readonly-mcp@0.6.2").says("untrusted");
}

#[test]
fn opencode_resolves_our_permissions_in_their_order() {
    let Some(desk) = Desk::of("opencode") else { return };
    let config = desk.json("opencode", &["--pure", "debug", "config"]);
    assert_eq!(config["mcp"]["pg"]["command"], json!(["npx", "-y", "pg-readonly-mcp@0.6.2"]));
    let agent = desk.json("opencode", &["--pure", "debug", "agent", "build"]);
    let rules = agent["permission"].as_array().expect("a list");
    // The last that fits wins.
    let action = |permission: &str, pattern: &str| {
        rules
            .iter()
            .rposition(|rule| rule["permission"] == permission && rule["pattern"] == pattern)
            .map(|at| (at, rules[at]["action"].as_str().expect("an action")))
    };
    let (all, denied) = action("pg_*", "*").expect("the server");
    assert_eq!(denied, "deny");
    for tool in ["pg_query", "pg_describe_table", "pg_cancel_backend"] {
        let expected = if tool == "pg_query" { "allow" } else { "ask" };
        assert!(action(tool, "*").is_some_and(|(at, action)| at > all && action == expected), "{tool}: {agent}");
    }
    assert_eq!(action("bash", "dropdb *").map(|(_, action)| action), Some("deny"));
    assert_eq!(action("read", "secrets/*").map(|(_, action)| action), Some("deny"));
}

#[test]
fn opencode_denies_what_our_rules_deny_when_a_tool_is_called() {
    let Some(desk) = Desk::of("opencode") else { return };
    for file in [".pgpass", "db/.pgpass", "secrets/deep/key", "README.md"] {
        desk.person.write(file, "hello\n");
    }
    let is_denied = |tool: &str, params: &Value| {
        let args = ["--pure", "debug", "agent", "build", "--tool", tool, "--params", &params.to_string()];
        let screen = desk.run("opencode", &args);
        screen.stdout.contains("prevents you from using") || screen.stderr.contains("prevents you from using")
    };
    let read = |file: &str| is_denied("read", &json!({"filePath": desk.person.work.join(file)}));
    assert!(read(".pgpass") && read("db/.pgpass") && read("secrets/deep/key"));
    assert!(!read("README.md"));
    let bash = |command: &str| is_denied("bash", &json!({"command": command, "description": "a trial"}));
    assert!(bash("dropdb orders") && bash("true; dropdb orders"));
    assert!(!bash("true"));
}

#[test]
fn codex_agrees_with_every_example_of_every_vetted_bundle() {
    let Some(desk) = Desk::of("codex") else { return };
    let folders = std::fs::read_dir(repository().join("skills/vetted")).expect("the vetted packages");
    let folders = folders.map(|entry| entry.expect("a folder").path());
    let bundles =
        folders.filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tools-")));
    let mut tried = 0;
    for folder in bundles {
        let paths = std::env::var("PATH").unwrap_or_default();
        let ours = [desk.modules.join(".bin"), desk.modules.join("node/bin")].map(|path| path.display().to_string());
        let person = desk.person.with("PATH", &format!("{}:{paths}", ours.join(":")));
        let screen = person.skill(&["tools", "test", folder.to_str().expect("a path")]).ok();
        tried += screen.stdout.lines().filter(|line| line.contains(" codex ")).count();
    }
    assert!(tried > 10, "{tried} examples");
}

/// What the hook of Claude Code hears about a call; nothing is "".
fn hears(person: &Person, call: &str) -> String {
    let screen = person.skill_reading(&["hook", "eval", "--client", "claude-code"], call).ok();
    let answer: Value = serde_json::from_str(&screen.stdout).unwrap_or_default();
    answer["hookSpecificOutput"]["permissionDecision"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_hook_judges_by_the_installed_bundles_and_denies_everything_once_one_is_edited() {
    let world = World::new();
    let person = world.stranger("dora").within("repo");
    person.write("packages/tools-many/skill.toml", MANY);
    person.write("packages/tools-postgres-readonly/skill.toml", BUNDLE);
    person.write("skills.toml", "[tools]\nrename = { pg = \"db\" }\n");
    person.skill(&["add", "./packages/tools-many", "./packages/tools-postgres-readonly", "--trust"]).ok();
    let harmless = r#"{"tool_name":"Bash","tool_input":{"command":"ls"}}"#;
    assert_eq!(hears(&person, harmless), "");
    assert_eq!(hears(&person, r#"{"tool_name":"Bash","tool_input":{"command":"sudo sh -c 'dropdb x'"}}"#), "deny");
    assert_eq!(hears(&person, r#"{"tool_name":"Bash","tool_input":{"command":"psql"}}"#), "ask");
    assert_eq!(hears(&person, r#"{"tool_name":"mcp__db__drop","tool_input":{}}"#), "deny", "under its name of here");
    assert_eq!(hears(&person, r#"{"tool_name":"mcp__pg__drop","tool_input":{}}"#), "", "somebody else's server");
    let path = person.work.join("secrets/key");
    let read = json!({"tool_name": "Read", "tool_input": {"file_path": path}});
    assert_eq!(hears(&person, &read.to_string()), "deny");
    for broken in ["", "{", "[]", "{\"tool_name\":\"Bash\"}", "{\"a\":1,\"a\":1}", "\u{0}"] {
        assert_eq!(hears(&person, broken), "deny", "{broken}");
    }
    let installed = ".agents/skills/tools-postgres-readonly/skill.toml";
    person.write(installed, person.read(installed).replace("effect = \"deny\"", "effect = \"ask\""));
    assert_eq!(hears(&person, harmless), "deny");
    person.skill_reading(&["hook", "eval", "--client", "claude-code"], harmless).ok().says("edited");
    let elsewhere = world.stranger("eve");
    assert_eq!(hears(&elsewhere, harmless), "deny", "no skills.toml, nothing to judge by");
}
