"""How fast the desk is beside a bare program that answers with one good statement: `make bench`.

`clinic.py` builds the clinics, `bare.py` is the program beside ours, `questions.py` what both are asked, `programs.py`
asks them in turn; `browser.py` measures the page itself.
Speed is measured here and nowhere else; tests never time anything.
"""
