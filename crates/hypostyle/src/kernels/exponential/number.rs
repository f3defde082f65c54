//! Numbers whose differences are exact where floats would round them: floats as they are, integers of 64 bits in two parts.

use std::fmt::Display;

use crate::error::Result;
use crate::model::rarely;
use crate::values::{Exact, Input, Persist, StateReader, StateWriter};

/// A number.
pub(super) trait Number: Copy + Default + Send + Sync + 'static {
    /// This minus another, with one rounding.
    fn minus(self, other: Self) -> f64;

    /// It is the sum of these two.
    fn parts(self) -> [f64; 2];

    /// The sum of these two.
    fn of_parts(parts: [f64; 2]) -> Self;
}

impl Number for f64 {
    #[inline(always)]
    fn minus(self, other: Self) -> f64 {
        self - other
    }

    fn parts(self) -> [f64; 2] {
        [self, 0.0]
    }

    fn of_parts([x, _]: [f64; 2]) -> Self {
        x
    }
}

impl Number for Exact {
    #[inline(always)]
    fn minus(self, other: Self) -> f64 {
        Self::minus(self, other)
    }

    fn parts(self) -> [f64; 2] {
        Self::parts(self)
    }

    fn of_parts(parts: [f64; 2]) -> Self {
        Self::of_parts(parts)
    }
}

/// The numbers of a row.
pub(super) trait Numbers<const K: usize>: Input {
    type Number: Number;

    fn numbers(self) -> [Self::Number; K];
}

impl Numbers<1> for f64 {
    type Number = f64;

    #[inline(always)]
    fn numbers(self) -> [f64; 1] {
        [self]
    }
}

impl Numbers<2> for [f64; 2] {
    type Number = f64;

    #[inline(always)]
    fn numbers(self) -> [f64; 2] {
        self
    }
}

impl<const K: usize> Numbers<K> for [Exact; K]
where
    [Exact; K]: Input,
{
    type Number = Exact;

    #[inline(always)]
    fn numbers(self) -> [Exact; K] {
        self
    }
}

/// A weighted mean, relative to a value that is near it, and the weighted mean of the squared distances to it.
///
/// As long as the mean is near its anchor, a value minus the anchor has all the digits that matter, however large both are.
#[derive(Debug, Clone, Default)]
pub(super) struct Center<N> {
    anchor: N,
    /// The mean minus the anchor.
    mean: f64,
    variance: f64,
}

/// The mean minus the value that was added last, without a difference.  It is rare, and a function of its own, so that the
/// processor goes on with the next row before it knows whether it has to be called: as a choice between two numbers it would make
/// each mean wait for the variance.
#[cold]
#[inline(never)]
pub(super) fn from_value(distance: f64, old: f64) -> f64 {
    -(old * distance)
}

/// How far the mean may be from its anchor, in variances: 32 standard deviations cost 5 of 53 bits.
const FAR: f64 = 1024.0;

/// Whether a mean is too far from its anchor.
#[inline(always)]
pub(super) fn is_far(mean: f64, variance: f64) -> bool {
    mean * mean > FAR * variance
}

impl<N: Number> Center<N> {
    /// 0, or NaN if a value was infinite, as its distance to the mean is then.
    #[inline(always)]
    pub(super) fn doubt(&self) -> f64 {
        self.mean * 0.0
    }

    /// The variance.
    #[inline(always)]
    pub(super) fn variance(&self) -> f64 {
        self.variance + self.doubt()
    }

    /// Adds a value; returns its distance to the mean before.
    #[inline(always)]
    pub(super) fn add(&mut self, x: N, new: f64, old: f64, is_first: bool) -> f64 {
        if is_first {
            self.anchor = x;
        }
        let relative = x.minus(self.anchor);
        let distance = relative - self.mean;
        self.mean = old * self.mean + new * relative;
        let mut square = new * distance * distance;
        // A branch between the mean and the variance: as a pair, each would wait for the other.
        if square.is_nan() {
            square = rarely(square);
        }
        self.variance = old * (self.variance + square);
        if is_far(self.mean, self.variance) {
            self.mean = from_value(distance, old);
            self.anchor = x;
        }
        distance
    }
}

impl<N: Number> Persist for Center<N> {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        self.anchor.parts().write(&format_args!("{name}.anchor"), to);
        to.float(format_args!("{name}.mean"), self.mean);
        to.float(format_args!("{name}.variance"), self.variance);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self {
            anchor: N::of_parts(Persist::read(&format_args!("{name}.anchor"), from)?),
            mean: from.float(format_args!("{name}.mean"))?,
            variance: from.float(format_args!("{name}.variance"))?,
        })
    }
}
