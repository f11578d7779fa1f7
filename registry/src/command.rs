//! The command line: `serve`, `admin`, `check`.
//!
//! Exit codes are those of the house: 0 done, 1 a check failed, 2 usage, 3 could not. Data goes to stdout
//! (the address listened on, a token, the list of `check`), talk to stderr.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use skills::{Refusal, Scope};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, now};
use crate::check;
use crate::config::Config;
use crate::home::{Home, NAME_DEFAULT};
use crate::serve::serve;
use crate::sqlite::Sqlite;
use crate::store::{Change, Store};
use crate::token::{ACTIONS, DAYS_MAX, Scopes, Secret, TokenRow};

/// A registry for agent skills: signed releases, kept and served.
#[derive(Parser)]
#[command(name = "skill-registry", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve a data folder over HTTP, until SIGTERM or SIGINT.
    Serve(Serve),
    /// Change users and scopes; works while a server runs.
    #[command(subcommand)]
    Admin(Admin),
    /// Compare rows, blobs, bundles and index files; changes nothing.
    Check(Data),
}

#[derive(Args)]
struct Data {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    data: Data,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7600")]
    listen: SocketAddr,
    /// A configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Admin {
    /// Users.
    #[command(subcommand)]
    User(User),
    /// Scopes.
    #[command(subcommand)]
    Scope(ScopeCommand),
    /// Tokens.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Subcommand)]
enum User {
    /// Create a user and print a token for them: the only time it is shown.
    Create {
        /// The user's name.
        name: String,
        /// Days until the token expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
        expires_days: u32,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Subcommand)]
enum ScopeCommand {
    /// Create a scope for a user.
    Create {
        /// The scope.
        name: String,
        /// The user who may publish into it.
        #[arg(long, value_name = "USER")]
        owner: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Print another token for a user who lost theirs.
    Create {
        /// The user's name.
        user: String,
        /// Days until the token expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
        expires_days: u32,
        #[command(flatten)]
        data: Data,
    },
    /// End a token before its time.
    Revoke {
        /// Its id, as `skill token` lists it.
        id: String,
        /// Whose it is.
        #[arg(long)]
        user: String,
        #[command(flatten)]
        data: Data,
    },
}

/// The exit code for "could not": disk, network, something missing.
const COULD_NOT: u8 = 3;

impl Arguments {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Serve(arguments) => run_serve(&arguments),
            Command::Admin(admin) => run_admin(admin),
            Command::Check(data) => run_check(&data),
        };
        done.unwrap_or_else(|refusal| {
            eprintln!("error: {refusal}");
            if let Some(hint) = &refusal.hint {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(if refusal.code.starts_with("config-") { 2 } else { COULD_NOT })
        })
    }
}

fn could_not(what: &str, error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new("could-not", format!("{what}: {error}"))
}

fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(16)
        .enable_all()
        .build()
        .map_err(|error| could_not("no threads to be had", &error))
}

fn run_serve(arguments: &Serve) -> Result<ExitCode, Refusal> {
    let config = Config::read(arguments.config.as_deref())?;
    log_to_stderr();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    runtime(cores.clamp(2, 4))?.block_on(async {
        // First of all: a server that cannot listen has not named a data folder.
        let listener = TcpListener::bind(arguments.listen)
            .await
            .map_err(|error| could_not(&format!("cannot listen on {}", arguments.listen), &error))?;
        let app = App::open(&arguments.data.data, config).await?;
        let stop = stop_signal()?;
        let address = listener.local_addr().map_err(|error| could_not("the address listened on", &error))?;
        say(&format!("listening on http://{address}"))?;
        tracing::info!(%address, name = app.name, packages = app.shelf.len(), "serving");
        if app.name == NAME_DEFAULT {
            tracing::warn!(
                "every signature will name this registry `{NAME_DEFAULT}`: set `name` before the first publish"
            );
        }
        serve(app, listener, stop).await;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    })
}

/// One line on stdout, at once: whoever started us is waiting for it.
fn say(line: &str) -> Result<(), Refusal> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).map_err(|error| could_not("stdout", &error))
}

fn stop_signal() -> Result<impl Future<Output = ()>, Refusal> {
    let listen = |kind| signal(kind).map_err(|error| could_not("signals", &error));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop: draining");
    })
}

/// Structured logs: JSON for machines, text for a terminal. `RUST_LOG` chooses the level.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Internal errors are not logged: a log on a full disk would then end the server, by `eprintln!`.
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let _ = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
}

fn run_admin(admin: Admin) -> Result<ExitCode, Refusal> {
    match admin {
        Admin::User(User::Create { name, expires_days, data }) => {
            check_user(&name)?;
            let (secret, token) = fresh_token(&name, expires_days)?;
            commit(&data, Change::User { name, token })?;
            say(secret.reveal())?;
        }
        Admin::Token(TokenCommand::Create { user, expires_days, data }) => {
            check_user(&user)?;
            let (secret, token) = fresh_token(&user, expires_days)?;
            commit(&data, Change::Token(token))?;
            say(secret.reveal())?;
        }
        Admin::Token(TokenCommand::Revoke { id, user, data }) => commit(&data, Change::Revoke { user, id })?,
        Admin::Scope(ScopeCommand::Create { name, owner, data }) => {
            commit(&data, Change::Scope { scope: Scope::parse(&name)?, owner, created: now() })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A user's name is a scope's kind of name: it stands in index entries (`user:NAME`) and in logs.
fn check_user(name: &str) -> Result<(), Refusal> {
    Scope::parse(name)
        .map(|_| ())
        .map_err(|refusal| Refusal { message: refusal.message.replace("scope", "user"), ..refusal })
}

fn fresh_token(user: &str, days: u32) -> Result<(Secret, TokenRow), Refusal> {
    let secret = Secret::generate()?;
    let created = jiff::Timestamp::now().as_second();
    let expires = created + i64::from(days) * 86_400;
    let token = TokenRow::new(&secret, user, &ACTIONS, Scopes::All, created, expires);
    Ok((secret, token))
}

fn commit(data: &Data, change: Change) -> Result<(), Refusal> {
    let home = Home::open(&data.data)?;
    let kept = runtime(1)?.block_on(async {
        let store = Sqlite::open(&home.database())?;
        store.commit(change).await
    });
    match kept {
        Ok(_) => Ok(()),
        Err(crate::store::Fault::Refused(refusal)) => Err(refusal),
        Err(fault) => Err(could_not(&data.data.display().to_string(), &fault)),
    }
}

fn run_check(data: &Data) -> Result<ExitCode, Refusal> {
    let report = runtime(1)?.block_on(check::check(&Home::existing(&data.data)?))?;
    for finding in &report.findings {
        say(&finding.to_string())?;
    }
    say(&report.summary())?;
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
