"""How each cause is detected and what to do about it, Vietnamese first. The source of docs/reference/causes.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vonggac.events.causes import Cause


@dataclass(frozen=True, slots=True)
class Advice:
    """One line each: how it is detected, and what to do, in Vietnamese and English."""

    detection: str
    vi: str
    en: str


_ADVICE = {
    Cause.DNS: Advice(
        "The camera's name has no address, or the resolver did not answer before the deadline.",
        "Kiểm tra tên máy và DNS; tốt nhất dùng địa chỉ IP cố định.",
        "Check the host name and DNS; better use a fixed IP address.",
    ),
    Cause.ROUTE: Advice(
        "The network reports that it cannot reach the address (EHOSTUNREACH, ENETUNREACH).",
        "Kiểm tra đường truyền, VPN và định tuyến tới cơ sở; xem các camera cùng cơ sở có bị như vậy không.",
        "Check the line, VPN and routes to the site; check whether its other cameras fail too.",
    ),
    Cause.REFUSED: Advice(
        "The address answers, and nothing listens at the port (TCP reset). Of a centre that pulls: it asks, and we "
        "refuse it (`refused_for` says why).",
        "Bật RTSP trên camera, kiểm tra số cổng và tường lửa; chờ nếu camera đang khởi động lại. Trung tâm tự kéo: sửa "
        "lý do bị từ chối (mật khẩu, mạng nguồn, TLS).",
        "Enable RTSP on the camera, check the port number and the firewall; wait if it is restarting. A centre that "
        "pulls: mend why it is refused (password, source network, TLS).",
    ),
    Cause.TIMEOUT: Advice(
        "No answer before the deadline of the probe, or video so late that no keyframe could come before it.",
        "Kiểm tra nguồn điện, dây mạng, đường truyền và VPN; so với các camera cùng cơ sở.",
        "Check power, cable, line and VPN; compare with the site's other cameras.",
    ),
    Cause.TLS: Advice(
        "An address with TLS: the certificate is not trusted, has expired, or the port speaks no TLS. An address "
        "without: the port speaks TLS.",
        "Kiểm tra địa chỉ và cổng: cổng có TLS cần rtsps://, rtmps:// hoặc https://, cổng không TLS thì ngược lại; "
        "kiểm tra chứng thư và đồng hồ của thiết bị, hoặc khai báo dấu vân tay chứng thư.",
        "Check address and port: a port with TLS needs rtsps://, rtmps:// or https://, one without TLS the other form; "
        "check the device's certificate and clock, or pin its fingerprint.",
    ),
    Cause.ADDRESS_NOT_ALLOWED: Advice(
        "The address lies in none of the allowed networks; nobody connected to it. Of a centre that pulls "
        "(`refused_for`): it asks from an address outside its source networks.",
        "Sửa địa chỉ camera, hoặc thêm mạng của cơ sở vào danh sách mạng được phép. Trung tâm tự lấy hình: thêm mạng "
        "của trung tâm vào mạng nguồn, hoặc sửa máy trung gian che địa chỉ của trung tâm.",
        "Correct the camera's address, or add the site's network to the allowed networks. A centre that pulls: add its "
        "network to its source networks, or mend what hides its address on the way.",
    ),
    Cause.AUTH_FAILED: Advice(
        "401, 403 or a hang-up after one login; after two in a row the next try waits half an hour. Of a centre that "
        "pulls: it gave a wrong password, and after five within 30 s its address is refused for five minutes.",
        "Nhập lại tên và mật khẩu đúng; không thử nhiều lần vì camera sẽ khóa tài khoản khoảng 30 phút. Với trung tâm "
        "tự lấy hình: nhập lại ở phần mềm của trung tâm mật khẩu đã cấp; nếu không còn thì cấp mật khẩu mới cho "
        "điểm nhận.",
        "Enter the right user and password; do not keep trying, the camera locks the account for half an hour. A "
        "centre that pulls: type the password that was made for it into its software; if nobody has it, rotate it.",
    ),
    Cause.SESSION_LIMIT: Advice(
        "453, 503, or 5xx to SETUP, or 401 on a login that worked before at the same settings or in the same session: "
        "such a login is tried once more after five minutes, then after half an hour. Of a centre that pulls: it has "
        "as many sessions of this camera as its destination allows.",
        "Bớt số phiên xem đồng thời trên camera hoặc đầu ghi, hoặc tăng giới hạn phiên; nếu vẫn báo 401 thì kiểm tra "
        "mật khẩu có bị đổi không; nếu chỉ một kênh của đầu ghi báo 401 thì cấp cho tài khoản quyền xem kênh đó. Với "
        "trung tâm tự lấy hình: đóng bớt phiên ở phần mềm của trung tâm, hoặc tăng số phiên mỗi camera của điểm nhận "
        "(tối đa 4).",
        "Close other viewers of the camera or recorder, or raise its limit of sessions; if the 401 stays, check "
        "whether the password was changed; if one channel of a recorder alone answers 401, give the account the right "
        "to it. A centre that pulls: close sessions in its software, or raise the destination's sessions per camera "
        "(4 at most).",
    ),
    Cause.ALREADY_PUBLISHING: Advice(
        "The destination refuses the stream because another session publishes it: RTSP 406, 409 or 455 to ANNOUNCE or "
        "RECORD, or an answer that says so; RTMP `NetStream.Publish.BadName`. Usually it is our own earlier session, "
        "which the destination has not given up yet: tried again within 3 s, for 5 minutes.",
        "Thường tự hết khi trung tâm bỏ phiên cũ (1–2 phút). Nếu vẫn vậy: tìm nơi khác đang phát lên cùng đường dẫn; "
        "đề nghị trung tâm cho phiên mới thay phiên cũ.",
        "Usually over when the destination drops the old session (1–2 minutes). If it stays: find who else publishes "
        "to this path; ask the destination to let a new session replace the old one.",
    ),
    Cause.NOT_FOUND: Advice(
        "404, 410, or RTMP's words for it: the device or the centre has no stream at this path.",
        "Kiểm tra đường dẫn và số kênh; kênh của đầu ghi có thể chưa gắn camera; ở trung tâm thì tạo luồng này trước.",
        "Check the path and channel number; the recorder's channel may be empty; at a centre, create the stream first.",
    ),
    Cause.NO_TRACK: Advice(
        "The session description has no video.",
        "Bật luồng hình trên kênh này; chọn đúng luồng chính hoặc luồng phụ.",
        "Enable video on this channel; choose the right main or sub stream.",
    ),
    Cause.CODEC_UNSUPPORTED: Advice(
        "The video is neither H.264 nor H.265, or a form of them that cannot be read, or RTP of a payload type that "
        "the description does not name and that is not the codec it names. Of a delivery: 415, or the destination's "
        "protocol does not carry it.",
        "Đặt chuẩn nén của luồng thành H.264 hoặc H.265; danh sách HLS phải gồm các đoạn nguyên tệp, không mã hóa.",
        "Set the stream's codec to H.264 or H.265; an HLS playlist must list whole files that are not encrypted.",
    ),
    Cause.TRANSPORT_UNSUPPORTED: Advice(
        "461: the camera does not send media the way that was asked. Or the address's scheme is not opened here: a "
        "probe opens RTSP only, and no forwarder pulls the camera.",
        "Với RTSP: bật truyền RTP qua TCP trên camera và tắt mã hóa SRTP, hoặc đổi cách truyền trong hồ sơ camera. Với "
        "RTMP, HLS, MPEG-TS: camera chỉ được đánh giá khi được chuyển tới trung tâm, hãy gắn trung tâm cho camera.",
        "RTSP: enable RTP over TCP on the camera and switch SRTP off, or change the transport in its record. RTMP, "
        "HLS, MPEG-TS: the camera is judged only while it is forwarded, so connect it to a destination.",
    ),
    Cause.PROTOCOL_ERROR: Advice(
        "What came is not the protocol of the address: a web page or another protocol in place of RTSP, SDP, RTP, RTMP "
        "or a playlist; the detail says what came. As a finding: good video under an RTP payload type that the "
        "description does not name.",
        "Kiểm tra số cổng và giao thức trong địa chỉ (RTSP, RTMP hay HTTP); nếu đúng thì cập nhật phần mềm thiết bị.",
        "Check the port number and the protocol of the address (RTSP, RTMP or HTTP); if right, update the firmware.",
    ),
    Cause.HUNG_UP: Advice(
        "The connection was accepted and closed without a word in answer to the first request; an RTMP server took "
        "play and hung up before any media; or a centre accepted the stream and hung up within two seconds.",
        "Kiểm tra số cổng và giao thức trong địa chỉ; thiết bị hoặc bộ chuyển tiếp phía trước có thể không còn phiên "
        "hoặc dịch vụ phía sau đã tắt. Ở trung tâm: luồng có thể chưa được khai báo, hãy tạo luồng với đúng tên này.",
        "Check the port number and the protocol of the address; the device may have no session left, or what a relay "
        "in front leads to is off. At a centre: the stream may not be known, create it there under this very name.",
    ),
    Cause.REQUEST_REFUSED: Advice(
        "The device or centre speaks the protocol and refuses a request with a status that has no cause of its own "
        "(400, 405, 451, 454, an RTMP error …); the detail has the request and the status.",
        "Xem yêu cầu và mã trả lời trong chi tiết; kiểm tra đường dẫn và tham số của địa chỉ, cấu hình luồng và phần "
        "mềm thiết bị.",
        "Read the request and the status in the detail; check the path and parameters of the address, the stream's "
        "settings and the firmware.",
    ),
    Cause.SERVER_ERROR: Advice(
        "The device or centre answers a request other than SETUP with a fault of its own: 5xx, but not 501, 503, 505 "
        "or 551.",
        "Lỗi bên trong thiết bị hoặc trung tâm: xem nhật ký của nó, kiểm tra kênh hoặc nguồn hình phía sau; khởi động "
        "lại nếu vẫn vậy.",
        "A fault inside the device or centre: read its log, check the channel or source behind it; restart it if the "
        "fault stays.",
    ),
    Cause.FLOOD: Advice(
        "More tiny frames, reports, messages or pieces a second than any camera has need of; the session was cut.",
        "Khởi động lại và cập nhật phần mềm camera. Nếu vẫn vậy: ngắt camera khỏi mạng và kiểm tra xem thiết bị có bị "
        "xâm nhập, hoặc có thiết bị khác dùng địa chỉ này không.",
        "Restart the camera and update its firmware. If it stays: take it off the network, and check whether it was "
        "broken into, or another device uses its address.",
    ),
    Cause.NO_MEDIA: Advice(
        "PLAY was accepted and no RTP packet of the video came before the deadline. Of RTMP, HLS and MPEG-TS: no "
        "picture came.",
        "Với RTSP: chuyển sang RTP qua TCP, kiểm tra tường lửa chặn UDP. Với RTMP, HLS, MPEG-TS: xem thiết bị có đang "
        "phát luồng với đúng tên này không. Khởi động lại camera nếu vẫn vậy.",
        "RTSP: switch to RTP over TCP, check for a firewall that drops UDP. RTMP, HLS, MPEG-TS: check whether the "
        "device sends the stream under this very name. Restart the camera if the fault stays.",
    ),
    Cause.NO_KEYFRAME: Advice(
        "Media came, and every keyframe was damaged, or none came for two minutes. As `unknown`: none came before the "
        "probe's deadline, which says nothing of a camera that gives one seldom. Of a read-back: the camera gave no "
        "keyframe meanwhile, so nothing could be compared; or the destination played none.",
        "Rút ngắn khoảng cách khung hình chính (I-frame) còn 1-3 giây; tắt H.264+/H.265+; kiểm tra mất gói.",
        "Shorten the I-frame interval to 1-3 s; switch off H.264+/H.265+; check for lost packets.",
    ),
    Cause.KEYFRAME_TOO_LARGE: Advice(
        "Whole keyframes come and are larger than 8 MiB, or than the room that the forwarder has for them: the stream "
        "is passed on, and its picture can be neither compared nor judged.",
        "Luồng vẫn được chuyển, nhưng ảnh quá lớn nên không đối chiếu được: giảm bitrate, độ phân giải hoặc chất lượng "
        "của khung hình chính (I-frame).",
        "The stream is delivered, but its pictures are too large to be compared: lower the bit rate, the size or the "
        "quality of its keyframes.",
    ),
    Cause.DECODE_FAILED: Advice(
        "A keyframe came whole and the decoder found it damaged or could not read it.",
        "Khởi động lại camera; kiểm tra phần mềm và chuẩn nén của luồng.",
        "Restart the camera; check its firmware and the stream's codec settings.",
    ),
    Cause.DECODER_CRASHED: Advice(
        "The decoder's process died of this keyframe, or was ended after 10 s with it; nothing is known about the "
        "picture. Only this probe is lost.",
        "Nếu lặp lại ở cùng một camera: khởi động lại, cập nhật phần mềm camera, đặt lại chuẩn nén; báo đơn vị vận "
        "hành để lưu mẫu luồng.",
        "If one camera does it again and again: restart it, update its firmware, set its codec anew; report it to the "
        "operator, who keeps a sample of the stream.",
    ),
    Cause.PICTURE_TOO_LARGE: Advice(
        "The parameter sets announce a picture above 8192 × 8192 or 40 million pixels: it is not decoded.",
        "Giảm độ phân giải của luồng; không camera giám sát nào cần hình lớn như vậy.",
        "Lower the stream's resolution; no surveillance needs pictures of this size.",
    ),
    Cause.LOW_FPS: Advice(
        "Fewer pictures a second than the floor, or than 60 % of what the survey or the stream itself states.",
        "Kiểm tra tốc độ khung hình đã đặt, đường lên của cơ sở và tải của camera hoặc đầu ghi.",
        "Check the frame rate that is set, the site's uplink, and the load of the camera or recorder.",
    ),
    Cause.LOW_BITRATE: Advice(
        "Fewer bits than a picture of this size and rate can be made of.",
        "Tăng bitrate tối đa và chất lượng hình trên camera; kiểm tra đường lên.",
        "Raise the maximum bit rate and the quality on the camera; check the uplink.",
    ),
    Cause.PACKET_LOSS: Advice(
        "Gaps in the RTP sequence numbers above the threshold.",
        "Kiểm tra dây, bộ chuyển mạch và đường truyền; dùng RTP qua TCP.",
        "Check cable, switch and line; use RTP over TCP.",
    ),
    Cause.JITTER: Advice(
        "Pictures arrive unevenly: by the stream's own clock they are late by more than the threshold on average.",
        "Đường truyền nghẽn hoặc sóng yếu: giảm bitrate, ưu tiên lưu lượng camera, kiểm tra Wi-Fi/4G.",
        "The line is congested or the radio weak: lower the bit rate, give cameras priority, check Wi-Fi or 4G.",
    ),
    Cause.FROZEN: Advice(
        "Two probes show the same picture, without even the noise of the sensor.",
        "Khởi động lại camera; kiểm tra kênh đầu ghi có mất tín hiệu camera không.",
        "Restart the camera; check whether the recorder has lost the camera of this channel.",
    ),
    Cause.REPEATS: Advice(
        "The same keyframes come again, bit for bit, with others between, which no live picture does: a recording.",
        "Cử người đến xem camera và đầu ghi: có người phát lại bản ghi thay cho hình trực tiếp, hoặc thiết bị bị lỗi.",
        "Send somebody to the camera and its recorder: somebody plays a recording in place of the live picture, or the "
        "device is faulty.",
    ),
    Cause.BLACK: Advice(
        "The picture is black all over.",
        "Kiểm tra đèn, hồng ngoại ban đêm và ống kính; bật lại hồng ngoại.",
        "Check the light, the infrared lamps at night, and the lens; switch infrared on.",
    ),
    Cause.COVERED: Advice(
        "The picture is nearly uniform: something is in front of the lens.",
        "Cử người đến xem: bỏ vật che ống kính, lau ống kính.",
        "Send somebody: remove what covers the lens, and clean it.",
    ),
    Cause.BLURRED: Advice(
        "The picture has far fewer edges than it should or used to have.",
        "Lau ống kính và chỉnh lại nét.",
        "Clean the lens and focus it again.",
    ),
    Cause.NO_SIGNAL_CARD: Advice(
        "The recorder shows a card (such as NO SIGNAL) in place of the camera.",
        "Kiểm tra camera nối vào đầu ghi: nguồn, dây, và cấu hình kênh.",
        "Check the camera behind the recorder: power, cable, and the channel's settings.",
    ),
    Cause.SCENE_CHANGED: Advice(
        "The picture differs in structure from the reference that was approved.",
        "Camera bị xoay hoặc dời: chỉnh lại góc nhìn, hoặc duyệt ảnh mốc mới.",
        "The camera was turned or moved: aim it again, or approve a new reference.",
    ),
    Cause.CLOCK_DRIFT: Advice(
        "The camera's clock (RTCP sender report, Date of its answers, ONVIF) is more than 5 s off.",
        "Đặt máy chủ NTP trên camera và đúng múi giờ (GMT+7).",
        "Set an NTP server on the camera, and the right time zone (GMT+7).",
    ),
    Cause.IDENTITY_CHANGED: Advice(
        "Codec, size, serial number or MAC differ from the survey.",
        "Thiết bị hoặc cấu hình đã đổi: xác minh tại chỗ, sửa lại hồ sơ, đặt trước địa chỉ DHCP.",
        "The device or its settings were changed: verify on site, correct the record, reserve the DHCP address.",
    ),
    Cause.ANOTHER_DEVICE: Advice(
        "Another device than before answers at the camera's address: another serial number, MAC, stream or words. "
        "It stays until somebody confirms the device.",
        "Xác minh tại chỗ camera ở địa chỉ này có đúng không; nếu đúng thì xác nhận thiết bị mới, nếu không thì sửa "
        "địa chỉ hoặc lắp lại camera.",
        "Verify on site which camera is at this address; if it is the right one, confirm the new device, else mend the "
        "address or put the camera back.",
    ),
    Cause.MISMATCH: Advice(
        "The destination plays a picture other than the camera's, or an old one.",
        "Báo trung tâm giám sát: luồng đang phát không phải hình hiện tại của camera này.",
        "Report to the monitoring centre: what it plays is not this camera's present picture.",
    ),
    Cause.ENDED: Advice(
        "The device ended the session (TEARDOWN, RTCP BYE, or it closed the connection) before a keyframe was whole, "
        "or (as a finding) while it was measured. Of a centre that pulls: its session ended with a worker of ours, or "
        "when the camera went to another one; for a minute nobody else is to blame.",
        "Xem camera có khởi động lại liên tục hay bị giành phiên không; kiểm tra nguồn. Với trung tâm tự lấy hình: chờ "
        "phần mềm của trung tâm kết nối lại (thường trong một phút).",
        "Check whether the camera keeps restarting or another client takes its session; check its power. A centre that "
        "pulls: its software connects again, within a minute as a rule.",
    ),
    Cause.STALLED: Advice(
        "The session is open and media no longer flows.",
        "Kiểm tra đường truyền; khởi động lại camera nếu vẫn vậy.",
        "Check the line; restart the camera if the fault stays.",
    ),
    Cause.STOPPED: Advice(
        "A person stopped the delivery (POST /v1/deliveries/{id}/stop at the forwarder); who and why stands beside it.",
        "Khi hết lý do, cho chuyển tiếp lại (POST /v1/deliveries/{id}/start).",
        "When the reason is over, start it again (POST /v1/deliveries/{id}/start).",
    ),
    Cause.NOT_ASKED: Advice(
        "A centre that pulls (`waiting_for_centre`): no login of its account was seen for this camera since the worker "
        "has held it.",
        "Đề nghị trung tâm thêm camera theo địa chỉ đã cấp; nếu đã thêm rồi, kiểm tra tường lửa giữa hai bên.",
        "Have the centre add the camera by the address that it was given; if it has, check the firewall between.",
    ),
    Cause.LEFT: Advice(
        "A centre that pulls (`waiting_for_centre`): it received, and its session has ended (TEARDOWN, end of the "
        "connection, or a hand-over between our workers).",
        "Chờ trung tâm kết nối lại (thường dưới một phút); nếu không, hỏi trung tâm đã gỡ hay tắt camera này chưa.",
        "Wait for the centre to connect again (usually within a minute); else ask whether it removed or stopped it.",
    ),
    Cause.TLS_REQUIRED: Advice(
        "A centre that pulls asked without TLS, and its destination demands TLS: refused with 403.",
        "Nhập địa chỉ rtsps:// ở trung tâm; chỉ đổi đích sang không bắt buộc TLS khi mạng là mạng riêng.",
        "Type the rtsps:// address at the centre; set the destination to do without TLS in private networks alone.",
    ),
    Cause.SECRET_UNREADABLE: Advice(
        "The stored credentials cannot be opened with the workers' key; nobody connected.",
        "Nhập lại tên và mật khẩu của camera trong hệ thống quản lý.",
        "Write the camera's credentials again in the inventory.",
    ),
    Cause.SECRET_MOVED: Advice(
        "The stored credentials were given for another address (scheme, host or port), so they were not sent; nobody "
        "connected.",
        "Nhập lại tên và mật khẩu cho địa chỉ mới trong hệ thống quản lý.",
        "Give the credentials again for the new address in the inventory.",
    ),
    Cause.WORKER_LAGGED: Advice(
        "The prober itself stood still for more than half a second, or had no CPU left to decode the picture; what did "
        "not come in that time may have come and waited, so nothing is known.",
        "Báo đơn vị vận hành: máy chạy prober thiếu CPU; cấp thêm CPU hoặc thêm bản sao prober.",
        "Report to the operator: the prober's machine lacks CPU; give it more, or add a prober.",
    ),
    Cause.INTERNAL_ERROR: Advice(
        "A mistake of the platform itself; nothing is known about the camera.",
        "Báo đơn vị vận hành: xem nhật ký của dịch vụ.",
        "Report to the operator: check the service's log.",
    ),
}
ADVICE: Mapping[Cause, Advice] = MappingProxyType(_ADVICE)
"""Of every cause."""
