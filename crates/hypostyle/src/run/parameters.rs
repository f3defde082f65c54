//! Parameters that many kernels share.

use crate::spec::{Kind, Literal, Parameter};

/// The column of values.
pub const COLUMN: Parameter = Parameter::required("column", Kind::Column, "The column of values.");

/// The window size.
pub const WINDOW: Parameter = Parameter::required(
    "window",
    Kind::Window,
    "The window size: a number of rows (rows with a null count), a duration such as '5m' of the time column `by`, or a column \
     with one value per row: {'length': 'n'} is its size, {'start': 'since'} its start. They count rows of the key, or are \
     durations and times if `by` is set.",
);

/// The time column of a time-based window.
pub const BY: Parameter = Parameter::optional(
    "by",
    Kind::Time("window"),
    Literal::Omitted,
    "The time column, required if `window` is a duration. It must be sorted within each key and have no nulls. If `window` is a \
     column, `by` makes that column hold times rather than rows.",
);

/// The minimum number of values of a rolling kernel.
pub const MIN_SAMPLES: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Omitted,
    "The minimum number of values; with fewer the result is null. Default: the rows that the window holds, at most `window`; 1 \
     for a duration or a column.",
);

/// The minimum number of values of an expanding kernel.
pub const FROM_ONE: Parameter = Parameter::optional(
    "min_samples",
    Kind::Count,
    Literal::Count(1),
    "The minimum number of values; with fewer the result is null.",
);

/// Which ends of the window are inclusive.
pub const CLOSED: Parameter = Parameter::optional(
    "closed",
    Kind::Choice(&["right", "left", "both", "neither"]),
    Literal::Text("right"),
    "Which ends of the window are inclusive: 'right' (the current row), 'left' (the window start), 'both' or 'neither'.",
);

/// Whether the window is centered.
pub const CENTER: Parameter = Parameter::optional(
    "center",
    Kind::Flag,
    Literal::Flag(false),
    "Center the window on its row. Row-based windows in memory only.",
);

/// A result for every `step`-th row only.
pub const STEP: Parameter = Parameter::optional(
    "step",
    Kind::Count,
    Literal::Count(1),
    "Return a result for every `step`-th row of a key only, counted from its first; the others are null.",
);

/// Delta degrees of freedom.
pub const DDOF: Parameter = Parameter::optional(
    "ddof",
    Kind::Count,
    Literal::Count(1),
    "Delta degrees of freedom: the divisor is the number of values minus `ddof`.",
);

/// The parameters that every rolling kernel has after its own and its window.
pub(super) const ROLLING: [Parameter; 5] = [BY, MIN_SAMPLES, CLOSED, CENTER, STEP];
