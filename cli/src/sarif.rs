//! SARIF 2.1.0 (OASIS): the one shape in which findings reach code scanning.
//!
//! Every rule is listed, so that a clean run is a run of all of them. Whoever reports brings rules and
//! results; the log around them is the same for all.

use serde_json::{Value, json};

/// A rule: its id, a name without spaces, and what it says in one sentence.
pub fn rule(id: &str, name: &str, description: &str) -> Value {
    json!({"id": id, "name": name, "shortDescription": {"text": description}})
}

/// A place: a path relative to the repository, and the line where one is known.
pub fn location(path: &str, line: Option<usize>) -> Value {
    let mut place = json!({"artifactLocation": {"uri": escape_uri(path)}});
    if let Some(line) = line {
        place["region"] = json!({"startLine": line});
    }
    json!({"physicalLocation": place})
}

/// The whole log of one run.
pub fn log(rules: Vec<Value>, results: Vec<Value>, properties: Value) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "skill", "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "results": results,
            "properties": properties,
        }],
    })
}

/// A relative path as a URI reference (RFC 3986): all but unreserved characters and `/` is encoded.
pub fn escape_uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_and_a_line_is_a_uri_and_a_region() {
        let place = location("my brief/skill.toml", Some(3));
        assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "my%20brief/skill.toml");
        assert_eq!(place["physicalLocation"]["region"]["startLine"], 3);
        assert!(location("a", None)["physicalLocation"]["region"].is_null());
    }
}
