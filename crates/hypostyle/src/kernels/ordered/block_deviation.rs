//! The medians of long windows, and the median absolute deviations from them.
//!
//! The values nearest to the median are next to each other in the sorted window.  This run of values moves by few positions from
//! one window to the next, so it is moved along, value by value; where that takes long, its place is searched for.

use super::block_rank::{Within, by_blocks};
use super::median::mean_of_two;

/// After so many steps the place of a run is searched for.
const STEPS: usize = 16;

/// The run of the nearest values: the positions of its first and its last one, and how many they are.
struct Nearest {
    first: usize,
    last: usize,
    held: usize,
}

impl Nearest {
    /// The run of `wanted` values that are nearest to the center.
    #[cold]
    fn searched(within: &Within<f64>, center: f64, wanted: usize) -> Self {
        let distance = |n: usize| (within.nth(n) - center).abs();
        // The first run that has nothing nearer behind it.
        let (mut least, mut most) = (0, within.count - wanted);
        while least < most {
            let first = usize::midpoint(least, most);
            if distance(first + wanted) < distance(first) {
                least = first + 1;
            } else {
                most = first;
            }
        }
        Self { first: within.position(least), last: within.position(least + wanted - 1), held: wanted }
    }

    /// What remains of the run after a row has left and a row has entered; `None` if nothing does.
    #[inline(always)]
    fn changed(mut self, within: &Within<f64>, [left, entered]: [Option<u32>; 2]) -> Option<Self> {
        let run = self.first..=self.last;
        let is_in = |position: Option<u32>| position.filter(|position| run.contains(&(*position as usize)));
        self.held += usize::from(is_in(entered).is_some());
        if let Some(left) = is_in(left) {
            self.held -= 1;
            if self.held == 0 {
                return None;
            }
            if left as usize == self.first {
                self.first = within.after(self.first)?;
            } else if left as usize == self.last {
                self.last = within.before(self.last)?;
            }
        }
        Some(self)
    }

    /// The run of `wanted` values, moved to the center; `None` if that takes many steps.
    #[inline(always)]
    fn settled(mut self, within: &Within<f64>, center: f64, wanted: usize) -> Option<Self> {
        let distance = |position: usize| (within.at(position) - center).abs();
        for _ in 0..STEPS {
            let (before, after) = (within.before(self.first), within.after(self.last));
            if self.held < wanted {
                match after {
                    Some(after) => self.last = after,
                    None => self.first = before?,
                }
                self.held += 1;
            } else if self.held > wanted {
                self.last = within.before(self.last)?;
                self.held -= 1;
            } else if let Some(after) = after.filter(|after| distance(*after) < distance(self.first)) {
                (self.first, self.last) = (within.after(self.first)?, after);
            } else if let Some(before) = before.filter(|before| distance(*before) < distance(self.last)) {
                (self.first, self.last) = (before, within.before(self.last)?);
            } else {
                return Some(self);
            }
        }
        None
    }

    /// The largest distance of the run, or the mean of the two largest ones.
    #[inline(always)]
    fn deviation(&self, within: &Within<f64>, center: f64) -> f64 {
        let distance = |position: usize| (within.at(position) - center).abs();
        let (first, last) = (distance(self.first), distance(self.last));
        let largest = if first > last { first } else { last };
        if within.count % 2 == 1 {
            return largest;
        }
        let (other, inner) =
            if first > last { (last, within.after(self.first)) } else { (first, within.before(self.last)) };
        let inner = inner.map_or(other, distance);
        mean_of_two(if inner > other { inner } else { other }, largest)
    }
}

/// Calls `answer` for each window of `len` rows that ends at or after position `len` of `values`, with its number of valid rows,
/// its median and the median absolute deviation from it.  No valid value is NaN.
pub(super) fn median_deviations(
    values: &[f64],
    valid: Option<&[bool]>,
    len: usize,
    mut answer: impl FnMut(usize, Option<[f64; 2]>),
) {
    let mut run = None;
    by_blocks(
        values,
        valid,
        len,
        #[inline(always)]
        |within| {
            let count = within.count;
            if count == 0 {
                run = None;
                return answer(0, None);
            }
            let middle = within.position(count / 2);
            let upper = within.at(middle);
            let lower = if count % 2 == 1 { Some(upper) } else { within.before(middle).map(|below| within.at(below)) };
            let center = if count % 2 == 1 { upper } else { mean_of_two(lower.unwrap_or(upper), upper) };
            if !center.is_finite() {
                run = None;
                // Infinity minus infinity; between minus infinity and infinity the median is NaN too.
                return answer(count, Some([center, if center.is_nan() { center } else { f64::NAN }]));
            }
            let wanted = count / 2 + 1;
            let moved = run.take().zip(within.change).and_then(|(run, change)| Nearest::changed(run, within, change));
            let nearest = moved.and_then(|run| run.settled(within, center, wanted));
            let nearest = nearest.unwrap_or_else(|| Nearest::searched(within, center, wanted));
            answer(count, Some([center, nearest.deviation(within, center)]));
            run = Some(nearest);
        },
    );
}
