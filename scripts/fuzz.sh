#!/bin/sh
# Runs every fuzz target of the repository for a while. Usage: fuzz.sh 30s
set -eu
time=${1:-30s}
grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do
	package=$(dirname "$file")
	sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file" | while read -r target; do
		echo "== $package $target"
		# Limit minimisation: for inputs that only add coverage it would take most of the time.
		go test -fuzzminimizetime 5x -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done
