"""Dead code check: product definitions used only by tests, or not at all. In `./dev check`.

Runs vulture over the product without tests ([tool.vulture] in pyproject.toml). Fields and members
of classes are left out: models, templates and SQL read them by ways that vulture cannot see.
"""

import sys
from itertools import islice

from vulture.config import make_config
from vulture.core import Item, Vulture
from vulture.utils import format_path

INSIDE = {"attribute", "variable"}


def main() -> int:
    """Print the dead code; returns 1 if there is any."""
    config = make_config([])
    vulture = Vulture(
        ignore_names=config["ignore_names"], ignore_decorators=config["ignore_decorators"]
    )
    vulture.scavenge(config["paths"], exclude=config["exclude"])
    dead = [
        item
        for item in vulture.get_unused_code()
        if item.typ not in INSIDE or (item.typ == "variable" and _is_of_module(item))
    ]
    for item in dead:
        place = f"{format_path(item.filename)}:{item.first_lineno}"
        sys.stdout.write(f"{place}: unused {item.typ} {item.name}\n")
    return 1 if dead or vulture.exit_code else 0


def _is_of_module(item: Item) -> bool:
    with item.filename.open(encoding="utf-8") as lines:
        line = next(islice(lines, item.first_lineno - 1, None))
    return not line[:1].isspace()


if __name__ == "__main__":
    sys.exit(main())
