//! States that earlier versions wrote stay loadable: a file per kernel, in the folder of the version that first wrote it, with
//! the rows that it resumes with.  Files are only ever added: `HYPOSTYLE_GOLDEN=write cargo test --release -p hypostyle golden`
//! writes those of kernels that have none, and never changes one that is there.  A change of the format gets a new folder.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::FileReader;

use super::{keyless, never_streams, streams};
use crate::reference::bits;
use crate::{KernelSpec, Stage, Value, evaluate, kernels};

/// The rows beside the states, of which these have seen the first [`SEEN`].
const ROWS: usize = 60;
const SEEN: usize = 37;

/// The folder that new kernels' states go to.
const NEWEST: &str = "0.1.0";

/// When these states were written, integers were kept as floats, and those beyond 2^53 were rounded: they resume, but with what
/// they know.
const ROUNDED: [&str; 2] = ["rolling_mode", "expanding_top_n"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read(path: &Path) -> RecordBatch {
    let reader = FileReader::try_new(File::open(path).unwrap(), None).unwrap();
    let schema = reader.schema();
    concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap()).unwrap()
}

/// Writes the state of a kernel that has none.
fn write(path: &Path, name: &str, rows: &RecordBatch) {
    let spec = keyless(crate::kernel(name).unwrap()).over(["key", "sector"]).alias(name);
    let mut spec = if streams(&spec) { spec } else { spec.with("window", 5).with("center", false) };
    if matches!(spec.parameters.get("window"), Some(Value::Int(_))) {
        spec.parameters.remove("by");
    }
    let mut stage = Stage::new(vec![spec]).unwrap().with_time_column("t").unwrap();
    stage.advance(&rows.slice(0, SEEN)).unwrap();
    stage.save(path).unwrap();
}

#[test]
fn golden_states_resume() {
    let newest = folder().join(NEWEST);
    let rows = read(&newest.join("rows.arrow"));
    if std::env::var_os("HYPOSTYLE_GOLDEN").is_some() {
        for kernel in kernels().iter().filter(|kernel| !never_streams(kernel)) {
            let path = newest.join(format!("{}.state", kernel.name));
            if !path.exists() {
                write(&path, &kernel.name, &rows);
            }
        }
    }
    let mut resumed: Vec<String> = Vec::new();
    for version in std::fs::read_dir(folder()).unwrap().map(|version| version.unwrap().path()) {
        let rows = read(&version.join("rows.arrow"));
        for file in std::fs::read_dir(&version).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "state") {
                continue;
            }
            let mut stage = Stage::load(&file).unwrap_or_else(|e| panic!("{e}"));
            let [spec] = stage.kernels() else { panic!("{} holds one kernel", file.display()) };
            let spec: KernelSpec = spec.clone();
            assert_eq!(file.file_stem().unwrap().to_str(), Some(spec.name.as_str()), "{}", file.display());
            let whole = evaluate(&rows, std::slice::from_ref(&spec), Some(1)).unwrap();
            let rest = stage.advance_columns(&rows.slice(SEEN, ROWS - SEEN)).unwrap();
            let (rest, whole) = (rest.column(0), whole.column(0).slice(SEEN, ROWS - SEEN));
            if ROUNDED.contains(&spec.name.as_str()) {
                assert_eq!(rest.len(), whole.len(), "{spec} of {}", file.display());
            } else {
                assert_eq!(bits(rest), bits(&whole), "{spec} of {}", file.display());
            }
            resumed.push(spec.name);
        }
    }
    for kernel in kernels().iter().filter(|kernel| !never_streams(kernel)) {
        assert!(resumed.contains(&kernel.name), "{} has no golden state yet: see the head of golden.rs", kernel.name);
    }
}
