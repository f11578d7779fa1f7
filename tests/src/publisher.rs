//! A publisher whose key is in the test's own hands: it signs what `skill publish` would never sign.

use std::path::Path;

use index::keyring::{Link, format_line};
use skills::dsse::{self, Envelope};
use skills::key::SigningKey;
use skills::statement::{Dependency, KeyringRef, Statement};
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName, Scope, Sha256, Version, archive, bundle};

use crate::files::{skill_md, skill_toml};
use crate::http::{Answer, Request};
use crate::world::Registry;

/// Owner of a scope, with a key registered for it.
pub struct Publisher {
    /// The token that submits.
    pub token: String,
    /// The key that signs.
    pub key: SigningKey,
    scope: Scope,
    keyring: KeyringRef,
}

/// What one upload consists of; every part may be changed before it is signed or sent.
#[derive(Clone)]
pub struct Release {
    /// What is signed.
    pub statement: Statement,
    /// What is sent beside it.
    pub archive: Vec<u8>,
}

impl Publisher {
    /// Creates the user and the scope, and registers a key made from `seed`.
    pub fn register(registry: &Registry, user: &str, scope: &str, seed: u8) -> Self {
        let token = registry.user(user);
        registry.scope(scope, user);
        Self::with_token(registry, token, user, scope, seed)
    }

    /// Registers a key for a scope that is there.
    pub fn with_token(registry: &Registry, token: String, user: &str, scope: &str, seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        let scope = Scope::parse(scope).expect("a scope");
        let payload = Link::first(&scope, &[(key.public(), user.to_owned())]).to_payload();
        let keyring = KeyringRef::new(1, Sha256::of(&payload));
        let line = format_line(&Envelope::sign(dsse::KEYRING, payload, &key));
        let put = Request::new("PUT", format!("/api/v1/scopes/{scope}/keyring"));
        let answer = registry.send(&put.token(&token).header("content-type", "application/json").body(line));
        assert_eq!(answer.status, 201, "{}", answer.text());
        Self { token, key, scope, keyring }
    }

    /// An honest release of `scope/NAME`: a `SKILL.md`, a `skill.toml`, a script.
    pub fn release(&self, name: &str, version: &str) -> Release {
        self.release_of(name, version, &[])
    }

    /// An honest release with more files.
    pub fn release_of(&self, name: &str, version: &str, more: &[(&str, &str)]) -> Release {
        let package = PackageName::parse(&format!("{}/{name}", self.scope)).expect("a name");
        let file = |path: &str, mode, text: String| File {
            path: FilePath::parse(path).expect("a lawful path"),
            mode,
            bytes: text.into_bytes(),
        };
        let mut files = vec![
            file("SKILL.md", Mode::Regular, skill_md(name, &format!("Version {version}."))),
            file("skill.toml", Mode::Regular, skill_toml(&package.to_string(), version, "")),
            file("scripts/run.sh", Mode::Executable, "#!/bin/sh\necho run\n".to_owned()),
        ];
        files.extend(more.iter().map(|(path, text)| file(path, Mode::Regular, (*text).to_owned())));
        self.release_tree(package, version, &Tree::new(files).expect("a lawful tree"), Vec::new())
    }

    /// An honest release of this tree.
    pub fn release_tree(&self, package: PackageName, version: &str, tree: &Tree, deps: Vec<Dependency>) -> Release {
        let archive = archive::pack(tree).expect("it packs");
        let statement = Statement {
            registry: "localhost".to_owned(),
            package,
            version: Version::parse(version).expect("a version"),
            archive: Sha256::of(&archive),
            tree: tree.digest(),
            keyring: self.keyring.clone(),
            resources: tree.resources(),
            dependencies: deps,
            source: None,
        };
        Release { statement, archive }
    }

    /// Signs a release as it is.
    pub fn sign(&self, release: &Release) -> Vec<u8> {
        self.sign_payload(release.statement.to_payload())
    }

    /// Signs any bytes as if they were a statement.
    pub fn sign_payload(&self, payload: Vec<u8>) -> Vec<u8> {
        bundle::format(&Envelope::sign(dsse::IN_TOTO, payload, &self.key)).into_bytes()
    }

    /// Sends bundle and archive.
    #[track_caller]
    pub fn send(&self, registry: &Registry, bundle: &[u8], archive: &[u8]) -> Answer {
        registry.send(&self.request(&[(bundle, archive)]))
    }

    /// The request that sends these pairs.
    pub fn request(&self, pairs: &[(&[u8], &[u8])]) -> Request {
        let parts: Vec<(&str, &[u8])> =
            pairs.iter().flat_map(|(bundle, archive)| [("bundle", *bundle), ("archive", *archive)]).collect();
        Request::new("POST", "/api/v1/publish").token(&self.token).parts(&parts)
    }

    /// Signs and sends.
    #[track_caller]
    pub fn publish(&self, registry: &Registry, release: &Release) -> Answer {
        self.send(registry, &self.sign(release), &release.archive)
    }
}

impl Release {
    /// The same release with another archive, which its statement names.
    #[must_use]
    pub fn around(mut self, archive: Vec<u8>) -> Self {
        self.statement.archive = Sha256::of(&archive);
        self.archive = archive;
        self
    }

    /// The path of its archive at a registry.
    pub fn archive_path(&self) -> String {
        index::urls::archive(&self.statement.archive)
    }

    /// The path of its bundle at a registry.
    pub fn bundle_path(&self) -> String {
        index::urls::bundle(&self.statement.package, &self.statement.version)
    }

    /// The path of its index file at a registry.
    pub fn index_path(&self) -> String {
        index::urls::index(&self.statement.package)
    }
}

/// The index line of another release, made from a genuine one: what a lying mirror would write. It agrees with
/// the bundle beside it, whatever that holds.
pub fn forge_entry(genuine: &str, release: &Release, bundle: &[u8]) -> String {
    let payload = bundle::parse(bundle).map_or_else(|_| release.statement.to_payload(), |envelope| envelope.payload);
    let statement = &release.statement;
    let mut line: serde_json::Value = serde_json::from_str(genuine.lines().last().expect("a line")).expect("JSON");
    line["vers"] = statement.version.to_string().into();
    line["cksum"] = statement.archive.to_string().into();
    line["tree"] = statement.tree.to_string().into();
    line["size"] = release.archive.len().into();
    line["files"] = statement.resources.len().into();
    line["statement"] = Sha256::of(payload).to_string().into();
    format!("{}{line}\n", if genuine.ends_with('\n') { genuine.to_owned() } else { format!("{genuine}\n") })
}

/// Reads a package's folder into an archive as `skill pack` would, for comparing.
pub fn read_bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
