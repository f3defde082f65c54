//! Holt's linear smoothing: a level and a trend that follow a column, and the forecast that they give.
//!
//! In the error form: both move by a share of the error of the last forecast.

use super::seeded::share;
use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{NO_FIELD, field};

/// See the module.
#[derive(Debug, Clone)]
pub struct Holt {
    alpha: f64,
    /// The share of the error that the trend gets: alpha * beta.
    trend: f64,
    damping: f64,
    /// The level and the trend before the first row.
    initial: Option<[f64; 2]>,
}

impl Recurrence for Holt {
    type Input = f64;
    type Output = [f64; 3];
    /// How many values the level and the trend are made of, at most 2; the level and the trend.
    type State = (i64, [f64; 2]);

    fn start(&self) -> Self::State {
        self.initial.map_or((0, [0.0; 2]), |initial| (2, initial))
    }

    #[inline]
    fn step(&self, (seen, state): &mut Self::State, x: f64) -> Option<[f64; 3]> {
        let [level, trend] = *state;
        *state = match *seen {
            0 => [x, 0.0],
            1 => [x, x - level],
            _ => {
                let forecast = level + self.damping * trend;
                let error = x - forecast;
                [forecast + self.alpha * error, self.damping * trend + self.trend * error]
            }
        };
        *seen = 2.min(*seen + 1);
        self.answer(*seen, *state)
    }

    #[inline]
    fn skip(&self, (seen, state): &mut Self::State) -> Option<[f64; 3]> {
        if *seen > 1 {
            let [level, trend] = *state;
            *state = [level + self.damping * trend, self.damping * trend];
        }
        self.answer(*seen, *state)
    }
}

impl Holt {
    #[inline(always)]
    fn answer(&self, seen: i64, [level, trend]: [f64; 2]) -> Option<[f64; 3]> {
        match seen {
            0 => None,
            1 => Some([field(level), NO_FIELD, NO_FIELD]),
            _ => Some([field(level), field(trend), field(level + self.damping * trend)]),
        }
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (alpha, beta, damping) =
        (share(arguments, "alpha", false)?, share(arguments, "beta", true)?, share(arguments, "damping", false)?);
    let initial = |parameter: &str| -> Result<Option<f64>> {
        let x = arguments.optional_number(parameter)?;
        match x {
            Some(x) if !x.is_finite() => Err(arguments.refuse(parameter, format!("must be finite, got {x}"))),
            x => Ok(x),
        }
    };
    let initial = match (initial("initial_level")?, initial("initial_trend")?) {
        (Some(level), Some(trend)) => Some([level, trend]),
        (None, None) => None,
        (Some(_), None) => return Err(arguments.refuse("initial_trend", "must be given if initial_level is")),
        (None, Some(_)) => return Err(arguments.refuse("initial_level", "must be given if initial_trend is")),
    };
    let holt = Holt { alpha, trend: alpha * beta, damping, initial };
    let inputs = Inputs::of(arguments, &["column"])?;
    Ok(Plan::recurrence_of_fields(inputs, &["level", "trend", "forecast"], holt))
}

pub(crate) const HOLT: Entry = Entry {
    names: &["holt"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Holt's linear exponential smoothing: level, trend, and the forecast of the next row.",
    formula: "forecast[i] = level[i] + damping * trend[i]; level[i] = alpha * x[i] + (1 - alpha) * forecast[i-1]; trend[i] = beta \
              * (level[i] - level[i-1]) + (1 - beta) * damping * trend[i-1]",
    notes: "A struct of `level`, `trend` and `forecast`. Without `initial_level` and `initial_trend` the first two values give \
            them: row 0 has its value as level and nothing else, row 1 the difference as trend, as in R. A null row moves on: its \
            level is the forecast, and its trend is damped once more; before the second value it changes nothing. A NaN stays in \
            every later result of its key. Error a few eps / alpha of the largest value.",
    source: "R `HoltWinters(gamma=FALSE)`; statsmodels `Holt` with `initialization_method=\"known\"`.",
    parameters: &[
        COLUMN,
        Parameter::required("alpha", Kind::Number, "The weight of a value in the level, in (0, 1]."),
        Parameter::required("beta", Kind::Number, "The weight of a change of the level in the trend, in [0, 1]."),
        Parameter::optional(
            "damping",
            Kind::Number,
            Literal::Number(1.0),
            "The factor of the trend per row, in (0, 1]; 1 does not damp it.",
        ),
        Parameter::optional(
            "initial_level",
            Kind::Number,
            Literal::Omitted,
            "The level before the first row; together with `initial_trend`.",
        ),
        Parameter::optional("initial_trend", Kind::Number, Literal::Omitted, "The trend before the first row."),
    ],
    example: &[("column", Literal::Text("z")), ("alpha", Literal::Number(0.5)), ("beta", Literal::Number(0.5))],
    plan,
    #[cfg(test)]
    reference: reference::holt,
};

/// The formula, row by row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact, number};

    pub fn holt(spec: &KernelSpec, table: &Table, field: Option<&str>) -> Vec<Slow> {
        let get = |name: &str| number(spec, name);
        let (alpha, beta, phi) = (get("alpha").unwrap(), get("beta").unwrap(), get("damping").unwrap_or(1.0));
        let (mut level, mut trend) = (get("initial_level"), get("initial_trend"));
        let mut scale = level.unwrap_or(0.0).abs() + trend.unwrap_or(0.0).abs();
        let row = |(i, x): (usize, Option<f64>)| {
            let x = x.or_else(|| Some(level? + phi * trend?));
            if let Some(x) = x {
                (level, trend) = match (level, trend) {
                    (None, _) => (Some(x), None),
                    (Some(last), None) => (Some(x), Some(x - last)),
                    (Some(last), Some(trend)) => {
                        let now = alpha * x + (1.0 - alpha) * (last + phi * trend);
                        (Some(now), Some(beta * (now - last) + (1.0 - beta) * phi * trend))
                    }
                };
            }
            scale = scale.max(level.unwrap_or(0.0).abs() + trend.unwrap_or(0.0).abs() + x.unwrap_or(0.0).abs());
            let answer = match field.unwrap() {
                "level" => level,
                "trend" => trend,
                _ => level.zip(trend).map(|(level, trend)| level + phi * trend),
            };
            // The errors of levels accumulate in the forecasts of a trend that is not damped.
            let error = 64.0 * (i as f64 + 2.0) * (i as f64 + 2.0) * EPS * scale / alpha;
            answer.map_or(exact(None), |answer| bounded(answer, error))
        };
        column(spec, table).into_iter().enumerate().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, field_of_q, result, table_of};
    use crate::KernelSpec;

    fn holt() -> KernelSpec {
        KernelSpec::new("holt").with("column", "q").with("alpha", 0.5).with("beta", 0.25)
    }

    #[test]
    fn worked_values() {
        let level = [3.0, 5.0, 8.0, 15.125, 15.296_875, 12.970_703_125, 14.686_279_296_875];
        assert_close(&field_of_q(&holt(), "level"), 0, &level);
        let trend = [2.0, 2.25, 3.468_75, 2.644_531_25, 1.401_855_468_75, 1.480_285_644_531_25];
        assert_close(&field_of_q(&holt(), "trend"), 1, &trend);
        assert_close(&field_of_q(&holt(), "forecast"), 1, &[7.0, 10.25, 18.593_75]);
        // With a level and a trend of its own, the first row is like any other.
        let known = holt().with("initial_level", 1.0).with("initial_trend", 2.0);
        assert_close(&field_of_q(&known, "level"), 0, &[3.0, 5.0, 8.0]);
        let damped = known.with("damping", 0.5);
        assert_close(&field_of_q(&damped, "level"), 0, &[2.5, 4.031_25]);
        assert_close(&field_of_q(&damped, "trend"), 0, &[1.125, 0.804_687_5]);
    }

    #[test]
    fn a_null_row_moves_on() {
        let x = vec![None, Some(3.0), None, Some(5.0), None, Some(9.0)];
        let rows = table_of(&[("q", x)]);
        let level = result(&holt(), &rows, Some("level"));
        assert_eq!(level, [None, Some(3.0), Some(3.0), Some(5.0), Some(7.0), Some(9.0)]);
        let forecast = result(&holt(), &rows, Some("forecast"));
        assert_eq!(forecast, [None, None, None, Some(7.0), Some(9.0), Some(11.0)]);
    }

    #[test]
    fn invalid_parameters() {
        for alpha in [0.0, 1.5, f64::NAN] {
            assert_refused(&holt().with("alpha", alpha), "parameter 'alpha': must be above 0 and at most 1");
        }
        assert_refused(&holt().with("beta", -0.5), "parameter 'beta': must be from 0 to 1, got -0.5");
        assert_refused(&holt().with("damping", 0.0), "parameter 'damping': must be above 0 and at most 1, got 0");
        assert_refused(
            &holt().with("initial_level", 1.0),
            "parameter 'initial_trend': must be given if initial_level is",
        );
        assert_refused(
            &holt().with("initial_trend", 1.0),
            "parameter 'initial_level': must be given if initial_trend is",
        );
        let nan = holt().with("initial_trend", f64::NAN).with("initial_level", 1.0);
        assert_refused(&nan, "parameter 'initial_trend': must be finite, got NaN");
    }
}
