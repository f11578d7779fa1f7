//! Search: words over names, descriptions and keywords, in memory.
//!
//! Every word must match somewhere; a package is ranked by the best place where its words match, the
//! exact name first. No index is kept: reading 10,000 cards takes milliseconds, and a kept index would be
//! one more thing to keep true.

use std::sync::Arc;

use index::api::{SearchAnswer, SearchHit};
use skills::Refusal;

use crate::shelf::{Card, Page};

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
    /// A kind other than `skill` is asked for, and this registry keeps skills only.
    impossible: bool,
    limit: usize,
    offset: usize,
}

impl Query {
    /// Reads the words. `kind:skill` is a filter; other filters are refused, because ignoring one would
    /// answer another question.
    pub fn parse(text: &str, limit: Option<usize>, offset: Option<usize>) -> Result<Self, Refusal> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(malformed(format!(
                "the query has {} bytes, at most {QUERY_BYTES_MAX} are allowed",
                text.len()
            )));
        }
        let mut query = Self { words: Vec::new(), impossible: false, limit: LIMIT_DEFAULT, offset: 0 };
        query.limit = bounded("limit", limit.unwrap_or(LIMIT_DEFAULT), LIMIT_MAX)?;
        query.offset = bounded("offset", offset.unwrap_or(0), OFFSET_MAX)?;
        for word in text.split_whitespace().map(str::to_lowercase) {
            match word.split_once(':') {
                None => query.words.push(word),
                Some(("kind", kind)) => query.impossible |= kind != "skill",
                Some((filter, _)) => {
                    return Err(malformed(format!("there is no filter `{}`", filter.escape_debug()))
                        .hint("the only filter is `kind:skill`"));
                }
            }
        }
        Ok(query)
    }

    /// Looks through the pages: best first, then by name.
    pub fn answer(&self, pages: &[Arc<Page>]) -> SearchAnswer {
        let mut hits: Vec<(u32, &Card)> = if self.impossible { Vec::new() } else { self.rank_all(pages) };
        hits.sort_by(|(a, left), (b, right)| b.cmp(a).then_with(|| left.name.cmp(&right.name)));
        SearchAnswer {
            query: self.words.join(" "),
            total: hits.len() as u64,
            hits: hits.into_iter().skip(self.offset).take(self.limit).map(|(_, card)| hit(card)).collect(),
        }
    }

    fn rank_all<'p>(&self, pages: &'p [Arc<Page>]) -> Vec<(u32, &'p Card)> {
        let cards = pages.iter().map(|page| &page.card);
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
        description: card.description.clone(),
        keywords: card.keywords.clone(),
        yanked: card.yanked,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use skills::{PackageName, Sha256, Version};

    use super::*;
    use crate::shelf::TaggedFile;

    fn page(name: &str, description: &str, keywords: &[&str]) -> Arc<Page> {
        let card = Card {
            name: PackageName::parse(name).expect("a name"),
            version: Version::parse("1.0.0").expect("a version"),
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
    fn kind_is_a_filter_and_other_filters_are_refused() {
        finds("kind:skill something", &["pdf/other"]);
        finds("kind:tools pdf", &[]);
        assert_eq!(Query::parse("mutates:false", None, None).expect_err("no filter").code, "query-malformed");
    }

    #[test]
    fn pages_are_bounded_to_the_last_hit() {
        assert!(Query::parse("a", Some(LIMIT_MAX), Some(OFFSET_MAX)).is_ok());
        assert!(Query::parse("a", Some(LIMIT_MAX + 1), None).is_err());
        assert!(Query::parse("a", None, Some(OFFSET_MAX + 1)).is_err());
        assert!(Query::parse(&"a".repeat(QUERY_BYTES_MAX + 1), None, None).is_err());
    }
}
