"""Sealed boxes for tests: as now, and as releases made them that sealed no origin."""

import base64
import json

from vonggac.auth import Credentials, Sealer
from vonggac.net.origin import Origin


def seal(sealer: Sealer, username: str, password: str, *urls: str) -> str:
    """Seal a login for these addresses; without any, a box that holds no origin."""
    credentials = Credentials(username, password)
    if urls:
        first, *others = (Origin.of(url) for url in urls)
        return sealer.seal(credentials, first, *others)
    content = json.dumps({"username": username, "password": password}).encode()
    return base64.b64encode(sealer._box.encrypt(content)).decode()
