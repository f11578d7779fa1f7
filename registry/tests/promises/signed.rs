//! What a publisher makes: trees, statements, bundles, first links.

use index::keyring::{Link, format_line};
use skills::dsse::{Envelope, IN_TOTO, KEYRING};
use skills::key::SigningKey;
use skills::statement::{KeyringRef, Statement};
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName, Scope, Sha256, Version, archive, bundle};

/// The registry's name in the tests.
pub(crate) const REGISTRY: &str = "skills.example";

/// A secret key, by number.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32])
}

/// The first link of a scope, signed by its only key.
pub(crate) fn link(scope: &str, number: u8) -> (Link, Envelope) {
    let scope = Scope::parse(scope).expect("a scope");
    let link = Link::first(&scope, &[(key(number).public(), "ann".to_owned())]);
    let envelope = Envelope::sign(KEYRING, link.to_payload(), &key(number));
    (link, envelope)
}

/// The body that registers it.
pub(crate) fn link_body(scope: &str, number: u8) -> String {
    format_line(&link(scope, number).1)
}

/// A release in the making: everything about it can be bent before it is sealed.
#[derive(Clone)]
pub(crate) struct Making {
    /// The files.
    pub(crate) tree: Tree,
    /// What will be signed.
    pub(crate) statement: Statement,
    /// The archive that goes with it.
    pub(crate) archive: Vec<u8>,
    /// Who signs.
    pub(crate) keys: Vec<u8>,
}

/// A bundle and an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The bundle.
    pub(crate) bundle: Vec<u8>,
    /// The archive.
    pub(crate) archive: Vec<u8>,
}

/// A tree of these files.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let file = |(path, text): &(&str, &str)| File {
        path: FilePath::parse(path).expect("a path"),
        mode: Mode::Regular,
        bytes: text.as_bytes().to_vec(),
    };
    Tree::new(files.iter().map(file).collect()).expect("lawful")
}

/// An honest release of `acme/NAME`-like packages, signed by key 7 under link 1 of its scope.
pub(crate) fn making(name: &str, version: &str, body: &str) -> Making {
    let package = PackageName::parse(name).expect("a name");
    let skill = package.name();
    let text =
        format!("---\nname: {skill}\ndescription: Greets people by name. Use when somebody arrives.\n---\n\n{body}\n");
    making_of(name, version, tree(&[("SKILL.md", &text)]))
}

/// The same, of a given tree.
pub(crate) fn making_of(name: &str, version: &str, tree: Tree) -> Making {
    let package = PackageName::parse(name).expect("a name");
    let archive = archive::pack(&tree).expect("packs");
    let link = link(package.scope().as_str(), 7).0;
    let statement = Statement {
        registry: REGISTRY.to_owned(),
        version: Version::parse(version).expect("a version"),
        archive: Sha256::of(&archive),
        tree: tree.digest(),
        keyring: KeyringRef::new(1, Sha256::of(link.to_payload())),
        resources: tree.resources(),
        dependencies: Vec::new(),
        source: None,
        package,
    };
    Making { tree, statement, archive, keys: vec![7] }
}

impl Making {
    /// Signs the statement as it is now.
    pub(crate) fn seal(&self) -> Pair {
        let payload = self.statement.to_payload();
        let mut envelope = Envelope::sign(IN_TOTO, payload.clone(), &key(self.keys[0]));
        for number in &self.keys[1..] {
            envelope.signatures.extend(Envelope::sign(IN_TOTO, payload.clone(), &key(*number)).signatures);
        }
        Pair { bundle: bundle::format(&envelope).into_bytes(), archive: self.archive.clone() }
    }
}

/// An honest release, sealed.
pub(crate) fn release(name: &str, version: &str) -> Pair {
    making(name, version, &format!("Say hello, from {version}.")).seal()
}
