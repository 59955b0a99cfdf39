"""Who may call, and secrets only workers can open.

`tokens` checks and issues JWTs, `rights` lists what a role may do, `dependencies` guards FastAPI routes, `sealing` is
the write-only box for camera and destination credentials, `keys` makes and keeps the key files of the embedded default.
"""

from vonggac.auth.dependencies import install_authentication, require
from vonggac.auth.rights import Principal, Right, Role
from vonggac.auth.sealing import Sealer, SecretMovedError, SecretUnreadableError, Unsealer
from vonggac.auth.tokens import TokenVerifier
from vonggac.net.url import Credentials

__all__ = [
    "Credentials",
    "Principal",
    "Right",
    "Role",
    "Sealer",
    "SecretMovedError",
    "SecretUnreadableError",
    "TokenVerifier",
    "Unsealer",
    "install_authentication",
    "require",
]
