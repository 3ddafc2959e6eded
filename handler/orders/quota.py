"""Refusals of CAS that hold for every order of a product. Pure."""

_ACCOUNT_WIDE = frozenset({"InsufficientQuota", "NotRemainCount", "NotFoundPackage"})


def is_account_wide(code: str) -> bool:
    """Tell whether a refusal holds for every order of the same product: there is no quota left for any."""
    return code in _ACCOUNT_WIDE
