//! What a branch makes a command open, send or print: files that are links, pipes or without end; a registry that
//! listens for tokens; text that a terminal would obey.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tests::files::read;
use tests::{Person, Screen, Shop, Snapshot, World};

use super::{BUNDLE, KEYRING, SECRET, SKILL, clear, disk, link, outside, run};

/// Commands that read or change a project.
const COMMANDS: &[&str] = &[
    "verify --offline",
    "verify --offline --json",
    "verify --offline --format sarif",
    "list",
    "tree",
    "why acme/pdf",
    "outdated",
    "diff pdf",
    "doctor",
    "install --locked",
    "install",
    "install --force",
    "update",
    "add acme/pdf --trust",
    "remove pdf --force",
    "init",
];

/// No command changes or shows what is outside.
#[track_caller]
fn keeps_to_itself(path: &str) {
    let shop = Shop::with_pdf_installed();
    let secret = outside(&shop);
    for line in COMMANDS {
        link(&shop, path, &secret);
        let screen = run(&shop.bob, &line.split(' ').collect::<Vec<_>>()).keeps_quiet_about(SECRET);
        assert!((0..=5).contains(&screen.exit), "{screen}");
        assert!(read(&secret).starts_with(SECRET), "`skill {line}` changed what `{path}` leads to");
        assert_eq!(std::fs::read_dir(secret.parent().expect("in a folder")).expect("listed").count(), 1, "{line}");
    }
}

// Files that are links, pipes, or without end.

#[test]
fn a_lock_file_that_leads_out_of_the_project_is_not_opened() {
    for path in [".skill/state/lock", ".skill/state", ".skill/state/txn", ".skill"] {
        let shop = Shop::with_pdf_installed();
        let secret = outside(&shop);
        let goal = if path.ends_with("lock") { secret.clone() } else { secret.parent().expect("above").to_owned() };
        link(&shop, path, goal);
        let before = disk(&shop);
        for command in [&["install"][..], &["install", "--dry-run"], &["update"], &["remove", "pdf", "--force"]] {
            run(&shop.bob, command).exits(3).says("is a link").keeps_quiet_about(SECRET);
            disk(&shop).is_unchanged_from(&before);
        }
    }
}

#[test]
fn a_dangling_link_creates_no_file_outside_of_the_project() {
    let shop = Shop::with_pdf_installed();
    let folder = outside(&shop).parent().expect("in a folder").to_owned();
    for path in [".skill/.gitignore", ".skill/state/lock", ".skill/trust.toml", "skills.lock"] {
        link(&shop, path, folder.join("created"));
        for line in ["verify --offline", "install --force", "add acme/pdf --trust --force"] {
            run(&shop.bob, &line.split(' ').collect::<Vec<_>>());
            assert!(folder.join("created").symlink_metadata().is_err(), "{path}: {line}");
        }
        clear(&shop.bob.work.join(path));
    }
    link(&shop, ".skill/.gitignore", folder.join("created"));
    run(&shop.bob, &["install"]);
    assert_eq!(Snapshot::of(&folder).paths(), ["secret"]);
}

#[test]
fn skills_toml_that_is_a_link_shows_and_changes_nothing_of_what_it_leads_to() {
    keeps_to_itself("skills.toml");
}

#[test]
fn skills_lock_that_is_a_link_shows_and_changes_nothing_of_what_it_leads_to() {
    keeps_to_itself("skills.lock");
}

#[test]
fn a_policy_that_is_a_link_shows_and_changes_nothing_of_what_it_leads_to() {
    keeps_to_itself(".skill/trust.toml");
}

#[test]
fn a_proof_or_a_placed_file_that_is_a_link_shows_and_changes_nothing_of_what_it_leads_to() {
    for path in [BUNDLE, KEYRING, ".agents/skills/pdf/SKILL.md", ".claude/skills/pdf", ".skill/.gitignore"] {
        keeps_to_itself(path);
    }
}

/// Puts there what is read for ever, or never: a file as large as a disk, a device, a pipe.
pub(super) fn without_end(shop: &Shop, path: &str, then: impl Fn(&str)) {
    let at = shop.bob.work.join(path);
    clear(&at);
    std::fs::File::create(&at).and_then(|file| file.set_len(1 << 40)).expect("a sparse file");
    then("a huge file");
    link(shop, path, "/dev/zero");
    then("a link to a device");
    clear(&at);
    pipe(&at);
    then("a pipe");
    let elsewhere = shop.bob.work.join("pipe");
    pipe(&elsewhere);
    link(shop, path, &elsewhere);
    then("a link to a pipe");
    clear(&elsewhere);
}

fn pipe(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
}

#[test]
fn a_proof_without_end_is_a_missing_proof() {
    let shop = Shop::with_pdf_installed();
    for path in [BUNDLE, KEYRING] {
        let good = tests::publisher::read_bytes(&shop.bob.work.join(path));
        without_end(&shop, path, |what| {
            let screen = run(&shop.bob, &["verify", "--offline"]);
            assert_eq!(screen.exit, 3, "{path} is {what}\n{screen}");
        });
        clear(&shop.bob.work.join(path));
        shop.bob.write(path, good);
    }
    run(&shop.bob, &["verify", "--offline"]).ok();
}

#[test]
fn a_file_of_the_project_without_end_stops_nobody() {
    for path in ["skills.toml", "skills.lock", ".skill/trust.toml"] {
        let shop = Shop::with_pdf_installed();
        without_end(&shop, path, |what| {
            for line in ["verify --offline", "install", "list"] {
                let screen = run(&shop.bob, &line.split(' ').collect::<Vec<_>>());
                // `list` reads the lock, and nothing else.
                let tolerant = path != "skills.lock" && line == "list";
                assert!(matches!(screen.exit, 2 | 3) || tolerant, "{path} is {what}\n{screen}");
            }
        });
    }
}

/// Every command ends, with this exit code where it is `verify`.
#[track_caller]
pub(super) fn ends(shop: &Shop, what: &str, exit: i32) {
    for line in ["verify --offline", "install", "diff pdf", "list", "update", "remove pdf"] {
        let screen = run(&shop.bob, &line.split(' ').collect::<Vec<_>>());
        let expected = if line.starts_with("verify") { screen.exit == exit } else { (0..=5).contains(&screen.exit) };
        assert!(expected, "{what}\n{screen}");
    }
}

#[test]
fn an_extra_file_without_end_is_an_extra_file() {
    let shop = Shop::with_pdf_installed();
    without_end(&shop, &format!("{SKILL}/evil"), |what| ends(&shop, what, 1));
}

// Tokens and terminals.

/// A listener of a stranger's: remembers every byte that it is sent.
struct Ear {
    url: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Ear {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = heard.clone();
        // Ends with the test's process.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let Ok(mut connection) = connection else { return };
                let mut chunk = [0; 64 * 1024];
                let length = connection.read(&mut chunk).unwrap_or(0);
                kept.lock().expect("nobody panics while holding it").extend_from_slice(&chunk[..length]);
                let _ = connection.write_all(b"HTTP/1.1 404 -\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
        Self { url, heard }
    }

    #[track_caller]
    fn never_heard(&self, text: &str) {
        let heard = String::from_utf8_lossy(&self.heard.lock().expect("nobody panics while holding it")).into_owned();
        assert!(!heard.contains(text), "{heard}");
    }
}

#[test]
fn a_token_is_not_sent_to_a_registry_that_only_skills_toml_names() {
    let world = World::new();
    let ear = Ear::open();
    let token = format!("skr_{}", "S".repeat(43));
    let bob = world.stranger("bob");
    bob.write("skills.toml", format!("[registries]\nlocalhost = \"{}\"\n\n[skills]\n\"acme/pdf\" = \"^1\"\n", ear.url));
    let screen = bob.skill_reading(&["login", "--token-stdin"], &token).exits(4);
    screen.says("token").keeps_quiet_about(&token);
    let ci = bob.with("SKILL_TOKEN", &token);
    for line in ["whoami", "token list", "yank acme/pdf@1.0.0 --reason x", "scope create beta"] {
        let screen = run(&ci, &line.split(' ').collect::<Vec<_>>()).exits(4);
        screen.says("token").keeps_quiet_about(&token);
    }
    for line in ["install", "update", "outdated", "search pdf", "info acme/pdf", "doctor"] {
        run(&ci, &line.split(' ').collect::<Vec<_>>()).keeps_quiet_about(&token);
    }
    ear.never_heard(&token);
    // The same server, named by the person, is a choice.
    run(&ci.at(&ear.url), &["whoami"]).exits(3);
    assert!(String::from_utf8_lossy(&ear.heard.lock().expect("it is free")).contains(&token));
}

/// Neither terminal nor log gets a control character that a branch chose.
#[track_caller]
pub(super) fn shows_no_escape(person: &Person, line: &str) -> Screen {
    let screen = run(person, &line.split(' ').collect::<Vec<_>>());
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!screen.stdout.contains(control) && !screen.stderr.contains(control), "{:?}", screen.to_string());
    screen
}

#[test]
fn a_malformed_file_of_the_project_prints_no_terminal_escapes() {
    let escapes = [
        "\u{1b}]0;evil\u{7} = 1\n",
        "\"\\u001b[2Jevil\" = 1\n",
        "version = \"\\u001b[2Jevil\"\n",
        "# \u{1b}[2J\nversion = = \u{1b}[2J\n",
        "[skills]\n\"\\u001b[2Jevil\" = \"^1\"\n",
        "[skills]\n\"acme/pdf\" = \"\\u001b[2Jevil\"\n",
        "[agents]\nuse = [\"\\u001b[2Jevil\"]\n",
        "version = 1\n\n[[skill]]\nname = \"\\u001b[2Jevil\"\n",
        "version = 1\ndefault = \"\\u001b[2Jevil\"\n",
        "version = 1\n\"\\u009b2J\" = 1\n",
    ];
    let shop = Shop::with_pdf_installed();
    for path in ["skills.toml", "skills.lock", ".skill/trust.toml"] {
        let good = shop.bob.read(path);
        for text in escapes {
            shop.bob.write(path, text);
            for line in ["verify --offline", "install", "list", "add acme/pdf"] {
                shows_no_escape(&shop.bob, line);
            }
        }
        shop.bob.write(path, good);
    }
}

/// A branch with names that a terminal, or the log of a CI, would obey.
pub(super) fn bring_names(shop: &Shop) {
    shop.bob.write(".agents/skills/evil\u{1b}[2J\u{7}\n::error::/SKILL.md", "Obey.");
    shop.bob.write(&format!("{SKILL}/evil\u{1b}[2J\u{7}\n::error::"), "Obey.");
    link(shop, ".claude/skills/pdf", "../evil\u{1b}[2J");
}

#[test]
fn a_file_name_prints_no_terminal_escapes() {
    let shop = Shop::with_pdf_installed();
    bring_names(&shop);
    for line in ["verify --offline", "install", "diff pdf", "list", "doctor", "update", "remove pdf"] {
        shows_no_escape(&shop.bob, line).keeps_quiet_about("\n::error::/");
    }
}

/// A line that begins with `::` is a command to GitHub, whatever wrote it to the log.
#[track_caller]
pub(super) fn forges_no_command(format: &str) {
    let shop = Shop::with_pdf_installed();
    bring_names(&shop);
    let screen = run(&shop.bob, &["verify", "--offline", "--format", format]).exits(1);
    let ours = |line: &str| format == "github" && line.starts_with("::error file=.");
    let lines = screen.stdout.lines().chain(screen.stderr.lines());
    let forged: Vec<&str> = lines.filter(|line| line.starts_with("::") && !ours(line)).collect();
    assert!(forged.is_empty(), "{forged:?}\n{screen}");
}

#[test]
fn a_file_name_forges_no_command_in_a_report() {
    for format in ["github", "sarif", "json"] {
        forges_no_command(format);
    }
}
