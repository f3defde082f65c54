//! Checkpoints, so that a run survives being killed.
//!
//! Beside the output lies a folder with the parts of the output that are whole, the rejects so far, and the stages' states.  A
//! manifest says which of them belong together and where in the input they end; it is written last, under another name, synced
//! and renamed.  Whatever a kill leaves behind, the manifest therefore speaks of files that are whole.  The next run of the
//! same pipeline goes on from it, and what comes out at the end is what an undisturbed run gives, to the bit: parts end where
//! groups of the output do, which follows from the input alone.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::policy::Counts;
use crate::saved::{About, Saved};
use crate::sink::place::{folder, sync_folder};
use crate::sink::write::Whole;
use crate::source::Mark;
use crate::source::files::InputFile;
use crate::source::filter::LeftOut;

const MANIFEST: &str = "checkpoint.json";

/// Where checkpoints of a run are kept, and how often they are made.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    pub every: Duration,
    folder: PathBuf,
    /// What must be the same for a run to go on.
    pub run: Run,
}

/// What tells whether two runs are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub hypostyle: String,
    pub pipeline: String,
    pub limit: Option<u64>,
    pub inputs: Vec<InputFile>,
    /// The state that the run began with, by what it had taken in.
    pub before: Option<About>,
}

/// How far a run had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Where reading goes on.
    pub mark: Mark,
    /// Rows that were taken from the input: the filter's, without bad ones.
    pub rows_read: u64,
    pub rows_written: u64,
    #[serde(default)]
    pub left_out: LeftOut,
    pub output: Whole,
    pub rejects_bytes: u64,
    pub bad: Counts,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    run: Run,
    progress: Progress,
    states: String,
}

impl Checkpoints {
    pub fn new(output: &Path, every: Duration, run: Run) -> Self {
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        Self { every, folder: folder(output).join(format!(".{name}.checkpoint")), run }
    }

    pub fn part(&self, index: usize) -> PathBuf {
        self.folder.join(format!("part-{index:06}"))
    }

    /// Where the parts of an output of many files are.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    pub fn rejects(&self) -> PathBuf {
        self.folder.join("rejects.csv")
    }

    fn fault<E: std::error::Error + Send + Sync + 'static>(&self) -> impl Fn(E) -> Error {
        move |error| Error::new(ErrorKind::Sink, "can't write the checkpoint").in_file(&self.folder).because(error)
    }

    /// Where the last run of this pipeline was when it ended before its time; `None` for a fresh start.
    pub fn find(&self, state: Option<&Saved>) -> Result<Option<(Progress, Saved)>> {
        let path = self.folder.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::new(ErrorKind::State, "can't read the checkpoint").in_file(&path).because(error));
            }
        };
        let restart = "begin anew: --restart";
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
            let message = "the checkpoint is damaged, or of another version";
            Error::new(ErrorKind::State, message).in_file(&path).help(restart).because(error)
        })?;
        if state.is_some_and(|state| state.has_taken(&manifest.run.inputs)) {
            // That run had done everything but to remove it.
            return Ok(None);
        }
        if let Some(difference) = manifest.run.difference(&self.run) {
            return Err(Error::new(ErrorKind::State, format!("the checkpoint is of another run: {difference}"))
                .in_file(&self.folder)
                .help(format!("restore what was there, so that the run can go on; or {restart}")));
        }
        let saved = Saved::read(&self.folder.join(&manifest.states)).map_err(|error| error.help(restart))?;
        Ok(Some((manifest.progress, saved)))
    }

    /// Makes the folder, with nothing in it but what this progress needs.
    pub fn prepare(&self, progress: Option<&Progress>) -> Result<()> {
        fs::create_dir_all(&self.folder).map_err(self.fault())?;
        if progress.is_none() {
            // First the manifest: without it nothing else counts.
            let manifest = self.folder.join(MANIFEST);
            if manifest.exists() {
                fs::remove_file(&manifest).map_err(self.fault())?;
                sync_folder(&manifest)?;
            }
        }
        let parts = progress.map_or(0, |progress| progress.output.parts());
        for entry in fs::read_dir(&self.folder).map_err(self.fault())? {
            let path = entry.map_err(self.fault())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let late =
                name.strip_prefix("part-").is_some_and(|index| index.parse().is_ok_and(|index: usize| index >= parts));
            if late {
                fs::remove_file(&path).map_err(self.fault())?;
            }
        }
        Ok(())
    }

    /// Writes a checkpoint; the parts and rejects that it speaks of are on the disk already.
    pub fn write(&self, progress: &Progress, saved: &Saved) -> Result<()> {
        let states = format!("states-{:06}.tar", progress.rows_read);
        let mut file = File::create(self.folder.join(&states)).map_err(self.fault())?;
        saved.write(&mut file).map_err(self.fault())?;
        file.sync_all().map_err(self.fault())?;
        let manifest = Manifest { run: self.run.clone(), progress: progress.clone(), states: states.clone() };
        let text = serde_json::to_vec_pretty(&manifest).map_err(self.fault())?;
        let new = self.folder.join("checkpoint.json.new");
        let mut file = File::create(&new).map_err(self.fault())?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(self.fault())?;
        fs::rename(&new, self.folder.join(MANIFEST)).map_err(self.fault())?;
        sync_folder(&new)?;
        for entry in fs::read_dir(&self.folder).map_err(self.fault())? {
            let path = entry.map_err(self.fault())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("states-") && name != states {
                fs::remove_file(&path).map_err(self.fault())?;
            }
        }
        Ok(())
    }

    /// Removes the folder: the output is in its place, or the run begins anew.
    pub fn remove(&self) -> Result<()> {
        let manifest = self.folder.join(MANIFEST);
        if manifest.exists() {
            fs::remove_file(&manifest).map_err(self.fault())?;
        }
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.fault()(error)),
            _ => Ok(()),
        }
    }
}

impl Run {
    /// The first difference, in words.
    fn difference(&self, now: &Self) -> Option<String> {
        if self.hypostyle != now.hypostyle {
            return Some(format!("Hypostyle was {} then and is {} now", self.hypostyle, now.hypostyle));
        }
        if self.pipeline != now.pipeline {
            return Some("the pipeline file, or an option that changes what is written, was changed".to_string());
        }
        if self.limit != now.limit {
            return Some("the limit is another".to_string());
        }
        if self.before != now.before {
            return Some("the state that it began with was changed".to_string());
        }
        if self.inputs.len() != now.inputs.len() {
            return Some(format!("it read {} files, now there are {}", self.inputs.len(), now.inputs.len()));
        }
        let changed = self.inputs.iter().zip(&now.inputs).find(|(then, now)| then != now)?;
        let (then, now) = changed;
        Some(if then.path == now.path {
            format!("the input '{}' was changed since", now.path.display())
        } else {
            format!("it read '{}' where now '{}' is read", then.path.display(), now.path.display())
        })
    }
}
