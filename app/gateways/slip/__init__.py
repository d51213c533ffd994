"""A thermal printer of slips that are no fiscal documents, over the network (ESC/POS).

Where next: `escpos.py`; `simulator.py` is a printer without a printer.
"""
