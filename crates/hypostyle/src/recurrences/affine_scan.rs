//! The affine recurrence y = a * y' + b: loans, decays, filters of the first order, reservoirs.

use super::{Recurrence, number_or_column};
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::column::computed_type;
use crate::drive::scan::Scan;
use crate::kernel::{Keyed, Source};
use crate::spec::Value;

/// y = a * y' + b
#[derive(Debug, Clone)]
pub struct AffineScan {
    initial: f64,
}

impl Recurrence for AffineScan {
    /// The factor and the addend.
    type Input = [f64; 2];
    type Output = f64;
    type State = f64;

    fn start(&self) -> f64 {
        self.initial
    }

    #[inline]
    fn step(&self, y: &mut f64, [a, b]: [f64; 2]) -> Option<f64> {
        *y = a * *y + b;
        Some(*y)
    }

    #[inline]
    fn skip(&self, y: &mut f64) -> Option<f64> {
        Some(*y)
    }
}

pub(crate) const AFFINE_SCAN: Kernel = Kernel {
    name: "affine_scan",
    family: Family::Recurrence,
    summary: "Affine recurrence: every answer is the last one times a factor plus an addend.",
    formula: "y[i] = a[i] * y[i-1] + b[i], y[-1] = initial",
    notes: "Factor and addend are numbers or columns, at least one of them a column. A row with a null in either keeps the \
            last answer and gets it. A NaN or an infinity stays as IEEE has it. Each step rounds twice, without fused \
            multiplication, so the bits are the same on every machine.",
    source: "Asked for in polars#12165; the first-order linear recurrence.",
    parameters: &[
        Parameter::required("a", Kind::NumberOrColumn, "The factor: a number or a column."),
        Parameter::required("b", Kind::NumberOrColumn, "The addend: a number or a column."),
        Parameter::optional("initial", Kind::Number, Literal::Number(0.0), "The answer before the first row."),
    ],
    example: r#"0.5, "x""#,
    build: |arguments, schema| {
        let inputs = vec![number_or_column(arguments, schema, "a")?, number_or_column(arguments, schema, "b")?];
        let types: Vec<_> = inputs
            .iter()
            .filter_map(|source| match source {
                Source::Column { index, .. } => Some(schema.field(*index).data_type()),
                Source::Constant(_) | Source::Position => None,
            })
            .collect();
        if types.is_empty() {
            return Err(arguments.refuse("b", "is a number, and so is 'a'; at least one of them must be a column"));
        }
        let initial = arguments.number("initial").unwrap_or(0.0);
        Ok(Keyed::boxed(Scan(AffineScan { initial }), inputs, None, computed_type(&types)))
    },
};

/// Affine recurrence y = a * y' + b, where `a` and `b` are numbers or columns.
pub fn affine_scan(a: impl Into<Value>, b: impl Into<Value>) -> crate::KernelSpec {
    crate::KernelSpec::new("affine_scan").with("a", a).with("b", b)
}
