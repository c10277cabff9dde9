# `docker build -t rowcast .` builds the wheel, then an image with nothing but Python and the installed wheel in it.
# Where packages come through a mirror or a proxy with its own certificate, hand its pip.conf or certificates over as build
# secrets, which stay out of the image:
#   docker build --secret id=pip,src=$HOME/.config/pip/pip.conf --secret id=ca,src=/etc/ssl/certs/ca-certificates.crt .

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY server server
COPY sql sql
COPY migrations migrations
COPY templates templates
COPY docs/error-codes.md docs/error-codes.md
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=secret,id=ca,target=/run/secrets/ca.pem \
    if [ -s /run/secrets/ca.pem ]; then export PIP_CERT=/run/secrets/ca.pem; fi \
 && export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
 && python3 -m pip wheel --no-deps --wheel-dir /dist . \
 && python3 -m venv --without-pip /opt/rowcast \
 && python3 -m pip --python /opt/rowcast/bin/python3 install --compile /dist/*.whl

FROM python:3.13-slim
RUN groupadd --system --gid 10001 rowcast \
 && useradd --system --uid 10001 --gid rowcast --no-create-home --home-dir /var/lib/rowcast rowcast \
 && install -d -o rowcast -g rowcast -m 0700 /var/lib/rowcast /var/lib/rowcast-attachments
COPY --from=build /opt/rowcast /opt/rowcast
ENV PATH=/opt/rowcast/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ROWCAST_HOST=0.0.0.0 \
    ROWCAST_PORT=8080 \
    ROWCAST_DATA_DIR=/var/lib/rowcast
USER rowcast
WORKDIR /var/lib/rowcast
# Only the embedded PostgreSQL, which runs where no ROWCAST_DATABASE_URL is set, keeps something here.
VOLUME /var/lib/rowcast
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['ROWCAST_PORT']}/health/ready\", timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["rowcast"]
CMD ["serve"]
