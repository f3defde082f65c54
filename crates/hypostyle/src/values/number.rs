//! Numbers that formulas are written for once: one number, or several side by side, with the same bits in each place.

#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 has these vectors so far"))]

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

/// One number, or several side by side.  Operations follow IEEE 754, each rounded by itself.
pub trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// The answer to a question, for each place.
    type Flag: Flag;

    /// The same number in every place.
    fn like(self, x: f64) -> Self;

    /// The square root.
    fn sqrt(self) -> Self;

    /// Where this is below another number; NaN is not.
    fn is_below(self, other: Self) -> Self::Flag;

    /// Where this is at most another number; NaN is not.
    fn is_at_most(self, other: Self) -> Self::Flag;

    /// 1 where the flag is set, 0 elsewhere.
    #[inline(always)]
    fn count(self, flag: Self::Flag) -> Self {
        self.like(0.0).or(flag, self.like(1.0))
    }

    /// The other number where the flag is set.
    fn or(self, flag: Self::Flag, other: Self) -> Self;

    /// The smaller one of two numbers that are not NaN.
    fn lesser(self, other: Self) -> Self;

    /// The larger one of two numbers that are not NaN.
    fn greater(self, other: Self) -> Self;

    /// Where this is below `x`; NaN is not.
    #[inline(always)]
    fn below(self, x: f64) -> Self::Flag {
        self.is_below(self.like(x))
    }

    /// Where this is at most `x`; NaN is not.
    #[inline(always)]
    fn at_most(self, x: f64) -> Self::Flag {
        self.is_at_most(self.like(x))
    }

    /// Where this is above `x`; NaN is not.
    #[inline(always)]
    fn above(self, x: f64) -> Self::Flag {
        self.like(x).is_below(self)
    }

    /// This or a limit below which it must not be; NaN stays.
    #[inline(always)]
    fn no_less_than(self, least: f64) -> Self {
        self.or(self.below(least), self.like(least))
    }

    /// This or a limit above which it must not be; NaN stays.
    #[inline(always)]
    fn no_more_than(self, most: f64) -> Self {
        self.or(self.above(most), self.like(most))
    }
}

/// A whole number between -2^51 and 2^51 as a float, which is also computed as a vector where conversions are not.
#[inline(always)]
pub(crate) fn whole_number(x: i64) -> f64 {
    // In the bits of this number the last one counts as 1.
    const MIDDLE: f64 = 1.5 * (1u64 << 52) as f64;
    f64::from_bits(MIDDLE.to_bits().wrapping_add_signed(x)) - MIDDLE
}

/// Yes or no, for each place.
pub trait Flag: Copy + BitAnd<Output = Self> + BitOr<Output = Self> + Not<Output = Self> {
    /// The same answer in every place.
    fn like(self, answer: bool) -> Self;
}

impl Number for f64 {
    type Flag = bool;

    #[inline(always)]
    fn like(self, x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::sqrt(self)
    }

    #[inline(always)]
    fn is_below(self, other: Self) -> bool {
        self < other
    }

    #[inline(always)]
    fn is_at_most(self, other: Self) -> bool {
        self <= other
    }

    #[inline(always)]
    fn or(self, flag: bool, other: Self) -> Self {
        if flag { other } else { self }
    }

    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        if self < other { self } else { other }
    }

    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
}

impl Flag for bool {
    #[inline(always)]
    fn like(self, answer: bool) -> Self {
        answer
    }
}

/// How many numbers stand side by side.
pub const SIDE_BY_SIDE: usize = 4;

/// An instruction set's way to hold [`SIDE_BY_SIDE`] numbers.
pub trait Vectors: Copy {
    /// The numbers.
    type Number: Number;

    /// From memory.
    fn load(self, numbers: &[f64; SIDE_BY_SIDE]) -> Self::Number;

    /// To memory.
    fn store(self, numbers: Self::Number) -> [f64; SIDE_BY_SIDE];

    /// Flags from memory.
    fn load_flags(self, flags: [bool; SIDE_BY_SIDE]) -> <Self::Number as Number>::Flag;

    /// Where the flag is set.
    fn set(self, flag: <Self::Number as Number>::Flag) -> [bool; SIDE_BY_SIDE];

    /// Whether the flag is set everywhere.
    fn all(self, flag: <Self::Number as Number>::Flag) -> bool;

    /// The columns of a square of flags.
    fn turned_flags(
        self,
        rows: [<Self::Number as Number>::Flag; SIDE_BY_SIDE],
    ) -> [<Self::Number as Number>::Flag; SIDE_BY_SIDE];

    /// The columns of a square.
    fn turned(self, rows: [Self::Number; SIDE_BY_SIDE]) -> [Self::Number; SIDE_BY_SIDE];
}
