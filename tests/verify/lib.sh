# shellcheck shell=sh disable=SC2034 # variables that only those who source it use
# For checks that are shell scripts; they source it, in the directory that the Makefile is in.
set -u
check=${0##*/}
BUILD=${BUILD:-build}
work=$BUILD/verify/$check

ok() { echo "ok $check: $*"; exit 0; }
skip() { echo "skip $check: install $*"; exit 77; }
fail() { echo "FAIL $check: $*"; exit 1; }

# needs WHAT:PACKAGE...: WHAT is a command or a file.
needs() {
    for need; do
        command -v "${need%:*}" >/dev/null || [ -e "${need%:*}" ] || skip "${need#*:}"
    done
}

rm -rf "$work"
mkdir -p "$work"
make -s BUILD="$BUILD" all >"$work/make" 2>&1 || { cat "$work/make"; fail "it does not build"; }
