//! Each row beside the last row that is at least so much older.

use std::collections::VecDeque;

use super::{Answers, Driver, Rows};
use crate::error::{Error, Result};
use crate::model::Neighbors;
use crate::values::{StateReader, StateWriter};

/// See the module.
#[derive(Debug, Clone)]
pub struct NeighborTime<F> {
    pub(crate) function: F,
    /// The least difference of the times; above 0.
    pub(crate) apart: u64,
}

/// Rows with their times, oldest first: the neighbor of the last row, if it has one, and all rows after that.
type Recent<I> = VecDeque<(i64, Option<I>)>;

/// Times do not decrease, so that their difference is exact as an unsigned number.
fn between(earlier: i64, later: i64) -> u64 {
    later.wrapping_sub(earlier).cast_unsigned()
}

impl<F: Neighbors> Driver for NeighborTime<F> {
    type Input = F::Input;
    type Output = F::Output;
    type State = Recent<F::Input>;

    fn start(&self) -> Self::State {
        VecDeque::new()
    }

    fn run(&self, recent: &mut Self::State, rows: Rows<F::Input>, mut answers: Answers<F::Output>) {
        for (row, time) in rows.times.iter().enumerate() {
            while recent.get(1).is_some_and(|(next, _)| between(*next, *time) >= self.apart) {
                recent.pop_front();
            }
            let other = recent.front().filter(|(earlier, _)| between(*earlier, *time) >= self.apart);
            let own = rows.get(row);
            let pair = other.and_then(|(_, other)| *other).filter(|_| own.is_some() || !F::NEEDS_OWN);
            let result = pair.and_then(|other| {
                let own = own.unwrap_or_default();
                self.function.exists(own, other).then(|| self.function.pair(own, other))
            });
            answers.set(row, result);
            recent.push_back((*time, own));
        }
    }

    fn cost(&self) -> usize {
        6
    }

    fn state_size(&self) -> usize {
        64 * size_of::<(i64, Option<F::Input>)>()
    }

    fn write(&self, recent: &Self::State, to: &mut StateWriter) {
        to.integers("times", recent.iter().map(|(time, _)| *time));
        to.rows("values", recent.iter().map(|(_, value)| *value));
    }

    fn read(&self, from: &mut StateReader) -> Result<Self::State> {
        let times = from.integers("times")?;
        let values = from.rows::<F::Input>("values")?;
        if times.len() != values.len() || !times.is_sorted() {
            return Err(Error::state("the times of earlier rows do not go with their values"));
        }
        Ok(times.into_iter().zip(values).collect())
    }

    fn heap_bytes(&self, recent: &Self::State) -> usize {
        recent.capacity() * size_of::<(i64, Option<F::Input>)>()
    }
}
