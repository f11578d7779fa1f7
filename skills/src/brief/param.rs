//! Typed parameters: `[param.NAME]` (FORMATS §3).
//!
//! A table compiles to JSON Schema 2020-12, and that schema is the judge: what a form or an editor
//! accepts, rendering accepts. Patterns run on an engine of linear time, so that nobody's pattern
//! stops the machine. Values are one line each: a line break would let a value write sections of the
//! brief, which are the author's to write.

mod schema;
mod values;

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub use self::values::Values;
use crate::refusal::Refusal;

/// Most parameters: more than this is not a pattern, but a program.
const PARAMS_MAX: usize = 64;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Longest value of one parameter, in bytes of its JSON; each may appear many times in a template.
pub const VALUE_BYTES_MAX: usize = 8 * 1024;

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// One line of text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of `items`.
    Array,
    /// A path in the repository.
    Path,
    /// `YYYY-MM-DD`.
    Date,
    /// A web address.
    Url,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// What templates call it: `param.NAME`.
    pub name: String,
    /// What its table says.
    pub table: Table,
}

/// `[param.NAME]` as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Table {
    /// What it is.
    pub r#type: Type,
    /// What it is for.
    pub description: Option<String>,
    /// What it is when nobody says; without one it is required.
    pub default: Option<Value>,
    /// The only values.
    pub r#enum: Option<Vec<Value>>,
    /// A regular expression that a text matches.
    pub pattern: Option<String>,
    /// Fewest characters.
    pub min_length: Option<u64>,
    /// Most characters.
    pub max_length: Option<u64>,
    /// Smallest number.
    pub minimum: Option<Value>,
    /// Largest number.
    pub maximum: Option<Value>,
    /// What an array holds.
    pub items: Option<Type>,
    /// Whether the path has to be there; whoever reads the disk asks ([`Params::must_exist`]).
    #[serde(default)]
    pub must_exist: bool,
    /// A value for documentation and forms.
    pub example: Option<Value>,
    /// Only here to be refused with the way out.
    secret: Option<Value>,
    sensitive: Option<Value>,
}

/// All parameters of a package, in the author's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(Vec<Param>);

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Params;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tables `[param.NAME]`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Params, A::Error> {
                let mut all = Vec::new();
                while let Some((name, table)) = entries.next_entry()? {
                    all.push(Param { name, table });
                }
                Ok(Params(all))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Params {
    /// The parameters, in the author's order.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }

    /// The parameter of that name.
    pub fn named(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| param.name == name)
    }

    /// The laws of the tables themselves, the first broken one being the refusal.
    pub fn check_tables(&self) -> Result<(), Refusal> {
        if self.0.len() > PARAMS_MAX {
            let message = format!("skill.toml has {} parameters, at most {PARAMS_MAX} are allowed", self.0.len());
            return Err(Refusal::new("param-malformed", message));
        }
        self.0.iter().try_for_each(Param::check)
    }
}

impl Param {
    fn refuse(&self, message: impl fmt::Display) -> Refusal {
        Refusal::new("param-malformed", format!("[param.{}]: {message}", self.name.escape_debug()))
    }

    fn check(&self) -> Result<(), Refusal> {
        let table = &self.table;
        if !is_name(&self.name) {
            let hint = "lower-case ASCII letters, digits and `_`, a letter first: `lock_budget_ms`";
            return Err(self.refuse("not the name of a parameter").hint(hint));
        }
        if table.secret.is_some() || table.sensitive.is_some() {
            let message = format!("[param.{}]: a secret is not a parameter: values are written to files", self.name);
            return Err(
                Refusal::new("param-secret", message).hint("name an environment variable in `[requires] env` instead")
            );
        }
        self.check_keys()?;
        self.check_values()
    }

    /// A key that says nothing about this type is a mistake of the key or of the type.
    fn check_keys(&self) -> Result<(), Refusal> {
        let table = &self.table;
        let text = matches!(table.r#type, Type::String | Type::Path | Type::Url);
        let number = matches!(table.r#type, Type::Integer | Type::Number);
        let keys = [
            ("pattern", table.pattern.is_some(), text),
            ("min-length", table.min_length.is_some(), text),
            ("max-length", table.max_length.is_some(), text),
            ("minimum", table.minimum.is_some(), number),
            ("maximum", table.maximum.is_some(), number),
            ("items", table.items.is_some(), table.r#type == Type::Array),
            ("must-exist", table.must_exist, table.r#type == Type::Path),
        ];
        if let Some((key, ..)) = keys.into_iter().find(|(_, there, belongs)| *there && !belongs) {
            return Err(self.refuse(format_args!("`{key}` says nothing about type `{}`", table.r#type.as_str())));
        }
        if table.items == Some(Type::Array) {
            return Err(self.refuse("`items` is an array, and a list of lists cannot be given on a command line"));
        }
        Ok(())
    }

    /// The schema compiles, and the author's own values obey it.
    fn check_values(&self) -> Result<(), Refusal> {
        let table = &self.table;
        let judge = schema::judge(&self.schema()).map_err(|why| self.refuse(why))?;
        let own = [("default", table.default.as_ref()), ("example", table.example.as_ref())];
        for (key, value) in own {
            let Some(value) = value else { continue };
            values::check_text(value).map_err(|why| self.refuse(format_args!("`{key}` {why}")))?;
            if let Some(error) = judge.iter_errors(value).next() {
                return Err(self.refuse(format_args!("`{key}` is refused by the parameter itself: {error}")));
            }
        }
        match &table.r#enum {
            Some(values) if values.is_empty() => Err(self.refuse("`enum` is empty, so no value would do")),
            Some(values) => values.iter().try_for_each(|value| {
                let refused = judge.iter_errors(value).next().map(|error| error.to_string());
                refused.map_or(Ok(()), |why| Err(self.refuse(format_args!("a value of `enum` is refused: {why}"))))
            }),
            None => Ok(()),
        }
    }
}

impl Type {
    /// The word in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Path => "path",
            Self::Date => "date",
            Self::Url => "url",
        }
    }
}

/// What stands after `param.` in a template without quotes.
fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod outcomes;
