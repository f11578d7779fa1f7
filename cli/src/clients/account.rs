//! A rendering as text: what would be written where, and how much of the bundle holds then.

use std::fmt::Write as _;

use super::{Covered, Rendering, Want};

impl Covered {
    /// The word that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Unsupported => "unsupported",
        }
    }
}

impl Rendering {
    /// For people: the client, its files with each edit, the account, and what is left to do by hand.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", self.client.as_str());
        let mut path = "";
        for want in &self.wants {
            if path != want.path() {
                path = want.path();
                let _ = writeln!(text, "  {path}");
            }
            text.push_str(&line(want));
        }
        text.push_str("  coverage\n");
        for row in &self.coverage {
            let _ = writeln!(text, "    {:<12} {:<12} {}", row.what, row.covered.as_str(), row.note);
        }
        for snippet in &self.by_hand {
            let _ = writeln!(text, "  by hand: {}", snippet.replace('\n', "\n    "));
        }
        text
    }
}

fn line(want: &Want) -> String {
    match want {
        Want::File { text, .. } => text.lines().map(|line| format!("    {line}\n")).collect(),
        Want::Entry { at, value, .. } => format!("    {} = {value}\n", pointer(at)),
        Want::Item { at, item, .. } => format!("    {} += {item}\n", pointer(at)),
    }
}

/// A JSON pointer: keys hold dots.
fn pointer(at: &[String]) -> String {
    at.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect()
}
