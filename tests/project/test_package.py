"""The parts of the packaging that need neither a network nor a build."""

import re
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from deploy import left_out, package
from deploy.runtimes import DEFAULT, RUNTIMES

ROOT = Path(__file__).resolve().parents[2]


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def zipped(folder: Path, archive: Path) -> bytes:
    package.write_zip(folder, archive)
    return archive.read_bytes()


# --- the zip ----------------------------------------------------------------------------------------------------------


def test_the_same_files_give_the_same_zip_whenever_and_wherever_they_were_written(tmp_path: Path):
    one = write(tmp_path / "one", {"index.py": b"1", "handler/run/run.py": b"2", "handler/a.py": b"3"})
    two = write(tmp_path / "two", {"handler/a.py": b"3", "handler/run/run.py": b"2", "index.py": b"1"})
    (two / "index.py").chmod(0o600)
    (two / "empty").mkdir()
    assert zipped(one, tmp_path / "one.zip") == zipped(two, tmp_path / "two.zip")


def test_another_file_gives_another_zip(tmp_path: Path):
    one = write(tmp_path / "one", {"index.py": b"1"})
    two = write(tmp_path / "two", {"index.py": b"2"})
    assert zipped(one, tmp_path / "one.zip") != zipped(two, tmp_path / "two.zip")


def test_every_file_in_the_zip_can_be_read_by_the_platforms_user(tmp_path: Path):
    folder = write(tmp_path / "code", {"index.py": b"1", "handler/run/run.py": b"2"})
    package.write_zip(folder, tmp_path / "code.zip")
    with zipfile.ZipFile(tmp_path / "code.zip") as archive:
        assert [entry.filename for entry in archive.infolist()] == ["handler/run/run.py", "index.py"]
        assert {entry.external_attr >> 16 & 0o777 for entry in archive.infolist()} == {0o644}


# --- what is left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "requests-2.34.2.dist-info",
        "bin",
        "wrapt-stubs",
        "Crypto/SelfTest",
        "websocket/tests",
        "attr/__init__.pyi",
        "attr/py.typed",
        "aiohttp/_http_parser.pyx",
        "aiohttp/pytest_plugin.py",
        "mns/__pycache__",
        "multidict/_testcapi.cpython-310-x86_64-linux-gnu.so",
    ],
)
def test_what_the_function_never_imports_is_left_out(path: str):
    assert left_out.is_unused(PurePosixPath(path))


@pytest.mark.parametrize(
    "path",
    [
        "index.py",
        "handler/runtime/settings.py",
        "certifi/cacert.pem",
        "cryptography/hazmat/bindings/_rust.abi3.so",
        "Crypto/Util/_strxor.abi3.so",
        "alibabacloud_cas20200407/models/_main.py",
        "requests/certs.py",
        "contest.py",
    ],
)
def test_what_the_function_may_import_stays(path: str):
    assert not left_out.is_unused(PurePosixPath(path))


def test_pruning_removes_whole_folders_and_single_files(tmp_path: Path):
    write(
        tmp_path,
        {"a/__init__.py": b"", "a/tests/test_a.py": b"", "a/tests/tests/b.py": b"", "a/x.pyi": b"", "bin/a": b""},
    )
    left_out.prune(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in package.files_of(tmp_path)] == ["a/__init__.py"]


def test_what_lean_imports_makes_needless_is_left_out_where_it_is_installed_and_nowhere_else(tmp_path: Path):
    write(
        tmp_path,
        {
            "aiohttp/__init__.py": b"",
            "typing_extensions.py": b"",
            "a/aiohttp.py": b"",
            "alibabacloud_oss_v2/aio/a.py": b"",
        },
    )
    left_out.prune(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in package.files_of(tmp_path)] == ["a/aiohttp.py"]


def test_the_entry_point_goes_to_the_root_and_the_rest_stays_a_package(tmp_path: Path):
    source = write(
        tmp_path / "source",
        {"__init__.py": b"", "index.py": b"", "run.py": b"", "__pycache__/run.cpython-312.pyc": b""},
    )
    code = tmp_path / "code"
    code.mkdir()
    package.copy_source(source, code)
    names = [path.relative_to(code).as_posix() for path in package.files_of(code)]
    assert names == ["handler/__init__.py", "handler/run.py", "index.py"]


def test_a_source_without_the_entry_point_is_refused(tmp_path: Path):
    with pytest.raises(package.PackageError, match=r"index\.py is missing"):
        package.copy_source(write(tmp_path / "source", {"run.py": b""}), tmp_path)


# --- what would not run there -----------------------------------------------------------------------------------------


def library(*versions: str) -> bytes:
    return b"\x7fELF\2\1\1\0" + b"\0".join(f"GLIBC_{version}".encode() for version in versions) + b"\0libc.so.6\0"


def test_the_newest_c_library_that_a_library_needs_is_found_by_number_not_by_letter():
    assert package.glibc_needed(library("2.2.5", "2.14", "2.9")) == (2, 14)
    assert package.glibc_needed(b"\x7fELF nothing of the kind") == ()
    assert package.glibc_needed(library("PRIVATE", "2.17")) == (2, 17)


@pytest.mark.parametrize(
    ("runtime", "name", "content", "problem"),
    [
        ("python3.10", "_a.abi3.so", library("2.2.5", "2.28"), None),
        ("python3.10", "_a.cpython-310-x86_64-linux-gnu.so", library("2.17"), None),
        ("python3.10", "libfoo.so.1", library("2.17"), None),
        (
            "python3.10",
            "_a.abi3.so",
            library("2.2.5", "2.29"),
            r"_a\.abi3\.so needs glibc 2\.29, python3\.10 has 2\.28",
        ),
        ("python3.10", "libfoo.so.1", library("2.34"), r"needs glibc 2\.34"),
        ("python3.10", "_a.cpython-312-x86_64-linux-gnu.so", library("2.17"), "another Python"),
        ("python3.10", "_a.cpython-310-aarch64-linux-gnu.so", library("2.17"), "another Python or processor"),
        ("python3.12", "_a.abi3.so", library("2.31"), None),
        ("python3.12", "_a.cpython-312-x86_64-linux-gnu.so", library("2.17"), None),
        ("python3.12", "_a.abi3.so", library("2.32"), r"needs glibc 2\.32, python3\.12 has 2\.31"),
        ("python3.12", "_a.cpython-310-x86_64-linux-gnu.so", library("2.17"), "another Python"),
    ],
)
def test_a_library_that_the_function_could_not_load_is_refused(
    tmp_path: Path, runtime: str, name: str, content: bytes, problem: str | None
):
    write(tmp_path, {f"a/{name}": content})
    if problem is None:
        package.check_libraries(tmp_path, RUNTIMES[runtime])
    else:
        with pytest.raises(package.PackageError, match=problem):
            package.check_libraries(tmp_path, RUNTIMES[runtime])


@pytest.mark.parametrize(
    ("tag", "good"),
    [
        ("py3-none-any", True),
        ("cp310-cp310-manylinux_2_17_x86_64", True),
        ("cp39-abi3-manylinux2014_x86_64", True),
        ("cp311-cp311-linux_x86_64", False),
        ("cp310-cp310-macosx_11_0_arm64", False),
    ],
)
def test_a_package_that_this_machine_compiled_is_refused(tmp_path: Path, tag: str, good: bool):
    write(tmp_path, {"a-1.dist-info/WHEEL": f"Wheel-Version: 1.0\nTag: {tag}\n".encode()})
    if good:
        package.check_wheels(tmp_path)
    else:
        with pytest.raises(package.PackageError, match=re.escape(tag)):
            package.check_wheels(tmp_path)


# --- what is installed ------------------------------------------------------------------------------------------------


def pins(name: str) -> dict[str, set[str]]:
    """The versions of each package in a requirements or lock file; more than one where they differ by platform."""
    found: dict[str, set[str]] = {}
    for package_name, version in re.findall(
        r"^([\w.-]+)==([\w.]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE
    ):
        found.setdefault(package_name.lower(), set()).add(version)
    return found


@pytest.mark.parametrize(
    ("wanted", "lock"),
    [
        ("requirements.txt", "requirements.lock"),
        ("requirements.txt", "requirements-dev.lock"),
        ("requirements-dev.txt", "requirements-dev.lock"),
        *((runtime.lock, "requirements-dev.lock") for runtime in RUNTIMES.values()),
        *(("requirements.txt", runtime.lock) for runtime in RUNTIMES.values() if runtime.name != DEFAULT),
    ],
)
def test_the_locks_say_what_the_requirements_say(wanted: str, lock: str):
    locked = pins(lock)
    assert {name: locked.get(name) for name in pins(wanted)} == pins(wanted), "`make lock` brings them together"


@pytest.mark.parametrize("lock", ["requirements-dev.lock", *(runtime.lock for runtime in RUNTIMES.values())])
def test_every_locked_package_has_hashes_and_no_address(lock: str):
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|--(extra-)?index|--find-links|^-", text, re.MULTILINE)
