/* For tests that start programs and read what they write. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "support.h"

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

void close_if_open(int *fd); /* it is -1 if not, and afterwards */

#endif
