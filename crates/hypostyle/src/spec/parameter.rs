//! The parameters of a kernel: its table.

use std::borrow::Cow;

use serde::Serialize;

use super::kernel_spec::Value;

/// The kinds of kernels, as the documentation groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A statistic of the last rows, or of a duration.
    Rolling,
    /// A statistic of all rows so far.
    Expanding,
    /// A state machine over the rows.
    Recurrence,
    /// A function of one row's columns.
    Row,
    /// A user's own function, as a program.
    Function,
}

/// A parameter of a kernel.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// The name, the same in every interface.
    pub name: Cow<'static, str>,
    /// What values it takes.
    #[serde(flatten)]
    pub kind: Kind,
    /// Whether Python accepts it by position.
    pub positional: bool,
    /// The value when it is not given.
    pub default: Literal,
    /// One sentence.
    pub doc: Cow<'static, str>,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", content = "choices", rename_all = "snake_case")]
pub enum Kind {
    /// A column.
    Column,
    /// A column of booleans.
    Flags,
    /// Several columns.
    Columns,
    /// A time column: dates, timestamps or integers; with the parameter that is a length of it.
    Time(&'static str),
    /// A number.
    Number,
    /// A number or a column.
    NumberOrColumn,
    /// Several numbers.
    Numbers,
    /// Several numbers and columns, in any order.
    NumbersOrColumns,
    /// Rows of integers, all of one length.
    Table,
    /// An integer, not negative.
    Count,
    /// True or false.
    Flag,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Some of these.
    Words(&'static [&'static str]),
    /// A number of rows, a duration, or a column that holds the size or start of each row's window.
    Window,
    /// A number of rows, at least 1.
    Rows,
    /// A weight for each row of a window, or the name of a shape.
    Weights,
    /// A duration.
    Duration,
    /// A number of rows, which may be a fraction, or a duration.
    HalfLife,
    /// A number of rows of any sign, or a duration.
    Offset,
    /// A program, as text.
    Program,
}

impl Kind {
    pub(crate) fn expected(&self) -> &'static str {
        match self {
            Self::Column => "the name of a column",
            Self::Flags => "the name of a column of booleans",
            Self::Columns => "a list of column names",
            Self::Time(_) => "the name of a time column",
            Self::Number => "a number",
            Self::NumberOrColumn => "a number or the name of a column",
            Self::Numbers => "a list of numbers",
            Self::NumbersOrColumns => "a list of numbers and names of columns",
            Self::Table => "a list of lists of integers",
            Self::Count => "an integer",
            Self::Flag => "a boolean",
            Self::Choice(_) => "one of a few words",
            Self::Words(_) => "a list of some of its words, such as ['r2']",
            Self::Window => {
                "a number of rows, a duration such as '5m', or a column with the length or start of each window"
            }
            Self::Rows => "a number of rows",
            Self::Weights => "a list of numbers or the name of a shape",
            Self::Duration => "a duration such as '30m'",
            Self::HalfLife => "a number of rows or a duration such as '5m'",
            Self::Offset => "a number of rows or a duration such as '5m'",
            Self::Program => "a program, as JSON",
        }
    }
}

/// A parameter's default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// There is none: the parameter is required.
    Required,
    /// Optional without a value; the parameter's sentence says what that means.
    Omitted,
    /// A flag.
    Flag(bool),
    /// A count.
    Count(i64),
    /// A number.
    Number(f64),
    /// A word.
    Text(&'static str),
    /// Several words or columns.
    Texts(&'static [&'static str]),
    /// Several numbers.
    Numbers(&'static [f64]),
    /// Rows of integers.
    Table(&'static [&'static [i64]]),
}

impl Literal {
    /// The value, if it is one.
    pub fn value(&self) -> Option<Value> {
        Some(match *self {
            Self::Required | Self::Omitted => return None,
            Self::Flag(x) => Value::Bool(x),
            Self::Count(x) => Value::Int(x),
            Self::Number(x) => Value::Float(x),
            Self::Text(x) => Value::from(x),
            Self::Texts(items) => Value::from(items.to_vec()),
            Self::Numbers(items) => Value::from(items.to_vec()),
            Self::Table(rows) => Value::from(rows.iter().map(|row| Value::from(row.to_vec())).collect::<Vec<_>>()),
        })
    }
}

impl Parameter {
    /// A required parameter.
    pub const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, positional: true, default: Literal::Required, doc: Cow::Borrowed(doc) }
    }

    /// An optional parameter that Python accepts by position.
    pub const fn usual(name: &'static str, kind: Kind, default: Literal, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, positional: true, default, doc: Cow::Borrowed(doc) }
    }

    /// An optional parameter.
    pub const fn optional(name: &'static str, kind: Kind, default: Literal, doc: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind, positional: false, default, doc: Cow::Borrowed(doc) }
    }
}
