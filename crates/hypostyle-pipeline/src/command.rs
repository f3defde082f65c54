//! The command `hypostyle`: arguments in, exit code out.  Results go to stdout, everything else to stderr.

mod kernels;
mod progress;

use std::error::Error as StdError;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Parser, Subcommand, ValueEnum};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::describe;
use crate::error::{Error, ErrorKind};
use crate::memory;
use crate::pipeline::Pipeline;
use crate::schema;
use progress::Show;

/// The command did what it was asked.
const DONE: i32 = 0;
/// The run failed.
const FAILED: i32 = 1;
/// The arguments or the pipeline file ask for what can't be done; nothing was begun.
const MISUSED: i32 = 2;
/// The run was interrupted, as shells say it: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;

/// Resumable columnar kernels over CSV and Parquet files.
#[derive(Parser)]
#[command(name = "hypostyle", bin_name = "hypostyle", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a pipeline.
    Run(Run),
    /// Check a pipeline and show its plan: columns and their types, kernels, output, and the size of the state after the first
    /// 100,000 rows.  Nothing is written.
    Check {
        #[command(flatten)]
        which: Which,
    },
    /// List the kernels, or show one's documentation.
    Kernels {
        /// The kernel to show.
        name: Option<String>,
    },
    /// Print the JSON Schema of pipeline files, by which editors complete and check them.
    Schema,
}

#[derive(Args)]
struct Run {
    #[command(flatten)]
    which: Which,
    /// Forget the checkpoint of a run that ended before its time, and begin anew.
    #[arg(long)]
    restart: bool,
    /// How progress and summary are shown on stderr.
    #[arg(long, value_enum, value_name = "HOW", default_value_t = How::Bar)]
    progress: How,
    /// Show neither progress nor summary.
    #[arg(long, short)]
    quiet: bool,
}

/// How a run shows its progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// A bar where stderr is a terminal, and a line at the end.
    Bar,
    /// A line of JSON every second, and one at the end.
    Json,
}

#[derive(Args)]
struct Which {
    /// The pipeline file (TOML).  Relative paths in it start at the working directory.
    file: PathBuf,
    /// Read this file, folder or pattern instead of the one in [source]; - is standard input.
    #[arg(long, value_name = "PATH")]
    input: Option<PathBuf>,
    /// Write this file instead of the one in [sink]; - is standard output.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// How many threads may decode, run kernels and encode (default: all cores); the result doesn't depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// How much memory may be used, such as 500MB or 2GiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Stop after so many rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Runs the command with these arguments, the program's name first, and returns its exit code: 0 when all went well, 1
/// when the run failed, 2 when the arguments or the pipeline were wrong and nothing was begun, 130 when it was interrupted.
///
/// ```
/// assert_eq!(hypostyle_pipeline::main_with_args(["hypostyle".into(), "kernels".into()]), 0);
/// ```
pub fn main_with_args(args: impl IntoIterator<Item = OsString>) -> i32 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too; a closed pipe is no reason to complain.
            let _ = error.print();
            return error.exit_code();
        }
    };
    match arguments.command {
        Command::Run(run) => run.execute(),
        Command::Check { which } => check(&which).unwrap_or_else(|error| report(&error, code(&error))),
        Command::Kernels { name } => kernels::show(name.as_deref()),
        Command::Schema => {
            print(&schema::text());
            DONE
        }
    }
}

/// So many rows are run to see how large the state gets.
const TRIED: u64 = 100_000;

/// Shows the plan, then tries it on the first rows.
fn check(which: &Which) -> crate::Result<i32> {
    let pipeline = which.pipeline()?;
    print(&format!("{}\n", pipeline.plan()?));
    if let Some(tried) = pipeline.try_rows(TRIED)? {
        print(&format!("{}\n", describe::tried(&tried)));
    }
    Ok(DONE)
}

impl Which {
    fn pipeline(&self) -> crate::Result<Pipeline> {
        let mut pipeline = Pipeline::from_file(&self.file)?;
        if let Some(path) = &self.input {
            pipeline = pipeline.with_input(path);
        }
        if let Some(path) = &self.output {
            pipeline = pipeline.with_output(path);
        }
        if let Some(threads) = self.threads {
            pipeline = pipeline.with_threads(threads);
        }
        if let Some(bytes) = self.memory {
            pipeline = pipeline.with_memory(bytes);
        }
        if let Some(rows) = self.limit {
            pipeline = pipeline.with_limit(rows);
        }
        Ok(pipeline)
    }
}

fn size(text: &str) -> Result<u64, String> {
    memory::parse(text).ok_or_else(|| "give a size such as 500MB or 2GiB".to_string())
}

impl Run {
    fn execute(&self) -> i32 {
        let pipeline = self.which.pipeline();
        let pipeline = pipeline.map(|pipeline| if self.restart { pipeline.with_restart() } else { pipeline });
        let plan = match pipeline.and_then(|pipeline| pipeline.plan()) {
            Ok(plan) => plan,
            Err(error) => return report(&error, code(&error)),
        };
        let stop = interruption();
        let mut show: Box<dyn Show> = match self.progress {
            _ if self.quiet => Box::new(()),
            How::Bar => Box::new(progress::Bar::new()),
            How::Json => Box::new(progress::Json::new()),
        };
        let outcome = plan.run_until(&stop, &mut |status| show.status(status));
        match outcome {
            Ok(summary) => {
                show.summary(&summary);
                DONE
            }
            Err(error) => {
                show.failed();
                report(&error, if *error.kind() == ErrorKind::Interrupted { INTERRUPTED } else { FAILED })
            }
        }
    }
}

/// A flag that Ctrl-C and the system's request to end set; a second Ctrl-C ends the process at once.
fn interruption() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Without a handler the process ends at once, which leaves the temporary file: no reason not to run.
        let _ = flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stop));
        let _ = flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// The exit code of an error in planning: a malformed row fails the run wherever in the file it stands.
fn code(error: &Error) -> i32 {
    match error.kind() {
        ErrorKind::Malformed { .. } | ErrorKind::Stage(hypostyle::ErrorKind::Order) => FAILED,
        _ => MISUSED,
    }
}

/// Shows an error and its causes on stderr.
fn report(error: &dyn StdError, code: i32) -> i32 {
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
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to stderr, and never panics as `eprintln!` does where stderr is closed.
fn eprint_line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
