#!/bin/sh
# Checks that the named tools exist. As root it installs Debian's package of a
# missing tool; otherwise it says what is missing. Usage: need.sh go cc node npm chromium openssl
set -eu

missing=""
packages=""
for tool in "$@"; do
	command -v "$tool" >/dev/null 2>&1 && continue
	case $tool in
	cc) packages="$packages gcc g++" ;;
	node) packages="$packages nodejs" ;;
	npm) packages="$packages npm" ;;
	chromium) packages="$packages chromium" ;;
	openssl) packages="$packages openssl" ;;
	go) missing="$missing
  go: install Go 1.26 or newer from https://go.dev/dl/" ;;
	*) missing="$missing
  $tool" ;;
	esac
done

if [ -n "$packages" ] && [ -z "$missing" ]; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
		echo "installing:$packages"
		apt-get update -qq
		# shellcheck disable=SC2086 # a list of words
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
	else
		missing="
  as root: apt-get install$packages"
	fi
fi
if [ -n "$missing" ]; then
	echo "missing:$missing" >&2
	exit 1
fi

version=$(GOTOOLCHAIN=local go env GOVERSION)
minor=$(echo "$version" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt 26 ]; then
	echo "Go 1.26 or newer is needed, this is $version: install it from https://go.dev/dl/" >&2
	exit 1
fi
case " $* " in
*" node "*)
	major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
	if [ "$major" -lt 20 ]; then
		echo "Node 20 or newer is needed for the SDK's tests, this is $(node --version)" >&2
		exit 1
	fi
	;;
esac
