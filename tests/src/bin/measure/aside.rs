//! Making a folder be gone without deleting it.
//!
//! ext4 gives out no inode again for minutes after it was deleted, and looks at each such inode anew
//! for every file that is created nearby. Deleting what was installed before installing it again
//! measures that search: seventy per cent of the time, and more with every round. A fresh clone has
//! nothing to search, so what should be gone is moved aside, and deleted when all is measured.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder for what should be gone, on the same disk.
pub(crate) struct Aside {
    folder: PathBuf,
    next: AtomicU64,
}

impl Aside {
    /// An empty one, below a folder that is deleted at the end.
    pub(crate) fn below(root: &Path) -> Self {
        let folder = root.join("aside");
        fs::create_dir_all(&folder).expect("created");
        Self { folder, next: AtomicU64::new(0) }
    }

    /// Moves a file or a folder here, where there is one.
    pub(crate) fn take(&self, path: &Path) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        match fs::rename(path, self.folder.join(number.to_string())) {
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{}: {error}", path.display()),
            _ => {}
        }
    }
}
