"""Billing: the price list, work orders «наряды», payments, advances, refunds, debts.

Words: an issued work order is a bill; what nobody billed yet is an advance. Payments, refunds and ledger entries are
append-only; the database's triggers keep the debt and the advance of a patient and what is due on a bill.
Locks, everywhere in this order: the patient's account, work orders by number, desks by number, series of numbers.
Where next: `operations.py`.
"""
