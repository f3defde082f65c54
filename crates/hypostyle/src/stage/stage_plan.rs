//! Kernels that share their keys, validated together.

use crate::catalog::{Catalog, PlannedKernel};
use crate::error::{Error, ErrorKind, Result};
use crate::spec::{KernelSpec, Kind, Value};

/// See the module.
#[derive(Debug)]
pub(crate) struct StagePlan {
    kernels: Vec<PlannedKernel>,
    /// Their specifications, in the normal form.
    specs: Vec<KernelSpec>,
    names: Vec<String>,
}

impl StagePlan {
    /// Validates everything that does not need data.
    ///
    /// # Errors
    /// An invalid specification, no kernel, kernels with different keys, or two outputs of the same name.
    pub(crate) fn new(catalog: &Catalog, specs: &[KernelSpec]) -> Result<Self> {
        let Some(first) = specs.first() else {
            return Err(Error::new(ErrorKind::Stage, "a stage needs at least one kernel"));
        };
        let (mut kernels, mut names): (Vec<PlannedKernel>, Vec<String>) = (Vec::new(), Vec::new());
        for spec in specs {
            let kernel = catalog.plan(spec)?;
            if spec.over != first.over {
                let problem = format!(
                    "the kernels of a stage share their keys, but {} runs over {:?} and {} over {:?}",
                    first.name, first.over, spec.name, spec.over
                );
                return Err(Error::new(ErrorKind::Stage, problem).with_help("make two stages"));
            }
            let name = kernel.output_name()?;
            if names.contains(&name) {
                return Err(Error::new(ErrorKind::Stage, format!("two kernels of the stage have the output '{name}'"))
                    .in_kernel(&spec.name)
                    .with_help("set another alias"));
            }
            names.push(name);
            kernels.push(kernel);
        }
        check_keys(first)?;
        let specs = kernels.iter().map(|kernel| kernel.spec().clone()).collect();
        Ok(Self { kernels, specs, names })
    }

    pub(crate) fn kernels(&self) -> &[PlannedKernel] {
        &self.kernels
    }

    pub(crate) fn specs(&self) -> &[KernelSpec] {
        &self.specs
    }

    /// The names of the output columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn over(&self) -> &[String] {
        self.specs.first().map_or(&[], |spec| &spec.over)
    }

    /// The time column that rows must be sorted by, of the first kernel that has one.
    pub(crate) fn by(&self) -> Option<&str> {
        self.kernels.iter().find_map(|kernel| {
            let times = kernel.kernel().parameters.iter().filter(|parameter| matches!(parameter.kind, Kind::Time(_)));
            // `against` is read like any other column.
            let mut times = times.filter(|parameter| parameter.name == "by" || parameter.name == "time");
            times.find_map(|parameter| match kernel.spec().parameters.get(&*parameter.name) {
                Some(Value::Text(column)) => Some(column.as_str()),
                _ => None,
            })
        })
    }
}

/// Checks that no key column is named twice.
pub(super) fn check_keys(spec: &KernelSpec) -> Result<()> {
    for (i, key) in spec.over.iter().enumerate() {
        if spec.over[..i].contains(key) {
            return Err(Error::parameter(&spec.name, "over", format!("names the column '{key}' twice")));
        }
    }
    Ok(())
}
