"""What a browser may send to the page of fiscal receipts."""

from app.fiscal.operations.corrections import INSTRUCTION, SELF
from app.schemas import Body, DayField, TextField, WholeField, one_of


class Correction(Body):
    kind = one_of((SELF, INSTRUCTION), required=True)
    day = DayField(required=True)
    number = TextField(64, load_default="")


class Paper(Body):
    """The numbers as they stand on a printed receipt: ФН, ФД, ФП."""

    fn = TextField(20, required=True)
    document = WholeField(1, 2**31 - 1, required=True)
    sign = TextField(20, load_default="")
