//! Random specifications drawn from a kernel's table of parameters, and columns of every type.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::reference::{NUMBERS, table_of};
use crate::{Kernel, KernelSpec, Kind, Literal, Parameter, SHAPES, Value};

/// Whether the windows of the specification can go back, which a stage refuses.
pub fn goes_back(spec: &KernelSpec) -> bool {
    matches!(spec.parameters.get("window"), Some(Value::LengthIn(name) | Value::StartIn(name)) if name.starts_with("wild"))
}

fn value(parameter: &Parameter) -> BoxedStrategy<Value> {
    let text = |names: &[&'static str]| -> BoxedStrategy<Value> {
        proptest::sample::select(names.to_vec()).prop_map(Value::from).boxed()
    };
    let number = || proptest::sample::select(vec![0.05, 0.25, 0.5, 1.0, 2.0, 3.5, -1.5]).prop_map(Value::from).boxed();
    match &parameter.kind {
        Kind::Column => text(&NUMBERS),
        Kind::Columns => proptest::collection::vec(text(&NUMBERS), 1..4).prop_map(Value::from).boxed(),
        Kind::Flags => text(&["flag"]),
        Kind::Rows => proptest::sample::select(vec![1i64, 2, 3, 5, 8, 30, 150]).prop_map(Value::from).boxed(),
        Kind::Weights => {
            let names: Vec<&'static str> = SHAPES.iter().copied().chain(["exponential", "gaussian"]).collect();
            Union::new([text(&names), proptest::collection::vec(number(), 1..4).prop_map(Value::from).boxed()]).boxed()
        }
        Kind::Words(known) => proptest::sample::subsequence(known.to_vec(), 1..=known.len())
            .prop_map(|words| Value::from(words.to_vec()))
            .boxed(),
        Kind::Time(_) => text(&["t", "step"]),
        Kind::Number => number(),
        Kind::NumberOrColumn => Union::new([number(), text(&NUMBERS)]).boxed(),
        Kind::Numbers => proptest::collection::vec(number(), 1..4).prop_map(Value::from).boxed(),
        Kind::Table => proptest::collection::vec(0i64..3, 9)
            .prop_map(|entries| entries.chunks(3).map(|row| Value::from(row.to_vec())).collect::<Vec<_>>().into())
            .boxed(),
        Kind::NumbersOrColumns => {
            let item = Union::new([number(), text(&NUMBERS)]);
            proptest::collection::vec(item, 1..4).prop_map(Value::from).boxed()
        }
        Kind::Count => (0i64..6).prop_map(Value::from).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Choice(known) => text(known),
        Kind::Window => Union::new([
            proptest::sample::select(vec![1i64, 2, 3, 5, 8, 30, 150]).prop_map(Value::from).boxed(),
            text(&["1s", "3s", "2500ms", "1m", "1i", "4i"]),
            proptest::sample::select(vec!["n", "span", "wild n", "wild span"]).prop_map(Value::length_in).boxed(),
            proptest::sample::select(vec!["from", "since", "wild from", "wild since"])
                .prop_map(Value::start_in)
                .boxed(),
        ])
        .boxed(),
        Kind::HalfLife => Union::new([number(), text(&["1s", "3s", "1m", "4i"])]).boxed(),
        Kind::Offset => Union::new([
            proptest::sample::select(vec![1i64, 2, 5, 30, 0, -1, -3]).prop_map(Value::from).boxed(),
            text(&["1s", "3s", "2500ms", "1m", "4i"]),
        ])
        .boxed(),
        Kind::Program => text(&["{}"]),
        Kind::Duration => Union::new([(1i64..5).prop_map(Value::from).boxed(), text(&["1s", "5s", "3i"])]).boxed(),
    }
}

fn parameters(kernel: &Kernel) -> impl Strategy<Value = KernelSpec> + use<> {
    let each: Vec<BoxedStrategy<Option<(String, Value)>>> = kernel
        .parameters
        .iter()
        .map(|parameter| {
            let name = parameter.name.to_string();
            let given = value(parameter).prop_map(move |value| Some((name.clone(), value))).boxed();
            match parameter.default {
                Literal::Required => given,
                _ => Union::new([Just(None).boxed(), given]).boxed(),
            }
        })
        .collect();
    let name = kernel.name.clone();
    each.prop_map(move |given| {
        let mut spec = KernelSpec::new(&name).alias("answer");
        spec.parameters = given.into_iter().flatten().collect();
        spec
    })
}

/// Specifications that the kernel accepts for the columns of [`table`].
pub fn specs_of(kernel: &Kernel, keyed: bool) -> impl Strategy<Value = KernelSpec> + use<> {
    let keys = [vec!["key"], vec!["sector"], vec!["key", "sector"]];
    (parameters(kernel), proptest::sample::select(keys.to_vec()))
        .prop_map(move |(spec, keys)| if keyed { spec.over(keys) } else { spec })
        .prop_filter_map("the kernel refuses these parameters", |mut spec| {
            // What goes with what is the kernel's to say; two mends save most draws.
            if matches!(spec.parameters.get("window"), Some(Value::Int(_))) {
                spec.parameters.remove("by");
            }
            if matches!(spec.parameters.get("window"), Some(Value::Text(_))) {
                spec.parameters.remove("center");
                spec.parameters.entry("by".to_string()).or_insert("t".into());
            }
            mend_pace(&mut spec);
            mend_offset(&mut spec);
            if let Some(Value::LengthIn(name) | Value::StartIn(name)) = spec.parameters.get("window").cloned() {
                spec.parameters.remove("center");
                match name.trim_start_matches("wild ") {
                    "n" | "from" => spec.parameters.remove("by"),
                    _ => spec.parameters.insert("by".to_string(), "t".into()),
                };
            }
            if let (Some(Value::List(columns)), Some(Value::List(weights))) =
                (spec.parameters.get("columns"), spec.parameters.get("weights"))
            {
                let weights = (0..columns.len()).map(|i| weights[i % weights.len()].clone()).collect();
                spec.parameters.insert("weights".to_string(), Value::List(weights));
            }
            mend_filter(&mut spec);
            mend_trend(&mut spec);
            crate::output_fields(&table_of(0, 1).batch.schema(), std::slice::from_ref(&spec)).ok().map(|_| spec)
        })
}

/// A vector has as many weights as the window holds rows, and a shape the parameters that it needs.
fn mend_filter(spec: &mut KernelSpec) {
    if !spec.name.contains("_fir_") {
        return;
    }
    let Some(Value::Int(window)) = spec.parameters.get("window").cloned() else { return };
    let held = match spec.parameters.get("closed") {
        Some(Value::Text(closed)) if closed == "both" => window + 1,
        Some(Value::Text(closed)) if closed == "neither" => window - 1,
        _ => window,
    };
    let shape = match spec.parameters.get_mut("weights") {
        Some(Value::List(weights)) => {
            let drawn = weights.clone();
            *weights = (0..usize::try_from(held).unwrap()).map(|i| drawn[i % drawn.len()].clone()).collect();
            String::new()
        }
        Some(Value::Text(shape)) => shape.clone(),
        _ => String::new(),
    };
    for (name, of, usual) in [("alpha", "exponential", 0.25), ("std", "gaussian", 2.0)] {
        spec.parameters.remove(name);
        if shape == of {
            spec.parameters.insert(name.to_string(), Value::from(usual));
        }
    }
}

/// Another row is so many rows away, or so long ago.
fn mend_offset(spec: &mut KernelSpec) {
    let is_offset = |parameter: &Parameter| matches!(parameter.kind, Kind::Offset);
    if !spec.kernel().is_ok_and(|kernel| kernel.parameters.iter().any(is_offset)) {
        return;
    }
    match spec.parameters.get("n") {
        Some(Value::Text(_)) => {
            spec.parameters.entry("by".to_string()).or_insert("t".into());
        }
        _ => {
            spec.parameters.remove("by");
        }
    }
}

/// Weights age by exactly one of several parameters, and by time where that is a duration.
fn mend_pace(spec: &mut KernelSpec) {
    let names = ["half_life", "alpha", "com", "span"];
    let mut given = names.into_iter().filter(|name| spec.parameters.contains_key(*name));
    let Some(first) = given.next() else { return };
    let rest: Vec<&str> = given.collect();
    rest.into_iter().for_each(|name| drop(spec.parameters.remove(name)));
    if !spec.kernel().is_ok_and(|kernel| kernel.accepts("half_life")) {
        return;
    }
    let by_time = first == "half_life" && matches!(spec.parameters[first], Value::Text(_));
    if by_time {
        spec.parameters.remove("ignore_nulls");
        spec.parameters.entry("by".to_string()).or_insert("t".into());
    } else {
        spec.parameters.remove("by");
    }
}

/// What a slope is for has the unit of what it is against.
fn mend_trend(spec: &mut KernelSpec) {
    if !spec.name.ends_with("_trend") {
        return;
    }
    match (spec.parameters.get("against").cloned(), spec.parameters.contains_key("per")) {
        (Some(Value::Text(name)), true) => {
            let per = if name == "t" { Value::from("5s") } else { Value::from(3i64) };
            spec.parameters.insert("per".to_string(), per);
        }
        _ => {
            spec.parameters.remove("per");
        }
    }
}

/// Any specification of the kernel, refused ones and columns of any type included.
pub fn any_spec_of(kernel: &Kernel) -> impl Strategy<Value = KernelSpec> + use<> {
    let anything = || {
        Union::new([
            proptest::sample::select(vec!["x", "key", "t", "flag", "missing", "5m", "left", ""])
                .prop_map(Value::from)
                .boxed(),
            any::<i64>().prop_map(Value::from).boxed(),
            (-2i64..9).prop_map(Value::from).boxed(),
            any::<f64>().prop_map(Value::from).boxed(),
            any::<bool>().prop_map(Value::from).boxed(),
            Just(Value::List(vec![])).boxed(),
            Just(Value::from(vec!["x", "key"])).boxed(),
        ])
    };
    let names: Vec<String> =
        kernel.parameters.iter().map(|p| p.name.to_string()).chain(["nonsense".to_string()]).collect();
    let changes = proptest::collection::vec((proptest::sample::select(names), anything()), 0..3);
    (parameters(kernel), changes, any::<bool>()).prop_map(|(mut spec, changes, keyed)| {
        for (name, value) in changes {
            // Windows of billions of rows are fine, but slow to allocate for; they have a test of their own.
            let huge = matches!(value, Value::Int(n) if n > 1_000_000);
            if !(huge && name == "window") {
                spec.parameters.insert(name, value);
            }
        }
        if keyed { spec.over(["key"]) } else { spec }
    })
}

/// Some specification of the kernel that works.
pub fn keyless(kernel: &Kernel) -> KernelSpec {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    specs_of(kernel, false).new_tree(&mut runner).unwrap().current()
}

/// Three rows of columns of every type that tables have, each with a null.
pub fn columns_of_all_types() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
    let strings: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
    let unit = TimeUnit::Microsecond;
    let of_numbers = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Boolean,
        DataType::Decimal128(10, 2),
        DataType::Date64,
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::Timestamp(TimeUnit::Millisecond, None),
        DataType::Timestamp(unit, Some("Europe/Berlin".into())),
        DataType::Timestamp(TimeUnit::Nanosecond, None),
        DataType::Duration(unit),
        DataType::Time64(unit),
    ];
    let of_strings = [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, DataType::Binary, DataType::BinaryView];
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (source, types) in [(&numbers, &of_numbers[..]), (&strings, &of_strings[..])] {
        columns.extend(types.iter().map(|to| (to.to_string(), cast(source, to).unwrap())));
    }
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    columns.push(("dictionary".to_string(), cast(&strings, &dictionary).unwrap()));
    columns.push(("date32".to_string(), cast(&cast(&numbers, &DataType::Int32).unwrap(), &DataType::Date32).unwrap()));
    let seconds = DataType::Time32(TimeUnit::Second);
    columns.push(("time32".to_string(), cast(&cast(&numbers, &DataType::Int32).unwrap(), &seconds).unwrap()));
    columns.push(("null".to_string(), new_null_array(&DataType::Null, 3)));
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    columns.push(("list".to_string(), new_null_array(&DataType::List(item.clone()), 3)));
    columns.push(("struct".to_string(), new_null_array(&DataType::Struct(vec![item].into()), 3)));
    // The columns of the examples.
    for name in ["x", "y", "z", "t"] {
        let to = if name == "t" { DataType::Timestamp(TimeUnit::Nanosecond, None) } else { DataType::Float64 };
        let values: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        columns.push((name.to_string(), cast(&values, &to).unwrap()));
    }
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true))).unwrap()
}
