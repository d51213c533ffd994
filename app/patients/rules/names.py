"""Names in their cases, as papers need them: by the library's rules, unless the card says how.

Where next: `app/documents/rules/words.py`, which writes sums and days.
"""

import re
from typing import Any, Protocol

from pytrovich.detector import PetrovichGenderDetector
from pytrovich.enums import Case, Gender, NamePart
from pytrovich.maker import PetrovichDeclinationMaker

from app.vocab import Sex

_declension: Any = PetrovichDeclinationMaker()
_detector: Any = PetrovichGenderDetector()
#: Words after a patronymic that say whose child it is, and stay as they are: «Мамедову Али Гасан оглы».
_STAYING = ("оглы", "оглу", "кызы", "гызы", "улы", "уулу")
_CYRILLIC = re.compile(r"[А-Яа-яЁё’'-]+")


class Named(Protocol):
    """A card of a patient or of an employee."""

    surname: str
    name: str
    patronymic: str
    name_genitive: str
    name_dative: str


def genitive(surname: str, name: str, patronymic: str, sex: str | None) -> str:
    """The full name in the genitive: «Ивановой Марии Сергеевны». What cannot be declined stays as it is."""
    return _in_case(Case.GENITIVE, surname, name, patronymic, sex)


def dative(surname: str, name: str, patronymic: str, sex: str | None) -> str:
    """The full name in the dative, to whom money is given: «Ивановой Марии Сергеевне»."""
    return _in_case(Case.DATIVE, surname, name, patronymic, sex)


def genitive_of(person: Named) -> str:
    """The genitive as the card has it; by the rules when the card is silent."""
    sex = getattr(person, "sex", None)
    return person.name_genitive or genitive(person.surname, person.name, person.patronymic, sex)


def dative_of(person: Named) -> str:
    """The dative as the card has it; by the rules when the card is silent."""
    sex = getattr(person, "sex", None)
    return person.name_dative or dative(person.surname, person.name, person.patronymic, sex)


def in_cases(surname: str, name: str, patronymic: str, sex: str | None) -> dict[str, str]:
    """What the rules say of a name, by the field of the card that would say otherwise."""
    if not surname.strip() or not name.strip():
        return {"name_genitive": "", "name_dative": ""}
    return {
        "name_genitive": genitive(surname, name, patronymic, sex),
        "name_dative": dative(surname, name, patronymic, sex),
    }


def genitive_of_text(full_name: str) -> str:
    """The genitive of a name written in one line, surname first; anything but a name of a person stays."""
    words = full_name.split()
    if not 2 <= len(words) <= 4 or not all(_CYRILLIC.fullmatch(word) for word in words):
        return full_name
    return genitive(words[0], words[1], " ".join(words[2:]), None)


def _in_case(case: Case, surname: str, name: str, patronymic: str, sex: str | None) -> str:
    gender = _gender(surname, name, patronymic, sex)
    parts = ((NamePart.LASTNAME, surname), (NamePart.FIRSTNAME, name), (NamePart.MIDDLENAME, patronymic))
    return " ".join(_declined(part, word.strip(), gender, case) for part, word in parts if word.strip())


def _gender(surname: str, name: str, patronymic: str, sex: str | None) -> Gender:
    if sex:
        return Gender.FEMALE if sex == Sex.FEMALE else Gender.MALE
    last = patronymic.lower().split()[-1:]
    if last and last[0] in _STAYING:
        return Gender.FEMALE if last[0] in ("кызы", "гызы") else Gender.MALE
    try:
        return _detector.detect(lastname=surname, firstname=name, middlename=patronymic)  # type: ignore[no-any-return]
    except (StopIteration, ValueError, KeyError, IndexError):
        return Gender.ANDROGYNOUS


def _declined(part: NamePart, words: str, gender: Gender, case: Case) -> str:
    """Each word of a part of a name by itself; what is not written in Russian letters has no cases."""
    first, *rest = words.split()
    if part == NamePart.MIDDLENAME and rest and rest[-1].lower() in _STAYING:
        # the father's name before «оглы» and «кызы» is declined no more than they are
        return words
    return " ".join(_one(part, word, gender, case) for word in (first, *rest))


def _one(part: NamePart, word: str, gender: Gender, case: Case) -> str:
    if word.lower() in _STAYING or not _CYRILLIC.fullmatch(word):
        return word
    try:
        return str(_declension.make(part, gender, case, word))
    except (ValueError, KeyError, IndexError):
        return word
