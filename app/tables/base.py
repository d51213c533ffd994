"""What all tables share: column types, the record of who made a row and when."""

import enum
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from flask_appbuilder import Model
from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Identity, Index, Numeric, String, Text, func, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

__all__ = ["Model"]

Pk = Annotated[int, mapped_column(Identity(), primary_key=True)]
Name = Annotated[str, mapped_column(String(200))]
Code = Annotated[str, mapped_column(String(40))]
LongText = Annotated[str, mapped_column(Text, default="", server_default="")]
Money = Annotated[Decimal, mapped_column(Numeric(12, 2))]
#: The clinic's wall clock, without zone: the schedule.
WallTime = Annotated[datetime, mapped_column(DateTime(timezone=False))]
#: An instant, with zone: the record.
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]


def one_of(column: str, values: type[enum.StrEnum], table: str) -> CheckConstraint:
    """A CHECK that keeps a column to the closed list of `vocab`."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{table}_{column}_known")


def not_blank(column: str, table: str) -> CheckConstraint:
    """A CHECK that a name is not only spaces."""
    return CheckConstraint(f"btrim({column}) <> ''", name=f"ck_{table}_{column}_not_blank")


def index(table: str, *columns: str) -> Index:
    """An ordinary index; foreign keys have none of their own in PostgreSQL."""
    return Index(f"ix_{table}_{'_'.join(columns)}", *columns)


#: From … to … as a range, for EXCLUDE.
RANGE = text("tsrange(starts_at, ends_at)")


def same_day(table: str) -> tuple[CheckConstraint, CheckConstraint]:
    """CHECKs that a row ends after it starts, on the same day; midnight ends a day."""
    return (
        CheckConstraint("ends_at > starts_at", name=f"ck_{table}_ends_after_start"),
        CheckConstraint("(ends_at - interval '1 second')::date = starts_at::date", name=f"ck_{table}_within_a_day"),
    )


class Made:
    """Who made the row and when; empty when a job or the demo did it."""

    created_at: Mapped[Instant] = mapped_column(server_default=func.now())

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("ab_user.id"), nullable=True)


class Archivable:
    """A directory entry that is no longer offered but stays where it was used."""

    archived: Mapped[bool] = mapped_column(default=False, server_default="false")
