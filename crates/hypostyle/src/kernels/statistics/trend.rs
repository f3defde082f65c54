//! The slope of the least squares line against row numbers or time.  Differences of places are computed as integers, so that
//! times in nanoseconds lose nothing.

use arrow::datatypes::{DataType, TimeUnit};

use super::relative::Relative;
use crate::drive::rolling_lanes;
use crate::error::{Error, Result};
use crate::model::scale::{shift, times_power};
use crate::model::{Blocks, Lanewise, Statistic, Sums, joined, more_than};
use crate::run::parameters::COLUMN;
use crate::run::{Bare, Binding, Entry, Inputs, Plan, Running, Shape, Window};
use crate::spec::{Arguments, Duration, Kind, Literal, Parameter};
use crate::values::{Domain, Number, computed_type, whole_number};

/// The slope of the values against their places.
#[derive(Debug, Clone)]
pub struct Trend {
    /// The slope is per this many steps of the place.
    pub per: f64,
}

impl Statistic for Trend {
    type Input = (f64, i64);
    type Output = f64;
    /// Sums of dt, dx, dt dt and dt dx, where d is the difference to the anchor.
    type State = [f64; 4];

    const ANCHORED: bool = true;

    const DEGREE: u32 = 2;

    fn unscale(&self, answer: f64, exponents: &[i32]) -> f64 {
        times_power(answer, exponents[0])
    }

    fn rescale(&self, sums: &mut [f64; 4], exponents: &[i32]) {
        shift(sums, [0, exponents[0], 0, exponents[0]]);
    }

    fn empty(&self) -> [f64; 4] {
        [0.0; 4]
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "a span of more than 2^53 steps has that rounding error")]
    fn push(&self, sums: &mut [f64; 4], row: (f64, i64), anchor: (f64, i64)) {
        let dt = match row.1.checked_sub(anchor.1) {
            Some(steps) => steps as f64,
            None => row.1 as f64 - anchor.1 as f64,
        };
        *sums = joined(*sums, self.terms([dt, row.0 - anchor.0]));
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 4], row: (f64, i64), anchor: (f64, i64)) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 4], later: &[f64; 4]) -> [f64; 4] {
        joined(*earlier, *later)
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 4], count: usize, _anchor: (f64, i64)) -> Option<f64> {
        self.answer_one(*sums, count, [0.0; 2]).map(|[answer]| answer)
    }

    fn answer_blocks(&self, blocks: Blocks<(f64, i64)>, answers: &mut [f64], valid: &mut [bool]) -> bool {
        let base = blocks.before.first().map_or(0, |row| row.1);
        let Some((before, rows)) = placed(blocks.before, base).zip(placed(blocks.rows, base)) else { return false };
        let blocks = blocks.of(before.as_slice(), rows.as_slice());
        rolling_lanes::answer_blocks(self, blocks, answers, valid)
    }
}

/// The distance of each row's place to a base, and its value; `None` if a distance is not a whole number that differences of
/// floats keep.
fn placed(rows: &[(f64, i64)], base: i64) -> Option<Vec<[f64; 2]>> {
    let mut far = 0;
    let placed = rows.iter().map(|(x, place)| {
        let distance = place.wrapping_sub(base);
        // The sign of the second term tells that the difference has left the range of integers.
        far |= distance.wrapping_add(1 << 50) >> 51 | ((place ^ base) & (place ^ distance)) >> 63;
        [whole_number(distance), *x]
    });
    let placed = placed.collect();
    (far == 0).then_some(placed)
}

impl Sums<2, 4, 1> for Trend {
    #[inline(always)]
    fn terms<N: Number>(&self, [dt, dx]: [N; 2]) -> [N; 4] {
        [dt, dx, dt * dt, dt * dx]
    }

    #[inline(always)]
    fn of_sums<N: Number>(&self, [st, sx, stt, stx]: [N; 4], n: N, _anchor: [N; 2]) -> ([N; 1], N::Flag) {
        let spread = n * stt - st * st;
        // An infinity makes the slope NaN, whichever row is the anchor.
        let slope = (n * stx - st * sx) / spread * self.per + sx * 0.0;
        ([slope], spread.above(0.0) & more_than(n, 1))
    }
}

/// The steps of a time column in the duration that `parameter` gives.
#[expect(clippy::cast_precision_loss, reason = "durations of more than 2^53 ns have that rounding error")]
pub(crate) fn steps(
    (parameter, per): (&str, Option<Duration>),
    binding: &Binding,
    column: &str,
    time: &DataType,
) -> Result<f64> {
    let (unit, usual) = match time {
        DataType::Date32 => (86_400_000_000_000.0, 86_400_000_000_000.0),
        DataType::Date64 => (1e6, 86_400_000_000_000.0),
        DataType::Timestamp(unit, _) | DataType::Duration(unit) | DataType::Time32(unit) | DataType::Time64(unit) => {
            let unit = match unit {
                TimeUnit::Second => 1e9,
                TimeUnit::Millisecond => 1e6,
                TimeUnit::Microsecond => 1e3,
                TimeUnit::Nanosecond => 1.0,
            };
            (unit, 1e9)
        }
        _ => (1.0, 1.0),
    };
    let refuse = |expected: &str| {
        let problem = format!("expected {expected}, because column '{column}' is of type {time}");
        Error::parameter(binding.kernel_name(), parameter, problem)
    };
    match per {
        None => Ok(usual / unit),
        Some(Duration::Nanoseconds(length)) if !time.is_integer() => Ok(length as f64 / unit),
        Some(Duration::Units(length)) if time.is_integer() => Ok(length as f64),
        Some(Duration::Nanoseconds(_)) => Err(refuse("a number of steps such as 10")),
        Some(Duration::Units(_)) => Err(refuse("a duration such as '1h'")),
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let column = arguments.column("column")?;
    let (window, inputs) = (Window::of(arguments)?, Inputs::of(arguments, &["column"])?);
    let against = arguments.optional_column("against")?;
    let per = if arguments.has("per")? { Some(arguments.duration("per")?) } else { None };
    let Some(against) = against else {
        if per.is_some() {
            return Err(arguments
                .refuse("per", "requires `against`; without it the slope is per row")
                .with_help("set against to a time column, or remove per"));
        }
        let inputs = inputs.with_position();
        return Ok(window.plan(move |window, binding| bound(window, binding, &inputs, &column, Trend { per: 1.0 })));
    };
    let inputs = inputs.with_column(&against);
    Ok(window.plan(move |window, binding| {
        let (_, time) = binding.column(&against)?;
        if !Domain::Integer.reads(time) || *time == DataType::Boolean {
            let wanted = "a date, a timestamp or an integer (for other numbers use rolling_beta)";
            return Err(binding.column_type(&against, wanted, time));
        }
        let trend = Trend { per: steps(("per", per), binding, &against, time)? };
        bound(window, binding, &inputs, &column, trend)
    }))
}

/// The trend of `column` against the second of the inputs.
fn bound(window: &Window, binding: &Binding, inputs: &Inputs, column: &str, trend: Trend) -> Result<Box<dyn Running>> {
    if Inputs::columns([column]).has_long_integer(binding)? {
        let wiring = inputs.bind_lanes(binding, |_| Domain::Integer, computed_type)?;
        return window.statistic(binding, wiring, Relative(trend), Bare);
    }
    window.statistic(binding, inputs.bind::<(f64, i64), f64>(binding)?, trend, Bare)
}

const AGAINST: Parameter = Parameter::optional(
    "against",
    Kind::Time("per"),
    Literal::Omitted,
    "The time column on the x axis: dates, times, timestamps, durations or integers. Default: the row number within the key.",
);

const PER: Parameter = Parameter::optional(
    "per",
    Kind::Duration,
    Literal::Omitted,
    "The time unit of the slope, a duration such as '1h'. Default: one second; one day for dates; 1 for integers and rows.",
);

const NOTES: &str = "A row counts if value and time are valid. Null for a single row, and if all times are equal. Against row numbers, \
    rows with a null count as rows. A window with a NaN or an infinity gives NaN, and no other window does. Computed from differences \
    to a row of the same window, those of times as integers, so neither a huge mean nor a late time costs anything.";

pub(crate) const TREND: Entry = Entry {
    names: &["rolling_trend", "expanding_trend"],
    shape: Shape::Windowed,
    summary: "Slope of the least squares line of {the values in a moving window|all values so far} against their row numbers, or \
              against time.",
    formula: "b[i] = cov(t, x) / var(t) over the {window of row i|rows up to row i}, t the row number or time",
    notes: NOTES,
    source: "TA-Lib LINEARREG_SLOPE; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, AGAINST, PER],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(3))],
    plan,
    #[cfg(test)]
    reference: reference::trend,
};

/// A line through the values, from plain differences to the first place.
#[cfg(test)]
mod reference {
    use crate::reference::{Slow, Table, line, text, windowed};
    use crate::{KernelSpec, Value};

    pub fn trend(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let places: Vec<i64> = match spec.parameters.get("against") {
            Some(Value::Text(name)) => table.times(name),
            _ => (0..table.batch.num_rows()).map(|i| i as i64).collect(),
        };
        let per = match (spec.parameters.get("against"), spec.parameters.get("per")) {
            (None, _) => 1.0,
            (Some(_), Some(Value::Int(steps))) => *steps as f64,
            (Some(_), Some(Value::Text(text))) if text.ends_with('i') => text.trim_end_matches('i').parse().unwrap(),
            // The table's timestamps are milliseconds.
            (Some(_), Some(Value::Text(text))) => text.trim_end_matches('s').parse::<f64>().unwrap() * 1000.0,
            (Some(name), _) => {
                if *name == Value::from("t") {
                    1000.0
                } else {
                    1.0
                }
            }
        };
        let values = table.exact().numbers(&text(spec, "column"));
        let first = places.first().copied().unwrap_or(0);
        let pairs: Vec<Option<(f64, f64)>> =
            values.iter().zip(&places).map(|(x, place)| x.map(|x| (x, (place - first) as f64))).collect();
        windowed(spec, table, &pairs, |w| {
            let Slow { answer, error } = line(w, "beta");
            Slow { answer: answer.map(|slope| slope * per), error: error * per }
        })
    }
}
