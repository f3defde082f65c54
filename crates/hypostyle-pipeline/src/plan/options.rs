//! What a caller sets for a run, beside the pipeline file.

/// The options of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RunOptions {
    pub threads: Option<usize>,
    /// Rows to stop after: those that match the filter.
    pub limit: Option<u64>,
    /// Rows to stop after, whether they match the filter or not: for a dry run.
    pub dry_run: Option<u64>,
    pub memory_limit: Option<u64>,
    pub restart: bool,
}
