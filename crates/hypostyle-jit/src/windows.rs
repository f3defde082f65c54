//! A function with a loop over its window, ready to run: compiled, or interpreted.

use std::sync::OnceLock;

use crate::compile::{Call, Compiled};
use crate::execute::Backend;
use crate::interpret::{Column, ERROR, Stepper, VALID};
use crate::lower::windows::{Part, lower_window};
use crate::ops::Type;
use crate::program::{Checked, Function};

/// See the module.
#[derive(Debug)]
pub struct WindowFunction {
    parts: Vec<Part>,
    results: Vec<Type>,
    backend: Backend,
    compiled: OnceLock<Option<Compiled>>,
}

impl WindowFunction {
    /// The function.
    ///
    /// # Errors
    /// Operations that Python does not have, in words.
    pub fn new(function: &Function, backend: Backend) -> Checked<Self> {
        let (parts, results) = lower_window(function)?;
        Ok(Self { parts, results, backend, compiled: OnceLock::new() })
    }

    /// The types of the results.
    pub fn results(&self) -> &[Type] {
        &self.results
    }

    /// The results of each window, which is the values from a place to another and not empty.
    pub fn evaluate(&self, values: &[f64], firsts: &[u64], ends: &[u64]) -> Answered {
        let values: &[u64] = bytemuck::cast_slice(values);
        let compiled = self.compiled.get_or_init(|| match self.backend {
            Backend::Compiled => Compiled::of_window(&self.parts, self.results.len()).ok(),
            Backend::Interpreted => None,
        });
        let rows = firsts.len();
        let mut answered = Answered {
            values: vec![vec![0; rows]; self.results.len()],
            kinds: vec![vec![VALID; rows]; self.results.len()],
        };
        let Some(compiled) = compiled else {
            for (row, (first, end)) in firsts.iter().zip(ends).enumerate() {
                let places = usize::try_from(*first).unwrap_or(0)..usize::try_from(*end).unwrap_or(0);
                self.interpreted(&values[places], row, &mut answered);
            }
            return answered;
        };
        let columns = [values, firsts, ends].map(|values| Column { values, valid: None });
        let mut results: Vec<&mut [u64]> = answered.values.iter_mut().map(Vec::as_mut_slice).collect();
        let mut kinds: Vec<&mut [u8]> = answered.kinds.iter_mut().map(Vec::as_mut_slice).collect();
        compiled.run(Call {
            columns: &columns,
            read: &[],
            keys: &[],
            states: &mut [],
            results: &mut results,
            kinds: &mut kinds,
            start: 0,
            end: rows,
        });
        answered
    }

    fn interpreted(&self, values: &[u64], row: usize, answered: &mut Answered) {
        let count = [values.len() as u64];
        let (first, last) = ([values.first().copied().unwrap_or(0)], [values.last().copied().unwrap_or(0)]);
        let widest = self.parts.iter().map(|part| part.code.next.len()).max().unwrap_or(0);
        let mut state = vec![1; widest];
        for part in &self.parts {
            let mut stepper = Stepper::new(&part.code);
            let turns = if part.each { values.len() } else { 1 };
            for turn in 0..turns {
                let value = [values[turn]];
                let columns = [&count, &first, &last, &value].map(|values| Column { values, valid: None });
                let take = |result: usize, bits, kind| {
                    answered.values[result][row] = bits;
                    answered.kinds[result][row] = kind;
                };
                if stepper.step(&columns, 0, &mut state, take) {
                    answered.kinds.iter_mut().for_each(|kinds| kinds[row] = ERROR);
                    return;
                }
            }
        }
    }
}

/// The results of windows: of each result the bits, and what they are.
#[derive(Debug)]
pub struct Answered {
    pub values: Vec<Vec<u64>>,
    pub kinds: Vec<Vec<u8>>,
}

#[cfg(test)]
mod tests;
