//! What a reference version returns.

/// What the reference says of a row: a result, and how far off the kernel may be.
#[derive(Debug, Clone, Copy)]
pub struct Slow {
    /// The result.
    pub answer: Option<f64>,
    /// The error bound; infinite if rounding decides everything.
    pub error: f64,
}

/// A result without rounding.
pub fn exact(answer: Option<f64>) -> Slow {
    Slow { answer, error: 0.0 }
}

/// An error bound, or none where no digits are left.
pub fn bounded(answer: f64, error: f64) -> Slow {
    Slow { answer: Some(answer), error: if error.is_nan() || !answer.is_finite() { f64::INFINITY } else { error } }
}

/// The distance from 1 to the next float.
pub const EPS: f64 = f64::EPSILON;
