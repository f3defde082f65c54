//! Laws of stages whose rows come one by one, and whose keys move and go.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use proptest::prelude::*;

use super::{column, cuts, for_every_kernel, streams, whole};
use crate::reference::{Random, Table, bits, keys_of, numbers};
use crate::{Duration, Evict, ScalarValue, Stage};

/// The value of a row, as one who has no arrays would give it.
fn cell(column: &ArrayRef, row: usize) -> ScalarValue<'_> {
    if column.is_null(row) {
        return ScalarValue::Null;
    }
    match column.data_type() {
        DataType::Utf8 => ScalarValue::Text(column.as_string::<i32>().value(row)),
        DataType::Boolean => ScalarValue::Boolean(column.as_boolean().value(row)),
        DataType::UInt64 => ScalarValue::Unsigned(column.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 | DataType::Float64 => ScalarValue::Float(numbers(&column.slice(row, 1))[0].unwrap()),
        _ => ScalarValue::Integer(
            cast(&column.slice(row, 1), &DataType::Int64).unwrap().as_primitive::<Int64Type>().value(0),
        ),
    }
}

/// A row's answer as cells; a struct that is null has no field.
fn cells(column: &ArrayRef, row: usize) -> Vec<ScalarValue<'_>> {
    match column.as_struct_opt() {
        Some(fields) => fields
            .columns()
            .iter()
            .map(|field| if column.is_null(row) { ScalarValue::Null } else { cell(field, row) })
            .collect(),
        None => vec![cell(column, row)],
    }
}

/// Cells by their bits, NaN payloads aside.
fn shown(cells: &[ScalarValue]) -> Vec<String> {
    let one = |cell: &ScalarValue| match cell {
        ScalarValue::Float(x) if !x.is_nan() => format!("{:016x} {x:?}", x.to_bits()),
        other => format!("{other:?}"),
    };
    cells.iter().map(one).collect()
}

fn row_of<'a>(stage: &Stage, rows: &'a RecordBatch, row: usize) -> Vec<ScalarValue<'a>> {
    stage.row_fields().iter().map(|field| cell(rows.column_by_name(field.name()).unwrap(), row)).collect()
}

#[test]
fn rows_may_come_alone() {
    for keyed in [false, true] {
        for_every_kernel(30, 8, keyed, |spec, table, seed| {
            if !streams(spec) {
                return Ok(false);
            }
            let rows = &table.batch;
            let expected = whole(spec, rows);
            let mut stage = Stage::new(vec![spec.clone()]).unwrap();
            stage.set_schema(&rows.schema()).unwrap();
            let (mut answers, mut peeked) = (Vec::new(), Vec::new());
            for (piece, (start, end)) in cuts(rows.num_rows(), seed).into_iter().enumerate() {
                if piece % 3 == 2 {
                    let got = column(&stage.advance_columns(&rows.slice(start, end - start)).unwrap());
                    prop_assert_eq!(bits(&got), bits(&expected.slice(start, end - start)));
                    continue;
                }
                for row in start..end {
                    let given = row_of(&stage, rows, row);
                    stage.peek_row(&given, &mut peeked).unwrap();
                    stage.advance_row(&given, &mut answers).unwrap();
                    prop_assert_eq!(shown(&answers), shown(&cells(&expected, row)), "row {}", row);
                    prop_assert_eq!(shown(&peeked), shown(&answers), "row {} peeked", row);
                }
            }
            let mut batched = Stage::new(vec![spec.clone()]).unwrap();
            batched.advance(rows).unwrap();
            if rows.num_rows() > 0 {
                prop_assert_eq!(stage.to_bytes().unwrap(), batched.to_bytes().unwrap());
            }
            Ok(true)
        });
    }
}

/// Which of the stages has a key; the first one for new keys.
fn owner(stages: &[Stage], over: &[String], key: &[Option<String>]) -> usize {
    let has = |stage: &Stage| keys_of(&stage.state().unwrap(), over).iter().any(|known| known == key);
    stages.iter().position(has).unwrap_or(0)
}

#[test]
fn keys_may_move() {
    for_every_kernel(12, 2, true, |spec, table, seed| {
        let rows = &table.batch;
        if !streams(spec) || rows.num_rows() < 3 {
            return Ok(false);
        }
        let expected = bits(&whole(spec, rows));
        let mut random = Random(seed | 1);
        let first = 1 + random.below(rows.num_rows() - 2);
        let second = first + 1 + random.below(rows.num_rows() - first - 1);
        let mut stage = Stage::new(vec![spec.clone()]).unwrap();
        stage.advance(&rows.slice(0, first)).unwrap();

        // Apart ...
        let mut parts = stage.split_evenly(1 + random.below(4)).unwrap();
        prop_assert_eq!(parts.iter().map(Stage::n_keys).sum::<usize>(), stage.n_keys());
        let keys = keys_of(rows, &spec.over);
        let mut taken: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
        (first..second).for_each(|row| taken[owner(&parts, &spec.over, &keys[row])].push(row));
        for (part, own) in parts.iter_mut().zip(&taken) {
            let got = bits(&column(&part.advance_columns(&table.rows(own)).unwrap()));
            let wanted: Vec<_> = own.iter().map(|row| expected[*row].clone()).collect();
            prop_assert_eq!(got, wanted);
        }
        // ... and together again, in any order.
        let mut together = parts.swap_remove(random.below(parts.len()));
        for part in parts {
            together.merge(Stage::from_bytes(&part.to_bytes().unwrap()).unwrap()).unwrap();
        }
        prop_assert_eq!(together.n_rows(), second as u64);
        let got = bits(&column(&together.advance_columns(&rows.slice(second, rows.num_rows() - second)).unwrap()));
        prop_assert_eq!(&got[..], &expected[second..]);
        Ok(true)
    });
}

#[test]
fn evicted_keys_start_over() {
    for_every_kernel(12, 2, true, |spec, table, seed| {
        let rows = &table.batch;
        if !streams(spec) || rows.num_rows() < 2 {
            return Ok(false);
        }
        let mut random = Random(seed | 1);
        let cut = 1 + random.below(rows.num_rows() - 1);
        let times = times(table);
        let (newest, since) = (times[cut - 1], i64::try_from(random.below(20_000)).unwrap());
        let new = || Stage::new(vec![spec.clone()]).unwrap().with_time_column("t").unwrap();
        let mut stage = new();
        stage.advance(&rows.slice(0, cut)).unwrap();
        let before = stage.n_keys();
        let idle = match seed % 2 {
            0 => Evict::Before(ScalarValue::Integer(newest - since)),
            _ => Evict::For(Duration::parse(&format!("{}ms", since.max(1))).unwrap()),
        };
        let evicted = stage.evict(idle).unwrap();
        prop_assert_eq!(stage.n_keys(), before - evicted);

        // As if the rows of the evicted keys had never come.
        let keys = keys_of(rows, &spec.over);
        let least = if seed % 2 == 0 { newest - since } else { newest - since.max(1) };
        let last = |key: usize| (0..cut).rev().find(|row| keys[*row] == keys[key]).map(|row| times[row]).unwrap();
        let kept: Vec<usize> = (0..cut).filter(|row| last(*row) >= least).collect();
        let mut other = new();
        other.advance(&table.rows(&kept)).unwrap();
        prop_assert_eq!(stage.n_keys(), other.n_keys());
        let mut stage = Stage::from_bytes(&stage.to_bytes().unwrap()).unwrap();
        for stage in [&mut stage, &mut other] {
            stage.evict(Evict::Before(ScalarValue::Integer(i64::MIN))).unwrap();
        }
        let rest = rows.slice(cut, rows.num_rows() - cut);
        let answers = |stage: &mut Stage| bits(&column(&stage.advance_columns(&rest).unwrap()));
        prop_assert_eq!(answers(&mut stage), answers(&mut other));
        Ok(true)
    });
}

fn times(table: &Table) -> Vec<i64> {
    let times = cast(table.batch.column_by_name("t").unwrap(), &DataType::Int64).unwrap();
    times.as_primitive::<Int64Type>().values().to_vec()
}
