//! A custom row function, y = x^2 + sqrt(x).  Run it: `cargo run --release --example row_function`

use hypostyle::{RowFunction, map_rows};

#[derive(Clone)]
struct SquareAndRoot;

impl RowFunction for SquareAndRoot {
    fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]) {
        for (y, x) in answers.iter_mut().zip(columns[0]) {
            *y = x * x + x.sqrt();
        }
    }
}

fn main() {
    let x = [0.0, 1.0, 4.0, 9.0];
    let y = map_rows(&SquareAndRoot, &[&x]);
    println!("{y:?}");
    assert_eq!(y, [0.0, 2.0, 18.0, 84.0]);
}
