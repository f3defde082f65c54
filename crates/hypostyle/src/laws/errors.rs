//! Errors name the kernel, the parameter, the column and the row that are at fault, and equal kernels are equal.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};

use crate::{
    ErrorKind, KernelSpec, Stage, evaluate, rolling_count, rolling_max, rolling_mean, rolling_sum, rolling_trend,
    session_id,
};

fn rows() -> RecordBatch {
    let column = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
    RecordBatch::try_from_iter([
        ("x", column(vec![1.0, 2.0, 3.0])),
        ("n", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
        ("since", Arc::new(Int64Array::from(vec![-1, 0, -1])) as ArrayRef),
        ("t", Arc::new(TimestampMicrosecondArray::from(vec![0, 60_000_000, 120_000_000])) as ArrayRef),
        ("late", Arc::new(TimestampMicrosecondArray::from(vec![0, 7, 6])) as ArrayRef),
    ])
    .unwrap()
}

#[test]
fn a_missing_column_is_that_of_the_kernel_that_reads_it() {
    let mut stage = Stage::new(vec![
        rolling_mean("x", 2).alias("mean"),
        rolling_max("n", 2).alias("max"),
        rolling_sum("x", 2).alias("sum"),
    ])
    .unwrap();
    stage.advance(&rows()).unwrap();
    let without = rows().project(&[0, 3]).unwrap();
    for error in [stage.advance(&without).unwrap_err(), stage.set_schema(&without.schema()).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::MissingColumn);
        assert_eq!(error.place().kernel.as_deref(), Some("rolling_max"), "{error}");
        assert_eq!(error.place().column.as_deref(), Some("n"));
    }
}

#[test]
fn an_order_is_that_of_the_kernel_that_needs_it() {
    // The first kernel reads the same column, but for its values.
    let by_time = vec![
        rolling_count("late", 2).alias("count"),
        rolling_mean("x", "5m").by("late").alias("mean"),
        session_id("late", "1m").alias("session"),
    ];
    let error = Stage::new(by_time).unwrap().advance(&rows()).unwrap_err();
    assert_eq!((error.kind(), error.place().row), (ErrorKind::Unsorted, Some(2)));
    assert_eq!(error.place().kernel.as_deref(), Some("rolling_mean"), "{error}");

    let bounded =
        vec![rolling_count("since", 2).alias("count"), rolling_sum("x", crate::Value::start_in("since")).alias("sum")];
    let error = Stage::new(bounded).unwrap().advance(&rows()).unwrap_err();
    assert_eq!(error.place().kernel.as_deref(), Some("rolling_sum"), "{error}");
    assert_eq!(error.place().column.as_deref(), Some("since"));
}

#[test]
fn a_column_may_be_its_own_time_column() {
    for spec in [
        rolling_count("t", "5m").by("t"),
        rolling_max("t", "90s").by("t"),
        rolling_trend("n", "10i").by("n").with("against", "n"),
        rolling_sum("n", "2i").by("n"),
    ] {
        let in_memory = evaluate(&rows(), std::slice::from_ref(&spec), Some(1)).unwrap();
        let mut stage = Stage::new(vec![spec.clone()]).unwrap();
        assert_eq!(stage.advance_columns(&rows()).unwrap().columns(), in_memory.columns(), "{spec}");
    }
}

#[test]
fn kernels_of_one_meaning_are_equal() {
    let pairs = [
        (rolling_mean("x", 3).with("center", false).closed("right").with("step", 1), rolling_mean("x", 3)),
        (rolling_mean("x", "300000000us").by("t"), rolling_mean("x", "5m").by("t")),
        (KernelSpec::new("ewm_mean").with("column", "x").with("span", 3), {
            KernelSpec::new("ewm_mean").with("column", "x").with("span", 3.0).with("adjust", true)
        }),
        (session_id("n", 10), session_id("n", "10i")),
    ];
    for (one, other) in pairs {
        assert_eq!(one.normal().unwrap(), other.normal().unwrap());
        let keyed = |spec: &KernelSpec| Stage::new(vec![spec.clone().over(["since"])]).unwrap();
        let (mut here, mut there) = (keyed(&one), keyed(&other));
        here.advance(&rows().slice(0, 1)).unwrap();
        there.advance(&rows().slice(1, 1)).unwrap();
        here.merge(there).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        here.save(&path).unwrap();
        Stage::load_for(&path, &[other.over(["since"])]).unwrap();
    }
    let (one, other) = (rolling_mean("x", 3), rolling_mean("x", 4));
    assert_ne!(one.normal().unwrap(), other.normal().unwrap());
}
