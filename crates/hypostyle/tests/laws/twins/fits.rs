//! Twins of moments and fits of several columns.  The answers are plain two-pass formulas; where a fit is so badly conditioned
//! that the twin itself has no digits left, every answer is right.

use super::{EPS, Slow, bounded, constant, corr, exact, largest, spread, variance};

fn columns<const K: usize>(window: &[[f64; K]]) -> [Vec<f64>; K] {
    std::array::from_fn(|k| window.iter().map(|row| row[k]).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How small a part of a column's variance is still more than rounding; infinite where nothing is.
fn noise(values: &[f64]) -> f64 {
    let v = variance(values, 0.0);
    let answer = v.answer.unwrap_or(f64::NAN);
    if (1e-140..1e140).contains(&answer) { v.error / answer } else { f64::INFINITY }
}

/// Co-skewness (power 2) or co-kurtosis (power 3); `window` holds (x, y).
pub fn comoment(window: &[(f64, f64)], power: i32) -> Slow {
    let (xs, ys): (Vec<f64>, Vec<f64>) = window.iter().copied().unzip();
    if window.len() < 2 || constant(&xs) || constant(&ys) {
        return exact(None);
    }
    let n = window.len() as f64;
    let (mx, my) = (mean(&xs), mean(&ys));
    let (sx, sy) =
        (variance(&xs, 0.0).answer.unwrap_or(f64::NAN).sqrt(), variance(&ys, 0.0).answer.unwrap_or(f64::NAN).sqrt());
    let answer = window.iter().map(|(x, y)| (x - mx) / sx * ((y - my) / sy).powi(power)).sum::<f64>() / n;
    let noise = noise(&xs) + noise(&ys);
    let reach = (spread(&xs) / sx) * (spread(&ys) / sy).powi(power);
    let shift = EPS * n * (largest(&xs) / sx + largest(&ys) / sy);
    let sound = noise < 1e-4 && shift < 1e-4 && (1e-45..1e45).contains(&sx) && (1e-45..1e45).contains(&sy);
    bounded(answer, if sound { 64.0 * n * reach * (EPS * n + noise + shift) } else { f64::INFINITY })
}

/// Partial correlation; `window` holds x, y and what is given.
pub fn partial(window: &[[f64; 3]]) -> Slow {
    let [x, y, z] = columns(window);
    if window.len() < 3 || constant(&x) || constant(&y) || constant(&z) {
        return exact(None);
    }
    let pairs = |a: &[f64], b: &[f64]| -> Vec<(f64, f64)> { a.iter().copied().zip(b.iter().copied()).collect() };
    let (rxy, rxz, ryz) = (corr(&pairs(&x, &y)), corr(&pairs(&x, &z)), corr(&pairs(&y, &z)));
    let error = rxy.error + rxz.error + ryz.error;
    let (Some(xy), Some(xz), Some(yz)) = (rxy.answer, rxz.answer, ryz.answer) else {
        return Slow { answer: None, error: f64::INFINITY };
    };
    let left = (1.0 - xz * xz).min(1.0 - yz * yz);
    let answer = (xy - xz * yz) / ((1.0 - xz * xz).sqrt() * (1.0 - yz * yz).sqrt());
    let sound = left > 1e-6 && error < 1e-3 * left;
    bounded(answer.clamp(-1.0, 1.0), if sound { 16.0 * error / left / left } else { f64::INFINITY })
}

/// Weighted correlation; `window` holds x, y and the weight.
pub fn weighted_corr(window: &[[f64; 3]]) -> Slow {
    let [x, y, w] = columns(window);
    let whole: f64 = w.iter().sum();
    let heavy: Vec<[f64; 3]> = window.iter().copied().filter(|[_, _, w]| *w != 0.0).collect();
    let [hx, hy, _] = columns(&heavy);
    if window.len() < 2 || constant(&x) || constant(&y) || heavy.is_empty() {
        let wild = w.iter().any(|w| !w.is_finite());
        return Slow { answer: None, error: if wild { f64::INFINITY } else { 0.0 } };
    }
    let about = |values: &[f64]| values.iter().zip(&w).map(|(x, w)| x * w).sum::<f64>() / whole;
    let (mx, my) = (about(&x), about(&y));
    let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| -> f64 {
        (0..window.len()).map(|i| w[i] * (a[i] - ma) * (b[i] - mb)).sum()
    };
    let (vx, vy, cov) = (product(&x, mx, &x, mx), product(&y, my, &y, my), product(&x, mx, &y, my));
    let n = window.len() as f64;
    let light = w.iter().any(|w| *w < 0.0) || constant(&hx) || constant(&hy) || !(1e-100..1e100).contains(&whole);
    let scale = |values: &[f64], v: f64| {
        let reach = spread(values);
        EPS * n * n * (reach * reach + largest(values) * reach) * whole / v
    };
    let error = 16.0 * (scale(&x, vx) + scale(&y, vy)) + 16.0 * n * EPS;
    let sound = !light && error < 0.1 && (1e-100..1e100).contains(&vx) && (1e-100..1e100).contains(&vy);
    bounded((cov / (vx.sqrt() * vy.sqrt())).clamp(-1.0, 1.0), if sound { error } else { f64::INFINITY })
}

/// What a fit gives, by name: the parameters, their errors, r2 and the fitted value of a row.
pub struct Fit {
    pub slopes: Vec<f64>,
    pub intercept: Option<f64>,
    pub errors: Option<Vec<f64>>,
    pub r2: Option<f64>,
    /// The relative error that the condition of the predictors leaves.
    pub condition: f64,
    /// The size of the numbers that a fitted value is made of.
    pub scale: f64,
}

/// Weighted least squares; a row holds y, the predictors and the weight.  `None`: no fit; a condition of infinity: who knows.
pub fn least_squares(rows: &[Vec<f64>], intercept: bool) -> Option<Fit> {
    let k = rows.first().map_or(0, |row| row.len() - 2);
    let weight: Vec<f64> = rows.iter().map(|row| row[k + 1]).collect();
    let whole: f64 = weight.iter().sum();
    let estimated = k + usize::from(intercept);
    if rows.is_empty() || rows.len() < estimated || whole <= 0.0 {
        return None;
    }
    let column = |i: usize| -> Vec<f64> { rows.iter().map(|row| row[i]).collect() };
    let means: Vec<f64> = (0..=k)
        .map(|i| if intercept { column(i).iter().zip(&weight).map(|(x, w)| x * w).sum::<f64>() / whole } else { 0.0 })
        .collect();
    let product = |i: usize, j: usize| -> f64 {
        rows.iter().zip(&weight).map(|(row, w)| w * (row[i] - means[i]) * (row[j] - means[j])).sum()
    };
    let n = rows.len() as f64;
    let mut condition: f64 = 0.0;
    // Gauss-Jordan on the normal equations of the standardised predictors, beside the identity.
    let size: Vec<f64> = (1..=k).map(|i| product(i, i).sqrt()).collect();
    let mut table: Vec<Vec<f64>> = (0..k)
        .map(|i| {
            let entry = |j: usize| product(i + 1, j + 1) / size[i] / size[j];
            (0..k).map(entry).chain((0..k).map(|j| f64::from(i == j))).collect()
        })
        .collect();
    for (i, size) in size.iter().enumerate() {
        let values = column(i + 1);
        if intercept && constant(&values) {
            return None;
        }
        if *size == 0.0 || !size.is_finite() || !(1e-70..1e70).contains(size) {
            condition = f64::INFINITY;
        }
        let reach = if intercept { spread(&values) } else { largest(&values) };
        let lost = EPS * n * (reach * reach + largest(&values) * reach) * whole / (size * size);
        condition = condition.max(if lost.is_nan() { f64::INFINITY } else { lost });
    }
    let mut least: f64 = 1.0;
    for i in 0..k {
        let pivot = table[i][i];
        least = least.min(pivot);
        table[i].iter_mut().for_each(|entry| *entry /= pivot);
        let own = table[i].clone();
        for row in (0..k).filter(|row| *row != i) {
            let factor = table[row][i];
            table[row].iter_mut().zip(&own).for_each(|(entry, own)| *entry -= factor * own);
        }
    }
    condition = (condition + 8.0 * n * EPS) / (least * least);
    let sound = least > 1e-6 && weight.iter().all(|w| *w >= 0.0) && (1e-100..1e100).contains(&whole);
    if !sound || condition.is_nan() {
        condition = f64::INFINITY;
    }
    let inverse = |i: usize, j: usize| table[i][k + j] / size[i] / size[j];
    let slopes: Vec<f64> = (0..k).map(|i| (0..k).map(|j| inverse(i, j) * product(0, j + 1)).sum()).collect();
    let reached: f64 = (0..k).map(|i| slopes[i] * means[i + 1]).sum();
    let constant_term = intercept.then(|| means[0] - reached);
    let fitted = |row: &[f64]| constant_term.unwrap_or(0.0) + (0..k).map(|i| slopes[i] * row[1 + i]).sum::<f64>();
    let residual: f64 = rows.iter().zip(&weight).map(|(row, w)| w * (row[0] - fitted(row)).powi(2)).sum();
    let total = product(0, 0);
    let flat = if intercept { constant(&column(0)) } else { column(0).iter().all(|y| *y == 0.0) };
    let errors = (rows.len() > estimated).then(|| {
        let variance = residual / (n - estimated as f64);
        let spread: f64 =
            (0..k).map(|i| (0..k).map(|j| means[i + 1] * inverse(i, j) * means[j + 1]).sum::<f64>()).sum();
        let first = intercept.then(|| (variance * (1.0 / whole + spread)).sqrt());
        first.into_iter().chain((0..k).map(|i| (variance * inverse(i, i)).sqrt())).collect()
    });
    let terms: f64 = (0..k).map(|i| (slopes[i] * largest(&column(i + 1))).abs()).sum();
    let scale = terms + largest(&column(0));
    if !scale.is_finite() || scale > 1e100 || rows.iter().flatten().any(|x| !x.is_finite() || x.abs() > 1e100) {
        condition = f64::INFINITY;
    }
    Some(Fit {
        slopes,
        intercept: constant_term,
        errors,
        r2: (!flat).then(|| 1.0 - residual / total),
        condition,
        scale,
    })
}

/// A field of the fit for a current row, if all of that is known.
pub fn field(fit: Option<&Fit>, name: &str, predictors: &[String], current: Option<&[f64]>) -> Slow {
    let Some(fit) = fit else { return exact(None) };
    let lost = !fit.condition.is_finite() || fit.condition > 1e-4;
    let within = |answer: Option<f64>, error: f64| match answer {
        _ if lost => Slow { answer, error: f64::INFINITY },
        None => exact(None),
        Some(answer) => bounded(answer, error),
    };
    let unit = 64.0 * fit.condition;
    let predict =
        |row: &[f64]| fit.intercept.unwrap_or(0.0) + fit.slopes.iter().zip(&row[1..]).map(|(b, x)| b * x).sum::<f64>();
    // A row outside of the window may be far away from it.
    let reach = |row: &[f64]| {
        let size = row.iter().fold(0.0f64, |a, x| a.max(x.abs()));
        let steep: f64 = fit.slopes.iter().map(|b| b.abs()).sum();
        if size.is_finite() && size < 1e100 { unit * (fit.scale + steep * size + size) } else { f64::INFINITY }
    };
    match name {
        "intercept" => within(fit.intercept, unit * fit.scale),
        "r2" => within(fit.r2, if fit.condition < 1e-9 { 1e3 * fit.condition.sqrt() } else { f64::INFINITY }),
        "prediction" => current.map_or(exact(None), |row| within(Some(predict(row)), reach(row))),
        "residual" => current.map_or(exact(None), |row| within(Some(row[0] - predict(row)), reach(row))),
        _ => {
            let (errors, name) = match name.strip_prefix("se_") {
                Some(name) => (true, name),
                None => (false, name),
            };
            let first = usize::from(fit.intercept.is_some());
            let place = if name == "intercept" {
                0
            } else {
                first + predictors.iter().position(|p| p == name).expect("a predictor")
            };
            if errors {
                let answer = fit.errors.as_ref().map(|errors| errors[place]);
                // The residuals of a perfect fit are rounding alone.
                let least = fit.errors.iter().flatten().fold(0.0f64, |a, x| a.max(*x));
                let error = 1e3 * fit.condition.sqrt() * (least + fit.scale);
                return within(answer, if fit.condition < 1e-9 { error } else { f64::INFINITY });
            }
            let slope = fit.slopes[place - first];
            within(Some(slope), unit * (fit.scale + slope.abs() + fit.slopes.iter().map(|b| b.abs()).sum::<f64>()))
        }
    }
}
