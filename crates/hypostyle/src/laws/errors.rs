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
fn a_stage_checks_the_order_of_rows() {
    let kernels = || vec![rolling_mean("x", 2).over(["n"]).alias("mean"), rolling_sum("x", 2).over(["n"]).alias("sum")];
    let batch = |keys: Vec<i64>, steps: Vec<Option<i64>>| {
        let x = Arc::new(Float64Array::from(vec![1.0; keys.len()])) as ArrayRef;
        let (keys, steps) =
            (Arc::new(Int64Array::from(keys)) as ArrayRef, Arc::new(Int64Array::from(steps)) as ArrayRef);
        RecordBatch::try_from_iter([("x", x), ("n", keys), ("step", steps)]).unwrap()
    };
    let mut stage = Stage::new(kernels()).unwrap().with_order_by("step").unwrap();
    let first = batch(vec![1, 2, 1], vec![Some(5), Some(1), Some(5)]);
    stage.advance(&first).unwrap();
    let mut loaded = Stage::from_bytes(&stage.to_bytes().unwrap()).unwrap();
    for stage in [&mut stage, &mut loaded] {
        assert_eq!(stage.order_by(), Some("step"));
        let rest = batch(vec![2, 3, 1, 2, 3], vec![Some(2), Some(9), Some(4), Some(1), Some(8)]);
        let before = stage.to_bytes().unwrap();
        let error = stage.advance(&rest).unwrap_err();
        assert_eq!((error.kind(), error.place().row), (ErrorKind::Unsorted, Some(5)));
        assert_eq!(error.place().column.as_deref(), Some("step"));
        assert!(error.to_string().contains("the column is not sorted for key n=\"1\": 4 after 5"), "{error}");
        let late = stage.late(&rest).unwrap();
        assert_eq!(late, vec![false, false, true, true, true].into());
        assert_eq!(stage.to_bytes().unwrap(), before);
        let error = stage.advance(&batch(vec![1], vec![None])).unwrap_err();
        assert!(error.to_string().contains("the column has a null for key n=\"1\""), "{error}");
        stage.advance(&rest.slice(0, 2)).unwrap();
    }
    assert_eq!(stage.to_bytes().unwrap(), loaded.to_bytes().unwrap());

    let parts = stage.split_by(&[1, 0, 1], 3).unwrap();
    assert_eq!(parts.iter().map(Stage::n_keys).collect::<Vec<_>>(), [1, 2, 0]);
    let late = |part: &mut Stage, key| part.late(&batch(vec![key], vec![Some(4)])).unwrap() == vec![true].into();
    assert_eq!(parts.into_iter().map(|mut part| late(&mut part, 1)).collect::<Vec<_>>(), [false, true, false]);
    for (numbers, count) in [(&[0, 0][..], 1), (&[0, 1, 2][..], 2), (&[0, 0, 0][..], 0)] {
        assert!(stage.split_by(numbers, count).is_err());
    }

    let unordered = Stage::new(kernels()).unwrap();
    assert!(unordered.clone().late(&first).unwrap_err().to_string().contains("with_order_by"));
    assert!(stage.clone().merge(unordered).unwrap_err().to_string().contains("order their rows differ"));
    assert!(stage.with_order_by("x").is_err());
    let error = Stage::new(kernels()).unwrap().with_order_by("x").unwrap().advance(&first).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ColumnType, "{error}");
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
