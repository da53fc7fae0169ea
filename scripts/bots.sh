#!/bin/sh
# Writes the list of bots, list.txt in pkg/bot, out of its npm package. Run it after a
# change of the version in package.json there (npm install --package-lock-only updates
# package-lock.json, whose checksum npm ci verifies).
set -eu
cd "$(dirname "$0")/../pkg/bot"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund >&2)
node - "$work/node_modules/crawler-user-agents" > list.txt <<'JS'
const fs = require('fs');
const dir = process.argv[2];
const entries = JSON.parse(fs.readFileSync(dir + '/crawler-user-agents.json', 'utf8'));
const version = JSON.parse(fs.readFileSync(dir + '/package.json', 'utf8')).version;
// Programs that send events for people (curl, HTTP libraries) are not bots.
const patterns = entries.filter(e => !(e.tags || []).includes('http-library')).map(e => e.pattern);
console.log('# crawler-user-agents ' + version);
for (const line of fs.readFileSync(dir + '/LICENSE', 'utf8').trim().split('\n')) console.log(('# ' + line).trimEnd());
console.log([...new Set(patterns)].sort().join('\n'));
JS
