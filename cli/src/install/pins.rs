//! First use: who is this, and does the person accept it?
//!
//! A scope met for the first time is shown with its keyring and asked about on a terminal, or
//! accepted by `--trust`. With neither nothing is installed (exit 4), so that CI never takes trust
//! by itself. What is accepted becomes a line of `.skill/trust.toml`, for reviewers to see. A folder
//! that nobody signed is treated alike: accepted as it is now, as an `[[exception]]`.

use std::collections::BTreeMap;

use index::keyring::Chain;
use index::policy::{Otherwise, Policy};
use index::verify;
use skills::Scope;

use super::evidence::{Evidence, today};
use super::resolution::{Pick, PickOrigin};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::trust::Trust;

/// Asks about everything that the policy does not know yet; gives the policy as it will be.
pub(super) fn propose(
    context: &Context,
    trust: Trust,
    picks: &[Pick],
    evidence: &Evidence,
    pin: Option<bool>,
) -> Result<Trust, Failure> {
    let trust = propose_scopes(context, trust, picks, evidence, pin)?;
    propose_folders(context, trust, picks, pin)
}

fn propose_scopes(
    context: &Context,
    mut trust: Trust,
    picks: &[Pick],
    evidence: &Evidence,
    pin: Option<bool>,
) -> Result<Trust, Failure> {
    let Some(without_asking) = pin else { return Ok(trust) };
    for ((registry, scope), skills) in unknown_scopes(picks, &trust.policy) {
        let bytes = evidence.keyrings.get(&(registry.to_owned(), scope.clone())).map_or(&[][..], |bytes| bytes);
        let chain = Chain::parse(bytes, scope)
            .map_err(|refusal| Failure::of(Exit::Failed, refusal).at(format_args!("keyring of scope `{scope}`")))?;
        context.ui.note(format!("first use of scope `{scope}` from registry `{registry}`\n{}", describe_chain(&chain)));
        if !without_asking && !context.ui.confirm(&format!("trust `{scope}/*` signed by this keyring?")) {
            return Err(not_trusted(scope, registry, &skills));
        }
        trust = trust.with_pin(scope, registry, chain.root())?;
    }
    Ok(trust)
}

/// The scopes that no line of the policy matches, each with the skills that need it.
fn unknown_scopes<'p>(picks: &'p [Pick], policy: &Policy) -> BTreeMap<(&'p str, &'p Scope), Vec<String>> {
    let mut unknown: BTreeMap<(&str, &Scope), Vec<String>> = BTreeMap::new();
    for pick in picks {
        if let PickOrigin::Registry(registry, _) = &pick.origin
            && policy.namespace(&pick.name).is_none()
            && policy.default() == Otherwise::Deny
        {
            unknown.entry((registry, pick.name.scope())).or_default().push(format!("{}@{}", pick.name, pick.version));
        }
    }
    unknown
}

fn not_trusted(scope: &Scope, registry: &str, skills: &[String]) -> Failure {
    Failure::new(Exit::Policy, "scope-not-trusted", format!("scope `{scope}` of registry `{registry}` is not in .skill/trust.toml, and {} would come from it", skills.join(", ")))
        .hint("compare the keys above with what the team publishes, then run it again with `--trust`; commit .skill/trust.toml for review")
}

/// A keyring for people: its root digest, its keys and who holds them.
pub fn describe_chain(chain: &Chain) -> String {
    let head = chain.head();
    let keys = head.keys.iter().map(|member| {
        let roles: Vec<String> = member.roles.iter().map(|role| format!("{role:?}").to_lowercase()).collect();
        format!("  key      {}  {} ({})\n", member.spki.id(), member.owner, roles.join(", "))
    });
    let threshold = format!("  needs    {} of {} signatures on a release\n", head.threshold.release, head.keys.len());
    format!("  keyring  {} (link {})\n{}{threshold}", chain.root(), head.seq, keys.collect::<String>())
        .trim_end()
        .to_owned()
}

fn propose_folders(context: &Context, mut trust: Trust, picks: &[Pick], pin: Option<bool>) -> Result<Trust, Failure> {
    let Some(without_asking) = pin else { return Ok(trust) };
    for pick in picks {
        let PickOrigin::Path(path, package) = &pick.origin else { continue };
        if verify::verify_unsigned(&pick.name, &pick.version, package.tree.clone(), &trust.policy, today()).is_ok() {
            continue;
        }
        let tree = package.tree.digest();
        context.ui.note(format!("folder `{path}` is signed by nobody\n  tree     {tree}"));
        if !without_asking && !context.ui.confirm(&format!("allow `{}` exactly as it is now?", pick.name)) {
            return Err(Failure::new(
                Exit::Policy,
                "folder-not-trusted",
                format!("`{}` comes from the folder `{path}` and is signed by nobody", pick.name),
            )
            .hint(
                "run it again with `--trust` to allow it exactly as it is now; commit .skill/trust.toml for review",
            ));
        }
        trust = trust.with_exception(&pick.name, &pick.version, tree, &format!("installed from {path}"))?;
    }
    Ok(trust)
}
