//! What a column's values must be: not missing, within bounds, of a list, of a form; and, in the order of the rows, each of them
//! new or none before an earlier one.  A row that breaks a rule is a bad row.
//!
//! The rules of the first kind are asked a column at a time with Arrow's kernels, in the threads that decode.  Those of order
//! are kernels of the library: a value is new if it is the first that is counted under it, and in order if it is not below the
//! greatest so far.

pub(crate) mod bounds;
pub(crate) mod test;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, Scalar};
use arrow::compute::kernels::cmp::{gt_eq, lt_eq};
use arrow::compute::{cast, not, nullif};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use hypostyle::{KernelSpec, Stage};

use crate::config::{Increasing, RuleTable, Strictly};
use crate::error::{Error, ErrorKind, Result};
use crate::pipeline::Pipeline;
use crate::source::settings::no_column;
use crate::source::{Column, schema};
use test::{Test, is_no_nan};

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
            let added = rules.add(column, &columns[column], table.get_ref(), &schema);
            added.map_err(|error| error.at_line(line))?;
            rules.columns.resize(rules.texts.len(), name.clone());
        }
        Ok(rules)
    }

    /// The columns that the rules look at.
    pub fn looks_at(&self) -> impl Iterator<Item = usize> {
        self.values.iter().map(|rule| rule.column).chain(self.orders.iter().map(|rule| rule.column))
    }

    fn add(&mut self, index: usize, column: &Column, table: &RuleTable, schema: &Schema) -> Result<()> {
        let name = column.name.as_str();
        let wrong = |what: String| Error::pipeline(format!("[source.rules] {name}: {what}"));
        for (test, text) in Test::read(table.asked(), column, "[source.rules]")? {
            self.values.push(ValueRule { number: self.texts.len(), column: index, test });
            self.texts.push(text);
        }
        let over = table.over.as_ref().map(|over| over.to_vec()).unwrap_or_default();
        let keys = if over.is_empty() { String::new() } else { format!(" over {}", over.join(", ")) };
        if table.unique == Some(true) {
            self.unique(index, name, &over, format!("unique{keys}"), schema).map_err(wrong)?;
        }
        let strictly = match table.increasing {
            None | Some(Increasing::Weakly(false)) => None,
            Some(Increasing::Weakly(true)) => Some(false),
            Some(Increasing::Named(Strictly::Strictly)) => Some(true),
        };
        if let Some(strictly) = strictly {
            let text = format!("increasing{}{keys}", if strictly { " strictly" } else { "" });
            let spec = KernelSpec::new("expanding_max").with("column", name).over(over.iter().cloned()).alias(SO_FAR);
            self.order(index, name, spec, OrderTest::Increasing, text.clone(), schema).map_err(wrong)?;
            if strictly {
                self.unique(index, name, &over, text, schema).map_err(wrong)?;
            }
        }
        if !over.is_empty() && table.unique != Some(true) && strictly.is_none() {
            return Err(wrong("over is given, but neither unique nor increasing".to_string()).help("remove over"));
        }
        Ok(())
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
        if matches!(self.test, Test::NotNull) && values.logical_null_count() == 0 {
            return Ok(Vec::new());
        }
        Ok(broken(&self.test.kept(values)?, self.column, self.number))
    }
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
