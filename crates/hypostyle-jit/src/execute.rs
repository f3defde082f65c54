//! A program over columns of given types, ready to run: compiled where that is possible, else interpreted.
//!
//! It is there twice: for columns without nulls, and for any.  Most functions are *strict*: a null in any column that they use
//! makes the row null, or puts it in error.  Then the first form does for all rows, and rows with a null are left out.

use std::sync::OnceLock;

use hypostyle::Cells;

use crate::build::{expanded, is_small, of_small_integers};
use crate::compile::{Call, Compiled, Mode, fits_vectors};
use crate::interpret::{Column, ERROR, Stepper, VALID, run_map};
use crate::lower::{FieldType, InputType, Nulls, Ticks, Typed, lower, lower_as};
use crate::ops::{Code, Id, Op, Type};
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
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    pub values: Cells,
    /// Which rows are valid, as bits, the first row lowest; all, if there are none.
    pub valid: Option<Vec<u8>>,
}

/// The first row in error, if the caller wants to know.
pub type Outcome = Result<Vec<Answers>, usize>;

struct Variant {
    typed: Typed,
    /// Its operations, written out as far as they can be.
    code: Code,
    map: OnceLock<Option<Compiled>>,
    /// The vectors for rows of small integers.
    small: OnceLock<Option<Compiled>>,
    vector: OnceLock<Option<Compiled>>,
    scan: OnceLock<Option<Compiled>>,
    whole: OnceLock<Option<Compiled>>,
    keyed: OnceLock<Option<Compiled>>,
}

impl Variant {
    fn new(typed: Typed) -> Self {
        let (map, small, vector, scan, whole, keyed) = Default::default();
        Self { code: expanded(&typed.code), typed, map, small, vector, scan, whole, keyed }
    }

    /// What runs rows of small integers as vectors, if that is less work.
    fn small(&self) -> Option<&Compiled> {
        let small = || Compiled::new(&of_small_integers(&self.code)?, Mode::Vector).ok();
        self.small.get_or_init(small).as_ref()
    }

    /// Runs the first rows, as many as are a multiple of eight, as vectors, portion by portion.
    fn run_vectors(
        &self,
        any: &Compiled,
        columns: &[Column],
        results: &mut [&mut [u64]],
        valid: &mut [&mut [u8]],
        rows: usize,
    ) {
        let integers = |op: &Op| match op {
            Op::Column(column, Type::Int) => Some(usize::from(*column)),
            _ => None,
        };
        let integers: Vec<usize> = self.code.ops.iter().filter_map(integers).collect();
        let small = if integers.is_empty() { None } else { self.small() };
        // Few enough rows that their integers are in the nearest cache when they are read again.
        let portion =
            if small.is_some() { (PORTION / 2 / integers.len()).next_multiple_of(VECTOR_ROWS) } else { rows.max(1) };
        for start in (0..rows).step_by(portion) {
            let end = rows.min(start + portion);
            let are_small = || integers.iter().all(|column| is_small(&columns[*column].values[start..end]));
            let compiled = small.filter(|_| are_small()).unwrap_or(any);
            compiled.run(Call { start, ..call(columns, results, valid, end) });
        }
    }

    fn compiled(&self, mode: Mode) -> Option<&Compiled> {
        let place = match mode {
            Mode::Map => &self.map,
            Mode::Vector => &self.vector,
            Mode::Scan => &self.scan,
            Mode::Whole => &self.whole,
            Mode::Keyed => &self.keyed,
            Mode::Window => return None,
        };
        place.get_or_init(|| Compiled::new(&self.code, mode).ok()).as_ref()
    }

    fn code(&self) -> &Code {
        &self.code
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
        // Both have one state and the same types of results, also where a way on which they would differ is seen to be never
        // gone in one of them only.
        let alike = dense.fields == general.fields && dense.results == general.results;
        let dense = if alike { dense } else { general.without_nulls() };
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

    /// The results that are times, and what kind of time.
    pub fn times(&self) -> &[Option<Ticks>] {
        &self.sparse.typed.times
    }

    /// Which results are codes of strings.
    pub fn texts(&self) -> &[bool] {
        &self.sparse.typed.texts
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
        self.sparse.typed.code.to_string()
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
                variant.run_vectors(compiled, columns, results, valid, whole);
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
                answers.push(Answers { values: Cells::Words(values), valid: (!never).then_some(valid) });
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
        let read = read.filter(|_| self.strict);
        let mode = match keys {
            Keys::Each(_) => Mode::Keyed,
            _ if read.is_none() => Mode::Whole,
            _ => Mode::Scan,
        };
        let compiled = variant.compiled_if(self.backend, mode);
        if let (Some(compiled), Keys::One | Keys::Each(_)) = (compiled, keys) {
            return scan_portions(compiled, code, columns, rows, read, keys, states, raises);
        }
        let mut results = vec![vec![0; rows]; code.results.len()];
        let mut kinds = vec![vec![VALID; rows]; results.len()];
        let all;
        let read = match read {
            Some(read) => read,
            None => {
                all = vec![true; rows];
                &all
            }
        };
        match (compiled, keys) {
            (Some(compiled), Keys::Runs(runs)) => {
                let (mut results, mut kinds) = (slices(&mut results), slices(&mut kinds));
                let (results, kinds) = (results.as_mut_slice(), kinds.as_mut_slice());
                for (key, start, end) in runs {
                    let states = &mut states[*key as usize * width..(*key as usize + 1) * width];
                    let start = *start;
                    compiled.run(Call { read, states, start, ..call(columns, results, kinds, *end) });
                }
            }
            (_, keys) => {
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

/// How many rows are read at once, so that what is remembered of them stays in the cache; whole bytes of bits.
const PORTION: usize = 1 << 13;

/// Reads rows in order with compiled code, portion by portion: kinds and booleans become bits while they are in the cache.
#[expect(clippy::too_many_arguments, reason = "those of `Bound::scan`, resolved")]
fn scan_portions(
    compiled: &Compiled,
    code: &Code,
    columns: &[Column],
    rows: usize,
    read: Option<&[bool]>,
    keys: Keys,
    states: &mut [u64],
    raises: bool,
) -> Outcome {
    let portion = PORTION.min(rows);
    let is_bool = |(value, _): &(Id, Id)| code.type_of(*value) == Type::Bool;
    let bools: Vec<bool> = code.results.iter().map(is_bool).collect();
    let mut words: Vec<Vec<u64>> = bools.iter().map(|bool| vec![0; if *bool { portion } else { rows }]).collect();
    let mut kinds = vec![vec![VALID; portion]; words.len()];
    let (mut bits, mut valid) = (vec![Vec::new(); words.len()], vec![None; words.len()]);
    let all = vec![true; if read.is_some() { 0 } else { portion }];
    for start in (0..rows).step_by(PORTION) {
        let end = rows.min(start + PORTION);
        let len = end - start;
        let columns: Vec<Column> = columns.iter().map(|column| column.part(start, end)).collect();
        let places = words.iter_mut().zip(&bools);
        let mut places: Vec<&mut [u64]> =
            places.map(|(words, bool)| if *bool { &mut words[..len] } else { &mut words[start..end] }).collect();
        kinds.iter_mut().for_each(|kinds| kinds.fill(VALID));
        let mut of_rows: Vec<&mut [u8]> = kinds.iter_mut().map(|kinds| &mut kinds[..len]).collect();
        let read = read.map_or(&all[..], |read| &read[start..end]);
        let keys = if let Keys::Each(keys) = keys { &keys[start..end] } else { &[] };
        compiled.run(Call { read, keys, states, ..call(&columns, &mut places, &mut of_rows, len) });
        if raises && let Some(row) = first_error(&kinds) {
            return Err(start + row);
        }
        for (at, kinds) in kinds.iter().enumerate() {
            let kinds = &kinds[..len];
            if bools[at] {
                bits[at].extend(packed(&words[at][..len], |word| *word != 0));
            }
            // A fold is vectorized; a search is not.
            if valid[at].is_some() || kinds.iter().fold(0, |all, kind| all | kind) != VALID {
                let known = valid[at].get_or_insert_with(|| vec![0xFF; start / 8]);
                known.extend(packed(kinds, |kind| *kind == VALID));
            }
        }
    }
    let results = words.into_iter().zip(bits).zip(bools).zip(valid);
    Ok(results
        .map(|(((words, bits), bool), valid)| Answers {
            values: if bool { Cells::Bits(bits) } else { Cells::Words(words) },
            valid,
        })
        .collect())
}

/// A bit for each item, the first one lowest.
fn packed<T>(items: &[T], is_set: impl Fn(&T) -> bool) -> impl Iterator<Item = u8> {
    items.chunks(8).map(move |items| items.iter().rev().fold(0, |byte, item| byte << 1 | u8::from(is_set(item))))
}

/// The first row in error.
fn first_error(kinds: &[Vec<u8>]) -> Option<usize> {
    kinds.iter().filter_map(|kinds| kinds.iter().position(|kind| *kind == ERROR)).min()
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
    if raises && let Some(row) = first_error(kinds) {
        return Err(row);
    }
    let answer = |(values, kinds): (Vec<u64>, &Vec<u8>)| {
        let some = kinds.iter().fold(0, |all, kind| all | kind) != VALID;
        let valid = some.then(|| packed(kinds, |kind| *kind == VALID).collect());
        Answers { values: Cells::Words(values), valid }
    };
    Ok(results.into_iter().zip(kinds).map(answer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Builder;
    use crate::ops::Math;

    type Run<'a> = &'a dyn Fn(&mut [&mut [u64]], &mut [&mut [u8]]);

    #[test]
    fn what_fits_vectors_is_compiled_to_vectors() {
        use crate::ops::{BoolBinary, Compare, FloatBinary, FloatUnary, IntBinary, Overflow, Rare};
        let inputs = |build: &mut Builder| {
            let columns = [(0, Type::Float), (1, Type::Float), (2, Type::Int), (3, Type::Int), (4, Type::Bool)];
            let [x, y, i, j, b] = columns.map(|(at, of)| build.push(Op::Column(at, of)));
            [x, y, i, j, b, build.push(Op::IsNull(0)), build.int(3)]
        };
        let [x, y, i, j, b, null, three] = inputs(&mut Builder::default());
        let floats = [FloatUnary::Neg, FloatUnary::Abs, FloatUnary::Sqrt, FloatUnary::Floor, FloatUnary::Ceil];
        let mut ops: Vec<Op> = floats.map(|op| Op::FloatUnary(op, x)).into();
        ops.extend([FloatUnary::Trunc, FloatUnary::Nearest].map(|op| Op::FloatUnary(op, x)));
        ops.extend([FloatBinary::Add, FloatBinary::Sub, FloatBinary::Mul].map(|op| Op::FloatBinary(op, x, y)));
        ops.extend([FloatBinary::Div, FloatBinary::CopySign].map(|op| Op::FloatBinary(op, x, y)));
        for op in [Compare::Lt, Compare::Le, Compare::Eq] {
            ops.extend([Op::FloatCompare(op, x, y), Op::IntCompare(op, i, j)]);
        }
        for op in [IntBinary::Add, IntBinary::Sub, IntBinary::Mul, IntBinary::And, IntBinary::Or, IntBinary::Xor] {
            ops.push(Op::IntBinary(op, i, j));
        }
        ops.extend([IntBinary::Shl, IntBinary::Shr].map(|op| Op::IntBinary(op, i, three)));
        ops.extend([Overflow::Add, Overflow::Sub].map(|op| Op::IntOverflows(op, i, j)));
        ops.extend([BoolBinary::And, BoolBinary::Or, BoolBinary::Xor].map(|op| Op::BoolBinary(op, b, null)));
        ops.extend([Op::Not(b), Op::IntToFloat(i), Op::FloatToInt(x), Op::BoolToInt(b), Op::FloatToBits(x)]);
        ops.extend([Op::BitsToFloat(i), Op::Select(b, x, y), Op::Select(b, i, j), Op::Select(b, null, b)]);
        ops.extend(Rare::ALL.iter().map(|function| Op::Rarely(*function, b, [x, y], x)));
        for op in ops {
            let mut build = Builder::default();
            inputs(&mut build);
            let (mut result, mut no) = (build.push(op), build.bool(false));
            let (ops, types) = build.finish(&mut [&mut result, &mut no]);
            let code = Code { ops, types, results: vec![(result, no)], error: no, next: Vec::new() };
            assert!(fits_vectors(&code), "{op:?}");
            assert!(Compiled::new(&code, Mode::Vector).is_ok(), "{op:?}: {:?}", Compiled::new(&code, Mode::Vector));
        }
    }

    #[test]
    fn every_executor_has_the_same_bits() {
        let mut numbers: Vec<u64> = (0..8192_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        numbers.extend((0..8192).map(|i| (f64::from(i) * 0.37 - 1_500.0).to_bits()));
        numbers
            .extend([0.0, -0.0, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 709.79, -745.14].map(f64::to_bits));
        let columns = [Column { values: &numbers, valid: None }];
        let rows = numbers.len();
        let written = [Math::Exp, Math::Log, Math::Sin, Math::Cos, Math::Asin, Math::Acos, Math::Atan, Math::Erf];
        for function in written {
            let mut build = Builder::default();
            let x = build.push(Op::Column(0, Type::Float));
            let (mut y, mut no) = (build.push(Op::Math(function, x)), build.bool(false));
            let (ops, types) = build.finish(&mut [&mut y, &mut no]);
            let called = Code { ops, types, results: vec![(y, no)], error: no, next: Vec::new() };
            let written = expanded(&called);
            assert!(!fits_vectors(&called) && fits_vectors(&written));
            let wanted: Vec<f64> = numbers.iter().map(|bits| function.function()(f64::from_bits(*bits))).collect();
            let check = |what: &str, run: Run| {
                let (mut found, mut kinds) = (vec![0; rows], vec![0; rows]);
                run(&mut [&mut found], &mut [&mut kinds]);
                for (row, wanted) in wanted.iter().enumerate() {
                    let (x, found) = (f64::from_bits(numbers[row]), f64::from_bits(found[row]));
                    let same = found.to_bits() == wanted.to_bits() || found.is_nan() && wanted.is_nan();
                    assert!(same, "{function:?} of {x:?}, {what}: {found:?}, {wanted:?}");
                }
            };
            check("interpreted", &|results, kinds| run_map(&written, &columns, 0, rows, results, kinds));
            for mode in [Mode::Map, Mode::Vector] {
                let compiled = Compiled::new(&written, mode).unwrap();
                check("compiled", &|results, kinds| {
                    compiled.run(Call {
                        columns: &columns,
                        read: &[],
                        keys: &[],
                        states: &mut [],
                        results,
                        kinds,
                        start: 0,
                        end: rows,
                    });
                });
            }
        }
    }
}
