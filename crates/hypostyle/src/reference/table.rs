//! Random tables with columns of many types, and which rows of them a window holds, by its definition.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DurationMillisecondArray, Float32Array, Float64Array, Int32Array,
    Int64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, UInt64Type};
use proptest::prelude::*;

use crate::spec::{Duration, Family, KernelSpec, Kind, Parameter, Value};

/// A small generator for what needs no shrinking (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % n.max(1)
    }
}

/// Rows with columns of many types.
#[derive(Clone)]
pub struct Table {
    pub batch: RecordBatch,
    seed: u64,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table_of({}, {})", self.batch.num_rows(), self.seed)
    }
}

/// A key's values as text.
pub type Key = Vec<Option<String>>;

/// The key of each row.
pub fn keys_of(rows: &RecordBatch, over: &[String]) -> Vec<Key> {
    let texts: Vec<ArrayRef> =
        over.iter().map(|name| cast(rows.column_by_name(name).unwrap(), &DataType::Utf8).unwrap()).collect();
    let text =
        |column: &ArrayRef, row: usize| column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_string());
    (0..rows.num_rows()).map(|row| texts.iter().map(|column| text(column, row)).collect()).collect()
}

pub const NUMBERS: [&str; 6] = ["x", "y", "narrow", "whole", "unsigned", "flag"];

fn float(random: &mut Random, wild: bool) -> f64 {
    match random.below(if wild { 60 } else { 40 }) {
        0..20 => f64::from(i32::try_from(random.below(20)).unwrap() - 10),
        20..40 => (random.next() >> 11) as f64 / (1u64 << 50) as f64 - 4.0,
        40..50 => f64::from(i32::try_from(random.below(5)).unwrap()) + 1e9,
        50..54 => -0.0,
        54 => f64::NAN,
        55 => f64::INFINITY,
        56 => f64::NEG_INFINITY,
        57 => 1e300,
        _ => f64::MIN_POSITIVE,
    }
}

pub fn table_of(len: usize, seed: u64) -> Table {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let nulls = [0, 0, 4, 20, 60][random.below(5)];
    let (wild_x, constant) = (random.below(3) == 0, random.below(8) == 0);
    let null = |random: &mut Random| random.below(100) < nulls;
    let mut time = i64::try_from(random.below(1000)).unwrap() - 500;
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    let keys: Vec<Option<&str>> =
        (0..len).map(|_| [Some("a"), Some("b"), Some("a name of some length"), None][random.below(4)]).collect();
    columns.push(("key", Arc::new(StringArray::from(keys))));
    let sectors: Vec<i32> = (0..len).map(|_| i32::try_from(random.below(2)).unwrap()).collect();
    columns.push(("sector", Arc::new(Int32Array::from(sectors))));
    let times: Vec<i64> = (0..len)
        .map(|_| {
            time += [0, 0, 1, 1, 2, 5, 40][random.below(7)];
            time * 1000
        })
        .collect();
    columns.push(("t", Arc::new(TimestampMillisecondArray::from(times.clone()))));
    columns.push(("step", Arc::new(Int64Array::from(times.iter().map(|t| t / 1000).collect::<Vec<_>>()))));
    for (name, wild) in [("x", wild_x), ("y", false)] {
        let values: Float64Array = (0..len)
            .map(|_| {
                if null(&mut random) {
                    None
                } else if constant {
                    Some(0.1)
                } else {
                    Some(float(&mut random, wild))
                }
            })
            .collect();
        columns.push((name, Arc::new(values)));
    }
    let narrow: Float32Array =
        (0..len).map(|_| (!null(&mut random)).then(|| (random.below(2000) as f32) / 7.0)).collect();
    columns.push(("narrow", Arc::new(narrow)));
    let whole: Int64Array = (0..len)
        .map(|_| {
            (!null(&mut random))
                .then(|| i64::try_from(random.below(9)).unwrap() - 4 + if wild_x { i64::MAX - 10 } else { 0 })
        })
        .collect();
    columns.push(("whole", Arc::new(whole)));
    let unsigned: UInt64Array = (0..len).map(|_| (!null(&mut random)).then(|| random.next() >> 20)).collect();
    columns.push(("unsigned", Arc::new(unsigned)));
    let flag: BooleanArray = (0..len).map(|_| (!null(&mut random)).then(|| random.below(2) == 0)).collect();
    columns.push(("flag", Arc::new(flag)));
    columns.extend(bounds(&mut random, &times, nulls));
    Table {
        batch: RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap(),
        seed,
    }
}

/// Columns that bound windows: for streams, where none goes back within any key, and wild ones.
fn bounds(random: &mut Random, times: &[i64], nulls: usize) -> Vec<(&'static str, ArrayRef)> {
    let (mut n, mut from) = (i64::try_from(random.below(12)).unwrap(), -1);
    let (mut span, mut since) = (2000, i64::MIN);
    let mut columns = vec![Vec::new(); 7];
    for (row, t) in times.iter().enumerate() {
        n -= i64::from(random.below(30) == 0);
        from += i64::try_from(random.below(4)).unwrap() / 2;
        span -= i64::try_from(random.below(8)).unwrap() / 7 * 500;
        since = since.max(t - i64::try_from(random.below(7)).unwrap() * 500);
        let wild = i64::try_from(random.below(12)).unwrap() - 2;
        let wild_from = i64::try_from(row).unwrap() - wild;
        let all = [n, from, span, since, wild, wild_from, t - wild * 400];
        for (column, x) in columns.iter_mut().zip(all) {
            column.push((random.below(100) >= nulls / 2).then_some(x));
        }
    }
    let [n, from, span, since, wild_n, wild_from, wild_since] = columns.try_into().unwrap();
    let wild_span: Vec<Option<i64>> = wild_n.iter().map(|x| x.map(|x| x * 400)).collect();
    vec![
        ("n", Arc::new(Int64Array::from(n))),
        ("from", Arc::new(Int64Array::from(from))),
        ("span", Arc::new(DurationMillisecondArray::from(span))),
        ("since", Arc::new(TimestampMillisecondArray::from(since))),
        ("wild n", Arc::new(Int64Array::from(wild_n))),
        ("wild from", Arc::new(Int64Array::from(wild_from))),
        ("wild span", Arc::new(DurationMillisecondArray::from(wild_span))),
        ("wild since", Arc::new(TimestampMillisecondArray::from(wild_since))),
    ]
}

/// Tables of up to 200 rows.
pub fn table() -> impl Strategy<Value = Table> {
    (0usize..200, any::<u64>()).prop_map(|(len, seed)| table_of(len, seed))
}

/// The rows again, with every float of one of them replaced; a null stays, as it is no value.
pub fn poison(rows: &RecordBatch, row: usize, value: f64) -> RecordBatch {
    let columns = rows
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Float64 => {
                let values = column.as_primitive::<Float64Type>().iter().enumerate();
                Arc::new(values.map(|(i, x)| if i == row { x.map(|_| value) } else { x }).collect::<Float64Array>())
                    as ArrayRef
            }
            _ => column.clone(),
        })
        .collect();
    RecordBatch::try_new(rows.schema(), columns).unwrap()
}

impl Table {
    /// The table with nulls in the first rows of `x`.
    pub fn with_leading_nulls(&self, count: usize) -> Self {
        let x = numbers(self.batch.column_by_name("x").unwrap());
        let x: Float64Array = x.into_iter().enumerate().map(|(row, x)| x.filter(|_| row >= count)).collect();
        let place = self.batch.schema().index_of("x").unwrap();
        let mut columns = self.batch.columns().to_vec();
        columns[place] = Arc::new(x);
        Self { batch: RecordBatch::try_new(self.batch.schema(), columns).unwrap(), seed: self.seed }
    }

    /// The smallest value of a column of integers.
    pub fn smallest(&self, name: &str) -> i128 {
        self.integers(name).into_iter().flatten().min().unwrap_or(0)
    }

    /// The values of a column of integers or booleans, exactly; `None` for floats.
    pub fn whole_numbers(&self, name: &str) -> Option<Vec<Option<i128>>> {
        let data_type = self.batch.column_by_name(name).unwrap().data_type();
        (!data_type.is_floating()).then(|| self.integers(name))
    }

    fn integers(&self, name: &str) -> Vec<Option<i128>> {
        let column = self.batch.column_by_name(name).unwrap();
        match column.data_type() {
            DataType::UInt64 => column.as_primitive::<UInt64Type>().iter().map(|x| x.map(i128::from)).collect(),
            _ => cast(column, &DataType::Int64)
                .unwrap()
                .as_primitive::<Int64Type>()
                .iter()
                .map(|x| x.map(i128::from))
                .collect(),
        }
    }

    /// The table with its columns of integers relative to their smallest value, as floats: none of them is rounded.
    pub fn exact(&self) -> Self {
        let mut columns = self.batch.columns().to_vec();
        let mut fields: Vec<Field> = self.batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        for name in ["whole", "unsigned"] {
            let (place, smallest) = (self.batch.schema().index_of(name).unwrap(), self.smallest(name));
            let relative = self.integers(name).into_iter().map(|x| x.map(|x| (x - smallest) as f64));
            columns[place] = Arc::new(relative.collect::<Float64Array>());
            fields[place] = Field::new(name, DataType::Float64, true);
        }
        Self { batch: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(), seed: self.seed }
    }

    /// The rows of each key, and their batch.
    pub fn parts(&self, over: &[String]) -> Vec<(Vec<usize>, RecordBatch)> {
        let mut parts: Vec<(Key, Vec<usize>)> = Vec::new();
        for (row, name) in keys_of(&self.batch, over).into_iter().enumerate() {
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => parts.push((name, vec![row])),
            }
        }
        parts.into_iter().map(|(_, rows)| (rows.clone(), self.rows(&rows))).collect()
    }

    /// These rows alone.
    pub fn rows(&self, rows: &[usize]) -> RecordBatch {
        let indices = arrow::array::UInt64Array::from_iter_values(rows.iter().map(|row| *row as u64));
        let columns = self.batch.columns().iter().map(|column| take(column, &indices, None).unwrap()).collect();
        RecordBatch::try_new(self.batch.schema(), columns).unwrap()
    }

    pub fn times(&self, name: &str) -> Vec<i64> {
        let column = cast(self.batch.column_by_name(name).unwrap(), &DataType::Int64).unwrap();
        column.as_primitive::<Int64Type>().values().to_vec()
    }

    pub fn numbers(&self, name: &str) -> Vec<Option<f64>> {
        numbers(self.batch.column_by_name(name).unwrap())
    }

    /// Which rows are in the window of row `i`, by the definition; for kernels without a window, which may matter.
    pub fn window<'a>(&'a self, spec: &'a KernelSpec, i: usize) -> Box<dyn Fn(usize) -> bool + 'a> {
        let is_offset = |parameter: &Parameter| matches!(parameter.kind, Kind::Offset);
        match spec.kernel() {
            Ok(kernel) if kernel.parameters.iter().any(is_offset) => {
                return match spec.parameters.get("n") {
                    Some(Value::Text(_)) => Box::new(move |j| j <= i),
                    Some(Value::Int(n)) => Box::new(move |j| j == i || j as i128 == i as i128 - i128::from(*n)),
                    _ => Box::new(move |j| j == i || j + 1 == i),
                };
            }
            Ok(_) if spec.plan().is_ok_and(|plan| plan.latency() == usize::MAX) => return Box::new(|_| true),
            // Its window, if it has one, is that of its first result.
            Ok(kernel) if kernel.family == Family::Recurrence => return Box::new(move |j| j <= i),
            _ => {}
        }
        match spec.parameters.get("window") {
            None => Box::new(move |j| j <= i),
            Some(window) => self.in_window(spec, window, i),
        }
    }

    /// Whether a null stands where the row's window should be told.
    pub fn has_no_window(&self, spec: &KernelSpec, i: usize) -> bool {
        match spec.parameters.get("window") {
            Some(Value::LengthIn(name) | Value::StartIn(name)) => self.batch.column_by_name(name).unwrap().is_null(i),
            _ => false,
        }
    }

    fn in_window<'a>(&'a self, spec: &'a KernelSpec, window: &'a Value, i: usize) -> Box<dyn Fn(usize) -> bool + 'a> {
        let closed = match spec.parameters.get("closed") {
            Some(Value::Text(closed)) => closed.as_str(),
            _ => "right",
        };
        let (far_end, current) = (matches!(closed, "left" | "both"), matches!(closed, "right" | "both"));
        match window {
            Value::Int(rows) => {
                let rows = i128::from(*rows);
                let lead = if spec.parameters.get("center") == Some(&Value::Bool(true)) { (rows - 1) / 2 } else { 0 };
                let far = if far_end { rows } else { rows - 1 };
                Box::new(move |j| (if current { 0 } else { 1 }..=far).contains(&(i as i128 + lead - j as i128)))
            }
            Value::Text(duration) => {
                let Some(Value::Text(by)) = spec.parameters.get("by") else { panic!("{spec} has no time") };
                let times = self.times(by);
                let length = match Duration::parse(duration).unwrap() {
                    Duration::Nanoseconds(n) => i128::try_from(n / 1_000_000).unwrap(),
                    Duration::Units(n) => i128::from(n),
                };
                Box::new(move |j| {
                    let back = i128::from(times[i]) - i128::from(times[j]);
                    j <= i && (if far_end { back <= length } else { back < length }) && (current || back > 0)
                })
            }
            Value::LengthIn(name) | Value::StartIn(name) => {
                let places: Vec<i64> = match spec.parameters.get("by") {
                    Some(Value::Text(by)) => self.times(by),
                    _ => (0..self.batch.num_rows()).map(|row| i64::try_from(row).unwrap()).collect(),
                };
                let bound = i128::from(self.times(name)[i]);
                let here = i128::from(places[i]);
                let far = if matches!(window, Value::LengthIn(_)) { here - bound } else { bound };
                let nothing = matches!(window, Value::LengthIn(_)) && bound <= 0 || self.has_no_window(spec, i);
                Box::new(move |j| {
                    let there = i128::from(places[j]);
                    !nothing
                        && j <= i
                        && (if far_end { there >= far } else { there > far })
                        && (current || there < here)
                })
            }
            other => panic!("{other} is no window"),
        }
    }
}

/// The columns of a struct, null where it is; for any other column, the column itself.
pub fn fields(column: &ArrayRef) -> Vec<(Option<String>, ArrayRef)> {
    let Some(parts) = column.as_struct_opt() else { return vec![(None, column.clone())] };
    let names = parts.fields().iter().map(|field| Some(field.name().clone()));
    let columns = parts.columns().iter().map(|part| {
        let kept = part.to_data().into_builder().nulls(NullBuffer::union(part.nulls(), parts.nulls()));
        arrow::array::make_array(kept.build().unwrap())
    });
    names.zip(columns).collect()
}

/// A column's values as floats.
pub fn numbers(column: &ArrayRef) -> Vec<Option<f64>> {
    cast(column, &DataType::Float64).unwrap().as_primitive::<Float64Type>().iter().collect()
}

/// Whether two columns hold the same bits; all NaNs are the same.
pub fn same_bits(left: &ArrayRef, right: &ArrayRef) -> bool {
    // Texts of long columns take most of the time of a test.
    left.to_data() == right.to_data() || bits(left) == bits(right)
}

/// A column's values by their bits; all NaNs are the same.
pub fn bits(column: &ArrayRef) -> Vec<Option<String>> {
    match column.data_type() {
        DataType::Struct(_) => {
            let parts: Vec<Vec<Option<String>>> = fields(column).iter().map(|(_, part)| bits(part)).collect();
            let row = |i: usize| parts.iter().map(|part| format!("{:?}", part[i])).collect::<Vec<_>>().join(" ");
            (0..column.len()).map(|i| column.is_valid(i).then(|| row(i))).collect()
        }
        DataType::Float32 | DataType::Float64 => numbers(column)
            .into_iter()
            .map(|x| x.map(|x| if x.is_nan() { "NaN".to_string() } else { format!("{:016x} {x:?}", x.to_bits()) }))
            .collect(),
        _ => {
            let text = cast(column, &DataType::Utf8).unwrap();
            text.as_string::<i32>().iter().map(|x| x.map(str::to_string)).collect()
        }
    }
}
