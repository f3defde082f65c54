//! The loop over windows: a function of a window, part after part, with its variables in registers.

use std::collections::HashMap;
use std::mem::offset_of;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_jit::JITModule;

use super::arguments::Arguments;
use super::body::{Body, Row};
use super::skeleton::{arguments_of, clif_type, element, flags, load_as, loop_block, store_as};
use crate::interpret::{ERROR, NULL, VALID};
use crate::lower::windows::Part;
use crate::ops::{Code, Type};

/// What a part sees.
struct Seen<'a> {
    columns: &'a [Value],
    fields: &'a [Value],
}

impl Row for Seen<'_> {
    fn column(&mut self, _: &mut FunctionBuilder, column: u16) -> Value {
        self.columns[usize::from(column)]
    }

    fn is_null(&mut self, build: &mut FunctionBuilder, _: u16) -> Value {
        build.ins().iconst(types::I8, 0)
    }

    fn field(&self, field: u16) -> Value {
        self.fields[usize::from(field)]
    }
}

/// The values of the variables after a part.
fn next_of(code: &Code, values: &[Value]) -> Vec<Value> {
    code.next.iter().map(|id| values[id.index()]).collect()
}

/// Writes the whole function.
pub(super) fn write(build: &mut FunctionBuilder, module: &mut JITModule, parts: &[Part]) -> Result<(), String> {
    let entry = build.create_block();
    build.append_block_params_for_function_params(entry);
    build.switch_to_block(entry);
    let arguments = build.block_params(entry)[0];
    let mut load = |from: Value, at: usize| {
        build.ins().load(types::I64, flags().with_aligned(), from, i32::try_from(at).unwrap_or(i32::MAX))
    };
    let columns = load(arguments, offset_of!(Arguments, columns));
    let (values, firsts, ends) = (load(columns, 0), load(columns, 8), load(columns, 16));
    let count = parts.last().map_or(0, |part| part.code.results.len());
    let mut pointers = |at: usize| -> Vec<Value> {
        let all = load(arguments, at);
        (0..count).map(|result| load(all, result * 8)).collect()
    };
    let (results, kinds) = (pointers(offset_of!(Arguments, results)), pointers(offset_of!(Arguments, kinds)));
    let (start, end) = (load(arguments, offset_of!(Arguments, start)), load(arguments, offset_of!(Arguments, end)));

    let (header, row, _) = loop_block(build, &[]);
    let (inside, out) = (build.create_block(), build.create_block());
    build.ins().jump(header, &arguments_of(start, &[]));
    build.switch_to_block(header);
    let more = build.ins().icmp(IntCC::UnsignedLessThan, row, end);
    build.ins().brif(more, inside, &[], out, &[]);
    build.switch_to_block(inside);
    let mut place = |base: Value| {
        let address = element(build, base, row, 8);
        build.ins().load(types::I64, flags(), address, 0)
    };
    let (low, high) = (place(firsts), place(ends));
    let count = build.ins().isub(high, low);
    let address = element(build, values, low, 8);
    let first = load_as(build, Type::Float, address, 0);
    let address = element(build, values, high, 8);
    let last = load_as(build, Type::Float, address, -8);

    let mut known = HashMap::new();
    let mut fields: Vec<Value> = Vec::new();
    let mut error = build.ins().iconst(types::I8, 0);
    for (at, part) in parts.iter().enumerate() {
        let code = &part.code;
        let mut body = Body { code, module: &mut *module, vectors: false, known: std::mem::take(&mut known) };
        if part.each {
            let clif: Vec<types::Type> = code.next.iter().map(|id| clif_type(code.type_of(*id))).collect();
            let kinds: Vec<types::Type> = std::iter::once(types::I8).chain(clif).collect();
            let (turns, turn, carried) = loop_block(build, &kinds);
            let (inner, after) = (build.create_block(), build.create_block());
            let begin: Vec<Value> = std::iter::once(error).chain(fields.iter().copied()).collect();
            build.ins().jump(turns, &arguments_of(low, &begin));
            build.switch_to_block(turns);
            let more = build.ins().icmp(IntCC::UnsignedLessThan, turn, high);
            build.ins().brif(more, inner, &[], after, &[]);
            build.switch_to_block(inner);
            let address = element(build, values, turn, 8);
            let value = load_as(build, Type::Float, address, 0);
            let mut seen = Seen { columns: &[count, first, last, value], fields: &carried[1..] };
            let made = body.write(build, &mut seen)?;
            let wrong = build.ins().bor(carried[0], made[code.error.index()]);
            let next_turn = build.ins().iadd_imm(turn, 1);
            let next: Vec<Value> = std::iter::once(wrong).chain(next_of(code, &made)).collect();
            build.ins().jump(turns, &arguments_of(next_turn, &next));
            build.switch_to_block(after);
            error = carried[0];
            fields = carried[1..].to_vec();
        } else {
            let mut seen = Seen { columns: &[count, first, last], fields: &fields };
            let made = body.write(build, &mut seen)?;
            error = build.ins().bor(error, made[code.error.index()]);
            if at + 1 == parts.len() {
                const { assert!(VALID == 0 && NULL == 1 && ERROR == 2) }
                for ((value, null), (results, kinds)) in code.results.iter().zip(results.iter().zip(&kinds)) {
                    let address = element(build, *results, row, 8);
                    store_as(build, code.type_of(*value), made[value.index()], address, 0);
                    let null = build.ins().bor(made[null.index()], error);
                    let kind = build.ins().iadd(null, error);
                    let address = build.ins().iadd(*kinds, row);
                    build.ins().store(flags(), kind, address, 0);
                }
            } else {
                fields = next_of(code, &made);
            }
        }
        known = body.known;
    }
    let next = build.ins().iadd_imm(row, 1);
    build.ins().jump(header, &arguments_of(next, &[]));
    build.switch_to_block(out);
    build.ins().return_(&[]);
    Ok(())
}
