"""Installation of what uv.lock names: uv does it, and this says in short why it fails.

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
    """The command; 1 with one or two lines where it fails."""
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
    """Ask the index that is set by names and hashes: uv.lock has the addresses of its own one."""
    kept = [uv, "sync", "--frozen", "--inexact", "--offline", "--quiet", *groups]
    if subprocess.run(kept, check=False, stderr=subprocess.DEVNULL).returncode == 0:  # noqa: S603
        return
    names = Path(environment) / "requirements.txt"
    run(uv, "venv", "--quiet", "--allow-existing", environment)
    run(uv, "export", "--frozen", "--quiet", *groups, "--output-file", str(names))
    run(uv, "pip", "install", "--python", environment, "--no-deps", "-r", str(names))


def run(*words: str) -> None:
    """Run uv, showing what it does as it goes."""
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
    """What failed, the last cause, and what to do, out of uv's longer words."""
    bare = [re.sub(r"^[\s×├╰─▶│]*((Caused by|cause): )?|[:.]$", "", line) for line in trouble]
    causes = [line for line in bare if line and not line.startswith("hint")] or ["uv said nothing"]
    words = " ".join(trouble)
    remedy = next((todo for sign, todo in REMEDIES.items() if re.search(sign, words)), "")
    what = ": ".join(dict.fromkeys((causes[0], causes[-1])))
    return f"{what}.\n{f'{remedy} {AGAIN}'.strip()}"


if __name__ == "__main__":
    sys.exit(main())
