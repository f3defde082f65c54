//! A function's operations as instructions, for one row or for two rows in vectors.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{AbiParam, BlockArg, FuncRef, InstBuilder, MemFlags, Value, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module};

use crate::math::{int_pow, int_pow_overflows, int_round, int_round_overflows, round_to};
use crate::ops::{
    BoolBinary, Code, Compare, FloatBinary, FloatUnary, Id, IntBinary, Math, Math2, Op, Overflow, Rare, Type,
};

/// Tells the compiler where the library's functions are.
pub(super) fn symbols(builder: &mut JITBuilder) {
    for function in Math::ALL {
        builder.symbol(function.name(), function.function() as *const u8);
    }
    for function in Math2::ALL {
        builder.symbol(function.name(), function.function() as *const u8);
    }
    for function in Rare::ALL {
        builder.symbol(function.name(), function.function() as *const u8);
    }
    builder.symbol("round_to", round_to as *const u8);
    builder.symbol("int_pow", int_pow as *const u8);
    builder.symbol("int_pow_overflows", int_pow_overflows as *const u8);
    builder.symbol("int_round", int_round as *const u8);
    builder.symbol("int_round_overflows", int_round_overflows as *const u8);
}

/// Where the values of columns and fields come from, for a row or two.
pub(super) trait Row {
    fn column(&mut self, build: &mut FunctionBuilder, column: u16) -> Value;
    /// A byte, 1 if the column is null.
    fn is_null(&mut self, build: &mut FunctionBuilder, column: u16) -> Value;
    fn field(&self, field: u16) -> Value;
}

/// Writes a function's operations.
pub(super) struct Body<'a> {
    pub code: &'a Code,
    pub module: &'a mut JITModule,
    /// Two rows at a time: floats are `F64X2`, booleans masks in `I64X2`.  Else booleans are bytes, 0 or 1.
    pub vectors: bool,
    pub known: HashMap<&'static str, FuncRef>,
}

impl Body<'_> {
    /// The values of all operations.
    pub fn write(&mut self, build: &mut FunctionBuilder, row: &mut impl Row) -> Result<Vec<Value>, String> {
        let mut values: Vec<Value> = Vec::with_capacity(self.code.ops.len());
        for at in 0..self.code.ops.len() {
            let value = self.op(build, row, self.code.ops[at], &values)?;
            values.push(value);
        }
        Ok(values)
    }

    fn op(
        &mut self,
        build: &mut FunctionBuilder,
        row: &mut impl Row,
        op: Op,
        values: &[Value],
    ) -> Result<Value, String> {
        let of = |id: Id| values[id.index()];
        Ok(match op {
            Op::Column(column, _) => row.column(build, column),
            Op::IsNull(column) => row.is_null(build, column),
            Op::Field(field, _) => row.field(field),
            Op::Float(bits) => {
                if self.vectors {
                    twice(build, types::F64X2, bits)
                } else {
                    build.ins().f64const(f64::from_bits(bits))
                }
            }
            Op::Int(x) => self.ints(build, x),
            Op::Bool(x) if self.vectors => self.ints(build, -i64::from(x)),
            Op::Bool(x) => build.ins().iconst(types::I8, i64::from(x)),
            Op::FloatUnary(op, a) => {
                let a = of(a);
                match op {
                    FloatUnary::Neg => build.ins().fneg(a),
                    FloatUnary::Abs => build.ins().fabs(a),
                    FloatUnary::Sqrt => build.ins().sqrt(a),
                    FloatUnary::Floor => build.ins().floor(a),
                    FloatUnary::Ceil => build.ins().ceil(a),
                    FloatUnary::Trunc => build.ins().trunc(a),
                    FloatUnary::Nearest => build.ins().nearest(a),
                }
            }
            Op::FloatBinary(op, a, b) => {
                let (a, b) = (of(a), of(b));
                match op {
                    FloatBinary::Add => build.ins().fadd(a, b),
                    FloatBinary::Sub => build.ins().fsub(a, b),
                    FloatBinary::Mul => build.ins().fmul(a, b),
                    FloatBinary::Div => build.ins().fdiv(a, b),
                    FloatBinary::CopySign if self.vectors => {
                        let sign = twice(build, types::F64X2, (-0.0_f64).to_bits());
                        build.ins().bitselect(sign, b, a)
                    }
                    FloatBinary::CopySign => build.ins().fcopysign(a, b),
                }
            }
            Op::FloatCompare(op, a, b) => {
                let condition = match op {
                    Compare::Lt => FloatCC::LessThan,
                    Compare::Le => FloatCC::LessThanOrEqual,
                    Compare::Eq => FloatCC::Equal,
                };
                build.ins().fcmp(condition, of(a), of(b))
            }
            Op::IntBinary(op @ (IntBinary::Shl | IntBinary::Shr), a, b) if self.vectors => {
                let Some(amount) = self.code.constant_int(b) else {
                    return Err("a shift by different amounts has no vector".to_string());
                };
                let amount = build.ins().iconst(types::I32, amount & 63);
                match op {
                    IntBinary::Shl => build.ins().ishl(of(a), amount),
                    _ => build.ins().sshr(of(a), amount),
                }
            }
            Op::IntBinary(op, a, b) => self.int(build, op, of(a), of(b))?,
            Op::IntOverflows(op, a, b) => self.overflows(build, op, of(a), of(b))?,
            Op::IntCompare(op, a, b) => {
                let condition = match op {
                    Compare::Lt => IntCC::SignedLessThan,
                    Compare::Le => IntCC::SignedLessThanOrEqual,
                    Compare::Eq => IntCC::Equal,
                };
                build.ins().icmp(condition, of(a), of(b))
            }
            Op::BoolBinary(op, a, b) => match op {
                BoolBinary::And => build.ins().band(of(a), of(b)),
                BoolBinary::Or => build.ins().bor(of(a), of(b)),
                BoolBinary::Xor => build.ins().bxor(of(a), of(b)),
            },
            Op::Not(a) if self.vectors => build.ins().bnot(of(a)),
            Op::Not(a) => build.ins().bxor_imm(of(a), 1),
            Op::IntToFloat(a) if self.vectors => self.ints_to_floats(build, of(a)),
            Op::IntToFloat(a) => build.ins().fcvt_from_sint(types::F64, of(a)),
            Op::FloatToInt(a) if self.vectors => {
                let [first, second] = [0, 1].map(|lane| {
                    let x = build.ins().extractlane(of(a), lane);
                    build.ins().fcvt_to_sint_sat(types::I64, x)
                });
                let both = build.ins().splat(types::I64X2, first);
                build.ins().insertlane(both, second, 1)
            }
            Op::FloatToInt(a) => build.ins().fcvt_to_sint_sat(types::I64, of(a)),
            Op::BoolToInt(a) if self.vectors => {
                let one = self.ints(build, 1);
                build.ins().band(of(a), one)
            }
            Op::BoolToInt(a) => build.ins().uextend(types::I64, of(a)),
            Op::FloatToBits(a) if self.vectors => build.ins().bitcast(types::I64X2, little(), of(a)),
            Op::FloatToBits(a) => build.ins().bitcast(types::I64, MemFlags::new(), of(a)),
            Op::BitsToFloat(a) if self.vectors => build.ins().bitcast(types::F64X2, little(), of(a)),
            Op::BitsToFloat(a) => build.ins().bitcast(types::F64, MemFlags::new(), of(a)),
            Op::Select(c, a, b) if self.vectors => {
                let mask = match self.code.type_of(a) {
                    Type::Float => build.ins().bitcast(types::F64X2, little(), of(c)),
                    _ => of(c),
                };
                build.ins().bitselect(mask, of(a), of(b))
            }
            Op::Select(c, a, b) => build.ins().select(of(c), of(a), of(b)),
            Op::Math(function, a) => self.call(build, function.name(), &[of(a)], types::F64)?,
            Op::Math2(function, a, b) => self.call(build, function.name(), &[of(a), of(b)], types::F64)?,
            Op::Rarely(function, when, arguments, other) => {
                self.rarely(build, function, of(when), arguments.map(of), of(other))?
            }
            Op::Round(a, digits) => {
                let digits = build.ins().iconst(types::I32, i64::from(digits));
                self.call(build, "round_to", &[of(a), digits], types::F64)?
            }
            Op::IntQuotient(..) => return Err("a quotient of integers is written out before".to_string()),
        })
    }

    /// A call that is jumped over where no row needs it.
    fn rarely(
        &mut self,
        build: &mut FunctionBuilder,
        function: Rare,
        when: Value,
        arguments: [Value; 2],
        other: Value,
    ) -> Result<Value, String> {
        let (seldom, after) = (build.create_block(), build.create_block());
        let float = if self.vectors { types::F64X2 } else { types::F64 };
        let result = build.append_block_param(after, float);
        let some = if self.vectors { build.ins().vany_true(when) } else { when };
        build.ins().brif(some, seldom, &[], after, &[BlockArg::Value(other)]);
        build.set_cold_block(seldom);
        build.switch_to_block(seldom);
        let int = if self.vectors { types::I64X2 } else { types::I64 };
        let arguments = arguments
            .map(|x| if build.func.dfg.value_type(x) == int { x } else { build.ins().bitcast(int, little(), x) });
        let called = if self.vectors {
            let mut both = build.ins().bitcast(int, little(), other);
            for lane in [0, 1] {
                let own = arguments.map(|x| build.ins().extractlane(x, lane));
                let own = self.call_one(build, function.name(), &own, types::I64)?;
                both = build.ins().insertlane(both, own, lane);
            }
            let other = build.ins().bitcast(int, little(), other);
            build.ins().bitselect(when, both, other)
        } else {
            self.call_one(build, function.name(), &arguments, types::I64)?
        };
        let called = build.ins().bitcast(float, little(), called);
        build.ins().jump(after, &[BlockArg::Value(called)]);
        build.switch_to_block(after);
        Ok(result)
    }

    /// An integer, or two of them.
    fn ints(&self, build: &mut FunctionBuilder, x: i64) -> Value {
        if self.vectors { twice(build, types::I64X2, x.cast_unsigned()) } else { build.ins().iconst(types::I64, x) }
    }

    /// Two integers as floats, for which there is no instruction: the halves are put where the bits of a float make them part of a
    /// sum of powers of two, which are subtracted; only the last addition rounds.
    fn ints_to_floats(&self, build: &mut FunctionBuilder, x: Value) -> Value {
        const TWO_52: i64 = 0x4330_0000_0000_0000;
        const TWO_84_AND_63: i64 = 0x4530_0000_8000_0000;
        const ALL: i64 = 0x4530_0000_8010_0000;
        let mask = self.ints(build, 0xFFFF_FFFF);
        let low = build.ins().band(x, mask);
        let two_52 = self.ints(build, TWO_52);
        let low = build.ins().bor(low, two_52);
        let high = build.ins().ushr_imm(x, 32);
        let sign = self.ints(build, TWO_84_AND_63);
        let high = build.ins().bxor(high, sign);
        let all = self.ints(build, ALL);
        let [low, high, all] = [low, high, all].map(|bits| build.ins().bitcast(types::F64X2, little(), bits));
        let high = build.ins().fsub(high, all);
        build.ins().fadd(high, low)
    }

    fn int(&mut self, build: &mut FunctionBuilder, op: IntBinary, a: Value, b: Value) -> Result<Value, String> {
        Ok(match op {
            IntBinary::Add => build.ins().iadd(a, b),
            IntBinary::Sub => build.ins().isub(a, b),
            IntBinary::Mul => build.ins().imul(a, b),
            IntBinary::And => build.ins().band(a, b),
            IntBinary::Or => build.ins().bor(a, b),
            IntBinary::Xor => build.ins().bxor(a, b),
            IntBinary::Shl => build.ins().ishl(a, b),
            IntBinary::Shr => build.ins().sshr(a, b),
            IntBinary::Pow => self.call(build, "int_pow", &[a, b], types::I64)?,
            IntBinary::Round => self.call(build, "int_round", &[a, b], types::I64)?,
            IntBinary::FloorDiv | IntBinary::Mod => {
                // The instruction traps for a divisor of 0, and for the least integer by -1.
                let zero = build.ins().icmp_imm(IntCC::Equal, b, 0);
                let minus = build.ins().icmp_imm(IntCC::Equal, b, -1);
                let special = build.ins().bor(zero, minus);
                let one = build.ins().iconst(types::I64, 1);
                let none = build.ins().iconst(types::I64, 0);
                let divisor = build.ins().select(special, one, b);
                let quotient = build.ins().sdiv(a, divisor);
                let product = build.ins().imul(quotient, divisor);
                let remainder = build.ins().isub(a, product);
                let signs = build.ins().bxor(remainder, divisor);
                let differ = build.ins().icmp_imm(IntCC::SignedLessThan, signs, 0);
                let some = build.ins().icmp_imm(IntCC::NotEqual, remainder, 0);
                let adjust = build.ins().band(differ, some);
                if op == IntBinary::Mod {
                    let by = build.ins().select(adjust, divisor, none);
                    let remainder = build.ins().iadd(remainder, by);
                    build.ins().select(special, none, remainder)
                } else {
                    let by = build.ins().uextend(types::I64, adjust);
                    let quotient = build.ins().isub(quotient, by);
                    let negated = build.ins().ineg(a);
                    let quotient = build.ins().select(minus, negated, quotient);
                    build.ins().select(zero, none, quotient)
                }
            }
        })
    }

    fn overflows(&mut self, build: &mut FunctionBuilder, op: Overflow, a: Value, b: Value) -> Result<Value, String> {
        Ok(match op {
            Overflow::Add | Overflow::Sub => {
                let (result, other) = match op {
                    Overflow::Add => (build.ins().iadd(a, b), build.ins().bnot(b)),
                    _ => (build.ins().isub(a, b), b),
                };
                // Of a sum, if both have one sign and it another; of a difference, if they have two and it that of the second.
                let signs = build.ins().bxor(a, other);
                let changed = build.ins().bxor(a, result);
                let both = build.ins().band(signs, changed);
                let zero = self.ints(build, 0);
                build.ins().icmp(IntCC::SignedLessThan, both, zero)
            }
            Overflow::Mul => {
                let low = build.ins().imul(a, b);
                let high = build.ins().smulhi(a, b);
                let sign = build.ins().sshr_imm(low, 63);
                build.ins().icmp(IntCC::NotEqual, high, sign)
            }
            Overflow::Pow | Overflow::Round => {
                let name = if op == Overflow::Pow { "int_pow_overflows" } else { "int_round_overflows" };
                let over = self.call(build, name, &[a, b], types::I64)?;
                build.ins().ireduce(types::I8, over)
            }
        })
    }

    fn call(
        &mut self,
        build: &mut FunctionBuilder,
        name: &'static str,
        arguments: &[Value],
        result: types::Type,
    ) -> Result<Value, String> {
        if self.vectors {
            return Err("a call has no vector".to_string());
        }
        self.call_one(build, name, arguments, result)
    }

    /// A call for one row.
    fn call_one(
        &mut self,
        build: &mut FunctionBuilder,
        name: &'static str,
        arguments: &[Value],
        result: types::Type,
    ) -> Result<Value, String> {
        let function = match self.known.get(name) {
            Some(function) => *function,
            None => {
                let mut signature = self.module.make_signature();
                for argument in arguments {
                    signature.params.push(AbiParam::new(build.func.dfg.value_type(*argument)));
                }
                signature.returns.push(AbiParam::new(result));
                let id = self
                    .module
                    .declare_function(name, Linkage::Import, &signature)
                    .map_err(|error| error.to_string())?;
                let function = self.module.declare_func_in_func(id, build.func);
                self.known.insert(name, function);
                function
            }
        };
        let call = build.ins().call(function, arguments);
        Ok(build.inst_results(call)[0])
    }
}

/// A vector of a constant twice, from memory: one instruction, where to put it together takes three.
fn twice(build: &mut FunctionBuilder, of: types::Type, bits: u64) -> Value {
    let bytes: Vec<u8> = bits.to_le_bytes().into_iter().chain(bits.to_le_bytes()).collect();
    let constant = build.func.dfg.constants.insert(bytes.into());
    build.ins().vconst(of, constant)
}

/// Between vectors of other lanes, as their bytes lie in memory on a little-endian machine.
pub(super) fn little() -> MemFlags {
    MemFlags::new().with_endianness(cranelift_codegen::ir::Endianness::Little)
}
