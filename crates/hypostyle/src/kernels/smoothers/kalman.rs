//! The Kalman filter of a level that moves at random and is measured with noise (the local level model): smoothing whose weight
//! follows from the two noises, and is larger after a gap.

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::field;

/// See the module.
#[derive(Debug, Clone)]
pub struct Kalman {
    state_noise: f64,
    measurement_noise: f64,
    /// The level and its variance before the first row.
    initial: Option<[f64; 2]>,
}

/// How far the filter is.
const NOTHING: i64 = 0;
const PRIOR: i64 = 1;
const RUNNING: i64 = 2;

impl Recurrence for Kalman {
    type Input = f64;
    type Output = [f64; 3];
    /// How far the filter is, and the level, its variance and the last gain.
    type State = (i64, [f64; 3]);

    fn start(&self) -> Self::State {
        self.initial.map_or((NOTHING, [0.0; 3]), |[level, variance]| (PRIOR, [level, variance, 0.0]))
    }

    #[inline]
    fn step(&self, (phase, [level, variance, gain]): &mut Self::State, x: f64) -> Option<[f64; 3]> {
        if *phase == NOTHING {
            (*level, *variance, *gain) = (x, self.measurement_noise, 1.0);
        } else {
            if *phase == RUNNING {
                *variance += self.state_noise;
            }
            *gain = *variance / (*variance + self.measurement_noise);
            *level += *gain * (x - *level);
            // (1 - gain) * variance, without the cancellation.
            *variance = *gain * self.measurement_noise;
        }
        *phase = RUNNING;
        Some([field(*level), field(*variance), field(*gain)])
    }

    #[inline]
    fn skip(&self, (phase, [level, variance, gain]): &mut Self::State) -> Option<[f64; 3]> {
        if *phase == NOTHING {
            return None;
        }
        if *phase == RUNNING {
            *variance += self.state_noise;
        }
        (*phase, *gain) = (RUNNING, 0.0);
        Some([field(*level), field(*variance), field(0.0)])
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (state_noise, measurement_noise) = (arguments.number("state_noise")?, arguments.number("measurement_noise")?);
    if !(state_noise >= 0.0 && state_noise.is_finite()) {
        return Err(arguments.refuse("state_noise", format!("must be finite and at least 0, got {state_noise}")));
    }
    if !(measurement_noise > 0.0 && measurement_noise.is_finite()) {
        return Err(
            arguments.refuse("measurement_noise", format!("must be finite and above 0, got {measurement_noise}"))
        );
    }
    let (initial, variance) = (arguments.optional_number("initial")?, arguments.optional_number("initial_variance")?);
    let initial = match (initial, variance) {
        (None, None) => None,
        (Some(_), None) => return Err(arguments.refuse("initial_variance", "must be given if initial is")),
        (None, Some(_)) => return Err(arguments.refuse("initial", "must be given if initial_variance is")),
        (Some(level), _) if !level.is_finite() => {
            return Err(arguments.refuse("initial", format!("must be finite, got {level}")));
        }
        (_, Some(variance)) if !(variance >= 0.0 && variance.is_finite()) => {
            return Err(arguments.refuse("initial_variance", format!("must be finite and at least 0, got {variance}")));
        }
        (Some(level), Some(variance)) => Some([level, variance]),
    };
    let kalman = Kalman { state_noise, measurement_noise, initial };
    Ok(Plan::recurrence_of_fields(Inputs::of(arguments, &["column"])?, &["level", "variance", "gain"], kalman))
}

pub(crate) const KALMAN: Entry = Entry {
    names: &["kalman"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Kalman filter of a random walk that is measured with noise: level, its variance, and the gain.",
    formula: "p = variance[i-1] + state_noise; gain[i] = p / (p + measurement_noise); level[i] = level[i-1] + gain[i] * (x[i] - \
              level[i-1]); variance[i] = (1 - gain[i]) * p",
    notes: "A struct of `level`, `variance` and `gain`. Without `initial` the first value is the level, with the variance \
            `measurement_noise` and gain 1 (an exact diffuse start). With `initial` and `initial_variance`, p of the first row is \
            `initial_variance`. A null row is a gap: it keeps the level, adds `state_noise` to the variance and has gain 0; before \
            the first value, without `initial`, it is null. A NaN stays in every later level of its key. Error a few eps / gain of \
            the largest value. filterpy's `predict` before the first `update` gives other values at the start.",
    source: "statsmodels `UnobservedComponents(\"llevel\", use_exact_diffuse=True)`, pykalman `filter`; Kalman 1960.",
    parameters: &[
        COLUMN,
        Parameter::required("state_noise", Kind::Number, "The variance of the level's change per row, at least 0."),
        Parameter::required("measurement_noise", Kind::Number, "The variance of a value about the level, above 0."),
        Parameter::optional(
            "initial",
            Kind::Number,
            Literal::Omitted,
            "The level before the first row; together with `initial_variance`. Default: the first value.",
        ),
        Parameter::optional(
            "initial_variance",
            Kind::Number,
            Literal::Omitted,
            "The variance of `initial`, at least 0.",
        ),
    ],
    example: &[
        ("column", Literal::Text("z")),
        ("state_noise", Literal::Number(0.5)),
        ("measurement_noise", Literal::Number(1.0)),
    ],
    plan,
    #[cfg(test)]
    reference: reference::kalman,
};

/// Prediction and update, row by row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, bounded, column, exact, number};

    pub fn kalman(spec: &KernelSpec, table: &Table, field: Option<&str>) -> Vec<Slow> {
        let get = |name: &str| number(spec, name);
        let (q, r) = (get("state_noise").unwrap(), get("measurement_noise").unwrap());
        let mut predicted = get("initial").zip(get("initial_variance"));
        let (mut scale, mut rows) = (get("initial").unwrap_or(0.0).abs(), 0.0);
        let row = |x: Option<f64>| {
            rows += 1.0;
            scale = scale.max(x.unwrap_or(0.0).abs());
            let (level, p, gain) = match (predicted, x) {
                (None, None) => return exact(None),
                (None, Some(x)) => (x, r, 1.0),
                (Some((level, p)), None) => (level, p, 0.0),
                (Some((level, p)), Some(x)) => {
                    let gain = p / (p + r);
                    (gain * x + (1.0 - gain) * level, (1.0 - gain) * p, gain)
                }
            };
            predicted = Some((level, p + q));
            // What is lost in 1 - gain.
            let lost = 64.0 * rows * EPS * (1.0 + (p + q) / r);
            match field.unwrap() {
                "level" => bounded(level, lost * scale),
                "variance" => bounded(p, lost * (p + r)),
                _ => bounded(gain, lost),
            }
        };
        column(spec, table).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::worked::{assert_close, assert_refused, result, table_of};
    use crate::KernelSpec;

    fn kalman() -> KernelSpec {
        KernelSpec::new("kalman").with("column", "x").with("state_noise", 0.5).with("measurement_noise", 1.0)
    }

    fn of(spec: &KernelSpec, x: &[Option<f64>], field: &str) -> Vec<Option<f64>> {
        result(spec, &table_of(&[("x", x.to_vec())]), Some(field))
    }

    #[test]
    fn worked_values() {
        let x = [Some(5.0), Some(5.0), None, Some(5.0), Some(6.0)];
        assert_close(&of(&kalman(), &x, "level"), 0, &[5.0, 5.0, 5.0, 5.0, 5.527_272_727_272_727]);
        let variance = [1.0, 0.6, 1.1, 0.615_384_615_384_615_4, 0.527_272_727_272_727_3];
        assert_close(&of(&kalman(), &x, "variance"), 0, &variance);
        let gain = [1.0, 0.6, 0.0, 0.615_384_615_384_615_4, 0.527_272_727_272_727_3];
        assert_close(&of(&kalman(), &x, "gain"), 0, &gain);
        let known = kalman().with("initial", 0.0).with("initial_variance", 1.0);
        assert_close(&of(&known, &x, "level"), 0, &[2.5, 3.75, 3.75, 4.5, 5.285_714_285_714_286]);
        assert_close(&of(&known, &x, "variance"), 0, &[0.5, 0.5, 1.0, 0.6, 0.523_809_523_809_523_8]);
    }

    #[test]
    fn leading_nulls() {
        let x = [None, None, Some(2.0)];
        assert_eq!(of(&kalman(), &x, "level"), [None, None, Some(2.0)]);
        let known = kalman().with("initial", 0.0).with("initial_variance", 1.0);
        assert_eq!(of(&known, &x, "variance"), [Some(1.0), Some(1.5), Some(2.0 / 3.0)]);
        assert_eq!(of(&known, &x, "gain"), [Some(0.0), Some(0.0), Some(2.0 / 3.0)]);
    }

    #[test]
    fn invalid_parameters() {
        for noise in [-1.0, f64::NAN, f64::INFINITY] {
            assert_refused(
                &kalman().with("state_noise", noise),
                "parameter 'state_noise': must be finite and at least 0",
            );
        }
        assert_refused(
            &kalman().with("measurement_noise", 0.0),
            "'measurement_noise': must be finite and above 0, got 0",
        );
        assert_refused(&kalman().with("initial", 0.0), "parameter 'initial_variance': must be given if initial is");
        assert_refused(&kalman().with("initial_variance", 1.0), "parameter 'initial': must be given if");
        let known = kalman().with("initial", 0.0).with("initial_variance", 1.0);
        assert_refused(&known.clone().with("initial", f64::NAN), "parameter 'initial': must be finite, got NaN");
        assert_refused(
            &known.with("initial_variance", -1.0),
            "parameter 'initial_variance': must be finite and at least 0",
        );
    }
}
