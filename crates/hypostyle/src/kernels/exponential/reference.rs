//! The weights of all values so far for each row, and sums over them.

use crate::reference::{EPS, Slow, Table, bounded, exact, flag, min_samples, number, text};
use crate::spec::{Duration, KernelSpec, Value};

/// The smoothing factor of each row, and its time in half-lives if weights age by time.
enum Given {
    Factor(f64),
    Column(Vec<Option<f64>>),
    Times(Vec<f64>),
}

fn given(spec: &KernelSpec, table: &Table) -> Given {
    let by_row = if let Some(com) = number(spec, "com") {
        1.0 / (1.0 + com)
    } else if let Some(span) = number(spec, "span") {
        2.0 / (span + 1.0)
    } else if let Some(half_life) = number(spec, "half_life") {
        1.0 - (-(2.0f64.ln()) / half_life).exp()
    } else if let Some(alpha) = number(spec, "alpha") {
        alpha
    } else if let Some(Value::Text(column)) = spec.parameters.get("alpha") {
        return Given::Column(table.numbers(column));
    } else {
        let half_life = match Duration::parse(&text(spec, "half_life")).unwrap() {
            Duration::Nanoseconds(n) => n as f64 / 1e6,
            Duration::Units(n) => n as f64,
        };
        return Given::Times(table.times(&text(spec, "by")).into_iter().map(|t| t as f64 / half_life).collect());
    };
    Given::Factor(by_row)
}

/// The values so far with their weights, the newest last, and the factor by which rows after the newest have aged them.
struct Weights {
    rows: Vec<(usize, f64)>,
    aged: f64,
}

/// The weights after each row, by the definition; `valid` are the rows with values.  `None` while there are too few.
fn weights(spec: &KernelSpec, table: &Table, valid: &[bool]) -> Vec<Option<Weights>> {
    let (given, adjust, ignore) = (given(spec, table), flag(spec, "adjust", true), flag(spec, "ignore_nulls", false));
    let mut rows: Vec<(usize, f64)> = Vec::new();
    let mut aged = 1.0;
    let mut results = Vec::new();
    for row in 0..valid.len() {
        let factor = match &given {
            Given::Factor(alpha) => Some(*alpha),
            Given::Column(alphas) => alphas[row],
            Given::Times(times) => {
                Some(rows.last().map_or(1.0, |(last, _)| 1.0 - (-(times[row] - times[*last])).exp2()))
            }
        };
        match factor {
            Some(alpha) if valid[row] => {
                let total: f64 = rows.iter().map(|(_, weight)| weight).sum();
                // Not adjusted, the weights so far are scaled to 1 first.
                let scale = (1.0 - alpha) * aged * if adjust || rows.is_empty() { 1.0 } else { 1.0 / total };
                rows.iter_mut().for_each(|(_, weight)| *weight *= scale);
                rows.push((row, if adjust || rows.is_empty() { 1.0 } else { alpha }));
                aged = 1.0;
            }
            Some(alpha) if matches!(given, Given::Factor(_)) && !ignore && !rows.is_empty() => aged *= 1.0 - alpha,
            _ => {}
        }
        let enough = !rows.is_empty() && rows.len() >= min_samples(spec);
        results.push(enough.then(|| Weights { rows: rows.clone(), aged }));
    }
    results
}

impl Weights {
    fn total(&self) -> f64 {
        self.rows.iter().map(|(_, weight)| weight).sum()
    }

    /// 1 - (sum of w^2) / (sum of w)^2
    fn correction(&self) -> f64 {
        let mut correction = 0.0;
        let mut total = 0.0;
        for (_, weight) in &self.rows {
            let sum = total + weight;
            let (old, new) = (total / sum, weight / sum);
            correction = old * (2.0 * new + old * correction);
            total = sum;
        }
        correction
    }

    fn mean(&self, values: &[Option<f64>]) -> f64 {
        let sum: f64 = self.rows.iter().map(|(row, weight)| weight * values[*row].unwrap()).sum();
        sum / self.total()
    }

    /// The mean of the products of the distances to two means, from values relative to the newest.
    fn moment(&self, a: &[Option<f64>], b: &[Option<f64>]) -> f64 {
        let newest = self.rows.last().unwrap().0;
        let relative = |values: &[Option<f64>]| -> Vec<Option<f64>> {
            values.iter().map(|x| x.map(|x| x - values[newest].unwrap())).collect()
        };
        let (a, b) = (relative(a), relative(b));
        let (mean_a, mean_b) = (self.mean(&a), self.mean(&b));
        let product = |row: usize| (a[row].unwrap() - mean_a) * (b[row].unwrap() - mean_b);
        self.rows.iter().map(|(row, weight)| weight * product(*row)).sum::<f64>() / self.total()
    }

    fn largest(&self, values: &[Option<f64>]) -> f64 {
        self.rows.iter().fold(0.0, |largest, (row, _)| f64::max(largest, values[*row].unwrap().abs()))
    }

    /// Whether the values that have weight are all the same.
    fn constant(&self, values: &[Option<f64>]) -> bool {
        let first = values[self.rows[0].0];
        self.rows.iter().all(|(row, _)| values[*row] == first)
    }
}

/// Columns of integers relative to their smallest value, of which no digit is lost.
fn columns<const K: usize>(spec: &KernelSpec, table: &Table, names: [&str; K]) -> ([Vec<Option<f64>>; K], Vec<bool>) {
    let exact = table.exact();
    let columns = names.map(|name| exact.numbers(&text(spec, name)));
    let valid = (0..table.batch.num_rows()).map(|row| columns.iter().all(|column| column[row].is_some())).collect();
    (columns, valid)
}

/// The results of all rows; one of no digits, or whose weights have no sense, may be anything.
fn of_all(spec: &KernelSpec, table: &Table, valid: &[bool], result: impl Fn(&Weights, usize) -> Slow) -> Vec<Slow> {
    let weights = weights(spec, table, valid);
    weights.iter().enumerate().map(|(row, weights)| weights.as_ref().map_or(exact(None), |w| result(w, row))).collect()
}

const ANYTHING: Slow = Slow { answer: Some(0.0), error: f64::INFINITY };

/// Whether factors from a column are what weights can be made of.
fn sound(spec: &KernelSpec, weights: &Weights) -> bool {
    let from_column = matches!(spec.parameters.get("alpha"), Some(Value::Text(_)));
    !from_column || weights.rows.iter().all(|(_, weight)| (0.0..=1.0).contains(weight))
}

pub fn ewm_mean(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let values = table.numbers(&text(spec, "column"));
    let valid: Vec<bool> = values.iter().map(Option::is_some).collect();
    of_all(spec, table, &valid, |weights, _| {
        if !sound(spec, weights) {
            return ANYTHING;
        }
        bounded(weights.mean(&values), 1e3 * EPS * weights.largest(&values))
    })
}

pub fn ewm_sum(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let values = table.numbers(&text(spec, "column"));
    let valid: Vec<bool> = values.iter().map(Option::is_some).collect();
    of_all(spec, table, &valid, |weights, _| {
        if !sound(spec, weights) {
            return ANYTHING;
        }
        let sum: f64 = weights.rows.iter().map(|(row, weight)| weight * values[*row].unwrap()).sum();
        bounded(sum * weights.aged, 1e3 * EPS * weights.largest(&values) * weights.total())
    })
}

/// A result of two moments, which are known to a part of 1e-9.
fn spread(spec: &KernelSpec, weights: &Weights, values: &[Option<f64>], of: impl Fn(f64, f64) -> Option<f64>) -> Slow {
    let correction = weights.correction();
    let largest = weights.largest(values);
    let variance = weights.moment(values, values);
    let sure = sound(spec, weights) && largest < 1e150 && (variance > 1e-140 || weights.constant(values));
    // Rounding decides how much weight is left of a value that is all but forgotten.
    if !sure || (correction < 1e-9 && correction != 0.0) {
        return ANYTHING;
    }
    match of(variance, correction) {
        Some(answer) => bounded(answer, 1e-9 * answer.abs()),
        None => exact(None),
    }
}

fn corrected(spec: &KernelSpec, moment: f64, correction: f64) -> Option<f64> {
    match (flag(spec, "bias", false), correction == 0.0) {
        (true, _) => Some(moment),
        (false, true) => None,
        (false, false) => Some(moment / correction),
    }
}

pub fn ewm_var(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let ([values], valid) = columns(spec, table, ["column"]);
    let of = |variance, correction| corrected(spec, variance, correction);
    of_all(spec, table, &valid, |weights, _| spread(spec, weights, &values, of))
}

pub fn ewm_std(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let ([values], valid) = columns(spec, table, ["column"]);
    let of = |variance, correction| corrected(spec, variance, correction).map(f64::sqrt);
    of_all(spec, table, &valid, |weights, _| spread(spec, weights, &values, of))
}

pub fn ewm_zscore(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let ([values], valid) = columns(spec, table, ["column"]);
    of_all(spec, table, &valid, |weights, row| {
        let (newest, _) = *weights.rows.last().unwrap();
        if newest != row {
            return exact(None);
        }
        let relative: Vec<Option<f64>> = values.iter().map(|x| x.map(|x| x - values[row].unwrap())).collect();
        let distance = -weights.mean(&relative);
        let score = |variance: f64, correction| {
            let variance = corrected(spec, variance, correction)?;
            (variance != 0.0).then(|| distance / variance.sqrt())
        };
        let slow = spread(spec, weights, &values, score);
        // A distance that is small beside the spread has the digits of the spread.
        Slow { error: slow.error + 1e-9, ..slow }
    })
}

pub fn ewm_cov(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    of_two(spec, table, |moments, correction| corrected(spec, moments[1], correction), |[x, _, y]| (x * y).sqrt())
}

pub fn ewm_corr(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let corr = |[x, cov, y]: [f64; 3], _| (x != 0.0 && y != 0.0).then(|| (cov / (x * y).sqrt()).clamp(-1.0, 1.0));
    of_two(spec, table, corr, |_| 1.0)
}

pub fn ewm_beta(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
    let slope = |[x, cov, _]: [f64; 3], _| (x != 0.0).then(|| cov / x);
    of_two(spec, table, slope, |[x, _, y]| (y / x).sqrt())
}

/// A result of the variances of x and y and their covariance, and the size of which its error is a part.
fn of_two(
    spec: &KernelSpec,
    table: &Table,
    of: impl Fn([f64; 3], f64) -> Option<f64>,
    size: impl Fn([f64; 3]) -> f64,
) -> Vec<Slow> {
    let ([x, y], valid) = columns(spec, table, ["x", "y"]);
    of_all(spec, table, &valid, |weights, _| {
        let moments = [weights.moment(&x, &x), weights.moment(&x, &y), weights.moment(&y, &y)];
        let correction = weights.correction();
        let sure = |values: &[Option<f64>], variance: f64| {
            weights.largest(values) < 1e150 && (variance > 1e-140 || weights.constant(values))
        };
        let forgotten = correction < 1e-9 && correction != 0.0;
        if !sound(spec, weights) || forgotten || !sure(&x, moments[0]) || !sure(&y, moments[2]) {
            return ANYTHING;
        }
        let scale = if flag(spec, "bias", false) || correction == 0.0 { 1.0 } else { correction };
        match of(moments, correction) {
            Some(answer) => bounded(answer, 1e-9 * (answer.abs() + size(moments) / scale)),
            None => exact(None),
        }
    })
}

#[cfg(test)]
mod values {
    //! The worked values of the definitions.

    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampSecondArray};

    use crate::reference::numbers;
    use crate::{KernelSpec, evaluate};

    type Column = Vec<Option<f64>>;

    fn table() -> RecordBatch {
        let x = [Some(1.0), None, Some(4.0), Some(2.0), Some(8.0), None, None, Some(5.0)];
        let y = [Some(2.0), Some(3.0), Some(1.0), None, Some(6.0), Some(4.0), None, Some(7.0)];
        let columns: [(&str, ArrayRef); 2] =
            [("x", Arc::new(Float64Array::from(x.to_vec()))), ("y", Arc::new(Float64Array::from(y.to_vec())))];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
            .unwrap()
    }

    fn run(table: &RecordBatch, spec: KernelSpec) -> Column {
        numbers(evaluate(table, &[spec.alias("y")], Some(1)).unwrap().column(0))
    }

    fn close(found: &Column, expected: &[f64], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            let same = match found {
                None => expected.is_nan(),
                Some(found) => (found - expected).abs() <= 1e-12 * expected.abs(),
            };
            assert!(same, "{what}, row {row}: {found:?}, expected {expected}");
        }
    }

    const NULL: f64 = f64::NAN;

    #[test]
    fn means_variances_and_covariances_of_pandas() {
        let table = table();
        let cases = [
            (
                "ewm_mean",
                true,
                false,
                None,
                [1.0, 2.92, 2.496_402_877_697_841_7, 4.589_895_988_112_927, 4.784_343_799_739_545],
            ),
            (
                "ewm_mean",
                true,
                true,
                None,
                [1.0, 2.714_285_714_285_714_4, 2.405_405_405_405_405_3, 4.451_428_571_428_571, 4.631_241_997_439_18],
            ),
            (
                "ewm_mean",
                false,
                false,
                None,
                [1.0, 1.923_076_923_076_923, 1.942_307_692_307_692_4, 3.456_730_769_230_769, 4.030_970_483_005_366],
            ),
            ("ewm_mean", false, true, None, [1.0, 1.75, 1.8125, 3.359375, 3.769_531_25]),
            (
                "ewm_var",
                true,
                false,
                Some(false),
                [NULL, 4.5, 2.106_299_212_598_425, 11.157_558_657_558_658, 6.076_264_790_061_952],
            ),
            (
                "ewm_var",
                true,
                false,
                Some(true),
                [0.0, 2.0736, 1.329_123_751_358_625_4, 7.962_572_500_325_658, 4.229_110_982_366_056],
            ),
            ("ewm_var", true, true, Some(false), [NULL, 4.5, 2.121_621_621_621_621_5, 11.22, 7.202_996_158_770_807]),
            (
                "ewm_var",
                true,
                true,
                Some(true),
                [0.0, 2.204_081_632_653_061, 1.376_186_997_808_619_4, 8.133_355_102_040_817, 5.533_671_824_919_954],
            ),
            (
                "ewm_var",
                false,
                false,
                Some(false),
                [NULL, 4.5, 2.341_155_234_657_039_7, 11.043_775_254_954_781, 7.391_626_788_455_786],
            ),
            (
                "ewm_var",
                false,
                false,
                Some(true),
                [0.0, 1.917_159_763_313_609_5, 1.438_979_289_940_828_5, 7.959_666_235_207_1, 5.554_385_194_119_803],
            ),
            ("ewm_var", false, true, Some(false), [NULL, 4.5, 2.18, 11.547_817_047_817_048, 8.565_756_676_557_864]),
            (
                "ewm_var",
                false,
                true,
                Some(true),
                [0.0, 1.6875, 1.277_343_75, 8.136_474_609_375, 6.607_040_405_273_437_5],
            ),
            ("ewm_cov", true, false, Some(false), [NULL, -1.5, -1.5, 9.260_914_760_914_76, 3.217_834_949_879_149]),
            (
                "ewm_cov",
                true,
                false,
                Some(true),
                [0.0, -0.6912, -0.6912, 5.544_996_779_924_015, 1.964_091_569_651_023_7],
            ),
            ("ewm_cov", true, true, Some(false), [NULL, -1.5, -1.5, 8.5, 4.824_324_324_324_325]),
            (
                "ewm_cov",
                true,
                true,
                Some(true),
                [
                    0.0,
                    -0.734_693_877_551_020_4,
                    -0.734_693_877_551_020_4,
                    5.513_513_513_513_513,
                    3.497_142_857_142_857_3,
                ],
            ),
            ("ewm_cov", false, false, Some(false), [NULL, -1.5, -1.5, 8.146, 6.072_833_925_734_597]),
            (
                "ewm_cov",
                false,
                false,
                Some(true),
                [0.0, -0.639_053_254_437_869_9, -0.639_053_254_437_869_9, 5.133_853_856_657_68, 4.346_683_251_122_734],
            ),
            ("ewm_cov", false, true, Some(false), [NULL, -1.5, -1.5, 7.78, 6.732_848_232_848_233]),
            ("ewm_cov", false, true, Some(true), [0.0, -0.5625, -0.5625, 4.558_593_75, 4.743_896_484_375]),
            ("ewm_corr", true, false, None, [NULL, -1.0, -1.0, 0.872_030_305_364_141_1, 0.483_788_052_401_009_75]),
            ("ewm_corr", false, true, None, [NULL, -1.0, -1.0, 0.828_160_220_994_851_3, 0.737_347_290_653_257_7]),
        ];
        for (name, adjust, ignore, bias, [first, third, fourth, fifth, last]) in cases {
            let spec = KernelSpec::new(name).with("alpha", 0.25).with("adjust", adjust).with("ignore_nulls", ignore);
            let spec = match bias {
                Some(bias) => spec.with("bias", bias),
                None => spec,
            };
            let pairs = matches!(name, "ewm_cov" | "ewm_corr");
            let spec = if pairs { spec.with("x", "x").with("y", "y") } else { spec.with("column", "x") };
            let text = spec.to_string();
            close(&run(&table, spec), &[first, first, third, fourth, fifth, fifth, fifth, last], &text);
        }
    }

    #[test]
    fn a_huge_mean_costs_nothing() {
        let x: ArrayRef = Arc::new(Float64Array::from(vec![1e9 + 1.0, 1e9 + 2.0, 1e9 + 4.0, 1e9 + 3.0, 1e9 + 7.0]));
        let table = RecordBatch::try_from_iter([("x", x)]).unwrap();
        let found = run(&table, KernelSpec::new("ewm_var").with("column", "x").with("alpha", 0.3));
        let right = [NULL, 0.5, 2.463_470_319_634_703, 1.370_950_936_226_288, 6.205_600_714_825_242];
        close(&found, &right, "1e9 + (1 2 4 3 7)");
    }

    #[test]
    fn weights_by_time() {
        let minutes = |minutes: &[i64]| -> ArrayRef {
            Arc::new(TimestampSecondArray::from_iter_values(minutes.iter().map(|minute| minute * 60)))
        };
        let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 4.0, 8.0]));
        let table = RecordBatch::try_from_iter([("t", minutes(&[0, 5, 15, 16])), ("x", x)]).unwrap();
        let of = |name: &str| KernelSpec::new(name).with("column", "x").with("half_life", "5m").with("by", "t");
        let cases = [
            (of("ewm_mean"), [1.0, 1.666_666_666_666_666_7, 3.363_636_363_636_363_8, 5.473_945_336_067_119]),
            (of("ewm_var"), [NULL, 0.5, 2.653_846_153_846_154, 9.545_573_561_416_607]),
            (
                of("ewm_var").with("bias", true),
                [0.0, 0.222_222_222_222_222_2, 1.140_495_867_768_595_2, 5.952_138_252_848_182],
            ),
            (of("ewm_sum"), [1.0, 2.5, 4.625, 12.026_296_355_244_574]),
            (of("ewm_mean").with("adjust", false), [1.0, 1.5, 3.375, 3.973_703_644_755_426]),
            (of("ewm_var").with("adjust", false), [NULL, 0.5, 3.038_461_538_461_538_5, 6.535_488_927_172_944]),
        ];
        for (spec, right) in cases {
            let text = spec.to_string();
            close(&run(&table, spec), &right, &text);
        }
        let x: ArrayRef = Arc::new(Float64Array::from(vec![10.0, 20.0, 30.0]));
        let ties: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1, 1]));
        let table = RecordBatch::try_from_iter([("t", ties), ("x", x)]).unwrap();
        let spec = KernelSpec::new("ewm_mean").with("column", "x").with("half_life", "1s").with("by", "t");
        close(&run(&table, spec.clone()), &[10.0, 16.666_666_666_666_668, 22.0], "ties, adjusted");
        close(&run(&table, spec.with("adjust", false)), &[10.0, 15.0, 15.0], "ties, not adjusted");
    }

    #[test]
    fn sums_age_over_nulls() {
        let x: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), None, Some(4.0), Some(8.0)]));
        let table = RecordBatch::try_from_iter([("x", x)]).unwrap();
        let spec = KernelSpec::new("ewm_sum").with("column", "x").with("alpha", 0.5);
        close(&run(&table, spec.clone()), &[1.0, 0.5, 4.25, 10.125], "ages");
        close(&run(&table, spec.with("ignore_nulls", true)), &[1.0, 1.0, 4.5, 10.25], "ignored");
    }

    #[test]
    fn a_factor_from_a_column_is_that_of_each_row() {
        let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 4.0, 8.0]));
        let alpha: ArrayRef = Arc::new(Float64Array::from(vec![0.5, 0.25, 1.0, 0.5]));
        let table = RecordBatch::try_from_iter([("x", x), ("a", alpha)]).unwrap();
        let spec = KernelSpec::new("ewm_mean").with("column", "x").with("alpha", "a").with("adjust", false);
        close(&run(&table, spec), &[1.0, 1.25, 4.0, 6.0], "not adjusted");
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let plain = || KernelSpec::new("ewm_var").with("column", "x");
        let cases = [
            (plain(), "exactly one of com, span, half_life and alpha is required, got 0"),
            (plain().with("com", 1.0).with("span", 3), "exactly one"),
            (plain().with("half_life", "5m"), "'by': required"),
            (plain().with("half_life", 5).with("by", "t"), "'by': needs `half_life` as a duration"),
            (plain().with("half_life", "5m").with("by", "t").with("ignore_nulls", true), "has no meaning by time"),
            (plain().with("half_life", 0), "must be above 0"),
            (plain().with("alpha", 1.5), "must be above 0 and at most 1"),
        ];
        for (spec, words) in cases {
            let error = spec.validate().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
