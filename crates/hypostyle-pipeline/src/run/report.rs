//! What a run reports: its progress, and a summary at the end.

use std::path::PathBuf;
use std::time::Duration;

/// The progress of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows written.
    pub rows_written: u64,
    /// Bytes of the input that were read, or skipped for the filter.  Compressed files count with their compressed size.
    pub bytes_read: u64,
    /// Bytes of the whole input; 0 if unknown, as for standard input.
    pub total_bytes: u64,
}

/// The outcome of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Rows written.
    pub rows_written: u64,
    /// Rows of the input: those written, those filtered out, and bad ones that were left out.
    pub rows_read: u64,
    /// Rows filtered out, with those of skipped row groups.
    pub filtered_rows: u64,
    /// Parquet row groups that were never read, since no row in them matches the filter.
    pub skipped_row_groups: u64,
    /// Files that were never opened, since their partition columns do not match the filter.  Their rows are not counted.
    pub skipped_files: u64,
    /// Rows with too few fields that were filled up with nulls, as `ragged = "fit"` says.
    pub filled_rows: u64,
    /// Rows with too many fields whose last ones were cut off, as `ragged = "fit"` says.
    pub cut_rows: u64,
    /// Bad rows: made null, left out or rejected, as the pipeline says.
    pub bad_rows: u64,
    /// The number of bad values for each column and reason.
    pub bad_row_counts: Vec<(String, u64)>,
    /// Whether bad rows are among the rows written, with nulls in place of bad values.
    pub nulled: bool,
    /// The file of rejected rows.
    pub rejects: Option<PathBuf>,
    /// Bytes of the input that were read.
    pub bytes_read: u64,
    /// Bytes of the output.
    pub bytes_written: u64,
    /// The time of the run, without planning.
    pub elapsed: Duration,
    /// The number of keys of the stage that has the most.
    pub n_keys: usize,
    /// The bytes of all stages' states at the end.
    pub state_bytes: u64,
    /// The peak memory of the process so far; `None` if the operating system does not report it.
    pub peak_memory: Option<u64>,
    /// The output.
    pub output: PathBuf,
}
