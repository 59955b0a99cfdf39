"""Records the RTP packets that the tests read: what GStreamer and ffmpeg make of a moving and of a still picture.

    python shared/tests/media/recorded/record.py

Needs gst-launch-1.0 with the base, good, bad and ugly plugins, and ffmpeg (Debian: gstreamer1.0-tools,
gstreamer1.0-plugins-{base,good,bad,ugly}, ffmpeg). A file holds the packets in the order of their sending, each behind
its length in two bytes. The tests themselves need neither.
"""

import shlex
import socket
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
PICTURES, INTERVAL = 31, 10
_GST = (
    "videotestsrc num-buffers={pictures} pattern=ball ! video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! "
)
_SEND = " ! udpsink host=127.0.0.1 port={port} sync=false"
_X264 = "x264enc key-int-max={interval} bitrate=60 tune=zerolatency option-string=scenecut=0:threads=1"
_X265 = "x265enc key-int-max={interval} bitrate=60 tune=zerolatency option-string=scenecut=0:open-gop=0"
_FFMPEG = (
    "ffmpeg -loglevel error -f lavfi -i {source}size=160x120:rate=25 -frames:v {pictures} -pix_fmt yuv420p "
    "-g {interval} -keyint_min {interval} -b:v 60k "
)
_RTP = " -f rtp rtp://127.0.0.1:{port}?pkt_size=600"

STREAMS = {
    "gstreamer_h264": f"{_GST}{_X264} ! rtph264pay{_SEND}",
    "gstreamer_h264_sliced": f"{_GST}{_X264}:slices=4 ! rtph264pay mtu=200{_SEND}",
    "gstreamer_h264_aggregated": f"{_GST}{_X264} ! rtph264pay aggregate-mode=zero-latency config-interval=-1{_SEND}",
    "gstreamer_h264_intra_refresh": f"{_GST}{_X264} intra-refresh=true ! rtph264pay{_SEND}",
    "gstreamer_h264_open_gop": (
        f"{_GST}x264enc key-int-max={{interval}} bitrate=60 bframes=2 b-adapt=false "
        f"option-string=scenecut=0:threads=1:open-gop=1 ! rtph264pay{_SEND}"
    ),
    "gstreamer_h265": f"{_GST}{_X265}:aud=1 ! rtph265pay{_SEND}",
    "gstreamer_h265_aggregated": f"{_GST}{_X265} ! rtph265pay aggregate-mode=max config-interval=-1{_SEND}",
    "ffmpeg_h264": f"{_FFMPEG} -c:v libx264 -tune zerolatency -x264-params scenecut=0:aud=1{_RTP}",
    "ffmpeg_h264_still": f"{_FFMPEG} -c:v libx264 -tune zerolatency -x264-params scenecut=0{_RTP}",
    "ffmpeg_h264_intra_refresh": (
        f"{_FFMPEG} -c:v libx264 -tune zerolatency -x264-params scenecut=0:intra-refresh=1{_RTP}"
    ),
    "ffmpeg_h265": f"{_FFMPEG} -c:v libx265 -tune zerolatency -x265-params scenecut=0:open-gop=0:log-level=none{_RTP}",
    "ffmpeg_h265_open_gop": f"{_FFMPEG} -c:v libx265 -x265-params scenecut=0:open-gop=1:bframes=2:log-level=none{_RTP}",
}


def record(command: str, *, source: str) -> list[bytes]:
    """Run the sender and return its RTP packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        receiver.bind(("127.0.0.1", 0))
        port = receiver.getsockname()[1]
        filled = command.format(port=port, pictures=PICTURES, interval=INTERVAL, source=source)
        program = [] if filled.startswith("ffmpeg") else ["gst-launch-1.0", "-q"]
        subprocess.run([*program, *shlex.split(filled)], check=True, stdout=subprocess.DEVNULL)
        receiver.settimeout(0.5)
        packets: list[bytes] = []
        while True:
            try:
                packets.append(receiver.recv(65_536))
            except TimeoutError:
                return packets


def main() -> None:
    for name, command in STREAMS.items():
        packets = record(command, source="color=c=gray:" if "still" in name else "testsrc2=")
        content = b"".join(len(packet).to_bytes(2, "big") + packet for packet in packets)
        (HERE / f"{name}.rtp").write_bytes(content)
        print(f"{name}: {len(packets)} packets, {len(content)} bytes")  # noqa: T201 - a person runs it


if __name__ == "__main__":
    main()
