//! What is done about bad rows: the run fails, their values become null, they are left out, or they go to a file of their own.
//! Each of them is counted, whatever is done.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::bad::{Bad, Reason};
use crate::error::{Error, ErrorKind, Result};
use crate::sink::place::Pending;
use crate::source::Column;

/// What is done about a bad row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnBad {
    /// The run fails, and says where the row is.
    #[default]
    Fail,
    /// What can't be read is null; a row with too few fields is filled up, one with too many cut off.
    Null,
    /// The row is left out.
    Skip,
    /// The row is left out and written to the rejects.
    Reject,
}

/// The policy of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub on_bad: OnBad,
    /// With more bad rows than these the run fails.
    pub limit: Option<u64>,
    pub rejects: Option<PathBuf>,
}

/// Keeps account of the bad rows of a run.
pub(crate) struct Account {
    policy: Policy,
    columns: Vec<Column>,
    rules: Vec<String>,
    counts: BTreeMap<(Option<usize>, &'static str), u64>,
    rows: u64,
    last: Option<(usize, u64)>,
    rejects: Option<Rejects>,
}

struct Rejects {
    pending: Pending,
    writer: csv::Writer<BufWriter<File>>,
}

const HEADER: [&str; 7] = ["file", "line", "record", "byte_offset", "column", "reason", "row"];

impl Account {
    pub fn open(policy: Policy, columns: Vec<Column>, rules: Vec<String>) -> Result<Self> {
        let rejects = match &policy.rejects {
            Some(path) if policy.on_bad == OnBad::Reject => Some(Rejects::create(path)?),
            _ => None,
        };
        Ok(Self { policy, columns, rules, counts: BTreeMap::new(), rows: 0, last: None, rejects })
    }

    /// Takes account of the bad rows of a chunk, the `file`-th file's.
    pub fn take(&mut self, file: usize, found: &[Bad]) -> Result<()> {
        for bad in found {
            if self.policy.on_bad == OnBad::Fail {
                return Err(bad.error(&self.columns, &self.rules));
            }
            *self.counts.entry((bad.column, kind(bad.reason))).or_default() += 1;
            let row = (file, bad.place.record);
            self.rows += u64::from(self.last != Some(row));
            self.last = Some(row);
            if let Some(limit) = self.policy.limit.filter(|limit| self.rows > *limit) {
                let error = bad.error(&self.columns, &self.rules);
                return Err(error.prefix(&format!("there are more bad rows than max_bad_rows = {limit}; the last: ")));
            }
            if let Some(rejects) = &mut self.rejects {
                rejects.write(bad, &self.columns, &self.rules)?;
            }
        }
        Ok(())
    }

    /// How many rows were bad.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What was wrong, and how often: `3 in 'price' not readable`.
    pub fn reasons(&self) -> Vec<(String, u64)> {
        let text = |(column, kind): &(Option<usize>, &'static str)| match column {
            Some(column) => format!("{kind} in '{}'", self.columns[*column].name),
            None => (*kind).to_string(),
        };
        self.counts.iter().map(|(key, count)| (text(key), *count)).collect()
    }

    /// Brings the rejects to the disk under their temporary name.
    pub fn finish(self) -> Result<Option<Pending>> {
        self.rejects.map(Rejects::finish).transpose()
    }
}

fn kind(reason: Reason) -> &'static str {
    match reason {
        Reason::Text => "not readable",
        Reason::Precision(_) | Reason::Decimals => "too many decimals",
        Reason::Range => "out of range",
        Reason::Offset => "an offset from UTC",
        Reason::Encoding => "no UTF-8",
        Reason::Fields(_) => "another number of fields",
        Reason::Rule(_) => "against a rule",
    }
}

impl Rejects {
    fn create(path: &Path) -> Result<Self> {
        let pending = Pending::create(path)?;
        let file = BufWriter::new(pending.handle()?);
        let mut rejects = Self { pending, writer: csv::WriterBuilder::new().from_writer(file) };
        rejects.record(HEADER.map(str::as_bytes))?;
        Ok(rejects)
    }

    fn write(&mut self, bad: &Bad, columns: &[Column], rules: &[String]) -> Result<()> {
        let place = &bad.place;
        let file = place.file.to_string_lossy();
        let [line, record, offset] = [place.line, place.record, place.offset].map(|number| number.to_string());
        let column = bad.column.map_or("", |column| columns[column].name.as_str());
        let reason = match bad.column {
            Some(_) => format!("{} {}", crate::bad::shown(&bad.text), bad.summary(columns, rules)),
            None => bad.summary(columns, rules),
        };
        let texts = [&*file, &line, &record, &offset, column, &reason].map(str::as_bytes);
        let [file, line, record, offset, column, reason] = texts;
        self.record([file, line, record, offset, column, reason, &bad.row])
    }

    fn record(&mut self, fields: [&[u8]; 7]) -> Result<()> {
        let path = self.pending.path();
        self.writer.write_record(fields).map_err(|error| unwritable(path).because(error))
    }

    fn finish(self) -> Result<Pending> {
        let Self { pending, writer } = self;
        let fault = |error: std::io::Error| unwritable(pending.path()).because(error);
        let mut file = writer.into_inner().map_err(|error| fault(error.into_error()))?;
        file.flush().map_err(fault)?;
        Ok(pending)
    }
}

fn unwritable(path: &Path) -> Error {
    Error::new(ErrorKind::Sink, "can't write the rejects").in_file(path)
}
