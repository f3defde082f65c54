//! Partition columns: those in the names of directories, `column=value`.

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};

use crate::config::PipelineFile;
use crate::error::{Error, ErrorKind, Result};
use crate::files::list::Files;
use crate::model::column::{Column, Origin};
use crate::model::infer::TypeGuess;
use crate::model::types;
use crate::rules::filter::{Filter, misfit};

/// The columns, of the types that the pipeline file says or all their values have.
pub(super) fn columns(file: &PipelineFile, files: &Files) -> Result<Vec<Column>> {
    let column = |(name, values): &(String, Vec<Option<String>>)| {
        let data_type = match file.config.source.schema.get(name) {
            Some(type_name) => types::parse(type_name.get_ref()).map_err(Error::pipeline)?,
            None => {
                let mut guess = TypeGuess::default();
                for value in values.iter().flatten() {
                    guess.observe(value.as_bytes(), &Default::default());
                }
                guess.data_type()
            }
        };
        Ok(Column::new(name, data_type, Origin::Partition))
    };
    files.partitions.iter().map(column).collect()
}

/// Puts the columns behind those of the files.
pub(super) fn add(partitions: Vec<Column>, files: &Files, columns: &mut Vec<Column>) -> Result<()> {
    for partition in partitions {
        if columns.iter().any(|column| column.name == partition.name) {
            let message = format!("column '{}' is both in the file and a partition column", partition.name);
            return Err(Error::new(ErrorKind::Source, message).in_file(&files.list[0].path).help("rename one of them"));
        }
        columns.push(partition);
    }
    Ok(())
}

/// Each file's value of a column.
pub(super) fn values(column: &Column, values: &[Option<String>]) -> Result<ArrayRef> {
    let texts: StringArray = values.iter().map(Option::as_deref).collect();
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(&texts, &column.data_type, &options).map_err(|error| {
        let message = format!(
            "partition column '{}': a directory name is not a valid {}",
            column.name,
            types::name(&column.data_type)
        );
        Error::new(ErrorKind::Source, message).because(error)
    })
}

/// Removes the files whose partition columns do not match the filter.
pub(super) fn filter_files(files: &mut Files, partitions: &[Column], filter: &Filter) -> Result<()> {
    let mut kept = vec![true; files.list.len()];
    for condition in &filter.conditions {
        let values = values(&partitions[condition.column], &files.partitions[condition.column].1)?;
        let met = condition.test.kept(&values).map_err(misfit)?;
        for (file, kept) in kept.iter_mut().enumerate() {
            *kept &= met.is_valid(file) && met.value(file);
        }
    }
    if kept.contains(&false) {
        files.retain(&kept);
    }
    Ok(())
}
