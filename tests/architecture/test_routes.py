"""Every address is either open to everybody by name, or refuses whoever has not signed in."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.factories import House

# What a person may open without signing in. A new public page is added here on purpose or not at all.
PUBLIC = {
    "static",
    "brand.brand_css",
    "health.healthz",
    "health.readyz",
    "links.ask_number",
    "links.follow",
    "links.picture",
    "links.seen",
    "links.seen_without_script",
    "links.send_lead",
    "links.show_landing",
    "links.show_portrait",
    "links.verify",
    "metrics.show_metrics",
    "sign_in.home",
    "sign_in.log_in",
    "sign_in.log_out",
    "sign_in.show_login",
}
# What a customer's page sends: it is proved by the token in its address, and no cookie is looked at.
WITHOUT_COOKIE = {"links.seen", "links.send_lead"}
NOBODY = UUID(int=0)


# A value that each kind of place takes; what is not named here takes any word.
PLACES = {
    "UUIDConverter": NOBODY,
    "IntegerConverter": 1,
    "Sha256Converter": "0" * 64,
    "NumberConverter": 1,
}


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def address_of(app: Flask, rule: Rule) -> str:
    """The rule with a value in every place, of the kind its converter takes."""
    values = {
        name: PLACES.get(type(converter).__name__, "nothing") for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values)


def is_public(app: Flask, rule: Rule) -> bool:
    view = app.view_functions[rule.endpoint]
    return rule.endpoint == "static" or getattr(view, "is_public", False)


@pytest.fixture
def app(client: FlaskClient) -> Flask:
    return client.application


def test_what_is_public_is_public_by_name(app):
    marked = {
        rule.endpoint for rule in rules(app) if is_public(app, rule) and not rule.rule.startswith("/api/")
    }
    assert marked == PUBLIC


def test_every_other_address_refuses_whoever_has_not_signed_in(app, client):
    let_in = []
    for rule in rules(app):
        if is_public(app, rule):
            continue
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            answer = client.open(address_of(app, rule), method=method, headers={"Accept": "text/html"})
            to_login = answer.status_code == 303 and answer.location.startswith("/login")
            if not (to_login or answer.status_code == 401):
                let_in.append((method, rule.rule, answer.status_code))
    assert let_in == []


@pytest.mark.parametrize(
    "header",
    [
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "X-Frame-Options",
        "Cross-Origin-Opener-Policy",
        "Cross-Origin-Resource-Policy",
        "Permissions-Policy",
    ],
)
def test_every_answer_carries_the_security_headers(app, client, header):
    bare = [
        rule.rule
        for rule in rules(app)
        if "GET" in rule.methods and header not in client.get(address_of(app, rule)).headers
    ]
    assert bare == []


def test_no_policy_allows_inline_code_or_another_host(app, client):
    for rule in rules(app):
        if "GET" not in rule.methods:
            continue
        policy = client.get(address_of(app, rule)).headers["Content-Security-Policy"]
        assert "unsafe" not in policy, rule.rule
        assert "http" not in policy, rule.rule
        assert "default-src 'none'" in policy, rule.rule
        assert "frame-ancestors 'none'" in policy, rule.rule


def test_every_form_that_changes_something_refuses_a_request_without_its_token(app, client, platform):
    House.build(platform, templates=False).log_in(client, "administrator")
    app.config["WTF_CSRF_ENABLED"] = True
    unguarded = {
        rule.endpoint
        for rule in rules(app)
        # machines carry a bearer token, which no browser sends by itself
        if not rule.rule.startswith("/api/")
        for method in rule.methods & {"POST", "PUT", "PATCH", "DELETE"}
        if client.open(address_of(app, rule), method=method).status_code != 400
    }
    assert unguarded == WITHOUT_COOKIE
