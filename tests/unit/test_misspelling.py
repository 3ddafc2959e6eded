"""A variable whose name is nearly that of a setting is refused, and no other is."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handler.errors import SettingsError
from handler.runtime.misspelling import misspelt
from handler.runtime.variables import VARIABLES
from tests import examples
from tests.examples import PROPERTY


def problems(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as wrong:
        examples.settings(environ)
    return wrong.value.problems


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("dry_run", "DRY_RUN"),
        ("DRY-RUN", "DRY_RUN"),
        ("DryRun", "DRY_RUN"),
        ("DRY_RUN_", "DRY_RUN"),
        ("dry_rum", "DRY_RUN"),
        ("RENEW_DOMAIN", "RENEW_DOMAINS"),
        ("RENEW_DOMAIN_EXCEPT", "RENEW_DOMAINS_EXCEPT"),
        ("RENEW_DOMIANS", "RENEW_DOMAINS"),
        ("MAX_RENEWAL_PER_RUN", "MAX_RENEWALS_PER_RUN"),
        ("SMQ_QUEUES", "SMQ_QUEUE"),
    ],
)
@pytest.mark.parametrize("value", ["true", ""])
def test_a_misspelt_setting_is_refused_with_its_name_and_the_one_that_is_meant(slip, meant, value):
    assert problems({slip: value}) == (f"{slip} is no setting; if {meant} is meant, rename it, else remove it",)


def test_a_misspelt_setting_is_refused_beside_the_right_one_and_together_with_what_else_is_wrong():
    assert problems({"DRY_RUN": "true", "dry_run": "s3cret"}) == (
        "dry_run is no setting; if DRY_RUN is meant, rename it, else remove it",
    )
    said = problems({"SMQ_QUEUE": "", "SMQ_QUEU": "a-queue"})
    assert [problem.split(";")[0] for problem in said] == ["SMQ_QUEU is no setting", "SMQ_QUEUE is not set"]


def test_settings_that_are_near_each_other_are_settings_and_what_is_near_to_both_is_said_to_be():
    names = ("LEFT_AT", "LEFT_ST")
    assert misspelt(names, names) == {}
    assert misspelt(["LEFT_IT", "left_at"], names) == {"LEFT_IT": names, "left_at": names}


NAMES = [variable.name for variable in VARIABLES]
TYPICAL = [
    *("PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "LANG", "LC_ALL", "TZ", "TMPDIR", "HOSTNAME", "USER", "TERM", "_"),
    *("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONHASHSEED", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    *("HTTP_PROXY", "https_proxy", "NO_PROXY", "JOURNAL_STREAM", "INVOCATION_ID", "DRY", "RUN", "DEBUG", "QUEUE_URL"),
    *("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
    *("ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_ACCOUNT_ID", "ALIBABA_CLOUD_ECS_METADATA", "securityToken"),
    *("accessKeyID", "accessKeySecret", "FC_FUNC_CODE_PATH", "FC_FUNCTION_NAME", "FC_FUNCTION_HANDLER", "FC_REGION"),
    *("FC_FUNCTION_MEMORY_SIZE", "FC_ACCOUNT_ID", "FC_INSTANCE_ID", "FC_SERVER_PORT", "FC_RUNTIME", "FC_QUALIFIER"),
    *("FC_SERVER_PATH", "FC_SERVICE_NAME", "FC_VERSION_ID", "FC_LAYERS", "FC_CUSTOM_LISTEN_PORT", "FC_HANDLER"),
    *("MNS_ENDPOINT", "LOG_ENDPOINT", "FC_ENDPOINT", "ENDPOINT", "SMQ_REGION", "OSS_BUCKET", "OSS_REGION", "CAS_URL"),
    *("ALERT_EMAIL", "ALERT_QUEUE_URL", "RENEW", "DOMAINS", "RENEWALS", "SETTLE", "EXPIRY", "MAX_RENEWALS"),
]
"""What a function's environment has beside the settings, and names that are like them without being a slip."""


def test_what_the_function_does_not_know_does_not_matter():
    assert examples.settings(dict.fromkeys(TYPICAL, "wrong")) == examples.settings()


def test_no_name_of_a_typical_environment_is_taken_for_a_slip():
    assert misspelt([*TYPICAL, *NAMES], NAMES) == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_slip_of_one_letter_is_seen(name):
    letters = "AEXZ019_-s"
    slips = {
        *(name[:i] + name[i + 1 :] for i in range(len(name))),
        *(name[:i] + letter + name[i:] for i in range(len(name) + 1) for letter in letters),
        *(name[:i] + letter + name[i + 1 :] for i in range(len(name)) for letter in letters),
        *(name[:i] + name[i + 1] + name[i] + name[i + 2 :] for i in range(len(name) - 1)),
        name.lower(),
        name.title(),
        name.replace("_", ""),
        name.replace("_", "-"),
        f"_{name.replace('_', '__')}_",
    } - {*NAMES}
    found = misspelt(slips, NAMES)
    assert set(found) == slips
    assert all(name in meant for meant in found.values())


def letters_changed(one: str, other: str) -> int:
    """How many letters must be put in, taken out, replaced or swapped with the next, by the textbook's table."""
    rows = [[i + j for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and (a, one[i - 2]) == (other[j - 2], b):
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@PROPERTY
@given(st.text("DRYUNdry_-", min_size=3, max_size=10))
@example("RDY_RNU")
def test_two_slips_are_another_name(text):
    bare = text.replace("_", "").replace("-", "").upper()
    assert bool(misspelt([text], ["DRY_RUN"])) == (text != "DRY_RUN" and letters_changed(bare, "DRYRUN") <= 1)
