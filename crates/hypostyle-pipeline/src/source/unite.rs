//! The columns of several files that know their types, as those of one table: which there are, and their types.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::files::input::InputFile;
use crate::model::column::Column;
use crate::model::matching::{ExtraColumns, Matching, other_type};
use crate::model::types;
use crate::model::widen::common;

/// Adds what these files say to the columns of those before, as far as the pipeline file wants it.  A column without a value
/// takes the type of the first file that knows it, in any case.  `open` says the columns of a file.
pub(super) fn unite(
    files: &[InputFile],
    matching: Matching,
    columns: &mut Vec<Column>,
    open: impl Fn(&InputFile) -> Result<Vec<Column>>,
) -> Result<()> {
    for file in files {
        if !matching.looks_ahead() && columns.iter().all(|column| column.data_type != DataType::Null) {
            return Ok(());
        }
        for found in open(file)? {
            match columns.iter_mut().find(|column| column.name == found.name) {
                Some(column) if column.data_type == DataType::Null => {
                    (column.data_type, column.labels) = (found.data_type, found.labels);
                }
                Some(column) if matching.widen => {
                    let Some(both) = common(&column.data_type, &found.data_type) else {
                        return Err(other_type(&file.path, &found, &column.data_type, matching));
                    };
                    if both != column.data_type {
                        let remark = format!("{} in the first file", types::name(&column.data_type));
                        column.widen(both, remark);
                    }
                }
                None if matching.extra == ExtraColumns::Add => {
                    columns.push(Column { remark: Some("not in the first file".to_string()), ..found });
                }
                _ => {}
            }
        }
    }
    Ok(())
}
