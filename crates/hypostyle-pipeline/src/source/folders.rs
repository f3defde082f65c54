//! The columns that folders named `column=value` make.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};

use super::files::Files;
use super::filter::Filter;
use super::{Column, Origin};
use crate::csv::infer::Guess;
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::types;

/// The columns, of the types that the pipeline file says or all their values have.
pub(super) fn columns(pipeline: &Pipeline, files: &Files) -> Result<Vec<Column>> {
    let column = |(name, values): &(String, Vec<Option<String>>)| {
        let data_type = match pipeline.config.source.schema.get(name) {
            Some(type_name) => types::parse(type_name.get_ref()).map_err(Error::pipeline)?,
            None => {
                let mut guess = Guess::default();
                for value in values.iter().flatten() {
                    guess.observe(value.as_bytes(), &Default::default());
                }
                guess.data_type()
            }
        };
        Ok(Column::new(name, data_type, Origin::Folder))
    };
    files.partitions.iter().map(column).collect()
}

/// Puts the columns behind those of the files.
pub(super) fn add(folders: Vec<Column>, files: &Files, columns: &mut Vec<Column>) -> Result<()> {
    for folder in folders {
        if columns.iter().any(|column| column.name == folder.name) {
            let message = format!("column '{}' is in the file and in its folder's name", folder.name);
            return Err(Error::new(ErrorKind::Source, message).in_file(&files.list[0].path).help("rename one of them"));
        }
        columns.push(folder);
    }
    Ok(())
}

/// Each file's value of a column.
pub(super) fn values(column: &Column, values: &[Option<String>]) -> Result<ArrayRef> {
    let texts: StringArray = values.iter().map(Option::as_deref).collect();
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&texts, &column.data_type, &options).map_err(|error| {
        let message = format!("a folder's name is no value of column '{}'", column.name);
        Error::new(ErrorKind::Source, message).because(error)
    })
}

/// Leaves out the files whose folders don't meet the conditions.
pub(super) fn leave_out(files: &mut Files, folders: &[Column], filter: &Filter) -> Result<()> {
    let mut kept = vec![true; files.list.len()];
    for condition in &filter.conditions {
        let values = values(&folders[condition.column], &files.partitions[condition.column].1)?;
        let met = condition.test.kept(&values).map_err(super::filter::misfit)?;
        for (file, kept) in kept.iter_mut().enumerate() {
            *kept &= met.is_valid(file) && met.value(file);
        }
    }
    if kept.contains(&false) {
        files.retain(&kept);
    }
    Ok(())
}
