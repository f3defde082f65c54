//! The columns of a table whose log names them: its files may have them under other names, in older files some are missing,
//! and others have been dropped since.

use arrow::datatypes::{DataType, Field};

use super::column::{Column, Origin};

/// Where arrow keeps the number that a Parquet file gives to a column.
const FIELD_ID: &str = "PARQUET:field_id";

/// The columns of a table, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableColumns {
    pub list: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableColumn {
    pub name: String,
    pub data_type: DataType,
    pub in_file: InFile,
}

/// How a column is found in a file.
#[cfg_attr(not(feature = "delta"), allow(dead_code))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InFile {
    Name(String),
    /// By the number that the file gives to it.
    Id(String),
    /// It has one value for all rows of a file, which is in the log.
    Never,
}

impl TableColumns {
    /// The column of the table that a file has under this name or number.
    pub fn of_field(&self, field: &Field) -> Option<&TableColumn> {
        self.list.iter().find(|column| match &column.in_file {
            InFile::Name(name) => name == field.name(),
            InFile::Id(id) => field.metadata().get(FIELD_ID) == Some(id),
            InFile::Never => false,
        })
    }

    /// The partition columns, whose values are in the log.
    pub fn in_log(&self) -> impl Iterator<Item = &TableColumn> {
        self.list.iter().filter(|column| column.in_file == InFile::Never)
    }

    /// The columns that are read from files.  Those with parts take the type that the files say: the parts may have other names
    /// in the log.
    pub fn columns(&self) -> Vec<Column> {
        let read = self.list.iter().filter(|column| column.in_file != InFile::Never);
        let typed = |column: &TableColumn| match column.data_type.is_nested() {
            true => DataType::Null,
            false => column.data_type.clone(),
        };
        read.map(|column| Column::new(&column.name, typed(column), Origin::File)).collect()
    }
}
