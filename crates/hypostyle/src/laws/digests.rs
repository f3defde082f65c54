//! The same bits on every machine: digests of all kernels' answers to fixed rows, kept in `tests/digests.txt`.
//!
//! `HYPOSTYLE_GOLDEN=write cargo test --release -p hypostyle golden` writes the file anew; a digest that changes is a change of
//! results, which the changelog must tell.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

use proptest::strategy::{Strategy, ValueTree};
use xxhash_rust::xxh3::xxh3_64;

use super::{bits, fields, runner, specs_of, table_of, whole};
use crate::kernels;

/// Specifications per kernel, each over its own rows.
const CASES: u64 = 6;
const ROWS: usize = 400;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/digests.txt")
}

/// A line per kernel: its name and the digest of its answers.
fn digests() -> String {
    let mut lines = BTreeMap::new();
    for kernel in kernels() {
        let (mut runner, mut answers) = (runner(1), String::new());
        for case in 0..CASES {
            let spec = specs_of(kernel, case % 2 == 1).new_tree(&mut runner).unwrap().current();
            for (_, field) in fields(&whole(&spec, &table_of(ROWS, case).batch)) {
                write!(answers, "{:?}", bits(&field)).unwrap();
            }
        }
        lines.insert(kernel.name.clone(), format!("{:016x}", xxh3_64(answers.as_bytes())));
    }
    lines.into_iter().fold(String::new(), |text, (name, digest)| text + &format!("{name} {digest}\n"))
}

#[test]
fn golden_digests_of_all_answers() {
    let digests = digests();
    if std::env::var_os("HYPOSTYLE_GOLDEN").is_some() {
        std::fs::write(file(), &digests).unwrap();
    }
    let kept = std::fs::read_to_string(file()).unwrap();
    let changed: Vec<&str> = digests.lines().filter(|line| !kept.lines().any(|known| known == *line)).collect();
    assert!(changed.is_empty(), "other answers than those that are kept: {}", changed.join(", "));
}

/// Runs tests of this file's crate again, in another environment.
fn passes(environment: (&str, &str), tests: &[&str]) {
    let this = std::env::current_exe().unwrap();
    for test in tests {
        let output = Command::new(&this).args([test, "--exact"]).env(environment.0, environment.1).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{test} with {environment:?}: {text}");
    }
}

#[test]
fn vector_instructions_do_not_matter() {
    passes(
        ("HYPOSTYLE_SIMD", "scalar"),
        &[
            "laws::digests::golden_digests_of_all_answers",
            "laws::golden::golden_states_resume",
            "laws::batches_do_not_matter",
        ],
    );
}

/// Nothing is taken from the system's libm, whose functions differ with the machine's instructions.
#[test]
fn the_system_does_not_matter() {
    let without = "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-FMA4_Usable,-AVX2,-FMA,-FMA4,-AVX512F";
    passes(("GLIBC_TUNABLES", without), &["laws::digests::golden_digests_of_all_answers"]);
}
