//! Whether what bundles became is still so: `skill status`, and the findings of `skill verify`.
//!
//! Nothing is taken from the ledger alone. The bundles are rendered again from their verified files,
//! and the ledger, the files and that rendering have to agree: a branch that widens an entry and
//! writes the new digest into the ledger is found as surely as one that only widens the entry.

use std::collections::BTreeMap;

use index::lock::{Approved, Entry, Lock};
use index::verify::{Class, Finding};
use serde::Serialize;
use serde_json::{Value, json};
use skills::manifest::Kind;
use skills::{PackageName, Sha256};

use super::place::{Part, Place};
use super::reconcile::{Files, Found, Wanted, digest_of};
use super::{Applied, clients_of, files, overridden, renderings, unrecorded, wanted};
use crate::clients::{Client, Coverage};
use crate::edits;
use crate::failure::Failure;
use crate::project::Project;
use crate::wants::Wants;

/// What became of a thing that we wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Drift {
    /// As it was written.
    Ok,
    /// Somebody changed it.
    Modified,
    /// It is not there.
    Missing,
    /// It is there, allows something, and nobody approved or recorded it.
    Unrecorded,
    /// It is there, and a higher layer overrides it.
    Ineffective,
}

/// One thing and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The package or packages, or the client, that it is for.
    pub of: String,
    /// Where it stands.
    pub place: String,
    /// What became of it.
    pub drift: Drift,
    /// What was seen, where that is not all there is to say.
    pub note: String,
    /// The report id of `skill verify`, where this is a finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'static str>,
}

/// Everything about bundles in clients' files.
#[derive(Debug, Default)]
pub struct Status {
    /// Entries, recorded or not, and the layers above them.
    pub rows: Vec<Row>,
    /// What each client enforces of each bundle.
    pub coverage: Vec<(PackageName, Client, Vec<Coverage>)>,
    /// Grants that nobody approved yet: package, grant, reason.
    pub waiting: Vec<(PackageName, String, String)>,
}

/// Looks at everything that bundles became, or should have become.
pub fn look(project: &Project, wants: &Wants, lock: &Lock) -> Result<Status, Failure> {
    let bundles = readable(project, lock);
    let clients = clients_of(project, wants, &lock.entries);
    let rendered =
        renderings(wants, &clients, &bundles, |applied| applied.approved(super::believed(wants, &lock.approved)))?;
    let (now, all) = (wanted(&rendered), wanted(&renderings(wants, &clients, &bundles, every_grant)?));
    let paths = all.iter().map(|one| one.want.path()).chain(lock.entries.iter().map(|row| row.path.as_str()));
    let files = files::read(project, paths)?;
    let mut status = Status { waiting: waiting(&bundles, super::believed(wants, &lock.approved)), ..Status::default() };
    status.rows = recorded(lock, &bundles, &files, &by_key(&now), &by_key(&all))?;
    status.rows.extend(not_recorded(lock, &files, &now, &all)?);
    let servers: Vec<(Client, String)> = clients
        .iter()
        .flat_map(|client| servers(wants, &bundles).into_iter().map(move |server| (*client, server)))
        .collect();
    let known: Vec<_> = by_key(&all).into_keys().chain(owned(lock)?).collect();
    for place in unrecorded::allowed(project, &servers)?.into_iter().filter(|place| !known.contains(&place.key())) {
        status.rows.push(Row::new(
            &place,
            place.client.as_str(),
            Drift::Unrecorded,
            "SKV062",
            "allows a tool of a bundle, and no approval covers it",
        ));
    }
    let layers = overridden::layers(project, &clients, &servers_of(&servers));
    status.rows.extend(layers.into_iter().filter(|_| !bundles.is_empty()).map(|layer| Row {
        of: layer.client.as_str().to_owned(),
        place: layer.path,
        drift: Drift::Ineffective,
        note: layer.note,
        id: None,
    }));
    status.coverage = rendered.into_iter().map(|(package, one)| (package, one.client, one.coverage)).collect();
    Ok(status)
}

/// The bundles whose files are as the lock pins them; of the others, `verify` says enough.
fn readable(project: &Project, lock: &Lock) -> Vec<Applied> {
    let tools = lock.skills.iter().filter(|skill| skill.kind == Kind::Tools);
    let read = tools.filter_map(|skill| {
        let one = crate::installed::find(project, lock, &skill.name.to_string()).ok()?;
        Applied::of(&skill.name, one.digest, &one.tree).ok().flatten()
    });
    read.collect()
}

/// The bundles that `[policy]` clears for no work here, each with the reason.
pub fn uncleared(project: &Project, wants: &Wants, lock: &Lock) -> Vec<(String, Failure)> {
    let refused = |applied: &Applied| {
        let refusal = wants.policy.clears(&applied.package, &applied.bundle.boundary).err()?;
        Some((applied.package.to_string(), refusal))
    };
    readable(project, lock).iter().filter_map(refused).collect()
}

fn every_grant(applied: &Applied) -> Vec<skills::tools::Granted> {
    applied.bundle.grants.iter().map(|grant| grant.granted.clone()).collect()
}

fn waiting(bundles: &[Applied], approvals: &[Approved]) -> Vec<(PackageName, String, String)> {
    let open = |applied: &Applied| {
        let approved = applied.approved(approvals);
        let grants = applied.bundle.grants.iter().filter(move |grant| !approved.contains(&grant.granted));
        let row = |grant: &skills::tools::Grant| {
            (applied.package.clone(), super::grant_name(&grant.granted), grant.reason.clone())
        };
        grants.map(row).collect::<Vec<_>>()
    };
    bundles.iter().flat_map(open).collect()
}

/// The names that the bundles' servers have here.
fn servers(wants: &Wants, bundles: &[Applied]) -> Vec<String> {
    let of = |applied: &Applied| {
        let renames = wants.tools.renames(&applied.package);
        applied.bundle.servers.iter().map(|server| renames.of(&server.id).to_owned()).collect::<Vec<_>>()
    };
    bundles.iter().flat_map(of).collect()
}

fn servers_of(servers: &[(Client, String)]) -> Vec<String> {
    let mut names: Vec<String> = servers.iter().map(|(_, server)| server.clone()).collect();
    names.sort();
    names.dedup();
    names
}

type ByKey<'w> = BTreeMap<(String, String, Option<String>), &'w Wanted>;

fn by_key(wanted: &[Wanted]) -> ByKey<'_> {
    wanted.iter().map(|one| (Place::of(one.client, &one.want).key(), one)).collect()
}

/// Every row of the ledger, against the file and against what the bundles become today.
fn recorded(
    lock: &Lock,
    bundles: &[Applied],
    files: &Files,
    now: &ByKey<'_>,
    all: &ByKey<'_>,
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for row in &lock.entries {
        let place = Place::of_row(row)?;
        let owners: Vec<String> = row.owners.iter().map(ToString::to_string).collect();
        let of = if owners.is_empty() { "nobody".to_owned() } else { owners.join(", ") };
        // Of a bundle whose files are not what they should be, only the ledger can be asked.
        let unreadable = |owner: &PackageName| {
            lock.skill(owner).is_some() && !bundles.iter().any(|applied| applied.package == *owner)
        };
        let is_known = !row.owners.iter().any(unreadable);
        let (drift, id, note) = judge(row, &place, files, now, all, is_known);
        rows.push(Row::new(&place, &of, drift, id, note));
    }
    Ok(rows)
}

fn judge(
    row: &Entry,
    place: &Place,
    files: &Files,
    now: &ByKey<'_>,
    all: &ByKey<'_>,
    is_known: bool,
) -> (Drift, &'static str, &'static str) {
    let key = place.key();
    let seen = match digest_at(place, files) {
        Ok(seen) => seen,
        Err(()) => return (Drift::Modified, "SKV060", "the file cannot be read"),
    };
    if row.owners.is_empty() {
        return match seen {
            Some(seen) if seen == row.sha256 => (Drift::Ok, "", "kept: nobody wants it any more"),
            Some(_) => (Drift::Ok, "", "kept: it was changed, and nobody wants it any more"),
            None => (Drift::Ok, "", "gone, and nobody wants it any more"),
        };
    }
    let wanted = now.get(&key).map(|one| digest_of(&one.want));
    let granted = all.get(&key).map(|one| digest_of(&one.want));
    if is_known && wanted.is_none() {
        return match granted {
            Some(_) if seen.is_some() => {
                (Drift::Unrecorded, "SKV063", "is a grant that nobody approved for this version")
            }
            _ if seen.is_none() => (Drift::Missing, "SKV061", "is recorded, not there, and wanted by no bundle"),
            _ => (Drift::Unrecorded, "SKV062", "is recorded, and no bundle wants it"),
        };
    }
    let expected = wanted.unwrap_or(row.sha256);
    match seen {
        None => (Drift::Missing, "SKV061", "is not there"),
        Some(seen) if seen == expected && row.sha256 == expected => (Drift::Ok, "", ""),
        Some(seen) if seen == expected => {
            (Drift::Modified, "SKV060", "is as the bundle says, and the ledger says otherwise")
        }
        Some(seen) if Some(seen) == granted => {
            (Drift::Unrecorded, "SKV063", "has a grant that nobody approved for this version")
        }
        Some(_) => (Drift::Modified, "SKV060", "was changed since it was written"),
    }
}

/// The places that the ledger has for somebody: what it keeps for nobody accounts for nothing.
fn owned(lock: &Lock) -> Result<Vec<(String, String, Option<String>)>, Failure> {
    let owned = lock.entries.iter().filter(|row| !row.owners.is_empty());
    owned.map(|row| Ok(Place::of_row(row)?.key())).collect()
}

/// What bundles want and the ledger lacks, and what only an approval would have brought.
fn not_recorded(lock: &Lock, files: &Files, now: &[Wanted], all: &[Wanted]) -> Result<Vec<Row>, Failure> {
    let recorded = owned(lock)?;
    let mut rows = Vec::new();
    let current = by_key(now);
    for (one, is_now) in now.iter().map(|one| (one, true)).chain(all.iter().map(|one| (one, false))) {
        let place = Place::of(one.client, &one.want);
        let key = place.key();
        if recorded.contains(&key) || (!is_now && current.contains_key(&key)) {
            continue;
        }
        let seen = digest_at(&place, files).ok().flatten();
        let of = one.package.to_string();
        match (is_now, seen) {
            (true, None) => rows.push(Row::new(
                &place,
                &of,
                Drift::Missing,
                "SKV061",
                "is wanted and was never written: `skill install` writes it",
            )),
            (true, Some(_)) => rows.push(Row::new(
                &place,
                &of,
                Drift::Unrecorded,
                "SKV062",
                "is there, and the ledger does not have it",
            )),
            (false, Some(_)) => {
                rows.push(Row::new(&place, &of, Drift::Unrecorded, "SKV063", "is a grant that nobody approved"))
            }
            (false, None) => {}
        }
    }
    Ok(rows)
}

/// The digest of what stands at a place; an error where the file cannot be read.
fn digest_at(place: &Place, files: &Files) -> Result<Option<Sha256>, ()> {
    let text = match files.get(&place.path) {
        None | Some(Found::Absent) => return Ok(None),
        Some(Found::Blocked(_)) => return Err(()),
        Some(Found::Text(text)) => text,
    };
    match &place.part {
        Part::File => Ok(Some(Sha256::of(text))),
        Part::Entry(format, at) => {
            Ok(edits::value_at(*format, text, at).map_err(drop)?.map(|value| edits::digest(&value)))
        }
        Part::Item(format, at, item) => {
            Ok(edits::position(*format, text, at, item).map_err(drop)?.map(|_| edits::digest(item)))
        }
    }
}

impl Row {
    fn new(place: &Place, of: &str, drift: Drift, id: &'static str, note: &str) -> Self {
        Self {
            of: of.to_owned(),
            place: place.to_string(),
            drift,
            note: note.to_owned(),
            id: Some(id).filter(|id| !id.is_empty()),
        }
    }

    /// Whether a run of CI has to fail over it.
    pub fn is_failure(&self) -> bool {
        matches!(self.drift, Drift::Modified | Drift::Missing | Drift::Unrecorded)
    }
}

/// The same as findings of `skill verify`.
pub fn findings(project: &Project, wants: &Wants, lock: &Lock) -> Result<Vec<Finding>, Failure> {
    let finding = |row: Row| {
        let id = row.id?;
        let (path, rest) = row.place.split_once(' ').unwrap_or((&row.place, ""));
        let hint = match id {
            "SKV063" => "`skill approve PACKAGE` shows it and asks; or take the entry out",
            "SKV062" => "take the entry out, or let its bundle say it",
            _ => "`skill status` shows it; `skill install --force` puts it right",
        };
        Some(Finding {
            id,
            class: Class::Failed,
            skill: row.of,
            path: Some(path.to_owned()),
            message: format!("{rest} {}", row.note).trim().to_owned(),
            hint: Some(hint.to_owned()),
        })
    };
    Ok(look(project, wants, lock)?.rows.into_iter().filter_map(finding).collect())
}

impl Status {
    /// For programs.
    pub fn to_json(&self) -> Value {
        let waiting = self
            .waiting
            .iter()
            .map(|(package, grant, reason)| json!({"package": package, "grant": grant, "reason": reason}));
        json!({
            "entries": self.rows,
            "grants_waiting": waiting.collect::<Vec<_>>(),
            "coverage": super::saying::coverage_json(&self.coverage),
        })
    }
}
