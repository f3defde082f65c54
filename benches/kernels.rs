//! Every kernel of the catalog over the same rows, alone and by key, on one thread and on all.
//!
//! `cargo bench -p hypostyle --bench kernels -- rolling_mean` runs those whose name matches.  The comparison with other
//! libraries is `benches/compare.py`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hypostyle::{Kernel, KernelSpec, Kind, Literal, Value, evaluate, kernels};

const ROWS: usize = 1_000_000;
const KEYS: i64 = 5_000;

fn rows() -> RecordBatch {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut float =
        || Arc::new(Float64Array::from_iter_values((0..ROWS).map(|_| (next() >> 11) as f64 / 1e15))) as ArrayRef;
    let (x, y, z) = (float(), float(), float());
    let key: Int64Array = (0..ROWS).map(|_| Some((next() >> 20) as i64 % KEYS)).collect();
    let t: TimestampMicrosecondArray = (0..ROWS as i64).map(|i| Some(i * 1_000_000)).collect();
    let flag: BooleanArray = (0..ROWS).map(|i| Some(i % 20 == 0)).collect();
    let others: [(&str, ArrayRef); 3] = [("key", Arc::new(key)), ("t", Arc::new(t)), ("flag", Arc::new(flag))];
    RecordBatch::try_from_iter([("x", x), ("y", y), ("z", z)].into_iter().chain(others)).unwrap()
}

/// A specification with the parameters that every kernel has, and a window where it takes one.
fn spec(kernel: &Kernel, window: &Value) -> KernelSpec {
    let mut columns = ["x", "y", "z"].into_iter();
    let mut spec = KernelSpec::new(&kernel.name).alias("answer");
    for parameter in &kernel.parameters {
        let value = match (&parameter.kind, parameter.default) {
            (Kind::Column, Literal::Required) => columns.next().unwrap_or("x").into(),
            (Kind::Columns, _) if kernel.name.ends_with("_ols") => vec!["y", "z"].into(),
            (Kind::Columns, _) => vec!["x", "y", "z"].into(),
            (Kind::Numbers, _) => vec![0.5, 0.25, 2.0].into(),
            (Kind::Table, _) => vec![Value::from(vec![1i64, 0]), Value::from(vec![0i64, 1])].into(),
            (Kind::Window, _) => window.clone(),
            (Kind::Time(_), Literal::Required) => "t".into(),
            (Kind::Time("window"), _) if matches!(window, Value::Text(_)) => "t".into(),
            (Kind::Column, Literal::Omitted) => continue,
            (Kind::Flags, _) => "flag".into(),
            (Kind::Weights, _) => "hamming".into(),
            (Kind::Rows, _) if matches!(window, Value::Text(_)) => 100.into(),
            (Kind::Rows, _) => window.clone(),
            (Kind::Count, Literal::Required) => 5.into(),
            (Kind::Duration, _) => "30s".into(),
            (Kind::NumberOrColumn, _) => {
                if spec.parameters.contains_key("lower") {
                    1.0.into()
                } else {
                    Value::from(0.5)
                }
            }
            (Kind::Number, Literal::Required) => 0.75.into(),
            (Kind::Number, _) if kernel.name == "ewm_mean" && parameter.name == "alpha" => 0.1.into(),
            _ => continue,
        };
        spec = spec.with(&*parameter.name, value);
    }
    if kernel.name == "affine_scan" {
        spec = spec.with("b", "x");
    }
    spec
}

fn every_kernel(criterion: &mut Criterion) {
    let rows = rows();
    for kernel in kernels() {
        let mut group = criterion.benchmark_group(&kernel.name);
        group
            .throughput(Throughput::Elements(ROWS as u64))
            .sample_size(10)
            .measurement_time(Duration::from_millis(600));
        group.warm_up_time(Duration::from_millis(100));
        let windows: Vec<Value> =
            if kernel.accepts("window") { vec![20.into(), 1000.into(), "60s".into()] } else { vec![0.into()] };
        for window in windows {
            for (keys, threads) in [("alone", 1), ("alone", 2), ("keyed", 1), ("keyed", 2)] {
                let spec = spec(kernel, &window);
                let spec = if keys == "keyed" { spec.over(["key"]) } else { spec };
                let name = BenchmarkId::new(format!("{keys}, {threads} threads"), &window);
                group.bench_function(name, |bencher| {
                    bencher.iter(|| evaluate(black_box(&rows), std::slice::from_ref(&spec), Some(threads)).unwrap());
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, every_kernel);
criterion_main!(benches);
