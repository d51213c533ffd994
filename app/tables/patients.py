"""The card index: patients' cards, their phones, families and consents."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, Instant, LongText, Made, Model, Name, Pk, index, not_blank, one_of
from app.vocab import CardStatus, ConsentKind, IdentityType, OpenedKind, Sex


class ReferralSource(Archivable, Model):
    """Where patients learn about the clinic."""

    __tablename__ = "referral_source"
    id: Mapped[Pk]
    name: Mapped[Name]
    __table_args__ = (UniqueConstraint("name", name="uq_referral_source_name"), not_blank("name", "referral_source"))

    def __repr__(self) -> str:
        return self.name


class Family(Made, Model):
    """People who come together and may pay for each other."""

    __tablename__ = "family"
    id: Mapped[Pk]
    name: Mapped[Name]

    def __repr__(self) -> str:
        return self.name


class PatientTag(Archivable, Model):
    """A word the desk puts on cards («VIP», «боится уколов»); an alert is shown in red, like an allergy."""

    __tablename__ = "patient_tag"
    id: Mapped[Pk]
    name: Mapped[Name]
    alert: Mapped[bool] = mapped_column(default=False, server_default="false")
    __table_args__ = (
        Index("uq_patient_tag_name", sql("lower(name)"), unique=True),
        not_blank("name", "patient_tag"),
    )

    def __repr__(self) -> str:
        return self.name


class PatientTagged(Model):
    """A tag of a card."""

    __tablename__ = "patient_tagged"
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("patient_tag.id"), primary_key=True)
    __table_args__ = (index("patient_tagged", "tag_id"),)

    def __repr__(self) -> str:
        return f"{self.tag_id}"


#: Name parts as the search compares them: lower case, ё as е, each word after a space, the halves of a
#: double name too. `patients.rules.searchable` does the same to what is typed.
SEARCH_NAME = "translate(lower(' ' || surname || ' ' || name || ' ' || patronymic), 'ё-''’ʼ‐–', 'е      ')"


#: A number of an old card as it is compared: «№ 0123/а» is «123/а». `patients.rules.old_key` does the same.
OLD_KEY = r"lower(regexp_replace(regexp_replace(old_number, '[\s№#]', '', 'g'), '^0+(?=.)', ''))"


class Patient(Made, Model):
    """A patient's card. A draft is what the desk writes down while booking a newcomer."""

    __tablename__ = "patient"
    id: Mapped[Pk]
    card_number: Mapped[int] = mapped_column(Identity(start=1001))
    status: Mapped[str] = mapped_column(String(20), default=CardStatus.DRAFT)
    surname: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    patronymic: Mapped[str] = mapped_column(String(100), default="", server_default="")
    #: The full name in its cases where the rules of the language do not know it; empty: by the rules.
    name_genitive: Mapped[str] = mapped_column(String(300), default="", server_default="")
    name_dative: Mapped[str] = mapped_column(String(300), default="", server_default="")
    search_name: Mapped[str] = mapped_column(Text, Computed(SEARCH_NAME, persisted=True))
    birth_date: Mapped[date | None]
    sex: Mapped[str | None] = mapped_column(String(10))
    email: Mapped[str] = mapped_column(String(200), default="", server_default="")
    address: Mapped[LongText]
    #: The identity document; what was only ever typed as one line stays in `identity_text`.
    identity_type: Mapped[str | None] = mapped_column(String(2))
    identity_series: Mapped[str] = mapped_column(String(20), default="", server_default="")
    identity_number: Mapped[str] = mapped_column(String(30), default="", server_default="")
    identity_issued_by: Mapped[str] = mapped_column(String(300), default="", server_default="")
    identity_issued_on: Mapped[date | None]
    identity_dept_code: Mapped[str] = mapped_column(String(7), default="", server_default="")
    identity_text: Mapped[LongText]
    snils: Mapped[str] = mapped_column(String(14), default="", server_default="")
    inn: Mapped[str] = mapped_column(String(12), default="", server_default="")
    allergy: Mapped[LongText]
    #: The day of the newest health questionnaire, and what is dangerous by the newest clear answers; kept by the
    #: surveys alone (trigger).
    surveyed_on: Mapped[date | None]
    health_alerts: Mapped[list[list[str]]] = mapped_column(JSONB, default=list, server_default=sql("'[]'"))
    comment: Mapped[LongText]
    source_id: Mapped[int | None] = mapped_column(ForeignKey("referral_source.id"))
    source: Mapped[ReferralSource | None] = relationship(lazy="joined")
    family_id: Mapped[int | None] = mapped_column(ForeignKey("family.id"))
    family: Mapped[Family | None] = relationship(lazy="select")
    guardian_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    guardian: Mapped["Patient | None"] = relationship(
        remote_side="Patient.id", lazy="select", foreign_keys="Patient.guardian_id"
    )
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    #: Insurer and number of a policy of voluntary insurance.
    insurance: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: What the patient is always given; suggested in a new work order.
    discount_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    discount_reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: Who of the family pays; none: the guardian of a minor, else the patient.
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    payer: Mapped["Patient | None"] = relationship(
        remote_side="Patient.id", lazy="select", foreign_keys="Patient.payer_id"
    )
    tags: Mapped[list[PatientTag]] = relationship(
        secondary="patient_tagged", lazy="select", order_by="(PatientTag.alert.desc(), PatientTag.name)"
    )
    #: The number on the paper card or in the program before; the search finds it as it is written or plainer.
    old_number: Mapped[str] = mapped_column(String(40), default="", server_default="")
    old_key: Mapped[str] = mapped_column(Text, Computed(OLD_KEY, persisted=True))
    archive_reason: Mapped[LongText]
    #: The card that this one was merged into: it has all that happened, and is found by this one's number too.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    #: When it was emptied on the patient's demand; it then stays in the archive (trigger: and stays empty).
    erased_at: Mapped[Instant | None]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    phones: Mapped[list["PatientPhone"]] = relationship(
        back_populates="patient", lazy="selectin", order_by="PatientPhone.id", cascade="all, delete-orphan"
    )
    __table_args__ = (
        UniqueConstraint("card_number", name="uq_patient_card_number"),
        one_of("status", CardStatus, "patient"),
        one_of("sex", Sex, "patient"),
        not_blank("surname", "patient"),
        not_blank("name", "patient"),
        CheckConstraint("guardian_id <> id", name="ck_patient_guardian_other"),
        CheckConstraint("payer_id <> id", name="ck_patient_payer_other"),
        CheckConstraint("discount_percent > 0 AND discount_percent <= 100", name="ck_patient_discount_sane"),
        CheckConstraint(
            "merged_into_id IS NULL OR (status = 'archived' AND merged_into_id <> id)",
            name="ck_patient_merged_is_archived",
        ),
        CheckConstraint("erased_at IS NULL OR status = 'archived'", name="ck_patient_erased_is_archived"),
        Index("ix_patient_merged_into_id", "merged_into_id", postgresql_where=sql("merged_into_id IS NOT NULL")),
        Index("ix_patient_payer_id", "payer_id", postgresql_where=sql("payer_id IS NOT NULL")),
        CheckConstraint("birth_date >= DATE '1900-01-01'", name="ck_patient_birth_date_sane"),
        one_of("identity_type", IdentityType, "patient"),
        CheckConstraint(
            "CASE identity_type WHEN '21' THEN identity_series ~ '^[0-9]{4}$' AND identity_number ~ '^[0-9]{6}$'"
            " WHEN '03' THEN identity_series ~ '^[IVXLC]+-[А-ЯЁ]{2}$' AND identity_number ~ '^[0-9]{6}$'"
            " ELSE (identity_type IS NULL) = (identity_number = '') END",
            name="ck_patient_identity_number_of_its_type",
        ),
        CheckConstraint(
            "identity_type IS NOT NULL OR"
            " (identity_series || identity_issued_by = '' AND identity_issued_on IS NULL)",
            name="ck_patient_identity_of_a_type",
        ),
        CheckConstraint(
            "identity_dept_code = '' OR (identity_type = '21' AND identity_dept_code ~ '^[0-9]{3}-[0-9]{3}$')",
            name="ck_patient_identity_dept_code",
        ),
        CheckConstraint("identity_issued_on >= birth_date", name="ck_patient_identity_after_birth"),
        Index("ix_patient_search_name", "search_name", postgresql_using="gin",
              postgresql_ops={"search_name": "gin_trgm_ops"}),
        # the search counts a surname's bearers here, without looking at their cards
        Index("ix_patient_by_name", "search_name", "id", postgresql_include=["status", "merged_into_id"]),
        Index("ix_patient_snils", "snils", postgresql_where=sql("snils <> ''")),
        Index("ix_patient_inn", "inn", postgresql_where=sql("inn <> ''")),
        Index("ix_patient_old_key", "old_key", postgresql_where=sql("old_key <> ''")),
        index("patient", "family_id"),
        index("patient", "guardian_id"),
        index("patient", "source_id"),
        index("patient", "birth_date"),
        index("patient", "doctor_id"),
    )  # fmt: skip

    @property
    def full_name(self) -> str:
        return " ".join(filter(None, (self.surname, self.name, self.patronymic)))

    @property
    def short_name(self) -> str:
        """Surname and initials: «Иванова М. С.»."""
        initials = " ".join(f"{part[0]}." for part in (self.name, self.patronymic) if part)
        return f"{self.surname} {initials}".strip()

    def __repr__(self) -> str:
        return f"{self.full_name}, № {self.card_number}"


#: How a word of a name sounds in Latin letters, roughly: one letter a sound, without и, й, ы and the signs; what is
#: typed in Latin is heard alike by `patients.rules.sound`.
LATIN = (
    "regexp_replace(translate(word, 'абвгдежзклмнопрстуфхцчшщэюяийыьъё', 'abvgdezzklmnoprstufhcqwweua'),"
    r" '(.)\1+', '\1', 'g')"
)


class NameWord(Model):
    """A word that some card has in its name; the search compares what was typed with these. Kept by a trigger."""

    __tablename__ = "name_word"
    word: Mapped[str] = mapped_column(Text, primary_key=True)
    latin: Mapped[str] = mapped_column(Text, Computed(LATIN, persisted=True))

    def __repr__(self) -> str:
        return self.word


class PatientPhone(Model):
    """One of a patient's phones, in the international form (+79161234567)."""

    __tablename__ = "patient_phone"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient: Mapped[Patient] = relationship(back_populates="phones", lazy="select")
    number: Mapped[str] = mapped_column(String(20))
    reversed_number: Mapped[str] = mapped_column(String(20), Computed("reverse(number)", persisted=True))
    owner: Mapped[str] = mapped_column(String(100), default="", server_default="")
    for_sms: Mapped[bool] = mapped_column(default=True, server_default="true")
    __table_args__ = (
        UniqueConstraint("patient_id", "number", name="uq_patient_phone_number"),
        CheckConstraint(r"number ~ '^\+[0-9]{7,15}$'", name="ck_patient_phone_number_international"),
        Index("ix_patient_phone_tail", "reversed_number", postgresql_ops={"reversed_number": "text_pattern_ops"}),
        index("patient_phone", "number"),
    )

    def __repr__(self) -> str:
        return self.number


class CardOpening(Model):
    """Somebody looked at a card, or at a paper of it, on this day: when first, when last, how often.

    Never taken back (trigger).
    """

    __tablename__ = "card_opening"
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(
        String(20), default=OpenedKind.CARD, server_default=OpenedKind.CARD.value, primary_key=True
    )
    #: The paper or the scan; 0 of the card itself.
    object_id: Mapped[int] = mapped_column(default=0, server_default="0", primary_key=True, autoincrement=False)
    first_at: Mapped[Instant]
    last_at: Mapped[Instant]
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    __table_args__ = (
        CheckConstraint("times > 0", name="ck_card_opening_times_positive"),
        one_of("what", OpenedKind, "card_opening"),
        index("card_opening", "user_id", "day"),
    )

    def __repr__(self) -> str:
        return f"{self.day}: {self.times}"


class CardMerge(Made, Model):
    """Two cards of one person became one: what was moved from the loser to the winner, so that it can be moved back.

    `moved`: {table.column: keys of the rows}. `fields`: the winner's and the loser's values before and after. Only
    under a merge of the same transaction may rows that are never changed be given to another patient (trigger).
    """

    __tablename__ = "card_merge"
    id: Mapped[Pk]
    loser_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    loser: Mapped[Patient] = relationship(foreign_keys=loser_id, lazy="joined")
    winner_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str] = mapped_column(String(400))
    moved: Mapped[dict[str, list[Any]]] = mapped_column(JSONB)
    fields: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_in: Mapped[str] = mapped_column(String(20), server_default=sql("pg_current_xact_id()\\:\\:text"))
    undone_at: Mapped[Instant | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    undone_in: Mapped[str | None] = mapped_column(String(20))
    __table_args__ = (
        CheckConstraint("loser_id <> winner_id", name="ck_card_merge_of_two"),
        not_blank("reason", "card_merge"),
        CheckConstraint("(undone_at IS NULL) = (undone_in IS NULL)", name="ck_card_merge_undone_in"),
        Index("uq_card_merge_standing", "loser_id", unique=True, postgresql_where=sql("undone_at IS NULL")),
        index("card_merge", "winner_id"),
    )

    def __repr__(self) -> str:
        return f"{self.loser_id} → {self.winner_id}"


class CardErasure(Made, Model):
    """A card was emptied on the patient's demand, with all cards that were merged into it; never taken back (triggers).

    `kept`: who the patient was and what the medical card says, while a law makes the clinic keep papers of theirs.
    Only under an erasure of the same transaction may rows that are never changed be emptied (trigger).
    """

    __tablename__ = "card_erasure"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    cards: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    #: The day of the demand.
    asked_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(400))
    kept: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    kept_until: Mapped[date | None]
    made_in: Mapped[str] = mapped_column(String(20), server_default=sql("pg_current_xact_id()\\:\\:text"))
    __table_args__ = (
        UniqueConstraint("patient_id", name="uq_card_erasure_once"),
        not_blank("reason", "card_erasure"),
        CheckConstraint("(kept IS NULL) = (kept_until IS NULL)", name="ck_card_erasure_kept_until"),
        index("card_erasure", "made_in"),
    )

    def __repr__(self) -> str:
        return f"{self.asked_on:%d.%m.%Y}"


class PatientSelection(Model):
    """Conditions on patients kept under a name: a person's own, or shown to everybody."""

    __tablename__ = "patient_selection"
    id: Mapped[Pk]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    name: Mapped[str] = mapped_column(String(60))
    shared: Mapped[bool] = mapped_column(default=False, server_default="false")
    criteria: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[Instant] = mapped_column(server_default=sql("now()"))
    __table_args__ = (
        Index("uq_patient_selection_name", "user_id", sql("lower(name)"), unique=True),
        not_blank("name", "patient_selection"),
    )

    def __repr__(self) -> str:
        return self.name


class PatientConsent(Made, Model):
    """A dated consent of a patient, and its withdrawal."""

    __tablename__ = "patient_consent"
    id: Mapped[Pk]
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    patient: Mapped[Patient] = relationship(lazy="select")
    kind: Mapped[str] = mapped_column(String(30))
    given_on: Mapped[date]
    withdrawn_at: Mapped[Instant | None]
    __table_args__ = (
        one_of("kind", ConsentKind, "patient_consent"),
        Index("uq_patient_consent_in_force", "patient_id", "kind", unique=True,
              postgresql_where=sql("withdrawn_at IS NULL")),
    )  # fmt: skip

    def __repr__(self) -> str:
        return self.kind
