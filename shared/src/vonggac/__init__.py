"""The library of Vọng Gác: what at least two services share, and nothing else.

Parts: `events` (what is published), `bus` (how it travels), `net`, `media`, `rtsp`, `database`, `logins`, `auth`,
`settings`, `telemetry`, `http`, `embedded` (the real PostgreSQL and NATS as child processes) and `testing`. A part
never imports a service.
"""
