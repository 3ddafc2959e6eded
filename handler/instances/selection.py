"""Which instances a selection means. Pure."""

from collections.abc import Iterable

from handler.certificates.domains import canonical
from handler.command import Selection
from handler.instances.instance import Instance
from handler.instances.policy import names_of


def selected(selection: Selection | None, instances: Iterable[Instance]) -> list[Instance]:
    """Return the instances that a selection means; no selection means a scan, and so all of them.

    A domain means the instances whose newest certificate is for that very name and no other, as it does with orders.
    """
    if selection is None:
        return list(instances)
    domains = {canonical(domain) for domain in selection.domains}
    return [
        instance
        for instance in instances
        if instance.id in selection.instance_ids
        or (instance.certificate_id and instance.certificate_id in selection.certificate_ids)
        or (len(names_of(instance)) == 1 and domains.issuperset(names_of(instance)))
    ]
