//! The laws of the library, tried on every kernel of the catalog with random parameters and random rows.
//!
//! | law | test |
//! |---|---|
//! | cut anywhere | `batches_do_not_matter` |
//! | any number of threads | `threads_do_not_matter` |
//! | stop and resume | `batches_do_not_matter` saves and loads between batches |
//! | keys are independent | `keys_are_independent` |
//! | no contamination | `a_poisoned_row_changes_only_its_windows` |
//! | the reference version agrees | `the_reference_agrees` |
//! | peeking keeps nothing | `peeking_keeps_nothing` |
//! | a row alone | `rows_may_come_alone` |
//! | keys may move and be evicted | `keys_may_move`, `evicted_keys_start_over` |
//! | states stay loadable | `golden_states_resume` |
//! | the same bits on every machine | `golden_digests_of_all_answers`, `vector_instructions_do_not_matter`, `the_system_does_not_matter` |
//! | nothing panics | `nothing_panics` |
//!
//! Equality is on the bits, NaN payloads aside; only the reference version has a tolerance, where its kernel rounds.

mod arbitrary;
mod coded;
mod custom;
mod digests;
mod errors;
mod golden;
mod keyed;

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::reference::{self, Random, Table, bits, fields, numbers, poison, same_bits, table, table_of};
use crate::{Family, Kernel, KernelSpec, Kind, Stage, Value, evaluate, kernels};
use arbitrary::{goes_back, keyless, specs_of};

/// The same cases in every run, so that a failure is a change's; `LAWS_SEED=n` draws others.
fn runner(cases: u32) -> TestRunner {
    let seed: u64 = std::env::var("LAWS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The kernels that the laws are tried on: all, or those that `LAWS_KERNELS=ewm_,shift` names by the beginnings of their names.
fn tried() -> impl Iterator<Item = &'static Arc<Kernel>> {
    let given = std::env::var("LAWS_KERNELS").unwrap_or_default();
    let begins: Vec<String> = given.split(',').map(str::to_string).collect();
    kernels().iter().filter(move |kernel| begins.iter().any(|begin| kernel.name.starts_with(begin)))
}

/// Tries a property on `cases` random (specification, table, number) triples for each kernel.  The property says whether it
/// was tried: each kernel must have been tried `least` times, so that no law holds because everything was skipped.
fn for_every_kernel(
    cases: u32,
    least: u32,
    keyed: bool,
    property: impl Fn(&KernelSpec, &Table, u64) -> Result<bool, TestCaseError>,
) {
    let mut failures = Vec::new();
    for kernel in tried() {
        let mut runner = runner(cases);
        let strategy = (specs_of(kernel, keyed), table(), any::<u64>());
        let tried = Cell::new(0);
        let outcome = runner.run(&strategy, |(spec, table, number)| {
            tried.set(tried.get() + u32::from(property(&spec, &table, number)?));
            Ok(())
        });
        match outcome {
            Err(failure) => failures.push(format!("{}: {failure}", kernel.name)),
            Ok(()) if tried.get() < least && !(tried.get() == 0 && never_streams(kernel)) => {
                failures.push(format!("{}: only {} of {cases} cases were tried", kernel.name, tried.get()));
            }
            Ok(()) => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Whether the kernel needs all later rows whatever its parameters: no law about stages applies to it.
fn never_streams(kernel: &Kernel) -> bool {
    keyless(kernel).plan().is_ok_and(|plan| plan.latency() == usize::MAX)
}

/// Whether a stage can run the kernel: it needs neither later rows nor earlier ones that have left a window.
fn streams(spec: &KernelSpec) -> bool {
    let late = spec.plan().unwrap_or_else(|e| panic!("{spec}: {e}")).latency() > 0;
    assert_eq!(Stage::new(vec![spec.clone()]).is_err(), late, "{spec}: a stage takes all kernels but late ones");
    !late && !goes_back(spec)
}

fn column(batch: &RecordBatch) -> ArrayRef {
    batch.column(0).clone()
}

fn whole(spec: &KernelSpec, rows: &RecordBatch) -> ArrayRef {
    column(&evaluate(rows, std::slice::from_ref(spec), Some(1)).unwrap_or_else(|e| panic!("{spec}: {e}")))
}

/// Cuts `0..len` at random places, empty pieces included.
fn cuts(len: usize, seed: u64) -> Vec<(usize, usize)> {
    let mut random = Random(seed | 1);
    let mut at = 0;
    let mut pieces = Vec::new();
    while at < len {
        let end = len.min(at + random.below(1 + len.min(40)));
        pieces.push((at, end));
        at = end;
    }
    pieces
}

#[test]
fn batches_do_not_matter() {
    for keyed in [false, true] {
        for_every_kernel(60, 15, keyed, |spec, table, seed| {
            if !streams(spec) {
                return Ok(false);
            }
            let rows = &table.batch;
            let expected = bits(&whole(spec, rows));
            let mut stage = Stage::new(vec![spec.clone()]).unwrap();
            let mut got = Vec::new();
            for (i, (start, end)) in cuts(rows.num_rows(), seed).into_iter().enumerate() {
                let answers = stage.advance_columns(&rows.slice(start, end - start)).unwrap();
                got.extend(bits(&column(&answers)));
                if i % 3 == 2 {
                    let saved = stage.to_bytes().unwrap();
                    stage = Stage::from_bytes(&saved).unwrap();
                    prop_assert_eq!(stage.to_bytes().unwrap(), saved, "saving is not stable");
                }
            }
            prop_assert_eq!(got, expected);
            Ok(true)
        });
    }
}

#[test]
fn threads_do_not_matter() {
    for keyed in [false, true] {
        for_every_kernel(4, 4, keyed, |spec, _, seed| {
            // A row of it costs a pass over all rows before, and no thread shares it.
            let least = if spec.name == "expanding_spearman" { 3_000 } else { 70_000 };
            let table = table_of(least + usize::try_from(seed % 30_000).unwrap() % least, seed);
            let expected = whole(spec, &table.batch);
            for threads in [2, 4] {
                let got = evaluate(&table.batch, std::slice::from_ref(spec), Some(threads)).unwrap();
                prop_assert!(same_bits(&column(&got), &expected), "{threads} threads differ");
            }
            if streams(spec) {
                // A long batch in the middle of a sequence, so that a parallel run begins and ends within a block.
                let mut stage = Stage::new(vec![spec.clone()]).unwrap().with_threads(2).unwrap();
                let last = table.batch.num_rows() - 7;
                for (start, end) in [(0, 11), (11, last), (last, table.batch.num_rows())] {
                    let got = stage.advance_columns(&table.batch.slice(start, end - start)).unwrap();
                    let same = same_bits(&column(&got), &expected.slice(start, end - start));
                    prop_assert!(same, "2 threads within a sequence differ");
                }
            }
            Ok(true)
        });
    }
}

/// Found by chance once: a parallel run must not take a value to come for one that is there.
#[test]
fn leading_nulls_are_the_same_on_threads() {
    let of_numbers =
        |kernel: &Kernel| kernel.parameters.iter().any(|p| p.name == "column" && matches!(p.kind, Kind::Column));
    let mut tried = 0;
    for kernel in kernels().iter().filter(|kernel| of_numbers(kernel) && kernel.accepts("min_samples")) {
        tried += 1;
        let table = table_of(70_000, 5).with_leading_nulls(100);
        let spec = keyless(kernel).with("column", "x").with("min_samples", 0);
        let expected = whole(&spec, &table.batch);
        let got = evaluate(&table.batch, std::slice::from_ref(&spec), Some(2)).unwrap();
        assert!(same_bits(&column(&got), &expected), "{spec}");
    }
    assert!(tried >= 60, "only {tried} kernels were tried");
}

#[test]
fn keys_are_independent() {
    for_every_kernel(60, 60, true, |spec, table, _| {
        let together = bits(&whole(spec, &table.batch));
        let alone = KernelSpec { over: Vec::new(), ..spec.clone() };
        for (rows, part) in table.parts(&spec.over) {
            let apart = bits(&whole(&alone, &part));
            let together: Vec<_> = rows.iter().map(|row| together[*row].clone()).collect();
            prop_assert_eq!(together, apart);
        }
        Ok(true)
    });
}

#[test]
fn a_poisoned_row_changes_only_its_windows() {
    for_every_kernel(80, 70, false, |spec, table, seed| {
        let rows = &table.batch;
        if rows.num_rows() == 0 {
            return Ok(false);
        }
        let family = spec.kernel().unwrap().family;
        let row = usize::try_from(seed).unwrap_or(0) % rows.num_rows();
        let before = bits(&whole(spec, rows));
        for value in [f64::NAN, f64::INFINITY, -1e300, 1e16] {
            let after = bits(&whole(spec, &poison(rows, row, value)));
            // Some kernels judge the row itself, whether or not its window holds it; a pair reaches back by its lag.
            let judged = ["rolling_rank", "rolling_zscore", "rolling_robust_zscore", "rolling_hampel", "rolling_ols"];
            let lag = match (spec.name.as_str(), spec.parameters.get("lag")) {
                ("rolling_autocorr", Some(Value::Int(lag))) => usize::try_from(*lag).unwrap(),
                ("rolling_autocorr", _) => 1,
                _ => 0,
            };
            let read = |i: usize| {
                if family == Family::Row {
                    return i == row;
                }
                let is_in = table.window(spec, i);
                is_in(row)
                    || (lag > 0 && row + lag < rows.num_rows() && is_in(row + lag))
                    || (i == row && judged.contains(&spec.name.as_str()))
            };
            for i in (0..rows.num_rows()).filter(|i| !read(*i)) {
                prop_assert_eq!(&before[i], &after[i], "row {} changed by {} in row {}", i, value, row);
            }
        }
        Ok(true)
    });
}

#[test]
fn the_reference_agrees() {
    for_every_kernel(150, 150, false, |spec, table, _| {
        let reference = spec.kernel().unwrap().reference.expect("every entry has a reference version");
        for (field, fast) in fields(&whole(spec, &table.batch)) {
            let fast = numbers(&fast);
            let slow = reference(spec, table, field.as_deref());
            prop_assert_eq!(fast.len(), slow.len());
            for (row, (fast, slow)) in fast.iter().zip(&slow).enumerate() {
                let left_out = !(row as u64).is_multiple_of(reference::step(spec)) || table.has_no_window(spec, row);
                let agree = if left_out { fast.is_none() } else { reference::agree(spec, *fast, slow) };
                prop_assert!(agree, "{:?} of row {}: {:?}, and the reference {:?}", field, row, fast, slow);
            }
        }
        Ok(true)
    });
}

/// What a row of weight 0 holds makes no difference to the bits, outliers that are masked so least of all.
#[test]
fn values_of_weight_0_make_no_difference() {
    let weighted =
        |kernel: &&Arc<Kernel>| kernel.parameters.iter().any(|p| p.name == "weights" && matches!(p.kind, Kind::Column));
    let tried = Cell::new(0);
    for kernel in kernels().iter().filter(weighted) {
        let mut runner = runner(60);
        let masked = |rows: &RecordBatch| {
            let (x, flag) = (numbers(&rows["x"]), numbers(&rows["flag"]));
            let x = x.into_iter().zip(flag).map(|(x, w)| if w == Some(0.0) { x.map(|_| 1e15) } else { x });
            let x: Float64Array = x.collect();
            let place = rows.schema().index_of("x").unwrap();
            let mut columns = rows.columns().to_vec();
            columns[place] = Arc::new(x);
            RecordBatch::try_new(rows.schema(), columns).unwrap()
        };
        let tame = |rows: &RecordBatch| numbers(&rows["x"]).iter().flatten().all(|x| x.is_finite());
        let outcome = runner.run(&(specs_of(kernel, false), table()), |(mut spec, table)| {
            for name in ["column", "x", "y"].into_iter().filter(|name| kernel.accepts(name)) {
                spec = spec.with(name, if name == "y" { "y" } else { "x" });
            }
            if kernel.name.ends_with("_ols") {
                spec = spec.with("x", vec!["x"]).with("fields", vec!["coefficients", "errors", "r2"]);
            }
            let spec = spec.with("weights", "flag");
            if tame(&table.batch) {
                tried.set(tried.get() + 1);
                let (plain, masked) = (whole(&spec, &table.batch), whole(&spec, &masked(&table.batch)));
                prop_assert_eq!(bits(&plain), bits(&masked));
            }
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", kernel.name));
    }
    assert!(tried.get() > 300, "only {} cases were tried", tried.get());
}

#[test]
fn peeking_keeps_nothing() {
    for keyed in [false, true] {
        for_every_kernel(20, 4, keyed, |spec, table, seed| {
            if !streams(spec) {
                return Ok(false);
            }
            let (mut stage, rows) = (Stage::new(vec![spec.clone()]).unwrap(), &table.batch);
            for (start, end) in cuts(rows.num_rows(), seed) {
                let piece = rows.slice(start, end - start);
                let before = stage.to_bytes().unwrap();
                let peeked = stage.peek_columns(&piece).unwrap();
                prop_assert_eq!(stage.to_bytes().unwrap(), before);
                prop_assert_eq!(bits(&column(&stage.advance_columns(&piece).unwrap())), bits(&column(&peeked)));
            }
            Ok(true)
        });
    }
}

/// Random specifications, right and wrong, over a table of many types: on one thread and on several, by key, in memory and in a
/// stage.  An error is fine, except an internal one; whatever works must return a column of the right length.
#[test]
fn nothing_panics() {
    for kernel in tried() {
        let mut runner = runner(200);
        let (worked, failed) = (Cell::new(0), Cell::new(0));
        let strategy = (arbitrary::any_spec_of(kernel), table(), 1usize..3);
        let outcome = runner.run(&strategy, |(spec, table, threads)| {
            let in_memory = evaluate(&table.batch, std::slice::from_ref(&spec), Some(threads));
            let staged = Stage::new(vec![spec]).and_then(|stage| stage.with_threads(threads));
            let staged = staged.and_then(|mut stage| stage.advance_columns(&table.batch));
            for outcome in [in_memory, staged] {
                match outcome {
                    Ok(results) => {
                        worked.set(worked.get() + 1);
                        prop_assert_eq!(results.num_rows(), table.batch.num_rows());
                    }
                    Err(error) => {
                        failed.set(failed.get() + 1);
                        prop_assert!(error.kind() != crate::ErrorKind::Internal, "{}", error);
                    }
                }
            }
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", kernel.name));
        let (worked, failed) = (worked.get(), failed.get());
        assert!(worked >= 5 && failed >= 5, "{}: {worked} worked, {failed} failed", kernel.name);
    }
}

/// Each kernel's example over columns of every type that Arrow has for tables, keys of such types too: a result or an error of
/// the user's, never an internal one.
#[test]
fn no_type_is_an_internal_error() {
    let rows = arbitrary::columns_of_all_types();
    for kernel in tried() {
        let columns: Vec<String> =
            kernel.parameters.iter().filter(|p| matches!(p.kind, Kind::Column)).map(|p| p.name.to_string()).collect();
        let mut spec = KernelSpec::new(&kernel.name).alias("result");
        spec.parameters = kernel.example.iter().cloned().collect();
        let (mut worked, mut failed) = (0, 0);
        for field in rows.schema().fields() {
            for parameter in &columns {
                let mut spec = spec.clone().with(parameter, field.name().as_str());
                if let Some(Value::Text(time)) = spec.parameters.get_mut("time") {
                    *time = field.name().clone();
                }
                for spec in [spec.clone(), spec.over([field.name().as_str()])] {
                    let outcomes = [
                        evaluate(&rows, std::slice::from_ref(&spec), Some(1)),
                        Stage::new(vec![spec]).and_then(|mut stage| stage.advance_columns(&rows)),
                    ];
                    for outcome in outcomes {
                        match outcome {
                            Ok(_) => worked += 1,
                            Err(error) => {
                                failed += 1;
                                let kind = error.kind();
                                assert!(kind != crate::ErrorKind::Internal, "{}: {error}", kernel.name);
                            }
                        }
                    }
                }
            }
        }
        assert!(columns.is_empty() || worked > 0, "{}: {worked} worked, {failed} failed", kernel.name);
    }
}

#[test]
fn no_rows_give_no_rows_of_the_right_type() {
    for kernel in tried() {
        let table = table_of(0, 1);
        let spec = keyless(kernel);
        let answers = whole(&spec, &table.batch);
        let fields = crate::output_fields(&table.batch.schema(), &[spec]).unwrap();
        assert_eq!((answers.len(), answers.data_type()), (0, fields[0].data_type()), "{}", kernel.name);
    }
}
