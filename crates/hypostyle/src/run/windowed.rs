//! Which driver runs a windowed kernel: by its window, and by what the kernel is made of.

use std::marker::PhantomData;

use super::inputs::Inputs;
use super::keyed::Keyed;
use super::plan::{Binding, Plan};
use super::running::Running;
use super::window::{Span, TimeSpan, Window};
use super::wiring::Wiring;
use crate::drive::Driver;
use crate::drive::by_row::WithRow;
use crate::drive::expanding::Expanding;
use crate::drive::filter::Filter;
use crate::drive::lagged::{Lagged, Pairs};
use crate::drive::ordered_rows::OrderedRows;
use crate::drive::rolling_rows::RollingRows;
use crate::drive::rolling_time::{Reach, RollingTime, Sliding, Sorted, TwoStacks};
use crate::error::Result;
use crate::model::{ByRow, OrderedWindow, Statistic};
use crate::spec::Arguments;
use crate::values::{Domain, Input, Output};

/// What is put around a window's driver, so that it reads or returns something else.
pub trait Around<I: Input, O: Output> {
    /// The kernel.
    ///
    /// With a lead its windows are centered: that of a row includes `lead` later rows.
    fn boxed<D: Driver<Input = I, Output = O>>(
        self,
        driver: D,
        wiring: Wiring,
        lead: Option<usize>,
    ) -> Box<dyn Running>;
}

/// Nothing.
#[derive(Debug, Clone, Copy)]
pub struct Bare;

impl<I: Input, O: Output> Around<I, O> for Bare {
    fn boxed<D: Driver<Input = I, Output = O>>(
        self,
        driver: D,
        wiring: Wiring,
        lead: Option<usize>,
    ) -> Box<dyn Running> {
        Keyed::centered(driver, wiring, lead)
    }
}

/// A last step with the current row.
#[derive(Debug, Clone)]
pub struct Then<F>(pub F);

impl<F: ByRow> Around<F::Input, F::Inner> for Then<F> {
    fn boxed<D: Driver<Input = F::Input, Output = F::Inner>>(
        self,
        driver: D,
        wiring: Wiring,
        lead: Option<usize>,
    ) -> Box<dyn Running> {
        // The window is centered on the row that the step takes.
        Keyed::boxed(WithRow { driver, step: self.0, lead }, wiring)
    }
}

/// A column paired with itself this many rows earlier.
#[derive(Debug, Clone, Copy)]
pub struct BesideItself<T = f64>(pub usize, pub PhantomData<T>);

impl<T: Pairs, O: Output> Around<T::Pair, O> for BesideItself<T> {
    fn boxed<D: Driver<Input = T::Pair, Output = O>>(
        self,
        driver: D,
        wiring: Wiring,
        lead: Option<usize>,
    ) -> Box<dyn Running> {
        Keyed::centered(Lagged { driver, lag: self.0, values: self.1 }, wiring, lead)
    }
}

impl Plan {
    /// A statistic of the columns that these parameters name, over the window of `arguments`.
    ///
    /// # Errors
    /// A window whose parameters are out of range or conflict.
    pub fn statistic<S: Statistic>(arguments: &Arguments, parameters: &[&str], statistic: S) -> Result<Self> {
        let inputs = Inputs::of(arguments, parameters)?;
        Ok(Window::of(arguments)?.plan(move |window, binding| {
            let wiring = inputs.bind::<S::Input, S::Output>(binding)?;
            window.statistic(binding, wiring, statistic.clone(), Bare)
        }))
    }

    /// An ordered window of the columns that these parameters name.
    ///
    /// # Errors
    /// As [`Plan::statistic`].
    pub fn ordered<W: OrderedWindow>(arguments: &Arguments, parameters: &[&str], ordered: W) -> Result<Self> {
        Self::ordered_over(arguments, Inputs::of(arguments, parameters)?, ordered)
    }

    /// As [`Plan::ordered`], over these inputs.
    ///
    /// # Errors
    /// As [`Plan::statistic`].
    pub fn ordered_over<W: OrderedWindow>(arguments: &Arguments, inputs: Inputs, ordered: W) -> Result<Self> {
        Ok(Window::of(arguments)?.plan(move |window, binding| {
            let wiring = inputs.bind::<W::Input, W::Output>(binding)?;
            window.ordered(binding, wiring, ordered.clone(), Bare)
        }))
    }

    /// As [`Plan::ordered_over`], over one column; integers, booleans, dates and times are read exactly, by `integers`.
    ///
    /// # Errors
    /// As [`Plan::statistic`].
    pub fn ordered_exactly<F, G>(arguments: &Arguments, inputs: Inputs, floats: F, integers: G) -> Result<Self>
    where
        F: OrderedWindow<Input = f64>,
        G: OrderedWindow<Input = i64>,
    {
        let column = arguments.column("column")?;
        Ok(Window::of(arguments)?.plan(move |window, binding| match inputs.exact_domain(binding, &column)? {
            Domain::Integer => {
                let wiring = inputs.bind::<i64, G::Output>(binding)?;
                window.ordered(binding, wiring, integers.clone(), Bare)
            }
            _ => window.ordered(binding, inputs.bind::<f64, F::Output>(binding)?, floats.clone(), Bare),
        }))
    }

    /// A filter of the column `column` over a row-based window; `make` gets the number of rows in the window, whether it ends
    /// before the current row, and `min_samples`.
    pub(crate) fn filter(
        arguments: &Arguments,
        make: impl FnOnce(usize, bool, usize) -> Result<Filter>,
    ) -> Result<Self> {
        let (inputs, window) = (Inputs::of(arguments, &["column"])?, Window::of(arguments)?);
        let (held, lagged) = match window.span {
            Span::Rows { held, lagged, .. } => (held, lagged),
            _ => return Err(arguments.refuse("window", "must be a number of rows, the same for all windows")),
        };
        if held == 0 {
            return Err(arguments
                .refuse("window", "holds no rows with closed='neither'")
                .with_help("use at least 2 rows, or another `closed`"));
        }
        let filter = make(held, lagged, window.min_samples)?;
        Ok(window.plan(move |window, binding| window.rows(filter.clone(), inputs.bind::<f64, f64>(binding)?, Bare)))
    }
}

impl Window {
    /// A plan of a kernel over this window, for kernels whose parts depend on the types of their columns.
    pub fn plan(self, bind: impl Fn(&Self, &Binding) -> Result<Box<dyn Running>> + Send + Sync + 'static) -> Plan {
        let latency = self.latency();
        Plan::new(move |binding| bind(&self, binding)).with_latency(latency, Some("center"))
    }

    /// A statistic over this window.
    ///
    /// # Errors
    /// A time column that is missing or has a type that does not suit the window.
    pub fn statistic<S: Statistic>(
        &self,
        binding: &Binding,
        wiring: Wiring,
        statistic: S,
        around: impl Around<S::Input, S::Output>,
    ) -> Result<Box<dyn Running>> {
        let min_samples = self.min_samples;
        match (&self.span, self.time_span(binding)?) {
            (_, Some(span)) => Ok(self.time(TwoStacks(statistic), span, binding, wiring, around)),
            (Span::Rows { held, lagged, .. }, _) => {
                self.rows(RollingRows { statistic, rows: *held, lagged: *lagged, min_samples }, wiring, around)
            }
            _ => Ok(around.boxed(Expanding { statistic, min_samples }, wiring, None)),
        }
    }

    /// An ordered window over this window's rows.
    ///
    /// # Errors
    /// As [`Window::statistic`].
    pub fn ordered<W: OrderedWindow>(
        &self,
        binding: &Binding,
        wiring: Wiring,
        ordered: W,
        around: impl Around<W::Input, W::Output>,
    ) -> Result<Box<dyn Running>> {
        let min_samples = self.min_samples;
        match (&self.span, self.time_span(binding)?) {
            (_, Some(span)) => Ok(self.time(Sorted(ordered), span, binding, wiring, around)),
            (Span::Rows { held, lagged, .. }, _) => {
                self.rows(OrderedRows { window: ordered, rows: *held, lagged: *lagged, min_samples }, wiring, around)
            }
            _ => {
                let driver = OrderedRows { window: ordered, rows: usize::MAX, lagged: false, min_samples };
                Ok(around.boxed(driver, wiring, None))
            }
        }
    }

    fn rows<D: Driver>(
        &self,
        driver: D,
        wiring: Wiring,
        around: impl Around<D::Input, D::Output>,
    ) -> Result<Box<dyn Running>> {
        let lead = match self.span {
            Span::Rows { lead, .. } => lead,
            _ => None,
        };
        let wiring = Wiring { step: self.step, looks_ahead: lead.is_some(), ..wiring };
        Ok(around.boxed(driver, wiring, lead))
    }

    fn time<K: Sliding>(
        &self,
        summary: K,
        span: TimeSpan,
        binding: &Binding,
        wiring: Wiring,
        around: impl Around<K::Input, K::Output>,
    ) -> Box<dyn Running> {
        let TimeSpan { reach, time, bounds, includes_current } = span;
        // In memory the start of a window that a column sets may decrease.
        let (min_samples, keeps_all) = (self.min_samples, binding.is_whole() && reach == Reach::Told);
        let driver = RollingTime { summary, reach, includes_current, min_samples, keeps_all };
        around.boxed(driver, Wiring { time, bounds, step: self.step, ..wiring }, None)
    }
}
