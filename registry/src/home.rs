//! The data folder: what lies where, who owns it, and what the registry is called.
//!
//! ```text
//! DIR/name              the registry's name, written once: every statement ever published binds it
//! DIR/lock              held by the one server that may write here
//! DIR/registry.sqlite   rows (with -wal and -shm beside it while open)
//! DIR/blobs/sha256/ab/… archives by digest
//! DIR/blobs/tmp/…       uploads being written; emptied at start
//! ```

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use skills::Refusal;

use crate::config::check_name;

/// The name of a registry that was never given one.
pub const NAME_DEFAULT: &str = "localhost";

/// A data folder.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
}

/// The right to serve from a data folder; given back when dropped, also by a kill.
#[derive(Debug)]
pub struct Served {
    _lock: File,
}

impl Home {
    /// Opens or creates a data folder.
    pub fn open(root: &Path) -> Result<Self, Refusal> {
        std::fs::create_dir_all(root).map_err(|error| unusable(root, &error))?;
        Ok(Self { root: root.to_owned() })
    }

    /// A data folder that must exist.
    pub fn existing(root: &Path) -> Result<Self, Refusal> {
        let home = Self { root: root.to_owned() };
        if home.database().is_file() {
            return Ok(home);
        }
        Err(Refusal::new("data-missing", format!("{} holds no registry", root.display()))
            .hint("`skill-registry serve --data DIR` makes one"))
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.root.join("registry.sqlite")
    }

    /// The folder of blobs.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Takes the right to serve. Two servers on one folder would each answer from a memory that the other
    /// one's publishes do not reach.
    pub fn serve(&self) -> Result<Served, Refusal> {
        let path = self.root.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|error| unusable(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Served { _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(Refusal::new("data-in-use", format!("another server is serving {}", self.root.display())))
            }
            Err(TryLockError::Error(error)) => Err(unusable(&path, &error)),
        }
    }

    /// The registry's name: the one kept; at the first start the configured one, which is kept from then on.
    pub fn name(&self, configured: Option<&str>) -> Result<String, Refusal> {
        let Some(kept) = self.kept_name()? else {
            let name = configured.unwrap_or(NAME_DEFAULT);
            self.keep_name(name).map_err(|error| unusable(&self.root, &error))?;
            return Ok(name.to_owned());
        };
        match configured {
            Some(other) if other != kept => Err(Refusal::new(
                "name-differs",
                format!("the configuration names the registry `{other}`, its data folder `{kept}`"),
            )
            .hint(format!("every statement here binds `{kept}`: set `name = \"{kept}\"`"))),
            _ => Ok(kept),
        }
    }

    /// The name in the data folder, if there was a first start.
    pub fn kept_name(&self) -> Result<Option<String>, Refusal> {
        let path = self.root.join("name");
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| unusable(&path, &error))?,
        };
        let name = text.trim_end();
        check_name(name).map_err(|refusal| refusal.at(path.display()))?;
        Ok(Some(name.to_owned()))
    }

    fn keep_name(&self, name: &str) -> std::io::Result<()> {
        let temporary = self.root.join("name.tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(format!("{name}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, self.root.join("name"))?;
        File::open(&self.root)?.sync_all()
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> Refusal {
    Refusal::new("data-unusable", format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_keeps_its_first_name_for_ever() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::open(folder.path()).expect("opens");
        assert_eq!(home.name(Some("skills.example")).expect("kept"), "skills.example");
        assert_eq!(home.name(None).expect("kept"), "skills.example");
        assert_eq!(home.name(Some("other.example")).expect_err("differs").code, "name-differs");
    }

    #[test]
    fn one_server_at_a_time_serves_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::open(folder.path()).expect("opens");
        let served = home.serve().expect("free");
        assert_eq!(home.serve().expect_err("taken").code, "data-in-use");
        drop(served);
        assert!(home.serve().is_ok());
    }
}
