//! Values on the straight line between the value before and the value after.

use super::limit;
use crate::error::Result;
use crate::model::{Beside, GapFill, RowPlace};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Duration, Family, Kind, Literal, Parameter};

/// See the module.
#[derive(Debug, Clone)]
struct Interpolate {
    /// The largest number of rows that are filled behind a value.
    limit: usize,
    /// The largest distance of the values around a gap that is filled.
    max_gap: u64,
    /// Whether distances are times, or else rows.
    by_time: bool,
}

impl Interpolate {
    fn distance(&self, earlier: RowPlace, later: RowPlace) -> u64 {
        if self.by_time { earlier.time_to(later) } else { earlier.rows_to(later) as u64 }
    }
}

/// Between `a` and `b`, at the fraction `t` of the way.  No difference of two finite values overflows, and where they are equal, the
/// result is.
#[inline(always)]
fn between(a: f64, b: f64, t: f64) -> f64 {
    if (a < 0.0) == (b < 0.0) { a + t * (b - a) } else { (1.0 - t) * a + t * b }
}

impl GapFill for Interpolate {
    type Value = f64;

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "distances beyond 2^53 are rounded")]
    fn fill(&self, before: Option<Beside<f64>>, place: RowPlace, after: Option<Beside<f64>>) -> Option<f64> {
        let (before, after) = (before?, after?);
        let whole = self.distance(before.place, after.place);
        if whole > self.max_gap || before.place.rows_to(place) > self.limit {
            return None;
        }
        let part = self.distance(before.place, place);
        // At one time the earlier value holds.
        let fraction = if part == 0 { 0.0 } else { part as f64 / whole as f64 };
        Some(between(before.value, after.value, fraction))
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (column, by) = (arguments.column("column")?, arguments.optional_column("by")?);
    let limit = limit(arguments)?.unwrap_or(usize::MAX);
    let max_gap = if arguments.has("max_gap")? { Some(arguments.duration("max_gap")?) } else { None };
    let rows = match (max_gap, &by) {
        (Some(Duration::Units(rows)), None) => Some(rows),
        (Some(Duration::Nanoseconds(_)), None) => {
            return Err(arguments
                .refuse("by", "required, because 'max_gap' is a duration")
                .with_help("name the time column, or give a number of rows, such as max_gap=5"));
        }
        _ => None,
    };
    let inputs = Inputs::columns([&column]);
    Ok(Plan::of_all_rows(move |binding| {
        let (inputs, max_gap) = match (&by, max_gap) {
            (Some(by), Some(gap)) => {
                let (_, time) = binding.time_column(by)?;
                (inputs.clone().sorted_by(by), gap.reach(binding.kernel_name(), by, time, true)?)
            }
            (Some(by), None) => (inputs.clone().sorted_by(by), u64::MAX),
            (None, _) => (inputs.clone(), rows.unwrap_or(u64::MAX)),
        };
        Plan::gaps(&inputs, binding, Interpolate { limit, max_gap, by_time: by.is_some() })
    }))
}

pub(crate) const INTERPOLATE: Entry = Entry {
    names: &["interpolate"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Linear interpolation: rows without a value get one on the straight line between the values before and after.",
    formula: "y[i] = x[j] + (x[k] - x[j]) * (by[i] - by[j]) / (by[k] - by[j]), where j < i < k are the nearest rows with a value, if i - j <= limit and by[k] - by[j] <= max_gap, else null; without `by` rows are counted",
    notes: "Rows before the first and after the last value are null. A NaN is a value, and so are the rows between it and its neighbors \
            NaN. At the time of an earlier value that value holds. Rows with a value keep it; an integer is read as its nearest float. \
            Relative error 3 eps of the larger of the two values, and no overflow between finite ones. It needs later rows, so it works \
            over whole columns in memory only, not in a stage or a pipeline.",
    source: "polars `Expr.interpolate` and `Expr.interpolate_by`; pandas `Series.interpolate`, which fills behind the last value \
             too unless `limit_area='inside'`, and whose `limit` counts rows as here; xarray's `max_gap`, the distance from value to value.",
    parameters: &[
        COLUMN,
        Parameter::optional(
            "limit",
            Kind::Count,
            Literal::Omitted,
            "The number of rows that are filled behind a value at most, at least 1; the further rows of a longer gap stay null.",
        ),
        Parameter::optional(
            "max_gap",
            Kind::Duration,
            Literal::Omitted,
            "The largest distance from value to value; a wider gap stays null as a whole: a number of rows, or with `by` a duration \
             such as '5m', or an integer for an integer time column.",
        ),
        Parameter::optional(
            "by",
            Kind::Time("max_gap"),
            Literal::Omitted,
            "The time column that tells how far apart rows are; without it all are equally far. It must be sorted within each key and \
             have no nulls.",
        ),
    ],
    example: &[("column", Literal::Text("x"))],
    plan,
    #[cfg(test)]
    reference: reference::interpolate,
};

#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact, length, number, text};

    pub fn interpolate(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, limit) = (column(spec, table), number(spec, "limit").unwrap_or(f64::INFINITY));
        let places: Vec<i64> = match spec.parameters.get("by") {
            Some(_) => table.times(&text(spec, "by")),
            None => (0..values.len() as i64).collect(),
        };
        let max_gap = spec.parameters.get("max_gap").map_or(i64::MAX, |_| length(spec, "max_gap"));
        let at = |i: usize| {
            if values[i].is_some() {
                return exact(values[i]);
            }
            let j = (0..i).rev().find(|j| values[*j].is_some());
            let k = (i..values.len()).find(|k| values[*k].is_some());
            let (Some(j), Some(k)) = (j, k) else { return exact(None) };
            if (i - j) as f64 > limit || places[k] - places[j] > max_gap {
                return exact(None);
            }
            let (a, b) = (values[j].unwrap(), values[k].unwrap());
            let fraction = if places[i] == places[j] {
                0.0
            } else {
                (places[i] - places[j]) as f64 / (places[k] - places[j]) as f64
            };
            bounded(a * (1.0 - fraction) + b * fraction, 4.0 * EPS * a.abs().max(b.abs()))
        };
        (0..values.len()).map(at).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("interpolate").with("column", "x")
    }

    #[test]
    fn worked_values() {
        let columns: [(&str, &[f64]); 3] = [
            ("x", &[NULL, 1.0, NULL, NULL, NULL, 5.0, NULL, -5.0, NULL]),
            ("t", &[0.0, 0.0, 0.0, 2.0, 3.0, 4.0, 5.0, 14.0, 15.0]),
            ("huge", &[-1.5e308, NULL, 1.5e308, NULL, f64::INFINITY, NULL, 0.0, NULL, f64::NAN]),
        ];
        check(spec(), &columns, "", &[NULL, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, -5.0, NULL]);
        check(spec().with("limit", 1), &columns, "", &[NULL, 1.0, 2.0, NULL, NULL, 5.0, 0.0, -5.0, NULL]);
        check(spec().with("max_gap", 3), &columns, "", &[NULL, 1.0, NULL, NULL, NULL, 5.0, 0.0, -5.0, NULL]);
        let by = spec().with("by", "t");
        check(by.clone(), &columns, "", &[NULL, 1.0, 1.0, 3.0, 4.0, 5.0, 4.0, -5.0, NULL]);
        check(by.with("max_gap", "4s"), &columns, "", &[NULL, 1.0, 1.0, 3.0, 4.0, 5.0, NULL, -5.0, NULL]);
        let huge = spec().with("column", "huge");
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        check(huge, &columns, "", &[-1.5e308, 0.0, 1.5e308, inf, inf, nan, 0.0, nan, nan]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec().with("limit", 0), "must be at least 1 row, got 0");
        refused(spec().with("max_gap", "5s"), "required, because 'max_gap' is a duration");
        refused(spec().with("max_gap", 0), "must be positive");
        let error = crate::Stage::new(vec![spec()]).err().unwrap().to_string();
        assert!(error.starts_with("interpolate: it needs later rows"), "{error}");
    }
}
