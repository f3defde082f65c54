//! Windows centered on their row: the same windows, with results some rows earlier.  That needs later rows, so it works on whole
//! columns in memory and never in a stage.
//!
//! These are functions over any driver rather than a driver around it, so that no driver is compiled twice.

use super::{Answers, Columns, Driver, Rows, run_rows};

/// Runs a driver over all rows of a key; with a lead each row gets the result of the row `lead` rows later.
pub(crate) fn run<D: Driver>(
    driver: &D,
    lead: Option<usize>,
    state: &mut D::State,
    rows: Rows<D::Input>,
    mut answers: Answers<D::Output>,
) {
    run_rows(driver, state, rows, answers.part(0, rows.len()));
    if let Some(lead) = lead {
        flush(driver, lead, state, answers);
    }
}

/// As [`run`], over rows that are not assembled yet.
pub(crate) fn run_columns<D: Driver>(
    driver: &D,
    lead: Option<usize>,
    state: &mut D::State,
    columns: &Columns<D::Input>,
    mut answers: Answers<D::Output>,
) {
    driver.run_columns(state, columns, answers.part(0, columns.len()));
    if let Some(lead) = lead {
        flush(driver, lead, state, answers);
    }
}

/// As [`run_columns`], on several threads.
pub(crate) fn run_parallel<D: Driver>(
    driver: &D,
    lead: Option<usize>,
    state: &mut D::State,
    columns: &Columns<D::Input>,
    mut answers: Answers<D::Output>,
    threads: usize,
) {
    driver.run_parallel(state, columns, answers.part(0, columns.len()), threads);
    if let Some(lead) = lead {
        flush(driver, lead, state, answers);
    }
}

/// Pushes `lead` nulls after the last row and moves all results up.
fn flush<D: Driver>(driver: &D, lead: usize, state: &mut D::State, mut answers: Answers<D::Output>) {
    let len = answers.values.len();
    let padding = vec![D::Input::default(); lead];
    let (mut values, mut valid) = (vec![D::Output::default(); lead], vec![true; lead]);
    let nulls = Rows { values: &padding, valid: Some(&vec![false; lead]), times: &[], firsts: &[] };
    run_rows(driver, state, nulls, Answers { values: &mut values, valid: &mut valid });
    let kept = len.saturating_sub(lead);
    answers.values.copy_within(len - kept.., 0);
    answers.valid.copy_within(len - kept.., 0);
    for row in kept..len {
        let late = row + lead - len;
        answers.valid[row] = true;
        answers.set(row, valid[late].then(|| values[late]));
    }
}
