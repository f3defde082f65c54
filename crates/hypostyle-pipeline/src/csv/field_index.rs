//! The separators of a chunk: where each field of each record ends, found 64 bytes at a time.
//!
//! Sixteen bytes are compared with the delimiter, the line end and the quote at once, which gives a bit for each byte that
//! may matter; only those bits are visited.  Where a block has no quote and none is open, all of them are separators.  This
//! follows Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (VLDB J. 2019), section 3.1, but for the quotes: they
//! are followed one by one and not by parity, since a quote inside an unquoted field is text.

use wide::u8x16;

use super::dialect::Dialect;
use super::split::closing;

const BLOCK: usize = 64;

/// The fields of a chunk that begins and ends with whole records.
#[derive(Debug, Default)]
pub(crate) struct FieldIndex {
    columns: usize,
    /// Where each row begins.
    starts: Vec<u32>,
    /// Where each field ends, row after row.
    ends: Vec<u32>,
    /// Rows with another number of fields than there are columns.
    pub odd: Vec<Odd>,
}

/// A row with too few or too many fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odd {
    pub start: u32,
    pub end: u32,
    pub fields: usize,
    /// How many rows of the table stand before it.
    pub before: usize,
    pub kind: OddKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OddKind {
    /// It is no row of the table.
    LeftOut,
    /// It is a row of the table nonetheless, filled up or cut off.
    Fitted,
    /// It has the names of the columns, like the header, and is no row of the table.
    Header,
}

impl Odd {
    pub fn is_fitted(&self) -> bool {
        self.kind == OddKind::Fitted
    }
}

impl FieldIndex {
    pub fn rows(&self) -> usize {
        self.starts.len()
    }

    /// Where the row begins.
    pub fn start(&self, row: usize) -> usize {
        self.starts[row] as usize
    }

    /// Where the row ends, without its line end.
    pub fn end(&self, row: usize) -> usize {
        self.ends[(row + 1) * self.columns - 1] as usize
    }

    /// Where the field begins and ends, quotes included.
    #[inline]
    pub fn field(&self, row: usize, column: usize) -> (usize, usize) {
        let at = row * self.columns + column;
        let end = self.ends[at] as usize;
        let start = if column == 0 { self.starts[row] } else { self.ends[at - 1] + 1 } as usize;
        // A field that was filled in lies behind its own end.
        (start.min(end), end)
    }

    /// Where the records of this column begin and end.
    #[inline]
    pub fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)> {
        self.ends.chunks_exact(self.columns).zip(&self.starts).map(move |(ends, first)| {
            let end = ends[column] as usize;
            let start = if column == 0 { *first } else { ends[column - 1] + 1 } as usize;
            (start.min(end), end)
        })
    }

    /// Whether the fields of the row are these names.
    pub fn repeats(&self, names: &[String], row: usize, bytes: &[u8], dialect: &Dialect) -> bool {
        let (first, end) = self.field(row, 0);
        // Most rows differ in their first byte.
        let begins = |byte: u8| names[0].as_bytes().first() == Some(&byte) || !byte.is_ascii_alphanumeric();
        if first < end && !begins(bytes[first]) {
            return false;
        }
        // A name that the header does not have was made.
        let same = |(column, name): (usize, &String)| {
            let (start, end) = self.field(row, column);
            let text = dialect.text(dialect.trimmed(&bytes[start..end]));
            text.as_ref() == name.as_bytes()
                || text.is_empty() && name.starts_with("column_") && *name == made_name(column)
        };
        names.iter().enumerate().all(same)
    }

    /// Takes these rows, in order, out of the table: they repeat the header.
    pub fn set_aside(&mut self, rows: &[usize]) {
        if rows.is_empty() {
            return;
        }
        let gone = |row: usize| rows.partition_point(|other| *other < row);
        let odd = rows.iter().enumerate().map(|(count, row)| Odd {
            start: self.starts[*row],
            end: self.end(*row) as u32,
            fields: self.columns,
            before: row - count,
            kind: OddKind::Header,
        });
        let odd: Vec<Odd> = odd.collect();
        self.odd.iter_mut().for_each(|odd| odd.before -= gone(odd.before));
        self.odd.extend(odd);
        self.odd.sort_by_key(|odd| odd.start);
        let mut kept = (0..self.starts.len()).map(|row| rows.binary_search(&row).is_err());
        self.starts.retain(|_| kept.next().unwrap_or(true));
        let mut field = 0;
        let columns = self.columns;
        self.ends.retain(|_| {
            field += 1;
            rows.binary_search(&((field - 1) / columns)).is_err()
        });
    }

    /// Finds the fields of `bytes`, whose last byte is a line end.
    pub fn scan(&mut self, bytes: &[u8], dialect: &Dialect, columns: usize) {
        self.columns = columns;
        self.starts.clear();
        self.ends.clear();
        self.odd.clear();
        if dialect.blanks {
            return self.scan_blanks(bytes, dialect);
        }
        let quote = dialect.quote.or(dialect.escape).unwrap_or(dialect.delimiter);
        let [delimiter, line_end, quote, escape] =
            [dialect.delimiter, dialect.line_end, quote, dialect.escape.unwrap_or(quote)].map(u8x16::splat);
        let mut scan = Scan { table: self, bytes, dialect, row: 0, first: 0, quoted: false, next: 0 };
        let mut block = |base: usize, block: &[u8; BLOCK]| {
            let (mut separators, mut lines, mut quotes) = (0, 0, 0);
            for (part, shift) in block.as_chunks().0.iter().zip([0, 16, 32, 48]) {
                let part = u8x16::new(*part);
                let bits = |mask: u8x16| u64::from(mask.to_bitmask()) << shift;
                let line = part.simd_eq(line_end);
                separators |= bits(part.simd_eq(delimiter) | line);
                lines |= bits(line);
                if dialect.quote.is_some() || dialect.escape.is_some() {
                    quotes |= bits(part.simd_eq(quote) | part.simd_eq(escape));
                }
            }
            scan.block(base, separators, lines, quotes);
        };
        let (blocks, rest) = bytes.as_chunks::<BLOCK>();
        for (index, bytes) in blocks.iter().enumerate() {
            block(index * BLOCK, bytes);
        }
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        block(bytes.len() - rest.len(), &last);
    }
}

/// The name of a column without one.
pub(crate) fn made_name(column: usize) -> String {
    format!("column_{}", column + 1)
}

impl FieldIndex {
    /// As [`FieldIndex::scan`] where blanks separate fields: a field may have blanks at its end.
    fn scan_blanks(&mut self, bytes: &[u8], dialect: &Dialect) {
        let mut scan = Scan { table: self, bytes, dialect, row: 0, first: 0, quoted: false, next: 0 };
        let mut at = 0;
        let blank = |at: usize| matches!(bytes.get(at), Some(b' ' | b'\t'));
        let ends = |at: usize| match bytes.get(at) {
            Some(b'\r') => dialect.line_end == b'\r' || bytes.get(at + 1) == Some(&b'\n'),
            byte => byte.is_none_or(|byte| *byte == dialect.line_end),
        };
        while at < bytes.len() {
            while blank(at) {
                at += 1;
            }
            scan.row = at;
            loop {
                if dialect.quote.is_some() && bytes.get(at).copied() == dialect.quote && !scan.is_comment() {
                    at = closing(bytes, at + 1, bytes[at], dialect.escape).unwrap_or(bytes.len());
                }
                while !blank(at) && !ends(at) {
                    at += 1;
                }
                let end = at;
                while blank(at) {
                    at += 1;
                }
                if ends(at) {
                    scan.table.ends.push(end as u32);
                    break;
                }
                // The last of the blanks is the delimiter.
                scan.table.ends.push(at as u32 - 1);
            }
            at += usize::from(bytes.get(at).is_some_and(|byte| *byte != dialect.line_end));
            scan.end_row(at);
            at += 1;
        }
    }
}

struct Scan<'a> {
    table: &'a mut FieldIndex,
    bytes: &'a [u8],
    dialect: &'a Dialect,
    /// Where the row begins, and how many fields there were before it.
    row: usize,
    first: usize,
    quoted: bool,
    /// Bytes before this one have been dealt with.
    next: usize,
}

impl Scan<'_> {
    #[inline]
    fn block(&mut self, base: usize, separators: u64, lines: u64, quotes: u64) {
        if quotes != 0 || self.next > base {
            return self.block_with_quotes(base, separators, lines, quotes);
        }
        if self.quoted {
            return;
        }
        let mut bits = separators;
        while bits != 0 {
            let at = base + bits.trailing_zeros() as usize;
            self.table.ends.push(at as u32);
            if lines & bits & bits.wrapping_neg() != 0 {
                self.end_row(at);
            }
            bits &= bits - 1;
        }
    }

    fn block_with_quotes(&mut self, base: usize, separators: u64, lines: u64, quotes: u64) {
        let mut bits = separators | quotes;
        while bits != 0 {
            let at = base + bits.trailing_zeros() as usize;
            let bit = bits & bits.wrapping_neg();
            bits ^= bit;
            if at < self.next {
                continue;
            }
            let quote = quotes & bit != 0 && Some(self.bytes[at]) == self.dialect.quote;
            match (self.quoted, quote) {
                (false, true) => self.quoted = self.opens(at),
                (false, false) if separators & bit != 0 => {
                    self.table.ends.push(at as u32);
                    if lines & bit != 0 {
                        self.end_row(at);
                    }
                }
                (true, true) if self.bytes.get(at + 1).copied() != self.dialect.quote => self.quoted = false,
                (true, true) => self.next = at + 2,
                (true, false) if quotes & bit != 0 => self.next = at + 2,
                // An escape where quoting is disabled.
                (false, false) if self.dialect.quote.is_none() => self.next = at + 2,
                _ => {}
            }
        }
    }

    /// Whether the quote is its field's first byte, in a row that is no comment.
    fn opens(&self, at: usize) -> bool {
        let fields = &self.table.ends[self.first..];
        let start = fields.last().map_or(self.row, |end| *end as usize + 1);
        at == start && (self.dialect.comment.is_none() || !self.is_comment())
    }

    fn is_comment(&self) -> bool {
        self.bytes.get(self.row).copied() == self.dialect.comment
    }

    #[inline]
    fn end_row(&mut self, at: usize) {
        let FieldIndex { columns, starts, ends, .. } = &mut *self.table;
        let fields = ends.len() - self.first;
        let end = &mut ends[self.first + fields - 1];
        if at > self.row && self.bytes[at - 1] == b'\r' && self.dialect.line_end == b'\n' && *end as usize == at {
            *end -= 1;
        }
        if fields == *columns && fields > 1 && self.dialect.comment.is_none() {
            starts.push(self.row as u32);
        } else {
            self.end_other_row(fields);
        }
        self.row = at + 1;
        self.first = self.table.ends.len();
    }

    /// Ends a row that may be blank, a comment, or odd.
    #[cold]
    fn end_other_row(&mut self, fields: usize) {
        let FieldIndex { columns, starts, ends, odd } = &mut *self.table;
        let end = ends[self.first + fields - 1];
        let blank = fields == 1 && end as usize == self.row;
        let comment = self.dialect.comment.is_some() && self.bytes.get(self.row).copied() == self.dialect.comment;
        if blank || comment {
            ends.truncate(self.first);
            return;
        }
        if fields != *columns {
            let kind = if self.dialect.fit { OddKind::Fitted } else { OddKind::LeftOut };
            odd.push(Odd { start: self.row as u32, end, fields, before: starts.len(), kind });
            if kind == OddKind::LeftOut {
                ends.truncate(self.first);
                return;
            }
            ends.resize(self.first + *columns, end);
        }
        starts.push(self.row as u32);
    }
}
