//! The bundle, and who signed it.

use super::*;

#[test]
fn a_signature_by_another_key_is_refused() {
    refuses(&World::changed(|world| world.signers = vec![9]), &[("SKV012", Failed)]);
}

#[test]
fn a_signature_by_another_key_in_the_name_of_a_member_is_refused() {
    let mut envelope = signed(IN_TOTO, world().statement.to_payload(), &[9]);
    envelope.signatures[0].0 = key(1).public().id();
    let judged = world().judged_with(bundle::format(&envelope).as_bytes(), &world().keyring());
    check(judged.findings(), &[("SKV011", Failed)]);
}

#[test]
fn a_signature_over_other_bytes_is_refused() {
    let mut envelope = world().envelope();
    let mut other = world().statement;
    other.dependencies.clear();
    envelope.payload = other.to_payload();
    let judged = world().judged_with(bundle::format(&envelope).as_bytes(), &world().keyring());
    check(judged.findings(), &[("SKV011", Failed)]);
}

#[test]
fn key_ids_decide_nothing() {
    let mut envelope = world().envelope();
    envelope.signatures[0].0 = key(9).public().id();
    let judged = world().judged_with(bundle::format(&envelope).as_bytes(), &world().keyring());
    assert!(!judged.is_refused(), "{:?}", judged.findings());
}

#[test]
fn a_signature_by_a_key_that_may_not_release_is_refused() {
    let mut link = link(&[(1, "alice"), (2, "bob")]);
    link.keys[1].roles = vec![Role::Root];
    let mut world = World::with_links(&[link]);
    world.signers = vec![2];
    refuses(&world, &[("SKV012", Failed)]);
}

#[test]
fn fewer_owners_than_the_keyring_demands_are_refused() {
    let mut link = link(&[(1, "alice"), (2, "bob"), (3, "alice")]);
    link.threshold.release = 2;
    let mut world = World::with_links(&[link]);
    refuses(&world, &[("SKV014", Failed)]);
    world.signers = vec![1, 3];
    refuses(&world, &[("SKV014", Failed)]);
    world.signers = vec![1, 1, 1];
    refuses(&world, &[("SKV014", Failed)]);
    world.signers = vec![3, 2];
    admits(&world, &[]);
}

#[test]
fn fewer_owners_than_the_policy_demands_are_refused() {
    let mut world = World::changed(|world| world.policy += "min-signatures = 2\n");
    refuses(&world, &[("SKV014", Failed)]);
    world.signers = vec![1, 2];
    admits(&world, &[]);
}

#[test]
fn a_strangers_signature_beside_the_right_one_changes_nothing() {
    admits(&World::changed(|world| world.signers = vec![9, 1]), &[]);
}

#[test]
fn a_keyring_link_is_no_release() {
    let world = World::changed(|world| {
        world.payload_type = KEYRING;
        world.payload = Some(world.links[0].to_payload());
    });
    refuses(&world, &[("SKV011", Failed)]);
}

#[test]
fn a_bundle_with_two_payloads_is_refused() {
    let mut other = world();
    other.statement.dependencies.clear();
    let two = [world().bundle(), other.bundle()].concat();
    check(world().judged_with(&two, &world().keyring()).findings(), &[("SKV011", Failed)]);
}

#[test]
fn a_truncated_bundle_is_one_finding() {
    let bundle = world().bundle();
    check(world().judged_with(&bundle[..bundle.len() / 2], &world().keyring()).findings(), &[("SKV011", Failed)]);
}

#[test]
fn a_stripped_signature_is_unsigned() {
    check(world().judged_with(b"", &world().keyring()).findings(), &[("SKV010", ByPolicy)]);
    check(world().judged_with(b"\n", &world().keyring()).findings(), &[("SKV010", ByPolicy)]);
}
