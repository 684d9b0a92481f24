"""Runs a program that ``parsing`` judged good, one node at a time, inside a budget.

It walks the tree itself: nothing of an expression ever becomes Python bytecode. A name is looked up in the names it was
given, an attribute in the table of its value's methods or a record's fields. Errors of what it calls become
``ExpressionFailed`` with the line; nothing else comes out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import NoReturn

from doorward.identity.expressions.budget import CONTAINER, Budget
from doorward.identity.expressions.calls import Call, is_true
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.functions import PYTHONS
from doorward.identity.expressions.matching import MATCHING
from doorward.identity.expressions.methods import method, names
from doorward.identity.expressions.operators import COMPARISONS, OPERATORS, fit
from doorward.identity.expressions.parsing import Program
from doorward.identity.expressions.query import METHODS
from doorward.identity.expressions.values import (
    Function,
    Record,
    Records,
    Value,
    key,
    kind_of,
    members,
    released,
    text_of,
)


class _Returned(Exception):
    def __init__(self, value: object) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def run(program: Program, known: Mapping[str, Value], budget: Budget | None = None) -> object:
    """What ``program`` returns, as plain data; None where it returns nothing.

    ``known`` are the names that it has besides the functions that all have, admitted already. Raises ExpressionFailed.
    """
    budget = budget or Budget()
    run = _Run({**PYTHONS, **MATCHING, **known}, budget)
    try:
        run.block(program.statements)
    except _Returned as returned:
        return returned.value
    except (_Break, _Continue) as stray:
        raise ExpressionFailed("break and continue belong into a loop") from stray
    except RecursionError as error:
        raise ExpressionFailed("it is nested too deeply") from error
    return None


class _Run:
    def __init__(self, known: dict[str, Value], budget: Budget) -> None:
        self._names = known
        self._budget = budget
        self._line = 1

    # --- statements

    def block(self, statements: tuple[ast.stmt, ...] | list[ast.stmt]) -> None:
        for statement in statements:
            self._line = statement.lineno
            try:
                self._budget.step()
                _STATEMENTS[type(statement)](self, statement)
            except ExpressionFailed as failed:
                raise failed if failed.line else ExpressionFailed(failed.reason, self._line) from failed
            except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError) as error:
                raise ExpressionFailed(str(error) or type(error).__name__, self._line) from error

    def _return(self, node: ast.Return) -> None:
        raise _Returned(released(self.value(node.value), self._budget) if node.value is not None else None)

    def _expression(self, node: ast.Expr) -> None:
        self.value(node.value)

    def _assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self._store(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._store(node.target, self.value(node.value))

    def _augment(self, node: ast.AugAssign) -> None:
        current = self.value(node.target)
        self._store(node.target, self._operate(node.op, current, self.value(node.value)))

    def _if(self, node: ast.If) -> None:
        self.block(node.body if is_true(self.value(node.test)) else node.orelse)

    def _for(self, node: ast.For) -> None:
        for each in members(self.value(node.iter), self._budget):
            self._budget.step()
            self._store(node.target, each)
            if not self._round(node.body):
                break

    def _while(self, node: ast.While) -> None:
        while is_true(self.value(node.test)):
            if not self._round(node.body):
                break

    def _round(self, body: list[ast.stmt]) -> bool:
        """One time through a loop: whether it goes on."""
        try:
            self.block(body)
        except _Continue:
            return True
        except _Break:
            return False
        return True

    def _break(self, node: ast.Break) -> None:
        raise _Break

    def _continue(self, node: ast.Continue) -> None:
        raise _Continue

    def _pass(self, node: ast.Pass) -> None:
        pass

    def _store(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self._names[target.id] = value
        elif isinstance(target, ast.Tuple):
            values = tuple(members(value, self._budget))
            if len(values) != len(target.elts):
                raise ExpressionFailed(f"{len(target.elts)} names for {len(values)} values")
            for each, one in zip(target.elts, values, strict=True):
                self._store(each, one)
        elif isinstance(target, ast.Subscript):
            container, place = self.value(target.value), self.value(target.slice)
            if isinstance(container, dict):
                self._budget.make(8)
                container[key(place, self._budget)] = value
            elif isinstance(container, list) and isinstance(place, int):
                container[place] = value
            else:
                raise ExpressionFailed(f"nothing can be set in {kind_of(container)} there")

    # --- expressions

    def value(self, node: ast.expr) -> Value:
        """What ``node`` stands for now."""
        self._budget.step()
        evaluate = _EXPRESSIONS.get(type(node))
        if evaluate is None:
            raise ExpressionFailed("this cannot stand here")
        return evaluate(self, node)

    def _constant(self, node: ast.Constant) -> Value:
        return node.value

    def _name(self, node: ast.Name) -> Value:
        if node.id not in self._names:
            raise ExpressionFailed(f"there is nothing called “{node.id}”")
        return self._names[node.id]

    def _attribute(self, node: ast.Attribute) -> Value:
        value = self.value(node.value)
        if isinstance(value, Record):
            return value.read(node.attr)
        if isinstance(value, Records):
            of_records = METHODS.get(node.attr) or _missing(value, node.attr, list(METHODS))
            return Function(node.attr, lambda call: of_records(value, call))
        found = method(value, node.attr) or _missing(value, node.attr, names(value))
        return Function(node.attr, lambda call: found(value, _without_names(call), call.budget))

    def _subscript(self, node: ast.Subscript) -> Value:
        container = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._cut(container, node.slice)
        place = self.value(node.slice)
        if isinstance(container, dict):
            place = key(place, self._budget)
            if place not in container:
                raise ExpressionFailed(f"the dict has no {place!r}")
            return container[place]
        if isinstance(container, Records):
            container = container.read()
        if isinstance(container, (str, list, tuple, range)) and isinstance(place, int):
            return container[place]
        raise ExpressionFailed(f"{kind_of(container)} has no members by {kind_of(place)}")

    def _cut(self, container: Value, node: ast.Slice) -> Value:
        if isinstance(container, Records):
            container = list(container)
        if not isinstance(container, (str, list, tuple)):
            raise ExpressionFailed(f"{kind_of(container)} cannot be cut")
        ends = [self.value(each) if each is not None else None for each in (node.lower, node.upper, node.step)]
        if any(not isinstance(each, (int, type(None))) for each in ends):
            raise ExpressionFailed("[from:to] takes whole numbers")
        self._budget.make(CONTAINER + len(container))
        return container[slice(*ends)]

    def _call(self, node: ast.Call) -> Value:
        function = self.value(node.func)
        if not isinstance(function, Function):
            raise ExpressionFailed(f"{kind_of(function)} cannot be called")
        given: list[Value] = []
        for each in node.args:
            given.extend(self._spread(each))
        named: dict[str, Value] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise ExpressionFailed("** is not part of a call here")
            named[keyword.arg] = self.value(keyword.value)
        return fit(function.call(Call(function.name, given, named, self._budget)))

    def _spread(self, node: ast.expr) -> Iterator[Value]:
        if isinstance(node, ast.Starred):
            found = tuple(members(self.value(node.value), self._budget))
            self._budget.make(len(found))
            yield from found
        else:
            yield self.value(node)

    def _and_or(self, node: ast.BoolOp) -> Value:
        stops_at = isinstance(node.op, ast.Or)
        value: Value = None
        for each in node.values:
            value = self.value(each)
            if is_true(value) is stops_at:
                break
        return value

    def _one_sided(self, node: ast.UnaryOp) -> Value:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not is_true(value)
        if not isinstance(value, (int, float, timedelta)):
            raise ExpressionFailed(f"{kind_of(value)} has no sign")
        return -value if isinstance(node.op, ast.USub) else +value

    def _two_sided(self, node: ast.BinOp) -> Value:
        left = self.value(node.left)
        return self._operate(node.op, left, self.value(node.right))

    def _operate(self, operator: ast.operator, left: Value, right: Value) -> Value:
        return fit(OPERATORS[type(operator)](left, right, self._budget))

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for operator, each in zip(node.ops, node.comparators, strict=True):
            right = self.value(each)
            if not COMPARISONS[type(operator)](left, right, self._budget):
                return False
            left = right
        return True

    def _either(self, node: ast.IfExp) -> Value:
        return self.value(node.body if is_true(self.value(node.test)) else node.orelse)

    def _text(self, node: ast.JoinedStr) -> str:
        parts = [text_of(self.value(each), self._budget) for each in node.values]
        self._budget.make(sum(map(len, parts)))
        return "".join(parts)

    def _formatted(self, node: ast.FormattedValue) -> Value:
        return self.value(node.value)

    def _list(self, node: ast.List) -> list[Value]:
        found = [value for each in node.elts for value in self._spread(each)]
        self._budget.make(CONTAINER + len(found))
        return found

    def _tuple(self, node: ast.Tuple) -> tuple[Value, ...]:
        found = tuple(value for each in node.elts for value in self._spread(each))
        self._budget.make(CONTAINER + len(found))
        return found

    def _set(self, node: ast.Set) -> set[Value]:
        self._budget.make(CONTAINER + 8 * len(node.elts))
        return {key(value, self._budget) for each in node.elts for value in self._spread(each)}

    def _dict(self, node: ast.Dict) -> dict[Value, Value]:
        found: dict[Value, Value] = {}
        self._budget.make(CONTAINER + 8 * len(node.values))
        for name, each in zip(node.keys, node.values, strict=True):
            value = self.value(each)
            if name is not None:
                found[key(self.value(name), self._budget)] = value
            elif isinstance(value, dict):
                self._budget.make(8 * len(value))
                found.update(value)
            else:
                raise ExpressionFailed(f"** takes a dict, not {kind_of(value)}")
        return found

    # --- comprehensions

    def _list_of(self, node: ast.ListComp | ast.GeneratorExp) -> list[Value]:
        found: list[Value] = []
        for _ in self._rounds(node.generators):
            self._budget.make(1)
            found.append(self.value(node.elt))
        return found

    def _set_of(self, node: ast.SetComp) -> set[Value]:
        found: set[Value] = set()
        for _ in self._rounds(node.generators):
            self._budget.make(8)
            found.add(key(self.value(node.elt), self._budget))
        return found

    def _dict_of(self, node: ast.DictComp) -> dict[Value, Value]:
        found: dict[Value, Value] = {}
        for _ in self._rounds(node.generators):
            self._budget.make(8)
            name = key(self.value(node.key), self._budget)
            found[name] = self.value(node.value)
        return found

    def _rounds(self, generators: list[ast.comprehension]) -> Iterator[None]:
        """Once for each combination that passes; the loops' own names are gone afterwards."""
        self._budget.make(CONTAINER)
        outside = dict(self._names)
        yield from self._loop(generators)
        self._names = outside

    def _loop(self, generators: list[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield
            return
        first, rest = generators[0], generators[1:]
        for each in members(self.value(first.iter), self._budget):
            self._budget.step()
            self._store(first.target, each)
            if all(is_true(self.value(condition)) for condition in first.ifs):
                yield from self._loop(rest)


def _missing(value: Value, name: str, has: list[str]) -> NoReturn:
    raise ExpressionFailed(f"{kind_of(value)} has no “{name}”; it has {', '.join(has) or 'no attributes'}")


def _without_names(call: Call) -> list[Value]:
    if call.named:
        raise ExpressionFailed(f"{call.function} takes its values in order, without names")
    return call.given


_STATEMENTS: dict[type[ast.stmt], Callable[..., None]] = {
    ast.Return: _Run._return,
    ast.Expr: _Run._expression,
    ast.Assign: _Run._assign,
    ast.AnnAssign: _Run._annotated,
    ast.AugAssign: _Run._augment,
    ast.If: _Run._if,
    ast.For: _Run._for,
    ast.While: _Run._while,
    ast.Break: _Run._break,
    ast.Continue: _Run._continue,
    ast.Pass: _Run._pass,
}
_EXPRESSIONS: dict[type[ast.expr], Callable[..., Value]] = {
    ast.Constant: _Run._constant,
    ast.Name: _Run._name,
    ast.Attribute: _Run._attribute,
    ast.Subscript: _Run._subscript,
    ast.Call: _Run._call,
    ast.BoolOp: _Run._and_or,
    ast.UnaryOp: _Run._one_sided,
    ast.BinOp: _Run._two_sided,
    ast.Compare: _Run._compare,
    ast.IfExp: _Run._either,
    ast.JoinedStr: _Run._text,
    ast.FormattedValue: _Run._formatted,
    ast.List: _Run._list,
    ast.Tuple: _Run._tuple,
    ast.Set: _Run._set,
    ast.Dict: _Run._dict,
    ast.ListComp: _Run._list_of,
    ast.GeneratorExp: _Run._list_of,
    ast.SetComp: _Run._set_of,
    ast.DictComp: _Run._dict_of,
}
