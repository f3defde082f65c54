//! Wilder's parabolic stop-and-reverse: a stop that follows a trend faster and faster, and turns when it is reached.

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

use super::true_range::{HIGH, LOW};

/// See the module.
#[derive(Debug, Clone)]
struct Parabolic {
    acceleration: f64,
    maximum: f64,
}

/// Of the last row: high, low and result; for the next one: the stop, the extreme of the trend and the factor.
type Numbers = [f64; 6];

/// How many rows there were, at most 2, and whether the trend is up.
type State = (Numbers, (i64, bool));

/// The second number if it is larger; a NaN changes nothing.
#[inline(always)]
fn at_least(x: f64, least: f64) -> f64 {
    if x < least { least } else { x }
}

#[inline(always)]
fn at_most(x: f64, most: f64) -> f64 {
    if x > most { most } else { x }
}

impl Parabolic {
    /// The trend that the first two rows begin, and its stop.
    fn begin(&self, [last_high, last_low]: [f64; 2], [high, low]: [f64; 2]) -> (Numbers, bool) {
        let (up, down) = (high - last_high, last_low - low);
        let is_up = !(down > 0.0 && up < down);
        let (stop, extreme) = if is_up { (last_low, high) } else { (last_high, low) };
        // TA-Lib takes the second row for the one before it, too.
        ([high, low, 0.0, stop, extreme, self.acceleration], is_up)
    }

    /// A row of an upward trend, or of a downward one upside down; returns the numbers and whether the trend has turned.
    #[inline(always)]
    fn follow(
        &self,
        [last_high, last_low, _, stop, extreme, factor]: Numbers,
        [high, low]: [f64; 2],
    ) -> (Numbers, bool) {
        if low <= stop {
            let now = at_least(at_least(extreme, last_high), high);
            let next = now + self.acceleration * (low - now);
            return ([high, low, now, at_least(at_least(next, last_high), high), low, self.acceleration], true);
        }
        let is_news = high > extreme;
        let factor = if is_news { at_most(factor + self.acceleration, self.maximum) } else { factor };
        let extreme = if is_news { high } else { extreme };
        let next = stop + factor * (extreme - stop);
        ([high, low, stop, at_most(at_most(next, last_low), low), extreme, factor], false)
    }
}

/// The numbers upside down.
#[inline(always)]
fn mirrored([high, low, now, stop, extreme, factor]: Numbers) -> Numbers {
    [-low, -high, -now, -stop, -extreme, factor]
}

impl Recurrence for Parabolic {
    /// High and low.
    type Input = [f64; 2];
    type Output = f64;
    type State = State;

    fn start(&self) -> State {
        ([0.0; 6], (0, true))
    }

    #[inline]
    fn step(&self, state: &mut State, [high, low]: [f64; 2]) -> Option<f64> {
        let (numbers, (seen, is_up)) = state;
        if *seen == 0 {
            (numbers[0], numbers[1]) = (high, low);
            *seen = 1;
            return None;
        }
        if *seen == 1 {
            (*numbers, *is_up) = self.begin([numbers[0], numbers[1]], [high, low]);
            *seen = 2;
        }
        let turned;
        if *is_up {
            (*numbers, turned) = self.follow(*numbers, [high, low]);
        } else {
            let (below, has_turned) = self.follow(mirrored(*numbers), [-low, -high]);
            (*numbers, turned) = (mirrored(below), has_turned);
        }
        *is_up ^= turned;
        self.skip(state)
    }

    #[inline]
    fn skip(&self, ([_, _, now, ..], (seen, _)): &mut State) -> Option<f64> {
        // No result is -0.
        (*seen == 2).then_some(*now + 0.0)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (acceleration, maximum) = (arguments.number("acceleration")?, arguments.number("maximum")?);
    for (parameter, x) in [("acceleration", acceleration), ("maximum", maximum)] {
        if !(x >= 0.0 && x.is_finite()) {
            return Err(arguments.refuse(parameter, format!("must be at least 0 and finite, got {x}")));
        }
    }
    let rule = Parabolic { acceleration: at_most(acceleration, maximum), maximum };
    Ok(Plan::recurrence(Inputs::of(arguments, &["high", "low"])?, rule))
}

pub(crate) const SAR: Entry = Entry {
    names: &["sar"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Parabolic SAR: a stop that follows a trend ever faster, and changes sides when the price reaches it.",
    formula: "in an upward trend y[i+1] = y[i] + f * (e - y[i]), at most low[i-1] and low[i], where e is the highest high of the \
              trend and f grows by `acceleration` with each new one, up to `maximum`; if low[i] <= y[i] the trend turns: y[i] = e, at \
              least high[i-1] and high[i]; downward the same upside down",
    notes: "Null in the first row. The trend begins upward unless the second row's low falls by more than its high rises. If \
            `acceleration` is above `maximum`, it is `maximum`. A row with a null in any input is left out and returns the last result. \
            Comparisons with a NaN are false, as in TA-Lib. Two roundings per row.",
    source: "TA-Lib `SAR`; Wilder, New Concepts in Technical Trading Systems (1978).",
    parameters: &[
        HIGH,
        LOW,
        Parameter::optional(
            "acceleration",
            Kind::Number,
            Literal::Number(0.02),
            "The factor of a new trend, and what each new extreme adds to it, at least 0.",
        ),
        Parameter::optional("maximum", Kind::Number, Literal::Number(0.2), "The largest factor, at least 0."),
    ],
    example: &[("high", Literal::Text("z")), ("low", Literal::Text("x"))],
    plan,
    #[cfg(test)]
    reference: reference::sar,
};

/// The trend's rows in a loop, with the two sides written out.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, exact, number, text};

    pub fn sar(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let maximum = number(spec, "maximum").unwrap_or(0.2);
        let least = number(spec, "acceleration").unwrap_or(0.02).min(maximum);
        let (highs, lows) = (table.numbers(&text(spec, "high")), table.numbers(&text(spec, "low")));
        let pairs = highs.into_iter().zip(lows).map(|(high, low)| high.zip(low));
        let (mut before, mut trend, mut last) = (None, None, None);
        let mut answers = Vec::new();
        for pair in pairs {
            if let Some((high, low)) = pair {
                if let Some((mut old_high, mut old_low)) = before {
                    let (mut up, mut stop, mut extreme, mut factor) = trend.unwrap_or_else(|| {
                        let fall: f64 = old_low - low;
                        let up = !(fall > 0.0 && high - old_high < fall);
                        let begun = if up { (true, old_low, high, least) } else { (false, old_high, low, least) };
                        (old_high, old_low) = (high, low);
                        begun
                    });
                    let raise = |x: f64| [old_high, high].into_iter().fold(x, |x, y| if y > x { y } else { x });
                    let lower = |x: f64| [old_low, low].into_iter().fold(x, |x, y| if y < x { y } else { x });
                    let mut now = stop;
                    if up && low <= stop {
                        (up, now, extreme, factor) = (false, raise(extreme), low, least);
                        stop = raise(now + factor * (extreme - now));
                    } else if !up && high >= stop {
                        (up, now, extreme, factor) = (true, lower(extreme), high, least);
                        stop = lower(now + factor * (extreme - now));
                    } else {
                        if up && high > extreme || !up && low < extreme {
                            extreme = if up { high } else { low };
                            factor = if factor + least > maximum { maximum } else { factor + least };
                        }
                        stop += factor * (extreme - stop);
                        stop = if up { lower(stop) } else { raise(stop) };
                    }
                    trend = Some((up, stop, extreme, factor));
                    last = Some(now);
                }
                before = Some((high, low));
            }
            answers.push(exact(last));
        }
        answers
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec() -> KernelSpec {
        KernelSpec::new("sar").with("high", "h").with("low", "l").with("acceleration", 0.25).with("maximum", 0.5)
    }

    #[test]
    fn worked_values() {
        let rows: [(&str, &[f64]); 2] =
            [("h", &[10.0, 12.0, 14.0, NULL, 13.0, 9.0, 8.0]), ("l", &[8.0, 10.0, 12.0, 1.0, 11.0, 7.0, 6.0])];
        // Up from 8; 8 + 0.25 (12 - 8) = 9; 9 + 0.5 (14 - 9) = 11.5, but at most 10; then 11 has been reached.
        check(spec(), &rows, "", &[NULL, 8.0, 9.0, 9.0, 10.0, 14.0, 13.0]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec().with("acceleration", -0.1), "must be at least 0 and finite, got -0.1");
        refused(spec().with("maximum", f64::INFINITY), "must be at least 0 and finite, got inf");
    }
}
