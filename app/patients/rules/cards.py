"""What a phone, a name, a number of a document, a guardian and a complete card are."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import phonenumbers

from app.errors import Invalid
from app.vocab import N_, CardStatus

#: A phone typed without a country code is a Russian one.
REGION = "RU"
MOST_PHONES = 10
#: The ages from which one signs: the consent to treatment, and everything.
SIGNS_TREATMENT, ADULT = 15, 18


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


@dataclass(frozen=True)
class Phone:
    """A phone of a card: whose it is («мама»), and whether messages go there."""

    number: str
    owner: str = ""
    for_sms: bool = True


def phones(rows: Sequence[Mapping[str, Any]]) -> list[Phone]:
    """The phones of a card as they are kept, in the order they were written; an empty row is none.

    Raises:
        Invalid: `phones.1.number` names the row; the same number twice, more than ten.
    """
    found: list[Phone] = []
    for place, row in enumerate(rows):
        if not str(row.get("number") or "").strip():
            continue
        try:
            number = phone(str(row["number"]))
        except Invalid as wrong:
            raise Invalid(fields={f"phones.{place}.number": wrong.facts["fields"]["phone"]}) from wrong
        if any(one.number == number for one in found):
            raise Invalid(fields={f"phones.{place}.number": N_("This number is written twice.")})
        found.append(Phone(number, str(row.get("owner") or "").strip(), bool(row.get("for_sms", True))))
    if len(found) > MOST_PHONES:
        raise Invalid(fields={"phones": N_("A card has ten phones at most.")})
    return found


def snils(text: str) -> str:
    """СНИЛС as it is kept: «112-233-445 95»; empty stays empty.

    The last two digits check the first nine: each times its place from the right, the sum modulo 101, 100 is 00;
    numbers up to 001-001-998 have none (ПФР, порядок присвоения СНИЛС). Noughts alone are nobody's.

    Raises:
        Invalid
    """
    digits = re.sub(r"[\s-]", "", text)
    if not digits:
        return ""
    if not re.fullmatch(r"[0-9]{11}", digits):
        raise Invalid(fields={"snils": N_("SNILS has 11 digits: 112-233-445 95.")})
    number, check = int(digits[:9]), int(digits[9:])
    wrong = number > 1_001_998 and sum(int(one) * (9 - n) for n, one in enumerate(digits[:9])) % 101 % 100 != check
    if wrong or not number:
        raise Invalid(fields={"snils": N_("There is a mistake in this SNILS: the last two digits do not fit.")})
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:9]} {digits[9:]}"


def inn(text: str) -> str:
    """ИНН of a person, 12 digits; empty stays empty. The last two check the others (ФНС, ММВ-7-6/435@).

    Noughts alone, which programs write for no number, would make one person of all who have them.

    Raises:
        Invalid
    """
    digits = re.sub(r"\s", "", text)
    if not digits:
        return ""
    if not re.fullmatch(r"[0-9]{12}", digits) or not int(digits):
        raise Invalid(fields={"inn": N_("The INN of a person has 12 digits.")})
    for weights in ((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)):
        if sum(int(one) * weight for one, weight in zip(digits, weights, strict=False)) % 11 % 10 != int(
            digits[len(weights)]
        ):
            raise Invalid(fields={"inn": N_("There is a mistake in this INN: the last digits do not fit.")})
    return digits


def email(text: str) -> str:
    """An e-mail address as it is kept; empty stays empty.

    Raises:
        Invalid
    """
    clean = text.strip(" ,;")
    if clean and (len(clean) > 200 or not re.fullmatch(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+", clean)):
        raise Invalid(fields={"email": N_("This is not an e-mail address.")})
    return clean


class Signs(StrEnum):
    """Who signs for the patient: the consent to treatment, and the contract."""

    GUARDIAN = "guardian"
    TREATMENT_ONLY = "treatment_only"
    PATIENT = "patient"


def signs(years: int | None) -> Signs:
    """Until 15 the guardian signs everything, from 15 the patient the consent to treatment, from 18 everything.

    323-ФЗ, ст. 20 ч. 2 и ст. 54 ч. 2; ГК РФ, ст. 26. Whose age is not known is an adult.
    """
    if years is None or years >= ADULT:
        return Signs.PATIENT
    return Signs.TREATMENT_ONLY if years >= SIGNS_TREATMENT else Signs.GUARDIAN


def check_guardian(guardian_birth: date | None, today: date) -> None:
    """A guardian is grown up.

    Raises:
        Invalid
    """
    years = age(guardian_birth, today)
    if years is not None and years < ADULT:
        raise Invalid(fields={"guardian_id": N_("The guardian must be of age.")})


def check_payer(payer_birth: date | None, today: date) -> None:
    """Who pays for another one is grown up.

    Raises:
        Invalid
    """
    if signs(age(payer_birth, today)) != Signs.PATIENT:
        raise Invalid(fields={"payer_id": N_("A child does not pay for others: choose a grown-up.")})


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


def check_consent_day(day: date, birth_date: date | None, today: date) -> None:
    """A consent is given in the patient's lifetime, and not tomorrow.

    Raises:
        Invalid
    """
    if day > today:
        raise Invalid(fields={"given_on": N_("This day has not come yet.")})
    if birth_date and day < birth_date:
        raise Invalid(fields={"given_on": N_("On this day the patient was not born yet.")})
    if day.year < 1900:
        raise Invalid(fields={"given_on": N_("This day cannot be right.")})


def age(birth_date: date | None, today: date) -> int | None:
    """Full years."""
    if birth_date is None:
        return None
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
