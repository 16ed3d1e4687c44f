"""What people see: pages and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from cohorts.database import Database
    from config import Settings

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_PASTED_BYTES = 4 * 1024 * 1024


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """Make the web application; the settings come from the environment unless given."""
    # The command line starts in this package too, and most commands need no web framework.
    from flask import Flask
    from flask_wtf import CSRFProtect
    from werkzeug.middleware.proxy_fix import ProxyFix

    import config
    from cohorts import jobs
    from cohorts.database import Database
    from cohorts.links import Links

    from . import (
        api,
        api_base,
        auth,
        compression,
        errors,
        health,
        learner,
        locales,
        logs,
        mails,
        organiser,
        security,
        token_pages,
    )
    from . import database as requests

    settings = settings or config.load()
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=MAX_UPLOAD_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_PASTED_BYTES,
        MAX_FORM_PARTS=2000,
        WTF_CSRF_TIME_LIMIT=24 * 3600,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    logs.init_app(app, behind_proxy=settings.trusted_proxies > 0)
    requests.init_app(app, database or Database(settings.database_url))
    app.extensions["links"] = Links(settings.secret_key, settings.public_url)
    app.extensions["jobs"] = jobs.Queue(settings.queue_url, settings.secret_key)
    locales.init_app(app)  # first of all: what any of the others says is said in the right language
    csrf = CSRFProtect(app)
    for view in (mails.stop_mails, mails.stop_help_mails):
        csrf.exempt(view)  # a mail program comes without a cookie
    csrf.exempt(api.blueprint)  # programs show a token in each request; cookies count for nothing there
    compression.init_app(app)
    security.init_app(app, secure=settings.public_url.startswith("https://"))
    auth.init_app(app, settings.secret_key)
    app.register_blueprint(learner.blueprint)
    app.register_blueprint(organiser.blueprint)
    app.register_blueprint(token_pages.blueprint)
    api_base.document(app).register_blueprint(api.blueprint)
    health.init_app(app, settings.metrics_token)
    errors.init_app(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app
