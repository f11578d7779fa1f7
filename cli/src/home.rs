//! Where the user-wide files are: keys, credentials, the cache, state.
//!
//! `SKILL_HOME` puts everything below one folder (`config/`, `cache/`, `state/`). Without it the
//! platform's own folders are used: XDG on Unix, `%APPDATA%` and `%LOCALAPPDATA%` on Windows. A
//! machine without a home is an error only for the command that needs one.
//!
//! ```text
//! config/  config.toml · credentials.toml (0600) · keys/NAME.pem (0600) · keys/NAME.pub
//! cache/   v1/…  (cache.rs)
//! state/   global/  skills.toml, skills.lock and .skill of `--global`
//! ```

use std::env;
use std::path::PathBuf;

use crate::failure::Failure;

/// The three user-wide folders; none of them is created by asking for it.
#[derive(Debug, Clone)]
pub struct Home {
    /// Configuration, credentials, keys.
    pub config: PathBuf,
    /// What can be fetched again.
    pub cache: PathBuf,
    /// What must not be lost, but is nobody's configuration.
    pub state: PathBuf,
}

impl Home {
    /// Finds the folders from the environment.
    pub fn find() -> Result<Self, Failure> {
        if let Some(root) = variable("SKILL_HOME") {
            return Ok(Self { config: root.join("config"), cache: root.join("cache"), state: root.join("state") });
        }
        if cfg!(windows) {
            let (roaming, local) = variable("APPDATA").zip(variable("LOCALAPPDATA")).ok_or_else(missing)?;
            return Ok(Self {
                config: roaming.join("skill"),
                cache: local.join("skill/cache"),
                state: local.join("skill/state"),
            });
        }
        let home = user_folder();
        let folder = |xdg: &str, below: &str| {
            let base =
                variable(xdg).filter(|path| path.is_absolute()).or_else(|| home.as_ref().map(|home| home.join(below)));
            base.map(|base| base.join("skill")).ok_or_else(missing)
        };
        Ok(Self {
            config: folder("XDG_CONFIG_HOME", ".config")?,
            cache: folder("XDG_CACHE_HOME", ".cache")?,
            state: folder("XDG_STATE_HOME", ".local/state")?,
        })
    }
}

/// The user's own folder, which agents' user-wide folders are relative to.
pub fn user_folder() -> Option<PathBuf> {
    variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).filter(|path| path.is_absolute())
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn missing() -> Failure {
    Failure::could_not("home-missing", "no home folder: neither SKILL_HOME nor HOME is set to a folder")
        .hint("set SKILL_HOME to a folder that you can write")
}
