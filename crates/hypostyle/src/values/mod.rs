//! Conversions: Arrow columns and plain values to numbers of two domains, results to Arrow columns, states to columns.

#[cfg(target_arch = "x86_64")]
mod avx2_vectors;
mod codes;
mod decimals;
mod domain;
mod exact;
mod gathered;
mod input;
mod number;
mod operand;
mod output;
mod persist;
mod scalar;
mod scalar_value;
mod short_vectors;
mod simd;
mod texts;
mod types;

pub(crate) use codes::{Coded, Codes, is_coded};
pub(crate) use decimals::type_of_sum;
pub use domain::{Domain, Values};
pub(crate) use domain::{read, read_float, read_integer};
pub use exact::{Difference, Exact};
pub(crate) use gathered::Gathered;
pub use input::Input;
pub use number::{Flag, Number};
pub(crate) use number::{SIDE_BY_SIDE, Vectors, whole_number};
pub(crate) use operand::{Operand, Operands, array_of, read_value};
pub use output::Output;
pub(crate) use output::{NO_FIELD, field};
pub(crate) use persist::saved_integers;
pub use persist::{Persist, StateReader, StateWriter};
pub use scalar::Scalar;
pub use scalar_value::ScalarValue;
pub(crate) use short_vectors::{Arrays, SHORTS, ShortVectors};
pub(crate) use simd::arch;
pub use texts::{code_of, is_text};
pub(crate) use types::{computed_type, shown};
