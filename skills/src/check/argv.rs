//! The command of a check: words, in which `{{ param.NAME }}` stands for a value.
//!
//! Nothing else of a template language is there, so nothing else can happen: a value is a word or a
//! part of one, an array is words, and no value is ever parsed as anything.

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::Spanned;

use crate::brief::param::{Params, Type, Values};
use crate::manifest::source::{LIST_MAX, Source};
use crate::path::FilePath;
use crate::refusal::Refusal;

/// Longest word in characters.
const WORD_CHARS_MAX: usize = 1_024;

/// Programs that run a text as a program when told `-c`.
const SHELLS: [&str; 9] = ["sh", "bash", "dash", "zsh", "fish", "ksh", "cmd", "powershell", "pwsh"];

/// One word of a command, before values are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Param(String),
}

impl Word {
    /// The word itself, if no value is filled in.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The pieces of a text; nothing if it has braces that are not `{{ param.NAME }}`.
    fn parse(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (expression, left) = after.split_once("}}")?;
            let name = expression.trim().strip_prefix("param.")?;
            let lawful = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if name.is_empty() || !name.chars().all(lawful) {
                return None;
            }
            pieces.extend(Some(before).filter(|text| !text.is_empty()).map(|text| Piece::Text(text.to_owned())));
            pieces.push(Piece::Param(name.to_owned()));
            rest = left;
        }
        if ["{%", "{#", "}}"].iter().any(|syntax| rest.contains(syntax)) {
            return None;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Some(Self(pieces))
    }
}

/// `argv` as it is written; a text instead of a list gets its own sentence.
pub(super) struct WordList(Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for WordList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = WordList;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of words")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<WordList, E> {
                Err(E::custom("a text, expected a list of words such as `[\"./run.sh\", \"x\"]`: there is no shell"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<WordList, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = entries.next_element()? {
                    words.push(word);
                }
                Ok(WordList(words))
            }
        }

        deserializer.deserialize_any(Words)
    }
}

/// The words of a command, each lawful by itself and for its parameters.
pub(super) fn words(source: Source<'_>, list: Spanned<WordList>, params: &Params) -> Result<Vec<Word>, Refusal> {
    let words = &list.get_ref().0;
    if words.is_empty() || words.len() > LIST_MAX {
        let message = format!(
            "`argv` has {}, expected 1 to {LIST_MAX}",
            if words.is_empty() { "no word" } else { "too many words" }
        );
        return Err(source.refuse("check-argv", &list, message));
    }
    let parsed: Vec<Word> = words.iter().map(|text| word(source, text, params)).collect::<Result<_, _>>()?;
    check_program(source, &words[0], &parsed)?;
    Ok(parsed)
}

fn word(source: Source<'_>, text: &Spanned<String>, params: &Params) -> Result<Word, Refusal> {
    let refuse = |message: String| Err(source.refuse("check-argv", text, message));
    if text.get_ref().chars().count() > WORD_CHARS_MAX || text.get_ref().chars().any(char::is_control) {
        return refuse(format!("a word of `argv` has control characters or more than {WORD_CHARS_MAX}"));
    }
    let Some(word) = Word::parse(text.get_ref()) else {
        return refuse("a word of `argv` has braces that are not `{{ param.NAME }}`".to_owned());
    };
    for piece in &word.0 {
        let Piece::Param(name) = piece else { continue };
        let Some(param) = params.named(name) else {
            return refuse(format!("there is no parameter `{name}`"));
        };
        if param.table.r#type == Type::Array && word.0.len() > 1 {
            return refuse(format!("`{name}` is an array, which needs a word of its own to become words"));
        }
    }
    Ok(word)
}

/// A program of the package, or one by its name: anything else is another file on each machine.
fn check_program(source: Source<'_>, at: &Spanned<String>, words: &[Word]) -> Result<(), Refusal> {
    let Some(program) = words[0].literal() else { return Ok(()) };
    let is_own = program.strip_prefix("./").is_some_and(|path| FilePath::parse(path).is_ok());
    let is_name = !program.is_empty() && program.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+".contains(c));
    if !is_own && (!is_name || program.starts_with(['.', '-'])) {
        let message = "a command begins with `./file` of the package, or with the name of a program";
        return Err(source.refuse("check-argv", at, message));
    }
    if SHELLS.contains(&program) && words[1..].iter().filter_map(Word::literal).any(|word| runs_text(program, word)) {
        return Err(source
            .refuse("check-argv", at, "a shell that is told `-c` runs text as a program")
            .hint("write the script as a file of the package, and start that: `[\"./run.sh\"]`"));
    }
    Ok(())
}

/// Whether a flag makes a shell run its next argument as a program: `-c`, `-ec`, `/c`, `-EncodedCommand`.
fn runs_text(shell: &str, flag: &str) -> bool {
    let flag = flag.to_ascii_lowercase();
    match shell {
        "cmd" => matches!(flag.as_str(), "/c" | "/k"),
        "powershell" | "pwsh" => flag.starts_with("-c") || flag == "-e" || flag.starts_with("-en"),
        _ => flag == "--command" || flag.starts_with('-') && !flag.starts_with("--") && flag.contains('c'),
    }
}

/// Values meet words.
pub(super) fn command(words: &[Word], values: &Values) -> Result<Vec<String>, Refusal> {
    let mut command = Vec::new();
    for word in words {
        match word.0.as_slice() {
            [Piece::Param(name)] => match value(values, name)? {
                Value::Array(items) => command.extend(items.iter().map(text)),
                value => command.push(not_an_option(name, text(value))?),
            },
            pieces => command.push(joined(pieces, values)?),
        }
    }
    if command.first().is_none_or(String::is_empty) {
        return Err(Refusal::new("check-argument", "with these values the command has no program"));
    }
    Ok(command)
}

fn joined(pieces: &[Piece], values: &Values) -> Result<String, Refusal> {
    let mut word = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(literal) => word.push_str(literal),
            Piece::Param(name) if word.is_empty() => word = not_an_option(name, text(value(values, name)?))?,
            Piece::Param(name) => word.push_str(&text(value(values, name)?)),
        }
    }
    Ok(word)
}

fn value<'a>(values: &'a Values, name: &str) -> Result<&'a Value, Refusal> {
    let value = values.as_map().get(name);
    value.ok_or_else(|| Refusal::new("check-argument", format!("there is no value for parameter `{name}`")))
}

/// `--output=/etc/x` given as a file name would be taken for an option by the program.
fn not_an_option(name: &str, text: String) -> Result<String, Refusal> {
    let is_number = text.parse::<f64>().is_ok();
    if text.starts_with('-') && !is_number {
        return Err(Refusal::new(
            "check-argument",
            format!("the value of `{name}` begins with `-` and would be an option"),
        )
        .hint("a path can be written as `./-name`"));
    }
    Ok(text)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
