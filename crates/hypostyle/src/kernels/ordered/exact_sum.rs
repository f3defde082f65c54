//! An exact sum of floats, so that subtracting a number restores the earlier sum.
//!
//! The numbers are added as integers, in words of 32 bits that cover the whole range of `f64`, each with room for carries
//! (Kulisch's long accumulator; the words as in Neal, "Fast exact summation using small and large superaccumulators", 2015).

/// The number of words: 2^-1074 is the lowest bit, and 2^1023 times 2^64 numbers the highest.
const WORDS: usize = 70;

/// How many numbers can be added before carries must be propagated.
const ROOM: u32 = 1 << 29;

/// An exact sum of finite numbers.
#[derive(Debug, Clone)]
pub struct ExactSum {
    words: Box<[i64; WORDS]>,
    /// The words that are not zero are among `from..to`; one behind them is there for carries.
    from: usize,
    to: usize,
    used: u32,
}

impl Default for ExactSum {
    fn default() -> Self {
        Self { words: Box::new([0; WORDS]), from: WORDS, to: 0, used: 0 }
    }
}

/// Propagates carries, so that every word except the last is from 0 to 2^32 - 1.
#[inline]
fn carry(words: &mut [i64]) {
    let mut carried = 0;
    let Some((last, words)) = words.split_last_mut() else { return };
    for word in words {
        let whole = *word + carried;
        carried = whole >> 32;
        *word = whole & 0xFFFF_FFFF;
    }
    *last += carried;
}

impl ExactSum {
    /// Adds a finite number.
    pub fn add(&mut self, x: f64) {
        self.put(x, false);
    }

    /// Subtracts a finite number.
    pub fn subtract(&mut self, x: f64) {
        self.put(x, true);
    }

    fn put(&mut self, x: f64, negate: bool) {
        let bits = x.to_bits();
        let exponent = (bits >> 52 & 0x7FF) as usize;
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, shift) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
        let wide = u128::from(mantissa) << (shift % 32);
        let first = shift / 32;
        (self.from, self.to) = (self.from.min(first), self.to.max(first + 3));
        let words = &mut self.words[first..first + 3];
        let negative = (bits >> 63 == 1) != negate;
        for (i, word) in words.iter_mut().enumerate() {
            let part = (wide >> (32 * i) & 0xFFFF_FFFF) as i64;
            *word += if negative { -part } else { part };
        }
        self.used += 1;
        if self.used == ROOM {
            (self.to, self.used) = (WORDS.min(self.to + 1), 0);
            carry(&mut self.words[self.from..self.to]);
        }
    }

    /// The sum, rounded to nearest, then divided.  The order of the numbers makes no difference.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "rounding is the purpose, and the index of a word is small"
    )]
    pub fn over(&self, divisor: f64) -> f64 {
        let mut sum = [0; WORDS];
        let to = WORDS.min(self.to + 1).max(self.from);
        sum[self.from..to].copy_from_slice(&self.words[self.from..to]);
        let words = &mut sum[self.from..to];
        carry(words);
        let negative = words.last().is_some_and(|last| *last < 0);
        if negative {
            words.iter_mut().for_each(|word| *word = -*word);
            carry(words);
        }
        let Some(top) = words.iter().rposition(|word| *word != 0) else { return 0.0 / divisor };
        let top = self.from + top;
        let low = top.saturating_sub(2);
        let mut number = 0u128;
        for word in sum[low..=top].iter().rev() {
            number = number << 32 | u128::from(word.unsigned_abs());
        }
        // The lower words decide only if the kept bits are half way.
        if sum[self.from.min(low)..low].iter().any(|word| *word != 0) {
            number |= 1;
        }
        let quotient = number as f64 / divisor;
        let exponent = 32 * low as i32 - 1074;
        // In two steps, as the power alone may leave the range of numbers.
        let half = exponent / 2;
        let scaled = quotient * power_of_two(half) * power_of_two(exponent - half);
        if negative { -scaled } else { scaled }
    }
}

/// The sums of the values of some windows, rounded to nearest; `None` where that is not certain, as for infinities.
///
/// What each addition rounds off is known exactly, and added up beside the sum.  If the sum with all of it is the same number
/// for a little more and a little less, it is the exact sum rounded.
#[inline(always)]
pub(super) fn sums_of<const W: usize>(sorted: &super::abreast::Positions, windows: [usize; W]) -> [Option<f64>; W] {
    let (mut sum, mut rest, mut size) = ([0.0f64; W], [0.0f64; W], [0.0f64; W]);
    for position in sorted {
        for (lane, window) in windows.into_iter().enumerate() {
            let x = position[window];
            let longer = sum[lane] + x;
            let added = longer - sum[lane];
            let lost = (sum[lane] - (longer - added)) + (x - added);
            sum[lane] = longer;
            rest[lane] += lost;
            size[lane] += lost.abs();
        }
    }
    std::array::from_fn(|lane| {
        // More than what adding up at most 2^7 losses rounds off.
        let doubt = size[lane] / (1u64 << 45) as f64;
        let (low, high) = (sum[lane] + (rest[lane] - doubt), sum[lane] + (rest[lane] + doubt));
        // The quotient by a count must be in the range of normal numbers too.
        let is_ordinary = (low.abs() > 1e-290 && low.abs() < 1e300) || (low == 0.0 && size[lane] == 0.0);
        (low == high && is_ordinary).then_some(low)
    })
}

/// 2 to a power from -1022 to 1023.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::from((exponent + 1023).unsigned_abs()) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_lost() {
        let mut sum = ExactSum::default();
        for x in [1e308, 1.0, -1e308, 5e-324, f64::MAX] {
            sum.add(x);
        }
        sum.subtract(f64::MAX);
        assert_eq!(sum.over(1.0), 1.0);
        sum.subtract(1.0);
        assert_eq!(sum.over(1.0), 5e-324);
        sum.subtract(5e-324);
        assert_eq!(sum.over(7.0), 0.0);
        sum.add(-1.5);
        assert_eq!(sum.over(1.0), -1.5);
        let mut large = ExactSum::default();
        (0..4).for_each(|_| large.add(f64::MAX));
        assert_eq!(large.over(4.0), f64::MAX);
    }

    proptest! {
        #[test]
        fn it_rounds_as_integers_do(numbers in proptest::collection::vec(any::<i64>(), 0..40), shift in -900i32..900) {
            let scale = 2f64.powi(shift / 2);
            // Numbers of 53 bits are floats exactly.
            let numbers: Vec<i64> = numbers.into_iter().map(|x| x >> 11).collect();
            let mut sum = ExactSum::default();
            numbers.iter().for_each(|x| sum.add(*x as f64 * scale));
            let whole: i128 = numbers.iter().map(|x| i128::from(*x)).sum();
            prop_assert_eq!(sum.over(1.0), whole as f64 * scale);
        }
    }
}
