"""«Регистратура»: the front desk of a dental clinic.

`create_app` hangs the floors together and does nothing else. The picture of the house: ARCHITECTURE.md.
"""

import gc
from collections.abc import Mapping
from typing import Any

from flask import Flask


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The web application; `config` overrides the settings of the environment."""
    import app.models  # noqa: F401  every table before the first query
    from app import answers, cli, extensions, looks, signin, views, web
    from app.db import db
    from app.tables.base import Model
    from config import settings

    flask_app = Flask(__name__)
    flask_app.config.from_mapping(settings())
    flask_app.config.update(config or {})

    db.init_app(flask_app)
    db.metadatas[None] = Model.metadata  # the framework keeps the tables in its own base; migrations must see them
    extensions.migrate.init_app(flask_app, db, directory=str(cli.MIGRATIONS))
    extensions.csrf.init_app(flask_app)
    extensions.sessions.init_app(flask_app)
    extensions.talisman.init_app(
        flask_app,
        force_https=False,
        session_cookie_secure=flask_app.config["SESSION_COOKIE_SECURE"],
        content_security_policy=extensions.CONTENT_SECURITY_POLICY,
        content_security_policy_nonce_in=["script-src"],
        frame_options="SAMEORIGIN",
    )
    answers.install(flask_app)
    web.install(flask_app)
    with flask_app.app_context():
        builder = signin.appbuilder()
        builder.indexview = views.Home
        builder.init_app(flask_app, db.session)
        views.register_views(builder)
    looks.hang_on(flask_app)
    cli.install(flask_app)
    return flask_app


def served() -> Flask:
    """The application of a web process.

    What is made here lives as long as the process: the collector of garbage need not look through it again and again,
    which takes a tenth of the time of a page.
    """
    flask_app = create_app()
    gc.collect()
    gc.freeze()
    return flask_app
