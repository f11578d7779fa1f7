//! Each attack on a release by name: what is reported, and that nothing else is.

mod binding;
mod disk;
mod keyring;
mod policy;
mod signature;

use skills::dsse::{Envelope, IN_TOTO, KEYRING};
use skills::key::{PublicKey, SigningKey};
use skills::statement::KeyringRef;
use skills::tree::{File, Mode, Resource};
use skills::{FilePath, Requirement, Scope, bundle};

use super::*;
use crate::keyring::{Link, Reason, Revocation, Role, State, format_line};

use Class::{Failed, Missing, Note, Policy as ByPolicy};

const REGISTRY: &str = "skills.example";

/// A release, its keyring and a policy, all in order until a test changes one thing.
#[derive(Clone)]
struct World {
    asked: (String, PackageName, Version),
    tree: Tree,
    archive: Vec<u8>,
    statement: Statement,
    /// The payload, where a test writes it by hand.
    payload: Option<Vec<u8>>,
    payload_type: &'static str,
    signers: Vec<u8>,
    links: Vec<Link>,
    /// The root keys that sign every link.
    roots: Vec<u8>,
    policy: String,
    today: &'static str,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn name(text: &str) -> PackageName {
    PackageName::parse(text).expect("a name")
}

fn version(text: &str) -> Version {
    Version::parse(text).expect("a version")
}

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn file(path: &str, mode: Mode, bytes: &str) -> File {
    File { path: FilePath::parse(path).expect("a path"), mode, bytes: bytes.into() }
}

fn tree() -> Tree {
    Tree::new(vec![
        file("SKILL.md", Mode::Regular, "---\nname: pdf-fill\n---\n"),
        file("scripts/fill.py", Mode::Executable, "print()"),
    ])
    .expect("a tree")
}

fn link(members: &[(u8, &str)]) -> Link {
    let members: Vec<(PublicKey, String)> =
        members.iter().map(|(seed, owner)| (key(*seed).public(), (*owner).to_owned())).collect();
    Link::first(&Scope::parse("acme").expect("a scope"), &members)
}

/// The link after, the same until it is changed.
fn next(link: &Link) -> Link {
    Link { seq: link.seq + 1, prev: Some(Sha256::of(link.to_payload())), ..link.clone() }
}

fn pin(link: &Link) -> String {
    let keyring = Sha256::of(link.to_payload());
    format!("version = 1\n[[namespace]]\nmatch = \"acme/*\"\nregistry = \"{REGISTRY}\"\nkeyring = \"{keyring}\"\n")
}

fn world() -> World {
    let (tree, link) = (tree(), link(&[(1, "alice"), (2, "bob"), (3, "alice")]));
    let archive = archive::pack(&tree).expect("an archive");
    let statement = Statement {
        registry: REGISTRY.into(),
        package: name("acme/pdf-fill"),
        version: version("1.4.2"),
        archive: Sha256::of(&archive),
        tree: tree.digest(),
        keyring: KeyringRef::new(1, Sha256::of(link.to_payload())),
        resources: tree.resources(),
        dependencies: vec![needs("acme/pdf-lib", "^2")],
        source: None,
    };
    World {
        asked: (REGISTRY.into(), name("acme/pdf-fill"), version("1.4.2")),
        tree,
        archive,
        statement,
        payload: None,
        payload_type: IN_TOTO,
        signers: vec![1],
        policy: pin(&link),
        links: vec![link],
        roots: vec![1],
        today: "2026-11-22",
    }
}

fn needs(package: &str, req: &str) -> Dependency {
    Dependency { name: name(package), req: Requirement::parse(req).expect("a requirement") }
}

fn signed(payload_type: &str, payload: Vec<u8>, signers: &[u8]) -> Envelope {
    let mut envelope = Envelope { payload_type: payload_type.to_owned(), payload, signatures: vec![] };
    for seed in signers {
        envelope.signatures.extend(Envelope::sign(payload_type, envelope.payload.clone(), &key(*seed)).signatures);
    }
    envelope
}

impl World {
    fn changed(change: impl FnOnce(&mut Self)) -> Self {
        let mut world = world();
        change(&mut world);
        world
    }

    /// A world whose links are these, the release being signed under the last of them.
    fn with_links(links: &[Link]) -> Self {
        Self::changed(|world| {
            let last = links.last().expect("a link");
            world.statement.keyring = KeyringRef::new(last.seq, Sha256::of(last.to_payload()));
            world.policy = pin(&links[0]);
            world.links = links.to_vec();
        })
    }

    fn envelope(&self) -> Envelope {
        let payload = self.payload.clone().unwrap_or_else(|| self.statement.to_payload());
        signed(self.payload_type, payload, &self.signers)
    }

    fn bundle(&self) -> Vec<u8> {
        bundle::format(&self.envelope()).into_bytes()
    }

    fn keyring(&self) -> Vec<u8> {
        let line = |link: &Link| format_line(&signed(KEYRING, link.to_payload(), &self.roots)) + "\n";
        self.links.iter().map(line).collect::<String>().into_bytes()
    }

    fn policy(&self) -> Policy {
        Policy::parse(&self.policy).expect("a policy")
    }

    fn judged(&self) -> Judged {
        self.judged_with(&self.bundle(), &self.keyring())
    }

    fn judged_with(&self, bundle: &[u8], keyring: &[u8]) -> Judged {
        let asked = Asked { registry: &self.asked.0, package: &self.asked.1, version: &self.asked.2 };
        judge(&asked, &Evidence { bundle, keyring }, &self.policy(), day(self.today))
    }

    /// Everything that verification says, content included.
    fn findings(&self) -> Vec<Finding> {
        match verify_archive(self.judged(), &self.archive) {
            Ok(verified) => verified.findings().to_vec(),
            Err(findings) => findings,
        }
    }
}

/// The release is admitted, with these notes.
fn admits(world: &World, notes: &[&str]) {
    let verified = verify_archive(world.judged(), &world.archive).expect("it is admitted");
    assert_eq!(verified.findings().iter().map(|note| note.id).collect::<Vec<_>>(), notes);
    assert_eq!(verified.payload_digest(), Some(Sha256::of(&world.envelope().payload)));
    assert_eq!(verified.into_tree(), world.tree);
}

/// Exactly these findings, and the exit code that follows.
fn refuses(world: &World, expected: &[(&str, Class)]) {
    check(&world.findings(), expected);
}

fn check(findings: &[Finding], expected: &[(&str, Class)]) {
    let seen: Vec<(&str, Class)> = findings.iter().map(|finding| (finding.id, finding.class)).collect();
    assert_eq!(seen, expected, "{findings:#?}");
    assert!(findings.iter().all(|finding| RULES.iter().any(|(id, ..)| *id == finding.id)), "every id is a rule");
    assert_ne!(exit_code(findings), 0, "{findings:#?}");
}

#[test]
fn what_was_signed_properly_is_admitted() {
    admits(&world(), &[]);
    let judged = world().judged();
    assert_eq!(judged.signers(), [Signer { id: key(1).public().id(), owner: "alice".into() }]);
    assert_eq!(judged.keyring_root(), Some(Sha256::of(world().links[0].to_payload())));
}

/// The property behind the table: files, owners, thresholds, lengths of chains, all mixed.
#[test]
fn whatever_was_signed_properly_verifies() {
    for round in 0u32..64 {
        let owners = 1 + (round % 4) as u8;
        let mut one = link(
            &(1..=owners)
                .map(|seed| (seed, ["alice", "bob", "carol", "dave"][usize::from(seed) - 1]))
                .collect::<Vec<_>>(),
        );
        one.threshold.release = 1 + (round / 4) % u32::from(owners);
        one.threshold.root = 1 + (round / 7) % u32::from(owners);
        let mut links = vec![one];
        for _ in 0..round % 5 {
            links.push(next(links.last().expect("a link")));
        }
        let mut world = World::with_links(&links);
        world.signers = (1..=owners).collect();
        world.roots = (1..=owners).collect();
        let files =
            (0..round % 9).map(|n| file(&format!("f{n}"), Mode::from_executable(n % 2 == 0), &"x".repeat(n as usize)));
        world.tree = Tree::new(files.chain([file("SKILL.md", Mode::Regular, "")]).collect()).expect("a tree");
        world.archive = archive::pack(&world.tree).expect("an archive");
        world.statement.archive = Sha256::of(&world.archive);
        world.statement.tree = world.tree.digest();
        world.statement.resources = world.tree.resources();
        admits(&world, &[]);
    }
}

/// Not a promise but a figure: `cargo test --release -p index -- figures --nocapture`.
#[test]
fn figures_of_judging_400_releases() {
    let world = world();
    let (bundle, keyring, policy) = (world.bundle(), world.keyring(), world.policy());
    let asked = Asked { registry: &world.asked.0, package: &world.asked.1, version: &world.asked.2 };
    let chain = Chain::parse(&keyring, world.asked.1.scope());
    #[expect(clippy::disallowed_methods, reason = "a figure needs a clock; the room itself has none")]
    let clock = std::time::Instant::now();
    for _ in 0..400 {
        assert!(!judge_with(&asked, &bundle, chain.as_ref(), &policy, day(world.today)).is_refused());
    }
    eprintln!("400 releases judged, one signature and three keys each: {:?}", clock.elapsed());
}
