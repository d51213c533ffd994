"""Reports: what the days brought, read from every room, changing nothing.

Debts and payments are sums of the ledger, cash is the sum of the desks' movements, services are the lines of issued
orders; a test keeps the four equal where they tell the same. Where next: `queries.py`.
"""
