//! What an order needs of its values: floats, and integers exactly (integers, booleans, dates and times, read as `i64`).

use std::hint::select_unpredictable;

use crate::model::Part;
use crate::values::{Exact, Input, Output, Persist};

/// A value that has an order and equals itself, unless it is NaN.
pub trait Value: Input + Output + Persist + Part + PartialOrd {
    /// No value is smaller.
    const LOWEST: Self;
    /// No value is larger.
    const HIGHEST: Self;
    /// What is neither below, nor above, nor equal to any value, if there is such.
    const NEITHER: Option<Self>;

    /// Whether it has no place in the order.
    fn is_nan(self) -> bool;

    /// One of two values, chosen without a branch: where nulls stand here and there, the processor would guess wrong.
    fn either(is_first: bool, first: Self, second: Self) -> Self;

    /// -0 becomes 0.
    fn plain(self) -> Self;

    /// Bits that sort like the values, the same for equal ones; all NaNs are one value.
    fn sortable(self) -> u64;

    /// This value minus a smaller or equal one.
    fn minus(self, smaller: Self) -> f64;

    /// The value with these sortable bits.
    fn from_sortable(bits: u64) -> Self;

    /// The value as a float: a float as it is, an integer relative to a smaller or equal one, so that nothing is rounded as long
    /// as they are less than 2^53 apart.
    fn above(self, base: Self) -> f64;

    /// The values, if they are floats.
    fn floats(values: &[Self]) -> Option<&[f64]>;

    /// The values, if they are floats, to be set.
    fn floats_mut(values: &mut [Self]) -> Option<&mut [f64]>;

    /// The value exactly.
    fn exact(self) -> Exact;

    /// What was taken from values by [`Value::above`].
    fn base(self) -> Exact;
}

impl Value for f64 {
    const LOWEST: Self = Self::NEG_INFINITY;
    const HIGHEST: Self = Self::INFINITY;
    const NEITHER: Option<Self> = Some(Self::NAN);

    #[inline(always)]
    fn is_nan(self) -> bool {
        Self::is_nan(self)
    }

    #[inline(always)]
    fn either(is_first: bool, first: Self, second: Self) -> Self {
        // As integers: registers of floats have no conditional move.
        Self::from_bits(select_unpredictable(is_first, first.to_bits(), second.to_bits()))
    }

    #[inline(always)]
    fn plain(self) -> Self {
        self + 0.0
    }

    #[inline(always)]
    fn sortable(self) -> u64 {
        let bits = if Self::is_nan(self) { Self::NAN.to_bits() } else { (self + 0.0).to_bits() };
        if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
    }

    #[inline(always)]
    fn minus(self, smaller: Self) -> f64 {
        self - smaller
    }

    fn from_sortable(bits: u64) -> Self {
        Self::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
    }

    #[inline(always)]
    fn above(self, _: Self) -> f64 {
        self
    }

    fn floats(values: &[Self]) -> Option<&[f64]> {
        Some(values)
    }

    fn floats_mut(values: &mut [Self]) -> Option<&mut [f64]> {
        Some(values)
    }

    fn exact(self) -> Exact {
        Exact::of_float(self)
    }

    fn base(self) -> Exact {
        Exact::of_float(0.0)
    }
}

impl Value for i64 {
    const LOWEST: Self = Self::MIN;
    const HIGHEST: Self = Self::MAX;
    const NEITHER: Option<Self> = None;

    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }

    #[inline(always)]
    fn either(is_first: bool, first: Self, second: Self) -> Self {
        select_unpredictable(is_first, first, second)
    }

    #[inline(always)]
    fn plain(self) -> Self {
        self
    }

    #[inline(always)]
    fn sortable(self) -> u64 {
        self.cast_unsigned() ^ 1 << 63
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "the only rounding")]
    fn minus(self, smaller: Self) -> f64 {
        self.wrapping_sub(smaller).cast_unsigned() as f64 // not negative, and below 2^64
    }

    fn from_sortable(bits: u64) -> Self {
        (bits ^ 1 << 63).cast_signed()
    }

    #[inline(always)]
    fn above(self, base: Self) -> f64 {
        self.minus(base)
    }

    fn floats(_: &[Self]) -> Option<&[f64]> {
        None
    }

    fn floats_mut(_: &mut [Self]) -> Option<&mut [f64]> {
        None
    }

    fn exact(self) -> Exact {
        Exact::of_integer(self)
    }

    fn base(self) -> Exact {
        Exact::of_integer(self)
    }
}
