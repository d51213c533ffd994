"""How fast the desk is beside a bare program that answers with one good statement: `make bench`.

`clinic.py` builds the large clinic, `bare.py` is the program beside ours, `__main__.py` asks both in turn.
Speed is measured here and nowhere else; tests never time anything.
"""
