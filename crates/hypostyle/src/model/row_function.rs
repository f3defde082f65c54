//! Row functions: one value from one row's columns, without state.

/// A function of one row's numbers, written over whole columns so that the compiler can vectorize it.
pub trait RowFunction: Clone + Send + Sync + 'static {
    /// Fills `answers` with the results, from columns of the same length; rows with a null in any column become null later.
    fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]);
}
