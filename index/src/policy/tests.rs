//! The policy of the contract, and every word that must not pass unnoticed.

use super::*;
use skills::key::SigningKey;

fn digest(text: &str) -> Sha256 {
    Sha256::of(text)
}

/// The example of TRUST §8, its ellipses filled in.
fn example() -> String {
    let key = SigningKey::from_seed(&[1; 32]).public();
    format!(
        r#"
version = 1
default = "deny"                          # deny | warn

[registry."skills.example"]
log     = "skills.example/log+5c6a28ac+AYqI"
root    = "{root}"
witness-policy = "witness.policy"         # optional
max-age = {{ online = "24h", offline = "30d" }}

[[namespace]]
match    = "acme/*"
registry = "skills.example"
keyring  = "{acme}"
min-seq  = 3
rotation = "follow"
min-signatures = 1
require  = ["logged"]
no-downgrade = true
min-release-age = "72h"

[namespace.provenance]
issuer = "https://issuer.example"
repository_id = "123"
workflow = ".github/workflows/release.yml"
ref = "refs/tags/v{{version}}"

[deny]
keys = ["{id}"]
trees = ["{tree}"]
skills = ["acme/old@<1.2", "acme/gone"]

[[signer]]
name  = "ci"
key   = "ed25519:{key}"
trust = "ci"
roles = ["evidence"]

[[exception]]
skill = "corp/legacy@0.3.1"
tree = "{tree}"
allow = ["unsigned"]
reason = "INC-412"
expires = 2027-01-31
"#,
        root = digest("root"),
        acme = digest("acme"),
        id = key.id(),
        tree = TreeDigest::of([("SKILL.md", digest("x"))]),
    )
}

fn policy(text: &str) -> Policy {
    Policy::parse(text).expect("a policy")
}

fn name(text: &str) -> PackageName {
    PackageName::parse(text).expect("a name")
}

fn version(text: &str) -> Version {
    Version::parse(text).expect("a version")
}

fn refuses(text: &str, code: &str) -> Refusal {
    let refusal = Policy::parse(text).expect_err(text);
    assert_eq!(refusal.code, code, "{refusal}");
    refusal
}

/// The example with one thing in its text changed.
fn refuses_change(from: &str, to: &str) {
    let changed = example().replacen(from, to, 1);
    assert_ne!(example(), changed, "`{from}` is in the example");
    refuses(&changed, "policy-malformed");
}

/// A policy with these rows: pattern and the seed of its pin.
fn rows(patterns: &[&str]) -> String {
    let row = |pattern: &&str| {
        format!(
            "[[namespace]]\nmatch = \"{pattern}\"\nregistry = \"skills.example\"\nkeyring = \"{}\"\n",
            digest(pattern)
        )
    };
    format!("version = 1\n{}", patterns.iter().map(row).collect::<String>())
}

#[test]
fn the_example_of_the_contract_is_read() {
    let policy = policy(&example());
    assert_eq!(policy.digest(), digest(&example()));
    assert_eq!(policy.default(), Otherwise::Deny);
    let row = policy.namespace(&name("acme/pdf")).expect("acme is pinned");
    assert_eq!((row.keyring, row.min_seq, row.rotation), (digest("acme"), 3, Rotation::Follow));
    assert_eq!(row.min_release_age_seconds, Some(72 * 3600));
    assert_eq!(row.provenance.as_ref().map(|from| from.repository_id.as_str()), Some("123"));
    let registry = policy.registry("skills.example").expect("a registry");
    assert_eq!(registry.max_age_seconds, Some((Some(86_400), Some(30 * 86_400))));
    assert_eq!(policy.exceptions()[0].expires, Some(Date::parse("2027-01-31").expect("a day")));
    assert_eq!(policy.signers()[0].trust, SignerTrust::Ci);
}

#[test]
fn a_key_is_written_as_32_bytes_or_as_spki() {
    let key = SigningKey::from_seed(&[1; 32]).public();
    let raw = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.bytes());
    let policy = policy(&example().replace(&key.to_string(), &raw));
    assert_eq!(policy.signers()[0].key, key);
}

#[test]
fn a_policy_without_rows_denies() {
    assert_eq!(policy("version = 1").default(), Otherwise::Deny);
    assert_eq!(Policy::empty().default(), Otherwise::Deny);
    assert_eq!(Policy::empty().namespace(&name("acme/pdf")), None);
    assert_eq!(policy("version = 1\ndefault = \"warn\"").default(), Otherwise::Warn);
}

#[test]
fn an_unknown_key_is_an_error_wherever_it_stands() {
    refuses("version = 1\ndefualt = \"deny\"", "policy-malformed");
    refuses_change("witness-policy", "witnes-policy");
    refuses_change("online =", "onlin =");
    refuses_change("min-signatures", "min-signature");
    refuses_change("min-seq", "min_seq");
    refuses_change("issuer =", "isuer =");
    refuses_change("trees =", "tree =");
    refuses_change("roles =", "role =");
    refuses_change("expires =", "expire =");
    refuses_change("[[exception]]", "[[exceptions]]");
}

#[test]
fn an_unknown_word_is_an_error_wherever_it_stands() {
    refuses_change("\"deny\" ", "\"allow\" ");
    refuses_change("\"follow\"", "\"folow\"");
    refuses_change("\"logged\"", "\"notarised\"");
    refuses_change("\"unsigned\"", "\"anything\"");
    refuses_change("[\"evidence\"]", "[\"release\"]");
    refuses_change("\"72h\"", "\"72\"");
    refuses_change("\"72h\"", "\"h\"");
    refuses_change("\"72h\"", "\"-1h\"");
    refuses_change("\"72h\"", "\"99999999999999999999w\"");
    refuses_change("2027-01-31", "2027-02-31");
    refuses_change("2027-01-31", "2027-01-31T12:00:00Z");
    refuses_change("2027-01-31", "\"2027-01-31\"");
    refuses_change("acme/old@<1.2", "acme/old@<banana");
    refuses_change("corp/legacy@0.3.1", "corp/legacy");
    refuses_change("corp/legacy@0.3.1", "corp/legacy@^0.3");
    refuses_change("\"INC-412\"", "\" \"");
    refuses_change("[\"unsigned\"]", "[]");
    refuses_change("min-seq  = 3", "min-seq  = 0");
    refuses_change("min-signatures = 1", "min-signatures = 0");
    refuses_change("ed25519:", "rsa:");
    refuses_change("acme/*", "acme*");
    refuses_change("acme/*", "*/pdf");
    refuses_change("keys = [\"", "keys = [\"x");
}

#[test]
fn a_newer_policy_is_told_apart_from_a_misspelt_one() {
    refuses("version = 2\nlater = true", "policy-version");
    refuses("version = 0", "policy-version");
    refuses("", "policy-malformed");
}

#[test]
fn an_error_is_shown_with_its_line() {
    let refusal = refuses("version = 1\n\nwrong = 1", "policy-malformed");
    assert!(refusal.message.contains("line 3") && refusal.message.contains("wrong"), "{refusal}");
}

#[test]
fn the_most_specific_row_wins_wherever_it_stands() {
    for order in [["*", "acme/*", "acme/pdf"], ["acme/pdf", "*", "acme/*"], ["acme/*", "acme/pdf", "*"]] {
        let policy = policy(&rows(&order));
        let pin = |text: &str| policy.namespace(&name(text)).expect("a row").keyring;
        assert_eq!(pin("acme/pdf"), digest("acme/pdf"));
        assert_eq!(pin("acme/other"), digest("acme/*"));
        assert_eq!(pin("corp/pdf"), digest("*"));
    }
    assert_eq!(policy(&rows(&["acme/*"])).namespace(&name("acme2/pdf")), None);
}

#[test]
fn two_rows_about_one_namespace_are_an_error() {
    refuses(&rows(&["acme/*", "acme/*"]), "policy-malformed");
    refuses(&rows(&["acme/*", "@acme/*"]), "policy-malformed");
    let twice = example()
        + example()
            .split_once("[[exception]]")
            .map(|(_, row)| "[[exception]]".to_owned() + row)
            .expect("a row")
            .as_str();
    refuses(&twice, "policy-malformed");
}

#[test]
fn a_denied_range_covers_prereleases_too() {
    let deny = policy(&example()).deny().clone();
    let denies = |skill: &str, number: &str| deny.denies_skill(&name(skill), &version(number));
    assert!(denies("acme/old", "1.1.9") && denies("acme/old", "0.1.0"));
    assert!(denies("acme/old", "1.1.9-rc.1"));
    assert!(!denies("acme/old", "1.2.0") && !denies("acme/older", "1.0.0"));
    assert!(denies("acme/gone", "1.0.0") && denies("acme/gone", "2.0.0-rc.1"));
}

#[test]
fn what_cannot_be_shown_yet_is_listed_and_never_dropped() {
    let policy = policy(&example().replace("[\"logged\"]", "[\"logged\", \"witnessed\", \"provenance\"]"));
    let ids = |list: Vec<(&'static str, &'static str)>| list.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let all = ["SKV020", "SKV022", "SKV040", "SKV040", "SKV041", "SKV042", "SKV022", "SKV030"];
    assert_eq!(ids(policy.unprovable(&name("acme/pdf"), "skills.example")), all);
    assert_eq!(ids(policy.unprovable(&name("corp/pdf"), "skills.example")), ["SKV022", "SKV030"]);
    assert_eq!(ids(policy.unprovable(&name("corp/pdf"), "other.example")), [""; 0]);
}
