//! A function with a loop over its window, ready to run: compiled, or interpreted.

use std::sync::OnceLock;

use crate::compile::{Call, Compiled};
use crate::execute::Backend;
use crate::interpret::{Column, Stepper, VALID};
use crate::lower::windows::{Part, lower_window};
use crate::program::{Checked, Function};

/// See the module.
#[derive(Debug)]
pub struct WindowFunction {
    parts: Vec<Part>,
    backend: Backend,
    compiled: OnceLock<Option<Compiled>>,
}

impl WindowFunction {
    /// The function.
    ///
    /// # Errors
    /// Operations that Python does not have, in words.
    pub fn new(function: &Function, backend: Backend) -> Checked<Self> {
        Ok(Self { parts: lower_window(function)?, backend, compiled: OnceLock::new() })
    }

    /// The result of each window, which is the values from a place to another and not empty.
    pub fn evaluate(&self, values: &[f64], firsts: &[u64], ends: &[u64], mut answer: impl FnMut(Option<f64>)) {
        let values: &[u64] = bytemuck::cast_slice(values);
        let compiled = self.compiled.get_or_init(|| match self.backend {
            Backend::Compiled => Compiled::of_window(&self.parts).ok(),
            Backend::Interpreted => None,
        });
        let Some(compiled) = compiled else {
            for (first, end) in firsts.iter().zip(ends) {
                let places = usize::try_from(*first).unwrap_or(0)..usize::try_from(*end).unwrap_or(0);
                answer(self.interpreted(&values[places]));
            }
            return;
        };
        let columns = [values, firsts, ends].map(|values| Column { values, valid: None });
        let (mut results, mut kinds) = (vec![0; firsts.len()], vec![VALID; firsts.len()]);
        compiled.run(Call {
            columns: &columns,
            read: &[],
            keys: &[],
            states: &mut [],
            results: &mut [&mut results],
            kinds: &mut [&mut kinds],
            start: 0,
            end: firsts.len(),
        });
        for (bits, kind) in results.iter().zip(&kinds) {
            answer((*kind == VALID).then(|| f64::from_bits(*bits)));
        }
    }

    fn interpreted(&self, values: &[u64]) -> Option<f64> {
        let count = [values.len() as u64];
        let (first, last) = ([values.first().copied().unwrap_or(0)], [values.last().copied().unwrap_or(0)]);
        let widest = self.parts.iter().map(|part| part.code.ops.len()).max().unwrap_or(0);
        let mut state = vec![1; widest];
        let mut result = None;
        for part in &self.parts {
            let mut stepper = Stepper::new(&part.code);
            let turns = if part.each { values.len() } else { 1 };
            for turn in 0..turns {
                let value = [values[turn]];
                let columns = [&count, &first, &last, &value].map(|values| Column { values, valid: None });
                let take = |_: usize, bits, kind| result = (kind == VALID).then(|| f64::from_bits(bits));
                if stepper.step(&columns, 0, &mut state, take) {
                    return None;
                }
            }
        }
        result
    }
}

#[cfg(test)]
mod tests;
