"""Installation of the packages in uv.lock by uv, with a short explanation of a failure.

Standard library only. The arguments go to uv (--no-dev); the settings come from tools/set_up.py.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.terminal import Failure, say

REMEDIES = {
    r"No space left|os error (28|122)\b": "Free some space on that disk.",
    r"\b(401|403) ": "Name an index that you may use (PIP_INDEX_URL=https://...).",
    r"certificate|UnknownIssuer": "Set SSL_CERT_FILE to the certificates of your proxy.",
    r"dns|[Cc]onnect|timed out|Timeout|Network is unreachable": (
        "Check the network; behind a proxy set HTTPS_PROXY, with a mirror PIP_INDEX_URL."
    ),
    r"Permission denied|Read-only": "Make that folder writable, or clone to another place.",
}
NOISE = r" [-+~] |\s*(Building|Built) .* @ file:"
AGAIN = "Then type the same again: what was fetched is kept."


def main() -> int:
    """Run the command; returns 1 with one or two lines if it fails."""
    uv, environment = os.environ["UV"], os.environ["UV_PROJECT_ENVIRONMENT"]
    say(f"Installing what uv.lock names into {environment} (at first a minute or two) ...")
    try:
        if os.environ.get("MADOGUCHI_MIRROR"):
            install_from_mirror(uv, environment, sys.argv[1:])
        run(uv, "run", "--frozen", *sys.argv[1:], "python", "-c", "")
    except Failure as failure:
        say(str(failure))
        return 1
    return 0


def install_from_mirror(uv: str, environment: str, groups: Sequence[str]) -> None:
    """Install by name and hash from the configured index: uv.lock has another index's URLs."""
    kept = [uv, "sync", "--frozen", "--inexact", "--offline", "--quiet", *groups]
    if subprocess.run(kept, check=False, stderr=subprocess.DEVNULL).returncode == 0:  # noqa: S603
        return
    names = Path(environment) / "requirements.txt"
    run(uv, "venv", "--quiet", "--allow-existing", environment)
    run(uv, "export", "--frozen", "--quiet", *groups, "--output-file", str(names))
    run(uv, "pip", "install", "--python", environment, "--no-deps", "-r", str(names))


def run(*words: str) -> None:
    """Run uv, showing its progress."""
    process = subprocess.Popen(  # noqa: S603
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    trouble: list[str] = []
    for line in process.stderr:
        if trouble or re.match(r"error|\s*×", line):
            trouble.append(line.strip())
        elif not re.match(NOISE, line):
            say(f"  {line.strip()}")
    if process.wait() != 0:
        raise Failure(explain(trouble))


def explain(trouble: Sequence[str]) -> str:
    """The failure, its last cause, and what to do, from uv's longer output."""
    bare = [re.sub(r"^[\s×├╰─▶│]*((Caused by|cause): )?|[:.]$", "", line) for line in trouble]
    causes = [line for line in bare if line and not line.startswith("hint")] or ["uv said nothing"]
    words = " ".join(trouble)
    remedy = next((todo for sign, todo in REMEDIES.items() if re.search(sign, words)), "")
    what = ": ".join(dict.fromkeys((causes[0], causes[-1])))
    return f"{what}.\n{f'{remedy} {AGAIN}'.strip()}"


if __name__ == "__main__":
    sys.exit(main())
