//! What the result of a check depends on, as one digest.
//!
//! The second subject of its evidence: a proof goes stale when this digest changes, and an edit of
//! anything else leaves it standing. What the check writes itself is not among its inputs, or every
//! run would make its own proof stale. Where history and evidence lie is never an input.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::Check;
use crate::digest::{Growing, Sha256};

/// Folders at the top that are about the work, and not the work.
const NEVER: [&str; 3] = [".git", ".skill/evidence", ".skill/state"];

/// Which files a check depends on, and which it may write.
#[derive(Debug, Clone)]
pub struct Inputs {
    reads: GlobSet,
    writes: GlobSet,
    outputs: GlobSet,
    named: Vec<String>,
}

impl Inputs {
    /// Those of a check.
    pub fn of(check: &Check) -> Self {
        let named = check.inputs.iter().filter(|pattern| !pattern.contains(['*', '?', '[', '{']));
        let named = named.map(|pattern| pattern.trim_end_matches('/').to_owned()).collect();
        let writes = set(check.outputs.iter().chain(&check.writes));
        Self { reads: set(&check.inputs), writes, outputs: set(&check.outputs), named }
    }

    /// The patterns that are the path of one file: such a file is an input even where Git ignores it.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.named.iter().map(String::as_str).filter(|path| self.covers(path))
    }

    /// Whether the result depends on this file; its path is relative, with `/` between the parts.
    pub fn covers(&self, path: &str) -> bool {
        self.reads.is_match(path) && !self.writes.is_match(path) && !is_never(path)
    }

    /// Whether the check may make, change or remove this file.
    pub fn writes(&self, path: &str) -> bool {
        self.writes.is_match(path) && !is_never(path)
    }

    /// Whether the check is there to make this file.
    pub fn is_output(&self, path: &str) -> bool {
        self.outputs.is_match(path) && !is_never(path)
    }

    /// The digest of the files that the result depends on; the others and the order do not matter.
    pub fn digest<'a>(&self, files: impl IntoIterator<Item = (&'a [u8], Sha256)>) -> Sha256 {
        let covered = |(path, _): &(&[u8], Sha256)| self.covers(&String::from_utf8_lossy(path));
        let mut files: Vec<(&[u8], Sha256)> = files.into_iter().filter(covered).collect();
        files.sort_unstable_by_key(|(path, _)| *path);
        let mut text = Growing::default();
        for (path, digest) in files {
            text.update(line(path, digest));
        }
        text.finish()
    }
}

/// `hex  path\n`, as `sha256sum` prints it: a name with a line break in it is escaped and begins with
/// `\`, or one odd file could pass for two plain ones.
fn line(path: &[u8], digest: Sha256) -> Vec<u8> {
    let odd = path.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\\'));
    let mut line = format!("{}{}  ", if odd { "\\" } else { "" }, digest.hex()).into_bytes();
    for byte in path {
        match byte {
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            b'\\' => line.extend(b"\\\\"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

fn is_never(path: &str) -> bool {
    NEVER.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// A pattern names files, and what lies below the folders that it names: `migrations` that covered
/// nothing would be a proof that never goes stale.
fn set<'a>(patterns: impl IntoIterator<Item = &'a String>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.trim_end_matches('/');
        for spelt in [pattern.to_owned(), format!("{pattern}/**")] {
            let glob = GlobBuilder::new(&spelt).literal_separator(true).build();
            set.add(glob.expect("a pattern that was a glob when the check was read"));
        }
    }
    set.build().expect("each pattern compiles, and lists are bounded")
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn inputs(globs: &str) -> Inputs {
        let text = format!("[check]\nargv = [\"true\"]\n{globs}\n");
        Inputs::of(&Check::read(Source(&text)).expect("a check"))
    }

    fn digest(inputs: &Inputs, files: &[(&str, &str)]) -> Sha256 {
        inputs.digest(files.iter().map(|(path, text)| (path.as_bytes(), Sha256::of(text))))
    }

    #[test]
    fn the_digest_is_that_of_the_lines_of_sha256sum() {
        let lines = format!("{}  a\n{}  b/c\n", Sha256::of("1").hex(), Sha256::of("2").hex());
        assert_eq!(digest(&inputs("inputs = [\"**\"]"), &[("b/c", "2"), ("a", "1")]), Sha256::of(lines));
    }

    #[test]
    fn an_edit_of_an_input_changes_it_and_an_edit_of_anything_else_does_not() {
        let inputs = inputs("inputs = [\"migrations/**\", \"*.toml\"]");
        let before = digest(&inputs, &[("migrations/a.sql", "1"), ("README.md", "1"), ("a.toml", "1")]);
        assert_eq!(digest(&inputs, &[("migrations/a.sql", "1"), ("README.md", "2"), ("a.toml", "1")]), before);
        assert_ne!(digest(&inputs, &[("migrations/a.sql", "2"), ("README.md", "1"), ("a.toml", "1")]), before);
        assert_ne!(digest(&inputs, &[("migrations/a.sql", "1")]), before);
        assert_eq!(
            digest(&inputs, &[("migrations/a.sql", "1"), ("a.toml", "1"), ("b/c.toml", "1")]),
            before,
            "`*` stays in its folder"
        );
    }

    #[test]
    fn a_folder_that_is_named_covers_what_lies_below_it() {
        for globs in ["inputs = [\"src\"]", "inputs = [\"src/\"]", "inputs = [\"src/**\"]"] {
            assert!(inputs(globs).covers("src/a/b.rs"), "{globs}");
            assert!(!inputs(globs).covers("srcs/a"), "{globs}");
        }
    }

    #[test]
    fn what_a_check_writes_is_no_input_of_it() {
        let inputs = inputs("inputs = [\"**\"]\noutputs = [\"out/a.sql\"]\nwrites = [\"target/**\"]");
        assert!(inputs.covers("src/main.rs") && inputs.covers(".hidden/x"));
        for path in ["out/a.sql", "target/debug/x"] {
            assert!(!inputs.covers(path) && inputs.writes(path), "{path}");
        }
        assert!(inputs.covers("out/b.sql") && !inputs.writes("out/b.sql"));
    }

    #[test]
    fn history_and_evidence_are_never_inputs() {
        let inputs = inputs("inputs = [\"**\", \".git/**\", \".skill/evidence/x\"]");
        for path in [".git/config", ".git", ".skill/evidence/x", ".skill/state/lock"] {
            assert!(!inputs.covers(path), "{path}");
        }
        for path in [".gitignore", ".skill/briefs/a.brief.json", "a/.git-not"] {
            assert!(inputs.covers(path), "{path}");
        }
    }

    #[test]
    fn a_name_with_a_line_break_cannot_pass_for_two_files() {
        let inputs = inputs("inputs = [\"**\"]");
        let two = digest(&inputs, &[("a", "1"), ("b", "2")]);
        let odd = format!("a\n{}  b", Sha256::of("2").hex());
        assert_ne!(digest(&inputs, &[(&odd, "1")]), two);
        assert_ne!(digest(&inputs, &[("a\\nb", "1")]), digest(&inputs, &[("a\nb", "1")]));
    }

    #[test]
    fn names_that_are_no_text_are_told_apart() {
        let inputs = inputs("inputs = [\"**\"]");
        let of = |name: &'static [u8]| inputs.digest([(name, Sha256::of("1"))]);
        assert_ne!(of(b"a\xff"), of(b"a\xfe"));
    }
}
