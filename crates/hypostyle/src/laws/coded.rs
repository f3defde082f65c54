//! Columns that kernels read as integers though they are none: the answers are those of the integers, and come back as what they
//! stand for, under all laws.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, Int32Type, Int64Type, Schema, TimeUnit};

use super::{column, cuts, whole};
use crate::reference::{Random, bits};
use crate::{KernelSpec, ScalarValue, Stage, evaluate};

const ROWS: usize = 400;

/// Short texts, long ones, and more of them than a stage keeps for nothing.
fn text_of(n: i64) -> String {
    if n % 3 == 0 { format!("{n}") } else { format!("a text that is longer: {n}") }
}

/// The types of the columns that stand for the integers in `n`.
fn text_types() -> [(&'static str, DataType); 4] {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    [("utf8", DataType::Utf8), ("large", DataType::LargeUtf8), ("view", DataType::Utf8View), ("dictionary", dictionary)]
}

fn decimal_types() -> [(&'static str, DataType); 4] {
    [
        ("decimal32", DataType::Decimal32(9, 2)),
        ("decimal64", DataType::Decimal64(18, 0)),
        ("decimal128", DataType::Decimal128(38, 10)),
        ("decimal256", DataType::Decimal256(50, 3)),
    ]
}

/// A column of decimals with these digits.
fn decimals(steps: &Int64Array, data_type: &DataType) -> ArrayRef {
    let (DataType::Decimal32(_, scale)
    | DataType::Decimal64(_, scale)
    | DataType::Decimal128(_, scale)
    | DataType::Decimal256(_, scale)) = data_type
    else {
        panic!("{data_type} is no decimal")
    };
    let wide = steps.unary::<_, Decimal128Type>(i128::from);
    let wide: ArrayRef = Arc::new(wide.with_data_type(DataType::Decimal128(38, *scale)));
    cast(&wide, data_type).unwrap()
}

fn texts(n: &Int64Array, data_type: &DataType) -> ArrayRef {
    let texts: ArrayRef = Arc::new(n.iter().map(|n| n.map(text_of)).collect::<StringArray>());
    cast(&texts, data_type).unwrap()
}

fn rows(seed: u64) -> RecordBatch {
    let mut random = Random(seed);
    let mut drawn = |distinct: usize, nulls: bool| -> Int64Array {
        let one = |random: &mut Random| {
            let n = i64::try_from(random.below(distinct)).unwrap();
            (!nulls || random.below(5) > 0).then_some(n)
        };
        (0..ROWS).map(|_| one(&mut random)).collect()
    };
    let (n, keys, gaps) = (drawn(30, true), drawn(3, false), drawn(4, false));
    let mut now = 0;
    let times: Int64Array = gaps
        .iter()
        .map(|gap| {
            now += gap.unwrap_or(0);
            Some(now)
        })
        .collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![("n", Arc::new(n.clone()))];
    columns.extend(text_types().map(|(name, to)| (name, texts(&n, &to))));
    columns.extend(decimal_types().map(|(name, to)| (name, decimals(&n, &to))));
    columns.push(("key", texts(&keys, &DataType::Utf8)));
    columns.push(("t", Arc::new(times)));
    let nullable = columns.into_iter().map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(nullable).unwrap()
}

/// Kernels that only ask whether values are equal, or return them.
fn of_equality(column: &str) -> Vec<KernelSpec> {
    let spec = |name: &str| KernelSpec::new(name).with("column", column);
    let rolling = |name: &str| spec(name).with("window", 4).with("min_samples", 1);
    vec![
        spec("shift").with("n", 1),
        spec("shift").with("n", 7),
        spec("shift").with("n", "3i").with("by", "t"),
        spec("ffill"),
        spec("ffill").with("within", "2i").with("by", "t"),
        spec("streak"),
        rolling("rolling_first"),
        rolling("rolling_last"),
        rolling("rolling_nunique"),
        rolling("rolling_entropy"),
        spec("rolling_last").with("window", "4i").with("by", "t"),
        spec("expanding_first"),
        spec("expanding_nunique"),
    ]
}

/// Kernels that compare or add values.
fn of_order(column: &str) -> Vec<KernelSpec> {
    let spec = |name: &str| KernelSpec::new(name).with("column", column);
    let rolling = |name: &str| spec(name).with("window", 4).with("min_samples", 1);
    vec![
        rolling("rolling_min"),
        rolling("rolling_max"),
        rolling("rolling_argmax"),
        rolling("rolling_mode"),
        rolling("rolling_rank"),
        rolling("rolling_sum"),
        spec("expanding_sum"),
        spec("cum_sum"),
        spec("cum_max"),
        spec("diff").with("n", 2),
    ]
}

/// The answers over integers as those over a column of this type.
fn translated(answers: &ArrayRef, data_type: &DataType, of_values: &DataType) -> ArrayRef {
    if data_type == answers.data_type() {
        return answers.clone();
    }
    let integers = cast(answers, &DataType::Int64).unwrap();
    let integers = integers.as_primitive::<Int64Type>();
    if of_values.is_decimal() { decimals(integers, data_type) } else { texts(integers, data_type) }
}

/// All kernels over all types: the specification, the answers, and the specification over integers.
fn cases() -> Vec<(KernelSpec, DataType, KernelSpec)> {
    let (texts, decimals) = (text_types(), decimal_types());
    let mut cases = Vec::new();
    for (name, data_type) in texts.iter().chain(&decimals) {
        let specs = |column: &str| {
            let mut specs = of_equality(column);
            if data_type.is_decimal() {
                specs.extend(of_order(column));
            }
            specs
        };
        cases.extend(specs(name).into_iter().zip(specs("n")).map(|(one, n)| (one, data_type.clone(), n)));
    }
    cases
}

#[test]
fn answers_are_those_of_the_integers() {
    let rows = rows(7);
    for keyed in [false, true] {
        for (spec, data_type, integers) in cases() {
            let over = |spec: KernelSpec| if keyed { spec.over(["key"]) } else { spec };
            let (spec, integers) = (over(spec), over(integers));
            let (answers, wanted) = (whole(&spec, &rows), whole(&integers, &rows));
            let wanted = translated(&wanted, answers.data_type(), &data_type);
            assert_eq!(bits(&answers), bits(&wanted), "{spec}");
            let threads = column(&evaluate(&rows, std::slice::from_ref(&spec), Some(3)).unwrap());
            assert_eq!(bits(&answers), bits(&threads), "{spec} on threads");
        }
    }
}

/// The value of a row, as one who has no arrays would give it.
fn cell<'a>(column: &'a ArrayRef, row: usize, held: &'a mut String) -> ScalarValue<'a> {
    if column.is_null(row) {
        return ScalarValue::Null;
    }
    match column.data_type() {
        DataType::Int64 => ScalarValue::Integer(column.as_primitive::<Int64Type>().value(row)),
        decimal if decimal.is_decimal() => {
            let wide = cast(column, &DataType::Decimal128(38, 10)).unwrap();
            let scale = match decimal {
                DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => *scale,
                DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
                _ => 0,
            };
            let steps = wide.as_primitive::<Decimal128Type>().value(row);
            ScalarValue::Decimal(steps / 10i128.pow(u32::try_from(10 - scale).unwrap()))
        }
        _ => {
            *held = cast(column, &DataType::Utf8).unwrap().as_string::<i32>().value(row).to_string();
            ScalarValue::Text(held)
        }
    }
}

#[test]
fn pieces_rows_and_saved_states_do_not_matter() {
    let rows = rows(11);
    for keyed in [false, true] {
        for (spec, ..) in cases() {
            let spec = if keyed { spec.over(["key"]) } else { spec };
            let wanted = whole(&spec, &rows);
            let mut stage = Stage::new(vec![spec.clone()]).unwrap();
            stage.set_schema(&rows.schema()).unwrap();
            let mut answers = Vec::new();
            for (piece, (start, end)) in cuts(ROWS, 5).into_iter().enumerate() {
                let expected = bits(&wanted.slice(start, end - start));
                match piece % 3 {
                    0 => {
                        let got = column(&stage.advance_columns(&rows.slice(start, end - start)).unwrap());
                        assert_eq!(bits(&got), expected, "{spec}");
                        assert_eq!(got.data_type(), wanted.data_type(), "{spec}");
                    }
                    1 => stage = Stage::from_bytes(&stage.to_bytes().unwrap()).unwrap(),
                    _ => {}
                }
                if piece % 3 == 0 {
                    continue;
                }
                for row in start..end {
                    let mut held = vec![String::new(); stage.row_fields().len()];
                    let fields = stage.row_fields().to_vec();
                    let given: Vec<ScalarValue> = fields
                        .iter()
                        .zip(&mut held)
                        .map(|(field, held)| cell(rows.column_by_name(field.name()).unwrap(), row, held))
                        .collect();
                    stage.advance_row(&given, &mut answers).unwrap();
                    let mut expected = String::new();
                    let expected = cell(&wanted, row, &mut expected);
                    match (answers[0], expected) {
                        (ScalarValue::Code(code), ScalarValue::Text(text)) => {
                            assert_eq!(stage.text(code).as_deref(), Some(text), "{spec} row {row}");
                        }
                        (ScalarValue::Float(x), ScalarValue::Text(text)) => {
                            assert_eq!(x.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{spec} row {row}");
                        }
                        (got, wanted) => assert_eq!(got, wanted, "{spec} row {row}"),
                    }
                }
            }
        }
    }
}

#[test]
fn keys_may_move() {
    let rows = rows(13);
    let (first, rest) = (rows.slice(0, 150), rows.slice(150, ROWS - 150));
    for (spec, ..) in cases() {
        let spec = spec.over(["key"]);
        let mut wanted = Stage::new(vec![spec.clone()]).unwrap();
        wanted.advance(&first).unwrap();
        let mut parts = wanted.split_evenly(2).unwrap();
        let mut merged = parts.remove(1);
        merged.merge(parts.remove(0)).unwrap();
        let (got, wanted) = (merged.advance_columns(&rest).unwrap(), wanted.advance_columns(&rest).unwrap());
        assert_eq!(bits(&column(&got)), bits(&column(&wanted)), "{spec}");
    }
}

#[test]
fn texts_that_no_state_holds_are_forgotten() {
    let mut stage = Stage::new(vec![KernelSpec::new("shift").with("column", "text").with("n", 1)]).unwrap();
    let texts = |from: usize| -> RecordBatch {
        let texts: ArrayRef =
            Arc::new((from..from + 100).map(|n| Some(format!("text number {n}"))).collect::<StringArray>());
        RecordBatch::try_from_iter([("text", texts)]).unwrap()
    };
    stage.advance(&texts(0)).unwrap();
    let early = stage.state_bytes();
    for batch in 1..50 {
        let got = column(&stage.advance_columns(&texts(100 * batch)).unwrap());
        let last = format!("text number {}", 100 * batch - 1);
        assert_eq!(cast(&got, &DataType::Utf8).unwrap().as_string::<i32>().value(0), last);
    }
    assert!(stage.state_bytes() <= early + 100, "{} bytes, {early} after the first batch", stage.state_bytes());
    let saved = stage.state().unwrap();
    let held = saved.column_by_name("seen:texts").unwrap().as_list::<i64>().values().clone();
    assert_eq!(held.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("text number 4999")]);
}

#[test]
fn what_does_not_fit_is_named() {
    let long = Int64Array::from(vec![1, 2]).unary::<_, Decimal128Type>(|n| i128::from(n) * 10i128.pow(19));
    let long: ArrayRef = Arc::new(long.with_data_type(DataType::Decimal128(38, 2)));
    let batch = RecordBatch::try_from_iter([("price", long)]).unwrap();
    let mut stage = Stage::new(vec![KernelSpec::new("cum_max").with("column", "price")]).unwrap();
    let error = stage.advance(&batch).unwrap_err().to_string();
    for part in ["cum_max", "'price'", "row 0", "100000000000000000.00", "64 bits", "fewer digits"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(stage.n_rows(), 0);
    stage.advance(&batch.slice(0, 0)).unwrap();
    for (kernel, column) in [("rolling_min", "utf8"), ("rolling_mean", "decimal128"), ("rolling_quantile", "decimal64")]
    {
        let spec = KernelSpec::new(kernel).with("column", column).with("window", 3);
        let spec = if kernel == "rolling_quantile" { spec.with("quantile", 0.5) } else { spec };
        let error = evaluate(&rows(1), &[spec], None).unwrap_err().to_string();
        assert!(error.contains(kernel) && error.contains(column) && error.contains("expected"), "{error}");
    }
}

#[test]
fn sums_outside_64_bits_are_null() {
    let steps = Int64Array::from(vec![i64::MAX, 1, -5, i64::MIN, i64::MIN]);
    let batch = RecordBatch::try_from_iter([("x", decimals(&steps, &DataType::Decimal128(38, 2)))]).unwrap();
    let sums = |spec: KernelSpec| bits(&whole(&spec.with("column", "x"), &batch));
    let max = Some("92233720368547758.07".to_string());
    let running = [max.clone(), None, Some("92233720368547758.03".into()), Some("-0.05".into()), None];
    assert_eq!(sums(KernelSpec::new("cum_sum")), running);
    assert_eq!(sums(KernelSpec::new("expanding_sum")), running);
    let pairs = [None, None, Some("-0.04".into()), None, None];
    assert_eq!(sums(KernelSpec::new("rolling_sum").with("window", 2)), pairs);
}

#[test]
fn times_of_the_day_and_durations_order_rows() {
    let seconds = Int64Array::from(vec![0, 30, 60, 150, 160]);
    let x: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 4, 8, 16]));
    let wanted = [1.0, 3.0, 7.0, 8.0, 24.0];
    let units = [
        (DataType::Duration(TimeUnit::Second), 1),
        (DataType::Duration(TimeUnit::Nanosecond), 1_000_000_000),
        (DataType::Time32(TimeUnit::Second), 1),
        (DataType::Time32(TimeUnit::Millisecond), 1_000),
        (DataType::Time64(TimeUnit::Microsecond), 1_000_000),
        (DataType::Time64(TimeUnit::Nanosecond), 1_000_000_000),
    ];
    for (data_type, factor) in units {
        let times: ArrayRef = match data_type {
            DataType::Time32(_) => {
                let times = seconds.unary::<_, Int32Type>(|s| i32::try_from(s * factor).unwrap());
                cast(&times, &data_type).unwrap()
            }
            _ => cast(&seconds.unary::<_, Int64Type>(|s| s * factor), &data_type).unwrap(),
        };
        let schema =
            Schema::new(vec![Field::new("t", data_type.clone(), true), Field::new("x", DataType::Int64, true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![times, x.clone()]).unwrap();
        let spec = KernelSpec::new("rolling_sum").with("column", "x").with("window", "61s").with("by", "t");
        let sums = whole(&spec, &batch);
        let sums: Vec<f64> = crate::reference::numbers(&sums).into_iter().flatten().collect();
        assert_eq!(sums, wanted, "{data_type}");
    }
}

#[test]
fn durations_are_summed_and_averaged_exactly() {
    let durations = Int64Array::from(vec![Some(i64::MAX), Some(i64::MAX), None, Some(-7), Some(4)]);
    let durations = cast(&durations, &DataType::Duration(TimeUnit::Second)).unwrap();
    let batch = RecordBatch::try_from_iter([("d", durations)]).unwrap();
    let answers = |spec: KernelSpec| {
        let answers = whole(&spec.with("column", "d").with("min_samples", 1), &batch);
        assert_eq!(*answers.data_type(), DataType::Duration(TimeUnit::Second));
        cast(&answers, &DataType::Int64).unwrap().as_primitive::<Int64Type>().iter().collect::<Vec<_>>()
    };
    let rolling = |name: &str| KernelSpec::new(name).with("window", 2);
    assert_eq!(answers(rolling("rolling_sum")), [Some(i64::MAX), None, Some(i64::MAX), Some(-7), Some(-3)]);
    assert_eq!(answers(rolling("rolling_mean")), [Some(i64::MAX), Some(i64::MAX), Some(i64::MAX), Some(-7), Some(-1)]);
    let mean = (3 * i128::from(i64::MAX) - i128::from(i64::MAX) - 7) / 3;
    let mean = i64::try_from(mean).unwrap();
    assert_eq!(answers(KernelSpec::new("expanding_mean"))[3], Some(mean));
}
