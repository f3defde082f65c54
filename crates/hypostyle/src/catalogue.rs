//! The one list of kernels.  The Python functions, the plugin, the pipeline's command, the documentation table, the laws,
//! the parity tests and the benchmarks all loop over it.

use arrow::datatypes::Schema;
use serde::Serialize;

use crate::arguments::Arguments;
use crate::error::{Error, ErrorKind, Result, listed, nearest};
use crate::kernel::Running;
use crate::spec::KernelSpec;
use crate::{filters, ordered, recurrences, rows, statistics};

/// An entry of the catalogue: what a kernel is called, what it takes, what it means and how it is built.
#[derive(Serialize)]
pub struct Kernel {
    /// The name, the same in every face.
    pub name: &'static str,
    /// What kind of kernel it is.
    pub family: Family,
    /// One sentence.
    pub summary: &'static str,
    /// The definition as a formula.
    pub formula: &'static str,
    /// Nulls, short windows, accuracy: what a careful user asks.
    pub notes: &'static str,
    /// Where the definition or the algorithm comes from.
    pub source: &'static str,
    /// The parameters, in the order of the Python signature.
    pub parameters: &'static [Parameter],
    /// Arguments for the worked example of the documentation, over the columns of the example's frame.
    pub example: &'static str,
    /// Binds the kernel to the types of its columns.
    #[serde(skip)]
    pub build: fn(&Arguments, &Schema) -> Result<Box<dyn Running>>,
}

/// The kinds of kernels, as the documentation groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A statistic of the last rows, or of a span of time.
    Rolling,
    /// A statistic of all rows so far.
    Expanding,
    /// A state machine over the rows.
    Recurrence,
    /// A function of one row's columns.
    Row,
}

/// A parameter of a kernel.
#[derive(Debug, Serialize)]
pub struct Parameter {
    /// The name, the same in every face.
    pub name: &'static str,
    /// What values it takes.
    #[serde(flatten)]
    pub kind: Kind,
    /// Whether Python takes it by position.
    pub positional: bool,
    /// The value when it is not given.
    pub default: Literal,
    /// One sentence.
    pub doc: &'static str,
}

/// What values a parameter takes.
#[derive(Debug, Serialize)]
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
    /// A whole number, not negative.
    Count,
    /// True or false.
    Flag,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Some of these.
    Words(&'static [&'static str]),
    /// A number of rows, a duration, or a column that holds the length or far end of each row's window.
    Window,
    /// A number of rows, at least 1.
    Rows,
    /// A weight for each row of a window, or the name of a shape.
    Weights,
    /// A duration.
    Duration,
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
            Self::Count => "a whole number",
            Self::Flag => "true or false",
            Self::Choice(_) => "one of a few words",
            Self::Words(_) => "a list of some of its words, such as ['r2']",
            Self::Window => {
                "a number of rows, a duration such as '5m', or a column as {length = 'n'} or {start = 'since'}"
            }
            Self::Rows => "a number of rows",
            Self::Weights => "a list of numbers or the name of a shape",
            Self::Duration => "a duration such as '30m'",
        }
    }
}

/// A parameter's default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// There is none: the parameter must be given.
    Required,
    /// Not given means something of its own, which the parameter's sentence says.
    Omitted,
    /// A flag.
    Flag(bool),
    /// A count.
    Count(i64),
    /// A number.
    Number(f64),
    /// A word.
    Text(&'static str),
}

impl Parameter {
    pub(crate) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, positional: true, default: Literal::Required, doc }
    }

    pub(crate) const fn optional(name: &'static str, kind: Kind, default: Literal, doc: &'static str) -> Self {
        Self { name, kind, positional: false, default, doc }
    }
}

static CATALOGUE: &[Kernel] = &[
    statistics::count::ROLLING_COUNT,
    statistics::sum::ROLLING_SUM,
    statistics::product::ROLLING_PRODUCT,
    statistics::mean::ROLLING_MEAN,
    statistics::variance::ROLLING_VAR,
    statistics::variance::ROLLING_STD,
    statistics::variance::ROLLING_SEM,
    statistics::moments::ROLLING_SKEW,
    statistics::moments::ROLLING_KURT,
    statistics::extremum::ROLLING_MIN,
    statistics::extremum::ROLLING_MAX,
    statistics::arg_extremum::ROLLING_ARGMIN,
    statistics::arg_extremum::ROLLING_ARGMAX,
    statistics::range::ROLLING_RANGE,
    statistics::edge::ROLLING_FIRST,
    statistics::edge::ROLLING_LAST,
    statistics::boolean::ROLLING_ANY,
    statistics::boolean::ROLLING_ALL,
    statistics::zscore::ROLLING_ZSCORE,
    ordered::median::ROLLING_MEDIAN,
    ordered::quantile::ROLLING_QUANTILE,
    ordered::spread::ROLLING_IQR,
    ordered::spread::ROLLING_MAD,
    ordered::robust::ROLLING_ROBUST_ZSCORE,
    ordered::robust::ROLLING_HAMPEL,
    ordered::trimmed::ROLLING_TRIMMED_MEAN,
    ordered::trimmed::ROLLING_WINSORIZED_MEAN,
    ordered::rank::ROLLING_RANK,
    ordered::distinct::ROLLING_NUNIQUE,
    ordered::occurrences::ROLLING_MODE,
    ordered::occurrences::ROLLING_ENTROPY,
    ordered::top::ROLLING_TOP_N,
    statistics::covariance::ROLLING_COV,
    statistics::correlation::ROLLING_CORR,
    ordered::spearman::ROLLING_SPEARMAN,
    statistics::autocorrelation::ROLLING_AUTOCORR,
    statistics::partial::ROLLING_PARTIAL_CORR,
    statistics::comoment::ROLLING_COSKEW,
    statistics::comoment::ROLLING_COKURT,
    statistics::regression::ROLLING_BETA,
    statistics::regression::ROLLING_ALPHA,
    statistics::regression::ROLLING_R2,
    statistics::trend::ROLLING_TREND,
    statistics::ols::ROLLING_OLS,
    statistics::weighted::ROLLING_WEIGHTED_SUM,
    statistics::weighted::ROLLING_WEIGHTED_MEAN,
    statistics::weighted::ROLLING_WEIGHTED_VAR,
    statistics::weighted::ROLLING_WEIGHTED_STD,
    statistics::weighted_correlation::ROLLING_WEIGHTED_CORR,
    ordered::weighted_quantile::ROLLING_WEIGHTED_QUANTILE,
    filters::fir::ROLLING_FIR_SUM,
    filters::fir::ROLLING_FIR_MEAN,
    filters::fir::ROLLING_FIR_VAR,
    filters::fir::ROLLING_FIR_STD,
    statistics::count::EXPANDING_COUNT,
    statistics::sum::EXPANDING_SUM,
    statistics::product::EXPANDING_PRODUCT,
    statistics::mean::EXPANDING_MEAN,
    statistics::variance::EXPANDING_VAR,
    statistics::variance::EXPANDING_STD,
    statistics::variance::EXPANDING_SEM,
    statistics::moments::EXPANDING_SKEW,
    statistics::moments::EXPANDING_KURT,
    statistics::extremum::EXPANDING_MIN,
    statistics::extremum::EXPANDING_MAX,
    statistics::arg_extremum::EXPANDING_ARGMIN,
    statistics::arg_extremum::EXPANDING_ARGMAX,
    statistics::range::EXPANDING_RANGE,
    statistics::edge::EXPANDING_FIRST,
    statistics::edge::EXPANDING_LAST,
    statistics::boolean::EXPANDING_ANY,
    statistics::boolean::EXPANDING_ALL,
    statistics::zscore::EXPANDING_ZSCORE,
    ordered::median::EXPANDING_MEDIAN,
    ordered::quantile::EXPANDING_QUANTILE,
    ordered::spread::EXPANDING_IQR,
    ordered::spread::EXPANDING_MAD,
    ordered::robust::EXPANDING_ROBUST_ZSCORE,
    ordered::robust::EXPANDING_HAMPEL,
    ordered::trimmed::EXPANDING_TRIMMED_MEAN,
    ordered::trimmed::EXPANDING_WINSORIZED_MEAN,
    ordered::rank::EXPANDING_RANK,
    ordered::distinct::EXPANDING_NUNIQUE,
    ordered::occurrences::EXPANDING_MODE,
    ordered::occurrences::EXPANDING_ENTROPY,
    ordered::top::EXPANDING_TOP_N,
    statistics::covariance::EXPANDING_COV,
    statistics::correlation::EXPANDING_CORR,
    ordered::spearman::EXPANDING_SPEARMAN,
    statistics::autocorrelation::EXPANDING_AUTOCORR,
    statistics::partial::EXPANDING_PARTIAL_CORR,
    statistics::comoment::EXPANDING_COSKEW,
    statistics::comoment::EXPANDING_COKURT,
    statistics::regression::EXPANDING_BETA,
    statistics::regression::EXPANDING_ALPHA,
    statistics::regression::EXPANDING_R2,
    statistics::trend::EXPANDING_TREND,
    statistics::ols::EXPANDING_OLS,
    statistics::weighted::EXPANDING_WEIGHTED_SUM,
    statistics::weighted::EXPANDING_WEIGHTED_MEAN,
    statistics::weighted::EXPANDING_WEIGHTED_VAR,
    statistics::weighted::EXPANDING_WEIGHTED_STD,
    statistics::weighted_correlation::EXPANDING_WEIGHTED_CORR,
    ordered::weighted_quantile::EXPANDING_WEIGHTED_QUANTILE,
    recurrences::ewm_mean::EWM_MEAN,
    recurrences::cumsum_clip::CUMSUM_CLIP,
    recurrences::affine_scan::AFFINE_SCAN,
    recurrences::session_id::SESSION_ID,
    rows::risk_score::RISK_SCORE,
    rows::row_dot::ROW_DOT,
];

/// Every kernel, in the order of the documentation.
pub fn catalogue() -> &'static [Kernel] {
    CATALOGUE
}

/// The catalogue as JSON, from which the Python functions and the documentation are generated.
pub fn catalogue_json() -> String {
    serde_json::to_string(CATALOGUE).expect("the catalogue holds texts and numbers only")
}

/// The kernel of this name.
///
/// # Errors
/// Where there is none; the message offers the nearest name.
pub fn find(name: &str) -> Result<&'static Kernel> {
    CATALOGUE.iter().find(|kernel| kernel.name == name).ok_or_else(|| {
        let names: Vec<&str> = CATALOGUE.iter().map(|kernel| kernel.name).collect();
        let way_out = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("the kernels are {}", listed(&names)),
        };
        Error::new(ErrorKind::UnknownKernel, format!("no kernel is called '{name}'; {way_out}"))
    })
}

impl Kernel {
    /// Whether the kernel has this parameter.
    pub fn accepts(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|p| p.name == parameter)
    }

    /// Checks a specification's parameters without data.
    pub(crate) fn check(&self, arguments: &Arguments) -> Result<()> {
        (self.build)(arguments, &arguments.assumed_schema()).map(|_| ())
    }

    /// The kernel's documentation as Markdown.
    pub fn documentation(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n    {}\n\n", self.name, self.summary, self.formula);
        text.push_str("Parameters:\n");
        for parameter in self.parameters {
            let default = match parameter.default {
                Literal::Required => "required".to_string(),
                Literal::Omitted => "optional".to_string(),
                Literal::Flag(x) => format!("default {x}"),
                Literal::Count(x) => format!("default {x}"),
                Literal::Number(x) => format!("default {x:?}"),
                Literal::Text(x) => format!("default '{x}'"),
            };
            let expected = match parameter.kind {
                Kind::Choice(known) => listed(known),
                Kind::Words(known) => format!("some of {}", listed(known)),
                _ => parameter.kind.expected().to_string(),
            };
            text.push_str(&format!("- {}: {expected} ({default}). {}\n", parameter.name, parameter.doc));
        }
        text.push_str(&format!("\n{}\n\nSource: {}\n", self.notes, self.source));
        text
    }
}

impl KernelSpec {
    pub(crate) fn build(&self, schema: &Schema) -> Result<Box<dyn Running>> {
        let kernel = self.kernel()?;
        (kernel.build)(&Arguments::new(kernel, self)?, schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        let mut names = HashSet::new();
        for kernel in catalogue() {
            assert!(names.insert(kernel.name), "{} is listed twice", kernel.name);
            for text in [kernel.summary, kernel.formula, kernel.notes, kernel.source, kernel.example] {
                assert!(!text.trim().is_empty(), "{} lacks documentation", kernel.name);
            }
            for parameter in kernel.parameters {
                assert!(parameter.doc.ends_with('.'), "{}.{}", kernel.name, parameter.name);
                assert!(
                    !["name", "alias", "over"].contains(&parameter.name),
                    "{} is a word of its own",
                    parameter.name
                );
            }
        }
    }
}
