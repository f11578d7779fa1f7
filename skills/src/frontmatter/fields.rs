//! From YAML to the keys that agents read, with a note wherever that took leniency.

use std::collections::BTreeMap;

use super::FrontMatter;
use super::entries::{Entry, entries};
use super::yaml::Value;
use crate::lint::{Finding, Level, SKILL_MD};

/// Reads the mapping; `first_line` is where the YAML begins in the file.
pub(super) fn read(map: Vec<(String, Value)>, front: &str, first_line: usize) -> (FrontMatter, Vec<Finding>) {
    let mut reading = Reading { entries: entries(front), front, first_line, notes: Vec::new() };
    let mut fields = FrontMatter::default();
    for (key, value) in map {
        match key.as_str() {
            "name" => fields.name = reading.text(&key, value, Level::Error),
            "description" => fields.description = reading.text(&key, value, Level::Error),
            "license" => fields.license = reading.text(&key, value, Level::Warning),
            "compatibility" => fields.compatibility = reading.text(&key, value, Level::Warning),
            "allowed-tools" => fields.allowed_tools = reading.tools(&key, value),
            "metadata" => fields.metadata = reading.metadata(value),
            _ => {
                reading.note("S031", Level::Warning, &key, None, format!("agents ignore the key `{}`", shown(&key)));
                fields.unknown.push(key);
            }
        }
    }
    (fields, reading.notes)
}

struct Reading<'a> {
    entries: Vec<Entry>,
    front: &'a str,
    first_line: usize,
    notes: Vec<Finding>,
}

impl Reading<'_> {
    /// A text, or a scalar taken as text, which a strict agent would not.
    fn text(&mut self, key: &str, value: Value, level: Level) -> Option<String> {
        match value {
            Value::Null => None,
            Value::Scalar(text, None) => Some(text),
            Value::Scalar(text, Some(kind)) => {
                let (code, message) = ("S026", format!("`{key}` is a {kind} to YAML, expected text"));
                self.note(code, level, key, Some(format!("write `{key}: \"{text}\"`")), message);
                Some(text)
            }
            Value::List(_) | Value::Map(_) => {
                self.note("S032", level, key, None, format!("`{key}` is a list or mapping, expected text"));
                None
            }
        }
    }

    /// One string, or a list of strings.
    fn tools(&mut self, key: &str, value: Value) -> Option<Vec<String>> {
        match value {
            Value::Null => None,
            Value::Scalar(text, _) => Some(split_tools(&text)),
            Value::List(items) => {
                let texts = items.into_iter().map(|item| match item {
                    Value::Scalar(text, _) => Some(text),
                    _ => None,
                });
                let texts: Option<Vec<String>> = texts.collect();
                if texts.is_none() {
                    self.note("S032", Level::Warning, key, None, format!("`{key}` lists something else than names"));
                }
                texts
            }
            Value::Map(_) => {
                let message = format!("`{key}` is a mapping, expected the names of tools");
                self.note("S032", Level::Warning, key, None, message);
                None
            }
        }
    }

    fn metadata(&mut self, value: Value) -> BTreeMap<String, String> {
        let Value::Map(map) = value else {
            if value != Value::Null {
                let message = "`metadata` is not a mapping of keys to texts".to_owned();
                self.note("S032", Level::Warning, "metadata", None, message);
            }
            return BTreeMap::new();
        };
        map.into_iter().map(|(key, value)| (key.clone(), self.metadata_value(&key, value))).collect()
    }

    /// Everything becomes text; what was not text is noted, because agents disagree about it.
    fn metadata_value(&mut self, key: &str, value: Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::Scalar(text, None) => text,
            Value::Scalar(text, Some(kind)) => {
                let hint = Some(format!("write `{}: \"{text}\"`", shown(key)));
                let message = format!("`metadata.{}` is a {kind} to YAML, expected text", shown(key));
                self.note_within("S030", "metadata", key, hint, message);
                text
            }
            nested @ (Value::List(_) | Value::Map(_)) => {
                let message = format!("`metadata.{}` is a list or mapping, expected text", shown(key));
                self.note_within("S034", "metadata", key, Some("join the values to one text".to_owned()), message);
                compact(&nested)
            }
        }
    }

    fn note(&mut self, code: &'static str, level: Level, key: &str, hint: Option<String>, message: String) {
        let line = self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.line);
        self.push(code, level, line, hint, message);
    }

    /// A note about a key below a top-level key.
    fn note_within(&mut self, code: &'static str, parent: &str, key: &str, hint: Option<String>, message: String) {
        let entry = self.entries.iter().find(|entry| entry.key == parent);
        let line = entry.map(|entry| {
            let below = entry.continued(self.front).lines().position(|line| line.trim_start().starts_with(key));
            entry.line + below.map_or(0, |at| at + 1)
        });
        self.push(code, Level::Warning, line, hint, message);
    }

    fn push(&mut self, code: &'static str, level: Level, line: Option<usize>, hint: Option<String>, message: String) {
        let line = line.map(|line| line + self.first_line - 1);
        let file = SKILL_MD.to_owned();
        self.notes.push(Finding { code, level, file, line, message, hint, fixable: false });
    }
}

fn shown(key: &str) -> String {
    key.chars().take(60).collect::<String>().escape_debug().to_string()
}

/// Nested values on one line, as flow YAML without quotes: for people, never parsed again.
fn compact(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Scalar(text, _) => text.clone(),
        Value::List(items) => format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", ")),
        Value::Map(map) => {
            let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}: {}", compact(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}

/// Splits `Read, Bash(git add *) Write` at commas and blanks, but not inside parentheses.
fn split_tools(text: &str) -> Vec<String> {
    let (mut tools, mut tool, mut depth) = (Vec::new(), String::new(), 0_usize);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (c == ',' || c.is_whitespace()) {
            tools.push(std::mem::take(&mut tool));
        } else {
            tool.push(c);
        }
    }
    tools.push(tool);
    tools.retain(|tool| !tool.is_empty());
    tools
}
