"""From a text to a program: Python's own parser, and then a list of what is allowed. Whatever is not listed is refused
when the expression is saved, with its line and a word about what to write instead.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from doorward.identity.expressions.errors import ExpressionInvalid

LONGEST = 16_384
"""Characters."""
DEEPEST = 40
"""Of nodes inside each other: what bounds the interpreter's own stack."""

_ALLOWED: tuple[type[ast.AST], ...] = (
    ast.Module,
    # statements
    ast.Return, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Pass,
    ast.If, ast.For, ast.While, ast.Break, ast.Continue,
    # expressions
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Call, ast.keyword,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.JoinedStr, ast.FormattedValue,
    ast.List, ast.Tuple, ast.Dict, ast.Set,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension,
    # operators
    ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.BitOr, ast.BitAnd, ast.BitXor,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
    ast.Load, ast.Store,
)  # fmt: skip
_INSTEAD: dict[type[ast.AST], str] = {
    ast.Import: "nothing can be imported; what there is has a name already",
    ast.ImportFrom: "nothing can be imported; what there is has a name already",
    ast.FunctionDef: "functions cannot be defined; write the steps one after the other",
    ast.AsyncFunctionDef: "functions cannot be defined; write the steps one after the other",
    ast.Lambda: "functions cannot be defined; write a comprehension or a loop",
    ast.ClassDef: "classes cannot be defined",
    ast.Try: "errors cannot be caught; ask before, for example with .get(…) or an if",
    ast.Raise: "errors cannot be raised; return False, and say why with ak_message(…)",
    ast.With: "there is nothing to open",
    ast.Delete: "del is not part of the language; use .pop(…)",
    ast.NamedExpr: "write the assignment on a line of its own",
    ast.Global: "there are no global names",
    ast.Assert: "write an if",
    ast.Match: "write if, elif and else",
    ast.Yield: "yield is not part of the language",
    ast.Await: "await is not part of the language",
}


@dataclass(frozen=True, slots=True)
class Program:
    """What was judged good. It is never handed to Python's own compiler."""

    statements: tuple[ast.stmt, ...]


def parse(text: str) -> Program:
    """Raises ExpressionInvalid."""
    if len(text) > LONGEST:
        raise ExpressionInvalid(1, f"an expression may have {LONGEST:,} characters, this one has {len(text):,}")
    if "\0" in text:
        raise ExpressionInvalid(1, "a character that no text has")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text)
    except SyntaxError as error:
        raise ExpressionInvalid(error.lineno or 1, f"this is not understood: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ExpressionInvalid(1, "it is nested too deeply") from error
    _judge(tree)
    return Program(tuple(tree.body))


def _judge(tree: ast.Module) -> None:
    # Without recursion: the tree may be deeper than the stack, until this has said that it is not.
    pending: list[tuple[ast.AST, int, int]] = [(tree, 0, 1)]
    while pending:
        node, depth, line = pending.pop()
        line = getattr(node, "lineno", line)
        if depth > DEEPEST:
            raise ExpressionInvalid(line, "it is nested too deeply")
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__
            raise ExpressionInvalid(line, _INSTEAD.get(type(node), f"{kind} is not part of the language"))
        _judge_one(node, line)
        pending.extend((child, depth + 1, line) for child in ast.iter_child_nodes(node))


def _judge_one(node: ast.AST, line: int) -> None:
    for name in _names(node):
        if name.startswith("_"):
            raise ExpressionInvalid(line, f"names that begin with “_”, such as {name}, do not exist here")
    if isinstance(node, ast.Constant) and isinstance(node.value, (bytes, complex, type(...))):
        raise ExpressionInvalid(line, "only texts, numbers, True, False and None can be written")
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value.bit_length() > 1024:
        raise ExpressionInvalid(line, "this number is too large")
    if isinstance(node, ast.FormattedValue) and (node.conversion != -1 or node.format_spec is not None):
        raise ExpressionInvalid(line, "a text with {…} takes no format after “:” or “!”")
    if isinstance(node, ast.comprehension) and node.is_async:
        raise ExpressionInvalid(line, "await is not part of the language")
    if isinstance(node, (ast.For, ast.While)) and node.orelse:
        raise ExpressionInvalid(line, "a loop has no else here")
    if isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Store):
        raise ExpressionInvalid(line, "* is not part of an assignment")
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For | ast.comprehension):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            _judge_target(target, line)


def _judge_target(target: ast.expr, line: int) -> None:
    if isinstance(target, ast.Tuple):
        if any(not isinstance(each, ast.Name) for each in target.elts):
            raise ExpressionInvalid(line, "several values can be given to plain names only")
    elif not isinstance(target, (ast.Name, ast.Subscript)):
        raise ExpressionInvalid(line, "only names and members of dicts and lists can be set")


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        # A lone _ is what people write for a value that they do not need.
        return [node.id] if node.id != "_" else []
    if isinstance(node, ast.Attribute):
        return [node.attr]
    if isinstance(node, ast.keyword) and node.arg is not None:
        return [node.arg]
    return []
