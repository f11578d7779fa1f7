//! A JUnit report, as far as it matters: how many tests ran, and how many failed.
//!
//! The report is a stranger's, and XML can be a bomb: so nothing is expanded, a document with a DTD is not
//! read, and the rest is a walk over tags. The counts of the test cases are believed before those that a
//! suite claims; where the two differ, the worse number of failures holds.

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 64;

/// What a report tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Tests that ran.
    pub(super) ran: u32,
    /// Tests that failed, or broke.
    pub(super) failed: u32,
}

/// Reads a report; nothing where it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Counts> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut walk = Walk::default();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while let Some((_, after)) = rest.split_once('<') {
        rest = match () {
            () if after.starts_with("!--") => after[3..].split_once("-->")?.1,
            () if after.starts_with("![CDATA[") => after.split_once("]]>")?.1,
            () if after.starts_with('?') => after.split_once("?>")?.1,
            () if after.starts_with('!') => return None,
            () => {
                let (tag, after) = tag(after)?;
                walk.tag(tag)?;
                after
            }
        };
    }
    walk.finish()
}

/// A tag up to its `>`, quotes minded, and what follows.
fn tag(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '>') => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

#[derive(Default)]
struct Walk<'a> {
    open: Vec<&'a str>,
    cases: u32,
    skipped: u32,
    failed: u32,
    claimed: Counts,
    claimed_skipped: u32,
    /// What the open test case was found to be.
    case: Option<&'a str>,
    is_report: bool,
}

impl<'a> Walk<'a> {
    fn tag(&mut self, tag: &'a str) -> Option<()> {
        if let Some(name) = tag.strip_prefix('/') {
            let name = name.trim_end();
            (self.open.pop()? == name).then_some(())?;
            if name == "testcase" {
                self.end_case();
            }
            return Some(());
        }
        let is_empty = tag.ends_with('/');
        let name = tag.trim_end_matches('/').split_ascii_whitespace().next()?;
        self.begin(name, tag)?;
        if is_empty && name == "testcase" {
            self.end_case();
        } else if !is_empty {
            self.open.push(name);
        }
        (self.open.len() <= DEPTH_MAX).then_some(())
    }

    fn begin(&mut self, name: &'a str, tag: &str) -> Option<()> {
        if self.open.is_empty() {
            matches!(name, "testsuites" | "testsuite").then_some(())?;
            self.is_report = true;
        }
        match name {
            "testsuite" if self.open.iter().all(|open| *open == "testsuites") => {
                let number =
                    |name: &str| attribute(tag, name).and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(0);
                self.claimed.ran = self.claimed.ran.saturating_add(number("tests"));
                let broken = number("failures").saturating_add(number("errors"));
                self.claimed.failed = self.claimed.failed.saturating_add(broken);
                self.claimed_skipped = self.claimed_skipped.saturating_add(number("skipped"));
            }
            "testcase" => {
                self.cases += 1;
                self.case = Some("");
            }
            "failure" | "error" if self.case.is_some() => self.case = Some("failed"),
            "skipped" if self.case == Some("") => self.case = Some("skipped"),
            _ => {}
        }
        Some(())
    }

    fn end_case(&mut self) {
        match self.case.take() {
            Some("failed") => self.failed += 1,
            Some("skipped") => self.skipped += 1,
            _ => {}
        }
    }

    fn finish(self) -> Option<Counts> {
        let failed = self.failed.max(self.claimed.failed);
        let ran = match self.cases {
            0 => self.claimed.ran.saturating_sub(self.claimed_skipped),
            cases => cases - self.skipped,
        };
        (self.is_report && self.open.is_empty()).then_some(Counts { ran, failed })
    }
}

/// The value of an attribute of a tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag.split_once(|c: char| c.is_ascii_whitespace())?.1;
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, left) = after[1..].split_once(quote)?;
        if key.trim() == name {
            return Some(value);
        }
        rest = left;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn counts(text: &str, ran: u32, failed: u32) {
        assert_eq!(read(text.as_bytes()), Some(Counts { ran, failed }), "{text}");
    }

    #[test]
    fn test_cases_are_counted_and_skipped_ones_did_not_run() {
        counts("<testsuite/>", 0, 0);
        counts(
            "<?xml version=\"1.0\"?>\n<testsuites><testsuite tests=\"2\"><testcase name='a>b'/><testcase></testcase></testsuite></testsuites>",
            2,
            0,
        );
        counts("<testsuite><testcase><skipped/></testcase><testcase/></testsuite>", 1, 0);
        counts(
            "<testsuite><testcase><failure>x</failure><error/></testcase><testcase><error/></testcase></testsuite>",
            2,
            2,
        );
        counts(
            "<testsuite><!-- <failure/> --><testcase><system-out><![CDATA[<failure/>]]></system-out></testcase></testsuite>",
            1,
            0,
        );
    }

    #[test]
    fn what_a_suite_claims_counts_where_there_are_no_cases_and_where_it_is_worse() {
        counts("<testsuite tests=\"3\" failures='1' errors=\"1\" skipped=\"1\"/>", 2, 2);
        counts("<testsuite tests=\"1\" failures=\"5\"><testcase/></testsuite>", 1, 5);
        counts("<testsuite tests=\"9\" failures=\"0\"><testcase><failure/></testcase></testsuite>", 1, 1);
    }

    #[test]
    fn what_is_no_report_or_could_be_a_bomb_is_not_read() {
        for text in [
            "",
            "all fine",
            "<html/>",
            "<testsuite>",
            "<testsuite><testcase></testsuite></testcase>",
            "<!DOCTYPE x [<!ENTITY a \"aaa\">]><testsuite/>",
            "<testsuite a=\"",
            "<testsuite><!-- ",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(b"\xff<testsuite/>"), None);
        let deep = "<testsuite>".repeat(100) + &"</testsuite>".repeat(100);
        assert_eq!(read(deep.as_bytes()), None);
    }
}
