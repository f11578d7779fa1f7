//! Edits of other programs' configuration: one entry in, one entry out, every other byte as it was.
//!
//! People keep comments, tabs, trailing commas and their own order in these files, and installers
//! that parse and print them back have cost people their settings. So nothing is ever printed back:
//! an edit is a splice of the text at a place that the parser names. After every edit the result is
//! read again, and if anything but the one entry differs, the edit is refused. Adding and then
//! removing gives the bytes from before.
//!
//! Pure: text in, text out. Who may edit which file, and what was written by whom, is the business of
//! `tools`.

mod jsonc;
mod toml;

use serde_json::Value;
use skills::{Refusal, Sha256};

pub use crate::clients::Format;

/// Largest file edited, in bytes: settings of years fit.
pub const CONFIG_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most steps from the top of a file to an entry.
pub const STEPS_MAX: usize = 16;

/// A text after something was added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The whole text.
    pub text: String,
    /// The containers that had to be made, outermost first; the empty path is the document itself.
    pub made: Vec<Vec<String>>,
}

/// What is added to a container.
#[derive(Debug, Clone, Copy)]
enum Addition<'a> {
    /// A key of an object, the last step of the path.
    Entry(&'a Value),
    /// An element at the end of a list, which the path names.
    Item(&'a Value),
}

/// The format of a file, by its name.
pub fn format_of(path: &str) -> Option<Format> {
    match path.rsplit('.').next() {
        Some("json" | "jsonc") => Some(Format::Json),
        Some("toml") => Some(Format::Toml),
        _ => None,
    }
}

/// The value at a path, if there is one.
pub fn value_at(format: Format, text: &str, at: &[String]) -> Result<Option<Value>, Refusal> {
    let (_, body) = without_mark(checked(text, at)?);
    match format {
        Format::Json => jsonc::value_at(body, at),
        Format::Toml => toml::value_at(body, at),
    }
}

/// The text with one more key, whose value was not there before.
pub fn add_entry(format: Format, text: &str, at: &[String], value: &Value) -> Result<Added, Refusal> {
    let added = add(format, text, at, Addition::Entry(value))?;
    match value_at(format, &added.text, at)? {
        Some(now) if now == *value => Ok(added),
        _ => Err(unsafe_edit(at)),
    }
}

/// The text with one more element at the end of a list.
pub fn add_item(format: Format, text: &str, at: &[String], item: &Value) -> Result<Added, Refusal> {
    let added = add(format, text, at, Addition::Item(item))?;
    match value_at(format, &added.text, at)? {
        Some(Value::Array(items)) if items.last() == Some(item) => Ok(added),
        _ => Err(unsafe_edit(at)),
    }
}

fn add(format: Format, text: &str, at: &[String], addition: Addition<'_>) -> Result<Added, Refusal> {
    let (mark, body) = without_mark(checked(text, at)?);
    let added = match format {
        Format::Json => jsonc::add(body, at, addition)?,
        Format::Toml => toml::add(body, at, addition)?,
    };
    // Everything but the addition is as it was: taking it out of the value again says so.
    let mut now = whole(format, &added.text)?;
    let item = matches!(addition, Addition::Item(_));
    take_out(&mut now, at, item.then_some(usize::MAX));
    let mut before = whole(format, body)?;
    drop_empty(&mut now, at);
    drop_empty(&mut before, at);
    if now != before {
        return Err(unsafe_edit(at));
    }
    Ok(Added { text: format!("{mark}{}", added.text), made: added.made })
}

/// The text without the entry at this path; as it was, where there is none.
pub fn remove_entry(format: Format, text: &str, at: &[String]) -> Result<String, Refusal> {
    if value_at(format, text, at)?.is_none() {
        return Ok(text.to_owned());
    }
    remove(format, text, at, None)
}

/// The text without the first element of a list that equals this one; as it was, where there is none.
pub fn remove_item(format: Format, text: &str, at: &[String], item: &Value) -> Result<String, Refusal> {
    match position(format, text, at, item)? {
        Some(number) => remove(format, text, at, Some(number)),
        None => Ok(text.to_owned()),
    }
}

fn remove(format: Format, text: &str, at: &[String], item: Option<usize>) -> Result<String, Refusal> {
    let (mark, body) = without_mark(checked(text, at)?);
    let removed = match format {
        Format::Json => jsonc::remove(body, at, item)?,
        Format::Toml => toml::remove(body, at, item)?,
    };
    let mut expected = whole(format, body)?;
    take_out(&mut expected, at, item);
    let mut now = whole(format, &removed)?;
    drop_empty(&mut expected, at);
    drop_empty(&mut now, at);
    if now != expected {
        return Err(unsafe_edit(at));
    }
    Ok(format!("{mark}{removed}"))
}

/// The text with another value under a key that is there.
pub fn replace_entry(format: Format, text: &str, at: &[String], value: &Value) -> Result<String, Refusal> {
    let (mark, body) = without_mark(checked(text, at)?);
    let replaced = match format {
        Format::Json => jsonc::replace(body, at, value)?,
        Format::Toml => toml::add(&toml::remove(body, at, None)?, at, Addition::Entry(value))?.text,
    };
    let (mut before, mut after) = (whole(format, body)?, whole(format, &replaced)?);
    let now = value_at(format, &replaced, at)?;
    take_out(&mut before, at, None);
    take_out(&mut after, at, None);
    drop_empty(&mut before, at);
    drop_empty(&mut after, at);
    if before != after || now.as_ref() != Some(value) {
        return Err(unsafe_edit(at));
    }
    Ok(format!("{mark}{replaced}"))
}

/// The text without the containers among these that are empty, innermost first; the empty path, the
/// document itself, goes with its last byte of blank space.
pub fn remove_if_empty(format: Format, text: &str, made: &[Vec<String>]) -> Result<String, Refusal> {
    let mut text = text.to_owned();
    let mut inner_first: Vec<&Vec<String>> = made.iter().collect();
    inner_first.sort_by_key(|at| std::cmp::Reverse(at.len()));
    for at in inner_first {
        match value_at(format, &text, at)? {
            Some(Value::Object(map)) if !map.is_empty() => {}
            Some(Value::Array(list)) if !list.is_empty() => {}
            Some(Value::Object(_) | Value::Array(_)) if at.is_empty() => text = jsonc::remove_document(&text)?,
            Some(Value::Object(_) | Value::Array(_)) => text = remove(format, &text, at, None)?,
            _ => {}
        }
    }
    Ok(text)
}

/// The keys of an object of a JSON text, in the order in which they stand there.
pub fn keys_in_order(text: &str, at: &[String]) -> Result<Vec<String>, Refusal> {
    jsonc::keys_in_order(without_mark(checked(text, at)?).1, at)
}

/// Where in the list at this path an element stands.
pub fn position(format: Format, text: &str, at: &[String], item: &Value) -> Result<Option<usize>, Refusal> {
    Ok(match value_at(format, text, at)? {
        Some(Value::Array(items)) => items.iter().position(|known| known == item),
        _ => None,
    })
}

/// The digest by which a value is known again: of its canonical text, so that a formatter which only
/// moves spaces and keys changes nothing.
pub fn digest(value: &Value) -> Sha256 {
    Sha256::of(canonical_text(value))
}

/// A value on one line, its keys sorted.
pub fn canonical_text(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    text
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (number, key) in keys.into_iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "," });
                canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// The whole document as a value; `Null` where it has none.
fn whole(format: Format, text: &str) -> Result<Value, Refusal> {
    let value = match format {
        Format::Json => jsonc::value_at(text, &[])?,
        Format::Toml => toml::value_at(text, &[])?,
    };
    // An empty document and one with nothing in it say the same.
    Ok(value.unwrap_or_else(|| Value::Object(serde_json::Map::new())))
}

/// Takes an entry out of a value, or an element of a list: the last one for `usize::MAX`.
fn take_out(value: &mut Value, at: &[String], item: Option<usize>) {
    let (steps, key) = match (at.split_last(), item) {
        (Some((key, steps)), None) => (steps, Some(key)),
        _ => (at, None),
    };
    let container = steps.iter().try_fold(value, |value, step| value.get_mut(step));
    match (container, key) {
        (Some(Value::Object(map)), Some(key)) => drop(map.remove(key)),
        (Some(Value::Array(items)), None) => {
            let number = item.unwrap_or_default().min(items.len().saturating_sub(1));
            if number < items.len() {
                items.remove(number);
            }
        }
        _ => {}
    }
}

/// Takes out the containers on a way that have nothing in them: TOML has some only while something is
/// in them.
fn drop_empty(value: &mut Value, at: &[String]) {
    for length in (1..=at.len()).rev() {
        let here = at[..length].iter().try_fold(&*value, |value, step| value.get(step));
        let is_empty = match here {
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            _ => false,
        };
        if is_empty {
            take_out(value, &at[..length], None);
        }
    }
}

fn checked<'t>(text: &'t str, at: &[String]) -> Result<&'t str, Refusal> {
    if text.len() > CONFIG_BYTES_MAX {
        let message = format!("the file has {} bytes, at most {CONFIG_BYTES_MAX} are edited", text.len());
        return Err(Refusal::new("tools-config-malformed", message));
    }
    if at.len() > STEPS_MAX {
        return Err(Refusal::new("tools-config-malformed", format!("an entry is nested deeper than {STEPS_MAX} keys")));
    }
    Ok(text)
}

/// A byte-order mark stays where it is, and is no part of the document.
fn without_mark(text: &str) -> (&str, &str) {
    match text.strip_prefix('\u{feff}') {
        Some(body) => (&text[..text.len() - body.len()], body),
        None => ("", text),
    }
}

/// The line ending that a text uses.
fn newline_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

fn malformed(why: impl std::fmt::Display) -> Refusal {
    Refusal::new("tools-config-malformed", format!("cannot be read: {why}"))
}

/// Something else stands where a container has to be.
fn wrong_shape(at: &[String], expected: &str) -> Refusal {
    Refusal::new("tools-config-shape", format!("`{}` is not {expected}", pointer(at)))
}

fn unsafe_edit(at: &[String]) -> Refusal {
    Refusal::new(
        "tools-config-shape",
        format!("`{}` cannot be edited without touching what stands around it", pointer(at)),
    )
}

/// A path as a JSON pointer.
pub fn pointer(at: &[String]) -> String {
    at.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// The path of a JSON pointer.
pub fn steps(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let steps = pointer.strip_prefix('/')?.split('/');
    Some(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}
