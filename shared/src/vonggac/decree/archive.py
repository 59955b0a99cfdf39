"""Office files as archives whose bytes depend on their parts alone: no clock, no hash order, no version of zlib."""

from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

STORED_UP_TO = 16 * 1024 * 1024
"""A larger archive is compressed; two machines with different builds of zlib then write different bytes."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packed(parts: Mapping[str, bytes]) -> bytes:
    """Pack the parts: `[Content_Types].xml` first, as Office has it, then in the order of their names."""
    method = ZIP_STORED if sum(map(len, parts.values())) <= STORED_UP_TO else ZIP_DEFLATED
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for name in sorted(parts, key=lambda each: (each != "[Content_Types].xml", each)):
            info = ZipInfo(name, _EPOCH)
            info.compress_type, info.create_system, info.external_attr = method, 0, 0
            archive.writestr(info, parts[name])
    return out.getvalue()
