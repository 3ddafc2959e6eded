"""The cloud on this machine: CAS, SMQ and OSS as the real SDK clients see them, with faults on demand.

Start with `tests.stubs.cloud.local_cloud`. Nothing here ever talks to the network, and whatever a stub lacks fails
loudly with `NotStubbed` instead of succeeding quietly. The tests beside the stubs hold them to the real SDKs, in
seconds: a stub is only worth what it is tested for.
"""
