//! The sums of the middle values of long windows.
//!
//! The values between the two cuts are a run of the sorted window.  Their sum is kept exactly, and each end of the run moves by
//! few positions from one window to the next.

use super::block_rank::{Within, by_blocks};
use super::exact_sum::ExactSum;

/// A sum of values, of which some may be infinite.
#[derive(Debug, Clone, Default)]
pub(super) struct WideSum {
    finite: ExactSum,
    /// How many are minus infinity, and how many are infinity.
    infinite: [usize; 2],
}

impl WideSum {
    pub(super) fn add(&mut self, x: f64) {
        match x.is_finite() {
            true => self.finite.add(x),
            false => self.infinite[usize::from(x > 0.0)] += 1,
        }
    }

    pub(super) fn subtract(&mut self, x: f64) {
        match x.is_finite() {
            true => self.finite.subtract(x),
            false => self.infinite[usize::from(x > 0.0)] -= 1,
        }
    }

    /// The sum divided by `divisor`.
    pub(super) fn over(&self, divisor: f64) -> f64 {
        match self.infinite {
            [0, 0] => self.finite.over(divisor),
            [_, 0] => f64::NEG_INFINITY,
            [0, _] => f64::INFINITY,
            _ => f64::NAN,
        }
    }
}

/// The middle values of a window.
pub(super) struct Middle {
    /// The positions of the first and of the last one.
    first: usize,
    last: usize,
    /// How many values are below, and how many are in the run.
    below: usize,
    held: usize,
    sum: WideSum,
}

impl Middle {
    /// The run between cuts of so many values.
    #[cold]
    fn whole(within: &Within<f64>, cut: usize) -> Self {
        let (first, last) = (within.position(cut), within.position(within.count - cut - 1));
        let mut sum = WideSum::default();
        let mut at = Some(first);
        while let Some(position) = at.filter(|position| *position <= last) {
            sum.add(within.at(position));
            at = within.after(position);
        }
        Self { first, last, below: cut, held: within.count - 2 * cut, sum }
    }

    /// The run after a row has left and a row has entered, before its ends have moved; `None` if nothing of it remains.
    #[inline(always)]
    fn changed(mut self, within: &Within<f64>, [left, entered]: [Option<u32>; 2]) -> Option<Self> {
        if let Some(position) = entered.map(|position| position as usize) {
            if position < self.first {
                self.below += 1;
            } else if position < self.last {
                self.held += 1;
                self.sum.add(within.at(position));
            }
        }
        if let Some(position) = left.map(|position| position as usize) {
            if position < self.first {
                self.below -= 1;
            } else if position <= self.last {
                self.held -= 1;
                self.sum.subtract(within.at(position));
                if self.held == 0 {
                    return None;
                }
                if position == self.first {
                    self.first = within.after(position)?;
                } else if position == self.last {
                    self.last = within.before(position)?;
                }
            }
        }
        Some(self)
    }

    /// The run with its ends moved to the cuts.
    #[inline(always)]
    fn settled(mut self, within: &Within<f64>, cut: usize) -> Option<Self> {
        let wanted = within.count - 2 * cut;
        while self.below > cut {
            self.first = within.before(self.first)?;
            self.sum.add(within.at(self.first));
            (self.below, self.held) = (self.below - 1, self.held + 1);
        }
        while self.held < wanted + cut - self.below {
            self.last = within.after(self.last)?;
            self.sum.add(within.at(self.last));
            self.held += 1;
        }
        while self.below < cut {
            self.sum.subtract(within.at(self.first));
            self.first = within.after(self.first)?;
            (self.below, self.held) = (self.below + 1, self.held - 1);
        }
        while self.held > wanted {
            self.sum.subtract(within.at(self.last));
            self.last = within.before(self.last)?;
            self.held -= 1;
        }
        Some(self)
    }

    /// The sum divided by `divisor`, and the smallest and the largest value.
    #[inline(always)]
    pub(super) fn over(&self, within: &Within<f64>, divisor: f64) -> (f64, [f64; 2]) {
        (self.sum.over(divisor), [within.at(self.first), within.at(self.last)])
    }
}

/// Calls `answer` for each window of `len` rows that ends at or after position `len` of `values`, with the middle values between
/// cuts of as many values as `cut` says; `None` for no values.  No valid value is NaN.
pub(super) fn middles(
    values: &[f64],
    valid: Option<&[bool]>,
    len: usize,
    cut: impl Fn(usize) -> usize,
    mut answer: impl FnMut(&Within<f64>, Option<&Middle>),
) {
    let mut run: Option<Middle> = None;
    by_blocks(
        values,
        valid,
        len,
        #[inline(always)]
        |within| {
            if within.count == 0 {
                run = None;
                return answer(within, None);
            }
            let cut = cut(within.count);
            let moved = run.take().zip(within.change).and_then(|(run, change)| run.changed(within, change));
            let middle = moved.and_then(|run| run.settled(within, cut)).unwrap_or_else(|| Middle::whole(within, cut));
            answer(within, Some(&middle));
            run = Some(middle);
        },
    );
}
