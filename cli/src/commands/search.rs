//! `skill search WORDS`: what the registry has for these words.

use std::fmt::Write as _;

use index::api::SearchAnswer;
use serde_json::json;
use skills::manifest::Kind;

use crate::api;
use crate::context::Context;
use crate::failure::Failure;
use crate::shown;
use crate::ui::Answer;

/// Most hits asked for at once.
const HITS_MAX: u32 = 100;

/// Arguments of `skill search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words that must all occur, and filters: kind:tools mutates:false network:none env:staging scope:acme
    #[arg(required = true)]
    words: Vec<String>,
    /// How many to show
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(HITS_MAX)))]
    limit: u32,
}

/// Asks, and shows one package in two lines.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let client = context.client()?;
    let path = format!("/search?q={}&limit={}", escape(&args.words.join(" ")), args.limit);
    let answer: SearchAnswer = context.block_on(api::ask_publicly(&client, &path))?;
    let mut text = String::new();
    for hit in &answer.hits {
        let yanked = if hit.yanked { "  (yanked)" } else { "" };
        let kind = if hit.kind == Kind::Skill { String::new() } else { format!("  ({})", hit.kind.as_str()) };
        let _ = writeln!(text, "{} {}{kind}{yanked}", hit.name, hit.version);
        let description = shown::line(&hit.description, 76);
        if !description.is_empty() {
            let _ = writeln!(text, "    {description}");
        }
    }
    let shown = answer.hits.len() as u64;
    match answer.total {
        0 => context.ui.note("nothing found"),
        total if total > shown => context.ui.note(format!("{shown} of {total}; `--limit` shows more")),
        _ => {}
    }
    Ok(Answer::new(text, json!(answer)))
}

/// Percent-encodes everything that is not a plain letter or digit (RFC 3986 §2.3).
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            _ => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_leaves_the_query() {
        assert_eq!(escape("größe & limit=9#x"), "gr%C3%B6%C3%9Fe%20%26%20limit%3D9%23x");
    }
}
