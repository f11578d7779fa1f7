//! Releases packed and signed ahead, so that nothing but the registry is left to measure.

use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName};
use tests::publisher::{Publisher, Release};

use crate::input::{Skill, manifest};
use crate::wire;

/// Bundle and archive of one release.
pub(crate) struct Sealed {
    /// What the statement says.
    pub release: Release,
    /// The signed bundle.
    pub bundle: Vec<u8>,
}

impl Sealed {
    /// Packs and signs a skill.
    pub(crate) fn of(publisher: &Publisher, scope: &str, skill: &Skill) -> Self {
        let file = |path: &str, bytes: &[u8]| File {
            path: FilePath::parse(path).expect("a lawful path"),
            mode: Mode::Regular,
            bytes: bytes.to_vec(),
        };
        let mut files: Vec<File> = skill.files.iter().map(|(path, bytes)| file(path, bytes)).collect();
        files.push(file("skill.toml", manifest(scope, &skill.name).as_bytes()));
        let package = PackageName::parse(&format!("{scope}/{}", skill.name)).expect("a lawful name");
        let tree = Tree::new(files).expect("a lawful tree");
        let release = publisher.release_tree(package, "1.0.0", &tree, Vec::new());
        let bundle = publisher.sign(&release);
        Self { release, bundle }
    }

    /// How many bytes a registry has to keep.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.release.archive.len(), self.bundle.len())
    }
}

/// One request that publishes all of these.
pub(crate) fn request(publisher: &Publisher, sealed: &[Sealed]) -> Vec<u8> {
    let pairs: Vec<_> = sealed.iter().map(|one| (one.bundle.clone(), one.release.archive.clone())).collect();
    wire::publish(&publisher.token, &pairs)
}
