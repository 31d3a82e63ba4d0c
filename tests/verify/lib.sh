# shellcheck shell=sh disable=SC2034 # variables that only those who source it use
# For the checks that start the programs: verdicts, a server, and an end that leaves nothing behind.
# Sourced by them, in the directory that the Makefile is in.
set -u
check=${0##*/}
BUILD=${BUILD:-build}
work=$BUILD/verify/$check
server='' client='' # processes to be killed if they are still there at the end

ok() { echo "ok $check: $*"; exit 0; }
skip() { echo "skip $check: install $*"; exit 77; }
fail() { echo "FAIL $check: $*"; exit 1; }

# needs WHAT:PACKAGE...: WHAT is a command or a file.
needs() {
    for need; do
        command -v "${need%:*}" >/dev/null || [ -e "${need%:*}" ] || skip "${need#*:}"
    done
}

end_programs() {
    for program in $server $client; do kill -9 "$program" 2>/dev/null; done
    server='' client=''
}
trap end_programs EXIT
trap 'exit 1' HUP INT TERM

# serve COMMAND...: start a server (with -q: its log would fill the pipe). Sets its pid, $server, and
# its $port, from the line that it writes when it is ready.
serve() {
    rm -f "$work/ready"
    mkfifo "$work/ready"
    "$@" >"$work/ready" 2>"$work/server-errors" 3<&- 4<&- &
    server=$!
    exec 3<"$work/ready"
    read -r ready <&3 || fail "this server does not start: $*; $(cat "$work/server-errors")"
    port=${ready##*:}
}

stop_server() {
    kill "$server"
    wait "$server" 2>/dev/null
    server=''
}

rm -rf "$work"
mkdir -p "$work"
make -s BUILD="$BUILD" all >"$work/make" 2>&1 || { cat "$work/make"; fail "it does not build"; }
