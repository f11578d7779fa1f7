//! Files that only their owner may read: keys and credentials.
//!
//! A secret is never readable by others, not even for the moment between creating a file and
//! changing its mode: it is created with mode 0600 and moved into place whole. A secret that
//! others could already read is refused instead of used, as `ssh` does, because it may not be a
//! secret any more. On platforms without modes the user's own profile folder is the protection.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::failure::{Failure, OnPath};

/// Largest secret file that we read, in bytes: an encrypted key has about 400, credentials for a
/// hundred registries about 10,000.
const PRIVATE_BYTES_MAX: u64 = 256 * 1024;

/// Makes the folder, readable by its owner only; a folder that exists is left as it is.
pub fn create_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).on("create", folder)
}

/// Writes a file that must not exist yet; two that try at once cannot both succeed.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let staged = stage(path, bytes)?;
    match staged.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(Failure::io("write", path, &error.error)),
    }
}

/// Writes a file whole, over the one that is there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    stage(path, bytes)?.persist(path).map_err(|error| error.error).on("write", path)?;
    Ok(())
}

/// The bytes, on disk, in a file of mode 0600 beside the place that they are meant for.
fn stage(path: &Path, bytes: &[u8]) -> Result<tempfile::NamedTempFile, Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let mut staged = tempfile::Builder::new().prefix(".new-").tempfile_in(folder).on("create a file in", folder)?;
    staged.write_all(bytes).and_then(|()| staged.as_file().sync_all()).on("write", path)?;
    Ok(staged)
}

fn exists(path: &Path) -> Failure {
    Failure::could_not("file-exists", format!("`{}` exists, and is not overwritten", path.display()))
}

/// Reads a secret; `None` where there is none. One that others may read is refused.
pub fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        opened => opened.on("read", path)?,
    };
    check_private(&file, path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    file.take(PRIVATE_BYTES_MAX + 1).read_to_end(&mut bytes).on("read", path)?;
    if bytes.len() as u64 > PRIVATE_BYTES_MAX {
        let seen = format!("`{}` has more than {PRIVATE_BYTES_MAX} bytes: it is not one of our files", path.display());
        return Err(Failure::usage("file-too-large", seen));
    }
    Ok(Some(bytes))
}

/// Looks at the file that was opened, not at its name, which could name another one by now.
fn check_private(file: &File, path: &Path) -> Result<(), Failure> {
    let metadata = file.metadata().on("read", path)?;
    if !metadata.is_file() {
        return Err(Failure::could_not("not-a-file", format!("`{}` is not a regular file", path.display())));
    }
    match loose_mode(&metadata) {
        None => Ok(()),
        Some(mode) => Err(Failure::could_not(
            "permissions-too-open",
            format!("`{}` has mode {mode:04o}: others may read it, expected 0600", path.display()),
        )
        .hint(format!("run `chmod 600 {}`; if others use this machine, replace the secret", quoted(path)))),
    }
}

/// The mode, where it gives anything to anyone but the owner.
#[cfg(unix)]
pub fn loose_mode(metadata: &fs::Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// The mode, where it gives anything to anyone but the owner: there are no modes here.
#[cfg(not(unix))]
pub fn loose_mode(_metadata: &fs::Metadata) -> Option<u32> {
    None
}

/// A path as a person can paste it into a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c));
    if plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/er/secret");
        write_new(&path, b"one").expect("the first writing");
        let again = write_new(&path, b"two").expect_err("the second writing");
        assert_eq!(again.code, "file-exists");
        assert_eq!(read(&path).expect("it can be read").expect("it is there").as_slice(), b"one");
        replace(&path, b"three").expect("a replacement");
        assert_eq!(read(&path).expect("it can be read").expect("it is there").as_slice(), b"three");
        assert!(read(&folder.path().join("none")).expect("absence is no failure").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_may_read_is_refused_and_a_new_one_never_is() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys/secret");
        write_new(&path, b"secret").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().expect("a parent"))), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        let refused = read(&path).expect_err("group may read it");
        assert_eq!(refused.code, "permissions-too-open");
        assert!(refused.hint.expect("a way out").contains("chmod 600"));
    }
}
