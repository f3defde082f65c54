//! What a stage says of its memory, against what it asks the allocator for; and that rows which come alone ask for nothing.

use std::alloc::System;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use hypostyle::{
    KernelSpec, ScalarValue, Stage, cumsum_clip, ewm_mean, expanding_mean, expanding_median, rolling_corr, rolling_max,
    rolling_mean, rolling_median, rolling_std, session_id,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocator counts for all threads, so that everything here is one test.
#[test]
fn a_stage_knows_its_memory_and_rows_alone_ask_for_none() {
    for keys in [20_000, 100_000] {
        for kernels in [
            vec![rolling_mean("x", 20)],
            vec![ewm_mean("x").with("span", 20), cumsum_clip("x", 0, 100).alias("level")],
            vec![rolling_median("x", 15)],
            vec![rolling_std("x", "20s").by("t")],
            vec![rolling_max("x", 100), expanding_mean("x").alias("all")],
            vec![session_id("t", "10s"), rolling_corr("x", "y", 10).alias("r")],
            vec![expanding_median("x")],
        ] {
            for over in [vec!["number"], vec!["name"], vec!["name", "number"]] {
                says_what_it_takes(keys, kernels.iter().map(|spec| spec.clone().over(over.clone())).collect());
            }
        }
    }
    rows_alone_ask_for_none();
}

fn rows(keys: i64, turn: i64) -> RecordBatch {
    let numbers = || (0..keys).map(|key| key.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()) >> 4);
    let value = |of: i64| move |key: i64| ((key * 7919 + turn * of) % 1000) as f64 / 8.0;
    let column = |of: i64| Arc::new((0..keys).map(value(of)).collect::<Float64Array>()) as ArrayRef;
    let names = (0..keys).map(|key| format!("{}-{key}", if key % 2 == 0 { "s" } else { "a longer name" }));
    RecordBatch::try_from_iter([
        ("number", Arc::new(Int64Array::from_iter_values(numbers())) as ArrayRef),
        ("name", Arc::new(StringArray::from_iter_values(names))),
        ("t", Arc::new(TimestampMillisecondArray::from_iter_values((0..keys).map(|key| turn * 1000 + key / 1000)))),
        ("x", column(31)),
        ("y", column(17)),
    ])
    .unwrap()
}

/// Within 5%, once a stage has run for a while.
fn says_what_it_takes(keys: i64, specs: Vec<KernelSpec>) {
    let shown: Vec<String> = specs.iter().map(ToString::to_string).collect();
    let turns: Vec<RecordBatch> = (0..30).map(|turn| rows(keys, turn)).collect();
    let region = Region::new(ALLOCATOR);
    let mut stage = Stage::new(specs).unwrap().with_threads(1).unwrap();
    for rows in &turns {
        stage.advance_columns(rows).unwrap();
    }
    let change = region.change();
    let taken = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
    let said = stage.state_bytes() as f64;
    assert!((said / taken - 1.0).abs() < 0.05, "{keys} keys, {shown:?}: {said} said, {taken} taken");
}

/// Known keys, after their windows are full.
fn rows_alone_ask_for_none() {
    let mut stage = Stage::new(vec![
        rolling_mean("x", 20).over(["name"]),
        ewm_mean("x").with("span", 20).over(["name"]).alias("ewm"),
        cumsum_clip("x", 0, 100).over(["name"]).alias("level"),
        rolling_std("x", 200).over(["name"]).alias("std"),
        rolling_corr("x", "y", 30).over(["name"]).alias("corr"),
    ])
    .unwrap();
    let keys = 500;
    for turn in 0..450 {
        stage.advance_columns(&rows(keys, turn)).unwrap();
    }
    let names: Vec<String> =
        (0..keys).map(|key| format!("{}-{key}", if key % 2 == 0 { "s" } else { "a longer name" })).collect();
    let mut answers = Vec::with_capacity(8);
    let fields: Vec<&str> = stage.row_fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(fields, ["x", "name", "y"]);
    // Twice through all windows, so that whatever grows by and by has grown.
    let mut run = |turns: std::ops::Range<i64>| {
        for turn in turns {
            for (name, key) in names.iter().zip(0..) {
                let x = ((key * 31 + turn * 7) % 1000) as f64;
                let given = [ScalarValue::Float(x), ScalarValue::Text(name), ScalarValue::Float(-x)];
                stage.advance_row(&given, &mut answers).unwrap();
            }
        }
    };
    run(0..450);
    let region = Region::new(ALLOCATOR);
    run(450..900);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations, change.deallocations), (0, 0, 0));
}
