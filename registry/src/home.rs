//! The data folder: what lies where, who owns it, and what the registry is called.
//!
//! ```text
//! DIR/name              the registry's name, written once: every statement ever published binds it
//! DIR/lock              held by the one server that may write here
//! DIR/registry.sqlite   rows (with -wal and -shm beside it while open)
//! DIR/blobs/sha256/ab/… archives by digest
//! DIR/blobs/tmp/…       uploads being written; emptied at start
//! ```

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
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
    /// Opens or creates a data folder. A new one is closed to other users of the machine: hashes of tokens and
    /// names of users lie in it.
    pub fn open(root: &Path) -> Result<Self, Refusal> {
        let made = root.parent().map_or(Ok(()), std::fs::create_dir_all);
        match made.and_then(|()| DirBuilder::new().mode(0o700).create(root)) {
            Err(_) if root.is_dir() => {}
            made => made.map_err(|error| unusable(root, &error))?,
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The mode of a data folder that other users of the machine may look into. It is said at start and left
    /// as it is: who made the folder may have meant it.
    pub fn open_to_others(&self) -> Option<u32> {
        let mode = std::fs::metadata(&self.root).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then_some(mode)
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

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a_data_folder_that_we_make_is_closed_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("new/data");
        for _ in 0..2 {
            let home = Home::open(&root).expect("opens");
            assert_eq!(mode(&root), 0o700);
            assert_eq!(home.open_to_others(), None);
        }
    }

    #[test]
    fn a_data_folder_that_was_there_keeps_its_mode_and_is_known_to_be_open() {
        let folder = tempfile::tempdir().expect("a folder");
        for loose in [0o755, 0o750, 0o701] {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(loose)).expect("ours");
            let home = Home::open(folder.path()).expect("opens");
            assert_eq!((mode(folder.path()), home.open_to_others()), (loose, Some(loose)));
        }
    }

    #[test]
    fn a_data_folder_that_cannot_be_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("written");
        for root in [file.clone(), file.join("data")] {
            assert_eq!(Home::open(&root).expect_err("a file is in the way").code, "data-unusable");
        }
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
