//! The log of a table, as `delta_kernel` reads it.

use std::sync::Arc;

use arrow::datatypes::Field;
use delta_kernel::engine::arrow_conversion::TryIntoArrow;
use delta_kernel::scan::StatsOptions;
use delta_kernel::scan::state::ScanFile;
use delta_kernel::schema::{MetadataValue, StructField};
use delta_kernel::table_features::ColumnMappingMode;
use delta_kernel::{KernelResult, Snapshot};
use delta_kernel_default_engine::DefaultEngine;
use object_store::ObjectStore;
use url::Url;

use crate::model::table_columns::{InFile, TableColumn, TableColumns};

/// The names of what the log notes about a column: how its files call it, and which number they give to it.
const PHYSICAL_NAME: &str = "delta.columnMapping.physicalName";
const ID: &str = "delta.columnMapping.id";

/// What the log says of a version.
pub(super) struct Log {
    pub version: u64,
    pub columns: TableColumns,
    pub files: Vec<LogFile>,
}

/// A file that is part of the table.
pub(super) struct LogFile {
    /// Relative to the table, or whole.
    pub url: String,
    modified: i64,
    /// The numbers of the rows that were deleted since.
    pub deleted: Option<Vec<u64>>,
    /// The values of the partition columns, in the order of the table's columns.
    pub values: Vec<Option<String>>,
}

impl Log {
    /// Reads the log of the table at this URL, up to a version or the last one.
    pub fn read(root: &Url, store: Arc<dyn ObjectStore>, version: Option<u64>) -> KernelResult<Self> {
        let engine = DefaultEngine::builder(store).build();
        let snapshot = Snapshot::builder_for(root.as_str());
        let snapshot = match version {
            Some(version) => snapshot.at_version(version),
            None => snapshot,
        };
        let snapshot = snapshot.build(&engine)?;
        let (schema, version) = (snapshot.schema(), snapshot.version());
        let mode = snapshot.table_properties().column_mapping_mode.unwrap_or(ColumnMappingMode::None);
        let scan = snapshot.scan_builder().with_stats(StatsOptions::none()).without_row_transforms().build()?;
        let read = scan.physical_schema();
        let mut columns = Vec::new();
        // The names of the partition columns in the log.
        let mut keys = Vec::new();
        for field in schema.fields() {
            let name = name_in_files(field, mode);
            let in_file = match (read.field(&name), mode) {
                (None, _) => InFile::Never,
                (Some(_), ColumnMappingMode::Id) => InFile::Id(id(field).unwrap_or_default()),
                (Some(_), _) => InFile::Name(name.clone()),
            };
            if in_file == InFile::Never {
                keys.push(name);
            }
            let arrow: Field = field.try_into_arrow()?;
            columns.push(TableColumn { name: field.name().clone(), data_type: arrow.data_type().clone(), in_file });
        }
        let mut found = Vec::new();
        for part in scan.scan_metadata(&engine)? {
            found = part?.visit_scan_files(found, |found: &mut Vec<ScanFile>, file| found.push(file))?;
        }
        let file = |file: ScanFile| {
            let deleted = file.dv_info.get_row_indexes(&engine, root)?;
            let values = keys.iter().map(|key| file.partition_values.get(key).cloned());
            Ok(LogFile { url: file.path, modified: file.modification_time, deleted, values: values.collect() })
        };
        let mut files = found.into_iter().map(file).collect::<KernelResult<Vec<_>>>()?;
        files.sort_by(|left, right| (left.modified, &left.url).cmp(&(right.modified, &right.url)));
        Ok(Self { version, columns: TableColumns { list: columns }, files })
    }
}

/// What the files of a table call a column.
fn name_in_files(field: &StructField, mode: ColumnMappingMode) -> String {
    match (mode, field.metadata().get(PHYSICAL_NAME)) {
        (ColumnMappingMode::Name | ColumnMappingMode::Id, Some(MetadataValue::String(name))) => name.clone(),
        _ => field.name().clone(),
    }
}

/// The number that the files of a table give to a column.
fn id(field: &StructField) -> Option<String> {
    match field.metadata().get(ID)? {
        MetadataValue::Number(id) => Some(id.to_string()),
        _ => None,
    }
}
