//! Means of means: `ema` and `wilder`, and weighted sums of an exponential mean, the mean of that, and so on: DEMA and TEMA
//! (Mulloy 1994) and T3 (Tillson 1998), whose weights cancel the lag of the mean.

use super::seeded::{COLUMN_AND_WINDOW, SeededMean, WINDOW, plan_of_window};
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Shape};
use crate::spec::{Family, Kind, Literal, Parameter};

/// `K` means, each of the one before; each begins with the mean of the first values of its input.
#[derive(Debug, Clone)]
pub struct Cascade<const K: usize> {
    mean: SeededMean,
}

/// How many values there were, and the means.
pub type Means<const K: usize> = (i64, [f64; K]);

impl<const K: usize> Cascade<K> {
    /// Means of the same kind.
    pub fn new(mean: SeededMean) -> Self {
        Self { mean }
    }

    /// After this many values the last mean is still missing.
    fn delay(&self, means: i64) -> i64 {
        (self.mean.window - 1).saturating_mul(means)
    }

    /// Whether the last mean exists.
    #[inline(always)]
    pub fn exists(&self, seen: i64) -> bool {
        seen > self.delay(K as i64)
    }

    /// Reads a value.
    #[inline(always)]
    pub fn step(&self, (seen, means): &mut Means<K>, x: f64) {
        let settled = self.exists(*seen);
        *seen += 1;
        let mut x = x;
        if settled {
            for mean in means {
                self.mean.step(mean, i64::MAX, x);
                x = *mean;
            }
            return;
        }
        for (earlier, mean) in (0..).zip(means) {
            let own = *seen - self.delay(earlier);
            if own < 1 {
                return;
            }
            self.mean.step(mean, own, x);
            if own < self.mean.window {
                return;
            }
            x = *mean;
        }
    }
}

/// A weighted sum of the means of a cascade.
#[derive(Debug, Clone)]
pub struct CascadeSum<const K: usize> {
    cascade: Cascade<K>,
    weights: [f64; K],
}

impl<const K: usize> CascadeSum<K> {
    fn new(mean: SeededMean, weights: [f64; K]) -> Self {
        Self { cascade: Cascade::new(mean), weights }
    }

    #[inline(always)]
    fn answer(&self, (seen, means): &Means<K>) -> Option<f64> {
        if !self.cascade.exists(*seen) {
            return None;
        }
        // The last mean first, as in TA-Lib's T3.
        let mut sum = means[K - 1] * self.weights[K - 1];
        for k in (0..K - 1).rev() {
            if self.weights[k] != 0.0 {
                sum += means[k] * self.weights[k];
            }
        }
        Some(sum)
    }
}

impl<const K: usize> Recurrence for CascadeSum<K>
where
    [f64; K]: Default,
{
    type Input = f64;
    type Output = f64;
    type State = Means<K>;

    fn start(&self) -> Means<K> {
        (0, [0.0; K])
    }

    #[inline(always)]
    fn step(&self, state: &mut Means<K>, x: f64) -> Option<f64> {
        self.cascade.step(state, x);
        self.answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut Means<K>) -> Option<f64> {
        self.answer(state)
    }
}

/// The weights of T3's means, which are those of (1 + v) m - v m(m), applied three times.
fn t3_weights(v: f64) -> [f64; 6] {
    let (square, cube) = (v * v, v * v * v);
    let fourth = -3.0 * square;
    [0.0, 0.0, 1.0 + 3.0 * v + cube - fourth, 2.0 * fourth - 3.0 * (v + cube), 3.0 * square + 3.0 * cube, -cube]
}

pub(crate) const EMA: Entry = Entry {
    names: &["ema"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Exponential moving average that begins with the mean of the first `window` values.",
    formula: "y[window-1] = mean of x[0..window]; then y[i] = y[i-1] + (x[i] - y[i-1]) * 2 / (window + 1)",
    notes: "Null before the first `window` values. A null row is not counted and returns the last result. A NaN stays in every \
            later result of its key. `window=1` returns the values. Error at most about `window` eps of the largest value; a \
            constant is returned exactly. `ewm_mean(span=window, adjust=False)` differs in its start: it begins with the first \
            value. TA-Lib and polars-talib return NaN, not null, in the first rows and after a null.",
    source: "TA-Lib `EMA`.",
    parameters: COLUMN_AND_WINDOW,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| plan_of_window(arguments, 1, |window| CascadeSum::new(SeededMean::ema(window), [1.0])),
    #[cfg(test)]
    reference: reference::cascade,
};

pub(crate) const WILDER: Entry = Entry {
    names: &["wilder"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Wilder's moving average (RMA, SMMA): begins with the mean of the first `window` values.",
    formula: "y[window-1] = mean of x[0..window]; then y[i] = y[i-1] + (x[i] - y[i-1]) / window",
    notes: "Null before the first `window` values. A null row is not counted and returns the last result. A NaN stays in every \
            later result of its key. `window=1` returns the values. Error at most about `window` eps of the largest value; a \
            constant is returned exactly. polars_ta's RMA begins with the first value.",
    source: "Wilder, New Concepts in Technical Trading Systems (1978); the means inside TA-Lib's `RSI` and `ATR`.",
    parameters: COLUMN_AND_WINDOW,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| plan_of_window(arguments, 1, |window| CascadeSum::new(SeededMean::wilder(window), [1.0])),
    #[cfg(test)]
    reference: reference::cascade,
};

pub(crate) const DEMA: Entry = Entry {
    names: &["dema"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Double exponential moving average: less lag than `ema`.",
    formula: "y = 2 * e1 - e2, with e1 = ema(x, window) and e2 = ema(e1, window)",
    notes: "Null before the first 2 * window - 1 values: each mean begins with the mean of the first `window` values of its \
            input. A null row is not counted and returns the last result. A NaN stays in every later result of its key. Error \
            at most about 6 * `window` eps of the largest value.",
    source: "TA-Lib `DEMA`; Mulloy 1994.",
    parameters: COLUMN_AND_WINDOW,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| plan_of_window(arguments, 1, |window| CascadeSum::new(SeededMean::ema(window), [2.0, -1.0])),
    #[cfg(test)]
    reference: reference::cascade,
};

pub(crate) const TEMA: Entry = Entry {
    names: &["tema"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Triple exponential moving average: less lag than `dema`.",
    formula: "y = 3 * e1 - 3 * e2 + e3, with e1 = ema(x, window), e2 = ema(e1, window) and e3 = ema(e2, window)",
    notes: "Null before the first 3 * window - 2 values: each mean begins with the mean of the first `window` values of its \
            input. A null row is not counted and returns the last result. A NaN stays in every later result of its key. Error \
            at most about 20 * `window` eps of the largest value.",
    source: "TA-Lib `TEMA`; Mulloy 1994.",
    parameters: COLUMN_AND_WINDOW,
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(2))],
    plan: |arguments| plan_of_window(arguments, 1, |window| CascadeSum::new(SeededMean::ema(window), [3.0, -3.0, 1.0])),
    #[cfg(test)]
    reference: reference::cascade,
};

pub(crate) const T3: Entry = Entry {
    names: &["t3"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Tillson's T3: six exponential moving averages, combined so that their lag cancels.",
    formula: "y = -v^3 * e6 + 3 (v^2 + v^3) * e5 - 3 (2 v^2 + v + v^3) * e4 + (1 + 3 v + v^3 + 3 v^2) * e3, with e1 = ema(x, \
              window), e2 = ema(e1, window), ..., e6 = ema(e5, window) and v = volume_factor",
    notes: "Null before the first 6 * window - 5 values: each mean begins with the mean of the first `window` values of its \
            input. A null row is not counted and returns the last result. A NaN stays in every later result of its key. With \
            the usual `volume_factor` the error is at most about 60 * `window` eps of the largest value.",
    source: "TA-Lib `T3`; Tillson 1998.",
    parameters: &[
        COLUMN,
        WINDOW,
        Parameter::optional(
            "volume_factor",
            Kind::Number,
            Literal::Number(0.7),
            "How far the lag is compensated, from 0 (the third mean) to 1.",
        ),
    ],
    example: &[("column", Literal::Text("z")), ("window", Literal::Count(1))],
    plan: |arguments| {
        let factor = arguments.number("volume_factor")?;
        if !(0.0..=1.0).contains(&factor) {
            return Err(arguments.refuse("volume_factor", format!("must be from 0 to 1, got {factor}")));
        }
        plan_of_window(arguments, 1, |window| CascadeSum::new(SeededMean::ema(window), t3_weights(factor)))
    },
    #[cfg(test)]
    reference: reference::cascade,
};

/// Each mean as a column of its own.
#[cfg(test)]
mod reference {
    use super::super::plain::{held, scale, seeded, window};
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact, number};

    pub fn cascade(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let (values, n) = (column(spec, table), window(spec));
        let v = number(spec, "volume_factor").unwrap_or(0.7);
        let weights = match spec.name.as_str() {
            "ema" | "wilder" => vec![1.0],
            "dema" => vec![2.0, -1.0],
            "tema" => vec![3.0, -3.0, 1.0],
            _ => {
                let (v2, v3) = (v * v, v * v * v);
                vec![0.0, 0.0, 1.0 + 3.0 * v + v3 + 3.0 * v2, -6.0 * v2 - 3.0 * v - 3.0 * v3, 3.0 * v2 + 3.0 * v3, -v3]
            }
        };
        let alpha = if spec.name == "wilder" { 1.0 / n } else { 2.0 / (n + 1.0) };
        let mut means = vec![seeded(&values, n, alpha)];
        for k in 1..weights.len() {
            means.push(seeded(&means[k - 1], n, alpha));
        }
        let size: f64 = weights.iter().map(|w| w.abs()).sum();
        let row = |i: usize| {
            if means[weights.len() - 1][i].is_none() {
                return exact(None);
            }
            let used = weights.iter().zip(&means).filter(|(w, _)| **w != 0.0);
            let answer = used.map(|(w, mean)| w * mean[i].unwrap()).sum();
            bounded(answer, 32.0 * weights.len() as f64 * size * (n + 2.0) * EPS * scale(&values[..=i]))
        };
        held(&values, row)
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, huge_windows_are_cheap, of_z, with_nulls};
    use crate::KernelSpec;

    fn of(name: &str) -> KernelSpec {
        KernelSpec::new(name).with("column", "z").with("window", 3)
    }

    #[test]
    fn worked_values() {
        assert_close(&of_z(&of("ema")), 2, &[2.0, 3.5, 3.75, 5.375, 5.6875]);
        let wilder = [2.0, 3.0, 3.333_333_333_333_333_5, 4.555_555_555_555_555, 5.037_037_037_037_036];
        assert_close(&of_z(&of("wilder")), 2, &wilder);
        let dema = [4.416_666_666_666_666, 6.520_833_333_333_333, 6.416_666_666_666_666, 8.536_458_333_333_332];
        assert_close(&of_z(&of("dema")), 4, &dema);
        let tema = [6.277_777_777_777_776, 8.698_784_722_222_221, 8.297_309_027_777_779, 9.831_597_222_222_223];
        assert_close(&of_z(&of("tema")), 6, &tema);
        let t3 = [10.713_506_946_453_832, 11.295_231_868_853_788, 12.422_409_473_309_308];
        assert_close(&of_z(&of("t3")), 12, &t3);
    }

    #[test]
    fn a_window_of_one_value_returns_the_values() {
        let z = of_z(&of("ema"));
        for name in ["ema", "wilder", "dema", "tema"] {
            let same = of_z(&of(name).with("window", 1));
            assert_close(&same, 0, &[1.0, 3.0, 2.0, 5.0]);
            assert_eq!(same.len(), z.len());
        }
    }

    #[test]
    fn a_null_row_returns_the_last_result_and_is_not_counted() {
        let spec = of("ema").with("column", "x");
        assert_close(&with_nulls(&spec), 3, &[7.0 / 3.0, 31.0 / 6.0, 31.0 / 6.0]);
    }

    #[test]
    fn invalid_parameters() {
        for name in ["ema", "wilder", "dema", "tema", "t3"] {
            assert_refused(&of(name).with("window", 0), "parameter 'window': must be at least 1, got 0");
            assert_refused(&of(name).with("window", -1), "parameter 'window': must not be negative, got -1");
            huge_windows_are_cheap(&of(name), "window");
        }
        for factor in [-0.1, 1.5, f64::NAN] {
            assert_refused(&of("t3").with("volume_factor", factor), "must be from 0 to 1");
        }
    }
}
