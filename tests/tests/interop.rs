//! Other people's tools check ours, and ours reads what they wrote.
//!
//! Each test needs a program that may be absent: then it says so, and fails only in CI.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tests::files::{read, skill_md};
use tests::tools::{have, path_from};
use tests::{Shop, Snapshot, World, write};

/// The published bundle of `acme/pdf` 1.0.0: its DSSE envelope.
fn envelope(shop: &Shop) -> serde_json::Value {
    let bundle = shop.registry.get("/bundles/acme/pdf/1.0.0.sigstore.jsonl").text();
    let line: serde_json::Value = serde_json::from_str(bundle.lines().next().expect("a line")).expect("JSON");
    line["dsseEnvelope"].clone()
}

fn decode(value: &serde_json::Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().expect("base64")).expect("base64")
}

#[test]
fn openssl_verifies_the_signature_of_a_published_bundle() {
    if !have("openssl", "version") {
        return;
    }
    let shop = Shop::with_pdf();
    let envelope = envelope(&shop);
    let (kind, payload) = (envelope["payloadType"].as_str().expect("a type"), decode(&envelope["payload"]));
    // DSSE's pre-authentication encoding, written here once more from its specification.
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    let alice = &shop.alice;
    alice.write("pae.bin", [head.as_bytes(), &payload].concat());
    alice.write("sig.bin", decode(&envelope["signatures"][0]["sig"]));
    alice.write("pub.pem", alice.skill(&["key", "export", "--pem"]).ok().stdout);
    let verify =
        ["pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", "pae.bin", "-sigfile", "sig.bin"];
    alice.run("openssl", &verify).ok().says("Signature Verified Successfully");
    alice.write("pae.bin", [head.as_bytes(), &payload, b" "].concat());
    assert_ne!(alice.run("openssl", &verify).exit, 0, "one more byte is another message");
}

#[test]
fn openssl_reads_a_key_file_with_its_passphrase() {
    if !have("openssl", "version") {
        return;
    }
    let world = World::new();
    let alice = world.stranger("alice").with("SKILL_KEY_PASSPHRASE", "correct horse");
    alice.skill(&["key", "generate"]).ok();
    let key = alice.home.join("skill/config/keys/default.pem");
    let key = key.to_string_lossy();
    let public = alice.run("openssl", &["pkey", "-in", &key, "-passin", "env:SKILL_KEY_PASSPHRASE", "-pubout"]).ok();
    assert_eq!(public.stdout, alice.skill(&["key", "export"]).ok().stdout);
    assert_ne!(alice.run("openssl", &["pkey", "-in", &key, "-passin", "pass:wrong", "-pubout"]).exit, 0);
}

#[test]
fn ssh_keygen_verifies_the_signature_that_publish_writes_for_it() {
    if !have("ssh-keygen", "-?") {
        return;
    }
    let shop = Shop::open();
    let alice = &shop.alice;
    tests::files::package(&alice.work, "acme/pdf", "1.0.0", "");
    alice.skill(&["publish", "pdf", "--register-key", "--sshsig", "sigs"]).ok();
    alice.write("allowed_signers", format!("alice@acme {}", alice.skill(&["key", "export", "--ssh"]).ok().stdout));
    let statement = "sigs/acme-pdf-1.0.0.json";
    assert_eq!(
        alice.read(statement).into_bytes(),
        decode(&envelope(&shop)["payload"]),
        "the statement that was published"
    );
    let verify = |namespace: &str| {
        let command = format!(
            "ssh-keygen -Y verify -f allowed_signers -I alice@acme -n {namespace} -s {statement}.sig < {statement}"
        );
        alice.run("sh", &["-c", &command])
    };
    verify("skill-release@localhost").ok().says("Good");
    assert_ne!(verify("skill-release@elsewhere").exit, 0, "made for one registry");
    alice.write(statement, alice.read(statement) + " ");
    assert_ne!(verify("skill-release@localhost").exit, 0, "one more byte is another statement");
}

/// `npx skills add http://…`, the installer that most people use, knows nothing of us.
#[test]
fn the_most_used_installer_installs_what_we_publish() {
    let (Some(node), Some(installer)) = (path_from("SKILL_TEST_NODE"), path_from("SKILL_TEST_SKILLS_CLI")) else {
        return;
    };
    let shop = Shop::with_pdf();
    shop.publish("acme/more", "1.0.0", "\"acme/pdf\" = \"^1\"");
    shop.publish("acme/more", "1.1.0", "\"acme/pdf\" = \"^1\"");
    let carol = shop.world.stranger("carol").with("DISABLE_TELEMETRY", "1");
    let run = |args: &[&str]| {
        let mut all = vec![installer.to_str().expect("a path")];
        all.extend(args);
        carol.run(node.to_str().expect("a path"), &all)
    };
    run(&["add", shop.registry.url(), "-a", "codex", "-y"]).ok();
    for name in ["pdf", "more"] {
        let (theirs, published) = (carol.work.join(".agents/skills").join(name), shop.alice.work.join(name));
        same_content(&theirs, &published);
    }
    // One scope alone, and one skill of it.
    let dave = shop.world.stranger("dave").with("DISABLE_TELEMETRY", "1");
    let url = format!("{}/acme", shop.registry.url());
    let args = [installer.to_str().expect("a path"), "add", &url, "-a", "codex", "-s", "pdf", "-y"];
    dave.run(node.to_str().expect("a path"), &args).ok();
    assert!(dave.work.join(".agents/skills/pdf/SKILL.md").is_file());
    assert!(!dave.work.join(".agents/skills/more").exists());
    // What is yanked is not offered.
    shop.alice.skill(&["yank", "acme/pdf@1.0.0", "--reason", "x"]).ok();
    assert!(!shop.registry.get("/.well-known/agent-skills/index.json").text().contains("\"pdf\""));
}

/// The same files with the same bytes; modes do not survive that installer.
fn same_content(theirs: &Path, ours: &Path) {
    let (theirs, ours) = (Snapshot::of(theirs), Snapshot::of(ours));
    assert_eq!(theirs.paths(), ours.paths());
    let content =
        |snapshot: &Snapshot, path: &str| snapshot.at(path).map(|seen| seen.split(' ').next_back().map(str::to_owned));
    for path in ours.paths() {
        assert_eq!(content(&theirs, path), content(&ours, path), "{path}");
    }
}

#[test]
fn a_person_computes_the_tree_digest_with_four_unix_tools() {
    let shop = Shop::with_pdf_installed();
    let command = "find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum";
    let inside = shop.bob.within(".agents/skills/pdf");
    let hex = inside.run("sh", &["-c", command]).ok().stdout;
    let entry: serde_json::Value = serde_json::from_str(&shop.registry.get("/index/acme/pdf").text()).expect("JSON");
    let tree = skills::TreeDigest::parse_hex(hex.split(' ').next().expect("hex")).expect("a digest");
    assert_eq!(entry["tree"], tree.to_string());
}

/// A folder, packed by another program, unpacks to the same tree.
fn reads_what_was_packed_by(program: &str, args: &[&str]) {
    let world = World::new();
    let alice = world.stranger("alice");
    tests::files::package(&alice.work, "acme/pdf", "1.0.0", "");
    alice.write("pdf/references/größe.md", "# size\n");
    alice.run(program, args).ok();
    alice.skill(&["unpack", "theirs.tar.gz", "-o", "out"]).ok();
    Snapshot::of(&alice.work.join("out")).is_unchanged_from(&Snapshot::of(&alice.work.join("pdf")));
    // And the other way round.
    alice.skill(&["pack", "pdf", "-o", "ours.tar.gz"]).ok();
    alice.run("sh", &["-c", "mkdir back && tar -xzf ours.tar.gz -C back"]).ok();
    Snapshot::of(&alice.work.join("back")).is_unchanged_from(&Snapshot::of(&alice.work.join("pdf")));
}

#[test]
fn an_archive_of_gnu_tar_in_posix_format_is_read() {
    if have("tar", "--version") {
        let command = "cd pdf && tar --format=ustar --owner=0 --group=0 -czf ../theirs.tar.gz SKILL.md skill.toml scripts references";
        reads_what_was_packed_by("sh", &["-c", command]);
    }
}

#[test]
fn an_archive_of_python_is_read() {
    if have("python3", "--version") {
        let script = "import tarfile\nt=tarfile.open('theirs.tar.gz','w:gz',format=tarfile.USTAR_FORMAT)\nfor n in ['SKILL.md','skill.toml','scripts/run.sh','references/größe.md']: t.add('pdf/'+n,n)\nt.close()";
        reads_what_was_packed_by("python3", &["-c", script]);
    }
}

#[test]
fn a_plain_folder_from_another_tool_installs_by_path() {
    let shop = Shop::open();
    write(shop.bob.work.join("vendor/notes/SKILL.md"), skill_md("notes", "From elsewhere."));
    shop.bob.skill(&["add", "./vendor/notes", "--trust"]).ok();
    assert_eq!(read(shop.installed("notes").join("SKILL.md")), skill_md("notes", "From elsewhere."));
}
