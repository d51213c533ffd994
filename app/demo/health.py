"""The demo clinic knows its patients' health: questionnaires, some of them old, medical cards, their diaries."""

from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from app import clock
from app.db import session
from app.models import Appointment, Employee, Patient, User
from app.patients import operations as patients
from app.patients.rules.survey import questions
from app.vocab import TEETH, Answer, AppointmentStatus

#: What patients answer with a yes, how often, and what they write beside it.
_YES = {
    "heart": (0.12, ("гипертония", "гипертония, пьёт лозартан")), "blood": (0.04, ("варфарин", "ксарелто")),
    "diabetes": (0.05, ("2 тип",)), "thyroid": (0.06, ("гипотиреоз",)), "asthma": (0.03, ("ингалятор с собой",)),
    "infection": (0.02, ("гепатит C, пролечен",)), "bisphosphonates": (0.02, ("",)), "pregnancy": (0.03, ("",)),
    "anaesthesia": (0.03, ("обморок", "сердцебиение")), "medicines": (0.2, ("витамины", "лозартан", "эутирокс")),
    "habits": (0.25, ("курит", "")), "joint": (0.08, ("щёлкает справа",)), "operations": (0.07, ("аппендицит, 2023",)),
}  # fmt: skip
#: Complaint, findings, code, diagnosis, treatment; {tooth} is a tooth.
_TREATED = [
    ("Боль от холодного и сладкого в зубе {tooth}", "Кариозная полость, зондирование болезненно по стенкам", "K02.1",
     "Кариес дентина, {tooth}", "Инфильтрационная анестезия, препарирование, пломба из светоотверждаемого композита."),
    ("Самопроизвольная боль в зубе {tooth}, ночью", "Глубокая полость, зондирование резко болезненно", "K04.0",
     "Пульпит, {tooth}", "Анестезия, экстирпация пульпы, механическая и медикаментозная обработка каналов."),
    ("Кровоточивость дёсен", "Над- и поддесневые отложения, гиперемия", "K05.1", "Хронический гингивит",
     "Профессиональная гигиена: ультразвук, полировка. Обучен чистке зубов."),
    ("Разрушен зуб {tooth}", "Корень ниже уровня десны, перкуссия слабо болезненна", "K08.3",
     "Оставшийся корень, {tooth}", "Анестезия, удаление корня, гемостаз. Рекомендации даны на руки."),
    ("Жалоб нет", "Слизистая бледно-розовая, без патологии", "Z01.2", "Стоматологическое обследование",
     "Осмотр, план лечения согласован."),
]  # fmt: skip
_MARKS = ("П", "П", "П", "С", "К", "О", "R", "Р", "Pt", "П С", "И")


class Health:
    """Questionnaires of those who have been here, and what their doctors wrote."""

    def __init__(self, chance: Random, desk: User) -> None:
        self.chance, self.desk = chance, desk

    def make(self) -> None:
        """A questionnaire for most who came, every tenth an old one; a diary entry for most of the visits."""
        visits = session.scalars(
            select(Appointment)
            .where(Appointment.status == AppointmentStatus.COMPLETED)
            .order_by(Appointment.starts_at, Appointment.id)
        ).all()
        came: dict[int, Patient] = {}
        for visit in visits:
            patient = session.get_one(Patient, visit.patient_id)
            if patient.id not in came and self.chance.random() < 0.7:
                self._survey(patient, visit.starts_at.date())
            if patient.id not in came and self.chance.random() < 0.5:
                self._card(patient)
            came[patient.id] = patient
            if self.chance.random() < 0.7:
                self._entry(visit)

    def _survey(self, patient: Patient, day: date) -> None:
        if self.chance.random() < 0.1:
            day -= timedelta(days=500)
        answers: dict[str, tuple[str, str]] = {}
        for question in questions(patient.sex):
            often, words = _YES.get(question.key, (0.01, ("",)))
            yes = self.chance.random() < often
            answers[question.key] = (Answer.YES, self.chance.choice(words)) if yes else (Answer.NO, "")
        if patient.allergy:
            answers["allergy"] = (Answer.YES, patient.allergy)
        more: dict[str, Any] = {"last_dentist": self.chance.choice(("год назад", "полгода назад", "не помнит", ""))}
        if answers.get("pregnancy", ("",))[0] == Answer.YES:
            more["pregnancy_weeks"] = self.chance.randint(6, 34)
        patients.add_survey(patient.id, max(day, patient.birth_date or day), answers, more, actor=self.desk)

    def _card(self, patient: Patient) -> None:
        teeth = self.chance.sample([tooth for row in TEETH[:2] for tooth in row], self.chance.randint(3, 9))
        formula = {tooth: self.chance.choice(_MARKS) for tooth in teeth}
        values = {
            "formula": formula, "bite": self.chance.choice(("ортогнатический", "прямой", "глубокий")),
            "mucosa": "Бледно-розовая, умеренно увлажнена, без видимой патологии",
            "shade": self.chance.choice(("A2", "A3", "B2", "")),
        }  # fmt: skip
        patients.save_record(patient.id, None, values, actor=None)

    def _entry(self, visit: Appointment) -> None:
        tooth = self.chance.choice([tooth for row in TEETH[:2] for tooth in row])
        complaints, objective, icd, diagnosis, treatment = self.chance.choice(_TREATED)
        doctor = session.get_one(Employee, visit.doctor_id)
        with clock.at(visit.ends_at):
            patients.write_diary(
                visit.patient_id, visit.starts_at.date(),
                {
                    "complaints": complaints.format(tooth=tooth), "objective": objective, "icd": icd,
                    "diagnosis": diagnosis.format(tooth=tooth), "treatment": treatment,
                },
                doctor_id=doctor.id, actor=None,
            )  # fmt: skip
