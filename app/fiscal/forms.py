"""What a browser may send to the page of fiscal receipts."""

from app.fiscal.operations.corrections import INSTRUCTION, SELF
from app.schemas import Body, DayField, TextField, one_of


class Correction(Body):
    kind = one_of((SELF, INSTRUCTION), required=True)
    day = DayField(required=True)
    number = TextField(64, load_default="")
