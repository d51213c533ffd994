"""Doing things once: a request key, and the first answer again for whoever sends the same request again.

The key is the `Idempotency-Key` of a program or the `request_id` of a form. Where next: `app/web.py`, whose `guarded`
sends every POST through here.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import current_app, jsonify, redirect, request
from psycopg.types.json import Jsonb
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from werkzeug.wrappers import Response

from app import clock
from app.answers import json_value, page_above, refusal_body, wants_json
from app.db import Fixed, given, session, transaction
from app.errors import FormSent, Invalid, KeyReused, Refusal
from app.models import RequestKey, User
from app.vocab import N_

#: How long the same request gets its first answer again: a tablet may lie closed over the holidays.
KEYS_KEPT = timedelta(days=60)


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


def once(call: Callable[[], Any], *, actor: User) -> Any:
    """Do the work of a POST once per key and account; the same request again gets the first answer.

    The key is written in the transaction of the work, so two at the same moment wait for each other.
    A JSON refusal is remembered too; a page's is not: the form is corrected and sent again.

    Raises:
        KeyReused: the key came with another body before; FormSent, when it is a page's form.
    """
    key = _request_key()
    if key is None:
        return call()
    fingerprint, user_id = _fingerprint(), actor.id
    row = {"key": key, "user_id": user_id, "fingerprint": fingerprint}
    try:
        with transaction():
            claimed = _CLAIM(**row).first()
            if claimed is None:
                first = session.get_one(RequestKey, (key, user_id))
                if first.fingerprint != fingerprint:
                    if wants_json():
                        raise KeyReused()
                    raise FormSent(page=page_above(), done=(first.answer or {}).get("location"))
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
            body = json.loads(json.dumps(refusal_body(refusal), default=json_value))
            with transaction():
                session.execute(
                    insert(RequestKey).values(**row, status=refusal.status, answer=body).on_conflict_do_nothing()
                )
        raise


def forget_keys() -> None:
    """Forget the requests that nobody sends again; the clock starts it once a day."""
    with transaction():
        session.execute(delete(RequestKey).where(RequestKey.created_at < clock.now() - KEYS_KEPT))
