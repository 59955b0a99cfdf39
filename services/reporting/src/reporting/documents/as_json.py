"""The report as JSON: header, digest, approval, and every table with the digest of each row."""

import json

from reporting.reports.snapshot.report import Report


def as_json(report: Report) -> bytes:
    """UTF-8, one row a line, so that people and `diff` can read it. Lengths in milliseconds, times since 1970 UTC."""
    document = report.document()
    tables = document.pop("tables")
    assert isinstance(tables, dict)
    head = json.dumps(document, ensure_ascii=False, indent=1)
    parts = []
    for name, rows in tables.items():
        lines = ",\n".join(f"   {json.dumps(row, ensure_ascii=False)}" for row in rows)
        parts.append(f"  {json.dumps(name)}: [\n{lines}\n  ]" if rows else f"  {json.dumps(name)}: []")
    return (head[:-2] + ',\n "tables": {\n' + ",\n".join(parts) + "\n }\n}\n").encode()
