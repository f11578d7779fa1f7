//! What can be wrong with the other files: secrets, scripts that will not start, our own folder.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Finding, Level};
use crate::tree::{File, Mode, Tree};

/// Shortest secret key in DER, in bytes: Ed25519 in PKCS #8. What is shorter is an example.
const KEY_BYTES_MIN: usize = 48;

/// All findings about files other than the two that describe the package.
pub(super) fn findings(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(of_file).collect()
}

fn of_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = file.path.as_str();
    if path.starts_with(".skill/") {
        let message = "`.skill/` is where the installer keeps its own files".to_owned();
        findings.push(finding("S056", Level::Error, file, message, "remove the folder from the package"));
    }
    if holds_secret_key(&file.bytes) {
        let message = "the file holds a private key, and a published version can never be taken back".to_owned();
        findings.push(finding(
            "S050",
            Level::Error,
            file,
            message,
            "remove it, and replace the key wherever it is used",
        ));
    } else if is_named_like_a_secret(path) {
        let message = "files of this name usually hold secrets".to_owned();
        findings.push(finding("S051", Level::Warning, file, message, "leave it out, or rename it to `….example`"));
    }
    if has_shebang(&file.bytes) {
        if first_line(&file.bytes).ends_with(b"\r") {
            let message =
                "the script has CRLF line ends, so Unix looks for an interpreter with a CR in its name".to_owned();
            findings.push(finding("S052", Level::Warning, file, message, "save it with LF line ends"));
        }
        if file.mode == Mode::Regular {
            let message = "the script has a shebang and no exec bit".to_owned();
            findings.push(finding(
                "S053",
                Level::Warning,
                file,
                message,
                "`chmod +x` it if it is to be started by name",
            ));
        }
    }
    findings
}

fn finding(code: &'static str, level: Level, file: &File, message: String, hint: &str) -> Finding {
    Finding {
        code,
        level,
        file: file.path.to_string(),
        line: None,
        message,
        hint: Some(hint.to_owned()),
        fixable: false,
    }
}

/// Whether a file starts with `#!` and a path. (`#![…]` begins a Rust file.)
pub(crate) fn has_shebang(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"#!").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"/"))
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes.split(|&b| b == b'\n').next().unwrap_or_default()
}

/// Whether there is a PEM block of a private key with real key bytes in it. Documentation shows
/// such blocks with dots inside; those decode to nothing.
fn holds_secret_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.match_indices("PRIVATE KEY-----").any(|(at, marker)| {
        let (before, after) = (&text[..at], &text[at + marker.len()..]);
        let is_begin = before.rsplit('\n').next().is_some_and(|line| line.contains("-----BEGIN "));
        is_begin && after.split_once("-----END ").is_some_and(|(body, _)| is_key_body(body))
    })
}

fn is_key_body(body: &str) -> bool {
    // Old formats put `Proc-Type: …` lines before the bytes; sources escape line ends as `\n`.
    let body = body.replace("\\n", "\n");
    let lines = body.lines().map(|line| line.trim().trim_matches(['"', '\'', '+', ',', ' ']));
    let base64: String = lines.filter(|line| !line.contains(':')).collect();
    STANDARD.decode(base64).is_ok_and(|der| der.len() >= KEY_BYTES_MIN)
}

fn is_named_like_a_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let is_example = ["example", "sample", "template", "dist"].iter().any(|word| name.contains(word));
    let is_secret = matches!(
        name.as_str(),
        ".env"
            | ".netrc"
            | ".pgpass"
            | ".pypirc"
            | ".git-credentials"
            | "id_rsa"
            | "id_dsa"
            | "id_ecdsa"
            | "id_ed25519"
    ) || name.starts_with(".env.")
        || [".p12", ".pfx", ".keystore", ".jks", ".kdbx"].iter().any(|ending| name.ends_with(ending));
    is_secret && !is_example
}
