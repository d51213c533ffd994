"""A request is done once; its key is forgotten when nobody sends it again."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from app import clock, once
from app.db import session, transaction
from app.models import RequestKey


def test_the_first_answer_is_given_again_for_two_months(context: None, client_of: Any) -> None:
    client, body = client_of("administrator"), {"surname": "Повторов", "name": "Пётр"}

    def send(key: UUID) -> Any:
        return client.post("/api/v1/patients/", json=body, headers={"Idempotency-Key": str(key)})

    def grow_old(key: UUID, days: int) -> None:
        with transaction():
            old = clock.now() - timedelta(days=days)
            session.execute(update(RequestKey).where(RequestKey.key == key).values(created_at=old))

    young, old = uuid4(), uuid4()
    first, other = send(young).json["id"], send(old).json["id"]
    grow_old(young, once.KEYS_KEPT.days - 1)
    grow_old(old, once.KEYS_KEPT.days + 1)
    once.forget_keys()
    assert send(young).json["id"] == first
    assert send(old).json["id"] not in (first, other)
