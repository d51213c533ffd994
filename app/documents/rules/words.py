"""Words of papers: sums and days as Russian forms want them.

Papers are Russian in every language of the screen. Where next: `paper.py`; names in their cases are
`app/patients/rules/names.py`.
"""

import re
from datetime import date
from decimal import Decimal

from num2words import num2words

from app import money, phones

_MONTHS = (
    "января", "февраля", "марта", "апреля", "мая", "июня",
    "июля", "августа", "сентября", "октября", "ноября", "декабря",
)  # fmt: skip
_ROUBLES, _KOPECKS, _YEARS = ("рубль", "рубля", "рублей"), ("копейка", "копейки", "копеек"), ("год", "года", "лет")


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


def days_between(first: date, last: date) -> str:
    """A period: 23.11.2026 – 25.11.2026, or the one day of it."""
    return short_day(first) if first == last else f"{short_day(first)} – {short_day(last)}"


def age(born: date, day: date) -> int:
    """Full years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_in_words(born: date | None, day: date) -> str:
    """«36 лет»; empty when the birth date is not known."""
    return f"{age(born, day)} {counted(age(born, day), _YEARS)}" if born else ""


#: The posts that sign for a clinic; another one is written in the genitive in the directory.
_POSTS = {
    "директор": "директора", "генеральный директор": "генерального директора", "главный врач": "главного врача",
    "исполнительный директор": "исполнительного директора", "управляющий": "управляющего", "врач": "врача",
    "индивидуальный предприниматель": "индивидуального предпринимателя", "администратор": "администратора",
    "старший администратор": "старшего администратора", "президент": "президента",
}  # fmt: skip
#: «125047, г. Москва, ул. Лесная, д. 5»: the town of an address.
_TOWN = re.compile(r"(?<![\w-])(?:г\.|город|пос\.|пгт|с\.)\s*[А-ЯЁ][А-Яа-яё-]*(?:\s[А-ЯЁ][а-яё-]+)?")


def post_genitive(post: str) -> str:
    """«генерального директора»; empty for a post that is not among the usual ones."""
    return _POSTS.get(" ".join(post.lower().split()), "")


def phone(number: str) -> str:
    """«+7 916 123-45-67» that no end of a line takes apart."""
    shown = phones.shown(number)
    return shown.replace(" ", "\u00a0") if shown.startswith("+") else shown


def short_name(full_name: str) -> str:
    """«Орлов Виктор Сергеевич» → «Орлов В. С.»."""
    first, *rest = full_name.split() or [""]
    return " ".join([first, *(word if word.endswith(".") else f"{word[0]}." for word in rest)])


def town_of(address: str) -> str:
    """«г. Москва» of an address; empty when none is written."""
    found = _TOWN.search(address)
    return " ".join(found[0].split()) if found else ""


def licence_line(number: str, day: date | None, issuer: str, address: str, phone_number: str) -> str:
    """A licence as a contract names it: № … от …, выдана …; empty without a number."""
    if not number:
        return ""
    shown = phone(phone_number)
    who = ", ".join(filter(None, (issuer, address, f"тел.\u00a0{shown}" if shown else "")))
    return f"№\u00a0{number}{f' от {short_day(day)}' if day else ''}{f', выдана: {who}' if who else ''}"


#: The number of a policy in a line that names its insurer too: «СОГАЗ, полис № 1234 5678».
_POLICY = re.compile(r"\d[\d\s/-]{4,}\d")


def policy_of(line: str) -> tuple[str, str]:
    """Insurer and number of a policy that is written in one line; without a number, all of it is the insurer."""
    found = _POLICY.search(line)
    if found is None:
        return (line.strip(), "")
    around = f"{line[: found.start()]} {line[found.end() :]}"
    insurer = re.sub(r"(?i)\b(?:страховой\s+)?полис\b(?:\s+(?:омс|дмс)\b)?|[№#:]", " ", around)
    return (" ".join(insurer.split()).strip(" ,;."), " ".join(found[0].split()))


def bank_line(account: str, bank: str, bik: str, corr: str) -> str:
    """The account of a legal entity in one line; empty without one."""
    if not account:
        return ""
    parts = (f"р/с {account}", f"в {bank}" if bank else "", f"БИК {bik}" if bik else "", f"к/с {corr}" if corr else "")
    return ", ".join(filter(None, parts)).replace(", в ", " в ")
