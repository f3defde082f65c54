//! Kernels over a row and another row of its key.

use super::inputs::Inputs;
use super::keyed::Keyed;
use super::plan::{Binding, Plan};
use super::running::Running;
use super::window::LONGEST_CENTERED;
use super::wiring::Wiring;
use crate::drive::neighbor::Neighbor;
use crate::drive::neighbor_time::NeighborTime;
use crate::error::Result;
use crate::model::Neighbors;
use crate::spec::{Arguments, Offset};

/// Where the other row is, from the parameters `n` and `by`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Away {
    offset: Offset,
    by: Option<String>,
}

impl Away {
    /// What the parameters say.
    ///
    /// # Errors
    /// A duration without its time column, or a time column without a duration.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self> {
        let (offset, by) = (arguments.offset("n")?, arguments.optional_column("by")?);
        match (offset, &by) {
            (Offset::Duration(_), None) => Err(arguments
                .refuse("by", "required, because 'n' is a duration")
                .with_help("name the time column, or give a number of rows")),
            (Offset::Rows(_), Some(_)) => Err(arguments
                .refuse("by", "needs a duration, and 'n' is a number of rows")
                .with_help("leave it out, or give a duration such as n='5m'")),
            (Offset::Rows(n), None) if n < 0 && distance(n) > MOST_AHEAD => {
                Err(arguments.refuse("n", format!("must be at least -{MOST_AHEAD} rows, got {n}")))
            }
            _ => Ok(Self { offset, by }),
        }
    }

    /// A plan of a kernel whose parts depend on the types of its columns.
    pub(crate) fn plan(
        self,
        inputs: Inputs,
        bind: impl Fn(&Self, &Inputs, &Binding) -> Result<Box<dyn Running>> + Send + Sync + 'static,
    ) -> Plan {
        let inputs = match &self.by {
            Some(by) => inputs.sorted_by(by),
            None => inputs,
        };
        let latency = match self.offset {
            Offset::Rows(n) if n < 0 => distance(n),
            _ => 0,
        };
        Plan::new(move |binding| bind(&self, &inputs, binding)).with_latency(latency, Some("n"))
    }

    /// The kernel.
    ///
    /// # Errors
    /// A duration that does not suit the type of the time column.
    pub(crate) fn kernel<F: Neighbors>(
        &self,
        binding: &Binding,
        wiring: Wiring,
        function: F,
    ) -> Result<Box<dyn Running>> {
        Ok(match (self.offset, &self.by) {
            (Offset::Duration(duration), Some(by)) => {
                let (_, data_type) = binding.time_column(by)?;
                let apart = duration.reach(binding.kernel_name(), by, data_type, false)?.saturating_add(1);
                Keyed::boxed(NeighborTime { function, apart }, wiring)
            }
            (Offset::Rows(n), _) if n < 0 => {
                let (n, wiring) = (distance(n), Wiring { looks_ahead: true, ..wiring });
                Keyed::centered(Neighbor::<F, true> { function, n }, wiring, Some(n))
            }
            (Offset::Rows(n), _) => Keyed::boxed(Neighbor::<F, false> { function, n: distance(n) }, wiring),
            (Offset::Duration(_), None) => unreachable!("`Away::of` asks for the time column"),
        })
    }
}

/// The padding after the last row is that of the longest centered window.
const MOST_AHEAD: usize = LONGEST_CENTERED / 2;

fn distance(n: i64) -> usize {
    usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX)
}
