//! What the functions are written in, and plain numbers as such.

use crate::ops::Rare;

/// What the functions are written in.
pub trait Arithmetic {
    type Float: Copy;
    type Int: Copy;
    type Bool: Copy;

    fn float(&mut self, x: f64) -> Self::Float;
    fn add(&mut self, a: Self::Float, b: Self::Float) -> Self::Float;
    fn sub(&mut self, a: Self::Float, b: Self::Float) -> Self::Float;
    fn mul(&mut self, a: Self::Float, b: Self::Float) -> Self::Float;
    fn div(&mut self, a: Self::Float, b: Self::Float) -> Self::Float;
    fn abs(&mut self, x: Self::Float) -> Self::Float;
    fn sqrt(&mut self, x: Self::Float) -> Self::Float;
    /// The first with the sign of the second.
    fn copysign(&mut self, x: Self::Float, sign: Self::Float) -> Self::Float;
    fn less(&mut self, a: Self::Float, b: Self::Float) -> Self::Bool;
    fn equal(&mut self, a: Self::Float, b: Self::Float) -> Self::Bool;
    fn or(&mut self, a: Self::Bool, b: Self::Bool) -> Self::Bool;
    fn select(&mut self, c: Self::Bool, a: Self::Float, b: Self::Float) -> Self::Float;
    /// The bits of a float, and the float of bits.
    fn bits(&mut self, x: Self::Float) -> Self::Int;
    fn float_of(&mut self, bits: Self::Int) -> Self::Float;
    fn int(&mut self, x: i64) -> Self::Int;
    fn plus(&mut self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn minus(&mut self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn and(&mut self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn shift_left(&mut self, a: Self::Int, by: u8) -> Self::Int;
    /// With the sign.
    fn shift_right(&mut self, a: Self::Int, by: u8) -> Self::Int;
    fn same(&mut self, a: Self::Int, b: Self::Int) -> Self::Bool;
    /// The function of `x` where `when` is true, which is seldom; else `other`.
    fn rarely(&mut self, function: Rare, when: Self::Bool, x: Self::Float, other: Self::Float) -> Self::Float;

    /// `terms[0] + x (terms[1] + x (terms[2] + ...))`.
    fn polynomial(&mut self, x: Self::Float, terms: &[f64]) -> Self::Float {
        let (last, others) = terms.split_last().unwrap_or((&0.0, &[]));
        let mut sum = self.float(*last);
        for term in others.iter().rev() {
            let (product, term) = (self.mul(x, sum), self.float(*term));
            sum = self.add(term, product);
        }
        sum
    }
}

/// Plain numbers.
pub struct Numbers;

impl Arithmetic for Numbers {
    type Float = f64;
    type Int = i64;
    type Bool = bool;

    fn float(&mut self, x: f64) -> f64 {
        x
    }
    fn add(&mut self, a: f64, b: f64) -> f64 {
        a + b
    }
    fn sub(&mut self, a: f64, b: f64) -> f64 {
        a - b
    }
    fn mul(&mut self, a: f64, b: f64) -> f64 {
        a * b
    }
    fn div(&mut self, a: f64, b: f64) -> f64 {
        a / b
    }
    fn abs(&mut self, x: f64) -> f64 {
        x.abs()
    }
    fn sqrt(&mut self, x: f64) -> f64 {
        x.sqrt()
    }
    fn copysign(&mut self, x: f64, sign: f64) -> f64 {
        x.copysign(sign)
    }
    fn less(&mut self, a: f64, b: f64) -> bool {
        a < b
    }
    fn equal(&mut self, a: f64, b: f64) -> bool {
        a == b
    }
    fn or(&mut self, a: bool, b: bool) -> bool {
        a || b
    }
    fn select(&mut self, c: bool, a: f64, b: f64) -> f64 {
        if c { a } else { b }
    }
    fn bits(&mut self, x: f64) -> i64 {
        x.to_bits().cast_signed()
    }
    fn float_of(&mut self, bits: i64) -> f64 {
        f64::from_bits(bits.cast_unsigned())
    }
    fn int(&mut self, x: i64) -> i64 {
        x
    }
    fn plus(&mut self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
    fn minus(&mut self, a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
    fn and(&mut self, a: i64, b: i64) -> i64 {
        a & b
    }
    fn shift_left(&mut self, a: i64, by: u8) -> i64 {
        a << by
    }
    fn shift_right(&mut self, a: i64, by: u8) -> i64 {
        a >> by
    }
    fn same(&mut self, a: i64, b: i64) -> bool {
        a == b
    }
    fn rarely(&mut self, function: Rare, when: bool, x: f64, other: f64) -> f64 {
        if when { f64::from_bits(function.function()(x.to_bits(), x.to_bits())) } else { other }
    }
}
