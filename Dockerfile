# One image; web, worker and beat differ by the command. Fonts come with the source, Pango from Debian.
#
#   docker build -t imprimatur .
#   docker run --rm -p 8000:8000 -v imprimatur:/data imprimatur imprimatur up --demo --host 0.0.0.0

FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/imprimatur
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
# The installer first, then what is locked, then the source: each layer changes less often than the next.
COPY requirements-uv.txt ./
RUN pip install --no-cache-dir --require-hashes --requirement requirements-uv.txt
COPY requirements.txt ./
RUN python -m venv .venv \
    && uv pip install --no-cache --python .venv/bin/python --require-hashes --requirement requirements.txt
COPY . .
RUN uv pip install --no-cache --python .venv/bin/python --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q app compliance migrations templates_lib workers

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --create-home imprimatur
# The same path as where it was built: a virtual environment knows where it stands.
COPY --from=build /opt/imprimatur /opt/imprimatur
ENV PATH=/opt/imprimatur/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    IMPRIMATUR_DATA_DIR=/data
WORKDIR /opt/imprimatur
# The source belongs to root and cannot be changed by who runs it.
USER imprimatur
VOLUME /data
EXPOSE 8000
# web:    this command
# worker: celery --app workers.celery_app:celery worker --hostname worker@%h --loglevel info
# beat:   celery --app workers.celery_app:celery beat --schedule /tmp/beat --pidfile= --loglevel info
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", \
     "--workers-kill-timeout", "5", "--factory", "app.factory:create_app"]
