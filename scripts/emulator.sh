#!/bin/sh
# Builds the BigQuery emulator for the warehouse's tests into bin/, unless bin/
# has the version that tools/emulator/go.mod names. Prints its path.
# The first build takes some minutes.
set -eu
cd "$(dirname "$0")/.."
binary=$PWD/bin/bigquery-emulator
version=$(sed -n 's/.*goccy\/bigquery-emulator \(v[^ ]*\).*/\1/p' tools/emulator/go.mod | head -1)
if [ ! -x "$binary" ] || [ "$(cat "$binary.version" 2>/dev/null)" != "$version" ]; then
	echo "building the BigQuery emulator $version: this takes some minutes, once" >&2
	mkdir -p bin
	(cd tools/emulator && GOTOOLCHAIN=local CGO_ENABLED=0 nice go build -trimpath -ldflags '-s -w' -o "$binary.$$" github.com/goccy/bigquery-emulator/cmd/bigquery-emulator)
	mv "$binary.$$" "$binary"
	echo "$version" >"$binary.version"
fi
echo "$binary"
