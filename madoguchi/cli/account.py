"""Who runs a command, as histories and the access log name them."""

import getpass
import os


def operator() -> str:
    """`CLI-` and the account of the operating system; its number where it has no name."""
    try:
        return f"CLI-{getpass.getuser()}"
    except (KeyError, OSError):  # a container with a user id of its own
        return f"CLI-uid{os.getuid()}"
