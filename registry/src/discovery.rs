//! `/.well-known/agent-skills/index.json`: so that installers which know nothing of us install from us.
//!
//! Agent Skills discovery, version 0.2.0, as the most used installer reads it (npm `skills` 1.5.18, tried).
//! It drops an entry that it does not like without a word, so we list only what it can install: skills (what is of
//! another kind needs `skill`), names that
//! are one folder (of two scopes with equal last parts the root document has the one published first; each
//! scope has a document of its own), at most 1,000 files, a description of 1 to 1,024 UTF-16 units. It
//! verifies the digest and nothing else: no signature, no policy. That is its reader's choice, not our
//! promise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::Serialize;

use skills::manifest::Kind;

use crate::shelf::{Card, Page, Shelf, TaggedFile};

const SCHEMA: &str = "https://schemas.agentskills.io/discovery/0.2.0/schema.json";

/// Most files in an archive that the installer unpacks.
const FILES_MAX: u32 = 1_000;

/// Longest description that it accepts, in UTF-16 code units.
const DESCRIPTION_UNITS_MAX: usize = 1_024;

#[derive(Serialize)]
struct Document<'p> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    skills: Vec<Skill<'p>>,
}

#[derive(Serialize)]
struct Skill<'p> {
    name: &'p str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'p str,
    url: String,
    digest: String,
    version: String,
}

/// The root document, rebuilt when somebody asks after a change.
#[derive(Default)]
pub struct Discovery {
    built: Mutex<Option<(u64, TaggedFile)>>,
}

impl Discovery {
    /// The document for all packages. `base` is put before each URL: empty, or the public address.
    pub fn root(&self, shelf: &Shelf, base: &str) -> TaggedFile {
        // The number is read before the pages: a change in between costs one rebuild, never a stale answer.
        let generation = shelf.generation();
        let mut built = self.built.lock().expect("nothing panics while it holds the document");
        match &*built {
            Some((of, file)) if *of == generation => file.clone(),
            _ => {
                let file = document(&shelf.pages(), base);
                *built = Some((generation, file.clone()));
                file
            }
        }
    }

    /// The document for one scope.
    pub fn scope(shelf: &Shelf, scope: &str, base: &str) -> TaggedFile {
        let pages: Vec<Arc<Page>> =
            shelf.pages().into_iter().filter(|page| page.card.name.scope().as_str() == scope).collect();
        document(&pages, base)
    }
}

fn document(pages: &[Arc<Page>], base: &str) -> TaggedFile {
    let mut first: HashMap<&str, &Card> = HashMap::with_capacity(pages.len());
    for card in pages.iter().map(|page| &page.card).filter(|card| installable(card)) {
        let kept = first.entry(card.name.name().as_str()).or_insert(card);
        if card.since < kept.since {
            *kept = card;
        }
    }
    let mut cards: Vec<&Card> = first.into_values().collect();
    cards.sort_unstable_by(|a, b| a.name.name().cmp(b.name.name()));
    let skills = cards.into_iter().map(|card| skill(card, base)).collect();
    let json = serde_json::to_vec(&Document { schema: SCHEMA, skills }).expect("strings always serialise");
    TaggedFile::new(Bytes::from(json))
}

fn installable(card: &Card) -> bool {
    let units = card.description.encode_utf16().count();
    card.kind == Kind::Skill && !card.yanked && card.files <= FILES_MAX && (1..=DESCRIPTION_UNITS_MAX).contains(&units)
}

fn skill<'p>(card: &'p Card, base: &str) -> Skill<'p> {
    Skill {
        name: card.name.name().as_str(),
        kind: "archive",
        description: &card.description,
        url: format!("{base}{}", index::urls::archive(&card.archive)),
        digest: card.archive.to_string(),
        version: card.version.to_string(),
    }
}
