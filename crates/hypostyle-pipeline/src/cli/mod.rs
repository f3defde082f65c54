//! The command `hypostyle`: arguments in, exit code out.  Results go to stdout, everything else to stderr.

mod kernels;
mod output;
mod progress;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hypostyle::Catalog;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, ErrorKind};
use crate::explain;
use crate::memory;
use crate::pipeline::Pipeline;
use crate::schema;
use output::{DONE, FAILED, INTERRUPTED, USAGE, print, report};
use progress::Show;

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
    /// Check a pipeline and print its plan: columns and their types, kernels, output, and the size of the state after a dry run
    /// of 100,000 rows.  Nothing is written.
    Check {
        #[command(flatten)]
        args: PipelineArgs,
    },
    /// List the kernels, or show the documentation of one.
    Kernels {
        /// The kernel to show.
        name: Option<String>,
    },
    /// Print the JSON Schema of pipeline files, for editors.
    Schema,
}

#[derive(Args)]
struct Run {
    #[command(flatten)]
    args: PipelineArgs,
    /// Discard the checkpoint of an interrupted run and start over.
    #[arg(long)]
    restart: bool,
    /// Format of progress and summary on stderr.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ProgressFormat::Bar)]
    progress: ProgressFormat,
    /// Do not show progress and summary.
    #[arg(long, short)]
    quiet: bool,
}

/// The format of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProgressFormat {
    /// A bar if stderr is a terminal, and a line at the end.
    Bar,
    /// A line of JSON per second, and one at the end.
    Json,
}

#[derive(Args)]
struct PipelineArgs {
    /// The pipeline file (TOML).  Relative paths in it start at the working directory.
    file: PathBuf,
    /// File, directory or glob pattern to read instead of the one in [source]; - is standard input.
    #[arg(long, value_name = "PATH")]
    input: Option<PathBuf>,
    /// File to write instead of the one in [sink]; - is standard output.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// CSV file for bad rows instead of the one in [source]; {run} in the name is the time of the run.
    #[arg(long, value_name = "PATH")]
    rejects: Option<PathBuf>,
    /// Number of threads [default: all cores]; results do not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Limit on memory, such as 500MB or 2GiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory_limit: Option<u64>,
    /// Stop after N rows.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

/// Runs the command with these arguments, the program's name first, and returns its exit code: 0 for success, 1
/// if the run failed, 2 if the arguments or the pipeline are invalid and nothing was started, 130 if it was interrupted.
///
/// ```
/// assert_eq!(hypostyle_pipeline::main_with_args(["hypostyle".into(), "kernels".into()]), 0);
/// ```
pub fn main_with_args(args: impl IntoIterator<Item = OsString>) -> i32 {
    main_with_kernels(args, &hypostyle_jit::catalog())
}

/// As [`main_with_args`], with the kernels of this catalog.
///
/// ```
/// use hypostyle::Catalog;
/// let args = ["hypostyle".into(), "kernels".into(), "rolling_mean".into()];
/// assert_eq!(hypostyle_pipeline::main_with_kernels(args, &Catalog::default()), 0);
/// ```
pub fn main_with_kernels(args: impl IntoIterator<Item = OsString>, catalog: &Catalog) -> i32 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too; a closed pipe is not an error.
            let _ = error.print();
            return error.exit_code();
        }
    };
    match arguments.command {
        Command::Run(run) => run.execute(catalog),
        Command::Check { args } => check(&args, catalog).unwrap_or_else(|error| report(&error, code(&error))),
        Command::Kernels { name } => kernels::show(catalog, name.as_deref()),
        Command::Schema => {
            print(&schema::text());
            DONE
        }
    }
}

/// The rows of the dry run that measures the state.
const DRY_RUN_ROWS: u64 = 100_000;

/// Prints the plan, then the result of a dry run.
fn check(args: &PipelineArgs, catalog: &Catalog) -> crate::error::Result<i32> {
    let pipeline = args.pipeline(catalog)?;
    print(&format!("{}\n", pipeline.plan()?));
    if let Some(summary) = pipeline.dry_run(DRY_RUN_ROWS)? {
        print(&format!("{}\n", explain::dry_run(&summary)));
    }
    Ok(DONE)
}

impl PipelineArgs {
    fn pipeline(&self, catalog: &Catalog) -> crate::error::Result<Pipeline> {
        let mut pipeline = Pipeline::from_file(&self.file)?.with_kernels(catalog.clone());
        if let Some(path) = &self.input {
            pipeline = pipeline.with_input(path);
        }
        if let Some(path) = &self.output {
            pipeline = pipeline.with_output(path);
        }
        if let Some(path) = &self.rejects {
            pipeline = pipeline.with_rejects(path);
        }
        if let Some(threads) = self.threads {
            pipeline = pipeline.with_threads(threads);
        }
        if let Some(bytes) = self.memory_limit {
            pipeline = pipeline.with_memory_limit(bytes);
        }
        if let Some(rows) = self.limit {
            pipeline = pipeline.with_limit(rows);
        }
        Ok(pipeline)
    }
}

fn size(text: &str) -> Result<u64, String> {
    memory::parse(text).ok_or_else(|| "expected a size such as 500MB or 2GiB".to_string())
}

impl Run {
    fn execute(&self, catalog: &Catalog) -> i32 {
        let pipeline = self.args.pipeline(catalog);
        let pipeline = pipeline.map(|pipeline| if self.restart { pipeline.with_restart() } else { pipeline });
        let plan = match pipeline.and_then(|pipeline| pipeline.plan()) {
            Ok(plan) => plan,
            // The same day once more: its output is there.
            Err(error) if *error.kind() == ErrorKind::Processed => {
                if !self.quiet {
                    output::eprint_line(&format!("nothing to do: {error}"));
                }
                return DONE;
            }
            Err(error) => return report(&error, code(&error)),
        };
        let stop = interruption();
        let mut show: Box<dyn Show> = match self.progress {
            _ if self.quiet => Box::new(()),
            ProgressFormat::Bar => Box::new(progress::Bar::new()),
            ProgressFormat::Json => Box::new(progress::Json::new()),
        };
        let outcome = plan.run_until(&stop, &mut |progress| show.progress(progress));
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

/// A flag that SIGINT and SIGTERM set; a second signal ends the process at once.
fn interruption() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Without a handler the process ends at once, which leaves the temporary file: no reason not to run.
        let _ = flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&stop));
        let _ = flag::register(signal, Arc::clone(&stop));
    }
    stop
}

/// The exit code of an error in planning: a bad row fails the run wherever in the file it is.
fn code(error: &Error) -> i32 {
    match error.kind() {
        ErrorKind::Malformed { .. } | ErrorKind::Stage(hypostyle::ErrorKind::Unsorted) => FAILED,
        _ => USAGE,
    }
}
