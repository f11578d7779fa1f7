//! From what is wanted, what the ledger says and what the files hold to what they will hold.
//!
//! Pure. Additions come first and removals last, so that a container which stays in use is never
//! taken away and made again. What is there already, as wanted, is the user's and stays the user's;
//! what is there otherwise is the user's too, and refused. What we wrote and somebody changed is
//! left as it is and said, unless it is forced.

use std::collections::{BTreeMap, BTreeSet};

use index::lock::Entry;
use skills::{PackageName, Refusal, Sha256};

use super::place::{Part, Place, steps, steps_text};
use crate::clients::{Client, Want};
use crate::edits::{self, Format};
use crate::failure::Failure;

/// One edit, and who wants it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// For which client.
    pub client: Client,
    /// For which bundle.
    pub package: PackageName,
    /// What.
    pub want: Want,
}

/// A configuration file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing is there.
    Absent,
    /// A text.
    Text(String),
    /// Something that is never edited: a link, a folder, bytes that are no text.
    Blocked(Refusal),
}

/// Files by their path in the project.
pub(super) type Files = BTreeMap<String, Found>;

/// What has to happen.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// Every file that changes; `None`: it goes.
    pub changed: BTreeMap<String, Option<String>>,
    /// The ledger as it will be.
    pub rows: Vec<Entry>,
    /// Entries that somebody changed since we wrote them, and that are left as they are.
    pub modified: Vec<Place>,
    /// What stands in the way: nothing may be written while there is any.
    pub refused: Vec<(Place, Refusal)>,
}

type Key = (String, String, Option<String>);

struct Work<'a> {
    files: &'a Files,
    texts: BTreeMap<String, Option<String>>,
    old: BTreeMap<Key, (Place, &'a Entry)>,
    rows: BTreeMap<Key, Entry>,
    force: bool,
    out: Reconciled,
}

/// What stands at a place.
enum Now {
    Absent,
    /// As wanted.
    Same,
    /// As the ledger has it.
    Ours,
    Other,
}

/// Decides everything.
pub fn reconcile(files: &Files, old: &[Entry], wanted: &[Wanted], force: bool) -> Result<Reconciled, Failure> {
    let mut by_key = BTreeMap::new();
    for row in old {
        let place = Place::of_row(row)?;
        by_key.insert(place.key(), (place, row));
    }
    let mut work =
        Work { files, texts: BTreeMap::new(), old: by_key, rows: BTreeMap::new(), force, out: Reconciled::default() };
    for wanted in wanted {
        let place = Place::of(wanted.client, &wanted.want);
        if let Err(refusal) = work.settle(wanted, &place)? {
            work.out.refused.push((place, refusal));
        }
    }
    for (key, (place, row)) in work.old.clone() {
        if !work.rows.contains_key(&key)
            && let Err(refusal) = work.retire(key, &place, row)
        {
            work.out.refused.push((place, refusal));
        }
    }
    Ok(work.finish())
}

impl Work<'_> {
    /// Puts one wanted edit in place. The outer error is a fault of ours, the inner a refusal.
    fn settle(&mut self, wanted: &Wanted, place: &Place) -> Result<Result<(), Refusal>, Failure> {
        let digest = digest_of(&wanted.want);
        let key = place.key();
        if let Some(row) = self.rows.get_mut(&key) {
            if row.sha256 != digest {
                return Ok(Err(two_bundles(place, &row.owners, &wanted.package)));
            }
            row.owners.push(wanted.package.clone());
            row.owners.sort();
            row.owners.dedup();
            return Ok(Ok(()));
        }
        let mut row = place.row(digest, &wanted.package)?;
        let old = self.old.get(&key).map(|(_, old)| *old);
        if let Some(old) = old {
            (row.preexisting, row.created, row.made) = (old.preexisting, old.created, old.made.clone());
        }
        let settled = self.write(wanted, place, old, &mut row);
        if settled.is_ok() {
            self.rows.insert(key, row);
        }
        Ok(settled)
    }

    fn write(&mut self, wanted: &Wanted, place: &Place, old: Option<&Entry>, row: &mut Entry) -> Result<(), Refusal> {
        let now = self.now(place, Some(row.sha256), old.map(|old| old.sha256))?;
        let is_ours = old.is_some_and(|old| !old.preexisting);
        match now {
            Now::Same => row.preexisting = old.is_none_or(|old| old.preexisting),
            Now::Absent => {
                row.preexisting = false;
                self.add(place, &wanted.want, row)?;
            }
            Now::Ours if is_ours => self.replace(place, &wanted.want)?,
            Now::Other if is_ours && self.force => self.replace(place, &wanted.want)?,
            Now::Other if is_ours => {
                row.sha256 = old.map_or(row.sha256, |old| old.sha256);
                self.out.modified.push(place.clone());
            }
            Now::Ours | Now::Other => return Err(taken(place)),
        }
        Ok(())
    }

    fn add(&mut self, place: &Place, want: &Want, row: &mut Entry) -> Result<(), Refusal> {
        let text = self.text(&place.path)?;
        let siblings: Vec<&Entry> = self
            .old
            .values()
            .map(|(_, row)| *row)
            .chain(self.rows.values())
            .filter(|other| other.path == row.path)
            .collect();
        row.created = text.is_none() || siblings.iter().any(|other| other.created);
        let added = match want {
            Want::File { text, .. } => {
                self.texts.insert(place.path.clone(), Some(text.clone()));
                return Ok(());
            }
            // A file of ours ends in a line break.
            Want::Entry { format, at, value, .. } => edits::add_entry(*format, &start(text, *format), at, value)?,
            Want::Item { format, at, item, .. } => edits::add_item(*format, &start(text, *format), at, item)?,
        };
        let format = edits::format_of(&place.path).unwrap_or(Format::Json);
        let made: BTreeSet<String> = added
            .made
            .iter()
            .map(|made| steps_text(format, made))
            .chain(siblings.iter().flat_map(|other| other.made.iter().cloned()))
            .collect();
        row.made = around(format, &row.at, row.item.is_some(), &made);
        self.texts.insert(place.path.clone(), Some(added.text));
        Ok(())
    }

    fn replace(&mut self, place: &Place, want: &Want) -> Result<(), Refusal> {
        let text = self.text(&place.path)?.unwrap_or_default();
        let new = match want {
            Want::File { text, .. } => text.clone(),
            Want::Entry { format, at, value, .. } => edits::replace_entry(*format, &text, at, value)?,
            Want::Item { .. } => return Ok(()),
        };
        self.texts.insert(place.path.clone(), Some(new));
        Ok(())
    }

    /// Takes away what nobody wants any more, if it is still what we wrote.
    fn retire(&mut self, key: Key, place: &Place, row: &Entry) -> Result<(), Refusal> {
        if row.preexisting {
            return Ok(());
        }
        match self.now(place, Some(row.sha256), None)? {
            Now::Absent => {}
            Now::Same | Now::Ours => self.take_away(place, row)?,
            Now::Other => {
                self.out.modified.push(place.clone());
                self.rows.insert(key, Entry { owners: Vec::new(), ..row.clone() });
            }
        }
        Ok(())
    }

    fn take_away(&mut self, place: &Place, row: &Entry) -> Result<(), Refusal> {
        let text = self.text(&place.path)?.unwrap_or_default();
        let (format, gone) = match &place.part {
            Part::File => {
                self.texts.insert(place.path.clone(), None);
                return Ok(());
            }
            Part::Entry(format, at) => (*format, edits::remove_entry(*format, &text, at)?),
            Part::Item(format, at, item) => (*format, edits::remove_item(*format, &text, at, item)?),
        };
        let made: Vec<Vec<String>> = row.made.iter().filter_map(|made| steps(format, made)).collect();
        let left = edits::remove_if_empty(format, &gone, &made)?;
        let left = if row.created && left.trim().is_empty() { None } else { Some(left) };
        self.texts.insert(place.path.clone(), left);
        Ok(())
    }

    fn now(&self, place: &Place, wanted: Option<Sha256>, ours: Option<Sha256>) -> Result<Now, Refusal> {
        let Some(text) = self.text(&place.path)? else { return Ok(Now::Absent) };
        let digest = match &place.part {
            Part::File => Some(Sha256::of(&text)),
            Part::Entry(format, at) => edits::value_at(*format, &text, at)?.map(|value| edits::digest(&value)),
            Part::Item(format, at, item) => {
                return Ok(match edits::position(*format, &text, at, item)? {
                    Some(_) => Now::Same,
                    None => Now::Absent,
                });
            }
        };
        Ok(match digest {
            None => Now::Absent,
            seen if seen == wanted => Now::Same,
            seen if seen == ours => Now::Ours,
            _ => Now::Other,
        })
    }

    /// The text of a file as far as it was edited.
    fn text(&self, path: &str) -> Result<Option<String>, Refusal> {
        if let Some(text) = self.texts.get(path) {
            return Ok(text.clone());
        }
        match self.files.get(path) {
            None | Some(Found::Absent) => Ok(None),
            Some(Found::Text(text)) => Ok(Some(text.clone())),
            Some(Found::Blocked(refusal)) => Err(refusal.clone()),
        }
    }

    fn finish(mut self) -> Reconciled {
        let files = self.files;
        let before = |path: &String| match files.get(path) {
            Some(Found::Text(text)) => Some(text.clone()),
            _ => None,
        };
        self.out.changed = self.texts.into_iter().filter(|(path, text)| before(path) != *text).collect();
        self.out.rows = self.rows.into_values().collect();
        self.out
    }
}

/// What the value is known by in the ledger.
pub(super) fn digest_of(want: &Want) -> Sha256 {
    match want {
        Want::File { text, .. } => Sha256::of(text),
        Want::Entry { value, .. } => edits::digest(value),
        Want::Item { item, .. } => edits::digest(item),
    }
}

/// What an edit starts from where there is no file: a file of ours ends in a line break.
fn start(text: Option<String>, format: Format) -> String {
    text.unwrap_or_else(|| if format == Format::Json { "\n".to_owned() } else { String::new() })
}

/// Of the containers made for us in a file, those that are around this place, outermost first.
fn around(format: Format, at: &str, is_list: bool, made: &BTreeSet<String>) -> Vec<String> {
    let Some(mut steps) = steps(format, at) else { return Vec::new() };
    if !is_list {
        steps.pop();
    }
    let containers = (0..=steps.len()).map(|length| steps_text(format, &steps[..length]));
    containers.filter(|container| made.contains(container)).collect()
}

fn taken(place: &Place) -> Refusal {
    let refusal = Refusal::new("tools-conflict", format!("`{place}` is there already, with another value"));
    match &place.part {
        Part::Entry(_, at) => {
            let server = at.last().map_or("", String::as_str);
            refusal.hint(format!("give the bundle's server another name here: `--rename {server}={server}2`"))
        }
        _ => refusal.hint("move it away, or take it out by hand"),
    }
}

fn two_bundles(place: &Place, owners: &[PackageName], other: &PackageName) -> Refusal {
    let owners: Vec<String> = owners.iter().map(ToString::to_string).collect();
    let message = format!("`{place}` is wanted by {} and, with another value, by {other}", owners.join(", "));
    Refusal::new("tools-conflict", message).hint("`--rename` gives a server of one of them another name here")
}

/// A file with nothing in it but what these wants are: what a person copies from.
pub(super) fn by_hand(wants: &[&Want]) -> String {
    let mut text: Option<String> = None;
    for want in wants {
        let added = match want {
            Want::File { text, .. } => Ok(edits::Added { text: text.clone(), made: Vec::new() }),
            Want::Entry { format, at, value, .. } => {
                edits::add_entry(*format, &start(text.clone(), *format), at, value)
            }
            Want::Item { format, at, item, .. } => edits::add_item(*format, &start(text.clone(), *format), at, item),
        };
        if let Ok(added) = added {
            text = Some(added.text);
        }
    }
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests;
