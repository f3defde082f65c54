//! Parquet as a source.  The file says its own types; the chosen columns of its rows are decoded by threads.
//!
//! Row groups in a row are read as one *span* where they are small, so that batches are full; a span's last batch may be
//! short.  Row groups that are skipped are never touched.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::Length;

use super::columns::{Decoding, FileColumns, Known};
use super::file::SharedFile;
use super::lanes::{Decoded, Lane, Lanes};
use super::twice::combine;
use super::{footer, prune};
use crate::error::{Error, ErrorKind, Result};
use crate::files::input::InputFile;
use crate::model::chunk::FilterCounts;
use crate::model::column::Column;
use crate::model::fault::Reason;
use crate::model::widen::widen;
use crate::rules::test::Test;

/// Row groups are joined until they hold this number of batches.
const SPAN_BATCHES: u64 = 4;

/// A Parquet file whose footer has been read.
pub(crate) struct ParquetFile {
    input: InputFile,
    file: SharedFile,
    columns: FileColumns,
    /// The row groups that are left unread.
    skipped: Vec<bool>,
}

impl ParquetFile {
    pub fn open(input: &InputFile, known: &Known) -> Result<Self> {
        let path = &input.path;
        let file = input.remote().map_or_else(|| SharedFile::open(path), SharedFile::open_remote).map_err(|error| {
            let message = format!("cannot open the input: {error}");
            input.blame(Error::new(ErrorKind::Source, message).in_file(path).not_found_if(&error))
        })?;
        let columns = footer::load(&file)
            .and_then(|footer| FileColumns::of(footer, known))
            .map_err(|error| input.blame(Error::not_a_file_of("Parquet", error).in_file(path)))?;
        if let Some((name, codec)) = columns.unreadable() {
            let message = format!("column '{name}' is compressed with {codec}, which cannot be read");
            return Err(Error::new(ErrorKind::Source, message)
                .in_file(path)
                .help("write the file again with another compression, such as zstd"));
        }
        let skipped = vec![false; columns.footer.metadata().num_row_groups()];
        Ok(Self { input: input.clone(), file, columns, skipped })
    }

    /// The names of what the file notes about itself.
    pub fn notes(&self) -> Vec<String> {
        self.columns.schema.metadata().keys().cloned().collect()
    }

    /// The columns, as they are read.
    pub fn columns(&self) -> Vec<Column> {
        let named = self.columns.schema.fields().iter().zip(&self.columns.names);
        named.map(|(field, name)| Column { name: name.clone(), ..Column::of_field(field) }).collect()
    }

    /// The names of the columns whose moments are read in a unit that may be declared.
    pub fn moments(&self) -> Vec<String> {
        self.columns.moments()
    }

    /// Skips the row groups in which no row can pass all tests of the columns of these numbers.
    pub fn skip_groups(mut self, tests: &[(usize, Test)]) -> Self {
        self.skipped = prune::skipped(&self.columns, tests);
        self
    }

    /// How many row groups that would be, and of how many.
    pub fn skipped_groups(&self, tests: &[(usize, Test)]) -> (usize, usize) {
        let skipped = prune::skipped(&self.columns, tests);
        (skipped.iter().filter(|skipped| **skipped).count(), skipped.len())
    }

    /// The columns as the file has them.
    #[cfg(test)]
    pub fn schema(&self) -> &SchemaRef {
        &self.columns.schema
    }

    pub fn rows(&self) -> u64 {
        self.group_rows().sum()
    }

    fn group_rows(&self) -> impl Iterator<Item = u64> {
        self.columns.footer.metadata().row_groups().iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
    }

    /// The columns at these places and of this schema (null where there is no place), from row `skip` on, in batches of `rows` rows; a batch
    /// is shorter where row groups end.  `threads` is the number of decoding threads.
    pub fn batches(
        self,
        places: &[Option<usize>],
        schema: SchemaRef,
        rows: usize,
        threads: usize,
        skip: u64,
    ) -> Result<ParquetBatches> {
        let (total, bytes) = (self.rows(), self.file.len());
        let groups: Vec<(u64, bool)> = self.group_rows().zip(self.skipped.iter().copied()).collect();
        let spans = spans(&groups, rows, skip);
        let runs: VecDeque<_> = spans.iter().map(|span| (span.first, span.rows)).collect();
        let place = runs.front().map_or(total, |(first, _)| *first);
        let columns: Vec<usize> = places.iter().flatten().copied().collect();
        let count = if columns.is_empty() { 0 } else { spans.len() };
        let input = self.input.clone();
        let chunks = || {
            let groups = spans.iter().flat_map(|span| span.groups.clone());
            let places = groups.flat_map(|group| columns.iter().map(move |column| (group, *column)));
            places.flat_map(|(group, column)| self.chunks(group, column)).collect()
        };
        self.file.plan(chunks, columns.len());
        let there = schema.fields().iter().zip(places).filter(|(_, place)| place.is_some());
        let types: Vec<DataType> = there.map(|(field, _)| field.data_type().clone()).collect();
        let lanes = Lanes::start(threads, count, columns.len(), move |span, column| {
            self.lane(&spans[span], &columns, column, &types[column], rows)
        });
        let lanes = lanes.map_err(|error| error.in_file(&input.path))?;
        let missing = places.iter().map(Option::is_none).collect();
        Ok(ParquetBatches { input, lanes: Some(lanes), schema, missing, rows, runs, place, groups, total, bytes })
    }

    /// One of the columns over a span, as this type.
    fn lane(&self, span: &Span, columns: &[usize], column: usize, wanted: &DataType, rows: usize) -> Result<Lane> {
        let file = self.file.lane(|| {
            let beside = columns.iter().flat_map(|column| self.chunks(span.groups.start, *column));
            (self.leaves(span, columns[column]), beside.collect())
        });
        let place = columns[column];
        let reader = |footer: &ArrowReaderMetadata| {
            let leaves = self.columns.leaves.get(place).cloned().unwrap_or_default();
            let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file.clone(), footer.clone())
                .with_projection(ProjectionMask::leaves(footer.parquet_schema(), leaves))
                .with_row_groups(span.groups.clone().collect())
                .with_batch_size(rows);
            let reader = if span.skip == 0 { reader } else { reader.with_offset(span.skip) };
            let reader = reader.build().map_err(|error| unreadable(&self.input, error))?;
            // The mask leaves one column.
            Ok(reader.map(|batch| batch.map(|batch| Arc::clone(batch.column(0)))))
        };
        let (input, wanted) = (self.input.clone(), wanted.clone());
        if let (Decoding::Twice, Some([first, second])) = (self.columns.decoding[place], &self.columns.forms) {
            let pairs = reader(first)?.zip(reader(second)?);
            let read = self.columns.schema.field(place).data_type().clone();
            let whole = move |first: ArrayRef, second: ArrayRef| {
                let (array, mut misfits) = combine(&first, &second, &read)?;
                let (array, unheld) = widen(array, &wanted)?;
                misfits.extend(unheld);
                Ok(Decoded { array, misfits })
            };
            return Ok(Box::new(pairs.map(move |pair| match pair {
                (Ok(first), Ok(second)) => whole(first, second).map_err(|error: ArrowError| unreadable(&input, error)),
                (Err(error), _) | (_, Err(error)) => Err(unreadable(&input, error)),
            })));
        }
        Ok(Box::new(reader(&self.columns.footer)?.map(move |array| {
            array
                .and_then(|array| widen(array, &wanted))
                .map(|(array, misfits)| Decoded { array, misfits })
                .map_err(|error| unreadable(&input, error))
        })))
    }

    /// The positions of the leaves of a column in a row group, as far as they are possible.
    fn chunks(&self, group: usize, column: usize) -> impl Iterator<Item = Range<u64>> {
        let leaves = self.columns.leaves.get(column).cloned().unwrap_or_default();
        let chunks = self.columns.footer.metadata().row_group(group).columns().get(leaves).unwrap_or_default();
        chunks.iter().map(|chunk| {
            let start = chunk.dictionary_page_offset().unwrap_or(i64::MAX).min(chunk.data_page_offset());
            let start = u64::try_from(start).unwrap_or(0);
            start..start.saturating_add(u64::try_from(chunk.compressed_size()).unwrap_or(0))
        })
    }

    /// The chunks of each leaf of a column, in the order in which they are read.
    fn leaves(&self, span: &Span, column: usize) -> Vec<Vec<Range<u64>>> {
        let mut leaves = Vec::new();
        for group in span.groups.clone() {
            for (leaf, chunk) in self.chunks(group, column).enumerate() {
                leaves.resize_with(leaves.len().max(leaf + 1), Vec::new);
                leaves[leaf].push(chunk);
            }
        }
        leaves
    }
}

fn unreadable(input: &InputFile, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let damaged = Error::new(ErrorKind::Source, "cannot read the Parquet file")
        .in_file(&input.path)
        .help("the file may be damaged or truncated: write or fetch it again")
        .because(error);
    input.blame(damaged)
}

/// Row groups that are read as if they were one.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    groups: Range<usize>,
    /// Its first row in the file, behind those that are left out.
    first: u64,
    /// Rows to leave out at its beginning.
    skip: usize,
    /// Rows after those.
    rows: u64,
}

/// The row groups with the rows from `skip` on, but for those that are skipped as a whole; a span ends where one of them is.
/// What makes a span doesn't depend on the first rows, so that a resumed run gets the same batches.
fn spans(groups: &[(u64, bool)], batch_rows: usize, skip: u64) -> Vec<Span> {
    let enough = SPAN_BATCHES.saturating_mul(batch_rows as u64);
    let mut spans: Vec<Span> = Vec::new();
    let mut first = 0;
    for (index, (rows, skipped)) in groups.iter().copied().enumerate() {
        match spans.last_mut() {
            _ if skipped => {}
            Some(span) if span.rows < enough && span.groups.end == index => {
                span.groups.end = index + 1;
                span.rows += rows;
            }
            _ => spans.push(Span { groups: index..index + 1, first, skip: 0, rows }),
        }
        first += rows;
    }
    spans.retain_mut(|span| {
        let mut skipped = skip.saturating_sub(span.first).min(span.rows);
        span.first += skipped;
        span.rows -= skipped;
        while span.rows > 0 && skipped >= groups[span.groups.start].0 {
            skipped -= groups[span.groups.start].0;
            span.groups.start += 1;
        }
        // A row group within memory's reach has no more rows than there are addresses.
        span.skip = skipped as usize;
        span.rows > 0
    });
    spans
}

/// A value that the type of its column cannot hold: the column, the row, why, and how it is shown.
pub(super) type Unheld = (usize, usize, Reason, String);

/// The rows of a Parquet file.
pub(crate) struct ParquetBatches {
    input: InputFile,
    /// Until the end or an error.
    lanes: Option<Lanes>,
    /// Without the file's metadata: what another tool noted there about its own columns doesn't hold for the output.
    schema: SchemaRef,
    /// Which columns the file lacks.
    missing: Vec<bool>,
    rows: usize,
    /// The rows to come: the first in the file and how many, for each span.
    runs: VecDeque<(u64, u64)>,
    /// The row in the file behind the last batch; before the first the row that it begins with.
    place: u64,
    /// The rows of each row group, and whether it is left unread.
    groups: Vec<(u64, bool)>,
    total: u64,
    bytes: u64,
}

impl ParquetBatches {
    fn take(&mut self) -> Result<Option<(RecordBatch, Vec<Unheld>)>> {
        let Some((first, left)) = self.runs.front().copied() else { return Ok(None) };
        let arrays = match &mut self.lanes {
            // Without columns only rows are counted.
            Some(_) if self.missing.iter().all(|missing| *missing) => Some(Vec::new()),
            Some(lanes) => lanes.next().transpose()?,
            None => None,
        };
        let Some(arrays) = arrays else { return Err(self.cut_short()) };
        let most = usize::try_from(left).map_or(self.rows, |left| left.min(self.rows));
        let rows = arrays.first().map_or(most, |decoded| decoded.array.len());
        let left = left.checked_sub(rows as u64).ok_or_else(|| self.cut_short())?;
        self.place = first + rows as u64;
        match left {
            0 => drop(self.runs.pop_front()),
            _ => self.runs[0] = (self.place, left),
        }
        let mut unheld = Vec::new();
        let mut arrays = arrays.into_iter();
        let columns = self.schema.fields().iter().zip(&self.missing).enumerate().map(|(column, (field, missing))| {
            let decoded = if *missing { None } else { arrays.next() };
            let Some(Decoded { array, misfits }) = decoded else { return new_null_array(field.data_type(), rows) };
            unheld.extend(misfits.into_iter().map(|(row, reason, text)| (column, row, reason, text)));
            array
        });
        let columns = columns.collect();
        let batch = self.batch(columns, rows)?;
        unheld.sort_by_key(|(_, row, ..)| *row);
        Ok(Some((batch, unheld)))
    }

    fn batch(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|error| unreadable(&self.input, error))
    }

    fn cut_short(&self) -> Error {
        Error::new(ErrorKind::Source, "the Parquet file has fewer or more rows than its footer says")
            .in_file(&self.input.path)
            .help("the file may be damaged: write or fetch it again")
    }
}

impl ParquetBatches {
    /// The next rows, and their values that the columns' types cannot hold; `None` at the end.
    pub fn next(&mut self) -> Result<Option<(RecordBatch, Vec<Unheld>)>> {
        let result = self.take().map_err(|error| error.in_file(&self.input.path));
        if !matches!(result, Ok(Some(_))) {
            self.lanes = None;
            // After an error there is nothing more.
            if result.is_err() {
                self.runs.clear();
            }
        }
        result
    }

    /// The row in the file behind the last batch, or behind the last row at the end.
    pub fn place(&self) -> u64 {
        if self.runs.is_empty() && self.lanes.is_none() { self.total } else { self.place }
    }

    /// The bytes of this number of rows, as if all rows had the same size.
    pub fn bytes_of(&self, rows: u64) -> u64 {
        (u128::from(self.bytes) * u128::from(rows) / u128::from(self.total.max(1))) as u64
    }

    /// What was left unread between these rows.
    pub fn filtered(&self, rows: Range<u64>) -> FilterCounts {
        if rows.is_empty() {
            return FilterCounts::default();
        }
        let mut first = 0;
        let mut groups = 0;
        for (count, skipped) in &self.groups {
            groups += u64::from(*skipped && rows.contains(&first));
            first += count;
        }
        let bytes = self.bytes_of(rows.end) - self.bytes_of(rows.start);
        let unread = rows.end - rows.start;
        FilterCounts { rows: unread, groups, unread, bytes, ..FilterCounts::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_row_groups_are_read_as_one() {
        let span = |groups, first, skip, rows| Span { groups, first, skip, rows };
        let cut = |groups: &[u64], skip| {
            let groups: Vec<(u64, bool)> = groups.iter().map(|rows| (*rows, false)).collect();
            spans(&groups, 25, skip)
        };
        assert_eq!(cut(&[100, 100, 7], 0), [span(0..1, 0, 0, 100), span(1..2, 100, 0, 100), span(2..3, 200, 0, 7)]);
        assert_eq!(cut(&[40, 0, 40, 40, 40], 0), [span(0..4, 0, 0, 120), span(4..5, 120, 0, 40)]);
        assert_eq!(cut(&[40, 40, 500], 50), [span(1..3, 50, 10, 530)]);
        assert_eq!(cut(&[100, 40, 40, 500], 150), [span(2..4, 150, 10, 530)]);
        assert_eq!(cut(&[40, 40], 40), [span(1..2, 40, 0, 40)]);
        assert_eq!(cut(&[40, 40], 80), []);
        assert_eq!(cut(&[], 3), []);
    }

    #[test]
    fn a_span_ends_where_a_group_is_skipped() {
        let span = |groups, first, skip, rows| Span { groups, first, skip, rows };
        let groups = [(40, false), (40, false), (30, true), (20, false), (10, true)];
        assert_eq!(spans(&groups, 25, 0), [span(0..2, 0, 0, 80), span(3..4, 110, 0, 20)]);
        assert_eq!(spans(&groups, 25, 45), [span(1..2, 45, 5, 35), span(3..4, 110, 0, 20)]);
        for skip in [80, 95, 110] {
            assert_eq!(spans(&groups, 25, skip), [span(3..4, 110, 0, 20)]);
        }
        assert_eq!(spans(&groups, 25, 115), [span(3..4, 115, 5, 15)]);
        assert_eq!(spans(&groups, 25, 130), []);
    }
}
