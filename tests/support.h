/* What all tests share. (What they need to start programs is in programs.h.) */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the five above */

#include "sock.h"
#include "symbol.h"

#pragma GCC diagnostic ignored "-Wunused-parameter" /* cmocka's state: few tests need it */

/* Run all tests of an array, or those whose names contain $TEST. Returns how many failed. */
#define run_all(tests) (prepare(), cmocka_run_group_tests(tests, NULL, NULL))
void prepare(void);

/* A test whose name is its claim. If it hangs, it fails after 5 seconds ($TEST_LIMIT, if set), and
 * the next one runs. The descriptors that it leaves open are closed. */
#define claim(test) cmocka_unit_test_setup_teardown(test, alarm_on, alarm_off)
int alarm_on(void **state);
int alarm_off(void **state);

/* assert_gives claims that a call returns this number, assert_fails that it returns -1 with this
 * errno, and assert_is that a text is this one. A broken claim says what was seen, at its own line:
 * "sock_bind(second, &address): EADDRINUSE, not EACCES as claimed". */
#define assert_gives(call, result) claim_call(call, result, 0, #call, __FILE__, __LINE__)
#define assert_fails(call, error)  claim_call(call, -1, error, #call, __FILE__, __LINE__)
#define assert_is(text, claimed)   claim_text(text, claimed, #text, __FILE__, __LINE__)
void claim_call(long long seen, long long claimed, int claimed_error, const char *call,
    const char *file, int line);
void claim_text(
    const char *seen, const char *claimed, const char *what, const char *file, int line);

/* Skip the test, and say why, unless what it needs is there. */
void needs(bool there, const char *what);
void needs_linux(void); /* for a claim about Linux only */

/* The first address of a host. */
struct sock_address resolve(const char *host, const char *port);

/* A port of 127.0.0.1 that the kernel chose: bound, so that it stays ours; or with a listener. */
int bind_anywhere(struct sock_address *address);
int listen_anywhere(struct sock_address *address, int backlog);

int connect_to(const char *host, const char *port); /* a client of a server that is there */
const char *port_in(const char *text);              /* what follows the last colon of an address */

/* After this, a send or connect waits for a tenth of a second, and not forever. */
void limit_waiting(int end);

/* say sends a short text, hear claims that it comes, hear_the_end that the peer has finished. */
#define say(connection, text) assert_gives(sock_send_all(connection, text, strlen(text)), 0)
#define hear(connection, text) \
    claim_text(heard(connection, strlen(text)), text, "hear(" #connection ")", __FILE__, __LINE__)
#define hear_the_end(connection) assert_gives(sock_recv(connection, &(char){0}, 1), 0)
const char *heard(int connection, size_t size); /* what comes, or the name of an errno */

#endif
