"""What is computed of all rows so far, `np.mean(x[: i + 1])`, as an expanding kernel."""

from __future__ import annotations

import ast

from hypostyle._profile.window_kernels import kernel_of

_KERNELS = {
    "mean": ("sum(w) / len(w)", "mean(w)", "fmean(w)", "w.mean()", "average(w)"),
    "sum": ("sum(w)", "w.sum()"),
    "max": ("max(w)", "w.max()", "amax(w)", "nanmax(w)"),
    "min": ("min(w)", "w.min()", "amin(w)", "nanmin(w)"),
    "median": ("median(w)", "w.median()"),
    "product": ("prod(w)", "w.prod()"),
    "nunique": ("len(set(w))", "w.nunique()", "len(unique(w))"),
    "std": ("std(w)", "w.std()", "pstdev(w)", "std(w, ddof=1)", "w.std(ddof=1)", "stdev(w)"),
    "var": ("var(w)", "w.var()", "pvariance(w)", "var(w, ddof=1)", "w.var(ddof=1)", "variance(w)"),
}
_OF_ONE_LESS = ("ddof=1", "stdev(w)", "variance(w)")
_MODULES = {"np", "numpy", "statistics", "stats"}


def expanding_kernel(result: ast.expr, options: str, *, is_series: bool) -> str | None:
    """Return the kernel that computes the same of all rows so far; None if there is none.

    Args:
        result: What is computed of the name `window`.
        options: More arguments of the kernel, each after a comma.
        is_series: Whether the rows are a Series of pandas, whose deviation divides by one less than the number of rows.
    """
    text = ast.unparse(_Plain().visit(ast.parse(ast.unparse(result), mode="eval").body))
    for name, forms in _KERNELS.items():
        if text not in forms:
            continue
        is_less = text.endswith(_OF_ONE_LESS) or (is_series and text in ("w.std()", "w.var()"))
        ddof = ", ddof=0" if name in ("std", "var") and (not is_less or text.startswith("p")) else ""
        return f'hs.expanding_{name}("x"{ddof}{options})'
    match ast.parse(text, mode="eval").body:
        case ast.Call(
            func=ast.Name(id="percentile" | "quantile" as function), args=[ast.Name(id="w"), ast.Constant(value=part)]
        ) if isinstance(part, int | float):
            part = part / 100 if function == "percentile" else part
            return f'hs.expanding_quantile("x", {part}{options})'
    known = kernel_of("window", result)
    if known is None or known[0] == "rolling_trimmed_mean":
        return None
    given = "".join(f", {name}={code}" for name, code in known[1].items())
    return f'hs.{known[0].replace("rolling", "expanding")}("x"{given}{options})'


class _Plain(ast.NodeTransformer):
    """Takes away the modules of functions, and names the window `w`."""

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name("w", ast.Load()) if node.id == "window" else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in _MODULES:
            return ast.Name(node.attr, ast.Load())
        return self.generic_visit(node)
