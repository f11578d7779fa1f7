//! Every layout that people give their settings: add, look, take away, and the bytes are as before.

use serde_json::json;

use crate::edits::{self, Format};

use super::*;

fn path(pointer: &str) -> Vec<String> {
    edits::steps(pointer).expect("a pointer")
}

fn rule() -> Value {
    json!("Bash(dropdb *)")
}

fn server() -> Value {
    json!({ "command": "npx", "args": ["-y", "pg@0.6.2"], "env": { "PG_URL": "${PG_URL}" } })
}

/// `settings.json` as people have it.
const SHAPES: &[(&str, &str)] = &[
    (
        "comments",
        "{\n  // ours\n  \"permissions\": {\n    /* never */\n    \"deny\": [\n      \"Read(.env)\" // secrets\n      // more to come\n    ]\n  } // end\n}\n",
    ),
    ("tabs", "{\n\t\"permissions\": {\n\t\t\"deny\": [\n\t\t\t\"Read(.env)\"\n\t\t]\n\t}\n}\n"),
    ("CRLF", "{\r\n  \"permissions\": {\r\n    \"deny\": [\r\n      \"Read(.env)\"\r\n    ]\r\n  }\r\n}\r\n"),
    ("trailing commas", "{\n  \"permissions\": {\n    \"deny\": [\n      \"Read(.env)\",\n    ],\n  },\n}\n"),
    ("one line", "{\"permissions\":{\"deny\":[\"Read(.env)\"]},\"model\":\"x\"}"),
    ("one line with spaces", "{ \"permissions\": { \"deny\": [ \"Read(.env)\" ] }, \"model\": \"x\" }\n"),
    ("empty file", ""),
    ("empty object", "{}"),
    ("no permissions", "{\n    \"model\": \"x\"\n}"),
    ("an empty list", "{\n  \"permissions\": {\n    \"deny\": []\n  }\n}\n"),
    ("a list with a space", "{\n  \"permissions\": { \"deny\": [ ] }\n}\n"),
    ("a byte-order mark", "\u{feff}{\n  \"permissions\": {}\n}\n"),
    ("only a comment", "// nothing yet\n"),
    ("a comment in the list", "{\n  \"permissions\": {\n    \"deny\": [\n      // none yet\n    ]\n  }\n}\n"),
    ("one line, empty inside", "{\"permissions\":{}}"),
    ("a comma before the comment", "{\n  \"a\": 1, // one\n  \"b\": 2, // two\n}\n"),
    ("no last line break", "{\n  \"mcpServers\": {\n    \"other\": { \"command\": \"x\" }\n  }\n}"),
];

fn as_before(name: &str, text: &str) {
    let (deny, pg) = (path("/permissions/deny"), path("/mcpServers/pg"));
    let item = edits::add_item(Format::Json, text, &deny, &rule()).expect(name);
    let entry = edits::add_entry(Format::Json, &item.text, &pg, &server()).expect(name);
    assert_eq!(edits::value_at(Format::Json, &entry.text, &pg).expect(name), Some(server()), "{name}");
    let ends_alike = |a: &str, b: &str| a.ends_with('\n') == b.ends_with('\n');
    assert!(ends_alike(text, &entry.text), "{name}: {}", entry.text);
    let made: Vec<_> = item.made.iter().chain(&entry.made).cloned().collect();

    let one = edits::remove_item(Format::Json, &entry.text, &deny, &rule()).expect(name);
    let two = edits::remove_entry(Format::Json, &one, &pg).expect(name);
    assert_eq!(edits::remove_if_empty(Format::Json, &two, &made).expect(name), text, "{name}:\n{}", entry.text);
    let one = edits::remove_entry(Format::Json, &entry.text, &pg).expect(name);
    let two = edits::remove_item(Format::Json, &one, &deny, &rule()).expect(name);
    assert_eq!(edits::remove_if_empty(Format::Json, &two, &made).expect(name), text, "{name}, the other way round");
}

#[test]
fn add_then_remove_gives_the_same_bytes_in_every_shape() {
    for (name, text) in SHAPES {
        as_before(name, text);
        as_before(name, &text.replace('\n', "\r\n").replace("\r\r", "\r"));
        as_before(name, &text.replace("  ", "\t"));
    }
}

#[test]
fn an_empty_object_over_two_lines_comes_back_as_braces() {
    let text = "{\n}\n";
    let added = edits::add_item(Format::Json, text, &path("/permissions/deny"), &rule()).expect("added");
    let gone = edits::remove_item(Format::Json, &added.text, &path("/permissions/deny"), &rule()).expect("removed");
    assert_eq!(edits::remove_if_empty(Format::Json, &gone, &added.made).expect("removed"), "{}\n");
}

#[test]
fn an_addition_is_laid_out_as_its_neighbours() {
    for (text, expected) in [
        (SHAPES[1].1, "\t\t\t\"Read(.env)\",\n\t\t\t\"Bash(dropdb *)\"\n\t\t]"),
        (SHAPES[3].1, "\"Read(.env)\",\n      \"Bash(dropdb *)\",\n    ],"),
        (SHAPES[4].1, "{\"permissions\":{\"deny\":[\"Read(.env)\",\"Bash(dropdb *)\"]},\"model\":\"x\"}"),
        (SHAPES[0].1, "\"Read(.env)\", // secrets\n      \"Bash(dropdb *)\"\n      // more to come\n"),
        (SHAPES[8].1, "{\n    \"model\": \"x\",\n    \"permissions\": {\n        \"deny\": [\n            \"Bash"),
    ] {
        let added = edits::add_item(Format::Json, text, &path("/permissions/deny"), &rule()).expect(text).text;
        assert!(added.contains(expected), "{added}");
    }
}

#[test]
fn what_stands_around_is_kept_when_others_write_after_us() {
    let text = "{\n  \"mcpServers\": {\n    \"a\": 1 // first\n  }\n}\n";
    let ours = edits::add_entry(Format::Json, text, &path("/mcpServers/pg"), &json!({"command": "x"})).expect("added");
    let theirs = edits::add_entry(Format::Json, &ours.text, &path("/mcpServers/z"), &json!(2)).expect("added").text;
    let theirs = theirs.replace("\"z\": 2", "\"z\": 2 // last");
    let left = edits::remove_entry(Format::Json, &theirs, &path("/mcpServers/pg")).expect("removed");
    assert_eq!(left, "{\n  \"mcpServers\": {\n    \"a\": 1, // first\n    \"z\": 2 // last\n  }\n}\n");
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    let text =
        "{\n  \"mcpServers\": {\n    \"pg\": {\n      \"command\": \"x\"\n    }, // ours\n    \"z\": 2\n  }\n}\n";
    let new =
        edits::replace_entry(Format::Json, text, &path("/mcpServers/pg"), &json!({"command": "y"})).expect("replaced");
    assert_eq!(new, text.replace("\"x\"", "\"y\""));
}

#[test]
fn what_two_programs_would_read_differently_is_refused() {
    for (text, code) in [
        ("{\"permissions\": {}, \"permissions\": {\"deny\": []}}", "tools-config-malformed"),
        ("{\"permissions\": {\"deny\": [], \"deny\": []}}", "tools-config-malformed"),
        ("{\"permissions\": ", "tools-config-malformed"),
        ("{} {}", "tools-config-malformed"),
        ("{'a': 1}", "tools-config-malformed"),
        ("<<<<<<< HEAD\n{}", "tools-config-malformed"),
        ("[]", "tools-config-shape"),
        ("\"text\"", "tools-config-shape"),
        ("{\"permissions\": \"all\"}", "tools-config-shape"),
        ("{\"permissions\": {\"deny\": \"all\"}}", "tools-config-shape"),
        ("{\"permissions\": {\"deny\": {}}}", "tools-config-shape"),
        ("{\"permissions\": null}", "tools-config-shape"),
    ] {
        let refusal = edits::add_item(Format::Json, text, &path("/permissions/deny"), &rule()).expect_err(text);
        assert_eq!(refusal.code, code, "{text}: {refusal}");
    }
    let deep = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let refusal = edits::add_item(Format::Json, &deep, &path("/permissions/deny"), &rule()).expect_err("too deep");
    assert_eq!(refusal.code, "tools-config-malformed");
    let large = format!("{{}}{}", " ".repeat(edits::CONFIG_BYTES_MAX));
    assert!(edits::add_item(Format::Json, &large, &path("/x"), &rule()).is_err());
}

#[test]
fn a_digest_forgets_spaces_and_the_order_of_keys() {
    let value = |text: &str| edits::value_at(Format::Json, text, &[]).expect("JSON").expect("a value");
    assert_eq!(edits::digest(&value("{\"a\":1,\"b\":[1]}")), edits::digest(&value("{ \"b\": [ 1 ], /**/ \"a\": 1 }")));
    assert_ne!(edits::digest(&value("[1,2]")), edits::digest(&value("[2,1]")));
}
