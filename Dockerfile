# Not covered by CI. The service, without the sample, and with `--target db` a PostGIS for it;
# compose.yaml has both.

FROM debian:bookworm-slim AS db
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql-15-postgis-3 \
 && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15 \
 && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
USER postgres
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
CMD ["bash", "-euc", "\
    if [ ! -e \"$PGDATA/PG_VERSION\" ]; then \
        initdb -U hudna -E UTF8 --locale=C.UTF-8 -A scram-sha-256 --pwfile=<(echo \"$PASSWORD\"); \
        echo 'host all all all scram-sha-256' >>\"$PGDATA/pg_hba.conf\"; \
        postgres --single -c exit_on_error=on postgres <<<'CREATE DATABASE hudna'; \
    fi; \
    exec postgres -c listen_addresses='*' -c shared_buffers=256MB -c work_mem=32MB \
        -c random_page_cost=1.1 -c jit=off -c max_connections=300 \
        -c dynamic_shared_memory_type=mmap -c timezone=UTC"]

FROM debian:bookworm-slim AS service
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system hudna \
 && install -d -o hudna /var/lib/hudna
WORKDIR /srv/hudna
COPY requirements.lock .
RUN python3 -m venv .venv \
 && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN .venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e .
USER hudna
ENV HUDNA_GAZETTEER=/var/lib/hudna/places.sqlite
VOLUME /var/lib/hudna
EXPOSE 8000
CMD ["sh", "-c", "\
    .venv/bin/hudna migrate && .venv/bin/hudna gazetteer load \
 && exec .venv/bin/hudna serve --host 0.0.0.0"]
