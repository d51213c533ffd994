"""What a phone, a name, a complete card and a likely duplicate are. Plain values in, answers or refusals out.

Where next: `operations.py`.
"""

import re
from dataclasses import dataclass
from datetime import date

import phonenumbers

from app.errors import Invalid
from app.vocab import N_, CardStatus

#: A phone typed without a country code is a Russian one.
REGION = "RU"
#: So many digits at the end of a phone are enough to look for it.
TAIL = 4


def phone(text: str) -> str:
    """A phone as it is kept: «8 (916) 123-45-67» is +79161234567.

    Raises:
        Invalid: this is no phone number that exists.
    """
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException as error:
        raise Invalid(fields={"phone": N_("There is no such phone number.")}) from error
    if not phonenumbers.is_valid_number(number):
        raise Invalid(fields={"phone": N_("There is no such phone number.")})
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def person_name(text: str) -> str:
    """A part of a name as it is kept: single spaces, a capital letter where none was typed."""
    clean = " ".join(text.split())
    return clean[:1].upper() + clean[1:] if clean.islower() else clean


def card_status(birth_date: date | None, has_phone: bool) -> CardStatus:
    """A card with a birth date and a phone is a full one; less is a draft to be completed on arrival."""
    return CardStatus.ACTIVE if birth_date and has_phone else CardStatus.DRAFT


def check_birth_date(birth_date: date | None, today: date) -> None:
    """Nobody is born tomorrow or 130 years ago.

    Raises:
        Invalid
    """
    if birth_date and not (today.replace(year=today.year - 130, day=min(today.day, 28)) <= birth_date <= today):
        raise Invalid(fields={"birth_date": N_("This birth date cannot be right.")})


def age(birth_date: date | None, today: date) -> int | None:
    """Full years."""
    if birth_date is None:
        return None
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


#: Hyphens and apostrophes part the words of a name; ё is searched as е.
_SEARCHABLE = str.maketrans("ё-'’ʼ‐–", "е      ")


def searchable(text: str) -> str:
    """A name as the card index compares it; the table's `search_name` is made the same way."""
    return text.lower().translate(_SEARCHABLE)


@dataclass(frozen=True)
class Wanted:
    """What a typed search asks for: beginnings of name words, the end of a phone, a card's number."""

    words: tuple[str, ...] = ()
    phone_tail: str | None = None
    card_number: int | None = None

    @property
    def nothing(self) -> bool:
        return not self.words and self.phone_tail is None and self.card_number is None


def wanted(text: str) -> Wanted:
    """Read a search: «петр ива», «45-67», «+7 916 …», «№ 1024».

    Digits are the end of a phone when there are four or more, and may be a card's number; letters are
    beginnings of name parts in any order, ё as е. Digits beside words are a phone's end.
    """
    digits = re.sub(r"\D", "", text)
    words = tuple(re.findall(r"[^\W\d_]+", searchable(text)))[:6]
    tail = digits if TAIL <= len(digits) <= 15 else None
    if tail and len(digits) == 11 and digits[0] == "8":
        tail = digits[1:]
    number = int(digits) if digits and not words and len(digits) < 10 and "+" not in text else None
    return Wanted(words, tail, number)


def like(word: str) -> str:
    """A word for a LIKE pattern, its special characters taken literally."""
    return re.sub(r"([\\%_])", r"\\\1", word)
