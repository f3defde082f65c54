//! CSV files of any dialect and content: no panic, no answer that depends on how the file is cut up, nothing left behind by
//! a failure, every rejected row with its place, and the same rows as the `csv` crate where it has the dialect.

#![no_main]

mod case;
mod reference;

use std::fs;
use std::path::Path;

use case::{Case, Steps};
use hypostyle_pipeline::{ErrorKind, Pipeline};
use libfuzzer_sys::fuzz_target;
use reference::Reference;
use tempfile::TempDir;

fuzz_target!(|case: Case| {
    let folder = folder();
    fs::write(folder.path().join("in.csv"), &case.bytes).expect("the folder takes files");
    let whole = run(&case, folder.path(), Steps::WHOLE);
    let cut = run(&case, folder.path(), case.again);
    assert_eq!(whole, cut, "the outcome depends on how the file is cut up");
    if let (Ok(done), "reject") = (&whole, case.on_bad) {
        every_reject_has_its_place(&case, done);
    }
    if let Some(reference) = Reference::read(&case) {
        agrees(&case, &whole, reference);
    }
});

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
struct Done {
    rows: u64,
    bad_rows: u64,
    reasons: Vec<(String, u64)>,
    output: Option<Vec<u8>>,
    rejects: Option<Vec<u8>>,
}

type Outcome = Result<Done, (ErrorKind, String)>;

/// A folder in memory, where there is one.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder can be made")
}

/// Runs the case in these steps.
fn run(case: &Case, folder: &Path, steps: Steps) -> Outcome {
    let [input, output, rejects] = ["in.csv", "out.csv", "rejects.csv"].map(|name| folder.join(name));
    let toml = case.toml(rejects.to_str().expect("the folder's name is UTF-8"), steps);
    let mut pipeline: Pipeline = toml.parse().unwrap_or_else(|error| panic!("{error} in\n{toml}"));
    pipeline = pipeline.with_input(&input).with_threads(steps.threads);
    if case.sink.is_some() {
        pipeline = pipeline.with_output(&output);
    }
    let ran = pipeline.run(&mut |_| ());
    let outcome = ran.map_err(|error| (error.kind().clone(), error.to_string())).map(|summary| {
        let left_out = if summary.nulled { 0 } else { summary.bad_rows };
        assert_eq!(summary.rows_written + left_out, summary.rows_read, "a row was lost on the way");
        Done {
            rows: summary.rows_written,
            bad_rows: summary.bad_rows,
            reasons: summary.bad_row_counts,
            output: fs::read(&output).ok(),
            rejects: fs::read(&rejects).ok(),
        }
    });
    match &outcome {
        Ok(done) => {
            assert_eq!(done.output.is_some(), case.sink.is_some(), "the output is not where it should be");
            assert_eq!(done.rejects.is_some(), case.on_bad == "reject", "the rejects are not where they should be");
            let _ = (fs::remove_file(&output), fs::remove_file(&rejects));
        }
        Err((kind, message)) => {
            assert!(*kind != ErrorKind::Internal && !message.is_empty(), "{kind:?}: {message}");
        }
    }
    let left = fs::read_dir(folder).expect("the folder can be read").count();
    assert_eq!(left, 1, "files were left behind: {outcome:?}");
    outcome
}

/// Each rejected row stands in the file at the byte and the line that are told.
fn every_reject_has_its_place(case: &Case, done: &Done) {
    let rejects = done.rejects.as_deref().unwrap_or_default();
    let mut count = 0;
    for reject in csv::Reader::from_reader(rejects).into_byte_records() {
        let reject = reject.expect("the rejects are CSV");
        let number = |column: usize| std::str::from_utf8(&reject[column]).ok().and_then(|text| text.parse().ok());
        let (line, offset) = (number(1).expect("a line"), number(3).expect("an offset"));
        let rest = &case.bytes[offset..];
        let rest = if case.latin1 { latin1(rest).into_bytes() } else { rest.to_vec() };
        assert!(rest.starts_with(&reject[6]), "the row of {reject:?} is not at its byte");
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == case.line_end()).count();
        let first = 1 + lines(&case.bytes[..offset]);
        let last = first + lines(&reject[6]);
        assert!((first..=last).contains(&line), "the row of {reject:?} is not in its line, {first} to {last}");
        count += 1;
    }
    assert_eq!(count, done.bad_rows, "a bad row is missing in the rejects");
}

/// The outcome is what the reference says.
fn agrees(case: &Case, outcome: &Outcome, reference: Reference) {
    let limit = if case.on_bad == "fail" { 0 } else { case.max_bad.unwrap_or(u64::MAX) };
    let fatal = usize::try_from(limit).ok().and_then(|limit| reference.bad.get(limit)).copied();
    let fatal = fatal.or(reference.open.then_some(reference.records + 1));
    match (outcome, fatal) {
        // The dialect itself was refused.
        (Err((ErrorKind::Pipeline, _)), _) => {}
        (Err((ErrorKind::Malformed { record, .. }, message)), Some(fatal)) => {
            assert_eq!(*record, fatal, "{message}");
        }
        (Ok(done), None) => {
            assert_eq!((done.rows, done.bad_rows), (reference.rows.len() as u64, reference.bad.len() as u64));
            if let (Some(delimiter), Some(output)) = (case.sink, &done.output) {
                assert_eq!(written(delimiter, output), reference.rows);
            }
        }
        _ => panic!("{outcome:?}, but the csv crate finds record {fatal:?} at fault"),
    }
}

/// The rows of an output.
fn written(delimiter: u8, output: &[u8]) -> Vec<Vec<Option<String>>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(output);
    let rows = reader.records().map(|record| {
        let record = record.expect("the output is CSV");
        record.iter().map(|field| (!field.is_empty()).then(|| field.to_string())).collect()
    });
    rows.collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
