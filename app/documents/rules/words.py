"""Words of papers: sums and days as Russian forms want them, names in the genitive and the dative.

Papers are Russian in every language of the screen. Where next: `paper.py`.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from num2words import num2words
from pytrovich.detector import PetrovichGenderDetector
from pytrovich.enums import Case, Gender, NamePart
from pytrovich.maker import PetrovichDeclinationMaker

from app import money
from app.vocab import Sex

_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_ROUBLES, _KOPECKS, _YEARS = ("рубль", "рубля", "рублей"), ("копейка", "копейки", "копеек"), ("год", "года", "лет")
_declension: Any = PetrovichDeclinationMaker()
_detector: Any = PetrovichGenderDetector()


def counted(number: int, forms: tuple[str, str, str]) -> str:
    """The form of a Russian noun after a number: 1 рубль, 2 рубля, 5 рублей."""
    if 11 <= number % 100 <= 14:
        return forms[2]
    return forms[0] if number % 10 == 1 else forms[1] if 2 <= number % 10 <= 4 else forms[2]


def rubles_in_words(amount: Decimal) -> str:
    """A sum as cash papers write it: «Пятнадцать тысяч рублей 50 копеек»."""
    amount = money.rounded(amount)
    roubles = int(amount)
    kopecks = int((amount - roubles) * 100)
    words = str(num2words(roubles, lang="ru"))
    return f"{words[0].upper()}{words[1:]} {counted(roubles, _ROUBLES)} {kopecks:02d} {counted(kopecks, _KOPECKS)}"


def long_day(day: date) -> str:
    """«23» ноября 2026 г."""
    return f"«{day:%d}» {_MONTHS[day.month - 1]} {day.year} г."


def short_day(day: date | None) -> str:
    """23.11.2026; empty for nothing."""
    return f"{day:%d.%m.%Y}" if day else ""


def age(born: date, day: date) -> int:
    """Full years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_in_words(born: date | None, day: date) -> str:
    """«36 лет»; empty when the birth date is not known."""
    return f"{age(born, day)} {counted(age(born, day), _YEARS)}" if born else ""


def genitive(surname: str, name: str, patronymic: str, sex: str | None) -> str:
    """The full name in the genitive: «Ивановой Марии Сергеевны». What cannot be declined stays as it is."""
    return _in_case(Case.GENITIVE, surname, name, patronymic, sex)


def dative(surname: str, name: str, patronymic: str, sex: str | None) -> str:
    """The full name in the dative, to whom money is given: «Ивановой Марии Сергеевне»."""
    return _in_case(Case.DATIVE, surname, name, patronymic, sex)


def _in_case(case: Case, surname: str, name: str, patronymic: str, sex: str | None) -> str:
    if sex:
        gender = Gender.FEMALE if sex == Sex.FEMALE else Gender.MALE
    else:
        try:
            known = {"firstname": name, "middlename": patronymic}
            known = {part: word for part, word in known.items() if word and not word.endswith(".")}
            gender = _detector.detect(lastname=surname, **known)
        except (StopIteration, ValueError, KeyError, IndexError):
            gender = Gender.ANDROGYNOUS
    parts = ((NamePart.LASTNAME, surname), (NamePart.FIRSTNAME, name), (NamePart.MIDDLENAME, patronymic))
    return " ".join(_declined(part, word, gender, case) for part, word in parts if word)


def _declined(part: NamePart, word: str, gender: Gender, case: Case) -> str:
    if word.endswith("."):
        return word  # an initial
    try:
        return str(_declension.make(part, gender, case, word))
    except (ValueError, KeyError, IndexError):
        return word
