//! Whom we trust: first use, pins, another signer, the policy of another branch.

use tests::publisher::Publisher;
use tests::{Shop, World};

#[test]
fn first_use_in_ci_is_refused_and_nothing_is_written() {
    let shop = Shop::with_pdf();
    let ci = shop.bob.with("CI", "true");
    ci.skill(&["init"]).ok();
    let before = ci.snapshot();
    ci.skill(&["add", "acme/pdf"]).exits(4).says("alice").says("trust");
    ci.snapshot().is_unchanged_from(&before);
    // `install` of what somebody else wants takes no trust either.
    ci.write("skills.toml", "[skills]\n\"acme/pdf\" = \"^1\"\n");
    let before = ci.snapshot();
    ci.skill(&["install"]).exits(4);
    ci.snapshot().is_unchanged_from(&before);
}

#[test]
fn the_first_key_is_shown_and_the_pin_is_a_line_to_review() {
    let shop = Shop::with_pdf();
    let key = shop.alice.skill(&["key", "list"]).ok().stdout;
    let id = key.split_whitespace().nth(1).expect("an id");
    shop.bob.skill(&["add", "acme/pdf", "--trust"]).ok().says(id).says("alice");
    let policy = shop.bob.read(".skill/trust.toml");
    assert!(policy.contains("default = \"deny\"") && policy.contains("match = \"acme/*\""), "{policy}");
    shop.bob.skill(&["add", "acme/pdf"]).ok().keeps_quiet_about("first use");
}

/// Two registries that both claim to be `localhost` and have `acme/pdf`, signed by different keys.
#[test]
fn a_signer_that_differs_from_the_pin_is_refused() {
    let shop = Shop::with_pdf_installed();
    let elsewhere = World::new();
    let other = elsewhere.registry();
    let mallory = Publisher::register(&other, "mallory", "acme", 66);
    assert_eq!(mallory.publish(&other, &mallory.release("pdf", "1.9.0")).status, 201);
    let before = shop.bob.snapshot();
    let bob = shop.bob.at(other.url());
    bob.skill(&["update"]).exits(1).says("SKV012");
    bob.skill(&["update", "--trust"]).exits(1).says("SKV012");
    bob.skill(&["add", "acme/pdf@1.9", "--trust"]).exits(1).says("SKV012");
    shop.bob.snapshot().is_unchanged_from(&before);
    shop.bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn a_namespace_of_another_registry_is_refused() {
    let shop = Shop::with_pdf_installed();
    let policy = shop.bob.read(".skill/trust.toml");
    shop.bob.write(".skill/trust.toml", policy.replace("registry = \"localhost\"", "registry = \"skills.example\""));
    shop.bob.skill(&["verify", "--offline"]).exits(4).says("SKV012");
}

#[test]
fn a_denied_skill_is_refused_by_policy() {
    let shop = Shop::with_pdf_installed();
    let policy = shop.bob.read(".skill/trust.toml");
    shop.bob.write(".skill/trust.toml", format!("{policy}\n[deny]\nskills = [\"acme/pdf@<2\"]\n"));
    shop.bob.skill(&["verify", "--offline"]).exits(4);
    std::fs::remove_dir_all(shop.installed("pdf")).expect("removed");
    shop.bob.skill(&["install"]).exits(4);
    assert!(!shop.installed("pdf").exists());
}

#[test]
fn a_pull_request_cannot_bring_its_own_policy() {
    let shop = Shop::with_pdf_installed();
    let bob = &shop.bob;
    bob.git(&["init", "--quiet", "--initial-branch", "main"]);
    let policy = bob.read(".skill/trust.toml");
    bob.git(&["add", "--all"]);
    bob.git(&["commit", "--quiet", "-m", "main"]);
    // The base branch denies; the change under review allows.
    bob.write(".skill/trust.toml", "version = 1\ndefault = \"deny\"\n");
    bob.git(&["commit", "--quiet", "--all", "-m", "nobody is trusted"]);
    bob.git(&["checkout", "--quiet", "-b", "change"]);
    bob.write(".skill/trust.toml", &policy);
    bob.git(&["commit", "--quiet", "--all", "-m", "trust whom I like"]);
    bob.skill(&["verify", "--offline"]).ok();
    bob.skill(&["verify", "--offline", "--policy-ref", "main"]).exits(4).says("SKV012");
    bob.skill(&["verify", "--offline", "--policy-ref", "main~1"]).ok();
    bob.skill(&["verify", "--offline", "--policy-ref", "nowhere"]).exits(3).says("nowhere");
    bob.skill(&["verify", "--offline", "--policy-ref=--output=x"]).exits(2);
    assert!(!bob.work.join("x").exists());
}

#[test]
fn the_lock_grants_no_trust() {
    let shop = Shop::with_pdf_installed();
    std::fs::remove_file(shop.bob.work.join(".skill/trust.toml")).expect("removed");
    shop.bob.skill(&["verify", "--offline"]).exits(4).says("SKV012");
    shop.bob.skill(&["install"]).exits(4);
}

/// A terminal, by `script`: what is typed there, and the screen and exit code that follow.
fn on_a_terminal(person: &tests::Person, command: &str, typed: &str) -> tests::Screen {
    use std::io::Write;
    let program = tests::binaries::binary("skill");
    let line = format!("'{}' {command}", program.display());
    let mut terminal = person.command("script");
    terminal.args(["-q", "-e", "-c", &line, "/dev/null"]).stdin(std::process::Stdio::piped());
    let mut child = terminal.spawn().expect("script runs");
    child.stdin.take().expect("it is piped").write_all(typed.as_bytes()).expect("it reads");
    tests::Screen::of(format!("skill {command}"), &child.wait_with_output().expect("it ends"))
}

#[test]
fn on_a_terminal_a_person_is_asked_and_a_no_is_a_no() {
    if !tests::tools::have("script", "--version") {
        return;
    }
    let shop = Shop::with_pdf();
    let asked = "trust `acme/*` signed by this keyring? [y/N]";
    for no in ["n\n", "\n", "maybe\n"] {
        on_a_terminal(&shop.bob, "add acme/pdf", no).exits(4).says(asked);
        assert!(shop.bob.snapshot().paths().is_empty());
    }
    on_a_terminal(&shop.bob.with("CI", "true"), "add acme/pdf", "y\n").exits(4).keeps_quiet_about(asked);
    on_a_terminal(&shop.bob, "add acme/pdf", "y\n").exits(0).says(asked);
    shop.bob.skill(&["verify", "--offline"]).ok();
}
