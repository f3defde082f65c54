//! One number, of a row, a result or a state.

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar {
    /// A float, bits kept.
    Float(f64),
    /// An integer.
    Integer(i64),
}

impl Scalar {
    /// The float; 0 for an integer.
    pub fn float(&self) -> f64 {
        match self {
            Self::Float(x) => *x,
            Self::Integer(_) => 0.0,
        }
    }

    /// The integer; 0 for a float.
    pub fn integer(&self) -> i64 {
        match self {
            Self::Float(_) => 0,
            Self::Integer(x) => *x,
        }
    }
}
