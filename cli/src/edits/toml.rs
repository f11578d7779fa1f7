//! Splices in TOML.
//!
//! A table is added as a block at the end of the file, which is lawful wherever the file keeps its
//! other tables, and is cut out again line by line. Only what stands inside an inline table or a list
//! is edited with `toml_edit`, which keeps the spaces around.

use std::ops::Range;

use serde_json::{Map, Number, Value};
use skills::Refusal;
use toml_edit::{Array, Document, DocumentMut, InlineTable, Item, Key, Table, TableLike, Value as Node};

use super::{Added, Addition, malformed, newline_of, wrong_shape};
use crate::project::toml_sentence;

pub(super) fn value_at(text: &str, at: &[String]) -> Result<Option<Value>, Refusal> {
    let document = parse(text)?;
    find(document.as_item(), at)?.map(to_json).transpose()
}

pub(super) fn add(text: &str, at: &[String], addition: Addition<'_>) -> Result<Added, Refusal> {
    let document = parse(text)?;
    match addition {
        Addition::Item(item) => match find(document.as_item(), at)? {
            Some(_) => Ok(Added { text: push(text, at, item)?, made: Vec::new() }),
            None => {
                let mut added = add(text, at, Addition::Entry(&Value::Array(vec![item.clone()])))?;
                added.made.push(at.to_vec());
                Ok(added)
            }
        },
        Addition::Entry(value) => {
            let (key, steps) = at.split_last().ok_or_else(|| wrong_shape(at, "a key of a table"))?;
            match (find(document.as_item(), steps)?, value) {
                (Some(Item::Value(_)), _) => insert(text, steps, key, value),
                (Some(Item::Table(_)) | None, Value::Object(map)) => {
                    Ok(Added { text: append(text, at, map)?, made: Vec::new() })
                }
                (Some(Item::Table(_)), _) => insert(text, steps, key, value),
                (None, _) => {
                    let map = Map::from_iter([(key.clone(), value.clone())]);
                    Ok(Added { text: append(text, steps, &map)?, made: vec![steps.to_vec()] })
                }
                _ => Err(wrong_shape(steps, "a table of the file")),
            }
        }
    }
}

pub(super) fn remove(text: &str, at: &[String], item: Option<usize>) -> Result<String, Refusal> {
    let document = parse(text)?;
    if let (Some(Item::Table(table)), None) = (find(document.as_item(), at)?, item)
        && !table.is_dotted()
    {
        return cut(text, table, at);
    }
    let mut document = parse(text)?.into_mut();
    match item {
        Some(number) => {
            let array = find_mut(&mut document, at).and_then(Item::as_array_mut);
            take_element(array.ok_or_else(|| wrong_shape(at, "a list of the file"))?, number);
        }
        None => {
            let (key, steps) = at.split_last().ok_or_else(|| wrong_shape(at, "a key of a table"))?;
            match find_mut(&mut document, steps) {
                Some(Item::Value(Node::InlineTable(table))) => take_key(table, key),
                Some(Item::Table(table)) => drop(table.remove(key)),
                _ => return Err(wrong_shape(steps, "a table of the file")),
            }
        }
    }
    written(text, &document)
}

fn parse(text: &str) -> Result<Document<&str>, Refusal> {
    Document::parse(text).map_err(|error| malformed(toml_sentence(text, error.message(), error.span())))
}

/// The text of an edited document. `toml_edit` writes one kind of line ending, so a file with both
/// cannot be kept as it is.
fn written(before: &str, document: &DocumentMut) -> Result<String, Refusal> {
    let text = document.to_string().replace("\r\n", "\n");
    match (before.matches('\n').count(), before.matches("\r\n").count()) {
        (_, 0) => Ok(text),
        (all, windows) if all == windows => Ok(text.replace('\n', "\r\n")),
        _ => Err(malformed("its lines end in two ways")),
    }
}

fn find<'d>(root: &'d Item, at: &[String]) -> Result<Option<&'d Item>, Refusal> {
    let mut item = root;
    for (depth, step) in at.iter().enumerate() {
        let table = item.as_table_like().ok_or_else(|| wrong_shape(&at[..depth], "a table of the file"))?;
        match table.get(step) {
            Some(next) => item = next,
            None => return Ok(None),
        }
    }
    Ok(Some(item))
}

fn find_mut<'d>(document: &'d mut DocumentMut, at: &[String]) -> Option<&'d mut Item> {
    at.iter().try_fold(document.as_item_mut(), |item, step| item.as_table_like_mut()?.get_mut(step))
}

/// The text with a table at its end: a header, the keys, then a header for each table inside.
fn append(text: &str, at: &[String], map: &Map<String, Value>) -> Result<String, Refusal> {
    let newline = newline_of(text);
    let mut lines = Vec::new();
    block(at, map, &mut lines)?;
    let block = lines.join(newline);
    Ok(match text {
        "" => format!("{block}{newline}"),
        text if text.ends_with('\n') => format!("{text}{newline}{block}{newline}"),
        text => format!("{text}{newline}{newline}{block}"),
    })
}

fn block(at: &[String], map: &Map<String, Value>, lines: &mut Vec<String>) -> Result<(), Refusal> {
    let path: Vec<String> = at.iter().map(|step| quoted(step)).collect();
    let is_table = |value: &Value| matches!(value, Value::Object(_));
    if map.is_empty() || map.values().any(|value| !is_table(value)) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("[{}]", path.join(".")));
    }
    for (key, value) in map.iter().filter(|(_, value)| !is_table(value)) {
        lines.push(format!("{} = {}", quoted(key), from_json(value)?.to_string().trim()));
    }
    for (key, value) in map {
        if let Value::Object(inner) = value {
            let at: Vec<String> = at.iter().chain([key]).cloned().collect();
            block(&at, inner, lines)?;
        }
    }
    Ok(())
}

fn quoted(key: &str) -> String {
    Key::new(key).default_repr().as_raw().as_str().unwrap_or_default().to_owned()
}

/// The text without a table and the tables inside it, each with the blank line before it.
fn cut(text: &str, table: &Table, at: &[String]) -> Result<String, Refusal> {
    let mut chunks = Vec::new();
    chunks_of(table, at, &mut chunks)?;
    chunks.sort_by_key(|chunk: &Range<usize>| std::cmp::Reverse(chunk.start));
    let mut out = text.to_owned();
    for chunk in chunks {
        let start = out[..chunk.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = out[chunk.end..].find('\n').map(|newline| chunk.end + newline + 1);
        let mut head = &out[..start];
        // The blank line before it came with it; at the end of a file without a last line break, so did
        // the break before that.
        if let Some(shorter) = without_newline(head).filter(|shorter| shorter.is_empty() || shorter.ends_with('\n')) {
            head = shorter;
        }
        if end.is_none() {
            head = without_newline(head).unwrap_or(head);
        }
        out = format!("{head}{}", &out[end.unwrap_or(out.len())..]);
    }
    Ok(out)
}

fn without_newline(text: &str) -> Option<&str> {
    let shorter = text.strip_suffix('\n')?;
    Some(shorter.strip_suffix('\r').unwrap_or(shorter))
}

/// From the header of a table to its last value, for it and all tables inside it.
fn chunks_of(table: &Table, at: &[String], chunks: &mut Vec<Range<usize>>) -> Result<(), Refusal> {
    if let Some(header) = table.span().filter(|_| !table.is_implicit()) {
        let end = last_end(table).unwrap_or(header.end).max(header.end);
        chunks.push(header.start..end);
    }
    for (_, item) in table.iter() {
        match item {
            Item::Table(inner) if !inner.is_dotted() => chunks_of(inner, at, chunks)?,
            Item::ArrayOfTables(_) => return Err(wrong_shape(at, "written as tables")),
            _ => {}
        }
    }
    Ok(())
}

/// Where the last value that stands under a table's own header ends.
fn last_end(table: &Table) -> Option<usize> {
    let ends = table.iter().filter_map(|(_, item)| match item {
        Item::Value(value) => value.span().map(|span| span.end),
        Item::Table(inner) if inner.is_dotted() => last_end(inner),
        _ => None,
    });
    ends.max()
}

/// The text with one more key in a table that stands there already.
fn insert(text: &str, steps: &[String], key: &str, value: &Value) -> Result<Added, Refusal> {
    let mut document = parse(text)?.into_mut();
    let mut node = from_json(value)?;
    match find_mut(&mut document, steps) {
        Some(Item::Value(Node::InlineTable(table))) => {
            // The space before the closing brace stays before the closing brace.
            let last = table.iter().last().map(|(key, _)| key.to_owned());
            let mut suffix = String::new();
            if let Some(last) = last.and_then(|last| table.get_mut(&last)) {
                suffix = last.decor().suffix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
                last.decor_mut().set_suffix("");
            }
            node.decor_mut().set_prefix(" ");
            node.decor_mut().set_suffix(suffix);
            table.insert(key, node);
        }
        Some(Item::Table(table)) => drop(table.insert(key, Item::Value(node))),
        _ => return Err(wrong_shape(steps, "a table of the file")),
    }
    Ok(Added { text: written(text, &document)?, made: Vec::new() })
}

fn take_key(table: &mut InlineTable, key: &str) {
    let is_last = table.iter().last().is_some_and(|(last, _)| last == key);
    let Some(removed) = table.remove(key) else { return };
    let last = table.iter().last().map(|(last, _)| last.to_owned());
    if let (true, Some(last)) = (is_last, last.and_then(|last| table.get_mut(&last)))
        && let Some(suffix) = removed.decor().suffix().and_then(|raw| raw.as_str())
    {
        last.decor_mut().set_suffix(suffix);
    }
}

/// The text with one more element in a list, laid out as the last one.
fn push(text: &str, at: &[String], item: &Value) -> Result<String, Refusal> {
    let mut document = parse(text)?.into_mut();
    let array = find_mut(&mut document, at).and_then(Item::as_array_mut);
    let array = array.ok_or_else(|| wrong_shape(at, "a list of the file"))?;
    let mut node = from_json(item)?;
    let last = array.len().checked_sub(1).and_then(|last| array.get_mut(last));
    if let Some(last) = last {
        let suffix = last.decor().suffix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
        let prefix = last.decor().prefix().and_then(|raw| raw.as_str()).unwrap_or_default().to_owned();
        last.decor_mut().set_suffix("");
        node.decor_mut().set_prefix(if prefix.is_empty() || prefix.trim() != "" { " ".to_owned() } else { prefix });
        node.decor_mut().set_suffix(suffix);
    }
    array.push_formatted(node);
    written(text, &document)
}

fn take_element(array: &mut Array, number: usize) {
    let is_last = number + 1 == array.len();
    let removed = array.remove(number);
    let last = array.len().checked_sub(1).and_then(|last| array.get_mut(last));
    if let (true, Some(last), Some(suffix)) = (is_last, last, removed.decor().suffix().and_then(|raw| raw.as_str())) {
        last.decor_mut().set_suffix(suffix);
    }
}

fn to_json(item: &Item) -> Result<Value, Refusal> {
    Ok(match item {
        Item::None => Value::Null,
        Item::Value(value) => node_to_json(value),
        Item::Table(table) => table_to_json(table)?,
        Item::ArrayOfTables(tables) => {
            Value::Array(tables.iter().map(|table| table_to_json(table)).collect::<Result<_, _>>()?)
        }
    })
}

fn table_to_json(table: &dyn TableLike) -> Result<Value, Refusal> {
    let entries = table.iter().map(|(key, item)| Ok((key.to_owned(), to_json(item)?)));
    Ok(Value::Object(entries.collect::<Result<_, Refusal>>()?))
}

fn node_to_json(node: &Node) -> Value {
    match node {
        Node::String(text) => Value::String(text.value().clone()),
        Node::Integer(number) => Value::from(*number.value()),
        Node::Float(number) => Number::from_f64(*number.value()).map_or(Value::Null, Value::Number),
        Node::Boolean(truth) => Value::Bool(*truth.value()),
        Node::Datetime(time) => Value::String(time.value().to_string()),
        Node::Array(items) => Value::Array(items.iter().map(node_to_json).collect()),
        Node::InlineTable(table) => {
            Value::Object(table.iter().map(|(key, node)| (key.to_owned(), node_to_json(node))).collect())
        }
    }
}

fn from_json(value: &Value) -> Result<Node, Refusal> {
    Ok(match value {
        Value::Null => return Err(malformed("TOML has no null")),
        Value::Bool(truth) => Node::from(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Node::from(whole),
            (None, Some(float)) => Node::from(float),
            (None, None) => return Err(malformed("a number that TOML cannot hold")),
        },
        Value::String(text) => Node::from(text.as_str()),
        Value::Array(items) => Node::Array(items.iter().map(from_json).collect::<Result<Array, _>>()?),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| Ok((key.clone(), from_json(value)?)));
            Node::InlineTable(entries.collect::<Result<InlineTable, Refusal>>()?)
        }
    })
}

#[cfg(test)]
mod tests;
