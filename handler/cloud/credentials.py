"""Whose account: temporary credentials, read anew at every invocation, and kept out of every text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from handler.errors import SettingsError
from handler.runtime.context import Context
from handler.runtime.redaction import Redaction

_NAMES = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN")


@dataclass(frozen=True)
class Credentials:
    """An access key, with its STS token where it has one (empty for a long-lived key)."""

    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str = field(repr=False)

    def redact(self, text: str) -> str:
        """Return the text without any of these values, whole or cut short, in whatever spelling; see `Redaction`.

        Nor has it any PEM block or any query of a URL left. Redact before you cut: what is left of a secret behind a
        cut may be too short to be known as one.
        """
        return self._redaction(text)

    @cached_property
    def _redaction(self) -> Redaction:
        return Redaction((self.security_token, self.access_key_secret, self.access_key_id))


def credentials_from(environ: Mapping[str, str], context: Context) -> Credentials:
    """Take the credentials of the function's role: from the context, else (runtime 3.12) from the environment.

    Raises SettingsError if neither has them: then the function has no role.
    """
    given = getattr(context, "credentials", None)
    if given is not None and given.access_key_id and given.access_key_secret:
        return Credentials(given.access_key_id, given.access_key_secret, given.security_token or "")
    key_id, secret, token = (environ.get(name, "") for name in _NAMES)
    if not key_id or not secret:
        raise SettingsError(
            [f"no credentials: neither the context nor {_NAMES[0]} and {_NAMES[1]} has any; give the function a role"]
        )
    return Credentials(key_id, secret, token)
