//! Short windows of floats, sorted, several side by side.
//!
//! The rows are cut into a few runs that are worked on at the same time: a vector holds the same position of the sorted windows
//! of several runs.  A row then costs one pass over the positions without a branch, in which each value stays or moves by one,
//! and no step waits for the one before it.  Nulls are infinities at the end.  The sorted windows are those of
//! [`super::sorted`].

#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only AVX2 has these vectors so far"))]

use super::sorted::SHORT;
use crate::kernels::value::Value;
use crate::values::{Number, SIDE_BY_SIDE, Vectors, arch};

/// How many windows are sorted side by side: two vectors, so that one of them always has something to do.
pub(super) const ABREAST: usize = 2 * SIDE_BY_SIDE;

/// Fewer rows than this are not worth the setup.
const FEWEST: usize = 2 * ABREAST;

/// The values at each position of the sorted windows.
pub(super) type Positions = [[f64; ABREAST]];

/// What is computed from sorted windows with these numbers of values.
pub(super) trait OfSorted {
    /// The result.
    type Output: Copy;

    /// The results of windows without nulls, which may be computed all at once.
    #[inline(always)]
    fn of_full(&self, sorted: &Positions) -> [Option<Self::Output>; ABREAST] {
        std::array::from_fn(|window| self.of_some(sorted, window, sorted.len()))
    }

    /// The result of one window with so many values, at least one.
    fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<Self::Output>;
}

/// Counts the rows for what computes windows in the order of the rows.
pub(super) fn in_order<O>(mut answer: impl FnMut(usize, usize, Option<O>)) -> impl FnMut(usize, Option<O>) {
    let mut row = 0;
    move |count, result| {
        answer(row, count, result);
        row += 1;
    }
}

/// Calls `answer` for each window of at most [`SHORT`] rows that ends at or after position `len` of `values`, with its row
/// counted from there, its number of valid rows and its result; in no order.  No valid value is NaN.  Returns whether it did,
/// which takes a machine with vectors.
pub(super) fn sorted_abreast<F: OfSorted>(
    values: &[f64],
    valid: Option<&[bool]>,
    len: usize,
    of: &F,
    answer: impl FnMut(usize, usize, Option<F::Output>),
) -> bool {
    if len > SHORT || values.len() < len + FEWEST {
        return false;
    }
    let plain: Vec<f64> = match valid {
        None => values.iter().map(|x| x.plain()).collect(),
        Some(valid) => {
            values.iter().zip(valid).map(|(x, valid)| if *valid { x.plain() } else { f64::HIGHEST }).collect()
        }
    };
    let runs = Runs { values: &plain, valid, len, of, answer };
    match arch() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(simd) => pulp::Simd::vectorize(simd, With(simd, runs)),
        _ => return false,
    }
    true
}

struct Runs<'a, F, A> {
    values: &'a [f64],
    valid: Option<&'a [bool]>,
    len: usize,
    of: &'a F,
    answer: A,
}

/// The loop as a value that pulp compiles for an instruction set.
struct With<V, R>(V, R);

impl<V: Vectors, F: OfSorted, A: FnMut(usize, usize, Option<F::Output>)> pulp::NullaryFnOnce
    for With<V, Runs<'_, F, A>>
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.1.run(self.0);
    }
}

impl<F: OfSorted, A: FnMut(usize, usize, Option<F::Output>)> Runs<'_, F, A> {
    #[inline(always)]
    fn run<V: Vectors>(mut self, vectors: V) {
        let (values, len) = (self.values, self.len);
        let rows = values.len() - len;
        let run = rows.div_ceil(ABREAST);
        let mut sorted = [[f64::HIGHEST; ABREAST]; SHORT + 1];
        let sorted = &mut sorted[..=len];
        let mut counts = [0; ABREAST];

        // The windows of the first rows, except for those rows' own values.
        for before in 1..len {
            let new = std::array::from_fn(|lane| values[(lane * run).min(rows) + before]);
            replace(vectors, sorted, [f64::HIGHEST; ABREAST], new);
        }
        if let Some(valid) = self.valid {
            counts = std::array::from_fn(|lane| {
                let first = (lane * run).min(rows) + 1;
                valid[first..first + len - 1].iter().filter(|valid| **valid).count()
            });
        }
        for step in 0..run {
            let row = |lane: usize| lane * run + step;
            let mut old: [f64; ABREAST] = std::array::from_fn(|lane| values[row(lane).min(rows - 1)]);
            // A run that has ended changes nothing.
            let new: [f64; ABREAST] =
                std::array::from_fn(|lane| if row(lane) < rows { values[row(lane) + len] } else { old[lane] });
            if step == 0 {
                old = std::array::from_fn(|lane| if row(lane) < rows { f64::HIGHEST } else { old[lane] });
            }
            replace(vectors, sorted, old, new);
            let sorted = &sorted[..len];
            let Some(valid) = self.valid else {
                let answers = self.of.of_full(sorted);
                for (lane, answer) in answers.into_iter().enumerate() {
                    if row(lane) < rows {
                        (self.answer)(row(lane), len, answer);
                    }
                }
                continue;
            };
            for lane in (0..ABREAST).filter(|lane| row(*lane) < rows) {
                let row = row(lane);
                counts[lane] += usize::from(valid[row + len]);
                counts[lane] -= usize::from(step > 0 && valid[row]);
                let count = counts[lane];
                let answer = if count > 0 { self.of.of_some(sorted, lane, count) } else { None };
                (self.answer)(row, count, answer);
            }
        }
    }
}

/// The numbers of all windows as two vectors.
#[inline(always)]
fn two<V: Vectors>(vectors: V, numbers: &[f64; ABREAST]) -> [V::Number; 2] {
    let (halves, _) = numbers.as_chunks();
    [vectors.load(&halves[0]), vectors.load(&halves[1])]
}

/// Replaces a value of each window.
///
/// Without `old` the values are `b[j] = a[j] if a[j] < old else a[j + 1]`; with `new` put in they are
/// `min(b[j], max(b[j - 1], new))`.
#[inline(always)]
fn replace<V: Vectors>(vectors: V, sorted: &mut Positions, old: [f64; ABREAST], new: [f64; ABREAST]) {
    let (old, new) = (two(vectors, &old), two(vectors, &new));
    let mut before = [vectors.load(&[f64::LOWEST; SIDE_BY_SIDE]); 2];
    let mut here = two(vectors, &sorted[0]);
    for position in 0..sorted.len() - 1 {
        let after = two(vectors, &sorted[position + 1]);
        for half in 0..2 {
            let kept = after[half].or(here[half].is_below(old[half]), here[half]);
            let placed = kept.lesser(before[half].greater(new[half]));
            sorted[position][half * SIDE_BY_SIDE..(half + 1) * SIDE_BY_SIDE].copy_from_slice(&vectors.store(placed));
            before[half] = kept;
        }
        here = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn has_vectors() -> bool {
        !matches!(arch(), pulp::Arch::Scalar)
    }

    /// All values of a window.
    struct All;

    impl OfSorted for All {
        type Output = [f64; SHORT];

        fn of_some(&self, sorted: &Positions, window: usize, count: usize) -> Option<[f64; SHORT]> {
            let mut all = [f64::NAN; SHORT];
            (0..count).for_each(|position| all[position] = sorted[position][window]);
            Some(all)
        }
    }

    proptest! {
        #[test]
        fn they_are_the_windows_in_order(
            values in proptest::collection::vec((-9i32..9, 0u32..100), 0..300),
            len in 1usize..=SHORT,
            nulls in prop_oneof![Just(0u32), Just(10), Just(90)],
        ) {
            let wild = |(x, _): &(i32, u32)| match *x {
                8 => f64::INFINITY,
                -9 => f64::NEG_INFINITY,
                0 => -0.0,
                x => f64::from(x),
            };
            let flags: Vec<bool> = values.iter().map(|(_, drawn)| *drawn >= nulls).collect();
            let values: Vec<f64> = values.iter().map(wild).collect();
            let valid = (nulls > 0).then_some(flags.as_slice());
            let mut got = vec![None; values.len().saturating_sub(len)];
            let done = sorted_abreast(&values, valid, len, &All, |row, count, all| got[row] = Some((count, all)));
            prop_assert_eq!(done, values.len() >= len + FEWEST && has_vectors());
            for (end, found) in (len..values.len()).zip(got).filter(|_| done) {
                let rows = (end + 1 - len..=end).filter(|row| valid.is_none_or(|valid| valid[*row]));
                let mut window: Vec<f64> = rows.map(|row| values[row] + 0.0).collect();
                window.sort_by(f64::total_cmp);
                let (count, all) = found.unwrap();
                prop_assert_eq!(count, window.len());
                prop_assert_eq!(all.map(|all| all[..count].to_vec()).unwrap_or_default(), window);
            }
        }
    }
}
