//! Wilder's directional movement system: how far the highs rise and the lows fall, relative to the true range.

use std::collections::VecDeque;
use std::fmt::Display;

use super::seeded::{SeededMean, count_from, rows};
use super::true_range::{CLOSE, HIGH, LOW, true_range};
use crate::error::Result;
use crate::model::{Recurrence, as_f64};
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{NO_FIELD, Persist, StateReader, StateWriter, field};

/// See the module.
#[derive(Debug, Clone)]
pub struct DirectionalMovement {
    mean: SeededMean,
    over: f64,
}

/// The last row, the sums, and the results that later rows refer to.
#[derive(Debug, Clone)]
pub struct Movement {
    seen: i64,
    /// High, low and close of the last row.
    last: [f64; 3],
    /// Wilder's sums of upward movement, downward movement and true range.
    sums: [f64; 3],
    dx: f64,
    adx: f64,
    /// The last `window` values of the average directional index.
    averages: VecDeque<f64>,
}

/// By how much the high rose or the low fell, whichever moved more; the other one is 0, and both are if they moved as far.
#[inline(always)]
fn movement([high, low]: [f64; 2], [last_high, last_low]: [f64; 2]) -> [f64; 2] {
    let (up, down) = (high - last_high, last_low - low);
    if up.is_nan() || down.is_nan() {
        [f64::NAN; 2]
    } else if up > down && up > 0.0 {
        [up, 0.0]
    } else if down > up && down > 0.0 {
        [0.0, down]
    } else {
        [0.0; 2]
    }
}

/// The directional indicators: the movements as percentages of the range.
#[inline(always)]
fn indicators([plus, minus, range]: [f64; 3]) -> [f64; 2] {
    if range == 0.0 { [0.0; 2] } else { [100.0 * (plus / range), 100.0 * (minus / range)] }
}

impl Recurrence for DirectionalMovement {
    /// High, low and close.
    type Input = [f64; 3];
    type Output = [f64; 7];
    type State = Movement;

    fn start(&self) -> Movement {
        Movement { seen: 0, last: [0.0; 3], sums: [0.0; 3], dx: 0.0, adx: 0.0, averages: VecDeque::new() }
    }

    #[inline(always)]
    fn step(&self, state: &mut Movement, row: [f64; 3]) -> Option<[f64; 7]> {
        let [high, low, _] = row;
        let moves = state.seen;
        state.seen += 1;
        if moves > 0 {
            let [last_high, last_low, last_close] = state.last;
            let [plus, minus] = movement([high, low], [last_high, last_low]);
            for (sum, x) in state.sums.iter_mut().zip([plus, minus, true_range(high, low, last_close)]) {
                // The first sums hold one value less than the window.
                *sum = if moves < self.mean.window { *sum + x } else { *sum - *sum * self.over + x };
            }
        }
        state.last = row;
        if moves >= self.mean.window {
            let [plus, minus] = indicators(state.sums);
            let total = plus + minus;
            let moved = total != 0.0;
            if moved {
                state.dx = 100.0 * ((plus - minus).abs() / total);
            }
            let index = moves - self.mean.window + 1;
            if moved || index <= self.mean.window {
                self.mean.step(&mut state.adx, index, if moved { state.dx } else { 0.0 });
            }
            if index >= self.mean.window {
                state.averages.push_back(state.adx);
                if rows(state.averages.len()) > self.mean.window {
                    state.averages.pop_front();
                }
            }
        }
        self.skip(state)
    }

    #[inline]
    fn skip(&self, state: &mut Movement) -> Option<[f64; 7]> {
        let (moves, window) = (state.seen - 1, self.mean.window);
        if moves < window - 1 {
            return None;
        }
        let mut out = [NO_FIELD; 7];
        (out[0], out[1]) = (field(state.sums[0]), field(state.sums[1]));
        if moves >= window {
            let [plus, minus] = indicators(state.sums);
            (out[2], out[3], out[4]) = (field(plus), field(minus), field(state.dx));
        }
        if !state.averages.is_empty() {
            out[5] = field(state.adx);
        }
        if rows(state.averages.len()) == window {
            out[6] = field((state.adx + state.averages[0]) / 2.0);
        }
        Some(out)
    }
}

impl Persist for Movement {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.integer(format_args!("{name}.seen"), self.seen);
        self.last.write(&format_args!("{name}.last"), to);
        self.sums.write(&format_args!("{name}.sums"), to);
        to.float(format_args!("{name}.dx"), self.dx);
        to.float(format_args!("{name}.adx"), self.adx);
        to.rows(format_args!("{name}.averages"), self.averages.iter().copied().map(Some));
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self {
            seen: from.integer(format_args!("{name}.seen"))?,
            last: <[f64; 3]>::read(&format_args!("{name}.last"), from)?,
            sums: <[f64; 3]>::read(&format_args!("{name}.sums"), from)?,
            dx: from.float(format_args!("{name}.dx"))?,
            adx: from.float(format_args!("{name}.adx"))?,
            averages: from.rows(format_args!("{name}.averages"))?.into_iter().flatten().collect(),
        })
    }
}

/// The fields of the result.
const FIELDS: &[&str] = &["plus_dm", "minus_dm", "plus_di", "minus_di", "dx", "adx", "adxr"];

fn plan(arguments: &Arguments) -> Result<Plan> {
    let window = count_from(arguments, "window", 2)?;
    let inputs = Inputs::of(arguments, &["high", "low", "close"])?;
    let movement = DirectionalMovement { mean: SeededMean::wilder(window), over: 1.0 / as_f64(window) };
    Ok(Plan::recurrence_of_fields(inputs, FIELDS, movement))
}

pub(crate) const DIRECTIONAL_MOVEMENT: Entry = Entry {
    names: &["directional_movement"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Wilder's directional movement: movements, indicators, and the index with its averages.",
    formula: "plus_dm sums high[i] - high[i-1] where that is positive and above low[i-1] - low[i], minus_dm the other way round; \
              plus_di = 100 * plus_dm / (sum of the true ranges); dx = 100 * abs(plus_di - minus_di) / (plus_di + minus_di); adx \
              = wilder(dx, window); adxr[i] = (adx[i] + adx[i-window+1]) / 2; sums: s - s / window + x",
    notes: "A struct of `plus_dm`, `minus_dm` (from row `window` - 1 on), `plus_di`, `minus_di`, `dx` (from row `window`), `adx` \
            (from row 2 * `window` - 1) and `adxr` (from row 3 * `window` - 2); null before. The first sums hold one value less \
            than `window`. Without movement `dx` keeps its last value, at first 0, and `adx` is unchanged, as in TA-Lib. A row \
            with a null in any input is not counted and returns the last result. A NaN stays in every later result of its key. The \
            error is a few eps per row.",
    source: "TA-Lib `PLUS_DM`, `MINUS_DM`, `PLUS_DI`, `MINUS_DI`, `DX`, `ADX` and `ADXR`; Wilder 1978.",
    parameters: &[
        HIGH,
        LOW,
        CLOSE,
        Parameter::usual("window", Kind::Rows, Literal::Count(14), "The length of Wilder's sums and mean, at least 2."),
    ],
    example: &[
        ("high", Literal::Text("z")),
        ("low", Literal::Text("x")),
        ("close", Literal::Text("x")),
        ("window", Literal::Count(2)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::directional_movement,
};

/// Movements, ranges, sums and indices as columns of the rows without nulls.
#[cfg(test)]
mod reference {
    use super::super::plain::{held, window};
    use super::super::true_range::reference::ranges;
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, exact, triples};

    /// Wilder's sum: the value of row `i` is the result of row i + 1.
    fn sums(values: &[f64], n: usize) -> Vec<f64> {
        let mut sum = 0.0;
        let step = |(i, x): (usize, &f64)| {
            sum = if i + 1 < n { sum + x } else { sum - sum / n as f64 + x };
            sum
        };
        values.iter().enumerate().map(step).collect()
    }

    pub fn directional_movement(spec: &KernelSpec, table: &Table, field: Option<&str>) -> Vec<Slow> {
        let rows = triples(spec, table, ["high", "low", "close"]);
        let n = window(spec) as usize;
        let given: Vec<[f64; 3]> = rows.iter().flatten().copied().collect();
        let up: Vec<f64> = given.windows(2).map(|pair| pair[1][0] - pair[0][0]).collect();
        let down: Vec<f64> = given.windows(2).map(|pair| pair[0][1] - pair[1][1]).collect();
        let part = |one: &[f64], other: &[f64]| -> Vec<f64> {
            let pairs = one.iter().zip(other);
            let nan = |one: f64, other: f64| one.is_nan() || other.is_nan();
            pairs
                .map(|(a, b)| {
                    if nan(*a, *b) {
                        f64::NAN
                    } else if *a > b.max(0.0) {
                        *a
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        let (plus, minus) = (sums(&part(&up, &down), n), sums(&part(&down, &up), n));
        let range: Vec<f64> =
            ranges(&given.iter().copied().map(Some).collect::<Vec<_>>()).into_iter().flatten().collect();
        let range = sums(&range, n);
        let share = |sum: f64, range: f64| if range == 0.0 { 0.0 } else { 100.0 * sum / range };
        let (mut dx, mut adx): (Vec<f64>, Vec<Option<f64>>) = (Vec::new(), Vec::new());
        let (mut seed, mut tiny) = (0.0, usize::MAX);
        for i in n - 1..range.len().max(n - 1) {
            let (p, m) = (share(plus[i], range[i]), share(minus[i], range[i]));
            let moved = p + m != 0.0;
            if range[i] != 0.0 && range[i] < 1e-290 {
                tiny = tiny.min(i);
            }
            dx.push(if moved { 100.0 * (p - m).abs() / (p + m) } else { dx.last().copied().unwrap_or(0.0) });
            let last = adx.last().copied().flatten();
            let now = *dx.last().unwrap();
            if dx.len() <= n && moved {
                seed += now;
            }
            adx.push(match last {
                None if dx.len() < n => None,
                None => Some(seed / n as f64),
                Some(last) => Some(if moved { last + (now - last) / n as f64 } else { last }),
            });
        }
        let mut row: usize = 0;
        held(&rows, |_| {
            row += 1;
            // Movement, and which of the indices it has; the first row has none.
            let (Some(at), index) = (row.checked_sub(2), row.checked_sub(n + 1)) else { return exact(None) };
            if at + 2 < n {
                return exact(None);
            }
            let error = 64.0 * (row + n) as f64 * EPS;
            let error = if at >= tiny { f64::INFINITY } else { error };
            let adx_at = |back: usize| adx.get(index?.checked_sub(back)?).copied().flatten();
            let answer = match field.unwrap() {
                "plus_dm" => return bounded(plus[at], error * plus[at]),
                "minus_dm" => return bounded(minus[at], error * minus[at]),
                "plus_di" => index.map(|_| share(plus[at], range[at])),
                "minus_di" => index.map(|_| share(minus[at], range[at])),
                "dx" => index.map(|index| dx[index]),
                "adx" => adx_at(0),
                _ => adx_at(0).zip(adx_at(n - 1)).map(|(now, then)| (now + then) / 2.0),
            };
            answer.map_or(exact(None), |answer| bounded(answer, 100.0 * 4.0 * error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, field_of_z, huge_windows_are_cheap};
    use crate::KernelSpec;

    #[test]
    fn worked_values() {
        let spec =
            KernelSpec::new("directional_movement").with("high", "high").with("low", "low").with("close", "close");
        let spec = spec.with("window", 3);
        assert_close(&field_of_z(&spec, "plus_dm"), 2, &[2.0, 4.333_333_333_333_334, 2.888_888_888_888_889_3]);
        assert_close(&field_of_z(&spec, "plus_di"), 3, &[59.090_909_090_909_09, 41.935_483_870_967_744]);
        assert_close(&field_of_z(&spec, "dx"), 3, &[73.333_333_333_333_33, 33.333_333_333_333_33]);
        assert_close(
            &field_of_z(&spec, "adx"),
            5,
            &[57.987_421_383_647_79, 49.769_392_033_542_97, 54.899_743_128_234_064],
        );
        assert_close(&field_of_z(&spec, "adxr"), 7, &[(57.987_421_383_647_79 + 54.899_743_128_234_064) / 2.0]);
        assert_refused(&spec.clone().with("window", 1), "parameter 'window': must be at least 2, got 1");
        huge_windows_are_cheap(&spec, "window");
    }
}
