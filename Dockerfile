# syntax=docker/dockerfile:1
# The gateway in a container. SLIM=1 builds the edge binary without DuckDB
# (CGO_ENABLED=0), for `--role dispatcher` at the edge.
#
#   docker build -t sparrow .
#   docker run -p 8080:8080 -v $PWD/sparrow.yaml:/etc/sparrow/sparrow.yaml:ro -v sparrow-data:/var/lib/sparrow sparrow

FROM golang:1.26-bookworm AS build
ARG SLIM=0
ARG RELEASE=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=$((1 - SLIM)) go build -trimpath -ldflags "-s -w -X github.com/sparrow-edge/sparrow/pkg/app.release=${RELEASE}" -o /out/sparrow ./cmd/sparrow \
    && mkdir -p /out/data

# DuckDB needs the C++ runtime, which this base has; the slim binary runs on it as well.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/sparrow /usr/local/bin/sparrow
COPY --from=build --chown=nonroot:nonroot /out/data /var/lib/sparrow
USER nonroot:nonroot
# The configuration says `data: /var/lib/sparrow`: journal, warehouse, socket.
WORKDIR /var/lib/sparrow
VOLUME /var/lib/sparrow
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["/usr/local/bin/sparrow", "health", "--url", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["/usr/local/bin/sparrow"]
CMD ["serve", "--config", "/etc/sparrow/sparrow.yaml"]
