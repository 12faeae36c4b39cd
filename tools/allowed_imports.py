"""Import contract `only`: modules import each other, the standard library, and what is allowed.

An allow-list for import-linter (pyproject.toml, [tool.importlinter]), whose built-in contracts can
only forbid named modules. Indirect imports of an allowed module are not checked.
"""

import sys

import grimp
from importlinter import Contract, ContractCheck, fields, output


class OnlyContract(Contract):
    """Direct imports of `modules` and their submodules stay among these, `allowed` and stdlib.

    `modules` may contain wildcards. A name that matches no module, and an allowed module that none
    of them imports, break the contract, as both are mistakes or leftovers.
    """

    type_name = "only"

    modules = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Whether every import is allowed."""
        problems: list[str] = []
        members: set[str] = set()
        for name in _names(self.modules):
            found = graph.find_matching_modules(name) if "*" in name else {name}
            found = {module for module in found if module in graph.modules}
            if not found:
                problems.append(f"{name} is no module")
            members |= found.union(*(graph.find_descendants(module) for module in found))
        allowed, used = set(_names(self.allowed)), set()
        for module in sorted(members):
            for imported in sorted(graph.find_modules_directly_imported_by(module) - members):
                if imported in allowed:
                    used.add(imported)
                elif imported.partition(".")[0] not in sys.stdlib_module_names:
                    details = graph.get_import_details(importer=module, imported=imported)
                    lines = ", ".join(str(detail["line_number"]) for detail in details)
                    problems.append(f"{module} -> {imported} (l.{lines})")
        problems += [f"{name} is allowed and never imported" for name in sorted(allowed - used)]
        return ContractCheck(kept=not problems, metadata={"problems": problems})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each import that is not allowed."""
        for problem in check.metadata["problems"]:
            output.print_error(f"- {problem}", bold=False)
        output.new_line()


def _names(value: object) -> list[str]:
    """The names in a field, which import-linter fills per contract."""
    return [str(name) for name in value] if isinstance(value, list) else []
