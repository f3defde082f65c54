//! A program over columns of given types, ready to run: compiled where that is possible, else interpreted.
//!
//! It is there twice: for columns without nulls, and for any.  Most functions are *strict*: a null in any column that they use
//! makes the row null, or puts it in error.  Then the first form does for all rows, and rows with a null are left out.

use std::sync::OnceLock;

use crate::compile::{Call, Compiled, Mode, fits_vectors};
use crate::interpret::{Column, ERROR, Stepper, VALID, run_map};
use crate::lower::{FieldType, InputType, Nulls, Typed, lower, lower_as};
use crate::ops::{Code, Op, Type};
use crate::program::{Checked, Function};

/// What runs the operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// Machine code, or the interpreter where there can be none.
    Compiled,
    /// The interpreter.
    Interpreted,
}

impl Backend {
    /// Compiled, unless the environment variable `HYPOSTYLE_JIT` is 0.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Backend> = OnceLock::new();
        *CHOSEN.get_or_init(|| match std::env::var("HYPOSTYLE_JIT") {
            Ok(value) if value == "0" => Self::Interpreted,
            _ => Self::Compiled,
        })
    }
}

/// The rows whose state is one key's.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// All rows have key 0.
    One,
    /// The key of each row.
    Each(&'a [u32]),
    /// Keys with the first of their consecutive rows and the row after the last.
    Runs(&'a [(u32, usize, usize)]),
}

/// A result of all rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// The bits of floats or integers.
    pub values: Vec<u64>,
    /// Which rows are valid, as bits, the first row lowest; all, if there are none.
    pub valid: Option<Vec<u8>>,
}

/// The first row in error, if the caller wants to know.
pub type Outcome = Result<Vec<Answers>, usize>;

struct Variant {
    typed: Typed,
    map: OnceLock<Option<Compiled>>,
    vector: OnceLock<Option<Compiled>>,
    scan: OnceLock<Option<Compiled>>,
    keyed: OnceLock<Option<Compiled>>,
}

impl Variant {
    fn new(typed: Typed) -> Self {
        let (map, vector, scan, keyed) = Default::default();
        Self { typed, map, vector, scan, keyed }
    }

    fn compiled(&self, mode: Mode) -> Option<&Compiled> {
        let place = match mode {
            Mode::Map => &self.map,
            Mode::Vector => &self.vector,
            Mode::Scan => &self.scan,
            Mode::Keyed => &self.keyed,
            Mode::Window => return None,
        };
        place.get_or_init(|| Compiled::new(&self.typed.code, mode).ok()).as_ref()
    }

    fn code(&self) -> &Code {
        &self.typed.code
    }
}

/// See the module.
pub struct Bound {
    backend: Backend,
    /// Without nulls.
    dense: Variant,
    /// With any.
    sparse: Variant,
    uses: Vec<bool>,
    strict: bool,
}

impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bound").field("typed", &self.sparse.typed).finish_non_exhaustive()
    }
}

impl Bound {
    /// The function over columns of these types.
    ///
    /// # Errors
    /// What Python does not have for these types, in words.
    pub fn new(function: &Function, types: &[InputType], backend: Backend) -> Checked<Self> {
        let general = lower(function, types)?;
        let dense = lower_as(&general, function, types, &vec![Nulls::Never; types.len()])?;
        let uses: Vec<bool> = (0..types.len()).map(|column| general.code.uses_column(column)).collect();
        let is_strict = |column: usize| {
            let mut nulls = vec![Nulls::Some; types.len()];
            nulls[column] = Nulls::Always;
            let yes = |code: &Code, id| code.constant_bool(id) == Some(true);
            lower_as(&general, function, types, &nulls).is_ok_and(|typed| {
                let code = &typed.code;
                let no_result = code.results.iter().all(|(_, null)| yes(code, *null));
                // A row that is left out keeps the state, as one in error does.
                yes(code, code.error) || no_result && code.next.is_empty()
            })
        };
        let strict = uses.iter().enumerate().all(|(column, used)| !used || is_strict(column));
        Ok(Self { backend, dense: Variant::new(dense), sparse: Variant::new(general), uses, strict })
    }

    /// The types of the results.
    pub fn results(&self) -> &[Type] {
        &self.sparse.typed.results
    }

    /// The fields of the state.
    pub fn fields(&self) -> &[FieldType] {
        &self.sparse.typed.fields
    }

    /// The slots of a key's state before its first row: one a field, and one more if the field can be None.
    pub fn start(&self) -> &[u64] {
        &self.sparse.typed.start
    }

    /// Whether a column's values matter.
    pub fn uses(&self, column: usize) -> bool {
        self.uses[column]
    }

    /// About how many nanoseconds a row takes.
    pub fn cost(&self) -> usize {
        let cost = |op: &Op| match op {
            Op::Math(..) | Op::Math2(..) | Op::Round(..) | Op::IntQuotient(..) => 64,
            _ => 2,
        };
        (self.dense.code().ops.iter().map(cost).sum::<usize>() / 8).max(3)
    }

    /// Whether a null in any column that it uses makes the row's results null.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// The operations for any columns, as text.
    pub fn shown(&self) -> String {
        self.sparse.code().to_string()
    }

    /// The form for these columns; a strict function needs that for any only to find the first row in error.
    fn variant(&self, columns: &[Column], raises: bool) -> &Variant {
        let nulls = columns.iter().zip(&self.uses).any(|(column, used)| *used && column.valid.is_some());
        if nulls && (!self.strict || raises) { &self.sparse } else { &self.dense }
    }

    /// The results of rows of a function without state, on up to `threads` threads.  Unless errors are asked for, a strict
    /// function takes no notice of nulls: its caller does.
    ///
    /// # Errors
    /// The first row in error, if `raises`.
    pub fn map(&self, columns: &[Column], rows: usize, threads: usize, raises: bool) -> Outcome {
        let variant = self.variant(columns, raises);
        let code = variant.code();
        let mut results = vec![vec![0; rows]; code.results.len()];
        let vector = self.backend == Backend::Compiled && !raises && fits_vectors(code) && rows >= VECTOR_ROWS;
        if let Some(compiled) = if vector { variant.compiled(Mode::Vector) } else { None } {
            let mut valid = vec![vec![0xFF; rows.div_ceil(8)]; results.len()];
            in_parts(columns, &mut results, &mut valid, 8, threads, |columns, results, valid| {
                let rows = results.first().map_or(0, |values| values.len());
                let whole = rows / VECTOR_ROWS * VECTOR_ROWS;
                compiled.run(call(columns, results, valid, whole));
                if whole < rows {
                    let mut kinds = vec![vec![VALID; rows]; results.len()];
                    run_map(code, columns, whole, rows - whole, results, &mut slices(&mut kinds));
                    for (bits, kinds) in valid.iter_mut().zip(&kinds) {
                        (whole..rows).for_each(|row| set_bit(bits, row, kinds[row] == VALID));
                    }
                }
            });
            let mut answers = Vec::with_capacity(results.len());
            for ((values, valid), (_, null)) in results.into_iter().zip(valid).zip(&code.results) {
                let never = code.constant_bool(*null) == Some(false);
                answers.push(Answers { values, valid: (!never).then_some(valid) });
            }
            return Ok(answers);
        }
        let mut kinds = vec![vec![VALID; rows]; results.len()];
        let compiled = variant.compiled_if(self.backend, Mode::Map);
        in_parts(columns, &mut results, &mut kinds, 1, threads, |columns, results, kinds| {
            let rows = results.first().map_or(0, |values| values.len());
            match compiled {
                Some(compiled) => compiled.run(call(columns, results, kinds, rows)),
                None => run_map(code, columns, 0, rows, results, kinds),
            }
        });
        finished(results, &kinds, raises)
    }

    /// Reads rows in order; `states` has the slots of all keys, key by key.  Of a strict function, rows that are `false` in
    /// `read`, if there is such, are in error.
    ///
    /// # Errors
    /// The first row in error, if `raises`; the states have changed then.
    pub fn scan(
        &self,
        columns: &[Column],
        rows: usize,
        read: Option<&[bool]>,
        keys: Keys,
        states: &mut [u64],
        raises: bool,
    ) -> Outcome {
        let variant = if self.strict { &self.dense } else { self.variant(columns, raises) };
        let code = variant.code();
        let width = code.next.len();
        let mut results = vec![vec![0; rows]; code.results.len()];
        let mut kinds = vec![vec![VALID; rows]; results.len()];
        let all;
        let read = match read.filter(|_| self.strict) {
            Some(read) => read,
            None => {
                all = vec![true; rows];
                &all
            }
        };
        let mode = if matches!(keys, Keys::Each(_)) { Mode::Keyed } else { Mode::Scan };
        match (variant.compiled_if(self.backend, mode), keys) {
            (Some(compiled), keys) => {
                let (mut results, mut kinds) = (slices(&mut results), slices(&mut kinds));
                let (results, kinds) = (results.as_mut_slice(), kinds.as_mut_slice());
                match keys {
                    Keys::One => compiled.run(Call { read, states, ..call(columns, results, kinds, rows) }),
                    Keys::Each(keys) => {
                        compiled.run(Call { read, keys, states, ..call(columns, results, kinds, rows) })
                    }
                    Keys::Runs(runs) => {
                        for (key, start, end) in runs {
                            let states = &mut states[*key as usize * width..(*key as usize + 1) * width];
                            let start = *start;
                            compiled.run(Call { read, states, start, ..call(columns, results, kinds, *end) });
                        }
                    }
                }
            }
            (None, keys) => {
                let mut stepper = Stepper::new(code);
                let mut step = |row: usize, key: usize| {
                    let state = &mut states[key * width..(key + 1) * width];
                    if read[row] {
                        stepper.step(columns, row, state, |at, value, kind| {
                            results[at][row] = value;
                            kinds[at][row] = kind;
                        });
                    } else {
                        kinds.iter_mut().for_each(|kinds| kinds[row] = ERROR);
                    }
                };
                match keys {
                    Keys::One => (0..rows).for_each(|row| step(row, 0)),
                    Keys::Each(keys) => keys.iter().enumerate().for_each(|(row, key)| step(row, *key as usize)),
                    Keys::Runs(runs) => {
                        for (key, start, end) in runs {
                            (*start..*end).for_each(|row| step(row, *key as usize));
                        }
                    }
                }
            }
        }
        finished(results, &kinds, raises)
    }
}

/// How many rows a turn of the vector loop takes.
const VECTOR_ROWS: usize = 8;

/// Fewer rows are not worth another part.
const PART: usize = 1 << 13;

/// Runs `work` on the columns, the results and the kinds of several parts of the rows at the same time.  A kind is for
/// `rows_per_kind` rows.
fn in_parts(
    columns: &[Column],
    results: &mut [Vec<u64>],
    kinds: &mut [Vec<u8>],
    rows_per_kind: usize,
    threads: usize,
    work: impl Fn(&[Column], &mut [&mut [u64]], &mut [&mut [u8]]) + Sync,
) {
    let rows = results.first().map_or(0, Vec::len);
    if threads < 2 || rows < 2 * PART {
        return work(columns, &mut slices(results), &mut slices(kinds));
    }
    // Several parts a thread, because not all threads are equally fast.
    let part = (rows / (4 * threads)).max(PART).next_multiple_of(64);
    let (mut results, mut kinds, work) = (slices(results), slices(kinds), &work);
    rayon::scope(|scope| {
        for start in (0..rows).step_by(part) {
            let end = rows.min(start + part);
            let columns: Vec<Column> = columns.iter().map(|column| column.part(start, end)).collect();
            let mut results = taken(&mut results, end - start);
            let mut kinds = taken(&mut kinds, (end - start).div_ceil(rows_per_kind));
            scope.spawn(move |_| work(&columns, &mut results, &mut kinds));
        }
    });
}

fn slices<T>(all: &mut [Vec<T>]) -> Vec<&mut [T]> {
    all.iter_mut().map(Vec::as_mut_slice).collect()
}

/// Takes the first items of each slice.
fn taken<'a, T>(all: &mut [&'a mut [T]], count: usize) -> Vec<&'a mut [T]> {
    let take = |slice: &mut &'a mut [T]| {
        let (first, rest) = std::mem::take(slice).split_at_mut(count);
        *slice = rest;
        first
    };
    all.iter_mut().map(take).collect()
}

/// The first `end` rows of a function without state.
fn call<'a, 'c, 'r, 'k>(
    columns: &'a [Column<'c>],
    results: &'a mut [&'r mut [u64]],
    kinds: &'a mut [&'k mut [u8]],
    end: usize,
) -> Call<'a, 'c, 'r, 'k> {
    Call { columns, read: &[], keys: &[], states: &mut [], results, kinds, start: 0, end }
}

impl Variant {
    fn compiled_if(&self, backend: Backend, mode: Mode) -> Option<&Compiled> {
        if backend == Backend::Compiled { self.compiled(mode) } else { None }
    }
}

fn set_bit(bits: &mut [u8], row: usize, to: bool) {
    let mask = 1 << (row % 8);
    if to { bits[row / 8] |= mask } else { bits[row / 8] &= !mask }
}

/// Kinds as bits, or the first row in error.
fn finished(results: Vec<Vec<u64>>, kinds: &[Vec<u8>], raises: bool) -> Outcome {
    if raises && let Some(row) = kinds.iter().filter_map(|kinds| kinds.iter().position(|kind| *kind == ERROR)).min() {
        return Err(row);
    }
    let answer = |(values, kinds): (Vec<u64>, &Vec<u8>)| {
        let byte =
            |rows: &[u8]| rows.iter().enumerate().fold(0, |bits, (bit, kind)| bits | u8::from(*kind == VALID) << bit);
        let some = kinds.iter().any(|kind| *kind != VALID);
        Answers { values, valid: some.then(|| kinds.chunks(8).map(byte).collect()) }
    };
    Ok(results.into_iter().zip(kinds).map(answer).collect())
}
