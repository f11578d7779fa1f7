//! Admission: the whole decision about a publish, as a pure function.
//!
//! *decode → decide → keep → answer.* What is decided here needs the bytes that were sent and a few
//! facts, and no disk, clock or socket, so every refusal has a line in the table of tests below. What only
//! the moment of the commit can decide (is the number still free, is the link still the head) is asked again
//! there, by [`crate::store::Store`].
//!
//! The order puts what is cheap before what is dear, and reads no file of an archive whose signer is
//! not known: may this token → is the statement for us → are these the bytes it names → who signed → unpack
//! under every law → does the content say what was signed.
//!
//! A token only submits. The registry verifies everything it keeps and refuses what it cannot verify.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use index::entry::Entry;
use index::keyring::{Chain, Link, Member, Role, State, distinct_owners};
use skills::dsse::{Envelope, IN_TOTO};
use skills::key::KeyId;
use skills::manifest::{Kind, check_dependency, kind_may_depend_on};
use skills::package::Package;
use skills::statement::{Dependency, Statement};
use skills::{PackageName, Refusal, Scope, Sha256, Version, archive, bundle};

use crate::sqlite::version_exists;
use crate::store::{NewRelease, Release};
use crate::token::{Action, Grant};

/// A pair as it was sent.
#[derive(Debug, Clone)]
pub struct Upload {
    /// The signature bundle.
    pub bundle: Bytes,
    /// The archive.
    pub archive: Bytes,
}

/// An upload whose bundle was read: what it claims to be. Nothing is believed yet.
#[derive(Debug)]
pub struct Claim {
    upload: Upload,
    envelope: Envelope,
    payload: Sha256,
    /// What the signed payload says.
    pub statement: Statement,
}

/// What the registry knows about a scope.
#[derive(Clone)]
pub struct ScopeFacts {
    /// The user who may publish into it.
    pub owner: String,
    /// Its keyring; `None` before the first key is registered.
    pub chain: Option<Arc<Chain>>,
}

/// The other facts, the same for every upload of a request.
pub struct Desk<'a> {
    /// The registry's own name.
    pub registry: &'a str,
    /// Who asks.
    pub grant: &'a Grant,
    /// RFC 3339: what the entries will say.
    pub now: &'a str,
    /// What the registry has of a package that somebody depends on: its versions that are not yanked.
    pub known: &'a dyn Fn(&PackageName) -> Vec<(Version, Kind)>,
}

/// The decision about one upload that was not refused.
#[derive(Debug)]
pub enum Decision {
    /// Keep it.
    Publish {
        /// The row.
        release: Box<NewRelease>,
        /// The blob.
        archive: Bytes,
    },
    /// The very same bytes are kept already.
    Unchanged(Box<Release>),
}

impl Claim {
    /// Reads the bundle and the statement in it.
    pub fn read(upload: Upload) -> Result<Self, Refusal> {
        let envelope = bundle::parse(&upload.bundle)?;
        if envelope.payload_type != IN_TOTO {
            let seen = envelope.payload_type.escape_debug();
            return Err(Refusal::new(
                "statement-malformed",
                format!("the payload type is `{seen}`, expected `{IN_TOTO}`"),
            ));
        }
        let statement = Statement::parse(&envelope.payload)?;
        Ok(Self { payload: Sha256::of(&envelope.payload), upload, envelope, statement })
    }

    /// The scope it wants into.
    pub fn scope(&self) -> &Scope {
        self.statement.package.scope()
    }

    /// Length of the archive that came with it.
    pub fn archive_bytes(&self) -> usize {
        self.upload.archive.len()
    }

    /// The row that follows from the bytes, under a keyring link: signatures first, then the archive. Admission
    /// builds it to keep it, `check` to compare it with what was kept.
    fn release(&self, link: &Link, published: &str, by: &str) -> Result<NewRelease, Refusal> {
        let signers = enough(&self.envelope, link)?;
        let package = content(self)?;
        let length = self.upload.archive.len() as u64;
        let entry = Entry::of(&package, &self.statement, length, self.payload, &signers, published, by);
        Ok(NewRelease {
            package: self.statement.package.clone(),
            version: self.statement.version.clone(),
            archive: self.statement.archive,
            statement: self.payload,
            keyring: self.statement.keyring.seq,
            published: published.to_owned(),
            by: by.to_owned(),
            entry: entry.to_line().trim_end().to_owned(),
            bundle: self.upload.bundle.to_vec(),
        })
    }

    /// The row as it should be kept: admission again, under the link that was in force then.
    pub fn rebuild(&self, registry: &str, link: &Link, kept: &Release) -> Result<NewRelease, Refusal> {
        is_for_us(&self.statement, registry)?;
        binds_the_archive(self)?;
        self.release(link, &kept.published, &kept.by)
    }

    /// Name and version, for sentences.
    fn shown(&self) -> String {
        format!("{}@{}", self.statement.package, self.statement.version)
    }
}

/// Refuses two uploads of one version in one request: which of them should it be?
pub fn refuse_twins(claims: &[Claim]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    match claims.iter().find(|claim| !seen.insert((&claim.statement.package, &claim.statement.version))) {
        None => Ok(()),
        Some(twin) => Err(Refusal::new("publish-duplicate", format!("`{}` is in this request twice", twin.shown()))),
    }
}

/// Whether this token and its user may do this in the scope.
pub fn may(grant: &Grant, action: Action, scope: &Scope, owner: &str) -> Result<(), Refusal> {
    grant.allows(action, Some(scope))?;
    if owner == grant.user() {
        return Ok(());
    }
    Err(Refusal::new("not-owner", format!("scope `{scope}` does not belong to user `{}`", grant.user())))
}

/// Decides about one upload. `kept` is the release that has this version's number already, if any.
pub fn decide(claim: &Claim, scope: &ScopeFacts, kept: Option<Release>, desk: &Desk<'_>) -> Result<Decision, Refusal> {
    may(desk.grant, Action::Publish, claim.scope(), &scope.owner)?;
    is_for_us(&claim.statement, desk.registry)?;
    binds_the_archive(claim)?;
    if let Some(kept) = kept {
        return unchanged(claim, kept);
    }
    let link = in_force(claim, scope.chain.as_deref())?;
    let by = format!("user:{}", desk.grant.user());
    let release = claim.release(link, desk.now, &by)?;
    needs_what_it_may(&release, desk)?;
    Ok(Decision::Publish { release: Box::new(release), archive: claim.upload.archive.clone() })
}

/// Attack: a genuine release of another registry, replayed here. (`Statement::parse` has checked that
/// the predicate type is the one of the registry it names.)
fn is_for_us(statement: &Statement, registry: &str) -> Result<(), Refusal> {
    if statement.registry == registry {
        return Ok(());
    }
    let seen = statement.registry.escape_debug();
    Err(Refusal::new("statement-registry", format!("signed for registry `{seen}`, this one is `{registry}`"))
        .hint("sign it again for this registry"))
}

/// Attack: a genuine signature with other bytes beside it.
fn binds_the_archive(claim: &Claim) -> Result<(), Refusal> {
    let seen = Sha256::of(&claim.upload.archive);
    if seen == claim.statement.archive {
        return Ok(());
    }
    let expected = claim.statement.archive;
    Err(Refusal::new("archive-digest", format!("the archive is {seen}, the statement names {expected}")))
}

fn unchanged(claim: &Claim, kept: Release) -> Result<Decision, Refusal> {
    if kept.archive == claim.statement.archive && kept.statement == claim.payload {
        return Ok(Decision::Unchanged(Box::new(kept)));
    }
    Err(version_exists(&kept.package, &kept.version.to_string()))
}

/// The link that the statement names, which must be the one in force.
fn in_force<'c>(claim: &Claim, chain: Option<&'c Chain>) -> Result<&'c Link, Refusal> {
    let scope = claim.scope();
    let chain = chain.ok_or_else(|| {
        Refusal::new("keyring-missing", format!("scope `{scope}` has no keyring yet"))
            .hint("register a first key: `skill publish --register-key`")
    })?;
    let named = &claim.statement.keyring;
    let (head, digest) = (chain.head(), chain.head_digest());
    if named.seq != head.seq || named.payload() != digest {
        let (seq, payload) = (named.seq, named.payload());
        return Err(Refusal::new(
            "keyring-not-head",
            format!("signed under keyring link {seq} ({payload}), in force is link {} ({digest})", head.seq),
        )
        .hint("sign it again under the link in force"));
    }
    if head.state == State::Frozen {
        return Err(Refusal::new("scope-frozen", format!("scope `{scope}` is frozen: it takes no releases")));
    }
    Ok(head)
}

/// The release keys of the link that really signed: enough of them, and of distinct owners.
fn enough(envelope: &Envelope, head: &Link) -> Result<Vec<KeyId>, Refusal> {
    let revoked = |member: &Member| head.revoked.iter().any(|revoked| revoked.id == member.id);
    let mut signed = head.signers(envelope, Role::Release);
    signed.retain(|member| !revoked(member));
    let needed = head.threshold.release.max(1) as usize;
    match distinct_owners(signed.iter().copied()) {
        0 => Err(Refusal::new("signature-invalid", "no release key of the keyring in force signed this statement")
            .hint("`skill scope show` lists the keys")),
        owners if owners < needed => Err(Refusal::new(
            "signature-threshold",
            format!("{owners} distinct owners of release keys signed, the keyring asks for {needed}"),
        )),
        _ => Ok(signed.into_iter().map(|member| member.id.clone()).collect()),
    }
}

/// The archive under every law, and its content as the statement has it.
fn content(claim: &Claim) -> Result<Package, Refusal> {
    let statement = &claim.statement;
    let tree = archive::unpack(&claim.upload.archive)?;
    if tree.resources() != statement.resources {
        return Err(disagree("files", "path, digest and mode of every file must be the ones that were signed"));
    }
    let package = Package::from_tree(tree, Some(&statement.package), Some(&statement.version))?;
    if package.version.to_string() != statement.version.to_string() {
        return Err(disagree("version", "build metadata is another one"));
    }
    if sorted(&package.dependencies) != sorted(&statement.dependencies) {
        return Err(disagree("dependencies", "`skill.toml` and the statement must list the same"));
    }
    Ok(package)
}

/// Who may depend on whom (FORMATS §1), as far as the registry can know: a dependency that it keeps in a
/// version of the right kind may be resolved to that one, and one that it does not keep may be sent yet.
fn needs_what_it_may(release: &NewRelease, desk: &Desk<'_>) -> Result<(), Refusal> {
    let entries = index::entry::parse(release.entry.as_bytes(), &release.package)?;
    for entry in &entries {
        for dependency in &entry.deps {
            let mut known = (desk.known)(&dependency.name);
            known.retain(|(version, _)| dependency.req.matches(version));
            let newest = known.iter().max_by(|a, b| a.0.cmp(&b.0));
            let refused =
                newest.map(|(_, kind)| check_dependency((&entry.name, entry.kind), (&dependency.name, *kind)));
            if !known.iter().any(|(_, kind)| kind_may_depend_on(entry.kind, *kind)) {
                refused.unwrap_or(Ok(()))?;
            }
        }
    }
    Ok(())
}

fn disagree(what: &str, why: &str) -> Refusal {
    Refusal::new("statement-content", format!("the statement's {what} are not those of the archive: {why}"))
}

fn sorted(dependencies: &[Dependency]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = dependencies.iter().map(|dep| (dep.name.to_string(), dep.req.to_string())).collect();
    pairs.sort_unstable();
    pairs
}
