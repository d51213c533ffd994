"""The edge: who may call a page or an address, and what pages and addresses share.

Pages derive from `DeskView`, JSON addresses from `DeskApi`; every exposed method is `@guarded("room.verb")`.
Where next: `app/once.py` for a POST that is sent again, `app/answers.py` for refusals, `app/panels.py` for the
generated tables, `app/views.py` for what is registered.
"""

import functools
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, current_app, flash, g, redirect, request, url_for
from flask import session as browser_session
from flask_appbuilder import BaseView
from flask_appbuilder.api import BaseApi, expose
from flask_babel import get_locale
from flask_jwt_extended import verify_jwt_in_request
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError
from markupsafe import Markup
from sqlalchemy import Integer, Select, bindparam, select
from werkzeug.wrappers import Response

from app import access, clock, looks
from app.answers import PlainRefusal, json_value, refusal_body, sentence, wants_json
from app.connections import PREPARED, begin_request
from app.db import session
from app.deeds import deed, details
from app.errors import Invalid, NotAllowed, NotFound, Refusal
from app.extensions import csrf
from app.models import User
from app.once import once
from app.roles import RIGHTS
from app.schemas import Body, Query, load
from app.signin import Unauthenticated
from app.vocab import N_

__all__ = ["DeskApi", "DeskView", "actor", "expose", "guarded", "may"]

log = logging.getLogger(__name__)

WRITES = ("POST", "PATCH", "PUT", "DELETE")


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
            return once(call, actor=actor()) if request.method == "POST" else call()

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


def install(app: Flask) -> None:
    """Hang the edge on the application: what each request begins with, and the words of templates."""

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
        raise PlainRefusal("invalid", 422, N_("The request must be JSON.")) from error


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
        text = payload if isinstance(payload, bytes) else orjson.dumps(payload, json_value, _AS_THE_CONTRACT)
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


#: Days and times are written by `json_value`; keys need not be texts.
_AS_THE_CONTRACT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


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
