"""Fiscal receipts (54-ФЗ): what the cash register must print for each payment and refund, once; and its drawer.

The intent is written with the money, a job carries it to the device.
Where next: `rules.py`, `operations.py`, `jobs.py`.
"""
