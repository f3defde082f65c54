//! What is held, what it cost, and the profit that was realized, from trades.

use std::collections::VecDeque;
use std::fmt::Display;

use crate::error::Result;
use crate::kernels::fields::of_fields;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{Persist, StateReader, StateWriter, field};

/// Which lots are closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Fifo,
    Lifo,
    /// All lots are one, at their average price.
    Average,
}

/// See the module.
#[derive(Debug, Clone)]
struct Inventory {
    method: Method,
}

/// The position after some trades.
#[derive(Debug, Clone, Default)]
struct Position {
    /// Quantity and price of each lot that is held, from the oldest; all quantities have one sign.
    lots: VecDeque<[f64; 2]>,
    quantity: f64,
    cost: f64,
    realized: f64,
    /// Whether there was a trade.
    seen: bool,
}

impl Position {
    fn answer(&self) -> Option<[f64; 3]> {
        self.seen.then(|| [field(self.quantity), field(self.cost), field(self.realized)])
    }

    /// Adds what cannot be closed.
    fn open(&mut self, quantity: f64, price: f64, method: Method) {
        self.quantity += quantity;
        self.cost += quantity * price;
        match self.lots.back_mut() {
            Some(lot) if method == Method::Average => *lot = [self.quantity, self.cost / self.quantity],
            _ => self.lots.push_back([quantity, price]),
        }
    }

    /// Closes up to `quantity`, whose sign is opposite to that of the lots, and returns what is left of it.
    fn close(&mut self, mut quantity: f64, price: f64, method: Method) -> f64 {
        while quantity != 0.0 {
            let next = if method == Method::Lifo { self.lots.back_mut() } else { self.lots.front_mut() };
            let Some([held, paid]) = next else { break };
            let (whole, paid) = (held.abs() <= quantity.abs(), *paid);
            let closed = if whole { *held } else { -quantity };
            quantity += closed;
            self.quantity -= closed;
            self.cost -= closed * paid;
            self.realized += closed * (price - paid);
            if !whole {
                *held -= closed;
                return 0.0;
            }
            if method == Method::Lifo {
                self.lots.pop_back()
            } else {
                self.lots.pop_front()
            };
        }
        if self.lots.is_empty() {
            // Nothing is held, whatever was rounded.
            (self.quantity, self.cost) = (0.0, 0.0);
        }
        quantity
    }
}

impl Recurrence for Inventory {
    /// Quantity and price.
    type Input = [f64; 2];
    type Output = [f64; 3];
    type State = Position;

    fn start(&self) -> Position {
        Position::default()
    }

    fn step(&self, position: &mut Position, [quantity, price]: [f64; 2]) -> Option<[f64; 3]> {
        position.seen = true;
        if !quantity.is_finite() || position.quantity.is_nan() {
            position.lots.clear();
            (position.quantity, position.cost, position.realized) = (f64::NAN, f64::NAN, f64::NAN);
            return position.answer();
        }
        let opposite = position.lots.front().is_some_and(|[held, _]| (*held > 0.0) != (quantity > 0.0));
        let left = if opposite { position.close(quantity, price, self.method) } else { quantity };
        if left != 0.0 {
            position.open(left, price, self.method);
        }
        position.answer()
    }

    fn skip(&self, position: &mut Position) -> Option<[f64; 3]> {
        position.answer()
    }
}

impl Persist for Position {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        to.rows(format_args!("{name}.lots"), self.lots.iter().map(|lot| Some(*lot)));
        to.float(format_args!("{name}.quantity"), self.quantity);
        to.float(format_args!("{name}.cost"), self.cost);
        to.float(format_args!("{name}.realized"), self.realized);
        to.flag(format_args!("{name}.seen"), self.seen);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        Ok(Self {
            lots: from.rows(format_args!("{name}.lots"))?.into_iter().flatten().collect(),
            quantity: from.float(format_args!("{name}.quantity"))?,
            cost: from.float(format_args!("{name}.cost"))?,
            realized: from.float(format_args!("{name}.realized"))?,
            seen: from.flag(format_args!("{name}.seen"))?,
        })
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let inputs = Inputs::of(arguments, &["quantity", "price"])?;
    let methods = [("fifo", Method::Fifo), ("lifo", Method::Lifo), ("average", Method::Average)];
    let method = arguments.choice("method", &methods)?;
    Ok(Plan::new(move |binding| {
        let number = inputs.computed_type(binding)?;
        let fields = ["quantity", "cost", "realized"].map(|name| (name, number.clone()));
        Plan::recurrence(inputs.clone().returning(of_fields(fields)), Inventory { method }).bind(binding)
    }))
}

pub(crate) const INVENTORY: Entry = Entry {
    names: &["inventory"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Position, its cost and the realized profit so far, from trades: first in first out, last in first out, or average cost.",
    formula: "a trade in the direction of the position adds quantity * price to the cost; one against it takes lots from the front, \
              the back or their average, and adds closed * (price - price of the lot) to the profit",
    notes: "A struct of `quantity`, `cost` and `realized`. Buys have a positive quantity, sales a negative one. A sale of more than is \
            held opens a short position with the rest: its quantity and cost are negative, and it is closed by buys in the same way. \
            `cost` is that of what is held: divided by `quantity` it is the average price. A row with a null in any input returns the \
            last result, and null before the first trade. A quantity of 0 changes nothing. A quantity that is NaN or infinite makes \
            everything NaN from there; a NaN price stays in `cost` until nothing is held, and in `realized`. With nothing held both \
            `quantity` and `cost` are exactly 0. Running sums otherwise, one rounding per lot. The state has a row per lot that is \
            held.",
    source: "The inventory methods of accounting (IAS 2, without LIFO there); portfolio accounting of brokers.",
    parameters: &[
        Parameter::required(
            "quantity",
            Kind::Column,
            "The column of traded quantities: positive for buys, negative for sales.",
        ),
        Parameter::required("price", Kind::Column, "The column of prices."),
        Parameter::usual(
            "method",
            Kind::Choice(&["fifo", "lifo", "average"]),
            Literal::Text("fifo"),
            "Which lots a trade against the position closes: the oldest ('fifo'), the newest ('lifo'), or all at their average price.",
        ),
    ],
    example: &[("quantity", Literal::Text("x")), ("price", Literal::Text("z"))],
    plan,
    #[cfg(test)]
    reference: reference::inventory,
};

/// The lots in a list; for the average, quantity and cost alone.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{EPS, Slow, Table, choice, exact, pairs};

    pub fn inventory(spec: &KernelSpec, table: &Table, name: Option<&str>) -> Vec<Slow> {
        let method = choice(spec, "method", "fifo");
        let (mut lots, mut realized, mut broken): (Vec<(f64, f64)>, f64, bool) = (Vec::new(), 0.0, false);
        let (mut last, mut scale, mut trades) = (None, 0.0f64, 0.0);
        let row = |trade: Option<(f64, f64)>| {
            let Some((quantity, price)) = trade else { return last.unwrap_or(exact(None)) };
            broken |= !quantity.is_finite();
            let mut left = if broken { 0.0 } else { quantity };
            trades += 1.0;
            scale += quantity.abs() + (quantity * price).abs();
            while left != 0.0 && lots.first().is_some_and(|(held, _)| (*held > 0.0) != (left > 0.0)) {
                let place = if method == "lifo" { lots.len() - 1 } else { 0 };
                let (held, paid) = lots[place];
                let closed = if held.abs() <= left.abs() { held } else { -left };
                realized += closed * (price - paid);
                scale += (closed * price).abs() + (closed * paid).abs();
                left += closed;
                lots[place].0 -= closed;
                lots.retain(|(held, _)| *held != 0.0);
            }
            if left != 0.0 {
                lots.push((left, price));
            }
            if method == "average" && lots.len() > 1 {
                let quantity: f64 = lots.iter().map(|(held, _)| held).sum();
                let cost: f64 = lots.iter().map(|(held, price)| held * price).sum();
                lots = vec![(quantity, cost / quantity)];
            }
            let quantity: f64 = lots.iter().map(|(held, _)| held).sum();
            let cost: f64 = lots.iter().map(|(held, price)| held * price).sum();
            let answer = match name {
                _ if broken => f64::NAN,
                Some("quantity") => quantity,
                Some("cost") => cost,
                _ => realized,
            };
            let error = if broken { 0.0 } else { 8.0 * trades * EPS * scale };
            let slow = Slow { answer: Some(answer), error: if error.is_nan() { f64::INFINITY } else { error } };
            last = Some(slow);
            slow
        };
        pairs(spec, table, "quantity", "price").into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    const TRADES: [(&str, &[f64]); 2] =
        [("q", &[NULL, 10.0, 10.0, -15.0, 0.0, -10.0, 5.0]), ("p", &[1.0, 1.0, 2.0, 3.0, 9.0, 4.0, 2.0])];

    fn spec(method: &str) -> KernelSpec {
        KernelSpec::new("inventory").with("quantity", "q").with("price", "p").with("method", method)
    }

    #[test]
    fn worked_values() {
        let quantity = [NULL, 10.0, 20.0, 5.0, 5.0, -5.0, 0.0];
        for (method, cost, realized) in [
            ("fifo", [NULL, 10.0, 30.0, 10.0, 10.0, -20.0, 0.0], [NULL, 0.0, 0.0, 25.0, 25.0, 35.0, 45.0]),
            ("lifo", [NULL, 10.0, 30.0, 5.0, 5.0, -20.0, 0.0], [NULL, 0.0, 0.0, 20.0, 20.0, 35.0, 45.0]),
            ("average", [NULL, 10.0, 30.0, 7.5, 7.5, -20.0, 0.0], [NULL, 0.0, 0.0, 22.5, 22.5, 35.0, 45.0]),
        ] {
            check(spec(method), &TRADES, "quantity", &quantity);
            check(spec(method), &TRADES, "cost", &cost);
            check(spec(method), &TRADES, "realized", &realized);
        }
    }

    #[test]
    fn nothing_held_is_exactly_nothing() {
        let trades: [(&str, &[f64]); 2] = [("q", &[0.1, 0.2, -0.1, -0.2]), ("p", &[0.3, 0.7, 1.1, 0.9])];
        for method in ["fifo", "lifo"] {
            check(spec(method), &trades, "quantity", &[0.1, 0.1 + 0.2, 0.1 + 0.2 - 0.1, 0.0]);
        }
    }

    #[test]
    fn values_that_are_no_numbers() {
        let trades: [(&str, &[f64]); 2] =
            [("q", &[1.0, 1.0, -2.0, f64::NAN, 1.0]), ("p", &[1.0, f64::NAN, 2.0, 1.0, 1.0])];
        let nan = f64::NAN;
        check(spec("fifo"), &trades, "quantity", &[1.0, 2.0, 0.0, nan, nan]);
        check(spec("fifo"), &trades, "cost", &[1.0, nan, 0.0, nan, nan]);
        check(spec("fifo"), &trades, "realized", &[0.0, 0.0, nan, nan, nan]);
    }

    #[test]
    fn what_is_refused() {
        refused(spec("hifo"), "unknown value \"hifo\"");
    }
}
