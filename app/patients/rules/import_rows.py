"""What a row of an old card index says: a card as it would be written, or why it is refused.

Only a row without a name is refused. What cannot be right otherwise is left out with a warning and kept in the
card's comment under its heading, so that nothing that somebody once wrote is lost.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.errors import Invalid
from app.patients.rules import cards
from app.patients.rules.identity import from_line
from app.patients.rules.typed import old_key, searchable
from app.vocab import N_, CardColumn, DayOrder, Sex

#: As long as the card's form takes them.
_MOST = {"address": 500, "passport": 500, "allergy": 500, "insurance": 200, "old_number": 40}
MOST_COMMENT = 2000
#: What a document that was typed as one line says: a passport of Russia by its digits, or the line.
DOCUMENT = ("identity_type", "identity_series", "identity_number", "identity_text")
_SEXES = {
    "м": Sex.MALE, "муж": Sex.MALE, "мужской": Sex.MALE, "мужчина": Sex.MALE, "m": Sex.MALE, "male": Sex.MALE,
    "ж": Sex.FEMALE, "жен": Sex.FEMALE, "женский": Sex.FEMALE, "женщина": Sex.FEMALE, "f": Sex.FEMALE,
    "female": Sex.FEMALE,
}  # fmt: skip
_MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
#: Words beside a number that only say that it is one.
_A_PHONE = re.compile(r"\b(телефоны?|тел|т|моб(ильный)?|сот(овый)?|phone|mob)\b\.?:?", re.IGNORECASE)
#: How people write that there is nothing to write.
_NOTHING = re.compile(r"[-–—.\s0]*|нет|н/д|не указан\w*|отсутству\w*|null|none", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Reading:
    """How a file is read: the meaning and the heading of each column, how days and short numbers are written.

    `sources`, `tags`: the directories, {name in small letters: number}.
    """

    mapping: Sequence[str]
    headings: Sequence[str]
    today: date
    day_order: str = DayOrder.DAY_FIRST
    area_code: str = ""
    sources: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Understood:
    """A row as it is understood: the `card`, or `why` it is refused. `warnings`: what was left out, [{why, facts}]."""

    card: dict[str, Any] | None = None
    why: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def keys(self) -> dict[str, Any]:
        """What the row is compared by with other rows and with the cards."""
        if self.card is None:
            return {"name_key": "", "patronymic_key": "", "born": None, "old_key": "", "numbers": []}
        return {
            "name_key": name_key(self.card["surname"], self.card["name"]),
            "patronymic_key": searchable(self.card["patronymic"]), "born": self.card["birth_date"],
            "old_key": old_key(self.card["old_number"]), "numbers": [one["number"] for one in self.card["phones"]],
        }  # fmt: skip


def name_key(surname: str, name: str) -> str:
    """Surname and first name as namesakes are found by: the beginning of a card's `search_name`."""
    return searchable(f" {surname} {name} ")


def understand(cells: Sequence[str], how: Reading) -> Understood:
    """A row of the file as a card."""
    row = _Row(cells, how)
    try:
        row.read()
    except _Refused as refused:
        return Understood(None, refused.why, refused.facts)
    return Understood(row.card, warnings=row.warnings)


class _Refused(Exception):
    def __init__(self, why: str, **facts: Any) -> None:
        super().__init__(why)
        self.why, self.facts = why, facts


class _Row:
    """The reading of one row."""

    def __init__(self, cells: Sequence[str], how: Reading) -> None:
        self.how = how
        self.card: dict[str, Any] = {}
        self.warnings: list[dict[str, Any]] = []
        self._kept: list[str] = []
        self._said: dict[str, list[tuple[str, str]]] = {}
        for meaning, heading, cell in zip(how.mapping, how.headings, cells, strict=False):
            if meaning and not _NOTHING.fullmatch(cell):
                self._said.setdefault(meaning, []).append((heading, cell))

    def read(self) -> None:
        """Fill the card.

        Raises:
            _Refused
        """
        self.card.update(self._names())
        self.card["birth_date"] = self._checked(
            CardColumn.BIRTH_DATE, self._born, N_("This birth date cannot be right.")
        )
        self.card["sex"] = self._checked(CardColumn.SEX, _sex, N_("The sex is not understood."))
        self.card["phones"] = self._phones()
        for name, check in (("email", cards.email), ("snils", _snils), ("inn", _inn)):
            self.card[name] = self._exact(name, check)
        for name in ("address", "allergy", "insurance", "old_number"):
            self.card[name] = self._text(name)
        document = from_line(self._text("passport"))
        self.card.update({name: document[name] for name in DOCUMENT})
        self.card["source_id"] = self._checked(
            CardColumn.SOURCE, lambda said: self.how.sources.get(_key(said)),
            N_("There is no such source in the directory."),
        )  # fmt: skip
        self.card["tags"] = self._tags()
        self.card["consent_on"] = self._checked(
            CardColumn.CONSENT_ON, self._passed, N_("The day of the consent is not understood.")
        )
        born = date.fromisoformat(self.card["birth_date"]) if self.card["birth_date"] else None
        self.card["status"] = str(cards.card_status(born, bool(self.card["phones"])))
        self.card["comment"] = self._comment()

    # --- names ---

    def _names(self) -> dict[str, str]:
        parts = dict(zip(("surname", "name", "patronymic"), _full_name(self._one(CardColumn.FULL_NAME)), strict=True))
        for column in (CardColumn.SURNAME, CardColumn.NAME, CardColumn.PATRONYMIC):
            if said := self._one(column):
                parts[str(column)] = said
        parts = {name: _as_kept(said) for name, said in parts.items()}
        if not _LETTERS.search(parts["surname"]):
            raise _Refused(N_("The row has no surname."))
        if not _LETTERS.search(parts["name"]):
            raise _Refused(N_("The row has no first name."))
        if any(len(said) > 100 for said in parts.values()):
            raise _Refused(N_("The name is longer than 100 letters."))
        return parts

    # --- what may be left out ---

    def _one(self, column: str) -> str:
        said = self._said.get(column)
        return said[0][1] if said else ""

    def _checked(self, column: str, check: Callable[[str], Any], why: str) -> Any:
        """What a column says; nothing, with a warning, when it cannot be right."""
        for heading, said in self._said.get(column, ()):
            found = check(said)
            if found is not None:
                return found
            self._leave_out(why, heading, said)
        return None

    def _leave_out(self, why: str, heading: str, said: str) -> None:
        self.warnings.append({"why": why, "facts": {"said": said[:80]}})
        self._kept.append(f"{heading}: {said}" if heading else said)

    def _exact(self, name: str, check: Callable[[str], str]) -> str:
        for heading, said in self._said.get(name, ()):
            try:
                return check(said)
            except Invalid as wrong:
                self._leave_out(wrong.facts["fields"][name], heading, said)
        return ""

    def _text(self, name: str) -> str:
        said = self._said.get(name, [])
        text = " ".join(dict.fromkeys(cell for _, cell in said))
        if len(text) > _MOST[name]:
            self._leave_out(N_("The text is too long, its end is in the comment only."), said[0][0], text)
            return text[: _MOST[name]].rstrip()
        return text

    def _born(self, said: str) -> str | None:
        found = day(said, self.how.day_order, self.how.today)
        if found is not None and found >= date(1900, 1, 1):
            with suppress(Invalid):
                cards.check_birth_date(found, self.how.today)
                return found.isoformat()
        return None

    def _passed(self, said: str) -> str | None:
        found = day(said, self.how.day_order, self.how.today)
        first = max(self.card["birth_date"] or "", "1990-01-01")
        return found.isoformat() if found and first <= found.isoformat() <= self.how.today.isoformat() else None

    def _phones(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        for heading, said in self._said.get(CardColumn.PHONE, ()):
            numbers, wrong = phones(said, self.how.area_code)
            for one in numbers:
                if all(one["number"] != other["number"] for other in found):
                    found.append(one)
            for part in wrong:
                self._leave_out(N_("There is no such phone number."), heading, part)
        for one in found[cards.MOST_PHONES :]:
            self._leave_out(N_("A card has ten phones at most."), "", one["number"])
        return found[: cards.MOST_PHONES]

    def _tags(self) -> list[int]:
        found = []
        for heading, said in self._said.get(CardColumn.TAGS, ()):
            for word in filter(None, (part.strip() for part in re.split(r"[,;]", said))):
                if (pk := self.how.tags.get(_key(word))) is not None:
                    found.append(pk)
                else:
                    self._leave_out(N_("There is no such tag in the directory."), heading, word)
        return sorted(set(found))

    def _comment(self) -> str:
        said = [cell for _, cell in self._said.get(CardColumn.COMMENT, ())]
        text = "; ".join(dict.fromkeys([*said, *self._kept]))
        if len(text) > MOST_COMMENT:
            self.warnings.append({"why": N_("The comment is too long, its end is left out."), "facts": {"said": ""}})
        return text[:MOST_COMMENT].rstrip()


def _key(word: str) -> str:
    return " ".join(word.lower().replace("ё", "е").split())


def directory(names: Mapping[str, int]) -> dict[str, int]:
    """The names of a directory as files are compared with them."""
    return {_key(name): pk for name, pk in names.items()}


def _as_kept(said: str) -> str:
    """A part of a name: «ИВАНОВ-ПЕТРОВ» was only written so."""
    text = " ".join(said.split())
    if text.isupper() and len(text) > 2 and "." not in text:
        text = _LETTERS.sub(lambda word: word[0].capitalize(), text)
    return cards.person_name(text)


def _full_name(said: str) -> tuple[str, str, str]:
    """«Иванов Иван Иванович», «Иванов И.И.»."""
    words = re.sub(r"(?<=[^\W\d_]\.)(?=[^\W\d_])", " ", said).split()
    surname, name = [*words[:2], "", ""][:2]
    return surname, name, " ".join(words[2:])


def day(said: str, order: str, today: date) -> date | None:
    """A day as people and programs write it; None when it is none.

    «12.03.1985», «12/3/85», «1985-03-12T00:00:00», «12 марта 1985 г.», «12031985», and 31118, as Excel counts days.
    """
    text = re.sub(r"(\d)[\sT]+\d{1,2}:\d\d(:\d\d(\.\d+)?)?$", r"\1", said.strip().lower().replace("t", "T"))
    text = re.sub(r"\s*г(ода?|\.)?$", "", text)
    if found := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})", text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := re.fullmatch(r"(\d{1,2})\s*[-./,\s]\s*(\d{1,2})\s*[-./,\s]\s*(\d{4}|\d{2})", text):
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        if len(found[3]) == 2:
            year += 2000 if year <= today.year - 2000 else 1900
        return _day(year, first, second) if order == DayOrder.MONTH_FIRST else _day(year, second, first)
    if found := re.fullmatch(r"(\d{1,2})\s+([а-я]{3,8})\.?\s+(\d{4})", text):
        month = next((n for n, name in enumerate(_MONTHS, 1) if found[2].startswith(name) and _month(found[2], n)), 0)
        return _day(int(found[3]), month, int(found[1]))
    if re.fullmatch(r"\d{8}", text):
        return _day(int(text[4:]), int(text[2:4]), int(text[:2])) or _day(int(text[:4]), int(text[4:6]), int(text[6:]))
    if re.fullmatch(r"\d{4,5}", text) and 2100 < int(text) < 60_000:
        return date(1899, 12, 30) + timedelta(days=int(text))
    return None


def _month(word: str, number: int) -> bool:
    """«ма» begins «май» and «мая», and «март» too, which was looked at before."""
    return number != 5 or word in ("май", "мая")


def _day(year: int, month: int, of_month: int) -> date | None:
    with suppress(ValueError):
        return date(year, month, of_month)
    return None


def _sex(said: str) -> str | None:
    found = _SEXES.get(said.strip(" .").lower())
    return str(found) if found else None


def _snils(said: str) -> str:
    """A number that lost the noughts before it, as spreadsheets do, gets them back when its check fits."""
    digits = re.sub(r"[\s\-–]", "", said)
    return cards.snils(digits.zfill(11) if digits.isdigit() and len(digits) >= 8 else said)


def _inn(said: str) -> str:
    digits = re.sub(r"\s", "", said)
    return cards.inn(digits.zfill(12) if digits.isdigit() and len(digits) == 11 else said)


def phones(said: str, area_code: str = "") -> tuple[list[dict[str, str]], list[str]]:
    """The phones in a cell, with whose they are, and what is no phone: «8 916 123-45-67 мама, 245-67-89»."""
    found: list[dict[str, str]] = []
    wrong: list[str] = []
    for part in filter(None, (one.strip() for one in re.split(r"[,;/|\\]|\sи\s", said))):
        digits = re.sub(r"\D", "", part)
        owner = " ".join(_A_PHONE.sub(" ", re.sub(r"[\d()+.\-–:]", " ", part)).split())[:100]
        if not digits:
            if found and not found[-1]["owner"]:
                found[-1]["owner"] = owner
            elif owner:
                wrong.append(part)
            continue
        numbers = (
            [one] if (one := _phone(digits, part, area_code)) else _several(digits) if 19 < len(digits) < 56 else []
        )
        if not numbers:
            wrong.append(part)
        found += [{"number": number, "owner": owner} for number in numbers]
    return found, wrong


def _phone(digits: str, part: str, area_code: str) -> str | None:
    if area_code and 5 <= len(digits) <= 7 and len(area_code) + len(digits) == 10:
        digits = area_code + digits
    if len(digits) == 11 and digits[0] in "78":
        digits = digits[1:]
    if len(digits) == 10 and digits[0] == "9":
        return f"+7{digits}"  # every mobile number of the country is possible; there are too many to ask about each
    with suppress(Invalid):
        return cards.phone(f"+7{digits}" if len(digits) == 10 else _LETTERS.sub(" ", part))
    return None


def _several(digits: str) -> list[str]:
    """Numbers of the country that only blanks part: all of them, or none."""
    if not digits:
        return []
    for length in (11, 10) if digits[0] in "78" else (10,):
        first, rest = digits[:length], digits[length:]
        if len(first) == length and (number := _phone(first, first, "")) and (not rest or _several(rest)):
            return [number, *_several(rest)]
    return []
