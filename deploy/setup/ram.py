"""Who is asking (STS), and the role with its policy (RAM), through their SDKs."""

from __future__ import annotations

from alibabacloud_credentials.client import Client as CredentialsChain
from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_sts20150401.client import Client as StsClient
from darabonba.runtime import RuntimeOptions

from deploy.problem import Problem
from deploy.setup.found import Policy, Role
from deploy.setup.services import call, config_for, require

CUSTOM = "Custom"


def identity(url: str, chain: CredentialsChain) -> tuple[str, str]:
    """Return the account of the credentials, and whose they are (an ARN). Raises Problem."""
    client = StsClient(config_for(url, chain))
    answer = call("sts:GetCallerIdentity", lambda: client.get_caller_identity_with_options(RuntimeOptions()))
    body = require(answer and answer.body, "sts:GetCallerIdentity")
    return str(require(body.account_id, "sts:GetCallerIdentity")), str(body.arn or "")


class Ram:
    """The roles and policies of the account. Each method raises Problem."""

    def __init__(self, url: str, chain: CredentialsChain) -> None:
        self._client = RamClient(config_for(url, chain))
        self._runtime = RuntimeOptions()

    def role(self, name: str) -> Role | None:
        """Return a role; None if there is none."""
        request = models.GetRoleRequest(role_name=name)
        answer = call(
            "ram:GetRole",
            lambda: self._client.get_role_with_options(request, self._runtime),
            {"EntityNotExist.Role"},
        )
        if answer is None:
            return None
        role = require(answer.body and answer.body.role, "ram:GetRole")
        return Role(str(role.assume_role_policy_document or ""), self._policies_of(name))

    def _policies_of(self, role: str) -> tuple[str, ...]:
        request = models.ListPoliciesForRoleRequest(role_name=role)
        action = "ram:ListPoliciesForRole"
        answer = call(action, lambda: self._client.list_policies_for_role_with_options(request, self._runtime))
        attached = require(answer and answer.body and answer.body.policies, action).policy or ()
        return tuple(
            one.policy_name if one.policy_type == CUSTOM else f"{one.policy_type}:{one.policy_name}" for one in attached
        )

    def policy(self, name: str) -> Policy | None:
        """Return a custom policy; None if there is none."""
        request = models.GetPolicyRequest(policy_name=name, policy_type=CUSTOM)
        answer = call(
            "ram:GetPolicy",
            lambda: self._client.get_policy_with_options(request, self._runtime),
            {"EntityNotExist.Policy"},
        )
        if answer is None:
            return None
        body = require(answer.body, "ram:GetPolicy")
        version = require(body.default_policy_version, "ram:GetPolicy")
        document = str(require(version.policy_document, "ram:GetPolicy"))
        attachments = int((body.policy and body.policy.attachment_count) or 0)
        return Policy(document, str(version.version_id or ""), attachments)

    def create_role(self, name: str, trust: str) -> None:
        """Make a role."""
        request = models.CreateRoleRequest(
            role_name=name, assume_role_policy_document=trust, description="cas-certificate-renewer"
        )
        call("ram:CreateRole", lambda: self._client.create_role_with_options(request, self._runtime))

    def create_policy(self, name: str, document: str) -> None:
        """Make a custom policy."""
        request = models.CreatePolicyRequest(
            policy_name=name, policy_document=document, description="cas-certificate-renewer"
        )
        call("ram:CreatePolicy", lambda: self._client.create_policy_with_options(request, self._runtime))

    def replace_policy(self, name: str, document: str, seen: Policy) -> None:
        """Give a policy another default version, if it still is what was `seen`; the oldest of five versions goes."""
        if self.policy(name) != seen:
            raise Problem(f"policy {name} has changed since it was shown", "run it again, and look at the difference")
        request = models.CreatePolicyVersionRequest(
            policy_name=name,
            policy_document=document,
            set_as_default=True,
            rotate_strategy="DeleteOldestNonDefaultVersionWhenLimitExceeded",
        )
        action = "ram:CreatePolicyVersion"
        answer = call(action, lambda: self._client.create_policy_version_with_options(request, self._runtime))
        version = require(answer and answer.body and answer.body.policy_version, action)
        if version.is_default_version is False:
            raise Problem(f"{action}: {version.version_id} is not in force", f"make it the default version of {name}")

    def attach(self, policy: str, role: str) -> None:
        """Attach a custom policy to a role."""
        request = models.AttachPolicyToRoleRequest(policy_name=policy, policy_type=CUSTOM, role_name=role)
        call("ram:AttachPolicyToRole", lambda: self._client.attach_policy_to_role_with_options(request, self._runtime))
