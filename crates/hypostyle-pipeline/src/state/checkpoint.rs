//! Checkpoints, so that a run survives being killed.
//!
//! A directory beside the output holds the complete parts of the output, the rejects so far, and the stages' states.  A
//! manifest says which of them belong together and where in the input they end; it is written last, under another name, synced
//! and renamed.  Whatever a kill leaves behind, the manifest therefore speaks of files that are whole.  The next run of the
//! same pipeline goes on from it, and what comes out at the end is what an undisturbed run gives, to the bit: parts end where
//! groups of the output do, which follows from the input alone.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::state_file::{StateFile, StateHeader};
use crate::error::{Error, ErrorKind, Result};
use crate::files::input::InputFile;
use crate::model::chunk::{FilterCounts, InputPosition};
use crate::sink::atomic::{folder, sync_folder};
use crate::sink::bad_row_log::BadRowCounts;
use crate::sink::parts::PartPaths;
use crate::sink::write::Whole;

const MANIFEST: &str = "checkpoint.json";

/// Where checkpoints of a run are kept, and how often they are made.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoints {
    pub every: Duration,
    pub paths: PartPaths,
    /// What must be the same for a run to resume.
    pub run: Run,
}

/// What identifies a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub hypostyle: String,
    pub pipeline: String,
    pub limit: Option<u64>,
    pub inputs: Vec<InputFile>,
    /// The header of the state that the run began with.
    pub before: Option<StateHeader>,
}

/// Where to resume a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumePoint {
    /// The position to resume reading from.
    pub mark: InputPosition,
    /// Rows that reached the stages.
    pub rows_read: u64,
    pub rows_written: u64,
    #[serde(default)]
    pub left_out: FilterCounts,
    pub output: Whole,
    pub rejects_bytes: u64,
    pub bad: BadRowCounts,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    run: Run,
    progress: ResumePoint,
    states: String,
}

impl Checkpoints {
    pub fn new(output: &Path, every: Duration, run: Run) -> Self {
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        Self { every, paths: PartPaths::new(folder(output).join(format!(".{name}.checkpoint"))), run }
    }

    fn folder(&self) -> &Path {
        self.paths.directory()
    }

    fn fault<E: std::error::Error + Send + Sync + 'static>(&self) -> impl Fn(E) -> Error {
        move |error| Error::new(ErrorKind::Sink, "cannot write the checkpoint").in_file(self.folder()).because(error)
    }

    /// Where to resume the last run of this pipeline, if it was interrupted.
    pub fn find(&self, state: Option<&StateFile>) -> Result<Option<(ResumePoint, StateFile)>> {
        let path = self.folder().join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::new(ErrorKind::State, "cannot read the checkpoint").in_file(&path).because(error));
            }
        };
        let restart = "pass --restart to start over";
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
            let message = "the checkpoint is damaged, or of another version of Hypostyle";
            Error::new(ErrorKind::State, message).in_file(&path).help(restart).because(error)
        })?;
        if state.is_some_and(|state| state.has_processed(&manifest.run.inputs)) {
            // That run had done everything but to remove it.
            return Ok(None);
        }
        if let Some(difference) = manifest.run.difference(&self.run) {
            return Err(Error::new(
                ErrorKind::State,
                format!("the checkpoint belongs to a different run: {difference}"),
            )
            .in_file(self.folder())
            .help(format!("restore the old value to resume, or {restart}")));
        }
        let saved = StateFile::read(&self.folder().join(&manifest.states)).map_err(|error| error.help(restart))?;
        Ok(Some((manifest.progress, saved)))
    }

    /// Makes the folder, with nothing in it but what this progress needs.
    pub fn prepare(&self, progress: Option<&ResumePoint>) -> Result<()> {
        fs::create_dir_all(self.folder()).map_err(self.fault())?;
        if progress.is_none() {
            // First the manifest: without it nothing else counts.
            let manifest = self.folder().join(MANIFEST);
            if manifest.exists() {
                fs::remove_file(&manifest).map_err(self.fault())?;
                sync_folder(&manifest)?;
            }
        }
        let parts = progress.map_or(0, |progress| progress.output.parts());
        for entry in fs::read_dir(self.folder()).map_err(self.fault())? {
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
    pub fn write(&self, progress: &ResumePoint, saved: &StateFile) -> Result<()> {
        let states = format!("states-{:06}.tar", progress.rows_read);
        let mut file = File::create(self.folder().join(&states)).map_err(self.fault())?;
        saved.write(&mut file).map_err(self.fault())?;
        file.sync_all().map_err(self.fault())?;
        let manifest = Manifest { run: self.run.clone(), progress: progress.clone(), states: states.clone() };
        let text = serde_json::to_vec_pretty(&manifest).map_err(self.fault())?;
        let new = self.folder().join("checkpoint.json.new");
        let mut file = File::create(&new).map_err(self.fault())?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(self.fault())?;
        fs::rename(&new, self.folder().join(MANIFEST)).map_err(self.fault())?;
        sync_folder(&new)?;
        for entry in fs::read_dir(self.folder()).map_err(self.fault())? {
            let path = entry.map_err(self.fault())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("states-") && name != states {
                fs::remove_file(&path).map_err(self.fault())?;
            }
        }
        Ok(())
    }

    /// Removes the directory: the output is in its place, or the run starts over.
    pub fn remove(&self) -> Result<()> {
        let manifest = self.folder().join(MANIFEST);
        if manifest.exists() {
            fs::remove_file(&manifest).map_err(self.fault())?;
        }
        match fs::remove_dir_all(self.folder()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.fault()(error)),
            _ => Ok(()),
        }
    }
}

impl Run {
    /// The first difference, in words.
    fn difference(&self, now: &Self) -> Option<String> {
        if self.hypostyle != now.hypostyle {
            return Some(format!("Hypostyle was {}, is {}", self.hypostyle, now.hypostyle));
        }
        if self.pipeline != now.pipeline {
            return Some("the pipeline file or the memory limit has changed".to_string());
        }
        if self.limit != now.limit {
            let shown = |limit: Option<u64>| limit.map_or("none".to_string(), |rows| rows.to_string());
            return Some(format!("limit was {}, is {}", shown(self.limit), shown(now.limit)));
        }
        if self.before != now.before {
            return Some("the state has changed".to_string());
        }
        if self.inputs.len() != now.inputs.len() {
            return Some(format!("it had {} input files, now there are {}", self.inputs.len(), now.inputs.len()));
        }
        let changed = self.inputs.iter().zip(&now.inputs).find(|(then, now)| then != now)?;
        let (then, now) = changed;
        Some(if then.path == now.path {
            format!("input '{}' has changed", now.path.display())
        } else {
            format!("input was '{}', is '{}'", then.path.display(), now.path.display())
        })
    }
}
