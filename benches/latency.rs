//! How long one row takes: `advance` on single rows with 100,000 keys in the state.  Prints p50, p99 and p99.9.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use hypostyle::{Stage, cumsum_clip, ewm_mean, rolling_mean};

const KEYS: i64 = 100_000;
const CALLS: usize = 200_000;

fn batch(keys: Vec<i64>) -> RecordBatch {
    let x: Float64Array = keys.iter().map(|key| Some(*key as f64)).collect();
    RecordBatch::try_from_iter([("key", Arc::new(Int64Array::from(keys)) as ArrayRef), ("x", Arc::new(x))]).unwrap()
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
    let rows: Vec<RecordBatch> = (0..CALLS as i64).map(|i| batch(vec![i * 7919 % KEYS])).collect();
    let mut times: Vec<u128> = rows
        .iter()
        .map(|row| {
            let begin = Instant::now();
            std::hint::black_box(stage.advance(row).unwrap());
            begin.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize] as f64 / 1000.0;
    println!("advance, 1 row, 3 kernels, {KEYS} keys in the state, {} bytes a key:", stage.state_bytes() as i64 / KEYS);
    println!("p50 {:.2} us   p99 {:.2} us   p99.9 {:.2} us", at(0.5), at(0.99), at(0.999));
}
