"""`healthcheck.py livez|readyz`: exit status 0 when this container's HTTP API answers 200 on that path."""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 4.0


def main() -> int:
    """0 for 200, otherwise 1 with one line that says what came instead."""
    page = sys.argv[1] if len(sys.argv) > 1 else "livez"
    port = os.environ.get(f"VONGGAC_{os.environ['VONGGAC_IMAGE'].upper()}_PORT", "8080")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=TIMEOUT_S):
            return 0
    except urllib.error.HTTPError as error:
        sys.stdout.write(error.read().decode("utf-8", "replace")[:500] + "\n")
    except OSError as error:
        sys.stdout.write(f"{page}: {error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
