//! The clients themselves load what we render for them: Codex, Claude Code, OpenCode, Gemini CLI.
//!
//! Each runs with an empty home, no login and, where the kernel allows it, no network. What they print was
//! tried by hand with the versions that `.ci/run` pins; a newer client that reads our files otherwise turns
//! these red. Cursor and Copilot offer no program of npm that says what it read.
//!
//! `SKILL_TEST_CLIENTS` names the folder of `node_modules` that they are installed in.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Map, Value, json};
use tests::files::write;
use tests::screen::Screen;
use tests::tools::path_from;
use tests::world::{Person, World};

/// The worked example of the format, a bundle for PostgreSQL.
const BUNDLE: &str = include_str!("../../cli/src/clients/samples/postgres.toml");

const RULES: &str = ".codex/rules/skill-tools-postgres-readonly.rules";

/// A repository in which a bundle is rendered for one client, and that client.
struct Desk {
    _world: World,
    person: Person,
    modules: PathBuf,
}

impl Desk {
    /// Sits down where the clients are installed.
    fn of(client: &str, flags: &[&str]) -> Option<Self> {
        let modules = path_from("SKILL_TEST_CLIENTS")?;
        let world = World::new();
        let person = world.stranger("dora").within("repo").with("PG_READONLY_URL", "postgres://nowhere");
        let person = person.with("FAR_TOKEN", "none").with("STAGING_URL", "postgres://nowhere");
        // A proxy that is a closed door, for clients that would call home.
        let person = ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]
            .into_iter()
            .fold(person, |person, name| person.with(name, "http://127.0.0.1:9"));
        person.git(&["init", "--quiet"]);
        person.write("bundle/skill.toml", BUNDLE);
        let desk = Self { _world: world, person, modules };
        desk.render(client, flags);
        Some(desk)
    }

    /// Writes what `skill tools show` says would be written.
    fn render(&self, client: &str, flags: &[&str]) {
        let mut args = vec!["tools", "show", "./bundle", "--client", client, "--json"];
        args.extend(flags);
        let shown: Value = serde_json::from_str(&self.person.skill(&args).ok().stdout).expect("JSON");
        for want in shown["data"]["clients"][0]["wants"].as_array().expect("a list") {
            self.apply(want);
        }
    }

    fn apply(&self, want: &Value) {
        let path = want["path"].as_str().expect("a path");
        if want["want"] == "file" {
            return self.person.write(path, want["text"].as_str().expect("text"));
        }
        let is_toml = want["format"] == "toml";
        let old = std::fs::read_to_string(self.person.work.join(path)).unwrap_or_default();
        let mut document: Value = match (old.is_empty(), is_toml) {
            (true, _) => json!({}),
            (false, true) => toml::from_str(&old).expect("TOML"),
            (false, false) => serde_json::from_str(&old).expect("JSON"),
        };
        add(&mut document, want);
        let text = if is_toml { toml::to_string(&document).expect("TOML") } else { document.to_string() };
        self.person.write(path, text);
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

/// Puts an entry or an item into a document.
fn add(document: &mut Value, want: &Value) {
    let keys: Vec<&str> = want["at"].as_array().expect("keys").iter().filter_map(Value::as_str).collect();
    let is_item = want["want"] == "item";
    let (last, above) = keys.split_last().expect("a key");
    let mut place = document;
    for key in above {
        place = place.as_object_mut().expect("an object").entry(*key).or_insert_with(|| Map::new().into());
    }
    let object = place.as_object_mut().expect("an object");
    if is_item {
        let list = object.entry(*last).or_insert_with(|| json!([]));
        list.as_array_mut().expect("a list").push(want["item"].clone());
    } else {
        assert!(object.insert((*last).to_owned(), want["value"].clone()).is_none(), "{last} twice");
    }
}

/// Whether a program can be started without a network here.
fn has_namespaces() -> bool {
    Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|output| output.status.success())
}

#[test]
fn codex_judges_commands_by_our_rules() {
    let Some(desk) = Desk::of("codex", &[]) else { return };
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
    let Some(desk) = Desk::of("codex", &[]) else { return };
    desk.person.write("bundle/skill.toml", include_str!("../../cli/src/clients/samples/many.toml"));
    desk.render("codex", &["--approved"]);
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
    let Some(desk) = Desk::of("codex", &["--approved"]) else { return };
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
    let Some(desk) = Desk::of("claude-code", &["--approved", "--runtime-hook"]) else { return };
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
    let Some(desk) = Desk::of("claude-code", &[]) else { return };
    desk.person.write("bundle/skill.toml", include_str!("../../cli/src/clients/samples/many.toml"));
    desk.render("claude-code", &["--approved", "--runtime-hook"]);
    desk.run("claude", &["doctor"]).ok().keeps_quiet_about("Invalid settings");
    desk.run("claude", &["mcp", "list"]).ok().says("https://mcp.example.com/mcp").says("uvx near-mcp==1.2.3");
}

#[test]
fn gemini_lists_our_server_and_starts_nothing_in_a_folder_that_nobody_trusts() {
    let Some(desk) = Desk::of("gemini", &[]) else { return };
    desk.run("gemini", &["mcp", "list"]).ok().says("pg: npx -y pg-readonly-mcp@0.6.2").says("untrusted");
}

#[test]
fn opencode_resolves_our_permissions_in_their_order() {
    let Some(desk) = Desk::of("opencode", &[]) else { return };
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
        assert!(action(tool, "*").is_some_and(|(at, action)| at > all && action == "ask"), "{tool}: {agent}");
    }
    assert_eq!(action("bash", "dropdb *").map(|(_, action)| action), Some("deny"));
    assert_eq!(action("read", "secrets/*").map(|(_, action)| action), Some("deny"));
}

#[test]
fn opencode_denies_what_our_rules_deny_when_a_tool_is_called() {
    let Some(desk) = Desk::of("opencode", &[]) else { return };
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
