//! The command as its users meet it: the binary, its exit codes, what goes to stdout and what to stderr.

mod common;

use std::process::{Command, Output};

use common::{Folder, KERNELS, trades};

fn hypostyle(folder: &Folder, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hypostyle")).args(arguments).current_dir(folder.path("")).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a pipeline in it; paths are relative to the working directory.
fn ready() -> Folder {
    let folder = Folder::new();
    folder.write("in.csv", trades(200));
    folder.write("p.toml", format!("[source]\npath = \"in.csv\"\n{KERNELS}[sink]\npath = \"out.parquet\"\n"));
    folder
}

#[test]
fn run_writes_the_output_and_a_line_of_summary() {
    let folder = ready();
    let output = hypostyle(&folder, &["run", "p.toml"]);
    let errors = text(&output.stderr);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""), "{errors}");
    assert!(
        errors.starts_with("200 rows in ") && errors.contains("rows/s") && errors.contains("out.parquet"),
        "{errors}"
    );
    assert!(!cfg!(target_os = "linux") || errors.contains("peak memory"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "no bar where stderr is no terminal");
    assert_eq!(folder.parquet("out.parquet").num_rows(), 200);
}

#[test]
fn paths_limits_and_silence_from_the_command_line() {
    let folder = ready();
    folder.write("other.csv", trades(50));
    let output = hypostyle(
        &folder,
        &[
            "run",
            "p.toml",
            "--input",
            "other.csv",
            "--output",
            "other.out.csv",
            "--threads",
            "2",
            "--limit",
            "30",
            "--quiet",
        ],
    );
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    assert_eq!(folder.read("other.out.csv").lines().count(), 31);
    assert!(!folder.path("out.parquet").exists());
}

#[test]
fn check_shows_the_plan_and_writes_nothing() {
    let folder = ready();
    let output = hypostyle(&folder, &["check", "p.toml"]);
    let plan = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for words in [
        "source   in.csv (csv, ",
        "ts       timestamp[us]  inferred from the first 200 rows",
        "price    f64            inferred",
        "stage 1  over symbol",
        "max      f64            rolling_max(by='ts', column='price', window='5s')",
        "session  i64            session_id(",
        "sink     out.parquet (parquet, zstd, 7 columns)",
    ] {
        assert!(plan.contains(words), "{words} is not in:\n{plan}");
    }
    assert_eq!(folder.names(), ["in.csv", "p.toml"]);
}

#[test]
fn kernels_lists_and_explains() {
    let folder = Folder::new();
    let list = hypostyle(&folder, &["kernels"]);
    assert_eq!(list.status.code(), Some(0));
    for kernel in hypostyle::kernels() {
        assert!(text(&list.stdout).contains(&kernel.summary), "{}", kernel.name);
        let one = hypostyle(&folder, &["kernels", &kernel.name]);
        assert_eq!((one.status.code(), text(&one.stdout)), (Some(0), kernel.documentation()));
    }
    let none = hypostyle(&folder, &["kernels", "roling_mean"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).starts_with("error: unknown kernel 'roling_mean'"), "{}", text(&none.stderr));
}

#[test]
fn exit_codes_tell_misuse_from_failure() {
    let folder = ready();
    folder.write("bad.csv", "ts,symbol,price\n2024-01-02T09:00:00,A\n");
    folder.write("wrong.toml", "[[stage]]\nover = 1\n");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["run", "p.toml", "--input", "bad.csv"], 1, "error: bad.csv:2: record 1: got 2 fields, expected 3"),
        (&["run", "p.toml", "--input", "none.csv"], 2, "error: none.csv: cannot open the input"),
        (&["run", "none.toml"], 2, "error: none.toml: cannot read the pipeline file"),
        (&["run", "wrong.toml"], 2, "error: wrong.toml:2: expected a string or a list of strings"),
        (&["check", "p.toml", "--threads", "0"], 2, "error: p.toml: threads: got 0, expected at least 1"),
        (&["run"], 2, "error: the following required arguments"),
        (&["fly"], 2, "error: unrecognized subcommand"),
    ];
    for (arguments, code, message) in cases {
        let output = hypostyle(&folder, arguments);
        let errors = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(code), ""), "{errors}");
        assert!(errors.starts_with(message), "{errors}");
    }
    assert!(!folder.path("out.parquet").exists());
    assert_eq!(hypostyle(&folder, &["--version"]).status.code(), Some(0));
    assert_eq!(hypostyle(&folder, &["run", "--help"]).status.code(), Some(0));
}

#[test]
fn the_same_day_once_more_is_no_failure() {
    let folder = ready();
    folder.write("p.toml", format!("state = \"p.state\"\n{}", folder.read("p.toml")));
    let run = |arguments: &[&str]| {
        let output = hypostyle(&folder, &[&["run", "p.toml"][..], arguments].concat());
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(run(&["--quiet"]), (Some(0), String::new()));
    let (code, errors) = run(&[]);
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.starts_with("nothing to do: ") && errors.contains("in.csv' was already processed"), "{errors}");
    assert_eq!(run(&["--quiet"]), (Some(0), String::new()));
    // Its output is elsewhere, or only some of the inputs were processed.
    assert_eq!(run(&["--output", "other.csv"]).0, Some(2));
    folder.write("in2.csv", trades(10));
    let (code, errors) = run(&["--input", "in*.csv"]);
    assert_eq!(code, Some(2), "{errors}");
}
