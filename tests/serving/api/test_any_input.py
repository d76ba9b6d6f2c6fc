"""Whatever the description of the API allows, and much that it does not, is answered without a fault of ours."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from two_mines import Site

from minefusion.serving.accounts.roles import RIGHT, access, may

EXAMPLES = 6
STREAM = "/api/v1/stream"  # never ends
CELLS = sorted(key for key in access() if key[0] != RIGHT and key[1] != STREAM)


@pytest.fixture(scope="module")
def operations(shown: Site) -> dict[tuple[str, str], Any]:
    schema = schemathesis.openapi.from_dict(shown.app.openapi())
    found = [each.ok() for each in schema.get_all_operations()]
    return {(each.method.upper(), each.path): each for each in found}


@pytest.mark.parametrize("cell", [*CELLS, ("POST", "/api/v1/login")], ids=" ".join)
def test_no_input_ends_in_a_server_error(shown: Site, operations: dict[tuple[str, str], Any], cell: tuple[str, str]):
    """Asked by one who may, so that what is behind the gate is reached."""
    operation = operations[cell]
    who = next((each for each in ("dispatcher@all", "admin@all", "engineer") if may(each.split("@")[0], *cell)), None)
    modes = schemathesis.GenerationMode
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE)))
    bounded = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @bounded
    @given(case=cases)
    def asked(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        headers = {name: value for name, value in (sent.pop("headers", None) or {}).items() if name != "Authorization"}
        sent = {name: value for name, value in sent.items() if name in ("params", "json", "data", "files")}
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        try:
            answer = shown.call(who, case.method, case.formatted_path, headers=headers, **sent)
        except (UnicodeEncodeError, TypeError, AttributeError):
            return  # the client itself refuses to send it
        assert answer.status_code < 500, answer.text

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            asked()
        except Exception as error:
            if type(error).__name__ != "Unsatisfiable":
                raise
