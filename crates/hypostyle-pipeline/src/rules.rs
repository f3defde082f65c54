//! What a column's values must be: not missing, within bounds, of a list, of a form; and, in the order of the rows, each of them
//! new or none before an earlier one.  A row that breaks a rule is a bad row.
//!
//! The rules of the first kind are asked a column at a time with Arrow's kernels, in the threads that decode.  Those of order
//! are kernels of the library: a value is new if it is the first that is counted under it, and in order if it is not below the
//! greatest so far.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, Float64Array, Int64Array, RecordBatch, Scalar, StringArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp::{eq, gt_eq, lt_eq};
use arrow::compute::{CastOptions, and, cast, cast_with_options, is_not_null, not, nullif, or};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use hypostyle::{KernelSpec, Stage};
use regex::Regex;

use crate::config::{Increasing, RuleTable, Scalar as Given, Strictly};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::source::settings::no_column;
use crate::source::{Column, schema};
use crate::types;

/// The rules of a source.
#[derive(Default)]
pub(crate) struct Rules {
    /// How each rule is written, by its number.
    pub texts: Vec<String>,
    /// The column of each rule.
    pub columns: Vec<String>,
    pub values: Vec<ValueRule>,
    pub orders: Vec<OrderRule>,
}

/// A rule that a value keeps or breaks by itself.
#[derive(Debug, Clone)]
pub(crate) struct ValueRule {
    number: usize,
    pub column: usize,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    NotNull,
    Min(ArrayRef),
    Max(ArrayRef),
    OneOf(Vec<ArrayRef>),
    OneOfTexts(HashSet<String>),
    Form(Regex),
}

/// A rule about the rows before.
pub(crate) struct OrderRule {
    number: usize,
    pub column: usize,
    name: String,
    stage: Stage,
    test: OrderTest,
}

#[derive(Debug, Clone, Copy)]
enum OrderTest {
    Unique,
    Increasing,
}

/// A rule that a row breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    pub row: usize,
    pub column: usize,
    pub rule: usize,
}

/// The name of the kernels' answers.
const SO_FAR: &str = "so far";

impl Rules {
    /// Reads `[source.rules]` against the columns.
    pub fn read(pipeline: &Pipeline, columns: &[Column]) -> Result<Self> {
        let mut rules = Self::default();
        let schema = schema(columns.iter());
        for (name, table) in &pipeline.config.source.rules {
            let line = pipeline.line(table.span().start);
            let Some(column) = columns.iter().position(|column| column.name == *name) else {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                return Err(no_column("[source.rules]", name, &names).at_line(line));
            };
            let added = rules.add(name, column, &columns[column].data_type, table.get_ref(), &schema);
            added.map_err(|error| error.at_line(line))?;
            rules.columns.resize(rules.texts.len(), name.clone());
        }
        Ok(rules)
    }

    /// The columns that the rules look at.
    pub fn looks_at(&self) -> impl Iterator<Item = usize> {
        self.values.iter().map(|rule| rule.column).chain(self.orders.iter().map(|rule| rule.column))
    }

    fn add(
        &mut self,
        name: &str,
        column: usize,
        data_type: &DataType,
        table: &RuleTable,
        schema: &Schema,
    ) -> Result<()> {
        let wrong = |what: String| Error::pipeline(format!("[source.rules] {name}: {what}"));
        let value = |key: &str, given: &Given| {
            typed(given, data_type).ok_or_else(|| {
                wrong(format!("{key} is {}, which is no {}", shown(given), types::name(data_type)))
                    .help("write the value as the column's type is written, or declare the column otherwise")
            })
        };
        if table.not_null == Some(true) {
            self.value(column, Test::NotNull, "not_null".to_string());
        }
        for (key, given) in [("min", &table.min), ("max", &table.max)] {
            let Some(given) = given else { continue };
            if data_type.is_nested() {
                return Err(wrong(format!("{} has no order", types::name(data_type))).help(format!("remove {key}")));
            }
            let bound = value(key, given)?;
            let test = if key == "min" { Test::Min(bound) } else { Test::Max(bound) };
            self.value(column, test, format!("{key} = {}", shown(given)));
        }
        if let Some(list) = &table.one_of {
            let values = list.iter().map(|given| value("one_of", given)).collect::<Result<Vec<_>>>()?;
            let text = format!("one_of = [{}]", list.iter().map(shown).collect::<Vec<_>>().join(", "));
            let short = if text.len() > 80 { format!("one_of ({} values)", list.len()) } else { text };
            let test = match data_type {
                DataType::Utf8 => {
                    Test::OneOfTexts(values.iter().map(|value| value.as_string::<i32>().value(0).to_string()).collect())
                }
                _ => Test::OneOf(values),
            };
            self.value(column, test, short);
        }
        if let Some(pattern) = &table.regex {
            if !matches!(data_type, DataType::Utf8 | DataType::LargeUtf8) {
                return Err(wrong(format!("regex is for texts, but the column is {}", types::name(data_type)))
                    .help(format!("declare it: {name} = \"string\" under [source.schema]")));
            }
            let regex = Regex::new(pattern).map_err(|error| wrong("regex can't be read".to_string()).because(error))?;
            self.value(column, Test::Form(regex), format!("regex = {pattern:?}"));
        }
        let over = table.over.as_ref().map(|over| over.to_vec()).unwrap_or_default();
        let keys = if over.is_empty() { String::new() } else { format!(" over {}", over.join(", ")) };
        if table.unique == Some(true) {
            self.unique(column, name, &over, format!("unique{keys}"), schema).map_err(wrong)?;
        }
        let strictly = match table.increasing {
            None | Some(Increasing::Weakly(false)) => None,
            Some(Increasing::Weakly(true)) => Some(false),
            Some(Increasing::Named(Strictly::Strictly)) => Some(true),
        };
        if let Some(strictly) = strictly {
            let text = format!("increasing{}{keys}", if strictly { " strictly" } else { "" });
            let spec = KernelSpec::new("expanding_max").with("column", name).over(over.iter().cloned()).alias(SO_FAR);
            self.order(column, name, spec, OrderTest::Increasing, text.clone(), schema).map_err(wrong)?;
            if strictly {
                self.unique(column, name, &over, text, schema).map_err(wrong)?;
            }
        }
        if !over.is_empty() && table.unique != Some(true) && strictly.is_none() {
            return Err(wrong("over is given, but neither unique nor increasing".to_string()).help("remove over"));
        }
        Ok(())
    }

    fn value(&mut self, column: usize, test: Test, text: String) {
        self.values.push(ValueRule { number: self.texts.len(), column, test });
        self.texts.push(text);
    }

    fn unique(
        &mut self,
        column: usize,
        name: &str,
        over: &[String],
        text: String,
        schema: &Schema,
    ) -> std::result::Result<(), String> {
        let keys = over.iter().cloned().chain([name.to_string()]);
        let spec = KernelSpec::new("expanding_count").with("column", name).over(keys).alias(SO_FAR);
        self.order(column, name, spec, OrderTest::Unique, text, schema)
    }

    fn order(
        &mut self,
        column: usize,
        name: &str,
        spec: KernelSpec,
        test: OrderTest,
        text: String,
        schema: &Schema,
    ) -> std::result::Result<(), String> {
        let stage = Stage::new(vec![spec]).map_err(|error| error.to_string())?;
        stage.output_schema(schema).map_err(|error| error.to_string())?;
        self.orders.push(OrderRule { number: self.texts.len(), column, name: name.to_string(), stage, test });
        self.texts.push(text);
        Ok(())
    }
}

impl ValueRule {
    /// The rows of the column that break the rule.
    pub fn broken(&self, values: &ArrayRef) -> std::result::Result<Vec<Broken>, ArrowError> {
        let kept = match &self.test {
            Test::NotNull if values.null_count() == 0 => return Ok(Vec::new()),
            Test::NotNull => is_not_null(values)?,
            Test::Min(bound) => {
                let kept = gt_eq(values, &Scalar::new(bound))?;
                if values.data_type().is_floating() { and(&kept, &is_no_nan(values)?)? } else { kept }
            }
            Test::Max(bound) => lt_eq(values, &Scalar::new(bound))?,
            Test::OneOf(list) => {
                let mut kept = BooleanArray::new(BooleanBuffer::new_unset(values.len()), values.logical_nulls());
                for value in list {
                    kept = or(&kept, &eq(values, &Scalar::new(value) as &dyn Datum)?)?;
                }
                kept
            }
            Test::OneOfTexts(list) => of_texts(values, |text| list.contains(text)),
            Test::Form(regex) => of_texts(values, |text| regex.is_match(text)),
        };
        Ok(broken(&kept, self.column, self.number))
    }
}

/// Asks about each text.
fn of_texts(values: &ArrayRef, is_kept: impl Fn(&str) -> bool) -> BooleanArray {
    match values.data_type() {
        DataType::LargeUtf8 => values.as_string::<i64>().iter().map(|text| text.map(&is_kept)).collect(),
        _ => values.as_string::<i32>().iter().map(|text| text.map(&is_kept)).collect(),
    }
}

/// A NaN lies within no bounds.
fn is_no_nan(values: &ArrayRef) -> std::result::Result<BooleanArray, ArrowError> {
    let infinity = cast(&Float64Array::from(vec![f64::INFINITY]), values.data_type())?;
    lt_eq(values, &Scalar::new(infinity))
}

fn broken(kept: &BooleanArray, column: usize, rule: usize) -> Vec<Broken> {
    if kept.false_count() == 0 {
        return Vec::new();
    }
    let rows = kept.iter().enumerate().filter(|(_, kept)| *kept == Some(false));
    rows.map(|(row, _)| Broken { row, column, rule }).collect()
}

impl OrderRule {
    /// The rows that break the rule, which must be left out or made null before the next batch comes.
    pub fn broken(&mut self, batch: &RecordBatch) -> Result<Vec<Broken>> {
        let fault = |error| Error::new(ErrorKind::Internal, "a rule's column can't be compared").because(error);
        let missing = || Error::new(ErrorKind::Internal, format!("the rule's column '{}' isn't read", self.name));
        let index = batch.schema().index_of(&self.name).map_err(|_| missing())?;
        let values = Arc::clone(batch.column(index));
        // A NaN has no place in an order, and hides none from later values.
        let wild = match values.data_type().is_floating() {
            true => Some(not(&is_no_nan(&values).map_err(fault)?).map_err(fault)?),
            false => None,
        };
        let mut columns = batch.columns().to_vec();
        if let Some(wild) = &wild {
            columns[index] = nullif(&values, wild).map_err(fault)?;
        }
        let tame = RecordBatch::try_new(batch.schema(), columns).map_err(fault)?;
        let answers = self.stage.advance_columns(&tame).map_err(|error| Error::stage("[source.rules]", &error))?;
        let so_far = answers.column_by_name(SO_FAR).ok_or_else(missing)?;
        let values = tame.column(index);
        let kept = match self.test {
            OrderTest::Unique => {
                let one = cast(&Int64Array::from(vec![1]), so_far.data_type()).map_err(fault)?;
                let first = lt_eq(so_far, &Scalar::new(one)).map_err(fault)?;
                BooleanArray::new(first.values().clone(), values.logical_nulls())
            }
            OrderTest::Increasing => gt_eq(values, so_far).map_err(fault)?,
        };
        let mut found = broken(&kept, self.column, self.number);
        if let (Some(wild), OrderTest::Increasing) = (&wild, self.test) {
            found.extend(broken(&not(wild).map_err(fault)?, self.column, self.number));
            found.sort_by_key(|broken| broken.row);
        }
        Ok(found)
    }

    /// The state, for a checkpoint or the next run.
    pub fn stage(&mut self) -> &mut Stage {
        &mut self.stage
    }
}

/// A value of the pipeline file as an array of one row of the column's type.
fn typed(given: &Given, data_type: &DataType) -> Option<ArrayRef> {
    let array: ArrayRef = match given {
        Given::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Given::Integer(value) => Arc::new(Int64Array::from(vec![*value])),
        Given::Float(value) => Arc::new(Float64Array::from(vec![*value])),
        Given::Text(value) => Arc::new(StringArray::from(vec![value.as_str()])),
    };
    let fits = match given {
        Given::Bool(_) => *data_type == DataType::Boolean,
        Given::Integer(_) => data_type.is_numeric(),
        Given::Float(_) => data_type.is_floating() || matches!(data_type, DataType::Decimal128(..)),
        Given::Text(_) => !data_type.is_numeric() && *data_type != DataType::Boolean,
    };
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let value = cast_with_options(&array, data_type, &options).ok()?;
    (fits && value.null_count() == 0).then_some(value)
}

fn shown(given: &Given) -> String {
    match given {
        Given::Bool(value) => value.to_string(),
        Given::Integer(value) => value.to_string(),
        Given::Float(value) => value.to_string(),
        Given::Text(value) => format!("{value:?}"),
    }
}
