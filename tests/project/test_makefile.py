"""The Makefile does what it is told: with the Python that was asked for, and with names as people write them."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from deploy import given
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


def test_a_python_that_talks_and_is_too_old_is_passed_over(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As a shim may do for a version that is not there."""
    shims = tmp_path / "shims"
    shims.mkdir()
    version = f"python3.{sys.version_info[1]}"
    for name, text in {"python3": "#!/bin/sh\necho Python 3.8.1\nexit 1\n", version: "#!/bin/sh\nexit 0\n"}.items():
        (shims / name).write_text(text)
        (shims / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}:{os.environ['PATH']}")
    shutil.rmtree(checkout / ".venv")
    planned = make(checkout, "-n", ".venv/.installed").stdout
    assert "3.8.1" not in planned
    assert re.search(r"'python3\.1[0-2]' -m venv \.venv", planned)


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


def recipes() -> dict[str, str]:
    """The first line of each target that takes something, by the target."""
    text = (ROOT / "Makefile").read_text("utf-8")
    return dict(re.findall(r"(?m)^([a-z]+): .*\n\t\$\(call takes,[a-z]+,(.*)\)$", text))


def test_what_the_makefile_lets_pass_is_what_the_targets_take():
    known = {target: {*names} - {"ARGS", *given.SETTINGS} for target, names in given.TAKES.items()}
    assert {target: {*names.split()} for target, names in recipes().items()} == known


@pytest.mark.parametrize("target", given.TAKES)
def test_a_name_that_a_target_does_not_take_is_looked_at_before_anything_is_done(checkout: Path, target: str):
    say(checkout, PRINTS)
    planned = make(checkout, "-n", target, "MAX_PER_RUN=1").stdout
    asked, first = f".venv/bin/python -m deploy.given {target} MAX_PER_RUN", planned.strip().splitlines()[0]
    assert first == asked
    assert "deploy.given" not in make(checkout, "-n", target, "ARGS=--x").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run MAX_PER_RUN", "write MAX_RENEWALS_PER_RUN=... if that is meant"),
        ("run event", "write EVENT=... if that is meant"),
        ("run NAME", "give what make run takes: EVENT, ARGS and the settings of the function"),
        ("look RENEW_DOMAIN", "write RENEW_DOMAINS=..."),
        ("look FACTS", "give what make look takes: ARGS and the settings of the function"),
        (
            "invoke DRY_RUN",
            "choose dry_run under vars in s.mine.yaml and `make deploy`; for one dry run, send EVENT=events/",
        ),
        ("invoke DRYRUN", "choose dry_run under vars"),
        ("invoke MAX_RENEWALS_PER_RUN", "put MAX_RENEWALS_PER_RUN under environmentVariables in s.mine.yaml and"),
        ("deploy INSTANCES", "put INSTANCES under environmentVariables in s.mine.yaml."),
        ("deploy DRY_RUN", "choose dry_run under vars in s.mine.yaml."),
        ("package runtime", "write RUNTIME=..."),
        ("policy Queue", "write queue=..."),
        ("lock upgrade", "write UPGRADE=..."),
    ],
)
def test_what_has_no_effect_is_refused_with_what_to_type_instead(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
):
    assert given.main(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    target, name = words.split()
    assert line.startswith(f"make {target}: {name} has no effect here, and nothing was done")
    assert said in line.partition(" To do: ")[2]


@pytest.mark.parametrize(
    "words",
    [
        "run DRY_RUN INSTANCES MAX_RENEWALS_PER_RUN",
        "look RENEW_DOMAINS ALIBABA_CLOUD_PROFILE",
        "invoke NAME EVENT https_proxy HTTPS_PROXY",
        "deploy ALIBABA_CLOUD_ACCESS_KEY_ID",
        "package RUNTIME",
    ],
)
def test_what_has_its_effect_passes(words: str, capsys: pytest.CaptureFixture[str]):
    assert given.main(words.split()) == 0
    assert capsys.readouterr() == ("", "")


def programs() -> list[ast.Call]:
    """Every command line of this project, as it is put together in the code."""
    sources = [path for name in ("deploy", "look", "tests", "bench") for path in (ROOT / name).rglob("*.py")]
    calls = [
        node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    return [call for call in calls if ast.unparse(call.func) == "argparse.ArgumentParser"]


def test_no_command_takes_half_of_an_option_for_the_whole_and_each_is_called_as_people_call_it():
    """`--ye` is nobody's yes."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    calls = programs()
    assert len(calls) >= 9
    for call in calls:
        options = {word.arg: ast.unparse(word.value).strip("'") for word in call.keywords}
        assert options["allow_abbrev"] == "False"
        target = options["prog"].removeprefix("make ")
        assert target == "python -m tests.stubs" or re.search(rf"(?m)^{target}: ", makefile)


def test_the_runtime_of_the_package_is_python_3_10_unless_the_operator_chooses_another(checkout: Path):
    say(checkout, PRINTS)
    assert "<python3.10>" in make(checkout, "-s", "package").stdout
    assert "<python3.12>" in make(checkout, "-s", "package", "RUNTIME=python3.12").stdout


def wheel(folder: Path, name: str, version: str) -> None:
    """A package with nothing in it."""
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as packed:
        packed.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        packed.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        packed.writestr(f"{about}/RECORD", "")


def locked(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """By lock file, the packages with their versions."""
    return {path.name: re.findall(r"(?m)^(\w+)==(\S+)", path.read_text()) for path in folder.glob("*.lock")}


def test_what_is_locked_stays_so_until_an_upgrade_is_asked_for(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    say(checkout, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    wheels = checkout / "wheels"
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        wheel(wheels, "one", version)
        wheel(wheels, "other", version)
    for name, text in {"": "one\n", "-dev": "other\n"}.items():
        (checkout / f"requirements{name}.txt").write_text(text)
    for name, text in {"-dev": "one==1.0\nother==1.0\n", "": "one==1.0\n", "-3.12": "one==1.0\n"}.items():
        (checkout / f"requirements{name}.lock").write_text(text)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_INDEX_URL", wheels.as_uri())
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(checkout / "cache"))
    before = locked(checkout)
    done = make(checkout, "lock", "--assume-old=.venv/.installed")
    assert done.returncode == 0, done.stderr
    assert "--hash=" in (checkout / "requirements.lock").read_text()
    assert locked(checkout) == before
    for upgrade, option in (("UPGRADE=1", "--upgrade"), ("UPGRADE=one", "--upgrade-package=one")):
        planned = make(checkout, "-n", "lock", upgrade).stdout
        assert planned.count(f" {option} ") == len(before)


def test_mutants_that_there_are_not_are_not_all_seen(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        mutants.main(["nonsense"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "no mutant has 'nonsense' in its name; there are no_claim_before_the_call, " in said
