//! The functions that a program can call: builtins, the module `math` with what it raises, and NumPy's, which raise nothing.

use super::Walk;
use super::kinds::{Kind, Value};
use crate::ops::{Compare, FloatBinary, FloatUnary, Id, IntBinary, Math, Math2, Op, Overflow};
use crate::program::{Binary, Checked, Expression, Invalid, invalid};

impl<'p> Walk<'p> {
    pub(super) fn call(&mut self, name: &str, arguments: &'p [Expression]) -> Checked<Value> {
        // Which of the two NumPy chooses is no matter of control: both are computed.
        let values = arguments.iter().map(|argument| self.expression(argument)).collect::<Checked<Vec<_>>>()?;
        let wrong = || Invalid(format!("{name} with {} arguments is no function that is compiled", values.len()));
        match (name, values.as_slice()) {
            ("abs", [x]) => self.abs(*x),
            ("min" | "max", [first, rest @ ..]) if !rest.is_empty() => self.extreme(name == "max", *first, rest),
            ("int", [x]) => self.int_of(*x, FloatUnary::Trunc),
            ("float", [x]) => self.float_from(*x),
            ("bool", [x]) => self.bool_from(*x),
            // As an array of the type of the first keeps the second.
            ("like", [of, x]) => match of.kind {
                Kind::Float => self.float_from(*x),
                Kind::Int => {
                    let time = of.time.filter(|_| of.time == x.time);
                    Ok(Value { time, ..self.int_of(*x, FloatUnary::Trunc)? })
                }
                Kind::Bool => self.bool_from(*x),
                _ => invalid("arrays of strings are not compiled"),
            },
            ("round", [x]) => self.int_of(*x, FloatUnary::Nearest),
            ("round", [x, digits]) => self.round(*x, *digits),
            _ => match name.split_once('.') {
                Some(("math", function)) => self.math(function, &values)?.ok_or_else(wrong),
                Some(("np", function)) => self.numpy(function, &values)?.ok_or_else(wrong),
                _ => Err(wrong()),
            },
        }
    }

    fn float_from(&mut self, x: Value) -> Checked<Value> {
        let (kind, id) = self.number(x, "float()")?;
        let id = self.as_float(kind, id);
        Ok(self.value(Kind::Float, id))
    }

    fn bool_from(&mut self, x: Value) -> Checked<Value> {
        let id = self.truth(x)?;
        Ok(self.value(Kind::Bool, id))
    }

    fn abs(&mut self, x: Value) -> Checked<Value> {
        self.for_each_kind(&[x], &|walk, operands| walk.abs_of(operands[0]))
    }

    fn abs_of(&mut self, x: Value) -> Checked<Value> {
        let (kind, id) = self.number(x, "abs()")?;
        match kind {
            Kind::Float => {
                let id = self.unary_float(FloatUnary::Abs, id);
                return Ok(self.value(Kind::Float, id));
            }
            Kind::None => return Ok(self.nothing()),
            _ => {}
        }
        let value = self.value(kind, id);
        let id = self.converted(value, Kind::Int);
        let (zero, least) = (self.build.int(0), self.build.int(i64::MIN));
        let over = self.build.icmp(Compare::Eq, id, least);
        self.raise(over);
        let (negative, minus) = (self.build.icmp(Compare::Lt, id, zero), self.int(IntBinary::Sub, zero, id));
        let id = self.build.select(negative, minus, id);
        Ok(Value { time: x.time, ..self.value(Kind::Int, id) })
    }

    /// `max(a, b)` is `b` where `b > a`, else `a`; so with NaN the order matters, as in CPython.
    fn extreme(&mut self, largest: bool, first: Value, rest: &[Value]) -> Checked<Value> {
        let what = if largest { "max()" } else { "min()" };
        let mut best = self.there(first, what)?;
        for next in rest {
            let next = self.there(*next, what)?;
            if best.kind == Kind::None || next.kind == Kind::None {
                continue;
            }
            let better = if largest { self.less(best, next, false) } else { self.less(next, best, false) };
            best = self.join(better, next, best);
        }
        Ok(best)
    }

    pub(super) fn int_of(&mut self, x: Value, how: FloatUnary) -> Checked<Value> {
        self.for_each_kind(&[x], &|walk, operands| walk.int_of_one(operands[0], how))
    }

    fn int_of_one(&mut self, x: Value, how: FloatUnary) -> Checked<Value> {
        let (kind, id) = self.number(x, "int()")?;
        let id = match kind {
            Kind::Float => {
                let whole = self.unary_float(how, id);
                self.whole_to_int(whole)
            }
            Kind::None => self.build.int(0),
            _ => {
                let value = self.value(kind, id);
                self.converted(value, Kind::Int)
            }
        };
        Ok(self.value(Kind::Int, id))
    }

    fn round(&mut self, x: Value, digits: Value) -> Checked<Value> {
        if digits.kind == Kind::None {
            return self.int_of(x, FloatUnary::Nearest);
        }
        let digits = match self.build.ops[digits.id.index()] {
            Op::Int(digits) if digits.unsigned_abs() <= 400 => i32::try_from(digits).unwrap_or(0),
            _ => return invalid("round(x, n) needs a constant integer n from -400 to 400"),
        };
        self.for_each_kind(&[x], &|walk, operands| walk.round_of(operands[0], digits))
    }

    fn round_of(&mut self, x: Value, digits: i32) -> Checked<Value> {
        let (kind, id) = self.number(x, "round()")?;
        match kind {
            Kind::Float => {
                let rounded = self.build.push(Op::Round(id, digits));
                let (finite, infinite) = (self.is_finite(id), self.is_infinite(rounded));
                let over = self.build.and(finite, infinite);
                self.raise(over);
                Ok(self.value(Kind::Float, rounded))
            }
            Kind::None => Ok(self.nothing()),
            _ if digits >= 0 => {
                let value = self.value(kind, id);
                let id = self.converted(value, Kind::Int);
                Ok(self.value(Kind::Int, id))
            }
            _ if digits < -18 => invalid("round(x, n) of an int needs n from -18 on"),
            _ => {
                let value = self.value(kind, id);
                let id = self.converted(value, Kind::Int);
                let digits = self.build.int(i64::from(-digits));
                let over = self.build.push(Op::IntOverflows(Overflow::Round, id, digits));
                self.raise(over);
                let id = self.int(IntBinary::Round, id, digits);
                Ok(self.value(Kind::Int, id))
            }
        }
    }

    /// A float argument.
    pub(super) fn float_of(&mut self, x: Value, name: &str) -> Checked<Id> {
        let (kind, id) = self.number(x, name)?;
        Ok(if kind == Kind::None { id } else { self.as_float(kind, id) })
    }

    /// Raises what `math` raises: where the result is NaN and no argument is, or infinite and all are finite.
    fn check_math(&mut self, result: Id, arguments: &[Id]) {
        let (nan, infinite) = (self.is_nan(result), self.is_infinite(result));
        let (mut known, mut finite) = (self.yes, self.yes);
        for x in arguments {
            let is_nan = self.is_nan(*x);
            let not = self.build.not(is_nan);
            known = self.build.and(known, not);
            let is_finite = self.is_finite(*x);
            finite = self.build.and(finite, is_finite);
        }
        let invalid = self.build.and(nan, known);
        let over = self.build.and(infinite, finite);
        let raises = self.build.or(invalid, over);
        self.raise(raises);
    }

    /// The same for a function of one argument, by where it is defined if that is simpler.
    fn check_domain(&mut self, function: Math, result: Id, x: Id) {
        let raises = match function {
            Math::Atan | Math::Asinh | Math::Tanh | Math::Erf | Math::Erfc | Math::Cbrt => return,
            Math::Sin | Math::Cos | Math::Tan => self.is_infinite(x),
            Math::Log | Math::Log2 | Math::Log10 => {
                let zero = self.build.float(0.0);
                self.build.fcmp(Compare::Le, x, zero)
            }
            Math::Log1p => {
                let least = self.build.float(-1.0);
                self.build.fcmp(Compare::Le, x, least)
            }
            Math::Acosh => {
                let one = self.build.float(1.0);
                self.build.fcmp(Compare::Lt, x, one)
            }
            Math::Asin | Math::Acos | Math::Atanh => {
                let (one, size) = (self.build.float(1.0), self.unary_float(FloatUnary::Abs, x));
                self.build.fcmp(if function == Math::Atanh { Compare::Le } else { Compare::Lt }, one, size)
            }
            Math::Exp | Math::Exp2 | Math::Expm1 => {
                let end = self.build.float(f64::INFINITY);
                let (over, finite) = (self.build.fcmp(Compare::Eq, result, end), self.build.fcmp(Compare::Lt, x, end));
                self.build.and(over, finite)
            }
            Math::Sinh | Math::Cosh | Math::Gamma | Math::Lgamma => return self.check_math(result, &[x]),
        };
        self.raise(raises);
    }

    fn known_math(name: &str) -> Option<Math> {
        Math::ALL.iter().copied().find(|function| function.name() == name)
    }

    fn math(&mut self, name: &str, values: &[Value]) -> Checked<Option<Value>> {
        let full = format!("math.{name}()");
        if let ("floor" | "ceil" | "trunc", [x]) = (name, values) {
            let how = match name {
                "floor" => FloatUnary::Floor,
                "ceil" => FloatUnary::Ceil,
                _ => FloatUnary::Trunc,
            };
            return self.int_of(*x, how).map(Some);
        }
        let x = values.iter().map(|x| self.float_of(*x, &full)).collect::<Checked<Vec<_>>>()?;
        let float = |walk: &Self, id| Ok(Some(walk.value(Kind::Float, id)));
        let bool = |walk: &Self, id| Ok(Some(walk.value(Kind::Bool, id)));
        match (name, x.as_slice()) {
            ("isnan", [x]) => {
                let id = self.is_nan(*x);
                bool(self, id)
            }
            ("isinf", [x]) => {
                let id = self.is_infinite(*x);
                bool(self, id)
            }
            ("isfinite", [x]) => {
                let id = self.is_finite(*x);
                bool(self, id)
            }
            ("fabs", [x]) => {
                let id = self.unary_float(FloatUnary::Abs, *x);
                float(self, id)
            }
            ("sqrt", [x]) => {
                // Of a negative number only; of NaN it is NaN.
                let zero = self.build.float(0.0);
                let negative = self.build.fcmp(Compare::Lt, *x, zero);
                self.raise(negative);
                let id = self.unary_float(FloatUnary::Sqrt, *x);
                float(self, id)
            }
            ("degrees" | "radians", [x]) => {
                use std::f64::consts::PI;
                let factor = self.build.float(if name == "degrees" { 180.0 / PI } else { PI / 180.0 });
                let id = self.float(FloatBinary::Mul, *x, factor);
                float(self, id)
            }
            ("copysign", [x, y]) => {
                let id = self.float(FloatBinary::CopySign, *x, *y);
                float(self, id)
            }
            ("pow", [x, y]) => {
                let id = self.float_power(*x, *y);
                float(self, id)
            }
            ("atan2", [y, x]) => {
                let id = self.build.push(Op::Math2(Math2::Atan2, *y, *x));
                float(self, id)
            }
            ("hypot" | "fmod", [x, y]) => {
                let function = if name == "hypot" { Math2::Hypot } else { Math2::Fmod };
                let id = self.build.push(Op::Math2(function, *x, *y));
                self.check_math(id, &[*x, *y]);
                float(self, id)
            }
            ("log", [x, base]) => {
                let logarithms = [*x, *base].map(|x| {
                    let id = self.build.push(Op::Math(Math::Log, x));
                    self.check_domain(Math::Log, id, x);
                    id
                });
                let zero = self.build.float(0.0);
                let is_zero = self.build.fcmp(Compare::Eq, logarithms[1], zero);
                self.raise(is_zero);
                let id = self.float(FloatBinary::Div, logarithms[0], logarithms[1]);
                float(self, id)
            }
            (name, [x]) => match Self::known_math(name) {
                Some(function) => {
                    let id = self.build.push(Op::Math(function, *x));
                    self.check_domain(function, id, *x);
                    float(self, id)
                }
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn numpy(&mut self, name: &str, values: &[Value]) -> Checked<Option<Value>> {
        // Of ints these give an int.
        if !matches!(name, "square" | "sign" | "power" | "divide") {
            return self.numpy_of(name, values);
        }
        let wrong = || Invalid(format!("np.{name} with {} arguments is no function that is compiled", values.len()));
        self.for_each_kind(values, &|walk, values| walk.numpy_of(name, values)?.ok_or_else(wrong)).map(Some)
    }

    fn numpy_of(&mut self, name: &str, values: &[Value]) -> Checked<Option<Value>> {
        let full = format!("np.{name}()");
        match (name, values) {
            ("where", [condition, a, b]) => {
                let condition = self.truth(*condition)?;
                let (a, _) = self.read(*a);
                let (b, _) = self.read(*b);
                let chosen = self.join(condition, a, b);
                // An array has one type: of an int and a float it is one of floats.
                return Ok(Some(if chosen.kind == Kind::Number { self.rounded(chosen) } else { chosen }));
            }
            ("abs", [x]) => return self.abs(*x).map(Some),
            // Of floats as NumPy's own numbers are divided: nothing is raised.
            ("divide", [a, b]) => {
                let whole = [a, b].iter().all(|x| matches!(x.kind, Kind::Int | Kind::Bool | Kind::None));
                if whole {
                    return self.binary(Binary::Div, *a, *b).map(Some);
                }
                let (a, b) = (self.float_of(*a, &full)?, self.float_of(*b, &full)?);
                let id = self.build.push(Op::FloatBinary(FloatBinary::Div, a, b));
                return Ok(Some(self.value(Kind::Float, id)));
            }
            ("square", [x]) if x.kind != Kind::Float => {
                let (kind, id) = self.number(*x, &full)?;
                let value = self.value(kind, id);
                let id = self.converted(value, Kind::Int);
                let over = self.build.push(Op::IntOverflows(Overflow::Mul, id, id));
                self.raise(over);
                let id = self.int(IntBinary::Mul, id, id);
                return Ok(Some(self.value(Kind::Int, id)));
            }
            ("sign", [x]) if x.kind == Kind::Int => {
                let (_, id) = self.number(*x, &full)?;
                let [minus, zero, one] = [-1, 0, 1].map(|x| self.build.int(x));
                let (above, below) = (self.build.icmp(Compare::Lt, zero, id), self.build.icmp(Compare::Lt, id, zero));
                let other = self.build.select(below, minus, zero);
                let id = self.build.select(above, one, other);
                return Ok(Some(self.value(Kind::Int, id)));
            }
            ("maximum" | "minimum", [a, b]) => return self.numpy_extreme(name == "maximum", *a, *b, &full).map(Some),
            ("clip", [x, low, high]) => {
                let above = self.numpy_extreme(true, *x, *low, &full)?;
                return self.numpy_extreme(false, above, *high, &full).map(Some);
            }
            _ => {}
        }
        if matches!(name, "power" | "sign") && values.iter().all(|x| !matches!(x.kind, Kind::Float | Kind::None)) {
            return invalid(format!("{full} of ints is not compiled; float(x) makes a float of one"));
        }
        let x = values.iter().map(|x| self.float_of(*x, &full)).collect::<Checked<Vec<_>>>()?;
        let mut kind = Kind::Float;
        let id = match (name, x.as_slice()) {
            ("isnan" | "isinf" | "isfinite", [x]) => {
                kind = Kind::Bool;
                match name {
                    "isnan" => self.is_nan(*x),
                    "isinf" => self.is_infinite(*x),
                    _ => self.is_finite(*x),
                }
            }
            ("sqrt", [x]) => self.unary_float(FloatUnary::Sqrt, *x),
            ("floor", [x]) => self.unary_float(FloatUnary::Floor, *x),
            ("ceil", [x]) => self.unary_float(FloatUnary::Ceil, *x),
            ("trunc", [x]) => self.unary_float(FloatUnary::Trunc, *x),
            ("rint", [x]) => self.unary_float(FloatUnary::Nearest, *x),
            ("square", [x]) => self.float(FloatBinary::Mul, *x, *x),
            ("sign", [x]) => {
                let (zero, one, minus) = (self.build.float(0.0), self.build.float(1.0), self.build.float(-1.0));
                let (above, below) = (self.build.fcmp(Compare::Lt, zero, *x), self.build.fcmp(Compare::Lt, *x, zero));
                let nan = self.is_nan(*x);
                let other = self.build.select(nan, *x, zero);
                let other = self.build.select(below, minus, other);
                self.build.select(above, one, other)
            }
            ("copysign", [x, y]) => self.float(FloatBinary::CopySign, *x, *y),
            ("power", [x, y]) => match self.build.ops[y.index()] {
                Op::Float(bits) if bits == 2f64.to_bits() => self.float(FloatBinary::Mul, *x, *x),
                _ => self.build.push(Op::Math2(Math2::Pow, *x, *y)),
            },
            ("arctan2", [y, x]) => self.build.push(Op::Math2(Math2::Atan2, *y, *x)),
            ("hypot", [x, y]) => self.build.push(Op::Math2(Math2::Hypot, *x, *y)),
            ("fmod", [x, y]) => self.build.push(Op::Math2(Math2::Fmod, *x, *y)),
            ("arcsin" | "arccos" | "arctan", [x]) => {
                let function = match name {
                    "arcsin" => Math::Asin,
                    "arccos" => Math::Acos,
                    _ => Math::Atan,
                };
                self.build.push(Op::Math(function, *x))
            }
            (name, [x]) => match Self::known_math(name) {
                Some(function) => self.build.push(Op::Math(function, *x)),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(self.value(kind, id)))
    }

    /// NaN if one of them is.
    fn numpy_extreme(&mut self, largest: bool, a: Value, b: Value, what: &str) -> Checked<Value> {
        self.for_each_kind(&[a, b], &|walk, operands| walk.numpy_extreme_of(largest, operands[0], operands[1], what))
    }

    fn numpy_extreme_of(&mut self, largest: bool, a: Value, b: Value, what: &str) -> Checked<Value> {
        let (a, b) = (self.there(a, what)?, self.there(b, what)?);
        if ![a.kind, b.kind].contains(&Kind::Float) {
            let better = if largest { self.less(a, b, false) } else { self.less(b, a, false) };
            return Ok(self.join(better, b, a));
        }
        let (a, b) = (self.as_float(a.kind, a.id), self.as_float(b.kind, b.id));
        let better = if largest { self.build.fcmp(Compare::Lt, a, b) } else { self.build.fcmp(Compare::Lt, b, a) };
        let nan = self.is_nan(b);
        let second = self.build.or(better, nan);
        let a_nan = self.is_nan(a);
        let not = self.build.not(a_nan);
        let second = self.build.and(second, not);
        let id = self.build.select(second, b, a);
        Ok(self.value(Kind::Float, id))
    }
}
