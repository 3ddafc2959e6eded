"""What is installed and does not go into the package, since the function never imports it."""

import shutil
from fnmatch import fnmatch
from pathlib import Path, PurePath

UNUSED = (
    # what installers leave, and commands
    "*.dist-info",
    "bin",
    "__pycache__",
    # what only a type checker, a compiler or a reader opens
    "*-stubs",
    "*.pyi",
    "py.typed",
    "*.pyx",
    "*.pxd",
    "*.pxi",
    "*.c",
    "*.h",
    "*.md",
    "*.rst",
    # another platform
    "emscripten",
    # tests of the libraries
    "tests",
    "SelfTest",
    "test_utils.py",
    "pytest_plugin.py",
    "_testcapi.*.so",
    # installers
    "pip",
    "setuptools",
    "pkg_resources",
)
"""Names of files and folders, at any depth, that the function never imports."""

LEFT_OUT = (
    # what only asynchronous methods use
    "aiofiles",
    "aiohappyeyeballs",
    "aiohttp",
    "aiosignal",
    "alibabacloud_oss_v2/aio",
    "async_timeout",
    "attr",
    "attrs",
    "frozenlist",
    "multidict",
    "propcache",
    "typing_extensions.py",
    "yarl",
    # credentials that are fetched: the function is handed its own
    "apscheduler",
    "tzlocal",
    # WebSockets
    "websocket",
    # encryption on the client
    "Crypto",
    # other services of OSS
    "alibabacloud_oss_v2/agentic",
    "alibabacloud_oss_v2/dataprocess",
    "alibabacloud_oss_v2/tables",
    "alibabacloud_oss_v2/vectors",
    # what made cryptography's compiled parts; they need `_cffi_backend` alone
    "cffi",
    "pycparser",
    # nothing imports it
    "alibabacloud_tea_util",
)
"""Files and folders that the function does not import because of `handler/runtime/lean_imports.py`, or whose only
users it does not import. Without that module this must be empty: `prove` would fail."""


def prune(code: Path) -> None:
    """Remove what the function never imports."""
    for path in sorted(code.rglob("*")):
        if path.exists() and (is_unused(path) or path.relative_to(code).as_posix() in LEFT_OUT):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def is_unused(path: PurePath) -> bool:
    """Whether a file or folder of this name is of no use to the function."""
    return any(fnmatch(path.name, pattern) for pattern in UNUSED)
