//! The disk against the signed list, and the report as a whole.

use super::*;

fn on_disk(change: impl FnOnce(&mut Vec<OnDisk>)) -> Vec<Finding> {
    let mut disk: Vec<OnDisk> = as_disk(&tree());
    change(&mut disk);
    compare_disk("acme/pdf-fill@1.4.2", &tree().resources(), &disk)
}

fn found(path: &str, content: DiskContent) -> OnDisk {
    OnDisk { path: path.into(), content }
}

#[test]
fn an_untouched_disk_has_no_findings() {
    assert_eq!(on_disk(|_| {}), []);
    assert_eq!(on_disk(|disk| disk.reverse()), []);
    assert_eq!(on_disk(|disk| disk.push(found(".skill/origin", DiskContent::Other("symlink")))), []);
}

#[test]
fn each_change_on_disk_has_its_id() {
    let other = DiskContent::Regular { digest: Sha256::of(b"other"), mode: Mode::Regular };
    check(&on_disk(|disk| disk[0].content = other.clone()), &[("SKV001", Failed)]);
    check(&on_disk(|disk| disk[1].content = other.clone()), &[("SKV001", Failed), ("SKV003", Failed)]);
    check(&on_disk(|disk| disk[0].content = DiskContent::Other("symlink")), &[("SKV001", Failed)]);
    check(&on_disk(|disk| disk.push(found("more.md", other.clone()))), &[("SKV002", Failed)]);
    check(&on_disk(|disk| disk.push(found("a/.skill/x", other.clone()))), &[("SKV002", Failed)]);
    check(&on_disk(|disk| disk.push(found("\u{202e}x", DiskContent::Other("socket")))), &[("SKV002", Failed)]);
    check(&on_disk(|disk| drop(disk.pop())), &[("SKV004", Failed)]);
}

#[test]
fn a_skill_that_is_not_there_is_one_finding() {
    check(&on_disk(Vec::clear), &[("SKV004", Missing)]);
    assert_eq!(exit_code(&on_disk(Vec::clear)), 3);
}

#[test]
fn findings_on_disk_are_sorted_by_path() {
    let findings = on_disk(|disk| {
        disk.pop();
        disk.push(found("a.md", DiskContent::Other("socket")));
        disk.push(found("z.md", DiskContent::Other("socket")));
    });
    let paths: Vec<&str> = findings.iter().filter_map(|finding| finding.path.as_deref()).collect();
    assert_eq!(paths, ["a.md", "scripts/fill.py", "z.md"]);
}

#[test]
fn the_worst_finding_decides_the_exit_code() {
    let of = |classes: &[Class]| {
        let findings: Vec<Finding> = classes.iter().map(|class| Finding::new("SKV001", *class, "x", "y")).collect();
        exit_code(&findings)
    };
    assert_eq!(of(&[]), 0);
    assert_eq!(of(&[Note]), 0);
    assert_eq!(of(&[Note, Class::Stale]), 5);
    assert_eq!(of(&[Class::Stale, ByPolicy]), 4);
    assert_eq!(of(&[ByPolicy, Missing]), 3);
    assert_eq!(of(&[Missing, Failed, Note]), 1);
}

#[test]
fn rules_are_sorted_and_each_is_there_once() {
    assert!(RULES.is_sorted_by(|a, b| a.0 < b.0));
}

/// The seed release was made by hand with other people's tools; its keyring is not part of it, so
/// only what it binds can be judged.
#[test]
fn the_seed_release_is_read_as_other_tools_read_it() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/seed");
    #[expect(clippy::disallowed_methods, reason = "vectors are data beside the repository; the room itself reads none")]
    let Ok(bundle) = std::fs::read(format!("{folder}/release.sigstore.json")) else {
        return eprintln!("skipped: ../shared/vectors is absent");
    };
    let world = world();
    let judged = world.judged_with(&bundle, &world.keyring());
    check(judged.findings(), &[("SKV001", Failed)]);
    let statement = judged.statement().expect("it parses");
    assert_eq!((statement.keyring.seq, statement.resources.len()), (3, 2));
    let script: &Resource = &statement.resources[1];
    assert_eq!(script.mode, Mode::Executable);
}
