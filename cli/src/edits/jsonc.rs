//! Splices in JSON with comments.
//!
//! The parser says where things stand; the text itself says how they are laid out. An addition goes
//! behind the last element of its container, laid out as that one is, and brings a trailing comma
//! only where one was. A removal is the same splice read backwards.

mod layout;

use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::{Token, TokenAndRange};
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};
use serde_json::{Map, Value};
use skills::Refusal;

use self::layout::{Layout, line_lead};
use super::{Added, Addition, malformed, wrong_shape};

/// A document: its tree, and its tokens with the comments among them.
struct Document<'t> {
    text: &'t str,
    root: Option<Node<'t>>,
    tokens: Vec<TokenAndRange<'t>>,
}

/// An object or a list, seen as a row of elements between two brackets.
struct Row {
    open: usize,
    close: usize,
    elements: Vec<Range<usize>>,
}

pub(super) fn value_at(text: &str, at: &[String]) -> Result<Option<Value>, Refusal> {
    let document = Document::parse(text)?;
    Ok(document.find(at)?.map(|node| Value::from(node.clone())))
}

pub(super) fn keys_in_order(text: &str, at: &[String]) -> Result<Vec<String>, Refusal> {
    let document = Document::parse(text)?;
    let object = document.find(at)?.and_then(Node::as_object);
    Ok(object.into_iter().flat_map(|known| &known.properties).map(|one| one.name.as_str().to_owned()).collect())
}

pub(super) fn add(text: &str, at: &[String], addition: Addition<'_>) -> Result<Added, Refusal> {
    let document = Document::parse(text)?;
    let (steps, last, value) = match addition {
        Addition::Entry(value) => {
            let (key, steps) = at.split_last().ok_or_else(|| wrong_shape(at, "a key of an object"))?;
            (steps, Some(key), value.clone())
        }
        Addition::Item(item) => (at, None, item.clone()),
    };
    let mut known = steps.len();
    let container = loop {
        match document.find(&steps[..known])? {
            Some(node) => break Some(node),
            None if known == 0 => break None,
            None => known -= 1,
        }
    };
    let Some(container) = container else {
        let made = (0..=steps.len()).map(|length| steps[..length].to_vec()).collect();
        return Ok(Added { text: document.with_root(&nested(steps, last, value)), made });
    };
    let made: Vec<Vec<String>> = (known + 1..=steps.len()).map(|length| steps[..length].to_vec()).collect();
    let (key, value) = match steps.get(known) {
        Some(step) => (Some(step), nested(&steps[known + 1..], last, value)),
        None => (last, value),
    };
    let row = row_of(container, key.is_some()).ok_or_else(|| {
        wrong_shape(&steps[..known], if key.is_some() { "an object of the file" } else { "a list of the file" })
    })?;
    Ok(Added { text: document.with_element(&row, key.map(String::as_str), &value), made })
}

pub(super) fn replace(text: &str, at: &[String], value: &Value) -> Result<String, Refusal> {
    let document = Document::parse(text)?;
    let node = document.find(at)?.ok_or_else(|| wrong_shape(at, "an entry of the file"))?;
    let layout = Layout::of(&document);
    let flat = !text[node.start()..node.end()].contains('\n') && layout.one_line;
    let printed = if flat { layout.flat(value) } else { layout.tall(value, layout::indent_at(text, node.start())) };
    Ok(splice(text, node.start()..node.end(), &printed))
}

pub(super) fn remove(text: &str, at: &[String], item: Option<usize>) -> Result<String, Refusal> {
    let document = Document::parse(text)?;
    let (parent, number) = match item {
        Some(number) => (document.find(at)?, number),
        None => {
            let (key, steps) = at.split_last().ok_or_else(|| wrong_shape(at, "a key of an object"))?;
            let parent = document.find(steps)?;
            let known = parent
                .and_then(Node::as_object)
                .and_then(|object| object.properties.iter().position(|property| property.name.as_str() == key));
            (parent, known.ok_or_else(|| wrong_shape(at, "an entry of the file"))?)
        }
    };
    let row = parent.and_then(|node| row_of(node, item.is_none())).ok_or_else(|| wrong_shape(at, "in a container"))?;
    Ok(document.without_element(&row, number))
}

/// The text without its document, which is empty.
pub(super) fn remove_document(text: &str) -> Result<String, Refusal> {
    let document = Document::parse(text)?;
    Ok(match &document.root {
        Some(root) => {
            let start = line_lead(text, root.start()).map_or(root.start(), |lead| lead.start);
            splice(text, start..root.end(), "")
        }
        None => text.to_owned(),
    })
}

impl<'t> Document<'t> {
    fn parse(text: &'t str) -> Result<Self, Refusal> {
        let options = ParseOptions {
            allow_loose_object_property_names: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
            ..ParseOptions::default()
        };
        let collect = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
        let parsed = parse_to_ast(text, &collect, &options).map_err(malformed)?;
        Ok(Self { text, root: parsed.value, tokens: parsed.tokens.unwrap_or_default() })
    }

    /// The node at a path. A key that stands twice on the way is refused: agents differ in which of
    /// the two they read.
    fn find(&self, at: &[String]) -> Result<Option<&Node<'t>>, Refusal> {
        let mut node = self.root.as_ref();
        for (depth, step) in at.iter().enumerate() {
            let Some(Node::Object(object)) = node else {
                return if node.is_none() { Ok(None) } else { Err(wrong_shape(&at[..depth], "an object of the file")) };
            };
            node = only(object, step).map_err(|()| malformed(format_args!("the key `{step}` stands twice")))?;
        }
        if let Some(Node::Object(object)) = node {
            refuse_twice(object)?;
        }
        Ok(node)
    }

    /// The text with a document, where there was none but blank space and comments: behind those, on a
    /// line of its own.
    fn with_root(&self, value: &Value) -> String {
        let layout = Layout::of(self);
        let printed = layout.tall(value, "");
        if self.text.trim().is_empty() {
            return format!("{printed}{}", self.text);
        }
        let end = self.text.strip_suffix(layout.newline).map_or(self.text.len(), str::len);
        splice(self.text, end..end, &format!("{}{printed}", layout.newline))
    }

    fn with_element(&self, row: &Row, key: Option<&str>, value: &Value) -> String {
        let layout = Layout::of(self);
        match row.elements.last() {
            Some(last) => self.behind(row, last, &layout, key, value),
            None => self.of_empty(row, &layout, key, value),
        }
    }

    fn behind(&self, row: &Row, last: &Range<usize>, layout: &Layout, key: Option<&str>, value: &Value) -> String {
        let (comma, end) = self.after(last.end, row.close);
        let lead = line_lead(self.text, last.start);
        let element = match lead {
            Some(lead) => {
                let indent = self.text[lead.clone()].trim_start_matches(['\r', '\n']);
                format!("{}{indent}{}", layout.newline, layout.tall_element(key, value, indent))
            }
            None => {
                let spaced = layout.spaced;
                format!("{}{}", if spaced { " " } else { "" }, layout.flat_element(key, value))
            }
        };
        match comma {
            // A trailing comma: the new last element has one too.
            Some(_) => splice(self.text, end..end, &format!("{element},")),
            None => splice(&splice(self.text, end..end, &element), last.end..last.end, ","),
        }
    }

    fn of_empty(&self, row: &Row, layout: &Layout, key: Option<&str>, value: &Value) -> String {
        let inside = &self.text[row.open + 1..row.close];
        let comment = self
            .tokens
            .iter()
            .rfind(|token| row.open < token.range.start && token.range.end <= row.close && is_comment(&token.token));
        let outer = layout::indent_at(self.text, row.open);
        let indent = format!("{outer}{}", layout.unit);
        let tall = || format!("{}{indent}{}", layout.newline, layout.tall_element(key, value, &indent));
        if let Some(comment) = comment {
            let end = comment.range.end;
            // A comment to the end of the line keeps its line; the bracket keeps its own, if it has one.
            let bracket = if self.text[end..row.close].contains('\n') {
                String::new()
            } else {
                format!("{}{outer}", layout.newline)
            };
            return splice(self.text, end..end, &format!("{}{bracket}", tall()));
        }
        let blank = inside.is_empty();
        if (blank && layout.one_line) || (!blank && !inside.contains('\n')) {
            return splice(
                self.text,
                row.open + 1..row.open + 1,
                &format!("{inside}{}", layout.flat_element(key, value)),
            );
        }
        splice(self.text, row.open + 1..row.close, &format!("{}{}{outer}", tall(), layout.newline))
    }

    fn without_element(&self, row: &Row, number: usize) -> String {
        let element = &row.elements[number];
        let (comma, _) = self.after(element.end, row.close);
        let is_last = number + 1 == row.elements.len();
        let end = comma.as_ref().map_or(element.end, |comma| comma.end);
        let lead = line_lead(self.text, element.start);
        let start = lead.as_ref().map_or(element.start, |lead| lead.start);
        if row.elements.len() == 1 {
            return self.emptied(row, start, end);
        }
        if !is_last {
            // On one line, the space between this element and the next goes with it.
            let next = row.elements[number + 1].start;
            let gap = self.text[end..next].chars().all(|c| matches!(c, ' ' | '\t'));
            let end = if lead.is_none() && gap { next } else { end };
            return splice(self.text, start..end, "");
        }
        let previous = &row.elements[number - 1];
        let (before, _) = self.after(previous.end, row.close);
        let blank = self.text[..start].len() - self.text[..start].trim_end_matches([' ', '\t']).len();
        let start = if lead.is_none() { start - blank } else { start };
        let cut = splice(self.text, start..end, "");
        match (comma, before) {
            // There was no comma behind it, so the one before it came with it.
            (None, Some(before)) => splice(&cut, before, ""),
            _ => cut,
        }
    }

    /// The container without its only element: as empty as it was before.
    fn emptied(&self, row: &Row, start: usize, end: usize) -> String {
        let (before, after) = (&self.text[row.open + 1..start], &self.text[end..row.close]);
        if !before.trim().is_empty() || !after.trim().is_empty() {
            return splice(self.text, start..end, "");
        }
        let kept = if before == after && !before.contains('\n') { before } else { "" };
        splice(self.text, row.open + 1..row.close, kept)
    }

    /// The comma behind an element, and where the line's comments behind it end.
    fn after(&self, end: usize, close: usize) -> (Option<Range<usize>>, usize) {
        let (mut comma, mut at) = (None, end);
        for token in self.tokens.iter().filter(|token| token.range.start >= end && token.range.start < close) {
            let range = token.range.start..token.range.end;
            match token.token {
                Token::Comma if comma.is_none() => {
                    at = range.end;
                    comma = Some(range);
                }
                ref token if is_comment(token) && !self.text[at..range.start].contains('\n') => at = range.end,
                ref token if is_comment(token) => {}
                _ => break,
            }
        }
        (comma, at)
    }
}

fn is_comment(token: &Token<'_>) -> bool {
    matches!(token, Token::CommentLine(_) | Token::CommentBlock(_))
}

/// The only value under a key; an error where the key stands twice.
fn only<'n, 't>(object: &'n Object<'t>, key: &str) -> Result<Option<&'n Node<'t>>, ()> {
    let mut found = object.properties.iter().filter(|property| property.name.as_str() == key);
    let first = found.next();
    if found.next().is_some() { Err(()) } else { Ok(first.map(|property| &property.value)) }
}

fn refuse_twice(object: &Object<'_>) -> Result<(), Refusal> {
    let name = |property: &ObjectProp<'_>| property.name.as_str().to_owned();
    let mut names: Vec<String> = object.properties.iter().map(name).collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(malformed(format_args!("the key `{}` stands twice", pair[0].escape_debug()))),
        None => Ok(()),
    }
}

fn row_of(node: &Node<'_>, object: bool) -> Option<Row> {
    let range = |ranged: &dyn Ranged| ranged.start()..ranged.end();
    let elements = match node {
        Node::Object(known) if object => known.properties.iter().map(|property| range(property)).collect(),
        Node::Array(known) if !object => known.elements.iter().map(|element| range(element)).collect(),
        _ => return None,
    };
    Some(Row { open: node.start(), close: node.end() - 1, elements })
}

/// A value inside containers that are not there yet.
fn nested(steps: &[String], last: Option<&String>, value: Value) -> Value {
    let object = |key: &String, value: Value| Value::Object(Map::from_iter([(key.clone(), value)]));
    let innermost = match last {
        Some(key) => object(key, value),
        None => Value::Array(vec![value]),
    };
    steps.iter().rev().fold(innermost, |inner, step| object(step, inner))
}

fn splice(text: &str, range: Range<usize>, with: &str) -> String {
    let mut out = String::with_capacity(text.len() + with.len());
    out.push_str(&text[..range.start]);
    out.push_str(with);
    out.push_str(&text[range.end..]);
    out
}

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
