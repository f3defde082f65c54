//! The smoothing of Holt and Winters: a level, a trend and a season for each row of a period, and the forecast that they give.
//!
//! The first two periods are kept until they are complete; they give the start, and are then smoothed like all later rows.

use std::fmt::Display;

use super::seeded::{count_from, share};
use crate::error::{Error, Result};
use crate::model::{Recurrence, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{Persist, StateReader, StateWriter, field};

/// Whether seasons are factors (`FACTORS`) or differences.
#[derive(Debug, Clone)]
pub struct HoltWinters<const FACTORS: bool> {
    period: usize,
    alpha: f64,
    beta: f64,
    gamma: f64,
}

/// The level, the trend and the seasons.
#[derive(Debug, Clone)]
pub struct Seasons {
    started: bool,
    level: f64,
    trend: f64,
    /// Where the season of the next row is.
    at: usize,
    /// The season of the last row.
    season: f64,
    /// The values of the first two periods; from then on the seasons of a period.
    seasons: Vec<f64>,
}

impl<const FACTORS: bool> HoltWinters<FACTORS> {
    /// A value without its season.
    #[inline(always)]
    fn without(x: f64, season: f64) -> f64 {
        if FACTORS { x / season } else { x - season }
    }

    #[inline(always)]
    fn smooth(&self, state: &mut Seasons, x: f64) {
        let (season, expected) = (state.seasons[state.at], state.level + state.trend);
        let level = self.alpha * Self::without(x, season) + (1.0 - self.alpha) * expected;
        state.trend = self.beta * (level - state.level) + (1.0 - self.beta) * state.trend;
        state.level = level;
        state.season = self.gamma * Self::without(x, expected) + (1.0 - self.gamma) * season;
        state.seasons[state.at] = state.season;
        self.turn(state);
    }

    #[inline(always)]
    fn turn(&self, state: &mut Seasons) {
        state.at += 1;
        if state.at == self.period {
            state.at = 0;
        }
    }

    /// Starts from the first two periods.
    #[cold]
    fn begin(&self, state: &mut Seasons) {
        let values = std::mem::take(&mut state.seasons);
        let (first, second) = values.split_at(self.period);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / as_f64(self.period);
        state.level = mean(first);
        state.trend = (mean(second) - state.level) / as_f64(self.period);
        state.seasons = first.iter().map(|x| Self::without(*x, state.level)).collect();
        state.started = true;
        values.iter().for_each(|x| self.smooth(state, *x));
    }

    #[inline(always)]
    fn answer(state: &Seasons) -> Option<[f64; 4]> {
        if !state.started {
            return None;
        }
        let (expected, next) = (state.level + state.trend, state.seasons[state.at]);
        let forecast = if FACTORS { expected * next } else { expected + next };
        Some([field(state.level), field(state.trend), field(state.season), field(forecast)])
    }
}

impl<const FACTORS: bool> Recurrence for HoltWinters<FACTORS> {
    type Input = f64;
    type Output = [f64; 4];
    type State = Seasons;

    fn start(&self) -> Seasons {
        Seasons { started: false, level: 0.0, trend: 0.0, at: 0, season: 0.0, seasons: Vec::new() }
    }

    #[inline(always)]
    fn step(&self, state: &mut Seasons, x: f64) -> Option<[f64; 4]> {
        if state.started {
            self.smooth(state, x);
        } else {
            state.seasons.push(x);
            if state.seasons.len() / 2 == self.period {
                self.begin(state);
            }
        }
        Self::answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut Seasons) -> Option<[f64; 4]> {
        if state.started {
            state.level += state.trend;
            state.season = state.seasons[state.at];
            self.turn(state);
        }
        Self::answer(state)
    }
}

impl Persist for Seasons {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.flag(format_args!("{name}.started"), self.started);
        to.float(format_args!("{name}.level"), self.level);
        to.float(format_args!("{name}.trend"), self.trend);
        to.count(format_args!("{name}.at"), self.at);
        to.float(format_args!("{name}.season"), self.season);
        to.rows(format_args!("{name}.seasons"), self.seasons.iter().copied().map(Some));
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        let state = Self {
            started: from.flag(format_args!("{name}.started"))?,
            level: from.float(format_args!("{name}.level"))?,
            trend: from.float(format_args!("{name}.trend"))?,
            at: from.count(format_args!("{name}.at"))?,
            season: from.float(format_args!("{name}.season"))?,
            seasons: from.rows(format_args!("{name}.seasons"))?.into_iter().flatten().collect(),
        };
        if state.started && state.at >= state.seasons.len() {
            return Err(Error::state(format!("'{name}.at' is beyond the seasons, got {}", state.at)));
        }
        Ok(state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let period = count_from(arguments, "period", 2)?;
    let alpha = share(arguments, "alpha", false)?;
    let (beta, gamma) = (share(arguments, "beta", true)?, share(arguments, "gamma", true)?);
    let inputs = Inputs::of(arguments, &["column"])?;
    let fields = &["level", "trend", "season", "forecast"];
    Ok(if arguments.choice("seasonal", &[("additive", false), ("multiplicative", true)])? {
        Plan::recurrence_of_fields(inputs, fields, HoltWinters::<true> { period, alpha, beta, gamma })
    } else {
        Plan::recurrence_of_fields(inputs, fields, HoltWinters::<false> { period, alpha, beta, gamma })
    })
}

pub(crate) const HOLT_WINTERS: Entry = Entry {
    names: &["holt_winters"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Holt-Winters exponential smoothing: level, trend, season, and the forecast of the next row.",
    formula: "e = level[i-1] + trend[i-1]; level[i] = alpha * (x[i] - season[i-m]) + (1 - alpha) * e; trend[i] = beta * (level[i] \
              - level[i-1]) + (1 - beta) * trend[i-1]; season[i] = gamma * (x[i] - e) + (1 - gamma) * season[i-m]; forecast[i] = \
              level[i] + trend[i] + season[i+1-m], with m = period; with seasonal='multiplicative' seasons multiply and divide",
    notes: "A struct of `level`, `trend`, `season` and `forecast`; null before the first 2 * period values. They give the start: \
            the level is the mean of the first period, the trend the difference of the means of the two, divided by `period`, a \
            season the value relative to the level. These rows are then smoothed like all others. A null row among them is \
            left out, which moves the seasons of the rows after it; later the level of a null row is level plus trend, and its \
            season stays. A NaN stays in every later result of its key. statsmodels has the same update; R's `HoltWinters` \
            updates the season with the new level, and additive seasons agree for R's gamma = gamma / (1 - alpha).",
    source: "statsmodels `ExponentialSmoothing` with `initialization_method=\"known\"`; Winters 1960.",
    parameters: &[
        COLUMN,
        Parameter::required("period", Kind::Rows, "The number of rows of a period, at least 2."),
        Parameter::required("alpha", Kind::Number, "The weight of a value in the level, in (0, 1]."),
        Parameter::required("beta", Kind::Number, "The weight of a change of the level in the trend, in [0, 1]."),
        Parameter::required("gamma", Kind::Number, "The weight of a value in its season, in [0, 1]."),
        Parameter::optional(
            "seasonal",
            Kind::Choice(&["additive", "multiplicative"]),
            Literal::Text("additive"),
            "Whether a season is a difference ('additive') or a factor ('multiplicative').",
        ),
    ],
    example: &[
        ("column", Literal::Text("z")),
        ("period", Literal::Count(2)),
        ("alpha", Literal::Number(0.5)),
        ("beta", Literal::Number(0.25)),
        ("gamma", Literal::Number(0.125)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::holt_winters,
};

/// The formula, with the season of every row in a list.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, choice, column, exact, number};

    pub fn holt_winters(spec: &KernelSpec, table: &Table, field: Option<&str>) -> Vec<Slow> {
        let get = |name: &str| number(spec, name).unwrap();
        let (m, alpha, beta, gamma) = (get("period") as usize, get("alpha"), get("beta"), get("gamma"));
        let factors = choice(spec, "seasonal", "additive") == "multiplicative";
        let apart = |x: f64, y: f64| if factors { x / y } else { x - y };
        let column = column(spec, table);
        // The rows that count: values, and the nulls after the start.
        let mut values: Vec<Option<f64>> = Vec::new();
        let counted: Vec<Option<usize>> = column
            .iter()
            .map(|x| {
                let given = values.iter().flatten().count();
                if x.is_some() || given >= 2 * m {
                    values.push(*x);
                }
                (values.iter().flatten().count() >= 2 * m).then(|| values.len() - 1)
            })
            .collect();
        if values.len() < 2 * m {
            return vec![exact(None); column.len()];
        }
        let mean = |from: usize| values[from..from + m].iter().map(|x| x.unwrap()).sum::<f64>() / m as f64;
        let mut level = mean(0);
        let mut trend = (mean(m) - level) / m as f64;
        let mut seasons: Vec<f64> = values[..m].iter().map(|x| apart(x.unwrap(), level)).collect();
        let mut results = Vec::new();
        let mut scale = 0.0f64;
        for (i, x) in values.iter().enumerate() {
            let (expected, last, season) = (level + trend, level, seasons[i]);
            level = x.map_or(expected, |x| alpha * apart(x, season) + (1.0 - alpha) * expected);
            trend = x.map_or(trend, |_| beta * (level - last) + (1.0 - beta) * trend);
            seasons.push(x.map_or(season, |x| gamma * apart(x, expected) + (1.0 - gamma) * season));
            let next = seasons[i + 1];
            let forecast = if factors { (level + trend) * next } else { level + trend + next };
            results.push([level, trend, seasons[i + m], forecast]);
            scale = scale.max(level.abs()).max(forecast.abs());
        }
        let place = ["level", "trend", "season", "forecast"].iter().position(|name| Some(*name) == field).unwrap();
        // The operations are the same, so the error is that of other orders of a sum.
        let result = |i: &Option<usize>| i.map_or(exact(None), |i| bounded(results[i][place], 16.0 * EPS * scale));
        counted.iter().map(result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, field_of_q, huge_windows_are_cheap, result, table_of};
    use crate::KernelSpec;

    fn holt_winters() -> KernelSpec {
        let spec = KernelSpec::new("holt_winters").with("column", "q").with("period", 4);
        spec.with("alpha", 0.5).with("beta", 0.25).with("gamma", 0.125)
    }

    #[test]
    fn worked_values() {
        let forecast = [10.221_512_876_451_015, 13.802_137_338_556_35, 18.309_762_446_559_034, 29.692_318_585_948_67];
        assert_close(&field_of_q(&holt_winters(), "forecast"), 7, &forecast);
        let level = [14.966_313_391_923_904, 17.556_049_864_739_18];
        assert_close(&field_of_q(&holt_winters(), "level"), 7, &level);
        let factors = holt_winters().with("seasonal", "multiplicative");
        let forecast = [6.832_649_559_329_046, 13.438_129_195_519_71, 24.917_172_416_029_718, 48.765_261_955_328_135];
        assert_close(&field_of_q(&factors, "forecast"), 7, &forecast);
    }

    #[test]
    fn a_null_row_keeps_its_season() {
        let mut x: Vec<Option<f64>> = [1.0, 2.0, 1.0, 2.0].map(Some).to_vec();
        x.extend([None, None, Some(1.0)]);
        let rows = table_of(&[("q", x)]);
        let spec = holt_winters().with("period", 2);
        let expect = |field: &str, values: [f64; 4]| assert_close(&result(&spec, &rows, Some(field)), 3, &values);
        expect("level", [1.5; 4]);
        expect("season", [0.5, -0.5, 0.5, -0.5]);
        expect("forecast", [1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn invalid_parameters() {
        assert_refused(&holt_winters().with("period", 1), "parameter 'period': must be at least 2, got 1");
        assert_refused(&holt_winters().with("alpha", 0.0), "parameter 'alpha': must be above 0 and at most 1, got 0");
        assert_refused(&holt_winters().with("gamma", 1.5), "parameter 'gamma': must be from 0 to 1, got 1.5");
        assert_refused(&holt_winters().with("beta", f64::NAN), "parameter 'beta': must be from 0 to 1, got NaN");
        assert_refused(&holt_winters().with("seasonal", "none"), "parameter 'seasonal'");
        huge_windows_are_cheap(&holt_winters().with("column", "z"), "period");
    }
}
