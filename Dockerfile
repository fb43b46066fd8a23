# syntax=docker/dockerfile:1

# The compiler of rust-toolchain.toml; the stage `compose` compares.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
ENV RUSTUP_TOOLCHAIN=1.95.0
COPY . .
# What was compiled before stays in the caches, whatever changed in the tree.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked --package hotline \
    && install -m 0755 target/release/hotline /hotline

FROM debian:bookworm-slim
# Volumes that are new take over who owns these.
RUN groupadd --system --gid 10001 hotline \
    && useradd --system --uid 10001 --gid hotline --home-dir /var/lib/hotline --shell /usr/sbin/nologin hotline \
    && install -d -m 0700 -o hotline -g hotline /var/lib/hotline /var/lib/hotline-authority /etc/hotline/certs
COPY --from=build /hotline /usr/local/bin/hotline
USER hotline
ENV HOTLINE_DATA=/var/lib/hotline
EXPOSE 7430
STOPSIGNAL SIGTERM
CMD ["hotline", "serve", "--help"]
