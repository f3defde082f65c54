//! The columns of several files as one table: those of the first file are found in the others by their names, in any order and
//! encoding, and the pipeline file says what is done about columns that are not everywhere.

use std::path::Path;

use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use schemars::JsonSchema;
use serde::Deserialize;

use super::column::{Column, did_you_mean, quoted};
use super::widen::{common, holds};
use super::{logical, types};
use crate::error::{Error, ErrorKind, Result};

/// What is done about a column of the first file that a later one lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MissingColumns {
    /// The run fails.
    #[default]
    Error,
    /// Its values are null.
    Null,
}

/// What is done about a column that the first file lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExtraColumns {
    /// The run fails.
    #[default]
    Error,
    /// It is not read.
    Ignore,
    /// It is read, behind the columns of the first file, and null where a file lacks it.
    Add,
}

/// How the columns of the files are made those of one table.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Matching {
    pub missing: MissingColumns,
    pub extra: ExtraColumns,
    /// Whether columns get types that hold the values of all files.
    pub widen: bool,
}

impl Matching {
    /// Whether all files are looked at before the first row is read.
    pub fn looks_ahead(&self) -> bool {
        self.widen || self.extra == ExtraColumns::Add
    }
}

/// The columns by which those of each file are found.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The names of all of its columns.
    pub names: Vec<String>,
    /// Which of them are read.
    pub read: Vec<usize>,
    /// What they are read as.
    pub schema: SchemaRef,
    pub matching: Matching,
}

impl Table {
    /// Where a file that knows its types has the columns that are read; `None` for those that it lacks.
    pub fn places(&self, path: &Path, columns: &[Column]) -> Result<Vec<Option<usize>>> {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        self.check_extra(path, &names)?;
        let read = self.read.iter().zip(self.schema.fields());
        let place = |(index, field): (&usize, &FieldRef)| {
            let place = self.place(path, *index, &names)?;
            place.map_or(Ok(()), |place| self.check_type(path, &columns[place], field))?;
            Ok(place)
        };
        read.map(place).collect()
    }

    /// Where a file with columns of these names has a column; `None` if it lacks it.
    pub fn place(&self, path: &Path, column: usize, names: &[String]) -> Result<Option<usize>> {
        let name = &self.names[column];
        // Of columns with one name, the first is the first.
        let before = self.names[..column].iter().filter(|other| *other == name).count();
        let mut found = names.iter().enumerate().filter(|(_, other)| *other == name);
        let place = found.nth(before).map(|(place, _)| place);
        if place.is_none() && self.matching.missing == MissingColumns::Error {
            let message = format!("column '{name}' of the first file is missing{}", did_you_mean(name, names));
            let help =
                format!("set missing_columns = \"null\" in [source] to make it null; this file has {}", quoted(names));
            return Err(Error::new(ErrorKind::Source, message).in_file(path).help(help));
        }
        Ok(place)
    }

    /// Fails if the file has a column that should not be there.
    pub fn check_extra(&self, path: &Path, names: &[String]) -> Result<()> {
        let is_extra = |name: &&String| {
            self.matching.extra != ExtraColumns::Ignore && !self.names.contains(name) && !name.is_empty()
        };
        let Some(extra) = names.iter().find(is_extra) else { return Ok(()) };
        let message = format!("column '{extra}' is not in the first file{}", did_you_mean(extra, &self.names));
        Err(Error::new(ErrorKind::Source, message)
            .in_file(path)
            .help("set extra_columns = \"ignore\" or \"add\" in [source], or columns to the ones that are to be read"))
    }

    fn check_type(&self, path: &Path, column: &Column, field: &Field) -> Result<()> {
        let (found, expected) = (&column.data_type, field.data_type());
        match logical::is_same(found, expected) || self.matching.widen && holds(expected, found) {
            true => Ok(()),
            false => Err(other_type(path, column, expected, self.matching)),
        }
    }

    /// What belongs to columns of the table, by the numbers of the columns at these places.
    pub fn placed<T: Clone>(&self, places: &[Option<usize>], of_columns: &[(usize, T)]) -> Vec<(usize, T)> {
        let place = |column: &usize| {
            self.read.iter().zip(places).find(|(read, _)| *read == column).and_then(|(_, place)| *place)
        };
        of_columns.iter().filter_map(|(column, value)| Some((place(column)?, value.clone()))).collect()
    }
}

/// The error about a column that has another type than in the files before.
pub(crate) fn other_type(path: &Path, column: &Column, expected: &DataType, matching: Matching) -> Error {
    let name = &column.name;
    let message = format!(
        "column '{name}': got {}, expected {}, as in the first file",
        types::name(&column.data_type),
        types::name(expected)
    );
    let help = match common(expected, &column.data_type) {
        Some(wide) if !matching.widen => {
            format!("set widen_types = true in [source] to read it as {}", types::name(&wide))
        }
        _ => "no type holds the values of both: write one of the files again, or leave the column out of columns in [source]"
            .to_string(),
    };
    Error::new(ErrorKind::Source, message).in_file(path).help(help)
}
