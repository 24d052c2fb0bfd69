# The broker in one image. Node is needed to install the browser packages and stays in its own stage.
FROM node:22-slim AS pages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.11-slim
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY --from=pages /app/node_modules ./node_modules
COPY pyproject.toml README.md ./
COPY web ./web
COPY supervisor_console ./supervisor_console
COPY broker ./broker
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin broker \
    && install -d -o broker -g broker /data
USER broker
VOLUME /data
# Pages and signalling; media. Both are set by BROKER_* (docs/operations.md).
EXPOSE 8080/tcp 50000-50007/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "broker"]
CMD ["serve"]
