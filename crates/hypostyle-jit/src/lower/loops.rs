//! Loops, unrolled.

use super::{Checked, Frame, Variables, Walk};
use crate::ops::Id;
use crate::program::{Expression, Statement};

/// How often a `while` loop is unrolled; a row that needs more turns is in error.
pub const MOST_TURNS: usize = 100;

impl<'p> Walk<'p> {
    /// `break` or `continue`.
    pub(super) fn leave(&mut self, out: bool) {
        let (path, variables) = (self.path, self.variables.clone());
        if let Some(frame) = self.loops.last_mut() {
            (if out { &mut frame.breaks } else { &mut frame.continues }).push((path, variables));
        }
        self.path = self.no;
    }

    /// Goes on from these places as well.
    fn rejoin(&mut self, places: Vec<(Id, Variables)>) {
        for (when, variables) in places {
            if self.build.is_certainly(when, false) {
                continue;
            }
            if self.dead() {
                (self.path, self.variables) = (when, variables);
                continue;
            }
            let here = std::mem::take(&mut self.variables);
            self.variables = self.merged(when, variables, here);
            self.path = self.build.or(self.path, when);
        }
    }

    fn turn(&mut self, body: &'p [Statement]) -> Checked<()> {
        self.walked += 1;
        self.check_size()?;
        self.statements(body)?;
        let continues = self.loops.last_mut().map(|frame| std::mem::take(&mut frame.continues));
        self.rejoin(continues.unwrap_or_default());
        Ok(())
    }

    pub(super) fn for_loop(&mut self, name: &str, items: &'p [Expression], body: &'p [Statement]) -> Checked<()> {
        let items = items.iter().map(|item| self.expression(item)).collect::<Checked<Vec<_>>>()?;
        self.loops.push(Frame::default());
        for item in items {
            if self.dead() {
                break;
            }
            self.read(item);
            self.variables.insert(name.to_string(), item);
            self.turn(body)?;
        }
        self.finish_loop();
        Ok(())
    }

    pub(super) fn while_loop(&mut self, condition: &'p Expression, body: &'p [Statement]) -> Checked<()> {
        self.loops.push(Frame::default());
        for _ in 0..MOST_TURNS {
            let condition = self.truth_of(condition)?;
            let not = self.build.not(condition);
            let out = (self.build.and(self.path, not), self.variables.clone());
            if let Some(frame) = self.loops.last_mut() {
                frame.breaks.push(out);
            }
            self.path = self.build.and(self.path, condition);
            if self.dead() {
                break;
            }
            self.turn(body)?;
            if self.dead() {
                break;
            }
        }
        if !self.dead() {
            let condition = self.truth_of(condition)?;
            self.raise(condition);
        }
        self.finish_loop();
        Ok(())
    }

    fn finish_loop(&mut self) {
        let frame = self.loops.pop().unwrap_or_default();
        self.rejoin(frame.breaks);
    }
}
