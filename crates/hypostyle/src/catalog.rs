//! The list of kernels, and how a specification becomes a plan.  The Python functions, the plugin, the pipeline command, the
//! documentation, the laws and the parity tests follow from this list.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use arrow::datatypes::Schema;

use crate::error::{Error, ErrorKind, Place, Result, listed, nearest};
use crate::kernels::{
    cumulative, events, exponential, filters, gaps, neighbors, ordered, recurrences, rows, smoothers, statistics,
};
use crate::run::{Binding, Entry, Kernel, Plan, Running};
use crate::spec::{Arguments, KernelSpec};

/// The kernels of this library, in the order of the documentation.
static ENTRIES: &[Entry] = &[
    statistics::count::COUNT,
    statistics::sum::SUM,
    statistics::product::PRODUCT,
    statistics::mean::MEAN,
    statistics::variance::VAR,
    statistics::variance::STD,
    statistics::variance::SEM,
    statistics::moments::SKEW,
    statistics::moments::KURT,
    statistics::extremum::MIN,
    statistics::extremum::MAX,
    statistics::arg_extremum::ARGMIN,
    statistics::arg_extremum::ARGMAX,
    statistics::range::RANGE,
    statistics::max_drawdown::MAX_DRAWDOWN,
    statistics::edge::FIRST,
    statistics::edge::LAST,
    statistics::boolean::ANY,
    statistics::boolean::ALL,
    statistics::zscore::ZSCORE,
    ordered::median::MEDIAN,
    ordered::quantile::QUANTILE,
    ordered::spread::IQR,
    ordered::spread::MAD,
    ordered::robust::ROBUST_ZSCORE,
    ordered::robust::HAMPEL,
    ordered::trimmed::TRIMMED_MEAN,
    ordered::trimmed::WINSORIZED_MEAN,
    ordered::rank::RANK,
    ordered::distinct::NUNIQUE,
    ordered::occurrences::MODE,
    ordered::occurrences::ENTROPY,
    ordered::top::TOP_N,
    statistics::covariance::COV,
    statistics::correlation::CORR,
    ordered::spearman::SPEARMAN,
    statistics::autocorrelation::AUTOCORR,
    statistics::partial::PARTIAL_CORR,
    statistics::comoment::COSKEW,
    statistics::comoment::COKURT,
    statistics::regression::BETA,
    statistics::regression::ALPHA,
    statistics::regression::R2,
    statistics::trend::TREND,
    statistics::ols::OLS,
    statistics::weighted::WEIGHTED_SUM,
    statistics::weighted::WEIGHTED_MEAN,
    statistics::weighted::WEIGHTED_VAR,
    statistics::weighted::WEIGHTED_STD,
    statistics::weighted_correlation::WEIGHTED_CORR,
    ordered::weighted_quantile::WEIGHTED_QUANTILE,
    filters::fir::FIR_SUM,
    filters::fir::FIR_MEAN,
    filters::fir::FIR_VAR,
    filters::fir::FIR_STD,
    statistics::cumulative::CUM_SUM,
    statistics::cumulative::CUM_PROD,
    statistics::cumulative::CUM_MIN,
    statistics::cumulative::CUM_MAX,
    statistics::cumulative::CUM_COUNT,
    statistics::cumulative::CUM_MEAN,
    neighbors::shift::SHIFT,
    neighbors::diff::DIFF,
    neighbors::change::PCT_CHANGE,
    neighbors::change::LOG_RETURN,
    exponential::mean::EWM_MEAN,
    exponential::sum::EWM_SUM,
    exponential::spread::EWM_VAR,
    exponential::spread::EWM_STD,
    exponential::spread::EWM_ZSCORE,
    exponential::pairs::EWM_COV,
    exponential::pairs::EWM_CORR,
    exponential::pairs::EWM_BETA,
    recurrences::cumsum_clip::CUMSUM_CLIP,
    recurrences::affine_scan::AFFINE_SCAN,
    recurrences::session_id::SESSION_ID,
    smoothers::cascade::EMA,
    smoothers::cascade::WILDER,
    smoothers::cascade::DEMA,
    smoothers::cascade::TEMA,
    smoothers::cascade::T3,
    smoothers::trix::TRIX,
    smoothers::macd::MACD,
    smoothers::kama::KAMA,
    smoothers::momentum::RSI,
    smoothers::momentum::CMO,
    smoothers::true_range::TRUE_RANGE,
    smoothers::true_range::ATR,
    smoothers::parabolic::SAR,
    smoothers::directional::DIRECTIONAL_MOVEMENT,
    smoothers::holt::HOLT,
    smoothers::holt_winters::HOLT_WINTERS,
    smoothers::kalman::KALMAN,
    smoothers::lfilter::LFILTER,
    cumulative::cumsum_reset::CUMSUM_RESET,
    cumulative::bucket_by_sum::BUCKET_BY_SUM,
    cumulative::drawdown::DRAWDOWN,
    events::latch::LATCH,
    events::streak::STREAK,
    events::since_true::SINCE_TRUE,
    events::min_spacing::MIN_SPACING,
    events::counter::COUNTER_INCREASE,
    events::rate::COUNTER_RATE,
    events::cusum::CUSUM,
    events::page_hinkley::PAGE_HINKLEY,
    events::zigzag::ZIGZAG,
    events::state_machine::STATE_MACHINE,
    events::token_bucket::TOKEN_BUCKET,
    events::ffill::FFILL,
    gaps::bfill::BFILL,
    gaps::interpolate::INTERPOLATE,
    events::age::AGE,
    events::time_weighted::TIME_WEIGHTED_MEAN,
    events::time_weighted::INTEGRAL,
    events::rate::DERIVATIVE,
    events::inventory::INVENTORY,
    rows::risk_score::RISK_SCORE,
    rows::row_dot::ROW_DOT,
];

/// A list of kernels by name: those of this library, and custom ones.
///
/// ```
/// use hypostyle::{Catalog, Entry, Family, Inputs, Plan, Recurrence, Shape};
///
/// /// y = max(y' / 2, x)
/// #[derive(Clone)]
/// struct FadingPeak;
///
/// impl Recurrence for FadingPeak {
///     type Input = f64;
///     type Output = f64;
///     type State = f64;
///     fn start(&self) -> f64 {
///         0.0
///     }
///     fn step(&self, peak: &mut f64, x: f64) -> Option<f64> {
///         *peak = (*peak / 2.0).max(x);
///         Some(*peak)
///     }
///     fn skip(&self, peak: &mut f64) -> Option<f64> {
///         Some(*peak)
///     }
/// }
///
/// const FADING_PEAK: Entry = Entry {
///     names: &["fading_peak"],
///     shape: Shape::Single(Family::Recurrence),
///     summary: "The largest value so far, halved at every row.",
///     formula: "y[i] = max(y[i-1] / 2, x[i])",
///     notes: "A null row keeps the peak.",
///     source: "peak meters",
///     parameters: &[hypostyle::COLUMN],
///     example: &[],
///     plan: |arguments| Ok(Plan::recurrence(Inputs::of(arguments, &["column"])?, FadingPeak)),
/// };
/// let catalog = Catalog::default().with_entries([FADING_PEAK])?;
/// assert_eq!(catalog.kernel("fading_peak")?.family, Family::Recurrence);
/// # Ok::<(), hypostyle::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    kernels: Vec<Arc<Kernel>>,
    places: HashMap<String, usize>,
}

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    let empty = Catalog { kernels: Vec::new(), places: HashMap::new() };
    empty.with_entries(ENTRIES.iter().cloned()).expect("a test builds the same list")
});

impl Default for Catalog {
    /// The kernels of this library.
    fn default() -> Self {
        BUILTIN.clone()
    }
}

impl Catalog {
    /// The kernels of this library.
    pub(crate) fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Adds custom kernels that are constants.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn with_entries(self, entries: impl IntoIterator<Item = Entry>) -> Result<Self> {
        let kernels = entries.into_iter().map(|entry| entry.kernels()).collect::<Result<Vec<_>>>()?;
        let mut kernels: Vec<Kernel> = kernels.into_iter().flatten().collect();
        kernels.sort_by_key(|kernel| kernel.family);
        self.with_kernels(kernels)
    }

    /// Adds custom kernels that are made at run time.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn with_kernels(mut self, kernels: impl IntoIterator<Item = Kernel>) -> Result<Self> {
        for kernel in kernels {
            if self.places.insert(kernel.name.clone(), self.kernels.len()).is_some() {
                return Err(Error::new(ErrorKind::UnknownKernel, "the catalog has a kernel of this name already")
                    .in_kernel(&kernel.name)
                    .with_help("choose another name"));
            }
            self.kernels.push(Arc::new(kernel));
        }
        Ok(self)
    }

    /// Every kernel, in the order of the documentation.
    pub fn kernels(&self) -> &[Arc<Kernel>] {
        &self.kernels
    }

    /// The kernels as JSON, from which the Python functions and the documentation are generated.
    pub fn to_json(&self) -> String {
        let kernels: Vec<&Kernel> = self.kernels.iter().map(AsRef::as_ref).collect();
        serde_json::to_string(&kernels).expect("kernels hold strings and numbers only")
    }

    /// The kernel of this name.
    ///
    /// # Errors
    /// If there is none; the message offers the nearest name.
    pub fn kernel(&self, name: &str) -> Result<&Arc<Kernel>> {
        self.places.get(name).map(|place| &self.kernels[*place]).ok_or_else(|| {
            let names: Vec<&str> = self.kernels.iter().map(|kernel| kernel.name.as_str()).collect();
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => {
                    let other = "docs/other-names.md has the names of other libraries";
                    format!("the kernels are {}; {other}", listed(&names))
                }
            };
            Error::new(ErrorKind::UnknownKernel, format!("unknown kernel '{name}'")).with_help(help)
        })
    }

    /// Validates a specification: everything that needs no data.
    ///
    /// # Errors
    /// An unknown kernel, or a parameter that is unknown, missing, of the wrong type or out of range.
    pub fn plan(&self, spec: &KernelSpec) -> Result<PlannedKernel> {
        let kernel = self.kernel(&spec.name)?;
        let arguments = Arguments::new(spec, kernel.family, &kernel.parameters)?;
        let plan = kernel.plan(&arguments)?;
        let mut named = arguments.named_columns()?;
        named.extend(spec.over.iter().map(|key| ("over", key.clone())));
        let mut seen = HashSet::new();
        named.retain(|(_, column)| seen.insert(column.clone()));
        let (parameters, columns) =
            named.into_iter().map(|(parameter, column)| (parameter.to_string(), column)).unzip();
        let spec = KernelSpec { parameters: arguments.normal(), ..spec.clone() };
        Ok(PlannedKernel { kernel: kernel.clone(), spec, columns, parameters, plan: Arc::new(plan) })
    }
}

/// A specification whose parameters are valid, ready to be bound to columns.
#[derive(Debug, Clone)]
pub struct PlannedKernel {
    kernel: Arc<Kernel>,
    spec: KernelSpec,
    columns: Vec<String>,
    /// The parameter that names each of the columns.
    parameters: Vec<String>,
    plan: Arc<Plan>,
}

impl PlannedKernel {
    /// The catalog's entry.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// The specification in its normal form: without parameters that have their default, with floats and durations written
    /// in one way, so that two specifications of one meaning are equal.
    pub fn spec(&self) -> &KernelSpec {
        &self.spec
    }

    /// The columns that the kernel reads: data first, then the time column, then the keys; each once.
    pub fn input_columns(&self) -> &[String] {
        &self.columns
    }

    /// Its plan, as a part of another: see [`Plan::of_parts`].
    pub fn plan(&self) -> Arc<Plan> {
        self.plan.clone()
    }

    /// How many later rows of its key the result of a row needs.
    pub fn latency(&self) -> usize {
        self.plan.latency()
    }

    /// The parameter that asks for later rows, if one does.
    pub(crate) fn late_by(&self) -> Option<&'static str> {
        self.plan.late_by()
    }

    /// The output column's name: the alias, else the name of the first input column.
    ///
    /// # Errors
    /// If there is neither.
    pub fn output_name(&self) -> Result<String> {
        self.spec.alias.as_ref().or(self.columns.first()).cloned().ok_or_else(|| {
            Error::parameter(&self.spec.name, "alias", "required, because none of the inputs is a column")
        })
    }

    /// The kernel over the columns of a schema; `whole` says that all rows come in one batch.
    ///
    /// # Errors
    /// A column that is missing or has a type that the kernel cannot use.
    pub(crate) fn bind(&self, schema: &Schema, whole: bool) -> Result<Box<dyn Running>> {
        self.plan.bind(&Binding::new(schema, &self.spec.name, whole)).map_err(|error| self.blame(error))
    }

    /// The kernel, and its parameter that names this column.
    pub(crate) fn reader(&self, column: &str) -> Place {
        let place = self.columns.iter().position(|known| known == column);
        let parameter = place.map(|place| self.parameters[place].clone());
        Place { kernel: Some(self.spec.name.clone()), parameter, ..Place::default() }
    }

    /// The error of a column that is not there, with who reads it.
    pub(crate) fn blame(&self, error: Error) -> Error {
        match &error.place().column {
            Some(column) if error.kind() == ErrorKind::MissingColumn => {
                let reader = self.reader(column);
                error.read_by(&reader)
            }
            _ => error,
        }
    }
}

/// The kernels of this library, in the order of the documentation.
pub fn kernels() -> &'static [Arc<Kernel>] {
    Catalog::builtin().kernels()
}

/// The kernels of this library as JSON.
pub fn kernels_json() -> String {
    Catalog::builtin().to_json()
}

/// The kernel of this library that has this name.
///
/// # Errors
/// If there is none; the message offers the nearest name.
pub fn kernel(name: &str) -> Result<&'static Arc<Kernel>> {
    Catalog::builtin().kernel(name)
}

/// With the kernels of this library; [`Catalog`] has the same for custom ones.
impl KernelSpec {
    /// The catalog's entry.
    ///
    /// # Errors
    /// If no kernel has this name.
    pub fn kernel(&self) -> Result<&'static Arc<Kernel>> {
        kernel(&self.name)
    }

    /// Validates everything that needs no data.
    ///
    /// # Errors
    /// An unknown kernel, or a parameter that is unknown, missing, of the wrong type or out of range.
    pub fn plan(&self) -> Result<PlannedKernel> {
        Catalog::builtin().plan(self)
    }

    /// As [`KernelSpec::plan`], without the plan.
    ///
    /// # Errors
    /// As [`KernelSpec::plan`].
    pub fn validate(&self) -> Result<()> {
        self.plan().map(drop)
    }

    /// The columns that the kernel reads: data first, then the time column, then the keys; each once.
    ///
    /// # Errors
    /// As [`KernelSpec::plan`].
    pub fn input_columns(&self) -> Result<Vec<String>> {
        Ok(self.plan()?.input_columns().to_vec())
    }

    /// The output column's name: the alias, else the name of the first input column.
    ///
    /// # Errors
    /// As [`KernelSpec::plan`], and if none of the inputs is a column.
    pub fn output_name(&self) -> Result<String> {
        self.plan()?.output_name()
    }

    /// The specification in its normal form: see [`PlannedKernel::spec`].
    ///
    /// # Errors
    /// As [`KernelSpec::plan`].
    pub fn normal(&self) -> Result<Self> {
        Ok(self.plan()?.spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        for kernel in kernels() {
            for text in [&kernel.summary, &kernel.formula, &kernel.notes, &kernel.source] {
                assert!(!text.trim().is_empty(), "{} lacks documentation", kernel.name);
                assert!(!text.contains(['{', '}']), "{}: braces in {text}", kernel.name);
            }
            assert!(!kernel.example.is_empty(), "{} lacks an example", kernel.name);
            for parameter in &kernel.parameters {
                assert!(parameter.doc.ends_with('.'), "{}.{}", kernel.name, parameter.name);
                assert!(
                    !["name", "alias", "over"].contains(&&*parameter.name),
                    "{} is a field of every specification",
                    parameter.name
                );
            }
        }
        let taken = Catalog::default().with_entries([statistics::sum::SUM]).unwrap_err();
        assert!(taken.to_string().contains("rolling_sum"), "{taken}");
    }
}
