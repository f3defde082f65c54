//! Plans of kernels without a window: recurrences, row functions and programs.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::alone::Alone;
use super::composed_kernel::ComposedKernel;
use super::inputs::Inputs;
use super::keyed::Keyed;
use super::plan::{Binding, Plan};
use super::program_kernel::ProgramKernel;
use super::row_kernel::RowKernel;
use super::running::Running;
use crate::drive::scan::Scan;
use crate::error::{Error, Result};
use crate::model::{Program, Recurrence, RowFunction};
use crate::values::{Domain, Input, computed_type};

impl Plan {
    /// A recurrence over these inputs.
    pub fn recurrence<R: Recurrence>(inputs: Inputs, recurrence: R) -> Self {
        Self::new(move |binding| {
            let wiring = inputs.bind::<R::Input, R::Output>(binding)?;
            Ok(Keyed::boxed(Scan(recurrence.clone()), wiring))
        })
    }

    /// As [`Plan::recurrence`], for columns and numbers: of one column and numbers no rows are made.
    pub fn recurrence_of_numbers<R: Recurrence<Input = [f64; K]>, const K: usize>(inputs: Inputs, rule: R) -> Self
    where
        [f64; K]: Input,
    {
        match inputs.alone() {
            Some((column, place, numbers)) => Self::recurrence(column, Alone { rule, place, numbers }),
            None => Self::recurrence(inputs, rule),
        }
    }

    /// As [`Plan::recurrence`], for a recurrence that depends on the types of its columns.
    pub fn recurrence_of<R: Recurrence>(
        inputs: Inputs,
        make: impl Fn(&Binding) -> Result<R> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |binding| {
            let recurrence = make(binding)?;
            Ok(Keyed::boxed(Scan(recurrence), inputs.bind::<R::Input, R::Output>(binding)?))
        })
    }

    /// As [`Plan::recurrence`], for a recurrence that returns a struct of these fields: f32 if all inputs are, else f64.
    pub fn recurrence_of_fields<R: Recurrence>(inputs: Inputs, fields: &'static [&'static str], recurrence: R) -> Self {
        Self::new(move |binding| {
            let number = inputs.computed_type(binding)?;
            let fields: Vec<Field> = fields.iter().map(|name| Field::new(*name, number.clone(), true)).collect();
            let inputs = inputs.clone().returning(DataType::Struct(fields.into()));
            Ok(Keyed::boxed(Scan(recurrence.clone()), inputs.bind::<R::Input, R::Output>(binding)?))
        })
    }

    /// A recurrence over inputs of which the first `exact` are read exactly: columns of integers of 64 bits as integers.
    ///
    /// # Errors
    /// A column that is missing or has a type that the kernel cannot use.
    pub(crate) fn recurrence_exactly<R: Recurrence>(
        inputs: &Inputs,
        binding: &Binding,
        exact: usize,
        recurrence: R,
    ) -> Result<Box<dyn Running>> {
        Ok(Keyed::boxed(Scan(recurrence), inputs.bind_first_exactly::<R::Input>(binding, exact)?))
    }

    /// A function of these columns.
    pub fn row_function<F: RowFunction>(inputs: Inputs, function: F) -> Self {
        Self::new(move |binding| {
            let wiring = inputs.bind_lanes(binding, |_| Domain::Float, computed_type)?;
            RowKernel::boxed(function.clone(), wiring)
        })
    }

    /// A program over these inputs, one per [`Program::inputs`]; `make` gets the columns, whose types may matter, and returns it
    /// with its name, for messages.
    pub fn program<P: Program>(
        inputs: Inputs,
        make: impl Fn(&Binding) -> Result<(P, String)> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |binding| {
            let (program, name) = make(binding)?;
            let domains = program.inputs();
            if domains.len() != inputs.len() {
                let (wanted, given) = (domains.len(), inputs.len());
                return Err(Error::internal(format!("a program has {given} inputs, expected {wanted}")));
            }
            let wiring = inputs.bind_lanes(binding, |lane| domains[lane], |_| program.output_type())?;
            ProgramKernel::boxed(Arc::new(program), &name, wiring)
        })
    }

    /// A program without state over the results of other kernels; `make` gets their types and returns it with its name, for
    /// messages.
    pub fn of_parts<P: Program>(
        parts: Vec<(String, Arc<Self>)>,
        make: impl Fn(&[DataType]) -> Result<(P, String)> + Send + Sync + 'static,
    ) -> Self {
        let latest = parts.iter().max_by_key(|(_, part)| part.latency());
        let (latency, late_by) = latest.map_or((0, None), |(_, part)| (part.latency(), part.late_by()));
        let plan = Self::new(move |binding| {
            let bound = parts.iter().map(|(name, part)| Ok((name.clone(), part.bind(binding)?)));
            let bound = bound.collect::<Result<Vec<_>>>()?;
            let types: Vec<DataType> = bound.iter().map(|(_, part)| part.wiring().output.clone()).collect();
            let (program, name) = make(&types)?;
            ComposedKernel::boxed(bound, Arc::new(program), &name)
        });
        plan.with_latency(latency, late_by)
    }
}
