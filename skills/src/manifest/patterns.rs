//! Globs of project files, as rules and checks write them.
//!
//! They end up in other programs' configuration, where `)`, `,` or `!` would be syntax, and in a
//! sandbox, where `..` would be a way out. So they are relative, plain, and compile as globs here.

use globset::GlobBuilder;

/// Longest pattern in characters.
const PATTERN_CHARS_MAX: usize = 200;

/// What is wrong with a pattern, as the rest of a sentence about it.
pub(crate) fn fault(pattern: &str) -> Option<&'static str> {
    let is_odd = |c: char| c.is_control() || matches!(c, '(' | ')' | '"' | '\'' | '`' | '$' | '|' | ';' | ',');
    let parts: Vec<&str> = pattern.split('/').collect();
    if pattern.is_empty() || pattern.chars().count() > PATTERN_CHARS_MAX {
        Some("is empty or has more than 200 characters")
    } else if pattern.contains("{{") || pattern.contains("{%") {
        Some("is a template, and what it covers could not be reviewed")
    } else if pattern.starts_with('/') || pattern.starts_with('~') || pattern.contains(':') {
        Some("is not relative to the project")
    } else if pattern.starts_with('!') {
        Some("is a negation, which would widen instead of narrow")
    } else if pattern.contains('\\') {
        Some("has a backslash: folders are separated by `/`")
    } else if parts.iter().any(|part| matches!(*part, "." | "..")) || parts[..parts.len() - 1].contains(&"") {
        Some("has an empty part, `.` or `..`")
    } else if pattern.contains(is_odd) {
        Some("has a character that is syntax in an agent's configuration")
    } else if GlobBuilder::new(pattern).literal_separator(true).build().is_err() {
        Some("is not a glob")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_relative_and_plain() {
        for good in [".pgpass", "secrets/**", "**/*.pem", "migrations/**", "**", "a/[bc]?.sql", "logs/"] {
            assert_eq!(fault(good), None, "{good}");
        }
        for (bad, words) in [
            ("", "empty"),
            ("/etc/**", "not relative"),
            ("~/.ssh/**", "not relative"),
            ("C:/x", "not relative"),
            ("../x", "`..`"),
            ("a/../../x", "`..`"),
            ("a//b", "empty part"),
            ("!secrets/**", "negation"),
            ("a\\b", "backslash"),
            ("x), Bash(*", "syntax"),
            ("a\nb", "syntax"),
            ("a[", "not a glob"),
            ("{{ param.x }}", "template"),
        ] {
            assert!(fault(bad).expect(bad).contains(words), "{bad}: {:?}", fault(bad));
        }
    }
}
