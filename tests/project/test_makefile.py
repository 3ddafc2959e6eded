"""The Makefile does what it is told: with the Python that was asked for, and with names as people write them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.project.documents import ROOT
from tests.promise import mutants

MAKE = shutil.which("make") or "make"
PRINTS = '#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\n'
OF_ANOTHER = "#!/bin/sh\necho /another/python 3 11 9\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a space in its path, where everything is installed for this Python, as far as make can tell."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    for name in ("Makefile", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder)
    venv.create(folder / ".venv", with_pip=False, symlinks=True)
    (folder / ".venv" / ".installed").touch()
    return folder


def make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON", "VENV", "RUNTIME"))
    }
    return subprocess.run([MAKE, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False)


def say(folder: Path, text: str) -> None:
    """Put a program into the place of the virtual environment's Python."""
    python = folder / ".venv" / "bin" / "python"
    python.unlink()
    python.write_text(text, encoding="utf-8")
    python.chmod(0o755)


def test_a_python_that_is_asked_for_and_is_not_the_installed_one_is_installed_for_anew(checkout: Path):
    say(checkout, OF_ANOTHER)
    planned = make(checkout, "-n", ".venv/.installed", f"PYTHON={sys.executable}").stdout
    assert "[ -z 'yes' ] ||" in planned
    assert f"'{sys.executable}' -m venv --clear .venv" in planned
    assert "pip install" in planned


def test_the_python_that_is_installed_already_is_asked_for_in_vain(checkout: Path):
    assert "is up to date" in make(checkout, "-n", ".venv/.installed", f"PYTHON={sys.executable}").stdout
    assert "is up to date" in make(checkout, "-n", ".venv/.installed").stdout


def test_a_python_that_there_is_not_leaves_what_is_installed(checkout: Path):
    failed = make(checkout, ".venv/.installed", "PYTHON=no-such-python")
    assert failed.returncode
    assert "Python 3.10, 3.11 or 3.12 is needed" in failed.stderr
    assert (checkout / ".venv" / ".installed").exists()


def test_a_folder_in_which_make_has_installed_nothing_is_never_cleared(checkout: Path):
    (checkout / ".venv" / ".installed").unlink()
    say(checkout, OF_ANOTHER)
    planned = make(checkout, "-n", ".venv/.installed", f"PYTHON={sys.executable}").stdout
    assert "[ -z '' ] ||" in planned, "nothing to make anew"


@pytest.mark.parametrize("name", ["my event.json", "it's.json", "$HOME.json", "a;b.json"])
def test_an_event_file_is_taken_by_its_name_whatever_is_in_it(checkout: Path, name: str):
    say(checkout, PRINTS)
    printed = make(checkout, "-s", "run", f"EVENT={name.replace('$', '$$')}", "ARGS=--fresh --later 1d").stdout
    assert printed.splitlines() == ["<-m>", "<tests.invoke>", f"<{name}>", "<--fresh>", "<--later>", "<1d>"]


def test_the_runtime_of_the_package_is_python_3_10_unless_the_operator_chooses_another(checkout: Path):
    say(checkout, PRINTS)
    assert "<python3.10>" in make(checkout, "-s", "package").stdout
    assert "<python3.12>" in make(checkout, "-s", "package", "RUNTIME=python3.12").stdout


def test_mutants_that_there_are_not_are_not_all_seen(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        mutants.main(["nonsense"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "no mutant has 'nonsense' in its name; there are no_claim_before_the_call, " in said
