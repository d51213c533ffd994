"""Is everything there that the desk needs? For whoever watches over the machine; tells nothing else."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db import session
from app.web import DeskApi, expose

PACKAGE = "front-desk"


def product_version() -> str:
    """The version of the product, from what is installed or from pyproject.toml beside it."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        lines = (Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8").splitlines()
        return next(line.split('"')[1] for line in lines if line.startswith("version = "))


class HealthApi(DeskApi):
    resource_name = "health"
    openapi_spec_tag = "Health"

    @expose("", methods=["GET"])
    def health(self) -> Any:
        """Whether the database and the broker answer; needs no login"""
        database, broker = self._database(), self._broker()
        # Without the broker the desk works on; messages wait. Without the database nothing does.
        answer = {
            "status": "ok" if database == "ok" else "failed",
            "database": database,
            "broker": broker,
            "version": current_app.config.setdefault("VERSION", product_version()),
        }
        return self.answer(answer, 200 if database == "ok" else 503)

    def _database(self) -> str:
        try:
            session.execute(text("SELECT 1"))
        except SQLAlchemyError:
            session.rollback()
            return "unreachable"
        return "ok"

    def _broker(self) -> str:
        url = current_app.config.get("REDIS_URL")
        if not url:
            return "not configured"
        try:
            with Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as broker:
                broker.ping()
        except (RedisError, OSError):
            return "unreachable"
        return "ok"
