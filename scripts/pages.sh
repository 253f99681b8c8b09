#!/bin/sh
# The ready pages in docs/pages: a run of chapter 04 and one of chapter 06, for whoever wants to step through
# one without running anything.
#
#   scripts/pages.sh           makes them anew
#   scripts/pages.sh --check   does a run of today do what they show?
#
# --check compares as `go tool book diff` does, so that no time, port or thread id counts. It changes nothing.
# A page that is made of older page code or older sources still shows a true run: that is said, and no failure.
set -eu
cd "$(dirname "$0")/.."
chapters="04-threading 06-filter-chain"
most=500000 # bytes: a page should open at once
tries=5     # runs that may differ before a page is called stale: threads meet differently

case "${1:-}" in
"") check=false ;;
--check) check=true ;;
*) echo "usage: scripts/pages.sh [--check]" >&2 && exit 2 ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/book" ./scripts/book

# run CHAPTER PAGE: its own demo, with two workers on every machine.
run() {
	"$dir/$1" --concurrency 2 --trace "html=$2" >"$dir/said" 2>&1 || { cat "$dir/said" && return 1; }
}

# lines PAGE: what is packed in it, each chunk a line of the file.
lines() {
	sed -n 's,^<script type="application/x-envoywalk"[^>]*>\(.*\)</script>$,\1,p' "$1" |
		while read -r chunk; do printf %s "$chunk" | base64 -d | gzip -dc; done
}

# fit PAGE: small, whole, and silent about the machine that made it.
fit() {
	[ "$(wc -c <"$1")" -le "$most" ] || { echo "$1 has more than $most bytes" && return 1; }
	lines "$1" >"$dir/lines"
	tail -n 1 "$dir/lines" | grep -q '"k":"stats".*"dropped":0,' || { echo "$1 is not whole" && return 1; }
	for place in "$PWD/" "${HOME:-/root}/" "$dir" /tmp/ /root/ /home/ /Users/; do
		[ "$place" = // ] || ! grep -qF -e "$place" "$1" "$dir/lines" || { echo "$1 names $place" && return 1; }
	done
}

# outside PAGE: the page without its run, and the sources that it shows.
outside() {
	grep -v '^<script type="application/x-envoywalk"' "$1"
	lines "$1" | grep -o '^{"k":"file","path":"[^"]*"\|"sha256":"[^"]*"' | paste - - | sort
}

same() {
	for _ in $(seq "$tries"); do
		run "$1" "$dir/new.html" || return 1
		"$dir/book" diff "$2" "$dir/new.html" >"$dir/said" && return 0
	done
	cat "$dir/said" && return 1
}

failed=0
mkdir -p docs/pages
for chapter in $chapters; do
	page=docs/pages/$chapter.html
	go build -o "$dir/$chapter" "./chapters/$chapter/run"
	$check || run "$chapter" "$page"
	fit "$page" || { failed=1 && continue; }
	if ! $check; then
		echo "made  $page  $(wc -c <"$page") bytes"
	elif same "$chapter" "$page"; then
		outside "$page" >"$dir/was"
		outside "$dir/new.html" >"$dir/is"
		cmp -s "$dir/was" "$dir/is" && note= || note="  (its page code or sources are older than today's)"
		echo "ok    $page$note"
	else
		echo "FAIL  $page: a run of today does something else. scripts/pages.sh makes it anew."
		failed=1
	fi
done
exit $failed
