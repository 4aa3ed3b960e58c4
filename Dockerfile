# Sojourn and the packages that uv.lock names, in one image. What it runs is its argument: `sojourn ARGUMENT`.

FROM python:3.11.14-slim-trixie AS build
# The uv of make/prepare.sh.
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project
COPY README.md LICENSE api_server.py cli.py logs.py setting_values.py settings.py worker.py ./
COPY journey journey
COPY store store
COPY providers providers
COPY workflows workflows
COPY activities activities
COPY api api
COPY commands commands
COPY demo demo
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.11.14-slim-trixie
# tini is the first process: it hands SIGTERM on, and buries what is left behind.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin sojourn \
    && install -d -o sojourn -g sojourn -m 0750 /data
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 SOJOURN_DATA_DIR=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "sojourn"]
CMD ["--help"]
