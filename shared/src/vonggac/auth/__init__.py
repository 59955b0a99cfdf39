"""Who may call, and secrets only workers can open.

`tokens` checks and issues JWTs, `rights` lists what a role may do, `scope` what of the province a token is for,
`policy` what each route needs, `dependencies` guards FastAPI routes by it; `sealing` is the write-only box for camera
and destination credentials, `keys` makes and keeps the key files of the embedded default.
"""

from vonggac.auth.dependencies import (
    Caller,
    add_routes,
    check_policy,
    demand,
    demand_province,
    guarded_router,
    install_authentication,
)
from vonggac.auth.rights import Principal, Right, Role
from vonggac.auth.scope import AccessScope, Place, Sight
from vonggac.auth.sealing import Sealer, SecretMovedError, SecretUnreadableError, Unsealer
from vonggac.auth.tokens import TokenVerifier
from vonggac.net.url import Credentials

__all__ = [
    "AccessScope",
    "Caller",
    "Credentials",
    "Place",
    "Principal",
    "Right",
    "Role",
    "Sealer",
    "SecretMovedError",
    "SecretUnreadableError",
    "Sight",
    "TokenVerifier",
    "Unsealer",
    "add_routes",
    "check_policy",
    "demand",
    "demand_province",
    "guarded_router",
    "install_authentication",
]
