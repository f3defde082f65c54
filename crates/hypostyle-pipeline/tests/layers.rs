//! The layers of the crate: each top-level module uses only those above it in a list, and no two files use each other.

#[path = "../../hypostyle/tests/layers/source.rs"]
mod source;

use std::path::Path;

use source::Source;

/// From the ground up.  `tools/house.py` reads this list.
const LAYERS: [&str; 21] = [
    "error", "memory", "ordered", "model", "remote", "delta", "config", "schema", "files", "rules", "csv", "ipc",
    "parquet", "source", "sink", "state", "plan", "run", "explain", "pipeline", "cli",
];

fn this_crate() -> Source {
    Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn each_layer_uses_only_those_below_it() {
    let upward = this_crate().upward(&LAYERS);
    assert!(upward.is_empty(), "upward:\n{}", upward.join("\n"));
}

#[test]
fn public_names_of_the_root_are_used_in_tests_only() {
    let root_names = this_crate().root_names_outside_tests(&[]);
    assert!(root_names.is_empty(), "{}", root_names.join("\n"));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let circles = this_crate().circles();
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}
