use std::path::PathBuf;

use arrow::compute::concat_batches;
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use proptest::prelude::*;

use super::super::concat::concat;
use super::super::write::ParquetWriter;
use super::*;

fn pool(threads: usize) -> Arc<rayon::ThreadPool> {
    Arc::new(rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap())
}

fn zstd() -> Codec {
    Codec::ZSTD(ZstdLevel::default())
}

/// The table as a file, written in pieces of `rows` rows, with a row group for every `pieces` pieces.
fn bytes(table: &RecordBatch, rows: usize, pieces: usize, threads: usize) -> Vec<u8> {
    let mut writer = ParquetWriter::new(Vec::new(), &table.schema(), zstd(), &pool(threads)).unwrap();
    for (piece, start) in (0..table.num_rows()).step_by(rows).enumerate() {
        if piece > 0 && piece % pieces == 0 {
            writer.end_group().unwrap();
        }
        writer.write(&table.slice(start, rows.min(table.num_rows() - start))).unwrap();
    }
    writer.finish().unwrap()
}

fn footer(path: &Path) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(&File::open(path).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_was_written_is_read(
        kinds in prop::collection::vec(0..KINDS, 1..7),
        rows in 0_usize..700,
        piece in 1_usize..200,
        pieces in 1_usize..5,
    ) {
        let table = table(&kinds, rows);
        let one = bytes(&table, piece, pieces, 1);
        for threads in [2, 3, 4] {
            prop_assert!(bytes(&table, piece, pieces, threads) == one, "{} threads change the file", threads);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.parquet");
        std::fs::write(&path, one).unwrap();
        let plain = read_plain(&path);
        prop_assert_eq!(&plain, &table);
        prop_assert_eq!(footer(&path).num_row_groups(), rows.div_ceil(piece * pieces));
        let columns: Vec<usize> = (0..kinds.len()).collect();
        let (batches, end) = read(&path, &columns, 100, 2, 0);
        end.unwrap();
        let schema = batches.first().map_or_else(|| table.schema(), RecordBatch::schema);
        let whole = concat_batches(&schema, &batches).unwrap();
        prop_assert_eq!(whole.columns(), table.columns());
    }

    #[test]
    fn parts_joined_are_the_file_written_in_one_go(
        kinds in prop::collection::vec(0..KINDS, 1..7),
        rows in 0_usize..700,
        piece in 1_usize..200,
        cuts in prop::collection::vec(any::<bool>(), 0..20),
    ) {
        let table = table(&kinds, rows);
        let folder = tempfile::tempdir().unwrap();
        // A part ends where the cuts say, a row group with every piece.
        let mut parts: Vec<PathBuf> = Vec::new();
        let mut start = 0;
        while start < rows {
            let mut end = start + piece;
            while end < rows && cuts.get(end / piece) == Some(&false) {
                end += piece;
            }
            let end = end.min(rows);
            let path = folder.path().join(format!("{start}.part"));
            std::fs::write(&path, bytes(&table.slice(start, end - start), piece, 1, 2)).unwrap();
            parts.push(path);
            start = end;
        }
        let joined = concat(&parts, &table.schema(), zstd(), Vec::new()).unwrap();
        prop_assert!(joined == bytes(&table, piece, 1, 1));
    }
}

#[test]
fn long_columns_are_encoded_by_what_they_hold() {
    let table = table(&[0, 1, 2, 3, 6, 8], 20_000);
    let one = bytes(&table, 10_000, 1, 1);
    assert!(bytes(&table, 10_000, 1, 4) == one);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    std::fs::write(&path, &one).unwrap();
    assert_eq!(read_plain(&path), table);
    let footer = footer(&path);
    let has = |column: usize, encoding| footer.row_group(1).column(column).encodings().any(|each| each == encoding);
    assert!(has(0, Encoding::DELTA_BINARY_PACKED) && has(4, Encoding::DELTA_BINARY_PACKED));
    assert!(!has(1, Encoding::RLE_DICTIONARY) && has(1, Encoding::PLAIN));
    assert!(has(2, Encoding::RLE_DICTIONARY) && has(3, Encoding::RLE_DICTIONARY));
    // Noise in few bits is not compressed, what has patterns is.
    let packed = |column: usize| footer.row_group(1).column(column).compression() != Codec::UNCOMPRESSED;
    assert_eq!([0, 1, 2, 3, 4].map(packed), [false, true, true, true, false]);
    // The choices are kept where the file is joined from parts.
    let parts: Vec<PathBuf> = [0, 10_000]
        .map(|start| {
            let path = folder.path().join(format!("{start}.part"));
            std::fs::write(&path, bytes(&table.slice(start, 10_000), 10_000, 1, 2)).unwrap();
            path
        })
        .to_vec();
    assert!(concat(&parts, &table.schema(), zstd(), Vec::new()).unwrap() == one);
}

#[test]
fn an_empty_file_has_its_columns() {
    let table = table(&[0, 3, 8], 0);
    let empty = bytes(&table, 1, 1, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    std::fs::write(&path, &empty).unwrap();
    assert_eq!(read_plain(&path).schema(), table.schema());
    let parts = vec![path.clone(), path];
    assert!(concat(&parts, &table.schema(), zstd(), Vec::new()).unwrap() == empty);
    assert!(concat(&[], &table.schema(), zstd(), Vec::new()).unwrap() == empty);
}

#[test]
fn a_part_that_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("0.part");
    let table = table(&[0], 10);
    let schema = super::table(&[1], 0).schema();
    for content in [bytes(&table, 10, 1, 1), b"PAR1PAR1".to_vec()] {
        std::fs::write(&path, content).unwrap();
        let error = concat(std::slice::from_ref(&path), &schema, zstd(), Vec::new()).unwrap_err();
        assert_eq!(error.file(), Some(path.as_path()));
    }
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let table = table(&[1, 2], 50_000);
    let written = ParquetWriter::new(Full, &table.schema(), Codec::UNCOMPRESSED, &pool(2)).and_then(|mut writer| {
        writer.write(&table)?;
        writer.finish().map(drop)
    });
    assert_eq!(written.unwrap_err().kind(), &crate::error::ErrorKind::Sink);
}
