//! Ordinary folders packed by other people's tools read fine, and those tools read what we pack.
//!
//! The tools write to a pipe and read a folder of this test's own, under the target folder.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests may start other tools; the room itself may not"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use skills::FilePath;
use skills::archive::{pack, unpack};
use skills::tree::{File, Mode, Tree};

/// A folder with what real skills have: a script, an empty file, letters, a long path.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("other-writers");
    let files =
        ["SKILL.md", "scripts/run.sh", "empty", "na\u{ef}ve.md", &format!("{}/{}", "d".repeat(90), "f".repeat(60))];
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("it has one")).expect("a folder can be made under the target folder");
        fs::write(&path, file).expect("a file can be written under the target folder");
    }
    folder
}

fn reads(program: &str, args: &[&str], files: usize) {
    match Command::new(program).args(args).current_dir(folder()).output() {
        Ok(output) if output.status.success() => {
            let tree = unpack(&output.stdout).unwrap_or_else(|refusal| panic!("{program} {args:?}: {refusal}"));
            assert_eq!(tree.files().len(), files, "{program} {args:?}");
            assert_eq!(tree.file("scripts/run.sh").expect("packed").bytes, b"scripts/run.sh");
        }
        Ok(output) => eprintln!("skipped: {program} says {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("skipped: {program} cannot be run here: {error}"),
    }
}

fn python(format: &str, what: &str) -> String {
    format!(
        "import sys,tarfile; t=tarfile.open(fileobj=sys.stdout.buffer,mode='w|gz',format=tarfile.{format}); {what}; t.close()"
    )
}

#[test]
fn archives_of_python_read_fine() {
    reads("python3", &["-c", &python("PAX_FORMAT", "t.add('.')")], 5);
    let names = "[t.add(n) for n in ('SKILL.md', 'scripts', 'empty')]";
    reads("python3", &["-c", &python("PAX_FORMAT", names)], 3);
    reads("python3", &["-c", &python("USTAR_FORMAT", names)], 3);
}

#[test]
fn archives_of_gnu_tar_read_fine() {
    reads("tar", &["--format=ustar", "-cz", "."], 5);
    reads("tar", &["--format=ustar", "-cz", "SKILL.md", "scripts", "empty"], 3);
    reads("tar", &["--format=posix", "--pax-option=delete=atime,delete=ctime", "-cz", "."], 5);
}

/// Both list every path of an archive of ours, also those that only PAX can hold.
#[test]
fn python_and_gnu_tar_read_what_we_pack() {
    let long = format!("{}/{}/{}", "a".repeat(90), "b".repeat(40), "c".repeat(100));
    let unsplit = format!("{}/{}/{}", "a".repeat(60), "b".repeat(100), "c".repeat(60));
    let paths = ["SKILL.md", &long, &unsplit, "na\u{ef}ve/\u{65e5}\u{672c}.md"];
    let files = paths.map(|path| File {
        path: FilePath::parse(path).expect("lawful"),
        mode: Mode::Executable,
        bytes: path.into(),
    });
    let tree = Tree::new(files.to_vec()).expect("lawful");
    let archive = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ours.tar.gz");
    fs::write(&archive, pack(&tree).expect("small")).expect("a file can be written under the target folder");
    let mut expected: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
    expected.sort_unstable();
    let archive = archive.to_str().expect("the target folder is UTF-8");
    let list = "import sys,tarfile; sys.stdout.reconfigure(encoding='utf-8'); [print(n) for n in tarfile.open(sys.argv[1]).getnames()]";
    for (program, args) in
        [("python3", vec!["-c", list, archive]), ("tar", vec!["--quoting-style=literal", "-tzf", archive])]
    {
        match Command::new(program).args(args).output() {
            Ok(output) if output.status.success() => {
                let text = String::from_utf8(output.stdout).expect("UTF-8");
                let mut seen: Vec<&str> = text.lines().collect();
                seen.sort_unstable();
                assert_eq!(seen, expected, "{program}");
            }
            Ok(output) => eprintln!("skipped: {program} says {}", String::from_utf8_lossy(&output.stderr)),
            Err(error) => eprintln!("skipped: {program} cannot be run here: {error}"),
        }
    }
}
