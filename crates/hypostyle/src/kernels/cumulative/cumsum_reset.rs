//! A running sum that starts over: at a flag, at a null, or once it has reached a threshold.

use super::remainder;
use crate::error::Result;
use crate::kernels::fields::check_boolean;
use crate::model::{Recurrence, rarely};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// What makes the sum start over.
#[derive(Debug, Clone)]
struct CumsumReset {
    /// NaN, which no sum reaches, if there is none.
    threshold: f64,
    keep_remainder: bool,
    null_resets: bool,
}

/// The sum that the next value is added to, and the last result.
type State = (f64, Option<f64>);

impl CumsumReset {
    fn start_over(sum: &mut f64, last: &mut Option<f64>) -> Option<f64> {
        *sum = 0.0;
        *last = Some(0.0);
        *last
    }
}

impl Recurrence for CumsumReset {
    /// The value, and the flag.
    type Input = (Option<f64>, Option<f64>);
    type Output = f64;
    type State = State;

    fn start(&self) -> State {
        (0.0, None)
    }

    #[inline]
    fn step(&self, (sum, last): &mut State, (x, flag): Self::Input) -> Option<f64> {
        let flagged = flag.is_some_and(|flag| flag != 0.0);
        let Some(x) = x else {
            return if flagged || self.null_resets { Self::start_over(sum, last) } else { *last };
        };
        let total = if flagged { x } else { *sum + x };
        *last = Some(total);
        *sum = total;
        // A branch, which is foreseen: the next row would wait for a choice.
        if total >= self.threshold {
            *sum = rarely(if self.keep_remainder { remainder(total, self.threshold) } else { 0.0 });
        }
        *last
    }

    fn skip(&self, (_, last): &mut State) -> Option<f64> {
        *last
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (column, reset) = (arguments.column("column")?, arguments.optional_column("reset")?);
    let (threshold, keep_remainder) = (arguments.optional_number("threshold")?, arguments.flag("keep_remainder")?);
    let null_resets = arguments.choice("on_null", &[("keep", false), ("reset", true)])?;
    if let Some(threshold) = threshold
        && !(threshold > 0.0 && threshold.is_finite())
    {
        return Err(arguments.refuse("threshold", format!("must be positive and finite, got {threshold}")));
    }
    if keep_remainder && threshold.is_none() {
        return Err(arguments
            .refuse("keep_remainder", "requires `threshold`; without it there is no remainder")
            .with_help("set threshold, or remove keep_remainder"));
    }
    if reset.is_none() && threshold.is_none() && !null_resets {
        return Err(arguments
            .refuse("reset", "at least one of reset, threshold and on_null='reset' is required")
            .with_help("say when the sum starts over; for a sum of all rows so far use expanding_sum"));
    }
    let inputs = Inputs::columns([column]).typed_by(1);
    let inputs = match &reset {
        Some(reset) => inputs.with_column(reset),
        None => inputs.with_constant(0.0),
    };
    let threshold = threshold.unwrap_or(f64::NAN);
    Ok(Plan::recurrence_of(inputs.optional(), move |binding| {
        if let Some(reset) = &reset {
            check_boolean(binding, reset)?;
        }
        Ok(CumsumReset { threshold, keep_remainder, null_resets })
    }))
}

pub(crate) const CUMSUM_RESET: Entry = Entry {
    names: &["cumsum_reset"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Running sum that starts over at a flag, at a null, or after it has reached a threshold.",
    formula: "y[i] = x[i] if reset[i] else s[i-1] + x[i]; s[i] = y[i] if y[i] < threshold else 0, or y[i] mod threshold with \
              keep_remainder=True",
    notes: "At least one of `reset`, `threshold` and `on_null='reset'` is required; they may be combined. The value of a flagged row \
            is the first of the new sum. The row that reaches the threshold returns the sum that reached it; the next row starts at \
            0. With `keep_remainder=True` it starts at what is left after all whole thresholds in the sum: two thresholds that one \
            row reaches count as one. An infinite sum leaves 0. A null row returns the last result and keeps the sum; rows before \
            the first value are null. With `on_null='reset'`, and in a null row that is flagged, the sum starts over and the row \
            returns 0. A null flag counts as false. A NaN stays until a flag or a null resets the sum. One rounding per row.",
    source: "Requested in pandas#44690 and polars#29460; numpy users' sum that restarts at NaN.",
    parameters: &[
        COLUMN,
        Parameter::optional(
            "reset",
            Kind::Flags,
            Literal::Omitted,
            "A column of booleans: the sum starts over where it is true.",
        ),
        Parameter::optional(
            "threshold",
            Kind::Number,
            Literal::Omitted,
            "The sum starts over after it has reached this number, above 0.",
        ),
        Parameter::optional(
            "keep_remainder",
            Kind::Flag,
            Literal::Flag(false),
            "Whether the next sum starts with what the last one had above the threshold.",
        ),
        Parameter::optional(
            "on_null",
            Kind::Choice(&["keep", "reset"]),
            Literal::Text("keep"),
            "What a null value does: 'keep' the sum, or 'reset' it.",
        ),
    ],
    example: &[("column", Literal::Text("z")), ("threshold", Literal::Count(5))],
    plan,
    #[cfg(test)]
    reference: reference::cumsum_reset,
};

/// The sum since the last reset, in a plain loop.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, choice, column, exact, flag, number, text};

    pub fn cumsum_reset(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let values = column(spec, table);
        let flags: Vec<bool> = match spec.parameters.get("reset") {
            Some(_) => table.numbers(&text(spec, "reset")).into_iter().map(|flag| flag == Some(1.0)).collect(),
            None => vec![false; values.len()],
        };
        let (threshold, keep) = (number(spec, "threshold"), flag(spec, "keep_remainder", false));
        let on_null = choice(spec, "on_null", "keep");
        let (mut sum, mut last, mut results) = (0.0, None, Vec::new());
        for (x, flag) in values.into_iter().zip(flags) {
            if flag || (x.is_none() && on_null == "reset") {
                sum = 0.0;
                last = Some(0.0);
            }
            if let Some(x) = x {
                let y: f64 = sum + x;
                last = Some(y);
                let reached = threshold.is_some_and(|threshold| y >= threshold);
                let rest = if keep && y.is_finite() { y % threshold.unwrap_or(1.0) } else { 0.0 };
                sum = if reached { rest } else { y };
            }
            results.push(exact(last));
        }
        results
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("cumsum_reset").with("column", "x")
    }

    #[test]
    fn worked_values() {
        let x: &[f64] = &[1.0, 2.0, NULL, 4.0, 12.0, 1.0];
        let flag: &[f64] = &[0.0, 1.0, 0.0, NULL, 0.0, 0.0];
        let columns = [("x", x), ("flag", flag)];
        check(spec().with("reset", "flag"), &columns, "", &[1.0, 2.0, 2.0, 6.0, 18.0, 19.0]);
        check(spec().with("on_null", "reset"), &columns, "", &[1.0, 3.0, 0.0, 4.0, 16.0, 17.0]);
        check(spec().with("threshold", 5), &columns, "", &[1.0, 3.0, 3.0, 7.0, 12.0, 1.0]);
        let kept = spec().with("threshold", 5).with("keep_remainder", true);
        // 7 leaves 2; 14 holds two thresholds and leaves 4.
        check(kept.clone(), &columns, "", &[1.0, 3.0, 3.0, 7.0, 14.0, 5.0]);
        check(
            kept,
            &[("x", &[NULL, f64::INFINITY, 1.0, f64::NAN, 1.0])],
            "",
            &[NULL, f64::INFINITY, 1.0, f64::NAN, f64::NAN],
        );
        check(
            spec().with("reset", "flag"),
            &[("x", &[1.0, NULL, 3.0]), ("flag", &[0.0, 1.0, 0.0])],
            "",
            &[1.0, 0.0, 3.0],
        );
    }

    #[test]
    fn what_is_refused() {
        refused(spec(), "at least one of reset, threshold and on_null='reset' is required");
        for threshold in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(spec().with("threshold", threshold), "must be positive and finite, got");
        }
        refused(spec().with("reset", "flag").with("keep_remainder", true), "requires `threshold`");
        refused(spec().with("on_null", "zero"), "unknown value \"zero\"");
    }
}
