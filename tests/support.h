/* What the tests share. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h> /* needs the five above */

#include "console.h"
#include "sock.h"

#pragma GCC diagnostic ignored "-Wunused-parameter" /* cmocka's state: few tests need it */

/* Run all tests of an array, or those whose names contain $TEST. Returns how many failed. */
#define run_all(tests) (choose_tests(), cmocka_run_group_tests(tests, NULL, NULL))
void choose_tests(void);

/* A test whose name is its claim. If it hangs, it fails after 20 seconds ($TEST_LIMIT, if that is
 * set), and the next one runs. The descriptors that it leaves open are closed. */
#define claim(test) cmocka_unit_test_setup_teardown(test, alarm_on, alarm_off)
int alarm_on(void **state);
int alarm_off(void **state);

/* Claims: a call returns this number; it returns -1 with this errno; a text is this one. A broken
 * claim says, for instance: "sock_bind(second, &address): EADDRINUSE, not EACCES as claimed". */
#define assert_gives(call, result) claim_call(call, result, 0, #call, __FILE__, __LINE__)
#define assert_fails(call, error)  claim_call(call, -1, error, #call, __FILE__, __LINE__)
#define assert_is(text, claimed)   claim_text(text, claimed, #text, __FILE__, __LINE__)
void claim_call(long long seen, long long claimed, int claimed_error, const char *call,
    const char *file, int line);
void claim_text(const char *seen, const char *claimed, const char *of, const char *file, int line);

/* Skip the test, and say why, unless what it needs is there. */
void needs(bool there, const char *what);
void needs_linux(void); /* for a claim about Linux only */

/* The first address of a host. */
struct sock_address resolve(const char *host, const char *port);

/* A port of 127.0.0.1 that the kernel chose: bound, so that it stays ours; or with a listener. */
int bind_anywhere(struct sock_address *address);
int listen_anywhere(struct sock_address *address, int backlog);

void close_if_open(int *fd); /* it is -1 if not, and afterwards */

/* What follows, after the last colon of an address's text. */
const char *port_in(const char *text);

/* A connection to a server that is there. */
int connect_to(const char *host, const char *port);

/* Send a short text; claim that just this text comes; claim that the peer has finished sending. */
#define say(connection, text) assert_gives(sock_send(connection, text, strlen(text)), 0)
#define hear(connection, text) \
    claim_text(heard(connection, strlen(text)), text, "hear(" #connection ")", __FILE__, __LINE__)
#define hear_the_end(connection) assert_gives(sock_recv(connection, &(char){0}, 1), 0)
const char *heard(int connection, size_t size); /* what comes, or the name of an errno */

/* The programs, spawned. Those of $ECHO_BUILD are found first; those still there when their test
 * ends, in success or failure, are killed. */
struct program {
    pid_t pid;              /* 0: none, or one that has ended */
    int out, err;           /* its standard output and standard error, to be read; out may be -1 */
    const char *port;       /* of a server: which it got */
    char ready[100];        /* of a server: its first line */
    char said[65536];       /* what finish found on out, */
    char complained[65536]; /* and on err */
};
enum { PROGRAMS = 8 }; /* at once; the one started as the ninth takes the place of the first */

/* Setup and teardown of a test that starts programs; the alarm is theirs as well. */
int programs_on(void **state);
int programs_off(void **state);

/* Start one command of the shell, printf-like: "echo-client -c 3 127.0.0.1 %s". Its standard input
 * is empty; SIGINT and SIGPIPE mean what they mean by default, whoever runs the tests. */
struct program *start(const char *format, ...);

/* Start echo-server with these options on a free port of its address, and read its ready line. */
struct program *serve(const char *options);
struct program *await_ready(struct program *server); /* the second half of it */

void interrupt(const struct program *program); /* Ctrl-C */
void freeze(const struct program *program);    /* SIGSTOP; it has stopped when this returns */
void thaw(const struct program *program);

/* Read all that is left of the program's output, and wait for its end. Returns its exit status, or
 * the signal that killed it, negative. */
int finish(struct program *program);

/* finish, with a claim on its status and patterns (see below) for what it wrote to the end. */
#define assert_ends(program, status, out, err)                                      \
    (assert_int_equal(finish(program), status), assert_match((program)->said, out), \
        assert_match((program)->complained, err))

/* Read until these very bytes have come; text that comes before them is passed over. */
void await(int fd, const char *text);

/* The next line, without its newline; it is overwritten by the one after. */
const char *next_line(int fd);

/* In a pattern, # stands for a number, with points or without, and * for any text in one line. */
#define assert_match(text, pattern) match(text, pattern, __FILE__, __LINE__)
#define expect_line(fd, pattern)    match(next_line(fd), pattern, __FILE__, __LINE__)
#define ANY                         NULL /* as a pattern: whatever the text is */
void match(const char *text, const char *pattern, const char *file, int line);

#endif
