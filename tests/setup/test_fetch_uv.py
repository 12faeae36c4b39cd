"""Download of uv from a package index: the newest matching version, verified, or the reason."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.setup.index import Index, served, uv_wheel
from tools.fetch_uv import Machine, choose_wheel, fetch_uv
from tools.find_uv import find_uv, own_uv, suffices
from tools.package_index import IndexFile, PackageIndex
from tools.terminal import Failure

DEBIAN = Machine("Linux", "x86_64", (2, 36))
ALPINE = Machine("Linux", "x86_64", None)
MAC = Machine("Darwin", "arm64", None)
NAME = "uv-0.9.7-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[tool.uv]\nrequired-version = ">=0.9,<0.14"\n')
    return folder


@pytest.fixture(params=["json", "html"])
def index(request: pytest.FixtureRequest) -> Iterator[Index]:
    with served(Index(form=request.param)) as own:
        own.add(NAME, uv_wheel("0.9.7"))
        yield own


def fetch(root: Path, index: Index, login: str = "") -> Path:
    url = index.url.replace("//", f"//{login}@", 1) if login else index.url
    return fetch_uv(root, PackageIndex(url, pause_s=0), DEBIAN)


def nothing_left(root: Path) -> bool:
    folder = own_uv(root).parent
    return not folder.exists() or not list(folder.iterdir())


def test_it_is_fetched_verified_and_reused(root: Path, index: Index) -> None:
    assert find_uv(root, {"PATH": ""}) is None
    assert fetch(root, index) == own_uv(root)
    assert find_uv(root, {"PATH": ""}) == own_uv(root)
    assert [path.name for path in own_uv(root).parent.iterdir()] == ["uv"]


def test_a_yanked_file_is_skipped(root: Path, index: Index) -> None:
    newer = NAME.replace("0.9.7", "0.10.0")
    index.add(newer, uv_wheel("0.10.0"))
    index.yanked.add(newer)
    fetch(root, index)
    assert f"/files/{NAME}" in index.asked


def test_the_newest_matching_version_is_chosen() -> None:
    tags = {
        "debian": "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "alpine": "musllinux_1_1_x86_64",
        "mac": "macosx_11_0_arm64",
        "new glibc": "manylinux_2_99_x86_64",
        "arm": "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
    }
    versions = ("0.8.9", "0.9.9", "0.13.9", "0.13.10", "0.14.0", "1.0.0", "0.13.11rc1")
    files = [IndexFile(f"uv-{v}-py3-none-{t}.whl", "", "") for v in versions for t in tags.values()]

    def chosen(machine: Machine) -> str | None:
        file = choose_wheel(files, ">=0.9,<0.14", machine)
        return file.name if file else None

    assert chosen(DEBIAN) == f"uv-0.13.10-py3-none-{tags['debian']}.whl"
    assert chosen(ALPINE) == f"uv-0.13.10-py3-none-{tags['alpine']}.whl"
    assert chosen(MAC) == f"uv-0.13.10-py3-none-{tags['mac']}.whl"
    assert chosen(Machine("Linux", "aarch64", None)) == f"uv-0.13.10-py3-none-{tags['arm']}.whl"
    assert chosen(Machine("Linux", "aarch64", (2, 31))) == f"uv-0.13.10-py3-none-{tags['arm']}.whl"
    assert chosen(Machine("Linux", "x86_64", (2, 12))) is None
    assert chosen(Machine("Linux", "sparc", (2, 36))) is None


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ((0, 8, 99), False),
        ((0, 9), True),
        ((0, 13, 9), True),
        ((0, 14), False),
        ((0, 14, 1), False),
    ],
)
def test_version_bounds(version: tuple[int, ...], enough: bool) -> None:
    assert suffices(version, ">=0.9,<0.14") is enough


def test_a_uv_on_the_path_is_used_if_it_matches_and_runs(root: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    environ = {"PATH": str(program.parent)}
    for script, found in {
        "echo uv 0.9.1": program,
        "echo 'uv 0.9.1 (abcdef 2025-01-01)'": program,
        "echo uv 0.8.22": None,
        "echo uv 0.14.0": None,
        "echo 'pyenv: uv: command not found' >&2; exit 127": None,
    }.items():
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        assert find_uv(root, environ) == found, script


def test_user_and_password_are_sent_and_never_shown(
    root: Path, index: Index, capfd: pytest.CaptureFixture[str]
) -> None:
    index.login = "me:p@ss"
    with pytest.raises(Failure, match="answered 401"):
        fetch(root, index, "me:wrong%40")
    fetch(root, index, "me:p%40ss")
    shown = capfd.readouterr().err
    assert "127.0.0.1" in shown
    assert "wrong" not in shown
    assert "p@ss" not in shown


def test_a_password_is_not_handed_to_another_host(root: Path, index: Index) -> None:
    index.login = "me:secret"
    with served(Index(files=index.files)) as elsewhere:
        index.files_at = elsewhere.url.removesuffix("/simple")
        fetch(root, index, "me:secret")
    assert index.logins[-1] is not None
    assert elsewhere.logins == [None]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusing_index_is_named_with_a_remedy(root: Path, index: Index, status: int) -> None:
    index.status = status
    with pytest.raises(Failure, match=f"127.0.0.1:.* answered {status} .*PIP_INDEX_URL"):
        fetch(root, index)
    assert len(index.asked) == 1
    assert nothing_left(root)


def test_a_file_with_a_wrong_hash_is_not_unpacked(root: Path, index: Index) -> None:
    index.hashes[NAME] = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(Failure, match="is not the file whose sha256"):
        fetch(root, index)
    assert nothing_left(root)


def test_a_file_without_a_hash_is_not_trusted(root: Path, index: Index) -> None:
    index.hashes[NAME] = None
    with pytest.raises(Failure, match="names no sha256"):
        fetch(root, index)
    assert f"/files/{NAME}" not in index.asked


def test_an_index_without_a_matching_wheel_is_an_error(root: Path, index: Index) -> None:
    index.files.clear()
    index.hashes.clear()
    index.add(NAME.replace("0.9.7", "0.8.0"), b"too old")
    with pytest.raises(Failure, match=r"has no uv >=0.9,<0.14 for Linux on x86_64"):
        fetch(root, index)
    assert nothing_left(root)


def test_an_interrupted_download_is_retried(root: Path, index: Index) -> None:
    index.failures = ["go on", "cut", 503]
    fetch(root, index)
    assert index.asked.count(f"/files/{NAME}") == 3


def test_a_download_that_always_fails_leaves_nothing(root: Path, index: Index) -> None:
    index.failures = ["go on", "cut", "cut", "cut"]
    with pytest.raises(Failure, match="ended after 5 of 1,000,000 bytes"):
        fetch(root, index)
    assert nothing_left(root)


def test_a_uv_that_does_not_run_is_not_kept(root: Path, index: Index) -> None:
    index.add(NAME, uv_wheel("0.9.7", "#!/nowhere/sh\n"))
    with pytest.raises(Failure, match="does not run here"):
        fetch(root, index)
    assert nothing_left(root)


def test_no_network_is_one_sentence(root: Path) -> None:
    nobody = PackageIndex("http://127.0.0.1:9/simple", pause_s=0)
    with pytest.raises(Failure, match=r"cannot be reached .*refused.*Check the network") as failure:
        fetch_uv(root, nobody, DEBIAN)
    assert "\n" not in str(failure.value)


def test_unreadable_certificates_are_named() -> None:
    with pytest.raises(Failure, match=r"/nowhere.pem cannot be read .*SSL_CERT_FILE"):
        PackageIndex("https://127.0.0.1/simple", "/nowhere.pem")


def test_an_index_in_a_folder(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "mirror" / "uv"
    page.mkdir(parents=True)
    content = uv_wheel("0.9.7")
    (page / NAME).write_bytes(content)
    link = f"{NAME}#sha256={hashlib.sha256(content).hexdigest()}"
    (page / "index.html").write_text(f'<a href="{link}">{NAME}</a>')
    mirror = PackageIndex((tmp_path / "mirror").as_uri(), pause_s=0)
    assert fetch_uv(root, mirror, DEBIAN) == own_uv(root)
