//! Statistics, one file each, always in the same order: why, the state, the implementation, the catalog's entries, their
//! reference versions.

pub mod arg_extremum;
pub mod autocorrelation;
pub mod boolean;
pub mod comoment;
pub mod correlation;
pub mod count;
pub mod covariance;
pub mod cumulative;
pub mod edge;
pub mod extremum;
pub mod max_drawdown;
pub mod mean;
pub mod moments;
pub mod ols;
pub mod partial;
pub mod product;
pub mod range;
pub mod regression;
pub mod relative;
pub mod sum;
pub mod trend;
pub mod variance;
pub mod weighted;
pub mod weighted_correlation;
mod whole;
pub mod zscore;

/// Whole blocks as vectors have the bits of the loop row by row.
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        arg_extremum::ArgExtremum, comoment::Comoment, correlation::Correlation, covariance::Covariance,
        extremum::Extremum, mean::Mean, moments::Kurtosis, moments::Skewness, partial::PartialCorrelation,
        product::Product, range::Range, regression::Regression, sum::Sum, trend::Trend, variance::Variance,
        weighted::Weighted, weighted_correlation::WeightedCorrelation, zscore::ZScore,
    };
    use crate::drive::rolling_rows::RollingRows;
    use crate::drive::{Answers, Driver, Rows};
    use crate::model::Statistic;
    use crate::values::{Output, Scalar};

    /// The bits of a result, NaN payloads aside.
    fn bits<O: Output>(answer: Option<O>) -> Vec<Option<u64>> {
        let of_lane = |lane: Scalar| match lane {
            Scalar::Float(x) if x.is_nan() => f64::NAN.to_bits(),
            Scalar::Float(x) => x.to_bits(),
            Scalar::Integer(x) => x.cast_unsigned(),
        };
        match answer {
            Some(answer) => (0..O::LANES).map(|lane| Some(of_lane(answer.lane(lane)))).collect(),
            None => vec![None],
        }
    }

    /// The results of windows of `len` rows, from so many rows at a time.
    fn run<S: Statistic>(statistic: &S, rows: &[S::Input], len: usize, at_once: usize) -> Vec<Vec<Option<u64>>> {
        let driver = RollingRows { statistic: statistic.clone(), rows: len, lagged: false, min_samples: 1 };
        let mut state = driver.start();
        let mut results = Vec::new();
        for rows in rows.chunks(at_once) {
            let (mut values, mut valid) = (vec![S::Output::default(); rows.len()], vec![true; rows.len()]);
            let rows = Rows { values: rows, valid: None, times: &[], firsts: &[] };
            driver.run(&mut state, rows, Answers { values: &mut values, valid: &mut valid });
            results.extend(values.into_iter().zip(valid).map(|(value, valid)| bits(valid.then_some(value))));
        }
        results
    }

    fn compare<S: Statistic>(statistic: S, rows: &[S::Input], len: usize) {
        assert_eq!(run(&statistic, rows, len, rows.len().max(1)), run(&statistic, rows, len, 1));
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => (-1000i32..1000).prop_map(|x| f64::from(x) / 7.0),
            6 => (-3i32..3).prop_map(f64::from),
            1 => prop_oneof![Just(-0.0), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e9), Just(1e-9)],
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn whole_blocks_have_the_bits_of_single_rows(
            rows in proptest::collection::vec((number(), number(), number()), 0..700),
            plain in any::<bool>(),
            len in prop_oneof![1usize..40, 40usize..130],
        ) {
            let tame = |x: f64| if plain && !x.is_finite() { 7.5 } else { x };
            let xs: Vec<f64> = rows.iter().map(|row| tame(row.0)).collect();
            let pairs: Vec<[f64; 2]> = rows.iter().map(|row| [tame(row.0), tame(row.1)]).collect();
            let triples: Vec<[f64; 3]> = rows.iter().map(|row| [tame(row.0), tame(row.1), tame(row.2)]).collect();
            let places: Vec<(f64, i64)> = xs.iter().copied().zip(1_000_000..).collect();
            let late: Vec<(f64, i64)> = xs.iter().copied().zip((0..).map(|row| (1 << 60) + row * row * 977)).collect();
            compare(Sum, &xs, len);
            compare(Mean, &xs, len);
            compare(Variance::<0> { ddof: 1 }, &xs, len);
            compare(Variance::<1> { ddof: 0 }, &xs, len);
            compare(Variance::<2> { ddof: 50 }, &xs, len);
            compare(Skewness, &xs, len);
            compare(Kurtosis, &xs, len);
            compare(ZScore { variance: Variance { ddof: 1 } }, &xs, len);
            compare(Product, &xs, len);
            compare(Extremum::<f64, true>::new(), &xs, len);
            compare(Extremum::<f64, false>::new(), &xs, len);
            compare(Range::<f64>(std::marker::PhantomData), &xs, len);
            compare(Covariance { ddof: 1 }, &pairs, len);
            compare(Correlation, &pairs, len);
            compare(Comoment::<0>, &pairs, len);
            compare(Comoment::<1>, &pairs, len);
            compare(Regression::<0>, &pairs, len);
            compare(Regression::<1>, &pairs, len);
            compare(Regression::<2>, &pairs, len);
            compare(Weighted::<0>, &pairs, len);
            compare(Weighted::<1>, &pairs, len);
            compare(Weighted::<3>, &pairs, len);
            compare(PartialCorrelation, &triples, len);
            compare(WeightedCorrelation, &triples, len);
            compare(ArgExtremum::<f64, true>::new(false), &places, len);
            compare(ArgExtremum::<f64, false>::new(true), &places, len);
            compare(Trend { per: 1.0 }, &places, len);
            compare(Trend { per: 3.0 }, &late, len);
        }
    }
}
