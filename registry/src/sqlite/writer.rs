//! The one writing connection, and group commit.
//!
//! SQLite has one writer at a time whatever we do, so there is one thread that owns it. It takes
//! everything that waits, gives each change its own savepoint inside one transaction, commits once, and
//! only then answers: eight clients share one fsync instead of queueing for eight. It never waits for a
//! group to fill, so a client alone pays nothing for it.
//!
//! ```text
//! receive → drain → BEGIN IMMEDIATE → (SAVEPOINT, apply, RELEASE | ROLLBACK TO)* → read what was touched
//!         → COMMIT, durable → tell the watcher → answer
//! ```
//!
//! When the storage fails, the thread answers the group with the failure and refuses every change from
//! then on. Reading goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::apply::{Applied, apply};
use crate::store::{Change, Done, Fault, Touched, Watcher};

/// Most changes that wait for the writer. Beyond it a client is told to come back, instead of being
/// kept with its upload in memory.
const WAITING_MAX: usize = 1_024;

/// Most changes in one transaction: bounds how long the first one waits for its answer.
const GROUP_MAX: usize = 256;

struct Job {
    change: Change,
    answer: oneshot::Sender<Result<Vec<Done>, Fault>>,
}

/// The handle of the writing thread; the thread ends when the handle is dropped, after its last group.
pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

struct Shared {
    broken: AtomicBool,
    why: Mutex<String>,
    watcher: OnceLock<Watcher>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Result<Self, Fault> {
        let shared = Arc::new(Shared {
            broken: AtomicBool::new(false),
            why: Mutex::new(String::new()),
            watcher: OnceLock::new(),
        });
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let its = shared.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_all(&connection, &waiting, &its))
            .map_err(|error| Fault::Broken(format!("no thread for the writer: {error}")))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), shared })
    }

    /// Who is told of every commit from now on; the first caller wins.
    pub(super) fn watch(&self, watcher: Watcher) {
        let _ = self.shared.watcher.set(watcher);
    }

    /// Queues a change and waits for its group.
    pub(super) async fn commit(&self, change: Change) -> Result<Vec<Done>, Fault> {
        self.ready()?;
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("the sender is taken only by drop");
        jobs.try_send(Job { change, answer }).map_err(|error| match error {
            TrySendError::Full(_) => Fault::Busy,
            TrySendError::Disconnected(_) => Fault::Broken("the writer has ended".to_owned()),
        })?;
        answered.await.unwrap_or_else(|_| Err(Fault::Broken("the writer has ended".to_owned())))
    }

    /// Whether changes can still be kept.
    pub(super) fn ready(&self) -> Result<(), Fault> {
        if self.shared.broken.load(Ordering::Acquire) {
            let why = self.shared.why.lock().map(|why| why.clone()).unwrap_or_default();
            return Err(Fault::Broken(why));
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_all(connection: &Connection, waiting: &Receiver<Job>, shared: &Shared) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP_MAX - 1));
        if shared.broken.load(Ordering::Acquire) {
            answer_all(group, &Fault::Broken("the storage failed before".to_owned()));
            continue;
        }
        write_group(connection, group, shared);
    }
}

fn write_group(connection: &Connection, group: Vec<Job>, shared: &Shared) {
    match keep(connection, &group) {
        Ok((results, touched)) => {
            if let Some(watcher) = shared.watcher.get() {
                watcher(touched);
            }
            for (job, result) in group.into_iter().zip(results) {
                // The client may have gone; its change stays.
                let _ = job.answer.send(result);
            }
        }
        Err(fault) => {
            let _ = connection.execute_batch("ROLLBACK");
            if let Fault::Broken(why) = &fault {
                tracing::error!(why, "the storage failed: no more changes are accepted");
                if let Ok(mut kept) = shared.why.lock() {
                    kept.clone_from(why);
                }
                shared.broken.store(true, Ordering::Release);
            }
            answer_all(group, &fault);
        }
    }
}

fn answer_all(group: Vec<Job>, fault: &Fault) {
    for job in group {
        let _ = job.answer.send(Err(fault.clone()));
    }
}

type Results = Vec<Result<Vec<Done>, Fault>>;

/// One transaction. An error that is not a refusal of one change is an error of the whole group.
fn keep(connection: &Connection, group: &[Job]) -> Result<(Results, Vec<Touched>), Fault> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut results = Vec::with_capacity(group.len());
    let mut together = Applied::default();
    for job in group {
        results.push(match keep_one(connection, &job.change)? {
            Ok(applied) => {
                together.packages.extend(applied.packages);
                together.scopes.extend(applied.scopes);
                Ok(applied.done)
            }
            Err(refused) => Err(refused),
        });
    }
    together.packages.sort_unstable();
    together.packages.dedup();
    let touched = together.touched(connection)?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok((results, touched))
}

/// One savepoint. The outer error fails the group, the inner one only this change.
fn keep_one(connection: &Connection, change: &Change) -> Result<Result<Applied, Fault>, Fault> {
    connection.prepare_cached("SAVEPOINT change")?.execute([])?;
    match apply(connection, change) {
        Ok(applied) => {
            connection.prepare_cached("RELEASE change")?.execute([])?;
            Ok(Ok(applied))
        }
        Err(Fault::Refused(refusal)) => {
            connection.prepare_cached("ROLLBACK TO change")?.execute([])?;
            connection.prepare_cached("RELEASE change")?.execute([])?;
            Ok(Err(Fault::Refused(refusal)))
        }
        Err(fault) => Err(fault),
    }
}
