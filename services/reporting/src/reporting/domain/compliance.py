"""Whether a camera complies at a moment (R09, R10).

It does iff it is up and every required delivery is connected, where both roles, national and provincial, must have one.
Three-valued: one thing that is certainly wrong makes the moment non-compliant, otherwise one unknown thing makes it
unknown.
"""

from collections.abc import Mapping, Sequence

from reporting.domain.evidence.claims import PROVES, Status
from reporting.domain.timeline import CameraState
from vonggac.events.forwarder import DeliveryState
from vonggac.events.inventory import DestinationRole, RequiredProof

ACKNOWLEDGED = DeliveryState.ACKNOWLEDGED.value
VERIFIED = RequiredProof.VERIFIED.value


def connected(status: Status | None, proof: str, *, read_back_failed: bool = False) -> bool | None:
    """Whether a delivery in that status is as its destination demands; None while unknown.

    Where a read-back is demanded and media is only acknowledged, the delivery is not connected if a read-back was tried
    and failed. If nobody could read back, it is unknown: a blind verifier makes nobody non-compliant.
    """
    if status is None:
        return None
    if status.state in PROVES[proof]:
        return True
    if proof == VERIFIED and status.state == ACKNOWLEDGED and not read_back_failed:
        return None
    return False


def complies(state: CameraState, national: bool | None, provincial: bool | None) -> bool | None:
    """Compute the conjunction of R10; None where it is unknown."""
    if state is CameraState.DOWN or national is False or provincial is False:
        return False
    return True if state is CameraState.UP and national and provincial else None


def role_connections(
    plan: Sequence[tuple[DestinationRole | None, bool]], connections: Sequence[bool | None]
) -> tuple[bool | None, bool | None]:
    """Whether national and provincial centre have the camera: every required delivery of the role, at least one.

    `plan` is role and required of each delivery, `connections` whether it is connected. A role without a required
    delivery is not connected: that is certain, not unknown.
    """
    national: list[bool | None] = []
    provincial: list[bool | None] = []
    for (role, required), connection in zip(plan, connections, strict=True):
        if required and role is DestinationRole.NATIONAL:
            national.append(connection)
        elif required and role is DestinationRole.PROVINCIAL:
            provincial.append(connection)
    return _all(national), _all(provincial)


def connection_name(national: bool | None, provincial: bool | None) -> str:
    """Name the field of Durations that a moment counts for: both, national_only, provincial_only, neither, unknown."""
    if national is None or provincial is None:
        return "connection_unknown"
    return _CONNECTION[national, provincial]


_CONNECTION: Mapping[tuple[bool, bool], str] = {
    (True, True): "both",
    (True, False): "national_only",
    (False, True): "provincial_only",
    (False, False): "neither",
}


def _all(values: list[bool | None]) -> bool | None:
    if not values or False in values:
        return False
    return None if None in values else True


RULE_VERSION = "6"
"""Of the rule in words: every report and file prints both. 4 counts what lies between two read-backs that agree; 5 has
areas that nobody assessed as such, and names who is responsible; 6 keeps apart what was found wrong of a camera while
it was being connected."""
RULE_BEFORE_BEING_CONNECTED = "5"
"""Of the last reports in which a wrong login and a frozen picture were down time from the first moment on."""
RULES_BEFORE_ASSESSMENT = frozenset({"1", "2", "3", "4"})
"""Of the last reports in which an area that nobody assessed counted as one camera to install."""
RULE_WITHOUT_REGISTER = "2"
"""Of the last reports that were frozen without the register; their further versions are by it too. Of all others a
further version is by the rule of the first one: time before rule 4 keeps its account."""
RULE_OF_STATES = "3"
"""Of the last reports that count a proof for three intervals, as their forwarders' states did."""
_BEFORE_VI = (
    "Camera đạt yêu cầu tại một thời điểm khi camera hoạt động (có hình, giải mã được) và mọi kết nối bắt buộc tới cả "
    "hai trung tâm (trung ương và tỉnh) đều được xác nhận theo mức mỗi trung tâm yêu cầu. Trung tâm yêu cầu “đã kiểm "
    "chứng”: thời gian kết nối là thời gian giữa hai lần đọc lại liên tiếp đều khớp hình trong cùng một phiên; sau lần "
    "khớp cuối cùng là không rõ cho đến khi lần đọc lại tiếp theo có kết quả; từ lúc bắt đầu lần đọc lại không được "
    "hoặc khác hình đầu tiên là mất kết nối, cho đến hình khớp đầu tiên sau đó. Trung tâm chỉ yêu cầu “đã xác nhận”: "
    "kết nối khi trung tâm xác nhận nhận dữ liệu, trừ thời gian đọc lại thấy hình khác. Thời gian không có số liệu "
    "là “không rõ”, không tính là hoạt động cũng không tính là mất kết nối; bảo trì được thống nhất trước được tách "
    "riêng. Tỷ lệ đo được bỏ phần không rõ; tỷ lệ chặt tính không rõ là không đạt; tỷ lệ lỏng tính không rõ là đạt. "
    "Kỳ báo cáo gồm thời điểm đầu, không gồm thời điểm cuối. Ngoài phạm vi là thời gian camera chưa có, đã gỡ hoặc "
    "được tắt theo thống nhất, và thời gian cơ sở dự kiến, tạm dừng hoặc đã đóng; kế hoạch lấy theo từng thời điểm. "
)
_BEING_CONNECTED_VI = (
    "Camera đang đấu nối là camera được kiểm tra thấy hoạt động lần đầu trong vòng 30 phút kể từ khi có kết nối đầu "
    "tiên trong kế hoạch: từ khi đó đến lần kiểm tra ấy, thời gian sai tên hoặc mật khẩu và thời gian hình đứng yên "
    "được ghi riêng là “đang đấu nối”, thuộc phần ngoài phạm vi, không tính là mất hình. Quá 30 phút mà camera chưa "
    "hoạt động thì toàn bộ thời gian đó tính là mất hình; nguyên nhân khác và các lần hỏng sau đó vẫn tính đủ. "
)
_AFTER_VI = (
    "Báo cáo đã chốt lấy thời hạn, nghĩa vụ và tình trạng từng cơ sở theo sổ theo dõi tại thời điểm chốt số liệu. "
    "Số camera cần bổ sung là số mà khảo sát được duyệt hoặc người có thẩm quyền đánh giá cho các khu vực chưa có "
    "camera; khu vực chưa ai đánh giá được ghi là chưa đánh giá, không tính là camera cần bổ sung. "
    "Đúng hạn hay quá hạn tính theo ngày trên văn bản, ghi kèm ngày ghi nhận; nghĩa vụ của cơ sở xác định theo tình "
    "trạng tại ngày ban hành văn bản và tại thời hạn, cơ sở thuộc diện thực hiện sau đó có hạn riêng. "
    "Thời gian trước khi quy tắc này có hiệu lực giữ nguyên cách tính của quy tắc trước."
)
_BEFORE_EN = (
    "A camera complies at a moment when it is up (a picture arrived and decoded) and every required delivery to "
    "both centres, national and provincial, is confirmed as that centre demands. Where a centre demands 'verified', "
    "the time between two read-backs in a row of one session that both gave back the camera's picture is connected; "
    "after the last one it is unknown until the next one speaks; from the beginning of the first read-back that "
    "failed or differed it is not connected, until the first matching picture. Where a centre demands "
    "'acknowledged' alone, it is connected while the centre confirms the data, but for the time in which read-backs "
    "differed. Time without data is unknown, neither up nor down; maintenance agreed beforehand is kept apart. The "
    "measured percentage leaves unknown out, the strict one counts it as bad, the lenient one as good. A period "
    "includes its start and excludes its end. Out of scope is the time before a camera existed, after it was "
    "removed, while it was switched off by agreement, and while its facility was planned, suspended or closed; the "
    "plan is that of each moment. "
)
_BEING_CONNECTED_EN = (
    "A camera that a probe found up for the first time within 30 minutes of its first planned delivery was being "
    "connected until then: a wrong login and a picture that stood still are meanwhile “being connected”, out of scope "
    "and no down time. Of one that was not up within 30 minutes all of it is down time; other causes, and whatever "
    "fails later, count in full. "
)
_AFTER_EN = (
    "A frozen report takes deadlines, obligations and how far each facility is from "
    "the register as of its cut-off. Cameras needed are those that an approved survey, or whoever may judge it, "
    "found missing; an area that nobody assessed is not assessed, and no camera. What is in time goes by the day on "
    "paper, beside the day of entry; which duties a facility has goes by what held at the directive's day and at the "
    "deadline, and what comes under one later has a deadline of its own. Time before this rule came into "
    "force keeps the account of the rule before."
)
RULE_VI = _BEFORE_VI + _BEING_CONNECTED_VI + _AFTER_VI
RULE_EN = _BEFORE_EN + _BEING_CONNECTED_EN + _AFTER_EN
# Letter by letter as it was printed: such a report renders to the bytes that it had.
_RULE_5_VI = (_BEFORE_VI + _AFTER_VI).translate(str.maketrans("“”", "''"))


def rule_in_words(version: str) -> str | None:
    """Return the rule of a report in Vietnamese; None of one of which no words are kept."""
    return {RULE_VERSION: RULE_VI, RULE_BEFORE_BEING_CONNECTED: _RULE_5_VI}.get(version)
