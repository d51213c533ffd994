"""Employees and their specialities."""

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, Model, Name, Pk, index, not_blank


class Speciality(Archivable, Model):
    """What a doctor is: therapist, surgeon, orthodontist…"""

    __tablename__ = "speciality"
    id: Mapped[Pk]
    name: Mapped[Name]
    __table_args__ = (UniqueConstraint("name", name="uq_speciality_name"), not_blank("name", "speciality"))

    def __repr__(self) -> str:
        return self.name


class Employee(Archivable, Model):
    """A person who works in the clinic; a doctor has a column in the schedule."""

    __tablename__ = "employee"
    id: Mapped[Pk]
    surname: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    patronymic: Mapped[str] = mapped_column(String(100), default="", server_default="")
    post: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: The full name and the post in their cases where the rules of the language do not know them.
    name_genitive: Mapped[str] = mapped_column(String(300), default="", server_default="")
    name_dative: Mapped[str] = mapped_column(String(300), default="", server_default="")
    post_genitive: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: On what ground the person signs contracts for the clinic: «доверенности № 3 от 01.02.2026».
    acting_on: Mapped[str] = mapped_column(String(200), default="", server_default="")
    phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    is_doctor: Mapped[bool] = mapped_column(default=False, server_default="false")
    speciality_id: Mapped[int | None] = mapped_column(ForeignKey("speciality.id"))
    speciality: Mapped[Speciality | None] = relationship(lazy="joined")
    branch_id: Mapped[int | None] = mapped_column(ForeignKey("branch.id"))
    branch = relationship("Branch", lazy="joined")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    user = relationship("User", lazy="select")
    color: Mapped[str] = mapped_column(String(7), default="", server_default="")
    __table_args__ = (
        UniqueConstraint("user_id", name="uq_employee_user"),
        not_blank("surname", "employee"),
        index("employee", "speciality_id"),
        index("employee", "branch_id"),
        Index("ix_employee_doctors", "surname", postgresql_where=sql("is_doctor AND NOT archived")),
    )

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.surname, self.name, self.patronymic)))

    @property
    def short_name(self) -> str:
        """Surname and initials: «Петрова А. С.»."""
        initials = " ".join(f"{part[0]}." for part in (self.name, self.patronymic) if part)
        return f"{self.surname} {initials}".strip()

    def __repr__(self) -> str:
        return self.short_name
