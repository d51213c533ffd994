"""Old card indexes that came as files: the file, and its rows with what becomes of each."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.tables.base import Instant, LongText, Made, Model, Name, Pk, index, one_of
from app.vocab import CardVerdict, DayOrder, ImportState


class CardImport(Made, Model):
    """An old card index that came as a file; the worker carries it from state to state, piece by piece.

    `reached` and `done`: the last line and the number of rows that the present state has behind it; a worker that
    dies leaves them, and the next one goes on from there. What is loaded is never changed (trigger).
    """

    __tablename__ = "card_import"
    id: Mapped[Pk]
    file_name: Mapped[Name]
    state: Mapped[str] = mapped_column(String(20))
    #: The file, until its rows are read.
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    #: Which table of the file, and the line of its headings; without headings the first line is a patient.
    sheet: Mapped[int]
    head_line: Mapped[int]
    headless: Mapped[bool]
    #: [{heading, samples}], and the meaning of each (`CardColumn`, empty: not used).
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    mapping: Mapped[list[str]] = mapped_column(JSONB)
    day_order: Mapped[str] = mapped_column(String(3), default=DayOrder.DAY_FIRST)
    #: What short city numbers begin with.
    area_code: Mapped[str] = mapped_column(String(5), default="")
    #: Of cards that are there the empty fields are filled; rows that perhaps are there become cards.
    fill: Mapped[bool] = mapped_column(default=False)
    with_maybe: Mapped[bool] = mapped_column(default=False)
    total: Mapped[int | None]
    reached: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    #: How often the present piece was begun; reset when it is done.
    attempts: Mapped[int] = mapped_column(default=0)
    moved_at: Mapped[Instant]
    problem: Mapped[LongText]
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    #: Rows of each verdict, `warned` among them; loaded, also `written` and `filled`.
    counts: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    applied_at: Mapped[Instant | None]
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    __table_args__ = (
        one_of("state", ImportState, "card_import"),
        one_of("day_order", DayOrder, "card_import"),
        CheckConstraint("(state = 'applied') = (applied_at IS NOT NULL)", name="ck_card_import_applied_at"),
    )

    def __repr__(self) -> str:
        return self.file_name


class CardImportRow(Model):
    """A row of an old card index: its cells as they came, what is understood, and what becomes of it.

    `card`: what the card would say; none when the row is refused. `name_key`, `patronymic_key`, `born`, `old_key`,
    `numbers` are compared with other rows and with the cards. What is written here of a person is forgotten when the
    card is written, or after a month.
    """

    __tablename__ = "card_import_row"
    import_id: Mapped[int] = mapped_column(ForeignKey("card_import.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    cells: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    card: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    name_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    patronymic_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    born: Mapped[date | None]
    old_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    numbers: Mapped[list[str]] = mapped_column(ARRAY(String), default=list, server_default="{}")
    verdict: Mapped[str | None] = mapped_column(String(10))
    #: Why it is refused: a sentence and what fills it; what was left out, the same way: [{why, facts}].
    why: Mapped[LongText]
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    #: Guesses of the moment, so no keys of their own: the card that is there, the row that says the same, the card
    #: of another name that has the same phone.
    twin_id: Mapped[int | None]
    twin_line: Mapped[int | None]
    neighbour_id: Mapped[int | None]
    #: The card that the row became, or that was filled from it.
    patient_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    __table_args__ = (
        one_of("verdict", CardVerdict, "card_import_row"),
        CheckConstraint("patient_id IS NULL OR verdict <> 'refused'", name="ck_card_import_row_written_is_not_refused"),
        index("card_import_row", "import_id", "verdict", "line"),
        Index("ix_card_import_row_patient_id", "patient_id", postgresql_where=sql("patient_id IS NOT NULL")),
    )

    def __repr__(self) -> str:
        return f"{self.import_id}/{self.line}"
