//! CSV as a source: how the pipeline says that files are written, and the columns that the first of them has.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::DataType;

use super::dialects;
use crate::config::{BooleanTable, DialectName, Empty, Ragged, SourceTable};
use crate::csv::annotated::{self, Block};
use crate::csv::dialect::Dialect;
use crate::csv::header::{self, Opened};
use crate::csv::sniff;
use crate::error::{Error, ErrorKind, Result};
use crate::files::format::{byte, delimiter};
use crate::files::list::Files;
use crate::model::bad_row::OnBadRow;
use crate::model::column::{Column, Origin};
use crate::model::infer::TypeGuess;
use crate::model::matching::{ExtraColumns, Matching};
use crate::model::values::{Booleans, MINUS_BEHIND, NullValues, ValueStyle};
use crate::model::widen::common;

/// So many files are looked at for the values of a column that has none in the first.
const FURTHER_FILES: usize = 100;

/// How CSV files are read.
pub(super) struct Csv {
    pub dialect: Dialect,
    /// Whether rows that were filled up or cut off still count as bad.
    pub fitted_are_bad: bool,
    pub names: Vec<String>,
    /// Whether a bad row fails the run.
    pub stops: bool,
    /// Whether the pipeline file says if there is a header.
    pub header_stated: bool,
    /// The blocks of each file, if it is annotated CSV.
    pub blocks: Vec<Vec<Block>>,
    /// What `check` should say about the file as a whole.
    pub notes: Vec<String>,
    pub read: Arc<AtomicU64>,
}

/// The settings of CSV, with those of the dialect.
pub(super) fn settings(table: &SourceTable, files: &Files) -> Result<Csv> {
    let table = &dialects::applied(table);
    let quote = match table.quote.as_deref() {
        Some("") => None,
        stated => Some(byte(stated, "quote", "[source]")?.unwrap_or(b'"')),
    };
    let on_demand = table.ragged == Some(Ragged::Fit);
    let blanks = table.delimiter.as_deref() == Some("blanks");
    let stated = if blanks { Some(" ") } else { table.delimiter.as_deref() };
    let dialect = Dialect {
        delimiter: delimiter(stated, Some(&files.list[0].path), "[source]")?,
        blanks,
        quote,
        escape: byte(table.escape.as_deref(), "escape", "[source]")?,
        comment: byte(table.comment.as_deref(), "comment", "[source]")?,
        line_end: b'\n',
        header: table.header.unwrap_or(true),
        header_prefix: table.header_prefix.clone(),
        skip: [table.skip_rows.unwrap_or(0), table.skip_rows_after_header.unwrap_or(0)],
        annotated: table.dialect == Some(DialectName::Influx),
        trim: table.trim.unwrap_or(false),
        text_formulas: table.text_formulas.unwrap_or(false),
        short_header: table.dialect == Some(DialectName::RTable) && table.header != Some(false),
        style: style(table)?,
        encoding: table.encoding.unwrap_or_default(),
        fit: on_demand || table.on_bad_row == Some(OnBadRow::Null),
    };
    const NAMES: [&str; 4] = ["delimiter", "quote", "escape", "comment"];
    let special = [Some(dialect.delimiter), dialect.quote, dialect.escape, dialect.comment];
    for (index, byte) in special.iter().enumerate() {
        if byte.is_some() && special[..index].contains(byte) {
            let shown = char::from(byte.unwrap_or_default()).to_string();
            let first = special.iter().position(|other| other == byte).unwrap_or(index);
            return Err(Error::pipeline(format!("[source]: {} and {} are both {shown:?}", NAMES[first], NAMES[index]))
                .help("use a different character for each"));
        }
    }
    if let Some(prefix) = &dialect.header_prefix {
        check_prefix(prefix, &dialect)?;
    }
    if !dialect.header && dialect.skip[1] > 0 {
        return Err(Error::pipeline("[source] skip_rows_after_header: has no effect with header = false")
            .help("use skip_rows, which counts from the beginning of the file"));
    }
    if dialect.text_formulas && dialect.quote.is_none() {
        return Err(Error::pipeline("[source]: text_formulas = true conflicts with quote = \"\"")
            .help("remove one of them from [source]"));
    }
    let thousands = dialect.style.thousands;
    if thousands.is_some()
        && (thousands == dialect.quote || dialect.quote.is_none() && thousands == Some(dialect.delimiter))
    {
        return Err(Error::pipeline("[source]: thousands is the delimiter without quotes, or the quote")
            .help("use a different character for each"));
    }
    // Such numbers must be quoted then.
    if dialect.style.decimal_comma && dialect.delimiter == b',' && dialect.quote.is_none() {
        return Err(Error::pipeline(
            "[source]: decimal_comma = true conflicts with delimiter = \",\" and quote = \"\"",
        )
        .help("set delimiter = \";\" in [source]"));
    }
    Ok(Csv {
        dialect,
        fitted_are_bad: !on_demand,
        names: Vec::new(),
        blocks: Vec::new(),
        stops: table.on_bad_row.is_none_or(|on_bad| on_bad == OnBadRow::Fail),
        header_stated: table.header.is_some() || table.header_prefix.is_some(),
        notes: Vec::new(),
        read: Arc::default(),
    })
}

/// An error if there can be no such comment, or the header is to be elsewhere too.
fn check_prefix(prefix: &str, dialect: &Dialect) -> Result<()> {
    if dialect.comment.is_none() || prefix.bytes().next() != dialect.comment {
        return Err(Error::pipeline(format!("[source] header_prefix: no comment begins with {prefix:?}"))
            .help("set comment in [source] to its first character"));
    }
    if !dialect.header || dialect.skip[1] > 0 {
        let other = if dialect.header { "skip_rows_after_header" } else { "header = false" };
        return Err(Error::pipeline(format!("[source]: {other} conflicts with header_prefix"))
            .help("remove one of them from [source]"));
    }
    Ok(())
}

fn style(table: &SourceTable) -> Result<ValueStyle> {
    let booleans = match &table.boolean {
        None => Booleans::Known,
        Some(BooleanTable { yes, no }) => {
            if yes.is_empty() || no.is_empty() {
                return Err(Error::pipeline("[source] boolean: true and false need a word each")
                    .help("write boolean = { true = [\"Y\"], false = [\"N\"] }"));
            }
            if let Some(both) = yes.iter().find(|word| no.contains(word)) {
                return Err(Error::pipeline(format!("[source] boolean: {both:?} is both true and false"))
                    .help("remove it from one of the lists"));
            }
            Booleans::Words { yes: yes.clone(), no: no.clone() }
        }
    };
    let thousands = byte(table.thousands.as_deref(), "thousands", "[source]")?;
    let decimal_comma = table.decimal_comma.unwrap_or_default();
    let point = if decimal_comma { b',' } else { b'.' };
    if thousands.is_some_and(|mark| mark == point || mark.is_ascii_alphanumeric() || matches!(mark, b'+' | b'-')) {
        let message = format!(
            "[source] thousands: {:?} cannot stand between thousands",
            table.thousands.as_deref().unwrap_or_default()
        );
        let help = if thousands == Some(b'.') {
            "set decimal_comma = true, or use another character"
        } else {
            "use another character, such as \"'\""
        };
        return Err(Error::pipeline(message).help(help));
    }
    let symbols = table.symbols.clone().unwrap_or_default();
    let is_odd = |symbol: &&String| {
        let of_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b',');
        symbol.trim().is_empty() || *symbol != MINUS_BEHIND && symbol.bytes().any(of_number)
    };
    if let Some(odd) = symbols.iter().find(is_odd) {
        return Err(Error::pipeline(format!("[source] symbols: {odd:?} may be a part of a number"))
            .help("use symbols without digits, signs, points and commas, such as \"%\""));
    }
    let words = table.null_values.clone().unwrap_or_default();
    let unquoted_only = table.quoted_nulls == Some(false);
    let empty_text = table.empty == Some(Empty::Text);
    // Where there are no quotes, the empty field is what `""` would be.
    let nulls = NullValues::new(words, unquoted_only, [empty_text, empty_text && table.quote.as_deref() == Some("")]);
    Ok(ValueStyle { nulls, booleans, decimal_comma, thousands, symbols })
}

impl Csv {
    /// Opens the first file and types the columns.  Empty files are skipped if another follows.
    pub fn open(
        mut self,
        files: &Files,
        allow_ragged: bool,
        matching: Matching,
        declared: impl FnOnce(&[String]) -> Result<Vec<Option<DataType>>>,
    ) -> Result<(Self, Opened, Vec<Column>)> {
        if self.dialect.annotated {
            return self.open_annotated(files, declared);
        }
        for (index, file) in files.list.iter().enumerate() {
            let Some(mut opened) = header::open(file, index, &self.dialect, &self.read)? else { continue };
            self.names.clone_from(&opened.names);
            if matching.extra == ExtraColumns::Add {
                for (next, file) in files.list.iter().enumerate().skip(index + 1) {
                    let Some(other) = header::open(file, next, &self.dialect, &Arc::default())? else { continue };
                    self.names.extend(other.names.into_iter().filter(|name| !opened.names.contains(name)));
                    let mut seen = HashSet::new();
                    self.names.retain(|name| seen.insert(name.clone()));
                }
            }
            let declared = declared(&self.names)?;
            let allow_ragged = allow_ragged || self.dialect.fit;
            let proposal = sniff::proposal(&opened.head, &self.dialect, self.stops);
            let columns = self.columns(&mut opened, declared, files, index, allow_ragged, matching);
            let columns = columns.map_err(|error| match &proposal {
                // The first row may look like data because it is split in the wrong places.
                Some(proposal)
                    if matches!(error.kind(), ErrorKind::Malformed { .. }) || proposal.contains("delimiter = ") =>
                {
                    error.help(format!("the file {proposal}"))
                }
                _ => error,
            })?;
            if proposal.is_none() && self.names.len() == 1 {
                let note = sniff::one_column(&opened.head);
                self.notes.extend(note.map(|note| format!("{} {note}", file.path.display())));
            }
            self.notes.extend(proposal.map(|proposal| format!("{} {proposal}", file.path.display())));
            self.notes.extend(sniff::eaten_header(&opened.head, &self.dialect));
            let footer = sniff::footer(&opened.head, &self.dialect, &self.names);
            self.notes.extend(footer.map(|footer| format!("{} {footer}", file.path.display())));
            return Ok((self, opened, columns));
        }
        let message = "the input is empty: it has no header";
        Err(Error::new(ErrorKind::Source, message).in_file(&files.list[0].path))
    }

    /// As [`Csv::open`], for the tables of InfluxDB: the files say their types.
    fn open_annotated(
        mut self,
        files: &Files,
        declared: impl FnOnce(&[String]) -> Result<Vec<Option<DataType>>>,
    ) -> Result<(Self, Opened, Vec<Column>)> {
        if let Some(standard) = files.list.iter().find(|file| file.is_standard()) {
            let message = "annotated CSV of InfluxDB is read twice, which standard input cannot be";
            return Err(Error::new(ErrorKind::Source, message)
                .in_file(&standard.path)
                .help("write it to a file first"));
        }
        self.blocks = files.list.iter().map(annotated::blocks).collect::<Result<_>>()?;
        let mut columns: Vec<Column> = Vec::new();
        for (name, data_type, format) in self.blocks.iter().flatten().flat_map(Block::columns) {
            match columns.iter_mut().find(|column| column.name == *name) {
                // What has no type for both is text.
                Some(column) => {
                    column.data_type = common(&column.data_type, &data_type).unwrap_or(DataType::Utf8);
                    if column.time_format != format {
                        column.data_type = DataType::Utf8;
                    }
                }
                None => columns.push(Column { time_format: format, ..Column::new(name, data_type, Origin::File) }),
            }
        }
        self.names = columns.iter().map(|column| column.name.clone()).collect();
        for (column, declared) in columns.iter_mut().zip(declared(&self.names)?) {
            if let Some(declared) = declared {
                (column.data_type, column.origin) = (declared, Origin::Declared);
            }
        }
        for (index, (file, blocks)) in files.list.iter().zip(&self.blocks).enumerate() {
            if let Some(opened) = header::open_annotated(file, index, blocks, &self.dialect, &self.read)? {
                return Ok((self, opened, columns));
            }
        }
        let message = "the input is empty: it has no header";
        Err(Error::new(ErrorKind::Source, message).in_file(&files.list[0].path))
    }

    /// The columns of the file of this number: of declared types, or inferred ones.  Where it has no value, others may.
    fn columns(
        &self,
        opened: &mut Opened,
        declared: Vec<Option<DataType>>,
        files: &Files,
        index: usize,
        allow_ragged: bool,
        matching: Matching,
    ) -> Result<Vec<Column>> {
        let (mut guesses, mut rows) = (Vec::new(), 0);
        if !declared.iter().all(Option::is_some) {
            (guesses, rows) = opened.guesses(&files.list[index].path, allow_ragged)?;
            guesses.resize(self.names.len(), TypeGuess::default());
        }
        let empty = |guesses: &[TypeGuess]| {
            guesses.iter().zip(&declared).any(|(guess, declared)| declared.is_none() && !guess.has_values())
        };
        let widens = matching.widen && !guesses.is_empty();
        let further = if matching.looks_ahead() { usize::MAX } else { FURTHER_FILES };
        for (next, file) in files.list.iter().enumerate().skip(index + 1).take(further) {
            if !widens && !empty(&guesses) || file.is_standard() {
                break;
            }
            // What is wrong with it is said when it is read.
            let Ok(Some(mut other)) = header::open(file, next, &self.dialect, &Arc::default()) else { continue };
            let Ok((more, _)) = other.guesses(&file.path, true) else { continue };
            for (guess, name) in guesses.iter_mut().zip(&self.names).filter(|(guess, _)| widens || !guess.has_values())
            {
                if let Some(place) = other.names.iter().position(|other| other == name) {
                    guess.merge(&more[place]);
                }
            }
        }
        if self.dialect.header && !self.header_stated {
            header::check_names(&opened.names, &guesses, &self.dialect, &files.list[index].path)?;
        }
        let columns = self.names.iter().zip(declared).enumerate().map(|(index, (name, declared))| match declared {
            Some(data_type) => Column::new(name, data_type, Origin::Declared),
            None => header::inferred(name, &guesses[index], rows),
        });
        Ok(columns.collect())
    }
}
