//! Who owns what, through every order of arriving, changing and leaving.

use serde_json::{Value, json};
use skills::FilePath;

use super::*;

const SETTINGS: &str = ".claude/settings.json";
const SERVERS: &str = ".mcp.json";

fn name(text: &str) -> PackageName {
    PackageName::parse(text).expect("a name")
}

fn wanted(package: &str, want: Want) -> Wanted {
    let client = if want.path().starts_with(".codex") { Client::Codex } else { Client::ClaudeCode };
    Wanted { client, package: name(package), want }
}

fn item(package: &str, list: &str, text: &str) -> Wanted {
    let at = vec!["permissions".to_owned(), list.to_owned()];
    wanted(package, Want::Item { path: SETTINGS.into(), format: Format::Json, at, item: json!(text) })
}

fn entry(package: &str, server: &str, value: Value) -> Wanted {
    let at = vec!["mcpServers".to_owned(), server.to_owned()];
    wanted(package, Want::Entry { path: SERVERS.into(), format: Format::Json, at, value })
}

fn rules(package: &str, text: &str) -> Wanted {
    wanted(package, Want::File { path: ".codex/rules/skill-pg.rules".into(), text: text.into() })
}

/// A world of files, and the ledger of what was written there.
#[derive(Default)]
struct World {
    files: Files,
    rows: Vec<Entry>,
}

impl World {
    fn with(path: &str, text: &str) -> Self {
        Self { files: Files::from([(path.to_owned(), Found::Text(text.to_owned()))]), rows: Vec::new() }
    }

    fn want(&mut self, wanted: &[Wanted]) -> Reconciled {
        self.go(wanted, false)
    }

    fn go(&mut self, wanted: &[Wanted], force: bool) -> Reconciled {
        let out = reconcile(&self.files, &self.rows, wanted, force).expect("rows of ours");
        if out.refused.is_empty() {
            self.rows = out.rows.clone();
            for (path, text) in &out.changed {
                self.files.insert(path.clone(), text.clone().map_or(Found::Absent, Found::Text));
            }
        }
        out
    }

    fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path) {
            Some(Found::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn edit(&mut self, path: &str, from: &str, to: &str) {
        let text = self.text(path).expect("a text");
        assert!(text.contains(from), "{text}");
        let text = text.replace(from, to);
        self.files.insert(path.to_owned(), Found::Text(text));
    }

    fn refuses(&mut self, wanted: &[Wanted], code: &str) -> Refusal {
        let out = self.want(wanted);
        let (_, refusal) = out.refused.first().unwrap_or_else(|| panic!("not refused: {code}"));
        assert_eq!(refusal.code, code, "{refusal}");
        refusal.clone()
    }
}

fn bundle(package: &str) -> [Wanted; 4] {
    [
        entry(package, "pg", json!({"command": "npx"})),
        item(package, "ask", "Bash(psql *)"),
        item(package, "deny", "Bash(dropdb *)"),
        rules(package, "prefix_rule()\n"),
    ]
}

#[test]
fn what_arrived_leaves_nothing_behind_and_touches_nothing_else() {
    let before = "{\n  \"permissions\": {\n    \"deny\": [\"Read(.env)\"] // mine\n  }\n}\n";
    let mut world = World::with(SETTINGS, before);
    world.want(&bundle("acme/pg"));
    assert!(world.text(SERVERS).is_some_and(|text| text.ends_with("}\n")));
    assert!(world.text(".codex/rules/skill-pg.rules").is_some());
    assert!(world.want(&bundle("acme/pg")).changed.is_empty(), "a second time changes nothing");
    world.want(&[]);
    assert_eq!(world.text(SETTINGS), Some(before));
    assert_eq!((world.text(SERVERS), world.text(".codex/rules/skill-pg.rules")), (None, None));
    assert!(world.rows.is_empty());
}

#[test]
fn the_order_of_leaving_does_not_matter() {
    for order in [["acme/pg", "acme/my"], ["acme/my", "acme/pg"]] {
        let mut world = World::default();
        let pg = [entry("acme/pg", "pg", json!(1)), item("acme/pg", "deny", "Bash(a *)")];
        let my = [entry("acme/my", "my", json!(2)), item("acme/my", "deny", "Bash(b *)")];
        world.want(&[pg.clone(), my.clone()].concat());
        let left = if order[0] == "acme/pg" { my } else { pg };
        world.want(&left);
        assert_eq!(world.rows.len(), 2);
        world.want(&[]);
        assert_eq!((world.text(SERVERS), world.text(SETTINGS)), (None, None));
    }
}

#[test]
fn the_last_owner_takes_a_shared_entry_along() {
    let mut world = World::default();
    world.want(&[item("acme/a", "deny", "Bash(x *)"), item("acme/b", "deny", "Bash(x *)")]);
    assert_eq!(world.rows[0].owners, [name("acme/a"), name("acme/b")]);
    world.want(&[item("acme/b", "deny", "Bash(x *)")]);
    assert!(world.text(SETTINGS).is_some_and(|text| text.contains("Bash(x *)")));
    world.want(&[]);
    assert_eq!(world.text(SETTINGS), None);
}

#[test]
fn what_the_user_had_already_is_the_users_for_ever() {
    let before = "{\"permissions\":{\"deny\":[\"Bash(dropdb *)\"]}}";
    let mut world = World::with(SETTINGS, before);
    let out = world.want(&[item("acme/pg", "deny", "Bash(dropdb *)")]);
    assert!(out.changed.is_empty() && world.rows[0].preexisting);
    world.want(&[]);
    assert_eq!(world.text(SETTINGS), Some(before));
    let mut world = World::with(SERVERS, "{\"mcpServers\":{\"pg\":{\"args\":[ ],\"command\":\"npx\"}}}");
    world.want(&[entry("acme/pg", "pg", json!({"command": "npx", "args": []}))]);
    world.want(&[]);
    assert!(world.text(SERVERS).is_some_and(|text| text.contains("npx")));
}

#[test]
fn another_value_under_the_same_key_is_refused_and_the_way_out_named() {
    let mut world = World::with(SERVERS, "{\"mcpServers\":{\"pg\":{\"command\":\"mine\"}}}");
    let refusal = world.refuses(&bundle("acme/pg"), "tools-conflict");
    assert!(refusal.hint.expect("a hint").contains("--rename pg=pg2"));
    let two = [entry("acme/a", "pg", json!(1)), entry("acme/b", "pg", json!(2))];
    World::default().refuses(&two, "tools-conflict");
    let mut world = World::with(".codex/rules/skill-pg.rules", "mine");
    world.refuses(&[rules("acme/pg", "ours")], "tools-conflict");
}

#[test]
fn a_new_version_changes_its_own_values_in_place() {
    let mut world = World::default();
    world.want(&[entry("acme/pg", "pg", json!({"v": 1})), item("acme/pg", "ask", "a")]);
    world.want(&[entry("acme/pg", "pg", json!({"v": 2})), item("acme/pg", "deny", "b")]);
    assert!(world.text(SERVERS).is_some_and(|text| text.contains("\"v\": 2")));
    assert_eq!(world.text(SETTINGS), Some("{\n  \"permissions\": {\n    \"deny\": [\n      \"b\"\n    ]\n  }\n}\n"));
    world.want(&[]);
    assert_eq!((world.text(SERVERS), world.text(SETTINGS)), (None, None));
}

#[test]
fn what_somebody_changed_stays_and_is_said_until_it_is_forced() {
    let mut world = World::default();
    world.want(&[entry("acme/pg", "pg", json!({"v": 1}))]);
    world.edit(SERVERS, "1", "7");
    for wanted in [vec![entry("acme/pg", "pg", json!({"v": 2}))], vec![]] {
        let out = world.want(&wanted);
        assert_eq!(out.modified.len(), 1);
        assert!(world.text(SERVERS).is_some_and(|text| text.contains('7')));
        assert_eq!(world.rows.len(), 1, "the ledger goes on knowing it");
    }
    assert!(world.rows[0].owners.is_empty());
    world.go(&[entry("acme/pg", "pg", json!({"v": 2}))], true);
    assert!(world.text(SERVERS).is_some_and(|text| text.contains("\"v\": 2")));
    world.want(&[]);
    assert_eq!(world.text(SERVERS), None);
}

#[test]
fn files_that_are_gone_are_no_reason_not_to_remove() {
    let mut world = World::default();
    world.want(&bundle("acme/pg"));
    world.files.clear();
    let out = world.want(&[]);
    assert!(out.changed.is_empty() && out.refused.is_empty() && world.rows.is_empty());
}

#[test]
fn entries_that_others_added_to_our_file_keep_it() {
    let mut world = World::default();
    world.want(&[entry("acme/pg", "pg", json!(1))]);
    world.edit(SERVERS, "\"pg\": 1", "\"pg\": 1,\n    \"mine\": 2");
    world.want(&[]);
    assert_eq!(world.text(SERVERS), Some("{\n  \"mcpServers\": {\n    \"mine\": 2\n  }\n}\n"));
}

#[test]
fn a_file_that_cannot_be_edited_refuses_everything() {
    let mut world = World::with(SETTINGS, "{ not json");
    let out = world.want(&bundle("acme/pg"));
    assert_eq!(out.refused.len(), 2, "both entries of that file");
    world.files.insert(SETTINGS.into(), Found::Blocked(Refusal::new("tools-config-blocked", "`x` is a link")));
    world.refuses(&bundle("acme/pg"), "tools-config-blocked");
}

/// The rows of a hostile branch: the digest has to be that of the value, or nothing happens to it.
#[test]
fn a_row_that_lies_removes_nothing() {
    let mine = "{\n  \"mcpServers\": {\n    \"mine\": {\n      \"command\": \"x\"\n    }\n  }\n}\n";
    let mut world = World::with(SERVERS, mine);
    let place = Place::of(Client::ClaudeCode, &entry("a/b", "mine", json!(0)).want);
    world.rows = vec![place.row(Sha256::of("guessed"), &name("a/b")).expect("a row")];
    let out = world.want(&[]);
    assert_eq!((out.modified.len(), world.text(SERVERS)), (1, Some(mine)));
    world.rows =
        vec![Entry { made: vec![String::new(), "/mcpServers".into()], created: true, ..world.rows[0].clone() }];
    world.want(&[]);
    assert_eq!(world.text(SERVERS), Some(mine));
    let outside = Entry { path: FilePath::parse("src/secret.json").expect("lawful"), ..world.rows[0].clone() };
    assert_eq!(reconcile(&world.files, &[outside], &[], false).expect_err("foreign").code, "ledger-foreign");
}
