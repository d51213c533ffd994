"""The health questionnaire: its questions, what may be answered, what of it is dangerous, when it is old.

The questions are a closed list with keys that stay, not a directory: which answers raise an alert, what the alert may
say where others read it, and what is printed hang on each of them; a clinic words its paper in the template.
Where next: `../operations/surveys.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.errors import Invalid
from app.vocab import N_, Answer, Sex

LONGEST = 300


@dataclass(frozen=True)
class Question:
    """A question with the word of its alert; without one a yes is no danger.

    `tells`: the comment is shown with the alert. Where it is not, the alert says no more than its word: whoever passes
    the schedule or a list on paper reads it too.
    """

    key: str
    text: str
    alert: str = ""
    tells: bool = False


QUESTIONS: dict[str, Question] = {
    question.key: question
    for question in (
        Question(
            "allergy", N_("Allergy to medicines, anaesthetics, latex, iodine, food (to what)"), N_("Allergy"), True
        ),
        Question("heart", N_("Hypertension, angina, heart attack, stroke, heart defect"), N_("Heart and vessels")),
        Question("pacemaker", N_("Pacemaker, artificial valves, endocarditis"), N_("Pacemaker, valves, endocarditis")),
        Question("blood", N_("Disorders of blood clotting, anticoagulants"), N_("Clotting, anticoagulants")),
        Question("diabetes", N_("Diabetes"), N_("Diabetes")),
        Question("thyroid", N_("Diseases of the thyroid")),
        Question("asthma", N_("Bronchial asthma"), N_("Asthma")),
        Question("epilepsy", N_("Epilepsy, fainting, convulsions"), N_("Epilepsy, fainting")),
        Question("organs", N_("Diseases of the kidneys or the liver")),
        Question("stomach", N_("Diseases of the stomach and the bowels")),
        Question("infection", N_("Hepatitis B or C, HIV, tuberculosis, syphilis"), N_("see the questionnaire")),
        Question("oncology", N_("Cancer, radiation or chemotherapy"), N_("Oncology")),
        Question("bisphosphonates", N_("Bisphosphonates, osteoporosis"), N_("Bisphosphonates, osteoporosis")),
        Question("glaucoma", N_("Glaucoma")),
        Question("pregnancy", N_("Pregnancy (term)"), N_("Pregnancy"), True),
        Question("lactation", N_("Breast-feeding"), N_("Breast-feeding")),
        Question("operations", N_("Operations, blood transfusions in the last 5 years")),
        Question("anaesthesia", N_("Bad reaction to a past anaesthesia"), N_("Reaction to anaesthesia"), True),
        Question("medicines", N_("Constant medicines (which)")),
        Question("habits", N_("Smoking, alcohol")),
        Question("joint", N_("Pain or clicking of the jaw joint, grinding of teeth")),
    )
}
#: What a man is not asked.
_OF_WOMEN = ("pregnancy", "lactation")
#: The answers as they are kept: {question: [answer, comment]}.
Answers = Mapping[str, Sequence[str]]


def questions(sex: str | None, alerted: Collection[str] = ()) -> list[Question]:
    """What this patient is asked, in the order of the paper.

    `alerted`: the questions of the flags on the card. Whoever has one is asked, so that it can be answered with «no»:
    a man too, whose card was a woman's by mistake.
    """
    return [one for one in QUESTIONS.values() if sex != Sex.MALE or one.key not in _OF_WOMEN or one.key in alerted]


def answers(given: Answers, sex: str | None, alerted: Collection[str] = ()) -> dict[str, list[str]]:
    """The answers as they are kept: what was not answered is left out.

    `alerted`: the questions of the flags on the card. Only a clear «no» takes a flag away, and one of them left
    unanswered would keep it without anybody having asked.

    Raises:
        Invalid: no answer at all, an unknown question or answer, a comment without an answer or too long a one, no
            answer where the last questionnaire raised an alert.
    """
    asked, may = {one.key for one in questions(sex)}, {one.key for one in questions(sex, alerted)}
    kept: dict[str, list[str]] = {}
    wrong: dict[str, str] = {}
    for key, (answer, comment) in given.items():
        said = " ".join(comment.split())
        if key not in may or answer not in ("", *Answer):
            wrong[key] = N_("Unknown value.")
        elif len(said) > LONGEST:
            wrong[key] = N_("This text is too long.")
        elif answer:
            kept[key] = [answer, said]
        elif said:
            wrong[key] = N_("Choose the answer.")
    for key in asked.intersection(alerted) - kept.keys() - wrong.keys():
        wrong[key] = N_("The last questionnaire says “yes” here: answer how it is now.")
    if wrong:
        raise Invalid(fields=wrong)
    if not kept:
        raise Invalid(fields={"answers": N_("Write down at least one answer.")})
    return kept


def weeks(given: int | None, kept: Answers) -> int | None:
    """The term of a pregnancy, when there is one.

    Raises:
        Invalid
    """
    if given is None:
        return None
    if kept.get("pregnancy", [""])[0] != Answer.YES:
        raise Invalid(fields={"pregnancy_weeks": N_("The term is written when the answer is yes.")})
    if not 1 <= given <= 42:
        raise Invalid(fields={"pregnancy_weeks": N_("The term is from 1 to 42 weeks.")})
    return given


def alerts(kept: Answers, pregnancy_weeks: int | None) -> list[list[str]]:
    """What is dangerous, in the order of the paper: [[question, what may be said with it]]."""
    found = []
    for one in QUESTIONS.values():
        answer, comment = kept.get(one.key, ("", ""))
        if one.alert and answer == Answer.YES:
            said = str(pregnancy_weeks or "") if one.key == "pregnancy" else comment if one.tells else ""
            found.append([one.key, said])
    return found


def is_old(surveyed_on: date | None, months: int, today: date) -> bool:
    """Has a questionnaire been filled in, but so long ago that it is asked for anew?"""
    if surveyed_on is None:
        return False
    passed = (today.year - surveyed_on.year) * 12 + today.month - surveyed_on.month
    return passed - (today.day < surveyed_on.day) >= months


def check_day(day: date, birth_date: date | None, today: date) -> None:
    """Raises:
    Invalid: a day that has not come, or before the patient was born.
    """
    if day > today:
        raise Invalid(fields={"day": N_("This day has not come yet.")})
    if day < (birth_date or date(1900, 1, 1)):
        raise Invalid(fields={"day": N_("This day cannot be right.")})
