//! Laws of stages whose rows come one by one, and whose keys move and go.

use std::cell::Cell;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use proptest::prelude::*;

use super::arbitrary::{goes_back, specs_of};
use super::{column, cuts, for_every_kernel, runner, streams, whole};
use crate::reference::{Random, Table, bits, keys_of, numbers, table};
use crate::{Duration, ErrorKind, Evict, KernelSpec, Kind, ScalarValue, Stage, kernels};

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

/// A sum over the windows of a specification, but for the ends that are inclusive.
fn with_other_ends(spec: &KernelSpec, closed: &str) -> KernelSpec {
    let sum =
        KernelSpec::new("rolling_sum").with("column", "y").with("closed", closed).over(spec.over.clone()).alias("twin");
    ["window", "by"].iter().fold(sum, |sum, name| match spec.parameters.get(*name) {
        Some(value) => sum.with(*name, value.clone()),
        None => sum,
    })
}

/// A stage either refuses a row whose window goes back, or returns what an evaluation in memory returns; beside another kernel
/// with the same bounds too.
#[test]
fn windows_that_go_back_are_right_or_refused() {
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    for keyed in [false, true] {
        for kernel in kernels().iter().filter(|kernel| kernel.parameters.iter().any(|p| matches!(p.kind, Kind::Window)))
        {
            let wild = specs_of(kernel, keyed).prop_filter("goes back", goes_back);
            let outcome = runner(12).run(&(wild, table(), any::<u64>()), |(spec, table, seed)| {
                let late = spec.plan().unwrap().latency() > 0;
                let rows = &table.batch;
                if late || rows.num_rows() == 0 {
                    return Ok(());
                }
                let twin = with_other_ends(&spec, ["right", "left", "both", "neither"][(seed % 4) as usize]);
                let mut stage = Stage::new(vec![spec.clone().alias("own"), twin.clone()]).unwrap();
                stage.set_schema(&rows.schema()).unwrap();
                let (mut got, mut answers, mut accepted) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new());
                for row in 0..rows.num_rows() {
                    let one = rows.slice(row, 1);
                    let alone = stage.clone().advance_row(&row_of(&stage, rows, row), &mut answers);
                    let result = stage.advance_columns(&one);
                    prop_assert_eq!(alone.is_ok(), result.is_ok(), "row {}", row);
                    accepted.push(result.is_ok());
                    match result {
                        Ok(results) => (0..2).for_each(|at| got[at].extend(bits(results.column(at)))),
                        Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Unsorted, "{}", error),
                    }
                    if (row as u64 + seed).is_multiple_of(16) {
                        stage = Stage::from_bytes(&stage.to_bytes().unwrap()).unwrap();
                    }
                }
                let count = accepted.iter().filter(|accepted| **accepted).count();
                taken.set(taken.get() + count);
                refused.set(refused.get() + accepted.len() - count);
                let kept = filter_record_batch(rows, &accepted.into()).unwrap();
                prop_assert_eq!(&got[0], &bits(&whole(&spec, &kept)));
                prop_assert_eq!(&got[1], &bits(&whole(&twin, &kept)), "{}", twin);
                Ok(())
            });
            outcome.unwrap_or_else(|failure| panic!("{}: {failure}", kernel.name));
        }
    }
    let (taken, refused) = (taken.get(), refused.get());
    assert!(taken > 10_000 && refused > 10_000, "{taken} rows were taken, {refused} refused");
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
