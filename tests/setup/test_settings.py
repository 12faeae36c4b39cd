"""Settings of `./dev`: the configuration of pip and uv applies to the whole set-up."""

import os
import sys
from pathlib import Path

import pytest

from tests.setup.index import Index, served, uv_wheel
from tools.fetch_uv import Machine
from tools.find_uv import own_uv
from tools.set_up import caches, locked_index, named_python, pip_settings, settings
from tools.terminal import Failure

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[tool.uv]\nrequired-version = ">=0.9,<0.14"\n')
    (folder / "uv.lock").write_text('source = { registry = "http://127.0.0.1:9/simple" }\n')
    own = own_uv(folder)
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\necho uv 0.9.0\n")
    own.chmod(0o755)
    return folder


def environ(root: Path, **more: str) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(root), "PIP_CONFIG_FILE": os.devnull, **more}


def test_the_index_of_the_lock_file_is_the_default(root: Path) -> None:
    made = settings(root, environ(root), None)
    assert "UV_DEFAULT_INDEX" not in made
    assert made["UV"] == str(own_uv(root))
    assert made["UV_PROJECT_ENVIRONMENT"] == str(root / ".venv")
    assert locked_index(REPOSITORY / "uv.lock").startswith("https://")


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ({"PIP_INDEX_URL": "http://pip"}, "http://pip"),
        ({"UV_INDEX_URL": "http://old", "PIP_INDEX_URL": "http://pip"}, "http://old"),
        ({"UV_DEFAULT_INDEX": "http://uv", "UV_INDEX_URL": "http://old"}, "http://uv"),
    ],
)
def test_an_index_of_pip_or_uv_is_used_for_all(
    root: Path, given: dict[str, str], chosen: str
) -> None:
    made = settings(root, environ(root, **given), None)
    assert made["UV_DEFAULT_INDEX"] == made["MADOGUCHI_MIRROR"] == chosen


def test_pip_conf_is_read(root: Path) -> None:
    file = root / "pip.conf"
    file.write_text("[global]\nindex-url = http://pip%40home/\ncert = /my/ca.pem\n")
    made = settings(root, environ(root, PIP_CONFIG_FILE=str(file)), None)
    assert made["UV_DEFAULT_INDEX"] == "http://pip%40home/"
    assert made["SSL_CERT_FILE"] == "/my/ca.pem"
    made = settings(root, environ(root, PIP_CONFIG_FILE=str(file), PIP_CERT="/other.pem"), None)
    assert made["SSL_CERT_FILE"] == "/other.pem"


def test_a_broken_pip_conf_is_ignored_with_a_message(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (root / "pip.conf").write_text("index-url = http://no/section\n")
    assert "index-url" not in pip_settings(environ(root, PIP_CONFIG_FILE=str(root / "pip.conf")))
    assert "pip.conf is left out" in capfd.readouterr().err


def test_uv_comes_from_the_configured_index(root: Path) -> None:
    own_uv(root).unlink()
    machine = Machine.here()
    tag = "musllinux_1_1" if machine.glibc is None else "manylinux_2_17"
    with served(Index()) as index:
        index.add(f"uv-0.9.5-py3-none-{tag}_{machine.processor}.whl", uv_wheel("0.9.5"))
        made = settings(root, environ(root, PATH="", PIP_INDEX_URL=index.url), None)
    assert made["UV"] == str(own_uv(root))


def test_caches_move_if_the_home_is_not_writable(root: Path) -> None:
    assert caches(root, environ(root)) == {}
    read_only = "/proc/self"  # for root, too
    assert caches(root, environ(root, HOME=read_only)) == {
        "UV_CACHE_DIR": str(root / ".madoguchi" / "uv-cache"),
        "npm_config_cache": str(root / ".madoguchi" / "npm-cache"),
    }
    chosen = environ(root, HOME=read_only, UV_CACHE_DIR="/c", npm_config_cache="/n")
    assert caches(root, chosen) == {}


def test_another_python_has_an_environment_of_its_own(root: Path) -> None:
    made = settings(root, environ(root), sys.executable)
    version = sys.version.split()[0]
    assert made["UV_PYTHON"] == sys.executable
    assert made["UV_PROJECT_ENVIRONMENT"] == str(root / ".madoguchi" / f"python-{version}")


def test_a_python_of_pyenv_is_found_by_its_version(root: Path) -> None:
    for version, script in {"3.99.0": "exit 0", "3.99.9": "exit 1"}.items():
        python = root / ".pyenv" / "versions" / version / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    found = named_python("3.99", environ(root, PATH=""), own_uv(root))
    assert found == str(root / ".pyenv" / "versions" / "3.99.0" / "bin" / "python")


def test_a_missing_python_is_requested_from_uv(root: Path) -> None:
    own_uv(root).write_text('#!/bin/sh\n[ "$2 $3" = "find 3.99" ] && echo /kept/by/uv\n')
    assert named_python("3.99", environ(root), own_uv(root)) == "/kept/by/uv"


def test_an_unavailable_python_is_one_sentence(root: Path) -> None:
    own_uv(root).write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(Failure, match=r"There is no Python 3.99: .* --python /path/to/python3.99"):
        named_python("3.99", environ(root), own_uv(root))
