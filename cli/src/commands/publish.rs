//! `skill publish [DIR…]`: from folders to signed releases, all of them or none.
//!
//! The journey, one step a function: lint and pack each folder, find the scope's keyring (or
//! register a first key for it), sign a statement for each, send them in one request, and believe
//! that they are published only when the registry gives back exactly what was sent.
//!
//! ```text
//! publish.rs           the journey          publish/keyring.rs   may our key release here?
//! publish/prepare.rs   folder → archive     publish/receipt.rs   did they keep what we sent?
//! ```

mod keyring;
mod prepare;
mod receipt;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use index::api::{Me, PublishAnswer, PublishStatus, Published};
use reqwest::Method;
use serde_json::{Value, json};
use skills::dsse::{self, Envelope};
use skills::statement::{KeyringRef, Source, Statement};
use skills::{PackageName, Sha256, Version, bundle, sshsig};

use self::keyring::Keyrings;
use self::prepare::Prepared;
use crate::api::{self, Api};
use crate::argument;
use crate::client::Body;
use crate::context::Context;
use crate::failure::{Failure, OnPath};
use crate::keys::{KeyFile, KeyFolder, Signer};
use crate::passphrase::PassphraseFlags;
use crate::ui::Answer;

/// Arguments of `skill publish`.
#[derive(Debug, clap::Args)]
// `--version` is the version to publish here, and not a question about this program.
#[command(disable_version_flag = true)]
pub struct Args {
    /// The packages' folders; several are published all or not at all
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    /// The full name, for a folder without skill.toml
    #[arg(long, value_name = "SCOPE/NAME", value_parser = argument::parse::<PackageName>)]
    name: Option<PackageName>,
    /// The version, for a folder without skill.toml
    #[arg(long, value_parser = argument::parse::<Version>)]
    version: Option<Version>,
    /// The key to sign with, by name or path
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseFlags,
    /// Register the key as the first of a scope that has none, without asking
    #[arg(long)]
    register_key: bool,
    /// Also write statements and SSH signatures of them into this folder
    #[arg(long, value_name = "DIR")]
    sshsig: Option<PathBuf>,
    /// Where the source is kept: `git+https://…`, with `#COMMIT` where known
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// Sign and send nothing; check everything that can be checked before
    #[arg(long)]
    dry_run: bool,
}

/// A release, signed and ready to be sent.
struct Signed {
    prepared: Prepared,
    envelope: Envelope,
    bundle: Vec<u8>,
}

impl Signed {
    fn statement_digest(&self) -> Sha256 {
        Sha256::of(&self.envelope.payload)
    }
}

/// The whole journey.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let prepared = prepare::all(&args.folders, args.name.as_ref(), args.version.as_ref(), context)?;
    let key = KeyFolder::of(context.home()?).choose(args.key.as_deref());
    if args.dry_run {
        return dry_run(&prepared, key, context);
    }
    let key = key?;
    let api = Api::open(context, "`publish`")?;
    let registry = context.block_on(api::config(&api.client))?.name;
    let mut keyrings = context.block_on(Keyrings::fetch(&api.client, &prepared))?;
    if let Some(public) = &key.public {
        // Asked before the passphrase: nobody types one only to be refused.
        keyrings.check_may_release(public, &key.name)?;
    }
    let signer = key.unlock(|| args.passphrase.existing(&context.ui, &key.name))?;
    register_first_keys(&mut keyrings, &signer, &key, args.register_key, &api, context)?;
    keyrings.check_may_release(&signer.public(), &key.name)?;
    let source = args.source.as_deref().map(parse_source).transpose()?;
    let signed = Arc::new(sign_all(prepared, &registry, &keyrings, source.as_ref(), &signer)?);
    let answer = send(&signed, &api, context)?;
    let checked = context.block_on(receipt::check_all(&api.client, &signed, answer, signer.public()))?;
    if let Some(folder) = &args.sshsig {
        write_sshsigs(folder, &signed, &registry, &signer)?;
    }
    Ok(answer_of(&checked, &registry, context))
}

/// Everything up to the first thing that could change something, or needs a secret.
fn dry_run(prepared: &[Prepared], key: Result<KeyFile, Failure>, context: &Context) -> Result<Answer, Failure> {
    let reachable = !context.flags.offline && context.registry_url().is_ok();
    if reachable {
        let client = context.client()?;
        let keyrings = context.block_on(Keyrings::fetch(&client, prepared))?;
        for scope in keyrings.without_keyring() {
            context.ui.note(format!("scope `{scope}` has no keyring yet: publishing would register your key for it"));
        }
        match key {
            Ok(KeyFile { name, public: Some(public), .. }) => keyrings.check_may_release(&public, &name)?,
            Ok(key) => {
                context.ui.note(format!("key `{}` was not opened: whether it may release was not checked", key.name))
            }
            Err(failure) => context.ui.warn(format!("{failure}; publishing would stop here")),
        }
    } else {
        context.ui.note("no registry was asked: only the folders were checked");
    }
    let text = prepared.iter().map(|p| format!("would publish {}  {}\n", p.title(), p.digest)).collect::<String>();
    let rows: Vec<Value> = prepared.iter().map(Prepared::json).collect();
    Ok(Answer::new(text, json!({"releases": rows, "dry_run": true})))
}

/// A scope without a keyring takes our key as its first, if the person says so.
fn register_first_keys(
    keyrings: &mut Keyrings,
    signer: &Signer,
    key: &KeyFile,
    without_asking: bool,
    api: &Api,
    context: &Context,
) -> Result<(), Failure> {
    for scope in keyrings.without_keyring() {
        if !without_asking && !keyring::ask_to_register(&scope, signer, key, context)? {
            return Err(keyring::not_registered(&scope));
        }
        let me: Me = context.block_on(api.ask(Method::GET, "/me", Body::Empty))?;
        let chain = context.block_on(keyring::register(&scope, signer, &me.user, api))?;
        context.ui.note(format!("registered key `{}` as the first of scope `{scope}`", key.name));
        keyrings.keep(scope, chain);
    }
    Ok(())
}

fn sign_all(
    prepared: Vec<Prepared>,
    registry: &str,
    keyrings: &Keyrings,
    source: Option<&Source>,
    signer: &Signer,
) -> Result<Vec<Signed>, Failure> {
    prepared.into_iter().map(|prepared| sign(prepared, registry, keyrings, source, signer)).collect()
}

fn sign(
    prepared: Prepared,
    registry: &str,
    keyrings: &Keyrings,
    source: Option<&Source>,
    signer: &Signer,
) -> Result<Signed, Failure> {
    let package = &prepared.package;
    let (seq, digest) = keyrings.head(package.name.scope());
    let statement = Statement {
        registry: registry.to_owned(),
        package: package.name.clone(),
        version: package.version.clone(),
        archive: prepared.digest,
        tree: package.tree.digest(),
        keyring: KeyringRef::new(seq, digest),
        resources: package.tree.resources(),
        dependencies: package.dependencies.clone(),
        source: source.cloned(),
    };
    let envelope = signer.envelope(dsse::IN_TOTO, statement.to_payload())?;
    let bundle = bundle::format(&envelope).into_bytes();
    Ok(Signed { prepared, envelope, bundle })
}

/// `git+https://…#COMMIT`: the commit goes into the digest set, as in-toto has it.
fn parse_source(text: &str) -> Result<Source, Failure> {
    let (uri, commit) = text.split_once('#').map_or((text, None), |(uri, commit)| (uri, Some(commit)));
    let is_uri = uri.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    if !is_uri || text.len() > 1024 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage("source-malformed", format!("`{}` is not a URI", text.escape_debug()))
            .hint("for example `git+https://git.example/team/skills#COMMIT`"));
    }
    let digest = commit.map(|commit| ("gitCommit".to_owned(), commit.to_owned()));
    Ok(Source { uri: uri.to_owned(), digest: digest.into_iter().collect() })
}

/// One request for all: the registry keeps all of them or none.
fn send(signed: &[Signed], api: &Api, context: &Context) -> Result<PublishAnswer, Failure> {
    let parts = signed
        .iter()
        .flat_map(|release| [("bundle", release.bundle.clone()), ("archive", release.prepared.archive.clone())]);
    let body = Body::Parts(parts.collect());
    context.block_on(api.ask(Method::POST, "/publish", body)).map_err(|failure| match failure.code.as_str() {
        // The answer may be what was lost, and not the request.
        "network" => {
            failure.hint("whether it was published is not known: run the same again, the same bytes change nothing")
        }
        _ => failure,
    })
}

/// `NAME-VERSION.json` and `NAME-VERSION.json.sig`, as `ssh-keygen -Y verify` names them.
fn write_sshsigs(folder: &Path, signed: &[Signed], registry: &str, signer: &Signer) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).on("create", folder)?;
    for release in signed {
        let package = &release.prepared.package;
        let stem = format!("{}-{}-{}.json", package.name.scope(), package.name.name(), package.version.number());
        let payload = &release.envelope.payload;
        let path = folder.join(&stem);
        std::fs::write(&path, payload).on("write", &path)?;
        let path = folder.join(format!("{stem}.sig"));
        std::fs::write(&path, signer.sshsig(&sshsig::namespace(registry), payload)).on("write", &path)?;
    }
    Ok(())
}

fn answer_of(published: &[Published], registry: &str, context: &Context) -> Answer {
    let line = |release: &Published| {
        let status = match release.status {
            PublishStatus::Published => "published",
            PublishStatus::Unchanged => "unchanged",
        };
        format!("{status} {}@{}  {}\n", release.name, release.version, release.archive)
    };
    context.ui.note(format!("{registry} gave back exactly what was sent"));
    let rows: Vec<Value> = published.iter().map(|release| json!(release)).collect();
    Answer::new(published.iter().map(line).collect::<String>(), json!({"registry": registry, "releases": rows}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_a_uri_and_the_commit_that_it_names() {
        let source = parse_source("git+https://git.example/team/skills#0a1b").expect("a source");
        assert_eq!(source.uri, "git+https://git.example/team/skills");
        assert_eq!(source.digest.get("gitCommit").map(String::as_str), Some("0a1b"));
        for text in ["", "nowhere", ":x", "git+https:", "git+https://git.example/two words", "git:\u{7}"] {
            assert!(parse_source(text).is_err(), "{text:?} was accepted");
        }
    }
}
