//! Running sums that start over, and what follows from the largest value so far.

pub mod bucket_by_sum;
pub mod cumsum_reset;
pub mod drawdown;

/// What is left of a sum that has reached a size: less than the size.  An infinite sum leaves nothing.
#[inline]
fn remainder(sum: f64, size: f64) -> f64 {
    if sum.is_infinite() { 0.0 } else { sum % size }
}
