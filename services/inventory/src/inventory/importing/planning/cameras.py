"""Rows of cameras: the address apart from its login, destinations, codec and trust."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Text, case, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import (
    GIVE_AGAIN,
    check_networks,
    check_no_login,
    leads_elsewhere,
    parse_camera_url,
    render,
)
from inventory.domain.devices.camera import fitting_timeout
from inventory.domain.devices.codecs import accepts_codec, refusal_advice
from inventory.domain.devices.recorder import ELSEWHERE, check_channel
from inventory.domain.devices.sameness import Device, Devices
from inventory.domain.devices.trust import Trust, check_trust_is_used
from inventory.domain.devices.vendors import Stream, complete_url
from inventory.importing.checking.codes import OnRecord
from inventory.importing.checking.rows import CheckedRow
from inventory.importing.mistakes import Mistakes
from inventory.importing.mistakes.translated import translate
from inventory.importing.overrides import DESTINATIONS
from inventory.importing.planning.plan import Action, FileRules, Plan, Planned, check_on_record
from inventory.importing.planning.register import CHUNK, Brought, Register
from inventory.nouns.devices.sameness import DEVICE, OF_ANOTHER, device_of
from inventory.nouns.devices.secrets import device_origins
from inventory.nouns.mandate.states import day_to_come
from inventory.storage.conflicts import reason_missing
from inventory.storage.queries.cursors import open_cursor
from inventory.storage.queries.sight import select_visible, sight_of
from inventory.storage.tables import Camera, Delivery, Destination, Recorder
from vonggac.auth import Credentials
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.net.origin import Origin

LOGIN = "login"
TRUST_COLUMNS = {"ca_pem": "tls_ca_pem", "fingerprint_sha256": "tls_fingerprint_sha256"}
_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Login:
    """What is to be sealed, and where it may be used."""

    credentials: Credentials
    origins: tuple[Origin, *tuple[Origin, ...]]


@dataclass(frozen=True, slots=True)
class Connections:
    """Destinations by code, and which cameras have a delivery where: camera to destination to whether it is enabled."""

    destinations: OnRecord[Destination]
    deliveries: Mapping[UUID, Mapping[UUID, bool]]
    urls: set[str]
    recorders: Mapping[UUID, tuple[int, UUID]] = field(default_factory=dict)
    """Recorder to the number of its channels, and its facility."""
    devices: Sequence[Device] = ()
    """Of every camera that the file does not name; of those that the caller does not see the codes are hidden."""
    coming: Collection[str] = ()
    """Codes of destinations that another sheet of the file has."""


async def read_connections(session: AsyncSession, brought: Brought) -> Connections:
    """All destinations and deliveries, and the devices beside the file's."""
    destinations = (await session.scalars(select(Destination).order_by(Destination.code))).all()
    deliveries: dict[UUID, dict[UUID, bool]] = {}
    urls: set[str] = set()
    query = select(Delivery.camera_id, Delivery.destination_id, Delivery.enabled, Delivery.url)
    async with open_cursor(session, query) as found:
        async for rows in found.partitions(CHUNK):
            for camera_id, destination_id, enabled, url in rows:
                deliveries.setdefault(camera_id, {})[destination_id] = enabled
                urls.add(url)
    # Most cameras go to the same destinations.
    same: dict[tuple[tuple[UUID, bool], ...], dict[UUID, bool]] = {}
    deliveries = {camera_id: same.setdefault(tuple(each.items()), each) for camera_id, each in deliveries.items()}
    known_recorders = await session.execute(select(Recorder.id, Recorder.channels, Recorder.facility_id))
    recorders = {row.id: (row.channels, row.facility_id) for row in known_recorders}
    known = OnRecord({each.code: each for each in destinations})
    devices = await _devices(session, brought["camera"])
    return Connections(known, deliveries, urls, recorders, devices, brought.get("destination", ()))


async def _devices(session: AsyncSession, named: Collection[str]) -> list[Device]:
    sight = sight_of(session)
    code: Any = Camera.code
    if not sight.is_everything:
        code = case((Camera.id.in_(select(select_visible(Camera, None, sight).c.id)), Camera.code), else_=OF_ANOTHER)
    of_file = func.unnest(literal(list(named), ARRAY(Text))).table_valued("code").render_derived(name="of_file")
    query = select(code, *DEVICE).where(~select(of_file.c.code).where(of_file.c.code == Camera.code).exists())
    devices: list[Device] = []
    async with open_cursor(session, query) as found:
        async for rows in found.partitions(CHUNK):
            devices += (device_of(_NOBODY, *row) for row in rows)
    return devices


class CameraRules(FileRules):
    """Of one file. Logins are sealed when their rows are stored.

    `reason`: of the whole file; what is switched off or removed needs it as by the routes.
    """

    def __init__(
        self,
        connections: Connections,
        register: Register,
        allowed: AllowedNetworks | None,
        *,
        today: date,
        reason: str | None = None,
    ) -> None:
        self._connections, self._allowed, self._reason = connections, allowed, reason
        self._today = today
        self._facility_codes, self._present = register.codes["facility"], register.present
        self._enabled = [each for each in connections.destinations.values() if each.enabled]
        self._urls = connections.urls
        self.has_secrets = False

    def before(self, row: CheckedRow, given: dict[str, Any], mistakes: Mistakes) -> dict[str, Any]:
        """Find bare address, login to seal and wanted destinations (None: every enabled one, or as they are)."""
        extra: dict[str, Any] = {LOGIN: None, DESTINATIONS: None, "in_file": DESTINATIONS in row.values}
        wanted = row.values.get(DESTINATIONS)
        if wanted is not None:
            for code in (code for code in wanted if code not in self._connections.coming):
                check_on_record(mistakes, row.line, DESTINATIONS, code, self._connections.destinations)
            extra[DESTINATIONS] = wanted
        if given.get("sub_url") is not None:
            self._read_sub_url(row, given, mistakes)
        if given.get("url") is None:
            return extra
        try:
            address = parse_camera_url(self._whole_url(given, "url", Stream.MAIN))
            check_networks(address, self._allowed)
        except ValueError as error:
            mistakes.add(row.line, "url", translate(str(error)), value=given["url"])
            return extra
        given["url"] = address.url
        credentials = self._credentials(row, address.credentials, mistakes)
        if credentials is not None:
            self.has_secrets = True
            extra[LOGIN] = Login(credentials, (address.origin, *device_origins(given.get("expected"))))
        return extra

    def _whole_url(self, given: Mapping[str, Any], name: str, stream: Stream) -> str:
        """Complete an address that may be the host alone, by make and channel of the row, else of those on record.

        Raises ValueError.
        """
        present = self._present.get((given.get("code"),), {})
        vendor, channel = ((given if each in given else present).get(each) for each in ("vendor", "channel"))
        return complete_url(given[name], vendor, channel, stream)

    def _read_sub_url(self, row: CheckedRow, given: dict[str, Any], mistakes: Mistakes) -> None:
        """Read the sub stream's address: it uses the login of the main one, so its address holds none."""
        try:
            address = parse_camera_url(self._whole_url(given, "sub_url", Stream.SUB))
            check_networks(address, self._allowed)
            check_no_login(address)
        except ValueError as error:
            mistakes.add(row.line, "sub_url", translate(str(error)), value=given["sub_url"])
        else:
            given["sub_url"] = address.url

    def together(self, plan: Plan, mistakes: Mistakes) -> None:
        """One device under two cameras is refused (decision 0092), as it will be when the whole file is stored."""
        for row in plan.rows if self._reason is None else ():
            for column, what in _changes_with_reason(row):
                mistakes.add(row.line, column, translate(f"{reason_missing(what)}: send it as the parameter reason"))
        if not any(row.extra["is_asked"] for row in plan.rows):
            return
        devices = Devices()
        for device in self._connections.devices:
            devices.add(device)
        for row in plan.rows:
            # The first of two in a file stands, the second is named.
            device = row.extra["device"]
            if row.extra["is_asked"]:
                same = devices.find_same(device)
                if same is not None:
                    column = same.field if same.field in plan.table.present else "url"
                    mistakes.add(row.line, column, translate(same.advice), value=getattr(device, same.field))
            devices.add(device)

    @staticmethod
    def _credentials(row: CheckedRow, in_url: Credentials | None, mistakes: Mistakes) -> Credentials | None:
        username, password = row.values.get("username") or "", row.values.get("password") or ""
        if not username and not password:
            return in_url
        if not username:
            text = "is empty though there is a password: give both or none"
            mistakes.add(row.line, "username", translate(text))
        elif in_url is not None:
            text = "holds credentials beside username and password: give them once"
            mistakes.add(row.line, "url", translate(text))
        return Credentials(username=username, password=password)

    def after(self, planned: Planned, fields: Any, mistakes: Mistakes) -> None:
        """Timeout, login, trust, codec, and the addresses at which the camera would be published."""
        present = planned.present
        if present is None:
            # As checked, so that nobody has to check it again.
            planned.given = {name: getattr(fields, name) for name in planned.given}
        device = planned.extra["device"] = _device_of(fields)
        stands = present is not None and present["shared_device_reason"] is None and device == _device(present)
        planned.extra["is_asked"] = not stands and fields.shared_device_reason is None
        self._fit_timeout(planned, fields)
        if planned.extra[LOGIN] is not None:
            planned.changes["password"] = (_HIDDEN if present and present["sealed_secret"] else None, _HIDDEN)
            if present is not None:
                planned.action = Action.UPDATED
        elif present and present["sealed_secret"] is not None and leads_elsewhere(present["url"], fields.url):
            mistakes.add(planned.line, "url", translate(GIVE_AGAIN), value=fields.url)
        self._check_recorder(planned, fields, mistakes)
        day = fields.verified_on
        if day is not None and day > self._today and (present is None or present["verified_on"] != day):
            mistakes.add(planned.line, "verified_on", translate(day_to_come(day, self._today)), value=day.isoformat())
        self._check_trust(planned.line, fields.tls, fields.url, mistakes)
        receiving = self._plan_deliveries(planned, fields, mistakes)
        codec = fields.expected.codec if fields.expected is not None else None
        for each in receiving:
            if not accepts_codec(codec, each.url_template, enhanced_rtmp=each.enhanced_rtmp):
                mistakes.add(planned.line, DESTINATIONS, translate(refusal_advice(fields.code, each.code)))

    @staticmethod
    def _fit_timeout(planned: Planned, fields: Any) -> None:
        if planned.present is not None and "probe_interval_s" in planned.patch:
            fitted = fitting_timeout(planned.present["probe_timeout_s"], fields.probe_interval_s)
            planned.patch.setdefault("probe_timeout_s", fitted)
        if planned.patch.get("probe_timeout_s", 0) is None:
            planned.patch["probe_timeout_s"] = fields.timeout_s

    def _check_recorder(self, planned: Planned, fields: Any, mistakes: Mistakes) -> None:
        if fields.channel is None or fields.recorder_id not in self._connections.recorders:
            return
        channels, facility_id = self._connections.recorders[fields.recorder_id]
        try:
            check_channel(fields.channel, channels)
        except ValueError as error:
            mistakes.add(planned.line, "channel", translate(str(error)), value=fields.channel)
        stays = planned.present is not None and not planned.patch.keys() & {"recorder_id", "facility_id"}
        if facility_id != fields.facility_id and not stays and self._reason is None:
            mistakes.add(planned.line, "recorder_code", translate(ELSEWHERE))

    @staticmethod
    def _check_trust(line: int, tls: Trust | None, url: str, mistakes: Mistakes) -> None:
        try:
            check_trust_is_used(tls, (url,))
        except ValueError as error:
            column = next(column for name, column in TRUST_COLUMNS.items() if getattr(tls, name) is not None)
            mistakes.add(line, column, translate(str(error)))

    def _plan_deliveries(self, planned: Planned, fields: Any, mistakes: Mistakes) -> Sequence[Destination]:
        """Note what is to connect and to disconnect; returns the destinations that will receive the camera."""
        known = self._connections.destinations
        there = self._connections.deliveries.get(planned.id, {}) if planned.id is not None else {}
        codes = planned.extra[DESTINATIONS]
        in_file = planned.extra.get("in_file", True)
        if codes is not None:
            wanted = [known[code] for code in codes if code in known]
        elif planned.present is None or in_file:
            wanted = self._enabled
        else:
            wanted = [each for each in known.values() if each.id in there]
        connect = [each for each in wanted if each.id not in there]
        ids = {each.id for each in wanted}
        disconnect = [each for each in there if each not in ids]
        planned.extra["connect"], planned.extra["disconnect"] = connect, disconnect
        if (connect or disconnect) and planned.present is not None:
            before = sorted(code for code, each in known.items() if each.id in there)
            planned.action = Action.UPDATED
            planned.changes[DESTINATIONS] = (before, sorted(each.code for each in wanted))
        self._check_addresses(planned.line, fields, connect, mistakes)
        return [each for each in wanted if each.enabled and there.get(each.id, True)]

    def _check_addresses(self, line: int, fields: Any, connect: Sequence[Destination], mistakes: Mistakes) -> None:
        facility = self._facility_codes[fields.facility_id]
        for each in connect:
            if "{camera_id}" in each.url_template:
                continue
            url = render(each.url_template, camera_code=fields.code, facility_code=facility, camera_id=_NOBODY)
            if url in self._urls:
                message = f"would be published at an address that is in use ({url}); give it another code"
                mistakes.add(line, "code", translate(message), value=fields.code)
            self._urls.add(url)


def _changes_with_reason(row: Planned) -> Iterator[tuple[str, str]]:
    """Find what an official will be asked about, by column."""
    if row.present is not None and row.patch.get("enabled") is False:
        yield "enabled", "switching it off"
    if row.extra["disconnect"]:
        yield DESTINATIONS, "removing a delivery"


def _device_of(fields: Any) -> Device:
    expected = fields.expected
    serial, mac = (expected.serial, expected.mac) if expected is not None else (None, None)
    more = (fields.sub_url, fields.recorder_id, fields.channel)
    return Device(_NOBODY, fields.code, fields.url, serial, mac, *more)


def _device(present: Mapping[str, Any]) -> Device:
    return device_of(_NOBODY, present["code"], *(present[column.key] for column in DEVICE))


_NOBODY = UUID(int=0)
