//! What a transaction replaced, kept for the day that somebody wants it back.
//!
//! A generation is written by the very transaction whose past it holds, through the same journal: it
//! is there exactly if the change happened, whenever the machine stops. The newest ten are kept.
//! Going back undoes transactions from the newest down, in one transaction of its own, to the byte;
//! what somebody edited since is never lost without `--force`. Briefs and evidence are no part of it:
//! they name digests.
//!
//! `.skill/state` is ignored by Git, and still a branch can bring files there. So the digest of each
//! generation is kept outside the project, beside the journal's seal, and one without is not obeyed.
//!
//! ```text
//! .skill/state/generations/N/generation.json   what was changed, from what to what
//! .skill/state/generations/N/old/I             what stood at the I-th place
//! ```

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skills::Sha256;

use super::{Change, JOURNAL_BYTES_MAX, Spot, apply, exists, read_folder, read_tree};
use crate::briefs::now;
use crate::failure::{Exit, Failure, OnPath};
use crate::project::{Held, Project, Regular, read_regular};

/// Where generations lie, relative to the project.
pub const GENERATIONS_PATH: &str = ".skill/state/generations";

/// How many are kept.
pub const GENERATIONS_MAX: usize = 10;

/// Largest file that is kept: more than any lock, proof or configuration has.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What stands at a place, by content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stands {
    Absent,
    File(String),
    Link(PathBuf),
    Folder(String),
    /// A device, a folder with links in it: cannot be kept.
    Other,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    spot: Spot,
    before: Stands,
    after: Stands,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    v: u32,
    at: String,
    items: Vec<Item>,
}

/// What going back does.
#[derive(Debug)]
pub struct Back {
    /// The transactions that are undone, the newest first.
    pub undone: Vec<u64>,
    /// The places that change.
    pub changed: Vec<String>,
}

/// The changes that keep what these changes replace, and forget what is too old.
pub(super) fn keep(project: &Project, held: &Held, changes: &[Change]) -> Result<Vec<Change>, Failure> {
    let numbers = numbers(project)?;
    let number = numbers.last().map_or(Some(1), |last| last.checked_add(1));
    let number = number.ok_or_else(|| foreign(u64::MAX, "leaves no number for the next one"))?;
    let folder = format!("{GENERATIONS_PATH}/{number}");
    let (mut kept, mut items) = (Vec::new(), Vec::new());
    for (at, change) in changes.iter().enumerate() {
        let path = change.spot().path(project);
        let before = stands(&path)?;
        let spot = Spot::root(format!("{folder}/old/{at}"));
        match &before {
            Stands::File(_) => kept.push(Change::File(spot, fs::read(&path).on("read", &path)?)),
            Stands::Folder(_) => kept.push(Change::Folder(spot, read_tree(&path)?)),
            Stands::Absent | Stands::Link(_) | Stands::Other => {}
        }
        items.push(Item { spot: change.spot().clone(), before, after: stands_after(change) });
    }
    let generation = Generation { v: 1, at: now().to_string(), items };
    let text = serde_json::to_vec(&generation).expect("a generation is strings, which always serialise");
    seal(held, number, &text)?;
    kept.push(Change::File(Spot::root(format!("{folder}/generation.json")), text));
    let old = numbers.len().saturating_sub(GENERATIONS_MAX - 1);
    kept.extend(numbers[..old].iter().map(|number| Change::Remove(Spot::root(format!("{GENERATIONS_PATH}/{number}")))));
    Ok(kept)
}

/// Returns to what stood before transaction `to`, or before the last one.
pub fn back(project: &Project, held: &Held, to: Option<u64>, force: bool, dry_run: bool) -> Result<Back, Failure> {
    let numbers = numbers(project)?;
    let missing = || {
        let known: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let known = if known.is_empty() { "none is kept".to_owned() } else { format!("kept: {}", known.join(", ")) };
        Failure::could_not("generation-missing", format!("there is no such generation; {known}"))
    };
    let to = to.or(numbers.last().copied()).filter(|to| numbers.contains(to)).ok_or_else(missing)?;
    let undone: Vec<u64> = numbers.iter().copied().filter(|number| *number >= to).rev().collect();
    let mut places: Vec<(Item, PathBuf)> = Vec::new();
    for number in &undone {
        for (at, item) in read(project, held, *number)?.items.into_iter().enumerate() {
            let old = project.root.join(format!("{GENERATIONS_PATH}/{number}/old/{at}"));
            match places.iter_mut().find(|(known, _)| known.spot == item.spot) {
                // An older transaction knows what stood before; the newest one what it left.
                Some(known) => (known.0.before, known.1) = (item.before, old),
                None => places.push((item, old)),
            }
        }
    }
    if !force {
        refuse_edits(project, &places)?;
    }
    let mut changes = Vec::new();
    for (item, old) in &places {
        changes.extend(change_back(project, item, old)?);
    }
    let changed = changes.iter().map(|change| change.spot().as_str().to_owned()).collect();
    changes.extend(undone.iter().map(|number| Change::Remove(Spot::root(format!("{GENERATIONS_PATH}/{number}")))));
    if !dry_run {
        apply(project, held, &changes)?;
    }
    Ok(Back { undone, changed })
}

/// The generations that are kept, oldest first.
pub fn numbers(project: &Project) -> Result<Vec<u64>, Failure> {
    let path = project.root.join(GENERATIONS_PATH);
    if path.is_symlink() {
        return Err(Failure::could_not(
            "leaves-project",
            format!("`{}` is a link, and must not be one", path.display()),
        ));
    }
    let entries = match fs::read_dir(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.on("list", &path)?,
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // `+7` and `007` would be a second 7.
    let number = |name: String| name.parse().ok().filter(|number: &u64| number.to_string() == name);
    let mut numbers: Vec<u64> = names.filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The generations that nothing can go back to: not of this user, unreadable, or not whole any more.
pub fn lost(project: &Project, held: &Held) -> Result<Vec<u64>, Failure> {
    let mut lost = Vec::new();
    for number in numbers(project)? {
        match read(project, held, number) {
            Ok(generation) if is_whole(project, number, &generation)? => {}
            Err(failure) if failure.code != "generation-foreign" => return Err(failure),
            _ => lost.push(number),
        }
    }
    Ok(lost)
}

/// Deletes generations, and nothing of what they were kept from.
pub fn forget(project: &Project, held: &Held, numbers: &[u64]) -> Result<(), Failure> {
    let gone = |number: &u64| Change::Remove(Spot::root(format!("{GENERATIONS_PATH}/{number}")));
    apply(project, held, &numbers.iter().map(gone).collect::<Vec<_>>())
}

fn is_whole(project: &Project, number: u64, generation: &Generation) -> Result<bool, Failure> {
    for (at, item) in generation.items.iter().enumerate() {
        let old = project.root.join(format!("{GENERATIONS_PATH}/{number}/old/{at}"));
        if matches!(item.before, Stands::File(_) | Stands::Folder(_)) && stands(&old)? != item.before {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When a generation was made, and how many places it changed.
pub fn describe(project: &Project, held: &Held, number: u64) -> Result<(String, usize), Failure> {
    read(project, held, number).map(|generation| (generation.at, generation.items.len()))
}

fn refuse_edits(project: &Project, places: &[(Item, PathBuf)]) -> Result<(), Failure> {
    let mut edited = Vec::new();
    for (item, _) in places {
        if stands(&item.spot.path(project))? != item.after {
            edited.push(format!("`{}`", item.spot.as_str()));
        }
    }
    if edited.is_empty() {
        return Ok(());
    }
    let seen = format!("edited since: {}", edited.join(", "));
    Err(Failure::new(Exit::Failed, "edited", seen).hint("`--force` goes back all the same, and loses the edits"))
}

/// The change that makes a place what it was; none where it is that already.
fn change_back(project: &Project, item: &Item, old: &Path) -> Result<Option<Change>, Failure> {
    let spot = item.spot.clone();
    let now = stands(&spot.path(project))?;
    if now == item.before {
        return Ok(None);
    }
    let lost = || {
        Failure::could_not("generation-damaged", format!("what stood at `{}` was not kept whole", item.spot.as_str()))
            .hint("nothing was changed; `skill install` follows skills.lock from version control")
    };
    if !matches!(item.before, Stands::Absent | Stands::Link(_)) && stands(old)? != item.before {
        return Err(lost());
    }
    Ok(Some(match &item.before {
        Stands::Absent => Change::Remove(spot),
        Stands::Link(target) => Change::Link(spot, target.clone()),
        Stands::File(_) => Change::File(spot, fs::read(old).on("read", old)?),
        Stands::Folder(_) => Change::Folder(spot, read_tree(old)?),
        Stands::Other => return Err(lost()),
    }))
}

fn stands(path: &Path) -> Result<Stands, Failure> {
    if !exists(path) {
        return Ok(Stands::Absent);
    }
    if path.is_symlink() {
        return Ok(Stands::Link(fs::read_link(path).on("read", path)?));
    }
    if path.is_dir() {
        return Ok(read_folder(path)?.tree_digest().map_or(Stands::Other, |digest| Stands::Folder(digest.to_string())));
    }
    Ok(match read_regular(path, FILE_BYTES_MAX).on("read", path)? {
        Regular::Bytes(bytes) => Stands::File(Sha256::of(bytes).to_string()),
        Regular::Absent => Stands::Absent,
        Regular::NotAFile | Regular::TooLarge => Stands::Other,
    })
}

fn stands_after(change: &Change) -> Stands {
    match change {
        Change::Folder(_, tree) => Stands::Folder(tree.digest().to_string()),
        Change::Link(_, target) => Stands::Link(target.clone()),
        Change::File(_, bytes) => Stands::File(Sha256::of(bytes).to_string()),
        Change::Remove(_) => Stands::Absent,
    }
}

fn read(project: &Project, held: &Held, number: u64) -> Result<Generation, Failure> {
    let path = project.root.join(format!("{GENERATIONS_PATH}/{number}/generation.json"));
    let foreign = |why: &str| foreign(number, why);
    let Regular::Bytes(bytes) = read_regular(&path, JOURNAL_BYTES_MAX).on("read", &path)? else {
        return Err(foreign("says nothing about itself"));
    };
    let line = format!("{number} {}", Sha256::of(&bytes));
    let sealed = seal_path(held).and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    if !sealed.lines().any(|known| known == line) {
        return Err(foreign("was not written by this user on this machine"));
    }
    serde_json::from_slice(&bytes).map_err(|error| foreign(&format!("cannot be read: {error}")))
}

fn foreign(number: u64, why: &str) -> Failure {
    Failure::could_not("generation-foreign", format!("generation {number} {why}"))
        .hint("`skill prune` removes what cannot be gone back to")
}

/// Outside the project, before the commit point: a line without a generation seals nothing.
fn seal(held: &Held, number: u64, text: &[u8]) -> Result<(), Failure> {
    let Some(path) = seal_path(held) else { return Ok(()) };
    let known = fs::read_to_string(&path).unwrap_or_default();
    let number = number.to_string();
    let is_other = |line: &&str| line.split(' ').next().is_some_and(|known| known != number);
    let mut lines: Vec<String> = known.lines().filter(is_other).map(str::to_owned).collect();
    lines.push(format!("{number} {}", Sha256::of(text)));
    let from = lines.len().saturating_sub(2 * GENERATIONS_MAX);
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(&path, lines[from..].join("\n") + "\n")).on("write", &path)
}

fn seal_path(held: &Held) -> Option<PathBuf> {
    held.seal.as_ref().map(|seal| seal.with_extension("generations"))
}

#[cfg(test)]
mod tests {
    use super::super::{apply_kept, txn_path};
    use super::*;

    fn file(text: &str) -> Vec<Change> {
        vec![Change::File(Spot::root("skills.lock"), text.into()), Change::File(Spot::root(".x/conf"), text.into())]
    }

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn project(&self) -> Project {
            let root = self.0.path().join("project");
            fs::create_dir_all(&root).expect("made");
            Project::at(&root)
        }

        fn held(&self) -> Held {
            Held::sealed(self.0.path().join("seal"))
        }

        fn read(&self, path: &str) -> Option<String> {
            fs::read_to_string(self.project().root.join(path)).ok()
        }

        fn back(&self, to: Option<u64>, force: bool) -> Result<Back, Failure> {
            back(&self.project(), &self.held(), to, force, false)
        }
    }

    #[test]
    fn going_back_restores_each_byte_and_what_was_not_there_is_gone() {
        let place = Place::new();
        fs::write(place.project().root.join("skills.lock"), "mine\r\n\t").expect("written");
        for text in ["one", "two", "three"] {
            apply_kept(&place.project(), &place.held(), &file(text)).expect("applied");
        }
        assert_eq!(numbers(&place.project()).expect("listed"), [1, 2, 3]);
        assert_eq!(place.back(None, false).expect("back").undone, [3]);
        assert_eq!(place.read("skills.lock").as_deref(), Some("two"));
        assert_eq!(place.back(Some(1), false).expect("back").undone, [2, 1]);
        assert_eq!(place.read("skills.lock").as_deref(), Some("mine\r\n\t"));
        assert_eq!(place.read(".x/conf"), None);
        assert_eq!(place.back(None, false).expect_err("nothing left").code, "generation-missing");
        assert!(!txn_path(&place.project()).exists());
    }

    #[test]
    fn an_edit_since_is_not_lost_without_force() {
        let place = Place::new();
        apply_kept(&place.project(), &place.held(), &file("one")).expect("applied");
        fs::write(place.project().root.join(".x/conf"), "edited").expect("written");
        assert_eq!(place.back(None, false).expect_err("edited").code, "edited");
        assert_eq!(place.read(".x/conf").as_deref(), Some("edited"));
        place.back(None, true).expect("forced");
        assert_eq!(place.read(".x/conf"), None);
    }

    #[test]
    fn a_generation_that_a_branch_brings_is_not_obeyed() {
        let place = Place::new();
        apply_kept(&place.project(), &place.held(), &file("one")).expect("applied");
        let folder = place.project().root.join(GENERATIONS_PATH);
        fs::create_dir_all(folder.join("7")).expect("made");
        fs::copy(folder.join("1/generation.json"), folder.join("7/generation.json")).expect("copied");
        assert_eq!(place.back(None, true).expect_err("foreign").code, "generation-foreign");
        fs::remove_dir_all(folder.join("7")).expect("removed");
        apply_kept(&place.project(), &place.held(), &file("two")).expect("applied");
        fs::write(folder.join("2/old/0"), "evil").expect("written");
        assert_eq!(place.back(None, true).expect_err("damaged").code, "generation-damaged");
        assert_eq!(place.read("skills.lock").as_deref(), Some("two"));
    }

    #[test]
    fn what_cannot_be_gone_back_to_is_lost_and_the_rest_is_not() {
        let place = Place::new();
        for text in ["one", "two", "three"] {
            apply_kept(&place.project(), &place.held(), &file(text)).expect("applied");
        }
        let folder = place.project().root.join(GENERATIONS_PATH);
        assert!(lost(&place.project(), &place.held()).expect("looked").is_empty());
        fs::write(folder.join("2/old/0"), "evil").expect("written");
        let last = u64::MAX.to_string();
        for name in [&last, "+3", "notes"] {
            fs::create_dir(folder.join(name)).expect("made");
        }
        let refused = apply_kept(&place.project(), &place.held(), &file("four")).expect_err("no number is left");
        assert_eq!(refused.code, "generation-foreign");
        let gone = lost(&place.project(), &place.held()).expect("looked");
        assert_eq!(gone, [2, u64::MAX]);
        forget(&place.project(), &place.held(), &gone).expect("forgotten");
        assert_eq!(numbers(&place.project()).expect("listed"), [1, 3]);
        assert_eq!(place.back(Some(3), false).expect("back").undone, [3]);
        assert_eq!(place.read("skills.lock").as_deref(), Some("two"));
    }

    #[test]
    fn only_the_newest_ten_are_kept() {
        let place = Place::new();
        for text in 0..13 {
            apply_kept(&place.project(), &place.held(), &file(&text.to_string())).expect("applied");
        }
        assert_eq!(numbers(&place.project()).expect("listed"), (4..=13).collect::<Vec<u64>>());
        place.back(Some(4), false).expect("back");
        assert_eq!(place.read("skills.lock").as_deref(), Some("2"));
    }
}
