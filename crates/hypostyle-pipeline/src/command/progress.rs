//! What a run shows on stderr: a bar while it goes (where stderr is a terminal) and a line when it is done; or lines of JSON.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;

use super::eprint_line;
use crate::run::{Status, Summary};

const TEMPLATE: &str = "{bar:30} {percent:>3}%  {bytes}/{total_bytes}  {msg}  {eta} left";
/// Where the size of the input isn't known.
const OPEN_TEMPLATE: &str = "{spinner} {bytes}  {msg}  {elapsed}";
/// How often a line of JSON is written.
const EVERY: Duration = Duration::from_secs(1);

/// Shows how a run goes.
pub(super) trait Show {
    fn status(&mut self, status: Status);
    fn summary(&mut self, summary: &Summary);
    fn failed(&mut self);
}

/// Shows nothing.
impl Show for () {
    fn status(&mut self, _: Status) {}
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
    fn status(&mut self, status: Status) {
        let bar = self.0.get_or_insert_with(|| {
            let bar = ProgressBar::no_length();
            let template = if status.total_bytes > 0 { TEMPLATE } else { OPEN_TEMPLATE };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸ "));
            }
            bar
        });
        let seconds = bar.elapsed().as_secs_f64();
        if status.total_bytes > 0 {
            bar.set_length(status.total_bytes);
        }
        bar.set_position(status.bytes);
        bar.set_message(format!("{} rows  {}", HumanCount(status.rows), rate(status.rows, seconds)));
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
    fn status(&mut self, status: Status) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let Status { rows, bytes, total_bytes } = status;
        let seconds = self.begun.elapsed().as_secs_f64();
        let line = json!({
            "event": "progress", "rows": rows, "bytes": bytes, "total_bytes": total_bytes, "seconds": seconds,
        });
        eprint_line(&line.to_string());
    }

    fn summary(&mut self, summary: &Summary) {
        let reasons: serde_json::Map<String, _> =
            summary.reasons.iter().map(|(reason, count)| (reason.clone(), json!(count))).collect();
        let line = json!({
            "event": "done",
            "rows": summary.rows,
            "rows_read": summary.rows_read,
            "filtered_rows": summary.filtered_rows,
            "skipped_groups": summary.skipped_groups,
            "skipped_files": summary.skipped_files,
            "bad_rows": summary.bad_rows,
            "reasons": reasons,
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
/// lines about what the filter left out and about bad rows, where there was any.
fn lines(summary: &Summary) -> String {
    let seconds = summary.elapsed.as_secs_f64();
    let memory = summary.peak_memory.map_or(String::new(), |peak| format!(", peak memory {}", HumanBytes(peak)));
    let mut text = format!(
        "{} rows in {seconds:.2} s ({}), {} read, {} written to {}{memory}",
        HumanCount(summary.rows),
        rate(summary.rows, seconds),
        HumanBytes(summary.bytes_read),
        HumanBytes(summary.bytes_written),
        summary.output.display(),
    );
    if summary.filtered_rows > 0 || summary.skipped_files > 0 {
        let mut parts = vec![format!("{} left out by the filter", count(summary.filtered_rows, "row"))];
        if summary.skipped_groups > 0 {
            parts.push(format!("{} unread", count(summary.skipped_groups, "row group")));
        }
        if summary.skipped_files > 0 {
            parts.push(format!("{} unopened", count(summary.skipped_files, "file")));
        }
        text.push_str(&format!("\n{}", parts.join(", ")));
    }
    if summary.bad_rows > 0 {
        let reasons: Vec<String> =
            summary.reasons.iter().map(|(reason, count)| format!("{} {reason}", HumanCount(*count))).collect();
        let fate = match &summary.rejects {
            Some(path) => format!("written to {}", path.display()),
            None if summary.nulled => "with nulls for what was bad".to_string(),
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
