//! What the statement binds, and the archive that it binds to.

use super::*;

#[test]
fn a_genuine_release_under_another_name_is_refused() {
    refuses(&World::changed(|world| world.asked.1 = name("acme/pdf-view")), &[("SKV001", Failed)]);
}

#[test]
fn a_genuine_release_as_another_version_is_refused() {
    refuses(&World::changed(|world| world.asked.2 = version("1.4.3")), &[("SKV001", Failed)]);
}

#[test]
fn build_metadata_makes_no_other_version() {
    admits(&World::changed(|world| world.statement.version = version("1.4.2+linux")), &[]);
}

#[test]
fn a_release_made_for_another_registry_is_refused() {
    refuses(&World::changed(|world| world.statement.registry = "evil.example".into()), &[("SKV001", Failed)]);
}

#[test]
fn an_added_exec_bit_is_refused() {
    let world = World::changed(|world| {
        let mut files = world.tree.files().to_vec();
        files[0].mode = Mode::Executable;
        world.archive = archive::pack(&Tree::new(files).expect("a tree")).expect("an archive");
        world.statement.archive = Sha256::of(&world.archive);
    });
    refuses(&world, &[("SKV003", Failed)]);
}

#[test]
fn a_mode_changed_in_the_statement_breaks_the_signature() {
    let text = String::from_utf8(world().statement.to_payload()).expect("UTF-8").replace("\"755\"", "\"644\"");
    let mut envelope = world().envelope();
    envelope.payload = text.into_bytes();
    let judged = world().judged_with(bundle::format(&envelope).as_bytes(), &world().keyring());
    check(judged.findings(), &[("SKV011", Failed)]);
}

#[test]
fn a_file_list_that_its_tree_digest_does_not_follow_from_is_refused() {
    let world = World::changed(|world| {
        world.statement.resources.pop();
    });
    refuses(&world, &[("SKV001", Failed)]);
}

#[test]
fn a_signed_archive_with_another_file_list_is_refused() {
    let with = |files: Vec<File>| {
        World::changed(|world| {
            world.archive = archive::pack(&Tree::new(files).expect("a tree")).expect("an archive");
            world.statement.archive = Sha256::of(&world.archive);
        })
    };
    let files = || tree().files().to_vec();
    refuses(&with([files(), vec![file("more.md", Mode::Regular, "")]].concat()), &[("SKV002", Failed)]);
    refuses(&with(files()[..1].to_vec()), &[("SKV004", Failed)]);
    let mut changed = files();
    changed[1].bytes.push(b'!');
    refuses(&with(changed), &[("SKV001", Failed)]);
}

#[test]
fn other_dependencies_in_the_index_are_refused() {
    let world = world();
    let mut entry = entry(&world);
    assert!(!world.judged().against_entry(&entry).is_refused());
    entry.deps = vec![needs("acme/pdf-lib", "^2"), needs("evil/hook", "*")];
    check(world.judged().against_entry(&entry).findings(), &[("SKV001", Failed)]);
    entry.deps = vec![needs("acme/pdf-lib", "^3")];
    check(world.judged().against_entry(&entry).findings(), &[("SKV001", Failed)]);
}

#[test]
fn other_digests_in_the_index_are_refused() {
    let world = world();
    let mut entry = entry(&world);
    entry.cksum = Sha256::of(b"other");
    entry.tree = TreeDigest::of([]);
    entry.statement = Some(Sha256::of(b"other"));
    check(world.judged().against_entry(&entry).findings(), &[("SKV001", Failed); 3]);
    let older = Entry { statement: None, ..self::entry(&world) };
    assert!(!world.judged().against_entry(&older).is_refused());
}

fn entry(world: &World) -> Entry {
    let line = format!(
        r#"{{"v":1,"name":"acme/pdf-fill","vers":"1.4.2","kind":"skill","cksum":"{}","tree":"{}","size":1,"files":2,
            "deps":[{{"name":"acme/pdf-lib","req":"^2"}}],"pub":"2026-11-22T10:00:00Z","statement":"{}"}}"#,
        world.statement.archive,
        world.statement.tree,
        Sha256::of(world.statement.to_payload())
    );
    let entries = crate::entry::parse(line.replace('\n', " ").as_bytes(), &world.asked.1).expect("an entry");
    entries.into_iter().next().expect("one line")
}

#[test]
fn a_lock_with_a_tampered_digest_is_reported() {
    let world = world();
    let statement = &world.statement;
    let lock = |archive: Sha256, tree: TreeDigest| LockedSkill {
        kind: skills::manifest::Kind::Skill,
        name: statement.package.clone(),
        version: statement.version.clone(),
        source: Source::Registry {
            registry: REGISTRY.into(),
            archive,
            statement: Sha256::of(statement.to_payload()),
            keyring: 1,
        },
        tree,
        folder: statement.package.name().clone(),
        dependencies: vec![],
        files: vec![],
    };
    assert!(!world.judged().against_lock(&lock(statement.archive, statement.tree)).is_refused());
    let tampered = lock(Sha256::of(b"other"), TreeDigest::of([]));
    check(world.judged().against_lock(&tampered).findings(), &[("SKV001", Failed); 2]);
}

#[test]
fn the_archive_of_another_release_is_refused_before_it_is_inflated() {
    let world = World::changed(|world| world.archive = b"not even gzip".to_vec());
    refuses(&world, &[("SKV001", Failed)]);
    assert!(world.findings()[0].message.contains("not the signed one"));
}

#[test]
fn a_signed_archive_that_breaks_a_law_is_refused() {
    let world = World::changed(|world| {
        world.archive.push(0);
        world.statement.archive = Sha256::of(&world.archive);
    });
    refuses(&world, &[("SKV001", Failed)]);
    assert!(world.findings()[0].message.contains("archive-"), "{:?}", world.findings());
}

#[test]
fn bad_evidence_and_a_bad_archive_are_both_reported() {
    let world = World::changed(|world| {
        world.signers = vec![9];
        world.archive = vec![];
    });
    refuses(&world, &[("SKV012", Failed), ("SKV001", Failed)]);
}
