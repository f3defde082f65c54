//! How long one row takes with 100,000 keys in the state: as a batch, as a row of cells, and as a question; and an hour of
//! 1,000 rows a second.  Prints a line for each, which `latency.py` reads.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use hypostyle::{ScalarValue, Stage, cumsum_clip, ewm_mean, rolling_mean};

const KEYS: i64 = 100_000;
const CALLS: i64 = 1_000_000;
const HOUR: i64 = 3_600_000;

fn batch(keys: Vec<i64>) -> RecordBatch {
    let x: Float64Array = keys.iter().map(|key| Some(*key as f64)).collect();
    RecordBatch::try_from_iter([("key", Arc::new(Int64Array::from(keys)) as ArrayRef), ("x", Arc::new(x))]).unwrap()
}

/// Times every call; prints percentiles in microseconds.
fn percentiles<R>(what: &str, mut call: impl FnMut(i64) -> R) {
    let mut times: Vec<u128> = (0..CALLS)
        .map(|i| {
            let begin = Instant::now();
            std::hint::black_box(call(i));
            begin.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize] as f64 / 1000.0;
    println!("{what}: p50 {:.2} us   p99 {:.2} us   p99.9 {:.2} us", at(0.5), at(0.99), at(0.999));
}

fn main() {
    let mut stage = Stage::new(vec![
        rolling_mean("x", 20).over(["key"]).alias("mean"),
        ewm_mean("x").with("span", 20).over(["key"]).alias("ewm"),
        cumsum_clip("x", 0, 100).over(["key"]).alias("level"),
    ])
    .unwrap();
    for _ in 0..25 {
        stage.advance(&batch((0..KEYS).collect())).unwrap();
    }
    let key = |i: i64| i * 7919 % KEYS;
    let rows: Vec<RecordBatch> = (0..KEYS).map(|i| batch(vec![key(i)])).collect();
    let mut answers = Vec::new();
    percentiles("advance", |i| stage.advance(&rows[(i % KEYS) as usize]).unwrap());
    percentiles("advance_row", |i| {
        stage.advance_row(&[ScalarValue::Float(i as f64), ScalarValue::Integer(key(i))], &mut answers).unwrap();
    });
    percentiles("peek", |i| stage.peek(&rows[(i % KEYS) as usize]).unwrap());
    percentiles("peek_row", |i| {
        stage.peek_row(&[ScalarValue::Float(i as f64), ScalarValue::Integer(key(i))], &mut answers).unwrap();
    });
    let before = stage.state_bytes();
    let begin = Instant::now();
    for i in 0..HOUR {
        stage.advance_row(&[ScalarValue::Float((i % 97) as f64), ScalarValue::Integer(key(i))], &mut answers).unwrap();
    }
    println!(
        "hour: {HOUR} rows in {:.2} s, state {before} bytes before and {} after",
        begin.elapsed().as_secs_f64(),
        stage.state_bytes()
    );
}
