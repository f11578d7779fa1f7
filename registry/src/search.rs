//! Search: words over names, descriptions and keywords, and filters on what a package is and can do.
//!
//! Every word must match somewhere; a package is ranked by the best place where its words match, the
//! exact name first. No index is kept: reading 10,000 cards takes milliseconds, and a kept index would be
//! one more thing to keep true.

use std::sync::Arc;

use index::api::{SearchAnswer, SearchHit};
use skills::Refusal;

use crate::shelf::{Card, Page};

mod filter;

use filter::Filter;

/// Hits on a page where the request does not say.
pub const LIMIT_DEFAULT: usize = 20;

/// Most hits on one page.
pub const LIMIT_MAX: usize = 100;

/// Most hits that can be skipped: deeper pages are no search.
pub const OFFSET_MAX: usize = 10_000;

/// Longest query, in bytes.
pub const QUERY_BYTES_MAX: usize = 256;

/// What is looked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Query {
    /// The words in lower case.
    words: Vec<String>,
    /// What else has to hold of a package, all of it.
    filters: Vec<Filter>,
    /// Words and filters as they were understood.
    text: String,
    limit: usize,
    offset: usize,
}

impl Query {
    /// Reads words and filters. A filter that there is not, or a value that it cannot have, is refused:
    /// ignoring it would answer another question.
    pub fn parse(text: &str, limit: Option<usize>, offset: Option<usize>) -> Result<Self, Refusal> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(malformed(format!(
                "the query has {} bytes, at most {QUERY_BYTES_MAX} are allowed",
                text.len()
            )));
        }
        let limit = bounded("limit", limit.unwrap_or(LIMIT_DEFAULT), LIMIT_MAX)?;
        let offset = bounded("offset", offset.unwrap_or(0), OFFSET_MAX)?;
        let all: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let (words, filters): (Vec<&String>, Vec<&String>) = all.iter().partition(|word| !word.contains(':'));
        let filters = filters.into_iter().map(|word| Filter::parse(word)).collect::<Result<_, _>>()?;
        Ok(Self { words: words.into_iter().cloned().collect(), filters, text: all.join(" "), limit, offset })
    }

    /// Looks through the pages: best first, then by name.
    pub fn answer(&self, pages: &[Arc<Page>]) -> SearchAnswer {
        let mut hits: Vec<(u32, &Card)> = self.rank_all(pages);
        hits.sort_by(|(a, left), (b, right)| b.cmp(a).then_with(|| left.name.cmp(&right.name)));
        SearchAnswer {
            query: self.text.clone(),
            total: hits.len() as u64,
            hits: hits.into_iter().skip(self.offset).take(self.limit).map(|(_, card)| hit(card)).collect(),
        }
    }

    fn rank_all<'p>(&self, pages: &'p [Arc<Page>]) -> Vec<(u32, &'p Card)> {
        let cards = pages.iter().map(|page| &page.card);
        let cards = cards.filter(|card| self.filters.iter().all(|filter| filter.admits(card)));
        cards.filter_map(|card| Some((self.rank(card)?, card))).collect()
    }

    /// The sum of the words' ranks; `None` where one word matches nowhere.
    fn rank(&self, card: &Card) -> Option<u32> {
        let name = card.name.name().as_str();
        let full = card.name.to_string();
        let description = card.description.to_lowercase();
        let mut sum = u32::from(!card.yanked);
        for word in &self.words {
            let words_of =
                |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|w| w.starts_with(word.as_str()));
            sum += if name == word || full == *word {
                1_000
            } else if name.starts_with(word.as_str()) || full.starts_with(word.as_str()) {
                200
            } else if full.contains(word.as_str()) {
                100
            } else if card.keywords.iter().any(|keyword| keyword.to_lowercase().starts_with(word.as_str())) {
                50
            } else if words_of(&description) {
                10
            } else {
                return None;
            };
        }
        Some(sum)
    }
}

fn bounded(what: &str, seen: usize, most: usize) -> Result<usize, Refusal> {
    if seen > most { Err(malformed(format!("{what} is {seen}, at most {most} is allowed"))) } else { Ok(seen) }
}

fn malformed(why: String) -> Refusal {
    Refusal::new("query-malformed", why)
}

fn hit(card: &Card) -> SearchHit {
    SearchHit {
        name: card.name.clone(),
        version: card.version.clone(),
        kind: card.kind,
        description: card.description.clone(),
        keywords: card.keywords.clone(),
        yanked: card.yanked,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use index::entry::Boundary;
    use skills::manifest::Kind;
    use skills::package::Capabilities;
    use skills::{PackageName, Sha256, Version};

    use super::*;
    use crate::shelf::TaggedFile;

    /// A page as below, changed.
    fn with(name: &str, change: impl FnOnce(&mut Card)) -> Arc<Page> {
        let mut page = Arc::into_inner(page(name, "Reads PostgreSQL", &[])).expect("nobody else has it");
        change(&mut page.card);
        Arc::new(page)
    }

    fn page(name: &str, description: &str, keywords: &[&str]) -> Arc<Page> {
        let card = Card {
            name: PackageName::parse(name).expect("a name"),
            version: Version::parse("1.0.0").expect("a version"),
            kind: Kind::Skill,
            caps: Capabilities::default(),
            boundary: None,
            archive: Sha256::of(name),
            files: 1,
            description: description.to_owned(),
            keywords: keywords.iter().map(|word| (*word).to_owned()).collect(),
            yanked: false,
            since: 1,
        };
        Arc::new(Page { file: TaggedFile::new(Bytes::new()), card })
    }

    fn finds(text: &str, names: &[&str]) {
        let pages = [
            page("acme/pdf", "Fill forms", &["documents"]),
            page("acme/pdf-fill", "Fill PDF forms. Émile's", &[]),
            page("zoo/read-pdf", "Read documents", &["pdf"]),
            page("pdf/other", "Something else", &[]),
        ];
        let answer = Query::parse(text, None, None).expect(text).answer(&pages);
        let found: Vec<String> = answer.hits.iter().map(|hit| hit.name.to_string()).collect();
        assert_eq!(found, names, "{text}");
    }

    #[test]
    fn the_exact_name_comes_first_then_prefix_then_keyword_then_description() {
        finds("pdf", &["acme/pdf", "acme/pdf-fill", "pdf/other", "zoo/read-pdf"]);
        finds("documents", &["acme/pdf", "zoo/read-pdf"]);
    }

    #[test]
    fn every_word_must_match() {
        finds("pdf fill", &["acme/pdf", "acme/pdf-fill"]);
        finds("pdf nothing", &[]);
        finds("émile", &["acme/pdf-fill"]);
        finds("acme/pdf", &["acme/pdf", "acme/pdf-fill"]);
    }

    #[test]
    fn filters_choose_by_what_a_package_is_and_can_do() {
        let cleared = |data: &str| {
            let env = vec!["dev".to_owned(), "staging".to_owned()];
            Some(Boundary { env, data: data.to_owned(), approval: "plan-first".to_owned() })
        };
        let pages = [
            with("acme/check", |card| {
                card.kind = Kind::Check;
                card.caps = Capabilities { exec: true, network: "loopback".to_owned(), ..Capabilities::default() };
            }),
            with("acme/reads", |card| {
                card.kind = Kind::Tools;
                card.boundary = cleared("internal");
            }),
            with("beta/writes", |card| {
                card.kind = Kind::Tools;
                card.boundary = cleared("public");
                card.caps = Capabilities { mutates: true, network: "any".to_owned(), ..Capabilities::default() };
            }),
        ];
        for (text, expected) in [
            ("kind:tools", &["acme/reads", "beta/writes"][..]),
            ("postgresql kind:tools mutates:false", &["acme/reads"]),
            ("mutates:true", &["beta/writes"]),
            ("network:loopback", &["acme/check"]),
            ("network:none kind:tools", &["acme/reads"]),
            ("DATA:internal", &["acme/reads"]),
            ("env:staging scope:beta", &["beta/writes"]),
            ("env:production", &[]),
            ("approval:plan-first kind:check", &[]),
            ("exec:true", &["acme/check"]),
            ("kind:skill", &[]),
        ] {
            let answer = Query::parse(text, None, None).expect(text).answer(&pages);
            let found: Vec<String> = answer.hits.iter().map(|hit| hit.name.to_string()).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(answer.query, text.to_lowercase());
        }
    }

    #[test]
    fn a_filter_that_there_is_not_is_refused_and_a_value_that_it_cannot_have_too() {
        for text in [
            "colour:red",
            "kind:plugin",
            "mutates:maybe",
            "network:some",
            "data:secret",
            "env:",
            "scope:A_b",
            ":x",
            "https://x",
        ] {
            let refusal = Query::parse(text, None, None).expect_err(text);
            assert!(refusal.code == "query-malformed" && refusal.hint.is_some(), "{text}: {refusal:?}");
        }
    }

    #[test]
    fn pages_are_bounded_to_the_last_hit() {
        assert!(Query::parse("a", Some(LIMIT_MAX), Some(OFFSET_MAX)).is_ok());
        assert!(Query::parse("a", Some(LIMIT_MAX + 1), None).is_err());
        assert!(Query::parse("a", None, Some(OFFSET_MAX + 1)).is_err());
        assert!(Query::parse(&"a".repeat(QUERY_BYTES_MAX + 1), None, None).is_err());
    }
}
