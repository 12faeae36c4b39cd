# One image for every process; what a container is, its command says.
FROM node:22-slim AS pages
WORKDIR /pages
COPY services/portal/package.json services/portal/package-lock.json ./
RUN npm ci --omit=dev

FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
COPY . .
COPY --from=pages /pages/node_modules services/portal/node_modules
RUN uv sync --frozen --no-dev && .venv/bin/python -m portal_service.vendor services/portal/node_modules
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim
RUN useradd --system --uid 10001 madoguchi
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
CMD ["python", "-m", "shared.process", "--help"]
