//! The passphrase of a key: from a file descriptor, the environment, or the person.
//!
//! Never from an argument: other users of the machine see arguments. Which source is used is
//! decided by what is there, in this order: `--passphrase-fd`, `SKILL_KEY_PASSPHRASE`, the
//! terminal. Without any of the three the answer is a refusal, never an empty passphrase.

use std::io::Read;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::failure::{Failure, OnPath};
use crate::ui::Ui;

/// Environment variable that holds a passphrase.
pub const VARIABLE: &str = "SKILL_KEY_PASSPHRASE";

/// Longest passphrase in bytes; a stream that goes on is something else.
const PASSPHRASE_BYTES_MAX: u64 = 4096;

/// A passphrase, zeroed when dropped and shown by nothing.
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl Passphrase {
    /// Takes a text that is not empty.
    pub fn new(text: Zeroizing<String>) -> Result<Self, Failure> {
        if text.is_empty() {
            return Err(Failure::usage("passphrase-empty", "the passphrase is empty")
                .hint("`skill key generate --no-passphrase` makes a key without one"));
        }
        Ok(Self(text))
    }

    /// The bytes that the cipher's key is made from.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Where a passphrase comes from, as a command is told.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PassphraseFlags {
    /// Read the key's passphrase from this file descriptor
    #[arg(long, value_name = "N")]
    pub passphrase_fd: Option<u32>,
}

impl PassphraseFlags {
    /// The passphrase that opens the key `name`.
    pub fn existing(&self, ui: &Ui, name: &str) -> Result<Passphrase, Failure> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => prompt(ui, &format!("Passphrase of key `{name}`: ")),
        }
    }

    /// A passphrase for a new key: a person types it twice.
    pub fn chosen(&self, ui: &Ui) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.given()? {
            return Ok(passphrase);
        }
        let first = prompt(ui, "Passphrase for the new key: ")?;
        let second = prompt(ui, "The same again: ")?;
        if first.as_bytes() != second.as_bytes() {
            return Err(Failure::usage("passphrase-differs", "the two passphrases differ; no key was made"));
        }
        Ok(first)
    }

    fn given(&self) -> Result<Option<Passphrase>, Failure> {
        if let Some(descriptor) = self.passphrase_fd {
            return read_descriptor(descriptor).map(Some);
        }
        match std::env::var(VARIABLE) {
            Ok(text) => Passphrase::new(Zeroizing::new(text)).map(Some),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::usage("passphrase-malformed", format!("{VARIABLE} is not UTF-8")))
            }
        }
    }
}

/// The first line of a descriptor, opened through its path: that needs no unsafe code.
fn read_descriptor(descriptor: u32) -> Result<Passphrase, Failure> {
    let path = PathBuf::from(format!("/dev/fd/{descriptor}"));
    let file = std::fs::File::open(&path).on("read the passphrase from", &path)?;
    let mut text = Zeroizing::new(String::with_capacity(PASSPHRASE_BYTES_MAX as usize + 1));
    file.take(PASSPHRASE_BYTES_MAX).read_to_string(&mut text).on("read the passphrase from", &path)?;
    let line = text.lines().next().unwrap_or_default();
    Passphrase::new(Zeroizing::new(line.to_owned()))
}

fn prompt(ui: &Ui, question: &str) -> Result<Passphrase, Failure> {
    if !ui.interactive() {
        return Err(Failure::could_not(
            "passphrase-missing",
            "the key needs a passphrase, and there is no terminal to ask for it on",
        )
        .hint(format!("set {VARIABLE}, or give `--passphrase-fd N`")));
    }
    let typed = rpassword::prompt_password(question).map_err(|error| {
        Failure::could_not("passphrase-missing", format!("the passphrase could not be read: {error}"))
    })?;
    Passphrase::new(Zeroizing::new(typed))
}
