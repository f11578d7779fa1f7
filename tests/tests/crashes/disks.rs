//! Full disks: a small one is mounted where we are root; elsewhere the tests say that they cannot.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use tests::publisher::Publisher;
use tests::{Registry, Shop, World};

/// A small disk in memory; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&at);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        tests::tools::skip("no small disk can be mounted here: that takes root");
        None
    }

    /// Fills it up, but for about so many bytes.
    fn fill(&self, leave: u64) -> PathBuf {
        let path = self.0.join("filler");
        let mut filler = std::fs::File::create(&path).expect("a file");
        for chunk in [1 << 20, 64 << 10, 4 << 10, 1] {
            let zeros = vec![0; chunk];
            while filler.write_all(&zeros).is_ok() {}
        }
        let length = filler.metadata().expect("a file").len();
        filler.set_len(length.saturating_sub(leave)).expect("it shrinks");
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_registry_on_a_full_disk_refuses_keeps_what_it_has_and_recovers() {
    let world = World::new();
    let Some(disk) = Disk::mount(world.path("disk"), "16m") else { return };
    let registry = Registry::start(disk.0.join("data"), None);
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    let first = publisher.release("pdf", "1.0.0");
    assert_eq!(publisher.publish(&registry, &first).status, 201);
    let filler = disk.fill(0);
    let noise: String = (0..2_000_u32).map(|n| skills::Sha256::of(n.to_le_bytes()).hex()).collect();
    let second = publisher.release_of("pdf", "1.1.0", &[("references/noise.txt", &noise)]);
    let answer = publisher.publish(&registry, &second);
    assert!(matches!(answer.status, 503 | 507), "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    // Reading goes on, whole.
    assert_eq!(registry.get(&first.archive_path()).body, first.archive);
    assert!(!registry.get("/index/acme/pdf").text().contains("1.1.0"));
    assert_eq!(registry.get(&second.archive_path()).status, 404);
    std::fs::remove_file(filler).expect("removed");
    assert_eq!(publisher.publish(&registry, &second).status, 201, "{}", registry.log());
    registry.check().ok();
    drop(registry);
}

#[test]
fn an_install_on_a_full_disk_leaves_the_old_state_and_the_next_one_succeeds() {
    let shop = Shop::with_pdf();
    let Some(disk) = Disk::mount(shop.world.path("small"), "4m") else { return };
    let bob = shop.bob.within(&disk.0);
    bob.skill(&["add", "acme/pdf", "--trust"]).ok();
    let noise: String = (0..8_000_u32).map(|n| skills::Sha256::of(n.to_le_bytes()).hex()).collect();
    let folder = tests::files::package(&shop.alice.work, "acme/pdf", "1.1.0", "");
    tests::write(folder.join("references/noise.txt"), noise);
    shop.alice.skill(&["publish", "pdf"]).ok();
    for leave in [0, 20_000, 200_000, 400_000] {
        let filler = disk.fill(leave);
        let before = bob.snapshot();
        bob.skill(&["update"]).exits(3).says("space");
        bob.snapshot().is_unchanged_from(&before);
        bob.skill(&["verify", "--offline"]).ok();
        std::fs::remove_file(filler).expect("removed");
    }
    bob.skill(&["update"]).ok();
    bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn a_cache_on_a_full_disk_does_not_stop_an_install() {
    let shop = Shop::with_pdf();
    let Some(disk) = Disk::mount(shop.world.path("cache-disk"), "1m") else { return };
    let _filler = disk.fill(0);
    let bob = shop.bob.with("SKILL_HOME", &disk.0.to_string_lossy());
    let screen = bob.skill(&["add", "acme/pdf", "--trust"]);
    // Either it goes without a cache, or it says what is full; never half of it.
    assert!(matches!(screen.exit, 0 | 3), "{screen}");
    assert_eq!(bob.work.join(".agents/skills/pdf/SKILL.md").exists(), screen.exit == 0, "{screen}");
}
