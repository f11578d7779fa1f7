//! Published vectors first: what others made, this room judges as they say it should be judged.
//!
//! Each test skips, saying so, where the vectors are not laid beside the repository.

#![expect(clippy::disallowed_methods, reason = "tests may read the corpus and vectors; the room itself may not")]

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha512};
use skills::key::{PublicKey, Signature, SigningKey};
use skills::statement::Statement;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, Sha256, bundle, dsse, sshsig};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");

fn bytes(path: &str) -> Option<Vec<u8>> {
    let path = Path::new(VECTORS).join(path);
    let bytes = fs::read(&path).ok();
    if bytes.is_none() {
        eprintln!("skipped: there is no {}", path.display());
    }
    bytes
}

fn json(path: &str) -> Option<Value> {
    bytes(path).map(|bytes| serde_json::from_slice(&bytes).expect("published JSON"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a text")
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|n| u8::from_str_radix(&text[2 * n..2 * n + 2], 16).expect("hex")).collect()
}

/// The verdict of this room: a key or signature that does not parse is a rejection as well.
fn accepts(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match (PublicKey::from_bytes(key), Signature::from_bytes(signature)) {
        (Ok(key), Ok(signature)) => key.verifies(message, &signature),
        _ => false,
    }
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

#[test]
fn the_914_cases_of_cctv_are_judged_strictly() {
    const REJECTED: [&str; 6] =
        ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue", "reencoded_k"];
    let Some(cases) = json("ed25519/cctv.json") else { return };
    assert_eq!(array(&cases).len(), 914);
    for case in array(&cases) {
        let flags: Vec<&str> =
            case["flags"].as_array().map_or(&[][..], |flags| flags).iter().filter_map(Value::as_str).collect();
        let expected = !flags.iter().any(|flag| REJECTED.contains(flag));
        let seen = accepts(&unhex(text(case, "key")), text(case, "msg").as_bytes(), &unhex(text(case, "sig")));
        assert_eq!(seen, expected, "case {}: {flags:?}", case["number"]);
    }
}

#[test]
fn the_151_cases_of_wycheproof_are_judged_as_each_says() {
    let Some(file) = json("ed25519/wycheproof.json") else { return };
    let (mut all, mut valid) = (0, 0);
    for group in array(&file["testGroups"]) {
        let key = unhex(text(&group["publicKey"], "pk"));
        for case in array(&group["tests"]) {
            let expected = text(case, "result") == "valid";
            let seen = accepts(&key, &unhex(text(case, "msg")), &unhex(text(case, "sig")));
            assert_eq!(seen, expected, "case {}: {}", case["tcId"], text(case, "comment"));
            all += 1;
            valid += usize::from(expected);
        }
    }
    assert_eq!((all, valid), (151, 88));
}

#[test]
fn the_12_cases_of_speccheck_are_judged_strictly() {
    let Some(cases) = json("ed25519/speccheck.json") else { return };
    let verdict = |case: &Value| {
        let part = |key| unhex(text(case, key));
        if accepts(&part("pub_key"), &part("message"), &part("signature")) { 'V' } else { 'X' }
    };
    assert_eq!(array(&cases).iter().map(verdict).collect::<String>(), "XXXVXXXXXXXX");
}

/// The key of `seed/pub.pem`, through its PEM.
fn seed_key() -> Option<PublicKey> {
    let pem = String::from_utf8(bytes("seed/pub.pem")?).expect("PEM");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = PublicKey::parse(&base64).expect("an Ed25519 key");
    assert_eq!(key.pem(), pem, "our PEM is openssl's");
    Some(key)
}

#[test]
fn the_release_made_by_hand_is_understood_and_its_signature_holds() {
    let (Some(key), Some(payload)) = (seed_key(), bytes("seed/statement.json")) else { return };
    let statement = Statement::parse(&payload).expect("a statement");
    assert_eq!(statement.package.to_string(), "acme/pdf-fill");
    assert_eq!(statement.to_payload(), payload, "our writer writes the same bytes");
    let pae = dsse::pae(dsse::IN_TOTO, &payload);
    assert_eq!(Some(&pae), bytes("seed/pae.bin").as_ref());
    let signature = Signature::from_bytes(&bytes("seed/sig.raw").expect("it lies beside")).expect("64 bytes");
    assert!(key.verifies(&pae, &signature));
    assert!(!key.verifies(&payload, &signature), "the payload alone was not signed");
}

#[test]
fn the_bundles_made_by_hand_parse_and_their_signer_is_found() {
    let (Some(key), Some(payload)) = (seed_key(), bytes("seed/statement.json")) else { return };
    for name in ["seed/release.sigstore.json", "seed/release2.sigstore.json"] {
        let envelope = bundle::parse(&bytes(name).expect("it lies beside")).unwrap_or_else(|r| panic!("{name}: {r}"));
        assert_eq!((envelope.payload_type.as_str(), &envelope.payload), (dsse::IN_TOTO, &payload), "{name}");
        assert_eq!(envelope.signers([&key]), [&key], "{name}");
        let other = SigningKey::from_seed(&[9; 32]).public();
        assert!(envelope.signers([&other]).is_empty(), "{name}");
    }
    let second = bundle::parse(&bytes("seed/release2.sigstore.json").expect("it lies beside")).expect("a bundle");
    assert_eq!(second.signatures[0].0, key.id(), "our key ids are those that others compute");
}

#[test]
fn the_tree_made_by_hand_has_the_digest_that_its_statement_says() {
    let Some(payload) = bytes("seed/statement.json") else { return };
    let statement = Statement::parse(&payload).expect("a statement");
    let file = |path: &str, mode| File {
        path: FilePath::parse(path).expect("lawful"),
        mode,
        bytes: bytes(&format!("seed/pdf-fill/{path}")).expect("it lies beside"),
    };
    // The exec bit comes from the statement: a checkout of the vectors may have lost it.
    let files = vec![file("SKILL.md", Mode::Regular), file("scripts/fill.py", Mode::Executable)];
    let tree = Tree::new(files).expect("lawful");
    assert_eq!(tree.digest(), statement.tree);
    assert_eq!(tree.resources(), statement.resources);
    assert_ne!(
        Sha256::of(skills::archive::pack(&tree).expect("small")),
        statement.archive,
        "its archive was packed by tar"
    );
}

/// `ssh-keygen` itself is asked in the tests of the house; here the bytes are taken apart.
#[test]
fn ssh_signatures_have_the_structure_of_those_that_ssh_keygen_makes() {
    let (Some(key), Some(theirs), Some(payload)) =
        (seed_key(), bytes("seed/statement.json.sig"), bytes("seed/statement.json"))
    else {
        return;
    };
    let theirs = unarmor(&String::from_utf8(theirs).expect("text"));
    let own = SigningKey::from_seed(&[7; 32]);
    let namespace = sshsig::namespace("skills.example");
    let ours = unarmor(&sshsig::sign(&own, &namespace, &payload));
    // Same bytes everywhere but in the key and in the signature, which is at the end of both.
    let at = theirs.windows(32).position(|window| window == key.bytes()).expect("the key is inside");
    let end = theirs.len() - 64;
    assert_eq!((ours.len(), &ours[..at], &ours[at + 32..end]), (theirs.len(), &theirs[..at], &theirs[at + 32..end]));
    assert_eq!(&ours[at..at + 32], own.public().bytes());

    let signed = signed_bytes(&namespace, &payload);
    for (key, blob) in [(key, &theirs), (own.public(), &ours)] {
        assert!(key.verifies(&signed, &Signature::from_bytes(&blob[end..]).expect("64 bytes")));
        assert!(
            !key.verifies(&signed_bytes("file", &payload), &Signature::from_bytes(&blob[end..]).expect("64 bytes"))
        );
    }
    let allowed = String::from_utf8(bytes("seed/allowed_signers").expect("it lies beside")).expect("text");
    assert!(allowed.trim_end().ends_with(&sshsig::public_line(&key)), "our line is ssh-keygen's");
}

fn unarmor(text: &str) -> Vec<u8> {
    STANDARD.decode(text.lines().filter(|line| !line.starts_with('-')).collect::<String>()).expect("base64")
}

/// What an SSHSIG covers, written out once more from `PROTOCOL.sshsig`.
fn signed_bytes(namespace: &str, message: &[u8]) -> Vec<u8> {
    let mut out = b"SSHSIG".to_vec();
    for part in [namespace.as_bytes(), b"", b"sha512", &Sha512::digest(message)] {
        out.extend(u32::try_from(part.len()).expect("short").to_be_bytes());
        out.extend(part);
    }
    out
}
