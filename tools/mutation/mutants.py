"""Mutants of a source file: one small change each, as text, so that lines stay where they are."""

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools.mutation import sql_text

_COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_CALCULATED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "*"),
    ast.BitAnd: ("&", "|"),
}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "and_": "or_", "or_": "and_"}
_FILTERS = {"where", "filter", "having"}
_SAID = {"log", "logger", "metrics", "tracing"}
"""What only tells: a line of the log, a figure, a span. Its arguments are not mutated."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file. `at` and `end` are offsets in the file's bytes."""

    path: str
    function: str
    line: int
    at: int
    end: int
    before: str
    after: str
    kind: str
    context: str
    """The source line, by which a listed mutant is found again after the file changed."""

    @property
    def key(self) -> str:
        """A short name that lasts as long as the line and its neighbours in the function."""
        parts = (self.path, self.function, self.context, self.before, self.after)
        named = "\n".join(parts)
        return hashlib.sha256(named.encode()).hexdigest()[:10]

    def apply(self, source: bytes) -> bytes:
        """The source with the change."""
        return source[: self.at] + self.after.encode() + source[self.end :]

    def __str__(self) -> str:
        before = " ".join(self.before.split()) or "nothing"
        after = " ".join(self.after.split()) or "nothing"
        return f"{self.path}:{self.line} {self.function}: `{before}` → `{after}` ({self.kind})"


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its text."""
    source = (root / path).read_bytes()
    found = _Finder(path, source)
    found.visit(ast.parse(source))
    unique: dict[str, Mutant] = {}
    for mutant in sorted(found.mutants, key=lambda one: (one.at, one.after)):
        unique.setdefault(mutant.key, mutant)
    return list(unique.values())


def is_python(root: Path, mutant: Mutant) -> bool:
    """Whether the change leaves a file that Python reads; a few of the textual ones do not."""
    try:
        ast.parse(mutant.apply((root / mutant.path).read_bytes()))
    except SyntaxError:
        return False
    return True


class _Finder(ast.NodeVisitor):
    """Collects the mutants of a module; skips annotations, docstrings, imports and log lines."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path, self.source = path, source
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.scope: list[str] = []
        self.mutants: list[Mutant] = []

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Where a node starts and ends in the file."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[node.end_lineno - 1] + node.end_col_offset

    def add(self, at: int, end: int, after: str, kind: str) -> None:
        """One mutant; its line is that of its first byte."""
        line = self.source.count(b"\n", 0, at) + 1
        context = self.lines[line - 1].decode().strip()
        before = self.source[at:end].decode()
        where = ".".join(self.scope) or "module"
        self.mutants.append(Mutant(self.path, where, line, at, end, before, after, kind, context))

    def replace_between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """Replace the operator that stands between two operands."""
        begin, end = self.span(left)[1], self.span(right)[0]
        at = self.source.find(old.encode(), begin, end)
        if at >= 0:
            self.add(at, at + len(old), new, "operator")

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """A function: its defaults and its body, not its annotations or decorators."""
        self.scope.append(node.name)
        for default in (*node.args.defaults, *(d for d in node.args.kw_defaults if d)):
            self.visit(default)
        self.body(node.body)
        self.scope.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - named by ast

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class: its body."""
        self.scope.append(node.name)
        self.body(node.body)
        self.scope.pop()

    def visit_Module(self, node: ast.Module) -> None:
        """The whole file."""
        self.body(node.body)

    def body(self, statements: list[ast.stmt]) -> None:
        """Statements without docstrings, wherever a string stands alone."""
        for statement in statements:
            alone = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not alone and not isinstance(statement, ast.Import | ast.ImportFrom):
                self.visit(statement)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """`x: int = 1`: the value."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Assertions state what is known already."""

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call for its effect: drop it."""
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if isinstance(call, ast.Call) and self.says_only(call):
            return
        if isinstance(call, ast.Call):
            self.add(*self.span(node), "pass", "call dropped")
        self.generic_visit(node)

    def says_only(self, call: ast.Call) -> bool:
        """Whether a call writes to the log, counts or traces."""
        names = {n.id for n in ast.walk(call.func) if isinstance(n, ast.Name)}
        return bool(names & _SAID) or any(name.isupper() for name in names)

    def visit_Raise(self, node: ast.Raise) -> None:
        """A refusal: let it pass. Its text is for people and stays."""
        self.add(*self.span(node), "pass", "refusal dropped")

    def visit_If(self, node: ast.If) -> None:
        """A branch: always and never."""
        self.conditions(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """A choice: always and never."""
        self.conditions(node.test)
        self.generic_visit(node)

    def conditions(self, test: ast.expr) -> None:
        """A condition that always or never holds, unless its operator is mutated anyway."""
        if isinstance(test, ast.NamedExpr):
            return
        for value in ("True", "False"):
            self.add(*self.span(test), value, "condition")

    def visit_Compare(self, node: ast.Compare) -> None:
        """Each comparison with its neighbour or its opposite."""
        operands = [node.left, *node.comparators]
        for left, right, operator in zip(operands, operands[1:], node.ops, strict=False):
            self.replace_between(left, right, *_COMPARED[type(operator)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        """And for or; the operands have no parentheses that matter to the first place found."""
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        self.replace_between(node.values[0], node.values[1], old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        """Not for nothing."""
        if isinstance(node.op, ast.Not):
            at = self.span(node)[0]
            self.add(at, self.span(node.operand)[0], "", "not dropped")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """Plus for minus, and the like."""
        if type(node.op) in _CALCULATED:
            self.replace_between(node.left, node.right, *_CALCULATED[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """`+=` for `-=`."""
        if isinstance(node.op, ast.Add | ast.Sub):
            old, new = ("+=", "-=") if isinstance(node.op, ast.Add) else ("-=", "+=")
            begin, end = self.span(node.target)[1], self.span(node.value)[0]
            at = self.source.find(old.encode(), begin, end)
            self.add(at, at + len(old), new, "operator")
        self.visit(node.value)

    def visit_Break(self, node: ast.Break) -> None:
        """Leave the loop, or go on."""
        self.add(*self.span(node), "continue", "loop")

    def visit_Continue(self, node: ast.Continue) -> None:
        """Go on, or leave the loop."""
        self.add(*self.span(node), "break", "loop")

    def visit_Return(self, node: ast.Return) -> None:
        """Another answer: nothing instead of something."""
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self.add(*self.span(node.value), "None", "answer")
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """Conditions of a query dropped one by one; min for max."""
        name = node.func
        if isinstance(name, ast.Name) and name.id in _SWAPPED:
            self.add(*self.span(name), _SWAPPED[name.id], "function")
        if isinstance(name, ast.Attribute) and name.attr in _FILTERS:
            for argument in node.args:
                self.dropped(name, node, argument)
        if not self.says_only(node):
            self.generic_visit(node)

    def dropped(self, name: ast.Attribute, node: ast.Call, argument: ast.expr) -> None:
        """A condition of a query that is not there."""
        if isinstance(argument, ast.Starred):
            return
        at, end = self.span(argument)
        if len(node.args) == 1:
            at, end = self.span(name.value)[1], self.span(node)[1]
        else:
            comma = self.source.find(b",", end, self.span(node)[1])
            end = comma + 1 if comma >= 0 else end
        self.add(at, end, "", "query condition dropped")

    def visit_Constant(self, node: ast.Constant) -> None:
        """Another number, flag or code. Texts for people are not codes."""
        at, end = self.span(node)
        value = node.value
        if isinstance(value, bool):
            self.add(at, end, str(not value), "constant")
        elif isinstance(value, int | float):
            self.add(at, end, repr(value + 1), "constant")
        elif isinstance(value, str):
            self.of_text(at, end, value)

    def of_text(self, at: int, end: int, value: str) -> None:
        """SQL in a text; or another code instead of this."""
        written = self.source[at:end].decode()
        for start, stop, after, kind in sql_text.mutations(written):
            before = len(written[:start].encode())
            behind = len(written[:stop].encode())
            self.add(at + before, at + behind, after, kind)
        if value.replace("_", "").isalnum() and value.isascii() and written[:1] in "'\"":
            self.add(at, end, f'"{value}_"', "code")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Formatted texts: only what is computed inside them, where Python tells its place."""

    def visit_arg(self, node: ast.arg) -> None:
        """Annotations are for mypy."""
