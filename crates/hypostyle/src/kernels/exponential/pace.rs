//! How weights age: by row, by time, or by a factor that a column gives.

use std::fmt::Display;

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::run::{Binding, Inputs};
use crate::spec::{Arguments, Duration, Kind, Literal, NumberOrColumn, Parameter, Value};
use crate::values::{Input, Persist, StateReader, StateWriter};

/// How weights age.
pub(super) trait Pace: Clone + Send + Sync + 'static {
    /// What a row says of it besides its values.
    type Mark: Input;
    /// What is remembered.
    type State: Clone + Send + Sync + Persist;

    /// Before the first value.
    fn start(&self) -> Self::State;

    /// The factor by which a value ages the weights so far, and the weight of the value itself if weights are not adjusted.
    fn step(&self, state: &mut Self::State, mark: Self::Mark, is_first: bool) -> (f64, f64);

    /// What [`Pace::step`] returns for each of the next values if no row is without one, if that is known.
    fn steady(&self, _: &Self::State) -> Option<(f64, f64)> {
        None
    }

    /// A row without a value, after the first value.
    fn skip(&self, state: &mut Self::State);

    /// The factor by which such rows have aged the weights since the last value.
    fn aged(&self, _: &Self::State) -> f64 {
        1.0
    }
}

/// Every row ages the weights by the same factor.
#[derive(Debug, Clone)]
pub(super) struct ByRow {
    pub(super) alpha: f64,
    pub(super) ignore_nulls: bool,
}

impl Pace for ByRow {
    type Mark = [f64; 0];
    /// The factor of the nulls since the last value.
    type State = f64;

    fn start(&self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn step(&self, nulls: &mut f64, _: [f64; 0], _: bool) -> (f64, f64) {
        let fade = (1.0 - self.alpha) * *nulls;
        *nulls = 1.0;
        (fade, self.alpha)
    }

    #[inline(always)]
    fn steady(&self, nulls: &f64) -> Option<(f64, f64)> {
        (*nulls == 1.0).then_some((1.0 - self.alpha, self.alpha))
    }

    #[inline(always)]
    fn skip(&self, nulls: &mut f64) {
        if !self.ignore_nulls {
            *nulls *= 1.0 - self.alpha;
        }
    }

    #[inline(always)]
    fn aged(&self, nulls: &f64) -> f64 {
        *nulls
    }
}

/// A column has the smoothing factor of each row; rows without a value leave the weights as they are.
#[derive(Debug, Clone)]
pub(super) struct ByFactor;

impl Pace for ByFactor {
    type Mark = f64;
    type State = ();

    fn start(&self) {}

    #[inline(always)]
    fn step(&self, (): &mut (), alpha: f64, _: bool) -> (f64, f64) {
        (1.0 - alpha, alpha)
    }

    #[inline(always)]
    fn skip(&self, (): &mut ()) {}
}

/// A weight is halved in this many units of the time column.
#[derive(Debug, Clone)]
pub(super) struct ByTime {
    half_life: f64,
}

/// The time of the last value, and the last factor, which regular times need again and again.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    last: i64,
    gap: u64,
    fade: f64,
}

impl Pace for ByTime {
    type Mark = i64;
    type State = Clock;

    fn start(&self) -> Clock {
        Clock { last: 0, gap: 0, fade: 1.0 }
    }

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "a gap of more than 2^53 units is rounded")]
    fn step(&self, clock: &mut Clock, time: i64, is_first: bool) -> (f64, f64) {
        // Times do not decrease, so the difference is exact as an unsigned number.
        let gap = time.wrapping_sub(clock.last).cast_unsigned();
        clock.last = time;
        if is_first {
            return (0.0, 1.0);
        }
        if gap != clock.gap {
            clock.gap = gap;
            clock.fade = libm::exp2(-(gap as f64) / self.half_life);
        }
        (clock.fade, 1.0 - clock.fade)
    }

    #[inline(always)]
    fn skip(&self, _: &mut Clock) {}
}

impl Persist for Clock {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.integer(format_args!("{name}.last"), self.last);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self { last: from.integer(format_args!("{name}.last"))?, gap: 0, fade: 1.0 })
    }
}

/// What the parameters say of the pace.
#[derive(Debug, Clone)]
pub(super) enum Given {
    Row(ByRow),
    Factor(String),
    Time { half_life: Duration, by: String },
}

impl Given {
    /// # Errors
    /// None or several of the parameters, or one out of range.
    pub(super) fn of(arguments: &Arguments) -> Result<Self> {
        let names = ["com", "span", "half_life", "alpha"];
        let given: Vec<(&str, Value)> =
            names.into_iter().filter_map(|name| Some((name, arguments.given(name)?))).collect();
        let [(name, value)] = &given[..] else {
            let (name, count) = (given.first().map_or("alpha", |(name, _)| *name), given.len());
            return Err(arguments
                .refuse(name, format!("exactly one of com, span, half_life and alpha is required, got {count}"))
                .with_help("set one of them, such as span=20, and remove the others"));
        };
        let (by, ignore_nulls) = (arguments.optional_column("by")?, arguments.flag("ignore_nulls")?);
        let is_duration = *name == "half_life" && matches!(value, Value::Text(_));
        match by {
            Some(_) if !is_duration => Err(arguments
                .refuse("by", "needs `half_life` as a duration")
                .with_help("write half_life='5m', or leave `by` out to count rows; key columns are named in `over`")),
            Some(_) if ignore_nulls => {
                Err(arguments.refuse("ignore_nulls", "has no meaning by time: nulls never age the weights"))
            }
            Some(by) => Ok(Self::Time { half_life: arguments.duration("half_life")?, by }),
            None if is_duration => Err(arguments
                .refuse("by", "required, because 'half_life' is a duration")
                .with_help("name the time column, or give a number of rows")),
            None => match (*name, value) {
                ("alpha", Value::Text(column)) => Ok(Self::Factor(column.clone())),
                _ => Ok(Self::Row(ByRow { alpha: smoothing(arguments, name)?, ignore_nulls })),
            },
        }
    }

    /// The inputs with the column that the pace reads.
    pub(super) fn inputs(&self, values: Inputs) -> Inputs {
        match self {
            Self::Row(_) => values,
            Self::Factor(column) => values.with_column(column),
            Self::Time { by, .. } => values.with_column(by).sorted_by(by),
        }
    }

    /// The half-life in units of its time column.
    ///
    /// # Errors
    /// A duration that does not suit the column's type.
    pub(super) fn by_time(half_life: Duration, by: &str, binding: &Binding) -> Result<ByTime> {
        let (_, data_type): (usize, &DataType) = binding.time_column(by)?;
        Ok(ByTime { half_life: half_life.units(binding.kernel_name(), by, data_type)? })
    }
}

/// The smoothing factor of every row.
fn smoothing(arguments: &Arguments, name: &str) -> Result<f64> {
    let x = match arguments.number_or_column(name)? {
        NumberOrColumn::Number(x) => x,
        NumberOrColumn::Column(_) => return Err(arguments.refuse(name, "must be a number")),
    };
    let (fits, range, alpha) = match name {
        "com" => (x >= 0.0, "at least 0", 1.0 / (1.0 + x)),
        "span" => (x >= 1.0, "at least 1", 2.0 / (x + 1.0)),
        "half_life" => (x > 0.0, "above 0", -libm::expm1(-std::f64::consts::LN_2 / x)),
        _ => (x > 0.0 && x <= 1.0, "above 0 and at most 1", x),
    };
    if fits && x.is_finite() { Ok(alpha) } else { Err(arguments.refuse(name, format!("must be {range}, got {x}"))) }
}

pub(super) const COM: Parameter =
    Parameter::optional("com", Kind::Number, Literal::Omitted, "Center of mass, at least 0.");
pub(super) const SPAN: Parameter = Parameter::optional("span", Kind::Number, Literal::Omitted, "Span, at least 1.");
pub(super) const HALF_LIFE: Parameter = Parameter::optional(
    "half_life",
    Kind::HalfLife,
    Literal::Omitted,
    "When a weight is halved: after so many rows, above 0, or after a duration such as '5m' of the time column `by`.",
);
pub(super) const ALPHA: Parameter = Parameter::optional(
    "alpha",
    Kind::NumberOrColumn,
    Literal::Omitted,
    "Smoothing factor, in (0, 1]: a number, or a column with one per row.",
);
pub(super) const BY: Parameter = Parameter::optional(
    "by",
    Kind::Time("half_life"),
    Literal::Omitted,
    "The time column, required if `half_life` is a duration. It must be sorted within each key and have no nulls.",
);
pub(super) const ADJUST: Parameter =
    Parameter::optional("adjust", Kind::Flag, Literal::Flag(true), "Whether to divide by the sum of the weights.");
pub(super) const IGNORE_NULLS: Parameter = Parameter::optional(
    "ignore_nulls",
    Kind::Flag,
    Literal::Flag(false),
    "Whether null rows leave the weights as they are.",
);
pub(super) const BIAS: Parameter = Parameter::optional(
    "bias",
    Kind::Flag,
    Literal::Flag(false),
    "Whether to leave out the correction for the degrees of freedom, which divides by 1 - (sum of w^2) / (sum of w)^2.",
);
