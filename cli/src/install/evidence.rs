//! Evidence: the bundle of every release and the keyring of every scope, judged before anything
//! else is fetched; then the archives of what is missing on the disk, verified.
//!
//! Bundles and keyrings come from `.skill/proofs/` where they are there and fit, else from the
//! cache, else from the registry. It makes no difference to what is believed.

use std::collections::BTreeMap;

use bytes::Bytes;
use index::keyring::{CHAIN_BYTES_MAX, Chain};
use index::lock::{LockedSkill, Source};
use index::policy::{Date, Policy};
use index::urls;
use index::verify::{self, Asked, Finding, Judged, Verified};
use rayon::prelude::*;
use skills::bundle::BUNDLE_BYTES_MAX;
use skills::limits::ARCHIVE_BYTES_MAX;
use skills::{PackageName, Refusal, Scope, Sha256, Version};
use tokio::task::JoinSet;

use super::resolution::{Pick, PickOrigin};
use super::standing::Standing;
use crate::context::Context;
use crate::failure::Failure;
use crate::project::{Project, Regular, read_regular};
use crate::registries::{REQUESTS_AT_ONCE, Registries, Registry, next, out_of_reach};
use crate::trust::{bundle_path, keyring_path};

/// Unchecked bytes by what they claim to be about. Scopes are per registry.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Bundles by package.
    pub bundles: BTreeMap<PackageName, Bytes>,
    /// Keyrings by registry and scope.
    pub keyrings: BTreeMap<(String, Scope), Bytes>,
}

/// Today's date, in UTC: what exceptions expire by.
pub fn today() -> Date {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let (year, month, day) = (today.year(), today.month(), today.day());
    Date::parse(&format!("{year:04}-{month:02}-{day:02}")).expect("the calendar gives dates")
}

/// Loads what the proofs have for a lock, and nothing from elsewhere.
pub fn load_offline(project: &Project, skills: &[LockedSkill]) -> Result<Evidence, Failure> {
    let mut evidence = Evidence::default();
    for skill in skills {
        let Source::Registry { registry, .. } = &skill.source else { continue };
        if let Some(bundle) = read(project, &bundle_path(registry, &skill.name, &skill.version)?, BUNDLE_BYTES_MAX) {
            evidence.bundles.insert(skill.name.clone(), bundle);
        }
        let key = (registry.clone(), skill.name.scope().clone());
        if !evidence.keyrings.contains_key(&key)
            && let Some(keyring) = read(project, &keyring_path(registry, skill.name.scope())?, CHAIN_BYTES_MAX)
        {
            evidence.keyrings.insert(key, keyring);
        }
    }
    Ok(evidence)
}

/// A proof as it lies there; one that is no regular file, or larger than any proof, is none.
fn read(project: &Project, path: &str, bytes_max: usize) -> Option<Bytes> {
    match read_regular(&project.root.join(path), bytes_max) {
        Ok(Regular::Bytes(bytes)) => Some(Bytes::from(bytes)),
        _ => None,
    }
}

/// Everything needed to judge the picks.
pub(super) fn gather(
    project: &Project,
    picks: &[Pick],
    registries: &Registries<'_>,
    context: &Context,
) -> Result<Evidence, Failure> {
    let locked: Vec<LockedSkill> = picks.iter().filter_map(|pick| pick.locked.clone()).collect();
    let mut evidence = load_offline(project, &locked)?;
    // A proof that is not about the statement in the lock is no proof of it.
    for skill in &locked {
        let Source::Registry { statement, .. } = &skill.source else { continue };
        let fits = |bytes: &Bytes| {
            skills::bundle::parse(bytes).is_ok_and(|envelope| Sha256::of(&envelope.payload) == *statement)
        };
        if !evidence.bundles.get(&skill.name).is_some_and(fits) {
            evidence.bundles.remove(&skill.name);
        }
    }
    let wanting = picks.iter().any(|pick| lacks(pick, &evidence));
    if wanting {
        context.block_on(fetch(picks, &mut evidence, registries))?;
    }
    Ok(evidence)
}

fn lacks(pick: &Pick, evidence: &Evidence) -> bool {
    let PickOrigin::Registry(registry, _) = &pick.origin else { return false };
    let keyring = (registry.clone(), pick.name.scope().clone());
    pick.locked.is_none() || !evidence.bundles.contains_key(&pick.name) || !evidence.keyrings.contains_key(&keyring)
}

/// Fetches the bundles that are missing, and anew the keyring of every scope with something new.
async fn fetch(picks: &[Pick], evidence: &mut Evidence, registries: &Registries<'_>) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    for pick in picks {
        if !lacks(pick, evidence) {
            continue;
        }
        let PickOrigin::Registry(name, entry) = &pick.origin else { continue };
        let registry = registries.named(name).await?;
        let statement = match (&pick.locked, entry) {
            (Some(LockedSkill { source: Source::Registry { statement, .. }, .. }), _) => Some(*statement),
            (_, entry) => entry.as_ref().and_then(|entry| entry.statement),
        };
        if evidence.bundles.contains_key(&pick.name) {
            continue;
        }
        let (package, version, cache) = (pick.name.clone(), pick.version.clone(), registries.cache().cloned());
        if let Some(bundle) = statement.and_then(|statement| cache.as_ref()?.bundle(&statement)) {
            evidence.bundles.insert(package, bundle.into());
            continue;
        }
        tasks.spawn_local(async move {
            let bytes = fetch_bundle(&registry, &package, &version).await?;
            if let (Some(cache), Ok(envelope)) = (cache, skills::bundle::parse(&bytes)) {
                cache.keep_bundle(&Sha256::of(&envelope.payload), &bytes)?;
            }
            Ok::<_, Failure>((package, bytes))
        });
        if tasks.len() >= REQUESTS_AT_ONCE {
            evidence.bundles.extend(next(&mut tasks).await?);
        }
    }
    fetch_keyrings(picks, evidence, registries).await?;
    while let Some(fetched) = next(&mut tasks).await? {
        evidence.bundles.extend([fetched]);
    }
    Ok(())
}

async fn fetch_bundle(registry: &Registry, package: &PackageName, version: &Version) -> Result<Bytes, Failure> {
    let path = urls::bundle(package, version);
    let Some(client) = &registry.client else { return Err(out_of_reach(registry, &path)) };
    let bytes = client.fetch(&path, BUNDLE_BYTES_MAX).await?;
    bytes.ok_or_else(|| {
        Failure::could_not(
            "release-missing",
            format!("registry `{}` has no signatures of {package} {version}", registry.name),
        )
    })
}

async fn fetch_keyrings(picks: &[Pick], evidence: &mut Evidence, registries: &Registries<'_>) -> Result<(), Failure> {
    let mut fresh = std::collections::BTreeSet::new();
    for pick in picks {
        let PickOrigin::Registry(name, _) = &pick.origin else { continue };
        let key = (name.clone(), pick.name.scope().clone());
        let have = evidence.keyrings.contains_key(&key);
        if (have && pick.locked.is_some()) || !fresh.insert(key.clone()) {
            continue;
        }
        let registry = registries.named(name).await?;
        let keyring = registries.keyring(&registry, &key.1).await?;
        let keyring = keyring.ok_or_else(|| {
            Failure::could_not("keyring-missing", format!("registry `{name}` has no keyring of scope `{}`", key.1))
        })?;
        evidence.keyrings.insert(key, keyring);
    }
    Ok(())
}

/// A skill to judge: what was asked for, and what the lock says of it.
pub struct ToJudge<'a> {
    /// The registry by name.
    pub registry: &'a str,
    /// The package.
    pub package: &'a PackageName,
    /// The version.
    pub version: &'a Version,
}

/// Judges releases in parallel; each scope's keyring is parsed once.
pub fn judge_all(asked: &[ToJudge<'_>], evidence: &Evidence, policy: &Policy, today: Date) -> Vec<Judged> {
    let chains: BTreeMap<&(String, Scope), Result<Chain, Refusal>> =
        evidence.keyrings.iter().map(|(key, bytes)| (key, Chain::parse(bytes, &key.1))).collect();
    let missing = Refusal::new("keyring-missing", "there is no keyring of this scope among the proofs");
    asked
        .par_iter()
        .map(|skill| {
            let key = (skill.registry.to_owned(), skill.package.scope().clone());
            let chain = chains.get(&key).map_or(Err(&missing), |chain| chain.as_ref());
            let bundle = evidence.bundles.get(skill.package).map_or(&[][..], |bytes| bytes);
            let asked = Asked { registry: skill.registry, package: skill.package, version: skill.version };
            verify::judge_with(&asked, bundle, chain, policy, today)
        })
        .collect()
}

/// Judges the picks that come from a registry; `None` for those from a folder.
pub(super) fn judge_picks(picks: &[Pick], evidence: &Evidence, policy: &Policy) -> Vec<Option<Judged>> {
    let asked: Vec<ToJudge<'_>> = picks
        .iter()
        .filter_map(|pick| match &pick.origin {
            PickOrigin::Registry(registry, _) => {
                Some(ToJudge { registry, package: &pick.name, version: &pick.version })
            }
            PickOrigin::Path(..) => None,
        })
        .collect();
    let mut judged = judge_all(&asked, evidence, policy, today()).into_iter();
    let bind = |pick: &Pick, judged: Judged| match (&pick.locked, &pick.origin) {
        (Some(locked), _) => judged.against_lock(locked),
        (None, PickOrigin::Registry(_, Some(entry))) => judged.against_entry(entry),
        _ => judged,
    };
    picks
        .iter()
        .map(|pick| match &pick.origin {
            PickOrigin::Registry(..) => judged.next().map(|judged| bind(pick, judged)),
            PickOrigin::Path(..) => None,
        })
        .collect()
}

/// A pick that was admitted: with its content where the disk lacks it.
pub(super) enum Admitted {
    /// The disk has exactly what was judged.
    Stands(Option<Box<Judged>>),
    /// To be placed.
    Fresh(Box<Verified>),
}

/// Refuses if anything judged was refused, with every finding of it.
pub(super) fn refuse_if_any(judged: &[Option<Judged>]) -> Result<(), Failure> {
    let refused = judged.iter().flatten().filter(|judged| judged.is_refused());
    let findings: Vec<Finding> = refused.flat_map(|judged| judged.findings().to_vec()).collect();
    if findings.is_empty() { Ok(()) } else { Err(Failure::refused(refusal_sentence(&findings), findings)) }
}

/// Fetches and verifies the content that the disk lacks.
pub(super) fn verify_missing(
    picks: Vec<Pick>,
    judged: Vec<Option<Judged>>,
    stands: &BTreeMap<PackageName, Standing>,
    registries: &Registries<'_>,
    policy: &Policy,
    context: &Context,
) -> Result<Vec<(PackageName, Admitted)>, Failure> {
    let needs = |pick: &Pick| !stands.get(&pick.name).is_some_and(Standing::is_right);
    let archives = context.block_on(fetch_archives(
        picks.iter().filter(|pick| needs(pick)),
        &judged_by_name(&picks, &judged),
        registries,
    ))?;
    let bar = context.ui.bar("verify", archives.len());
    let work: Vec<(Pick, Option<Judged>)> = picks.into_iter().zip(judged).collect();
    let admitted: Vec<Result<(PackageName, Admitted), Vec<Finding>>> = work
        .into_par_iter()
        .map(|(pick, judged)| {
            let fresh = needs(&pick);
            bar.inc(u64::from(fresh));
            let name = pick.name.clone();
            let admitted = match (fresh, pick.origin, judged) {
                (true, PickOrigin::Registry(..), Some(judged)) => {
                    let archive = archives.get(&name).map_or(&[][..], |bytes| bytes);
                    Admitted::Fresh(Box::new(verify::verify_archive(judged, archive)?))
                }
                (fresh, PickOrigin::Path(_, package), _) => {
                    let verified = verify::verify_unsigned(&name, &pick.version, package.tree, policy, today())?;
                    if fresh { Admitted::Fresh(Box::new(verified)) } else { Admitted::Stands(None) }
                }
                (_, _, judged) => Admitted::Stands(judged.map(Box::new)),
            };
            Ok((name, admitted))
        })
        .collect();
    let findings: Vec<Finding> =
        admitted.iter().filter_map(|result| result.as_ref().err()).flatten().cloned().collect();
    if !findings.is_empty() {
        return Err(Failure::refused(refusal_sentence(&findings), findings));
    }
    Ok(admitted.into_iter().filter_map(Result::ok).collect())
}

pub(super) fn refusal_sentence(findings: &[Finding]) -> String {
    let mut skills: Vec<&str> = findings.iter().map(|finding| finding.skill.as_str()).collect();
    skills.dedup();
    match skills.as_slice() {
        [one] => format!("`{one}` was refused, nothing was changed"),
        many => format!("{} skills were refused, nothing was changed", many.len()),
    }
}

/// The archive digests that the judged statements name.
fn judged_by_name<'a>(picks: &'a [Pick], judged: &[Option<Judged>]) -> BTreeMap<&'a PackageName, Sha256> {
    let with = picks.iter().zip(judged);
    with.filter_map(|(pick, judged)| Some((&pick.name, judged.as_ref()?.statement()?.archive))).collect()
}

/// The archives by package, from the cache or the registry.
async fn fetch_archives(
    picks: impl Iterator<Item = &Pick>,
    digests: &BTreeMap<&PackageName, Sha256>,
    registries: &Registries<'_>,
) -> Result<BTreeMap<PackageName, Bytes>, Failure> {
    let mut archives = BTreeMap::new();
    let mut tasks = JoinSet::new();
    for pick in picks {
        let (PickOrigin::Registry(registry, _), Some(digest)) = (&pick.origin, digests.get(&pick.name).copied()) else {
            continue;
        };
        let (name, cache) = (pick.name.clone(), registries.cache().cloned());
        if let Some(bytes) = cache.as_ref().and_then(|cache| cache.archive(&digest)) {
            archives.insert(name, Bytes::from(bytes));
            continue;
        }
        let registry = registries.named(registry).await?;
        tasks.spawn_local(async move {
            let bytes = fetch_archive(&registry, &digest).await?;
            // Kept only if it is what it should be; what it is not is said by the verification.
            if let Some(cache) = cache.filter(|_| Sha256::of(&bytes) == digest) {
                cache.keep_archive(&digest, &bytes)?;
            }
            Ok::<_, Failure>((name, bytes))
        });
        if tasks.len() >= REQUESTS_AT_ONCE {
            archives.extend(next(&mut tasks).await?);
        }
    }
    while let Some(fetched) = next(&mut tasks).await? {
        archives.extend([fetched]);
    }
    Ok(archives)
}

async fn fetch_archive(registry: &Registry, digest: &Sha256) -> Result<Bytes, Failure> {
    let path = urls::archive(digest);
    let Some(client) = &registry.client else { return Err(out_of_reach(registry, &path)) };
    let bytes_max = usize::try_from(ARCHIVE_BYTES_MAX).unwrap_or(usize::MAX);
    let bytes = client.fetch(&path, bytes_max).await?;
    bytes.ok_or_else(|| {
        Failure::could_not("archive-missing", format!("registry `{}` has no archive {digest}", registry.name))
    })
}
