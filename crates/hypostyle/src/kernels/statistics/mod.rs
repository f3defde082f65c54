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
    fn run<S: Statistic>(
        driver: &RollingRows<S>,
        rows: &[S::Input],
        flags: Option<&[bool]>,
        at_once: usize,
    ) -> Vec<Vec<Option<u64>>> {
        let mut state = driver.start();
        let mut results = Vec::new();
        for start in (0..rows.len()).step_by(at_once) {
            let end = rows.len().min(start + at_once);
            let (mut values, mut valid) = (vec![S::Output::default(); end - start], vec![true; end - start]);
            let flags = flags.map(|flags| &flags[start..end]);
            let rows = Rows { values: &rows[start..end], valid: flags, times: &[], firsts: &[] };
            driver.run(&mut state, rows, Answers { values: &mut values, valid: &mut valid });
            results.extend(values.into_iter().zip(valid).map(|(value, valid)| bits(valid.then_some(value))));
        }
        results
    }

    /// Windows of so many rows, of which so many must be valid.
    struct Windows<'a> {
        rows: usize,
        min_samples: usize,
        flags: Option<&'a [bool]>,
    }

    impl Windows<'_> {
        fn compare<S: Statistic>(&self, statistic: S, rows: &[S::Input]) {
            let driver = RollingRows { statistic, rows: self.rows, lagged: false, min_samples: self.min_samples };
            let at_once = run(&driver, rows, self.flags, rows.len().max(1));
            assert_eq!(at_once, run(&driver, rows, self.flags, 1));
            assert_eq!(at_once, run(&driver, rows, self.flags, 333));
        }
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            6 => (-1000i32..1000).prop_map(|x| f64::from(x) / 7.0),
            6 => (-3i32..3).prop_map(f64::from),
            1 => prop_oneof![Just(-0.0), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e9), Just(1e-9)],
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn whole_blocks_have_the_bits_of_single_rows(
            rows in proptest::collection::vec((number(), number(), number()), 0..700),
            draws in proptest::collection::vec(0u32..100, 700),
            (plain, nulls) in (any::<bool>(), prop_oneof![3 => Just(0u32), 2 => Just(5), 1 => Just(60), 1 => Just(98)]),
            (len, some) in (prop_oneof![1usize..40, 40usize..130], prop_oneof![Just(0usize), Just(1), Just(3), Just(200)]),
        ) {
            let flags: Vec<bool> = draws[..rows.len()].iter().map(|draw| *draw >= nulls).collect();
            let flags = (nulls > 0).then_some(flags.as_slice());
            let windows = Windows { rows: len, min_samples: some.min(len), flags };
            let tame = |x: f64| if plain && !x.is_finite() { 7.5 } else { x };
            let xs: Vec<f64> = rows.iter().map(|row| tame(row.0)).collect();
            let pairs: Vec<[f64; 2]> = rows.iter().map(|row| [tame(row.0), tame(row.1)]).collect();
            let triples: Vec<[f64; 3]> = rows.iter().map(|row| [tame(row.0), tame(row.1), tame(row.2)]).collect();
            let places: Vec<(f64, i64)> = xs.iter().copied().zip(1_000_000..).collect();
            let late: Vec<(f64, i64)> = xs.iter().copied().zip((0..).map(|row| (1 << 60) + row * row * 977)).collect();
            windows.compare(Sum, &xs);
            windows.compare(Mean, &xs);
            windows.compare(Variance::<0> { ddof: 1 }, &xs);
            windows.compare(Variance::<1> { ddof: 0 }, &xs);
            windows.compare(Variance::<2> { ddof: 50 }, &xs);
            windows.compare(Skewness, &xs);
            windows.compare(Kurtosis, &xs);
            windows.compare(ZScore { variance: Variance { ddof: 1 } }, &xs);
            windows.compare(Product, &xs);
            windows.compare(Extremum::<f64, true>::new(), &xs);
            windows.compare(Extremum::<f64, false>::new(), &xs);
            windows.compare(Range::<f64>(std::marker::PhantomData), &xs);
            windows.compare(Covariance { ddof: 1 }, &pairs);
            windows.compare(Correlation, &pairs);
            windows.compare(Comoment::<0>, &pairs);
            windows.compare(Comoment::<1>, &pairs);
            windows.compare(Regression::<0>, &pairs);
            windows.compare(Regression::<1>, &pairs);
            windows.compare(Regression::<2>, &pairs);
            windows.compare(Weighted::<0>, &pairs);
            windows.compare(Weighted::<1>, &pairs);
            windows.compare(Weighted::<3>, &pairs);
            windows.compare(PartialCorrelation, &triples);
            windows.compare(WeightedCorrelation, &triples);
            windows.compare(ArgExtremum::<f64, true>::new(false), &places);
            windows.compare(ArgExtremum::<f64, false>::new(true), &places);
            windows.compare(Trend { per: 1.0 }, &places);
            windows.compare(Trend { per: 3.0 }, &late);
            let far: Vec<(f64, i64)> = xs.iter().copied().zip((0..).map(|row| i64::MIN.wrapping_add(row << 55))).collect();
            windows.compare(Trend { per: 1.0 }, &far);
        }
    }
}
