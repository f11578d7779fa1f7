//! Tool bundles in agents' own configuration: written, owned, shown and taken away again.
//!
//! ```text
//! bundles ─ renderings ─ edits ─ files as they will be + ledger      clients/, edits/
//! ```
//!
//! `clients` says what a bundle becomes, `edits` changes a text, and here stand the rules between:
//! what is written belongs to the bundles that want it, what was there before belongs to the user,
//! and nothing that allows anything is written without an approval of this very archive. All of it
//! is decided before anything is written, in the one transaction of every install.

pub mod approve;
mod files;
mod overridden;
mod place;
mod reconcile;
mod saying;
pub mod status;
mod unrecorded;

use std::collections::BTreeMap;

use index::lock::{Approved, Entry, Lock};
use skills::manifest::{Kind, Kinded, Manifest, SKILL_TOML};
use skills::tools::{Bundle, Granted};
use skills::tree::Tree;
use skills::{PackageName, Sha256};

pub use self::place::{Part, Place};
use self::reconcile::Files;
pub use self::reconcile::{Found, Reconciled, Wanted, reconcile};
pub use self::saying::coverage_text;
use self::saying::{diff, refusal};

use crate::clients::{self, Client, Coverage, Given, Rendering};
use crate::failure::{Exit, Failure};
use crate::place::{Change, Spot};
use crate::policy::Grants;
use crate::project::Project;
use crate::wants::Wants;

/// An installed bundle.
#[derive(Debug, Clone)]
pub struct Applied {
    /// Which package.
    pub package: PackageName,
    /// Digest of its archive: what approvals are bound to.
    pub digest: Sha256,
    /// Its tables.
    pub bundle: Bundle,
}

/// What has to happen to clients' files, and what there is to say about it.
#[derive(Debug, Default)]
pub struct Decided {
    /// The ledger as it will be.
    pub rows: Vec<Entry>,
    /// The approvals that still hold.
    pub approved: Vec<Approved>,
    /// The files as they were read.
    seen: Files,
    /// The files as they will be; `None`: the file goes.
    pub files: BTreeMap<String, Option<String>>,
    /// The same as a patch.
    pub diff: String,
    /// What each client enforces of each bundle.
    pub coverage: Vec<(PackageName, Client, Vec<Coverage>)>,
    /// What no file can say: to be done by hand.
    pub by_hand: Vec<String>,
    /// Entries of ours that somebody changed, and that are left as they are.
    pub modified: Vec<Place>,
    /// Approvals that were for another version.
    pub lapsed: Vec<Approved>,
    /// Bundles whose grants wait for somebody's approval, with how many.
    pub waiting: Vec<(PackageName, usize)>,
}

impl Applied {
    /// The bundle in a tree of files; `None` if it is no bundle.
    pub fn of(package: &PackageName, digest: Sha256, tree: &Tree) -> Result<Option<Self>, Failure> {
        let Some(file) = tree.file(SKILL_TOML) else { return Ok(None) };
        Ok(match Manifest::parse(&file.bytes)?.kinded {
            Kinded::Tools(bundle) => Some(Self { package: package.clone(), digest, bundle: *bundle }),
            _ => None,
        })
    }

    /// Every bundle that is installed, read from the disk.
    pub fn installed(project: &Project, lock: &Lock) -> Result<Vec<Self>, Failure> {
        let read = crate::installed::all(project, lock, Kind::Tools)?;
        let bundles = read.iter().map(|one| Self::of(&one.locked.name, one.digest, &one.tree));
        Ok(bundles.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// What of its wishes a human approved, for this very archive.
    fn approved(&self, approvals: &[Approved]) -> Vec<Granted> {
        let holds = |grant: &&skills::tools::Grant| {
            let name = grant_name(&grant.granted);
            approvals.iter().any(|row| row.package == self.package && row.digest == self.digest && row.grant == name)
        };
        self.bundle.grants.iter().filter(holds).map(|grant| grant.granted.clone()).collect()
    }
}

/// A grant as the ledger and `--grant` name it.
pub fn grant_name(granted: &Granted) -> String {
    match granted {
        Granted::Tool { server, tool } => format!("mcp:{server}:{tool}"),
        Granted::Command(words) => format!("command:{}", words.join(" ")),
    }
}

/// The clients to write for: the configured ones, else those found here, those that are agents of this
/// repository, and those written for before.
pub fn clients_of(project: &Project, wants: &Wants, rows: &[Entry]) -> Vec<Client> {
    if project.global {
        return Vec::new();
    }
    if let Some(named) = &wants.tools.clients {
        return named.clone();
    }
    let found = Client::found(&project.places);
    let agents = wants.agents.as_deref().unwrap_or_default();
    let before = |client: &Client| rows.iter().any(|row| row.client == client.as_str());
    let is_agent = |client: &Client| agents.iter().any(|agent| agent == agent_of(*client));
    Client::all().into_iter().filter(|client| found.contains(client) || is_agent(client) || before(client)).collect()
}

/// What `[agents] use` calls a client.
fn agent_of(client: Client) -> &'static str {
    match client {
        Client::Copilot => "github-copilot",
        Client::Gemini => "gemini-cli",
        client => client.as_str(),
    }
}

/// What the bundles become in the clients, with these grants.
fn renderings(
    wants: &Wants,
    clients: &[Client],
    bundles: &[Applied],
    grants: impl Fn(&Applied) -> Vec<Granted>,
) -> Result<Vec<(PackageName, Rendering)>, Failure> {
    let mut all = Vec::new();
    for applied in bundles {
        let renames = wants.tools.renames(&applied.package);
        let approved = grants(applied);
        for client in clients {
            let given = Given {
                package: &applied.package,
                bundle: &applied.bundle,
                approved: &approved,
                renames: &renames,
                hook: wants.tools.runtime_hook,
            };
            all.push((applied.package.clone(), clients::render(*client, &given)?));
        }
    }
    Ok(all)
}

fn wanted(renderings: &[(PackageName, Rendering)]) -> Vec<Wanted> {
    let of = |(package, rendering): &(PackageName, Rendering)| {
        let (package, client) = (package.clone(), rendering.client);
        rendering.wants.clone().into_iter().map(move |want| Wanted { client, package: package.clone(), want })
    };
    renderings.iter().flat_map(of).collect()
}

/// Decides what has to happen for these bundles, from the ledger of `old` and the files on the disk.
/// `approvals` are all that were ever given; those for other archives lapse.
pub fn decide(
    project: &Project,
    wants: &Wants,
    old: &[Entry],
    approvals: &[Approved],
    bundles: &[Applied],
    force: bool,
) -> Result<Decided, Failure> {
    let clients = clients_of(project, wants, old);
    for applied in bundles {
        wants.policy.clears(&applied.package, &applied.bundle.boundary)?;
    }
    let (approved, lapsed) = standing(wants, approvals, bundles);
    let renderings = renderings(wants, &clients, bundles, |applied| applied.approved(&approved))?;
    let wanted = wanted(&renderings);
    if let Some(bad) = wanted.iter().map(|one| Place::of(one.client, &one.want)).find(|place| !place.is_lawful()) {
        return Err(Failure::new(
            Exit::Failed,
            "ledger-foreign",
            format!("a bundle asks for `{bad}`, which is not its place"),
        ));
    }
    let paths = wanted.iter().map(|one| one.want.path()).chain(old.iter().map(|row| row.path.as_str()));
    let files = files::read(project, paths)?;
    let Reconciled { changed, rows, modified, refused } = reconcile(&files, old, &wanted, force)?;
    if !refused.is_empty() {
        return Err(refusal(&refused, &wanted));
    }
    let waiting = |applied: &Applied| {
        let open = applied.bundle.grants.len() - applied.approved(&approved).len();
        (open > 0).then(|| (applied.package.clone(), open))
    };
    Ok(Decided {
        diff: diff(&files, &changed),
        coverage: renderings.iter().map(|(package, one)| (package.clone(), one.client, one.coverage.clone())).collect(),
        by_hand: renderings.into_iter().flat_map(|(_, one)| one.by_hand).collect(),
        waiting: bundles.iter().filter_map(waiting).collect(),
        rows,
        approved,
        seen: files,
        files: changed,
        modified,
        lapsed,
    })
}

/// The approvals that count here: none where `[policy]` denies grants, whatever a branch writes into the lock.
fn believed<'a>(wants: &Wants, approvals: &'a [Approved]) -> &'a [Approved] {
    match wants.policy.grants {
        Grants::Ask => approvals,
        Grants::Deny => &[],
    }
}

/// Approvals that hold for a bundle as it is, and those that do not hold any more.
fn standing(wants: &Wants, approvals: &[Approved], bundles: &[Applied]) -> (Vec<Approved>, Vec<Approved>) {
    let counts = wants.policy.grants == Grants::Ask;
    approvals.iter().cloned().partition(|row| {
        counts
            && bundles.iter().any(|applied| {
                applied.package == row.package
                    && applied.digest == row.digest
                    && applied.bundle.grants.iter().any(|grant| grant_name(&grant.granted) == row.grant)
            })
    })
}

impl Decided {
    /// The files, as changes of the transaction.
    pub fn changes(&self) -> Vec<Change> {
        let change = |(path, text): (&String, &Option<String>)| match text {
            Some(text) => Change::File(Spot::places(path.clone()), text.clone().into_bytes()),
            None => Change::Remove(Spot::places(path.clone())),
        };
        self.files.iter().map(change).collect()
    }

    /// Refuses to write over what somebody wrote while all this was decided.
    pub fn refuse_if_changed(&self, project: &Project) -> Result<(), Failure> {
        let now = files::read(project, self.seen.keys().map(String::as_str))?;
        match now.iter().find(|(path, text)| self.seen.get(*path) != Some(text)) {
            None => Ok(()),
            Some((path, _)) => {
                Err(Failure::could_not("file-changed", format!("`{path}` was changed by another program just now"))
                    .hint("run it again"))
            }
        }
    }

    /// Whether the ledger and the files are already so.
    pub fn changes_nothing(&self, lock: &Lock) -> bool {
        self.keeps_the_ledger(lock) && self.files.is_empty() && self.modified.is_empty()
    }

    /// Whether the lock has these rows and approvals already, and no others.
    pub fn keeps_the_ledger(&self, lock: &Lock) -> bool {
        let text = |entries: &[Entry], approved: &[Approved]| {
            Lock { entries: entries.to_vec(), approved: approved.to_vec(), ..Lock::default() }.format()
        };
        text(&self.rows, &self.approved) == text(&lock.entries, &lock.approved)
    }
}

#[cfg(test)]
mod tests {
    use skills::FilePath;
    use skills::tree::{File, Mode};

    use super::*;

    const BUNDLE: &str = include_str!("../../../skills/src/brief/samples/tools.toml");

    fn applied(text: &str) -> Applied {
        let path = FilePath::parse(SKILL_TOML).expect("lawful");
        let tree = Tree::new(vec![File { path, mode: Mode::Regular, bytes: text.into() }]).expect("lawful");
        let name = PackageName::parse("platform/tools-postgres-readonly").expect("a name");
        Applied::of(&name, Sha256::of(text), &tree).expect("a manifest").expect("a bundle")
    }

    fn approval(of: &Applied) -> Approved {
        let by = "Ada".to_owned();
        Approved { package: of.package.clone(), grant: "mcp:pg:query".to_owned(), digest: of.digest, by }
    }

    #[test]
    fn whatever_a_client_renders_stands_where_the_ledger_believes_it() {
        let mut wants = Wants::default();
        for hook in [false, true] {
            wants.tools.runtime_hook = hook;
            let every = |applied: &Applied| applied.bundle.grants.iter().map(|grant| grant.granted.clone()).collect();
            let rendered = renderings(&wants, &Client::all(), &[applied(BUNDLE)], every).expect("rendered");
            for one in wanted(&rendered) {
                let place = Place::of(one.client, &one.want);
                let row = place.row(reconcile::digest_of(&one.want), &one.package).expect("a row");
                assert_eq!(Place::of_row(&row).expect("ours"), place);
            }
        }
    }

    #[test]
    fn no_client_is_given_anything_that_allows_before_an_approval_of_this_archive() {
        let home = tempfile::tempdir().expect("a folder");
        let project = Project::at(home.path());
        let wants = Wants::parse(
            "[tools]\nclients = [\"claude-code\", \"codex\", \"cursor\", \"copilot\", \"gemini\", \"opencode\"]",
        )
        .expect("wants");
        let bundle = applied(BUNDLE);
        let other = applied(&BUNDLE.replace("2.1.0", "2.1.1"));
        let decided = |approvals: &[Approved]| {
            decide(&project, &wants, &[], approvals, std::slice::from_ref(&bundle), false).expect("decided")
        };
        let allows = |decided: &Decided| {
            let text: String = decided.files.values().flatten().cloned().collect();
            ["\"allow\"", "approve\"", "llowlist"].iter().filter(|word| text.contains(**word)).count()
        };
        for approvals in [vec![], vec![approval(&other)]] {
            let decided = decided(&approvals);
            assert_eq!((allows(&decided), decided.approved.len(), decided.lapsed.len()), (0, 0, approvals.len()));
            assert_eq!(decided.waiting, [(bundle.package.clone(), 1)]);
        }
        let granted = decided(&[approval(&bundle)]);
        assert_eq!((allows(&granted), granted.approved.len(), granted.waiting.len()), (3, 1, 0));
        let mut denies = wants.clone();
        denies.policy.grants = Grants::Deny;
        let rows = [approval(&bundle)];
        let denied = decide(&project, &denies, &[], &rows, std::slice::from_ref(&bundle), false).expect("decided");
        assert_eq!((allows(&denied), denied.approved.len(), denied.lapsed.len()), (0, 0, 1));
    }
}
