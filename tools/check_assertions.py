"""Assertion check: can a test fail by its own assertion? Decided from its source, without a run.

A test counts if a reachable statement asserts something that is not constant, expects an error with
pytest, or calls a function of this project that does. Code after a return, inside `if False`, in an
unused function, or in a try that swallows the failure does not count.
"""

import ast
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

Definition = ast.FunctionDef | ast.AsyncFunctionDef
_EXPECTING = (pytest.raises, pytest.warns, pytest.deprecated_call, pytest.RaisesGroup)
_LEAVING = (pytest.skip, pytest.xfail)
_SWALLOWING = {"AssertionError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Scope:
    """Resolution of the names inside one function."""

    names: Mapping[str, object]
    owner: type | None
    annotations: Mapping[str, ast.expr]
    nested: Mapping[str, Definition]


class SourceReader:
    """Follows one test through the functions of the project that it calls."""

    def __init__(self, root: Path, fixtures: Mapping[str, Callable[..., object]]) -> None:
        """Follow functions below root, and fixtures by the argument name of the test."""
        self._root = root
        self._fixtures = fixtures
        self._seen: set[object] = set()

    def asserts(self, function: object, owner: type | None = None) -> bool:
        """Whether the function, a method of owner if given, may fail by an assertion."""
        function = bare(function)
        code = getattr(function, "__code__", None)
        if code is None or code in self._seen:
            return False
        self._seen.add(code)
        machine = _state_machine(function)
        if machine is not None:
            return any(self.asserts(step, machine) for step in vars(machine).values())
        node = self._definition(code.co_filename, code.co_firstlineno)
        names = getattr(function, "__globals__", {})
        return node is not None and self._node_asserts(node, _scope(node, names, owner))

    def leaves(self, function: object) -> bool:
        """Whether the test skips or xfails itself unconditionally."""
        function = bare(function)
        code = getattr(function, "__code__", None)
        node = code and self._definition(code.co_filename, code.co_firstlineno)
        if node is None:
            return False
        scope = _scope(node, getattr(function, "__globals__", {}), None)
        return any(_leaves(statement, scope) for statement in node.body)

    def _definition(self, filename: str, line: int) -> Definition | None:
        path = Path(filename)
        if not path.is_relative_to(self._root) or "site-packages" in path.parts:
            return None
        return _definitions(path).get(line)

    def _node_asserts(self, node: Definition, scope: Scope) -> bool:
        if node in self._seen:
            return False
        self._seen.add(node)
        return any(self._counts(part, scope) for part in _reached(node.body, scope))

    def _counts(self, part: ast.AST, scope: Scope) -> bool:
        match part:
            case ast.Assert(test=test):
                return not _constant(test)
            case ast.withitem(context_expr=ast.Call(func=called)):
                return _is_one_of(_evaluate(called, scope), _EXPECTING)
            case ast.Name(id=name, ctx=ast.Load()) if name in scope.nested:
                inner = scope.nested[name]
                return self._node_asserts(inner, _scope(inner, scope.names, scope.owner, scope))
            case ast.Call():
                return self._call_asserts(part, scope)
        return False

    def _call_asserts(self, call: ast.Call, scope: Scope) -> bool:
        target = _evaluate(call.func, scope)
        if _is_one_of(target, _EXPECTING):
            return len(call.args) > 1  # pytest.raises(Error, function); without one it does nothing
        if target is pytest.fail:
            return True
        match call.func:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="expect")), attr=verb):
                return verb.startswith(("to_", "not_to_"))  # Playwright
            case ast.Name(id=name) if target is None and name in self._fixtures:
                return self.asserts(self._fixtures[name])
            case ast.Name(id=name) | ast.Attribute(attr=name):
                if name.startswith("assert") and not self._is_ours(target):
                    return (
                        True  # from a library: numpy.testing.assert_allclose, TestCase.assertEqual
                    )
        return self.asserts(target, _owner(call.func, scope))

    def _is_ours(self, target: object) -> bool:
        code = getattr(bare(target), "__code__", None)
        return (
            code is not None and self._definition(code.co_filename, code.co_firstlineno) is not None
        )


def bare(function: object) -> object:
    """The function without the wrappers of fixtures, functools.wraps and Hypothesis."""
    function = getattr(function, "__func__", function)
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return inspect.unwrap(inner) if callable(inner) else inner


@functools.cache
def _definitions(path: Path) -> dict[int, Definition]:
    """Every function of a file by its first line, the line of its first decorator."""
    return {
        min(part.lineno for part in [node, *node.decorator_list]): node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Definition)
    }


def _scope(
    node: Definition, names: Mapping[str, object], owner: type | None, outer: Scope | None = None
) -> Scope:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return Scope(
        names=names,
        owner=owner,
        annotations={a.arg: a.annotation for a in arguments if a.annotation is not None},
        nested={
            **(outer.nested if outer else {}),
            **{part.name: part for part in ast.walk(node) if isinstance(part, Definition)},
        },
    )


def _reached(statements: list[ast.stmt], scope: Scope) -> Iterator[ast.AST]:
    for statement in statements:
        yield from _parts(statement, scope)
        if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
            return
        if _leaves(statement, scope):
            return


def _parts(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The node and what runs with it: no dead branch, no body of a nested function or class."""
    yield node
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Lambda():
            return
        case ast.If(test=test) if _constant(test):
            alive = node.body if _truth(test) else node.orelse
            yield from _reached(alive, scope)
            return
        case ast.Try() if any(_swallows(handler) for handler in node.handlers):
            yield from _reached([*node.orelse, *node.finalbody], scope)
            for handler in node.handlers:
                yield from _reached(handler.body, scope)
            return
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield from _reached(value, scope)
        else:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _parts(child, scope)


def _is_one_of(target: object, known: tuple[object, ...]) -> bool:
    return any(target is one for one in known)  # an unknown object may have its own ==


def _constant(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_constant(value) for value in test.values)
    names = (part for part in ast.walk(test) if isinstance(part, ast.Name | ast.Await))
    return isinstance(test, ast.Tuple) or next(names, None) is None


def _truth(test: ast.expr) -> bool:
    return bool(test.value) if isinstance(test, ast.Constant) else True


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Whether the handler swallows a failed assertion."""
    caught = ast.walk(handler.type) if handler.type else [ast.Name("BaseException")]
    names = {part.id for part in caught if isinstance(part, ast.Name)}
    raised = any(isinstance(part, ast.Raise) for part in ast.walk(handler))
    return bool(names & _SWALLOWING) and not raised


def _leaves(statement: ast.stmt, scope: Scope) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=called)) | ast.Raise(exc=ast.Call(func=called)):
            return _is_one_of(_evaluate(called, scope), _LEAVING)
    return False


def _evaluate(expression: ast.expr, scope: Scope) -> object:
    """The value of a name if it is known before the test runs; else None."""
    match expression:
        case ast.Name(id="self" | "cls") if scope.owner is not None:
            return scope.owner
        case ast.Name(id=name) if name in scope.annotations:
            found = _evaluate(scope.annotations[name], scope)
            return found if isinstance(found, type) else None
        case ast.Name(id=name):
            return scope.names.get(name)
        case ast.Attribute(value=base, attr=attr):
            holder = _evaluate(base, scope)
            known = isinstance(holder, type | ModuleType)
            return getattr(holder, attr, None) if known else None
        case ast.Call(func=called):
            made = _evaluate(called, scope)
            return made if isinstance(made, type) else None
    return None


def _owner(called: ast.expr, scope: Scope) -> type | None:
    if isinstance(called, ast.Attribute):
        holder = _evaluate(called.value, scope)
        return holder if isinstance(holder, type) else None
    return None


def _state_machine(function: object) -> type | None:
    """The Hypothesis state machine whose TestCase this is: its steps and invariants assert."""
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None)
    if code is None or not cells or code.co_name != "runTest":
        return None
    enclosed = dict(zip(code.co_freevars, (cell.cell_contents for cell in cells), strict=True))
    found = enclosed.get("cls")
    return found if isinstance(found, type) else None
