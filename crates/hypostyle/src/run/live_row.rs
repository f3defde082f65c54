//! A single row, as a kernel reads it.

use super::source::Source;
use crate::values::{Domain, Operand, Scalar};

/// A row of a known key.
#[derive(Clone, Copy)]
pub struct LiveRow<'a> {
    pub(crate) operands: &'a [Operand<'a>],
    /// Its number within its key.
    pub(crate) position: i64,
}

impl LiveRow<'_> {
    /// The number that a kernel reads from a source.
    #[inline]
    pub(crate) fn scalar(&self, source: &Source) -> Scalar {
        match source {
            Source::Column { index, domain: Domain::Float, .. } => Scalar::Float(self.operands[*index].float),
            Source::Column { index, .. } => Scalar::Integer(self.operands[*index].integer),
            Source::Presence(index) => Scalar::Float(f64::from(u8::from(self.operands[*index].valid))),
            Source::Constant(x) => Scalar::Float(*x),
            Source::Position => Scalar::Integer(self.position),
        }
    }

    /// Whether all of these that are required have a value.
    pub(crate) fn is_valid(&self, sources: &[Source]) -> bool {
        sources.iter().all(|source| match source {
            Source::Column { index, required: true, .. } => self.operands[*index].valid,
            _ => true,
        })
    }
}
