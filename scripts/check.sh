#!/bin/sh
# What must hold besides the tests: formatting, vet, staticcheck, and what builds for which system.
# It runs everything, says what failed, and exits 1 if anything did. The first run fetches staticcheck.
cd "$(dirname "$0")/.." || exit 1
staticcheck=honnef.co/go/tools/cmd/staticcheck@${STATICCHECK:-v0.8.2}
out=$(mktemp) && trap 'rm -f "$out" "$out.exe"' EXIT
failed=0

# check NAME COMMAND...: silent when it passes.
check() {
	name=$1
	shift
	if "$@" >"$out" 2>&1; then
		echo "ok    $name"
	else
		echo "FAIL  $name"
		sed 's/^/      /' "$out"
		failed=1
	fi
}

formatted() {
	files=$(gofmt -l chapters docs internal scripts trace) || return 1
	[ -z "$files" ] || { echo "$files"; return 1; }
}

# On another system a chapter must say why it does not build, in one sentence and nothing else.
one_sentence() {
	said=$(GOOS=darwin go build ./chapters/... 2>&1) && { echo "it builds: nobody would be told"; return 1; }
	echo "$said"
	[ "$(echo "$said" | grep -vc '^#')" = 1 ] && echo "$said" | grep -q 'envoywalk_chapters_need_Linux'
}

check "gofmt" formatted
check "go vet" go vet ./...
# SA1019: the deprecated fields of Envoy's configuration are what 1.17 reads. ST1005: Envoy's own sentences
# begin with capitals, and a reader must find them on the web.
check "staticcheck" go run "$staticcheck" -checks inherit,-SA1019,-ST1005 ./...
check "builds for linux/amd64" env GOOS=linux GOARCH=amd64 go build ./...
check "builds for linux/arm64" env GOOS=linux GOARCH=arm64 go build ./...
check "vet for linux/arm64 (assembly)" env GOOS=linux GOARCH=arm64 go vet ./trace
check "darwin: the chapters say one sentence" one_sentence
check "darwin: book and traces build" env GOOS=darwin GOARCH=arm64 go build ./scripts/book ./trace/...
check "darwin/amd64: book and traces build" env GOOS=darwin GOARCH=amd64 go build ./scripts/book ./trace/...
check "windows: the book builds" env GOOS=windows GOARCH=amd64 go build -o "$out.exe" ./scripts/book
exit $failed
