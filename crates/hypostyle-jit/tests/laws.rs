//! The laws of all kernels, for users' functions: in any pieces, on any number of threads, peeked, saved and loaded, by key,
//! row by row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use hypostyle::{Catalog, ErrorKind, KernelSpec, ScalarValue};
use hypostyle_jit::catalog;

const CUSUM: &str = r#"{"name":"cusum","inputs":["x"],"state":[["up",["float","0.0"]],["down",["float","0.0"]]],"outputs":[],
    "body":[["set","up",["call","max",[["float","0.0"],["-",["+",["field","up"],["get","x"]],["float","0.5"]]]]],
    ["set","down",["call","max",[["float","0.0"],["-",["-",["field","down"],["get","x"]],["float","0.5"]]]]],
    ["return",[["or",[["compare",["get","up"],[[">",["float","3.0"]]]],["compare",["get","down"],[[">",["float","3.0"]]]]]]],
    [["get","up"],["get","down"]]]]}"#;
/// The change since the last value, and how many there were; a null is seen.
const CHANGE: &str = r#"{"name":"change","inputs":["x","n"],"state":[["last",null],["count",0]],"outputs":["change","count"],
    "body":[["if",["is_none",["get","x"]],[["return",[null,["field","count"]],[["field","last"],["field","count"]]]],[]],
    ["return",[["if",["is_none",["field","last"]],null,["-",["get","x"],["field","last"]]],["+",["field","count"],["get","n"]]],
    [["get","x"],["+",["field","count"],1]]]]}"#;
const RATIO: &str = r#"{"name":"ratio","inputs":["x","n"],"state":[],"outputs":[],
    "body":[["return",[["/",["get","x"],["get","n"]]],[]]]}"#;
const SPREAD: &str = r#"{"name":"spread","inputs":["max","min","count"],"state":[],"outputs":[],
    "body":[["return",[["if",["compare",["get","count"],[[">",2]]],["-",["get","max"],["get","min"]],null]],[]]]}"#;

fn specs(over: &[&str]) -> Vec<KernelSpec> {
    let program = |columns: Vec<&str>, program: &str, alias: &str| {
        KernelSpec::new("program")
            .with("columns", columns)
            .with("program", program)
            .over(over.iter().copied())
            .alias(alias)
    };
    let spread = KernelSpec::new("rolling_program").with("column", "x").with("program", SPREAD).with("window", 5);
    vec![
        program(vec!["x"], CUSUM, "cusum"),
        program(vec!["x", "n"], CHANGE, "change"),
        program(vec!["x", "n"], RATIO, "ratio"),
        spread.over(over.iter().copied()).alias("spread"),
    ]
}

fn table(rows: usize) -> RecordBatch {
    let mut seed = 42u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed >> 33
    };
    let (mut x, mut n, mut key) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rows {
        x.push(match next() % 20 {
            0 => None,
            1 => Some(f64::NAN),
            other => Some(f64::from(u32::try_from(next() % 1000).unwrap()) / 100.0 - other as f64 / 4.0),
        });
        n.push((next() % 9 != 0).then(|| i64::try_from(next() % 5).unwrap()));
        key.push(i64::try_from(next() % 7).unwrap());
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("x", Arc::new(Float64Array::from(x))),
        ("n", Arc::new(Int64Array::from(n))),
        ("key", Arc::new(Int64Array::from(key))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap()
}

/// Each result as text, with the bits of floats.
fn shown(column: &ArrayRef) -> Vec<String> {
    (0..column.len())
        .map(|row| match column.data_type() {
            _ if column.is_null(row) => "null".to_string(),
            DataType::Float64 => {
                let x = column.as_primitive::<Float64Type>().value(row);
                if x.is_nan() { "nan".to_string() } else { format!("{:x}", x.to_bits()) }
            }
            DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
            DataType::Boolean => column.as_boolean().value(row).to_string(),
            DataType::Struct(_) => {
                let fields = column.as_struct().columns().iter().map(|field| shown(&field.slice(row, 1)).remove(0));
                fields.collect::<Vec<_>>().join(" ")
            }
            other => panic!("{other}"),
        })
        .collect()
}

fn all(columns: &[ArrayRef]) -> Vec<Vec<String>> {
    columns.iter().map(shown).collect()
}

/// What the functions should give, by plain loops.
fn expected(rows: &RecordBatch, keyed: bool) -> Vec<Vec<String>> {
    let (x, n) = (rows["x"].as_primitive::<Float64Type>(), rows["n"].as_primitive::<Int64Type>());
    let keys = rows["key"].as_primitive::<Int64Type>();
    let mut results = vec![vec![String::new(); x.len()]; 4];
    let text = |x: Option<f64>| {
        x.map_or("null".to_string(), |x| if x.is_nan() { "nan".to_string() } else { format!("{:x}", x.to_bits()) })
    };
    for key in 0..if keyed { 7 } else { 1 } {
        let (mut up, mut down, mut last, mut count, mut window) = (0.0, 0.0, None, 0, Vec::new());
        for row in (0..x.len()).filter(|row| !keyed || keys.value(*row) == key) {
            let value = x.is_valid(row).then(|| x.value(row));
            let number = n.is_valid(row).then(|| n.value(row));
            let larger = |a: f64, b: f64| if b > a { b } else { a };
            results[0][row] = match value {
                Some(x) => {
                    (up, down) = (larger(0.0, up + x - 0.5), larger(0.0, down - x - 0.5));
                    (up > 3.0 || down > 3.0).to_string()
                }
                None => "null".to_string(),
            };
            results[1][row] = match (value, number) {
                (None, _) => format!("null {count}"),
                (Some(_), None) => "null null".to_string(),
                (Some(x), Some(number)) => {
                    let change = text(last.map(|last: f64| x - last));
                    let shown = format!("{change} {}", count + number);
                    (last, count) = (Some(x), count + 1);
                    shown
                }
            };
            results[2][row] = text(value.zip(number).filter(|(_, n)| *n != 0).map(|(x, n)| x / n as f64));
            window.push(value);
            let start = window.len().saturating_sub(5);
            let values: Vec<f64> = window[start..].iter().flatten().copied().collect();
            let nan = values.iter().any(|x| x.is_nan());
            let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
            results[3][row] = text((values.len() > 2).then_some(if nan { f64::NAN } else { high - low }));
        }
    }
    results
}

#[test]
fn in_memory_on_any_number_of_threads() {
    for rows in [0, 1, 7, 500, 20_000] {
        let table = table(rows);
        for over in [&[][..], &["key"]] {
            for threads in [1, 2] {
                let results = catalog().evaluate(&table, &specs(over), Some(threads)).unwrap();
                assert_eq!(all(results.columns()), expected(&table, !over.is_empty()), "{rows} {over:?} {threads}");
            }
        }
    }
}

#[test]
fn in_pieces_peeked_saved_and_loaded() {
    let (catalog, table) = (catalog(), table(600));
    for over in [&[][..], &["key"]] {
        let mut stage = catalog.stage(&specs(over)).unwrap().with_threads(2).unwrap();
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        let (mut start, mut size) = (0, 1);
        while start < table.num_rows() {
            let piece = table.slice(start, size.min(table.num_rows() - start));
            let peeked = stage.peek_columns(&piece).unwrap();
            let results = stage.advance_columns(&piece).unwrap();
            assert_eq!(all(peeked.columns()), all(results.columns()));
            pieces.push(results.columns().to_vec());
            stage = catalog.stage_from_bytes(&stage.to_bytes().unwrap()).unwrap();
            start += piece.num_rows();
            size = size * 2 % 37 + 1;
        }
        let whole: Vec<ArrayRef> = (0..4)
            .map(|at| concat(&pieces.iter().map(|piece| piece[at].as_ref()).collect::<Vec<_>>()).unwrap())
            .collect();
        assert_eq!(all(&whole), expected(&table, !over.is_empty()), "{over:?}");
    }
}

#[test]
fn row_by_row() {
    let (catalog, table) = (catalog(), table(300));
    let mut stage = catalog.stage(&specs(&["key"])).unwrap();
    stage.set_schema(&table.schema()).unwrap();
    let expected = expected(&table, true);
    let mut cells = Vec::new();
    for row in 0..table.num_rows() {
        let names: Vec<String> = stage.row_fields().iter().map(|field| field.name().clone()).collect();
        let given: Vec<ScalarValue> = names
            .iter()
            .map(|name| match table[name.as_str()].data_type() {
                _ if table[name.as_str()].is_null(row) => ScalarValue::Null,
                DataType::Float64 => ScalarValue::Float(table[name.as_str()].as_primitive::<Float64Type>().value(row)),
                _ => ScalarValue::Integer(table[name.as_str()].as_primitive::<Int64Type>().value(row)),
            })
            .collect();
        stage.advance_row(&given, &mut cells).unwrap();
        let shown: Vec<String> = cells
            .iter()
            .map(|cell| match cell {
                ScalarValue::Null => "null".to_string(),
                ScalarValue::Float(x) if x.is_nan() => "nan".to_string(),
                ScalarValue::Float(x) => format!("{:x}", x.to_bits()),
                ScalarValue::Integer(x) => x.to_string(),
                ScalarValue::Boolean(x) => x.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        let shown = [shown[0].clone(), format!("{} {}", shown[1], shown[2]), shown[3].clone(), shown[4].clone()];
        let wanted: Vec<String> = expected.iter().map(|results| results[row].clone()).collect();
        assert_eq!(shown.to_vec(), wanted, "row {row}");
    }
}

#[test]
fn a_row_that_raises_changes_nothing() {
    let catalog = catalog();
    let spec = |over: &[&str]| {
        KernelSpec::new("program")
            .with("columns", vec!["n"])
            .with("errors", "raise")
            .over(over.iter().copied())
            .alias("sum")
            .with(
                "program",
                r#"{"name":"inverse_sum","inputs":["n"],"state":[["sum",["float","0.0"]]],"outputs":[],"body":[
                ["set","sum",["+",["field","sum"],["/",1,["get","n"]]]],["return",[["get","sum"]],[["get","sum"]]]]}"#,
            )
    };
    let batch = |numbers: Vec<i64>| {
        let keys: ArrayRef = Arc::new(BooleanArray::from(vec![true; numbers.len()]));
        let numbers: ArrayRef = Arc::new(Int64Array::from(numbers));
        RecordBatch::try_from_iter([("n", numbers), ("key", keys)]).unwrap()
    };
    for over in [&[][..], &["key"]] {
        let mut stage = catalog.stage(&[spec(over)]).unwrap();
        stage.advance(&batch(vec![1, 2])).unwrap();
        let before = stage.to_bytes().unwrap();
        let error = stage.advance(&batch(vec![4, 4, 0, 1])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        let message = error.to_string();
        assert!(message.starts_with("inverse_sum, row 4: "), "{message}");
        assert_eq!(stage.to_bytes().unwrap(), before);
        let results = stage.advance_columns(&batch(vec![2])).unwrap();
        assert_eq!(results.column(0).as_primitive::<Float64Type>().values(), &[2.0]);
    }
}

#[test]
fn a_state_is_of_one_program() {
    let mut stage = catalog().stage(&specs(&["key"])).unwrap();
    stage.advance(&table(50)).unwrap();
    let saved = stage.to_bytes().unwrap();
    // Without the kernels for users' functions there is no such state.
    let error = Catalog::default().stage_from_bytes(&saved).map(drop).unwrap_err().to_string();
    assert!(error.contains("program"), "{error}");
}
