//! Columns that kernels read as integers of 64 bits though they are none: texts by code, decimals in steps of their last digit.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use hashbrown::HashSet;

use super::decimals::{decimals, scale_of, step, steps};
use super::domain::Domain;
use super::operand::Operand;
use super::texts::{Texts, is_text};
use crate::error::Result;

/// Which of these columns a kernel reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coded {
    /// None.
    Nothing,
    /// Decimals: it compares values, adds them, or returns them.
    Decimals,
    /// Decimals and texts: it asks whether values are equal, or returns them.
    DecimalsAndTexts,
}

impl Coded {
    /// Whether columns of this type are read in this domain.
    pub(crate) fn reads(self, domain: Domain, data_type: &DataType) -> bool {
        domain.reads(data_type)
            || domain == Domain::Integer
                && match self {
                    Self::Nothing => false,
                    Self::Decimals => data_type.is_decimal(),
                    Self::DecimalsAndTexts => is_coded(data_type),
                }
    }

    /// The types that are read exactly, for messages.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Nothing => "a number, a boolean, a date or a time",
            Self::Decimals => "a number, a decimal, a boolean, a date or a time",
            Self::DecimalsAndTexts => "a number, a decimal, a boolean, a date, a time or a text",
        }
    }
}

/// Whether values of this type are read as integers though they are none.
pub(crate) fn is_coded(data_type: &DataType) -> bool {
    is_text(data_type) || data_type.is_decimal()
}

/// What is known of such columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Codes {
    pub(crate) texts: Texts,
}

impl Codes {
    /// The integers of a column.
    ///
    /// # Errors
    /// A decimal that does not fit into 64 bits; two texts of one code.
    pub(crate) fn encode(&mut self, column: &ArrayRef) -> Result<ArrayRef> {
        if column.data_type().is_decimal() { steps(column) } else { self.texts.codes(column) }
    }

    /// The integer of a value of a single row.
    ///
    /// # Errors
    /// As [`Codes::encode`].
    pub(crate) fn encode_row(&mut self, operand: &Operand, data_type: &DataType) -> Result<i64> {
        match scale_of(data_type) {
            _ if !operand.valid => Ok(0),
            Some(scale) => step(operand.decimal, scale),
            None => self.texts.learn(operand.text),
        }
    }

    /// A column of integers as this type.
    ///
    /// # Errors
    /// If Arrow refuses.
    pub(crate) fn decode(&self, codes: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
        if data_type.is_decimal() { Ok(decimals(codes, data_type)) } else { self.texts.decode(codes, data_type) }
    }

    /// Whether there is so much that it is worth to look what of it is still in use.
    pub(crate) fn are_many(&self) -> bool {
        self.texts.are_many()
    }

    /// Keeps only what stands for these integers.
    pub(crate) fn keep(&mut self, codes: &HashSet<i64>) {
        self.texts.keep(codes);
    }

    /// Takes over another's.
    ///
    /// # Errors
    /// Two texts of one code.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        self.texts.merge(&other.texts)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes()
    }
}
