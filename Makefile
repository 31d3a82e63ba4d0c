# For GNU make and BSD make alike, so: no pattern rules, and each dependency written out.
#   make help   lists what there is to make

BUILD = build
CFLAGS ?= -O2 -g
# (BSD make has a CFLAGS of its own.)
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
# What the code cannot do without, kept apart so that CFLAGS may be anything.
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -Iinclude
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) $(LDFLAGS)

all: $(BUILD)/echo-server $(BUILD)/echo-client

SHARED = $(BUILD)/sock.o $(BUILD)/console.o $(BUILD)/options.o
$(BUILD)/echo-server: $(BUILD)/server.o $(SHARED)
	$(LINK) -o $@ $(BUILD)/server.o $(SHARED) $(LDLIBS)
$(BUILD)/echo-client: $(BUILD)/client.o $(SHARED)
	$(LINK) -o $@ $(BUILD)/client.o $(SHARED) $(LDLIBS)

$(BUILD)/server.o: src/server.c include/sock.h include/console.h include/options.h
	@mkdir -p $(BUILD)
	$(COMPILE) -c -o $@ src/server.c
$(BUILD)/client.o: src/client.c include/sock.h include/console.h include/options.h
	@mkdir -p $(BUILD)
	$(COMPILE) -c -o $@ src/client.c
$(BUILD)/sock.o: src/sock.c include/sock.h
	@mkdir -p $(BUILD)
	$(COMPILE) -c -o $@ src/sock.c
$(BUILD)/console.o: src/console.c include/console.h include/sock.h
	@mkdir -p $(BUILD)
	$(COMPILE) -c -o $@ src/console.c
$(BUILD)/options.o: src/options.c include/options.h include/console.h
	@mkdir -p $(BUILD)
	$(COMPILE) -c -o $@ src/options.c

# The server tells its number and which port it got, then serves one client; the rest of its log
# waits in the pipe until the client is done. If the client fails, the server must not wait on.
demo: all
	@{ sh -c 'echo $$$$; exec $(BUILD)/echo-server -c 1 0' || echo "the server failed"; } | { \
	    read -r server; read -r ready; \
	    case $$ready in listening*) ;; *) echo "$$ready" >&2; exit 1 ;; esac; \
	    $(BUILD)/echo-client -c 3 127.0.0.1 "$${ready##*:}" >$(BUILD)/demo-client; status=$$?; \
	    if [ $$status != 0 ]; then kill "$$server"; fi; \
	    echo "--- the server ---"; echo "$$ready"; \
	    while read -r line; do \
	        printf '%s\n' "$$line"; \
	        if [ "$$line" = "the server failed" ]; then status=1; fi; \
	    done; \
	    echo "--- the client ---"; cat $(BUILD)/demo-client; \
	    exit $$status; }

# Only cmocka, for the tests; the programs need nothing.
deps:
	@if command -v apt-get >/dev/null; then \
	    command="apt-get update -q && apt-get install -q -y libcmocka-dev"; \
	elif command -v dnf >/dev/null; then command="dnf install -y libcmocka-devel"; \
	elif command -v apk >/dev/null; then command="apk add cmocka-dev"; \
	elif command -v pacman >/dev/null; then command="pacman -S --needed --noconfirm cmocka"; \
	elif command -v brew >/dev/null; then command="brew install cmocka"; \
	elif command -v pkg >/dev/null; then command="pkg install -y cmocka"; \
	else echo "no package manager that is known here; cmocka is at https://cmocka.org" >&2; exit 1; \
	fi; \
	sudo=sudo; case "$$(id -u) $$command" in "0 "* | *" brew "*) sudo= ;; esac; \
	echo "$$sudo sh -c '$$command'"; $$sudo sh -c "$$command"

# Where cmocka is: CMOCKA_PREFIX if it was built by hand, else what pkg-config says, else where
# Homebrew and BSD packages are, and the places where the compiler looks by itself.
CMOCKA = if [ -n "$(CMOCKA_PREFIX)" ]; then \
	    set -- -I$(CMOCKA_PREFIX)/include -L$(CMOCKA_PREFIX)/lib \
	        -Wl,-rpath,$(CMOCKA_PREFIX)/lib -lcmocka; \
	else set -- $$(pkg-config --cflags --libs cmocka 2>/dev/null || { \
	        for prefix in /opt/homebrew /usr/local; do \
	            [ ! -f $$prefix/include/cmocka.h ] || echo -I$$prefix/include -L$$prefix/lib; \
	        done; echo -lcmocka; }); fi
TESTS = $(BUILD)/test_flow $(BUILD)/test_sock $(BUILD)/test_console $(BUILD)/test_programs
HEADERS = include/sock.h include/console.h include/options.h tests/support.h
# sock.c once more, with each call to the system replaced by one that follows a script.
# (Fortified headers would call the real recv and poll behind its back.)
FAKES = -Dsocket=fake_socket -Dbind=fake_bind -Dlisten=fake_listen -Daccept=fake_accept \
	-Dconnect=fake_connect -Dsend=fake_send -Drecv=fake_recv -Dclose=fake_close \
	-Dpoll=fake_poll -Dgetsockopt=fake_getsockopt -Dsetsockopt=fake_setsockopt \
	-Dgetsockname=fake_getsockname -Dgetaddrinfo=fake_getaddrinfo \
	-Dfreeaddrinfo=fake_freeaddrinfo -Dgetnameinfo=fake_getnameinfo

test: all $(TESTS) $(BUILD)/echo-server-faulty $(BUILD)/echo-client-faulty
	@status=0; for test in $(TESTS); do \
	    echo "--- $$test"; ECHO_BUILD=$(BUILD) $$test || status=1; \
	done; exit $$status

$(BUILD)/cmocka:
	@mkdir -p $(BUILD)
	@printf '#include <stdarg.h>\n#include <stddef.h>\n#include <setjmp.h>\n#include <stdint.h>\n#include <cmocka.h>\nint main(void) { return 0; }\n' >$(BUILD)/cmocka.c
	@$(CMOCKA); $(COMPILE) -o $@ $(BUILD)/cmocka.c $(LDFLAGS) "$$@" || \
	    { echo "The tests need cmocka. If it is not there, 'make deps' installs it." >&2; exit 1; }

$(BUILD)/test_flow: tests/test_flow.c tests/support.c $(HEADERS) $(BUILD)/sock.o $(BUILD)/cmocka
	@$(CMOCKA); set -x; $(COMPILE) -Itests -o $@ tests/test_flow.c tests/support.c \
	    $(BUILD)/sock.o $(LDFLAGS) "$$@" $(LDLIBS)
$(BUILD)/test_sock: tests/test_sock.c tests/support.c $(HEADERS) $(BUILD)/sock_faked.o $(BUILD)/cmocka
	@$(CMOCKA); set -x; $(COMPILE) -Itests -o $@ tests/test_sock.c tests/support.c \
	    $(BUILD)/sock_faked.o $(LDFLAGS) "$$@" $(LDLIBS)
$(BUILD)/test_console: tests/test_console.c tests/support.c $(HEADERS) $(SHARED) $(BUILD)/cmocka
	@$(CMOCKA); set -x; $(COMPILE) -Itests -o $@ tests/test_console.c tests/support.c \
	    $(SHARED) $(LDFLAGS) "$$@" $(LDLIBS)
$(BUILD)/test_programs: tests/test_programs.c tests/support.c $(HEADERS) $(BUILD)/sock.o $(BUILD)/cmocka
	@$(CMOCKA); set -x; $(COMPILE) -Itests -o $@ tests/test_programs.c tests/support.c \
	    $(BUILD)/sock.o $(LDFLAGS) "$$@" $(LDLIBS)
# The programs once more, with a wrapper module that can be told to fail.
FAULTS = -Dsock_create=fault_create -Dsock_listen=fault_listen \
	-Dsock_accept=fault_accept -Dsock_local_address=fault_local_address \
	-Dsock_send=fault_send -Dsock_recv=fault_recv -Dsock_recv_all=fault_recv_all -Dsock_close=fault_close
FAULTY = tests/faults.c $(SHARED)
$(BUILD)/echo-server-faulty: src/server.c $(HEADERS) $(FAULTY)
	$(COMPILE) $(FAULTS) -c -o $(BUILD)/server_faulty.o src/server.c
	$(COMPILE) -o $@ $(BUILD)/server_faulty.o $(FAULTY) $(LDFLAGS) $(LDLIBS)
$(BUILD)/echo-client-faulty: src/client.c $(HEADERS) $(FAULTY)
	$(COMPILE) $(FAULTS) -Dsock_resolve=fault_resolve -c -o $(BUILD)/client_faulty.o src/client.c
	$(COMPILE) -o $@ $(BUILD)/client_faulty.o $(FAULTY) $(LDFLAGS) $(LDLIBS)
$(BUILD)/sock_faked.o: src/sock.c include/sock.h
	@mkdir -p $(BUILD)
	$(COMPILE) $(FAKES) -U_FORTIFY_SOURCE -Wp,-U_FORTIFY_SOURCE -c -o $@ src/sock.c

# Any echo server at all: make judge SERVER='./mine 9999' PORT=9999 [JUDGE_ARGS=-m]
# (Through the environment, so that the command may hold any quotes.)
judge: all $(BUILD)/judge
	@if [ -z "$$SERVER" ] || [ -z "$$PORT" ]; then \
	    echo "make judge SERVER='./mine 9999' PORT=9999 [JUDGE_ARGS=-m]" >&2; exit 2; \
	fi; $(BUILD)/judge $(JUDGE_ARGS) "$$SERVER" "$$PORT"
$(BUILD)/judge: tests/judge.c include/sock.h $(BUILD)/sock.o
	$(COMPILE) -o $@ tests/judge.c $(BUILD)/sock.o $(LDFLAGS) $(LDLIBS)

# The labs are patches: tests/labs/NAME.patch, built into build/labs/NAME.
LABS = lab-eof lab-first-address lab-fork lab-limit lab-nagle lab-never-closed lab-no-reuseaddr \
	lab-percent-s lab-poll lab-recv-once lab-reset lab-send-once lab-sigpipe lab-sizeof lab-threads
$(LABS): all
	@lab=$@; BUILD=$(BUILD) CC="$(CC)" tests/labs/build "$${lab#lab-}"

NEEDS_PYTHON = command -v python3 >/dev/null || { echo "make $@: install python3"; exit 1; }

# Whatever the README shows or names, run or looked up; the labs as well.
check-docs: all
	@$(NEEDS_PYTHON)
	@BUILD=$(BUILD) CC="$(CC)" tests/docs/check

# Slow or exotic checks. VERIFY_STRICT=1: one that is skipped has failed. VERIFY='NAME ...': these.
verify: all
	@BUILD=$(BUILD) CC="$(CC)" tests/verify/run $(VERIFY)

bench: all
	@$(NEEDS_PYTHON)
	@BUILD=$(BUILD) CC="$(CC)" tests/bench/run

clean:
	rm -rf $(BUILD)

help:
	@echo "make             build $(BUILD)/echo-server and $(BUILD)/echo-client"
	@echo "make demo        run them against each other"
	@echo "make deps        install cmocka, which the tests need"
	@echo "make test        run the tests"
	@echo "make lab-NAME    build a lab: the README tells them"
	@echo "make judge       test any echo server: SERVER='command' PORT=number"
	@echo "make check-docs  run what the README shows"
	@echo "make verify      run the slow checks: VERIFY='name ...' for some"
	@echo "make bench       measure"
	@echo "make clean       remove what was built"

.PHONY: all demo deps test judge check-docs verify bench clean help $(LABS)
