//! YAML, by budget, into values that keep the author's spelling.
//!
//! A stranger's YAML can be 40 lines long and mean a gigabyte (aliases of aliases), so every count
//! is bounded far above what any front matter needs. Scalars are read twice: once to learn what
//! YAML takes them for (`1.10` is a number), once to learn how they are spelt (`1.10`, not `1.1`),
//! because a version that loses its zero is another version.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

/// Deepest nesting, and most nodes, anchors and aliases that front matter may have.
const DEPTH_MAX: usize = 16;
const NODES_MAX: usize = 4_096;
const ALIASES_MAX: usize = 64;

/// Most bytes of text, aliases written out: twice what the largest front matter has without them.
const TEXT_BYTES_MAX: usize = 128 * 1024;

/// A YAML value, its scalars as they are spelt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar, and what YAML takes it for if not for text.
    Scalar(String, Option<&'static str>),
    /// A list.
    List(Vec<Value>),
    /// A mapping, in the author's order.
    Map(Vec<(String, Value)>),
}

/// Why YAML could not be read.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) kind: TroubleKind,
    /// Line in the text given, from 1.
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

/// The three kinds of trouble, which have three outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// Not YAML; quoting might help.
    Syntax,
    /// A key twice: some readers keep the first value, some the last.
    DuplicateKey,
    /// Too much of something.
    Budget,
}

/// Parses one document. No document at all is `Null`.
pub(super) fn parse(text: &str) -> Result<Value, Trouble> {
    let value: Shape = match serde_saphyr::from_str_with_options(text, options()) {
        Ok(shape) => shape,
        Err(error) if matches!(error.without_snippet(), Error::Eof { .. }) => Shape(Value::Null),
        Err(error) => return Err(trouble(&error)),
    };
    let spelt = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |deserializer| {
        Spelling(&value.0).deserialize(deserializer)
    });
    // What cannot be read as text (an explicit `!!int`) keeps YAML's reading.
    Ok(spelt.unwrap_or(value.0))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: 4 * NODES_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_recorded_anchor_events: 4 * NODES_MAX,
            max_recorded_anchor_bytes: TEXT_BYTES_MAX,
            max_total_scalar_bytes: TEXT_BYTES_MAX,
            max_inclusion_depth: 0,
            max_documents: 2,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: NODES_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    }
}

fn trouble(error: &Error) -> Trouble {
    let inner = innermost(error);
    let kind = match inner {
        Error::DuplicateMappingKey { .. } => TroubleKind::DuplicateKey,
        Error::Budget { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => TroubleKind::Budget,
        _ => TroubleKind::Syntax,
    };
    let line = inner.location().and_then(|location| usize::try_from(location.line()).ok());
    Trouble { kind, line, message: sentence(&inner.to_string()) }
}

/// The error that aliases and snippets are wrapped around.
fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        other => other,
    }
}

/// The parser's message on one line, without its own idea of the place: ours counts from the top of
/// the file.
fn sentence(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let end = line.find(" at line ").unwrap_or(line.len());
    line[..end].trim_end_matches('.').to_owned()
}

/// What YAML takes a document for.
struct Shape(Value);

impl<'de> serde::Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }
    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape(Value::Null))
    }
    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape(Value::Null))
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_string(), Some("boolean"))))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_string(), Some("number"))))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_string(), Some("number"))))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_string(), Some("number"))))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_string(), Some("number"))))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_string(), Some("number"))))
    }
    fn visit_str<E>(self, value: &str) -> Result<Shape, E> {
        Ok(Shape(Value::Scalar(value.to_owned(), None)))
    }
    fn visit_bytes<E: serde::de::Error>(self, _: &[u8]) -> Result<Shape, E> {
        Err(E::custom("bytes have no place in front matter"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
        let mut values = Vec::new();
        while let Some(Shape(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Shape(Value::List(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shape, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.push((key, entries.next_value::<Shape>()?.0));
        }
        Ok(Shape(Value::Map(map)))
    }
}

/// Reads a document of known shape once more, every scalar as it is spelt.
#[derive(Clone, Copy)]
struct Spelling<'a>(&'a Value);

impl<'de> DeserializeSeed<'de> for Spelling<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.0 {
            Value::Null => deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Value::Null),
            Value::Scalar(text, None) => {
                deserializer.deserialize_ignored_any(IgnoredAny).map(|_| Value::Scalar(text.clone(), None))
            }
            Value::Scalar(_, kind) => {
                let text: String = serde::Deserialize::deserialize(deserializer)?;
                Ok(Value::Scalar(text, *kind))
            }
            Value::List(_) => deserializer.deserialize_seq(self),
            Value::Map(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Spelling<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the same YAML again")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let Value::List(shapes) = self.0 else { return Err(A::Error::custom("a list only once")) };
        let mut values = Vec::with_capacity(shapes.len());
        for shape in shapes {
            values.extend(seq.next_element_seed(Spelling(shape))?);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let Value::Map(shapes) = self.0 else { return Err(A::Error::custom("a mapping only once")) };
        let mut map = Vec::with_capacity(shapes.len());
        for (_, shape) in shapes {
            let Some(key) = entries.next_key::<String>()? else { break };
            map.push((key, entries.next_value_seed(Spelling(shape))?));
        }
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> Value {
        match parse(&format!("k: {text}")).expect("YAML") {
            Value::Map(mut map) => map.remove(0).1,
            other => panic!("{other:?}"),
        }
    }

    fn spelt(text: &str, kind: Option<&'static str>) {
        assert_eq!(scalar(text), Value::Scalar(text.to_owned(), kind), "{text}");
    }

    fn refuses(text: &str, kind: TroubleKind) {
        assert_eq!(parse(text).expect_err(text).kind, kind, "{text}");
    }

    #[test]
    fn scalars_keep_their_spelling() {
        spelt("1.10", Some("number"));
        spelt("0x1F", Some("number"));
        spelt("1e3", Some("number"));
        spelt("True", Some("boolean"));
        spelt("99999999999999999999999999999999999999999999", Some("number"));
        spelt("yes", None);
        spelt("1.2.3", None);
        spelt("words and:no more", None);
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(scalar("~"), Value::Null);
        assert_eq!(parse("").expect("nothing"), Value::Null);
        assert_eq!(parse("# only words\n").expect("nothing"), Value::Null);
    }

    #[test]
    fn nested_numbers_keep_their_spelling() {
        let Value::Map(map) = parse("a:\n  b: [1.0, {c: 2.50}]\n").expect("YAML") else { panic!("a mapping") };
        let number = |text: &str| Value::Scalar(text.to_owned(), Some("number"));
        let list = Value::List(vec![number("1.0"), Value::Map(vec![("c".to_owned(), number("2.50"))])]);
        assert_eq!(map, [("a".to_owned(), Value::Map(vec![("b".to_owned(), list)]))]);
    }

    #[test]
    fn a_key_that_appears_twice_is_refused_at_any_depth() {
        refuses("a: 1\na: 2\n", TroubleKind::DuplicateKey);
        refuses("a: {b: 1, b: 2}\n", TroubleKind::DuplicateKey);
        refuses("a: 1\n\"a\": 2\n", TroubleKind::DuplicateKey);
    }

    #[test]
    fn bombs_are_refused_by_budget() {
        let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for n in 1..10 {
            let aliases = vec![format!("*a{}", n - 1); 9].join(", ");
            laughs.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        refuses(&laughs, TroubleKind::Budget);
        refuses(&format!("a: &a x\nb: [{}]\n", vec!["*a"; 65].join(", ")), TroubleKind::Budget);
        refuses(&format!("a: [{}]\n", vec!["1"; 5_000].join(", ")), TroubleKind::Budget);
        let words = format!("a: &a {}\nb: [{}]\n", "x".repeat(60_000), vec!["*a"; 60].join(", "));
        assert!(parse(&words).is_err(), "an alias counts with its text");
    }

    #[test]
    fn deep_nesting_is_refused() {
        assert!(parse(&format!("a: {}{}", "[".repeat(40), "]".repeat(40))).is_err());
        let blocks: String = (0..40).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        assert!(parse(&blocks).is_err());
    }

    #[test]
    fn two_documents_are_refused() {
        refuses("a: 1\n--- \nb: 2\n", TroubleKind::Syntax);
        refuses("a: 1\n...\nb: 2\n", TroubleKind::Syntax);
    }
}
