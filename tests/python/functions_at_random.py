"""Random Python functions as source text, and columns full of edge cases for them.

The writer knows the kind of every expression (float, int, bool, or an int or a float as it happens), so that most rows
have a result and the data type of the result is known; None, unbound variables and errors happen at run time.
`Mode.exact` decides whether functions whose last bit depends on the platform's libm occur.  If they do, they come last:
nothing is compared with them, rounded or summed, which would enlarge the difference.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from random import Random

from expressions_at_random import FIELD_SORTS, FIELDS, NUMBERS, Expressions, Mode, Scope, Sort, after, kind_of
from function_oracle import ALONE, Kind, Program, Value, expected

COLUMNS: dict[str, Kind] = {"x": "float", "y": "float", "i": "int", "j": "int", "b": "bool"}
# Rows on which a program is tried before it is taken.
TRIED = 24
HEAD = "import math\n\nimport hypostyle as hs\n\n\n"


def program(seed: int, mode: Mode | None = None) -> Program:
    """Return the function of this seed: the first that is drawn of which a few rows have a result, mostly."""
    random = Random(seed)
    while True:
        made = Writer(random, mode or Mode()).program()
        found = expected(made, columns(random.getrandbits(32), TRIED, made), [row % 2 for row in range(TRIED)])
        if random.random() < 0.05 or all(varied(values) for values in found.values()):
            return made


def varied(values: list[Value]) -> bool:
    """Whether a third of the results is not null, and whether they differ."""
    filled = [value for value in values if value is not None]
    return len(filled) >= len(values) / 3 and len(set(map(repr, filled))) > 1


def columns(seed: int, rows: int, of: Program) -> dict[str, list[Value]]:
    """Return columns for it: ordinary values, edge cases and nulls."""
    random = Random(seed)
    draw: dict[Kind, Callable[[Random], Value]] = {"float": some_float, "int": some_int, "bool": some_bool}
    return {name: [draw[kind](random) for _ in range(rows)] for name, kind in of.columns.items()}


def some_float(random: Random) -> Value:
    draw = random.random()
    if draw < 0.05:
        return None
    if draw < 0.2:
        huge = [float("nan"), float("inf"), float("-inf"), 1e300, -1e300, 5e-324, -5e-324, 1.7976931348623157e308]
        return random.choice([0.0, -0.0, *huge])
    if draw < 0.4:
        return random.choice([2.5, 0.5, -1.5, 3.5, 2.675, 1.0, -1.0, 2.0, 10.0, 0.1, 9007199254740993.0, 1e16])
    return random.choice([random.uniform(-1, 1), random.gauss(0, 10), random.uniform(-1e6, 1e6)])


def some_int(random: Random) -> Value:
    draw = random.random()
    if draw < 0.05:
        return None
    if draw < 0.15:
        return random.choice([2**53 + 1, -(2**53) - 1, 2**62, -(2**62), 2**63 - 1, -(2**63), -(2**63) + 1, 2**31])
    return random.choice([0, 1, -1, random.randint(-9, 9), random.randint(-9, 9), random.randint(-(10**6), 10**6)])


def some_bool(random: Random) -> Value:
    return None if random.random() < 0.05 else random.random() < 0.5


class Writer(Expressions):
    """Writes one program: statements, and around them a function."""

    def __init__(self, random: Random, mode: Mode) -> None:
        super().__init__(random, mode)
        self.names = 0
        self.returned: dict[str, list[Sort]] = {}
        self.pairs: dict[str, tuple[list[Sort], tuple[Sort, Sort]]] = {}
        self.rough = False

    # Programs.

    def program(self) -> Program:
        random = self.random
        text = HEAD
        for number in range(random.choice([0, 0, 1, 2])):
            text += self.helper(f"helper{number}")
        if random.random() < 0.2:
            text += self.pair("pair")
        used = dict(sorted(random.sample(sorted(COLUMNS.items()), random.randint(1, 4))))
        if self.mode.scan:
            self.state = sorted(random.sample(sorted(FIELDS), random.randint(1, 3)))
        names = ["low", "high"] if random.random() < 0.2 else [ALONE]
        self.returned = {name: [] for name in names}
        scope = Scope(dict(used))
        body = [*self.prologue(scope), *self.block(scope, 3, random.randint(1, 4), ending=True)[0]]
        parameters = ["state"] * self.mode.scan + list(used)
        text += f"def f({', '.join(parameters)}):\n" + indented(body)
        # A helper that nothing calls is left in: the front end must not read it.
        return Program(
            source=text,
            name="f",
            columns=used,
            results={name: kind_of(*sorts) for name, sorts in self.returned.items()},
            state={name: FIELDS[name] for name in self.state},
            ulps=(4 if "erfc" in text else 2) if self.rough else 0,  # glibc's erfc is itself 2 or 3 of them off
        )

    def helper(self, name: str) -> str:
        """Write a function that returns one sort whatever path it takes."""
        sorts = [self.sort(*NUMBERS) for _ in range(self.random.randint(1, 2))]
        scope = Scope(dict(zip("pq", sorts, strict=False)))
        result = self.sort("float", "float", "int", "bool")
        lines = []
        if self.random.random() < 0.6:
            lines = [f"if {self.truth(scope, 1)}:", f"    return {self.expression(result, scope, 1)}"]
        if self.random.random() < 0.5:
            sort = self.sort(*NUMBERS)
            lines.append(f"inner = {self.expression(sort, scope, 1)}")
            scope = Scope(scope.sorts | {"inner": sort})
        lines.append(f"return {self.expression(result, scope, 2)}")
        self.helpers[name] = (sorts, result)
        return f"def {name}({', '.join(scope_name for scope_name in 'pq'[: len(sorts)])}):\n{indented(lines)}\n\n"

    def pair(self, name: str) -> str:
        """Write a function that returns two values, in up to three places."""
        sorts = [self.sort(*NUMBERS) for _ in range(self.random.randint(1, 2))]
        scope = Scope(dict(zip("pq", sorts, strict=False)))
        results = self.sort("float", "int", "bool"), self.sort("float", "int")

        def both() -> str:
            return f"return {', '.join(self.expression(result, scope, 1) for result in results)}"

        lines = []
        if self.random.random() < 0.8:
            lines += [f"if {self.truth(scope, 1)}:", f"    {both()}"]
        if self.random.random() < 0.4:
            lines += ["for k in (1, 2):", f"    if {self.truth(scope, 1)}:", f"        {both()}", "    p = k"]
            scope = Scope(scope.sorts | {"p": "int"})
        lines.append(both())
        self.pairs[name] = (sorts, results)
        return f"def {name}({', '.join(scope_name for scope_name in 'pq'[: len(sorts)])}):\n{indented(lines)}\n\n"

    def prologue(self, scope: Scope) -> Iterator[str]:
        """Handle nulls as users do: return early, or put a constant there."""
        for name, sort in scope.sorts.items():
            draw = self.random.random()
            if draw < 0.15 and sort != "mixed":
                value = {"float": "0.0", "int": "0", "bool": "False"}[sort]
                yield f"{name} = {value} if {name} is None else {name}"
            elif draw < 0.25:
                yield from (f"if {name} is None:", f"    {self.ending(scope)}")

    # Statements.

    def block(
        self, scope: Scope, depth: int, count: int, *, ending: bool, loop: bool = False
    ) -> tuple[list[str], Scope]:
        """Write statements; return them and the scope after them."""
        lines: list[str] = []
        for _ in range(count):
            more, scope = self.statement(scope, depth, loop)
            lines += more
        if ending and not self.may_fall_off():
            lines.append(self.ending(scope))
        elif ending:
            lines += [f"if {self.truth(scope, 2)}:", f"    {self.ending(scope)}"]
        return lines or ["pass"], scope

    def may_fall_off(self) -> bool:
        return not self.state and list(self.returned) == [ALONE] and self.random.random() < 0.1

    def statement(self, scope: Scope, depth: int, loop: bool) -> tuple[list[str], Scope]:
        draw = self.random.random()
        if depth > 0 and draw < 0.3:
            return self.branches(scope, depth, loop)
        if depth > 1 and not loop and draw < 0.45:
            return self.loop(scope, depth)
        if draw < 0.55 and not loop and depth > 0:
            return [f"if {self.truth(scope, 1)}:", f"    {self.ending(scope)}"], scope
        if loop and draw < 0.42:
            return [f"if {self.truth(scope, 1)}:", f"    {self.pick('break', 'continue')}"], scope
        names = [name for name in scope.sorts if name[0] not in "xyijbk" and name not in scope.unsure]
        if names and (draw < 0.75 or (loop and draw < 0.9)):
            return [self.augmented(self.pick(*names), scope)], scope
        return self.assignment(scope, fresh=loop)

    def assignment(self, scope: Scope, *, fresh: bool) -> tuple[list[str], Scope]:
        if self.pairs and self.random.random() < 0.4:
            called, (sorts, results) = next(iter(self.pairs.items()))
            arguments = ", ".join(self.expression(one, scope, 2) for one in sorts)
            names = [self.new("v"), self.new("v")]
            text = f"{', '.join(names)} = {called}({arguments})"
            return [text], Scope(scope.sorts | dict(zip(names, results, strict=True)), scope.unsure - set(names))
        old = [name for name in scope.sorts if not name.startswith("k")]
        again = bool(old) and not fresh and self.random.random() < 0.3
        name = self.pick(*old) if again else self.new("v")
        sort = self.sort("float", "float", "int", "int", "bool")
        if again and not self.mode.mixed:
            sort = scope.sorts[name]
        text = f"{name} = {self.expression(sort, scope, 3)}"
        return [text], Scope(scope.sorts | {name: sort}, scope.unsure - {name})

    def augmented(self, name: str, scope: Scope) -> str:
        """Write an augmented assignment that keeps the variable's sort."""
        sort = scope.sorts[name]
        if sort == "bool":
            return f"{name} {self.pick('&=', '|=', '^=')} {self.expression('bool', scope, 1)}"
        if sort == "int":
            return f"{name} {self.pick('+=', '-=', '+=', '//=', '%=', '*=')} {self.small(scope)}"
        operand = self.sort("float", "float", "int", "bool")
        if sort == "mixed" or operand != "float":
            return f"{name} {self.pick('+=', '-=', '*=')} {self.expression(operand, scope, 1)}"
        return f"{name} {self.pick('+=', '-=', '*=', '/=', '%=', '//=')} {self.expression('float', scope, 1)}"

    def branches(self, scope: Scope, depth: int, loop: bool) -> tuple[list[str], Scope]:
        """Write if, elif and else, with variables that some paths leave unbound."""
        lines: list[str] = []
        ends: list[Scope] = []
        for number in range(self.random.choice([1, 1, 2])):
            body, end = self.block(scope, depth - 1, self.random.randint(1, 2), ending=False, loop=loop)
            lines += [f"{'elif' if number else 'if'} {self.truth(scope, 2)}:", *("    " + line for line in body)]
            ends.append(end)
        if self.random.random() < 0.5:
            body, end = self.block(scope, depth - 1, self.random.randint(1, 2), ending=False, loop=loop)
            lines += ["else:", *("    " + line for line in body)]
            ends.append(end)
        else:
            ends.append(scope)
        return lines, after(*ends)

    def loop(self, scope: Scope, depth: int) -> tuple[list[str], Scope]:
        """Write a bounded loop over range or while; its body keeps the sorts of the variables."""
        total, sort = self.new("v"), self.sort("float", "int")
        lines = [f"{total} = {self.expression(sort, scope, 1)}"]
        scope = Scope(scope.sorts | {total: sort})
        times = self.random.randint(1, 4)
        if self.random.random() < 0.6:
            counter = self.new("k")
            head = self.pick(f"range({times})", f"range(1, {times + 1})", f"range({times}, 0, -1)", "(1, 2, 5)")
            inside = Scope(scope.sorts | {counter: "int"}, scope.unsure)
            lines.append(f"for {counter} in {head}:")
            first: list[str] = []
        else:
            counter = self.new("k")
            lines += [f"{counter} = 0", f"while {counter} < {times} and {self.truth(scope, 1)}:"]
            scope = inside = Scope(scope.sorts | {counter: "int"}, scope.unsure)
            first = [f"{counter} += 1"]
        body, end = self.block(inside, depth - 2, self.random.randint(1, 2), ending=False, loop=True)
        body = [*first, f"{total} {self.pick('+=', '-=')} {self.expression(sort, inside, 1)}", *body]
        # What the body alone binds is unbound after a body that ended early.
        new = {name: of for name, of in end.sorts.items() if name not in scope.sorts}
        return [*lines, *("    " + line for line in body)], Scope(
            scope.sorts | new, scope.unsure | end.unsure | set(new)
        )

    def ending(self, scope: Scope) -> str:
        """Write a return: of the results, and in a scan of the next state."""
        found = {name: self.result(name, scope) for name in self.returned}
        alone = list(found) == [ALONE]
        text = found[ALONE] if alone else "{" + ", ".join(f'"{name}": {value}' for name, value in found.items()) + "}"
        if not self.state:
            return f"return {text}"
        fields = ", ".join(f"{name}={self.next(name, scope)}" for name in self.state)
        return f"return hs.state({fields}), {text}"

    def result(self, name: str, scope: Scope) -> str:
        sorts = self.returned[name]
        if sorts and self.random.random() < 0.06:
            return "None"
        if not self.mode.exact and self.random.random() < 0.6:
            self.rough = True
            sorts.append("float")
            return self.inexact(scope)
        sort = self.sort("float", "float", "int", "bool") if not sorts or self.mode.mixed else sorts[0]
        if sort == "mixed":
            sort = "float"
        if sorts and self.random.random() < 0.6:
            sort = sorts[0]
        sorts.append(sort)
        return self.expression(sort, scope, 3)

    def next(self, name: str, scope: Scope) -> str:
        """Write the next value of a field of the state."""
        if self.random.random() < 0.25:
            return f"state.{name}"
        if FIELDS[name] is None and self.random.random() < 0.1:
            return "None"
        sort = FIELD_SORTS[name]
        if sort == "float" and self.random.random() < 0.4:
            return f"min(max({self.expression('float', scope, 1)}, -1e6), 1e6)"
        return self.expression(sort, scope, 2)

    def new(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names}"


def indented(lines: list[str]) -> str:
    return textwrap.indent("\n".join(lines), "    ") + "\n"
