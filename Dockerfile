# syntax=docker/dockerfile:1
# The production image: the two programs, the shared libraries and the embedding model. Postgres is not in it.
#   docker build -t plumbline .
ARG DEBIAN=bookworm

# --- the libraries and the model, pinned by hash ---------------------------------------------------------------
FROM python:3.13-slim-${DEBIAN} AS runtime
WORKDIR /src
COPY runtime/ runtime/
# DATABASE_URL only tells the script that Postgres comes from elsewhere.
RUN --mount=type=cache,target=/root/.cache/pip \
    DATABASE_URL=elsewhere PLUMBLINE_RUNTIME=/opt/plumbline python3 runtime/provision.py

# --- the programs ----------------------------------------------------------------------------------------------
FROM rust:1.95-slim-${DEBIAN} AS build
WORKDIR /src
COPY . .
# The cache mounts keep crates and objects between builds; the programs are copied out, because a mount is not
# part of the layer.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --workspace --bins --release --locked \
    && install -D -t /out target/release/plumbline target/release/plumbline-eval

# --- what is shipped -------------------------------------------------------------------------------------------
FROM debian:${DEBIAN}-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 plumbline \
    && useradd --system --uid 10001 --gid plumbline --home-dir /var/lib/plumbline --shell /usr/sbin/nologin plumbline \
    && install -d -o plumbline -g plumbline -m 750 /var/lib/plumbline /var/lib/plumbline/blobs

COPY --from=runtime /opt/plumbline /opt/plumbline
COPY --from=build /out/ /usr/local/bin/
COPY LICENSE THIRD_PARTY.md /usr/share/doc/plumbline/

ENV PLUMBLINE_DATA=/var/lib/plumbline \
    PLUMBLINE_RUNTIME=/opt/plumbline \
    PLUMBLINE_MODEL_DIR=/opt/plumbline/models/all-MiniLM-L6-v2 \
    ORT_DYLIB_PATH=/opt/plumbline/lib/libonnxruntime.so \
    PDFIUM_LIB=/opt/plumbline/lib/libpdfium.so

USER plumbline
WORKDIR /var/lib/plumbline
VOLUME /var/lib/plumbline
EXPOSE 8080
# The program checks itself, so the image needs neither curl nor a shell for it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["plumbline", "doctor", "--quick"]
ENTRYPOINT ["plumbline"]
CMD ["serve"]
