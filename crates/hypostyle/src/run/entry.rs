//! The entries of the catalog, constants beside each kernel, and the kernels that they define, one per public name.  A rolling
//! kernel and its expanding twin are one entry.

use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::parameters::{CENTER, FROM_ONE, ROLLING, WINDOW};
use super::plan::Plan;
use crate::error::{Error, Result, listed};
#[cfg(test)]
use crate::reference::Reference;
use crate::spec::{Arguments, Family, Kind, Literal, Parameter, Value};

/// Which parameters the names of an entry have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Two names, of a rolling and an expanding kernel; each gets the parameters of its window.
    Windowed,
    /// As [`Shape::Windowed`], for results that depend on where the current row is in its window: it cannot be centered.
    Trailing,
    /// One name, with the parameters of the entry only.
    Single(Family),
}

/// Arguments for a worked example, over the columns of the documentation's frame: `t` (times), `x` and `z` (numbers).
pub type Example = &'static [(&'static str, Literal)];

/// An entry of the catalog: names, parameters and documentation of its kernels, and how their parameters become a plan.
///
/// In the texts `{a|b}` is `a` for the first name and `b` for the second.
#[derive(Clone)]
pub struct Entry {
    /// The public names, the same in every interface: one, or `["rolling_...", "expanding_..."]`.
    pub names: &'static [&'static str],
    /// Which parameters the names have.
    pub shape: Shape,
    /// One sentence.
    pub summary: &'static str,
    /// The definition as a formula.
    pub formula: &'static str,
    /// Nulls, short windows, accuracy.
    pub notes: &'static str,
    /// Where the definition or the algorithm comes from.
    pub source: &'static str,
    /// The parameters, without those of the window if the shape has one.
    pub parameters: &'static [Parameter],
    /// A worked example; the expanding name omits parameters that it does not have.
    pub example: Example,
    /// Validates the parameters, without data.
    pub plan: fn(&Arguments) -> Result<Plan>,
    /// The kernel once more, by its definition, for the laws.
    #[cfg(test)]
    pub reference: Reference,
}

impl Entry {
    /// The kernels of the entry, one per name.
    ///
    /// # Errors
    /// If its names do not suit its shape.
    pub fn kernels(&self) -> Result<Vec<Kernel>> {
        let families = match self.shape {
            Shape::Windowed | Shape::Trailing => vec![Family::Rolling, Family::Expanding],
            Shape::Single(family) => vec![family],
        };
        if families.len() != self.names.len() {
            let (wanted, names) = (families.len(), listed(self.names));
            return Err(Error::internal(format!("an entry of {wanted} names has the names {names}")));
        }
        Ok(self
            .names
            .iter()
            .zip(families)
            .enumerate()
            .map(|(which, (name, family))| self.kernel(name, family, which))
            .collect())
    }

    fn kernel(&self, name: &str, family: Family, which: usize) -> Kernel {
        let parameters = match self.shape {
            Shape::Single(_) => self.parameters.to_vec(),
            Shape::Windowed | Shape::Trailing => self.with_window(family),
        };
        let example = self.example.iter().filter_map(|(name, value)| Some(((*name).to_string(), value.value()?)));
        let example = example.filter(|(name, _)| parameters.iter().any(|parameter| parameter.name == *name)).collect();
        Kernel {
            name: name.to_string(),
            family,
            summary: chosen(self.summary, which),
            formula: chosen(self.formula, which),
            notes: chosen(self.notes, which),
            source: chosen(self.source, which),
            parameters,
            example,
            plan: Arc::new(self.plan),
            #[cfg(test)]
            reference: Some(self.reference),
        }
    }

    /// Required parameters first, then the window, then optional ones; an entry's own parameter replaces a shared one.
    fn with_window(&self, family: Family) -> Vec<Parameter> {
        let is_required = |parameter: &&Parameter| matches!(parameter.default, Literal::Required);
        let (mut parameters, optional): (Vec<&Parameter>, Vec<&Parameter>) =
            self.parameters.iter().partition(is_required);
        let (window, shared) = match family {
            Family::Rolling => (Some(&WINDOW), &ROLLING[..]),
            _ => (None, &[FROM_ONE][..]),
        };
        parameters.extend(window);
        parameters.extend(optional);
        let own = parameters.len();
        for parameter in shared {
            let replaced = parameters[..own].iter().any(|own| own.name == parameter.name);
            let refused = self.shape == Shape::Trailing && parameter.name == CENTER.name;
            if !replaced && !refused {
                parameters.push(parameter);
            }
        }
        parameters.into_iter().cloned().collect()
    }
}

/// The text for the first or the second name: `{a|b}` is `a` or `b`.
fn chosen(text: &str, which: usize) -> String {
    let mut parts = text.split(['{', '}']);
    let mut chosen = parts.next().unwrap_or_default().to_string();
    while let (Some(alternatives), rest) = (parts.next(), parts.next()) {
        chosen.push_str(alternatives.split('|').nth(which).unwrap_or(alternatives));
        chosen.push_str(rest.unwrap_or_default());
    }
    chosen
}

type Planner = dyn Fn(&Arguments) -> Result<Plan> + Send + Sync;

/// A kernel of the catalog: its name, parameters and documentation, and how it is planned.
#[derive(Clone, Serialize)]
pub struct Kernel {
    /// The name, the same in every interface.
    pub name: String,
    /// What kind of kernel it is.
    pub family: Family,
    /// One sentence.
    pub summary: String,
    /// The definition as a formula.
    pub formula: String,
    /// Nulls, short windows, accuracy.
    pub notes: String,
    /// Where the definition or the algorithm comes from.
    pub source: String,
    /// The parameters, in the order of the Python signature.
    pub parameters: Vec<Parameter>,
    /// Arguments for the worked example of the documentation, over the columns of its frame.
    #[serde(serialize_with = "as_map")]
    pub example: Vec<(String, Value)>,
    #[serde(skip)]
    plan: Arc<Planner>,
    #[cfg(test)]
    #[serde(skip)]
    pub(crate) reference: Option<Reference>,
}

impl Kernel {
    /// A kernel that is made at run time; its texts and example are empty until they are set.
    pub fn new(
        name: impl Into<String>,
        family: Family,
        parameters: Vec<Parameter>,
        plan: impl Fn(&Arguments) -> Result<Plan> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            family,
            summary: String::new(),
            formula: String::new(),
            notes: String::new(),
            source: String::new(),
            parameters,
            example: Vec::new(),
            plan: Arc::new(plan),
            #[cfg(test)]
            reference: None,
        }
    }

    /// Whether the kernel has this parameter.
    pub fn accepts(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|known| known.name == parameter)
    }

    /// Validates the parameters.
    pub(crate) fn plan(&self, arguments: &Arguments) -> Result<Plan> {
        (self.plan)(arguments)
    }

    /// The kernel's documentation as Markdown.
    pub fn documentation(&self) -> String {
        let mut text = format!("# {}\n\n{}\n\n    {}\n\n", self.name, self.summary, self.formula);
        text.push_str("Parameters:\n");
        for parameter in &self.parameters {
            let default = match (parameter.default, parameter.default.value()) {
                (Literal::Required, _) => "required".to_string(),
                (_, Some(value)) => format!("default {value}"),
                (_, None) => "optional".to_string(),
            };
            let expected = match parameter.kind {
                Kind::Choice(known) => listed(known),
                Kind::Words(known) => format!("some of {}", listed(known)),
                _ => parameter.kind.expected().to_string(),
            };
            text.push_str(&format!("- {}: {expected} ({default}). {}\n", parameter.name, parameter.doc));
        }
        text.push_str(&format!("\n{}\n\nSource: {}\n", self.notes, self.source));
        text
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").field("name", &self.name).field("family", &self.family).finish_non_exhaustive()
    }
}

fn as_map<S: Serializer>(example: &[(String, Value)], serializer: S) -> std::result::Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(example.len()))?;
    for (name, value) in example {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_choose_between_the_names() {
        assert_eq!(chosen("Sum {in a moving window|so far}.", 0), "Sum in a moving window.");
        assert_eq!(chosen("Sum {in a moving window|so far}.", 1), "Sum so far.");
        assert_eq!(chosen("{a|b}{c|d}", 1), "bd");
        assert_eq!(chosen("plain |x|", 1), "plain |x|");
    }
}
