//! `[source.rules]`: conditions on single values, and on the order of the rows (unique, increasing).  A row that violates a rule is a
//! bad row.
//!
//! Conditions on single values are evaluated per column with Arrow's kernels, in the threads that decode.  Rules on row order
//! are kernels of the library: a value is new if it is the first that is counted under it, and in order if it is itself the
//! greatest so far; the last of them, or where no two may be equal the first.

pub(crate) mod bounds;
pub(crate) mod filter;
pub(crate) mod test;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, Scalar};
use arrow::compute::kernels::cmp::lt_eq;
use arrow::compute::{cast, not, nullif};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use hypostyle::{KernelSpec, Stage};

use crate::config::{Increasing, PipelineFile, RuleTable, Strictly};
use crate::error::{Error, Result};
use crate::model::column::{Column, not_found, schema};
use crate::model::fault::{Fault, Reason};
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

/// A rule about single values.
#[derive(Debug, Clone)]
pub(crate) struct ValueRule {
    number: usize,
    pub column: usize,
    test: Test,
}

/// A rule on row order.
pub(crate) struct OrderRule {
    number: usize,
    pub column: usize,
    name: String,
    stage: Stage,
    test: OrderTest,
}

#[derive(Debug, Clone, Copy)]
enum OrderTest {
    /// It is the first of its kind that is counted.
    Unique,
    /// The greatest value so far is no row ago.
    Increasing,
}

/// The name of the kernels' output.
const SO_FAR: &str = "so far";

impl Rules {
    /// Reads `[source.rules]` against the columns.
    pub fn read(file: &PipelineFile, columns: &[Column]) -> Result<Self> {
        let mut rules = Self::default();
        let schema = schema(columns.iter());
        for (name, table) in &file.config.source.rules {
            let line = file.line(table.span().start);
            let Some(column) = columns.iter().position(|column| column.name == *name) else {
                let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
                return Err(not_found("[source.rules]", name, &names).at_line(line));
            };
            let added = rules.add(column, &columns[column], table.get_ref(), &schema);
            added.map_err(|error| error.at_line(line))?;
            rules.columns.resize(rules.texts.len(), name.clone());
        }
        Ok(rules)
    }

    /// The columns that rules apply to.
    pub fn looks_at(&self) -> impl Iterator<Item = usize> {
        self.values.iter().map(|rule| rule.column).chain(self.orders.iter().map(|rule| rule.column))
    }

    fn add(&mut self, index: usize, column: &Column, table: &RuleTable, schema: &Schema) -> Result<()> {
        let name = column.name.as_str();
        let wrong = |what: String| Error::pipeline(format!("[source.rules] {name}: {what}"));
        for (test, text) in Test::read(table.conditions(), column, "[source.rules]")? {
            self.values.push(ValueRule { number: self.texts.len(), column: index, test });
            self.texts.push(text);
        }
        let over = table.over.as_ref().map(|over| over.to_vec()).unwrap_or_default();
        let keys = if over.is_empty() { String::new() } else { format!(" over {}", over.join(", ")) };
        if table.unique == Some(true) {
            let spec = KernelSpec::new("expanding_count").with("column", name);
            let spec = spec.over(over.iter().cloned().chain([name.to_string()]));
            self.order(index, name, spec, OrderTest::Unique, format!("unique{keys}"), schema).map_err(wrong)?;
        }
        let increasing = match table.increasing {
            None | Some(Increasing::Weakly(false)) => None,
            Some(Increasing::Weakly(true)) => Some(("last", "")),
            Some(Increasing::Named(Strictly::Strictly)) => Some(("first", " strictly")),
        };
        if let Some((ties, how)) = increasing {
            let spec = KernelSpec::new("expanding_argmax").with("column", name).with("ties", ties);
            let text = format!("increasing{how}{keys}");
            self.order(index, name, spec.over(over.iter().cloned()), OrderTest::Increasing, text, schema)
                .map_err(wrong)?;
        }
        if !over.is_empty() && table.unique != Some(true) && increasing.is_none() {
            return Err(wrong("over: requires unique or increasing".to_string()).help("remove over"));
        }
        Ok(())
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
        let stage = Stage::new(vec![spec.alias(SO_FAR)]).map_err(|error| error.to_string())?;
        stage.output_schema(schema).map_err(|error| error.to_string())?;
        self.orders.push(OrderRule { number: self.texts.len(), column, name: name.to_string(), stage, test });
        self.texts.push(text);
        Ok(())
    }
}

impl ValueRule {
    /// The values of the column that violate the rule.
    pub fn violations(&self, values: &ArrayRef) -> std::result::Result<Vec<Fault>, ArrowError> {
        if matches!(self.test, Test::NotNull) && values.logical_null_count() == 0 {
            return Ok(Vec::new());
        }
        Ok(violations(&self.test.kept(values)?, self.column, self.number))
    }
}

fn violations(kept: &BooleanArray, column: usize, rule: usize) -> Vec<Fault> {
    if kept.false_count() == 0 {
        return Vec::new();
    }
    let rows = kept.iter().enumerate().filter(|(_, kept)| *kept == Some(false));
    rows.map(|(row, _)| Fault { row, column, reason: Reason::Rule(rule) }).collect()
}

impl OrderRule {
    /// The values that violate the rule.  Their rows must be left out or made null before the next batch.
    pub fn violations(&mut self, batch: &RecordBatch) -> Result<Vec<Fault>> {
        let fault = |error| Error::internal("the column of a rule cannot be compared").because(error);
        let missing = || Error::internal(format_args!("column '{}' has a rule but is not read", self.name));
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
        let most = match self.test {
            OrderTest::Unique => 1,
            OrderTest::Increasing => 0,
        };
        let most = cast(&Int64Array::from(vec![most]), so_far.data_type()).map_err(fault)?;
        let kept = lt_eq(so_far, &Scalar::new(most)).map_err(fault)?;
        let kept = BooleanArray::new(kept.values().clone(), values.logical_nulls());
        let mut found = violations(&kept, self.column, self.number);
        if let (Some(wild), OrderTest::Increasing) = (&wild, self.test) {
            found.extend(violations(&not(wild).map_err(fault)?, self.column, self.number));
            found.sort_by_key(|fault| fault.row);
        }
        Ok(found)
    }

    /// The state, for a checkpoint or the next run.
    pub fn stage(&mut self) -> &mut Stage {
        &mut self.stage
    }
}
