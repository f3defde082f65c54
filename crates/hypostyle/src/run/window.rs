//! A windowed kernel's parameters, read once: which rows a window holds, in rows, in time, or all so far.

use super::plan::Binding;
use crate::drive::rolling_time::Reach;
use crate::error::Result;
use crate::spec::{Arguments, Bounds, Closed, Duration, Extent, Family, check_bound_type};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    pub(super) span: Span,
    pub(super) min_samples: usize,
    /// Every `step`-th row of a key has a result.
    pub(super) step: usize,
}

/// The rows that a window holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Span {
    /// All rows so far.
    Expanding,
    /// The last `held` rows, the current one or those before it; centered if there is a lead of later rows.
    Rows { held: usize, lagged: bool, lead: Option<usize> },
    /// A duration of the time column.
    Time { by: String, duration: Duration, closed: Closed },
    /// A column sets the start or size of each row's window.
    Bounded { by: Option<String>, column: String, is_length: bool, closed: Closed },
}

/// A time-based window over columns that are known.
pub(super) struct TimeSpan {
    pub(super) reach: Reach,
    pub(super) time: Option<usize>,
    pub(super) bounds: Option<Bounds>,
    pub(super) includes_current: bool,
}

/// The maximum rows of a centered window: half of them are padding after the last row.
pub(super) const LONGEST_CENTERED: usize = 1 << 28;

impl Window {
    /// Reads the window of a kernel's arguments: `window`, `by`, `min_samples`, `closed`, `center` and `step`, or for an
    /// expanding kernel `min_samples` alone.
    ///
    /// # Errors
    /// Parameters that are out of range or conflict.
    pub fn of(arguments: &Arguments) -> Result<Self> {
        if arguments.family() == Family::Expanding {
            return Ok(Self { span: Span::Expanding, min_samples: arguments.count("min_samples")?, step: 1 });
        }
        let step = arguments.count("step")?;
        if step == 0 {
            return Err(arguments.refuse("step", "must be at least 1 row, got 0"));
        }
        let by = if arguments.accepts("by") { arguments.optional_column("by")? } else { None };
        let closed = arguments.closed()?;
        let center = arguments.accepts("center") && arguments.flag("center")?;
        let min_samples = arguments.optional_count("min_samples")?;
        let (span, usual) = match arguments.extent("window")? {
            Extent::Rows(rows) => {
                if let Some(by) = by {
                    return Err(arguments
                        .refuse("by", format!("a window of {rows} rows takes no time column"))
                        .with_help(format!("remove by='{by}', or set window to a duration such as '5m'")));
                }
                if center && rows > LONGEST_CENTERED {
                    return Err(arguments.refuse(
                        "window",
                        format!("must be at most {LONGEST_CENTERED} rows if it is centered, got {rows}"),
                    ));
                }
                let held = closed.rows_held(rows);
                if min_samples.is_some_and(|min_samples| min_samples > held.max(rows)) {
                    let min_samples = min_samples.unwrap_or_default();
                    return Err(arguments.refuse(
                        "min_samples",
                        format!("must be at most the window's {rows} rows, got {min_samples}"),
                    ));
                }
                let lead = center.then_some((rows - 1) / 2);
                (Span::Rows { held, lagged: !closed.includes_current(), lead }, held.min(rows))
            }
            Extent::Duration(duration) => {
                let Some(by) = by else {
                    return Err(arguments
                        .refuse("by", "required, because the window is a duration")
                        .with_help("set by to a time column, such as by='ts'"));
                };
                refuse_center(arguments, center)?;
                (Span::Time { by, duration, closed }, 1)
            }
            Extent::LengthIn(column) => {
                refuse_center(arguments, center)?;
                (Span::Bounded { by, column, is_length: true, closed }, 1)
            }
            Extent::StartIn(column) => {
                refuse_center(arguments, center)?;
                (Span::Bounded { by, column, is_length: false, closed }, 1)
            }
        };
        Ok(Self { span, min_samples: min_samples.unwrap_or(usual), step })
    }

    /// How many later rows a result needs.
    pub(super) fn latency(&self) -> usize {
        match self.span {
            Span::Rows { lead, .. } => lead.unwrap_or(0),
            _ => 0,
        }
    }

    /// A time-based window, or one that a column sets; `None` for row-based windows.
    ///
    /// # Errors
    /// A column that is missing or has a type that does not match the others.
    pub(super) fn time_span(&self, binding: &Binding) -> Result<Option<TimeSpan>> {
        match &self.span {
            Span::Expanding | Span::Rows { .. } => Ok(None),
            Span::Time { by, duration, closed } => {
                let (time, data_type) = binding.column(by)?;
                let reach = duration.reach(binding.kernel_name(), by, data_type, closed.includes_far_end())?;
                let includes_current = closed.includes_current();
                Ok(Some(TimeSpan { reach: Reach::Fixed(reach), time: Some(time), bounds: None, includes_current }))
            }
            Span::Bounded { by, column, is_length, closed } => {
                let (bound, bound_type) = binding.column(column)?;
                let time = by.as_ref().map(|by| binding.time_column(by)).transpose()?;
                let time_type = time.map(|(_, data_type)| data_type);
                check_bound_type(binding.kernel_name(), (column, bound_type), time_type, *is_length)?;
                let time = time.map(|(index, _)| index);
                let includes_far_end = closed.includes_far_end();
                let bounds = Bounds { column: bound, time, is_length: *is_length, includes_far_end };
                let includes_current = closed.includes_current();
                Ok(Some(TimeSpan { reach: Reach::Told, time, bounds: Some(bounds), includes_current }))
            }
        }
    }
}

fn refuse_center(arguments: &Arguments, center: bool) -> Result<()> {
    if center {
        return Err(arguments
            .refuse("center", "needs a window of a fixed number of rows")
            .with_help("set window to a number of rows, or remove center"));
    }
    Ok(())
}
