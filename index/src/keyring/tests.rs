//! Each rule of the chain, and each attack on it.

use super::*;
use skills::key::{PublicKey, SigningKey};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn scope() -> Scope {
    Scope::parse("acme").expect("a scope")
}

fn member(seed: u8, owner: &str) -> (PublicKey, String) {
    (key(seed).public(), owner.to_owned())
}

/// Link 1 of a scope with these keys.
fn first(members: &[(u8, &str)]) -> Link {
    Link::first(&scope(), &members.iter().map(|(seed, owner)| member(*seed, owner)).collect::<Vec<_>>())
}

/// A link as a line, signed by the given keys.
fn line(link: &Link, signers: &[u8]) -> String {
    line_of(KEYRING, link.to_payload(), signers)
}

fn line_of(payload_type: &str, payload: Vec<u8>, signers: &[u8]) -> String {
    let mut envelope = Envelope::sign(payload_type, payload, &key(signers[0]));
    for seed in &signers[1..] {
        let more = Envelope::sign(payload_type, envelope.payload.clone(), &key(*seed));
        envelope.signatures.extend(more.signatures);
    }
    format_line(&envelope) + "\n"
}

/// The link after, the same until it is changed.
fn next(link: &Link) -> Link {
    Link { seq: link.seq + 1, prev: Some(Sha256::of(link.to_payload())), ..link.clone() }
}

fn accepts(text: &str) -> Chain {
    let chain = Chain::parse(text.as_bytes(), &scope()).expect("a lawful chain");
    assert_eq!(Chain::parse(chain.to_jsonl().as_bytes(), &scope()), Ok(chain.clone()), "formatted, it parses back");
    chain
}

fn refuses(text: &str, code: &str) {
    assert_eq!(Chain::parse(text.as_bytes(), &scope()).expect_err(code).code, code);
}

/// A link whose payload was changed as text, then signed properly.
fn refuses_payload(link: &Link, from: &str, to: &str, code: &str) {
    let text = String::from_utf8(link.to_payload()).expect("UTF-8");
    let changed = text.replacen(from, to, 1);
    assert_ne!(text, changed, "`{from}` is in the payload");
    refuses(&line_of(KEYRING, changed.into_bytes(), &[1]), code);
}

#[test]
fn a_first_link_signed_by_its_own_key_is_a_chain() {
    let link = first(&[(1, "alice")]);
    let chain = accepts(&line(&link, &[1]));
    assert_eq!(chain.head(), &link);
    assert_eq!(chain.root(), Sha256::of(link.to_payload()));
    assert_eq!(chain.link(1), Some((&link, chain.root())));
    assert_eq!((chain.link(0), chain.link(2)), (None, None));
}

#[test]
fn a_chain_may_be_as_long_as_it_wants_within_the_bound() {
    let (mut link, mut text) = (first(&[(1, "alice")]), String::new());
    for _ in 0..LINKS_MAX {
        text += &line(&link, &[1]);
        link = next(&link);
    }
    assert_eq!(accepts(&text).head().seq, LINKS_MAX as u64);
    refuses(&(text + &line(&link, &[1])), "keyring-too-large");
    refuses(&"\n".repeat(CHAIN_BYTES_MAX + 1), "keyring-too-large");
}

#[test]
fn an_empty_file_is_no_chain() {
    refuses("", "keyring-empty");
    refuses("\n \n", "keyring-empty");
}

#[test]
fn a_first_link_that_its_own_threshold_did_not_sign_is_refused() {
    refuses(&line(&first(&[(1, "alice")]), &[2]), "keyring-signatures");
    let mut two = first(&[(1, "alice"), (2, "bob")]);
    two.threshold.root = 2;
    refuses(&line(&two, &[1]), "keyring-signatures");
    accepts(&line(&two, &[1, 2]));
}

#[test]
fn two_keys_of_one_owner_are_one_voice() {
    let mut link = first(&[(1, "alice"), (2, "alice"), (3, "bob")]);
    link.threshold.root = 2;
    refuses(&line(&link, &[1, 2]), "keyring-signatures");
    accepts(&line(&link, &[1, 3]));
}

#[test]
fn one_key_that_signs_twice_is_one_voice() {
    let mut link = first(&[(1, "alice"), (2, "bob")]);
    link.threshold.root = 2;
    refuses(&line(&link, &[1, 1]), "keyring-signatures");
}

#[test]
fn a_key_without_the_root_role_changes_nothing() {
    let mut link = first(&[(1, "alice"), (2, "bob")]);
    link.keys[1].roles = vec![Role::Release];
    refuses(&line(&link, &[2]), "keyring-signatures");
    let chain = line(&link, &[1]);
    refuses(&(chain.clone() + &line(&next(&link), &[2])), "keyring-signatures");
    accepts(&(chain + &line(&next(&link), &[1])));
}

#[test]
fn a_new_link_needs_the_threshold_of_the_old_keys() {
    let old = first(&[(1, "alice")]);
    let taken = Link { keys: first(&[(9, "mallory")]).keys, ..next(&old) };
    refuses(&(line(&old, &[1]) + &line(&taken, &[9])), "keyring-signatures");
}

#[test]
fn a_new_link_needs_the_threshold_of_the_new_keys() {
    let old = first(&[(1, "alice")]);
    let new = Link { keys: first(&[(2, "bob")]).keys, ..next(&old) };
    refuses(&(line(&old, &[1]) + &line(&new, &[1])), "keyring-signatures");
    accepts(&(line(&old, &[1]) + &line(&new, &[1, 2])));
}

#[test]
fn a_chain_with_a_link_left_out_or_out_of_order_is_refused() {
    let one = first(&[(1, "alice")]);
    let two = next(&one);
    let three = next(&two);
    refuses(&(line(&one, &[1]) + &line(&three, &[1])), "keyring-order");
    refuses(&line(&two, &[1]), "keyring-order");
    refuses(&(line(&one, &[1]) + &line(&one, &[1])), "keyring-order");
}

#[test]
fn a_link_of_another_history_does_not_fit() {
    let one = first(&[(1, "alice")]);
    let other = first(&[(1, "alice"), (2, "bob")]);
    refuses(&(line(&one, &[1]) + &line(&next(&other), &[1])), "keyring-prev");
}

#[test]
fn the_chain_of_another_scope_is_refused() {
    let other = Link { namespace: Scope::parse("evil").expect("a scope"), ..first(&[(1, "alice")]) };
    refuses(&line(&other, &[1]), "keyring-namespace");
    let one = first(&[(1, "alice")]);
    let hop = Link { namespace: other.namespace, ..next(&one) };
    refuses(&(line(&one, &[1]) + &line(&hop, &[1])), "keyring-namespace");
}

#[test]
fn the_registrys_own_namespace_is_not_a_scope_of_the_same_letters() {
    refuses_payload(&first(&[(1, "alice")]), r#""acme""#, r#""@acme""#, "keyring-malformed");
}

#[test]
fn a_weak_key_is_refused() {
    let link = first(&[(1, "alice")]);
    let weak = "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    refuses_payload(&link, &link.keys[0].spki.to_string(), weak, "key-weak");
}

#[test]
fn a_key_under_another_keys_name_is_refused() {
    let link = first(&[(1, "alice")]);
    refuses_payload(&link, link.keys[0].id.as_str(), key(2).public().id().as_str(), "keyring-key-id");
}

#[test]
fn a_key_that_appears_twice_is_refused() {
    refuses(&line(&first(&[(1, "alice"), (1, "bob")]), &[1]), "keyring-duplicate-key");
}

#[test]
fn a_threshold_of_none_or_of_more_than_there_are_is_refused() {
    let link = first(&[(1, "alice"), (2, "alice")]);
    for role in ["root", "release", "yank"] {
        let (was, none) = (format!("\"{role}\":1"), format!("\"{role}\":0"));
        refuses_payload(&link, &was, &none, "keyring-threshold");
        refuses_payload(&link, &was, &format!("\"{role}\":2"), "keyring-threshold");
    }
}

#[test]
fn nobody_has_to_hold_the_yank_role() {
    let mut link = first(&[(1, "alice")]);
    link.keys[0].roles = vec![Role::Root, Role::Release];
    accepts(&line(&link, &[1]));
}

#[test]
fn a_revoked_key_is_no_member() {
    let mut link = first(&[(1, "alice")]);
    let id = link.keys[0].id.clone();
    link.revoked = vec![Revocation { id, reason: Reason::Compromised, from_index: Some(7) }];
    refuses(&line(&link, &[1]), "keyring-revoked-key");
    link.revoked[0].id = key(2).public().id();
    accepts(&line(&link, &[1]));
}

#[test]
fn any_single_root_key_may_freeze_and_only_the_threshold_unfreezes() {
    let mut one = first(&[(1, "alice"), (2, "bob")]);
    one.threshold.root = 2;
    let frozen = Link { state: State::Frozen, ..next(&one) };
    let thawed = Link { state: State::Active, ..next(&frozen) };
    let chain = line(&one, &[1, 2]) + &line(&frozen, &[2]);
    assert_eq!(accepts(&chain).head().state, State::Frozen);
    refuses(&(chain.clone() + &line(&thawed, &[2])), "keyring-signatures");
    accepts(&(chain + &line(&thawed, &[1, 2])));
}

#[test]
fn a_single_root_key_cannot_hide_another_change_in_a_freeze() {
    let mut one = first(&[(1, "alice"), (2, "bob")]);
    one.threshold.root = 2;
    let mut frozen = Link { state: State::Frozen, ..next(&one) };
    frozen.threshold.root = 1;
    refuses(&(line(&one, &[1, 2]) + &line(&frozen, &[1])), "keyring-signatures");
    let mut frozen = Link { state: State::Frozen, ..next(&one) };
    frozen.keys[1].owner = "alice".into();
    frozen.keys[0].owner = "bob".into();
    refuses(&(line(&one, &[1, 2]) + &line(&frozen, &[1])), "keyring-signatures");
}

#[test]
fn a_key_without_the_root_role_cannot_freeze() {
    let mut one = first(&[(1, "alice"), (2, "bob")]);
    one.keys[1].roles = vec![Role::Release];
    let frozen = Link { state: State::Frozen, ..next(&one) };
    refuses(&(line(&one, &[1]) + &line(&frozen, &[2])), "keyring-signatures");
}

#[test]
fn a_release_statement_is_no_keyring_link() {
    let payload = first(&[(1, "alice")]).to_payload();
    refuses(&line_of(skills::dsse::IN_TOTO, payload, &[1]), "keyring-malformed");
}

#[test]
fn unknown_fields_are_ignored_and_duplicate_ones_refused() {
    let link = first(&[(1, "alice")]);
    let text = String::from_utf8(link.to_payload()).expect("UTF-8");
    let later = text.replacen('{', r#"{"later":{"x":1},"#, 1).replacen(r#""root","#, r#""root","later","#, 1);
    assert_eq!(accepts(&line_of(KEYRING, later.into_bytes(), &[1])).head(), &link);
    refuses_payload(&link, r#""seq":1"#, r#""seq":1,"seq":1"#, "keyring-malformed");
}

#[test]
fn sizes_are_bounded_before_any_curve_is_touched() {
    let many: Vec<(PublicKey, String)> = (0..=KEYS_MAX as u8).map(|seed| member(seed, "alice")).collect();
    refuses(&line(&Link::first(&scope(), &many), &[1]), "keyring-malformed");
    accepts(&line(&Link::first(&scope(), &many[..KEYS_MAX]), &[1]));
    let mut long = first(&[(1, "alice")]);
    long.keys[0].owner = "a".repeat(101);
    refuses(&line(&long, &[1]), "keyring-malformed");
    long.keys[0].owner = String::new();
    refuses(&line(&long, &[1]), "keyring-malformed");
}

#[test]
fn an_owner_cannot_look_like_another() {
    for owner in ["ali\u{200b}ce", "\u{202e}ecila", "alice\n", "\u{1b}[2Kalice"] {
        refuses(&line(&first(&[(1, owner)]), &[1]), "keyring-malformed");
    }
    accepts(&line(&first(&[(1, "Zoë O'Brien <zoe@acme.example>")]), &[1]));
}

#[test]
fn the_shape_of_the_contract_is_read() {
    let id = key(1).public().id();
    let text = format!(
        r#"{{"namespace":"acme","seq":1,"threshold":{{"root":1,"release":1,"yank":1}},
            "keys":[{{"id":"{id}","spki":"{}","owner":"alice","roles":["root","release"]}}],
            "publishers":[{{"id":"gh-release","issuer":"https://issuer.example","repository_id":"123",
                "repository_owner_id":"45","workflow":"release.yml","environment":"release"}}],
            "revoked":[{{"id":"{}","reason":"compromised","from_index":120311}}],"state":"active"}}"#,
        key(1).public(),
        key(2).public().id()
    );
    let chain = accepts(&line_of(KEYRING, text.into_bytes(), &[1]));
    assert_eq!(chain.head().revoked[0].from_index, Some(120_311));
    assert_eq!(chain.head().publishers[0].repository_id.as_deref(), Some("123"));
}
