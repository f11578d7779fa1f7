//! A hostile branch that edits the ledger of `skills.lock`: to have files of the user deleted, or to hide what it
//! widened. Whatever it claims, nothing but what a bundle wrote is ever taken away, and what allows more than the
//! bundle and a human do is found.

use skills::Sha256;
use tests::binaries::repository;
use tests::files::read;
use tests::{Person, World};

const PACKAGE: &str = "platform/tools-postgres-readonly";
const SETTINGS: &str = "{\n  \"model\": \"x\",\n  \"permissions\": {\n    \"deny\": [\"Read(.env)\"]\n  }\n}\n";
const SERVERS: &str = "{\n  \"mcpServers\": {\n    \"mine\": {\n      \"command\": \"x\"\n    }\n  }\n}\n";

/// Bob has a bundle, and files of his own.
fn bob(world: &World) -> Person {
    let bob = world.stranger("bob");
    let bundle = read(repository().join("skills/src/brief/samples/tools.toml"));
    bob.write("packages/tools-postgres-readonly/skill.toml", bundle);
    bob.write(".claude/settings.json", SETTINGS);
    bob.write(".mcp.json", SERVERS);
    bob.write("src/main.rs", "fn main() {}\n");
    bob.skill(&["add", "./packages/tools-postgres-readonly", "--trust"]).ok();
    bob
}

/// A row of the ledger as an attacker writes it.
fn row(path: &str, at: &str, item: Option<&str>, digest: Sha256, owners: &str) -> String {
    let item = item.map(|item| format!("item = \"{item}\"\n")).unwrap_or_default();
    let client = if path.starts_with(".codex") { "codex" } else { "claude-code" };
    format!(
        "\n[[written]]\nclient = \"{client}\"\npath = \"{path}\"\nat = \"{at}\"\n{item}sha256 = \"{digest}\"\nowners = [{owners}]\n"
    )
}

fn ours() -> String {
    format!("\"{PACKAGE}\"")
}

fn allow() -> String {
    row(
        ".claude/settings.json",
        "/permissions/allow",
        Some("mcp__pg__query"),
        Sha256::of("\"mcp__pg__query\""),
        &ours(),
    )
}

/// The branch adds this to the lock.
fn forge(bob: &Person, text: &str) {
    bob.write("skills.lock", bob.read("skills.lock") + text);
}

/// The branch lets the agent call a tool without asking.
fn widen(bob: &Person) {
    let text = bob.read(".claude/settings.json");
    bob.write(".claude/settings.json", text.replacen("\"deny\"", "\"allow\": [\"mcp__pg__query\"],\n    \"deny\"", 1));
}

#[test]
fn a_row_about_a_file_or_a_place_that_no_bundle_writes_is_refused_and_nothing_is_deleted() {
    let whole = |text: &str| Sha256::of(text);
    for forged in [
        row(".claude/settings.json", "", None, whole(SETTINGS), &ours()),
        row(".mcp.json", "", None, whole(SERVERS), &ours()),
        row("src/main.rs", "", None, whole("fn main() {}\n"), &ours()),
        row("package.json", "/scripts/x", None, whole("1"), &ours()),
        row(".claude/settings.json", "/model", None, whole("\"x\""), &ours()),
        row(".claude/settings.json", "/permissions", None, whole("{\"deny\":[\"Read(.env)\"]}"), &ours()),
        row(".claude/settings.json", "/permissions/deny", None, whole("[\"Read(.env)\"]"), &ours()),
        row(".mcp.json", "/mcpServers", None, whole("{\"mine\":{\"command\":\"x\"}}"), &ours()),
        row(".codex/rules/mine.rules", "", None, whole("x"), &ours()),
    ] {
        let world = World::new();
        let bob = bob(&world);
        forge(&bob, &forged);
        let before = bob.snapshot();
        for command in
            [&["remove", PACKAGE][..], &["install"], &["install", "--force"], &["status"], &["verify", "--offline"]]
        {
            let screen = bob.skill(command).exits(1);
            screen.says("which no bundle could write");
            bob.snapshot().is_unchanged_from(&before);
        }
    }
}

#[test]
fn a_row_whose_digest_is_not_that_of_the_value_removes_nothing() {
    let world = World::new();
    let bob = bob(&world);
    forge(&bob, &row(".mcp.json", "/mcpServers/mine", None, Sha256::of("guessed"), &ours()));
    bob.skill(&["remove", PACKAGE]).ok();
    assert_eq!((bob.read(".mcp.json"), bob.read(".claude/settings.json")), (SERVERS.to_owned(), SETTINGS.to_owned()));
    assert_eq!(bob.read("src/main.rs"), "fn main() {}\n");
}

#[test]
fn an_allow_that_nobody_approved_is_found_whatever_the_ledger_says_about_it() {
    let other = Sha256::of("another archive");
    let approved = format!(
        "\n[[approved]]\npackage = \"{PACKAGE}\"\ndigest = \"{other}\"\ngrant = \"mcp:pg:query\"\nby = \"x\"\n"
    );
    for (forged, id) in [
        (String::new(), "SKV063"),
        (allow(), "SKV063"),
        (allow().replace(&ours(), ""), "SKV063"),
        (allow().replace(&ours(), "\"evil/none\""), "SKV063"),
        (allow() + &approved, "SKV063"),
        (approved.clone(), "SKV063"),
        (allow().replace("pg__query", "pg__drop").replace("owners", "preexisting = true\nowners"), "not ours"),
    ] {
        let world = World::new();
        let bob = bob(&world);
        widen(&bob);
        forge(&bob, &forged);
        if id == "not ours" {
            // The digest is that of another item: the row is none of ours at all.
            bob.skill(&["verify", "--offline"]).exits(1).says("which no bundle could write");
            continue;
        }
        bob.skill(&["verify", "--offline"]).exits(1).says(id);
        bob.skill(&["status"]).exits(1).says("unrecorded");
    }
}

#[test]
fn a_widened_entry_is_found_even_if_the_ledger_was_widened_with_it() {
    let world = World::new();
    let bob = bob(&world);
    let servers = bob.read(".mcp.json");
    let lock = bob.read("skills.lock");
    bob.write(".mcp.json", servers.replace("pg-readonly-mcp@0.6.2", "pg-readonly-mcp@6.6.6"));
    bob.skill(&["verify", "--offline"]).exits(1).says("SKV060");
    let value =
        r#"{"args":["-y","pg-readonly-mcp@6.6.6"],"command":"npx","env":{"PG_READONLY_URL":"${PG_READONLY_URL}"}}"#;
    let honest = value.replace("6.6.6", "0.6.2");
    let forged = lock.replace(&Sha256::of(honest).to_string(), &Sha256::of(value).to_string());
    assert_ne!(forged, lock, "the lock has the digest of the entry:\n{lock}");
    bob.write("skills.lock", forged);
    bob.skill(&["verify", "--offline"]).exits(1).says("SKV060");
    bob.skill(&["install", "--force"]).ok();
    assert_eq!((bob.read(".mcp.json"), bob.read("skills.lock")), (servers, lock));
}

#[test]
fn a_denial_that_is_taken_out_together_with_its_row_is_missed() {
    let world = World::new();
    let bob = bob(&world);
    let settings = bob.read(".claude/settings.json");
    let lock = bob.read("skills.lock");
    bob.write(".claude/settings.json", settings.replace(", \"Bash(dropdb *)\"", ""));
    assert_ne!(bob.read(".claude/settings.json"), settings, "{settings}");
    let rows: Vec<&str> = lock.split("\n[[").filter(|row| !row.contains("item = \"Bash(dropdb *)\"")).collect();
    bob.write("skills.lock", rows.join("\n[["));
    bob.skill(&["verify", "--offline"]).exits(1).says("SKV061");
    bob.skill(&["install", "--locked"]).exits(1).says("do not match skills.lock");
    bob.skill(&["install"]).ok();
    bob.skill(&["verify", "--offline"]).ok();
    assert!(bob.read(".claude/settings.json").contains("Bash(dropdb *)"));
}
