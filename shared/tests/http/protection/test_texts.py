"""Texts of requests that others read: nothing in them is unseen."""

import pytest

from vonggac.http.protection.texts import visible


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u034f", "\ufe0f", "\u3164", "\U000e0041", "\U00013430"])
def test_what_nobody_sees_is_refused_with_its_number(sign: str) -> None:
    with pytest.raises(ValueError, match=rf"invisible character \(U\+{ord(sign):04X}\)"):
        visible(f"Sở{sign} Y tế")


@pytest.mark.parametrize("sign", ["\x00", "\x7f", "\x85", "\ud800", "\ue000", "\U000f0000"])
def test_what_is_no_text_is_refused(sign: str) -> None:
    with pytest.raises(ValueError, match="holds a control"):
        visible(f"Sở{sign} Y tế")


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\n\t"])
def test_blank_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is blank"):
        visible(text)


def test_other_text_stays_without_the_spaces_around_it() -> None:
    assert visible(" Đông Hà:\n\t«xã» 1 ") == "Đông Hà:\n\t«xã» 1"
