//! The loops around a function: what is loaded for a row and stored after it.

use std::collections::HashMap;
use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, MemFlags, Value, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_jit::JITModule;

use super::arguments::{Arguments, Mode};
use super::body::{Body, Row};
use crate::interpret::{ERROR, NULL, VALID};
use crate::ops::{Code, Op, Type};

/// How many rows a turn of the vector loop takes: their validity is one byte.
const ROWS: i32 = 8;

/// Pointers that do not change from row to row.
struct Pointers {
    columns: HashMap<u16, Value>,
    valid: HashMap<u16, Value>,
    results: Vec<Value>,
    kinds: Vec<Value>,
    keys: Value,
    states: Value,
    read: Value,
    start: Value,
    end: Value,
}

pub(super) fn flags() -> MemFlags {
    MemFlags::new().with_notrap()
}

fn pointers(build: &mut FunctionBuilder, code: &Code, arguments: Value) -> Result<Pointers, String> {
    let mut load = |from: Value, at: usize| {
        let at = i32::try_from(at).map_err(|_| "too many columns".to_string())?;
        Ok::<_, String>(build.ins().load(types::I64, flags().with_aligned(), from, at))
    };
    let columns = load(arguments, offset_of!(Arguments, columns))?;
    let valid = load(arguments, offset_of!(Arguments, valid))?;
    let results = load(arguments, offset_of!(Arguments, results))?;
    let kinds = load(arguments, offset_of!(Arguments, kinds))?;
    let (mut of_columns, mut of_valid) = (HashMap::new(), HashMap::new());
    for op in &code.ops {
        match op {
            Op::Column(column, _) => {
                of_columns.insert(*column, load(columns, usize::from(*column) * 8)?);
            }
            Op::IsNull(column) => {
                of_valid.insert(*column, load(valid, usize::from(*column) * 8)?);
            }
            _ => {}
        }
    }
    let count = code.results.len();
    Ok(Pointers {
        columns: of_columns,
        valid: of_valid,
        results: (0..count).map(|at| load(results, at * 8)).collect::<Result<_, _>>()?,
        kinds: (0..count).map(|at| load(kinds, at * 8)).collect::<Result<_, _>>()?,
        keys: load(arguments, offset_of!(Arguments, keys))?,
        states: load(arguments, offset_of!(Arguments, states))?,
        read: load(arguments, offset_of!(Arguments, read))?,
        start: load(arguments, offset_of!(Arguments, start))?,
        end: load(arguments, offset_of!(Arguments, end))?,
    })
}

/// The values of one row, or of two.
struct OneRow<'a> {
    pointers: &'a Pointers,
    code: &'a Code,
    /// The number of a row, and which of those after it this is, or is the first of the two.
    row: Value,
    at: i32,
    fields: &'a [Value],
    vectors: bool,
}

impl Row for OneRow<'_> {
    fn column(&mut self, build: &mut FunctionBuilder, column: u16) -> Value {
        let address = element(build, self.pointers.columns[&column], self.row, 8);
        let of = self.code.ops.iter().find_map(|op| match op {
            Op::Column(known, of) if *known == column => Some(*of),
            _ => None,
        });
        match of.unwrap_or(Type::Float) {
            Type::Float if self.vectors => build.ins().load(types::F64X2, flags(), address, 8 * self.at),
            Type::Int if self.vectors => build.ins().load(types::I64X2, flags(), address, 8 * self.at),
            Type::Bool if self.vectors => {
                let bits = build.ins().load(types::I64X2, flags(), address, 8 * self.at);
                let zero = two(build, 0);
                build.ins().icmp(IntCC::NotEqual, bits, zero)
            }
            of => load_as(build, of, address, 8 * self.at),
        }
    }

    fn is_null(&mut self, build: &mut FunctionBuilder, column: u16) -> Value {
        let address = build.ins().iadd(self.pointers.valid[&column], self.row);
        if self.vectors {
            let first = build.ins().uload8(types::I64, flags(), address, self.at);
            let second = build.ins().uload8(types::I64, flags(), address, self.at + 1);
            let both = build.ins().splat(types::I64X2, first);
            let both = build.ins().insertlane(both, second, 1);
            let zero = two(build, 0);
            return build.ins().icmp(IntCC::Equal, both, zero);
        }
        let valid = build.ins().load(types::I8, flags(), address, self.at);
        build.ins().bxor_imm(valid, 1)
    }

    fn field(&self, field: u16) -> Value {
        self.fields[usize::from(field)]
    }
}

/// The same integer twice.
fn two(build: &mut FunctionBuilder, x: i64) -> Value {
    let x = build.ins().iconst(types::I64, x);
    build.ins().splat(types::I64X2, x)
}

pub(super) fn element(build: &mut FunctionBuilder, base: Value, row: Value, size: i64) -> Value {
    let offset = build.ins().imul_imm(row, size);
    build.ins().iadd(base, offset)
}

/// A value of 8 bytes.
pub(super) fn load_as(build: &mut FunctionBuilder, of: Type, address: Value, offset: i32) -> Value {
    match of {
        Type::Float => build.ins().load(types::F64, flags(), address, offset),
        Type::Int => build.ins().load(types::I64, flags(), address, offset),
        Type::Bool => build.ins().load(types::I8, flags(), address, offset),
    }
}

/// A value to 8 bytes.
pub(super) fn store_as(build: &mut FunctionBuilder, of: Type, value: Value, address: Value, offset: i32) {
    let value = if of == Type::Bool { build.ins().uextend(types::I64, value) } else { value };
    build.ins().store(flags(), value, address, offset);
}

/// The types of the state's slots.
fn slot_types(code: &Code) -> Vec<Type> {
    code.next.iter().map(|id| code.type_of(*id)).collect()
}

/// Writes the whole function.
pub(super) fn write(
    build: &mut FunctionBuilder,
    module: &mut JITModule,
    code: &Code,
    mode: Mode,
) -> Result<(), String> {
    let entry = build.create_block();
    build.append_block_params_for_function_params(entry);
    build.switch_to_block(entry);
    let arguments = build.block_params(entry)[0];
    let pointers = pointers(build, code, arguments)?;
    let mut body = Body { code, module, vectors: mode == Mode::Vector, known: HashMap::new() };
    match mode {
        Mode::Map => scalar_map(build, &mut body, &pointers),
        Mode::Vector => vector_map(build, &mut body, &pointers),
        Mode::Scan => scan(build, &mut body, &pointers, false),
        Mode::Whole => scan(build, &mut body, &pointers, true),
        Mode::Keyed => keyed(build, &mut body, &pointers),
        Mode::Window => Err("a function of a window has parts".to_string()),
    }
}

/// A block that is entered with the number of a row and other values.
pub(super) fn loop_block(build: &mut FunctionBuilder, others: &[types::Type]) -> (Block, Value, Vec<Value>) {
    let block = build.create_block();
    let row = build.append_block_param(block, types::I64);
    let others = others.iter().map(|of| build.append_block_param(block, *of)).collect();
    (block, row, others)
}

pub(super) fn arguments_of(row: Value, others: &[Value]) -> Vec<BlockArg> {
    std::iter::once(row).chain(others.iter().copied()).map(BlockArg::Value).collect()
}

/// Stores the results of a row, so many after another one.
fn store_results(
    build: &mut FunctionBuilder,
    code: &Code,
    pointers: &Pointers,
    values: &[Value],
    row: Value,
    after: i32,
) {
    for (at, (value, null)) in code.results.iter().enumerate() {
        let address = element(build, pointers.results[at], row, 8);
        store_as(build, code.type_of(*value), values[value.index()], address, 8 * after);
        if code.constant_bool(*null) == Some(false) {
            continue;
        }
        let (null, error) = (values[null.index()], values[code.error.index()]);
        // An error is null too, so their sum is the kind.
        let kind = build.ins().iadd(null, error);
        const { assert!(VALID == 0 && NULL == 1 && ERROR == 2) }
        let address = build.ins().iadd(pointers.kinds[at], row);
        build.ins().store(flags(), kind, address, after);
    }
}

fn scalar_map(build: &mut FunctionBuilder, body: &mut Body, pointers: &Pointers) -> Result<(), String> {
    let (header, row, _) = loop_block(build, &[]);
    let (inside, out) = (build.create_block(), build.create_block());
    build.ins().jump(header, &arguments_of(pointers.start, &[]));
    build.switch_to_block(header);
    let more = build.ins().icmp(IntCC::UnsignedLessThan, row, pointers.end);
    build.ins().brif(more, inside, &[], out, &[]);
    build.switch_to_block(inside);
    let mut values = OneRow { pointers, code: body.code, row, at: 0, fields: &[], vectors: false };
    let values = body.write(build, &mut values)?;
    store_results(build, body.code, pointers, &values, row, 0);
    let next = build.ins().iadd_imm(row, 1);
    build.ins().jump(header, &arguments_of(next, &[]));
    build.switch_to_block(out);
    build.ins().return_(&[]);
    Ok(())
}

/// As many rows as are a multiple of eight.
fn vector_map(build: &mut FunctionBuilder, body: &mut Body, pointers: &Pointers) -> Result<(), String> {
    let (header, row, _) = loop_block(build, &[]);
    let (inside, out) = (build.create_block(), build.create_block());
    build.ins().jump(header, &arguments_of(pointers.start, &[]));
    build.switch_to_block(header);
    let last = build.ins().iadd_imm(row, i64::from(ROWS));
    let more = build.ins().icmp(IntCC::UnsignedLessThanOrEqual, last, pointers.end);
    build.ins().brif(more, inside, &[], out, &[]);
    build.switch_to_block(inside);
    let code = body.code;
    let mut bits: Vec<Option<Value>> = vec![None; code.results.len()];
    for pair in 0..ROWS / 2 {
        let first = 2 * pair;
        let mut values = OneRow { pointers, code, row, at: first, fields: &[], vectors: true };
        let values = body.write(build, &mut values)?;
        for (at, (value, null)) in code.results.iter().enumerate() {
            let address = element(build, pointers.results[at], row, 8);
            let result = values[value.index()];
            let result = match code.type_of(*value) {
                Type::Bool => {
                    let one = build.ins().iconst(types::I64, 1);
                    let ones = build.ins().splat(types::I64X2, one);
                    build.ins().band(result, ones)
                }
                _ => result,
            };
            build.ins().store(flags(), result, address, 8 * first);
            if code.constant_bool(*null) == Some(false) {
                continue;
            }
            let valid = build.ins().bnot(values[null.index()]);
            let two = build.ins().vhigh_bits(types::I32, valid);
            let two = build.ins().ishl_imm(two, i64::from(first));
            bits[at] = Some(match bits[at] {
                Some(bits) => build.ins().bor(bits, two),
                None => two,
            });
        }
    }
    for (at, bits) in bits.into_iter().enumerate() {
        if let Some(bits) = bits {
            let byte = build.ins().ushr_imm(row, 3);
            let address = build.ins().iadd(pointers.kinds[at], byte);
            build.ins().istore8(flags(), bits, address, 0);
        }
    }
    let next = build.ins().iadd_imm(row, i64::from(ROWS));
    build.ins().jump(header, &arguments_of(next, &[]));
    build.switch_to_block(out);
    build.ins().return_(&[]);
    Ok(())
}

/// The state after a row: the new one, unless the row is in error.
fn next_state(build: &mut FunctionBuilder, code: &Code, values: &[Value], old: &[Value]) -> Vec<Value> {
    let never = code.constant_bool(code.error) == Some(false);
    code.next
        .iter()
        .zip(old)
        .map(|(next, old)| {
            let new = values[next.index()];
            if never || new == *old { new } else { build.ins().select(values[code.error.index()], *old, new) }
        })
        .collect()
}

/// Goes on to the next row unless this one is to be read.
fn skip_unread(build: &mut FunctionBuilder, pointers: &Pointers, row: Value, header: Block, next: &[BlockArg]) {
    let (valid, skipped) = (build.create_block(), build.create_block());
    let address = build.ins().iadd(pointers.read, row);
    let reads = build.ins().load(types::I8, flags(), address, 0);
    build.ins().brif(reads, valid, &[], skipped, &[]);
    build.switch_to_block(skipped);
    store_errors(build, pointers, row);
    build.ins().jump(header, next);
    build.switch_to_block(valid);
}

/// Marks all results of a row as in error.
fn store_errors(build: &mut FunctionBuilder, pointers: &Pointers, row: Value) {
    for at in 0..pointers.kinds.len() {
        let address = build.ins().iadd(pointers.kinds[at], row);
        let kind = build.ins().iconst(types::I8, i64::from(ERROR));
        build.ins().store(flags(), kind, address, 0);
        let address = element(build, pointers.results[at], row, 8);
        let zero = build.ins().iconst(types::I64, 0);
        build.ins().store(flags(), zero, address, 0);
    }
}

pub(super) fn clif_type(of: Type) -> types::Type {
    match of {
        Type::Float => types::F64,
        Type::Int => types::I64,
        Type::Bool => types::I8,
    }
}

/// How many rows a turn of the loop takes where all are read, if the function is short.
const UNROLLED: i32 = 4;
/// The operations of a short function.
const SHORT: usize = 64;

/// The state in registers from row to row; `whole`: no row is left out.
fn scan(build: &mut FunctionBuilder, body: &mut Body, pointers: &Pointers, whole: bool) -> Result<(), String> {
    let slots = slot_types(body.code);
    let mut state: Vec<Value> =
        slots.iter().enumerate().map(|(slot, of)| load_as(build, *of, pointers.states, offset(slot))).collect();
    let mut row = pointers.start;
    if whole && body.code.ops.len() <= SHORT {
        (row, state) = scan_loop(build, body, pointers, (row, &state), UNROLLED, whole)?;
    }
    (_, state) = scan_loop(build, body, pointers, (row, &state), 1, whole)?;
    for (slot, of) in slots.iter().enumerate() {
        store_as(build, *of, state[slot], pointers.states, offset(slot));
    }
    build.ins().return_(&[]);
    Ok(())
}

/// A loop with so many rows a turn, from a row and a state to those behind the last turn.
fn scan_loop(
    build: &mut FunctionBuilder,
    body: &mut Body,
    pointers: &Pointers,
    (begin, start): (Value, &[Value]),
    rows: i32,
    whole: bool,
) -> Result<(Value, Vec<Value>), String> {
    let clif: Vec<types::Type> = slot_types(body.code).iter().map(|of| clif_type(*of)).collect();
    let (header, row, state) = loop_block(build, &clif);
    let (inside, out) = (build.create_block(), build.create_block());
    build.ins().jump(header, &arguments_of(begin, start));
    build.switch_to_block(header);
    let after = build.ins().iadd_imm(row, i64::from(rows));
    let more = build.ins().icmp(IntCC::UnsignedLessThanOrEqual, after, pointers.end);
    build.ins().brif(more, inside, &[], out, &[]);
    build.switch_to_block(inside);
    let mut now = state.clone();
    for at in 0..rows {
        if !whole {
            skip_unread(build, pointers, row, header, &arguments_of(after, &now));
        }
        let mut values = OneRow { pointers, code: body.code, row, at, fields: &now, vectors: false };
        let values = body.write(build, &mut values)?;
        store_results(build, body.code, pointers, &values, row, at);
        now = next_state(build, body.code, &values, &now);
    }
    build.ins().jump(header, &arguments_of(after, &now));
    build.switch_to_block(out);
    Ok((row, state))
}

fn offset(slot: usize) -> i32 {
    i32::try_from(slot * 8).unwrap_or(i32::MAX)
}

fn keyed(build: &mut FunctionBuilder, body: &mut Body, pointers: &Pointers) -> Result<(), String> {
    let slots = slot_types(body.code);
    let (header, row, _) = loop_block(build, &[]);
    let (inside, out) = (build.create_block(), build.create_block());
    build.ins().jump(header, &arguments_of(pointers.start, &[]));
    build.switch_to_block(header);
    let more = build.ins().icmp(IntCC::UnsignedLessThan, row, pointers.end);
    build.ins().brif(more, inside, &[], out, &[]);
    build.switch_to_block(inside);
    let next_row = build.ins().iadd_imm(row, 1);
    skip_unread(build, pointers, row, header, &arguments_of(next_row, &[]));
    let address = element(build, pointers.keys, row, 4);
    let key = build.ins().uload32(flags(), address, 0);
    let size = i64::try_from(slots.len() * 8).map_err(|_| "too many fields".to_string())?;
    let states = element(build, pointers.states, key, size);
    let state: Vec<Value> =
        slots.iter().enumerate().map(|(slot, of)| load_as(build, *of, states, offset(slot))).collect();
    let mut values = OneRow { pointers, code: body.code, row, at: 0, fields: &state, vectors: false };
    let values = body.write(build, &mut values)?;
    store_results(build, body.code, pointers, &values, row, 0);
    let next = next_state(build, body.code, &values, &state);
    for (slot, of) in slots.iter().enumerate() {
        store_as(build, *of, next[slot], states, offset(slot));
    }
    build.ins().jump(header, &arguments_of(next_row, &[]));
    build.switch_to_block(out);
    build.ins().return_(&[]);
    Ok(())
}
