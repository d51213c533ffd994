"""The card index «Картотека»: cards, search, families, statistics of visits.

`rules` say what a phone, a name and a complete card are; `queries` find people and tell about them;
`operations` write cards; pages and addresses stand in `views` and `api`.
"""
