"""Who may look how far back, who may do more or less than the role says, and the log of everything."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, SmallInteger, String
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Instant, Made, Model, Pk, index, not_blank


class AccessGrant(Made, Model):
    """The director lets an account, or a whole role, see reports of other days."""

    __tablename__ = "access_grant"
    id: Mapped[Pk]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    user = relationship("User", lazy="joined", foreign_keys=[user_id])
    role: Mapped[str | None] = mapped_column(String(40))
    #: Report kinds; NULL means all of them.
    reports: Mapped[list[str] | None] = mapped_column(ARRAY(String(40)))
    days_from: Mapped[date | None]
    days_to: Mapped[date | None]
    expires_at: Mapped[Instant | None]
    reason: Mapped[str] = mapped_column(String(400))
    revoked_at: Mapped[Instant | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (role IS NULL)", name="ck_access_grant_to_one"),
        CheckConstraint("days_to >= days_from", name="ck_access_grant_days_in_order"),
        CheckConstraint("reports <> '{}'", name="ck_access_grant_reports_some"),
        not_blank("reason", "access_grant"),
        Index("ix_access_grant_open_user", "user_id", postgresql_where=sql("revoked_at IS NULL")),
        Index("ix_access_grant_open_role", "role", postgresql_where=sql("revoked_at IS NULL")),
    )

    def __repr__(self) -> str:
        return self.reason


class RightChange(Made, Model):
    """The director gave one employee a right, or took it away. Append-only: the newest row decides."""

    __tablename__ = "right_change"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    right: Mapped[str] = mapped_column(String(60))
    #: true: given, false: taken away, NULL: as the role says again.
    allowed: Mapped[bool | None]
    reason: Mapped[str] = mapped_column(String(400))
    __table_args__ = (index("right_change", "user_id", "right", "id"), not_blank("reason", "right_change"))

    def __repr__(self) -> str:
        return f"{self.right}: {self.allowed}"


class AuditEvent(Model):
    """Who did what, when, to what: written in the transaction of the deed. Append-only."""

    __tablename__ = "audit_event"
    id: Mapped[Pk]
    at: Mapped[Instant]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    user = relationship("User", lazy="joined")
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[int]
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    __table_args__ = (
        index("audit_event", "object_type", "object_id", "id"),
        index("audit_event", "patient_id", "id"),
        index("audit_event", "user_id", "id"),
        Index("ix_audit_event_taken", "at", postgresql_where=sql("action IN ('card.exported', 'cards.exported')")),
    )

    @property
    def what(self) -> tuple[str, int]:
        """The thing it was done to: its table and number."""
        return self.object_type, self.object_id

    def __repr__(self) -> str:
        return self.action


class RequestKey(Model):
    """The key that a program or a form sent with a request, and the answer it got: the same again."""

    __tablename__ = "request_key"
    key: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(SmallInteger)
    #: JSON for programs, {"location": …} for pages.
    answer: Mapped[Any | None] = mapped_column(JSONB)
    created_at: Mapped[Instant] = mapped_column(server_default=sql("now()"))
    __table_args__ = (index("request_key", "created_at"),)

    def __repr__(self) -> str:
        return str(self.key)
