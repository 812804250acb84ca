# One image per service, with that service's dependencies alone:
#   docker build --build-arg SERVICE=signals -t openbell/signals .
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ARG SERVICE
WORKDIR /build
COPY deploy/native/installer.lock ./
RUN pip install --quiet --no-cache-dir --require-hashes --no-deps --target /opt/tools -r installer.lock
COPY deploy/docker/only.py pyproject.toml requirements.lock ./
# Resolved for this extra, then cut out of the lock: versions and hashes are those of the lock.
RUN python -m venv --without-pip /opt/venv \
 && /opt/tools/bin/uv pip compile --quiet --python /opt/venv --no-cache --no-annotate --no-header \
      --extra "${SERVICE}" --constraint requirements.lock pyproject.toml > names \
 && python only.py requirements.lock < names > only.lock \
 && /opt/tools/bin/uv pip sync --quiet --no-cache --python /opt/venv --require-hashes only.lock

FROM ${PYTHON}
ARG SERVICE
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin openbell
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY shared shared
COPY services/__init__.py services/
COPY services/${SERVICE} services/${SERVICE}
COPY strategies strategies
COPY limits.yaml ./
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    OPENBLAS_NUM_THREADS=1 SERVICE=${SERVICE}
USER 10001
EXPOSE 8080
# The name of a container stays over its restarts and is no other's: the name of a group's member.
CMD ["sh", "-c", "OPENBELL_ORDINAL=$(hostname) exec uvicorn --factory services.$SERVICE.main:build_app --host 0.0.0.0 --port 8080 --no-access-log --log-level warning"]
