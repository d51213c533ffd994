"""Documents: the papers a patient takes home or signs.

Texts are templates with versions; issuing numbers a paper and freezes its text, a job makes its bytes once, so that
printing it again gives the same paper. Receipts and work orders are printed from what billing wrote. Where next:
`operations/`.
"""
