//! A brief's Markdown as sections and blocks of prose, with lines.
//!
//! A block is a paragraph or one list item. Code spans, fenced code, comments and template tags are
//! blanked, byte for byte: what they hold is not the author's wording, and places stay right.

use crate::brief::template;

/// The text of a brief, taken apart.
pub(super) struct Prose {
    /// The H2 sections, in order.
    pub(super) sections: Vec<Section>,
    /// All prose, in order.
    pub(super) blocks: Vec<Block>,
}

/// One H2 section.
pub(super) struct Section {
    /// Its title, without `##`.
    pub(super) title: String,
    /// The line of its title, from 1.
    pub(super) line: usize,
    /// Whether nothing stands in it.
    pub(super) is_empty: bool,
    /// Whether it has no list item, which is how checks and conditions are written.
    is_bare: bool,
}

/// A paragraph or a list item.
pub(super) struct Block {
    /// The title of its section; empty before the first.
    pub(super) section: String,
    /// The words, code and tags blanked; line breaks kept.
    pub(super) text: String,
    /// The same as it is written.
    pub(super) raw: String,
    /// The line that it starts on, from 1.
    pub(super) line: usize,
}

impl Block {
    /// The line of a byte of the text.
    pub(super) fn line_at(&self, at: usize) -> usize {
        self.line + self.text.as_bytes()[..at].iter().filter(|&&b| b == b'\n').count()
    }
}

impl Prose {
    /// Takes a text apart.
    pub(super) fn of(source: &str) -> Self {
        let blanked = blank_spans(&blank_tags(source));
        let mut prose = Self { sections: Vec::new(), blocks: Vec::new() };
        let mut open = false;
        let mut fence = false;
        for (number, (raw, text)) in source.lines().zip(blanked.lines()).enumerate() {
            if raw.trim_start().starts_with("```") || raw.trim_start().starts_with("~~~") {
                fence = !fence;
                open = false;
                prose.fill(raw);
            } else if fence {
                prose.fill(raw);
            } else if let Some(title) = raw.strip_prefix("## ") {
                let title = title.trim().trim_end_matches('#').trim_end().to_owned();
                prose.sections.push(Section { title, line: number + 1, is_empty: true, is_bare: true });
                open = false;
            } else {
                prose.fill(raw);
                open = prose.line(raw, text, number + 1, open);
            }
        }
        prose
    }

    /// The section of that title, whatever its case.
    pub(super) fn section(&self, title: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.title.eq_ignore_ascii_case(title))
    }

    /// Whether a section is missing, or has no list item.
    pub(super) fn is_bare(&self, title: &str) -> bool {
        self.section(title).is_none_or(|section| section.is_bare)
    }

    fn fill(&mut self, raw: &str) {
        if let Some(section) = self.sections.last_mut() {
            section.is_empty &= is_blank(raw);
            section.is_bare &= !is_item(raw);
        }
    }

    /// Adds a line to the block that is open, or opens one; whether one is open afterwards.
    fn line(&mut self, raw: &str, text: &str, number: usize, open: bool) -> bool {
        if is_blank(raw) || raw.starts_with('#') {
            return false;
        }
        match self.blocks.last_mut() {
            Some(block) if open && !is_item(raw) => {
                block.text = format!("{}\n{text}", block.text);
                block.raw = format!("{}\n{raw}", block.raw);
            }
            _ => {
                let section = self.sections.last().map(|section| section.title.clone()).unwrap_or_default();
                self.blocks.push(Block { section, text: text.to_owned(), raw: raw.to_owned(), line: number });
            }
        }
        true
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || (line.starts_with("<!--") && line.ends_with("-->"))
}

fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark))
        || (digits.len() < line.len() && digits.starts_with(". "))
}

/// Spaces for template tags, line breaks kept.
fn blank_tags(source: &str) -> String {
    let mut text = source.to_owned();
    for tag in template::tags(source) {
        let spaces = blanks(&source[tag.range.clone()]);
        text.replace_range(tag.range, &spaces);
    }
    text
}

/// Spaces for code spans and comments within a line.
fn blank_spans(source: &str) -> String {
    let blank_line = |line: &str| {
        let mut line = line.to_owned();
        for (open, close) in [("`", "`"), ("<!--", "-->")] {
            let mut from = 0;
            while let Some(start) = line[from..].find(open).map(|at| from + at) {
                let inside = start + open.len();
                let Some(end) = line[inside..].find(close).map(|at| inside + at + close.len()) else { break };
                let spaces = blanks(&line[start..end]);
                line.replace_range(start..end, &spaces);
                from = end;
            }
        }
        line
    };
    source.split('\n').map(blank_line).collect::<Vec<_>>().join("\n")
}

fn blanks(text: &str) -> String {
    text.bytes().map(|b| if b == b'\n' || b == b'\r' { char::from(b) } else { ' ' }).collect()
}
