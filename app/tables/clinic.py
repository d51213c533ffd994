"""The clinic itself: legal entities, branches, chairs, its settings, gapless numbers."""

from datetime import date, time

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.tables.base import Archivable, LongText, Model, Name, Pk, index, not_blank


class LegalEntity(Archivable, Model):
    """Who signs contracts and takes money: a company or an entrepreneur."""

    __tablename__ = "legal_entity"
    id: Mapped[Pk]
    name: Mapped[Name]
    short_name: Mapped[Name]
    inn: Mapped[str] = mapped_column(String(12), default="", server_default="")
    kpp: Mapped[str] = mapped_column(String(9), default="", server_default="")
    ogrn: Mapped[str] = mapped_column(String(15), default="", server_default="")
    okpo: Mapped[str] = mapped_column(String(10), default="", server_default="")
    address: Mapped[LongText]
    phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    #: The mark that patients know the clinic by.
    brand: Mapped[str] = mapped_column(String(200), default="", server_default="")
    email: Mapped[str] = mapped_column(String(200), default="", server_default="")
    site: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: The licence and the bank in one line, for whoever keeps them so; the parts below are printed first.
    licence: Mapped[LongText]
    licence_number: Mapped[str] = mapped_column(String(60), default="", server_default="")
    licence_day: Mapped[date | None]
    licence_issuer: Mapped[str] = mapped_column(String(300), default="", server_default="")
    licence_issuer_address: Mapped[str] = mapped_column(String(300), default="", server_default="")
    licence_issuer_phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    licence_works: Mapped[LongText]
    bank_details: Mapped[LongText]
    bank_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    bank_bik: Mapped[str] = mapped_column(String(9), default="", server_default="")
    bank_account: Mapped[str] = mapped_column(String(20), default="", server_default="")
    bank_corr_account: Mapped[str] = mapped_column(String(20), default="", server_default="")
    director_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    director_post: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: In the genitive, where the rules of the language do not know it.
    director_name_genitive: Mapped[str] = mapped_column(String(200), default="", server_default="")
    director_post_genitive: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: On what ground the head signs: «Устава».
    acting_on: Mapped[str] = mapped_column(String(200), default="", server_default="")
    accountant_name: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: The accounts that stand in cash orders: the drawer's own, and what stands against it.
    account_cash: Mapped[str] = mapped_column(String(20), default="50.01", server_default="50.01")
    account_patients: Mapped[str] = mapped_column(String(20), default="62.01", server_default="62.01")
    account_bank: Mapped[str] = mapped_column(String(20), default="57.01", server_default="57.01")
    account_salary: Mapped[str] = mapped_column(String(20), default="70", server_default="70")
    account_expenses: Mapped[str] = mapped_column(String(20), default="71.01", server_default="71.01")
    account_other: Mapped[str] = mapped_column(String(20), default="91", server_default="91")
    __table_args__ = (not_blank("name", "legal_entity"),)

    def __repr__(self) -> str:
        return self.short_name


class Branch(Archivable, Model):
    """A place where patients are seen; its money belongs to one legal entity."""

    __tablename__ = "branch"
    id: Mapped[Pk]
    name: Mapped[Name]
    address: Mapped[LongText]
    phone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"))
    legal_entity: Mapped[LegalEntity] = relationship(lazy="joined")
    __table_args__ = (
        UniqueConstraint("name", name="uq_branch_name"),
        not_blank("name", "branch"),
        index("branch", "legal_entity_id"),
    )

    def __repr__(self) -> str:
        return self.name


class Chair(Archivable, Model):
    """A dental chair (or room) of a branch: one patient at a time."""

    __tablename__ = "chair"
    id: Mapped[Pk]
    name: Mapped[Name]
    branch_id: Mapped[int] = mapped_column(ForeignKey("branch.id"))
    branch: Mapped[Branch] = relationship(lazy="joined")
    __table_args__ = (
        UniqueConstraint("branch_id", "name", name="uq_chair_name"),
        not_blank("name", "chair"),
    )

    def __repr__(self) -> str:
        return self.name


class ClinicSetting(Model):
    """The clinic's own choices; one row."""

    __tablename__ = "clinic_setting"
    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)
    grid_step: Mapped[int] = mapped_column(SmallInteger, default=15)
    waiting_limit: Mapped[int] = mapped_column(SmallInteger, default=15)
    administrators_fill_work_orders: Mapped[bool] = mapped_column(default=True)
    discount_limit_administrator: Mapped[int] = mapped_column(SmallInteger, default=5)
    discount_limit_senior: Mapped[int] = mapped_column(SmallInteger, default=15)
    discount_limit_doctor: Mapped[int] = mapped_column(SmallInteger, default=10)
    reminder_hours: Mapped[int] = mapped_column(SmallInteger, default=24)
    #: 0: no second reminder.
    second_reminder_hours: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    #: Messages leave between these hours only.
    sending_from: Mapped[time] = mapped_column(default=time(9), server_default="09:00")
    sending_to: Mapped[time] = mapped_column(default=time(21), server_default="21:00")
    #: How long an offered time is kept for a waiting patient, minutes.
    offer_minutes: Mapped[int] = mapped_column(SmallInteger, default=60, server_default="60")
    #: A planned visit is called about so many days before its target.
    call_lead_days: Mapped[int] = mapped_column(SmallInteger, default=14, server_default="14")
    #: Dated hours are made from the weekly patterns so many weeks ahead.
    hours_weeks_ahead: Mapped[int] = mapped_column(SmallInteger, default=8, server_default="8")
    #: Planned visits, call tasks, the waiting list. Off: no menu, no pages, no jobs; the data stays.
    crm: Mapped[bool] = mapped_column(default=True, server_default="true")
    #: A health questionnaire is asked for anew after so many months.
    survey_months: Mapped[int] = mapped_column(SmallInteger, default=12, server_default="12")
    paid_services_act: Mapped[LongText]
    #: Who works with patients' data for the clinic, as the consent names them: name and address of each.
    personal_data_processors: Mapped[LongText]
    __table_args__ = (
        CheckConstraint("id = 1", name="ck_clinic_setting_one_row"),
        CheckConstraint("grid_step IN (5, 10, 15, 30)", name="ck_clinic_setting_grid_step_known"),
        CheckConstraint("waiting_limit BETWEEN 1 AND 240", name="ck_clinic_setting_waiting_limit_sane"),
        CheckConstraint("reminder_hours BETWEEN 1 AND 240", name="ck_clinic_setting_reminder_hours_sane"),
        CheckConstraint("second_reminder_hours BETWEEN 0 AND 48", name="ck_clinic_setting_second_reminder_sane"),
        CheckConstraint("sending_from < sending_to", name="ck_clinic_setting_sending_hours_in_order"),
        CheckConstraint("offer_minutes BETWEEN 5 AND 2880", name="ck_clinic_setting_offer_minutes_sane"),
        CheckConstraint("call_lead_days BETWEEN 0 AND 90", name="ck_clinic_setting_call_lead_sane"),
        CheckConstraint("survey_months BETWEEN 1 AND 36", name="ck_clinic_setting_survey_months_sane"),
        CheckConstraint("hours_weeks_ahead BETWEEN 1 AND 52", name="ck_clinic_setting_hours_ahead_sane"),
        CheckConstraint(
            "discount_limit_administrator BETWEEN 0 AND 100 AND discount_limit_senior BETWEEN 0 AND 100"
            " AND discount_limit_doctor BETWEEN 0 AND 100",
            name="ck_clinic_setting_discount_limit_percent",
        ),
    )

    def __repr__(self) -> str:
        return "settings"


class NumberSeries(Model):
    """The last number given out in a series of papers of a legal entity in a year: no gaps, no doubles.

    The row is locked until the transaction that took a number ends.
    """

    __tablename__ = "number_series"
    legal_entity_id: Mapped[int] = mapped_column(ForeignKey("legal_entity.id"), primary_key=True)
    series: Mapped[str] = mapped_column(String(40), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    last_number: Mapped[int] = mapped_column(default=0)

    def __repr__(self) -> str:
        return f"{self.series} {self.year}: {self.last_number}"
