//! Words that leave open what is meant, and what was left to be filled in.
//!
//! The lists come from the literature on requirements smells and from spec-kit. They are short on
//! purpose: a list that cries at every second sentence is switched off.

use super::prose::{Block, Prose};
use super::{Placed, error, warning};
use crate::lint::Finding;

const VERBS: [&str; 9] =
    ["improve", "optimise", "optimize", "clean up", "cleanup", "enhance", "handle", "support", "ensure"];

const WEAK: [&str; 14] = [
    "as appropriate",
    "as needed",
    "as necessary",
    "if possible",
    "if needed",
    "etc",
    "and so on",
    "robust",
    "scalable",
    "intuitive",
    "properly",
    "best practice",
    "best practices",
    "user-friendly",
];

const UNBOUNDED: [&str; 6] = ["everything", "anything", "entire", "whole", "any issues", "any problems"];

const NEGATIONS: [&str; 9] = ["not", "no", "never", "nothing", "without", "cannot", "don't", "neither", "nor"];

const UNFINISHED: [&str; 3] = ["TODO", "TBD", "NEEDS CLARIFICATION"];

/// Verbs that start an order. Words that are as often nouns (`index`, `plan`, `test`) are not here.
const IMPERATIVES: [&str; 48] = [
    "add",
    "apply",
    "build",
    "change",
    "clean",
    "configure",
    "convert",
    "create",
    "delete",
    "deploy",
    "describe",
    "diagnose",
    "drop",
    "enhance",
    "ensure",
    "explain",
    "extend",
    "extract",
    "find",
    "fix",
    "handle",
    "implement",
    "improve",
    "introduce",
    "make",
    "merge",
    "migrate",
    "move",
    "optimise",
    "optimize",
    "prepare",
    "propose",
    "prove",
    "reduce",
    "refactor",
    "remove",
    "rename",
    "replace",
    "reproduce",
    "restore",
    "rewrite",
    "set",
    "split",
    "support",
    "tidy",
    "update",
    "upgrade",
    "write",
];

/// Longest objective, in words.
const OBJECTIVE_WORDS_MAX: usize = 60;

/// B013 and W101 to W103 in one block, with their lines.
pub(super) fn hits(block: &Block) -> Vec<(usize, Finding)> {
    let lower = block.text.to_ascii_lowercase();
    let mut hits = Vec::new();
    for (start, word) in occurrences(&block.text, &UNFINISHED).into_iter().chain(placeholders(&block.text)) {
        hits.push((start, error("B013", format!("`{word}` was left to be filled in"))));
    }
    for (start, word) in occurrences(&lower, &VERBS) {
        let hint = "say what will be different, and how one sees it";
        hits.push((start, warning("W101", format!("`{word}` does not say what to do")).advise(hint)));
    }
    for (start, word) in occurrences(&lower, &WEAK) {
        hits.push((
            start,
            warning("W102", format!("`{word}` leaves open what is meant")).advise("name it, or leave it out"),
        ));
    }
    for (start, word) in occurrences(&lower, &UNBOUNDED) {
        if !is_negated(&lower, start) {
            let hint = "name what belongs to it";
            hits.push((start, warning("W103", format!("`{word}` has no bounds")).advise(hint)));
        }
    }
    hits.sort_by_key(|(start, _)| *start);
    hits.into_iter().map(|(start, finding)| (block.line_at(start), finding)).collect()
}

/// W104 and W105: one thing, named.
pub(super) fn objective(prose: &Prose) -> Vec<(usize, Finding)> {
    let blocks: Vec<&Block> =
        prose.blocks.iter().filter(|block| block.section.eq_ignore_ascii_case("Objective")).collect();
    let Some(first) = blocks.first() else { return Vec::new() };
    let mut found = Vec::new();
    if !blocks.iter().any(|block| names_something(&block.raw)) {
        let message = "the objective names no artifact, number or identifier";
        found.push((first.line, warning("W104", message).advise("say which table, file, service or ticket")));
    }
    let words: usize = blocks.iter().map(|block| block.raw.split_whitespace().count()).sum();
    let orders: Vec<String> = blocks.iter().flat_map(|block| orders(&block.text)).collect();
    if words > OBJECTIVE_WORDS_MAX {
        let message = format!("the objective has {words} words, at most {OBJECTIVE_WORDS_MAX} are one thing");
        found.push((first.line, warning("W105", message)));
    } else if orders.len() > 1 {
        let message = format!("the objective gives {} orders: {}", orders.len(), orders.join(", "));
        found.push((first.line, warning("W105", message).advise("one brief, one order: make two briefs")));
    }
    found
}

/// Where whole words or phrases occur, in the order of the list.
fn occurrences<'a>(text: &str, phrases: &[&'a str]) -> Vec<(usize, &'a str)> {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let mut found = Vec::new();
    for phrase in phrases {
        for (start, _) in text.match_indices(phrase) {
            let (before, after) = (&text[..start], &text[start + phrase.len()..]);
            if !is_part(before.chars().next_back()) && !is_part(after.chars().next()) {
                found.push((start, *phrase));
            }
        }
    }
    found
}

/// `???`, and `<what somebody else should write>`; tags of HTML and links are not meant.
fn placeholders(text: &str) -> Vec<(usize, &str)> {
    let mut found: Vec<(usize, &str)> = text.match_indices("???").collect();
    for (start, _) in text.match_indices('<') {
        let rest = &text[start..];
        let Some(end) = rest.find(['>', '\n']).filter(|end| rest[*end..].starts_with('>')) else { continue };
        let inside = &rest[1..end];
        let starts = inside.starts_with(|c: char| c.is_alphabetic() || c == '.' || c == '…');
        if starts && !inside.contains("://") && !["br", "br/", "sub", "sup", "kbd"].contains(&inside) {
            found.push((start, &rest[..=end]));
        }
    }
    found
}

/// Whether the sentence around says that it is *not* so: `Do not apply anything` bounds, it does not widen.
fn is_negated(text: &str, at: usize) -> bool {
    let is_end = |(start, c): &(usize, char)| {
        let next = text[start + c.len_utf8()..].chars().next();
        matches!(c, '.' | '!' | '?' | ';' | ':') && next.is_none_or(char::is_whitespace)
    };
    let start = text[..at].char_indices().rfind(is_end).map_or(0, |(start, _)| start + 1);
    let end = text[at..].char_indices().map(|(from, c)| (at + from, c)).find(is_end).map_or(text.len(), |(end, _)| end);
    let sentence = &text[start..end];
    sentence.contains("n't ") || sentence.contains("n’t ") || !occurrences(sentence, &NEGATIONS).is_empty()
}

/// Code, a template's value, a path, a number or an identifier.
fn names_something(raw: &str) -> bool {
    let is_name = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let upper = word.chars().filter(|c| c.is_ascii_uppercase()).count();
        word.contains(|c: char| c.is_ascii_digit() || "_/.:".contains(c)) || upper > 1
    };
    raw.contains('`') || raw.contains("{{") || raw.split_whitespace().any(is_name)
}

/// The verbs that start a clause: after a full stop, a comma, `and`, `then`.
fn orders(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut starts = true;
    let mut found = Vec::new();
    for word in lower.split_whitespace() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if starts && IMPERATIVES.contains(&bare) {
            found.push(bare.to_owned());
        }
        let joins = matches!(bare, "and" | "then" | "also") || bare.is_empty();
        starts = if joins { starts || !bare.is_empty() } else { word.ends_with(['.', ',', ';', ':', '!']) };
    }
    found
}
