"""Groups in Polars: `group_by("k").map_groups(f)`, and `group_by("k").agg(pl.col("x").rolling_mean(20))`.

Kernels go over all rows at once.  Where the groups come in any order, they are compared in that of their first rows.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypostyle._profile.change import Change, Values, replacing
from hypostyle._profile.polars_code import Keyed, column_in, column_of, in_order, keys_of, quoted
from hypostyle._profile.rewrite import lambda_of
from hypostyle._profile.syntax import SourceFile, functions_of, method
from hypostyle._profile.templates import kernel_for


def find(file: SourceFile) -> Iterator[GroupFunction | GroupLists]:
    """Yield functions of groups, and lists of groups, in which there are kernels."""
    if "group_by" not in file.text:
        return
    functions = functions_of(file)
    for node in ast.walk(file.tree):
        called = method(node)
        grouped = method(called[0]) if called is not None else None
        if called is None or grouped is None or grouped[1] != "group_by" or (keys := keys_of(grouped[2])) is None:
            continue
        groups = Groups(file, called[2], grouped[2], grouped[0], keys)
        if called[1] == "map_groups" and called[2].args:
            made = lambda_of(called[2].args[0], functions)
            function = None if made is None else GroupFunction(groups, made.body, made.args.args[0].arg)
            if function is not None and function.kernels:
                yield function
        elif called[1] == "agg" and (lists := GroupLists(groups)).kernels:
            yield lists


@dataclass(eq=False)
class Groups:
    """A call on the groups of a frame."""

    file: SourceFile
    node: ast.Call
    grouping: ast.Call
    frame: ast.expr
    keys: list[str]

    @property
    def frame_code(self) -> str:
        """The frame."""
        return self.file.code(self.frame)

    def change(self, code: str, ordered: str, use: str) -> Change | None:
        """Return the change of the call; `ordered` is the same in the order of the groups' first rows."""
        made = replacing(self.file, self.node, code, use)
        if made is None or in_order(self.grouping):
            return made
        # Any order of the groups is right, so both are run in the same one.
        text = self.file.segment(self.grouping)
        if text not in made.before or code not in made.after:
            return None
        made.before = made.before.replace(text, _in_order(text))
        made.after = made.after.replace(code, ordered)
        return made


def _in_order(call: str) -> str:
    return f"{call[:-1].rstrip().rstrip(',')}, maintain_order=True)"


@dataclass(eq=False)
class OfGroups:
    """A call on groups, as a whole statement: Polars runs what it is given when it runs the query."""

    groups: Groups

    pattern = "Polars groups"

    @property
    def file(self) -> SourceFile:
        """The file."""
        return self.groups.file

    @property
    def node(self) -> ast.AST:
        """The statement of the call."""
        return self.file.statement(self.groups.node)

    @property
    def statements(self) -> Sequence[ast.stmt]:
        """The statement of the call."""
        return [self.file.statement(self.groups.node)]


def steps_of(keyed: Keyed, node: ast.expr, group: str) -> str | None:
    """Return the calls on a group as calls on the frame: `.with_columns(...).select(...)`; None for any others."""
    if isinstance(node, ast.Name) and node.id == group:
        return ""
    called = method(node)
    if called is None or called[1] not in ("with_columns", "select", "filter", "drop"):
        return None
    before = steps_of(keyed, called[0], group)
    parts = [part for a in called[2].args for part in (a.elts if isinstance(a, ast.List | ast.Tuple) else [a])]
    words = [keyed.code(part) for part in parts]
    named = {k.arg: keyed.code(k.value) for k in called[2].keywords}
    if before is None or None in words or None in named or None in named.values():
        return None
    arguments = [*map(str, words), *(f"{name}={code}" for name, code in named.items())]
    return f"{before}.{called[1]}({', '.join(arguments)})"


@dataclass(eq=False)
class GroupFunction(OfGroups):
    """A call of `map_groups` with a function that adds or picks columns."""

    body: ast.expr
    parameter: str

    def __post_init__(self) -> None:
        self._keyed = Keyed(self.groups.keys, column_in(self.parameter))
        self._steps = steps_of(self._keyed, self.body, self.parameter)

    @property
    def kernels(self) -> list[str]:
        """The kernels; none if the function does anything else."""
        return [] if self._steps is None else list(dict.fromkeys(self._keyed.kernels))

    @property
    def suggestion(self) -> str:
        """The kernels."""
        return " and ".join(self.kernels)

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the frame with its rows in their own order, then in that of their groups."""
        frame = self.groups.frame_code
        first = f'pl.col("_row").min().over({quoted(self.groups.keys)})'
        by_group = f'{frame}.with_row_index("_row").sort({first}, "_row").drop("_row")'
        for start in (frame, by_group):
            code = f"{start}{self._steps}"
            change = self.groups.change(code, code, self.suggestion)
            if change is not None:
                yield change


@dataclass(eq=False)
class GroupLists(OfGroups):
    """A call of `agg` with kernels, whose results are lists or are reduced to one value."""

    def __post_init__(self) -> None:
        self.kernels: dict[str, str] = {}
        """Names of their columns, by the code of the kernels."""
        self._arguments = [self._written(a) for a in self.groups.node.args]
        self._arguments += [f"{k.arg}={self._written(k.value)}" for k in self.groups.node.keywords]

    @property
    def suggestion(self) -> str:
        """The kernels."""
        return " and ".join(self.kernels)

    def _written(self, node: ast.expr) -> str:
        """Return an argument with columns in place of kernels, under the names that the results have."""
        keys, kernels = self.groups.keys, self.kernels

        class Columns(ast.NodeTransformer):
            def visit_Call(self, visited: ast.Call) -> ast.AST:
                kernel = kernel_for(visited, column_of, "polars")
                if kernel is None:
                    return self.generic_visit(visited)
                name = kernels.setdefault(kernel.code(keys), f"_{len(kernels) + 1}")
                code = f'pl.col("{name}").alias("{kernel.columns[0]}")'
                return ast.parse(code, mode="eval").body

        parsed = ast.parse(ast.unparse(node), mode="eval")
        return ast.unparse(ast.fix_missing_locations(Columns().visit(parsed))).replace("'", '"')

    def changes(self, values: Values) -> Iterator[Change]:
        """Yield the kernels over the frame, and the aggregation of their columns."""
        named = ", ".join(f'{kernel}.alias("{name}")' for kernel, name in self.kernels.items())
        grouping = ast.Call(
            ast.Attribute(ast.Name("it"), "group_by"), self.groups.grouping.args, self.groups.grouping.keywords
        )
        call = ast.unparse(grouping).removeprefix("it").replace("'", '"')
        frame = f"{self.groups.frame_code}.with_columns({named})"
        end = f".agg({', '.join(self._arguments)})"
        change = self.groups.change(f"{frame}{call}{end}", f"{frame}{_in_order(call)}{end}", self.suggestion)
        if change is not None:
            yield change
