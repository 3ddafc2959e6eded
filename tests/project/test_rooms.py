"""The floor plan of `handler/` holds: arrows only go down, only the door imports the cloud, pure rooms are pure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.project.rooms import (
    FLOORS,
    MOST_LINES,
    Sources,
    arrows_that_do_not_go_down,
    cycle,
    imports_of,
    impure,
    others_than_the_door,
    sources_in,
    too_long,
    unknown_rooms,
)

HANDLER = sources_in(Path(__file__).resolve().parents[2] / "handler")


@pytest.mark.parametrize(
    "law",
    [unknown_rooms, arrows_that_do_not_go_down, others_than_the_door, impure, cycle, too_long],
    ids=lambda law: law.__name__,
)
def test_the_function_keeps_the_laws_of_its_rooms(law: Callable[[Sources], list[str]]) -> None:
    broken = law(HANDLER)
    assert not broken, "\n".join(broken)


def test_these_tests_read_the_function_and_not_nothing() -> None:
    assert {"handler", "handler.index", "handler.orders", "handler.orders.book", "handler.cloud.smq"} <= set(HANDLER)
    # One is imported at the top, and one in a function.
    assert {"handler.cloud.smq", "handler.cloud.oss_store"} <= set(imports_of("handler.index", HANDLER))


# --- the checker sees -------------------------------------------------------------------------------------------------


def house(**modules: str) -> dict[str, str]:
    """Made-up sources: `orders__book="import x"` is `handler.orders.book`, with all packages around it."""
    found = {"handler": ""}
    for name, text in modules.items():
        parts = name.split("__")
        found |= {".".join(["handler", *parts[:depth]]): "" for depth in range(1, len(parts))}
        found[".".join(["handler", *parts])] = text
    return found


WAYS_TO_IMPORT = [
    "import handler.cloud.smq",
    "import json, handler.cloud.smq as queue",
    "from handler.cloud.smq import Smq",
    "from handler.cloud import smq",
    "from handler.cloud import smq as queue",
    "from ..cloud.smq import Smq",
    "from ..cloud import smq",
    "def send():\n    from handler.cloud.smq import Smq\n",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from handler.cloud.smq import Smq\n",
    "try:\n    import handler.cloud.smq\nexcept ImportError:\n    pass\n",
    "import importlib\nimportlib.import_module('handler.cloud.smq')",
    "from importlib import import_module\nimport_module('handler.cloud.smq')",
    "__import__('handler.cloud.smq')",
]


@pytest.mark.parametrize("text", WAYS_TO_IMPORT)
def test_an_import_is_seen_however_and_wherever_it_is_written(text: str) -> None:
    sources = house(run__run=text, cloud__smq="")
    assert "handler.cloud.smq" in imports_of("handler.run.run", sources)
    assert [said.split(":")[0] for said in others_than_the_door(sources)] == ["handler.run.run"]
    assert [said.split(":")[0] for said in arrows_that_do_not_go_down(sources)] == ["handler.run.run"]


def test_an_import_of_a_whole_room_or_in_its_package_is_seen_too() -> None:
    sources = house(run__run="from handler import cloud", cloud__smq="")
    assert others_than_the_door(sources) == ["handler.run.run:1 imports handler.cloud, which index alone may"]
    sources = {**house(run__run="", cloud__smq=""), "handler.run": "\nfrom ..cloud import smq"}
    assert others_than_the_door(sources) == ["handler.run:2 imports handler.cloud.smq, which index alone may"]


def test_a_text_or_a_name_that_is_no_import_is_none() -> None:
    sources = house(run__run='"""See `handler.cloud.smq`."""\nhandler = cloud = smq = "import handler.cloud.smq"')
    assert imports_of("handler.run.run", sources) == {}


def test_the_door_may_import_every_room() -> None:
    rooms = sorted(frozenset[str]().union(*FLOORS) - {"index"})
    sources = house(index="\n".join(f"from handler.{room} import x" for room in rooms), **dict.fromkeys(rooms, ""))
    assert len(imports_of("handler.index", sources)) == len(rooms)
    assert others_than_the_door(sources) == arrows_that_do_not_go_down(sources) == []


@pytest.mark.parametrize(
    ("upper", "lower"),
    [(upper, lower) for floor, below in pairwise(FLOORS) for upper in sorted(floor) for lower in sorted(below)],
)
def test_arrows_go_down_and_never_up(upper: str, lower: str) -> None:
    assert arrows_that_do_not_go_down({"handler": "", f"handler.{upper}": f"from handler.{lower} import x"}) == []
    assert arrows_that_do_not_go_down({"handler": "", f"handler.{lower}": f"\nfrom handler.{upper} import x"}) == [
        f"handler.{lower}:2 imports handler.{upper}, which is not below it"
    ]


def test_the_rooms_of_a_floor_never_meet() -> None:
    for one, other in (("orders", "instances"), ("instances", "orders"), ("orders", "outbox"), ("triggers", "report")):
        sources = house(**{f"{one}__a": f"from handler.{other}.b import x", f"{other}__b": ""})
        assert arrows_that_do_not_go_down(sources) == [
            f"handler.{one}.a:1 imports handler.{other}.b, which is not below it"
        ]


def test_modules_of_one_room_may_meet_but_not_in_a_circle() -> None:
    sources = house(orders__a="from handler.orders import b", orders__b="from handler.orders.c import x", orders__c="")
    assert arrows_that_do_not_go_down(sources) == cycle(sources) == []
    sources["handler.orders.c"] = "def late():\n    from handler.orders import a\n"
    assert {"handler.orders.a", "handler.orders.b", "handler.orders.c"} == set(cycle(sources))


@pytest.mark.parametrize(
    ("room", "text", "said"),
    [
        ("triggers", "from handler.journal.store import Store", "handler.journal.store"),
        ("triggers", "from handler.runtime.clock import Clock", "handler.runtime.clock"),
        ("report", "from handler.journal import work", "handler.journal.work"),
        ("report", "from handler.runtime.log import Log", "handler.runtime.log"),
        ("certificates", "from handler.command import Renew", "handler.command"),
        ("certificates", "from handler.runtime.clock import Clock", "handler.runtime.clock"),
        ("certificates", "import socket", "socket"),
        ("triggers", "import requests.adapters", "requests.adapters"),
        ("report", "def write():\n    from pathlib import Path\n", "pathlib"),
    ],
)
def test_a_pure_room_imports_nothing_that_is_not_pure(room: str, text: str, said: str) -> None:
    sources = house(**{f"{room}__a": text}, journal__store="", journal__work="", runtime__clock="", runtime__log="")
    (found,) = impure({**sources, "handler.command": ""})
    assert found.startswith(f"handler.{room}.a:")
    assert f"imports {said}," in found


@pytest.mark.parametrize(
    ("room", "text"),
    [
        ("triggers", "import json\nfrom handler.command import Renew\nfrom handler.certificates.csr import Csr"),
        ("report", "from handler.runtime.clock import rfc3339\nfrom handler.report.words import Words"),
        ("certificates", "import re\nfrom handler.errors import EventRefused"),
        ("orders", "import time\nfrom handler.journal.store import Store"),
    ],
)
def test_what_a_room_may_import_is_no_offence(room: str, text: str) -> None:
    assert impure(house(**{f"{room}__a": text})) == []


def test_a_new_room_needs_a_floor() -> None:
    assert unknown_rooms(house(orders__a="", utils__a="")) == [
        "handler.utils: the room utils is on no floor",
        "handler.utils.a: the room utils is on no floor",
    ]
    assert arrows_that_do_not_go_down(house(orders__a="from handler.utils import a", utils__a="")) != []


def test_a_module_above_the_limit_is_too_long() -> None:
    assert too_long(house(orders__a="\n" * MOST_LINES)) == []
    assert too_long(house(orders__a="\n" * (MOST_LINES + 1))) == [f"handler.orders.a has {MOST_LINES + 1} lines"]
