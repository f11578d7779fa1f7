//! JSON from strangers: one reading of it, or none.
//!
//! Signed payloads are verified by one parser and used by another program's, so bytes that two
//! parsers read differently are refused: duplicate keys (some keep the first, some the last),
//! nesting beyond [`JSON_DEPTH_MAX`], anything after the document. Unknown fields are the business
//! of the type that is read.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::limits::JSON_DEPTH_MAX;
use crate::refusal::Refusal;

/// Parses one document of at most `bytes_max` bytes into `T`, strictly.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, Refusal> {
    if bytes.len() > bytes_max {
        return Err(Refusal::new(
            "json-too-large",
            format!("the document has {} bytes, at most {bytes_max} are allowed", bytes.len()),
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer).map_err(malformed)?;
    deserializer.end().map_err(malformed)?;
    serde_json::from_value(value).map_err(malformed)
}

fn malformed(error: serde_json::Error) -> Refusal {
    Refusal::new("json-malformed", format!("not the JSON that was expected: {error}"))
}

/// Builds a [`Value`], refusing what is ambiguous.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("nested deeper than {JSON_DEPTH_MAX} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if map.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format_args!("key `{}` appears twice", key.escape_debug())));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(text: &str) {
        assert!(parse::<Value>(text.as_bytes(), 1 << 20).is_err(), "{text}");
    }

    #[test]
    fn ambiguous_json_is_refused() {
        refuses(r#"{"a":1,"a":2}"#);
        refuses(r#"{"a":{"b":1,"b":1}}"#);
        refuses(r#"{"a":1,"\u0061":2}"#);
        refuses(r#"{} {}"#);
        refuses("{} x");
        refuses(&format!("{}{}", "[".repeat(33), "]".repeat(33)));
        refuses("\u{feff}{}");
    }

    #[test]
    fn depth_and_size_hold_to_the_last_unit() {
        assert!(parse::<Value>(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes(), 64).is_ok());
        assert_eq!(parse::<Value>(b"[1]", 2).expect_err("3 bytes").code, "json-too-large");
    }
}
