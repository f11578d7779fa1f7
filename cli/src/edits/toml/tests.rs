//! Every layout of a `config.toml`: add, look, take away, and the bytes are as before.

use serde_json::json;

use crate::edits::{self, Format};

use super::*;

fn path(pointer: &str) -> Vec<String> {
    edits::steps(pointer).expect("a pointer")
}

fn server() -> Value {
    json!({
        "command": "npx", "args": ["-y", "pg@0.6.2"], "enabled_tools": ["query", "cancel_backend"],
        "default_tools_approval_mode": "prompt", "tools": { "cancel_backend": { "approval_mode": "prompt" } }
    })
}

const SHAPES: &[(&str, &str)] = &[
    ("comments", "# mine\nmodel = \"x\" # fast\n\n[mcp_servers.other] # keep\ncommand = \"y\"\n# end\n"),
    ("dotted", "mcp_servers.other.command = \"y\"\nmodel = \"x\"\n"),
    ("dotted under a header", "[mcp_servers]\nother.command = \"y\"\nother.args = [ ]\n"),
    ("inline", "mcp_servers = { other = { command = \"y\" } }\nmodel = \"x\"\n"),
    ("inline, tight", "mcp_servers = {other={command=\"y\"}}\n"),
    ("empty", ""),
    ("a line break", "\n"),
    ("no last line break", "[mcp_servers.other]\ncommand = \"y\""),
    ("only comments", "# nothing yet\n"),
    ("a header of its own", "[mcp_servers]\n\n[mcp_servers.other]\ncommand = \"y\"\n\n[[profiles]]\nname = \"p\"\n"),
    ("quoted keys", "[\"mcp_servers\".\"other one\"]\ncommand = 'y'\n\n\n"),
    ("a byte-order mark", "\u{feff}model = \"x\"\n"),
];

fn as_before(name: &str, text: &str) {
    let (pg, db) = (path("/mcp_servers/pg"), path("/mcp_servers/db"));
    let one = edits::add_entry(Format::Toml, text, &pg, &server()).expect(name);
    let two = edits::add_entry(Format::Toml, &one.text, &db, &json!({"command": "z"})).expect(name);
    assert_eq!(edits::value_at(Format::Toml, &two.text, &pg).expect(name), Some(server()), "{name}: {}", two.text);
    for order in [[&pg, &db], [&db, &pg]] {
        let gone = order.iter().try_fold(two.text.clone(), |text, at| edits::remove_entry(Format::Toml, &text, at));
        assert_eq!(gone.expect(name), text, "{name}:\n{}", two.text);
    }
}

#[test]
fn add_then_remove_gives_the_same_bytes_in_every_shape() {
    for (name, text) in SHAPES {
        as_before(name, text);
        as_before(name, &text.replace('\n', "\r\n"));
    }
}

#[test]
fn a_block_reads_as_a_person_would_write_it() {
    let added = edits::add_entry(Format::Toml, "model = \"x\"\n", &path("/mcp_servers/pg"), &server()).expect("added");
    for line in
        ["\n\n[mcp_servers.pg]\n", "command = \"npx\"\n", "\n\n[mcp_servers.pg.tools.cancel_backend]\napproval_mode"]
    {
        assert!(added.text.contains(line), "{}", added.text);
    }
}

#[test]
fn comments_and_neighbours_survive_whatever_order_the_tables_are_in() {
    let text = "[mcp_servers.pg]\ncommand = \"npx\" # ours\n\n# theirs\n[other]\na = 1\n\n[mcp_servers.pg.env]\nX = \"1\"\n# last\n";
    let left = edits::remove_entry(Format::Toml, text, &path("/mcp_servers/pg")).expect("removed");
    assert_eq!(left, "\n# theirs\n[other]\na = 1\n# last\n");
}

#[test]
fn lists_and_keys_are_edited_too() {
    for text in [
        "[a]\nx = [\"1\"]\n",
        "[a]\nx = [\n  \"1\",\n  \"2\" # two\n]\n",
        "a = { x = [ \"1\" ] }\n",
        "",
        "[b]\ny = 1\n",
    ] {
        let added = edits::add_item(Format::Toml, text, &path("/a/x"), &json!("new")).expect(text);
        let gone = edits::remove_item(Format::Toml, &added.text, &path("/a/x"), &json!("new")).expect(text);
        assert_eq!(edits::remove_if_empty(Format::Toml, &gone, &added.made).expect(text), text, "{}", added.text);
    }
    for text in ["[a]\ny = 1\n", "a = { y = 1 }\n", "", "z = 1\n"] {
        let added = edits::add_entry(Format::Toml, text, &path("/a/x"), &json!(true)).expect(text);
        let gone = edits::remove_entry(Format::Toml, &added.text, &path("/a/x")).expect(text);
        assert_eq!(edits::remove_if_empty(Format::Toml, &gone, &added.made).expect(text), text, "{}", added.text);
    }
}

#[test]
fn what_is_no_table_is_refused() {
    for (text, code) in [
        ("mcp_servers = 1\n", "tools-config-shape"),
        ("[[mcp_servers]]\na = 1\n", "tools-config-shape"),
        ("mcp_servers = [\n", "tools-config-malformed"),
        ("[a]\nx = 1\n[a]\n", "tools-config-malformed"),
    ] {
        let refusal = edits::add_entry(Format::Toml, text, &path("/mcp_servers/pg"), &server()).expect_err(text);
        assert_eq!(refusal.code, code, "{text}: {refusal}");
    }
    let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(edits::value_at(Format::Toml, &deep, &path("/a")).is_err());
    let deep = format!("{}a = 1", "a.".repeat(100_000));
    assert!(edits::value_at(Format::Toml, &deep, &path("/a")).is_err());
}
