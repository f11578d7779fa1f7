//! Mending what has one right answer, in the author's text, and nothing else.
//!
//! Only the front matter of `SKILL.md` and the line ends of scripts are touched; the body stays as
//! it is to the byte. Each step does nothing where there is nothing to do, so mending twice is
//! mending once.

use super::files::has_shebang;
use crate::frontmatter::{self, Parts};
use crate::name::{SkillName, slug};

/// The mended `SKILL.md`, or nothing where it cannot even be cut into its parts.
pub(super) fn skill_md(bytes: &[u8], expected: Option<&SkillName>) -> Option<Vec<u8>> {
    let text = frontmatter::text_of(bytes).ok()?;
    let parts = Parts::split(text).ok()?;
    let head = parts.head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).replace('\r', "");
    let mut front = parts.front.replace("\r\n", "\n");
    let close = parts.close.replace('\r', "");
    let whole = |front: &str| [head.as_str(), front, close.as_str(), parts.body].concat();
    if let Some(mended) = mended_yaml(&front) {
        front = mended;
    }
    front = frontmatter::quote_scalars(&front, &["name", "description", "license", "compatibility"]);
    let read = frontmatter::read(whole(&front).as_bytes()).ok();
    if let Some(name) = read.and_then(|read| better_name(read.front.name.as_deref(), expected)) {
        let named = whole(&frontmatter::set_name(&front, &name));
        let is_set = frontmatter::read(named.as_bytes()).is_ok_and(|read| read.front.name.as_deref() == Some(&name));
        return Some(if is_set { named } else { whole(&front) }.into_bytes());
    }
    Some(whole(&front).into_bytes())
}

/// The YAML that parses after mending, if it did not before.
fn mended_yaml(front: &str) -> Option<String> {
    let wrap = |yaml: &str| format!("---\n{yaml}---\n");
    let before = frontmatter::examine(wrap(front).as_bytes()).ok()?;
    let needs_mending = before.notes.iter().any(|note| matches!(note.code, "S010" | "S012"));
    needs_mending.then(|| frontmatter::mend_yaml(front).0)
}

/// The name that it should have, if it has another one.
fn better_name(name: Option<&str>, expected: Option<&SkillName>) -> Option<String> {
    let better = match (expected, name) {
        (Some(expected), _) => expected.to_string(),
        (None, Some(name)) => slug(name).filter(|slug| SkillName::parse(slug).is_ok())?,
        (None, None) => return None,
    };
    (name != Some(&better)).then_some(better)
}

/// A script with LF line ends, if its first line ended in CRLF.
pub(super) fn script(bytes: &[u8]) -> Option<Vec<u8>> {
    let first_end = bytes.iter().position(|&b| b == b'\n')?;
    if !has_shebang(bytes) || !bytes[..first_end].ends_with(b"\r") {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    for (index, &byte) in bytes.iter().enumerate() {
        if byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            out.push(byte);
        }
    }
    Some(out)
}
