"""`python virtual_camera.py <settings as JSON>`: the ONVIF side of ipycam on a free port, which is printed."""

import json
import sys
from http.server import ThreadingHTTPServer
from types import SimpleNamespace

from ipycam.config import CameraConfig  # type: ignore[import-untyped]
from ipycam.http import IPCameraHTTPHandler  # type: ignore[import-untyped]
from ipycam.onvif import ONVIFService  # type: ignore[import-untyped]

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), IPCameraHTTPHandler)
    config = CameraConfig(local_ip="127.0.0.1", onvif_port=server.server_port, **json.loads(sys.argv[1]))
    IPCameraHTTPHandler.camera = SimpleNamespace(config=config, onvif=ONVIFService(config))
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
