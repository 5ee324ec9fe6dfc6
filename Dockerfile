# Builds the one binary and runs it as nobody. It needs no capability for HTTP and SIP checks; for ping, let the container's group use
# datagram sockets (--sysctl net.ipv4.ping_group_range="65532 65532", or on the host when the network is the host's), or add CAP_NET_RAW.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /vigia ./cmd/vigia && mkdir -p /var/lib/vigia

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /vigia /usr/local/bin/vigia
COPY --from=build --chown=65532:65532 /var/lib/vigia /var/lib/vigia
WORKDIR /var/lib/vigia
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/vigia"]
CMD ["run", "-c", "/etc/vigia/vigia.yaml"]
