//! States between runs and checkpoints within them: what goes on where another run stopped gives the bits of one run, wherever
//! that stop was, and whatever was being written when the process was killed.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Folder, KERNELS, trades};
use hypostyle_pipeline::ErrorKind;

fn toml(folder: &Folder, more: &str) -> String {
    let state = folder.path("p.state");
    format!("state = {state:?}\n{more}\n{KERNELS}")
}

/// The text's rows in two files, cut behind this row.
fn halves(text: &str, rows: usize) -> (String, String) {
    let lines: Vec<&str> = text.lines().collect();
    let header = lines[0].to_string();
    let join = |lines: &[&str]| format!("{header}\n{}\n", lines.join("\n"));
    (join(&lines[1..=rows]), join(&lines[rows + 1..]))
}

#[test]
fn todays_file_after_yesterdays_gives_the_bits_of_one_run() {
    let text = trades(500);
    for cut in [1, 250, 499] {
        let folder = Folder::new();
        folder.write("all.csv", &text);
        folder.run(KERNELS, "all.csv", "all.parquet").unwrap();
        let (yesterday, today) = halves(&text, cut);
        folder.write("1.csv", yesterday);
        folder.write("2.csv", today);
        let toml = toml(&folder, "");
        folder.run(&toml, "1.csv", "1.parquet").unwrap();
        folder.run(&toml, "2.csv", "2.parquet").unwrap();
        let parts = [folder.parquet("1.parquet"), folder.parquet("2.parquet")];
        let joined = arrow::compute::concat_batches(&parts[0].schema(), &parts).unwrap();
        common::assert_same_bits(&joined, &folder.parquet("all.parquet"));
    }
}

#[test]
fn a_state_knows_what_it_has_taken_in_and_whose_it_is() {
    let folder = Folder::new();
    folder.write("1.csv", trades(50));
    let toml = toml(&folder, "");
    folder.run(&toml, "1.csv", "1.parquet").unwrap();
    let state = std::fs::read(folder.path("p.state")).unwrap();
    let again = folder.run(&toml, "1.csv", "again.parquet").unwrap_err();
    assert_eq!(again.kind(), &ErrorKind::State); // its output is not there
    assert!(again.to_string().contains("1.csv' was already processed"), "{again}");
    folder.write("2.csv", trades(60));
    for (from, to, words) in [
        ("window = 3\n", "window = 4\n", "stage 1: the state has rolling_mean"),
        (
            "[[stage.kernel]]\nname = \"ewm_mean\"\ncolumn = \"price\"\nspan = 5\nalias = \"ewm\"\n",
            "",
            "the state has 4 kernels, the pipeline has 3",
        ),
        ("state", "memory_limit = \"1GB\"\nstate", ""),
    ] {
        let outcome = folder.run(&toml.replacen(from, to, 1), "2.csv", "2.parquet");
        match words {
            // Times go on where they were, so that this file is refused by the stage, not by the state.
            "" => assert_eq!(outcome.unwrap_err().kind(), &ErrorKind::Stage(hypostyle::ErrorKind::Unsorted)),
            words => {
                let error = outcome.unwrap_err();
                assert!(error.to_string().contains(words) && error.kind() == &ErrorKind::State, "{error}");
            }
        }
        assert_eq!(
            std::fs::read(folder.path("p.state")).unwrap(),
            state,
            "a run that fails leaves the state as it was"
        );
        assert_eq!(folder.names(), ["1.csv", "1.parquet", "2.csv", "p.state"]);
    }
    folder.write("p.state", &state[..state.len() / 2]);
    let error = folder.run(&toml, "2.csv", "2.parquet").unwrap_err();
    assert!(error.to_string().contains("p.state") && error.to_string().contains("damaged"), "{error}");
    let error = folder.pipeline(&toml, "2.csv", "2.parquet").with_limit(5).plan().unwrap_err();
    assert!(error.to_string().contains("limit"), "{error}");
}

#[test]
fn rules_of_order_go_on_too() {
    let folder = Folder::new();
    let toml = format!(
        "state = {:?}\n[source]\non_bad_row = \"skip\"\n[source.rules]\nid = {{ unique = true }}\n",
        folder.path("p.state")
    );
    folder.write("1.csv", "id\n1\n2\n");
    folder.write("2.csv", "id\n2\n3\n");
    assert_eq!(folder.run(&toml, "1.csv", "1.csv.out.csv").unwrap().rows_written, 2);
    let second = folder.run(&toml, "2.csv", "2.csv.out.csv").unwrap();
    assert_eq!((second.rows_written, second.bad_rows), (1, 1));
}

/// One half of the lines with today's line ends, the other with old ones.
fn write_halves(folder: &Folder, csv: &str) {
    let lines: Vec<&str> = csv.lines().collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    folder.write("in.csv", first.join("\n"));
    folder.write("old.csv", [&lines[..1], second].concat().join("\r"));
}

/// A pipeline that makes a checkpoint at the end of every group, groups being small.
fn killable(folder: &Folder, output: &str, more: &str) {
    let text = format!(
        "checkpoint_interval = \"1ns\"\nstate = \"p.state\"\n[source]\npath = [\"in.csv\", \"old.csv\"]\nchunk_bytes = 3000\n{more}\nschema = {{ price = \"f64\" }}\n{KERNELS}\n[sink]\npath = \"{output}\"\nrow_group_size = 300\n"
    );
    folder.write(&format!("{output}.toml"), text);
}

fn start(folder: &Folder, output: &str, arguments: &[&str]) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_hypostyle"))
        .args(["run", &format!("{output}.toml"), "--quiet"])
        .args(arguments)
        .current_dir(folder.path(""))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills runs at times that go through all of an undisturbed run's, until one comes through; how many were killed.
fn kill_until_done(folder: &Folder, output: &str, whole: Duration, seed: u64) -> usize {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for kills in 0.. {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // The later, the longer a run may live, so that one comes through.
        let share = (random % 1000) as f64 / 1000.0 * (0.3 + kills as f64 / 10.0);
        let threads = ["1", "2", "3"][kills % 3];
        let mut run = start(folder, output, &["--threads", threads]);
        let begun = Instant::now();
        while begun.elapsed() < whole.mul_f64(share) {
            sleep(Duration::from_micros(200));
        }
        run.kill().unwrap();
        let done = run.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&done.stderr);
        // Killed between its last act and its end, a run has done everything.
        if done.status.success() || errors.contains("was already processed") {
            return kills;
        }
        assert_eq!(done.status.code(), None, "{errors}");
    }
    0
}

#[test]
fn a_killed_run_goes_on_and_gives_the_same_bytes() {
    // How often for each format; `make kill` does it until a thousand runs have been killed.
    let rounds: u64 = std::env::var("HYPOSTYLE_KILL_ROUNDS").map_or(4, |rounds| rounds.parse().unwrap());
    let bad = "on_bad_row = \"reject\"\nrejects = \"rejects.csv\"";
    let mut kills = 0;
    for output in ["out.parquet", "out.csv", "out.arrow"] {
        let folder = Folder::new();
        write_halves(&folder, &trades(30_000).replace(".13\n", ".13x\n"));
        killable(&folder, output, bad);
        let begun = Instant::now();
        let undisturbed = start(&folder, output, &[]).wait_with_output().unwrap();
        assert!(undisturbed.status.success(), "{}", String::from_utf8_lossy(&undisturbed.stderr));
        let whole = begun.elapsed();
        let expected = std::fs::read(folder.path(output)).unwrap();
        let rejects = folder.read("rejects.csv");
        let state = std::fs::read(folder.path("p.state")).unwrap();
        assert!(rejects.lines().count() > 10);
        for round in 0..rounds {
            std::fs::remove_file(folder.path(output)).unwrap();
            std::fs::remove_file(folder.path("rejects.csv")).unwrap();
            std::fs::remove_file(folder.path("p.state")).unwrap();
            kills += kill_until_done(&folder, output, whole, round + 1);
            assert!(std::fs::read(folder.path(output)).unwrap() == expected, "{output}, round {round}");
            assert_eq!(folder.read("rejects.csv"), rejects);
            assert!(std::fs::read(folder.path("p.state")).unwrap() == state, "{output}, round {round}");
            // Runs that were killed while they put the output in its place, or tidied up, may have left something there.
            for name in folder.names().iter().filter(|name| name.ends_with(".part")) {
                std::fs::remove_file(folder.path(name)).unwrap();
            }
            let _ = std::fs::remove_dir_all(folder.path(&format!(".{output}.checkpoint")));
        }
        // Without checkpoints the same bytes come out.
        let plain = folder.read(&format!("{output}.toml")).replace("checkpoint_interval = \"1ns\"\n", "");
        folder.write(&format!("{output}.toml"), plain);
        std::fs::remove_file(folder.path("p.state")).unwrap();
        assert!(start(&folder, output, &[]).wait().unwrap().success());
        assert!(std::fs::read(folder.path(output)).unwrap() == expected, "{output} without checkpoints");
    }
    println!("{kills} runs were killed");
    assert!(kills >= rounds as usize, "{kills} kills are too few to prove anything");
}

/// All files below a folder, by their paths in it.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        match path.is_dir() {
            true => found.extend(files(&path).into_iter().map(|(below, bytes)| (name.join(below), bytes))),
            false => drop(found.insert(name, std::fs::read(path).unwrap())),
        }
    }
    found
}

#[test]
fn a_killed_run_of_many_files_goes_on_too() {
    let rounds: u64 = std::env::var("HYPOSTYLE_KILL_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    let mut kills = 0;
    for format in ["parquet", "csv", "ipc"] {
        let folder = Folder::new();
        write_halves(&folder, &trades(30_000));
        killable(&folder, "out", "");
        let toml = folder.read("out.toml");
        let more = format!("format = \"{format}\"\npartition_by = \"symbol\"\nmax_rows_per_file = 1000\n");
        folder.write("out.toml", toml + &more);
        let begun = Instant::now();
        let undisturbed = start(&folder, "out", &[]).wait_with_output().unwrap();
        assert!(undisturbed.status.success(), "{}", String::from_utf8_lossy(&undisturbed.stderr));
        let whole = begun.elapsed();
        let expected = files(&folder.path("out"));
        assert!(expected.len() > 20, "{:?}", expected.keys());
        for round in 0..rounds {
            std::fs::remove_dir_all(folder.path("out")).unwrap();
            std::fs::remove_file(folder.path("p.state")).unwrap();
            kills += kill_until_done(&folder, "out", whole, round + 1);
            assert!(files(&folder.path("out")) == expected, "{format}, round {round}");
            // A run that was killed while it tidied up may have left something, which the next one removes.
            let _ = std::fs::remove_dir_all(folder.path(".out.checkpoint"));
        }
        // Without checkpoints the same files come out.
        let plain = folder.read("out.toml").replace("checkpoint_interval = \"1ns\"\n", "");
        folder.write("out.toml", plain);
        std::fs::remove_dir_all(folder.path("out")).unwrap();
        std::fs::remove_file(folder.path("p.state")).unwrap();
        assert!(start(&folder, "out", &[]).wait().unwrap().success());
        assert!(files(&folder.path("out")) == expected, "{format} without checkpoints");
    }
    assert!(kills >= rounds as usize, "{kills} kills are too few to prove anything");
}

#[test]
fn a_folder_that_is_there_is_taken_for_the_output_if_it_is() {
    let folder = Folder::new();
    write_halves(&folder, &trades(20_000));
    killable(&folder, "out", "");
    let toml = folder.read("out.toml");
    folder.write("out.toml", toml + "format = \"csv\"\nmax_rows_per_file = 1000\n");
    assert!(start(&folder, "out", &[]).wait().unwrap().success());
    let expected = files(&folder.path("out"));
    std::fs::rename(folder.path("out"), folder.path("before")).unwrap();
    std::fs::remove_file(folder.path("p.state")).unwrap();
    let checkpoint = folder.path(".out.checkpoint/checkpoint.json");
    while !checkpoint.exists() {
        let mut run = start(&folder, "out", &[]);
        while !checkpoint.exists() && run.try_wait().unwrap().is_none() {}
        run.kill().unwrap();
        run.wait().unwrap();
    }
    // As if the run had been killed when the output was in its place already.
    std::fs::rename(folder.path("before"), folder.path("out")).unwrap();
    let file = folder.path("out/part-000003.csv");
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, "something else").unwrap();
    let refused = start(&folder, "out", &[]).wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("the output exists"), "{errors}");
    std::fs::write(&file, text).unwrap();
    let done = start(&folder, "out", &[]).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(files(&folder.path("out")) == expected);
    assert!(folder.path("p.state").exists() && !checkpoint.exists());
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = Folder::new();
    write_halves(&folder, &trades(20_000));
    killable(&folder, "out.parquet", "");
    let checkpoint = folder.path(".out.parquet.checkpoint/checkpoint.json");
    let kill_midway = || {
        while !checkpoint.exists() {
            let mut run = start(&folder, "out.parquet", &[]);
            while !checkpoint.exists() && run.try_wait().unwrap().is_none() {}
            run.kill().unwrap();
            run.wait().unwrap();
        }
    };
    kill_midway();
    let text = folder.read("out.parquet.toml");
    let complaint = |words: &str| {
        let done = start(&folder, "out.parquet", &[]).wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{errors}");
        assert!(errors.contains(words) && errors.contains("--restart"), "{words} is not in: {errors}");
    };
    folder.write("out.parquet.toml", text.replace("span = 5", "span = 6"));
    complaint("the pipeline file or the memory limit has changed");
    folder.write("out.parquet.toml", &text);
    write_halves(&folder, &trades(20_001));
    complaint("in.csv' has changed");
    folder.write(".out.parquet.checkpoint/checkpoint.json", "{}");
    complaint("the checkpoint is damaged");
    assert!(!folder.path("out.parquet").exists());
    let done = start(&folder, "out.parquet", &["--restart"]).wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(folder.parquet("out.parquet").num_rows(), 20_001);
    assert_eq!(folder.names(), ["in.csv", "old.csv", "out.parquet", "out.parquet.toml", "p.state"]);
}

#[test]
fn checkpoints_must_make_sense() {
    let folder = Folder::new();
    folder.write("in.csv", trades(5));
    for (toml, words) in [
        ("checkpoint_interval = \"soon\"", "checkpoint_interval: got \"soon\", expected a duration"),
        ("checkpoint_interval = \"1s\"\n[sink]\nformat = \"none\"", "the output is not a local file"),
        (
            "checkpoint_interval = \"1s\"\n[source]\npath = \"-\"\nformat = \"csv\"",
            "standard input cannot be read again",
        ),
        ("memory_limit = \"much\"", "memory_limit: got \"much\", expected a size"),
    ] {
        let pipeline: hypostyle_pipeline::Pipeline = toml.parse().unwrap();
        let pipeline = pipeline.with_output(folder.path("out.parquet"));
        let pipeline = if toml.contains("path") { pipeline } else { pipeline.with_input(folder.path("in.csv")) };
        let message = pipeline.plan().unwrap_err().to_string();
        assert!(message.contains(words) && (message.contains("help: ") || message.contains("expected")), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_nothing_half_written() {
    let folder = Folder::new();
    folder.write("in.csv", trades(200_000));
    folder.write("out.parquet", "the old output");
    let toml = format!("[source]\npath = \"in.csv\"\nchunk_bytes = 2000\n{KERNELS}\n[sink]\npath = \"out.parquet\"\n");
    folder.write("out.parquet.toml", toml);
    let run = start(&folder, "out.parquet", &["--threads", "1"]);
    let part = |names: &[String]| names.iter().any(|name| name.ends_with(".part"));
    while !part(&folder.names()) {
        sleep(Duration::from_millis(1));
    }
    let id = run.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let done = run.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!((done.status.code(), errors.as_str()), (Some(130), "error: interrupted: no output was written\n"));
    assert_eq!(folder.names(), ["in.csv", "out.parquet", "out.parquet.toml"]);
    assert_eq!(folder.read("out.parquet"), "the old output");
}

/// Nothing comes through the pipe, and still the run ends when it is told to.
#[cfg(unix)]
#[test]
fn a_run_that_waits_for_its_input_can_be_interrupted() {
    let folder = Folder::new();
    let toml = format!(
        "[source]\npath = \"-\"\nformat = \"csv\"\nschema = {{ price = \"f64\", ts = \"timestamp[s]\" }}\n{KERNELS}\n[sink]\npath = \"out.parquet\"\n"
    );
    folder.write("p.toml", toml);
    let mut run = Command::new(env!("CARGO_BIN_EXE_hypostyle"))
        .args(["run", "p.toml"])
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = run.stdin.take().unwrap();
    // Enough to know the header, and that there is more to come.
    std::io::Write::write_all(&mut input, trades(60_000).as_bytes()).unwrap();
    while !folder.names().iter().any(|name| name.ends_with(".part")) {
        sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    let done = run.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{}", String::from_utf8_lossy(&done.stderr));
    drop(input);
    assert_eq!(folder.names(), ["p.toml"]);
}
