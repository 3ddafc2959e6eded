"""An account in which nothing is bound anywhere, for runs that deploy nothing."""

from __future__ import annotations

from typing import Any, cast

from handler.deployment.certificate import IssuedCertificate
from handler.deployment.served import Prober
from handler.deployment.service import DeploymentService, ResourceList


class _Nothing:
    def certificates_of(self, _instance: str) -> tuple[IssuedCertificate, ...]:
        return ()

    def resources(self, _certificate_id: str) -> ResourceList:
        return ResourceList()


NO_DEPLOYMENTS = cast("DeploymentService", _Nothing())
"""It has no way to make anything."""
NO_PROBER = cast("Prober", cast("Any", None))
