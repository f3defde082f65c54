//! The command `hypostyle`.  Everything is in the library, so that the Python wheel's console script runs the same code.

use std::process::exit;

fn main() {
    exit(hypostyle_pipeline::main_with_args(std::env::args_os()));
}
