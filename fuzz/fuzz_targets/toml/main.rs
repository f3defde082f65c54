//! Pipeline files of any text: a plan that can be printed or an error that says something, never a panic.
//!
//! What is UTF-8 in the fuzzer's bytes stands for itself, so that any pipeline file is a seed; each other byte stands for a
//! piece of one.

#![no_main]

mod fragments;

use std::path::Path;
use std::sync::Once;
use std::{env, fs};

use fragments::FRAGMENTS;
use hypostyle_pipeline::{Error, Pipeline};
use libfuzzer_sys::fuzz_target;

static READY: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    // Not before the fuzzer has read its input, which may be named by a relative path.
    READY.call_once(prepare);
    let text = text(data);
    let pipeline: Pipeline = match text.parse() {
        Ok(pipeline) => pipeline,
        Err(error) => return says_something(&error),
    };
    plan(&pipeline.clone().with_input("in.csv").with_output("out.csv"));
    // As it is written, unless it might look beyond the folder or wait for standard input.
    if !text.contains(['/', '\\', '~']) && !["..", "\"-\"", "'-'"].iter().any(|words| text.contains(words)) {
        plan(&pipeline);
    }
});

fn plan(pipeline: &Pipeline) {
    match pipeline.plan() {
        Ok(plan) => assert!(!plan.to_string().is_empty() && plan.output_schema().fields().len() < 1 << 16),
        Err(error) => says_something(&error),
    }
}

fn says_something(error: &Error) {
    assert!(!error.to_string().trim().is_empty(), "{error:?}");
}

fn text(data: &[u8]) -> String {
    let mut text = String::new();
    for chunk in data.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| FRAGMENTS[usize::from(byte & 0x7f)]));
    }
    text
}

/// Makes a folder with some small inputs and goes there; the same one for every run.
fn prepare() {
    let folder = env::temp_dir().join("hypostyle-fuzz-toml");
    fs::create_dir_all(&folder).and_then(|()| env::set_current_dir(&folder)).expect("a folder can be made");
    let csv = "ts,symbol,venue,price,size\n\
               2024-01-02T09:00:00,A,X,1.5,3\n2024-01-02T09:00:01,B,Y,,4\n2024-01-02T09:00:03,A,Y,2.5,-1\n";
    fs::write("in.csv", csv).and_then(|()| fs::write("more.csv", csv)).expect("the folder takes files");
    let stage =
        "[[stage]]\nover = \"symbol\"\n[[stage.kernel]]\nname = \"rolling_mean\"\ncolumn = \"price\"\nwindow = 3\n";
    let _ = fs::remove_file("old.state");
    for (text, output) in [("", "in.parquet"), (&format!("state = \"old.state\"\n{stage}"), "features.csv")] {
        let pipeline: Pipeline = text.parse().expect("this is a pipeline");
        pipeline.with_input("in.csv").with_output(output).run(&mut |_| ()).expect("it runs");
    }
    fs::remove_file("features.csv").expect("it was written");
    assert!(Path::new("old.state").exists());
}
