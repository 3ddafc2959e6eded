"""Refusals that hold for every order of a product: there is no quota left for any. Pure."""

_NO_QUOTA = frozenset({"InsufficientQuota", "NotRemainCount", "NotFoundPackage"})


def is_account_wide(code: str) -> bool:
    """Tell whether a refusal with this code of CAS holds for every order of the same product."""
    return code in _NO_QUOTA
