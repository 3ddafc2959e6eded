"""What the tests of the project start from: a fresh checkout, whatever the operator has chosen in this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy import deployment
from tests.project.documents import ROOT


@pytest.fixture(autouse=True)
def checkout(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which the operator's commands read the deployment: that of the tracked files, nothing chosen."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (deployment.TRACKED, deployment.EXAMPLE):
        shutil.copy(ROOT / name, folder)
    monkeypatch.setattr(deployment, "ROOT", folder)
    return folder
