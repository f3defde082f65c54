"""The functions of Python that Rust has not: those that a crate uses are written to its `src/python.rs`."""

from __future__ import annotations

import re

HEAD = """//! What Python means, where Rust means something else; `None` where Python raises.
"""

_CHECKED = """/// A result of `math`: it raises where a number gives NaN, or finite numbers an infinity.
fn checked(result: f64, arguments: &[f64]) -> Option<f64> {
    let invalid = result.is_nan() && !arguments.iter().any(|x| x.is_nan());
    let over = result.is_infinite() && arguments.iter().all(|x| x.is_finite());
    if invalid || over { None } else { Some(result) }
}
"""

_PIECES: dict[str, str] = {
    "exact": """/// An int where other paths have a float: the float that equals it.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub fn exact(n: i64) -> Option<f64> {
    let float = n as f64;
    if float as i128 == i128::from(n) { Some(float) } else { None }
}
""",
    "order": """/// How an int compares with a float: exactly, not after rounding the int.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub fn order(n: i64, x: f64) -> Option<Ordering> {
    match (n as f64).partial_cmp(&x) {
        Some(Ordering::Equal) => Some(i128::from(n).cmp(&(x as i128))),
        other => other,
    }
}
""",
    "div": """/// `x / y`.
pub fn div(x: f64, y: f64) -> Option<f64> {
    if y == 0.0 { None } else { Some(x / y) }
}
""",
    "div_ints": """/// `a / b` of ints: the float nearest to the exact quotient.
#[allow(clippy::cast_precision_loss)]
pub fn div_ints(a: i64, b: i64) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    if b == 0 {
        return None;
    }
    let (x, y) = (a.unsigned_abs(), b.unsigned_abs());
    if x <= EXACT && y <= EXACT {
        return Some(a as f64 / b as f64);
    }
    // At least 62 bits of the quotient, and one that says whether there are more: so the conversion rounds once.
    let sign = if (a < 0) == (b < 0) { 1.0 } else { -1.0 };
    let shift = (63 + y.ilog2()).saturating_sub(x.max(1).ilog2());
    let (wide, y) = (u128::from(x) << shift, u128::from(y));
    let quotient = (wide / y) << 1 | u128::from(wide % y != 0);
    Some(sign * (quotient as f64 * 2f64.powi(-1 - shift.cast_signed())))
}
""",
    "floor_div": """/// `x // y`: the quotient of `x - x % y` and `y`.
pub fn floor_div(x: f64, y: f64) -> Option<f64> {
    if y == 0.0 {
        return None;
    }
    let remainder = x % y;
    let mut quotient = (x - remainder) / y;
    if remainder != 0.0 && (y < 0.0) != (remainder < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return Some(0.0_f64.copysign(x / y));
    }
    let floor = quotient.floor();
    Some(if quotient - floor > 0.5 { floor + 1.0 } else { floor })
}
""",
    "modulo": """/// `x % y`: with the sign of `y`.
pub fn modulo(x: f64, y: f64) -> Option<f64> {
    if y == 0.0 {
        return None;
    }
    let remainder = x % y;
    Some(if remainder == 0.0 {
        0.0_f64.copysign(y)
    } else if (y < 0.0) != (remainder < 0.0) {
        remainder + y
    } else {
        remainder
    })
}
""",
    "floor_div_ints": """/// `a // b` of ints: rounded down.
pub fn floor_div_ints(a: i64, b: i64) -> Option<i64> {
    let (quotient, remainder) = (a.checked_div(b)?, a.checked_rem(b)?);
    Some(if remainder != 0 && (remainder < 0) != (b < 0) { quotient - 1 } else { quotient })
}
""",
    "modulo_ints": """/// `a % b` of ints: with the sign of `b`.
pub fn modulo_ints(a: i64, b: i64) -> Option<i64> {
    if b == 0 {
        return None;
    }
    let remainder = a.wrapping_rem(b);
    Some(if remainder != 0 && (remainder < 0) != (b < 0) { remainder + b } else { remainder })
}
""",
    "shift_left": """/// `a << b`.
pub fn shift_left(a: i64, b: i64) -> Option<i64> {
    if a == 0 && b >= 0 {
        return Some(0);
    }
    let amount = u32::try_from(b).ok()?;
    let shifted = a.checked_shl(amount)?;
    if shifted >> amount == a { Some(shifted) } else { None }
}
""",
    "shift_right": """/// `a >> b`.
pub fn shift_right(a: i64, b: i64) -> Option<i64> {
    if b < 0 { None } else { Some(a >> b.min(63)) }
}
""",
    "pow_ints": """/// `a ** b` of ints, with `b` not negative.
pub fn pow_ints(a: i64, b: i64) -> Option<i64> {
    match (a, u32::try_from(b)) {
        (_, Ok(b)) => a.checked_pow(b),
        (0 | 1, Err(_)) => Some(a),
        (-1, Err(_)) => Some(if b % 2 == 0 { 1 } else { -1 }),
        _ => None,
    }
}
""",
    "pow": """/// `x ** y`.
pub fn pow(x: f64, y: f64) -> Option<f64> {
    if (x == 0.0 && y < 0.0) || (x < 0.0 && x.is_finite() && y.is_finite() && y.floor() != y) {
        return None;
    }
    let power = if y == 2.0 { x * x } else { x.powf(y) };
    if power.is_infinite() && x.is_finite() && y.is_finite() { None } else { Some(power) }
}
""",
    "max": """/// `max(a, b)`: the first, unless the second is greater; so NaN depends on the order.
pub fn max(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}
""",
    "min": """/// `min(a, b)`: the first, unless the second is less; so NaN depends on the order.
pub fn min(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}
""",
    "maximum": """/// `np.maximum(a, b)`: NaN if one of them is.
pub fn maximum(a: f64, b: f64) -> f64 {
    if !a.is_nan() && (a < b || b.is_nan()) { b } else { a }
}
""",
    "minimum": """/// `np.minimum(a, b)`: NaN if one of them is.
pub fn minimum(a: f64, b: f64) -> f64 {
    if !a.is_nan() && (b < a || b.is_nan()) { b } else { a }
}
""",
    "sign": """/// `np.sign(x)`.
pub fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else if x.is_nan() {
        x
    } else {
        0.0
    }
}
""",
    "whole": """/// A float without fraction as an int; NaN, infinities and what has more than 64 bits have none.
#[allow(clippy::cast_possible_truncation)]
fn whole(x: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    if (-END..END).contains(&x) { Some(x as i64) } else { None }
}
""",
    "int": """/// `int(x)`.
pub fn int(x: f64) -> Option<i64> {
    whole(x.trunc())
}
""",
    "floor": """/// `math.floor(x)`.
pub fn floor(x: f64) -> Option<i64> {
    whole(x.floor())
}
""",
    "ceil": """/// `math.ceil(x)`.
pub fn ceil(x: f64) -> Option<i64> {
    whole(x.ceil())
}
""",
    "round": """/// `round(x)`: halves to even.
pub fn round(x: f64) -> Option<i64> {
    whole(x.round_ties_even())
}
""",
    "round_to": """/// `round(x, digits)`: the decimal number nearest to the exact value of `x`, halves to even.
pub fn round_to(x: f64, digits: i32) -> Option<f64> {
    if !x.is_finite() || digits > 323 {
        return Some(x);
    }
    if digits < -308 {
        return Some(0.0 * x);
    }
    let size = x.abs();
    let text = match usize::try_from(digits) {
        Ok(digits) => format!("{size:.digits$}"),
        Err(_) => round_to_tens(size, digits.unsigned_abs() as usize),
    };
    let rounded = text.parse::<f64>().ok()?;
    if rounded.is_infinite() { None } else { Some(rounded.copysign(x)) }
}

/// The digits of a number without its last ones, which are rounded by hand: no format does it.
fn round_to_tens(size: f64, dropped: usize) -> String {
    let exact = format!("{size:.1100}");
    let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
    if dropped > whole.len() {
        return "0".to_string();
    }
    let (kept, rest) = whole.split_at(whole.len() - dropped);
    let is_zero = |text: &str| text.bytes().all(|digit| digit == b'0');
    let (first, others) = (rest.as_bytes()[0], &rest[1..]);
    let tie = first == b'5' && is_zero(others) && is_zero(fraction);
    let odd = kept.bytes().last().is_some_and(|digit| (digit - b'0') % 2 == 1);
    let mut digits: Vec<u8> = format!("0{kept}").into_bytes();
    if if tie { odd } else { first >= b'5' } {
        for digit in digits.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                break;
            }
        }
    }
    let digits: String = digits.into_iter().map(char::from).collect();
    format!("{digits}e{dropped}")
}
""",
    "round_int": """/// `round(n, -digits)` of an int: to tens, hundreds and so on, halves to even.
pub fn round_int(n: i64, digits: u32) -> Option<i64> {
    let Some(power) = 10_i128.checked_pow(digits) else { return Some(0) };
    let (n, half) = (i128::from(n), power / 2);
    let (floor, rest) = (n.div_euclid(power), n.rem_euclid(power));
    let up = rest > half || (rest == half && floor % 2 != 0);
    i64::try_from((floor + i128::from(up)) * power).ok()
}
""",
    "sqrt": """/// `math.sqrt(x)`.
pub fn sqrt(x: f64) -> Option<f64> {
    if x < 0.0 { None } else { Some(x.sqrt()) }
}
""",
    "fmod": """/// `math.fmod(x, y)`: with the sign of `x`.
pub fn fmod(x: f64, y: f64) -> Option<f64> {
    checked(x % y, &[x, y])
}
""",
    "hypot": """/// `math.hypot(x, y)`.
pub fn hypot(x: f64, y: f64) -> Option<f64> {
    checked(x.hypot(y), &[x, y])
}
""",
    "log_base": """/// `math.log(x, base)`.
pub fn log_base(x: f64, base: f64) -> Option<f64> {
    div(checked(x.ln(), &[x])?, checked(base.ln(), &[base])?)
}
""",
}

# Functions of `math`, as methods of `f64`.
METHODS = {
    "exp": "exp", "exp2": "exp2", "expm1": "exp_m1", "log": "ln", "log2": "log2", "log10": "log10", "log1p": "ln_1p",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "sinh": "sinh",
    "cosh": "cosh", "tanh": "tanh", "cbrt": "cbrt",
}  # fmt: skip
# Those that Rust computes otherwise than C, or not at all: the C library's own, as CPython calls them.
FROM_C = ("erf", "erfc", "asinh", "acosh", "atanh")

for _name, _method in METHODS.items():
    _PIECES[_name] = f"""/// `math.{_name}(x)`.
pub fn {_name}(x: f64) -> Option<f64> {{
    checked(x.{_method}(), &[x])
}}
"""
for _name in FROM_C:
    _PIECES[_name] = f"""/// `math.{_name}(x)`.
pub fn {_name}(x: f64) -> Option<f64> {{
    checked(c::{_name}(x), &[x])
}}
"""
_PIECES["checked"] = _CHECKED

INEXACT = {*METHODS, *FROM_C, "pow", "hypot", "log_base", "atan2"}
"""Functions whose last bits are the C library's."""


def python_rs(used: set[str]) -> str:
    """Return the file with the functions that are used, and those that they use."""
    needed: set[str] = set()
    found = {name for name in used if name in _PIECES}
    while found - needed:
        needed |= found
        found = {
            name for piece in needed for name in _PIECES if re.search(rf"(?<![.:\w]){name}\(", _body(_PIECES[piece]))
        }
    text = HEAD
    if needed & INEXACT:
        text += "//!\n//! The last bits of `exp`, `powf` and the like are the system's C library's, as CPython's are.\n"
    if "order" in needed:
        text += "\nuse std::cmp::Ordering;\n"
    external = [name for name in FROM_C if name in needed]
    if external:
        lines = "".join(f"        pub safe fn {name}(x: f64) -> f64;\n" for name in external)
        text += f'\nmod c {{\n    unsafe extern "C" {{\n{lines}    }}\n}}\n'
    for name, piece in _PIECES.items():
        if name in needed:
            text += f"\n{piece}"
    return text


def _body(piece: str) -> str:
    return "\n".join(line for line in piece.splitlines() if not line.lstrip().startswith(("//", "pub fn", "fn")))
