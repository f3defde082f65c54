//! A chunk of whole records: decoded, checked by the rules for single values, with the position of every bad row.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::Sender;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::annotated::Block;
use super::decode::{self, Fields, Place, Wanted};
use super::dialect::{Dialect, as_utf8};
use super::field_index::{FieldIndex, Odd, OddKind};
use super::header::lines;
use crate::config::Encoding;
use crate::error::{Error, ErrorKind, Result};
use crate::files::input::InputFile;
use crate::model::bad_row::{BadRow, OnBadRow, RowPosition};
use crate::model::chunk::{InputPosition, RowPositions, nulled, without};
use crate::model::fault::{Fault, Reason};
use crate::model::matching::Table;
use crate::rules::ValueRule;
use crate::rules::filter::RowFilter;

/// What all chunks have in common.
pub(crate) struct Reading {
    pub files: Vec<InputFile>,
    /// But for the line end, which each file has for itself.
    pub dialect: Dialect,
    /// The columns of all files, and the schema of the wanted ones.
    pub table: Table,
    /// The columns that are wanted.
    pub wanted: Vec<Wanted>,
    /// The blocks of each file, if it is annotated CSV.
    pub blocks: Vec<Vec<Block>>,
    /// Rules for single values, each with the place of its column among the wanted ones.
    pub rules: Vec<(usize, ValueRule)>,
    /// The filter, if no rule on row order comes before it.
    pub row_filter: Option<RowFilter>,
    pub on_bad: OnBadRow,
    /// Whether rows that were filled up or cut off are bad ones all the same.
    pub fitted_are_bad: bool,
    /// Whether positions will be needed after the chunk is decoded.
    pub keep_text: bool,
    /// So much is decoded at once.
    pub chunk_bytes: usize,
    /// Bytes taken from the disk so far.
    pub read: Arc<AtomicU64>,
}

/// Where a file has the columns.
#[derive(Debug)]
pub(super) struct Layout {
    /// The names in its header.
    names: Vec<String>,
    /// Those of the wanted columns.
    places: Vec<Place>,
    /// What an empty field of them means, where it means something.
    defaults: Vec<Vec<u8>>,
}

impl Layout {
    /// Finds the wanted columns in a file with these names; fails if it has not the columns that it must have.
    pub fn of(block: &Block, path: &Path, table: &Table, wanted: &[Wanted]) -> Result<Self> {
        let names = block.names.clone();
        table.check_extra(path, &names)?;
        let place = |column: usize| table.place(path, column, &names);
        let places = wanted.iter().map(|wanted| match wanted.joins {
            None => Ok(place(wanted.column)?.map_or(Place::Missing, Place::One)),
            Some(joins) => match (place(joins[0])?, place(joins[1])?) {
                (Some(date), Some(time)) => Ok(Place::Joined([date, time])),
                (None, None) => Ok(Place::Missing),
                (date, _) => {
                    let [there, absent] = if date.is_some() { joins } else { [joins[1], joins[0]] };
                    let message = format!("got column '{}' without '{}'", table.names[there], table.names[absent]);
                    Err(Error::new(ErrorKind::Source, message)
                        .in_file(path)
                        .help("remove the column that joins both from [source.datetime_formats]"))
                }
            },
        });
        let places = places.collect::<Result<Vec<_>>>()?;
        let default = |place: &Place| match place {
            Place::One(place) => block.defaults.get(*place).cloned().unwrap_or_default().into_bytes(),
            _ => Vec::new(),
        };
        Ok(Self { defaults: places.iter().map(default).collect(), places, names })
    }

    fn width(&self) -> usize {
        self.names.len()
    }
}

/// What became of a chunk; places are counted from its beginning.
pub(super) struct Decoded {
    pub batch: Result<RecordBatch>,
    pub bad: Vec<Found>,
    /// Rows filtered out.
    pub filtered: u64,
    /// Rows that were filled up and that were cut off, as the pipeline says, without being bad.
    pub fitted: [u64; 2],
    pub records: u64,
    pub lines: u64,
    pub text: Option<Text>,
}

/// A chunk's text and the positions of its rows.
pub(super) struct Text {
    dialect: Arc<Dialect>,
    layout: Arc<Layout>,
    /// As UTF-8, where its encoding is known.
    bytes: Vec<u8>,
    converted: bool,
    table: FieldIndex,
    /// The rows of the table that are left, where some are not.
    left: Option<Vec<usize>>,
}

/// The memory of a chunk: what is read, and where the fields will be noted.  The next ones use it again.
#[derive(Default)]
pub(super) struct Spare {
    pub bytes: Vec<u8>,
    pub table: FieldIndex,
}

/// Finds the rows of a chunk after it was decoded.
pub(super) struct ChunkPositions {
    reading: Arc<Reading>,
    text: Text,
    at: InputPosition,
}

impl ChunkPositions {
    pub fn new(reading: &Arc<Reading>, text: Text, at: InputPosition) -> Self {
        Self { reading: Arc::clone(reading), text, at }
    }
}

impl RowPositions for ChunkPositions {
    fn remove(&mut self, count: usize, rows: &mut dyn Iterator<Item = usize>) {
        let gone: HashSet<usize> = rows.collect();
        let left = self.text.left.take().unwrap_or_else(|| (0..count).collect());
        let left = left.into_iter().enumerate().filter(|(row, _)| !gone.contains(row));
        self.text.left = Some(left.map(|(_, row)| row).collect());
    }

    fn bad_rows(&self, faults: &[Fault]) -> Vec<BadRow> {
        let row = |row: usize| self.text.left.as_ref().map_or(row, |left| left[row]);
        let mut faults: Vec<Fault> = faults.iter().map(|fault| Fault { row: row(fault.row), ..*fault }).collect();
        let found = self.reading.bad(&self.text, &mut faults, &[]);
        found.into_iter().map(|found| found.place(&self.reading.files[self.at.file].path, self.at)).collect()
    }
}

/// A bad row, with its place counted from the beginning of the chunk.
pub(super) struct Found {
    record: u64,
    line: u64,
    offset: u64,
    /// Where the fault's field begins.
    field: usize,
    reason: Reason,
    column: Option<usize>,
    text: Vec<u8>,
    row: Vec<u8>,
}

impl Found {
    /// The bad row, for a chunk that begins at this mark.
    pub fn place(self, file: &Arc<Path>, at: InputPosition) -> BadRow {
        let position = RowPosition {
            file: Arc::clone(file),
            line: at.line + self.line,
            record: at.record + self.record,
            offset: at.offset + self.offset,
        };
        BadRow { position, reason: self.reason, column: self.column, text: self.text, row: self.row }
    }
}

impl Reading {
    /// Decodes a chunk of whole records; its memory goes back to `spare` if it isn't wanted any more.
    pub(super) fn decode(
        &self,
        chunk: Spare,
        dialect: Arc<Dialect>,
        layout: Arc<Layout>,
        spare: &Sender<Spare>,
    ) -> Decoded {
        let Spare { bytes, mut table } = chunk;
        let converted = dialect.encoding != Encoding::Utf8 && !bytes.is_ascii();
        let bytes = if converted { as_utf8(dialect.encoding, &bytes) } else { bytes };
        table.scan(&bytes, &dialect, layout.width());
        let mut text = Text { dialect, layout, bytes, converted, table, left: None };
        let utf8 = simdutf8::basic::from_utf8(&text.bytes).is_ok();
        let only_texts = self.wanted.iter().all(|wanted| is_text(&wanted.data_type));
        if only_texts {
            // No column of another type would mind it.
            let headers = self.headers(&text, 0..text.table.rows());
            text.table.set_aside(&headers);
        }
        let mut faults = Vec::new();
        let mut columns = self.columns(&text, utf8, &mut faults);
        if !only_texts && !faults.is_empty() {
            let mut rows: Vec<usize> = faults.iter().map(|fault| fault.row).collect();
            rows.sort_unstable();
            rows.dedup();
            let headers = self.headers(&text, rows.into_iter());
            if !headers.is_empty() {
                text.table.set_aside(&headers);
                faults.clear();
                columns = self.columns(&text, utf8, &mut faults);
            }
        }
        let columns = columns.and_then(|mut columns| {
            self.check_values(&mut columns, &mut faults).map_err(misfit)?;
            Ok(columns)
        });
        let Text { dialect, bytes, table, .. } = &text;
        let bad = if faults.is_empty() && table.odd.is_empty() {
            Vec::new()
        } else {
            self.bad(&text, &mut faults, &table.odd)
        };
        let drops_bad = matches!(self.on_bad, OnBadRow::Skip | OnBadRow::Reject) && !faults.is_empty();
        let options = RecordBatchOptions::new().with_row_count(Some(table.rows()));
        let batch = columns.and_then(|columns| {
            RecordBatch::try_new_with_options(Arc::clone(&self.table.schema), columns, &options)
                .and_then(
                    |batch| {
                        if drops_bad { without(&batch, faults.iter().map(|fault| fault.row)) } else { Ok(batch) }
                    },
                )
                .and_then(|batch| {
                    let kept =
                        self.row_filter.as_ref().map_or_else(|| Ok(batch.clone()), |filter| filter.kept(&batch))?;
                    Ok((batch.num_rows() - kept.num_rows(), kept))
                })
                .map_err(misfit)
        });
        let rows = table.rows();
        let records = rows + table.odd.iter().filter(|odd| !odd.is_fitted()).count();
        let fitted = table.odd.iter().filter(|odd| odd.is_fitted() && !self.fitted_are_bad);
        let cut = fitted.clone().filter(|odd| odd.fields > text.layout.width()).count() as u64;
        let fitted = [fitted.count() as u64 - cut, cut];
        let lines = lines(bytes, dialect);
        let text = if self.keep_text {
            text.left = drops_bad.then(|| {
                let faulty: HashSet<usize> = faults.iter().map(|fault| fault.row).collect();
                (0..rows).filter(|row| !faulty.contains(row)).collect()
            });
            Some(text)
        } else {
            let _ = spare.send(Spare { bytes: text.bytes, table: text.table });
            None
        };
        let (filtered, batch) = match batch {
            Ok((filtered, batch)) => (filtered as u64, Ok(batch)),
            Err(error) => (0, Err(error)),
        };
        Decoded { batch, bad, filtered, fitted, records: records as u64, lines, text }
    }

    fn columns(&self, text: &Text, utf8: bool, faults: &mut Vec<Fault>) -> Result<Vec<ArrayRef>> {
        let Text { dialect, layout, bytes, table, .. } = text;
        let fields = Fields { bytes, table, dialect, utf8 };
        let columns = self.wanted.iter().zip(&layout.places).enumerate().map(|(index, (wanted, place))| {
            decode::column(fields, wanted, *place, &layout.defaults[index], faults).map_err(|error| {
                let name = self.table.schema.field(index).name();
                Error::internal(format_args!("column '{name}' cannot be decoded")).because(error)
            })
        });
        columns.collect()
    }

    /// Those of these rows that repeat the header.  A single column of texts may well hold its own name.
    fn headers(&self, text: &Text, rows: impl Iterator<Item = usize>) -> Vec<usize> {
        let Text { dialect, layout, bytes, table, .. } = text;
        if !self.dialect.header || layout.width() < 2 {
            return Vec::new();
        }
        rows.filter(|row| table.repeats(&layout.names, *row, bytes, dialect)).collect()
    }

    /// Applies the rules to the values that could be read.  If bad values become null, those that violate a rule do.
    fn check_values(&self, columns: &mut [ArrayRef], faults: &mut Vec<Fault>) -> std::result::Result<(), ArrowError> {
        let unreadable: HashSet<(usize, usize)> = match self.rules.is_empty() {
            true => HashSet::new(),
            false => faults.iter().map(|fault| (fault.row, fault.column)).collect(),
        };
        for (place, rule) in &self.rules {
            let violations = rule.violations(&columns[*place])?;
            if violations.is_empty() {
                continue;
            }
            if self.on_bad == OnBadRow::Null {
                columns[*place] = nulled(&columns[*place], violations.iter().map(|fault| fault.row))?;
            }
            faults.extend(violations.into_iter().filter(|fault| !unreadable.contains(&(fault.row, fault.column))));
        }
        Ok(())
    }

    /// The bad rows of a chunk in order, each with its first fault; with all of them where they become nulls.
    fn bad(&self, text: &Text, faults: &mut Vec<Fault>, odd: &[Odd]) -> Vec<Found> {
        let Text { dialect, layout, bytes, table, .. } = text;
        faults.sort_by_key(|fault| (fault.row, fault.column));
        if self.on_bad != OnBadRow::Null {
            faults.dedup_by_key(|fault| fault.row);
        }
        // Records that are no rows count as records all the same: so many stand before each odd one.
        let mut others = vec![0];
        others.extend(table.odd.iter().scan(0, |count, odd| {
            *count += usize::from(!odd.is_fitted());
            Some(*count)
        }));
        let found = |record: usize, row: Range<usize>, field: usize, reason| Found {
            record: record as u64,
            line: 0,
            offset: row.start as u64,
            field,
            reason,
            column: None,
            text: Vec::new(),
            row: if self.on_bad == OnBadRow::Reject { bytes[row].to_vec() } else { Vec::new() },
        };
        let fields = faults.iter().map(|fault| {
            let place = self.wanted.iter().zip(&layout.places).find(|(wanted, _)| wanted.column == fault.column);
            let columns = match place {
                Some((_, Place::One(place))) => vec![*place],
                Some((_, Place::Joined(places))) => places.to_vec(),
                Some((_, Place::Missing)) | None => Vec::new(),
            };
            let start = columns.first().map_or(table.start(fault.row), |place| table.field(fault.row, *place).0);
            let texts = columns.into_iter().map(|column| {
                let (start, end) = table.field(fault.row, column);
                dialect.text(dialect.trimmed(&bytes[start..end]))
            });
            let before = table.odd.partition_point(|odd| odd.before <= fault.row);
            // A row that was cut off is shown as it is in the file.
            let cut = before.checked_sub(1).map(|index| table.odd[index]);
            let cut = cut.filter(|odd| odd.is_fitted() && odd.before == fault.row && odd.fields > layout.width());
            let end = cut.map_or_else(|| table.end(fault.row), |odd| odd.end as usize);
            let row = table.start(fault.row)..end;
            Found {
                column: Some(fault.column),
                text: texts.collect::<Vec<_>>().join(&b' '),
                ..found(fault.row + others[before], row, start, fault.reason)
            }
        });
        let is_bad = |odd: &Odd| self.fitted_are_bad || !odd.is_fitted();
        let rows = odd.iter().enumerate().filter(|(_, odd)| is_bad(odd)).map(|(index, odd)| {
            let (start, end) = (odd.start as usize, odd.end as usize);
            let reason = match odd.kind {
                OddKind::Header => Reason::Header,
                _ => Reason::Fields { found: odd.fields, expected: layout.width() },
            };
            found(odd.before + others[index], start..end, start, reason)
        });
        let mut all: Vec<Found> = fields.chain(rows).collect();
        all.sort_by_key(|found| (found.record, found.field));
        text.locate(&mut all);
        all
    }
}

impl Text {
    /// Counts lines, and the bytes of what was in another encoding, once through the text.
    fn locate(&self, all: &mut [Found]) {
        let (mut line, mut counted) = (0, 0);
        let (mut offset, mut measured) = (0, 0);
        for found in all {
            line += lines(&self.bytes[counted..found.field], &self.dialect);
            (found.line, counted) = (line, found.field);
            if self.converted {
                let start = found.offset as usize;
                offset += chars(&self.bytes[measured..start]) as u64;
                (found.offset, measured) = (offset, start);
            }
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Dictionary(..))
}

fn misfit(error: ArrowError) -> Error {
    Error::internal("the decoded columns do not fit together").because(error)
}

/// How many bytes this text was in its encoding, where each is a character.
fn chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}
