"""Doctors' hours «График»: weekly patterns, days that are otherwise, holidays, and the dated hours themselves."""

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import RANGE, Made, Model, Pk, WallTime, index, not_blank, one_of, same_day
from app.vocab import Weeks


class HoursPattern(Made, Model):
    """A doctor works every such weekday, or every odd or even week, from … to …, in a branch and usually a chair.

    Dated `WorkingHours` are made from it some weeks ahead. 00:00 as the end is midnight.
    """

    __tablename__ = "hours_pattern"
    id: Mapped[Pk]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="joined")
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch = relationship("Branch", lazy="joined")
    chair_id: Mapped[int | None] = mapped_column(ForeignKey("chair.id"))
    chair = relationship("Chair", lazy="joined")
    weekday: Mapped[int] = mapped_column(SmallInteger)
    weeks: Mapped[str] = mapped_column(String(10), default=Weeks.EVERY)
    start: Mapped[time]
    end: Mapped[time]
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 1 AND 7", name="ck_hours_pattern_weekday_known"),
        one_of("weeks", Weeks, "hours_pattern"),
        CheckConstraint('"end" > start OR "end" = TIME \'00:00\'', name="ck_hours_pattern_ends_after_start"),
        CheckConstraint("last_day >= first_day", name="ck_hours_pattern_days_in_order"),
        index("hours_pattern", "doctor_id", "first_day"),
        index("hours_pattern", "chair_id"),
    )

    def __repr__(self) -> str:
        return f"{self.weekday}: {self.start:%H:%M}–{self.end:%H:%M}"


class HoursException(Made, Model):
    """A day on which a doctor does not work by the pattern: a vacation, an illness, or other hours set by hand."""

    __tablename__ = "hours_exception"
    id: Mapped[Pk]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="joined")
    day: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    __table_args__ = (
        UniqueConstraint("doctor_id", "day", name="uq_hours_exception_day"),
        not_blank("reason", "hours_exception"),
        index("hours_exception", "day"),
    )

    def __repr__(self) -> str:
        return f"{self.day:%d.%m.%Y}"


class HolidayOverride(Made, Model):
    """What the clinic says of a day against the calendar of public holidays: closed, or open all the same."""

    __tablename__ = "holiday_override"
    id: Mapped[Pk]
    day: Mapped[date]
    closed: Mapped[bool]
    name: Mapped[str] = mapped_column(String(200))
    __table_args__ = (
        UniqueConstraint("day", name="uq_holiday_override_day"),
        not_blank("name", "holiday_override"),
    )

    def __repr__(self) -> str:
        return self.name


class WorkingHours(Made, Model):
    """A doctor sees patients from … to … on a day, in a branch, usually in a certain chair."""

    __tablename__ = "working_hours"
    id: Mapped[Pk]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("employee.id"))
    doctor = relationship("Employee", lazy="joined")
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch = relationship("Branch", lazy="joined")
    chair_id: Mapped[int | None] = mapped_column(ForeignKey("chair.id"))
    chair = relationship("Chair", lazy="joined")
    starts_at: Mapped[WallTime]
    ends_at: Mapped[WallTime]
    #: The weekly pattern that made these hours; empty: set for this day by hand.
    pattern_id: Mapped[int | None] = mapped_column(ForeignKey("hours_pattern.id", ondelete="SET NULL"))
    __table_args__ = (
        *same_day("working_hours"),
        ExcludeConstraint(("doctor_id", "="), (RANGE, "&&"), using="gist", name="ex_working_hours_doctor"),
        ExcludeConstraint(("chair_id", "="), (RANGE, "&&"), using="gist", name="ex_working_hours_chair"),
        index("working_hours", "starts_at", "branch_id"),
        index("working_hours", "doctor_id", "starts_at"),
        index("working_hours", "pattern_id"),
    )

    def __repr__(self) -> str:
        return f"{self.starts_at:%d.%m.%Y %H:%M}–{self.ends_at:%H:%M}"
