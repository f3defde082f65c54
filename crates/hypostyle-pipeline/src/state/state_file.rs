//! The state of a whole pipeline in one file, so that the next run continues where this one ended: a tar archive of the stages'
//! states, each an Arrow IPC file that any Arrow tool reads, and `about.json`, which lists the inputs that were processed.

use std::io::{Cursor, Read, Write};
use std::path::Path;

use hypostyle::{Catalog, KernelSpec, Stage};
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, Header};

use crate::error::{Error, ErrorKind, Result};
use crate::files::input::InputFile;

/// The version of the archive's own layout.
const FORMAT: u32 = 1;
const ABOUT: &str = "about.json";

/// Which rows and inputs a state has processed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateHeader {
    pub format: u32,
    pub hypostyle: String,
    pub rows: u64,
    pub inputs: Vec<InputFile>,
}

impl StateHeader {
    pub fn new(rows: u64, inputs: Vec<InputFile>) -> Self {
        Self { format: FORMAT, hypostyle: env!("CARGO_PKG_VERSION").to_string(), rows, inputs }
    }
}

/// A pipeline's state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StateFile {
    pub header: StateHeader,
    /// The states of the stages, then those of the rules of order.
    pub stages: Vec<Vec<u8>>,
    pub rules: Vec<Vec<u8>>,
}

impl StateFile {
    pub fn write(&self, out: impl Write) -> std::io::Result<()> {
        let mut archive = Builder::new(out);
        let about = serde_json::to_vec_pretty(&self.header)?;
        let members = [("stage", &self.stages), ("rule", &self.rules)].into_iter().flat_map(|(kind, states)| {
            states.iter().enumerate().map(move |(index, bytes)| (format!("{kind}-{}.arrow", index + 1), bytes))
        });
        for (name, bytes) in std::iter::once((ABOUT.to_string(), &about)).chain(members) {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, Cursor::new(bytes))?;
        }
        archive.into_inner()?.flush()
    }

    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| {
            Error::new(ErrorKind::State, format!("cannot read the state: {error}")).in_file(path).because(error)
        })?;
        Self::from_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = || {
            Error::new(ErrorKind::State, "this is not a valid pipeline state: another file, or damaged")
                .help("restore the file, or delete it to start over")
        };
        let mut saved = Self::default();
        let mut archive = Archive::new(bytes);
        for entry in archive.entries().map_err(|error| damaged().because(error))? {
            let mut entry = entry.map_err(|error| damaged().because(error))?;
            let name = entry.path().map_err(|error| damaged().because(error))?.to_string_lossy().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(|error| damaged().because(error))?;
            match name.split_once('-') {
                None if name == ABOUT => {
                    saved.header = serde_json::from_slice(&content).map_err(|error| damaged().because(error))?;
                }
                Some(("stage", _)) => saved.stages.push(content),
                Some(("rule", _)) => saved.rules.push(content),
                _ => return Err(damaged()),
            }
        }
        match saved.header.format {
            FORMAT => Ok(saved),
            0 => Err(damaged()),
            other => {
                Err(Error::new(ErrorKind::State, format!("the state has format {other}, this version reads {FORMAT}"))
                    .help("use the version of Hypostyle that wrote it, or delete it to start over"))
            }
        }
    }

    /// Whether all of these inputs were processed.
    pub fn has_processed(&self, inputs: &[InputFile]) -> bool {
        !inputs.is_empty() && inputs.iter().all(|input| self.header.inputs.contains(input))
    }

    /// Fails if one of these files was processed before; `is_done`: the output is there, if all of them were.
    pub fn check_new(&self, inputs: &[InputFile], is_done: bool) -> Result<()> {
        match inputs.iter().find(|input| !input.is_standard() && self.header.inputs.contains(input)) {
            None => Ok(()),
            Some(input) => {
                let message = format!("input '{}' was already processed", input.path.display());
                let kind = if is_done && self.has_processed(inputs) { ErrorKind::Processed } else { ErrorKind::State };
                Err(Error::new(kind, message).help("pass the next file, or delete the state to start over"))
            }
        }
    }
}

/// The help for a state that another pipeline wrote.
pub(crate) const OTHER_PIPELINE: &str = "run the pipeline that wrote it, or delete the state to start over";

/// The stage of this state, if it is the state of these kernels.
pub(crate) fn load(catalog: &Catalog, bytes: &[u8], specs: &[KernelSpec], what: &str) -> Result<Stage> {
    let stage =
        catalog.stage_from_bytes(bytes).map_err(|error| Error::new(ErrorKind::State, format!("{what}: {error}")))?;
    let count = |specs: &[KernelSpec]| format!("{} kernel{}", specs.len(), if specs.len() == 1 { "" } else { "s" });
    if stage.kernels().len() != specs.len() {
        let message = format!("{what}: the state has {}, the pipeline has {}", count(stage.kernels()), count(specs));
        return Err(Error::new(ErrorKind::State, message).help(OTHER_PIPELINE));
    }
    match stage.kernels().iter().zip(specs).find(|(saved, wanted)| saved != wanted) {
        None => Ok(stage),
        Some((saved, wanted)) => {
            let message = format!("{what}: the state has {saved}, the pipeline has {wanted}");
            Err(Error::new(ErrorKind::State, message).help(OTHER_PIPELINE))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_and_damage_is_told() {
        let file = InputFile {
            path: Path::new("a.csv").into(),
            bytes: 7,
            modified: Some(5),
            e_tag: None,
            deleted: None,
            remote: Default::default(),
        };
        let saved = StateFile {
            header: StateHeader::new(3, vec![file.clone()]),
            stages: vec![vec![1, 2], vec![]],
            rules: vec![vec![9]],
        };
        let mut bytes = Vec::new();
        saved.write(&mut bytes).unwrap();
        assert_eq!(StateFile::from_bytes(&bytes).unwrap(), saved);
        let other = InputFile { bytes: 8, ..file.clone() };
        assert!(saved.check_new(std::slice::from_ref(&other), true).is_ok());
        for (inputs, is_done, kind) in [
            (vec![file.clone()], true, ErrorKind::Processed),
            (vec![file.clone()], false, ErrorKind::State),
            (vec![file, other], true, ErrorKind::State),
        ] {
            let error = saved.check_new(&inputs, is_done).unwrap_err();
            assert_eq!(error.kind(), &kind);
            assert!(error.to_string().contains("input 'a.csv' was already processed"));
        }
        for damaged in [&bytes[..700], &b"no archive"[..], &[]] {
            assert!(StateFile::from_bytes(damaged).unwrap_err().to_string().contains("damaged"));
        }
    }
}
