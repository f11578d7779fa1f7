//! The publisher's keys, as files (TRUST.md §10).
//!
//! ```text
//! config/keys/NAME.pem   the secret key: PKCS#8 PEM, mode 0600, encrypted with PBES2 (scrypt, AES-256)
//! config/keys/NAME.pub   the public key: PEM, so that `list` and `show` need no passphrase
//! ```
//!
//! Both are what `openssl pkey` reads. The secret half is PKCS#8 *version 1*: version 2 also holds
//! the public key, and OpenSSL refuses it. scrypt's cost is the largest that OpenSSL's default
//! memory limit (32 MiB) accepts. The public file is only a convenience: once the secret key is
//! open, the two must agree, or someone wants us to believe that we sign with another key.

use std::fs;
use std::path::{Path, PathBuf};

use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use skills::dsse::{self, Envelope};
use skills::key::{PublicKey, Signature, SigningKey};
use zeroize::Zeroizing;

use crate::failure::{Failure, OnPath};
use crate::home::Home;
use crate::passphrase::Passphrase;
use crate::private;

/// scrypt N = 2^14, r = 8, p = 1: 16 MiB, half of what OpenSSL allows by default.
const SCRYPT_LOG_N: u8 = 14;

/// Longest name of a key, in bytes: it becomes a file name.
const KEY_NAME_BYTES_MAX: usize = 64;

/// What precedes the 32 secret bytes in the PKCS#8 version 1 of an Ed25519 key (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// PEM label of an encrypted key.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// PEM label of a key without passphrase.
const PLAIN: &str = "PRIVATE KEY";

/// The folder that keys are kept in.
#[derive(Debug, Clone)]
pub struct KeyFolder(PathBuf);

/// A key file, not opened yet.
#[derive(Debug, Clone)]
pub struct KeyFile {
    /// Its name in the folder, or the path it was given by.
    pub name: String,
    /// The PEM with the secret key.
    pub path: PathBuf,
    /// The public half, where a `.pub` file beside it says so.
    pub public: Option<PublicKey>,
}

/// Who signs. An ssh-agent and an external program (`exec:…`) take their place here later: they
/// answer the same question, 64 bytes for a message.
#[derive(Debug)]
pub enum Signer {
    /// A key in our memory, read from a file.
    File(SigningKey),
}

impl Signer {
    /// The public half.
    pub fn public(&self) -> PublicKey {
        match self {
            Self::File(key) => key.public(),
        }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, Failure> {
        match self {
            Self::File(key) => Ok(key.sign(message)),
        }
    }

    /// Signs a payload as DSSE; the payload's bytes are kept as they are.
    pub fn envelope(&self, payload_type: &str, payload: Vec<u8>) -> Result<Envelope, Failure> {
        let signature = self.sign(&dsse::pae(payload_type, &payload))?;
        let signatures = vec![(self.public().id(), signature)];
        Ok(Envelope { payload_type: payload_type.to_owned(), payload, signatures })
    }

    /// Signs a message in the form that `ssh-keygen -Y verify` accepts.
    pub fn sshsig(&self, namespace: &str, message: &[u8]) -> String {
        match self {
            Self::File(key) => skills::sshsig::sign(key, namespace, message),
        }
    }
}

impl KeyFolder {
    /// The folder of the person whose home this is.
    pub fn of(home: &Home) -> Self {
        Self(home.config.join("keys"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Every key, sorted by name. A folder that is not there holds none.
    pub fn list(&self) -> Result<Vec<KeyFile>, Failure> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.on("read", &self.0)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let file_name = entry.on("read", &self.0)?.file_name();
            let name = file_name.to_str().and_then(|name| name.strip_suffix(".pem"));
            names.extend(name.filter(|name| check_name(name).is_ok()).map(str::to_owned));
        }
        names.sort();
        names.iter().map(|name| self.named(name)).collect()
    }

    /// The key to use: the one asked for by name or path, else the only one, else `default`.
    pub fn choose(&self, wanted: Option<&str>) -> Result<KeyFile, Failure> {
        match wanted {
            Some(path) if path.contains(['/', '\\']) || path.ends_with(".pem") => KeyFile::at(Path::new(path)),
            Some(name) => self.existing(name),
            None => self.default_key(),
        }
    }

    fn existing(&self, name: &str) -> Result<KeyFile, Failure> {
        check_name(name)?;
        let key = self.named(name)?;
        if key.path.exists() {
            return Ok(key);
        }
        let missing = format!("there is no key `{name}` in `{}`; {}", self.0.display(), present(&self.list()?));
        Err(Failure::could_not("key-missing", missing)
            .hint(format!("run `skill key generate --name {name}`, or `skill key list`")))
    }

    fn default_key(&self) -> Result<KeyFile, Failure> {
        let mut keys = self.list()?;
        if keys.is_empty() {
            let missing = format!("there is no signing key in `{}`", self.0.display());
            return Err(Failure::could_not("key-missing", missing).hint("run `skill key generate`"));
        }
        if keys.len() == 1 {
            return Ok(keys.remove(0));
        }
        let named_default = keys.iter().position(|key| key.name == "default");
        named_default.map(|at| keys.remove(at)).ok_or_else(|| {
            Failure::usage("key-ambiguous", format!("which key? {}", present(&keys))).hint("name one with `--key NAME`")
        })
    }

    /// The file of this name, whether or not it is there.
    fn named(&self, name: &str) -> Result<KeyFile, Failure> {
        let public = read_public(&self.0.join(format!("{name}.pub")))?;
        Ok(KeyFile { name: name.to_owned(), path: self.0.join(format!("{name}.pem")), public })
    }

    /// Refuses a name that is taken or cannot be a file, before anybody is asked for a passphrase.
    pub fn check_free(&self, name: &str) -> Result<(), Failure> {
        check_name(name)?;
        if self.named(name)?.path.exists() {
            return Err(Failure::could_not(
                "key-exists",
                format!("there is a key `{name}` already, and a key is never overwritten"),
            )
            .hint("choose another name with `--name`"));
        }
        Ok(())
    }

    /// Makes a new key and writes it, encrypted where there is a passphrase.
    pub fn generate(&self, name: &str, passphrase: Option<&Passphrase>) -> Result<KeyFile, Failure> {
        self.check_free(name)?;
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(seed.as_mut())?;
        let key = SigningKey::from_seed(&seed);
        let path = self.0.join(format!("{name}.pem"));
        private::write_new(&path, encode(&key, passphrase)?.as_bytes())?;
        let public = key.public();
        // The secret is safe on disk: a lost `.pub` is only an inconvenience, so it comes second.
        private::replace(&self.0.join(format!("{name}.pub")), public.pem().as_bytes())?;
        Ok(KeyFile { name: name.to_owned(), path, public: Some(public) })
    }
}

impl KeyFile {
    /// A key outside the folder, by its path; `X.pub` beside `X.pem` is looked at, and optional.
    fn at(path: &Path) -> Result<Self, Failure> {
        if !path.exists() {
            return Err(Failure::could_not("key-missing", format!("there is no key file `{}`", path.display())));
        }
        let public = read_public(&path.with_extension("pub"))?;
        Ok(Self { name: path.display().to_string(), path: path.to_owned(), public })
    }

    /// Whether the file needs a passphrase to be opened.
    pub fn is_encrypted(&self) -> Result<bool, Failure> {
        let pem = self.read()?;
        Ok(pem.contains(ENCRYPTED))
    }

    /// Opens the key. `passphrase` is asked only where the file is encrypted.
    pub fn unlock(&self, passphrase: impl FnOnce() -> Result<Passphrase, Failure>) -> Result<Signer, Failure> {
        let pem = self.read()?;
        let key = decode(&pem, passphrase).map_err(|failure| failure.at(format_args!("key `{}`", self.name)))?;
        match self.public {
            Some(public) if public != key.public() => Err(Failure::could_not(
                "key-mismatch",
                format!(
                    "`{}.pub` holds key {}, and the secret key is that of {}",
                    self.name,
                    public.id(),
                    key.public().id()
                ),
            )
            .hint("one of the two files was replaced; find out which before you sign anything")),
            _ => Ok(Signer::File(key)),
        }
    }

    fn read(&self) -> Result<Zeroizing<String>, Failure> {
        let bytes = private::read(&self.path)?.ok_or_else(|| {
            Failure::could_not("key-missing", format!("there is no key file `{}`", self.path.display()))
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed("it is not text").at(self.path.display()))?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

fn present(keys: &[KeyFile]) -> String {
    let names: Vec<String> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    if names.is_empty() { "it holds no keys".to_owned() } else { format!("there are {}", names.join(", ")) }
}

/// A key's name is a file name on every platform.
fn check_name(name: &str) -> Result<(), Failure> {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let starts_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if starts_well && name.len() <= KEY_NAME_BYTES_MAX && name.bytes().all(lawful) {
        return Ok(());
    }
    let seen = format!(
        "`{}` is not the name of a key: expected 1 to {KEY_NAME_BYTES_MAX} letters, digits, `-`, `_`, `.`",
        name.escape_debug()
    );
    Err(Failure::usage("key-name", seen))
}

fn read_public(path: &Path) -> Result<Option<PublicKey>, Failure> {
    let pem = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        pem => pem.on("read", path)?,
    };
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
    PublicKey::parse(&body).map(Some).map_err(|refusal| Failure::from(refusal).at(path.display()))
}

fn encode(key: &SigningKey, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>, Failure> {
    let der = Zeroizing::new([&PKCS8_PREFIX[..], key.seed()].concat());
    let info = PrivateKeyInfoRef::try_from(der.as_slice()).expect("the prefix of RFC 8410 and 32 bytes are PKCS#8");
    let (label, document) = match passphrase {
        Some(passphrase) => (ENCRYPTED, info.encrypt_with_params(encryption()?, passphrase.as_bytes())),
        None => (PLAIN, SecretDocument::try_from(info)),
    };
    let document = document.map_err(|_| Failure::could_not("key-encode", "the key could not be encoded"))?;
    Ok(document.to_pem(label, LineEnding::LF).expect("a short document has a PEM form"))
}

fn encryption() -> Result<pbes2::Parameters, Failure> {
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    fill_random(&mut salt)?;
    fill_random(&mut iv)?;
    let cost = scrypt::Params::new(SCRYPT_LOG_N, 8, 1).expect("2^14, 8, 1 are lawful scrypt parameters");
    Ok(pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).expect("16 bytes of salt are lawful"))
}

fn fill_random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes)
        .map_err(|error| Failure::could_not("random", format!("the system gives no random bytes: {error}")))
}

fn decode(pem: &str, passphrase: impl FnOnce() -> Result<Passphrase, Failure>) -> Result<SigningKey, Failure> {
    let (label, document) = SecretDocument::from_pem(pem).map_err(|_| malformed("it is not PEM"))?;
    match label {
        PLAIN => decode_info(document.as_bytes()),
        ENCRYPTED => {
            let info =
                EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| malformed("it is not PKCS#8"))?;
            let passphrase = passphrase()?;
            let opened = info.decrypt(passphrase.as_bytes()).map_err(|_| wrong_passphrase())?;
            decode_info(opened.as_bytes()).map_err(|_| wrong_passphrase())
        }
        other => {
            Err(malformed(&format!("its label is `{}`, expected `{ENCRYPTED}` or `{PLAIN}`", other.escape_debug())))
        }
    }
}

fn decode_info(der: &[u8]) -> Result<SigningKey, Failure> {
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| malformed("it is not PKCS#8"))?;
    let key = ed25519_dalek::SigningKey::try_from(info).map_err(|_| malformed("it is not an Ed25519 key"))?;
    Ok(SigningKey::from_seed(key.as_bytes()))
}

/// CBC has no authentication, so a wrong passphrase and a damaged file look the same.
fn wrong_passphrase() -> Failure {
    Failure::could_not("passphrase-wrong", "the passphrase does not open it, or the file is damaged")
}

fn malformed(why: &str) -> Failure {
    Failure::usage("key-file-malformed", format!("not a key that can be used: {why}"))
        .hint("expected PKCS#8 PEM with an Ed25519 key, as `skill key generate` or `openssl genpkey -algorithm ed25519` write")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn folder() -> (tempfile::TempDir, KeyFolder) {
        let home = tempfile::tempdir().expect("a folder");
        let keys = KeyFolder(home.path().join("keys"));
        (home, keys)
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(Zeroizing::new(text.to_owned())).expect("a passphrase")
    }

    fn never() -> Result<Passphrase, Failure> {
        panic!("a key without passphrase asked for one")
    }

    /// What `openssl` says about a key file; `None` where there is no `openssl`, which CI must have.
    fn openssl(arguments: &[&str]) -> Option<String> {
        match Command::new("openssl").args(arguments).stdin(Stdio::null()).output() {
            Ok(output) => {
                assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
                Some(String::from_utf8(output.stdout).expect("PEM is text"))
            }
            Err(error) if std::env::var_os("CI").is_none() => {
                eprintln!("skipped: no openssl here ({error})");
                None
            }
            Err(error) => panic!("CI has no openssl: {error}"),
        }
    }

    #[test]
    fn openssl_reads_the_encrypted_key_and_finds_the_same_public_key() {
        let (_home, keys) = folder();
        let key = keys.generate("default", Some(&passphrase("correct horse"))).expect("a key");
        let path = key.path.to_str().expect("a plain path");
        if let Some(pem) = openssl(&["pkey", "-in", path, "-passin", "pass:correct horse", "-pubout"]) {
            assert_eq!(pem, key.public.expect("public").pem());
        }
    }

    #[test]
    fn openssl_reads_the_plain_key_and_we_read_what_openssl_made() {
        let (home, keys) = folder();
        let key = keys.generate("plain", None).expect("a key");
        if let Some(pem) = openssl(&["pkey", "-in", key.path.to_str().expect("a plain path"), "-pubout"]) {
            assert_eq!(pem, key.public.expect("public").pem());
        }
        let theirs = home.path().join("theirs.pem");
        let made = ["genpkey", "-algorithm", "ed25519", "-aes-256-cbc", "-pass", "pass:theirs", "-out"];
        if openssl(&[&made[..], &[theirs.to_str().expect("a plain path")]].concat()).is_some() {
            let text = fs::read(&theirs).expect("openssl wrote it");
            private::replace(&theirs, &text).expect("the mode is ours");
            let chosen = keys.choose(Some(theirs.to_str().expect("a plain path"))).expect("a path is a choice");
            chosen.unlock(|| Ok(passphrase("theirs"))).expect("PBKDF2 of openssl is read too");
        }
    }

    #[test]
    fn what_was_generated_unlocks_with_its_passphrase_only() {
        let (_home, keys) = folder();
        let key = keys.generate("k", Some(&passphrase("one"))).expect("a key");
        assert!(key.is_encrypted().expect("readable"));
        let signer = key.unlock(|| Ok(passphrase("one"))).expect("the right passphrase");
        assert_eq!(Some(signer.public()), key.public);
        assert_eq!(key.unlock(|| Ok(passphrase("two"))).expect_err("another one").code, "passphrase-wrong");
        let plain = keys.generate("p", None).expect("a key");
        assert_eq!(plain.unlock(never).expect("nothing to ask").public(), plain.public.expect("public"));
    }

    #[test]
    fn a_key_is_never_overwritten_and_its_name_is_no_path() {
        let (_home, keys) = folder();
        keys.generate("k", None).expect("a key");
        assert_eq!(keys.generate("k", None).expect_err("the second").code, "key-exists");
        for name in ["", "..", "a/b", "-k", ".hidden", "naïve", &"k".repeat(65)] {
            assert_eq!(keys.generate(name, None).expect_err(name).code, "key-name");
        }
    }

    #[test]
    fn the_only_key_is_the_default_and_of_several_the_one_called_so() {
        let (_home, keys) = folder();
        let chosen = |wanted: Option<&str>| keys.choose(wanted).map(|key| key.name).map_err(|failure| failure.code);
        assert_eq!(chosen(None), Err("key-missing".to_owned()));
        keys.generate("work", None).expect("a key");
        assert_eq!(chosen(None), Ok("work".to_owned()));
        keys.generate("home", None).expect("a key");
        assert_eq!(chosen(None), Err("key-ambiguous".to_owned()));
        keys.generate("default", None).expect("a key");
        assert_eq!(chosen(None), Ok("default".to_owned()));
        assert_eq!(chosen(Some("home")), Ok("home".to_owned()));
        assert_eq!(chosen(Some("nobody")), Err("key-missing".to_owned()));
    }

    #[test]
    fn a_swapped_public_file_is_noticed_before_anything_is_signed() {
        let (_home, keys) = folder();
        keys.generate("mine", None).expect("a key");
        let other = keys.generate("other", None).expect("a key");
        fs::write(keys.path().join("mine.pub"), other.public.expect("public").pem()).expect("swapped");
        let mine = keys.choose(Some("mine")).expect("it is there");
        assert_eq!(mine.unlock(never).expect_err("they disagree").code, "key-mismatch");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_home, keys) = folder();
        let key = keys.generate("k", None).expect("a key");
        fs::set_permissions(&key.path, fs::Permissions::from_mode(0o644)).expect("chmod");
        assert_eq!(key.unlock(never).expect_err("too open").code, "permissions-too-open");
    }

    #[test]
    fn nothing_prints_a_secret() {
        let (_home, keys) = folder();
        let signer = keys.generate("k", None).expect("a key").unlock(never).expect("open");
        let Signer::File(key) = &signer;
        let seed: String = key.seed().iter().map(|byte| format!("{byte}, ")).collect();
        assert!(!format!("{signer:?}").contains(&seed[..20]));
        assert!(!format!("{:?}", passphrase("hunter2")).contains("hunter2"));
    }
}
