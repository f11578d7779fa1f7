//! Small edits of front matter that leave every other byte alone.

use super::entries::{Entry, entries};
use super::mend::quote;
use super::yaml::{self, Value};

/// The YAML with another `name`, or with one where there was none. A comment behind the old name
/// stays.
pub(crate) fn set_name(front: &str, name: &str) -> String {
    let Some(entry) = entries(front).into_iter().find(|entry| entry.key == "name") else {
        let line_end = if front.contains("\r\n") { "\r\n" } else { "\n" };
        return format!("name: {}{line_end}{front}", plain_or_quoted(name));
    };
    let comment = comment_after(entry.inline(front)).map_or_else(String::new, |comment| format!(" {comment}"));
    let mut better = front.to_owned();
    let key = front[entry.span.start..entry.value].trim_end();
    better.replace_range(entry.span.clone(), &format!("{key} {}{comment}", plain_or_quoted(name)));
    better
}

/// The YAML with scalars that are no text put in quotes: those of these top-level keys, and every
/// one directly below `metadata`.
pub(crate) fn quote_scalars(front: &str, keys: &[&str]) -> String {
    let mut better = front.to_owned();
    for entry in entries(front).into_iter().rev() {
        if entry.key == "metadata" {
            quote_below(&mut better, &entry);
        } else if keys.contains(&entry.key.as_str()) && entry.continued(front).is_empty() {
            quote_line(&mut better, entry.span.start);
        }
    }
    better
}

fn quote_below(front: &mut String, entry: &Entry) {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = entry.span.start;
    for line in front[entry.span.clone()].split_inclusive('\n') {
        starts.push(at);
        at += line.len();
    }
    let indent_of = |start: usize| front[start..].len() - front[start..].trim_start_matches(' ').len();
    let Some(indent) = starts.get(1).map(|start| indent_of(*start)) else { return };
    let below: Vec<usize> = starts[1..].iter().copied().filter(|start| indent_of(*start) == indent).collect();
    for start in below.into_iter().rev() {
        quote_line(front, start + indent);
    }
}

/// Quotes the value of a `key: value` line if YAML takes it for something else than text.
fn quote_line(front: &mut String, start: usize) {
    let line_end = front[start..].find('\n').map_or(front.len(), |at| start + at);
    let line = front[start..line_end].trim_end();
    let Ok(Value::Map(map)) = yaml::parse(line) else { return };
    let ([(_, Value::Scalar(text, Some(_)))], Some(colon)) = (map.as_slice(), line.find(':')) else { return };
    // The spelling is plain, so it stands in the line as it is.
    if let Some(at) = line[colon + 1..].find(text.as_str()) {
        let value = start + colon + 1 + at;
        front.replace_range(value..value + text.len(), &quote(text));
    }
}

/// A name in quotes where YAML, of any version, could take it for a number, a date or a boolean.
fn plain_or_quoted(name: &str) -> String {
    let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(name, "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n");
    if is_word { name.to_owned() } else { quote(name) }
}

/// The comment at the end of a line with a plain or quoted value.
fn comment_after(inline: &str) -> Option<&str> {
    let skip = match inline.chars().next()? {
        quote @ ('"' | '\'') => inline[1..].find(quote)? + 2,
        '|' | '>' => return None,
        _ => 0,
    };
    inline[skip..].find(" #").map(|at| &inline[skip + at + 1..])
}
