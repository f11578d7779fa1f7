//! `--json`: one document with a stable envelope from every command, also when it fails.

use serde_json::Value;
use tests::files::package;
use tests::{Screen, Shop};

#[track_caller]
fn is_an_envelope(screen: &Screen, command: &str) -> Value {
    let document = screen.json();
    assert_eq!(document["v"], 1, "{screen}");
    assert_eq!(document["command"], command, "{screen}");
    assert_eq!(document["exit"], screen.exit, "{screen}");
    assert_eq!(screen.stdout.trim_end().lines().count(), 1, "one document on one line\n{screen}");
    let (data, error) = (document.get("data"), document.get("error"));
    assert!(data.is_some() != error.is_some(), "either data or error\n{screen}");
    if let Some(error) = error {
        assert!(error["code"].is_string() && error["message"].is_string(), "{screen}");
    }
    document
}

#[test]
fn every_command_answers_with_one_json_document() {
    let shop = Shop::with_pdf();
    let (alice, bob) = (&shop.alice, &shop.bob);
    package(&alice.work, "acme/more", "1.0.0", "");
    let good = |person: &tests::Person, line: &str| {
        let mut args: Vec<&str> = line.split(' ').collect();
        let command = args[0];
        args.push("--json");
        let screen = person.skill(&args).ok();
        is_an_envelope(&screen, command)
    };
    for line in [
        "new acme/fresh",
        "lint more",
        "pack more -o more.tar.gz",
        "unpack more.tar.gz -o out",
        "key list",
        "key show",
        "key export --ssh",
        "whoami",
        "token list",
        "scope create beta",
        "scope show acme",
        "publish more",
        "yank acme/more@1.0.0 --reason x",
        "yank acme/more@1.0.0 --reason x --undo",
        "search pdf",
        "info acme/pdf",
        "cache dir",
        "cache verify",
        "cache clean",
        "doctor",
        "completions bash",
        "key generate --name second --no-passphrase",
    ] {
        good(alice, line);
    }
    for line in [
        "init --agent claude-code",
        "add acme/pdf --trust",
        "install",
        "install acme/more",
        "list",
        "tree",
        "why acme/pdf",
        "outdated",
        "update",
        "diff pdf",
        "verify",
        "remove more",
    ] {
        good(bob, line);
    }
    good(alice, "logout");
}

#[test]
fn a_failure_is_a_document_too() {
    let shop = Shop::with_pdf();
    let bob = &shop.bob;
    for (line, command, exit) in [
        ("list --json", "list", 3),
        ("add acme/pdf --json", "add", 4),
        ("add acme/none --json --trust", "add", 3),
        ("add Acme/PDF --json --trust", "add", 2),
        ("info acme/none --json", "info", 3),
        ("whoami --json", "whoami", 3),
        ("unpack nothing.tar.gz --json", "unpack", 3),
        ("publish nothing --json", "publish", 3),
    ] {
        let screen = bob.skill(&line.split(' ').collect::<Vec<_>>());
        let document = is_an_envelope(&screen, command);
        assert_eq!(screen.exit, exit, "{screen}");
        assert!(document.get("error").is_some(), "{screen}");
    }
}

#[test]
fn a_refused_install_carries_its_findings() {
    let shop = Shop::with_pdf_installed();
    let bundle = ".skill/proofs/localhost/acme/pdf-1.0.0.sigstore.jsonl";
    let text = shop.bob.read(bundle);
    // Another signature over the same statement.
    let at = text.find("\"sig\":\"").expect("a signature") + 10;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    shop.bob.write(bundle, format!("{}{other}{}", &text[..at], &text[at + 1..]));
    let screen = shop.bob.skill(&["verify", "--offline", "--json"]).exits(1);
    let document = is_an_envelope(&screen, "verify");
    let findings = document["data"]["skills"][0]["findings"].as_array().expect("findings").clone();
    assert!(findings.iter().any(|finding| finding["id"] == "SKV011"), "{screen}");
}
