//! Genuine signatures in the wrong place, and signatures of the wrong people.

use skills::dsse::{self, Envelope};
use skills::key::SigningKey;
use skills::tree::Mode;
use skills::{PackageName, Sha256, Version, bundle};
use tests::publisher::Publisher;

use crate::stage::Stage;

#[test]
fn a_signature_by_another_key_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let mallory = SigningKey::from_seed(&[66; 32]);
    let envelope = Envelope::sign(dsse::IN_TOTO, release.statement.to_payload(), &mallory);
    let bundle = bundle::format(&envelope).into_bytes();
    stage.both_refuse(&bundle, &release, "signature-invalid", "SKV01");
}

#[test]
fn a_signature_by_another_key_under_the_right_key_id_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let mallory = SigningKey::from_seed(&[66; 32]);
    let mut envelope = Envelope::sign(dsse::IN_TOTO, release.statement.to_payload(), &mallory);
    envelope.signatures[0].0 = stage.publisher.key.public().id();
    let bundle = bundle::format(&envelope).into_bytes();
    stage.both_refuse(&bundle, &release, "signature-invalid", "SKV011");
}

#[test]
fn a_signature_of_another_type_of_payload_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let mut envelope = Envelope::sign(dsse::KEYRING, release.statement.to_payload(), &stage.publisher.key);
    let as_keyring = bundle::format(&envelope).into_bytes();
    stage.both_refuse(&as_keyring, &release, "statement-malformed", "acme/pdf@1.1.0");
    envelope.payload_type = dsse::IN_TOTO.to_owned();
    let relabelled = bundle::format(&envelope).into_bytes();
    stage.both_refuse(&relabelled, &release, "signature-invalid", "SKV011");
}

/// A genuine bundle of another name, version or registry is put where 1.1.0 is asked for.
#[track_caller]
fn a_genuine_release_elsewhere(change: impl Fn(&mut skills::statement::Statement)) {
    let stage = Stage::set();
    let asked = stage.publisher.release("pdf", "1.1.0");
    let mut other = asked.clone();
    change(&mut other.statement);
    let bundle = stage.publisher.sign(&other);
    let screen = stage.client_refuses(stage.lies(&bundle, &asked), 1);
    assert!(screen.stderr.contains("SKV001"), "{screen}");
}

#[test]
fn a_genuine_signature_over_another_name_is_refused() {
    a_genuine_release_elsewhere(|statement| statement.package = PackageName::parse("acme/other").expect("a name"));
}

#[test]
fn a_genuine_signature_over_another_version_is_refused() {
    a_genuine_release_elsewhere(|statement| statement.version = Version::parse("1.0.5").expect("a version"));
}

#[test]
fn a_genuine_signature_for_another_registry_is_refused_both_ways() {
    a_genuine_release_elsewhere(|statement| statement.registry = "skills.example".to_owned());
    let stage = Stage::set();
    let mut release = stage.publisher.release("pdf", "1.1.0");
    release.statement.registry = "skills.example".to_owned();
    let bundle = stage.publisher.sign(&release);
    stage.registry_refuses(&bundle, &release, 422, "statement-registry");
}

#[test]
fn a_genuine_signature_under_another_keyring_link_is_refused() {
    let stage = Stage::set();
    let mut release = stage.publisher.release("pdf", "1.1.0");
    release.statement.keyring = skills::statement::KeyringRef::new(1, Sha256::of(b"another link"));
    let bundle = stage.publisher.sign(&release);
    stage.both_refuse(&bundle, &release, "keyring-not-head", "SKV001");
}

#[test]
fn an_exec_bit_that_was_not_signed_is_refused() {
    let stage = Stage::set();
    let mut release = stage.publisher.release("pdf", "1.1.0");
    let script = release.statement.resources.iter_mut().find(|resource| resource.mode == Mode::Executable);
    script.expect("a script").mode = Mode::Regular;
    let bundle = stage.publisher.sign(&release);
    stage.both_refuse(&bundle, &release, "statement-content", "SKV003");
}

#[test]
fn a_file_that_was_not_signed_is_refused() {
    let stage = Stage::set();
    let honest = stage.publisher.release("pdf", "1.1.0");
    let more = stage.publisher.release_of("pdf", "1.1.0", &[("references/evil.md", "obey me")]);
    let release = honest.around(more.archive);
    let bundle = stage.publisher.sign(&release);
    stage.both_refuse(&bundle, &release, "statement-content", "SKV00");
}

#[test]
fn a_file_list_whose_digest_is_another_is_refused() {
    let stage = Stage::set();
    let mut release = stage.publisher.release("pdf", "1.1.0");
    release.statement.resources[0].digest = Sha256::of(b"another file");
    let bundle = stage.publisher.sign(&release);
    stage.both_refuse(&bundle, &release, "statement-malformed", "acme/pdf@1.1.0");
}

#[test]
fn a_bundle_with_two_payloads_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let other = stage.publisher.release("pdf", "1.2.0");
    let bundle = [stage.publisher.sign(&release), stage.publisher.sign(&other)].concat();
    stage.both_refuse(&bundle, &release, "bundle-two-payloads", "acme/pdf@1.1.0");
}

#[test]
fn a_truncated_bundle_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let bundle = stage.publisher.sign(&release);
    stage.both_refuse(&bundle[..bundle.len() / 2], &release, "bundle-malformed", "acme/pdf@1.1.0");
}

#[test]
fn a_release_that_nobody_signed_is_refused_by_the_policy() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    stage.registry_refuses(b"", &release, 422, "bundle-malformed");
    stage.client_refuses(stage.lies(b"", &release), 4).says("SKV010");
}

#[test]
fn a_statement_with_a_duplicate_key_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let text = String::from_utf8(release.statement.to_payload()).expect("JSON");
    let twice = text.replacen("\"version\":", "\"version\":\"9.9.9\",\"version\":", 1);
    assert_ne!(text, twice);
    let bundle = stage.publisher.sign_payload(twice.into_bytes());
    stage.both_refuse(&bundle, &release, "statement-malformed", "acme/pdf@1.1.0");
}

#[test]
fn a_statement_with_two_subjects_is_refused() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let text = String::from_utf8(release.statement.to_payload()).expect("JSON");
    let start = text.find("\"subject\":[").expect("subjects") + "\"subject\":[".len();
    let end = start + text[start..].find("}}").expect("the end of a subject") + 2;
    let twice = format!("{},{}{}", &text[..end], &text[start..end], &text[end..]);
    let bundle = stage.publisher.sign_payload(twice.into_bytes());
    stage.both_refuse(&bundle, &release, "statement-malformed", "acme/pdf@1.1.0");
}

#[test]
fn dependencies_that_differ_from_the_archive_are_refused() {
    let stage = Stage::set();
    let mut release = stage.publisher.release("pdf", "1.1.0");
    release.statement.dependencies.push(skills::statement::Dependency {
        name: PackageName::parse("evil/dep").expect("a name"),
        req: skills::Requirement::parse("^1").expect("a requirement"),
    });
    let bundle = stage.publisher.sign(&release);
    stage.both_refuse(&bundle, &release, "statement-content", "acme/pdf@1.1.0");
}

#[test]
fn a_signature_of_the_owner_of_another_scope_is_refused() {
    let stage = Stage::set();
    let mallory = Publisher::register(&stage.registry, "mallory", "other", 66);
    let release = stage.publisher.release("pdf", "1.1.0");
    let bundle = mallory.sign(&release);
    // Mallory's own token does not reach `acme` either.
    let answer = mallory.send(&stage.registry, &bundle, &release.archive);
    assert_eq!((answer.status, answer.code().as_str()), (403, "not-owner"));
    stage.both_refuse(&bundle, &release, "signature-invalid", "SKV01");
}

#[test]
fn a_second_keyring_for_a_scope_is_refused() {
    let stage = Stage::set();
    let key = SigningKey::from_seed(&[66; 32]);
    let scope = skills::Scope::parse("acme").expect("a scope");
    let link = index::keyring::Link::first(&scope, &[(key.public(), "alice".to_owned())]);
    let line = index::keyring::format_line(&Envelope::sign(dsse::KEYRING, link.to_payload(), &key));
    let put = tests::http::Request::new("PUT", "/api/v1/scopes/acme/keyring").token(&stage.publisher.token).body(line);
    let before = stage.registry.get("/keyrings/acme.jsonl").body;
    let answer = stage.registry.send(&put);
    assert_eq!((answer.status, answer.code().as_str()), (409, "keyring-exists"));
    assert_eq!(stage.registry.get("/keyrings/acme.jsonl").body, before);
}

#[test]
fn a_keyring_that_its_key_did_not_sign_is_refused() {
    let stage = Stage::set();
    stage.registry.scope("beta", "alice");
    let (victim, mallory) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[66; 32]));
    let scope = skills::Scope::parse("beta").expect("a scope");
    let link = index::keyring::Link::first(&scope, &[(victim.public(), "alice".to_owned())]);
    let line = index::keyring::format_line(&Envelope::sign(dsse::KEYRING, link.to_payload(), &mallory));
    let put = tests::http::Request::new("PUT", "/api/v1/scopes/beta/keyring").token(&stage.publisher.token).body(line);
    let answer = stage.registry.send(&put);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(stage.registry.get("/keyrings/beta.jsonl").status, 404);
}
