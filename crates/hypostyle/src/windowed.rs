//! What all windowed kernels share: their parameters, and how these choose a driver.

use arrow::datatypes::{DataType, Schema};

use crate::arguments::{Arguments, find_column};
use crate::catalogue::{Kind, Literal, Parameter};
use crate::column::{Domain, Input, Output, computed_type};
use crate::drive::Driver;
use crate::drive::by_row::{ByRow, WithRow};
use crate::drive::centered::Centered;
use crate::drive::expanding::Expanding;
use crate::drive::filter::Filter;
use crate::drive::lagged::Lagged;
use crate::drive::ordered_rows::OrderedRows;
use crate::drive::rolling_rows::RollingRows;
use crate::drive::rolling_time::{Reach, RollingTime, Sliding, Sorted, TwoStacks};
use crate::error::{Error, Result};
use crate::kernel::{Keyed, Running, Source};
use crate::ordered::OrderedWindow;
use crate::spec::{KernelSpec, Value};
use crate::statistics::Statistic;
use crate::window::{Bounds, Extent, check_bound_type};

pub(crate) const COLUMN: Parameter = Parameter::required("column", Kind::Column, "The column of values.");

pub(crate) const WINDOW: Parameter = Parameter::required(
    "window",
    Kind::Window,
    "How far the window reaches back: a number of rows (rows with a null count as rows), a duration such as '5m' of the \
     time column `by`, or what a column says in each row: {'length': 'n'} for that many rows, {'start': 'since'} for a row's \
     number within its key, and with `by` for a length of time and a time.",
);

pub(crate) const BY: Parameter = Parameter::optional(
    "by",
    Kind::Time("window"),
    Literal::Omitted,
    "The time column, needed where `window` is a duration; it must not decrease within a key, nor be null. With a column \
     as `window` it makes that one hold times rather than rows.",
);

pub(crate) const MIN_SAMPLES: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Omitted,
    "The least number of values for an answer; below it the answer is null. Unless given: the rows that the window holds, \
     at most `window`; 1 for a duration or a column.",
);

pub(crate) const CLOSED: Parameter = Parameter::optional(
    "closed",
    Kind::Choice(&["right", "left", "both", "neither"]),
    Literal::Text("right"),
    "Which ends belong to the window: 'right' has the current row, 'left' the far end instead, 'both' both, 'neither' none.",
);

pub(crate) const CENTER: Parameter = Parameter::optional(
    "center",
    Kind::Flag,
    Literal::Flag(false),
    "Centre the window on its row; for windows of rows, in memory.",
);

pub(crate) const STEP: Parameter = Parameter::optional(
    "step",
    Kind::Count,
    Literal::Count(1),
    "Answer only every `step`-th row of a key, counted from its first; the others get null.",
);

pub(crate) const DDOF: Parameter = Parameter::optional(
    "ddof",
    Kind::Count,
    Literal::Count(1),
    "Delta degrees of freedom: the divisor is the number of values less this.",
);

pub(crate) const ROLLING_PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP];

pub(crate) const FROM_ONE: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Count(1),
    "The least number of values for an answer; below it the answer is null.",
);

pub(crate) const EXPANDING_PARAMETERS: &[Parameter] = &[COLUMN, FROM_ONE];

/// Parameters of a rolling statistic of two columns.
pub(crate) const fn rolling_pair(first: Parameter, second: Parameter) -> [Parameter; 8] {
    [first, second, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP]
}

/// Parameters of an expanding statistic of two columns.
pub(crate) const fn expanding_pair(first: Parameter, second: Parameter) -> [Parameter; 3] {
    [first, second, FROM_ONE]
}

/// The specification of an expanding kernel of one column.
pub(crate) fn expanding_spec(name: &str, column: impl Into<String>) -> KernelSpec {
    KernelSpec::new(name).with("column", column.into())
}

/// The specification of a kernel of two columns, in a window where there is one.
pub(crate) fn pair_spec(
    name: &str,
    (first, a): (&str, impl Into<String>),
    (second, b): (&str, impl Into<String>),
    window: Option<Value>,
) -> KernelSpec {
    let spec = KernelSpec::new(name).with(first, a.into()).with(second, b.into());
    match window {
        Some(window) => spec.with("window", window),
        None => spec,
    }
}

pub(crate) fn rolling_spec(name: &str, column: impl Into<String>, window: impl Into<Value>) -> KernelSpec {
    KernelSpec::new(name).with("column", column.into()).with("window", window)
}

/// A windowed kernel's parameters, read.
struct Window {
    /// The rows held and whether the current one is left out, or the reach in time.
    span: Span,
    min_samples: usize,
    center: bool,
    time: Option<usize>,
    bounds: Option<Bounds>,
    step: usize,
}

enum Span {
    Rows { held: usize, lagged: bool, lead: usize },
    Time { reach: Reach, includes_current: bool },
}

/// The most rows of a centred window, half of which are made up after the last row.
const LONGEST_CENTERED: usize = 1 << 28;

fn read_window(arguments: &Arguments, schema: &Schema) -> Result<Window> {
    let closed = arguments.closed();
    let center = arguments.flag("center");
    let by = arguments.text("by");
    let step = arguments.count("step").unwrap_or(1);
    if step == 0 {
        return Err(arguments.refuse("step", "must be at least 1 row, not 0"));
    }
    match arguments.extent("window")? {
        Extent::Rows(rows) => {
            if let Some(by) = by {
                return Err(arguments.refuse(
                    "by",
                    format!(
                        "a window of {rows} rows takes no time column; drop by='{by}', or give a duration such as '5m'"
                    ),
                ));
            }
            if center && rows > LONGEST_CENTERED {
                return Err(arguments.refuse(
                    "window",
                    format!("must be at most {LONGEST_CENTERED} rows where it is centred, not {rows}"),
                ));
            }
            let held = closed.rows_held(rows);
            let min_samples = arguments.count("min_samples").unwrap_or(held.min(rows));
            if min_samples > held.max(rows) {
                return Err(arguments
                    .refuse("min_samples", format!("must not exceed the window's {rows} rows, not {min_samples}")));
            }
            let span = Span::Rows { held, lagged: !closed.includes_current(), lead: (rows - 1) / 2 };
            Ok(Window { span, min_samples, center, time: None, bounds: None, step })
        }
        Extent::Duration(duration) => {
            let Some(by) = by else {
                return Err(arguments
                    .refuse("by", "is missing: a window that is a duration needs a time column, such as by='ts'"));
            };
            if center {
                return Err(arguments.refuse("center", "works with windows of rows only; give `window` as a number"));
            }
            let (time, data_type) = find_column(schema, arguments.kernel_name(), &by)?;
            let reach = duration.reach(arguments.kernel_name(), &by, data_type, closed.includes_far_end())?;
            let span = Span::Time { reach: Reach::Fixed(reach), includes_current: closed.includes_current() };
            let min_samples = arguments.count("min_samples").unwrap_or(1);
            Ok(Window { span, min_samples, center, time: Some(time), bounds: None, step })
        }
        Extent::LengthIn(column) => bounded_window(arguments, schema, &column, true),
        Extent::StartIn(column) => bounded_window(arguments, schema, &column, false),
    }
}

/// A window of which a column holds the length or the far end.
fn bounded_window(arguments: &Arguments, schema: &Schema, column: &str, is_length: bool) -> Result<Window> {
    if arguments.flag("center") {
        return Err(arguments.refuse("center", "works with windows of a fixed number of rows only"));
    }
    let kernel = arguments.kernel_name();
    let (place, data_type) = find_column(schema, kernel, column)?;
    let time = match arguments.text("by") {
        None => None,
        Some(by) => {
            let (time, time_type) = find_column(schema, kernel, &by)?;
            if !Domain::Integer.reads(time_type) || matches!(time_type, DataType::Boolean) {
                return Err(Error::column_type(kernel, &by, "a date, a timestamp or an integer", time_type));
            }
            Some((time, time_type))
        }
    };
    check_bound_type(kernel, (column, data_type), time.map(|(_, time_type)| time_type), is_length)?;
    let (time, closed) = (time.map(|(time, _)| time), arguments.closed());
    let bounds = Bounds { column: place, time, is_length, includes_far_end: closed.includes_far_end() };
    Ok(Window {
        span: Span::Time { reach: Reach::Told, includes_current: closed.includes_current() },
        min_samples: arguments.count("min_samples").unwrap_or(1),
        center: false,
        time,
        bounds: Some(bounds),
        step: arguments.count("step").unwrap_or(1),
    })
}

/// Looks up the columns that make up a row of `I`, and the type of an answer computed from them.
pub(crate) fn sources<I: Input>(arguments: &Arguments, schema: &Schema, parameters: &[&str]) -> Result<Inputs> {
    let mut sources = Vec::new();
    let mut types = Vec::new();
    for (parameter, domain) in parameters.iter().zip(I::DOMAINS) {
        let name = arguments.column(parameter)?;
        let (index, data_type) = find_column(schema, arguments.kernel_name(), &name)?;
        if !domain.reads(data_type) {
            return Err(Error::column_type(arguments.kernel_name(), &name, "a number or a boolean", data_type));
        }
        sources.push(Source::Column { index, domain: *domain });
        types.push(data_type);
    }
    let answer = match I::DOMAINS {
        [Domain::Integer] => types[0].clone(),
        [Domain::Presence] => DataType::Int64,
        _ => computed_type(&types),
    };
    Ok((sources, answer))
}

/// Whether a column is best read exactly, as an integer, by kernels that keep the input's type.
pub(crate) fn column_domain(arguments: &Arguments, schema: &Schema, parameter: &str) -> Result<Domain> {
    let name = arguments.column(parameter)?;
    let (_, data_type) = find_column(schema, arguments.kernel_name(), &name)?;
    if Domain::Integer.reads(data_type) {
        Ok(Domain::Integer)
    } else if Domain::Float.reads(data_type) {
        Ok(Domain::Float)
    } else {
        Err(Error::column_type(arguments.kernel_name(), &name, "a number, a boolean, a date or a time", data_type))
    }
}

/// The columns that make up a row, and the type of an answer that is computed from them.
pub(crate) type Inputs = (Vec<Source>, DataType);

/// What is put around a window's driver, so that it reads or answers something else.
pub(crate) trait Around<I, O> {
    fn boxed<D: Driver<Input = I, Output = O>>(
        self,
        driver: D,
        inputs: Inputs,
        time: Option<usize>,
    ) -> Box<dyn Running>;
}

/// Nothing.
pub(crate) struct Bare;

impl<I, O> Around<I, O> for Bare {
    fn boxed<D: Driver<Input = I, Output = O>>(
        self,
        driver: D,
        (sources, answer): Inputs,
        time: Option<usize>,
    ) -> Box<dyn Running> {
        Keyed::boxed(driver, sources, time, answer)
    }
}

/// A last step with the current row.
pub(crate) struct Then<F>(pub F);

impl<F: ByRow> Around<F::Input, F::Inner> for Then<F> {
    fn boxed<D: Driver<Input = F::Input, Output = F::Inner>>(
        self,
        driver: D,
        (sources, answer): Inputs,
        time: Option<usize>,
    ) -> Box<dyn Running> {
        Keyed::boxed(WithRow { driver, step: self.0 }, sources, time, answer)
    }
}

/// A column beside itself this many rows earlier.
pub(crate) struct BesideItself(pub usize);

impl<O: Output> Around<[f64; 2], O> for BesideItself {
    fn boxed<D: Driver<Input = [f64; 2], Output = O>>(
        self,
        driver: D,
        (sources, answer): Inputs,
        time: Option<usize>,
    ) -> Box<dyn Running> {
        Keyed::boxed(Lagged { driver, lag: self.0 }, sources, time, answer)
    }
}

/// A statistic in a moving window of rows or of time.
pub(crate) fn rolling<S: Statistic>(
    arguments: &Arguments,
    schema: &Schema,
    columns: &[&str],
    statistic: S,
) -> Result<Box<dyn Running>> {
    rolling_around(arguments, schema, sources::<S::Input>(arguments, schema, columns)?, statistic, Bare)
}

/// As [`rolling`], with inputs of its own and something around the driver.
pub(crate) fn rolling_around<S: Statistic>(
    arguments: &Arguments,
    schema: &Schema,
    inputs: Inputs,
    statistic: S,
    around: impl Around<S::Input, S::Output>,
) -> Result<Box<dyn Running>> {
    let window = read_window(arguments, schema)?;
    let min_samples = window.min_samples;
    match window.span {
        Span::Rows { held, lagged, .. } => {
            rows(RollingRows { statistic, rows: held, lagged, min_samples }, &window, inputs, around)
        }
        Span::Time { reach, includes_current } => {
            time(TwoStacks(statistic), reach, includes_current, window, inputs, around)
        }
    }
}

/// An ordered window of rows or of time.
pub(crate) fn rolling_ordered<W: OrderedWindow>(
    arguments: &Arguments,
    schema: &Schema,
    columns: &[&str],
    ordered: W,
) -> Result<Box<dyn Running>> {
    let (inputs, computed) = sources::<W::Input>(arguments, schema, columns)?;
    rolling_ordered_around(arguments, schema, (inputs, W::answer_type(computed)), ordered, Bare)
}

/// As [`rolling_ordered`], with inputs of its own and something around the driver.
pub(crate) fn rolling_ordered_around<W: OrderedWindow>(
    arguments: &Arguments,
    schema: &Schema,
    inputs: Inputs,
    ordered: W,
    around: impl Around<W::Input, W::Output>,
) -> Result<Box<dyn Running>> {
    let window = read_window(arguments, schema)?;
    let min_samples = window.min_samples;
    match window.span {
        Span::Rows { held, lagged, .. } => {
            rows(OrderedRows { window: ordered, rows: held, lagged, min_samples }, &window, inputs, around)
        }
        Span::Time { reach, includes_current } => {
            time(Sorted(ordered), reach, includes_current, window, inputs, around)
        }
    }
}

/// A filter over a window of rows; `make` gets the rows that the window holds, whether it ends before the current one, and
/// `min_samples`.
pub(crate) fn rolling_filter(
    arguments: &Arguments,
    schema: &Schema,
    make: impl FnOnce(usize, bool, usize) -> Result<Filter>,
) -> Result<Box<dyn Running>> {
    let window = read_window(arguments, schema)?;
    let inputs = sources::<f64>(arguments, schema, &["column"])?;
    match window.span {
        Span::Rows { held: 0, .. } => {
            Err(arguments.refuse("window", "holds no rows with closed='neither'; give at least 2, or another `closed`"))
        }
        Span::Rows { held, lagged, .. } => rows(make(held, lagged, window.min_samples)?, &window, inputs, Bare),
        Span::Time { .. } => Err(arguments.refuse("window", "must be a number of rows, the same for all windows")),
    }
}

fn rows<D: Driver>(
    driver: D,
    window: &Window,
    inputs: Inputs,
    around: impl Around<D::Input, D::Output>,
) -> Result<Box<dyn Running>> {
    let mut kernel = match window.span {
        Span::Rows { lead, .. } if window.center => around.boxed(Centered { driver, lead }, inputs, None),
        _ => around.boxed(driver, inputs, None),
    };
    kernel.keep_every(window.step);
    Ok(kernel)
}

fn time<K: Sliding>(
    summary: K,
    reach: Reach,
    includes_current: bool,
    window: Window,
    inputs: Inputs,
    around: impl Around<K::Input, K::Output>,
) -> Result<Box<dyn Running>> {
    let driver = RollingTime { summary, reach, includes_current, min_samples: window.min_samples, keeps_all: false };
    let mut kernel = around.boxed(driver, inputs, window.time);
    if let Some(bounds) = window.bounds {
        kernel.bound_by(bounds);
    }
    kernel.keep_every(window.step);
    Ok(kernel)
}

/// A statistic of everything so far.
pub(crate) fn expanding<S: Statistic>(
    arguments: &Arguments,
    schema: &Schema,
    columns: &[&str],
    statistic: S,
) -> Result<Box<dyn Running>> {
    let inputs = sources::<S::Input>(arguments, schema, columns)?;
    Ok(expanding_around(arguments, inputs, statistic, Bare))
}

/// As [`expanding`], with inputs of its own and something around the driver.
pub(crate) fn expanding_around<S: Statistic>(
    arguments: &Arguments,
    inputs: Inputs,
    statistic: S,
    around: impl Around<S::Input, S::Output>,
) -> Box<dyn Running> {
    let min_samples = arguments.count("min_samples").unwrap_or(1);
    around.boxed(Expanding { statistic, min_samples }, inputs, None)
}

/// An ordered window of everything so far.
pub(crate) fn expanding_ordered<W: OrderedWindow>(
    arguments: &Arguments,
    schema: &Schema,
    columns: &[&str],
    window: W,
) -> Result<Box<dyn Running>> {
    let (inputs, computed) = sources::<W::Input>(arguments, schema, columns)?;
    Ok(expanding_ordered_around(arguments, (inputs, W::answer_type(computed)), window, Bare))
}

/// As [`expanding_ordered`], with inputs of its own and something around the driver.
pub(crate) fn expanding_ordered_around<W: OrderedWindow>(
    arguments: &Arguments,
    inputs: Inputs,
    window: W,
    around: impl Around<W::Input, W::Output>,
) -> Box<dyn Running> {
    let min_samples = arguments.count("min_samples").unwrap_or(1);
    around.boxed(OrderedRows { window, rows: usize::MAX, lagged: false, min_samples }, inputs, None)
}
