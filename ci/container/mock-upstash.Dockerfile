# The mock of Upstash as a container image, for pipelines and compose files.
#
#   git archive HEAD | docker build -f ci/container/mock-upstash.Dockerfile -t mock-upstash -
#   docker run --rm -p 8079:8079 -p 6379:6379 mock-upstash --token local-token
#
# REST is on 8079, the Redis protocol on 6379. What can be set by a flag can be set by an
# environment variable too, MOCK_UPSTASH_TOKEN say: `mock-upstash --help` names them.

FROM rust:1-slim-trixie AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY harness harness
COPY mock-upstash mock-upstash
COPY scenarios scenarios
COPY benches benches
RUN cargo build --release --locked --package mock-upstash --bin mock-upstash

FROM debian:trixie-slim
# To verify the certificate of an upstream that is reached by TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/target/release/mock-upstash /usr/local/bin/
ENV MOCK_UPSTASH_LISTEN=0.0.0.0:8079 \
    MOCK_UPSTASH_REDIS_LISTEN=0.0.0.0:6379
USER 65534:65534
EXPOSE 8079 6379
ENTRYPOINT ["mock-upstash"]
