"""Keeps what the function never uses from being loaded. Can be deleted: see the end of this text.

The first lines of the SDKs import what only their other methods need: an asynchronous HTTP library, a scheduler,
WebSockets, encryption on the client, a class for every request and answer of every operation. On a cold start that is
more than half of the time.

Inside `with lean_imports():`, importing a module of `UNUSED` gives a stand-in, and so does every name taken from it.
When the block ends, no stand-in is left in `sys.modules`: whoever imports such a module from then on gets the real
one. What an SDK has kept becomes the real thing when it is first used: called, asked for an attribute, derived from, or
checked against with `isinstance`. So a mistake in the list costs time and breaks nothing. Only what the package leaves
out as well (`LEFT_OUT` in `deploy/left_out.py`) ends in an ImportError that names this file.

The SDKs stay as they are, on disk and in memory; `tests/project/test_lean_imports.py` compares them with and without
this.

To do without it: remove the lines `with lean_imports():` and their import from `handler/index.py`, empty `LEFT_OUT` in
`deploy/left_out.py`, and delete this file, `tests/project/test_lean_imports.py` and `tests/project/test_imports.py`.
The function then does the same and starts slower.
"""

import atexit
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

UNUSED = (
    # asynchronous methods
    "aiofiles.",
    "aiohttp.",
    "asyncio.",
    # kinds of credentials that are fetched; the function is handed its own
    "Tea.core.",
    "alibabacloud_credentials.credentials.",
    "alibabacloud_credentials.provider.cli_profile.",
    "alibabacloud_credentials.provider.cloud_sso.",
    "alibabacloud_credentials.provider.default.",
    "alibabacloud_credentials.provider.ecs_ram_role.",
    "alibabacloud_credentials.provider.env.",
    "alibabacloud_credentials.provider.external.",
    "alibabacloud_credentials.provider.oauth.",
    "alibabacloud_credentials.provider.oidc.",
    "alibabacloud_credentials.provider.profile.",
    "alibabacloud_credentials.provider.ram_role_arn.",
    "alibabacloud_credentials.provider.rsa_key_pair.",
    "alibabacloud_credentials.provider.uri.",
    "apscheduler.",
    # other gateways, WebSockets, signatures with a key pair
    "alibabacloud_gateway_spi.",
    "alibabacloud_tea_openapi.websocket_utils.",
    "cryptography.",
    "darabonba.websocket.",
    # 260 modules, of which a run uses six: each is loaded when it is first used
    "alibabacloud_cas20200407.models._",
    # large files, signed addresses, encryption on the client
    "alibabacloud_oss_v2.checkpoint.",
    "alibabacloud_oss_v2.copier.",
    "alibabacloud_oss_v2.crypto.",
    "alibabacloud_oss_v2.downloader.",
    "alibabacloud_oss_v2.encryption_client.",
    "alibabacloud_oss_v2.filelike.",
    "alibabacloud_oss_v2.paginator.",
    "alibabacloud_oss_v2.presigner.",
    "alibabacloud_oss_v2.uploader.",
    # texts in an unknown encoding, certificates in a zip, HTTP/2, and of wrapt all but its decorators
    "charset_normalizer.api.",
    "charset_normalizer.legacy.",
    "charset_normalizer.models.",
    "charset_normalizer.utils.",
    "importlib.metadata.",
    "wrapt.caching.",
    "wrapt.doc.",
    "wrapt.importer.",
    "wrapt.patches.",
    "wrapt.proxies.",
    "wrapt.signature.",
    "wrapt.synchronization.",
    "wrapt.weakrefs.",
    "zipfile.",
)
"""Modules with all that is below them: beginnings of a module's name with a dot behind it."""


@contextmanager
def lean_imports() -> Iterator[None]:
    """Let stand-ins take the place of unused modules that are imported in this block.

    The garbage collector rests meanwhile, and leaves alone what there is at the end: modules are made to stay.
    """
    collecting, loaded = gc.isenabled(), len(sys.modules)
    gc.disable()
    sys.meta_path.insert(0, _FINDER)
    try:
        yield
    finally:
        _dismiss()
        if len(sys.modules) > loaded:
            gc.freeze()
            atexit.register(gc.unfreeze)  # the interpreter's own tidying at its end is to be whole
        if collecting:
            gc.enable()


class _Finder(MetaPathFinder, Loader):
    """Finds a stand-in for each unused module."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if f"{fullname}.".startswith(UNUSED) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: a stand-in is empty."""


class _Module(ModuleType):
    """Stands in for a module."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Asked for by the import system, or more than a stand-in can stand for, such as a version.
            msg = f"{self.__name__}, a stand-in of handler/runtime/lean_imports.py, has no {name}"
            raise AttributeError(msg)
        return _Name(self.__name__, name) if _FINDER in sys.meta_path else _load(self.__name__, name)


class _Name:
    """Stands in for a name of a module. It cannot stand after `except`, where Python wants the class itself."""

    def __init__(self, module: str, name: str) -> None:
        self.__where = (module, name)
        self.__real: Any = None

    def __load(self) -> Any:
        if self.__real is None:
            self.__real = _load(*self.__where)
        return self.__real

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__load()(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__load(), name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self.__load())

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self.__load())

    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.__load(),)


def _load(module: str, name: str) -> Any:
    """Return the real thing."""
    _dismiss()  # if this is still inside the block: what is used there must be whole
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        msg = f"{module}.{name} is used after all, and {error.name} is not there: see handler/runtime/lean_imports.py"
        raise ImportError(msg) from error


_FINDER = _Finder()


def _dismiss() -> None:
    """End the block: no more stand-ins, and none in the place of a real module."""
    if _FINDER in sys.meta_path:
        sys.meta_path.remove(_FINDER)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _Module)]:
            del sys.modules[name]
