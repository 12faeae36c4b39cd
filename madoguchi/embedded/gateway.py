"""Gateway for the processes of one machine: nginx with the files of deploy/gateway.

Only the addresses are local: the port, the upstreams, and the folders that nginx writes to.
"""

import os
import pwd
import shutil
from collections.abc import Mapping
from pathlib import Path

from madoguchi.embedded.processes import Child

FILES = Path(__file__).parents[2] / "deploy" / "gateway"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
# nginx does not read stdin: a shell does, and stops nginx when stdin is closed.
UNTIL_STDIN_CLOSES = (
    'exec 3<&0; (cat <&3 >/dev/null; kill $$ 2>/dev/null) & exec "$@" 3<&- </dev/null'
)

LOCAL_SITE = "server_name 127.0.0.1 localhost;\n"


def nginx_program() -> str | None:
    """The installed nginx, if there is one and deploy/gateway exists."""
    if not (FILES / "nginx.conf").is_file():
        return None
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def nginx_command(
    program: str, folder: Path, port: int, places: Mapping[str, str], own: str = ""
) -> list[str]:
    """Write the configuration into `folder`; returns the command that starts nginx with it.

    `places` is the address of each part (host:port), `own` that of the login page and mailbox.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FILES, folder)
    conf = (folder / "nginx.conf").read_text()
    (folder / "nginx.conf").write_text(conf.replace("listen 8080", f"listen 127.0.0.1:{port}"))
    (folder / "site.conf").write_text(LOCAL_SITE)
    lines = [f"  ~^{part}: {place};" for part, place in places.items()]
    if own:
        lines.insert(0, f'  "~^portal:/(issuer|mailbox)(/|$)" {own};')
    temporary = [f"{name}_temp_path {folder / name};" for name in TEMPORARY]
    written = ['map "$part:$uri" $place {', *lines, "}", *temporary]
    (folder / "places.conf").write_text("\n".join(written) + "\n")
    settings = f"daemon off; pid {folder / 'pid'};"
    if os.geteuid() == 0:  # otherwise its workers run as a user who cannot read the folder
        settings += f" user {pwd.getpwuid(0).pw_name};"
    return [
        program, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "error.log"),
        "-g", settings,
    ]  # fmt: skip


def nginx_process(command: list[str]) -> Child:
    """Nginx as a child process, stopped with this process."""
    return Child(["sh", "-c", UNTIL_STDIN_CLOSES, "gateway", *command], {})
