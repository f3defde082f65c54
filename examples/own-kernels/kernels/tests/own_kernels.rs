//! What the library promises for every kernel, tried on those of this crate.

use std::error::Error;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Float64Type;
use hypostyle::KernelSpec;
use hypostyle_pipeline::Pipeline;
use own_kernels::catalog;

type Outcome = Result<(), Box<dyn Error>>;

const KEYS: [&str; 3] = ["a", "b", "a name of some length"];

/// Rows of three keys, with a null in every eleventh.
fn rows() -> RecordBatch {
    let count = 200;
    let key = |row: usize| KEYS[row * row % 7 % 3];
    let x = |row: usize| (row % 11 != 3).then(|| ((row * 37 % 101) as f64 - 50.0) / 8.0);
    let columns: [(&str, ArrayRef); 4] = [
        ("key", Arc::new(StringArray::from_iter_values((0..count).map(key)))),
        ("t", Arc::new(Int64Array::from_iter_values((0..count as i64).map(|row| row / 2)))),
        ("x", Arc::new((0..count).map(x).collect::<Float64Array>())),
        ("y", Arc::new((0..count).map(|row| Some(row as f64 + 0.5)).collect::<Float64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

fn kernels() -> Vec<KernelSpec> {
    let new = |name: &str| KernelSpec::new(name).over(["key"]).alias(name);
    vec![
        new("fading_peak").with("column", "x").with("keep", 0.75),
        new("rolling_rms").with("column", "x").with("window", 4).min_samples(2),
        new("rolling_rms").with("column", "x").with("window", "5i").by("t").alias("timed_rms"),
        new("expanding_rms").with("column", "x"),
        new("rolling_mean").with("column", "x").with("window", 3),
    ]
}

/// A column's values by their bits.
fn bits(column: &ArrayRef) -> Vec<Option<u64>> {
    column.as_primitive::<Float64Type>().iter().map(|x| x.map(f64::to_bits)).collect()
}

fn values(column: &ArrayRef) -> Vec<Option<f64>> {
    column.as_primitive::<Float64Type>().iter().collect()
}

/// The values of `x`, key by key, with their rows.
fn by_key(rows: &RecordBatch) -> Vec<Vec<(usize, Option<f64>)>> {
    let (keys, x) = (rows["key"].as_string::<i32>(), values(&rows["x"]));
    let of = |key: &str| (0..x.len()).filter(|row| keys.value(*row) == key).map(|row| (row, x[row])).collect();
    KEYS.iter().map(|key| of(key)).collect()
}

#[test]
fn a_recurrence_by_key_takes_at_most_sixty_lines() {
    assert!(include_str!("../src/fading_peak.rs").lines().count() <= 60);
}

#[test]
fn each_key_is_a_sequence_of_its_own() -> Outcome {
    let rows = rows();
    let results = catalog()?.evaluate(&rows, &kernels()[..1], None)?;
    let mut expected = vec![None; rows.num_rows()];
    for sequence in by_key(&rows) {
        let mut peak: Option<f64> = None;
        for (row, x) in sequence {
            let faded = peak.map(|peak| peak * 0.75);
            peak = x.map(|x| faded.map_or(x, |peak| peak.max(x))).or(faded);
            expected[row] = peak.map(f64::to_bits);
        }
    }
    assert_eq!(bits(results.column(0)), expected);
    Ok(())
}

#[test]
fn a_statistic_has_windows() -> Outcome {
    let rows = rows();
    let results = catalog()?.evaluate(&rows, &kernels()[1..2], None)?;
    let mut expected = vec![None; rows.num_rows()];
    for sequence in by_key(&rows) {
        for (place, (row, _)) in sequence.iter().enumerate() {
            let window = &sequence[place.saturating_sub(3)..=place];
            let squares: Vec<f64> = window.iter().filter_map(|(_, x)| x.map(|x| x * x)).collect();
            expected[*row] = (squares.len() >= 2).then(|| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt());
        }
    }
    for (row, (got, expected)) in values(results.column(0)).into_iter().zip(expected).enumerate() {
        let close = match (got, expected) {
            (Some(got), Some(expected)) => (got - expected).abs() <= 1e-14 * expected.abs(),
            (got, expected) => got == expected,
        };
        assert!(close, "row {row}: {got:?}, expected {expected:?}");
    }
    Ok(())
}

#[test]
fn a_function_of_a_row_skips_nulls() -> Outcome {
    let rows = RecordBatch::try_from_iter([
        ("bid", Arc::new(Float64Array::from(vec![Some(99.0), None])) as ArrayRef),
        ("ask", Arc::new(Float64Array::from(vec![Some(101.0), Some(1.0)]))),
    ])?;
    let spread = KernelSpec::new("relative_spread").with("bid", "bid").with("ask", "ask");
    assert_eq!(values(catalog()?.evaluate(&rows, &[spread], None)?.column(0)), [Some(0.02), None]);
    Ok(())
}

#[test]
fn a_stage_cut_at_every_row_returns_the_bits_of_the_whole() -> Outcome {
    let (rows, catalog) = (rows(), catalog()?);
    let whole = catalog.evaluate(&rows, &kernels(), Some(2))?;
    let mut stage = catalog.stage(&kernels())?;
    let mut pieces = vec![Vec::new(); whole.num_columns()];
    for row in 0..rows.num_rows() {
        let results = stage.advance_columns(&rows.slice(row, 1))?;
        pieces.iter_mut().zip(results.columns()).for_each(|(piece, column)| piece.extend(bits(column)));
    }
    for (piece, column) in pieces.iter().zip(whole.columns()) {
        assert_eq!(*piece, bits(column));
    }
    Ok(())
}

#[test]
fn a_saved_stage_goes_on() -> Outcome {
    let (rows, catalog, folder) = (rows(), catalog()?, tempfile::tempdir()?);
    let path = folder.path().join("own.state");
    let whole = catalog.evaluate(&rows, &kernels(), None)?;
    for cut in [1, 77, 199] {
        let mut stage = catalog.stage(&kernels())?;
        stage.advance(&rows.slice(0, cut))?;
        stage.save(&path)?;
        let mut stage = catalog.load_stage(&path)?;
        assert_eq!(stage.kernels(), catalog.load_stage_for(&path, &kernels())?.kernels());
        let rest = stage.advance_columns(&rows.slice(cut, rows.num_rows() - cut))?;
        for (column, whole) in rest.columns().iter().zip(whole.columns()) {
            assert_eq!(bits(column), bits(whole)[cut..], "cut at {cut}");
        }
    }
    let unknown = hypostyle::Stage::load(&path).err().ok_or("hypostyle alone has no such kernel")?;
    assert!(unknown.to_string().contains("unknown kernel 'fading_peak'"), "{unknown}");
    Ok(())
}

#[test]
fn a_pipeline_runs_them() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
    std::fs::write(&input, "key,x\na,8\nb,1\na,1\na,\nb,3\n")?;
    let pipeline: Pipeline = r#"
        [[stage]]
        over = "key"
        [[stage.kernel]]
        name = "fading_peak"
        column = "x"
        alias = "peak"
    "#
    .parse()?;
    pipeline.with_kernels(catalog()?).with_input(&input).with_output(&output).run(&mut |_| ())?;
    let text = std::fs::read_to_string(&output)?;
    assert_eq!(text, "key,x,peak\na,8,8.0\nb,1,1.0\na,1,4.0\na,,2.0\nb,3,3.0\n");
    Ok(())
}

#[test]
fn a_wrong_parameter_is_refused_by_name() -> Outcome {
    let wrong = kernels()[0].clone().with("keep", 2.0);
    let refused = catalog()?.plan(&wrong).err().ok_or("accepted")?;
    assert_eq!(refused.to_string(), "fading_peak, parameter 'keep': must be from 0 to 1, got 2");
    Ok(())
}
