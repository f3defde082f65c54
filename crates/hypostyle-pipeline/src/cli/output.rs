//! Exit codes, and what goes to stdout and stderr.

use std::error::Error as StdError;
use std::io::Write;

/// Success.
pub(super) const DONE: i32 = 0;
/// The run failed.
pub(super) const FAILED: i32 = 1;
/// The arguments or the pipeline file are invalid; nothing was started.
pub(super) const USAGE: i32 = 2;
/// The run was interrupted: 128 plus the number of the signal, as in shells.
pub(super) const INTERRUPTED: i32 = 130;

/// Shows an error and its causes on stderr.
pub(super) fn report(error: &dyn StdError, code: i32) -> i32 {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!("\ncaused by: {error}"));
        cause = error.source();
    }
    eprint_line(&text);
    code
}

/// Prints to stdout; a reader that has gone (`| head`) is no error.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to stderr, and never panics as `eprintln!` does where stderr is closed.
pub(super) fn eprint_line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
