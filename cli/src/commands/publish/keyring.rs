//! May our key release in these scopes? Asked before anything is sent, so that the answer can
//! name the keys that may; decided again, and only for good, by the registry and every verifier.

use std::collections::BTreeMap;

use index::api::ScopeAnswer;
use index::keyring::{self, Chain, Link, Role, State};
use reqwest::Method;
use skills::key::PublicKey;
use skills::{Scope, Sha256, dsse};

use super::prepare::Prepared;
use crate::api::Api;
use crate::client::{Body, Client};
use crate::commands::scope::{fetch_chain, member_line};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::keys::{KeyFile, Signer};

/// The keyring of every scope that is published into; `None` before a first key.
pub(super) struct Keyrings(BTreeMap<Scope, Option<Chain>>);

impl Keyrings {
    /// Fetches the keyrings of all packages' scopes.
    pub(super) async fn fetch(client: &Client, prepared: &[Prepared]) -> Result<Self, Failure> {
        let mut keyrings = BTreeMap::new();
        for package in prepared {
            let scope = package.package.name.scope();
            if !keyrings.contains_key(scope) {
                keyrings.insert(scope.clone(), fetch_chain(client, scope).await?);
            }
        }
        Ok(Self(keyrings))
    }

    /// The scopes that no key is registered for.
    pub(super) fn without_keyring(&self) -> Vec<Scope> {
        self.0.iter().filter(|(_, chain)| chain.is_none()).map(|(scope, _)| scope.clone()).collect()
    }

    /// Takes in a keyring that was just registered.
    pub(super) fn keep(&mut self, scope: Scope, chain: Chain) {
        self.0.insert(scope, Some(chain));
    }

    /// The link that a new statement names: its number and digest.
    pub(super) fn head(&self, scope: &Scope) -> (u64, Sha256) {
        let chain =
            self.0.get(scope).and_then(Option::as_ref).expect("every scope has a keyring before anything is signed");
        (chain.head().seq, chain.head_digest())
    }

    /// Refuses a key that the keyring of one of the scopes does not let release.
    pub(super) fn check_may_release(&self, key: &PublicKey, name: &str) -> Result<(), Failure> {
        for (scope, chain) in &self.0 {
            if let Some(chain) = chain {
                check_link(scope, chain.head(), key, name)?;
            }
        }
        Ok(())
    }
}

fn check_link(scope: &Scope, link: &Link, key: &PublicKey, name: &str) -> Result<(), Failure> {
    if link.state == State::Frozen {
        let seen = format!("scope `{scope}` is frozen by link {} of its keyring: it takes no new releases", link.seq);
        return Err(Failure::new(Exit::Policy, "scope-frozen", seen));
    }
    let ours = link.keys.iter().find(|member| member.spki == *key);
    if ours.is_some_and(|member| member.roles.contains(&Role::Release)) {
        return Ok(());
    }
    let what = if ours.is_some() { "has no release role in" } else { "is not in" };
    let may = link.keys.iter().filter(|member| member.roles.contains(&Role::Release));
    let names: Vec<String> = may.map(|member| format!("  {}", member_line(member))).collect();
    let seen = format!(
        "key `{name}` ({}) {what} the keyring of `{scope}`; these may release:\n{}",
        key.id(),
        names.join("\n")
    );
    Err(Failure::new(Exit::Policy, "key-may-not-release", seen).hint("sign with one of them: `--key NAME`"))
}

/// Shows what registering means, and asks.
pub(super) fn ask_to_register(
    scope: &Scope,
    signer: &Signer,
    key: &KeyFile,
    context: &Context,
) -> Result<bool, Failure> {
    if !context.ui.interactive() {
        return Ok(false);
    }
    context.ui.warn(format!("scope `{scope}` has no keyring yet: the key that signs first becomes its root"));
    context.ui.warn(format!("key `{}`  {}", key.name, signer.public().id()));
    Ok(context.ui.confirm("register this key, so that everybody who uses the scope pins it?"))
}

/// No keyring, and nobody said that our key should start one.
pub(super) fn not_registered(scope: &Scope) -> Failure {
    Failure::new(
        Exit::Policy,
        "keyring-missing",
        format!("scope `{scope}` has no keyring yet, and your key was not registered for it"),
    )
    .hint("publish once with `--register-key`; everybody who uses the scope will pin that key")
}

/// Registers link 1, signed by its own root: the proof that we hold the secret key.
pub(super) async fn register(scope: &Scope, signer: &Signer, owner: &str, api: &Api) -> Result<Chain, Failure> {
    let link = Link::first(scope, &[(signer.public(), owner.to_owned())]);
    let payload = link.to_payload();
    let expected = Sha256::of(&payload);
    let envelope = signer.envelope(dsse::KEYRING, payload)?;
    let body = Body::Raw(keyring::format_line(&envelope).into_bytes());
    let _: ScopeAnswer = api.ask(Method::PUT, &format!("/scopes/{scope}/keyring"), body).await?;
    let chain = fetch_chain(&api.client, scope).await?;
    match chain {
        Some(chain) if chain.root() == expected => Ok(chain),
        _ => Err(Failure::new(
            Exit::Failed,
            "keyring-not-kept",
            format!("the registry took the keyring of `{scope}` and serves another: expected root {expected}"),
        )
        .hint("publish nothing there before its operator has explained this")),
    }
}

#[cfg(test)]
mod tests {
    use skills::key::SigningKey;

    use super::*;

    fn key(number: u8) -> PublicKey {
        SigningKey::from_seed(&[number; 32]).public()
    }

    fn link() -> (Scope, Link) {
        let scope = Scope::parse("acme").expect("a scope");
        let members = [(key(1), "alice".to_owned()), (key(2), "bob".to_owned())];
        (scope.clone(), Link::first(&scope, &members))
    }

    fn refuses(link: &Link, number: u8, code: &str) -> String {
        let failure = check_link(&link.namespace, link, &key(number), "mine").expect_err("a refusal");
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Policy, code));
        failure.message
    }

    #[test]
    fn a_member_with_the_release_role_may_release() {
        let (scope, link) = link();
        assert!(check_link(&scope, &link, &key(2), "mine").is_ok());
    }

    #[test]
    fn a_stranger_is_refused_and_told_who_may() {
        let (_, link) = link();
        let said = refuses(&link, 3, "key-may-not-release");
        assert!(said.contains("alice") && said.contains(key(2).id().as_str()), "{said}");
    }

    #[test]
    fn a_member_without_the_release_role_is_refused() {
        let (_, mut link) = link();
        link.keys.iter_mut().for_each(|member| member.roles.retain(|role| *role != Role::Release));
        assert!(refuses(&link, 1, "key-may-not-release").contains("no release role"));
    }

    #[test]
    fn a_frozen_scope_takes_no_release_from_anybody() {
        let (_, mut link) = link();
        link.state = State::Frozen;
        refuses(&link, 1, "scope-frozen");
    }
}
