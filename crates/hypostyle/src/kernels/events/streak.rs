//! Runs of equal values: how long the run of each row is so far, in rows or in time, and the longest so far.

use std::marker::PhantomData;

use arrow::datatypes::DataType;

use super::time::exact_elapsed;
use crate::error::Result;
use crate::kernels::neighbors::diff::type_of_difference;
use crate::kernels::value::Value;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Binding, Entry, Inputs, Plan, Running, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::Domain;

/// See the module.
#[derive(Debug, Clone)]
struct Streak<T>(PhantomData<T>);

impl<T: Value> Recurrence for Streak<T> {
    type Input = T;
    type Output = i64;
    /// The last value, and how many of it there are in a row; 0 before the first.
    type State = (T, i64);

    fn start(&self) -> (T, i64) {
        (T::default(), 0)
    }

    #[inline]
    fn step(&self, (last, count): &mut (T, i64), x: T) -> Option<i64> {
        *count = if x == *last { *count + 1 } else { 1 };
        *last = x;
        Some(*count)
    }

    #[inline]
    fn skip(&self, (_, count): &mut (T, i64)) -> Option<i64> {
        (*count > 0).then_some(*count)
    }
}

/// How long the run has lasted.
#[derive(Debug, Clone)]
struct Lasting<T> {
    factor: i64,
    value: PhantomData<T>,
}

impl<T: Value> Recurrence for Lasting<T> {
    /// The value, and the time.
    type Input = (Option<T>, i64);
    type Output = i64;
    /// The last value, and the time of the first row of its run.
    type State = (Option<T>, i64);

    fn start(&self) -> Self::State {
        (None, 0)
    }

    #[inline]
    fn step(&self, (last, began): &mut Self::State, (x, time): Self::Input) -> Option<i64> {
        if x.is_some() && x != *last {
            (*last, *began) = (x, time);
        }
        (*last)?;
        exact_elapsed(*began, time, self.factor)
    }

    fn skip(&self, _: &mut Self::State) -> Option<i64> {
        None
    }
}

/// The largest result of a recurrence so far.
#[derive(Debug, Clone)]
struct Longest<R>(R);

impl<R: Recurrence<Output = i64>> Longest<R> {
    #[inline]
    fn keep(longest: &mut Option<i64>, result: Option<i64>) -> Option<i64> {
        *longest = (*longest).max(result);
        result.and(*longest)
    }
}

impl<R: Recurrence<Output = i64>> Recurrence for Longest<R> {
    type Input = R::Input;
    type Output = i64;
    type State = (R::State, Option<i64>);

    fn start(&self) -> Self::State {
        (self.0.start(), None)
    }

    #[inline]
    fn step(&self, (state, longest): &mut Self::State, x: R::Input) -> Option<i64> {
        Self::keep(longest, self.0.step(state, x))
    }

    #[inline]
    fn skip(&self, (state, longest): &mut Self::State) -> Option<i64> {
        Self::keep(longest, self.0.skip(state))
    }
}

/// The recurrence, or its largest result so far.
fn bound<R: Recurrence<Output = i64>>(
    binding: &Binding,
    inputs: Inputs,
    recurrence: R,
    longest: bool,
) -> Result<Box<dyn Running>> {
    if longest {
        Plan::recurrence(inputs, Longest(recurrence)).bind(binding)
    } else {
        Plan::recurrence(inputs, recurrence).bind(binding)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (column, by) = (arguments.column("column")?, arguments.optional_column("by")?);
    let longest = arguments.flag("longest")?;
    let inputs = Inputs::of(arguments, &["column"])?.with_decimals_and_texts().returning(DataType::Int64);
    Ok(Plan::new(move |binding| {
        let (domain, inputs) = (inputs.exact_domain(binding, &column)?, inputs.clone());
        let Some(by) = &by else {
            return match domain {
                Domain::Integer => bound(binding, inputs, Streak::<i64>(PhantomData), longest),
                _ => bound(binding, inputs, Streak::<f64>(PhantomData), longest),
            };
        };
        let (output, factor) = type_of_difference(binding.time_column(by)?.1);
        let inputs = inputs.optional().with_column(by).sorted_by(by).returning(output);
        match domain {
            Domain::Integer => bound(binding, inputs, Lasting::<i64> { factor, value: PhantomData }, longest),
            _ => bound(binding, inputs, Lasting::<f64> { factor, value: PhantomData }, longest),
        }
    }))
}

pub(crate) const STREAK: Entry = Entry {
    names: &["streak"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Number of consecutive equal values that end with this row, or how long they have lasted; or the longest so far.",
    formula: "y[i] = y[i-1] + 1 if x[i] = x[i-1] else 1; with a time column: by[i] - by[j], where j is the first row of the run; with \
              longest: max of these so far",
    notes: "A 64-bit integer; with `by` a duration, or an integer for an integer time column. Numbers, decimals, booleans, dates, \
            times, durations and texts, compared exactly; -0 equals 0, and a NaN equals nothing, so its run has one row. A null row \
            does not end a run and does not count: it returns the last result, with `by` the time up to that row. Rows before the \
            first value are null.",
    source: "pandas `x.groupby((x != x.shift()).cumsum()).cumcount() + 1`, polars `Expr.rle_id`; there a null ends a run. \
             polars#9328.",
    parameters: &[
        COLUMN,
        Parameter::optional(
            "by",
            Kind::Time("column"),
            Literal::Omitted,
            "A time column: the result is how long the run has lasted. It must be sorted within each key and have no nulls.",
        ),
        Parameter::optional("longest", Kind::Flag, Literal::Flag(false), "Whether the result is the largest so far."),
    ],
    example: &[("column", Literal::Text("z"))],
    plan,
    #[cfg(test)]
    reference: reference::streak,
};

/// The values so far, backward from each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, flag, text};

    /// For each row the first row of its run and how many values it has.
    fn runs<T: PartialEq + Copy>(values: &[Option<T>]) -> Vec<Option<(usize, usize)>> {
        let at = |i: usize| {
            let so_far: Vec<(usize, T)> = (0..=i).rev().filter_map(|j| Some((j, values[j]?))).collect();
            so_far.first()?;
            let count = 1 + so_far.windows(2).take_while(|pair| pair[0].1 == pair[1].1).count();
            Some((so_far[count - 1].0, count))
        };
        (0..values.len()).map(at).collect()
    }

    pub fn streak(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let runs = match table.whole_numbers(&text(spec, "column")) {
            Some(values) => runs(&values),
            None => runs(&column(spec, table)),
        };
        let times = spec.parameters.contains_key("by").then(|| table.times(&text(spec, "by")));
        let result = |i: usize| {
            let (first, count) = runs[i]?;
            Some(times.as_ref().map_or(count as f64, |times| (times[i] - times[first]) as f64))
        };
        let results: Vec<Option<f64>> = (0..runs.len()).map(result).collect();
        if !flag(spec, "longest", false) {
            return results.into_iter().map(exact).collect();
        }
        let longest = |i: usize| results[..=i].iter().flatten().copied().reduce(f64::max);
        (0..results.len()).map(|i| exact(results[i].and_then(|_| longest(i)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check};

    #[test]
    fn worked_values() {
        let spec = KernelSpec::new("streak").with("column", "x");
        let x: &[f64] = &[NULL, 0.0, -0.0, NULL, 0.0, 5.0, f64::NAN, f64::NAN, 5.0, 5.0];
        check(spec, &[("x", x)], "", &[NULL, 1.0, 2.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0, 2.0]);
        let spec = |name: &str| KernelSpec::new("streak").with("column", name);
        let columns: [(&str, &[f64]); 2] = [("flag", &[0.0, 0.0, 1.0, 1.0]), ("t", &[7.0, 7.0, 7.0, 8.0])];
        check(spec("flag"), &columns, "", &[1.0, 2.0, 1.0, 2.0]);
        check(spec("t"), &columns, "", &[1.0, 2.0, 3.0, 1.0]);
    }
    #[test]
    fn the_longest_and_how_long_it_lasted() {
        let spec = || KernelSpec::new("streak").with("column", "x");
        let columns: [(&str, &[f64]); 2] =
            [("x", &[NULL, 1.0, 1.0, NULL, 2.0, 2.0, 2.0, 3.0]), ("t", &[0.0, 1.0, 4.0, 5.0, 6.0, 7.0, 8.0, 20.0])];
        let rows = [NULL, 1.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0];
        check(spec().with("longest", true), &columns, "", &rows);
        let lasted = [NULL, 0.0, 3000.0, 4000.0, 0.0, 1000.0, 2000.0, 0.0];
        check(spec().with("by", "t"), &columns, "", &lasted);
        let longest = [NULL, 0.0, 3000.0, 4000.0, 4000.0, 4000.0, 4000.0, 4000.0];
        check(spec().with("by", "t").with("longest", true), &columns, "", &longest);
    }
}
