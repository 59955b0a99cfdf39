"""Urging those who lag (R11, "đôn đốc"): `decision` decides whom, `owed` reads what they owe, `digest` words it,
`channels` sends it through Apprise, `letter` drafts the official letter, `urger` supervises and alone retries.
"""
