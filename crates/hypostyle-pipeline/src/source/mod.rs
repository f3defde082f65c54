//! The input: found and typed at planning, read chunk by chunk when the pipeline runs.

pub(crate) mod chunks;
mod csv_files;
mod dialects;
mod partition;
mod settings;
mod settle;
mod unite;
pub(crate) mod validate;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::datatypes::{DataType, SchemaRef};
use indicatif::HumanCount;

use crate::config::{Format, PipelineFile};
use crate::csv::header::Opened;
use crate::csv::reader::{CHUNK_BYTES, MOST_CHUNK_BYTES};
use crate::error::{Error, ErrorKind, Result};
use crate::files::input::InputFile;
use crate::files::list::Files;
use crate::ipc::IpcFile;
use crate::model::bad_row::{BadRowPolicy, OnBadRow};
use crate::model::column::{Column, not_found, schema};
use crate::model::logical::first_within;
use crate::model::matching::{ExtraColumns, Matching, MissingColumns, Table};
use crate::parquet::{Known, ParquetFile};
use crate::rules::filter::{Filter, RowFilter};
use crate::rules::test::Test;
use crate::rules::{Rules, ValueRule};
use settle::Settler;
use validate::Validator;

/// A source that is ready to be read.
pub(crate) struct Source {
    pub files: Files,
    /// All columns, partition columns last.
    pub columns: Vec<Column>,
    /// The columns that the stages see; those that only the filter needs are read too.
    pub wanted: Vec<usize>,
    pub policy: BadRowPolicy,
    rules: Rules,
    pub filter: Filter,
    /// What is checked where rows are decoded; the rest is left to the [`Validator`].
    early: EarlyChecks,
    matching: Matching,
    pub batch_rows: Option<usize>,
    pub chunk_bytes: usize,
    kind: Kind,
}

/// The checks that need no earlier row, in the order in which they are made.
#[derive(Default)]
struct EarlyChecks {
    values: Vec<ValueRule>,
    /// `None` if there is nothing to filter by, or a rule must see every row first.
    row_filter: Option<RowFilter>,
    /// Whether the validator has to find rows in the file.
    keep_text: bool,
}

enum Kind {
    Csv(Box<csv_files::Csv>, Box<Opened>),
    Parquet(ParquetFile, Known),
    /// A table of no files.
    Nothing,
    Ipc(IpcFile, Arc<AtomicU64>),
}

/// The names of notes that give columns their meaning: which hold geometries, and which are an index.
const MEANINGFUL: [&str; 2] = ["geo", "pandas"];

impl Source {
    pub fn open(file: &PipelineFile) -> Result<Self> {
        let table = &file.config.source;
        let (mut files, format) = settings::files(table)?;
        for (key, value, most) in
            [("batch_rows", table.batch_rows, usize::MAX), ("chunk_bytes", table.chunk_bytes, MOST_CHUNK_BYTES)]
        {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                let most = if most == usize::MAX { String::new() } else { format!(" and at most {most}") };
                return Err(Error::pipeline(format!("[source] {key}: got {value}, expected at least 1{most}")));
            }
        }
        let policy = settings::policy(table)?;
        let matching = match files.table {
            Some(_) => Matching { missing: MissingColumns::Null, extra: ExtraColumns::Ignore, widen: true },
            None => settings::matching(table)?,
        };
        let partitions = partition::columns(file, &files)?;
        let conditions = Filter::read(file, &partitions, false)?;
        partition::filter_files(&mut files, &partitions, &conditions)?;
        let (kind, mut columns) = match format {
            Format::Csv => {
                let csv = csv_files::settings(table, &files)?;
                let allow_ragged = policy.on_bad != OnBadRow::Fail;
                let (csv, opened, columns) =
                    csv.open(&files, allow_ragged, matching, |names| settings::declared(file, names, &files))?;
                (Kind::Csv(Box::new(csv), Box::new(opened)), columns)
            }
            Format::Ipc => {
                settings::only_csv(table, "Arrow IPC")?;
                settings::declared_by_folders(file, &files, "Arrow IPC", &[])?;
                let read = Arc::default();
                let first = IpcFile::open(&files.list[0], &read)?;
                let columns = first.columns();
                (Kind::Ipc(first, read), columns)
            }
            _ => {
                settings::only_csv(table, "Parquet")?;
                let known = settings::known(file, &files);
                match files.list.first() {
                    Some(input) => {
                        let first = ParquetFile::open(input, &known)?;
                        settings::declared_by_folders(file, &files, "Parquet", &first.moments())?;
                        let columns = first.columns();
                        (Kind::Parquet(first, known), columns)
                    }
                    None => (Kind::Nothing, Vec::new()),
                }
            }
        };
        if let Some(table) = &files.table {
            columns = table.columns.columns();
        }
        settings::time_formats(file, &mut columns)?;
        match &kind {
            Kind::Csv(..) | Kind::Nothing => {}
            Kind::Parquet(_, known) if files.table.is_some() => {
                // The log says the types.
                let as_said = Matching { widen: false, ..matching };
                unite::unite(&files.list, as_said, &mut columns, |file| Ok(ParquetFile::open(file, known)?.columns()))?
            }
            Kind::Parquet(_, known) => {
                let open = |file: &InputFile| Ok(ParquetFile::open(file, known)?.columns());
                unite::unite(&files.list[1..], matching, &mut columns, open)?
            }
            Kind::Ipc(..) => {
                let open = |file: &InputFile| Ok(IpcFile::open(file, &Arc::default())?.columns());
                unite::unite(&files.list[1..], matching, &mut columns, open)?
            }
        }
        if files.list.len() > 1 {
            columns.iter_mut().for_each(Column::widen_keys);
        }
        partition::add(partitions, &mut columns);
        let rules = Rules::read(file, &columns)?;
        if let Kind::Csv(..) = kind
            && let Some(column) = rules.looks_at().find(|column| !columns[*column].in_file())
        {
            let name = &columns[column].name;
            return Err(Error::pipeline(format!("[source.rules] {name}: a partition column cannot have rules"))
                .help("use [source.filter] to choose directories"));
        }
        let filter = Filter::read(file, &columns, true)?;
        let wanted = (0..columns.len()).collect();
        let mut source = Self {
            files,
            columns,
            wanted,
            policy,
            rules,
            filter,
            early: EarlyChecks::default(),
            matching,
            batch_rows: table.batch_rows,
            chunk_bytes: table.chunk_bytes.unwrap_or(CHUNK_BYTES),
            kind,
        };
        if let Some(names) = &table.columns {
            let known: Vec<String> = source.columns.iter().map(|column| column.name.clone()).collect();
            if let Some(name) = names.iter().find(|name| !known.contains(name)) {
                return Err(not_found("[source] columns", name, &known));
            }
            if let Some(column) = source.rules.looks_at().find(|column| !names.contains(&source.columns[*column].name))
            {
                let name = &source.columns[column].name;
                return Err(Error::pipeline(format!("[source.rules] {name}: the column is not in [source] columns"))
                    .help("add it to columns in [source]; columns in [sink] selects what is written"));
            }
            source.wanted.retain(|column| names.contains(&source.columns[*column].name));
        }
        Ok(source)
    }

    /// What is to be said about the files as a whole.
    pub fn notes(&self) -> Vec<String> {
        if let Some(table) = &self.files.table {
            let (version, deleted) = (table.version, HumanCount(self.files.deleted_rows()));
            return vec![format!("version {version} of a table of Delta; {deleted} rows of these files are deleted")];
        }
        match &self.kind {
            Kind::Csv(csv, _) => csv.notes.clone(),
            _ => Vec::new(),
        }
    }

    pub fn format(&self) -> Format {
        match self.kind {
            Kind::Csv(..) => Format::Csv,
            Kind::Parquet(..) | Kind::Nothing => Format::Parquet,
            Kind::Ipc(..) => Format::Ipc,
        }
    }

    /// Keeps these columns, and those that rules apply to, for the stages.
    pub fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        let Self { columns, wanted, rules, .. } = self;
        wanted.retain(|column| is_wanted(&columns[*column].name) || rules.looks_at().any(|ruled| ruled == *column));
    }

    /// What the first file notes about the meaning of its columns, and what is not passed on.
    pub fn lost_notes(&self) -> Vec<String> {
        let notes = match &self.kind {
            Kind::Csv(..) | Kind::Nothing => Vec::new(),
            Kind::Parquet(first, _) => first.notes(),
            Kind::Ipc(first, _) => first.notes(),
        };
        MEANINGFUL
            .iter()
            .filter(|known| notes.iter().any(|note| note == **known))
            .map(|known| known.to_string())
            .collect()
    }

    /// Fails if a column that is read has values that no kernel and no output takes.
    pub fn check_types(&self) -> Result<()> {
        let odd = |data_type: &DataType| match data_type {
            DataType::Union(..) => Some("union"),
            _ => None,
        };
        for column in self.read().into_iter().map(|column| &self.columns[column]) {
            if let Some(kind) = first_within(&column.data_type, &odd) {
                let message = format!("column '{}': {kind} types cannot be read", column.name);
                return Err(Error::new(ErrorKind::Source, message)
                    .in_file(&self.files.list[0].path)
                    .help("leave the column out of columns in [source]"));
            }
        }
        Ok(())
    }

    /// Deals out the checks: value rules and the filter go to where rows are decoded if nothing must come before them, and what
    /// is left to the validator.
    pub fn take_validator(&mut self) -> Result<Validator> {
        let mut values = std::mem::take(&mut self.rules.values);
        if matches!(self.kind, Kind::Csv(..)) {
            self.early.values = std::mem::take(&mut values);
        }
        let orders = std::mem::take(&mut self.rules.orders);
        self.early.keep_text = !orders.is_empty();
        let read = self.read();
        let mut row_filter = None;
        if values.is_empty() && orders.is_empty() {
            let (read, wanted) = (self.in_file(&read), self.in_file(&self.wanted));
            self.early.row_filter = self.filter.row_filter(&self.columns, &read, &wanted)?;
        } else {
            row_filter = self.filter.row_filter(&self.columns, &read, &self.wanted)?;
        }
        Ok(Validator {
            values,
            orders,
            row_filter,
            settler: self.settler(),
            rule_texts: self.rules.texts.clone(),
            rule_columns: self.rules.columns.clone(),
        })
    }

    fn settler(&self) -> Settler {
        Settler { on_bad: self.policy.on_bad, files: self.files.paths(), columns: self.columns.clone() }
    }

    /// The columns by which those of the files are found, of which these are read.
    fn table(&self, read: Vec<usize>) -> Table {
        let names = self.columns.iter().filter(|column| column.in_file()).map(|column| column.name.clone()).collect();
        let schema = schema(read.iter().map(|column| &self.columns[*column]));
        Table { names, read, schema, matching: self.matching }
    }

    /// Those of these columns that are in the files themselves.
    fn in_file(&self, columns: &[usize]) -> Vec<usize> {
        columns.iter().copied().filter(|column| self.columns[*column].in_file()).collect()
    }

    /// The columns that are read.
    fn read(&self) -> Vec<usize> {
        let filtered = self.filter.looks_at().filter(|column| self.columns[*column].in_file());
        let mut read: Vec<usize> = self.wanted.iter().copied().chain(filtered).collect();
        read.sort_unstable();
        read.dedup();
        read
    }

    /// The schema of the columns that are read.
    pub fn read_schema(&self) -> SchemaRef {
        schema(self.read().iter().map(|column| &self.columns[*column]))
    }

    /// The conditions that rule out row groups: none if rules apply to every row.
    fn group_tests(&self) -> Vec<(usize, Test)> {
        let tests = if self.rules.texts.is_empty() { &self.filter.conditions[..] } else { &[] };
        let in_file = tests.iter().filter(|condition| self.columns[condition.column].in_file());
        in_file.map(|condition| (condition.column, condition.test.clone())).collect()
    }

    /// The number of row groups that the filter skips, and of all; `None` if unknown, or if there are none.
    pub fn groups(&self) -> Option<(usize, usize)> {
        let tests = self.group_tests();
        let Kind::Parquet(first, known) = &self.kind else { return None };
        if self.filter.conditions.is_empty() || self.files.unread {
            return None;
        }
        let mut counts = first.skipped_groups(&tests);
        let table = self.table(self.in_file(&self.read()));
        for file in &self.files.list[1..] {
            let opened = ParquetFile::open(file, known).ok()?;
            let places = table.places(&file.path, &opened.columns()).ok()?;
            let (skipped, all) = opened.skipped_groups(&table.placed(&places, &tests));
            counts = (counts.0 + skipped, counts.1 + all);
        }
        Some(counts)
    }

    /// The columns that the stages see.
    pub fn wanted(&self) -> impl Iterator<Item = &Column> {
        self.wanted.iter().map(|column| &self.columns[*column])
    }

    pub fn schema(&self) -> SchemaRef {
        schema(self.wanted())
    }
}
