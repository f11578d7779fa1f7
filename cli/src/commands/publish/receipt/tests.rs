//! A registry that says "published" and keeps something else: each lie is found.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use index::entry::Entry;
use skills::dsse::{self, Envelope};
use skills::key::SigningKey;
use skills::package::Package;
use skills::statement::{KeyringRef, Statement};
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, Version, archive};

use super::super::prepare::Prepared;
use super::*;

type Files = BTreeMap<String, Vec<u8>>;

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32])
}

fn package(body: &str) -> Package {
    let text = format!("---\nname: greet\ndescription: Says hello. Use when someone arrives.\n---\n{body}\n");
    let path = FilePath::parse("SKILL.md").expect("a path");
    let tree = Tree::new(vec![File { path, mode: Mode::Regular, bytes: text.into_bytes() }]).expect("a tree");
    let (name, version) = (PackageName::parse("acme/greet"), Version::parse("1.0.0"));
    Package::from_tree(tree, name.as_ref().ok(), version.as_ref().ok()).expect("a package")
}

fn signed(body: &str, key: &SigningKey) -> Signed {
    let package = package(body);
    let archive = archive::pack(&package.tree).expect("an archive");
    let digest = Sha256::of(&archive);
    let statement = Statement {
        registry: "localhost".to_owned(),
        package: package.name.clone(),
        version: package.version.clone(),
        archive: digest,
        tree: package.tree.digest(),
        keyring: KeyringRef::new(1, Sha256::of("link")),
        resources: package.tree.resources(),
        dependencies: Vec::new(),
        source: None,
    };
    let envelope = Envelope::sign(dsse::IN_TOTO, statement.to_payload(), key);
    let bundle = bundle::format(&envelope).into_bytes();
    Signed { prepared: Prepared { package, archive, digest }, envelope, bundle }
}

fn entry(release: &Signed) -> Entry {
    let statement = Statement::parse(&release.envelope.payload).expect("our own statement");
    let size = release.prepared.archive.len() as u64;
    let (payload, now) = (release.statement_digest(), "2026-11-22T00:00:00Z");
    Entry::of(&release.prepared.package, &statement, size, payload, &[], now, "user:alice")
}

fn index_path(release: &Signed) -> String {
    urls::index(&release.prepared.package.name)
}

fn bundle_path(release: &Signed) -> String {
    urls::bundle(&release.prepared.package.name, &release.prepared.package.version)
}

/// What an honest registry serves for a release.
fn honest(release: &Signed) -> Files {
    Files::from([
        (index_path(release), entry(release).to_line().into_bytes()),
        (bundle_path(release), release.bundle.clone()),
        (urls::archive(&release.prepared.digest), release.prepared.archive.clone()),
    ])
}

fn published(release: &Signed, status: PublishStatus) -> Published {
    Published {
        name: release.prepared.package.name.clone(),
        version: release.prepared.package.version.clone(),
        archive: release.prepared.digest,
        statement: release.statement_digest(),
        entry: entry(release).to_line(),
        status,
    }
}

/// Serves files on a loopback port until the test process ends; one request a connection.
fn serve(files: Files) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut lines = BufReader::new(&connection).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (status, body) = match files.get(first.split(' ').nth(1).unwrap_or_default()) {
                Some(body) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b""[..]),
            };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body));
        }
    });
    Client::new(&url).expect("a client")
}

fn judge(release: Signed, answer: Vec<Published>, files: Files) -> Result<(), Failure> {
    let client = serve(files);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = PublishAnswer { releases: answer };
    runtime.block_on(check_all(&client, &Arc::new(vec![release]), answer, key(1).public())).map(drop)
}

fn accepts(release: Signed, answer: Published, files: Files) {
    judge(release, vec![answer], files).expect("an honest receipt");
}

fn refuses(release: Signed, answer: Vec<Published>, files: Files, named: &str) {
    let failure = judge(release, answer, files).expect_err("a lie");
    assert_eq!((failure.exit, failure.code.as_str()), (Exit::Failed, "receipt-mismatch"), "{failure}");
    assert!(failure.message.contains(named), "`{failure}` does not name `{named}`");
}

/// An honest answer, and files with one of them changed.
fn refuses_files(named: &str, change: impl FnOnce(&Signed, &mut Files)) {
    let release = signed("hello", &key(1));
    let mut files = honest(&release);
    change(&release, &mut files);
    let answer = vec![published(&release, PublishStatus::Published)];
    refuses(release, answer, files, named);
}

#[test]
fn what_was_sent_and_kept_is_accepted() {
    let release = signed("hello", &key(1));
    let (answer, files) = (published(&release, PublishStatus::Published), honest(&release));
    accepts(release, answer, files);
}

#[test]
fn an_answer_about_fewer_releases_is_refused() {
    let release = signed("hello", &key(1));
    let files = honest(&release);
    refuses(release, Vec::new(), files, "0 releases");
}

#[test]
fn an_answer_about_another_archive_is_refused() {
    let (release, other) = (signed("hello", &key(1)), signed("goodbye", &key(1)));
    let files = honest(&release);
    refuses(release, vec![published(&other, PublishStatus::Published)], files, "the answer");
}

#[test]
fn an_answer_about_another_statement_is_refused() {
    let release = signed("hello", &key(1));
    let mut answer = published(&release, PublishStatus::Published);
    answer.statement = Sha256::of("another");
    let files = honest(&release);
    refuses(release, vec![answer], files, "the answer");
}

#[test]
fn what_a_colleague_published_before_us_is_accepted_as_unchanged() {
    let older = signed("hello", &key(2));
    accepts(signed("hello", &key(1)), published(&older, PublishStatus::Unchanged), honest(&older));
}

#[test]
fn an_index_file_without_the_version_or_with_another_digest_is_refused() {
    refuses_files("the index file", |release, files| drop(files.insert(index_path(release), Vec::new())));
    refuses_files("the index file", |release, files| {
        files.insert(index_path(release), entry(&signed("goodbye", &key(1))).to_line().into_bytes());
    });
    refuses_files("/index/acme/greet", |release, files| drop(files.remove(&index_path(release))));
}

#[test]
fn a_bundle_of_another_payload_or_without_our_signature_is_refused() {
    refuses_files("the bundle", |release, files| {
        files.insert(bundle_path(release), signed("goodbye", &key(1)).bundle);
    });
    refuses_files("the bundle", |release, files| {
        files.insert(bundle_path(release), signed("hello", &key(2)).bundle);
    });
}

#[test]
fn an_archive_that_is_not_there_or_has_another_byte_is_refused() {
    refuses_files("/archives/", |release, files| drop(files.remove(&urls::archive(&release.prepared.digest))));
    refuses_files("the archive", |release, files| {
        files.entry(urls::archive(&release.prepared.digest)).or_default().push(0);
    });
}
