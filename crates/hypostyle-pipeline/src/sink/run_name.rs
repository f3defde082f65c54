//! The names of the files that a run adds to a directory.
//!
//! They say which run it is, their number and how many there are: `part-RUN-000001-of-000003.parquet`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use twox_hash::XxHash64;

use crate::error::{Error, Result};
use crate::files::input::InputFile;

/// What a run is called in the names of its files: it follows from its inputs and its pipeline.
#[derive(Debug, Clone)]
pub(crate) struct RunName(String);

impl RunName {
    /// The name of a run of `pipeline` over these inputs.  Standard input is another one each time.
    pub fn of(inputs: &[InputFile], pipeline: &str) -> Result<Self> {
        let mut text = serde_json::to_string(inputs).map_err(|error| Error::internal(error.to_string()))?;
        text.push_str(pipeline);
        if inputs.iter().any(InputFile::is_standard) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            text.push_str(&format!("{now:?} {}", std::process::id()));
        }
        Ok(Self(format!("{:016x}", XxHash64::oneshot(0, text.as_bytes()))))
    }

    pub fn file(&self, number: usize, count: usize, extension: &str) -> String {
        format!("part-{}-{number:06}-of-{count:06}.{extension}", self.0)
    }

    /// How many files the run has, by the name of one of them.
    pub fn count(&self, path: &Path) -> Option<usize> {
        let name = path.file_name()?.to_str()?.strip_prefix("part-")?.strip_prefix(&*self.0)?;
        name.split_once("-of-")?.1.split_once('.')?.0.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_runs_apart() {
        let (one, other) = (InputFile::local(Path::new("a.csv")), InputFile::local(Path::new("b.csv")));
        let name = |inputs: &[InputFile], pipeline: &str| RunName::of(inputs, pipeline).unwrap();
        let first = name(std::slice::from_ref(&one), "p");
        assert_eq!(first.0, name(std::slice::from_ref(&one), "p").0);
        assert_ne!(first.0, name(std::slice::from_ref(&one), "q").0);
        assert_ne!(first.0, name(std::slice::from_ref(&other), "p").0);
        assert_ne!(first.0, name(&[one, other], "p").0);
        let file = first.file(2, 3, "parquet");
        assert_eq!(first.count(Path::new(&file)), Some(3));
        assert_eq!(name(&[], "p").count(Path::new(&file)), None);
        let standard = [InputFile::local(Path::new("-"))];
        assert_ne!(name(&standard, "p").0, name(&standard, "p").0);
    }
}
