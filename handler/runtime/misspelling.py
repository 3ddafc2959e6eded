"""Environment variables whose name is nearly a setting's: left alone, the setting that was meant has its default."""

from collections.abc import Collection, Iterable


def misspelt(environ: Iterable[str], names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return each variable that is none of the names but nearly one, with the names that it nearly is.

    Nearly: apart from case, hyphens and underscores they differ in at most one letter, which is missing, too much,
    another one, or has changed places with the next.
    """
    bare = {name: _bare(name) for name in names}
    others = {variable: _bare(variable) for variable in environ if variable not in bare}
    near = {
        variable: tuple(name for name, meant in bare.items() if _one_letter_apart(written, meant))
        for variable, written in others.items()
    }
    return {variable: meant for variable, meant in near.items() if meant}


def _bare(name: str) -> str:
    return name.replace("_", "").replace("-", "").upper()


def _one_letter_apart(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[same:], other[same:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]
