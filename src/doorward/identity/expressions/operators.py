"""What ``+``, ``==``, ``in`` and the others do with which values, and what that costs."""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import datetime, timedelta

from doorward.identity.expressions.budget import CONTAINER, INTEGER_BITS, Budget
from doorward.identity.expressions.comparing import contains, equal, less
from doorward.identity.expressions.errors import ExpressionFailed
from doorward.identity.expressions.values import Value, kind_of


def _add(left: Value, right: Value, budget: Budget) -> Value:
    if isinstance(left, (str, list, tuple)) and type(left) is type(right):
        budget.make(CONTAINER + len(left) + len(right))
        return left + right  # type: ignore[operator]
    return _numbers("+", left, right, lambda: left + right, times=True)


def _subtract(left: Value, right: Value, budget: Budget) -> Value:
    if isinstance(left, set) and isinstance(right, set):
        budget.make(CONTAINER + 8 * len(left))
        return left - right
    return _numbers("-", left, right, lambda: left - right, times=True)


def _multiply(left: Value, right: Value, budget: Budget) -> Value:
    if isinstance(right, (str, list, tuple)):
        left, right = right, left
    if isinstance(left, (str, list, tuple)) and isinstance(right, int):
        budget.make(CONTAINER + len(left) * max(right, 0))
        return left * right
    if isinstance(left, timedelta) and isinstance(right, (int, float)):
        return left * right
    return _numbers("*", left, right, lambda: left * right)


def _power(left: Value, right: Value, budget: Budget) -> Value:
    del budget
    if isinstance(left, int) and isinstance(right, int) and max(left.bit_length(), 1) * abs(right) > INTEGER_BITS:
        raise ExpressionFailed("a number becomes too large")
    return _numbers("**", left, right, lambda: left**right)


def _union(left: Value, right: Value, budget: Budget) -> Value:
    if (isinstance(left, set) and isinstance(right, set)) or (isinstance(left, dict) and isinstance(right, dict)):
        budget.make(CONTAINER + 8 * (len(left) + len(right)))
        return left | right  # type: ignore[operator]
    return _whole("|", left, right, lambda: left | right)


def _both(left: Value, right: Value, budget: Budget) -> Value:
    if isinstance(left, set) and isinstance(right, set):
        budget.make(CONTAINER + 8 * len(left))
        return left & right
    return _whole("&", left, right, lambda: left & right)


def _one_of(left: Value, right: Value, budget: Budget) -> Value:
    if isinstance(left, set) and isinstance(right, set):
        budget.make(CONTAINER + 8 * (len(left) + len(right)))
        return left ^ right
    return _whole("^", left, right, lambda: left ^ right)


def _numbers(sign: str, left: Value, right: Value, result: Callable[[], Value], *, times: bool = False) -> Value:
    kinds = (int, float, datetime, timedelta) if times else (int, float)
    if isinstance(left, kinds) and isinstance(right, kinds):
        found = result()
        if isinstance(found, complex):
            raise ExpressionFailed(f"{sign} has no result among the numbers here")
        return found
    hint = "; write a text with {…} in it" if isinstance(left, str) and sign in "+%" else ""
    raise ExpressionFailed(f"{sign} does not work with {kind_of(left)} and {kind_of(right)}{hint}")


def _whole(sign: str, left: Value, right: Value, result: Callable[[], Value]) -> Value:
    if isinstance(left, int) and isinstance(right, int):
        return result()
    raise ExpressionFailed(f"{sign} does not work with {kind_of(left)} and {kind_of(right)}")


def _is(left: Value, right: Value, budget: Budget) -> bool:
    del budget
    if right is None or left is None or isinstance(right, bool) or isinstance(left, bool):
        return left is right
    raise ExpressionFailed("“is” compares with None, True and False only; write ==")


_Operator = Callable[[Value, Value, Budget], Value]
OPERATORS: dict[type[ast.operator], _Operator] = {
    ast.Add: _add,
    ast.Sub: _subtract,
    ast.Mult: _multiply,
    ast.Div: lambda left, right, _: _numbers("/", left, right, lambda: left / right),
    ast.FloorDiv: lambda left, right, _: _numbers("//", left, right, lambda: left // right),
    ast.Mod: lambda left, right, _: _numbers("%", left, right, lambda: left % right),
    ast.Pow: _power,
    ast.BitOr: _union,
    ast.BitAnd: _both,
    ast.BitXor: _one_of,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Value, Value, Budget], bool]] = {
    ast.Eq: equal,
    ast.NotEq: lambda left, right, budget: not equal(left, right, budget),
    ast.Lt: less,
    ast.Gt: lambda left, right, budget: less(right, left, budget),
    ast.LtE: lambda left, right, budget: equal(left, right, budget) or less(left, right, budget),
    ast.GtE: lambda left, right, budget: equal(left, right, budget) or less(right, left, budget),
    ast.In: lambda left, right, budget: contains(right, left, budget),
    ast.NotIn: lambda left, right, budget: not contains(right, left, budget),
    ast.Is: _is,
    ast.IsNot: lambda left, right, budget: not _is(left, right, budget),
}


def fit(number: Value) -> Value:
    """``number``, unless it is too long to go on with."""
    if isinstance(number, int) and number.bit_length() > INTEGER_BITS:
        raise ExpressionFailed("a number becomes too large")
    return number
