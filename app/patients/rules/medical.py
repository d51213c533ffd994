"""The medical card 043/у: teeth and the marks of the formula, codes of МКБ-10, days of hygiene.

Where next: `../operations/medical.py`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.errors import Invalid
from app.vocab import N_, TEETH

#: What a doctor fills in on the form, in its order.
RECORD_FIELDS = (
    "occupation", "diagnosis", "icd", "complaints", "past_illnesses", "anamnesis", "examination", "formula", "bite",
    "mucosa", "findings", "shade", "hygiene_taught_on", "hygiene_checks", "examination_plan", "treatment_plan",
    "consultations", "epicrisis",
)  # fmt: skip
ENTRY_FIELDS = ("complaints", "objective", "diagnosis", "icd", "treatment")
KNOWN_TEETH = frozenset(tooth for row in TEETH for tooth in row)


@dataclass(frozen=True)
class Mark:
    """A mark of the formula: its key, the sign that is written and printed, and what it means."""

    key: str
    sign: str
    meaning: str


#: The legend of the form, in its order.
MARKS: dict[str, Mark] = {
    mark.key: mark
    for mark in (
        Mark("absent", "О", N_("absent")), Mark("root", "R", N_("root")), Mark("caries", "С", N_("caries")),
        Mark("pulpitis", "Р", N_("pulpitis")), Mark("periodontitis", "Pt", N_("apical periodontitis")),
        Mark("filling", "П", N_("filling")), Mark("parodontitis", "А", N_("gum disease")),
        Mark("mobility_1", "I", N_("mobility I")), Mark("mobility_2", "II", N_("mobility II")),
        Mark("mobility_3", "III", N_("mobility III")), Mark("crown", "К", N_("crown")),
        Mark("artificial", "И", N_("artificial tooth")),
    )
}  # fmt: skip
_ORDER = list(MARKS)
#: Signs as they are typed, letters of both alphabets that look alike taken as one; the longest first.
_TYPED = {
    "PT": "periodontitis", "III": "mobility_3", "II": "mobility_2", "I": "mobility_1", "3": "mobility_3",
    "2": "mobility_2", "1": "mobility_1", "O": "absent", "0": "absent", "R": "root", "C": "caries", "P": "pulpitis",
    "П": "filling", "A": "parodontitis", "K": "crown", "И": "artificial",
}  # fmt: skip
_LOOK_ALIKE = str.maketrans("ОСРАКТІ", "OCPAKTI")
_SIGN = re.compile("|".join(_TYPED))
_ICD = re.compile(r"[A-Z][0-9]{2}(\.[0-9]{1,2})?")
_TO_LATIN = str.maketrans("АВСЕНКМОРТХ", "ABCEHKMOPTX")

#: Codes that a dentist writes most, with their names (МКБ-10).
COMMON_CODES = {
    "K02.0": "Кариес эмали", "K02.1": "Кариес дентина", "K02.2": "Кариес цемента", "K03.1": "Сошлифовывание зубов",
    "K03.6": "Отложения на зубах", "K04.0": "Пульпит", "K04.1": "Некроз пульпы",
    "K04.4": "Острый апикальный периодонтит", "K04.5": "Хронический апикальный периодонтит",
    "K04.7": "Периапикальный абсцесс без свища", "K04.8": "Корневая киста", "K05.0": "Острый гингивит",
    "K05.1": "Хронический гингивит", "K05.2": "Острый пародонтит", "K05.3": "Хронический пародонтит",
    "K06.0": "Рецессия десны", "K01.0": "Ретинированные зубы", "K01.1": "Импактные зубы",
    "K07.2": "Аномалии соотношения зубных дуг", "K07.3": "Аномалии положения зубов",
    "K07.6": "Болезни височно-нижнечелюстного сустава", "K08.1": "Потеря зубов", "K08.3": "Оставшийся корень зуба",
    "K10.3": "Альвеолит челюстей", "K12.0": "Рецидивирующие афты полости рта", "S02.5": "Перелом зуба",
    "Z01.2": "Стоматологическое обследование",
}  # fmt: skip


def marks(typed: str) -> list[str] | None:
    """The marks that were typed for a tooth, «П С», «пс», «pt,1», in the order of the legend; None: not understood."""
    letters = re.sub(r"[\s,;./]+", " ", typed.upper().translate(_LOOK_ALIKE)).strip()
    found: set[str] = set()
    for word in letters.split():
        if _SIGN.sub("", word):
            return None
        found |= {_TYPED[sign] for sign in _SIGN.findall(word)}
    return sorted(found, key=_ORDER.index)


def signs_of(found: Sequence[str]) -> str:
    """Marks as they are written: «С, Pt»."""
    return ", ".join(MARKS[key].sign for key in found)


def formula(typed: Mapping[str, str]) -> dict[str, list[str]]:
    """The dental formula as it is kept: {tooth: marks}, sound teeth left out.

    Raises:
        Invalid: no such tooth, a mark that the legend does not have.
    """
    kept: dict[str, list[str]] = {}
    wrong: dict[str, str] = {}
    for tooth, text in typed.items():
        found = marks(text) if tooth in KNOWN_TEETH else None
        if found is None:
            wrong[f"tooth_{tooth}"] = N_("There is no such mark in the legend.")
        elif found:
            kept[tooth] = found
    if wrong:
        raise Invalid(fields=wrong)
    return kept


def icd(typed: str) -> str:
    """A code of МКБ-10 as it is kept: «к02.1» in Russian letters is K02.1; empty stays empty.

    Raises:
        Invalid
    """
    code = typed.strip().upper().translate(_TO_LATIN).replace(",", ".")
    if code and not _ICD.fullmatch(code):
        raise Invalid(fields={"icd": N_("A code of ICD-10 is written as K02.1.")})
    return code


def days(typed: str) -> list[date]:
    """Days as people write them in a row: «12.03.2026, 15.09.2026», the earliest first.

    Raises:
        ValueError
    """
    return sorted({datetime.strptime(word, "%d.%m.%Y").date() for word in re.split(r"[\s,;]+", typed.strip()) if word})
