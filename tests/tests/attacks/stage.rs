//! The stage: an honest `acme/pdf` 1.0.0, installed by Bob; then somebody plays 1.1.0.

use tests::mirror::{Lie, Lies, Mirror};
use tests::publisher::{Publisher, Release, forge_entry};
use tests::{Person, Registry, Screen, World};

/// A registry, the owner of `acme`, and Bob who has 1.0.0.
pub(crate) struct Stage {
    pub(crate) registry: Registry,
    pub(crate) publisher: Publisher,
    pub(crate) bob: Person,
    pub(crate) world: World,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let world = World::new();
        let registry = world.registry();
        let publisher = Publisher::register(&registry, "alice", "acme", 7);
        let answer = publisher.publish(&registry, &publisher.release("pdf", "1.0.0"));
        assert_eq!(answer.status, 201, "{}", answer.text());
        let bob = world.person("bob", &registry).within("repo");
        bob.skill(&["init", "--agent", "claude-code"]).ok();
        bob.skill(&["add", "acme/pdf@^1", "--trust"]).ok();
        Self { registry, publisher, bob, world }
    }

    /// The registry refuses these bytes with this code, and keeps nothing of them.
    #[track_caller]
    pub(crate) fn registry_refuses(&self, bundle: &[u8], release: &Release, status: u16, code: &str) {
        let before = self.registry.get("/index/acme/pdf").body;
        let answer = self.publisher.send(&self.registry, bundle, &release.archive);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        self.registry_kept_nothing(&before, release);
    }

    #[track_caller]
    pub(crate) fn registry_kept_nothing(&self, before: &[u8], release: &Release) {
        assert_eq!(self.registry.get("/index/acme/pdf").body, before, "the index changed");
        assert_eq!(self.registry.get(&release.bundle_path()).status, 404, "the bundle is served");
        assert_eq!(self.registry.get(&release.archive_path()).status, 404, "the archive is served");
        self.registry.check().ok().keeps_quiet_about("orphan");
    }

    /// The lies of a mirror that has this release although the registry refused it.
    pub(crate) fn lies(&self, bundle: &[u8], release: &Release) -> Lies {
        let genuine = self.registry.get(&release.index_path()).text();
        Lies::from([
            (release.index_path(), Lie::Bytes(forge_entry(&genuine, release, bundle).into_bytes())),
            (release.bundle_path(), Lie::Bytes(bundle.to_vec())),
            (release.archive_path(), Lie::Bytes(release.archive.clone())),
        ])
    }

    /// Bob updates through a mirror that tells these lies: refused with this exit code, and the disk is
    /// as it was.
    #[track_caller]
    pub(crate) fn client_refuses(&self, lies: Lies, exit: i32) -> Screen {
        let mirror = Mirror::of(self.registry.url(), lies);
        let bob = self.bob.at(mirror.url());
        // What an earlier lie left in the cache must not answer this one.
        bob.skill(&["cache", "clean"]).ok();
        let before = bob.snapshot();
        let screen = bob.skill(&["update"]).exits(exit);
        bob.snapshot().is_unchanged_from(&before);
        bob.skill(&["verify", "--offline"]).ok();
        screen
    }

    /// Both: the upload is refused with this code, the download with exit 1 and these words.
    #[track_caller]
    pub(crate) fn both_refuse(&self, bundle: &[u8], release: &Release, code: &str, words: &str) {
        self.registry_refuses(bundle, release, 422, code);
        self.client_refuses(self.lies(bundle, release), 1).says(words);
    }
}

#[test]
fn an_honest_release_passes_the_very_same_stage() {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    let bundle = stage.publisher.sign(&release);
    let mirror = Mirror::of(stage.registry.url(), stage.lies(&bundle, &release));
    stage.bob.at(mirror.url()).skill(&["update"]).ok().says("1.0.0 -> 1.1.0");
    assert!(mirror.asked().contains(&release.archive_path()), "it came from the mirror");
    assert_eq!(stage.publisher.publish(&stage.registry, &release).status, 201);
}
