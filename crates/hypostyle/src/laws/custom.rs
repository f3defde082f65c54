//! The laws, for kernels that are made at run time: programs of a small stack machine, interpreted.  Their columns, the fields
//! of their state and the type of their result are known only then.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMillisecondType};

use super::cuts;
use crate::reference::{Random, Table, bits, keys_of, table_of};
use crate::{
    Catalog, Domain, Evict, Family, Inputs, Kernel, KernelSpec, Kind, Literal, Parameter, Plan, Program, Refused,
    Scalar, ScalarValue, Stage, StateField, code_of,
};

/// A step of a program; the stack holds values that may be null.
#[derive(Debug, Clone, Copy)]
enum Op {
    Push(Scalar),
    Column(usize),
    Field(usize),
    Store(usize),
    Add,
    Times,
    /// The first value, where it is null the second.
    Or,
    /// The second value, null where the first is.
    And,
    IsNull,
    ToFloat,
}

#[derive(Debug, Clone)]
struct StackProgram {
    names: Vec<String>,
    domains: Vec<Domain>,
    fields: Vec<StateField>,
    output: DataType,
    ops: Vec<Op>,
}

impl StackProgram {
    /// Parses words: `$column`, `field`, `=field`, numbers and operations.
    fn parse(columns: &[(&str, Domain)], fields: &[(&str, Scalar)], output: DataType, text: &str) -> Self {
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_string()).collect();
        let field =
            |name: &str| fields.iter().position(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}"));
        let op = |word: &str| match word {
            "+" => Op::Add,
            "*" => Op::Times,
            "or" => Op::Or,
            "and" => Op::And,
            "null?" => Op::IsNull,
            "float" => Op::ToFloat,
            _ if word.starts_with('$') => Op::Column(names.iter().position(|name| *name == word[1..]).unwrap()),
            _ if word.starts_with('=') => Op::Store(field(&word[1..])),
            _ => match (word.parse(), word.parse()) {
                (Ok(x), _) => Op::Push(Scalar::Integer(x)),
                (_, Ok(x)) => Op::Push(Scalar::Float(x)),
                _ => Op::Field(field(word)),
            },
        };
        let ops = text.split_whitespace().map(op).collect();
        let fields = fields.iter().map(|(name, start)| StateField { name: (*name).to_string(), start: *start });
        let domains = columns.iter().map(|(_, domain)| *domain).collect();
        Self { names, domains, fields: fields.collect(), output, ops }
    }

    /// The program as a kernel with a parameter for each of its columns.
    fn kernel(self, name: &str) -> Kernel {
        let parameter = |name: &String| Parameter {
            name: Cow::Owned(name.clone()),
            kind: Kind::Column,
            positional: true,
            default: Literal::Required,
            doc: Cow::Owned(format!("The column {name}.")),
        };
        let parameters = self.names.iter().map(parameter).collect();
        Kernel::new(name, Family::Recurrence, parameters, move |arguments| {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let program = self.clone();
            Ok(Plan::program(Inputs::of(arguments, &names)?, move |_| Ok((program.clone(), "stack".to_string()))))
        })
    }
}

impl Program for StackProgram {
    fn inputs(&self) -> &[Domain] {
        &self.domains
    }

    fn state(&self) -> &[StateField] {
        &self.fields
    }

    fn output_type(&self) -> DataType {
        self.output.clone()
    }

    fn step(
        &self,
        row: &[Option<Scalar>],
        state: &mut [Scalar],
        results: &mut [Option<Scalar>],
    ) -> Result<(), Refused> {
        let mut stack: Vec<Option<Scalar>> = Vec::new();
        for op in &self.ops {
            let result = match *op {
                Op::Push(x) => Some(x),
                Op::Column(at) => row[at],
                Op::Field(at) => Some(state[at]),
                Op::Store(at) => {
                    state[at] = stack.pop().unwrap().unwrap();
                    continue;
                }
                Op::IsNull => Some(Scalar::Integer(i64::from(stack.pop().unwrap().is_none()))),
                Op::ToFloat => stack.pop().unwrap().map(|x| Scalar::Float(x.integer() as f64)),
                Op::Add | Op::Times | Op::Or | Op::And => {
                    let (b, a) = (stack.pop().unwrap(), stack.pop().unwrap());
                    match (op, a.zip(b)) {
                        (Op::Or, _) => a.or(b),
                        (Op::And, _) => a.and(b),
                        (_, None) => None,
                        (Op::Add, Some((Scalar::Float(a), Scalar::Float(b)))) => Some(Scalar::Float(a + b)),
                        (Op::Times, Some((Scalar::Float(a), Scalar::Float(b)))) => Some(Scalar::Float(a * b)),
                        (Op::Add, Some((a, b))) => Some(Scalar::Integer(a.integer().wrapping_add(b.integer()))),
                        (_, Some((a, b))) => Some(Scalar::Integer(a.integer().wrapping_mul(b.integer()))),
                    }
                }
            };
            stack.push(result);
        }
        results[0] = stack.pop().unwrap();
        Ok(())
    }
}

/// A kernel of floats with two counters beside, and one of times.
fn catalog() -> Catalog {
    let level = StackProgram::parse(
        &[("x", Domain::Float), ("whole", Domain::Integer)],
        &[("level", Scalar::Float(1.0)), ("rows", Scalar::Integer(0)), ("nulls", Scalar::Integer(0))],
        DataType::Float64,
        "level 0.5 * $x 0.0 or + =level rows 1 + =rows nulls $x null? + =nulls level $whole float +",
    );
    let before = StackProgram::parse(
        &[("x", Domain::Presence), ("t", Domain::Integer)],
        &[("last", Scalar::Integer(-1))],
        DataType::Timestamp(TimeUnit::Millisecond, None),
        "$x last and $x $t and last or =last",
    );
    let present = StackProgram::parse(&[("whole", Domain::Presence)], &[], DataType::Int64, "$whole 7 or");
    let kernels = [level.kernel("level"), before.kernel("before"), present.kernel("present")];
    Catalog::default().with_kernels(kernels).unwrap()
}

/// What a row of each kernel should return, by a plain loop.
fn expected(table: &Table, over: &[String]) -> Vec<ArrayRef> {
    let rows = &table.batch;
    let (x, whole) = (rows["x"].as_primitive::<Float64Type>(), rows["whole"].as_primitive::<Int64Type>());
    let t = rows["t"].as_primitive::<TimestampMillisecondType>();
    let (mut levels, mut befores, mut presents) = (vec![None; x.len()], vec![None; x.len()], vec![0; x.len()]);
    for (of_key, _) in table.parts(over) {
        let (mut level, mut last) = (1.0, -1);
        for row in of_key {
            let value = x.is_valid(row).then(|| x.value(row));
            level = level * 0.5 + value.unwrap_or(0.0);
            levels[row] = whole.is_valid(row).then(|| level + whole.value(row) as f64);
            befores[row] = value.map(|_| last);
            if value.is_some() {
                last = t.value(row);
            }
            presents[row] = if whole.is_valid(row) { 0 } else { 7 };
        }
    }
    vec![
        Arc::new(Float64Array::from(levels)),
        Arc::new(TimestampMillisecondArray::from(befores)),
        Arc::new(Int64Array::from(presents)),
    ]
}

fn specs(over: &[String]) -> Vec<KernelSpec> {
    let new = |name: &str| KernelSpec::new(name).over(over).alias(name);
    vec![
        new("level").with("x", "x").with("whole", "whole"),
        new("before").with("x", "x").with("t", "t"),
        new("present").with("whole", "whole"),
    ]
}

fn keys() -> [Vec<String>; 3] {
    [vec![], vec!["key".to_string()], vec!["sector".to_string(), "key".to_string()]]
}

fn tables() -> impl Iterator<Item = Table> {
    (0..30).map(|seed| table_of(usize::try_from(seed).unwrap() * 7, seed)).chain([table_of(20_000, 99)])
}

fn bits_of(columns: &[ArrayRef]) -> Vec<Vec<Option<String>>> {
    columns.iter().map(bits).collect()
}

fn slices(columns: &[ArrayRef], start: usize, len: usize) -> Vec<ArrayRef> {
    columns.iter().map(|column| column.slice(start, len)).collect()
}

/// A row as plain values, in the order that the stage wants.
fn cells<'a>(stage: &Stage, rows: &'a RecordBatch, row: usize) -> Vec<ScalarValue<'a>> {
    let cell = |name: &str| {
        let column = &rows[name];
        match name {
            _ if column.is_null(row) => ScalarValue::Null,
            "key" => ScalarValue::Text(column.as_string::<i32>().value(row)),
            "sector" => ScalarValue::Integer(column.as_primitive::<Int32Type>().value(row).into()),
            "t" => ScalarValue::Integer(column.as_primitive::<TimestampMillisecondType>().value(row)),
            "x" => ScalarValue::Float(column.as_primitive::<Float64Type>().value(row)),
            _ => ScalarValue::Integer(column.as_primitive::<Int64Type>().value(row)),
        }
    };
    stage.row_fields().iter().map(|field| cell(field.name())).collect()
}

/// Bits, NaN payloads aside.
fn float_bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

#[test]
fn in_memory_it_is_the_plain_loop_on_any_number_of_threads() {
    for (table, over) in tables().flat_map(|table| keys().map(|over| (table.clone(), over))) {
        for threads in [1, 2] {
            let results = catalog().evaluate(&table.batch, &specs(&over), Some(threads)).unwrap();
            assert_eq!(bits_of(results.columns()), bits_of(&expected(&table, &over)), "{table:?} {over:?} {threads}");
        }
    }
}

#[test]
fn in_pieces_peeked_saved_and_loaded_it_is_the_same() {
    let catalog = catalog();
    for (table, over) in tables().flat_map(|table| keys().map(|over| (table.clone(), over))) {
        let (rows, expected) = (&table.batch, expected(&table, &over));
        let mut stage = catalog.stage(&specs(&over)).unwrap().with_threads(2).unwrap();
        let pieces = match rows.num_rows() {
            20_000 => vec![(0, 11), (11, 9_000), (9_000, 20_000)],
            few => cuts(few, few as u64),
        };
        for (place, (start, end)) in pieces.into_iter().enumerate() {
            let piece = rows.slice(start, end - start);
            let before = stage.to_bytes().unwrap();
            let peeked = stage.peek_columns(&piece).unwrap();
            assert_eq!(stage.to_bytes().unwrap(), before, "{table:?} {over:?}");
            let results = stage.advance_columns(&piece).unwrap();
            let wanted = bits_of(&slices(&expected, start, end - start));
            assert_eq!(bits_of(results.columns()), wanted, "{table:?} {over:?}");
            assert_eq!(bits_of(peeked.columns()), wanted, "{table:?} {over:?} peeked");
            if place % 3 != 1 {
                let saved = stage.to_bytes().unwrap();
                stage = catalog.stage_from_bytes(&saved).unwrap().with_threads(2).unwrap();
                assert_eq!(stage.to_bytes().unwrap(), saved, "saving is stable");
            }
        }
    }
}

#[test]
fn row_by_row_it_is_the_same() {
    let catalog = catalog();
    for (table, over) in tables().take(30).flat_map(|table| keys().map(|over| (table.clone(), over))) {
        let (rows, expected) = (&table.batch, expected(&table, &over));
        let mut stage = catalog.stage(&specs(&over)).unwrap();
        stage.set_schema(&rows.schema()).unwrap();
        let (mut results, mut peeked) = (Vec::new(), Vec::new());
        for row in 0..rows.num_rows() {
            let given = cells(&stage, rows, row);
            stage.peek_row(&given, &mut peeked).unwrap();
            stage.advance_row(&given, &mut results).unwrap();
            let value = |at: usize| match &results[at] {
                ScalarValue::Null => None,
                ScalarValue::Float(x) => Some(float_bits(*x)),
                ScalarValue::Integer(x) => Some(*x as u64),
                other => panic!("{other:?}"),
            };
            let wanted = |at: usize| {
                let column: &ArrayRef = &expected[at];
                column.is_valid(row).then(|| match at {
                    0 => float_bits(column.as_primitive::<Float64Type>().value(row)),
                    1 => column.as_primitive::<TimestampMillisecondType>().value(row) as u64,
                    _ => column.as_primitive::<Int64Type>().value(row) as u64,
                })
            };
            for at in 0..3 {
                assert_eq!(value(at), wanted(at), "{table:?} {over:?} row {row} of kernel {at}");
            }
            assert_eq!(format!("{peeked:?}"), format!("{results:?}"), "{table:?} {over:?} row {row} peeked");
        }
        let mut batched = catalog.stage(&specs(&over)).unwrap();
        batched.set_schema(&rows.schema()).unwrap();
        batched.advance(rows).unwrap();
        assert_eq!(stage.to_bytes().unwrap(), batched.to_bytes().unwrap(), "{table:?} {over:?}");
    }
}

#[test]
fn a_saved_state_has_the_fields_of_the_program() {
    let (catalog, table, over) = (catalog(), table_of(150, 7), keys()[1].clone());
    let mut stage = catalog.stage(&specs(&over)).unwrap();
    stage.advance(&table.batch).unwrap();
    let state = stage.state().unwrap();
    let counted = state["level:rows"].as_primitive::<Int64Type>().values().iter().sum::<i64>();
    let nulls = state["level:nulls"].as_primitive::<Int64Type>().values().iter().sum::<i64>();
    assert_eq!((counted, nulls), (150, i64::try_from(table.batch["x"].null_count()).unwrap()));
    assert!(nulls > 0, "the program sees nulls");
    assert_eq!(state["level:level"].data_type(), &DataType::Float64);
    assert_eq!(state["before:last"].data_type(), &DataType::Int64);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    stage.save(&path).unwrap();
    assert_eq!(catalog.load_stage_for(&path, &specs(&over)).unwrap().to_bytes().unwrap(), stage.to_bytes().unwrap());
    let unknown = Stage::load(&path).err().expect("the library alone has no such kernel");
    assert!(unknown.to_string().contains("unknown kernel 'level'"), "{unknown}");
}

#[test]
fn keys_may_be_split_merged_and_evicted() {
    let catalog = catalog();
    let keyed = |table: Table| keys().into_iter().skip(1).map(move |over| (table.clone(), over));
    for (table, over) in tables().skip(5).take(25).flat_map(keyed) {
        let (rows, expected) = (&table.batch, expected(&table, &over));
        let mut random = Random(rows.num_rows() as u64);
        let cut = rows.num_rows() / 2;
        let rest = rows.slice(cut, rows.num_rows() - cut);
        let wanted = slices(&expected, cut, rest.num_rows());
        let mut stage = catalog.stage(&specs(&over)).unwrap().with_time_column("step").unwrap();
        stage.advance(&rows.slice(0, cut)).unwrap();

        let mut parts = stage.split_evenly(3).unwrap();
        let mut together = parts.swap_remove(random.below(3));
        for part in parts {
            together.merge(catalog.stage_from_bytes(&part.to_bytes().unwrap()).unwrap()).unwrap();
        }
        assert_eq!(bits_of(together.advance_columns(&rest).unwrap().columns()), bits_of(&wanted), "{table:?} {over:?}");

        // As if the rows of the evicted keys had never come.
        let steps = rows["step"].as_primitive::<Int64Type>().values();
        let least = steps[cut / 2];
        let keys = keys_of(rows, &over);
        let last = |row: usize| (0..cut).rev().find(|other| keys[*other] == keys[row]).map(|row| steps[row]);
        let kept: Vec<usize> = (0..cut).filter(|row| last(*row) >= Some(least)).collect();
        stage.evict(Evict::Before(ScalarValue::Integer(least))).unwrap();
        let mut other = catalog.stage(&specs(&over)).unwrap();
        other.advance(&table.rows(&kept)).unwrap();
        let results = stage.advance_columns(&rest).unwrap();
        assert_eq!(bits_of(results.columns()), bits_of(other.advance_columns(&rest).unwrap().columns()));
    }
}

/// The sign of a number in words, and that of the row before.
struct Signs;

const WORDS: [&str; 2] = ["below zero, or zero", "above"];

impl Program for Signs {
    fn inputs(&self) -> &[Domain] {
        &[Domain::Float]
    }

    fn state(&self) -> &[StateField] {
        static LAST: std::sync::OnceLock<Vec<StateField>> = std::sync::OnceLock::new();
        LAST.get_or_init(|| vec![StateField { name: "last".to_string(), start: Scalar::Integer(code_of(WORDS[0])) }])
    }

    fn output_type(&self) -> DataType {
        let field = |name: &str| Field::new(name, DataType::Utf8, true);
        DataType::Struct(vec![field("sign"), field("before")].into())
    }

    fn texts(&self) -> Vec<String> {
        WORDS.map(str::to_string).to_vec()
    }

    fn step(
        &self,
        row: &[Option<Scalar>],
        state: &mut [Scalar],
        results: &mut [Option<Scalar>],
    ) -> std::result::Result<(), Refused> {
        let sign = row[0].map(|x| Scalar::Integer(code_of(WORDS[usize::from(x.float() > 0.0)])));
        results.copy_from_slice(&[sign, Some(state[0])]);
        state[0] = sign.unwrap_or(state[0]);
        Ok(())
    }
}

#[test]
fn a_program_may_return_texts_of_its_own() {
    let parameters = vec![Parameter::required("x", Kind::Column, "The numbers.")];
    let kernel = Kernel::new("signs", Family::Function, parameters, |arguments| {
        Ok(Plan::program(Inputs::of(arguments, &["x"])?, |_| Ok((Signs, "signs".to_string()))))
    });
    let catalog = Catalog::default().with_kernels([kernel]).unwrap();
    let spec = || [KernelSpec::new("signs").with("x", "x")];
    let numbers = [Some(1.0), None, Some(-1.0), Some(2.0)];
    let batch = |numbers: &[Option<f64>]| {
        RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(numbers.to_vec())) as ArrayRef)]).unwrap()
    };
    let shown = |columns: &[ArrayRef]| -> Vec<Vec<Option<String>>> {
        let fields = columns[0].as_struct().columns().iter();
        fields.map(|field| field.as_string::<i32>().iter().map(|x| x.map(str::to_string)).collect()).collect()
    };
    let word = |index: Option<usize>| index.map(|index| WORDS[index].to_string());
    let expected: Vec<Vec<Option<String>>> = vec![
        [Some(1), None, Some(0), Some(1)].map(word).to_vec(),
        [Some(0), Some(1), Some(1), Some(0)].map(word).to_vec(),
    ];
    let plan = catalog.plan_all(&spec()).unwrap();
    // The second time the kernels are used again.
    for _ in 0..2 {
        let whole = shown(&plan.evaluate_columns(&batch(&numbers), None).unwrap());
        assert_eq!(whole, expected);
    }
    let mut stage = catalog.stage(&spec()).unwrap();
    let first = shown(stage.advance_columns(&batch(&numbers[..2])).unwrap().columns());
    let mut stage = catalog.stage_from_bytes(&stage.to_bytes().unwrap()).unwrap();
    let rest = shown(stage.advance_columns(&batch(&numbers[2..])).unwrap().columns());
    let joined: Vec<Vec<Option<String>>> = first.into_iter().zip(rest).map(|(a, b)| [a, b].concat()).collect();
    assert_eq!(joined, expected);
}

#[test]
fn a_program_that_returns_bytes_is_refused() {
    let text = StackProgram::parse(&[("x", Domain::Float)], &[], DataType::Binary, "$x");
    let catalog = Catalog::default().with_kernels([text.kernel("text")]).unwrap();
    let spec = KernelSpec::new("text").with("x", "x");
    let error = catalog.evaluate(&table_of(3, 1).batch, &[spec], None).unwrap_err();
    assert!(error.to_string().contains("cannot return the type"), "{error}");
}
