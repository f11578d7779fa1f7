//! Values for parameters: given, defaulted, judged.

use serde_json::{Map, Value};

use super::{Param, Params, Type, VALUE_BYTES_MAX, schema};
use crate::path::is_hidden_or_control;
use crate::refusal::Refusal;

/// Largest number, 2⁵³ − 1.
const NUMBER_MAX: f64 = 9_007_199_254_740_991.0;

/// Values that the parameters accept, defaults filled in. Only [`Params::accept`] makes one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(Map<String, Value>);

impl Values {
    /// The values by name.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl Params {
    /// The required parameters that nobody gave, in the author's order.
    pub fn missing(&self, given: &Map<String, Value>) -> Vec<&Param> {
        self.iter().filter(|param| param.is_required() && !given.contains_key(&param.name)).collect()
    }

    /// Judges values: names first, then what is missing, all of it; then each value.
    pub fn accept(&self, given: &Map<String, Value>) -> Result<Values, Refusal> {
        if let Some(name) = given.keys().find(|name| self.named(name).is_none()) {
            return Err(self.unknown(name));
        }
        let missing: Vec<&str> = self.missing(given).into_iter().map(|param| param.name.as_str()).collect();
        if !missing.is_empty() {
            let (word, them) = if missing.len() == 1 { ("parameter", "it") } else { ("parameters", "them") };
            let first = missing[0];
            return Err(Refusal::new("param-missing", format!("missing {word}: {}", missing.join(", ")))
                .hint(format!("give {them} with `--set {first}=…`, or in a file with `--values`")));
        }
        for (name, value) in given {
            check_text(value).map_err(|why| Refusal::new("param-refused", format!("the value of `{name}` {why}")))?;
        }
        let mut all = given.clone();
        for param in self.iter() {
            if let Some(default) = param.table.default.as_ref().filter(|_| !given.contains_key(&param.name)) {
                all.insert(param.name.clone(), default.clone());
            }
        }
        self.judge(Value::Object(all))
    }

    /// The paths that have to be there, by parameter; asked for by whoever reads the disk.
    pub fn must_exist<'a>(&'a self, values: &'a Values) -> impl Iterator<Item = (&'a str, &'a str)> {
        let paths = self.iter().filter(|param| param.table.must_exist);
        paths.filter_map(|param| Some((param.name.as_str(), values.0.get(&param.name)?.as_str()?)))
    }

    fn judge(&self, all: Value) -> Result<Values, Refusal> {
        let judge = schema::judge(&self.schema()).map_err(|why| Refusal::new("param-malformed", why))?;
        let errors: Vec<String> =
            judge.iter_errors(&all).map(|error| format!("{error} ({})", error.instance_path())).collect();
        match all {
            Value::Object(all) if errors.is_empty() => Ok(Values(all)),
            _ => Err(Refusal::new("param-refused", errors.join("; "))),
        }
    }

    fn unknown(&self, name: &str) -> Refusal {
        let seen: String = name.chars().take(80).collect();
        let refusal = Refusal::new("param-unknown", format!("no parameter '{}'", seen.escape_debug()));
        let all: Vec<&str> = self.iter().map(|param| param.name.as_str()).collect();
        if all.is_empty() {
            return refusal.hint("there are none");
        }
        refusal.hint(format!("there are: {}", all.join(", ")))
    }
}

impl Param {
    /// Reads a value from a command line by the parameter's type; what it is not stays text, for the
    /// schema to refuse with its own sentence.
    pub fn read(&self, text: &str) -> Value {
        if self.table.r#type != Type::Array {
            return scalar(self.table.r#type, text);
        }
        if text.starts_with('[') {
            return serde_json::from_str(text).unwrap_or_else(|_| text.into());
        }
        let items = self.table.items.unwrap_or(Type::String);
        text.split(',').filter(|item| !item.is_empty()).map(|item| scalar(items, item.trim())).collect()
    }
}

fn scalar(of: Type, text: &str) -> Value {
    let parsed = match of {
        Type::Integer => text.parse::<i64>().ok().map(Value::from),
        Type::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        Type::Boolean => text.parse::<bool>().ok().map(Value::from),
        Type::String | Type::Array | Type::Path | Type::Date | Type::Url => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

/// One visible line of bounded length: what breaks lines or hides text could write, or rewrite, what
/// the author of the template says.
pub(super) fn check_text(value: &Value) -> Result<(), String> {
    match value {
        Value::String(text) if text.len() > VALUE_BYTES_MAX => {
            Err(format!("has {} bytes, at most {VALUE_BYTES_MAX} are allowed", text.len()))
        }
        Value::String(text) if text.chars().any(is_hidden_or_control) => {
            Err("contains a line break, or a control or invisible character".to_owned())
        }
        Value::Array(items) if items.len() > VALUE_BYTES_MAX / 8 => {
            Err(format!("has {} items, at most {} are allowed", items.len(), VALUE_BYTES_MAX / 8))
        }
        Value::Array(items) => {
            items.iter().try_for_each(check_text)?;
            let bytes: usize = items.iter().map(|item| item.as_str().map_or(8, str::len)).sum();
            let message = || format!("has {bytes} bytes, at most {VALUE_BYTES_MAX} are allowed");
            if bytes > VALUE_BYTES_MAX { Err(message()) } else { Ok(()) }
        }
        // RFC 8785 writes numbers as doubles do: beyond this two values would have one digest.
        Value::Number(number) if number.as_f64().is_none_or(|number| number.abs() > NUMBER_MAX) => {
            Err(format!("is beyond ±{NUMBER_MAX}"))
        }
        _ => Ok(()),
    }
}
