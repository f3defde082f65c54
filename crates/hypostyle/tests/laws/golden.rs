//! States that earlier versions wrote stay loadable: files of each version, with the rows that they go on with.
//!
//! `HYPOSTYLE_GOLDEN=write cargo test --release -p hypostyle --test laws golden` writes those of this version, where the
//! format has changed or a kernel is new.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use hypostyle::{KernelSpec, Stage, catalogue, evaluate};

use crate::arbitrary::{bits, goes_back, keyless, table_of};

/// Rows, of which the states have seen the first [`SEEN`].
const ROWS: usize = 60;
const SEEN: usize = 37;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Every kernel, by key, some to a file.
fn stages() -> Vec<(String, Stage)> {
    let kernels: Vec<KernelSpec> = catalogue()
        .iter()
        .map(|kernel| keyless(kernel).over(["key", "sector"]).alias(kernel.name))
        .map(|spec| if goes_back(&spec) { spec.with("window", 5) } else { spec })
        .filter(|spec| Stage::new(vec![spec.clone()]).is_ok())
        .collect();
    let named = |(at, specs): (usize, &[KernelSpec])| {
        (format!("{at}.state"), Stage::new(specs.to_vec()).unwrap().with_time("t").unwrap())
    };
    kernels.chunks(20).enumerate().map(named).collect()
}

fn write(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let rows = table_of(ROWS, 3).batch;
    let mut writer = FileWriter::try_new(File::create(folder.join("rows.arrow")).unwrap(), &rows.schema()).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    for (name, mut stage) in stages() {
        stage.advance(&rows.slice(0, SEEN)).unwrap();
        stage.save(folder.join(name)).unwrap();
    }
}

fn read(path: &Path) -> RecordBatch {
    let reader = FileReader::try_new(File::open(path).unwrap(), None).unwrap();
    let schema = reader.schema();
    concat_batches(&schema, &reader.collect::<Result<Vec<_>, _>>().unwrap()).unwrap()
}

#[test]
fn golden_states_go_on() {
    if std::env::var_os("HYPOSTYLE_GOLDEN").is_some() {
        write(&folder().join(env!("CARGO_PKG_VERSION")));
    }
    let mut known: Vec<String> = Vec::new();
    for version in std::fs::read_dir(folder()).unwrap().map(|version| version.unwrap().path()) {
        let rows = read(&version.join("rows.arrow"));
        for file in std::fs::read_dir(&version).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_none_or(|extension| extension != "state") {
                continue;
            }
            let mut stage = Stage::load(&file).unwrap_or_else(|e| panic!("{e}"));
            let specs = stage.specs().to_vec();
            let whole = evaluate(&rows, &specs, Some(1)).unwrap();
            let rest = stage.advance_columns(&rows.slice(SEEN, ROWS - SEEN)).unwrap();
            for (spec, (got, whole)) in specs.iter().zip(rest.columns().iter().zip(whole.columns())) {
                assert_eq!(bits(got), bits(whole)[SEEN..], "{spec} of {}", file.display());
            }
            known.extend(specs.into_iter().map(|spec| spec.name));
        }
    }
    // So that a new kernel is not forgotten here.
    for (_, stage) in stages() {
        for spec in stage.specs() {
            assert!(known.contains(&spec.name), "{} has no golden state yet: see the head of golden.rs", spec.name);
        }
    }
}
