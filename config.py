"""Settings, from the environment and nowhere else. Every one has a default that works on one machine.

DATABASE_URL, REDIS_URL, HOST, PORT, SECRET_KEY, VAR_DIR, SPARE_DIR, CLINIC_TZ, BABEL_DEFAULT_LOCALE, PUBLIC_URL,
SMS_GATEWAY_URL, _LOGIN, _PASSWORD, SMS_SENDER, KKT_URL, _LOGIN, _PASSWORD, SLIP_PRINTER. Where next: run.py, which
fills in DATABASE_URL and REDIS_URL when it starts the local servers.
"""

import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cachelib import FileSystemCache
from redis.backoff import NoBackoff
from redis.retry import Retry

ROOT = Path(__file__).resolve().parent
LOOPBACK = {"localhost", "::1"}


class BadSetting(ValueError):
    """A setting nobody can work with: one sentence."""


def var_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where this machine keeps its data: database, broker, sessions, logs."""
    return Path(environ.get("VAR_DIR") or ROOT / "var").absolute()


def address(environ: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """Where the web server listens.

    Raises:
        BadSetting: PORT is not a port number.
    """
    given = environ.get("PORT") or "8080"
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 65536:
        raise BadSetting(f"PORT={given}: нужен номер порта от 1 до 65535.")
    return environ.get("HOST") or "127.0.0.1", int(given)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    return host in LOOPBACK or host.startswith("127.")


def database_url(url: str) -> str:
    """The same database through psycopg 3, the only driver we install; providers hand out postgres://."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if separator and scheme in ("postgres", "postgresql") else url


def secret_key(environ: Mapping[str, str] = os.environ) -> str:
    """SECRET_KEY, or one made once and kept where only our user can read it: sessions survive a restart."""
    if given := environ.get("SECRET_KEY"):
        return given
    path = var_dir(environ) / "secret_key"
    try:
        return _kept(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: of two processes that start at once one wins and both read the same key.
    fresh = path.with_name(f"secret_key.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return _kept(path)


def _kept(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < 32:
        raise BadSetting(f"Файл {path} повреждён: удалите его, и будет создан новый ключ (всем придётся войти заново).")
    return key


def settings(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Everything Flask, Flask-AppBuilder and their extensions are told.

    Raises:
        BadSetting: a variable has a value nobody can work with; the message says which.
    """
    var = var_dir(environ)
    zone = environ.get("CLINIC_TZ") or "Europe/Moscow"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise BadSetting(f"CLINIC_TZ={zone}: такого часового пояса нет.") from error
    locale = environ.get("BABEL_DEFAULT_LOCALE") or "ru"
    if locale not in ("ru", "en"):
        raise BadSetting(f"BABEL_DEFAULT_LOCALE={locale}: есть только ru и en.")
    broker = environ.get("REDIS_URL") or ""

    return {
        "SECRET_KEY": secret_key(environ),
        "VAR_DIR": str(var),
        # where the schedule lies as PDFs for an outage: best a folder that another machine sees, too
        "SPARE_DIR": str(Path(environ.get("SPARE_DIR") or var / "spare").absolute()),
        "MAX_CONTENT_LENGTH": 4 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,  # 1 MB pasted into one field is answered by its form, not by a 413
        # --- database
        "SQLALCHEMY_DATABASE_URI": database_url(environ.get("DATABASE_URL") or "postgresql://localhost/clinic"),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "hide_parameters": True,  # an error in the log must not carry a patient's name
            "pool_use_lifo": True,  # a process works on one connection, on which its statements are prepared
            "pool_size": 5,
            "max_overflow": 10,
            # Days of a report are the clinic's days wherever the database server stands.
            "connect_args": {"options": f"-c timezone={zone}", "application_name": "frontdesk", "connect_timeout": 10},
        },
        # --- broker
        "REDIS_URL": broker,
        # --- messages: the address of an SMSC gateway; empty: messages wait and the page says so
        "SMS_GATEWAY_URL": (environ.get("SMS_GATEWAY_URL") or "").rstrip("/"),
        "SMS_GATEWAY_LOGIN": environ.get("SMS_GATEWAY_LOGIN") or "",
        "SMS_GATEWAY_PASSWORD": environ.get("SMS_GATEWAY_PASSWORD") or "",
        "SMS_SENDER": environ.get("SMS_SENDER") or "",  # the clinic's name at the gateway, 11 Latin letters at most
        # where patients reach this program from outside, https://…: the base of the links in messages; empty: no links
        "PUBLIC_URL": (environ.get("PUBLIC_URL") or "").rstrip("/"),
        # a worker that holds a message longer than any answer may take is dead
        "SMS_STALE_SECONDS": float(environ.get("SMS_STALE_SECONDS") or 60),
        # --- fiscal device: where its web server is for a device without an address of its own, and its login; {device}
        # in the address is the number of the device
        "KKT_URL": (environ.get("KKT_URL") or "").rstrip("/"),
        "KKT_LOGIN": environ.get("KKT_LOGIN") or "",
        "KKT_PASSWORD": environ.get("KKT_PASSWORD") or "",
        "KKT_POLL_SECONDS": float(environ.get("KKT_POLL_SECONDS") or 1),
        # a worker that holds a receipt longer than the device may take is dead
        "KKT_STALE_SECONDS": float(environ.get("KKT_STALE_SECONDS") or 120),
        # --- slips: host:port of the printer for branches whose printer has no address of its own
        "SLIP_PRINTER": environ.get("SLIP_PRINTER") or "",
        # --- framework
        "APP_NAME": "Регистратура",
        # run.py and make init migrate and fill in the roles; a web process that did it would race with its neighbour.
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_API_MAX_PAGE_SIZE": 200,
        "FAB_API_SWAGGER_UI": True,
        "FAB_API_SWAGGER_TEMPLATE": "desk/swagger.html",  # the framework's asks another host to validate the page
        "FAB_ADD_SECURITY_VIEW_MENU_VIEW": False,
        "FAB_ADD_SECURITY_PERMISSION_VIEW": False,
        "FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW": False,
        "AUTH_TYPE": 1,  # AUTH_DB: logins and passwords live in our database
        "AUTH_USER_REGISTRATION": False,
        "AUTH_ROLE_PUBLIC": "Public",
        # --- rate limits
        "RATELIMIT_ENABLED": False,  # the framework's own looks at every request; `app/brakes.py` where it must
        "RATELIMIT_STORAGE_URI": limits_storage(broker),  # one count for both web processes
        # Without retries: somebody waits to sign in.
        "RATELIMIT_STORAGE_OPTIONS": (
            {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": Retry(NoBackoff(), 0)} if broker else {}
        ),
        # --- sessions
        "SESSION_TYPE": "cachelib",
        "SESSION_CACHELIB": FileSystemCache(
            str(var / "sessions"),
            threshold=50_000,  # beyond it every write looks for the expired among all files
            mode=0o600,
        ),
        "SESSION_PERMANENT": True,
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=14),  # the longest day at the desk; a new one starts signed out
        "SESSION_REFRESH_EACH_REQUEST": False,  # else each request writes the session's file
        "SESSION_COOKIE_NAME": "frontdesk",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": environ.get("HTTPS") == "1",  # on a clinic's LAN there is often no certificate
        # --- forms
        "WTF_CSRF_ENABLED": True,
        "WTF_CSRF_TIME_LIMIT": None,  # a page left open over lunch can still be saved; the session ends at night
        "WTF_CSRF_SSL_STRICT": False,  # browsers that send no Referer still work behind HTTPS; the token decides
        # --- languages
        "BABEL_DEFAULT_LOCALE": locale,
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "BABEL_DEFAULT_TIMEZONE": zone,
        "LANGUAGES": {
            "ru": {"flag": "ru", "name": "Русский"},
            "en": {"flag": "gb", "name": "English"},
        },
        "CLINIC_TZ": zone,
    }


def limits_storage(broker: str) -> str:
    """The limiter's word for a unix socket differs from the broker client's."""
    return f"redis+{broker}" if broker.startswith("unix://") else broker or "memory://"
