#![forbid(unsafe_code)]
//! Resumable columnar kernels over Arrow.
//!
//! A kernel reads the rows of each key in order and answers every row: a rolling mean, a clipped running sum, a session's
//! number.  It gives **the same bits whether the rows come in one batch, in any pieces, on any number of threads, or after
//! stop and resume, by key, with nulls.**
//!
//! - [`evaluate`] runs kernels over a whole [`RecordBatch`](arrow::array::RecordBatch).
//! - [`Stage`] runs them over batch after batch, and can be saved and loaded in between.
//! - [`catalogue`] lists the kernels; each has a function that makes its [`KernelSpec`], such as [`rolling_mean`].
//! - [`Statistic`], [`OrderedWindow`], [`Recurrence`] and [`RowFunction`] are what a kernel is made of; [`aggregate`],
//!   [`scan`] and [`map_rows`] run one of your own over slices.

mod arguments;
mod batch;
mod bound;
mod catalogue;
mod cell;
mod column;
mod drive;
mod error;
mod filters;
mod groups;
mod kernel;
mod keys;
mod ordered;
mod orders;
mod parts;
mod pool;
mod record;
mod recurrences;
mod rows;
mod schedule;
mod spec;
mod stage;
mod state;
mod statistics;
mod window;
mod windowed;

pub use arguments::{Arguments, NumberOrColumn};
pub use catalogue::{Family, Kernel, Kind, Literal, Parameter, catalogue, catalogue_json, find};
pub use cell::Cell;
pub use column::{Domain, Input, Output, Placed, Values};
pub use drive::aggregate::aggregate;
pub use drive::by_row::ByRow;
pub use drive::filter::Sums;
pub use drive::scan::scan;
pub use error::{Error, ErrorKind, Result};
pub use filters::SHAPES;
pub use filters::fir::{rolling_fir_mean, rolling_fir_std, rolling_fir_sum, rolling_fir_var};
pub use kernel::Running;
pub use ordered::OrderedWindow;
pub use ordered::distinct::{Distinct, expanding_nunique, rolling_nunique};
pub use ordered::median::{Median, expanding_median, rolling_median};
pub use ordered::occurrences::{Entropy, Mode, expanding_entropy, expanding_mode, rolling_entropy, rolling_mode};
pub use ordered::quantile::{Interpolation, Quantile, expanding_quantile, rolling_quantile};
pub use ordered::rank::{DenseRank, Rank, Ties, expanding_rank, rolling_rank};
pub use ordered::robust::{expanding_hampel, expanding_robust_zscore, rolling_hampel, rolling_robust_zscore};
pub use ordered::spearman::{Spearman, expanding_spearman, rolling_spearman};
pub use ordered::spread::{Spread, expanding_iqr, expanding_mad, rolling_iqr, rolling_mad};
pub use ordered::top::{Of, Top, expanding_top_n, rolling_top_n};
pub use ordered::trimmed::{
    Trimmed, expanding_trimmed_mean, expanding_winsorized_mean, rolling_trimmed_mean, rolling_winsorized_mean,
};
pub use ordered::weighted_quantile::{WeightedQuantile, expanding_weighted_quantile, rolling_weighted_quantile};
pub use parts::Idle;
pub use pool::set_default_threads;
pub use record::{Reader, Record, Scalar, Writer};
pub use recurrences::Recurrence;
pub use recurrences::affine_scan::{AffineScan, affine_scan};
pub use recurrences::cumsum_clip::{CumsumClip, cumsum_clip};
pub use recurrences::ewm_mean::{EwmMean, ewm_mean};
pub use recurrences::session_id::{SessionId, session_id};
pub use rows::risk_score::{RiskScore, risk_score};
pub use rows::row_dot::{RowDot, row_dot};
pub use rows::{RowFunction, map_rows};
pub use spec::{KernelSpec, Value};
pub use stage::{Stage, evaluate, output_fields};
pub use statistics::arg_extremum::{
    ArgExtremum, Numbered, expanding_argmax, expanding_argmin, rolling_argmax, rolling_argmin,
};
pub use statistics::autocorrelation::{expanding_autocorr, rolling_autocorr};
pub use statistics::boolean::{expanding_all, expanding_any, rolling_all, rolling_any};
pub use statistics::comoment::{Comoment, expanding_cokurt, expanding_coskew, rolling_cokurt, rolling_coskew};
pub use statistics::correlation::{Correlation, expanding_corr, rolling_corr};
pub use statistics::count::{Count, expanding_count, rolling_count};
pub use statistics::covariance::{Covariance, expanding_cov, rolling_cov};
pub use statistics::edge::{Edge, expanding_first, expanding_last, rolling_first, rolling_last};
pub use statistics::extremum::{Extremum, Ranked, expanding_max, expanding_min, rolling_max, rolling_min};
pub use statistics::mean::{Mean, expanding_mean, rolling_mean};
pub use statistics::moments::{Kurtosis, Skewness, expanding_kurt, expanding_skew, rolling_kurt, rolling_skew};
pub use statistics::ols::{Ols, expanding_ols, rolling_ols};
pub use statistics::partial::{PartialCorrelation, expanding_partial_corr, rolling_partial_corr};
pub use statistics::product::{Product, expanding_product, rolling_product};
pub use statistics::range::{Range, expanding_range, rolling_range};
pub use statistics::regression::{
    Regression, expanding_alpha, expanding_beta, expanding_r2, rolling_alpha, rolling_beta, rolling_r2,
};
pub use statistics::sum::{Sum, expanding_sum, rolling_sum};
pub use statistics::trend::{Trend, expanding_trend, rolling_trend};
pub use statistics::variance::{
    Variance, expanding_sem, expanding_std, expanding_var, rolling_sem, rolling_std, rolling_var,
};
pub use statistics::weighted::{
    Weighted, expanding_weighted_mean, expanding_weighted_std, expanding_weighted_sum, expanding_weighted_var,
    rolling_weighted_mean, rolling_weighted_std, rolling_weighted_sum, rolling_weighted_var,
};
pub use statistics::weighted_correlation::{WeightedCorrelation, expanding_weighted_corr, rolling_weighted_corr};
pub use statistics::zscore::{Standard, expanding_zscore, rolling_zscore};
pub use statistics::{Part, Statistic, Summary, TILE, Tile};
pub use window::{Closed, Duration, Extent};
