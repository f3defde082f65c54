//! Many files on their way to the disk.
//!
//! A sync waits for the disk's journal, which serves many files in the time of one.  So files are synced side by side, while
//! the next ones are written.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};

/// How many files are synced at once.  They wait, and do not compute.
const THREADS: usize = 16;

/// Files that are being synced.
pub(super) struct Syncing {
    paths: Sender<PathBuf>,
    threads: Vec<JoinHandle<Result<()>>>,
}

impl Syncing {
    pub fn begin() -> Result<Self> {
        let (paths, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let thread = |_| {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new().name("sync".into()).spawn(move || sync_files(&receiver)).map_err(Error::unwritable)
        };
        Ok(Self { paths, threads: (0..THREADS).map(thread).collect::<Result<_>>()? })
    }

    /// Syncs a file that is complete.
    pub fn add(&self, path: PathBuf) {
        // A send fails once every thread has met an error, which `finish` returns.
        let _ = self.paths.send(path);
    }

    /// Returns when all files are on the disk.
    pub fn finish(self) -> Result<()> {
        drop(self.paths);
        let outcomes = self.threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err(Error::internal("the thread that syncs files panicked")))
        });
        outcomes.collect::<Vec<_>>().into_iter().collect()
    }
}

fn sync_files(paths: &Mutex<Receiver<PathBuf>>) -> Result<()> {
    let next = || paths.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok(path) = next() {
        let file = OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.sync_all()).map_err(|error| Error::unwritable(error).in_file(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_synced_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: usize| folder.path().join(number.to_string());
        let syncing = Syncing::begin().unwrap();
        for number in 0..100 {
            std::fs::write(path(number), "text").unwrap();
            syncing.add(path(number));
        }
        syncing.finish().unwrap();
        let syncing = Syncing::begin().unwrap();
        syncing.add(path(0));
        syncing.add(path(100));
        let error = syncing.finish().unwrap_err().to_string();
        assert!(error.contains(&path(100).display().to_string()), "{error}");
    }
}
