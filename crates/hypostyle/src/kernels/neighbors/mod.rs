//! A row beside an earlier or a later one: shifts, differences, returns.

pub mod change;
pub mod diff;
pub mod shift;

use crate::run::parameters::COLUMN;
use crate::spec::{Kind, Literal, Parameter};

/// The parameters of all of them.
const PARAMETERS: &[Parameter] = &[
    COLUMN,
    Parameter::usual(
        "n",
        Kind::Offset,
        Literal::Count(1),
        "Where the other row is: so many rows earlier (a negative number: later, in memory only), or, as a duration such as \
         '5m' of the time column `by`, the last row at or before that time.",
    ),
    Parameter::optional(
        "by",
        Kind::Time("n"),
        Literal::Omitted,
        "The time column, required if `n` is a duration. It must be sorted within each key and have no nulls.",
    ),
];

/// The other row of each row, for the reference versions.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Table, length, number, text};
    use crate::spec::Value;

    pub fn others(spec: &KernelSpec, table: &Table) -> Vec<Option<usize>> {
        let rows = table.batch.num_rows();
        if let Some(Value::Text(_)) = spec.parameters.get("n") {
            let times = table.times(&text(spec, "by"));
            let apart = length(spec, "n");
            return (0..rows).map(|i| (0..i).rev().find(|j| times[i] - times[*j] >= apart)).collect();
        }
        let n = number(spec, "n").unwrap_or(1.0) as i64;
        let other = |i: usize| i64::try_from(i).unwrap() - n;
        (0..rows).map(|i| usize::try_from(other(i)).ok().filter(|j| *j < rows)).collect()
    }
}
