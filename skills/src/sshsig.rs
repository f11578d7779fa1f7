//! SSHSIG: the same key and the same bytes, in the form that `ssh-keygen -Y verify` accepts.
//!
//! For people who check with the tools that they already have (openssh `PROTOCOL.sshsig`). The
//! namespace is `skill-release@<registry>`, so the signature is good for nothing else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha512};

use crate::key::{PublicKey, SigningKey};

const KEY_TYPE: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";

/// The namespace that release signatures of a registry carry.
pub fn namespace(registry: &str) -> String {
    format!("skill-release@{registry}")
}

/// The line of an `authorized_keys` or `allowed_signers` file: `ssh-ed25519 AAAA…`.
pub fn public_line(key: &PublicKey) -> String {
    format!("ssh-ed25519 {}", STANDARD.encode(public_blob(key)))
}

/// Signs a message and armours the signature.
pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> String {
    let signature = key.sign(&signed_bytes(namespace, message));
    let signature_blob = [string(KEY_TYPE), string(signature.bytes())].concat();
    let blob = [
        b"SSHSIG".to_vec(),
        1u32.to_be_bytes().to_vec(),
        string(&public_blob(&key.public())),
        string(namespace.as_bytes()),
        string(b""),
        string(HASH),
        string(&signature_blob),
    ]
    .concat();
    armor(&STANDARD.encode(blob))
}

fn signed_bytes(namespace: &str, message: &[u8]) -> Vec<u8> {
    [b"SSHSIG".to_vec(), string(namespace.as_bytes()), string(b""), string(HASH), string(&Sha512::digest(message))]
        .concat()
}

fn public_blob(key: &PublicKey) -> Vec<u8> {
    [string(KEY_TYPE), string(key.bytes())].concat()
}

/// An SSH string (RFC 4251 §5): 32-bit big-endian length, then the bytes.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("only short fields are encoded");
    [&length.to_be_bytes()[..], bytes].concat()
}

/// 70 characters a line, as `ssh-keygen` writes it.
fn armor(base64: &str) -> String {
    let mut text = String::from("-----BEGIN SSH SIGNATURE-----\n");
    let mut rest = base64;
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(70));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text + "-----END SSH SIGNATURE-----\n"
}
