//! A custom recurrence: the largest drawdown so far.  Run it: `cargo run --release --example recurrence`

use hypostyle::{Recurrence, scan};

#[derive(Clone)]
struct MaxDrawdown;

impl Recurrence for MaxDrawdown {
    type Input = f64;
    type Output = f64;
    type State = (f64, f64); // the peak and the largest fall so far
    fn start(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, 0.0)
    }
    fn step(&self, (peak, fall): &mut (f64, f64), price: f64) -> Option<f64> {
        *peak = peak.max(price);
        *fall = fall.max(1.0 - price / *peak);
        Some(*fall)
    }
    fn skip(&self, (_, fall): &mut (f64, f64)) -> Option<f64> {
        Some(*fall)
    }
}

fn main() {
    let falls = scan(&MaxDrawdown, &[100.0, 120.0, 90.0, 110.0, 60.0]);
    println!("{falls:?}");
    assert_eq!(falls, [0.0, 0.0, 0.25, 0.25, 0.5].map(Some));
}
