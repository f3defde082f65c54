//! A stage over record batches, as the README shows it.  Run it: `cargo run --release --example stage`

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::Float64Type;
use hypostyle::{Stage, rolling_mean};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let batch = RecordBatch::try_from_iter([
        ("symbol", Arc::new(StringArray::from(vec!["A", "B", "A"])) as ArrayRef),
        ("price", Arc::new(Float64Array::from(vec![1.0, 5.0, 3.0])) as ArrayRef),
    ])?;
    let mut stage = Stage::new(vec![rolling_mean("price", 2).min_samples(1).over(["symbol"]).alias("m2")])?;
    let out = stage.advance(&batch)?;
    let means = out.column_by_name("m2").ok_or("no column m2")?.as_primitive::<Float64Type>();
    println!("{:?}", means.values());
    assert_eq!(means.values(), &[1.0, 5.0, 2.0]);
    Ok(())
}
