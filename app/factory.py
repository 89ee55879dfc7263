"""The web application, put together in named steps."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app.adapters.log import configure_logging
from app.bootstrap import Platform, build_platform, derived_key
from app.settings import Settings
from app.web import blueprints
from app.web.components import register_components
from app.web.edge import EXTENSION, STATIC, static_url
from app.web.errors import register_errors
from app.web.i18n import register_i18n
from app.web.kept_page import register_kept_pages
from app.web.metrics import register_metrics
from app.web.moments import register_moments
from app.web.navigation import register_navigation
from app.web.people_words import register_people_words
from app.web.readable import register_readable
from app.web.request_log import register_request_log
from app.web.route_words import register_route_words
from app.web.security import register_security
from app.web.signed_in import register_signed_in
from app.web.waiting import register_waiting


def create_app(settings: Settings | None = None, *, platform: Platform | None = None) -> Flask:
    """The application for these settings; without any, for those of the environment."""
    if platform is None:
        platform = build_platform(settings or Settings.from_env())
    settings = platform.settings
    configure_logging(settings.log)
    app = Flask("app.web", template_folder="pages", static_folder=str(STATIC))
    app.extensions[EXTENSION] = platform
    platform.read_rules()
    _configure(app, settings)
    register_request_log(app)  # first, so that every later step logs under the request's id
    register_metrics(app)
    register_readable(app)  # before anything is looked up by what was sent
    register_signed_in(app)
    register_security(app)
    register_i18n(app)
    register_navigation(app)
    register_people_words(app)
    register_route_words(app)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["static_url"] = static_url
    register_components(app.jinja_env)
    register_kept_pages(app)
    register_moments(app)
    register_waiting(app)
    register_errors(app)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    if settings.web.trusted_proxies:
        hops = settings.web.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=derived_key(settings.web.secret_key, "cookies"),
        MAX_CONTENT_LENGTH=settings.limits.upload_bytes,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SESSION_COOKIE_NAME="imprimatur_page",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.web.cookie_secure,
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        WTF_CSRF_TIME_LIMIT=None,  # a draft left open over lunch can still be sent
        JSON_AS_ASCII=False,
    )
