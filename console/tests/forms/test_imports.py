"""A file of many rows in the browser: checked, stored, marked, taken back; nothing is stored that was not checked."""

import re
from html import unescape

import httpx
import pytest
from console.tests.conftest import ORIGIN, Browser
from console.tests.forms.conftest import Register

from console.acts.sent_forms import CSV, XLSX, read_sent
from vonggac.testing.waiting import eventually

LIST = "/register/imports"
GOOD = "code,name,role\nSYT,Sở Y tế,managing\nCAT,Công an tỉnh,managing\n".encode()
BAD = "code,name,role\nSYT,,managing\nCAT,Công an tỉnh,no_such_role\n".encode()


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    made = b""
    for name, file, content in parts:
        named = f'; filename="{file}"' if file is not None else ""
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
        made += head.encode() + content + b"\r\n"
    return made + b"--x--\r\n"


def test_a_form_is_read_with_its_fields_and_its_file_as_it_is() -> None:
    body = form(
        ("noun", None, b"agencies"), ("file", "cơ quan; quý 2.csv", b"a;b\r\n--1\r\n"), ("step", None, b"check")
    )
    sent = read_sent("multipart/form-data; boundary=x", body)
    assert (sent.fields, sent.file_name, sent.content) == (
        {"noun": "agencies", "step": "check"},
        "cơ quan; quý 2.csv",
        b"a;b\r\n--1\r\n",
    )
    assert sent.headers["Content-Type"] == CSV
    assert sent.headers["Content-Disposition"] == "attachment; filename*=utf-8''c%C6%A1%20quan%3B%20qu%C3%BD%202.csv"
    book = read_sent("multipart/form-data; boundary=x", form(("file", "a.xlsx", b"PK\x03\x04..")))
    assert book.headers["Content-Type"] == XLSX


@pytest.mark.parametrize("content_type", ["text/csv", "multipart/form-data", "multipart/form-data; boundary=other"])
def test_what_is_no_form_has_no_file(content_type: str) -> None:
    assert read_sent(content_type, form(("file", "a.csv", b"a"))).content == b""


class Desk:
    """A person who sends files."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    async def send(self, content: bytes, **fields: str) -> httpx.Response:
        headers = {"Sec-Fetch-Site": "same-origin"}
        return await self.browser.console.post(
            ORIGIN + LIST, data=fields, files={"file": ("co-quan.csv", content)}, headers=headers
        )

    async def read(self, address: str) -> str:
        """The page of an import that has ended."""

        async def ended() -> str | None:
            page = await self.browser.get(address)
            return None if "refresh" in page.headers else unescape(page.text)

        return str(await eventually(ended, within_s=60, what="the end of an import"))

    async def check(self, content: bytes) -> str:
        sent = await self.send(content, noun="agencies", step="check")
        assert sent.status_code == httpx.codes.SEE_OTHER, sent.text
        return sent.headers["location"]

    async def store(self, page: str, content: bytes) -> httpx.Response:
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        return await self.send(content, step="store", **hidden)


@pytest.mark.server
async def test_a_file_is_compared_field_by_field_stored_once_and_taken_back(
    browsers: dict[str, Browser], register: Register
) -> None:
    await register.add("agencies", code="SYT", name="Sở Y tế cũ", role="managing")
    desk = Desk(browsers["chủ trì"])
    page = await desk.read(await desk.check(GOOD))
    assert "đã kiểm tra, chưa lưu gì" in page
    assert "2 dòng: 1 mới, 1 thay đổi, 0 như đang có" in page
    assert re.search(r"Sở Y tế cũ</bdi></td>\s*<td[^>]*><bdi>Sở Y tế</bdi>", page)
    assert (await register.client.get("/v1/agencies?code=CAT")).json()["items"] == []

    other = await desk.store(page, GOOD + b"UBND,UBND,managing\n")
    assert other.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "không phải tệp đã kiểm tra" in unescape(other.text)
    stored = await desk.store(page, GOOD)
    again = await desk.store(page, GOOD)
    assert again.headers["location"] == stored.headers["location"]
    assert "đã lưu" in await desk.read(stored.headers["location"])
    assert (await register.client.get("/v1/agencies?code=CAT")).json()["items"][0]["name"] == "Công an tỉnh"

    back = await desk.browser.console.post(
        f"{ORIGIN}{stored.headers['location']}/revert", data={"reason": "Nhầm tệp"}, headers={"Origin": ORIGIN}
    )
    assert "1 bản ghi đã xóa, 1 trở lại như trước." in unescape(back.text), back.text
    assert (await register.client.get("/v1/agencies?code=SYT")).json()["items"][0]["name"] == "Sở Y tế cũ"
    assert "đã lấy lại" in await desk.read(stored.headers["location"])
    assert unescape((await desk.browser.get(LIST)).text).count("co-quan.csv") == 2


@pytest.mark.server
async def test_every_mistake_of_a_file_is_named_and_comes_back_beside_its_cell(browsers: dict[str, Browser]) -> None:
    desk = Desk(browsers["chủ trì"])
    page = await desk.read(await desk.check(BAD))
    assert page.count('<tr><th scope="row">Dòng ') == 2
    assert "no_such_role" in page
    marked = await desk.send(BAD, noun="agencies", step="mark")
    assert marked.status_code == httpx.codes.OK
    assert marked.headers["content-disposition"].startswith("attachment")
    assert "Lỗi" in marked.content.decode("utf-8-sig").splitlines()[0]
    assert "không thấy lỗi nào" in unescape((await desk.send(GOOD, noun="agencies", step="mark")).text)


@pytest.mark.server
async def test_who_may_not_import_is_offered_no_form_and_a_file_of_nothing_is_refused(
    browsers: dict[str, Browser],
) -> None:
    desk = Desk(browsers["chủ trì"])
    for fields, content in (({"noun": "no-such"}, GOOD), ({"noun": "agencies"}, b"")):
        assert (await desk.send(content, **fields)).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert (await desk.browser.get(f"{LIST}/no-id")).status_code == httpx.codes.NOT_FOUND
    stopped = await desk.browser.console.post(f"{ORIGIN}{(await desk.check(GOOD))}/stop", headers={"Origin": ORIGIN})
    assert stopped.status_code in {httpx.codes.SEE_OTHER, httpx.codes.CONFLICT}
    decider = browsers["quyết định"]
    assert 'type="file"' not in (await decider.get(LIST)).text
