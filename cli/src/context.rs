//! What every command is given: the global flags, the person, and the outer world on demand.
//!
//! Nothing here touches the disk or the network until a command asks for it, so that
//! `skill verify --offline` needs no home and `skill --version` needs nothing at all.

use std::cell::OnceCell;
use std::future::Future;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, OnPath};
use crate::home::Home;
use crate::ui::{Color, Ui};

/// The flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct GlobalFlags {
    /// Work as if started in this folder
    #[arg(short = 'C', long, global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// The registry to use, instead of the one configured
    #[arg(long, global = true, value_name = "URL", env = "SKILL_REGISTRY", hide_env_values = true)]
    pub registry: Option<String>,
    /// Answer with one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what must not be overlooked
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Show no progress bars
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Never use the network
    #[arg(long, global = true)]
    pub offline: bool,
}

/// The flags, the person, and what is opened on demand.
pub struct Context {
    /// The global flags as given.
    pub flags: GlobalFlags,
    /// The person.
    pub ui: Ui,
    home: OnceCell<Home>,
    runtime: OnceCell<tokio::runtime::Runtime>,
}

impl Context {
    /// Looks at the terminal; enters the folder of `-C`.
    pub fn new(mut flags: GlobalFlags) -> Result<Self, Failure> {
        // `SKILL_REGISTRY=` says as little as no variable at all.
        flags.registry = flags.registry.filter(|url| !url.is_empty());
        let ui = Ui::new(flags.quiet, flags.verbose, flags.json, flags.color, flags.no_progress);
        if let Some(folder) = &flags.directory {
            std::env::set_current_dir(folder).on("enter", folder)?;
        }
        Ok(Self { flags, ui, home: OnceCell::new(), runtime: OnceCell::new() })
    }

    /// The user-wide folders.
    pub fn home(&self) -> Result<&Home, Failure> {
        if let Some(home) = self.home.get() {
            return Ok(home);
        }
        let home = Home::find()?;
        Ok(self.home.get_or_init(|| home))
    }

    /// The folder we work in.
    pub fn cwd(&self) -> Result<PathBuf, Failure> {
        std::env::current_dir()
            .map_err(|error| Failure::could_not("io", format!("the current folder cannot be found: {error}")))
    }

    /// Runs network work to its end on this thread.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        if self.runtime.get().is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime
                .map_err(|error| Failure::could_not("io", format!("could not start the network runtime: {error}")))?;
            let _ = self.runtime.set(runtime);
        }
        let runtime = self.runtime.get().expect("the runtime was set just above");
        tokio::task::LocalSet::new().block_on(runtime, work)
    }

    /// The same context, with the network forbidden: what `--frozen` means.
    pub fn offline(&self) -> Self {
        let flags = GlobalFlags { offline: true, ..self.flags.clone() };
        Self { flags, ui: self.ui.clone(), home: self.home.clone(), runtime: OnceCell::new() }
    }

    /// Refuses to go on where `--offline` forbids the network.
    pub fn require_online(&self, what: &str) -> Result<(), Failure> {
        if self.flags.offline {
            return Err(Failure::could_not(
                "offline",
                format!("{what} needs the registry, and `--offline` forbids the network"),
            )
            .hint("run it again without `--offline`"));
        }
        Ok(())
    }
}
