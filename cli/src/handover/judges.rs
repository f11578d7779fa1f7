//! Who may sign evidence and decisions here, and how far evidence has to be independent.
//!
//! With a reference, both are read from that revision: a change under review cannot register its own
//! key, nor ask for less than its base branch does.

use skills::evidence::{Signer, Trust as Independence};

use crate::failure::Failure;
use crate::git::Repository;
use crate::project::{Project, parse_wants};
use crate::trust::Trust;
use crate::wants::Wants;

/// Who judges, and how strictly.
#[derive(Debug, Clone)]
pub struct Judges {
    /// Who may sign what.
    pub signers: Vec<Signer>,
    /// The least independence of whoever signs evidence.
    pub floor: Independence,
}

impl Judges {
    /// Those of a policy, with what the repository demands now and, with a reference, demanded there.
    pub fn of(project: &Project, trust: &Trust, reference: Option<&str>) -> Result<Self, Failure> {
        let mut floor = demanded(&project.wants()?);
        if let Some(reference) = reference {
            floor = floor.max(demanded(&wants_at(project, reference)?));
        }
        Ok(Self { signers: trust.policy.signers().to_vec(), floor })
    }
}

fn demanded(wants: &Wants) -> Independence {
    wants.evidence_trust()
}

/// `skills.toml` as it was at a revision; one that was not there wanted nothing.
pub fn wants_at(project: &Project, reference: &str) -> Result<Wants, Failure> {
    let Some(repository) = Repository::around(&project.root)? else { return Ok(Wants::default()) };
    let path = repository.inside(&project.root, "skills.toml");
    let Some(bytes) = repository.show(reference, &path)? else { return Ok(Wants::default()) };
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage("file-not-utf8", format!("skills.toml at {reference} is not UTF-8")))?;
    parse_wants(&text).map_err(|failure| failure.at(format_args!("skills.toml at {reference}")))
}
