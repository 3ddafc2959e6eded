"""The package is for one of the platform's runtimes, and a Python of its version proves it, wherever that one is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from deploy import interpreter, package
from deploy.interpreter import Interpreter
from deploy.proof import NotProved, unpacked
from deploy.runtimes import DEFAULT, RUNTIMES, Runtime
from tests.packaged import prove_renewal
from tests.project.documents import ROOT
from tests.stubs.cas import CasStub

MAC = Interpreter(sys.executable, sys.version_info[:2], "Darwin", "arm64", "")
HERE = Runtime("python-of-this-test", sys.version_info[:2], (2, 99), "none.lock", has_context_credentials=True)
"""As if the platform had the Python that runs the tests."""
Shown = pytest.CaptureFixture[str]
both = pytest.mark.parametrize("context", [True, False], ids=["credentials in the context", "in the environment"])


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


# --- the runtimes -----------------------------------------------------------------------------------------------------


def test_each_runtime_takes_wheels_for_its_own_c_library_and_older_ones_and_none_for_a_newer_one():
    of_310, of_312 = RUNTIMES["python3.10"].platforms, RUNTIMES["python3.12"].platforms
    assert (of_310[0], of_312[0]) == ("manylinux_2_28_x86_64", "manylinux_2_31_x86_64")
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64"} < set(of_310) < set(of_312)


def test_make_lock_writes_the_lock_of_each_runtime_for_its_python_and_its_c_library():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for runtime in RUNTIMES.values():
        platform = f"--python-platform x86_64-manylinux_{runtime.glibc[0]}_{runtime.glibc[1]} "
        assert f"--python-version {runtime.version} {platform}" in makefile
        assert f" -o {runtime.lock}\n" in makefile


@pytest.mark.parametrize("chosen", ["python3.11", "3.12", "python3.12 "])
def test_a_runtime_that_there_is_not_is_refused_by_name(capsys: Shown, chosen: str, tmp_path: Path):
    with pytest.raises(SystemExit) as ended:
        package.main(["--runtime", chosen, "--output", str(tmp_path)])
    assert ended.value.code == 2
    assert f"the runtime is {chosen!r}; it must be one of python3.10, python3.12" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("chosen", "expected"), [(None, DEFAULT), ("", DEFAULT), ("python3.12", "python3.12")])
def test_the_operators_choice_is_the_variable_runtime(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: str | None, expected: str
):
    built: list[tuple[Path, Runtime]] = []
    monkeypatch.setattr(package, "build", lambda _source, lock, _output, runtime: built.append((lock, runtime)))
    monkeypatch.delenv("RUNTIME", raising=False)
    if chosen is not None:
        monkeypatch.setenv("RUNTIME", chosen)
    assert package.main(["--output", str(tmp_path)]) == 0
    assert built == [(Path(RUNTIMES[expected].lock), RUNTIMES[expected])]


# --- which Python -----------------------------------------------------------------------------------------------------


def test_an_interpreter_that_does_not_start_is_none(tmp_path: Path):
    assert interpreter.ask("/bin/false") is None
    assert interpreter.ask(str(tmp_path / "not there")) is None
    assert interpreter.ask(str(executable(tmp_path / "python", "#!/bin/sh\necho not a python\n"))) is None


def test_behind_a_shim_that_needs_an_environment_the_interpreter_itself_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    text = f'#!/bin/sh\n[ -n "$SHIM_ROOT" ] || exit 127\nexec "{sys.executable}" "$@"\n'
    shim = executable(tmp_path / "shims" / "python3.99", text)
    monkeypatch.setenv("SHIM_ROOT", str(tmp_path))
    found = interpreter.ask(str(shim))
    assert found is not None
    assert subprocess.run([found.path, "-c", ""], env={}, cwd="/", check=False).returncode == 0


def test_a_shim_of_a_version_that_is_not_selected_hides_no_other_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    name = f"python{HERE.version}"
    executable(tmp_path / "shims" / name, "#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    kept = tmp_path / "pyenv" / "versions" / f"{HERE.version}.9" / "bin" / name
    kept.parent.mkdir(parents=True)
    kept.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}/nowhere")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    found = interpreter.find(HERE)
    assert found is not None
    assert found.version == HERE.python


def test_a_python_of_another_version_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert interpreter.find(Runtime("python2.7", (2, 7), (2, 28), "none.lock", has_context_credentials=True)) is None


@pytest.mark.parametrize(
    ("machine", "loads"),
    [
        (("Linux", "x86_64", "glibc"), True),
        (("Linux", "aarch64", "glibc"), False),
        (("Linux", "x86_64", ""), False),  # another C library, such as that of Alpine
        (("Darwin", "x86_64", ""), False),
        (("Darwin", "arm64", ""), False),
    ],
)
def test_only_what_the_platform_is_loads_the_package(machine: tuple[str, str, str], loads: bool):
    assert Interpreter("python", (3, 10), *machine).loads_the_package == loads


def test_where_the_package_cannot_be_loaded_it_is_compiled_and_it_says_what_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
):
    (tmp_path / "index.py").write_text("raise SystemExit('it was imported')\n", encoding="utf-8")
    monkeypatch.setattr(interpreter, "find", lambda _: MAC)
    package.compile_and_prove(tmp_path, HERE)
    assert list(tmp_path.glob("__pycache__/index.*.pyc"))
    said = capsys.readouterr().err
    assert "nothing has shown that it can be imported" in said
    assert "only Linux on x86-64 with glibc can, and this is Darwin arm64" in said


def test_without_a_python_of_the_runtime_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown):
    monkeypatch.setattr(interpreter, "find", lambda _: None)
    package.compile_and_prove(tmp_path, RUNTIMES["python3.12"])
    assert "WARNING: no Python 3.12 on this machine" in capsys.readouterr().err


# --- the proof --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `make package` lays it out, but for the libraries: those are this environment's."""
    folder = tmp_path_factory.mktemp("built") / "code"
    shutil.copytree(ROOT / "handler", folder / "handler", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "handler" / "index.py").rename(folder / "index.py")
    return folder


@pytest.fixture
def python(tmp_path: Path) -> Interpreter:
    """This Python, with the libraries of this environment beside the folder."""
    libraries = sysconfig.get_path("purelib")
    text = f"""import os, sys
words = [word for word in sys.argv[1:] if word not in ("-I", "-S")]
os.execve({sys.executable!r}, [{sys.executable!r}, "-B", *words], {{**os.environ, "PYTHONPATH": {libraries!r}}})
"""
    launcher = executable(tmp_path / "launcher.py", text)
    path = executable(tmp_path / "python", f'#!/bin/sh\nexec "{sys.executable}" "{launcher}" "$@"\n')
    return Interpreter(str(path), sys.version_info[:2], "Linux", "x86_64", "glibc")


@both
def test_a_package_that_renews_once_and_knows_it_is_proved(
    python: Interpreter, code: Path, tmp_path: Path, context: bool
):
    prove_renewal(python, code, Runtime("r", (3, 10), (2, 28), "", has_context_credentials=context))


@both
def test_a_package_that_does_not_find_the_credentials_where_the_runtime_has_them_is_not_proved(
    python: Interpreter, code: Path, tmp_path: Path, context: bool
):
    broken = tmp_path / "code"
    shutil.copytree(code, broken)
    module = broken / "handler" / "cloud" / "credentials.py"
    text = module.read_text(encoding="utf-8")
    looks = 'getattr(context, "credentials", None)' if context else 'environ.get(name, "")'
    assert looks in text
    module.write_text(text.replace(looks, "None" if context else '""'), encoding="utf-8")
    with pytest.raises(NotProved, match="no credentials"):
        prove_renewal(python, broken, Runtime("r", (3, 10), (2, 28), "", has_context_credentials=context))


def test_a_package_that_renews_nothing_is_not_proved(
    python: Interpreter, code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    add_order = CasStub.add_order
    monkeypatch.setattr(CasStub, "add_order", lambda stub, **order: add_order(stub, **order, days_left=300))
    with pytest.raises(NotProved, match=re.escape("to be renewed, but: not there")):
        prove_renewal(python, code, HERE)


def test_a_package_that_writes_into_its_folder_is_not_proved(code: Path):
    def write() -> None:
        with unpacked(code) as copy:
            copy.chmod(0o755)
            (copy / "index.pyc").write_bytes(b"")

    with pytest.raises(NotProved, match="running it wrote"):
        write()
