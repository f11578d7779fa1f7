//! Admission as a table: every refusal with the input that earns it. No registry runs here.

use std::sync::Arc;

use bytes::Bytes;
use index::keyring::{Chain, Link, Member, Role, State, format_line};
use registry::admit::{Claim, Decision, Desk, ScopeFacts, Upload, decide, refuse_twins};
use registry::store::Release;
use registry::token::{ACTIONS, Action, Grant, Scopes, Secret, TokenRow};
use skills::dsse::{Envelope, IN_TOTO, KEYRING};
use skills::key::PublicKey;
use skills::manifest::Kind;
use skills::statement::{Dependency, KeyringRef};
use skills::{PackageName, Refusal, Requirement, Scope, Sha256, Version, bundle};

use crate::signed::{Making, Pair, REGISTRY, key, link, making, making_of, release, tree};

/// The desk's own facts, which a case may bend.
struct Facts {
    grant: Grant,
    scope: ScopeFacts,
    kept: Option<Release>,
    /// What the registry has of whatever is depended on.
    known: Vec<(Version, Kind)>,
}

fn grant(actions: &[Action], scopes: Scopes) -> Grant {
    let secret = Secret::generate().expect("random bytes");
    Grant::of(TokenRow::new(&secret, "ann", actions, scopes, 0, 1), 0).expect("in force")
}

fn chain_of(link: &Link, keys: &[u8]) -> Arc<Chain> {
    let payload = link.to_payload();
    let mut envelope = Envelope::sign(KEYRING, payload.clone(), &key(keys[0]));
    for number in &keys[1..] {
        envelope.signatures.extend(Envelope::sign(KEYRING, payload.clone(), &key(*number)).signatures);
    }
    Arc::new(Chain::parse(format_line(&envelope).as_bytes(), &link.namespace).expect("a chain"))
}

fn facts() -> Facts {
    let chain = chain_of(&link("acme", 7).0, &[7]);
    let scope = ScopeFacts { owner: "ann".to_owned(), chain: Some(chain) };
    Facts { grant: grant(&ACTIONS, Scopes::All), scope, kept: None, known: Vec::new() }
}

fn decided(pair: Pair, facts: Facts) -> Result<Decision, Refusal> {
    let claim = Claim::read(Upload { bundle: pair.bundle.into(), archive: Bytes::from(pair.archive) })?;
    let known = |_: &PackageName| facts.known.clone();
    let desk = Desk { registry: REGISTRY, grant: &facts.grant, now: "2026-11-22T12:00:00Z", known: &known };
    decide(&claim, &facts.scope, facts.kept, &desk)
}

#[track_caller]
fn refuses_with(pair: Pair, facts: Facts, code: &str) {
    let refusal = decided(pair, facts).expect_err(code);
    assert_eq!(refusal.code, code, "{}", refusal.message);
}

#[track_caller]
fn refuses(bend: impl FnOnce(&mut Making), code: &str) {
    let mut making = making("acme/greet", "1.0.0", "Hello.");
    bend(&mut making);
    refuses_with(making.seal(), facts(), code);
}

fn honest() -> Pair {
    release("acme/greet", "1.0.0")
}

fn kept(pair: &Pair) -> Release {
    match decided(pair.clone(), facts()).expect("honest") {
        Decision::Unchanged(kept) => *kept,
        Decision::Publish { release, .. } => Release {
            seq: 1,
            package: release.package,
            version: release.version,
            archive: release.archive,
            statement: release.statement,
            keyring: release.keyring,
            published: release.published,
            by: release.by,
            entry: release.entry,
            yanked: None,
        },
    }
}

#[test]
fn an_honest_release_is_admitted_as_the_row_that_its_bytes_make() {
    let Decision::Publish { release, archive } = decided(honest(), facts()).expect("admitted") else {
        panic!("it is new");
    };
    assert_eq!(Sha256::of(&archive), release.archive);
    assert_eq!((release.by.as_str(), release.published.as_str()), ("user:ann", "2026-11-22T12:00:00Z"));
    assert_eq!(release.bundle, honest().bundle);
    let entry = index::entry::parse(release.entry.as_bytes(), &release.package).expect("an entry").remove(0);
    assert_eq!((entry.cksum, entry.statement), (release.archive, Some(release.statement)));
    assert_eq!(entry.sigs, [key(7).public().id()]);
}

#[test]
fn a_token_without_the_action_or_the_scope_is_refused() {
    let without = |actions: &[Action], scopes| Facts { grant: grant(actions, scopes), ..facts() };
    refuses_with(honest(), without(&[Action::Yank], Scopes::All), "token-out-of-scope");
    let other = Scopes::Only(vec![Scope::parse("other").expect("a scope")]);
    refuses_with(honest(), without(&ACTIONS, other), "token-out-of-scope");
}

#[test]
fn a_user_who_does_not_own_the_scope_is_refused() {
    let scope = ScopeFacts { owner: "bob".to_owned(), ..facts().scope };
    refuses_with(honest(), Facts { scope, ..facts() }, "not-owner");
}

#[test]
fn a_release_signed_for_another_registry_is_refused() {
    refuses(|making| making.statement.registry = "evil.example".to_owned(), "statement-registry");
}

#[test]
fn an_archive_that_is_not_the_signed_one_is_refused() {
    refuses(|making| making.archive[20] ^= 1, "archive-digest");
    refuses(|making| making.archive.truncate(100), "archive-digest");
    refuses(|making| making.archive.clear(), "archive-digest");
}

#[test]
fn a_signature_by_another_key_is_refused() {
    refuses(|making| making.keys = vec![8], "signature-invalid");
    let mut envelope = bundle::parse(&honest().bundle).expect("a bundle");
    let other = Envelope::sign(IN_TOTO, b"other".to_vec(), &key(7));
    envelope.signatures[0].1 = other.signatures[0].1;
    refuses_with(Pair { bundle: bundle::format(&envelope).into_bytes(), ..honest() }, facts(), "signature-invalid");
}

#[test]
fn a_key_id_that_claims_another_signer_decides_nothing() {
    let mut envelope = bundle::parse(&honest().bundle).expect("a bundle");
    envelope.signatures[0].0 = key(9).public().id();
    assert!(decided(Pair { bundle: bundle::format(&envelope).into_bytes(), ..honest() }, facts()).is_ok());
}

#[test]
fn a_keyring_link_that_is_not_the_head_is_refused() {
    refuses(|making| making.statement.keyring = KeyringRef::new(2, Sha256::of(b"link")), "keyring-not-head");
    refuses(|making| making.statement.keyring = KeyringRef::new(1, Sha256::of(b"link")), "keyring-not-head");
    let scope = ScopeFacts { chain: None, ..facts().scope };
    refuses_with(honest(), Facts { scope, ..facts() }, "keyring-missing");
}

/// A release under a link with several members.
fn under(link: &Link, roots: &[u8], signers: &[u8]) -> Result<Decision, Refusal> {
    let mut making = making("acme/greet", "1.0.0", "Hello.");
    making.statement.keyring = KeyringRef::new(1, Sha256::of(link.to_payload()));
    making.keys = signers.to_vec();
    let scope = ScopeFacts { owner: "ann".to_owned(), chain: Some(chain_of(link, roots)) };
    decided(making.seal(), Facts { scope, ..facts() })
}

fn team(members: &[(u8, &str)], needed: u32) -> Link {
    let members: Vec<(PublicKey, String)> =
        members.iter().map(|(number, owner)| (key(*number).public(), (*owner).to_owned())).collect();
    let mut link = Link::first(&Scope::parse("acme").expect("a scope"), &members);
    link.threshold.root = 1;
    link.threshold.release = needed;
    link
}

#[test]
fn a_threshold_counts_distinct_owners_of_distinct_keys() {
    let link = team(&[(1, "ann"), (2, "bob"), (3, "ann")], 2);
    assert!(under(&link, &[1], &[1, 2]).is_ok());
    for signers in [&[1][..], &[1, 1], &[1, 3]] {
        let refusal = under(&link, &[1], signers).expect_err("one owner");
        assert_eq!(refusal.code, "signature-threshold", "{signers:?}");
    }
}

#[test]
fn a_root_key_without_the_release_role_signs_no_release() {
    let mut link = team(&[(1, "ann"), (2, "bob")], 1);
    link.keys.iter_mut().for_each(|member: &mut Member| {
        if member.spki == key(2).public() {
            member.roles = vec![Role::Root];
        }
    });
    assert!(under(&link, &[1], &[1]).is_ok());
    assert_eq!(under(&link, &[1], &[2]).expect_err("root only").code, "signature-invalid");
}

#[test]
fn a_frozen_scope_takes_no_release() {
    let mut link = team(&[(1, "ann")], 1);
    link.state = State::Frozen;
    assert_eq!(under(&link, &[1], &[1]).expect_err("frozen").code, "scope-frozen");
}

#[test]
fn a_statement_that_lists_other_files_or_modes_is_refused() {
    let other = tree(&[("SKILL.md", "other")]);
    let resources = other.resources();
    refuses(
        |making| {
            making.statement.resources = resources;
            making.statement.tree = other.digest();
        },
        "statement-content",
    );
    refuses(|making| making.statement.resources[0].mode = skills::tree::Mode::Executable, "statement-content");
}

#[test]
fn a_statement_with_other_dependencies_than_the_manifest_is_refused() {
    let dependency = Dependency {
        name: skills::PackageName::parse("acme/lib").expect("a name"),
        req: Requirement::parse("^1").expect("a requirement"),
    };
    refuses(|making| making.statement.dependencies = vec![dependency], "statement-content");
}

#[test]
fn a_release_that_depends_on_what_its_kind_may_not_have_is_refused_as_far_as_that_is_known() {
    let bundle = "[package]\nschema = 1\nname = \"acme/guard\"\nversion = \"1.0.0\"\nkind = \"tools\"\n\
                  description = \"Guards.\"\n[boundary]\ntask-class = [\"any\"]\nenvironment = [\"dev\"]\n\
                  data-class = \"public\"\napproval = \"plan-first\"\n[[rule]]\neffect = \"deny\"\n\
                  command = [\"dropdb\"]\n[dependencies]\n\"acme/lib\" = \"^1\"\n";
    let mut making = making_of("acme/guard", "1.0.0", tree(&[("skill.toml", bundle)]));
    let (name, req) = (PackageName::parse("acme/lib").expect("a name"), Requirement::parse("^1").expect("one"));
    making.statement.dependencies = vec![Dependency { name, req }];
    let version = |text: &str| Version::parse(text).expect("a version");
    for (known, admitted) in [
        (vec![], true),
        (vec![("1.0.0", Kind::Tools)], true),
        (vec![("1.0.0", Kind::Tools), ("1.1.0", Kind::Skill)], true),
        (vec![("2.0.0", Kind::Skill)], true),
        (vec![("1.0.0", Kind::Skill)], false),
        (vec![("1.0.0", Kind::Check), ("2.0.0", Kind::Tools)], false),
    ] {
        let rows: Vec<(Version, Kind)> = known.iter().map(|(text, kind)| (version(text), *kind)).collect();
        let decided = decided(making.seal(), Facts { known: rows, ..facts() });
        assert_eq!(decided.as_ref().map_err(|refusal| refusal.code).is_ok(), admitted, "{known:?}");
        assert!(admitted || decided.is_err_and(|refusal| refusal.code == "kind-dependency"));
    }
}

#[test]
fn a_statement_under_another_name_than_the_skill_is_refused() {
    let mut making = making("acme/greet", "1.0.0", "Hello.");
    making.statement.package = skills::PackageName::parse("acme/other").expect("a name");
    assert!(decided(making.seal(), facts()).is_err());
}

#[test]
fn an_archive_without_a_skill_in_it_is_refused() {
    assert!(decided(making_of("acme/greet", "1.0.0", tree(&[("README.md", "hello")])).seal(), facts()).is_err());
}

#[test]
fn an_archive_that_breaks_a_law_is_refused_with_the_code_of_that_law() {
    refuses(
        |making| {
            making.archive.extend_from_slice(b"trailing");
            making.statement.archive = Sha256::of(&making.archive);
        },
        "archive-trailing",
    );
}

#[test]
fn the_same_bytes_again_are_unchanged_and_other_bytes_are_refused() {
    let known = Facts { kept: Some(kept(&honest())), ..facts() };
    assert!(matches!(decided(honest(), known), Ok(Decision::Unchanged(_))));
    let other = making("acme/greet", "1.0.0", "Something else.").seal();
    refuses_with(other, Facts { kept: Some(kept(&honest())), ..facts() }, "version-exists");
}

#[test]
fn a_version_that_differs_only_in_build_metadata_is_taken() {
    let mut twin = making("acme/greet", "1.0.0", "Hello, from 1.0.0.");
    twin.statement.version = Version::parse("1.0.0+linux").expect("a version");
    refuses_with(twin.seal(), Facts { kept: Some(kept(&honest())), ..facts() }, "version-exists");
}

#[test]
fn one_version_twice_in_a_request_is_refused() {
    let read = |pair: Pair| Claim::read(Upload { bundle: pair.bundle.into(), archive: pair.archive.into() });
    let twin = making("acme/greet", "1.0.0+b", "Hello.").seal();
    let claims = [read(honest()).expect("a claim"), read(twin).expect("a claim")];
    assert_eq!(refuse_twins(&claims).expect_err("twins").code, "publish-duplicate");
}

#[test]
fn a_bundle_that_is_none_is_refused() {
    let with = |bundle: Vec<u8>| Pair { bundle, ..honest() };
    refuses_with(with(Vec::new()), facts(), "bundle-malformed");
    refuses_with(with(b"{}".to_vec()), facts(), "bundle-malformed");
    let half = honest().bundle[..100].to_vec();
    refuses_with(with(half), facts(), "bundle-malformed");
    let two = [honest().bundle, release("acme/greet", "2.0.0").bundle].concat();
    refuses_with(with(two), facts(), "bundle-two-payloads");
    let keyring = link("acme", 7).1;
    refuses_with(with(bundle::format(&keyring).into_bytes()), facts(), "statement-malformed");
}
