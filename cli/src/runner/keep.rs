//! Keeps a signed statement: one more line of a file that is committed with the work.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use skills::dsse::{Envelope, IN_TOTO};
use skills::evidence;

use crate::failure::{Failure, OnPath};
use crate::keys::Signer;

/// Where runs outside any brief are kept.
const WITHOUT_BRIEF: &str = "checks";

/// Signs a statement and appends it to the evidence of a brief, or of none; gives the file. Whoever comes
/// at the same time waits, so that every line is whole.
pub fn keep(root: &Path, brief: Option<&str>, payload: Vec<u8>, signer: &Signer) -> Result<PathBuf, Failure> {
    let envelope: Envelope = signer.envelope(IN_TOTO, payload)?;
    let name = format!(".skill/evidence/{}.intoto.jsonl", brief.unwrap_or(WITHOUT_BRIEF));
    let path = root.join(&name);
    refuse_links(root, &name)?;
    let folder = root.join(".skill/evidence");
    fs::create_dir_all(&folder).on("create", &folder)?;
    append(&path, &evidence::format(&envelope)).on("write", &path)?;
    Ok(path)
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = File::options().read(true).append(true).create(true).open(path)?;
    file.lock()?;
    let mut text = String::new();
    // A line that was cut off must not swallow this one.
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        text.extend((last[0] != b'\n').then_some('\n'));
    }
    text.push_str(line);
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// A branch could bring a link along that leads to any file of this user.
fn refuse_links(root: &Path, name: &str) -> Result<(), Failure> {
    let mut place = root.to_owned();
    for part in name.split('/') {
        place.push(part);
        if place.is_symlink() {
            let seen = format!("`{}` is a link, and evidence would be written where it leads", place.display());
            return Err(Failure::could_not("leaves-project", seen).hint("remove the link"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::File(skills::key::SigningKey::from_seed(&[7; 32]))
    }

    #[test]
    fn lines_are_added_and_a_cut_one_stays_by_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = keep(folder.path(), Some("ops-1"), b"{}".to_vec(), &signer()).expect("kept");
        assert!(path.ends_with(".skill/evidence/ops-1.intoto.jsonl"));
        fs::write(&path, format!("{}{{\"payl", fs::read_to_string(&path).expect("read"))).expect("cut");
        keep(folder.path(), Some("ops-1"), b"{}".to_vec(), &signer()).expect("kept");
        let text = fs::read_to_string(&path).expect("read");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[1]), (3, "{\"payl"));
        assert_eq!(lines[0], lines[2]);
        assert!(keep(folder.path(), None, b"{}".to_vec(), &signer()).expect("kept").ends_with("checks.intoto.jsonl"));
    }

    #[test]
    fn two_at_once_both_land() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        keep(folder.path(), Some("x"), vec![b'x'; 20_000], &signer()).expect("kept");
                    }
                });
            }
        });
        let text = fs::read_to_string(folder.path().join(".skill/evidence/x.intoto.jsonl")).expect("read");
        assert_eq!(text.lines().count(), 160);
        assert!(text.lines().all(|line| line == text.lines().next().expect("a line")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_refused() {
        for name in [".skill", ".skill/evidence", ".skill/evidence/x.intoto.jsonl"] {
            let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
            let place = folder.path().join(name);
            fs::create_dir_all(place.parent().expect("a parent")).expect("made");
            std::os::unix::fs::symlink(other.path().join("target"), &place).expect("linked");
            let failure = keep(folder.path(), Some("x"), b"{}".to_vec(), &signer()).expect_err(name);
            assert_eq!(failure.code, "leaves-project");
        }
    }
}
