"""The keys of Vietnamese order in SQL: the same as `order_key` and `person_order_key` of `inventory.domain.text`.

For rows that a service without the keys writes during a rolling upgrade (decision 0093); a test compares both.
"""

from inventory.domain.text import LETTERS_OF_ORDER

_LETTERS = "".join(LETTERS_OF_ORDER)
_PLACES = "".join(place for place, _ in LETTERS_OF_ORDER.values())
_TONES = "".join(tone for _, tone in LETTERS_OF_ORDER.values())

ORDER_KEY = f"""
create function order_key(name text) returns text immutable language sql as $$
  select translate(name, '{_LETTERS}', '{_PLACES}') || E'\\x01'
    || rtrim(translate(regexp_replace(name, '[^{_LETTERS}]', '', 'g'), '{_LETTERS}', '{_TONES}'), '0')
    || E'\\x01' || name
$$
"""
PERSON_ORDER_KEY = """
create function person_order_key(full_name text) returns text immutable language sql as $$
  select order_key(regexp_replace(full_name, '^(.*) ([^ ]*)$', '\\2 \\1'))
$$
"""
