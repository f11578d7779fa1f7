//! How a JSON file is laid out: its indentation, its line ending, its spaces; and values printed so.

use std::ops::Range;

use jsonc_parser::ast::Value as Node;
use jsonc_parser::common::Ranged;
use serde_json::Value;

use super::Document;
use crate::edits::newline_of;

/// The habits of one file.
pub(super) struct Layout {
    /// One step of indentation.
    pub unit: String,
    /// The line ending.
    pub newline: &'static str,
    /// Whether the whole document stands on one line, and has something in it.
    pub one_line: bool,
    /// Whether a space follows commas and colons.
    pub spaced: bool,
}

impl Layout {
    pub(super) fn of(document: &Document<'_>) -> Self {
        let text = document.text;
        let span = document.root.as_ref().map_or("", |root| &text[root.start()..root.end()]);
        let one_line = !span.contains('\n') && span.len() > 2 && !span[1..span.len() - 1].trim().is_empty();
        let first = match &document.root {
            Some(Node::Object(object)) => object.properties.first().map(|property| property.start()),
            _ => None,
        };
        let unit =
            first.and_then(|start| line_lead(text, start)).map(|lead| text[lead].trim_start_matches(['\r', '\n']));
        let tight = one_line && !span.contains(": ") && !span.contains(", ");
        Self {
            unit: unit.filter(|unit| !unit.is_empty()).unwrap_or("  ").to_owned(),
            newline: newline_of(text),
            one_line,
            spaced: !tight,
        }
    }

    /// A value on one line.
    pub(super) fn flat(&self, value: &Value) -> String {
        let comma = if self.spaced { ", " } else { "," };
        match value {
            Value::Object(map) => {
                let entries: Vec<String> = map.iter().map(|(key, value)| self.flat_element(Some(key), value)).collect();
                format!("{{{}}}", entries.join(comma))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.flat(item)).collect();
                format!("[{}]", items.join(comma))
            }
            scalar => scalar.to_string(),
        }
    }

    /// An element on one line, with its key in an object.
    pub(super) fn flat_element(&self, key: Option<&str>, value: &Value) -> String {
        match key {
            Some(key) => format!("{}:{}{}", quoted(key), if self.spaced { " " } else { "" }, self.flat(value)),
            None => self.flat(value),
        }
    }

    /// A value with a line for each element, the last bracket at this indentation.
    pub(super) fn tall(&self, value: &Value, indent: &str) -> String {
        let (open, close, elements) = match value {
            Value::Object(map) if !map.is_empty() => {
                ('{', '}', map.iter().map(|(key, value)| (Some(key.as_str()), value)).collect::<Vec<_>>())
            }
            Value::Array(items) if !items.is_empty() => ('[', ']', items.iter().map(|item| (None, item)).collect()),
            other => return self.flat(other),
        };
        let inner = format!("{indent}{}", self.unit);
        let lines: Vec<String> = elements
            .into_iter()
            .map(|(key, value)| format!("{}{inner}{}", self.newline, self.tall_element(key, value, &inner)))
            .collect();
        format!("{open}{}{}{indent}{close}", lines.join(","), self.newline)
    }

    /// An element at this indentation, with its key in an object.
    pub(super) fn tall_element(&self, key: Option<&str>, value: &Value, indent: &str) -> String {
        match key {
            Some(key) => format!("{}: {}", quoted(key), self.tall(value, indent)),
            None => self.tall(value, indent),
        }
    }
}

fn quoted(key: &str) -> String {
    Value::String(key.to_owned()).to_string()
}

/// The line break and the indentation before a position, if nothing else stands before it on its line.
pub(super) fn line_lead(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text[..at].trim_end_matches([' ', '\t']);
    let newline = before.strip_suffix('\n')?;
    let newline = newline.strip_suffix('\r').unwrap_or(newline);
    Some(newline.len()..at)
}

/// The indentation of the line on which a position stands.
pub(super) fn indent_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..at];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
