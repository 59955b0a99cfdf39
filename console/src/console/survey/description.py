"""What the phone's script draws a form of: its fields with the words of one language. Pure."""

from collections.abc import Iterable
from gettext import NullTranslations
from typing import Any

from console.acts.fields import Field, Kind, choose
from console.acts.words import name_choice, name_field
from console.words.catalogue import ENGLISH

ATTACHMENTS = "attachments"
"""Rows that the script makes of the photos; nobody types them."""
PHOTO = "photo_sha256"
"""A field that names one of the photos."""


def describe_fields(fields: Iterable[Field], language: str, words: NullTranslations) -> list[dict[str, Any]]:
    """Each field as the script takes it, what is needed first; without what is made of photos."""
    return [_describe(each, language, words) for each in choose(fields, ()) if each.name != ATTACHMENTS]


def _describe(field: Field, language: str, words: NullTranslations) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": "photo" if field.name == PHOTO else field.kind.value,
        "label": name_field(field, language, words),
        "required": field.required,
        "about": field.about if language == ENGLISH else "",
        "choices": [[each.value, name_choice(each, language, words)] for each in field.choices],
        "noun": field.noun,
        "fields": describe_fields(field.fields, language, words),
    }


def nouns_in(fields: Iterable[Field]) -> set[str]:
    """Nouns that a form refers to."""
    found = set()
    for each in fields:
        if each.kind in {Kind.REFERENCE, Kind.REFERENCES}:
            found.add(each.noun)
        found |= nouns_in(each.fields)
    return found
