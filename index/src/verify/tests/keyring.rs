//! Whose keys these are: swapped, forged, rotated, frozen and revoked keyrings.

use super::*;

#[test]
fn a_keyring_that_was_swapped_is_refused() {
    let world = World::changed(|world| {
        world.links = vec![link(&[(9, "mallory")])];
        world.roots = vec![9];
        world.signers = vec![9];
        world.statement.keyring = KeyringRef::new(1, Sha256::of(world.links[0].to_payload()));
    });
    refuses(&world, &[("SKV012", Failed)]);
}

#[test]
fn a_keyring_that_cannot_be_believed_is_one_finding() {
    let bundle = world().bundle();
    check(world().judged_with(&bundle, b"").findings(), &[("SKV012", Failed)]);
    check(world().judged_with(&bundle, b"{").findings(), &[("SKV012", Failed)]);
    let forged = World::changed(|world| world.roots = vec![9]);
    refuses(&forged, &[("SKV012", Failed)]);
}

#[test]
fn a_weak_key_in_the_keyring_is_refused() {
    let spki = key(1).public().to_string();
    let weak = "MCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let text = String::from_utf8(world().links[0].to_payload()).expect("UTF-8").replacen(&spki, weak, 1);
    let line = format_line(&signed(KEYRING, text.into_bytes(), &[2]));
    let judged = world().judged_with(&world().bundle(), line.as_bytes());
    check(judged.findings(), &[("SKV012", Failed)]);
    assert!(judged.findings()[0].message.contains("low order"), "{:?}", judged.findings());
}

#[test]
fn a_statement_that_names_a_link_outside_the_chain_is_refused() {
    let with = |seq, digest| World::changed(|world| world.statement.keyring = KeyringRef::new(seq, digest));
    let digest = Sha256::of(world().links[0].to_payload());
    refuses(&with(1, Sha256::of(b"other")), &[("SKV001", Failed)]);
    refuses(&with(2, digest), &[("SKV001", Failed)]);
    refuses(&with(0, digest), &[("SKV001", Failed)]);
    refuses(&with(u64::MAX, digest), &[("SKV001", Failed)]);
}

#[test]
fn a_rotated_keyring_is_followed_from_the_pin() {
    let one = link(&[(1, "alice")]);
    let two = Link { keys: link(&[(2, "bob")]).keys, ..next(&one) };
    let mut world = World::with_links(&[one, two]);
    world.roots = vec![1, 2];
    world.signers = vec![2];
    admits(&world, &[]);
    world.signers = vec![1];
    refuses(&world, &[("SKV012", Failed)]);
}

#[test]
fn a_policy_that_pins_rotation_takes_the_first_link_only() {
    let one = link(&[(1, "alice")]);
    let mut world = World::with_links(&[one.clone(), next(&one)]);
    world.policy += "rotation = \"pin\"\n";
    refuses(&world, &[("SKV012", ByPolicy)]);
    world.statement.keyring = KeyringRef::new(1, Sha256::of(one.to_payload()));
    admits(&world, &[]);
}

#[test]
fn a_release_under_a_link_older_than_min_seq_is_refused() {
    let one = link(&[(1, "alice")]);
    let mut world = World::with_links(&[one.clone(), next(&one)]);
    world.policy += "min-seq = 2\n";
    admits(&world, &[]);
    world.statement.keyring = KeyringRef::new(1, Sha256::of(one.to_payload()));
    refuses(&world, &[("SKV032", ByPolicy)]);
}

#[test]
fn an_old_copy_of_the_keyring_is_refused() {
    refuses(&World::changed(|world| world.policy += "min-seq = 2\n"), &[("SKV032", Failed)]);
}

#[test]
fn a_release_under_a_frozen_link_is_refused() {
    let one = link(&[(1, "alice"), (2, "bob")]);
    let frozen = Link { state: State::Frozen, ..next(&one) };
    let mut world = World::with_links(&[one.clone(), frozen]);
    refuses(&world, &[("SKV012", Failed)]);
    world.statement.keyring = KeyringRef::new(1, Sha256::of(one.to_payload()));
    admits(&world, &[]);
}

#[test]
fn a_release_by_a_key_that_a_later_link_revokes_is_refused() {
    for reason in [Reason::Compromised, Reason::Superseded, Reason::Lost] {
        let (world, _) = revoked(reason);
        refuses(&world, &[("SKV013", Failed)]);
    }
}

#[test]
fn enough_other_owners_outlive_a_revoked_key() {
    let (mut world, _) = revoked(Reason::Compromised);
    world.signers = vec![1, 2];
    admits(&world, &["SKV013"]);
    world.policy += "min-signatures = 2\n";
    refuses(&world, &[("SKV013", Failed)]);
}

#[test]
fn a_revoked_key_stays_revoked_in_whatever_link_comes_next() {
    let (_, links) = revoked(Reason::Compromised);
    let forgotten = Link { revoked: vec![], keys: links[0].keys.clone(), ..next(&links[1]) };
    let mut world = World::with_links(&[links[0].clone(), links[1].clone(), forgotten]);
    world.roots = vec![1, 2];
    refuses(&world, &[("SKV013", Failed)]);
}

/// Alice's key signed under link 1; link 2 revokes it.
fn revoked(reason: Reason) -> (World, Vec<Link>) {
    let one = link(&[(1, "alice"), (2, "bob")]);
    let end = Revocation { id: key(1).public().id(), reason, from_index: None };
    let two = Link { keys: link(&[(2, "bob")]).keys, revoked: vec![end], ..next(&one) };
    let mut world = World::with_links(&[one.clone(), two.clone()]);
    world.roots = vec![1, 2];
    world.statement.keyring = KeyringRef::new(1, Sha256::of(one.to_payload()));
    (world, vec![one, two])
}
