"""What of a health questionnaire is dangerous, in the words of whoever looks: card, schedule, lists on paper."""

from collections.abc import Sequence

from flask_babel import gettext

from app.patients.rules.survey import QUESTIONS


def in_words(stored: Sequence[Sequence[str]]) -> list[str]:
    """«Аллергия: лидокаин», «Беременность: 12 нед.» as the paper asks; a question that is asked no more is left out."""
    found, asked = [], {one[0]: one[1] for one in stored}
    for key in QUESTIONS:
        if key in asked:
            said = asked[key]
            word = gettext(QUESTIONS[key].alert)
            said = gettext("%(n)s weeks", n=said) if said and key == "pregnancy" else said
            found.append(f"{word}: {said}" if said else word)
    return found


def words() -> dict[str, str]:
    """The word of each alert, for scripts."""
    return {key: gettext(one.alert) for key, one in QUESTIONS.items() if one.alert}
