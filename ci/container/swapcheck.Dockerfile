# swapcheck as a container image, with a Redis of its own to hold the others against.
#
#   git archive HEAD | docker build -f ci/container/swapcheck.Dockerfile -t swapcheck -
#   docker run --rm -v "$PWD:/work" --user "$(id -u)" swapcheck
#   docker run --rm -v "$PWD:/work" --user "$(id -u)" \
#       -e UPSTASH_REDIS_REST_URL -e UPSTASH_REDIS_REST_TOKEN swapcheck run --require upstash
#
# /work is the folder it runs in: documents are read from there, and reports go to
# target/swapcheck in it. There is no Docker in the container, so the Redis column is the
# redis-server of the image, or the one that --target redis://… names.

FROM rust:1-slim-trixie AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY harness harness
COPY mock-upstash mock-upstash
COPY scenarios scenarios
COPY benches benches
RUN cargo build --release --locked --package swapcheck --bin swapcheck

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=65534 --group=65534 /work
COPY --from=build /source/target/release/swapcheck /usr/local/bin/
WORKDIR /work
USER 65534:65534
ENTRYPOINT ["swapcheck"]
CMD ["run"]
