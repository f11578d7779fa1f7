//! What people write that is not YAML and could only mean one thing.
//!
//! `description: Use when: the query is slow` is the most common fault of published skills: YAML
//! sees a mapping inside a value. The guide for clients says to try again with the value quoted.
//! [`yaml`] does that, on the text, for the reader and for `lint --fix` alike: what the
//! lenient reader understood is exactly what the fixed file says.

use super::entries::{Entry, entries};
use super::yaml::{self, Value};

/// Keys of the specification: a line that begins with one is no continuation of another value.
const KEYS: [&str; 6] = ["name:", "description:", "license:", "compatibility:", "metadata:", "allowed-tools:"];

/// What was mended on which line of the YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mend {
    /// Tabs in the indentation became spaces.
    Tab(usize),
    /// The value of this key was put in quotes.
    Quoted(usize, String),
    /// The block of this key was indented.
    Indented(usize, String),
}

/// Mends YAML that does not parse. What was mended is listed; nothing promises that it parses now.
pub(crate) fn yaml(front: &str) -> (String, Vec<Mend>) {
    // A second document is not a value that lacks quotes.
    if front.lines().any(|line| line.starts_with("---") || line.trim_end() == "...") {
        return (front.to_owned(), Vec::new());
    }
    let (mut text, mut mends) = spaces_for_tabs(front);
    // From the last entry to the first, so that the spans before it stay true.
    for entry in entries(&text).into_iter().rev() {
        if yaml::parse(&text[entry.span.clone()]).is_ok() {
            continue;
        }
        if let Some((better, mend)) = mend_entry(&text, &entry) {
            text.replace_range(entry.span, &better);
            mends.push(mend);
        }
    }
    mends.sort_by_key(|mend| match mend {
        Mend::Tab(line) | Mend::Quoted(line, _) | Mend::Indented(line, _) => *line,
    });
    (text, mends)
}

/// YAML allows no tabs in indentation. Two spaces each: the width that skills use.
fn spaces_for_tabs(front: &str) -> (String, Vec<Mend>) {
    let (mut text, mut mends) = (String::with_capacity(front.len()), Vec::new());
    for (index, line) in front.split_inclusive('\n').enumerate() {
        let content = line.trim_start_matches([' ', '\t']);
        let indent = &line[..line.len() - content.len()];
        if indent.contains('\t') && !content.trim().is_empty() {
            text.push_str(&indent.replace('\t', "  "));
            text.push_str(content);
            mends.push(Mend::Tab(index + 1));
        } else {
            text.push_str(line);
        }
    }
    (text, mends)
}

fn mend_entry(front: &str, entry: &Entry) -> Option<(String, Mend)> {
    let inline = entry.inline(front);
    let key = &front[entry.span.start..entry.value];
    let (better, mend) = if inline.starts_with(['|', '>']) {
        let block: Vec<String> = entry.continued(front).lines().map(|line| format!("  {line}")).collect();
        let better = format!("{key}{inline}\n{}", block.join("\n"));
        (better, Mend::Indented(entry.line, entry.key.clone()))
    } else {
        let better = format!("{key}{}", quote(&meant(inline, entry.continued(front))?));
        (better, Mend::Quoted(entry.line, entry.key.clone()))
    };
    reads_as_text(&better).then_some((better, mend))
}

/// The words that the value was meant to be, or nothing where that is a guess: an unclosed quote or
/// bracket, an empty value with a broken block below it, another key among the lines.
fn meant(inline: &str, continued: &str) -> Option<String> {
    let first = inline.chars().next()?;
    if continued.lines().any(|line| KEYS.iter().any(|key| line.trim_start().starts_with(key))) {
        return None;
    }
    let words = [inline].into_iter().chain(continued.lines()).map(str::trim).filter(|line| !line.is_empty());
    let text = words.collect::<Vec<_>>().join(" ");
    let closing = match first {
        '"' | '\'' => Some(first),
        '[' => Some(']'),
        '{' => Some('}'),
        '&' | '!' => return None,
        _ => None,
    };
    let is_closed = closing.is_none_or(|closing| text.chars().skip(1).any(|c| c == closing));
    is_closed.then_some(text)
}

fn reads_as_text(entry: &str) -> bool {
    matches!(yaml::parse(entry), Ok(Value::Map(map)) if matches!(map.as_slice(), [(_, Value::Scalar(_, None))]))
}

/// A YAML scalar in quotes that reads as this text: double ones, or single where those would need
/// escapes.
pub(crate) fn quote(text: &str) -> String {
    if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}
