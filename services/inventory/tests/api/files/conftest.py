"""A register with two records of every noun: one with every field filled, one with the needed fields alone."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

type Json = dict[str, Any]

PAPER = {
    "signed_on": "2021-05-08", "document_number": "12/BB-KS", "document_file": "12.pdf", "document_sha256": "ab" * 32,
}  # fmt: skip
PERIOD = {"valid_from": "2021-05-01", "valid_to": "2031-12-31"}
PHOTO = b"\xff\xd8\xff\xe0 a photo"
FORM: Json = {
    "site": {"buildings": 2, "floors": 3, "rooms": 24, "beds": 48},
    "areas": [
        {"area": "corridor", "coverage": "covered", "camera_codes": ["QT-01-C01"], "blind_spots": "Góc; «cầu thang»"},
        {"area": "yard", "coverage": "not_applicable", "reason": "Không có sân"},
    ],
    "system": {
        "kind": "ip",
        "recorders": [{"make": "Hikvision", "channels": 16, "channels_used": 1, "disk_tb": 4.5, "rtsp_enabled": True}],
        "cameras": [
            {
                "code": "QT-01-C01",
                "position": "=Hành lang",
                "mac": "00:11:22:33:44:55",
                "ip": "10.20.1.5",
                "main": {"codec": "h265", "width": 1920, "height": 1080, "fps": 12.5, "kbps": 2048},
                "photo_sha256": hashlib.sha256(PHOTO).hexdigest(),
            }
        ],
    },
    "infrastructure": {"up_mbps": 20.5, "isp": "Viettel", "public_ip": "cgnat", "vpn_possible": False},
    "notice_board": True,
    "access": {"entry_rule": "Không vào khu phòng cách ly", "contact": "Bà Mẫu"},
    "proposal": "+ Thêm 2 camera",
    "estimated_cost_vnd": 60_000_000,
}


class Filled:
    """Writes the records through the API. `ids`: of what others refer to, by noun and code."""

    def __init__(self, province: Any) -> None:
        self.province, self.client = province, province.client
        self.ids: dict[str, str] = {}

    async def add(self, path: str, name: str, body: Json) -> str:
        """Store a record, and remember its id as `name`."""
        self.ids[name] = str((await self.province.post(f"/v1/{path}", body))["id"])
        return self.ids[name]

    async def write(self) -> None:
        await self._places()
        await self._people_and_areas()
        await self._devices()
        await self._mandate()
        await self._field()

    async def _places(self) -> None:
        # One code, two provinces, one after the other.
        old: Json = {"code": "44", "name": "Tỉnh Quảng Bình", "level": "province", "valid_to": "2025-06-30"}
        was = await self.add("units", "old", old)
        new: Json = {"code": "44", "name": "Tỉnh Quảng Trị", "level": "province", "valid_from": "2025-07-01"}
        new |= {"legal_basis": "Nghị quyết 202/2025/QH15", "succeeds": [{"unit_id": was, "kind": "merged"}]}
        await self.add("units", "new", new)
        district: Json = {
            "code": "0461",
            "name": "=1+1",
            "parent_id": was,
            "valid_to": "2025-06-30",
            "legal_basis": "-",
        }
        await self.add("units", "unit", district | {"valid_from": "2004-01-01"})
        await self.add("agencies", "UBND", {"code": "UBND", "name": "UBND tỉnh", "role": "peoples_committee"})
        agency: Json = {"code": "SYT", "name": "Sở Y tế", "role": "managing", "parent_id": self.ids["UBND"], **PERIOD}
        agency |= {"unit_id": was, "successor_id": self.ids["UBND"]}
        await self.add("agencies", "agency", agency)
        await self.add("agencies", "operator", {"code": "VT", "name": "Viettel; Quảng Trị", "role": "operator"})
        whole: Json = {
            "code": "KCL-01",
            "name": "@Trường Cam An",
            "type": "school",
            "unit_id": self.ids["new"],
            "status": "planned",
        }
        whole |= {"managing_agency_id": self.ids["agency"], "address": "Thôn 1,\tCam An", "beds": 48, "occupancy": 0}
        whole |= {"decision_number": "805/QĐ-UBND", "decision_date": "2020-03-29", "restricted": True, **PERIOD}
        await self.add("facilities", "facility", whole | {"latitude": 16.8163, "longitude": 107.1})
        bare: Json = {"code": "KCL-2", "name": "Khách sạn", "type": "hotel", "unit_id": self.ids["new"]}
        await self.add("facilities", "other", bare | {"managing_agency_id": self.ids["UBND"]})
        assigned: Json = {"unit_id": was, "agency_id": self.ids["operator"], "valid_from": "2021-05-06"}
        await self.add("operator-assignments", "", assigned | {"valid_to": "2025-06-30", "document": "1407/BTTTT-CVT"})
        await self.add("operator-assignments", "", assigned | {"unit_id": self.ids["new"], "valid_from": "2025-07-01"})
        rule: Json = {"unit_id": was, "two_persons": True, "valid_from": "2021-05-06", "valid_to": "2025-06-30"}
        await self.add("approval-rules", "", rule | {"why": "Như trước"})
        rule = {"unit_id": self.ids["new"], "two_persons": False, "valid_from": "2025-07-01", "why": "Chỉ có một người"}
        await self.add("approval-rules", "", rule)

    async def _people_and_areas(self) -> None:
        for name, more in {
            "Trần Văn Mẫu": {
                "email": "mau@quangtri.gov.vn",
                "unit": "Trường",
                "appointment_document": "12/QĐ",
                "appointment_signed_on": "2021-04-01",
                "appointment_file": "12-QD.pdf",
                **PERIOD,
            },
            "Lê Thị An": {"valid_from": "2021-04-02"},
        }.items():
            person = {"facility_id": self.ids["facility"], "full_name": name, "position": "Hiệu trưởng"}
            await self.add("focal-points", "", person | {"phone": "0912345678"} | more)
        covered: Json = {
            "facility_id": self.ids["facility"],
            "area": "corridor",
            "verdict": "not_covered",
            "reason": "Hỏng",
        }
        covered |= {"cameras_needed": 2, "blind_spots": "Góc", "night_light": False, **PERIOD}
        await self.add("coverages", "", covered)
        await self.add("coverages", "", {**covered, "area": "gate", "cameras_needed": 1})

    async def _devices(self) -> None:
        address = "rtsps://10.9.0.1:8554/{camera_code}"
        whole: Json = {"code": "TT-QG", "name": "Trung tâm", "role": "national", "url_template": address, **PERIOD}
        whole |= {"required_proof": "verified", "read_back_url_template": address, "enhanced_rtmp": True}
        await self.add("destinations", "destination", whole | {"tls": {"fingerprint_sha256": "ab" * 32}})
        await self.province.destination(code="TT-IOC", role="provincial")
        pulls: Json = {"role": "national", "mode": "serve", "enabled": False, "name": "Trung tâm lấy hình"}
        serving: Json = {"source_networks": ["10.9.0.0/24", "fd00::/48"], "responsible": "Phòng Vận hành"}
        serving |= {"transports": ["tcp", "udp"], "tls": "offered", "login": "both", "basic": True}
        await self.add("destinations", "", pulls | {"code": "TT-BYT", "serving": serving | {"sessions_per_camera": 3}})
        anywhere = {"anywhere": True, "anywhere_reason": "Địa chỉ thay đổi"}
        await self.add("destinations", "", pulls | {"code": "TT-XA", "serving": anywhere})
        recorder: Json = {
            "code": "NVR-1",
            "name": "Đầu ghi",
            "facility_id": self.ids["facility"],
            "channels": 16,
            **PERIOD,
        }
        recorder |= {"vendor": "hikvision", "model": "DS-7616", "firmware": "4.30", "serial": "0012", "port": 8554}
        recorder |= {"mac": "00:11:22:33:44:66", "host": "10.20.1.4", "disk_tb": 4.5, "days_kept": 30}
        recorder |= {"shared_device_reason": "Hai cơ sở"}
        await self.add("recorders", "recorder", recorder | {"time_source": "ntp"})
        bare: Json = {"code": "NVR-2", "name": "Đầu ghi 2", "facility_id": self.ids["other"], "channels": 4}
        await self.add("recorders", "", bare)
        camera: Json = {
            "code": "QT-01-C01",
            "name": "Hành lang",
            "facility_id": self.ids["facility"],
            "area": "corridor",
        }
        camera |= {"url": "rtsps://10.20.1.5/1", "sub_url": "rtsps://10.20.1.5/2", "transport": "udp", **PERIOD}
        camera |= {"forward_audio": True, "probe_interval_s": 30.5, "probe_timeout_s": 7.25, "enabled": False}
        camera |= {"tls": {"fingerprint_sha256": "cd" * 32}, "vendor": "hikvision", "model": "00123", "firmware": "5"}
        camera |= {"recorder_id": self.ids["recorder"], "channel": 3, "verified_on": "2021-05-08", "verified_by": "An"}
        camera |= {"time_source": "10.20.1.1; NTP", "default_password_changed": True, "cloud_access": False}
        camera |= {"firmware_released_on": "2021-01-15", "certificate": "QCVN135-0001"}
        camera |= {"certificate_valid_until": "2029-01-14"}
        camera |= {"shared_device_reason": "Một đầu ghi", "destination_ids": [self.ids["destination"]]}
        expected: Json = {"codec": "h265", "width": 1920, "height": 1080, "fps": 12.5, "serial": "0099"}
        expected |= {"mac": "00:11:22:33:44:55", "onvif_address": "10.20.1.5:8080"}
        await self.add("cameras", "camera", camera | {"expected": expected})
        await self.province.camera(code="CAM-2", facility_id=self.ids["other"], destination_ids=[])
        await self.add(
            "deliveries",
            "",
            {"camera_id": self.ids["camera"], "destination_id": await self._id("destinations", "TT-IOC")},
        )

    async def _id(self, path: str, code: str) -> str:
        found = await self.client.get(f"/v1/{path}", params={"code": code})
        return str(found.json()["items"][0]["id"])

    async def _mandate(self) -> None:
        team: Json = {"code": "T-1", "name": "Tổ 1", "agency_id": self.ids["operator"]}
        await self.add("teams", "team", team | PERIOD)
        await self.add("teams", "", team | {"code": "T-2"})
        member: Json = {"team_id": self.ids["team"], "full_name": "Lê Ân", "position": "Kỹ thuật viên"}
        await self.add("team-members", "", member | {"phone": "0233 3852 123", **PERIOD})
        await self.add("team-members", "", member | {"full_name": "Nguyễn Văn Bình"})
        above: Json = {"number": "1407/BTTTT-CVT", "issued_on": "2021-05-06", "issuer_id": self.ids["UBND"]}
        await self.add("directives", "above", above | {"subject": "Kết nối camera"})
        letter: Json = {"number": "1742/UBND-VX", "issued_on": "2021-05-07", "issuer_id": self.ids["UBND"], **PERIOD}
        letter |= {"subject": "V/v kết nối", "signer": "Hoàng Nam", "file_name": "1742.pdf", "file_sha256": "ef" * 32}
        letter |= {"link": "https://www.quangtri.gov.vn/1742", "source": "Cổng thông tin"}
        letter |= {"letterhead": {"addressees": ["Bộ Thông tin và Truyền thông"], "subject": "Kết quả; kết nối"}}
        links: Json = {"implements_id": self.ids["above"], "supersedes_id": self.ids["above"]}
        await self.add("directives", "letter", letter | links)
        duty: Json = {"name": "Kết nối", "kind": "connection", "directive_id": self.ids["letter"]}
        duty |= {"responsible_agency_id": self.ids["operator"]}
        listed: Json = {"code": "NV-1", "due_before": "2021-05-10", "every_days": 15, "note": "a; b", **PERIOD}
        listed |= {"facility_ids": [self.ids["facility"], self.ids["other"]]}
        await self.add("obligations", "", duty | listed)
        described: Json = {"code": "NV-2", "facility_types": ["school", "hotel"], "unit_id": self.ids["old"]}
        described |= {"managing_agency_id": self.ids["agency"], "with_cameras": False, "due_after_days": 30}
        await self.add("obligations", "", duty | described)
        asked: Json = {"code": "YC-1", "name": "Thông tin", "facility_id": self.ids["facility"], **PERIOD}
        question: Json = {"key": "SO-CAMERA", "text": "Bao nhiêu camera, kể cả «hỏng»?", "required": True}
        await self.add("information-requests", "", asked | {"due_before": "2031-05-10", "questions": [question]})
        bare: Json = {"key": "DIEN", "text": '=HYPERLINK("x");'}
        await self.add("information-requests", "", asked | {"code": "YC-2", "questions": [bare]})
        await self._visits()
        about: Json = {"about_noun": "facility", "about_id": self.ids["facility"]}
        await self.add("journal-entries", "", about | {"text": "Dòng 1\nDòng 2; «a»", **PERIOD})
        await self.add("journal-entries", "", about | {"text": "-"})
        blocked: Json = {"facility_id": self.ids["facility"], "kind": "other", "text": "Chờ điện", **PERIOD}
        await self.add("blocked-reasons", "", blocked)
        await self.add("blocked-reasons", "", blocked | {"kind": "security_lock", "valid_to": None, "text": None})

    async def _visits(self) -> None:
        soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
        visit: Json = {"facility_id": self.ids["facility"], "team_id": self.ids["team"], "purpose": "survey"}
        times: Json = {"planned_from": "2021-05-08T08:00:00+07:00", "planned_to": "2021-05-08T11:30:00+07:00"}
        whole: Json = {"entered_at": "2021-05-08T08:10:00+07:00", "left_at": "2021-05-08T11:00:00+07:00", **PERIOD}
        whole |= {"gate_contact": "Ông Ba", "gate_phone": "0233 3852 123", "escort": "Bà Tư", "note": "x; y"}
        whole |= {"zones": ["Khu A, tầng 1", "Sân sau"], "protection": ["mask", "gloves"], "health_declared": True}
        whole |= {"briefed_by": "Bác sĩ", "briefed_at": "2021-05-08T08:05:00+07:00", "tools_disinfected": True}
        whole |= {"briefing_document": "12/TYT", "briefing_signed_on": "2021-05-08", "briefing_file": "12-TYT.pdf"}
        whole |= {"access_given_by": "Ông Ba", "access_from": "2021-05-08T07:00:00+07:00"}
        whole |= {"access_to": "2021-05-08T11:00:00+07:00", "access_document": "13/TYT"}
        whole |= {"access_signed_on": "2021-05-08", "access_file": "13-TYT.pdf"}
        whole |= {"rules_acknowledged": ["BCĐ Quốc gia 4403/CV-BCĐ; phụ lục", "878/QĐ-BYT"]}
        whole |= {"available_from": "2021-05-29", "obstruction": "Cổng khoá", **PAPER}
        await self.add("visits", "", visit | times | whole)
        later: Json = {"planned_from": soon.isoformat(), "planned_to": (soon + timedelta(hours=2)).isoformat()}
        await self.add("visits", "", visit | later | {"remote": True})
        inspected: Json = {"facility_id": self.ids["facility"], "agency_id": self.ids["agency"]}
        found = [{"text": "Thiếu biển; báo", "mend_by": "2021-05-20"}, {"text": "Cáp hỏng", "mended_on": "2021-05-18"}]
        whole = {"inspectors": ["Nguyễn Văn A", "Trần B"], "findings": found, "note": "Lần 1", **PERIOD}
        await self.add("inspections", "", inspected | {"inspected_on": "2021-05-15"} | whole)
        await self.add("inspections", "", inspected | {"inspected_on": "2021-05-30"})
        window: Json = {
            "starts_at": soon.isoformat(),
            "ends_at": (soon + timedelta(hours=4)).isoformat(),
            "purpose": "Thay nguồn",
        }
        await self.add("maintenance-windows", "", window | {"facility_id": self.ids["facility"], **PERIOD})
        await self.add("maintenance-windows", "", window | {"camera_id": self.ids["camera"]})

    async def _field(self) -> None:
        await self.add("surveys", "", {"code": "KS-2", "facility_id": self.ids["other"]})
        photo: Json = {"sha256": hashlib.sha256(PHOTO).hexdigest(), "name": "anh.jpg", "media_type": "image/jpeg"}
        survey: Json = {
            "code": "KS-1",
            "facility_id": self.ids["facility"],
            "mode": "remote",
            "lead_name": "Mẫu",
            "form": FORM,
        }
        survey |= {"lead_phone": "0912345678", "lead_agency_id": self.ids["agency"], "basis": "1742/UBND-VX"}
        survey |= {**PAPER, "scheduled_on": "2021-05-08", "surveyed_on": "2021-05-08", "place": "Cam An", "note": "- a"}
        survey |= {"verdict": "needs_config", "verdict_reason": "Chưa bật RTSP", "briefed_by": "An"}
        survey |= {"briefing_document": "12/TYT", "briefing_signed_on": "2021-05-08", "briefing_file": "12-TYT.pdf"}
        survey |= {"briefed_at": "2021-05-08T08:00:00+07:00", "acknowledged_at": "2021-05-08T08:05:00+07:00"}
        survey |= {"acknowledged_by": "Ân", "rules_version": "878/QĐ-BYT", "attachments": [{**photo, "size_bytes": 9}]}
        came: Json = {
            "full_name": "Lê Ân",
            "position": "KTV",
            "agency_id": self.ids["operator"],
            "present_on": "2021-05-08",
        }
        await self.add("surveys", "", survey | {"participants": [came, {"full_name": "Bà Mẫu"}]})
        connection: Json = {
            "camera_code": "QT-01-C01", "source": "nvr_channel", "channel": 3, "stream": "sub", "transport": "udp",
            "address": "10.20.1.5:554", "vpn": "wg0", "credentials_reference": "két", "bandwidth_kbps": 2048,
            "destination_codes": ["TT-QG", "TT-IOC"], "responsible": "Ân", "due_on": "2021-05-09",
        }  # fmt: skip
        plan: Json = {"facility_id": self.ids["facility"], "connections": [connection], "connect_by": "2021-05-09"}
        plan |= {"responsible_lead": "Mẫu", "responsible_operator": "Ân", "note": "x", **PAPER}
        plan |= {"connected_on": "2021-05-09", "acceptance_number": "1/NT", "acceptance_file": "nt.pdf"}
        plan |= {"acceptance_sha256": "ac" * 32}
        await self.add("connection-plans", "", plan)
        await self.add("connection-plans", "", {"facility_id": self.ids["facility"]})
        except_: Json = {
            "facility_id": self.ids["other"],
            "why": "Chạy thử",
            "approved_by": "Sở",
            "decided_on": "2021-05-07",
        }
        await self.add("plan-exceptions", "", except_ | PERIOD)
        await self.add("plan-exceptions", "", except_ | {"facility_id": self.ids["facility"]})
        proposal: Json = {"code": "DX-1", "facility_id": self.ids["facility"], "recorder": "16 kênh", "line": "50 Mbps"}
        proposal |= {"areas": [{"area": "gate", "cameras": 2, "type": "ptz", "position": "Cổng"}], "power": "UPS"}
        proposal |= {"estimated_cost_vnd": 60_000_000, "lead_time_days": 7, "proposed_connection": "VPN", "note": "x"}
        proposal |= {**PAPER, "decision_number": "1/QĐ", "decision_date": "2021-05-09", "funding_source": "Ngân sách"}
        await self.add("installation-proposals", "", proposal | {"installed_on": "2021-05-16"})
        await self.add("installation-proposals", "", {"code": "DX-2", "facility_id": self.ids["other"]})


@pytest_asyncio.fixture
async def filled(province: Any) -> Any:
    """The register, and the client that wrote it."""
    made = Filled(province)
    await made.write()
    return made
