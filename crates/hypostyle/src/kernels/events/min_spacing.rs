//! Rows that are far enough apart: a debounce.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// See the module.
#[derive(Debug, Clone)]
struct MinSpacing {
    /// The largest distance to the last kept row that is too short.
    too_short: u64,
}

impl Recurrence for MinSpacing {
    type Input = i64;
    type Output = i64;
    /// The time of the last kept row.
    type State = Option<i64>;

    fn start(&self) -> Option<i64> {
        None
    }

    #[inline]
    fn step(&self, kept: &mut Option<i64>, time: i64) -> Option<i64> {
        // Times do not decrease, so the difference is exact as an unsigned number.
        let near = kept.is_some_and(|kept| time.wrapping_sub(kept).cast_unsigned() <= self.too_short);
        if !near {
            *kept = Some(time);
        }
        Some(i64::from(!near))
    }

    fn skip(&self, _: &mut Option<i64>) -> Option<i64> {
        None
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (time, gap) = (arguments.column("time")?, arguments.duration("gap")?);
    let inputs = Inputs::of(arguments, &["time"])?.returning(DataType::Boolean).sorted_by(&time);
    Ok(Plan::recurrence_of(inputs, move |binding| {
        let (_, data_type) = binding.column(&time)?;
        Ok(MinSpacing { too_short: gap.reach(binding.kernel_name(), &time, data_type, false)? })
    }))
}

pub(crate) const MIN_SPACING: Entry = Entry {
    names: &["min_spacing"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Whether to keep each row, so that kept rows are at least `gap` apart: a debounce.",
    formula: "y[i] = time[i] - time[j] >= gap, where j < i is the last row with y[j] = true; y[0] = true",
    notes: "A boolean, to filter by. The first row is kept; a row exactly `gap` after the last kept row is kept. The time column must \
            be sorted within each key and have no nulls. Exact.",
    source: "The filter of signals in TA libraries; `throttle` of event streams.",
    parameters: &[
        Parameter::required("time", Kind::Time("gap"), "The time column."),
        Parameter::required(
            "gap",
            Kind::Duration,
            "The shortest time between kept rows: a duration such as '30s', or an integer for an integer time column.",
        ),
    ],
    example: &[("time", Literal::Text("t")), ("gap", Literal::Text("30m"))],
    plan,
    #[cfg(test)]
    reference: reference::min_spacing,
};

/// The times that are kept, in a list.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, length, text};

    pub fn min_spacing(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (gap, mut kept) = (length(spec, "gap"), Vec::new());
        let row = |time: i64| {
            let keep = kept.iter().all(|kept| time - kept >= gap);
            if keep {
                kept.push(time);
            }
            exact(Some(f64::from(keep)))
        };
        table.times(&text(spec, "time")).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{check, refused};

    #[test]
    fn worked_values() {
        let spec = |time: &str| KernelSpec::new("min_spacing").with("time", time);
        let times: &[f64] = &[0.0, 0.0, 4.0, 5.0, 9.0, 11.0, 15.0];
        let expected = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        check(spec("t").with("gap", "5s"), &[("t", times)], "", &expected);
        check(spec("n").with("gap", 5), &[("n", times)], "", &expected);
        // Between two milliseconds.
        check(spec("t").with("gap", "4000001us"), &[("t", times)], "", &expected);
    }

    #[test]
    fn what_is_refused() {
        let spec = KernelSpec::new("min_spacing").with("time", "t");
        refused(spec.clone().with("gap", 0), "must be positive, got 0");
        refused(spec.with("gap", "5"), "not a valid duration");
    }
}
