//! What one client's file writes its edits and its account on.

use serde_json::Value;

use super::{Client, Coverage, Covered, Format, Rendering, Want};

/// A rendering on the way.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    wants: Vec<Want>,
    coverage: Vec<Coverage>,
    by_hand: Vec<String>,
}

impl Sheet {
    /// A whole file of ours.
    pub(super) fn file(&mut self, path: String, text: String) {
        self.wants.push(Want::File { path, text });
    }

    /// A key of a JSON file.
    pub(super) fn entry(&mut self, path: &str, at: &[&str], value: Value) {
        self.wants.push(Want::Entry { path: path.to_owned(), format: Format::Json, at: keys(at), value });
    }

    /// A key of a TOML file.
    pub(super) fn toml_entry(&mut self, path: &str, at: &[&str], value: Value) {
        self.wants.push(Want::Entry { path: path.to_owned(), format: Format::Toml, at: keys(at), value });
    }

    /// An element of a list in a JSON file; the same element twice is one.
    pub(super) fn item(&mut self, path: &str, at: &[&str], item: impl Into<Value>) {
        let want = Want::Item { path: path.to_owned(), format: Format::Json, at: keys(at), item: item.into() };
        if !self.wants.contains(&want) {
            self.wants.push(want);
        }
    }

    /// A row of the account.
    pub(super) fn covers(&mut self, what: &'static str, covered: Covered, note: impl Into<String>) {
        self.coverage.push(Coverage { what, covered, note: note.into() });
    }

    /// A snippet or flag that a human has to put in place.
    pub(super) fn by_hand(&mut self, snippet: impl Into<String>) {
        self.by_hand.push(snippet.into());
    }

    /// The whole.
    pub(super) fn rendering(self, client: Client) -> Rendering {
        let Self { wants, coverage, by_hand } = self;
        debug_assert!(wants.iter().all(|want| client.may_write(want.path())), "a client writes its own files only");
        Rendering { client, wants, coverage, by_hand }
    }
}

fn keys(at: &[&str]) -> Vec<String> {
    at.iter().map(|key| (*key).to_owned()).collect()
}
