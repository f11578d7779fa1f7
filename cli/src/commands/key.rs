//! `skill key`: make and show the keys that sign releases.

use std::fmt::Write as _;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::{Value, json};
use skills::evidence::{Role, Trust};
use skills::key::PublicKey;
use skills::sshsig;

use crate::context::Context;
use crate::failure::Failure;
use crate::handover::approve::signer_row;
use crate::keys::{KeyFile, KeyFolder};
use crate::passphrase::{self, PassphraseFlags};
use crate::ui::Answer;

/// Arguments of `skill key`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a new Ed25519 key
    Generate(Generate),
    /// List the keys
    List,
    /// Show a key: its id, and the public half in each form
    Show(Show),
    /// Write the public half of a key to stdout
    Export(Export),
}

#[derive(Debug, ClapArgs)]
struct Generate {
    /// What to call it
    #[arg(long, default_value = "default")]
    name: String,
    /// Keep it without a passphrase: whoever reads the file can sign
    #[arg(long, conflicts_with = "passphrase_fd")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseFlags,
    /// Make nothing; say what would be made
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, ClapArgs)]
struct Which {
    /// The key, by name or path; without it, the one that would sign
    name: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

#[derive(Debug, ClapArgs)]
struct Show {
    #[command(flatten)]
    which: Which,
    /// Print the row that registers it in .skill/trust.toml for evidence and approvals
    #[arg(long)]
    signer: bool,
    /// How far the signer is independent of the person whose work it judges
    #[arg(long, value_enum, default_value_t = TrustChoice::Local, requires = "signer")]
    trust: TrustChoice,
    /// What the signer may sign; more than once for several
    #[arg(long = "role", value_enum, default_value = "evidence", requires = "signer")]
    roles: Vec<RoleChoice>,
    /// What the signer is called in reports; by default the name of the key
    #[arg(long = "as", value_name = "NAME", requires = "signer")]
    called: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TrustChoice {
    /// Somebody's own machine
    Local,
    /// The team's CI
    Ci,
    /// Neither author nor reviewer controls it
    Independent,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleChoice {
    /// Evidence of checks
    Evidence,
    /// Decisions about human tasks
    Approval,
}

#[derive(Debug, ClapArgs)]
struct Export {
    #[command(flatten)]
    which: Which,
    /// As a line for `allowed_signers` and `authorized_keys`
    #[arg(long, conflicts_with = "pem")]
    ssh: bool,
    /// As PEM, which openssl reads; the default
    #[arg(long)]
    pem: bool,
}

/// Runs one of the four.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let keys = KeyFolder::of(context.home()?);
    match args.action {
        Action::Generate(args) => generate(&args, &keys, context),
        Action::List => list(&keys, context),
        Action::Show(args) => show(&args, &keys, context),
        Action::Export(args) => export(&args, &keys, context),
    }
}

fn generate(args: &Generate, keys: &KeyFolder, context: &Context) -> Result<Answer, Failure> {
    keys.check_free(&args.name)?;
    if args.dry_run {
        context.ui.note(format!("would make key `{}` in {}", args.name, keys.path().display()));
        return Ok(Answer::new("", json!({"name": args.name, "dry_run": true})));
    }
    let passphrase = if args.no_passphrase { None } else { Some(chosen_passphrase(args, context)?) };
    let key = keys.generate(&args.name, passphrase.as_ref())?;
    let public = key.public.expect("a new key knows its public half");
    context.ui.note(format!("made key `{}` in {}", key.name, key.path.display()));
    if passphrase.is_none() {
        context.ui.warn("it has no passphrase: whoever reads the file can sign as you");
    }
    Ok(Answer::new(format!("{}\n", public.id()), key_json(&key, &public)))
}

fn chosen_passphrase(args: &Generate, context: &Context) -> Result<passphrase::Passphrase, Failure> {
    args.passphrase.chosen(&context.ui).map_err(|failure| match failure.code.as_str() {
        "passphrase-missing" => {
            failure.hint(format!("set {}, give `--passphrase-fd N`, or choose `--no-passphrase`", passphrase::VARIABLE))
        }
        _ => failure,
    })
}

fn list(keys: &KeyFolder, context: &Context) -> Result<Answer, Failure> {
    let (mut text, mut rows) = (String::new(), Vec::new());
    let all = keys.list()?;
    let width = all.iter().map(|key| key.name.len()).max().unwrap_or(0);
    for key in &all {
        let id = key.public.map_or_else(|| "(no .pub file beside it)".to_owned(), |public| public.id().to_string());
        let _ = writeln!(text, "{:width$}  {id}", key.name);
        rows.push(json!({"name": key.name, "id": key.public.map(|public| public.id()), "path": key.path}));
    }
    if all.is_empty() {
        context.ui.note(format!("no keys in {}; `skill key generate` makes one", keys.path().display()));
    }
    Ok(Answer::new(text, json!({ "keys": rows })))
}

fn show(args: &Show, keys: &KeyFolder, context: &Context) -> Result<Answer, Failure> {
    let key = keys.choose(args.which.name.as_deref())?;
    let public = public_half(&key, &args.which, context)?;
    if args.signer {
        return Ok(signer(args, &key, &public));
    }
    let protection = if key.is_encrypted()? { "encrypted" } else { "no passphrase" };
    let text = format!(
        "name         {}\nid           {}\nfingerprint  {}\nssh          {}\nfile         {} ({protection})\n\n{}",
        key.name,
        public.id(),
        fingerprint(&public),
        sshsig::public_line(&public),
        key.path.display(),
        public.pem(),
    );
    Ok(Answer::new(text, key_json(&key, &public)))
}

/// The row for `.skill/trust.toml`; a person puts it there, and another one reviews it.
fn signer(args: &Show, key: &KeyFile, public: &PublicKey) -> Answer {
    let trust = match args.trust {
        TrustChoice::Local => Trust::Local,
        TrustChoice::Ci => Trust::Ci,
        TrustChoice::Independent => Trust::Independent,
    };
    let role = |choice: &RoleChoice| match choice {
        RoleChoice::Evidence => Role::Evidence,
        RoleChoice::Approval => Role::Approval,
    };
    let roles: Vec<Role> = args.roles.iter().map(role).collect();
    let row = signer_row(args.called.as_deref().unwrap_or(&key.name), public, trust, &roles);
    Answer::new(row.clone(), json!({"name": key.name, "id": public.id(), "signer": row}))
}

fn export(args: &Export, keys: &KeyFolder, context: &Context) -> Result<Answer, Failure> {
    let key = keys.choose(args.which.name.as_deref())?;
    let public = public_half(&key, &args.which, context)?;
    let text = if args.ssh { format!("{}\n", sshsig::public_line(&public)) } else { public.pem() };
    Ok(Answer::new(text, key_json(&key, &public)))
}

/// From the file beside the key; only where that is missing, from the secret key.
fn public_half(key: &KeyFile, which: &Which, context: &Context) -> Result<PublicKey, Failure> {
    match key.public {
        Some(public) => Ok(public),
        None => Ok(key.unlock(|| which.passphrase.existing(&context.ui, &key.name))?.public()),
    }
}

fn key_json(key: &KeyFile, public: &PublicKey) -> Value {
    json!({
        "name": key.name,
        "id": public.id(),
        "fingerprint": fingerprint(public),
        "spki": public,
        "ssh": sshsig::public_line(public),
        "pem": public.pem(),
        "path": key.path,
    })
}

/// As `ssh-keygen -l` shows it: people compare what they know how to compare.
pub(super) fn fingerprint(public: &PublicKey) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    let line = sshsig::public_line(public);
    let blob = line.split(' ').nth(1).and_then(|blob| STANDARD.decode(blob).ok()).unwrap_or_default();
    format!("SHA256:{}", STANDARD_NO_PAD.encode(skills::Sha256::of(blob).bytes()))
}
