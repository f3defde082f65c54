//! The partitions of the rows: a number for each, and the directory that it goes to, `column=value` for each column.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, make_array};
use arrow::compute::{DatePart, cast, date_part};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;
use foldhash::fast::FixedState;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{KeyPart, PartitionKey};
use crate::files::list::HIVE_NULL;
use crate::model::types::in_utc;

/// The characters that are escaped in the names of directories.
const SPECIAL: &AsciiSet = &CONTROLS
    .add(b'/')
    .add(b'\\')
    .add(b'=')
    .add(b'%')
    .add(b':')
    .add(b'*')
    .add(b'?')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'|');

/// The partitions so far.
pub(super) struct Partitions {
    keys: Vec<PartitionKey>,
    rows: RowConverter,
    /// By their values; values that are written alike share a directory.
    by_values: HashMap<Box<[u8]>, u32, FixedState>,
    by_place: HashMap<PathBuf, u32>,
    pub places: Vec<PathBuf>,
}

impl Partitions {
    pub fn new(keys: &[PartitionKey], schema: &Schema) -> Result<Self, ArrowError> {
        let fields = keys.iter().map(|key| {
            SortField::new(match key.part {
                KeyPart::Value => schema.field(key.column).data_type().clone(),
                KeyPart::Date => DataType::Date32,
                KeyPart::Hour => DataType::Int32,
            })
        });
        let rows = RowConverter::new(fields.collect())?;
        let (by_values, by_place) = (HashMap::default(), HashMap::new());
        Ok(Self { keys: keys.to_vec(), rows, by_values, by_place, places: Vec::new() })
    }

    /// The number of a directory.
    pub fn at(&mut self, place: PathBuf) -> u32 {
        *self.by_place.entry(place).or_insert_with_key(|place| {
            self.places.push(place.clone());
            (self.places.len() - 1) as u32
        })
    }

    /// Adds each row's partition to `numbers`.
    pub fn number(&mut self, batch: &RecordBatch, numbers: &mut Vec<u32>) -> Result<(), ArrowError> {
        let columns = self.keys.iter().map(|key| part(batch.column(key.column), key.part));
        let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let rows = self.rows.convert_columns(&columns)?;
        for (index, row) in rows.iter().enumerate() {
            let number = match self.by_values.get(row.as_ref()) {
                Some(number) => *number,
                None => {
                    let mut place = PathBuf::new();
                    for (key, values) in self.keys.iter().zip(&columns) {
                        place.push(named(&key.name, values, index)?);
                    }
                    let number = self.at(place);
                    self.by_values.insert(row.as_ref().into(), number);
                    number
                }
            };
            numbers.push(number);
        }
        Ok(())
    }
}

/// The part of each value that rows are partitioned by; of moments in UTC.
fn part(values: &ArrayRef, part: KeyPart) -> Result<ArrayRef, ArrowError> {
    if part == KeyPart::Value {
        return Ok(Arc::clone(values));
    }
    let DataType::Timestamp(unit, _) = values.data_type() else { return Ok(Arc::clone(values)) };
    let bare = values.to_data().into_builder().data_type(DataType::Timestamp(*unit, None)).build().map(make_array)?;
    match part {
        KeyPart::Hour => date_part(&bare, DatePart::Hour),
        _ => cast(&bare, &DataType::Date32),
    }
}

/// The text without characters that are special in names of directories.  Others than ASCII stay: Spark reads each escape as a
/// character.
fn encode(text: &str) -> String {
    let parts = text.split_inclusive(|c: char| !c.is_ascii()).map(|part| {
        let end = part.char_indices().next_back().filter(|(_, last)| !last.is_ascii()).map_or(part.len(), |(at, _)| at);
        format!("{}{}", utf8_percent_encode(&part[..end], SPECIAL), &part[end..])
    });
    parts.collect()
}

/// `column=value`.
fn named(name: &str, values: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    let value = match values.is_null(row) {
        true => HIVE_NULL.to_string(),
        false => encode(&array_value_to_string(&cast(&values.slice(row, 1), &in_utc(values.data_type()))?, 0)?),
    };
    Ok(format!("{}={value}", encode(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_are_escaped_and_no_others() {
        for (text, encoded) in [
            ("a/b=c%", "a%2Fb%3Dc%25"),
            ("ä c", "ä c"),
            ("日本/€:é", "日本%2F€%3Aé"),
            ("é", "é"),
            ("", ""),
            ("\n", "%0A"),
        ] {
            assert_eq!(encode(text), encoded);
        }
    }
}
