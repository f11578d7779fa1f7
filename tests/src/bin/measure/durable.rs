//! The floor of a durable publish: what no registry can leave out, however it is written.
//!
//! For each archive: write it, fsync it, rename it to its name. Then, as SQLite does for a commit in
//! WAL mode, append what the row says to a log and fsync that. Several clients at once write their
//! archives side by side and share the fsync of the log: a perfect group commit.

use std::fs::{File, create_dir};
use std::io::Write;
use std::path::Path;
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

/// SQLite's log grows by pages of this many bytes.
const PAGE_BYTES: usize = 4_096;

/// Keeps blobs of these sizes in a new folder, one after the other.
pub(crate) fn keep_blobs(folder: &Path, sizes: &[usize]) {
    create_dir(folder).expect("created");
    for (number, size) in sizes.iter().enumerate() {
        keep_blob(folder, &number.to_string(), *size);
    }
}

/// Keeps blobs of these sizes, with rows of these sizes, from as many clients as there are lists.
pub(crate) fn keep(folder: &Path, clients: &[Vec<(usize, usize)>]) -> Duration {
    let log = Mutex::new(File::create(folder.join("log")).expect("created"));
    let together = Barrier::new(clients.len());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (client, sizes) in clients.iter().enumerate() {
            let (log, together) = (&log, &together);
            scope.spawn(move || {
                for (number, (blob, row)) in sizes.iter().enumerate() {
                    keep_blob(folder, &format!("{client}-{number}"), *blob);
                    append(log, *row);
                    if together.wait().is_leader() {
                        log.lock().expect("no thread panics").sync_data().expect("synced");
                    }
                    together.wait();
                }
            });
        }
    });
    start.elapsed()
}

fn keep_blob(folder: &Path, name: &str, bytes: usize) {
    let temporary = folder.join(format!("{name}.tmp"));
    let mut file = File::create(&temporary).expect("created");
    file.write_all(&vec![b'x'; bytes]).expect("written");
    file.sync_all().expect("synced");
    std::fs::rename(temporary, folder.join(name)).expect("renamed");
}

fn append(log: &Mutex<File>, row: usize) {
    let pages = vec![b'r'; row.next_multiple_of(PAGE_BYTES)];
    log.lock().expect("no thread panics").write_all(&pages).expect("appended");
}
