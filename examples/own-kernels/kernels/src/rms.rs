//! A statistic: a summary of rows that can be extended by a row and merged with that of later rows.  It becomes two kernels,
//! with every kind of window that the library has.

use hypostyle::{COLUMN, Entry, Literal, Plan, Shape, Statistic};

#[derive(Clone)]
struct RootMeanSquare;

impl Statistic for RootMeanSquare {
    type Input = f64;
    type Output = f64;
    /// The sum of squares.
    type State = f64;

    const TOTAL: bool = true;

    fn empty(&self) -> f64 {
        0.0
    }

    fn push(&self, sum: &mut f64, x: f64, _anchor: f64) {
        *sum += x * x;
    }

    fn merge(&self, earlier: &f64, later: &f64) -> f64 {
        earlier + later
    }

    fn finish(&self, sum: &f64, count: usize, _anchor: f64) -> Option<f64> {
        Some((sum / count as f64).sqrt())
    }
}

pub const RMS: Entry = Entry {
    names: &["rolling_rms", "expanding_rms"],
    shape: Shape::Windowed,
    summary: "Root mean square of the values {in a moving window|so far}.",
    formula: "y[i] = sqrt(mean of x[j]^2 for j {in the window of row i|<= i})",
    notes: "Nulls are skipped and do not count for `min_samples`.",
    source: "Textbooks.",
    parameters: &[COLUMN],
    example: &[("column", Literal::Text("x")), ("window", Literal::Count(2))],
    plan: |arguments| Plan::statistic(arguments, &["column"], RootMeanSquare),
};
