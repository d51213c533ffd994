"""The edge: who may call a page or an address, what a refusal looks like, and doing things once.

Pages derive from `DeskView`, JSON addresses from `DeskApi`; every exposed method is `@guarded("room.verb")`.
Where next: `app/panels.py` for the generated tables, `app/views.py` for what is registered.
"""

import functools
import hashlib
import json
import logging
import secrets
import uuid
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
from flask import Flask, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask import session as browser_session
from flask.json.provider import DefaultJSONProvider
from flask_appbuilder import BaseView
from flask_appbuilder.api import BaseApi, expose
from flask_babel import LazyString, get_locale, gettext
from flask_jwt_extended import verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_wtf.csrf import CSRFError
from jwt import PyJWTError
from markupsafe import Markup
from psycopg.types.json import Jsonb
from sqlalchemy import Integer, Select, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app import access, clock, looks, money
from app.connections import PREPARED, begin_request
from app.db import Fixed, given, refusal_of, session, transaction
from app.deeds import deed, details
from app.errors import FormSent, Invalid, KeyReused, NotAllowed, NotFound, Refusal
from app.extensions import csrf
from app.models import RequestKey, User
from app.roles import RIGHTS
from app.schemas import Body, Query, load
from app.signin import TooManyRequests, Unauthenticated
from app.vocab import N_

__all__ = ["DeskApi", "DeskView", "actor", "expose", "guarded", "may"]

log = logging.getLogger(__name__)

WRITES = ("POST", "PATCH", "PUT", "DELETE")
#: How long the same request gets its first answer again: a tablet may lie closed over the holidays.
KEYS_KEPT = timedelta(days=60)


# --- who is asking ----------------------------------------------------------------------------------


def actor() -> User:
    """The account that makes this request. Only inside a guarded method."""
    return g.user


def rights_held() -> frozenset[str]:
    """The rights of the account of this request; none for whoever has not signed in."""
    user, held = g.get("user"), g.get("held")
    if held is None or held[0] is not user:  # a page asks some eighty times
        known = user is not None and user.is_authenticated
        held = g.held = (user, frozenset(access.account(user).rights) if known else frozenset())
    rights: frozenset[str] = held[1]
    return rights


def may(right: str) -> bool:
    """May the account of this request do it? Also a template function."""
    return right in rights_held()


def wants_json() -> bool:
    """Does the caller expect JSON: an API address, or a script of ours?"""
    return request.path.startswith("/api/") or request.headers.get("X-Requested-With") == "XMLHttpRequest"


def _sign_in_program() -> None:
    """Take the account from a token, or from the browser's session; a session must prove its writes."""
    if request.headers.get("Authorization"):
        try:
            verify_jwt_in_request()
        except (JWTExtendedException, PyJWTError, ValueError) as error:
            raise Unauthenticated() from error
    if g.user is None or not g.user.is_authenticated:
        raise Unauthenticated()
    by_session = not request.headers.get("Authorization")
    if by_session and request.method in WRITES and current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()


def guarded(right: str | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only accounts through that hold the right (None: anybody who has signed in).

    Sits directly on the method, below `@expose`. Outsiders go to the sign-in page, or get 401; who lacks the
    right gets 403. A POST is done once per `Idempotency-Key` (JSON) or `request_id` (form).
    """
    if right is not None and right not in RIGHTS:
        raise ValueError(f"no such right: {right}")

    def guard(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def guarded_method(self: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(self, BaseApi):
                _sign_in_program()
            elif g.user is None or not g.user.is_authenticated:
                if wants_json() or request.headers.get("HX-Request"):
                    raise Unauthenticated()
                return redirect(url_for("SignInView.login", next=request.full_path.rstrip("?")))
            if right is not None and not may(right):
                raise NotFound() if RIGHTS[right].module in access.account(g.user).off else NotAllowed(right=right)
            call = functools.partial(method, self, *args, **kwargs)
            return once(call) if request.method == "POST" else call()

        guarded_method.right = right  # type: ignore[attr-defined]
        return guarded_method

    return guard


def takes_file(most: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a page take a file of so many bytes, more than other requests may have; from who has signed in only.

    Sits between `@expose` and `@guarded`.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method.most_bytes = most  # type: ignore[attr-defined]
        return method

    return mark


# --- once -------------------------------------------------------------------------------------------


def _request_key() -> uuid.UUID | None:
    given = request.headers.get("Idempotency-Key") or request.form.get("request_id")
    if not given:
        return None
    try:
        return uuid.UUID(given)
    except ValueError as error:
        raise Invalid(fields={"Idempotency-Key": N_("This is not a UUID.")}) from error


def _fingerprint() -> str:
    """What was asked, so that the same key with another body is noticed."""
    body = request.get_data(cache=True)
    if request.form:
        kept = sorted((key, value) for key, value in request.form.items(multi=True) if key != "csrf_token")
        for name, file in request.files.items(multi=True):
            kept.append((name, hashlib.sha256(file.stream.read()).hexdigest()))
            file.stream.seek(0)
        body = repr(kept).encode()
    elif request.is_json:
        body = json.dumps(request.get_json(silent=True), sort_keys=True, default=str).encode()
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + body).hexdigest()


def _page_above(*, itself: bool = False) -> str | None:
    """The nearest page above an address that only takes what is sent to it: of `/settlement/6/pay`, `/settlement/6`.

    `itself`: the address too, when it is a page.
    """
    rules = current_app.url_map.bind("")
    parts = request.path.rstrip("/").split("/")
    for many in range(len(parts) - (not itself), 1, -1):
        above = "/".join(parts[:many])
        for address in (above, above + "/"):
            try:
                rules.match(address, method="GET")
            except HTTPException:
                continue
            return address
    return None


def _answer_of(response: Any) -> tuple[int, Any] | None:
    """What of a response can be given again: JSON, or where a page sent the browser."""
    response = current_app.make_response(response)
    if response.is_json:
        return response.status_code, response.get_json()
    if response.status_code in (302, 303):
        return response.status_code, {"location": response.headers["Location"]}
    return None


def _replay(status: int, answer: Any) -> Response:
    if status in (302, 303):
        return redirect(answer["location"], status)
    response = jsonify(answer)
    response.status_code = status
    response.headers["Idempotent-Replayed"] = "true"
    return response


_CLAIM = Fixed(
    insert(RequestKey)
    .values({name: given(name) for name in ("key", "user_id", "fingerprint")})
    .on_conflict_do_nothing()
    .returning(RequestKey.key)
)
_ANSWERED = Fixed(
    update(RequestKey)
    .where(RequestKey.key == given("of_key"), RequestKey.user_id == given("of_user"))
    .values(status=given("with_status"), answer=given("with_answer"))
)


def once(call: Callable[[], Any]) -> Any:
    """Do the work of a POST once per key and account; the same request again gets the first answer.

    The key is written in the transaction of the work, so two at the same moment wait for each other.
    A JSON refusal is remembered too; a page's is not: the form is corrected and sent again.

    Raises:
        KeyReused: the key came with another body before; FormSent, when it is a page's form.
    """
    key = _request_key()
    if key is None:
        return call()
    fingerprint, user_id = _fingerprint(), actor().id
    row = {"key": key, "user_id": user_id, "fingerprint": fingerprint}
    try:
        with transaction():
            claimed = _CLAIM(**row).first()
            if claimed is None:
                first = session.get_one(RequestKey, (key, user_id))
                if first.fingerprint != fingerprint:
                    if wants_json():
                        raise KeyReused()
                    raise FormSent(page=_page_above(), done=(first.answer or {}).get("location"))
                if first.status is not None:
                    return _replay(first.status, first.answer)
            response = call()
            answer = _answer_of(response)
            if answer is not None:
                _ANSWERED(of_key=key, of_user=user_id, with_status=answer[0], with_answer=Jsonb(answer[1]))
            return response
    except KeyReused:
        raise
    except Refusal as refusal:
        if wants_json() and refusal.status < 500:
            body = json.loads(json.dumps(refusal_body(refusal), default=_json_value))
            with transaction():
                session.execute(
                    insert(RequestKey).values(**row, status=refusal.status, answer=body).on_conflict_do_nothing()
                )
        raise


def forget_keys() -> None:
    """Forget the requests that nobody sends again; the clock starts it once a day."""
    with transaction():
        session.execute(delete(RequestKey).where(RequestKey.created_at < clock.now() - KEYS_KEPT))


# --- refusals as answers ----------------------------------------------------------------------------


def sentence(refusal: Refusal) -> str:
    """The refusal's sentence in the caller's language."""
    words = {key: gettext(value) if isinstance(value, str) and value else value for key, value in refusal.words.items()}
    template = gettext(refusal.sentence)
    try:
        return template % words
    except (KeyError, TypeError, ValueError):
        return template


def refusal_body(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the contract shows it: error, message, and its facts."""
    facts = dict(refusal.facts)
    if isinstance(refusal, Invalid):
        facts["fields"] = {key: gettext(str(value)) for key, value in facts.get("fields", {}).items()}
    return {"error": refusal.code, "message": sentence(refusal), **facts}


def _answer_refusal(refusal: Refusal) -> Any:
    # a part of a page that could not be had is told in a line, by the page that asked for it
    if wants_json() or request.headers.get("HX-Request"):
        return jsonify(refusal_body(refusal)), refusal.status
    if refusal.status == 401:
        return redirect(url_for("SignInView.login"))
    title = gettext("Not found") if refusal.status == 404 else gettext("Not possible")
    page = render_template("desk/refusal.html", title=title, sentence=sentence(refusal), refusal=refusal)
    return page, refusal.status


class ContractJson(DefaultJSONProvider):
    """JSON as the contract writes values, wherever it is made."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        return str(value) if isinstance(value, uuid.UUID | LazyString) else _json_value(value)


class _Plain(Refusal):
    """An HTTP error that no rule of the desk raised."""

    def __init__(self, code: str, status: int, message: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.code, self.status, self.sentence = code, status, message


_HTTP = {
    400: ("invalid", 422, N_("The request cannot be understood.")),
    405: ("method_not_allowed", 405, N_("This address does not take such a request.")),
    413: ("too_large", 413, N_("This is too much data: send %(most)s MB at most.")),
    415: ("invalid", 422, N_("The request must be JSON.")),
}


def install(app: Flask) -> None:
    """Hang the edge on the application: answers to errors, template words, headers."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Any:
        return _answer_refusal(refusal)

    @app.errorhandler(DBAPIError)
    def database_refused(error: DBAPIError) -> Any:
        session.rollback()
        refusal = refusal_of(error)
        if refusal is None:
            return failed(error)
        return _answer_refusal(refusal)

    @app.errorhandler(CSRFError)
    def forged(_: CSRFError) -> Any:
        # Who is no longer signed in is asked to, and led on to the page.
        anew = {} if wants_json() else {"page": _page_above(itself=True)}
        said = N_("The page was open too long. Load it again and repeat what you did.")
        return _answer_refusal(_Plain("not_allowed", 403, said, **anew))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        if error.code is None or error.code < 400:
            return error
        if error.code == 404:
            return _answer_refusal(NotFound())
        if error.code == 403:
            return _answer_refusal(NotAllowed())
        if error.code == 401:
            return _answer_refusal(Unauthenticated())
        if error.code == 429:
            return _answer_refusal(TooManyRequests())
        if error.code == 405 and request.method == "GET" and not wants_json() and (above := _page_above()):
            return redirect(above, 303)  # a form was refused, and its address loaded again
        code, status, message = _HTTP.get(error.code, ("refused", error.code, N_("This cannot be done.")))
        plain = _Plain(code, status, message)
        plain.words = {"most": (request.max_content_length or 0) // 1024 // 1024}
        return _answer_refusal(plain)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Any:
        session.rollback()
        # Where the address itself is the key (a calendar, a patient's link), the log gets the rule without it.
        keys = {"secret", "token"} & set(request.view_args or ())
        log.error("failed: %s %s", request.method, request.url_rule if keys else request.path, exc_info=error)
        return _answer_refusal(
            _Plain("failed", 500, N_("Something broke on our side; nothing was saved. Try again or call support."))
        )

    @app.url_value_preprocessor
    def room_for_a_file(endpoint: str | None, _: dict[str, Any] | None) -> None:
        # before anything reads the form, and that is the guard against forgery, which knows no account yet
        most = getattr(app.view_functions.get(endpoint or ""), "most_bytes", None)
        if most and browser_session.get("_user_id"):
            request.max_content_length = most

    @app.before_request
    def begin() -> None:
        g.pop("held", None)
        begin_request(session(), reads=request.method in ("GET", "HEAD"))

    @app.before_request
    def one_locale() -> None:
        if browser_session.get("locale") not in (None, *app.config["LANGUAGES"]):
            browser_session.pop("locale")

    app.json = ContractJson(app)

    @app.context_processor
    def words() -> dict[str, Any]:
        # the framework gives these to its own pages only; refusals are rendered outside of any view
        return {
            "appbuilder": app.extensions["appbuilder"],
            "base_template": app.config["FAB_BASE_TEMPLATE"],
            "get_locale": get_locale,
            **looks.of_this_page(),
        }

    app.jinja_env.globals.update(
        may=may, request_id=lambda: Markup(secrets.token_hex(16)), today=clock.today, deed=deed, details=details,
        standing=standing,
    )  # fmt: skip


# --- what pages share ---------------------------------------------------------------------------------


def standing(template: str) -> Markup:
    """A part of many pages that differs by the language and by what the account may do alone, drawn once for each."""
    return _standing(template, str(get_locale()), request.script_root, rights_held())


@functools.lru_cache(maxsize=500)
def _standing(template: str, _locale: str, _script_root: str, _rights: frozenset[str]) -> Markup:
    return Markup(current_app.jinja_env.get_template(template).render(get_locale=get_locale))


def say(refusal: Refusal) -> None:
    """Show a refusal above the page that is rendered again with what was typed."""
    flash(sentence(refusal), "danger")


def say_wrong(wrong: Invalid) -> None:
    """Show what is wrong with each field; where none is named, as with signs that the database does not keep, that
    something is."""
    flash(" ".join(refusal_body(wrong)["fields"].values()) or sentence(wrong), "danger")


# --- pages and addresses ----------------------------------------------------------------------------


class DeskView(BaseView):
    """A hand-made page of the desk: parse, may I, call, answer."""

    def page(self, template: str, status: int = 200, **context: Any) -> Any:
        """Render a template of `app/templates`; `status` 422 when a form comes back."""
        return self.render_template(template, **context), status


def json_body() -> Any:
    """The JSON that came; {} when nothing did."""
    if not request.get_data(cache=True):
        return {}
    try:
        return json.loads(request.get_data(cache=True).decode())
    except (ValueError, RecursionError) as error:
        raise _Plain("invalid", 422, N_("The request must be JSON.")) from error


def takes(schema: type[Body]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Parse the JSON body by a schema and hand it over as `body`; describe it in OpenAPI."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def with_body(self: Any, *args: Any, **kwargs: Any) -> Any:
            return method(self, *args, body=load(schema, json_body()), **kwargs)

        with_body.body_schema = schema  # type: ignore[attr-defined]
        return with_body

    return wrap


def asks(schema: type[Query]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Parse what stands after the question mark and hand it over as `query`; describe it in OpenAPI."""

    def wrap(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def with_query(self: Any, *args: Any, **kwargs: Any) -> Any:
            given = {key: value for key, value in request.args.items() if key != "_l_" and value != ""}
            return method(self, *args, query=load(schema, given), **kwargs)

        with_query.query_schema = schema  # type: ignore[attr-defined]
        return with_query

    return wrap


class DeskApi(BaseApi):
    """A JSON address: the same operations, with the same rights, as the page beside it.

    Writes by a browser session need the CSRF header; see `guarded`. OpenAPI is made of the method's
    first docstring line, `@takes` and `@asks`.
    """

    openapi_spec_tag = "Desk"

    def answer(self, payload: Any, status: int = 200) -> Response:
        """JSON as the contract writes values: money as strings, days and times in ISO form. Bytes are JSON already."""
        text = payload if isinstance(payload, bytes) else orjson.dumps(payload, _json_value, _AS_THE_CONTRACT)
        return current_app.response_class(text, status, mimetype="application/json")

    def created(self, payload: Any) -> Response:
        return self.answer(payload, 201)

    def listed(self, count: int, rows: list[Any]) -> Response:
        return self.answer({"count": count, "result": rows})

    def add_api_spec(self, api_spec: Any) -> None:
        for attr in {name for name in dir(type(self)) if hasattr(getattr(type(self), name), "_urls")}:
            method = getattr(self, attr)
            title = (method.__doc__ or attr).strip().splitlines()[0]
            for url, verbs in method._urls:
                operations = {verb.lower(): self._described(api_spec, method, title) for verb in verbs}
                path = f"{self.route_base or ''}{url}".replace("<int:", "{").replace("<", "{").replace(">", "}")
                api_spec.path(path=path, operations=operations)

    def _described(self, api_spec: Any, method: Any, title: str) -> dict[str, Any]:
        described: dict[str, Any] = {
            "summary": title,
            "tags": [self.openapi_spec_tag],
            "security": [{"jwt": []}],
            "responses": {"200": {"description": title}, "422": {"description": "refused, with the reason"}},
        }
        body, query = getattr(method, "body_schema", None), getattr(method, "query_schema", None)
        if body:
            if body.__name__ not in api_spec.components.schemas:
                api_spec.components.schema(body.__name__, schema=body)
            schema = {"$ref": f"#/components/schemas/{body.__name__}"}
            described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        described["parameters"] = [
            {"in": "query", "name": field.data_key or name, "required": field.required, "schema": {"type": "string"}}
            for name, field in (query().fields.items() if query else ())
        ]
        return described


#: Days and times are written by `_json_value`; keys need not be texts.
_AS_THE_CONTRACT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(money.rounded(value))
    if isinstance(value, datetime):
        if value.tzinfo:
            return value.astimezone(clock.zone()).isoformat(timespec="seconds")
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def fetched(model: type, pk: int) -> Any:
    """A record by its number.

    Raises:
        NotFound
    """
    row = session.scalars(_one(model), {"pk": pk}).unique().one_or_none() if 0 < pk < 2**31 else None
    if row is None:
        raise NotFound()
    return row


@functools.lru_cache(maxsize=200)
def _one(model: type) -> Select[Any]:
    """Built once for all who ask for such a record."""
    one: Select[Any] = select(model).where(model.id == bindparam("pk", type_=Integer))  # type: ignore[attr-defined]
    return one.execution_options(**PREPARED)
