"""The health questionnaire as the patient wrote it on paper: each a row of its own, the older ones stay."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app import audit, clock
from app.db import session
from app.models import HealthSurvey, User
from app.patients.operations.cards import open_card
from app.patients.rules import survey as rules


def add_survey(patient_id: int, day: date, answers: rules.Answers, more: Mapping[str, Any], *,
               actor: User | None) -> HealthSurvey:  # fmt: skip
    """Write down a filled in questionnaire; what is dangerous stands on the card until a newer one says «no».

    `answers`: {question: (answer, comment)}. `more`: `pregnancy_weeks`, `last_dentist`, `complaints`.
    Locks the card. Records `survey.added` with the day and nothing else: the log is read by more people than may read
    the answers.

    Raises:
        NotFound, NotAllowed, CardArchived, CardMerged, CardErased, Invalid
    """
    patient = open_card(patient_id, "survey.edit", actor)
    rules.check_day(day, patient.birth_date, clock.today())
    # an older paper found later clears nothing that was said since
    alerted = [key for key, _ in patient.health_alerts] if patient.surveyed_on and patient.surveyed_on <= day else []
    kept = rules.answers(answers, patient.sex, alerted)
    weeks = rules.weeks(more.get("pregnancy_weeks"), kept)
    row = HealthSurvey(
        patient_id=patient_id, day=day, answers=kept, alerts=rules.alerts(kept, weeks), pregnancy_weeks=weeks,
        last_dentist=more.get("last_dentist") or "", complaints=more.get("complaints") or "", created_at=clock.now(),
        created_by_id=actor.id if actor else None,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.expire(patient, ["surveyed_on", "health_alerts"])
    audit.record("survey.added", row, after=audit.facts(row, ("day",)), patient_id=patient_id, actor=actor)
    return row
