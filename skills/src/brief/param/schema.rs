//! Parameters as JSON Schema 2020-12, for forms, editors, and our own judgement.

use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value, json};

use super::{Param, Params, Type};
use crate::path::FilePath;

/// Largest compiled pattern, in bytes of the engine's memory: a bounded repetition of a bounded
/// repetition asks for gigabytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

impl Params {
    /// The schema of all values together, as `skill brief schema` prints it.
    pub fn schema(&self) -> Value {
        let properties: Map<String, Value> = self.iter().map(|param| (param.name.clone(), param.schema())).collect();
        let required: Vec<&str> =
            self.iter().filter(|param| param.is_required()).map(|param| param.name.as_str()).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }
}

impl Param {
    /// Whether somebody has to give it.
    pub fn is_required(&self) -> bool {
        self.table.default.is_none()
    }

    /// The schema of its value.
    pub fn schema(&self) -> Value {
        let table = &self.table;
        let mut schema = of_type(table.r#type);
        if table.r#type == Type::Array {
            schema.insert("items".to_owned(), of_type(table.items.unwrap_or(Type::String)).into());
        }
        let keys = [
            ("description", table.description.clone().map(Value::from)),
            ("default", table.default.clone()),
            ("enum", table.r#enum.clone().map(Value::from)),
            ("pattern", table.pattern.clone().map(Value::from)),
            ("minLength", table.min_length.map(Value::from)),
            ("maxLength", table.max_length.map(Value::from)),
            ("minimum", table.minimum.clone()),
            ("maximum", table.maximum.clone()),
            ("examples", table.example.clone().map(|example| json!([example]))),
        ];
        schema.extend(keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        schema.into()
    }
}

fn of_type(of: Type) -> Map<String, Value> {
    let (name, format) = match of {
        Type::String => ("string", None),
        Type::Path => ("string", Some("path")),
        Type::Date => ("string", Some("date")),
        Type::Url => ("string", Some("uri")),
        Type::Integer | Type::Number | Type::Boolean | Type::Array => (of.as_str(), None),
    };
    let mut schema = Map::from_iter([("type".to_owned(), name.into())]);
    schema.extend(format.map(|format| ("format".to_owned(), format.into())));
    schema
}

/// Compiles a schema, or says why it is none (a pattern that does not compile, say).
pub(super) fn judge(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .with_format("path", |text| FilePath::parse(text).is_ok())
        // A link in a brief is followed: `javascript:` and `file:` are no places on the web.
        .with_format("uri", is_web_address)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .build(schema)
        .map_err(|error| error.to_string())
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty()) && !text.contains(|c: char| c.is_whitespace() || "<>\"`\\".contains(c))
}
