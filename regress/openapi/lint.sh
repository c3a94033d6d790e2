#!/bin/bash
# A linter for docs/openapi.yaml, installed by npm into the build folder in
# the version that package.json names; without npm, or when that cannot be
# had, it says so and is no error.
cd "$(dirname "$0")" || exit 1
top=$(cd ../.. && pwd)
dir=$top/build/openapi
lint=$dir/node_modules/.bin/redocly
if ! command -v npm >/dev/null; then
	echo "no npm: docs/openapi.yaml is not linted"
	exit 0
fi
mkdir -p "$dir" || exit 1
if ! cmp -s package.json "$dir/package.json" || [ ! -x "$lint" ]; then
	cp package.json "$dir/" || exit 1
	if ! (cd "$dir" && timeout 300 npm install --no-audit --no-fund \
	    --ignore-scripts >npm.log 2>&1); then
		rm "$dir/package.json"
		echo "npm did not install the linter (build/openapi/npm.log):" \
		    "docs/openapi.yaml is not linted"
		exit 0
	fi
fi
out=$(REDOCLY_TELEMETRY=off "$lint" lint --config "$PWD/redocly.yaml" \
    "$top/docs/openapi.yaml" 2>&1) || { printf '%s\n' "$out"; exit 1; }
