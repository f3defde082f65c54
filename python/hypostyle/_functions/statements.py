"""Statements of Python as statements of a program, and which names have a value where."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from hypostyle._functions import hints
from hypostyle._functions.assignments import Assignments
from hypostyle._functions.inner import function_of, imported
from hypostyle._functions.records import arguments_of, fields_of
from hypostyle._functions.scope import Loop, Return, assigned, shape_of
from hypostyle._functions.tables import as_branches
from hypostyle._functions.tries import Tries, TryError
from hypostyle._functions.values import ERROR, ROW, Expr, Members, Some, Statement, Table, Tup, Value


class Statements(Assignments):
    """Translates statements into the list `out`."""

    def block(self, statements: Iterable[ast.stmt]) -> list[Statement]:
        """Translate statements; those that cannot be reached are left out."""
        outer, self.out = self.out, []
        block = self.out
        self.sequence(statements)
        self.out = outer
        return block

    def sequence(self, statements: Iterable[ast.stmt]) -> None:
        """Translate statements into the current list."""
        for statement in statements:
            if not self.scope.live:
                return
            self.count(statement)
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """Translate one statement."""
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.AnnAssign(value=None):
                pass
            case ast.Expr():
                self.out.append(["set", self.fresh("unused"), self.expr(node.value)])
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda() as made):
                self.inner_function(name, made)
            case ast.Assign():
                self.assignment(node)
            case ast.AnnAssign(value=ast.expr() as value):
                self.assign(node.target, self.value(value), node)
            case ast.AugAssign():
                self.augmented(node)
            case ast.If():
                self.conditional_statement(node)
            case ast.For():
                self.for_loop(node)
            case ast.While():
                self.while_loop(node)
            case ast.Break() | ast.Continue():
                self.leave(node)
            case ast.Return():
                self.return_statement(node)
            case ast.Match():
                self.match(node)
            case ast.Try():
                self.tried(node)
            case ast.FunctionDef(name=name):
                self.inner_function(name, node)
            case ast.Import() | ast.ImportFrom():
                self.imports(node)
            case ast.Raise():
                self.out.append(["set", self.fresh("raised"), ERROR])
            case ast.Assert():
                self.out.append(["if", self.test(node.test), [], [["set", self.fresh("raised"), ERROR]]])
                self.narrowed(node.test, True)
            case _:
                raise self.error(node, hints.of(node))

    # What stands for something else

    def tried(self, node: ast.Try) -> None:
        """Translate `try` around arithmetic, as conditions."""
        try:
            written = Tries(self.object_of).written(node)
        except TryError as reason:
            raise self.error(reason.node, reason.message) from None
        self.sequence(written)

    def inner_function(self, name: str, node: ast.FunctionDef | ast.Lambda) -> None:
        """Note a function inside of the function, which is inlined where it is called."""
        found = function_of(self.scope, node)
        if isinstance(found, str):
            raise self.error(node, found)
        self.around[found.__code__] = self.scope
        if not self.scope.names(name, found):
            raise self.error(node, f"{name} is a function here, and something else too; give it a name of its own")

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        """Note the modules that are imported inside of the function."""
        try:
            found = list(imported(node))
        except ImportError:
            raise self.error(node, hints.of(node)) from None
        for name, value in found:
            if not self.scope.names(name, value):
                raise self.error(node, f"{name} is imported here, and is something else too")

    # Branches and loops

    def conditional_statement(self, node: ast.If) -> None:
        """Translate `if`; a condition that is known now leaves one branch only."""
        test = self.test(node.test)
        known = self.known_truth(test)
        if known is not None:
            self.sequence(node.body if known else node.orelse)
            return
        scope = self.scope
        with self.on_some_path():
            self.narrowed(node.test, True)
            body = self.block(node.body)
            first, goes_on = set(scope.sure), scope.live
        scope.live = True
        if not goes_on:
            # The rest is the other branch: without one more level for every elif.
            self.out.append(["if", test, body, []])
            self.narrowed(node.test, False)
            self.sequence(node.orelse)
            return
        with self.on_some_path():
            self.narrowed(node.test, False)
            orelse = self.block(node.orelse)
            second, other_goes_on = set(scope.sure), scope.live
        self.out.append(["if", test, body, orelse])
        scope.live = True
        scope.sure = first & second if other_goes_on else first
        if not other_goes_on:
            self.narrowed(node.test, True)

    def match(self, node: ast.Match) -> None:
        """Translate `match` with constants, as `if` and `elif`."""
        subject = self.value(node.subject)
        is_truth = isinstance(subject, bool) or (isinstance(subject, list) and subject[0] in ("compare", "not", "in"))
        if not isinstance(subject, Tup):
            subject = self.operand_of(subject, node.subject)
        if not isinstance(subject, list) or subject[0] != "get":
            subject = self.kept(subject, self.out)
        name = self.fresh("subject")
        branches = as_branches(node, name, shape_of(subject), is_truth=is_truth)
        if isinstance(branches, ast.AST):
            is_singleton = isinstance(branches, ast.MatchSingleton)
            raise self.error(branches, hints.TRUTH if is_singleton else hints.NODES[ast.Match])
        self.scope.bindings[name] = subject
        self.sequence(branches)

    def while_loop(self, node: ast.While) -> None:
        """Translate `while`."""
        scope = self.scope
        scope.depth += 1
        scope.maybe |= {name for name in assigned([node]) if name in scope.locals}
        test = self.test(node.test)
        known = self.known_truth(test)
        if node.orelse and known is not None:
            raise self.error(node.orelse[0], "else of a while with a constant condition is not compiled; leave it out")
        if known is not False:
            exits = [] if known else [set(scope.sure)]
            loop = Loop(flag=self.flag(node))
            with self.on_some_path():
                self.narrowed(node.test, True)
                body = self.loop_body(loop, node.body)
            self.out.append(["while", test, body])
            self.ended(node, loop, exits)
        scope.depth -= 1

    def flag(self, node: ast.For | ast.While) -> str | None:
        """Return the variable that a `break` sets, if the loop has an `else`."""
        if not node.orelse:
            return None
        flag = self.fresh("left")
        self.out.append(["set", flag, False])
        return flag

    def ended(self, node: ast.For | ast.While, loop: Loop, exits: list[set[str]]) -> None:
        """Translate the `else` of a loop; `exits` are the ways to its end without `break`."""
        scope = self.scope
        if loop.flag is not None and exits:
            scope.live, scope.sure = True, set.intersection(*exits)
            body = self.block(node.orelse)
            self.out.append(["if", ["get", loop.flag], [], body])
            exits = [set(scope.sure)] if scope.live else []
        exits = exits + loop.breaks
        scope.live = bool(exits)
        scope.sure = set.intersection(*exits) if exits else scope.sure

    def loop_body(self, loop: Loop, statements: list[ast.stmt]) -> list[Statement]:
        """Translate the statements of a loop; `loop.continues` gets every way to its end."""
        self.scope.loops.append(loop)
        body = self.block(statements)
        self.scope.loops.pop()
        if self.scope.live:
            loop.continues.append(set(self.scope.sure))
        return body

    def for_loop(self, node: ast.For) -> None:
        """Translate `for` over a tuple, or a range."""
        if self.counted(node):
            return
        group = self.iterable(node.iter)
        self.storable(group, node.iter)
        self.out.extend(group.before)
        items = [self.kept(item, self.out) for item in group.items]
        if not items:
            self.sequence(node.orelse)
            return
        scope = self.scope
        scope.depth += 1
        inner = set(assigned(node.body))
        scope.maybe |= {name for name in assigned([node]) if name in scope.locals}
        head: list[Statement] = []
        if isinstance(node.target, ast.Name) and not any(isinstance(item, Tup) for item in items):
            ((variable, _),) = self.declared(node.target.id, None, node.target)
            if all(type(item) is int for item in items) and node.target.id not in inner:
                self.ranges[variable] = items
        else:
            variable = self.fresh("round")
            value = self.choose(["get", variable], list(enumerate(items)), node.iter)
            outer, self.out = self.out, head
            self.assign(node.target, value, node)
            self.out = outer
            items = list(range(len(items)))
        self.count(node, len(items))
        loop = Loop(flag=self.flag(node))
        with self.on_some_path():
            body = self.loop_body(loop, node.body)
        self.ranges.pop(variable, None)
        body[:0] = head
        self.out.append(["for", variable, items, body])
        self.ended(node, loop, [set.intersection(*loop.continues)] if loop.continues else [])
        scope.depth -= 1

    def counted(self, node: ast.For) -> bool:
        """Translate `for` over a range whose end depends on the row as a `while`; return whether it is one."""
        match node:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name() as function, args=given, keywords=[])):
                if self.object_of(function) is not range or not 1 <= len(given) <= 3:
                    return False
            case _:
                return False
        bounds: list[Expr] = [self.expr(argument) for argument in given]
        known = [self.values_of(bound) for bound in bounds]
        if all(choices is not None and len(choices) == 1 for choices in known):
            return False
        bounds = [0, *bounds] if len(bounds) == 1 else bounds
        step = (known[2] or [0]) if len(known) == 3 else [1]
        if len(step) != 1 or type(step[0]) is not int or not step[0]:
            raise self.error(given[2], "the step of a range is a constant")
        number, end = self.fresh("number"), self.fresh("end")
        # Of a float Python makes no range; neither does it of its bits.
        self.out += [["set", number, ["|", bounds[0], 0]], ["set", end, ["|", bounds[1], 0]]]
        scope = self.scope
        scope.depth += 1
        scope.maybe |= {name for name in assigned([node]) if name in scope.locals}
        exits = [set(scope.sure)]
        loop = Loop(flag=self.flag(node))
        with self.on_some_path():
            ((variable, _),) = self.declared(name, None, node.target)
            head: list[Statement] = [
                ["set", variable, ["get", number]],
                ["set", number, ["+", ["get", number], step[0]]],
            ]
            body = [*head, *self.loop_body(loop, node.body)]
        test = ["compare", ["get", number], [["<" if step[0] > 0 else ">", ["get", end]]]]
        self.out.append(["while", test, body])
        self.ended(node, loop, exits)
        scope.depth -= 1
        return True

    def leave(self, node: ast.Break | ast.Continue) -> None:
        """Translate `break` and `continue`."""
        loop = self.scope.loops[-1]
        is_break = isinstance(node, ast.Break)
        if loop.is_rows:
            self.leave_rows(node)
            return
        (loop.breaks if is_break else loop.continues).append(set(self.scope.sure))
        if is_break and loop.flag is not None:
            self.out.append(["set", loop.flag, True])
        self.out.append(["break" if is_break else "continue"])
        self.scope.live = False

    def leave_rows(self, node: ast.Break | ast.Continue) -> None:
        """Leave the loop over the rows; only `hs.loop` has one."""
        raise NotImplementedError

    def return_statement(self, node: ast.Return) -> None:
        """Translate `return`: the statement itself is written when all returns are known."""
        node = self._named(node)
        if self.is_list(node.value):
            raise self.error(node.value, "a list is not compiled as a result; return a tuple")
        value = None if node.value is None else self.returned(node.value)
        if value is ROW:
            raise self.error(node, "a row cannot be returned; return a number or a tuple of numbers")
        for item in value.items if isinstance(value, Tup) else (value,):
            if isinstance(item, Table | Some | Members):
                names = "a dict is not compiled as a value of its own; return its items, or {'low': a} to name results"
                raise self.error(node.value, hints.SOME if isinstance(item, Some) else names)
        if isinstance(value, Tup):
            self.out.extend(value.before)
            value = Tup(value.items, names=value.names)
            if "block" in _words(list(value.items)):
                value = self.kept(value, self.out)
        placeholder: Statement = ["return", [], []]
        self.out.append(placeholder)
        self.scope.returns.append(Return(self.out, placeholder, value, node))
        self.scope.live = False

    def _named(self, node: ast.Return) -> ast.Return:
        """Return `return Bounds(low, high)` as `return {"low": low, "high": high}`."""
        value = node.value
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        call = parts[-1] if parts else None
        if self.scope.is_helper or not isinstance(call, ast.Call) or (len(parts) == 2 and not self.fields):
            return node
        fields = fields_of(self.object_of(call.func))
        if fields is None or len(parts) > 2:
            return node
        given = fields if isinstance(fields, str) else arguments_of(call, *fields)
        if isinstance(given, str):
            raise self.error(call, given)
        keys: list[ast.expr | None] = [ast.Constant(name) for name in given]
        named: ast.expr = ast.copy_location(ast.Dict(keys, list(given.values())), call)
        if isinstance(value, ast.Tuple):
            named = ast.copy_location(ast.Tuple([value.elts[0], named], ast.Load()), value)
        return ast.fix_missing_locations(ast.copy_location(ast.Return(named), node))

    def is_list(self, node: ast.expr | None) -> bool:
        """Whether what is returned is a list: one that is written out, or a name of one."""
        if isinstance(node, ast.Name):
            every = (n for s in self.scope.source.body for n in ast.walk(s) if isinstance(n, ast.Assign))
            named = (n for n in every if isinstance(n.value, ast.List | ast.ListComp))
            return any(isinstance(t, ast.Name) and t.id == node.id for n in named for t in n.targets)
        return isinstance(node, ast.List | ast.ListComp)

    def returned(self, node: ast.expr) -> Value:
        """Translate what `return` returns: `{"low": a, "high": b}` is allowed here only, alone or after a state."""
        if self.scope.is_helper:
            return self.value(node)
        if isinstance(node, ast.Dict):
            return self.named_results(node)
        if self.fields and isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Dict):
            self.count(node)
            return self.joined([self.value(node.elts[0]), self.named_results(node.elts[1])])
        return self.value(node)

    def named_results(self, node: ast.Dict) -> Tup:
        """Translate a dict of results: a tuple whose items have the names of its keys."""
        self.count(node)
        keys = keys_of(node)
        if keys is None:
            odd = next(key or node for key in node.keys if keys_of(ast.Dict(keys=[key], values=[])) is None)
            raise self.error(odd, "the names of results are constants: return {'low': a, 'high': b}")
        if not keys:
            raise self.error(node, "a result has at least one name: return {'low': a, 'high': b}")
        if len(set(keys)) < len(keys):
            raise self.error(node, "two results have the same name")
        group = self.joined([self.operand(value) for value in node.values])
        return Tup(group.items, group.before, keys)


def keys_of(node: ast.expr | None) -> tuple[str, ...] | None:
    """Return the keys of a dict, if they are all constant strings."""
    if not isinstance(node, ast.Dict):
        return None
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    return tuple(keys) if len(keys) == len(node.keys) else None


def _words(value: Value) -> Iterator[str]:
    """Yield the strings of an expression."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    elif isinstance(value, Tup):
        yield from _words(list(value.items))
