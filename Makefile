# Builds the pair. GNU make and BSD make both read this file: so it has no pattern rules, and each
# object names what it is made from.
#
#   make             build build/echo-server and build/echo-client
#   make demo        run them against each other
#   make deps        install cmocka, which the tests need
#   make test        run the tests; TEST=name runs those whose names contain it, V=1 shows all
#   make lab-NAME    build a lab: the README tells them
#   make watch       build the pair in build/watch, where it reports its calls
#   make judge       test any echo server: SERVER='command' PORT=number; TEST=name as above
#   make check-docs  run what the README shows
#   make verify      run the slow checks; VERIFY='name ...' runs some
#   make bench       measure
#   make clean       remove what was built

BUILD = build
CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
# What the code needs stands apart from CFLAGS, so that you can give any others.
STANDARD = -std=c11 -Iinclude
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(CFLAGS) $(LDFLAGS)
SHARED = $(BUILD)/sock.o $(BUILD)/console.o

all: $(BUILD)/echo-server $(BUILD)/echo-client

$(BUILD)/echo-server: $(BUILD)/server.o $(SHARED)
	$(LINK) -o $@ $(BUILD)/server.o $(SHARED) $(LDLIBS)
$(BUILD)/echo-client: $(BUILD)/client.o $(SHARED)
	$(LINK) -o $@ $(BUILD)/client.o $(SHARED) $(LDLIBS)

$(BUILD)/server.o: src/server.c include/console.h include/sock.h $(BUILD)/flags
	$(COMPILE) -c -o $@ src/server.c
$(BUILD)/client.o: src/client.c include/console.h include/sock.h $(BUILD)/flags
	$(COMPILE) -c -o $@ src/client.c
$(BUILD)/sock.o: src/sock.c include/sock.h $(BUILD)/flags
	$(COMPILE) -c -o $@ src/sock.c
$(BUILD)/console.o: src/console.c include/console.h $(BUILD)/flags
	$(COMPILE) -c -o $@ src/console.c

# This file changes when the compiler or its flags do, and then everything is built anew.
$(BUILD)/flags: always
	@mkdir -p $(BUILD)
	@echo $(COMPILE) $(LDFLAGS) $(LDLIBS) | cmp -s - $@ || echo $(COMPILE) $(LDFLAGS) $(LDLIBS) >$@
always:

clean:
	rm -rf $(BUILD)
help:
	@sed -n 's/^#   //p' Makefile

.PHONY: all always clean help

# The demo, the tests, the judge, the labs and the checks. (Without them this file still builds the
# pair, so you can copy it, src and include.)
-include tests/Makefile
