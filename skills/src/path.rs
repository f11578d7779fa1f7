//! The laws of a path inside a package.
//!
//! One type for every path-like field: archive entries, statement resources, the ledger in the
//! lock. What this type can hold is safe to join to a folder on every platform that we know, on
//! install and on *remove* alike.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::limits::{COMPONENT_BYTES_MAX, DEPTH_MAX, PATH_BYTES_MAX};
use crate::name::text_type;
use crate::refusal::Refusal;

/// A relative path of regular components, `/` between them; ordered by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(String);

impl FilePath {
    /// Applies every law of a path, the first broken one being the refusal.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refuse = |code, why: &str| Err(Refusal::new(code, format!("path `{}` {why}", shown(text))));
        if text.len() > PATH_BYTES_MAX {
            return refuse("path-too-long", &format!("has {} bytes, at most {PATH_BYTES_MAX} are allowed", text.len()));
        }
        if text.is_empty() {
            return refuse("path-empty", "is empty");
        }
        if text.starts_with('/') {
            return refuse("path-absolute", "is absolute");
        }
        if text.contains('\\') {
            return refuse("path-backslash", "contains a backslash, which separates folders on Windows");
        }
        if text.chars().any(is_hidden_or_control) {
            return refuse("path-control", "contains a control or invisible character");
        }
        if !is_nfc(text) {
            return refuse(
                "path-not-nfc",
                "is not in Unicode normal form NFC, so two file systems would disagree about it",
            );
        }
        if text.split('/').count() > DEPTH_MAX {
            return refuse("path-too-deep", &format!("has more than {DEPTH_MAX} components"));
        }
        text.split('/')
            .try_for_each(check_component)
            .map_err(|refusal| refusal.at(format_args!("path `{}`", shown(text))))?;
        Ok(Self(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the path becomes on a file system that ignores case: two paths with one key collide
    /// there. Upper, then lower, catches the pairs that one direction misses (`ß`/`SS`, `ſ`/`s`).
    pub fn fold_key(&self) -> String {
        self.0.to_uppercase().to_lowercase().nfc().collect()
    }

    /// The parent folders, nearest last: `a/b/c` gives `a`, `a/b`.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }
}

fn check_component(part: &str) -> Result<(), Refusal> {
    let refuse = |code, why: &str| Err(Refusal::new(code, format!("component `{}` {why}", shown(part))));
    match part {
        "" => return refuse("path-empty", "is empty"),
        "." => return refuse("path-dot", "names the folder itself"),
        ".." => return refuse("path-parent", "leaves the folder"),
        _ => {}
    }
    if part.len() > COMPONENT_BYTES_MAX {
        return refuse(
            "path-component-too-long",
            &format!("has {} bytes, at most {COMPONENT_BYTES_MAX} are allowed", part.len()),
        );
    }
    if part.contains(['<', '>', ':', '"', '|', '?', '*']) {
        return refuse("path-reserved", "has a character that Windows refuses or reads as a stream or drive");
    }
    if part.ends_with(['.', ' ']) {
        return refuse("path-reserved", "ends in a dot or space, which Windows drops");
    }
    if is_windows_reserved(part) {
        return refuse("path-reserved", "is a device name on Windows");
    }
    // `.git` in any case, and its NTFS short name: a checkout hook is code that runs by itself.
    if part.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1") {
        return refuse("path-git", "would be taken for a Git folder");
    }
    Ok(())
}

/// Device names on Windows, with or without an extension, in any case.
pub(crate) fn is_windows_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ').to_ascii_lowercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|rest| {
            matches!(rest, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") || numbered("com") || numbered("lpt")
}

/// Control characters, and those that change how text looks without being seen: bidirectional
/// overrides (`exe.txt` shown as `txt.exe`), zero-width ones, and the byte order mark.
pub(crate) fn is_hidden_or_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn shown(text: &str) -> String {
    let head: String = text.chars().take(60).collect();
    let dots = if head.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", head.escape_debug())
}

text_type!(FilePath, |self, f| f.write_str(&self.0));

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(text: &str, code: &str) {
        assert_eq!(FilePath::parse(text).expect_err(text).code, code, "{text:?}");
    }

    #[test]
    fn ordinary_paths_are_accepted() {
        for text in
            ["SKILL.md", "scripts/fill.py", "a/b/c.txt", ".hidden", "naïve/日本.md", "console.md", "a b/c d", "#x/$y&z"]
        {
            assert!(FilePath::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn each_law_of_a_path_refuses_with_its_own_code() {
        refuses("", "path-empty");
        refuses("a//b", "path-empty");
        refuses("a/", "path-empty");
        refuses("/etc/passwd", "path-absolute");
        refuses("./a", "path-dot");
        refuses("../a", "path-parent");
        refuses("a/../../b", "path-parent");
        refuses("a\\b", "path-backslash");
        refuses("a\nb", "path-control");
        refuses("a\0b", "path-control");
        refuses("a\u{202e}txt.exe", "path-control");
        refuses("e\u{301}.md", "path-not-nfc");
        refuses("C:evil", "path-reserved");
        refuses("a/nul.txt", "path-reserved");
        refuses("a/COM1", "path-reserved");
        refuses("a./b", "path-reserved");
        refuses("a/.GIT/hooks/x", "path-git");
        refuses(&vec!["a"; 33].join("/"), "path-too-deep");
        refuses(&"x".repeat(101), "path-component-too-long");
        refuses(&format!("{}/{}", "x".repeat(100), "y/".repeat(80)), "path-too-long");
    }

    #[test]
    fn limits_hold_to_the_byte() {
        let deep = vec!["a"; 32].join("/");
        assert!(FilePath::parse(&deep).is_ok());
        assert!(FilePath::parse(&"x".repeat(100)).is_ok());
        let long = format!("{}/{}/{}", "x".repeat(100), "y".repeat(100), "z".repeat(38));
        assert_eq!(long.len(), 240);
        assert!(FilePath::parse(&long).is_ok());
        refuses(&format!("{long}z"), "path-too-long");
    }

    #[test]
    fn names_equal_under_case_folding_share_a_key() {
        let key = |text: &str| FilePath::parse(text).expect("a path").fold_key();
        assert_eq!(key("README.md"), key("readme.MD"));
        assert_eq!(key("straße"), key("STRASSE"));
        assert_ne!(key("a"), key("b"));
    }
}
