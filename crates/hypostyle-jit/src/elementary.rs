//! Functions in terms of the operations, so that they run as vectors.
//!
//! They are written once, for numbers ([`Numbers`]) and for operations (`Builder`), and give the same bits as both.

mod arithmetic;
mod error;
mod exponential;
mod rare;
mod trigonometric;

pub use self::arithmetic::{Arithmetic, Numbers};
pub use self::error::erf;
pub use self::exponential::{exp, log};
pub use self::rare::int_quotient;
pub use self::trigonometric::{acos, asin, atan, atan2, cos, sin};
use crate::ops::{Math, Math2};

/// A function of [`Math`] in operations, if it is written so.
pub fn of_math<M: Arithmetic>(m: &mut M, function: Math, x: M::Float) -> Option<M::Float> {
    Some(match function {
        Math::Exp => exp(m, x),
        Math::Log => log(m, x),
        Math::Sin => sin(m, x),
        Math::Cos => cos(m, x),
        Math::Asin => asin(m, x),
        Math::Acos => acos(m, x),
        Math::Atan => atan(m, x),
        Math::Erf => erf(m, x),
        _ => return None,
    })
}

/// A function of [`Math2`] in operations, if it is written so.
pub fn of_math2<M: Arithmetic>(m: &mut M, function: Math2, x: M::Float, y: M::Float) -> Option<M::Float> {
    match function {
        Math2::Atan2 => Some(atan2(m, x, y)),
        _ => None,
    }
}
