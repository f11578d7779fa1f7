//! What is chosen, what is said when nothing can be, and brute force as the judge of both.

use skills::Refusal;
use skills::manifest::Kind;

use super::*;

type Universe = BTreeMap<PackageName, Vec<Entry>>;

fn name(text: &str) -> PackageName {
    PackageName::parse(text).expect("a name")
}

fn version(text: &str) -> Version {
    Version::parse(text).expect("a version")
}

fn requirement(text: &str) -> Requirement {
    Requirement::parse(text).expect("a requirement")
}

/// `acme/a 1.2.0 acme/b ^1 acme/c *`; a `!` after the version means yanked, `check:` before the name the kind.
fn entry(row: &str) -> Entry {
    let words: Vec<&str> = row.split_whitespace().collect();
    let (kind, package) = words[0].split_once(':').unwrap_or(("skill", words[0]));
    let number = words[1].trim_end_matches('!');
    let deps: Vec<String> =
        words[2..].chunks(2).map(|pair| format!(r#"{{"name":"{}","req":"{}"}}"#, pair[0], pair[1])).collect();
    let line = format!(
        r#"{{"v":1,"name":"{package}","vers":"{number}","kind":"{kind}","cksum":"sha256:{}","tree":"h1:{}=","size":1,"files":1,"deps":[{}],"pub":"2026-11-22T00:00:00Z","yanked":{}}}"#,
        "0".repeat(64),
        "A".repeat(43),
        deps.join(","),
        words[1].ends_with('!')
    );
    let entries: Result<Vec<Entry>, Refusal> = crate::entry::parse(line.as_bytes(), &name(package));
    entries.expect("an entry").remove(0)
}

fn universe(rows: &[&str]) -> Universe {
    let mut universe = Universe::new();
    for row in rows {
        let entry = entry(row);
        universe.entry(entry.name.clone()).or_default().push(entry);
    }
    universe
}

fn wants(roots: &[&str]) -> Wanted {
    let root = |text: &&str| {
        let (package, wanted) = text.split_once(' ').expect("a name and a requirement");
        (name(package), requirement(wanted))
    };
    Wanted { roots: roots.iter().map(root).collect(), ..Wanted::default() }
}

fn locked(roots: &[&str], locked: &[&str]) -> Wanted {
    let lock = |text: &&str| {
        let (package, number) = text.split_once(' ').expect("a name and a version");
        (name(package), version(number))
    };
    Wanted { locked: locked.iter().map(lock).collect(), ..wants(roots) }
}

/// The chosen versions as `acme/a 1.0.0`, by name.
fn solves(wanted: &Wanted, rows: &[&str], expected: &[&str]) {
    match resolve(wanted, &universe(rows)) {
        Outcome::Solved(chosen) => {
            let chosen: Vec<String> = chosen.iter().map(|(name, version)| format!("{name} {version}")).collect();
            assert_eq!(chosen, expected);
        }
        other => panic!("expected a solution, got {other:?}"),
    }
}

/// The sentences, their line ends as spaces.
fn conflicts(wanted: &Wanted, rows: &[&str]) -> String {
    match resolve(wanted, &universe(rows)) {
        Outcome::Conflict(text) => {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            text.replace('\n', " ")
        }
        other => panic!("expected a conflict, got {other:?}"),
    }
}

// What is chosen.

#[test]
fn the_newest_that_fits_is_chosen_and_nothing_that_is_not_needed() {
    let rows =
        ["acme/a 1.0.0", "acme/a 1.2.0 acme/b ^1", "acme/a 2.0.0", "acme/b 1.9.0", "acme/b 1.10.0", "acme/c 1.0.0"];
    solves(&wants(&["acme/a ^1"]), &rows, &["acme/a 1.2.0", "acme/b 1.10.0"]);
    solves(&wants(&["acme/a *"]), &rows, &["acme/a 2.0.0"]);
    solves(&wants(&[]), &rows, &[]);
}

#[test]
fn an_older_version_is_taken_where_the_newest_does_not_fit() {
    let rows =
        ["acme/a 1.0.0 acme/c ^1", "acme/a 1.1.0 acme/c ^2", "acme/b 1.0.0 acme/c ^1", "acme/c 1.0.0", "acme/c 2.0.0"];
    solves(&wants(&["acme/a ^1", "acme/b ^1"]), &rows, &["acme/a 1.0.0", "acme/b 1.0.0", "acme/c 1.0.0"]);
}

#[test]
fn a_name_wanted_twice_has_to_satisfy_both() {
    let rows = ["acme/a 1.0.0", "acme/a 1.5.0", "acme/a 1.9.0"];
    solves(&wants(&["acme/a >=1.2", "acme/a <1.8"]), &rows, &["acme/a 1.5.0"]);
}

#[test]
fn a_locked_version_is_kept_while_it_fits() {
    let rows = ["acme/a 1.0.0", "acme/a 1.1.0", "acme/a 2.0.0"];
    solves(&locked(&["acme/a ^1"], &["acme/a 1.0.0"]), &rows, &["acme/a 1.0.0"]);
    solves(&locked(&["acme/a ^2"], &["acme/a 1.0.0"]), &rows, &["acme/a 2.0.0"]);
    solves(&locked(&["acme/a ^1"], &["acme/a 1.0.5"]), &rows, &["acme/a 1.1.0"]);
}

#[test]
fn what_is_new_gives_way_to_what_is_locked() {
    let rows = ["acme/a 1.0.0 acme/z ^1", "acme/a 1.1.0 acme/z ^2", "acme/z 1.0.0", "acme/z 2.0.0"];
    solves(&locked(&["acme/a *", "acme/z *"], &["acme/z 1.0.0"]), &rows, &["acme/a 1.0.0", "acme/z 1.0.0"]);
    solves(&wants(&["acme/a *", "acme/z *"]), &rows, &["acme/a 1.1.0", "acme/z 2.0.0"]);
}

#[test]
fn a_yanked_version_is_never_newly_chosen_and_kept_where_locked() {
    let rows = ["acme/a 1.0.0", "acme/a 1.1.0!"];
    solves(&wants(&["acme/a ^1"]), &rows, &["acme/a 1.0.0"]);
    solves(&locked(&["acme/a ^1"], &["acme/a 1.1.0"]), &rows, &["acme/a 1.1.0"]);
    solves(&locked(&["acme/a ^1"], &["acme/a 1.0.0"]), &rows, &["acme/a 1.0.0"]);
    conflicts(&wants(&["acme/a =1.1.0"]), &rows);
}

#[test]
fn a_prerelease_is_chosen_only_where_a_requirement_names_one() {
    let rows = ["acme/a 1.0.0", "acme/a 2.0.0-rc.1", "acme/a 2.0.0-rc.2"];
    solves(&wants(&["acme/a *"]), &rows, &["acme/a 1.0.0"]);
    solves(&wants(&["acme/a >=1"]), &rows, &["acme/a 1.0.0"]);
    solves(&wants(&["acme/a ^2.0.0-rc.1"]), &rows, &["acme/a 2.0.0-rc.2"]);
    conflicts(&wants(&["acme/a ^2.0.0-rc.1", "acme/a >=1"]), &rows);
}

#[test]
fn build_metadata_does_not_matter() {
    let rows = ["acme/a 1.0.0+linux", "acme/a 0.9.0"];
    solves(&wants(&["acme/a =1.0.0"]), &rows, &["acme/a 1.0.0+linux"]);
    solves(&locked(&["acme/a *"], &["acme/a 1.0.0+other"]), &rows, &["acme/a 1.0.0+linux"]);
}

#[test]
fn a_package_from_a_folder_is_its_one_version() {
    let mut wanted = wants(&["acme/a ^1"]);
    let dependencies = vec![Dependency { name: name("acme/b"), req: requirement("^1") }];
    wanted.fixed.insert(name("acme/a"), Fixed { version: version("1.7.0"), kind: Kind::Skill, dependencies });
    solves(&wanted, &["acme/a 1.9.0", "acme/b 1.0.0"], &["acme/a 1.7.0", "acme/b 1.0.0"]);
    wanted.roots = wants(&["acme/a ^2"]).roots;
    let text = conflicts(&wanted, &["acme/a 2.0.0"]);
    assert!(text.contains("comes from a folder"), "{text}");
}

// What is missing.

#[test]
fn all_that_can_be_fetched_at_once_is_named_at_once() {
    let needs = |rows: &[&str]| match resolve(&wants(&["acme/a *", "acme/b *"]), &universe(rows)) {
        Outcome::Needs(names) => names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        other => panic!("expected needs, got {other:?}"),
    };
    assert_eq!(needs(&[]), ["acme/a", "acme/b"]);
    assert_eq!(needs(&["acme/a 1.0.0 acme/x *", "acme/b 1.0.0 acme/y *"]), ["acme/x", "acme/y"]);
}

#[test]
fn a_conflict_is_told_without_fetching_what_cannot_matter() {
    let rows = ["acme/a 1.0.0", "acme/b 1.0.0 acme/unknown *"];
    conflicts(&wants(&["acme/a ^2", "acme/b ^1"]), &rows);
}

// What is said.

#[test]
fn a_conflict_names_both_chains_and_what_there_is() {
    let rows = ["acme/a 1.2.0 acme/c ^1", "acme/b 2.0.0 acme/c ^2", "acme/c 1.4.0", "acme/c 2.0.0!", "acme/c 2.1.0"];
    assert_eq!(
        conflicts(&wants(&["acme/a ^1", "acme/b ^2"]), &rows),
        "acme/a 1.2.0 (wanted by skills.toml) needs acme/c ^1, and acme/b 2.0.0 (wanted by skills.toml) needs \
         acme/c ^2: no single version of acme/c satisfies both. Available: 1.4.0, 2.1.0 (yanked: 2.0.0)"
    );
}

#[test]
fn a_conflict_with_the_project_itself_names_it() {
    let rows = ["acme/a 1.0.0 acme/c ^1", "acme/c 1.0.0", "acme/c 2.0.0"];
    assert_eq!(
        conflicts(&wants(&["acme/a *", "acme/c ^2"]), &rows),
        "skills.toml wants acme/c ^2, and acme/a 1.0.0 (wanted by skills.toml) needs acme/c ^1: \
         no single version of acme/c satisfies both. Available: 1.0.0, 2.0.0"
    );
    assert_eq!(
        conflicts(&wants(&["acme/c ^1", "acme/c ^2"]), &rows),
        "skills.toml wants acme/c ^1 and ^2: no version matches. Available: 1.0.0, 2.0.0"
    );
}

#[test]
fn a_chain_of_three_is_named_to_its_end() {
    let rows = [
        "acme/a 1.0.0 acme/mid ^1",
        "acme/mid 1.0.0 acme/deep ^1",
        "acme/mid 1.1.0 acme/deep ^1",
        "acme/b 1.0.0 acme/deep ^2",
        "acme/deep 1.0.0",
        "acme/deep 2.0.0",
    ];
    assert_eq!(
        conflicts(&wants(&["acme/a *", "acme/b *"]), &rows),
        "acme/b 1.0.0 (wanted by skills.toml) needs acme/deep ^2, and every version of acme/mid (wanted by acme/a, \
         wanted by skills.toml) needs acme/deep ^1: no single version of acme/deep satisfies both. \
         Available: 1.0.0, 2.0.0"
    );
}

#[test]
fn a_package_that_does_not_exist_is_named_with_who_wants_it() {
    let mut universe = universe(&["acme/a 1.0.0 acme/gone ^1"]);
    universe.insert(name("acme/gone"), vec![]);
    let Outcome::Conflict(text) = resolve(&wants(&["acme/a *"]), &universe) else { panic!("a conflict") };
    assert_eq!(
        text.replace('\n', " "),
        "acme/a 1.0.0 (wanted by skills.toml) needs acme/gone ^1: the registry has no package acme/gone"
    );
}

#[test]
fn only_yanked_versions_matching_is_said() {
    let text = conflicts(&wants(&["acme/a ^1"]), &["acme/a 1.0.0!", "acme/a 2.0.0"]);
    assert_eq!(
        text,
        "skills.toml wants acme/a ^1: only yanked versions match (1.0.0), and those are never newly chosen. \
         Available: 2.0.0 (yanked: 1.0.0)"
    );
}

#[test]
fn only_prereleases_matching_is_said_with_how_to_ask_for_one() {
    let text = conflicts(&wants(&["acme/a ^2"]), &["acme/a 1.0.0", "acme/a 2.0.0-rc.1"]);
    assert_eq!(
        text,
        "skills.toml wants acme/a ^2: only pre-releases match; ask for one by name, for example \
         `acme/a@^2.0.0-rc.1`. Available: 1.0.0, 2.0.0-rc.1"
    );
}

#[test]
fn no_version_matching_is_said_with_what_there_is() {
    let rows: Vec<String> = (0..12).map(|n| format!("acme/a 1.{n}.0")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let text = conflicts(&wants(&["acme/a ^9"]), &rows);
    assert_eq!(
        text,
        "skills.toml wants acme/a ^9: no version matches. \
         Available: 4 older ones, 1.4.0, 1.5.0, 1.6.0, 1.7.0, 1.8.0, 1.9.0, 1.10.0, 1.11.0"
    );
}

#[test]
fn a_cycle_is_named() {
    let rows = ["acme/a 1.0.0 acme/b *", "acme/b 1.0.0 acme/c *", "acme/c 1.0.0 acme/b *"];
    assert_eq!(
        conflicts(&wants(&["acme/a *"]), &rows),
        "acme/b needs acme/c, which needs acme/b: packages cannot need each other in a circle"
    );
    let text = conflicts(&wants(&["acme/a *"]), &["acme/a 1.0.0 acme/a *"]);
    assert_eq!(text, "acme/a needs itself: a package cannot");
}

#[test]
fn a_package_gets_no_dependency_of_a_kind_that_it_may_not_have() {
    for (dependent, dependency, may) in [
        ("skill", "check", true),
        ("brief", "tools", true),
        ("brief", "skill", true),
        ("check", "tools", true),
        ("check", "skill", false),
        ("check", "brief", false),
        ("tools", "check", false),
        ("tools", "skill", false),
    ] {
        let rows = [format!("{dependent}:acme/a 1.0.0 acme/b ^1"), format!("{dependency}:acme/b 1.1.0")];
        let rows = rows.each_ref().map(String::as_str);
        if may {
            solves(&wants(&["acme/a ^1"]), &rows, &["acme/a 1.0.0", "acme/b 1.1.0"]);
            continue;
        }
        let said = conflicts(&wants(&["acme/a ^1"]), &rows);
        let begins = format!(
            "every version of acme/a (wanted by skills.toml) needs acme/b ^1: `acme/a` is of kind `{dependent}` and may depend on"
        );
        let names = format!("`acme/b` is of kind `{dependency}`");
        assert!(
            said.replace("acme/a 1.0.0", "every version of acme/a").starts_with(&begins) && said.contains(&names),
            "{said}"
        );
    }
}

#[test]
fn an_older_version_of_the_right_kind_is_chosen_before_a_newer_one_of_the_wrong_kind() {
    let rows = ["check:acme/a 1.0.0 acme/b ^1", "tools:acme/b 1.0.0", "skill:acme/b 1.1.0"];
    solves(&wants(&["acme/a ^1"]), &rows, &["acme/a 1.0.0", "acme/b 1.0.0"]);
    let fixed = Fixed { version: version("1.5.0"), kind: Kind::Skill, dependencies: Vec::new() };
    let with_folder = Wanted { fixed: BTreeMap::from([(name("acme/b"), fixed)]), ..wants(&["acme/a ^1"]) };
    assert!(conflicts(&with_folder, &rows).contains("`acme/b` is of kind `skill`"));
}

// The judge.

/// A small generator, so that a failing universe has a number that makes it again.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.roll(words.len() as u64) as usize]
    }
}

const NAMES: [&str; 5] = ["acme/a", "acme/b", "acme/c", "acme/d", "acme/e"];
const NUMBERS: [&str; 5] = ["1.0.0", "1.1.0", "2.0.0-rc.1", "2.0.0", "3.0.0"];
const WANTS: [&str; 9] = ["*", "^1", "^2", "=1.0.0", ">=1.1,<3", "^2.0.0-rc.1", "<2", "~1.1", "^3"];
/// Wants that each leave several versions, so that what conflicts are chains and not single wants.
const WIDE_WANTS: [&str; 6] = ["*", "^1", "<3", ">=1.1,<3", ">=2", ">=2.0.0-rc.1"];

/// A universe in which packages need only later ones: cycles have a test of their own.
fn small_universe(dice: &mut Dice) -> (Wanted, Universe) {
    let wide = dice.roll(2) == 0;
    let wants_of = if wide { &WIDE_WANTS[..] } else { &WANTS[..] };
    let mut rows = Vec::new();
    for (at, package) in NAMES.iter().enumerate() {
        for number in NUMBERS {
            if !wide && dice.roll(3) == 0 {
                continue;
            }
            let yanked = if dice.roll(6) == 0 { "!" } else { "" };
            let mut row = format!("{package} {number}{yanked}");
            for later in &NAMES[at + 1..] {
                if dice.roll(2) == 0 {
                    row += &format!(" {later} {}", dice.pick(wants_of));
                }
            }
            rows.push(row);
        }
    }
    let mut universe = universe(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    for package in NAMES {
        universe.entry(name(package)).or_default();
    }
    let roots: Vec<String> =
        (0..1 + dice.roll(3)).map(|_| format!("{} {}", dice.pick(&NAMES), dice.pick(wants_of))).collect();
    let mut wanted = wants(&roots.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..dice.roll(3) {
        wanted.locked.insert(name(dice.pick(&NAMES)), version(dice.pick(&NUMBERS)));
    }
    (wanted, universe)
}

/// Whether a choice satisfies everybody, and holds nothing that nobody needs.
fn is_solution(wanted: &Wanted, universe: &Universe, chosen: &BTreeMap<PackageName, Version>) -> bool {
    let has = |package: &PackageName, wants: &Requirement| chosen.get(package).is_some_and(|v| wants.matches(v));
    let entry = |package: &PackageName, v: &Version| universe[package].iter().find(|entry| entry.vers == *v);
    let lawful = |package: &PackageName, v: &Version| {
        entry(package, v).is_some_and(|entry| {
            (!entry.yanked || wanted.locked.get(package) == Some(v))
                && entry.deps.iter().all(|next| has(&next.name, &next.req))
        })
    };
    wanted.roots.iter().all(|(package, wants)| has(package, wants)) && chosen.iter().all(|(p, v)| lawful(p, v))
}

/// Tries every choice of versions.
fn brute_force(wanted: &Wanted, universe: &Universe) -> bool {
    let packages: Vec<(&PackageName, &Vec<Entry>)> = universe.iter().collect();
    let choices: usize = packages.iter().map(|(_, entries)| entries.len() + 1).product();
    (0..choices).any(|mut number| {
        let mut chosen = BTreeMap::new();
        for (package, entries) in &packages {
            let at = number % (entries.len() + 1);
            number /= entries.len() + 1;
            if let Some(entry) = entries.get(at) {
                chosen.insert((*package).clone(), entry.vers.clone());
            }
        }
        is_solution(wanted, universe, &chosen)
    })
}

#[test]
fn brute_force_agrees_on_what_can_be_solved() {
    let (mut solved, mut refused) = (0, 0);
    for seed in 0..600 {
        let (wanted, universe) = small_universe(&mut Dice::new(seed));
        match resolve(&wanted, &universe) {
            Outcome::Solved(chosen) => {
                assert!(is_solution(&wanted, &universe, &chosen), "seed {seed}: {chosen:?}");
                solved += 1;
            }
            Outcome::Conflict(text) => {
                assert!(!brute_force(&wanted, &universe), "seed {seed} can be solved, but: {text}");
                assert!(text.contains("acme/") && !text.contains("satisfy all of it"), "seed {seed}: {text}");
                refused += 1;
            }
            Outcome::Needs(names) => panic!("seed {seed} needs {names:?}"),
        }
    }
    assert!(solved > 100 && refused > 100, "both happen often: {solved} and {refused}");
}

#[test]
fn nothing_is_chosen_that_nobody_needs() {
    for seed in 0..400 {
        let (wanted, universe) = small_universe(&mut Dice::new(seed));
        let Outcome::Solved(chosen) = resolve(&wanted, &universe) else { continue };
        for package in chosen.keys() {
            let by_root = wanted.roots.iter().any(|(root, _)| root == package);
            let needs = |(name, v): (&PackageName, &Version)| {
                universe[name]
                    .iter()
                    .any(|entry| entry.vers == *v && entry.deps.iter().any(|next| next.name == *package))
            };
            assert!(by_root || chosen.iter().any(needs), "seed {seed}: nobody needs {package}");
        }
    }
}

#[test]
fn the_order_of_wants_and_entries_does_not_matter() {
    for seed in 0..200 {
        let (wanted, universe) = small_universe(&mut Dice::new(seed));
        let mut shuffled = (wanted.clone(), universe.clone());
        let mut dice = Dice::new(seed + 1_000_000);
        for entries in shuffled.1.values_mut() {
            for at in (1..entries.len()).rev() {
                entries.swap(at, dice.roll(at as u64 + 1) as usize);
            }
        }
        shuffled.0.roots.reverse();
        assert_eq!(resolve(&wanted, &universe), resolve(&shuffled.0, &shuffled.1), "seed {seed}");
    }
}

#[test]
fn fetching_as_asked_ends_where_having_it_all_ends() {
    for seed in 0..200 {
        let (wanted, universe) = small_universe(&mut Dice::new(seed));
        let mut fetched = Universe::new();
        let answer = loop {
            match resolve(&wanted, &fetched) {
                Outcome::Needs(names) => {
                    assert!(names.iter().any(|name| !fetched.contains_key(name)), "seed {seed}: no progress");
                    fetched.extend(names.into_iter().map(|name| (name.clone(), universe[&name].clone())));
                }
                answer => break answer,
            }
        };
        let whole = resolve(&wanted, &universe);
        assert_eq!(matches!(answer, Outcome::Solved(_)), matches!(whole, Outcome::Solved(_)), "seed {seed}");
        if let (Outcome::Solved(_), Outcome::Solved(_)) = (&answer, &whole) {
            assert_eq!(answer, whole, "seed {seed}");
        }
    }
}

/// Pigeons that each want a hole of their own, one hole short: proofs of this by resolution are known
/// to be exponential, so a stranger's index can ask it.
#[test]
fn a_question_that_is_too_hard_is_given_up_and_not_pondered_for_ever() {
    let pigeons = 12;
    let mut rows = Vec::new();
    for pigeon in 1..=pigeons {
        for hole in 1..pigeons {
            rows.push(format!("acme/pigeon-{pigeon} {hole}.0.0 acme/hole-{hole} ={pigeon}.0.0"));
            rows.push(format!("acme/hole-{hole} {pigeon}.0.0"));
        }
    }
    let roots: Vec<String> = (1..=pigeons).map(|pigeon| format!("acme/pigeon-{pigeon} *")).collect();
    let wanted = wants(&roots.iter().map(String::as_str).collect::<Vec<_>>());
    let text = conflicts(&wanted, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.contains("was given up"), "{text}");
}

/// Not a promise but a figure: `cargo test --release -p index -- figures --nocapture`.
#[test]
fn figures_of_resolving_400_wants() {
    let mut rows = Vec::new();
    for n in 0..400 {
        for number in ["1.0.0", "1.1.0", "1.2.0", "2.0.0"] {
            rows.push(format!("acme/skill-{n} {number} acme/lib-{} ^1", n % 50));
        }
    }
    for n in 0..50 {
        rows.extend(["1.0.0", "1.5.0", "2.0.0"].map(|number| format!("acme/lib-{n} {number}")));
    }
    let universe = universe(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let roots: Vec<String> = (0..400).map(|n| format!("acme/skill-{n} ^1")).collect();
    let wanted = wants(&roots.iter().map(String::as_str).collect::<Vec<_>>());
    #[expect(clippy::disallowed_methods, reason = "a figure needs a clock; the room itself has none")]
    let clock = std::time::Instant::now();
    let outcome = resolve(&wanted, &universe);
    eprintln!("400 wants, 450 packages, 1,750 versions: {:?}", clock.elapsed());
    assert!(matches!(outcome, Outcome::Solved(chosen) if chosen.len() == 450));
}
