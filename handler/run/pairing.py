"""Which certificate replaces which, and where the replaced one is bound: what CAS shows of a replacement."""

from handler.certificates.rules import are_names, is_allowed
from handler.deployment.certificate import IssuedCertificate, gone
from handler.deployment.look import listed_for
from handler.deployment.plan import Plan, planned
from handler.deployment.replacement import Replacement
from handler.deployment.twins import Twins, twins
from handler.errors import CasRefused
from handler.outcomes import Reason
from handler.run.services import Services


class Pairing:
    """Reads what is known of the two certificates of a replacement."""

    def __init__(self, services: Services) -> None:
        """Of the settings, `DEPLOY_TO` says what is to be deployed, and `RENEW_DOMAINS` which names may be."""
        self._service = services.deployments
        self._settings = services.settings
        self._time = services.time

    def certificates(self, one: Replacement, *, is_begun: bool) -> Twins | Reason:
        """Return the two certificates; of an order they are found by what CAS shows of the two orders.

        `is_begun`: something was made for them, and is gone on with although CAS may no longer show one of the two: a
        person deletes what is replaced. Raises CasError.
        """
        if not one.new_id:
            return self._twins(one)
        found = self._certificate(one.old_id), self._certificate(one.new_id)
        old = found[0] or (gone(one.old_id, one.old_ends) if is_begun else None)
        new = found[1] or (gone(one.new_id, one.new.ends) if is_begun else None)
        return Twins(old, new) if old and new else Reason.CERTIFICATE_NOT_FOUND

    def is_forbidden(self, of: Twins) -> bool:
        """Tell whether the operator does not allow the names of the two."""
        texts = [one.domain for one in of if are_names(one.domain)]
        return not all(is_allowed(text, self._settings.rules) for text in texts)

    def bound(self, one: Replacement, *, may_be_gone: bool) -> Plan:
        """Return what is bound to the old one: what is to get the new one, and what is left alone. Raises CasError.

        `may_be_gone`: see `listed_for`.
        """
        found = listed_for(self._service, one.old_id, may_be_gone=may_be_gone)
        return planned(one.old_id, found.resources, found.nameless, self._settings.deploy_to)

    def _certificate(self, certificate_id: str) -> IssuedCertificate | None:
        try:
            return self._service.certificate(certificate_id)
        except CasRefused as refused:
            if "NotFound" not in refused.code:
                raise
            return None

    def _twins(self, one: Replacement) -> Twins | Reason:
        if not (one.old_instance and one.new.instance):
            return Reason.CERTIFICATE_NOT_FOUND
        of_both = one.old_instance, one.new.instance
        everything = [certificate for of in of_both for certificate in self._service.certificates_of(of)]
        return twins(one.old_instance, one.new.instance, everything, self._time.now())
