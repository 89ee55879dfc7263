"""The OpenAPI document says what the routes do, and the routes do what it says."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

HTTP_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}


@pytest.fixture
def client_of_nobody(client: FlaskClient) -> FlaskClient:
    return client


def test_every_route_is_in_the_document_and_nothing_else(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()

    documented = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if method.upper() in HTTP_METHODS
    }
    routed = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in client.application.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) & HTTP_METHODS
    }
    assert documented == routed
