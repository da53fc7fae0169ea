#!/bin/sh
# Copies Swagger UI, the page at /docs, out of its npm package into
# pkg/console/swagger-ui, where the binary embeds it. Run it after a change of
# the version in package.json there (npm install --package-lock-only updates
# package-lock.json, whose checksum npm ci verifies). Only this script needs npm.
# No install scripts run: the package depends on @scarf/scarf, whose install
# script reports each installation to a server.
set -eu
cd "$(dirname "$0")/../pkg/console/swagger-ui"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >&2)
from=$work/node_modules/swagger-ui-dist
version=$(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$from/package.json")
cp "$from/LICENSE" "$from/NOTICE" "$from/swagger-ui-bundle.js.LICENSE.txt" .
for name in swagger-ui-bundle.js swagger-ui.css; do
	gzip -9nc "$from/$name" >"$name.gz"
done
{
	echo "# swagger-ui-dist $version, unpacked; written by scripts/apidocs.sh"
	cd "$from" && sha256sum swagger-ui-bundle.js swagger-ui.css
} >SHA256SUMS
