use std::fs;
use std::path::PathBuf;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use parquet::file::metadata::ParquetMetaDataReader;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.parquet");
    (folder, path)
}

/// The table in row groups of so many rows.
fn written(table: &RecordBatch, group_rows: usize) -> (TempDir, PathBuf) {
    let (folder, path) = place();
    write_plain(&path, table, group_rows);
    (folder, path)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_rows_are_those_of_the_plain_reader(
        kinds in prop::collection::vec(0..KINDS, 1..7),
        chosen in prop::collection::vec(any::<bool>(), 7),
        rows in 0_usize..700,
        group_rows in 1_usize..300,
        batch_rows in 1_usize..200,
        skip in 0_usize..800,
    ) {
        let (_folder, path) = written(&table(&kinds, rows), group_rows);
        let columns: Vec<usize> = (0..kinds.len()).filter(|column| chosen[*column]).collect();
        let plain = read_plain(&path);
        let skip = skip.min(rows);
        let wanted = plain.slice(skip, rows - skip).project(&columns).unwrap();
        for threads in [1, 2, 3, 8] {
            let (batches, end) = read(&path, &columns, batch_rows, threads, skip as u64);
            end.unwrap();
            prop_assert!(batches.iter().all(|batch| (1..=batch_rows).contains(&batch.num_rows())));
            prop_assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), rows - skip);
            if let Some(first) = batches.first().filter(|_| !columns.is_empty()) {
                let whole = concat_batches(&first.schema(), &batches).unwrap();
                prop_assert_eq!(whole.columns(), wanted.columns());
            }
        }
    }

    #[test]
    fn any_damage_gives_rows_or_an_error(
        kinds in prop::collection::vec(0..KINDS, 1..4),
        damage in prop::collection::vec((0_usize..100_000, any::<u8>()), 1..6),
        threads in 1_usize..4,
    ) {
        let (_folder, path) = written(&table(&kinds, 300), 70);
        let mut bytes = fs::read(&path).unwrap();
        let length = bytes.len();
        for (place, byte) in damage {
            bytes[place % length] = byte;
        }
        fs::write(&path, bytes).unwrap();
        if let Ok(file) = ParquetFile::open(&InputFile::local(&path), &Default::default()) {
            let named = file.columns();
            let columns: Vec<usize> = (0..named.len()).collect();
            let schema = schema_of(&file, &columns);
            let mut batches = file.batches(&columns.iter().copied().map(Some).collect::<Vec<_>>(), schema, 64, threads, 0).unwrap();
            loop {
                match batches.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => {
                        prop_assert_eq!(error.file(), Some(path.as_path()));
                        break;
                    }
                }
            }
        }
    }
}

#[test]
fn batches_are_cut_alike_whatever_the_threads() {
    let (_folder, path) = written(&table(&[0, 2, 7], 1_000), 90);
    let sizes = |threads, columns: &[usize]| -> Vec<usize> {
        read(&path, columns, 64, threads, 100).0.iter().map(RecordBatch::num_rows).collect()
    };
    let wanted = sizes(1, &[0, 1, 2]);
    for threads in [2, 3, 8, 20] {
        assert_eq!(sizes(threads, &[0, 1, 2]), wanted);
        assert_eq!(sizes(threads, &[1]), wanted);
    }
}

#[test]
fn skipping_tells_how_far_it_is() {
    let (_folder, path) = written(&table(&[0, 2], 1_000), 100);
    for (columns, skip) in [(vec![0, 1], 0), (vec![1], 250), (vec![], 999), (vec![0], 1_000), (vec![0], 5_000)] {
        let file = ParquetFile::open(&InputFile::local(&path), &Default::default()).unwrap();
        let named = file.columns();
        assert_eq!((file.rows(), named.len()), (1_000, 2));
        let (schema, bytes) = (schema_of(&file, &columns), fs::metadata(&path).unwrap().len());
        let mut batches =
            file.batches(&columns.iter().copied().map(Some).collect::<Vec<_>>(), schema, 64, 2, skip).unwrap();
        assert_eq!(batches.bytes_of(batches.place()), bytes * skip.min(1_000) / 1_000);
        let mut rows = 0;
        while let Some((batch, _)) = batches.next().unwrap() {
            rows += batch.num_rows() as u64;
        }
        assert_eq!((rows, batches.bytes_of(batches.place())), (1_000_u64.saturating_sub(skip), bytes));
        assert!(batches.next().unwrap().is_none());
    }
}

#[test]
fn dropped_early_it_ends() {
    let (_folder, path) = written(&table(&[0, 1, 2, 8], 20_000), 1_000);
    for (taken, threads) in [(0, 1), (1, 3), (7, 16)] {
        let file = ParquetFile::open(&InputFile::local(&path), &Default::default()).unwrap();
        let schema = schema_of(&file, &[0, 1, 3]);
        let mut batches = file.batches(&[0, 1, 3].map(Some), schema, 100, threads, 0).unwrap();
        for _ in 0..taken {
            assert_eq!(batches.next().unwrap().unwrap().0.num_rows(), 100);
        }
    }
}

#[test]
fn what_stands_before_the_damage_comes_first() {
    let (_folder, path) = written(&table(&[0, 1, 2], 1_000), 100);
    let footer = ParquetMetaDataReader::new().parse_and_finish(&File::open(&path).unwrap()).unwrap();
    let (start, length) = footer.row_group(6).column(1).byte_range();
    let mut bytes = fs::read(&path).unwrap();
    bytes[start as usize..(start + length) as usize].fill(0xff);
    fs::write(&path, bytes).unwrap();
    for threads in [1, 2, 3, 8] {
        let (batches, end) = read(&path, &[0, 1, 2], 100, threads, 0);
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 600);
        let error = end.unwrap_err();
        assert_eq!((error.kind(), error.file()), (&ErrorKind::Source, Some(path.as_path())));
        assert!(error.to_string().contains("\nhelp: "), "{error}");
        // The damage is in a column that nobody asked for.
        read(&path, &[0, 2], 100, threads, 0).1.unwrap();
        // Or in rows that are left out.
        read(&path, &[1], 100, threads, 700).1.unwrap();
    }
}

#[test]
fn no_parquet_is_an_error_with_the_name() {
    let (_folder, path) = place();
    for bytes in [&b""[..], b"PAR1", b"a,b\n1,2\n", b"PAR1\xff\xff\xff\x7fPAR1"] {
        fs::write(&path, bytes).unwrap();
        let error = ParquetFile::open(&InputFile::local(&path), &Default::default()).map(drop).unwrap_err();
        assert_eq!((error.kind(), error.file()), (&ErrorKind::Source, Some(path.as_path())));
    }
}

#[test]
fn without_rows_there_are_columns() {
    let (_folder, path) = written(&table(&[0, 8], 0), 10);
    let file = ParquetFile::open(&InputFile::local(&path), &Default::default()).unwrap();
    let columns = file.columns();
    assert_eq!((file.rows(), columns.len()), (0, 2));
    let (batches, end) = read(&path, &[0, 1], 10, 4, 0);
    assert!(batches.is_empty() && end.is_ok());
}

#[test]
fn dictionaries_stay_dictionaries() {
    let (_folder, path) = written(&table(&[3], 100), 30);
    let (batches, _) = read(&path, &[0], 100, 2, 0);
    assert!(matches!(batches[0].column(0).data_type(), DataType::Dictionary(..)));
}
