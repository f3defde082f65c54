//! What a run shows on stderr: a bar while it goes (where stderr is a terminal), a line when it is done.

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use crate::run::{Status, Summary};

const TEMPLATE: &str = "{bar:30} {percent:>3}%  {bytes}/{total_bytes}  {msg}  {eta} left";

pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar that is hidden where stderr is no terminal.
    pub fn new(quiet: bool) -> Self {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        Self(bar)
    }

    pub fn show(&self, status: Status) {
        let seconds = self.0.elapsed().as_secs_f64();
        self.0.set_length(status.total_bytes);
        self.0.set_position(status.bytes);
        self.0.set_message(format!("{} rows  {}", HumanCount(status.rows), rate(status.rows, seconds)));
    }

    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// `5,000,000 rows in 2.1 s (2,380,952 rows/s), 263.01 MiB read, 98.11 MiB written to out.parquet, peak memory 120.33 MiB`
pub(super) fn line(summary: &Summary) -> String {
    let seconds = summary.elapsed.as_secs_f64();
    let memory = summary.peak_memory.map_or(String::new(), |peak| format!(", peak memory {}", HumanBytes(peak)));
    format!(
        "{} rows in {seconds:.2} s ({}), {} read, {} written to {}{memory}",
        HumanCount(summary.rows),
        rate(summary.rows, seconds),
        HumanBytes(summary.bytes_read),
        HumanBytes(summary.bytes_written),
        summary.output.display(),
    )
}

fn rate(rows: u64, seconds: f64) -> String {
    format!("{} rows/s", HumanCount((rows as f64 / seconds.max(1e-9)) as u64))
}
