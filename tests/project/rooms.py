"""The rooms of `handler/` and the laws between them: what a module may import, told from the sources alone.

A room is a folder of `handler/`, or a module that lies beside the folders. Every import counts, wherever it stands: in
a function, or for the type checker alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"index"}),
    frozenset({"run", "cloud", "probe"}),
    frozenset({"triggers", "orders", "instances", "watch", "deployment", "outbox", "report"}),
    frozenset({"journal"}),
    frozenset({"result", "command"}),
    frozenset({"runtime"}),
    frozenset({"certificates"}),
    frozenset({"errors"}),
    frozenset({"outcomes"}),
)
"""From top to bottom. A room imports from the floors below its own only, so rooms of one floor never meet."""

ONLY_THE_DOOR = {"cloud": "index", "probe": "index"}
"""Rooms that one room alone imports."""

PURE: Mapping[str, frozenset[str]] = {
    "triggers": frozenset({"command", "certificates", "errors"}),
    "report": frozenset({"result", "outcomes", "runtime.clock", "certificates", "errors"}),
    "certificates": frozenset({"errors"}),
}
"""Rooms that do no I/O, and what they may import of the others: whole rooms, or a module of one."""

DOES_IO = frozenset(
    {
        *("alibabacloud_cas20200407", "alibabacloud_oss_v2", "alibabacloud_tea_openapi", "mns", "requests", "urllib3"),
        *("asyncio", "http", "os", "pathlib", "shutil", "socket", "ssl", "subprocess", "tempfile", "threading", "time"),
    }
)
"""Libraries that a pure room does without."""

MOST_LINES = 250

Sources = Mapping[str, str]
"""The text of each module by its name, such as `handler.orders.book`; that of a package by the package's name."""


def sources_in(folder: Path) -> dict[str, str]:
    """Read the modules of a package."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path.read_text(encoding="utf-8")
    return found


def room_of(module: str) -> str:
    """Return the room of a module: `handler.orders.book` is in `orders`, `handler.errors` is a room itself."""
    return module.split(".")[1]


def imports_of(module: str, sources: Sources) -> dict[str, int]:
    """Return every module that a module imports, with the first line where it does."""
    found: dict[str, int] = {}
    for name, line in sorted(_imported(module, sources), key=lambda one: one[1]):
        found.setdefault(name, line)
    return found


def _imported(module: str, sources: Sources) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(sources[module])):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node.lineno) for alias in names)
            case ast.ImportFrom(names=names):
                base = _base(node, module, sources)
                inner = [f"{base}.{alias.name}" for alias in names if f"{base}.{alias.name}" in sources]
                yield from ((name, node.lineno) for name in inner or [base])
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(function).rpartition(".")[2] in {"import_module", "__import__"}:
                    yield name, node.lineno


def _base(node: ast.ImportFrom, module: str, sources: Sources) -> str:
    """Return the module that a `from` names, dots at its beginning counted from the importing module's package."""
    if not node.level:
        return node.module or ""
    is_package = any(name.startswith(f"{module}.") for name in sources)
    package = module.split(".") if is_package else module.split(".")[:-1]
    parts = package[: len(package) - node.level + 1]
    return ".".join([*parts, node.module] if node.module else parts)


def arrows(sources: Sources) -> Iterator[tuple[str, str, int]]:
    """Yield every import from one room into another: the importing module, the imported one, and the line."""
    for module in sources:
        for name, line in imports_of(module, sources).items():
            inside = name.startswith("handler.") and "." in module
            if inside and room_of(name) != room_of(module):
                yield module, name, line


def unknown_rooms(sources: Sources) -> list[str]:
    """Return the modules whose room is on no floor."""
    known = frozenset[str]().union(*FLOORS)
    return [f"{module}: the room {room_of(module)} is on no floor" for module in sources if _is_homeless(module, known)]


def _is_homeless(module: str, known: frozenset[str]) -> bool:
    return "." in module and room_of(module) not in known


def arrows_that_do_not_go_down(sources: Sources) -> list[str]:
    """Return the imports from the same floor or from one above."""
    floor = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
    return [
        f"{module}:{line} imports {name}, which is not below it"
        for module, name, line in arrows(sources)
        if floor.get(room_of(name), -1) <= floor.get(room_of(module), -1)
    ]


def others_than_the_door(sources: Sources) -> list[str]:
    """Return the imports of a room by another than the one that may."""
    return [
        f"{module}:{line} imports {name}, which {ONLY_THE_DOOR[room_of(name)]} alone may"
        for module, name, line in arrows(sources)
        if ONLY_THE_DOOR.get(room_of(name), room_of(module)) != room_of(module)
    ]


def impure(sources: Sources) -> list[str]:
    """Return the imports of pure rooms that are none of theirs: of other rooms, and of libraries that do I/O."""
    found = [
        f"{module}:{line} imports {name}, which the pure room {room_of(module)} does without"
        for module, name, line in arrows(sources)
        if room_of(module) in PURE and not _is_allowed(name, PURE[room_of(module)])
    ]
    return found + [
        f"{module}:{line} imports {name}, and the room {room_of(module)} is pure"
        for module in sources
        if "." in module and room_of(module) in PURE
        for name, line in imports_of(module, sources).items()
        if name.split(".")[0] in DOES_IO
    ]


def _is_allowed(name: str, allowed: frozenset[str]) -> bool:
    return any(f"{name}.".startswith(f"handler.{one}.") for one in allowed)


def cycle(sources: Sources) -> list[str]:
    """Return modules that import each other in a circle, if there are any."""
    graph = {module: [name for name in imports_of(module, sources) if name in sources] for module in sources}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def too_long(sources: Sources) -> list[str]:
    """Return the modules with too many lines."""
    lines = {module: len(text.splitlines()) for module, text in sources.items()}
    return [f"{module} has {count} lines" for module, count in lines.items() if count > MOST_LINES]
