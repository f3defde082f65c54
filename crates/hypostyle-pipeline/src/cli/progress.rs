//! What a run shows on stderr: a bar while it goes (where stderr is a terminal) and a line when it is done; or lines of JSON.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;

use super::output::eprint_line;
use crate::run::{Progress, Summary};

const TEMPLATE: &str = "{bar:30} {percent:>3}%  {bytes}/{total_bytes}  {msg}  {eta} left";
/// Where the size of the input isn't known.
const OPEN_TEMPLATE: &str = "{spinner} {bytes}  {msg}  {elapsed}";
/// How often a line of JSON is written.
const EVERY: Duration = Duration::from_secs(1);

/// Shows how a run goes.
pub(super) trait Show {
    fn progress(&mut self, progress: Progress);
    fn summary(&mut self, summary: &Summary);
    fn failed(&mut self);
}

/// Shows nothing.
impl Show for () {
    fn progress(&mut self, _: Progress) {}
    fn summary(&mut self, _: &Summary) {}
    fn failed(&mut self) {}
}

/// A bar that is hidden where stderr is no terminal.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub fn new() -> Self {
        Self(None)
    }
}

impl Show for Bar {
    fn progress(&mut self, progress: Progress) {
        let bar = self.0.get_or_insert_with(|| {
            let bar = ProgressBar::no_length();
            let template = if progress.total_bytes > 0 { TEMPLATE } else { OPEN_TEMPLATE };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar
        });
        let seconds = bar.elapsed().as_secs_f64();
        if progress.total_bytes > 0 {
            bar.set_length(progress.total_bytes);
        }
        bar.set_position(progress.bytes_read);
        bar.set_message(format!(
            "{} rows  {}",
            HumanCount(progress.rows_written),
            rate(progress.rows_written, seconds)
        ));
    }

    fn summary(&mut self, summary: &Summary) {
        self.failed();
        eprint_line(&lines(summary));
    }

    fn failed(&mut self) {
        if let Some(bar) = self.0.take() {
            bar.finish_and_clear();
        }
    }
}

/// A line of JSON now and then, for programs.
pub(super) struct Json {
    begun: Instant,
    last: Option<Instant>,
}

impl Json {
    pub fn new() -> Self {
        Self { begun: Instant::now(), last: None }
    }
}

impl Show for Json {
    fn progress(&mut self, progress: Progress) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let Progress { rows_written, bytes_read, total_bytes } = progress;
        let seconds = self.begun.elapsed().as_secs_f64();
        let line = json!({
            "event": "progress", "rows_written": rows_written, "bytes_read": bytes_read, "total_bytes": total_bytes,
            "seconds": seconds,
        });
        eprint_line(&line.to_string());
    }

    fn summary(&mut self, summary: &Summary) {
        let counts: serde_json::Map<String, _> =
            summary.bad_row_counts.iter().map(|(reason, count)| (reason.clone(), json!(count))).collect();
        let line = json!({
            "event": "done",
            "rows_written": summary.rows_written,
            "rows_read": summary.rows_read,
            "filtered_rows": summary.filtered_rows,
            "skipped_row_groups": summary.skipped_row_groups,
            "skipped_files": summary.skipped_files,
            "filled_rows": summary.filled_rows,
            "cut_rows": summary.cut_rows,
            "bad_rows": summary.bad_rows,
            "bad_row_counts": counts,
            "rejects": summary.rejects,
            "bytes_read": summary.bytes_read,
            "bytes_written": summary.bytes_written,
            "seconds": summary.elapsed.as_secs_f64(),
            "peak_memory": summary.peak_memory,
            "output": summary.output,
        });
        eprint_line(&line.to_string());
    }

    fn failed(&mut self) {}
}

/// `5,000,000 rows in 2.1 s (2,380,952 rows/s), 263.01 MiB read, 98.11 MiB written to out.parquet, peak memory 120.33 MiB`, and
/// lines about filtered and bad rows, if there are any.
fn lines(summary: &Summary) -> String {
    let seconds = summary.elapsed.as_secs_f64();
    let memory = summary.peak_memory.map_or(String::new(), |peak| format!(", peak memory {}", HumanBytes(peak)));
    let mut text = format!(
        "{} rows in {seconds:.2} s ({}), {} read, {} written to {}{memory}",
        HumanCount(summary.rows_written),
        rate(summary.rows_written, seconds),
        HumanBytes(summary.bytes_read),
        HumanBytes(summary.bytes_written),
        summary.output.display(),
    );
    if summary.filtered_rows > 0 || summary.skipped_files > 0 {
        let mut parts = vec![format!("{} filtered out", count(summary.filtered_rows, "row"))];
        if summary.skipped_row_groups > 0 {
            parts.push(format!("{} skipped", count(summary.skipped_row_groups, "row group")));
        }
        if summary.skipped_files > 0 {
            parts.push(format!("{} skipped", count(summary.skipped_files, "file")));
        }
        text.push_str(&format!("\n{}", parts.join(", ")));
    }
    if summary.filled_rows > 0 || summary.cut_rows > 0 {
        text.push_str(&format!(
            "\n{} filled up, {} cut off",
            count(summary.filled_rows, "row"),
            count(summary.cut_rows, "row")
        ));
    }
    if summary.bad_rows > 0 {
        let reasons: Vec<String> =
            summary.bad_row_counts.iter().map(|(reason, count)| format!("{} {reason}", HumanCount(*count))).collect();
        let fate = match &summary.rejects {
            Some(path) => format!("written to {}", path.display()),
            None if summary.nulled => "with nulls for bad values".to_string(),
            None => "left out".to_string(),
        };
        text.push_str(&format!("\n{}, {fate}: {}", count(summary.bad_rows, "bad row"), reasons.join(", ")));
    }
    text
}

/// `1 row`, `5,000 rows`.
fn count(number: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(number), if number == 1 { "" } else { "s" })
}

fn rate(rows: u64, seconds: f64) -> String {
    format!("{} rows/s", HumanCount((rows as f64 / seconds.max(1e-9)) as u64))
}
