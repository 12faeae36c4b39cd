"""Broker users and virtual hosts of one test or bench, made by rabbitmqctl.

AMQP itself makes no users, so it takes root beside a local RabbitMQ.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

HOW_TO_RUN = (
    "NO RABBITMQCTL: what needs users of its own on the broker is skipped. Run it as root beside "
    "a local RabbitMQ on port 5672 (Debian: apt-get install rabbitmq-server)."
)


def rabbitmqctl(*words: str) -> str:
    """What it says. Raises CalledProcessError."""
    done = subprocess.run(  # noqa: S603
        ["rabbitmqctl", "-q", *words],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def why_not(rabbitmq_url: str) -> str | None:
    """Why no users can be made on this broker; None where they can."""
    local = urlsplit(rabbitmq_url).port in {5672, None}
    if os.geteuid() != 0 or shutil.which("rabbitmqctl") is None or not local:
        return HOW_TO_RUN
    try:
        rabbitmqctl("list_vhosts")
    except subprocess.SubprocessError:
        return HOW_TO_RUN
    return None


def import_definitions(definitions: Mapping[str, object]) -> None:
    """Let the broker learn a definitions file."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(definitions, file)
        file.flush()
        Path(file.name).chmod(0o644)  # rabbitmqctl reads it as the broker's own user
        rabbitmqctl("import_definitions", file.name)


def remove(vhost: str, users: Iterable[str]) -> None:
    """Delete a virtual host with all that is in it, and users."""
    listed = ", ".join(f'<<"{user}">>' for user in users)
    rabbitmqctl(
        "eval",
        f"""rabbit_vhost:delete(<<"{vhost}">>, <<"test">>),
            [rabbit_auth_backend_internal:delete_user(U, <<"test">>) || U <- [{listed}]].""",
    )
