//! `hypostyle kernels`: the catalog, by family, and one kernel's documentation.

use hypostyle::{Catalog, Family, Kernel};

use super::output::{DONE, USAGE, print, report};

pub(super) fn show(catalog: &Catalog, name: Option<&str>) -> i32 {
    match name.map(|name| catalog.kernel(name)) {
        None => print(&list(catalog)),
        Some(Ok(kernel)) => print(&kernel.documentation()),
        Some(Err(error)) => return report(&error, USAGE),
    }
    DONE
}

fn list(catalog: &Catalog) -> String {
    // Custom kernels come last in a catalog, whatever their family.
    let mut kernels: Vec<&Kernel> = catalog.kernels().iter().map(AsRef::as_ref).collect();
    kernels.sort_by_key(|kernel| kernel.family);
    let width = kernels.iter().map(|kernel| kernel.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut family = None;
    for kernel in kernels {
        if family != Some(kernel.family) {
            let line_end = if family.is_none() { "" } else { "\n" };
            text.push_str(&format!("{line_end}{}\n", title(kernel)));
            family = Some(kernel.family);
        }
        text.push_str(&format!("  {:<width$}  {}\n", kernel.name, kernel.summary));
    }
    text.push_str("\n`hypostyle kernels NAME` shows the documentation of a kernel.\n");
    text
}

fn title(kernel: &Kernel) -> &'static str {
    match kernel.family {
        Family::Rolling => "Rolling: over the last rows or a time span",
        Family::Expanding => "Expanding: over all rows so far",
        Family::Recurrence => "Recurrences: a state updated by each row",
        Family::Row => "Rows: from the columns of one row",
        Family::Function => "Functions: your own, written in Python",
    }
}
