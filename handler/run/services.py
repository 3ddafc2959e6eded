"""What the door hands to a run."""

from typing import NamedTuple

from handler.deployment.served import Prober
from handler.deployment.service import DeploymentService
from handler.instances.service import InstanceService
from handler.journal.store import Store
from handler.orders.service import OrderService
from handler.outbox.queue import Queue
from handler.runtime.countdown import Countdown
from handler.runtime.log import Log
from handler.runtime.settings import Settings
from handler.watch.service import CertificateService


class Identity(NamedTuple):
    """Which invocation, for whom."""

    request_id: str
    account_id: str
    region: str
    event: str = ""
    """By what a repetition of the same event is known; empty where the platform repeats none."""


class Services(NamedTuple):
    """The services behind their ports, the settings and the time. `Run` gives each step what it needs of them."""

    identity: Identity
    settings: Settings
    time: Countdown
    log: Log
    orders: OrderService
    instances: InstanceService
    certificates: CertificateService
    deployments: DeploymentService
    prober: Prober
    queue: Queue
    store: Store
