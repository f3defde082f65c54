//! The slope of the least squares line against the row's number or against time.  Differences of places are taken as integers,
//! so that a time in nanoseconds loses nothing.

use arrow::datatypes::{DataType, Schema, TimeUnit};

use super::{Statistic, as_f64};
use crate::arguments::{Arguments, find_column};
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::column::{Domain, Placed, computed_type};
use crate::error::{Error, Result};
use crate::kernel::Source;
use crate::window::Duration;
use crate::windowed::{
    BY, Bare, CENTER, CLOSED, COLUMN, FROM_ONE, Inputs, MIN_SAMPLES, STEP, WINDOW, expanding_around, expanding_spec,
    rolling_around, rolling_spec,
};

/// The slope of the values against their places.
#[derive(Debug, Clone)]
pub struct Trend {
    /// How many steps of the place the slope is for.
    pub per: f64,
}

impl Statistic for Trend {
    type Input = Placed<f64>;
    type Output = f64;
    /// Sums of dt, dx, dt dt and dt dx, where d is the difference to the anchor.
    type State = [f64; 4];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 4] {
        [0.0; 4]
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "a span of more than 2^53 steps has that rounding error")]
    fn push(&self, sums: &mut [f64; 4], row: Placed<f64>, anchor: Placed<f64>) {
        let dt = match row.place.checked_sub(anchor.place) {
            Some(steps) => steps as f64,
            None => row.place as f64 - anchor.place as f64,
        };
        let dx = row.value - anchor.value;
        sums[0] += dt;
        sums[1] += dx;
        sums[2] += dt * dt;
        sums[3] += dt * dx;
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 4], row: Placed<f64>, anchor: Placed<f64>) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 4], later: &[f64; 4]) -> [f64; 4] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [st, sx, stt, stx]: &[f64; 4], count: usize, _anchor: Placed<f64>) -> Option<f64> {
        let n = as_f64(count);
        let spread = n * stt - st * st;
        // An infinity makes the slope NaN, whichever row is the anchor.
        let slope = (n * stx - st * sx) / spread * self.per + sx * 0.0;
        ((spread > 0.0) & (count > 1)).then_some(slope)
    }
}

/// The steps of a time column in a duration, as a number.
#[expect(clippy::cast_precision_loss, reason = "durations of more than 2^53 ns have that rounding error")]
fn steps(arguments: &Arguments, column: &str, time: &DataType) -> Result<f64> {
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
    let temporal = !time.is_integer();
    if arguments.text("per").is_none() && arguments.count("per").is_none() {
        return Ok(usual / unit);
    }
    match arguments.duration("per")? {
        Duration::Nanoseconds(length) if temporal => Ok(length as f64 / unit),
        Duration::Units(length) if !temporal => Ok(length as f64),
        _ if temporal => Err(arguments.refuse("per", "must be a duration such as '1h' for a time column")),
        _ => {
            Err(arguments.refuse("per", format!("must be a number of steps such as 10 for the integers of '{column}'")))
        }
    }
}

fn prepare(arguments: &Arguments, schema: &Schema) -> Result<(Inputs, Trend)> {
    let kernel = arguments.kernel_name();
    let name = arguments.column("column")?;
    let (index, data_type) = find_column(schema, kernel, &name)?;
    if !Domain::Float.reads(data_type) {
        return Err(Error::column_type(kernel, &name, "a number or a boolean", data_type));
    }
    let value = Source::Column { index, domain: Domain::Float };
    let answer = computed_type(&[data_type]);
    match arguments.text("against") {
        None if arguments.text("per").is_some() || arguments.count("per").is_some() => {
            Err(arguments.refuse("per", "goes with `against` only; without it the slope is for one row"))
        }
        None => Ok(((vec![value, Source::Position], answer), Trend { per: 1.0 })),
        Some(against) => {
            let (index, time) = find_column(schema, kernel, &against)?;
            if !Domain::Integer.reads(time) || *time == DataType::Boolean {
                let wanted = "a date, a timestamp or an integer (for other numbers, take rolling_beta)";
                return Err(Error::column_type(kernel, &against, wanted, time));
            }
            let place = Source::Column { index, domain: Domain::Integer };
            Ok(((vec![value, place], answer), Trend { per: steps(arguments, &against, time)? }))
        }
    }
}

const AGAINST: Parameter = Parameter::optional(
    "against",
    Kind::Time("per"),
    Literal::Omitted,
    "The time column that the slope is against: dates, times, timestamps, durations or integers. Unless given: the row's number within its key.",
);

const PER: Parameter = Parameter::optional(
    "per",
    Kind::Duration,
    Literal::Omitted,
    "The length of time that the slope is for, such as '1h'. Unless given: a second; a day for dates; 1 for integers and rows.",
);

const NOTES: &str = "A row counts where value and time are valid; null for a single row, and where all times are equal. Against the \
    row's number, rows with a null count as rows. A window with a NaN or an infinity gives NaN, and no other window does. Computed \
    from differences to a row of the same window, those of times as integers, so neither a huge mean nor a late time costs anything.";

pub(crate) const ROLLING_TREND: Kernel = Kernel {
    name: "rolling_trend",
    family: Family::Rolling,
    summary: "Slope of the least squares line of the values in a moving window against their row numbers, or against time.",
    formula: "b[i] = cov(t, x) / var(t) over the window of row i, t the row's number or its time",
    notes: NOTES,
    source: "TA-Lib LINEARREG_SLOPE; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, WINDOW, AGAINST, PER, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""z", 3"#,
    build: |arguments, schema| {
        let (inputs, trend) = prepare(arguments, schema)?;
        rolling_around(arguments, schema, inputs, trend, Bare)
    },
};

pub(crate) const EXPANDING_TREND: Kernel = Kernel {
    name: "expanding_trend",
    family: Family::Expanding,
    summary: "Slope of the least squares line of all values so far against their row numbers, or against time.",
    formula: "b[i] = cov(t, x) / var(t) over the rows up to row i, t the row's number or its time",
    notes: NOTES,
    source: "scipy.stats.linregress; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, AGAINST, PER, FROM_ONE],
    example: r#""z""#,
    build: |arguments, schema| {
        let (inputs, trend) = prepare(arguments, schema)?;
        Ok(expanding_around(arguments, inputs, trend, Bare))
    },
};

/// Slope of the values in a moving window against their row numbers.
pub fn rolling_trend(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_trend", column, window)
}

/// Slope of all values so far against their row numbers.
pub fn expanding_trend(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_trend", column)
}
