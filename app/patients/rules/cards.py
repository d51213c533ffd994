"""What a phone, a name and a complete card are."""

from datetime import date

import phonenumbers

from app.errors import Invalid
from app.vocab import N_, CardStatus

#: A phone typed without a country code is a Russian one.
REGION = "RU"


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
