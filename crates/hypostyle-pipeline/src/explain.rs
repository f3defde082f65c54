//! The text of a plan, for `hypostyle check`: input, columns with the origin of their types, kernels and output.

use std::fmt;

use arrow::datatypes::DataType;
use indicatif::{HumanBytes, HumanCount};

use crate::model::bad_row::OnBadRow;
use crate::model::column::{Column, Origin};
use crate::model::types;
use crate::plan::Plan;
use crate::plan::stages::PlannedStage;
use crate::run::Summary;
use crate::sink::{Style, Target};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        let files = &source.files.list;
        let more = if files.len() > 1 { format!(" and {} more files", files.len() - 1) } else { String::new() };
        let (format, bytes) = (source.format().name(), HumanBytes(source.files.bytes()));
        match source.files.unread {
            true if files.is_empty() => writeln!(f, "source   a table without files ({format})")?,
            true => writeln!(f, "source   none of {} files ({format})", source.files.left_out.len())?,
            false => writeln!(f, "source   {}{more} ({format}, {bytes})", files[0].path.display())?,
        }
        for note in source.notes() {
            writeln!(f, "note     {note}")?;
        }
        let names = source.wanted().map(|column| column.name.as_str());
        let outputs = self.stages.iter().flat_map(|stage| &stage.outputs).map(|(name, ..)| name.as_str());
        let types = source.wanted().map(|column| &column.data_type);
        let output_types = self.stages.iter().flat_map(|stage| &stage.outputs).map(|(_, data_type, _)| data_type);
        let widths = Widths {
            name: widest(names.chain(outputs).map(|name| name.chars().count())),
            data_type: widest(types.chain(output_types).map(|data_type| types::name(data_type).len())),
        };
        for column in source.wanted() {
            widths.line(f, &column.name, &column.data_type, &origin(column))?;
        }
        for note in source.lost_notes() {
            writeln!(f, "         (what the file notes under '{note}' is not passed on)")?;
        }
        let on_bad = source.policy.on_bad;
        if on_bad != OnBadRow::Fail || !self.validator.rule_texts.is_empty() {
            let fate = match (on_bad, &source.policy.rejects) {
                (OnBadRow::Reject, Some(path)) if path.exists() => {
                    format!("go to {}, which is replaced; {{run}} in its name keeps those of each run", path.display())
                }
                (OnBadRow::Reject, Some(path)) => format!("go to {}", path.display()),
                (OnBadRow::Fail, _) => "fail the run".to_string(),
                (OnBadRow::Null, _) => "get nulls for bad values".to_string(),
                _ => "are left out".to_string(),
            };
            writeln!(f, "bad rows {fate}")?;
            for (column, rule) in self.validator.rule_columns.iter().zip(&self.validator.rule_texts) {
                writeln!(f, "         {column:<0$}  {rule}", widths.name)?;
            }
        }
        self.filter(f, widths.name)?;
        for (index, stage) in self.stages.iter().enumerate() {
            writeln!(f, "stage {}{}", index + 1, keys(stage))?;
            for (name, data_type, spec) in &stage.outputs {
                widths.line(f, name, data_type, &call(spec))?;
            }
        }
        let style = match self.sink.style {
            Style::Csv { .. } => "csv".to_string(),
            Style::Parquet { compression } => format!("parquet, {}", compression.name()),
            Style::Ipc { compression } => format!("ipc, {}", compression.name()),
            Style::None => "nothing is written".to_string(),
        };
        write!(f, "sink     {} ({style}, {} columns)", self.sink.name().display(), self.sink.schema.fields().len())?;
        if matches!(&self.sink.target, Target::Directory(_, directory) if directory.append.is_some()) {
            write!(f, ", added to its files")?;
        }
        match self.options.limit {
            Some(rows) => write!(f, "\nlimit    the first {rows} rows"),
            None => Ok(()),
        }
    }
}

impl Plan {
    /// The conditions, and the files and row groups that they skip.
    fn filter(&self, f: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        let source = &self.source;
        if source.filter.conditions.is_empty() {
            return Ok(());
        }
        let left_out = source.files.left_out.len();
        let mut unread = Vec::new();
        if left_out > 0 {
            unread.push(format!("{left_out} of {} files", source.files.read().len() + left_out));
        }
        if let Some((skipped, groups)) = source.groups() {
            unread.push(format!("{skipped} of {groups} row groups"));
        }
        let unread = if unread.is_empty() { String::new() } else { format!("   skips {}", unread.join(" and ")) };
        writeln!(f, "filter{unread}")?;
        for condition in &source.filter.conditions {
            writeln!(f, "         {:<width$}  {}", condition.name, condition.text)?;
        }
        Ok(())
    }
}

/// The size of the state after a dry run.
pub(crate) fn dry_run(summary: &Summary) -> String {
    let (rows, keys, bytes) = (HumanCount(summary.rows_written), summary.n_keys as u64, summary.state_bytes);
    let matching = if summary.filtered_rows > 0 { " matching" } else { "" };
    let mut text = format!("dry run  first {rows}{matching} rows: {} of state", HumanBytes(bytes));
    if keys > 1 {
        text.push_str(&format!(", {} per key for {} keys", HumanBytes(bytes / keys), HumanCount(keys)));
    }
    if summary.filled_rows > 0 || summary.cut_rows > 0 {
        let (filled, cut) = (HumanCount(summary.filled_rows), HumanCount(summary.cut_rows));
        text.push_str(&format!("; {filled} rows filled up, {cut} cut off"));
    }
    if summary.bad_rows > 0 {
        text.push_str(&format!("; {} bad rows", HumanCount(summary.bad_rows)));
    }
    text
}

/// As it is displayed, without the states.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

struct Widths {
    name: usize,
    data_type: usize,
}

impl Widths {
    fn line(&self, f: &mut fmt::Formatter<'_>, name: &str, data_type: &DataType, text: &str) -> fmt::Result {
        let data_type = types::name(data_type);
        writeln!(f, "         {name:<0$}  {data_type:<1$}  {text}", self.name, self.data_type)
    }
}

fn widest(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.max().unwrap_or(0).min(40)
}

fn origin(column: &Column) -> String {
    let origin = match column.origin {
        Origin::Declared => "declared".to_string(),
        Origin::Inferred { rows } => format!("inferred from the first {rows} rows"),
        Origin::File => String::new(),
        Origin::Joined(_) => "joined from two columns".to_string(),
        Origin::Partition => "partition column".to_string(),
    };
    match &column.remark {
        Some(remark) => format!("{origin} ({remark})"),
        None => origin,
    }
}

fn keys(stage: &PlannedStage) -> String {
    if stage.over.is_empty() { String::new() } else { format!("  over {}", stage.over.join(", ")) }
}

/// The kernel as a call, without the keys, which are on the stage's line.
fn call(spec: &hypostyle::KernelSpec) -> String {
    let mut spec = spec.clone();
    spec.over.clear();
    spec.to_string()
}
