//! A column of the input, and the schemas that columns make.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Metadata, Schema, SchemaRef};

use super::time_format::TimeFormat;
use super::timestamp::Zone;
use super::types;
use crate::error::Error;

/// A column of the input, and where its type comes from.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub name: String,
    pub data_type: DataType,
    pub origin: Origin,
    pub remark: Option<String>,
    pub labels: Labels,
    /// The format of dates and times: as the pipeline file has it, and parsed.
    pub format_text: Option<String>,
    pub time_format: TimeFormat,
}

/// What a file notes about a column beside its type: that it holds UUIDs or JSON, or the order of its categories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Labels {
    metadata: Metadata,
    is_ordered: bool,
}

/// Where a column's type comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The pipeline file declares it.
    Declared,
    /// It was inferred from this number of rows.
    Inferred { rows: usize },
    /// The file itself has it.
    File,
    /// It joins these columns of the file.
    Joined([usize; 2]),
    /// It is a partition column: its values are in the names of the directories.
    Partition,
}

impl Column {
    pub fn new(name: &str, data_type: DataType, origin: Origin) -> Self {
        Self {
            name: name.to_string(),
            data_type,
            origin,
            remark: None,
            labels: Labels::default(),
            format_text: None,
            time_format: TimeFormat::Iso,
        }
    }

    /// What its type says about UTC offsets.
    pub fn zone(&self) -> Zone {
        match (&self.data_type, self.origin) {
            (DataType::Timestamp(_, Some(_)), Origin::Inferred { .. }) => Zone::Stated,
            (DataType::Timestamp(_, Some(zone)), _) => types::zone(zone),
            _ => Zone::None,
        }
    }

    /// The columns of the file that it joins, if it does.
    pub fn joined(&self) -> Option<[usize; 2]> {
        match self.origin {
            Origin::Joined(columns) => Some(columns),
            _ => None,
        }
    }

    /// A column of a file that knows its types.
    pub fn of_field(field: &Field) -> Self {
        let mut metadata = field.metadata().clone();
        // A number of the table that the file belonged to.
        metadata.remove("PARQUET:field_id");
        let is_ordered = field.dict_is_ordered().unwrap_or(false);
        let labels = Labels { metadata, is_ordered };
        Self { labels, ..Self::new(field.name(), field.data_type().clone(), Origin::File) }
    }

    /// Gives a dictionary keys that can count the values of further files; one with an order has all of its values.
    pub fn widen_keys(&mut self) {
        if let DataType::Dictionary(keys, values) = &self.data_type
            && keys.primitive_width().is_some_and(|width| width < 4)
            && !self.labels.is_ordered
        {
            self.data_type = DataType::Dictionary(Box::new(DataType::Int32), values.clone());
        }
    }

    /// Gives the column a type that holds the values of another file too.  What was noted about the old type does not hold for it.
    pub fn widen(&mut self, data_type: DataType, remark: String) {
        (self.data_type, self.labels) = (data_type, Labels::default());
        self.remark.get_or_insert(remark);
    }

    fn field(&self) -> Field {
        let Labels { metadata, is_ordered } = &self.labels;
        Field::new(&self.name, self.data_type.clone(), true)
            .with_metadata(metadata.clone())
            .with_dict_is_ordered(*is_ordered)
    }

    /// Whether the column is in the file itself, rather than in the names of its directories.
    pub fn in_file(&self) -> bool {
        self.origin != Origin::Partition
    }
}

pub(crate) fn schema<'a>(columns: impl Iterator<Item = &'a Column>) -> SchemaRef {
    Arc::new(Schema::new(columns.map(Column::field).collect::<Vec<_>>()))
}

/// The error about a column that the input does not have.
pub(crate) fn not_found(table: &str, name: &str, names: &[String]) -> Error {
    Error::pipeline(format!("{table}: column '{name}' not found{}", did_you_mean(name, names)))
        .help(format!("the columns are {}", quoted(names)))
}

/// `; did you mean 'symbol'?` where one of the names is close.
pub(crate) fn did_you_mean(name: &str, names: &[impl AsRef<str>]) -> String {
    let most = match name.len() {
        0..=1 => 0,
        2..=3 => 1,
        4..=8 => 2,
        length => length / 3,
    };
    let begins = |known: &str| most > 0 && known.starts_with(name);
    let distances =
        names.iter().map(AsRef::as_ref).map(|known| (if begins(known) { 1 } else { distance(name, known) }, known));
    match distances.min() {
        Some((distance, known)) if distance <= most => format!("; did you mean '{known}'?"),
        _ => String::new(),
    }
}

/// The edit distance (Levenshtein), a row of the table at a time; case does not count.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in right.iter().enumerate() {
            let next = (diagonal + usize::from(a != *b)).min(row[j].min(row[j + 1]) + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[right.len()]
}

pub(crate) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested() {
        let names = ["symbol", "price", "ts"].map(String::from);
        for (name, near) in
            [("sym", "symbol"), ("Price", "price"), ("pirce", "price"), ("t", ""), ("volume", ""), ("tz", "ts")]
        {
            let wanted = if near.is_empty() { String::new() } else { format!("; did you mean '{near}'?") };
            assert_eq!(did_you_mean(name, &names), wanted, "{name}");
        }
    }
}
