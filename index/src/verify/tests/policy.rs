//! What the policy refuses although the cryptography is fine, and the one thing that it lets in.

use super::*;

#[test]
fn a_name_that_nobody_pinned_is_refused_by_default() {
    refuses(&World::changed(|world| world.policy = "version = 1".into()), &[("SKV012", ByPolicy)]);
    admits(&World::changed(|world| world.policy = "version = 1\ndefault = \"warn\"".into()), &["SKV012"]);
}

#[test]
fn a_warning_does_not_soften_the_cryptography() {
    let world = World::changed(|world| {
        world.policy = "version = 1\ndefault = \"warn\"".into();
        world.signers = vec![9];
    });
    refuses(&world, &[("SKV012", Note), ("SKV012", Failed)]);
}

#[test]
fn a_name_comes_from_one_registry_only() {
    let world = World::changed(|world| {
        world.asked.0 = "other.example".into();
        world.statement.registry = "other.example".into();
    });
    refuses(&world, &[("SKV012", ByPolicy)]);
}

#[test]
fn the_deny_list_wins_over_every_signature() {
    let tree = tree().digest();
    let id = key(1).public().id();
    let denying = |words: &str| World::changed(|world| world.policy += &format!("[deny]\n{words}\n"));
    refuses(&denying("skills = [\"acme/pdf-fill@<1.5\"]"), &[("SKV033", ByPolicy)]);
    refuses(&denying("skills = [\"acme/pdf-fill\"]"), &[("SKV033", ByPolicy)]);
    refuses(&denying(&format!("trees = [\"{tree}\"]")), &[("SKV033", ByPolicy)]);
    refuses(&denying(&format!("keys = [\"{id}\"]")), &[("SKV012", ByPolicy)]);
    admits(&denying("skills = [\"acme/pdf-fill@<1.4\", \"acme/pdf\"]"), &[]);
}

#[test]
fn a_denied_key_refuses_even_beside_another() {
    let id = key(1).public().id();
    let world = World::changed(|world| {
        world.signers = vec![1, 2];
        world.policy += &format!("[deny]\nkeys = [\"{id}\"]\n");
    });
    refuses(&world, &[("SKV012", ByPolicy)]);
}

#[test]
fn a_demand_that_cannot_be_shown_refuses() {
    let demanding = |words: &str| World::changed(|world| world.policy += words);
    refuses(&demanding("require = [\"logged\"]\n"), &[("SKV020", ByPolicy)]);
    refuses(&demanding("require = [\"witnessed\"]\n"), &[("SKV022", ByPolicy)]);
    refuses(&demanding("require = [\"provenance\"]\n"), &[("SKV040", ByPolicy)]);
    refuses(&demanding("no-downgrade = true\n"), &[("SKV041", ByPolicy)]);
    refuses(&demanding("min-release-age = \"72h\"\n"), &[("SKV042", ByPolicy)]);
    let from = "[namespace.provenance]\nissuer = \"https://issuer.example\"\nrepository_id = \"1\"\n";
    refuses(&demanding(from), &[("SKV040", ByPolicy)]);
    let registry = |words: &str| demanding(&format!("[registry.\"{REGISTRY}\"]\n{words}\n"));
    refuses(&registry("witness-policy = \"w\""), &[("SKV022", ByPolicy)]);
    refuses(&registry("max-age = { online = \"24h\" }"), &[("SKV030", ByPolicy)]);
    admits(&registry("log = \"skills.example/log+5c6a28ac+AYqI\""), &["SKV020"]);
}

#[test]
fn all_is_evaluated_and_all_is_reported() {
    let world = World::changed(|world| {
        world.asked.1 = name("acme/pdf-view");
        world.asked.2 = version("9.0.0");
        world.statement.registry = "evil.example".into();
        world.signers = vec![9];
        world.policy += "no-downgrade = true\n[deny]\nskills = [\"acme/pdf-view\"]\n";
    });
    let expected = [
        ("SKV033", ByPolicy),
        ("SKV001", Failed),
        ("SKV001", Failed),
        ("SKV001", Failed),
        ("SKV012", Failed),
        ("SKV041", ByPolicy),
    ];
    refuses(&world, &expected);
    assert_eq!(exit_code(&world.findings()), 1);
}

fn unsigned(world: &World) -> Result<Verified, Vec<Finding>> {
    verify_unsigned(&world.asked.1, &world.asked.2, world.tree.clone(), &world.policy(), day(world.today))
}

fn with_exception(tree: TreeDigest, more: &str) -> World {
    World::changed(|world| {
        world.policy = format!(
            "version = 1\n[[exception]]\nskill = \"acme/pdf-fill@1.4.2\"\ntree = \"{tree}\"\nallow = [\"unsigned\"]\nreason = \"INC-412\"\n{more}"
        );
    })
}

#[test]
fn an_exception_lets_one_content_in_and_says_so() {
    for more in ["", "expires = 2027-01-31\n", "expires = 2026-11-22\n"] {
        let verified = unsigned(&with_exception(tree().digest(), more)).expect("it is let in");
        assert_eq!(
            verified.findings().iter().map(|note| (note.id, note.class)).collect::<Vec<_>>(),
            [("SKV050", Note)]
        );
        assert!(verified.statement().is_none() && verified.payload_digest().is_none());
    }
}

#[test]
fn nothing_unsigned_comes_in_without_an_exception() {
    check(&unsigned(&world()).expect_err("unsigned"), &[("SKV010", ByPolicy)]);
    let warning = World::changed(|world| world.policy = "version = 1\ndefault = \"warn\"".into());
    check(&unsigned(&warning).expect_err("unsigned"), &[("SKV010", ByPolicy)]);
}

#[test]
fn an_exception_that_has_ended_lets_nothing_in() {
    let world = with_exception(tree().digest(), "expires = 2026-11-21\n");
    check(&unsigned(&world).expect_err("ended"), &[("SKV051", ByPolicy)]);
}

#[test]
fn an_exception_for_another_content_or_version_lets_nothing_in() {
    check(&unsigned(&with_exception(TreeDigest::of([]), "")).expect_err("a tree"), &[("SKV010", ByPolicy)]);
    let mut world = with_exception(tree().digest(), "");
    world.asked.2 = version("1.4.3");
    check(&unsigned(&world).expect_err("a version"), &[("SKV010", ByPolicy)]);
}

#[test]
fn the_deny_list_wins_over_an_exception() {
    let world = with_exception(tree().digest(), "[deny]\nskills = [\"acme/pdf-fill\"]\n");
    check(&unsigned(&world).expect_err("denied"), &[("SKV033", ByPolicy), ("SKV050", Note)]);
}

#[test]
fn an_exception_softens_nothing_that_is_signed_badly() {
    let mut world = with_exception(tree().digest(), "");
    world.policy = world.policy.replace("version = 1\n", &pin(&world.links[0]));
    world.signers = vec![9];
    refuses(&world, &[("SKV012", Failed)]);
}
