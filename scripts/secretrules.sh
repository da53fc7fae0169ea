#!/bin/sh
# Copies gitleaks' rules (MIT) out of its Go module into pkg/sanitizer/rules, which
# the binary embeds: one rule a line, with id, entropy, keywords and regular
# expression, and the licence beside them. Left out are rules of file names, and
# generic-api-key, which takes ordinary names for keys. To update: change the version.
set -eu
version=v8.30.1
cd "$(dirname "$0")/../pkg/sanitizer/rules"
from=$(cd / && go mod download -json "github.com/zricethezav/gitleaks/v8@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp "$from/LICENSE" gitleaks.LICENSE
chmod 644 gitleaks.LICENSE
{
	echo "# gitleaks $version, config/gitleaks.toml, MIT; written by scripts/secretrules.sh: id, entropy, keywords, regular expression"
	awk -F"'''" '
		function flush() { if (regex != "" && !path && id != "generic-api-key") printf "%s\t%s\t%s\t%s\n", id, entropy, keywords, regex }
		/^\[\[rules\]\]/ { flush(); inside = 1; id = regex = keywords = ""; entropy = path = list = 0; next }
		/^\[\[rules\.allowlists\]\]/ { inside = 0 }
		!inside { next }
		/^id = / { split($0, q, "\""); id = q[2] }
		/^path = / { path = 1 }
		/^entropy = / { entropy = substr($0, 11) }
		/^regex = / { regex = $2; gsub(/\(\?P<[a-z0-9_]+>/, "(?:", regex) }
		/^keywords = / { list = 1 }
		list { n = split($0, q, "\""); for (i = 2; i <= n; i += 2) keywords = keywords (keywords == "" ? "" : ",") q[i]; if (/\]/) list = 0 }
		END { flush() }
	' "$from/config/gitleaks.toml"
} >gitleaks.tsv
