//! The front matter as text: which lines belong to which top-level key.
//!
//! Values are mended and names rewritten in the author's text, so that comments, order and all other
//! bytes stay as they are; YAML has no way back from values to the text.

use std::ops::Range;

/// A top-level `key: value` with the lines that continue it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The key, without quotes.
    pub(crate) key: String,
    /// Line in the YAML, from 1.
    pub(crate) line: usize,
    /// Where the key begins, and where the last line with something on it ends, before its line end.
    pub(crate) span: Range<usize>,
    /// Where the value begins, or would: after the colon and the blanks.
    pub(crate) value: usize,
}

impl Entry {
    /// What stands behind the colon on the key's own line.
    pub(crate) fn inline<'a>(&self, front: &'a str) -> &'a str {
        front[self.value..self.span.end].lines().next().unwrap_or_default().trim_end()
    }

    /// Whether a comment ends a plain value on the key's own line, and words of the value with it.
    pub(crate) fn is_cut(&self, front: &str) -> bool {
        let inline = self.inline(front);
        !inline.starts_with(['"', '\'', '|', '>', '#', '[', '{']) && inline.contains(" #")
    }

    /// The lines after the key's own.
    pub(crate) fn continued<'a>(&self, front: &'a str) -> &'a str {
        let span = &front[self.span.clone()];
        span.split_once('\n').map_or("", |(_, rest)| rest)
    }
}

/// The top-level entries, in order. In a flow mapping (`{name: x}`) there are none.
pub(crate) fn entries(front: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut at = 0;
    let mut is_open = false;
    for (index, line) in front.split_inclusive('\n').enumerate() {
        let content = line.trim_end_matches(['\n', '\r']);
        if let Some((key, value)) = key_of(content) {
            let span = at..at + content.trim_end().len();
            entries.push(Entry { key: key.to_owned(), line: index + 1, span, value: at + value });
            is_open = true;
        } else if content.starts_with('#') {
            is_open = false;
        } else if let (true, Some(entry)) = (is_open && !content.trim().is_empty(), entries.last_mut()) {
            entry.span.end = at + content.trim_end().len();
        }
        at += line.len();
    }
    for entry in &mut entries {
        entry.value = entry.value.min(entry.span.end);
    }
    entries
}

/// The key that a line begins with, and where its value starts.
fn key_of(line: &str) -> Option<(&str, usize)> {
    let colon = line.find(':')?;
    let (key, rest) = (&line[..colon], &line[colon + 1..]);
    let bare = key.trim_end();
    let bare = unquoted(bare, '"').or_else(|| unquoted(bare, '\'')).unwrap_or(bare);
    let is_key = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    (is_key && (rest.is_empty() || blanks > 0)).then_some((bare, colon + 1 + blanks))
}

fn unquoted(text: &str, quote: char) -> Option<&str> {
    text.strip_prefix(quote)?.strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_lines_belong_to_their_key() {
        let front = "name: x\n# about\ndescription: >-\n  one\n\n  two\n\n# more\nmetadata:\n  a: b\n\"q\": 1\n";
        let found = entries(front);
        let shown: Vec<(&str, usize, &str)> =
            found.iter().map(|entry| (entry.key.as_str(), entry.line, &front[entry.span.clone()])).collect();
        assert_eq!(
            shown,
            [
                ("name", 1, "name: x"),
                ("description", 3, "description: >-\n  one\n\n  two"),
                ("metadata", 9, "metadata:\n  a: b"),
                ("q", 11, "\"q\": 1"),
            ]
        );
        assert_eq!(found[1].inline(front), ">-");
        assert_eq!(found[1].continued(front), "  one\n\n  two");
        assert_eq!(&front[found[0].value..found[0].span.end], "x");
    }

    #[test]
    fn a_flow_mapping_has_no_lines_of_its_own() {
        assert!(entries("{name: x, description: y}\n").is_empty());
    }

    #[test]
    fn an_address_is_no_key() {
        assert!(entries("http://example.org\n").is_empty());
    }
}
