"""A believable clinic around today: two weeks behind, three ahead, made by the desk's own operations.

Everything goes through the same doors as the desk, with the clock set to the hour it happens at, so the demo
keeps every rule. All of it is one transaction: a start that was interrupted leaves nothing behind.
Where next: `app/demo/data.py` for the names and prices; `calls`, `waiting`, `notify` and `health` beside it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.security import generate_password_hash

from app import access, clock
from app.billing import operations as billing
from app.cash import operations as cash
from app.db import session, transaction
from app.demo import data
from app.demo.calls import Calls
from app.demo.health import Health
from app.demo.notify import Notifying
from app.demo.waiting import Waits
from app.fiscal import operations as fiscal
from app.models import (
    Appointment,
    Branch,
    CancelReason,
    CashDesk,
    Chair,
    Employee,
    ExpenseCategory,
    Family,
    FiscalDevice,
    LegalEntity,
    OutboxMessage,
    Patient,
    ReferralSource,
    Role,
    Service,
    ServiceCategory,
    ServicePrice,
    SlipPrinter,
    Speciality,
    User,
)
from app.patients import operations as patients
from app.roles import DOCTOR, ROLES
from app.schedule import operations as schedule
from app.schedule import queries, rules
from app.vocab import MessageStatus, Taxation

PASSWORD = "demo"
BEHIND, AHEAD, PATIENTS = 14, 21, 300
LOGINS = [(login, role) for login, role, *_ in data.LOGINS] + [("doctor", DOCTOR)]


def load_if_empty(app: Flask) -> bool:
    """Make the demo clinic in a database where nobody has a login yet; True when it was made."""
    with app.app_context():
        if session.scalar(select(func.count()).select_from(User)):
            return False
        with transaction():
            DemoClinic().make()
        return True


def logins(app: Flask) -> list[list[str]]:
    """The demo logins that exist here with the demo's password, as [role's name, login]."""
    from werkzeug.security import check_password_hash

    with app.app_context():
        users = {user.username: user for user in session.scalars(select(User).where(User.active.is_(True)))}
        titles = dict(
            zip(
                ROLES,
                ("администратор", "старший администратор", "врач", "директор", "системный администратор"),
                strict=True,
            )
        )
        return [
            [titles[role], login]
            for login, role in LOGINS
            if login in users and check_password_hash(users[login].password, PASSWORD)
        ]


class DemoClinic:
    """The clinic while it is being made; the same every time on the same day."""

    def __init__(self) -> None:
        self.chance = Random(20261122)
        self.now = clock.wall_now().replace(second=0, microsecond=0)
        self.today = self.now.date()
        self.busy: dict[date, set[int]] = {}
        self.hours: dict[queries.DoctorDay, list[queries.Dated]] = {}

    def make(self) -> None:
        """All of it, in the order in which a clinic comes to life."""
        with clock.at(self._at(self.today - timedelta(days=BEHIND + 30), 10)):
            self._house()
            self._people()
            self._price_list()
            self._directories()
            self._card_index()
        self._working_hours()
        for offset in range(-BEHIND, AHEAD + 1):
            day = self.today + timedelta(days=offset)
            visits = self._book_day(day)
            if day <= self.today:
                self._live_day(day, visits)
        Calls(self.chance, self.now, self.desk, self._account("senior"), self.patients, self.doctors).make()
        Waits(self.chance, self.now, self.desk, self.patients, self.doctors).make()
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.due_at <= clock.now(), OutboxMessage.status == MessageStatus.PENDING)
            .values(status=MessageStatus.SENT, sent_at=OutboxMessage.due_at, parts=2)
        )
        Notifying(self.chance, self.desk).make()
        Health(Random(20261201), self.desk).make()
        self._fiscal_devices()
        session.add_all(
            SlipPrinter(name=f"Принтер «{branch.name}»", branch_id=branch.id)
            for branch in session.scalars(select(Branch).order_by(Branch.id))
        )

    def _fiscal_devices(self) -> None:
        """Last, so that only what is paid from now on is printed; their drawers are told what the desks hold."""
        devices = [
            FiscalDevice(
                name=f"ККТ «{branch.name}»", legal_entity_id=branch.legal_entity_id, branch_id=branch.id,
                taxation=Taxation.USN_INCOME,
            )
            for branch in session.scalars(select(Branch).order_by(Branch.id))
        ]  # fmt: skip
        session.add_all(devices)
        session.flush()
        for device in devices:
            fiscal.ask_to_level(device.id, actor=self.director)
        with clock.at(self.now):
            cash.move(self.drawers[0].id, "pay_in", Decimal("3000.00"), comment="Размен", actor=self.desk)

    def _at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute))

    # --- the house --------------------------------------------------------------------------------

    def _house(self) -> None:
        entity = LegalEntity(
            name="Общество с ограниченной ответственностью «Улыбка»", short_name="ООО «Улыбка»", inn="7701234567",
            kpp="770101001", ogrn="1027700132195", okpo="12345678", phone="+7 495 123-45-67",
            address="125047, г. Москва, ул. Лесная, д. 5", director_name="Орлов Виктор Сергеевич",
            director_post="Генеральный директор",
            email="info@ulybka.example", site="ulybka.example", licence_number="Л041-01137-77/00368421",
            licence_day=date(2021, 3, 12), licence_issuer="Департамент здравоохранения города Москвы",
            licence_issuer_address="127006, г. Москва, Оружейный пер., д. 43", licence_issuer_phone="+7 495 777-77-77",
            licence_works="стоматология терапевтическая, хирургическая, ортопедическая, детская, рентгенология",
            bank_name="АО «Банк»", bank_bik="044525000", bank_account="40702810900000012345",
            bank_corr_account="30101810400000000000",
        )  # fmt: skip
        self.branches = [
            Branch(
                name="На Лесной", address="г. Москва, ул. Лесная, д. 5", phone="+7 495 123-45-67", legal_entity=entity
            ),
            Branch(
                name="У парка", address="г. Москва, Парковая ул., д. 12", phone="+7 495 123-45-68", legal_entity=entity
            ),
        ]
        session.add_all([entity, *self.branches])
        session.flush()
        self.chairs = [
            [Chair(name=f"Кресло {n}", branch=branch) for n in range(1, count + 1)]
            for branch, count in zip(self.branches, (5, 3), strict=True)
        ]
        self.drawers, self.terminals = [], []
        for branch, chairs in zip(self.branches, self.chairs, strict=True):
            session.add_all(chairs)
            desk = {"branch_id": branch.id, "legal_entity_id": entity.id}
            self.drawers.append(CashDesk(name="Главная касса", kind="main", **desk))
            self.terminals.append(CashDesk(name="Безналичная касса", kind="non_cash", **desk))
        session.add_all([*self.drawers, *self.terminals])
        session.flush()

    def _people(self) -> None:
        kinds = {name: Speciality(name=name) for name in data.SPECIALITIES}
        session.add_all(kinds.values())
        self.doctors = [
            Employee(
                surname=surname, name=name, patronymic=patronymic, post=data.SPECIALITIES[kind], is_doctor=True,
                speciality=kinds[kind], branch_id=self.branches[branch].id, color=color,
            )
            for surname, name, patronymic, kind, branch, color in data.DOCTORS
        ]  # fmt: skip
        session.add_all(self.doctors)
        # Everybody has the same password and the account is the demo's: one hash is enough.
        self.hash = generate_password_hash(PASSWORD)
        for login, role, surname, name, patronymic, post in data.LOGINS:
            user = self._login(login, role, name, surname)
            session.add(
                Employee(
                    surname=surname,
                    name=name,
                    patronymic=patronymic,
                    post=post,
                    user_id=user.id,
                    branch_id=self.branches[0].id,
                )
            )
        first = self.doctors[0]
        first.user_id = self._login("doctor", DOCTOR, first.name, first.surname).id
        session.flush()
        self.desk, self.director = self._account("administrator"), self._account("director")

    def _login(self, login: str, role: str, name: str, surname: str) -> User:
        user = User(
            username=login, first_name=name, last_name=surname, email=f"{login}@clinic.invalid", active=True,
            password=self.hash, roles=[session.scalars(select(Role).where(Role.name == role)).one()],
        )  # fmt: skip
        session.add(user)
        session.flush()
        return user

    def _account(self, login: str) -> User:
        user = access.load(session.scalars(select(User.id).where(User.username == login)).one())
        assert user is not None
        return user

    def _price_list(self) -> None:
        categories: dict[str, ServiceCategory] = {}
        self.services: list[Service] = []
        for code, name, category, minutes, price in data.SERVICES:
            if category not in categories:
                categories[category] = ServiceCategory(name=category)
            service = Service(code=code, name=name, category=categories[category], minutes=minutes)
            session.add(service)
            session.flush()
            session.add(
                ServicePrice(service_id=service.id, valid_from=self.today - timedelta(days=365), price=Decimal(price))
            )
            self.services.append(service)
        session.flush()

    def _directories(self) -> None:
        self.sources = [ReferralSource(name=name) for name in data.SOURCES]
        self.cancel_reasons = [CancelReason(name=name) for name in data.CANCEL_REASONS]
        self.expenses = [ExpenseCategory(name=name) for name in data.EXPENSES]
        session.add_all([*self.sources, *self.cancel_reasons, *self.expenses])
        session.flush()

    # --- the card index ---------------------------------------------------------------------------

    def _card_index(self) -> None:
        self.patients: list[Patient] = []
        while len(self.patients) < PATIENTS:
            size = self.chance.choice([1, 1, 1, 2, 3, 4])
            self._family(min(size, PATIENTS - len(self.patients)))

    def _family(self, size: int) -> None:
        surname = self.chance.choice(data.SURNAMES)
        father = self.chance.choice(data.FATHERS)
        street, house, flat = (
            self.chance.choice(data.STREETS),
            self.chance.randint(1, 90),
            self.chance.randint(1, 200),
        )
        address = f"г. Москва, {street}, д. {house}, кв. {flat}"
        phone = f"+7916{self.chance.randint(1000000, 9999999)}"
        family = None
        if size > 1:
            family = Family(name=surname[0])
            session.add(family)
            session.flush()
        grown_up: Patient | None = None
        first_is_woman = self.chance.random() < 0.5
        for member in range(size):
            child = member >= 2
            woman = self.chance.random() < 0.5 if child else first_is_woman != bool(member)
            patient = self._card(surname, father, address, phone, child=child, woman=woman)
            patient.family_id = family.id if family else None
            patient.guardian_id = grown_up.id if child and grown_up else None
            grown_up = grown_up or patient
            self.patients.append(patient)

    def _card(
        self, surname: tuple[str, str], father: str, address: str, phone: str, *, child: bool, woman: bool
    ) -> Patient:
        age = self.chance.randint(4, 17) if child else self.chance.randint(20, 78)
        born = self.today.replace(day=1) - timedelta(days=age * 365 + self.chance.randint(0, 360))
        values: dict[str, Any] = {
            "surname": surname[woman],
            "name": self.chance.choice(data.WOMEN if woman else data.MEN),
            "patronymic": data.PATRONYMICS[father if child else self.chance.choice(data.FATHERS)][woman],
            "birth_date": born,
            "sex": "female" if woman else "male",
            "phone": phone,
            "source_id": self.chance.choice(self.sources).id,
            "address": address,
            "allergy": self.chance.choice(data.ALLERGIES) if self.chance.random() < 0.06 else "",
        }
        return patients.create_card(values, actor=self.desk)

    # --- the schedule -----------------------------------------------------------------------------

    def _working_hours(self) -> None:
        """Weekly patterns, some of odd and even weeks; today everybody works, and somebody at this very hour."""
        places = [
            (branch, chair) for branch, chairs in zip(self.branches, self.chairs, strict=True) for chair in chairs
        ]
        first = self.today - timedelta(days=BEHIND)
        with clock.at(self._at(first, 7)):
            for number, (doctor, (branch, chair)) in enumerate(zip(self.doctors, places, strict=True)):
                self._weekly_pattern(number, doctor, branch, chair, first)
        with clock.at(self._at(self.today, 0, 5)):
            schedule.make_hours(actor=None)
            at_work = {row.doctor_id for row in queries.dated(self.today, self.today)}
            for number, (doctor, (branch, chair)) in enumerate(zip(self.doctors, places, strict=True)):
                if number in (0, 1, 5) or doctor.id not in at_work:
                    own = self._around_now() if number in (0, 1, 5) else (time(9), time(15))
                    shift = rules.Shift(*own, branch.id, chair.id)
                    schedule.change_day(doctor.id, [self.today], [shift], actor=self.director)
            self._days_otherwise(places)
        for row in queries.dated(first, self.today + timedelta(days=AHEAD)):
            self.hours.setdefault((row.doctor_id, row.day), []).append(row)

    def _weekly_pattern(self, number: int, doctor: Employee, branch: Branch, chair: Chair, first: date) -> None:
        """Mornings and evenings in turn, a day off a week; the sixth doctor is in two branches on two days."""
        morning, evening = (time(9), time(15)), (time(14), time(20))
        lines = []

        def works(weekday: int, hours: tuple[time, time], weeks: str = "every", where: Any = (branch, chair)) -> None:
            lines.append(rules.Weekly(*hours, where[0].id, where[1].id, weekday, weeks, first, None, doctor.id))

        for weekday in range(1, 8):
            if weekday == 7 - number % 7:
                continue
            if number == 5 and weekday in (1, 4):
                works(weekday, (time(9), time(13)))
                works(weekday, (time(15), time(20)), where=(self.branches[0], self.chairs[0][4]))
            elif number == 4 and weekday in (1, 4):
                works(weekday, (time(9), time(15)))
            elif number < 4:
                works(weekday, morning, "odd" if number % 2 else "even")
                works(weekday, evening, "even" if number % 2 else "odd")
            else:
                works(weekday, morning if (weekday + number) % 2 else evening)
        schedule.set_pattern(doctor.id, lines, first_day=first, actor=self.director)

    def _days_otherwise(self, places: list[tuple[Branch, Chair]]) -> None:
        """A vacation, a day of study, a short day, and a day on which the clinic is closed."""

        def day(offset: int) -> date:
            return self.today + timedelta(days=offset)

        vacation = [day(offset) for offset in range(14, 28)]
        schedule.change_day(self.doctors[7].id, vacation, [], reason="Отпуск", actor=self.director)
        schedule.change_day(self.doctors[2].id, [day(9)], [], reason="Учёба", actor=self.director)
        branch, chair = places[3]
        short = [rules.Shift(time(10), time(14), branch.id, chair.id)]
        schedule.change_day(self.doctors[3].id, [day(4)], short, reason="Короткий день", actor=self.director)
        schedule.set_holiday(day(AHEAD + 4), True, name="Санитарный день", actor=self.director)

    def _around_now(self) -> tuple[time, time]:
        """Hours of the doctors on duty today: some time behind this moment and some ahead, whatever the hour."""
        midnight = datetime.combine(self.today, time())
        start = max(midnight, min(self._at(self.today, 9), self.now.replace(minute=0) - timedelta(hours=3)))
        end = max(self._at(self.today, 18), self.now.replace(minute=0) + timedelta(hours=3))
        return start.time(), min(end, self._at(self.today, 23, 45)).time()

    def _book_day(self, day: date) -> list[Appointment]:
        """Fill a day: dense behind and around today, thinner the farther ahead."""
        ahead = (day - self.today).days
        density = 0.72 if ahead <= 1 else max(0.25, 0.65 - ahead * 0.02)
        visits = []
        for doctor in self.doctors:
            for hours in self.hours.get((doctor.id, day), []):
                moment = hours.starts_at
                while moment + timedelta(minutes=30) <= hours.ends_at:
                    minutes = self.chance.choice([30, 30, 45, 60, 60, 90])
                    if moment + timedelta(minutes=minutes) > hours.ends_at:
                        minutes = 30
                    if self.chance.random() < density:
                        visits.append(self._book(doctor, hours, moment, minutes))
                    moment += timedelta(minutes=minutes)
        return visits

    def _book(self, doctor: Employee, hours: queries.Dated, moment: datetime, minutes: int) -> Appointment:
        taken = self.busy.setdefault(moment.date(), set())
        patient = self.chance.choice(self.patients)
        while patient.id in taken:
            patient = self.chance.choice(self.patients)
        taken.add(patient.id)
        made = min(moment - timedelta(days=self.chance.randint(1, 12)), self.now - timedelta(hours=2))
        with clock.at(made.replace(hour=self.chance.randint(9, 19)) if made.date() < self.today else made):
            return schedule.book(
                patient.id, doctor.id, moment, moment + timedelta(minutes=minutes), branch_id=hours.branch_id,
                chair_id=hours.chair_id,
                comment=self.chance.choice(data.COMMENTS) if self.chance.random() < 0.15 else "", actor=self.desk,
            )  # fmt: skip

    # --- a day at the desk ------------------------------------------------------------------------

    def _live_day(self, day: date, visits: list[Appointment]) -> None:
        """Open the desks, meet and settle whoever came, close the desks; today stays open."""
        opening = min(self._at(day, 8, 30), min((visit.starts_at for visit in visits), default=self._at(day, 9)))
        if day == self.today:
            opening = min(opening, self.now)
        shifts = []
        for drawer in self.drawers:
            with clock.at(opening):
                shift = cash.open_shift(drawer.id, self._balance(drawer), actor=self.desk)
                if day == self.today - timedelta(days=BEHIND):
                    cash.move(drawer.id, "pay_in", Decimal("5000.00"), comment="Размен", actor=self.desk)
                shifts.append((drawer, shift))
        for order, visit in enumerate(sorted(visits, key=lambda visit: visit.starts_at)):
            self._live_visit(visit, order)
        for drawer, shift in shifts:
            evening = self.now if day == self.today else self._at(day, 20, 30)
            with clock.at(evening):
                self._spend(drawer)
                if day < self.today:
                    if self._balance(drawer) > 40000:
                        cash.move(
                            drawer.id, "collection", self._balance(drawer) - 5000, counterparty="Банк", actor=self.desk
                        )
                    cash.close_shift(shift.id, self._balance(drawer), actor=self.desk)

    def _balance(self, drawer: CashDesk) -> Decimal:
        session.refresh(drawer)
        return drawer.balance

    def _spend(self, drawer: CashDesk) -> None:
        amount = Decimal(self.chance.randint(3, 24) * 50)
        if self._balance(drawer) > amount:
            category = self.chance.choice(self.expenses)
            why = data.EXPENSES[category.name]
            cash.move(drawer.id, "withdrawal", amount, category_id=category.id, comment=why, actor=self.desk)

    @contextmanager
    def _moment(self, moment: datetime) -> Iterator[None]:
        with clock.at(min(moment, self.now)):
            yield

    def _live_visit(self, visit: Appointment, order: int) -> None:
        start, end = visit.starts_at, visit.ends_at
        fate = self.chance.random()
        if fate < 0.06 or (order == 0 and start.date() == self.today):
            reason = self.chance.choice(self.cancel_reasons)
            with self._moment(start - timedelta(hours=self.chance.choice([3, 20, 30]))):
                schedule.cancel(
                    visit.id, reason.id, self.chance.choice(["patient", "patient", "clinic"]), actor=self.desk
                )
            return
        if start >= self.now + timedelta(minutes=25):
            if self.chance.random() < 0.5:
                with clock.at(self.now):
                    schedule.confirm(visit.id, actor=self.desk)
            return
        if start <= self.now and (fate < 0.11 or (order == 1 and start.date() == self.today)):
            with self._moment(start + timedelta(minutes=20)):
                schedule.no_show(visit.id, actor=self.desk)
            return
        with self._moment(start - timedelta(minutes=self.chance.randint(0, 12))):
            schedule.arrive(visit.id, actor=self.desk)
        if start > self.now - timedelta(minutes=5):
            return
        with self._moment(start + timedelta(minutes=self.chance.randint(0, 8))):
            schedule.start(visit.id, actor=self.desk)
        if end > self.now:
            return
        with self._moment(end - timedelta(minutes=2)):
            schedule.complete(visit.id, actor=self.desk)
            work_order = billing.create_work_order(
                visit.patient_id, visit.doctor_id, self._lines(), appointment_id=visit.id, actor=self.director
            )
            if self.chance.random() < 0.04:
                return
            billing.issue(work_order.id, actor=self.director)
        with self._moment(end + timedelta(minutes=3)):
            self._settle(visit, work_order.total)

    def _lines(self) -> list[dict[str, Any]]:
        lines = []
        for service in self.chance.sample(self.services, self.chance.choice([1, 1, 2, 3])):
            line: dict[str, Any] = {"service_id": service.id, "quantity": 1}
            if service.code.startswith("A16"):
                line["tooth"] = str(self.chance.choice([1, 2, 3, 4]) * 10 + self.chance.randint(1, 8))
            if self.chance.random() < 0.08:
                line |= {"discount_percent": Decimal(5), "discount_reason": "Постоянный пациент"}
            lines.append(line)
        return lines

    def _settle(self, visit: Appointment, total: Decimal) -> None:
        """Most pay all by card or in cash, some leave a debt, some pay ahead, a few get something back."""
        fate = self.chance.random()
        if fate < 0.08 or not total:
            return
        if fate < 0.16:
            total = (total / 2).quantize(Decimal(1))
        elif fate < 0.22:
            total += 3000
        way = self.chance.choice(["cash", "card", "card"])
        tendered = (total / 1000).quantize(Decimal(1), "ROUND_CEILING") * 1000 if way == "cash" else None
        payment = billing.take_payment(
            visit.patient_id,
            [{"method": way, "amount": total}],
            tendered=tendered,
            branch_id=visit.branch_id,
            actor=self.desk,
        )
        if fate > 0.985:
            billing.refund(payment.id, min(total, Decimal(500)), "Ошибка в сумме", actor=self.director)
