//! Partition columns: those in the names of directories, `column=value`, and in the paths of files.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, make_array, new_null_array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{CastOptions, cast, cast_with_options, concat};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;

use crate::config::PipelineFile;
use crate::error::{Error, ErrorKind, Result};
use crate::files::list::{Files, HIVE_NULL};
use crate::model::chunk::Chunk;
use crate::model::column::{Column, Origin};
use crate::model::infer::TypeGuess;
use crate::model::time_value::{self, is_clock};
use crate::model::timestamp::{Zone, timestamp};
use crate::model::types;
use crate::rules::filter::{Filter, misfit};

/// The columns, of the types that the pipeline file says or all their values have.
pub(super) fn columns(file: &PipelineFile, files: &Files) -> Result<Vec<Column>> {
    let column = |(name, values): &(String, Vec<Option<String>>)| {
        let data_type = match file.config.source.schema.get(name) {
            Some(type_name) => types::parse(type_name.get_ref()).map_err(Error::pipeline)?,
            None if files.table.is_some() => {
                let known =
                    files.table.iter().flat_map(|table| table.columns.in_log()).find(|known| known.name == *name);
                known.map_or(DataType::Utf8, |known| known.data_type.clone())
            }
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

/// Puts the columns behind those of the files, but for those that the files have too.
pub(super) fn add(partitions: Vec<Column>, columns: &mut Vec<Column>) {
    for partition in partitions {
        match columns.iter_mut().find(|column| column.name == partition.name) {
            Some(column) => column.remark = Some("also a partition column".to_string()),
            None => columns.push(partition),
        }
    }
}

/// Each file's value of a column.
pub(super) fn values(column: &Column, files: &Files, texts: &[Option<String>]) -> Result<ArrayRef> {
    let values = texts.iter().zip(&files.list).map(|(text, file)| {
        value(text.as_deref(), &column.data_type).map_err(|_| {
            let (name, text) = (&column.name, text.as_deref().unwrap_or_default());
            let data_type = types::name(&column.data_type);
            let message =
                format!("partition column '{name}': {text:?} in the path is not a valid {data_type}");
            let help = match column.in_file() {
                true => format!(
                    "the files have '{name}' too: rename the directory or the file, or leave the column out of columns in [source]"
                ),
                false => format!("rename the directory or the file, or set {name} = \"string\" in [source.schema]"),
            };
            Error::new(ErrorKind::Source, message).in_file(&file.path).help(help)
        })
    });
    let values = values.collect::<Result<Vec<ArrayRef>>>()?;
    let values: Vec<&dyn Array> = values.iter().map(|value| &**value as &dyn Array).collect();
    concat(&values).map_err(misfit)
}

/// The text of a directory's name as an array of one row.
fn value(text: Option<&str>, data_type: &DataType) -> std::result::Result<ArrayRef, ArrowError> {
    let is_text =
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..));
    // Only a text can be empty.
    let text = text.map(|text| if is_text { text } else { text.trim() }).filter(|text| is_text || !text.is_empty());
    match (data_type, text) {
        (_, None) => Ok(new_null_array(data_type, 1)),
        (DataType::Timestamp(unit, zone), Some(text)) => {
            let moment = moment(text, *unit, zone.as_deref());
            let moment = moment.ok_or_else(|| ArrowError::CastError(format!("{text:?} is not a valid timestamp")))?;
            let data = Int64Array::from(vec![moment]).into_data();
            data.into_builder().data_type(data_type.clone()).build().map(make_array)
        }
        (_, Some(text)) if is_clock(data_type) => time_value::of_text(text, data_type)
            .ok_or_else(|| ArrowError::CastError(format!("{text:?} is not a valid {}", types::name(data_type)))),
        _ => {
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(&StringArray::from(vec![text]), data_type, &strict)
        }
    }
}

/// A moment in this unit.
fn moment(text: &str, unit: TimeUnit, zone: Option<&str>) -> Option<i64> {
    let parsed = timestamp(text.as_bytes())?;
    let zone = zone.map_or(Zone::None, types::zone);
    parsed.in_unit(unit, zone).ok()
}

/// Removes the files whose partition columns do not match the filter.
pub(super) fn filter_files(files: &mut Files, partitions: &[Column], filter: &Filter) -> Result<()> {
    let mut kept = vec![true; files.list.len()];
    for condition in &filter.conditions {
        let values = values(&partitions[condition.column], files, &files.partitions[condition.column].1)?;
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

/// A column that is in the files and in the names of their directories: the same value in both.
pub(super) struct Doubled {
    pub name: String,
    /// Each file's value as an array of one row.
    pub values: Vec<ArrayRef>,
    /// Whether a null may stand for a bad value.
    pub nulls_are_bad: bool,
}

impl Doubled {
    /// Fails at the first row of the chunk that has another value than the directory's name.
    pub fn check(&self, chunk: &Chunk, files: &Files) -> Result<()> {
        let Some(column) = chunk.batch.column_by_name(&self.name) else { return Ok(()) };
        let (column, value) = (plain(column).map_err(misfit)?, plain(&self.values[chunk.file]).map_err(misfit)?);
        let scalar = arrow::array::Scalar::new(&value);
        let same = not_distinct(&column, &scalar).map_err(misfit)?;
        let is_right = |row: usize| same.value(row) || (self.nulls_are_bad && column.is_null(row));
        let other = (0..same.len()).find(|row| !is_right(*row));
        let Some(row) = other else { return Ok(()) };
        let shown = |values: &ArrayRef, row: usize| match values.is_null(row) {
            true => "null".to_string(),
            false => match cast(&values.slice(row, 1), &DataType::Utf8) {
                Ok(text) => format!("{:?}", text.as_string::<i32>().value(0)),
                Err(_) => "another value".to_string(),
            },
        };
        let gone: HashSet<u64> =
            chunk.bad.iter().filter(|_| !self.nulls_are_bad).map(|bad| bad.position.record).collect();
        let record = chunk.records(&gone).nth(row).unwrap_or(0);
        let name = &self.name;
        let (here, there) = (shown(&column, row), shown(&value, 0));
        let message =
            format!("record {record}: column '{name}' is {here} in the file and {there} in its directory's name");
        Err(Error::new(ErrorKind::Source, message).in_file(&files.list[chunk.file].path).help(format!(
            "rename the directory (null is {name}={HIVE_NULL}), or leave the column out of columns in [source]"
        )))
    }
}

/// Without its dictionary.
fn plain(column: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, values) => cast(column, values),
        _ => Ok(Arc::clone(column)),
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Int64Type, TimestampMicrosecondType};

    use super::*;

    #[test]
    fn moments_of_any_zone_are_read() {
        let micros = |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
        for (text, zone, expected) in [
            ("2024-01-02T03:04:05Z", Some("UTC"), Some(1_704_164_645_000_000)),
            ("2024-01-02 03:04:05", Some("+02:00"), Some(1_704_157_445_000_000)),
            ("2024-01-02T03:04:05Z", Some("Europe/Paris"), Some(1_704_164_645_000_000)),
            ("2024-01-02T03:04:05", Some("Europe/Paris"), Some(1_704_161_045_000_000)),
            ("2024-01-02T03:04:05", Some("Europe/Nowhere"), None),
            ("2024-01-02T03:04:05Z", None, None),
            ("soon", None, None),
        ] {
            let read = value(Some(text), &micros(zone)).ok();
            assert_eq!(
                read.map(|read| read.as_primitive::<TimestampMicrosecondType>().value(0)),
                expected,
                "{text} {zone:?}"
            );
        }
        assert!(value(Some(""), &DataType::Int64).unwrap().is_null(0));
        assert!(value(Some(""), &DataType::Utf8).unwrap().is_valid(0));
        assert_eq!(value(Some("01"), &DataType::Int64).unwrap().as_primitive::<Int64Type>().value(0), 1);
    }
}
