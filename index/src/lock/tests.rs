//! What a lock may be, and every way in which a stranger's lock may not.

use super::*;

fn name(text: &str) -> PackageName {
    PackageName::parse(text).expect("a name")
}

fn skill(text: &str) -> LockedSkill {
    let name = name(text);
    LockedSkill {
        version: Version::parse("1.4.2+linux").expect("a version"),
        kind: Kind::Skill,
        source: Source::Registry {
            registry: "skills.example".into(),
            archive: Sha256::of(text),
            statement: Sha256::of(b"statement"),
            keyring: 3,
        },
        tree: TreeDigest::of([("SKILL.md", Sha256::of(text))]),
        folder: name.name().clone(),
        dependencies: vec![PackageName::parse("acme/zeta").expect("a name")],
        files: ["SKILL.md", "scripts/naïve 'x'.py"].map(|path| FilePath::parse(path).expect("a path")).into(),
        name,
    }
}

fn written(path: &str, link: LinkKind) -> Written {
    let folder = path.rsplit('/').next().expect("a last part");
    Written { folder: SkillName::parse(folder).expect("a name"), agent: "claude-code".into(), path: path.into(), link }
}

fn lock() -> Lock {
    let mut renamed = skill("acme/beta");
    renamed.folder = SkillName::parse("other").expect("a name");
    let path = Source::Path { path: "./tools \"quoted\" \\ back".into() };
    let local =
        LockedSkill { kind: Kind::Check, source: path, dependencies: vec![], files: vec![], ..skill("acme/local") };
    Lock {
        skills: vec![skill("acme/alpha"), renamed, local],
        written: vec![
            written(".claude/skills/alpha", LinkKind::Symlink),
            written("~/.factory/skills/other", LinkKind::Copy),
        ],
        entries: vec![entry("/permissions/ask", "mcp__pg__cancel"), entry("/permissions/deny", "Bash(rm \"x\" *)")],
        approved: vec![Approved {
            package: name("acme/tools"),
            digest: Sha256::of(b"archive"),
            grant: "mcp:pg:query".into(),
            by: "Ada".into(),
        }],
    }
}

fn entry(at: &str, item: &str) -> Entry {
    Entry {
        client: "claude-code".into(),
        path: FilePath::parse(".claude/settings.json").expect("a path"),
        at: at.into(),
        item: Some(item.into()),
        sha256: Sha256::of(item),
        owners: vec![name("acme/tools"), name("beta/tools")],
        preexisting: false,
        created: true,
        made: vec!["".into(), "/permissions".into(), at.into()],
    }
}

fn refuses(text: &str, code: &str) -> Refusal {
    let refusal = Lock::parse(text).expect_err(code);
    assert_eq!(refusal.code, code, "{refusal}");
    refusal
}

/// The lock with one thing in its text changed.
fn refuses_change(from: &str, to: &str, code: &str) {
    let text = lock().format();
    let changed = text.replacen(from, to, 1);
    assert_ne!(text, changed, "`{from}` is in the lock");
    refuses(&changed, code);
}

#[test]
fn what_is_formatted_parses_back() {
    assert_eq!(Lock::parse(&lock().format()), Ok(lock()));
    assert_eq!(Lock::parse(&Lock::default().format()), Ok(Lock::default()));
}

#[test]
fn only_what_is_no_skill_says_its_kind() {
    let kinds: Vec<&str> = ["kind = \"check\""].into();
    let text = lock().format();
    assert_eq!(text.lines().filter(|line| line.starts_with("kind")).collect::<Vec<_>>(), kinds);
    refuses_change("\"check\"", "\"plugin\"", "lock-malformed");
}

#[test]
fn the_same_lock_gives_the_same_bytes_in_whatever_order_it_was_made() {
    let mut shuffled = lock();
    shuffled.skills.reverse();
    shuffled.written.reverse();
    assert_eq!(shuffled.format(), lock().format());
    assert!(lock().format().starts_with("# Written by `skill`. Do not edit; commit it.\nversion = 1\n\n[[skill]]\n"));
}

#[test]
fn merge_conflict_markers_are_named_and_the_way_out_with_them() {
    for marker in ["<<<<<<< HEAD", "=======", ">>>>>>> theirs", "||||||| base"] {
        let refusal = refuses(&format!("version = 1\n{marker}\n"), "lock-conflict-markers");
        assert!(refusal.message.contains("line 2") && refusal.hint.is_some(), "{refusal}");
    }
}

#[test]
fn a_lock_of_a_newer_program_is_told_apart_from_a_broken_one() {
    let refusal = refuses("version = 2\n[[later]]\nx = 1\n", "lock-version");
    assert!(refusal.hint.expect("a hint").contains("upgrade"));
    refuses("version = 0\n", "lock-version");
    refuses_change("version = 1", "version = 7", "lock-version");
    refuses("", "lock-malformed");
    refuses("version = \"1\"", "lock-malformed");
}

#[test]
fn what_is_unknown_or_incomplete_is_refused() {
    refuses_change("keyring = 3", "keyring = 3\nlater = 1", "lock-malformed");
    refuses_change("version = 1", "version = 1\nlater = 1", "lock-malformed");
    refuses_change("keyring = 3\n", "", "lock-malformed");
    refuses_change("registry = \"skills.example\"\n", "", "lock-malformed");
    refuses_change("keyring = 3", "keyring = 3\npath = \"./x\"", "lock-malformed");
    refuses_change("link = \"symlink\"", "link = \"hardlink\"", "lock-malformed");
    refuses_change("registry = \"skills.example\"", "registry = \"\"", "lock-malformed");
}

#[test]
fn a_tampered_digest_is_refused_or_is_another_digest() {
    refuses_change("archive = \"sha256:", "archive = \"sha256:0", "lock-malformed");
    refuses_change("archive = \"sha256:", "archive = \"sha512:", "lock-malformed");
    refuses_change("tree = \"h1:", "tree = \"h1:A", "lock-malformed");
}

#[test]
fn every_path_obeys_the_laws_of_paths() {
    refuses_change("\"SKILL.md\"", "\"../SKILL.md\"", "lock-malformed");
    refuses_change("\"SKILL.md\"", "\"/etc/passwd\"", "lock-malformed");
    refuses_change("\"SKILL.md\"", "\".git/hooks/pre-commit\"", "lock-malformed");
    refuses_change("\".claude/skills/alpha\"", "\"../alpha\"", "lock-malformed");
    refuses_change("\".claude/skills/alpha\"", "\"/home/alpha\"", "lock-malformed");
    refuses_change("\".claude/skills/alpha\"", "\"~/../alpha\"", "lock-malformed");
    refuses_change("\".claude/skills/alpha\"", "\"~\"", "lock-malformed");
}

#[test]
fn a_written_row_can_only_name_a_place_for_its_own_skill() {
    refuses_change("\".claude/skills/alpha\"", "\"src\"", "lock-malformed");
    refuses_change("\".claude/skills/alpha\"", "\".claude/skills/beta\"", "lock-malformed");
}

#[test]
fn a_name_a_folder_or_a_place_appears_once() {
    let twice = |change: fn(&mut Lock)| {
        let mut lock = lock();
        change(&mut lock);
        refuses(&lock.format(), "lock-duplicate");
    };
    twice(|lock| lock.skills.push(skill("acme/alpha")));
    twice(|lock| lock.skills.push(skill("evil/alpha")));
    twice(|lock| lock.skills[1].folder = lock.skills[0].folder.clone());
    twice(|lock| lock.written.push(written(".claude/skills/alpha", LinkKind::Copy)));
    twice(|lock| lock.written.push(written(".CLAUDE/skills/alpha", LinkKind::Copy)));
}

#[test]
fn a_ledger_row_names_a_lawful_file_a_client_and_what_is_around_its_entry() {
    refuses_change("\".claude/settings.json\"", "\"../settings.json\"", "lock-malformed");
    refuses_change("\".claude/settings.json\"", "\"/etc/passwd\"", "lock-malformed");
    refuses_change("\".claude/settings.json\"", "\".git/config\"", "lock-malformed");
    refuses_change("client = \"claude-code\"", "client = \"../x\"", "lock-malformed");
    refuses_change("client = \"claude-code\"", "client = \"\"", "lock-malformed");
    refuses_change("client = \"claude-code\"", "client = \"claude-code\"\nlater = 1", "lock-malformed");
    refuses_change("\"/permissions\",", "\"/mcpServers\",", "lock-malformed");
    refuses_change("\"mcp__pg__cancel\"", "\"a\\u0007b\"", "lock-malformed");
    refuses_change("at = \"/permissions/ask\"", "at = \"\"", "lock-malformed");
    refuses_change("    \"beta/tools\",\n", "    \"acme/tools\",\n", "lock-malformed");
    let long = format!("at = \"/permissions/ask{}\"", "x".repeat(20_000));
    refuses_change("at = \"/permissions/ask\"", &long, "lock-malformed");
    let same = lock()
        .format()
        .replace("/permissions/deny", "/permissions/ask")
        .replace("Bash(rm \\\"x\\\" *)", "mcp__pg__cancel");
    refuses(&same, "lock-duplicate");
}

#[test]
fn an_approval_is_for_one_grant_of_one_archive() {
    refuses_change("grant = \"mcp:pg:query\"", "grant = \"*\"", "lock-malformed");
    refuses_change("grant = \"mcp:pg:query\"", "grant = \"\"", "lock-malformed");
    refuses_change("by = \"Ada\"", "by = \"a\\u001bb\"", "lock-malformed");
    refuses_change("by = \"Ada\"\n", "", "lock-malformed");
    let mut twice = lock();
    twice.approved.push(Approved { digest: Sha256::of(b"other"), ..twice.approved[0].clone() });
    refuses(&twice.format(), "lock-duplicate");
}

#[test]
fn a_lock_is_bounded() {
    refuses(&" ".repeat(LOCK_BYTES_MAX + 1), "lock-too-large");
}

#[test]
fn a_syntax_error_is_shown_with_its_line() {
    let refusal = refuses("version = 1\n[[skill]\n", "lock-malformed");
    assert!(refusal.message.contains("line 2"), "{refusal}");
}

/// Not a promise but a figure: `cargo test --release -p index -- figures --nocapture`.
#[test]
fn figures_of_a_lock_of_400_skills() {
    let skills = (0..400).map(|n| {
        let mut skill = skill(&format!("acme/skill-{n}"));
        skill.files = (0..5).map(|f| FilePath::parse(&format!("docs/part-{f}.md")).expect("a path")).collect();
        skill
    });
    let mut lock = Lock { skills: skills.collect(), ..Lock::default() };
    for skill in &lock.skills {
        for agent in [".claude", ".codex"] {
            lock.written.push(written(&format!("{agent}/skills/{}", skill.folder), LinkKind::Symlink));
        }
    }
    lock.sort();
    let text = lock.format();
    #[expect(clippy::disallowed_methods, reason = "a figure needs a clock; the room itself has none")]
    let timed = || {
        let clock = std::time::Instant::now();
        let parsed = Lock::parse(&text);
        (clock.elapsed(), parsed)
    };
    let best = (0..10).map(|_| timed().0).min().expect("ten rounds");
    let parsed = timed().1;
    eprintln!("lock of 400 skills: {} bytes, parsed in {best:?}", text.len());
    assert_eq!(parsed, Ok(lock));
}
