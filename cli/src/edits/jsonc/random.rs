//! Documents that nobody would write: every mixture of layouts, from a generator that always gives the same.

use serde_json::json;

use crate::edits::{self, Format};

/// A sequence that looks like chance and is none.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.throw(sides) == 0
    }
}

/// How one document is written.
struct Hand {
    dice: Dice,
    newline: &'static str,
    unit: &'static str,
    comments: bool,
    trailing: bool,
}

impl Hand {
    fn document(&mut self) -> String {
        let body = self.object(0, &["mcpServers", "permissions", "model", "hooks"]);
        let head = if self.comments { format!("// mine{}", self.newline) } else { String::new() };
        let end = if self.dice.one_in(2) { self.newline } else { "" };
        format!("{head}{body}{end}")
    }

    fn object(&mut self, depth: usize, keys: &[&str]) -> String {
        let mut elements = Vec::new();
        for key in keys {
            if self.dice.one_in(3) {
                continue;
            }
            let value = match *key {
                "mcpServers" => self.object(depth + 1, &["other", "mine"]),
                "permissions" => self.object(depth + 1, &["allow", "deny"]),
                "allow" | "deny" => self.list(depth + 1),
                "hooks" => self.object(depth + 1, &["x"]),
                _ => ["1", "\"a, {b}\"", "true", "null", "[1, [2]]", "{\"z\": {}}"][self.dice.throw(6) as usize]
                    .to_owned(),
            };
            let colon = if self.dice.one_in(4) { ":" } else { ": " };
            elements.push(format!("\"{key}\"{colon}{value}"));
        }
        self.row('{', '}', depth, &elements)
    }

    fn list(&mut self, depth: usize) -> String {
        let count = self.dice.throw(4);
        let elements: Vec<String> = (0..count).map(|number| format!("\"Read(f{number})\"")).collect();
        self.row('[', ']', depth, &elements)
    }

    fn row(&mut self, open: char, close: char, depth: usize, elements: &[String]) -> String {
        if elements.is_empty() {
            return format!("{open}{close}");
        }
        let tall = !self.dice.one_in(3);
        let mut text = String::from(open);
        for (number, element) in elements.iter().enumerate() {
            if tall {
                if self.comments && self.dice.one_in(5) {
                    text.push_str(&format!("{}{}// above", self.newline, self.unit.repeat(depth + 1)));
                }
                text.push_str(&format!("{}{}", self.newline, self.unit.repeat(depth + 1)));
            } else if number > 0 {
                text.push(' ');
            }
            text.push_str(element);
            let is_last = number + 1 == elements.len();
            if !is_last || (self.trailing && tall) {
                text.push(',');
            }
            if tall && self.comments && self.dice.one_in(4) {
                text.push_str([" // beside", " /* beside */"][self.dice.throw(2) as usize]);
            }
        }
        if tall {
            text.push_str(&format!("{}{}", self.newline, self.unit.repeat(depth)));
        }
        text.push(close);
        text
    }
}

#[test]
fn whatever_the_layout_what_is_added_and_removed_leaves_the_same_bytes() {
    let deny = edits::steps("/permissions/deny").expect("a pointer");
    let pg = edits::steps("/mcpServers/pg").expect("a pointer");
    let (rule, server) = (json!("Bash(x *)"), json!({"command": "npx", "args": ["-y"]}));
    for seed in 0..3000 {
        let mut dice = Dice(seed);
        let newline = if dice.one_in(3) { "\r\n" } else { "\n" };
        let unit = ["  ", "\t", "    "][dice.throw(3) as usize];
        let (comments, trailing) = (dice.one_in(2), dice.one_in(3));
        let text = Hand { dice, newline, unit, comments, trailing }.document();
        let say = |what: &str| format!("seed {seed}, {what}:\n{text}");
        let item = edits::add_item(Format::Json, &text, &deny, &rule)
            .unwrap_or_else(|error| panic!("{error} {}", say("item")));
        let both = edits::add_entry(Format::Json, &item.text, &pg, &server)
            .unwrap_or_else(|error| panic!("{error} {}", say("entry")));
        let made: Vec<Vec<String>> = item.made.iter().chain(&both.made).cloned().collect();
        let first = edits::remove_item(Format::Json, &both.text, &deny, &rule).expect("removed");
        let first = edits::remove_entry(Format::Json, &first, &pg).expect("removed");
        let other = edits::remove_entry(Format::Json, &both.text, &pg).expect("removed");
        let other = edits::remove_item(Format::Json, &other, &deny, &rule).expect("removed");
        for gone in [first, other] {
            let left = edits::remove_if_empty(Format::Json, &gone, &made).expect("removed");
            assert_eq!(left, text, "{}", say(&both.text));
        }
    }
}
