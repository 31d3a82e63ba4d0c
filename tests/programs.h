/* For tests that start programs, or children of their own, and read what they write. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "support.h"

#include <sys/types.h>

struct program {
    pid_t pid;              /* 0: none, or one that has ended */
    int out, err;           /* its standard output and standard error, to be read */
    char ready[100];        /* of a server: its first line, */
    const char *port;       /* and the port that it got */
    char said[70000];       /* what finish found on out (a full pipe fits), */
    char complained[70000]; /* and on err; both until the next start() */
    int ended;              /* what finish returned */
};

/* A test that starts programs. Those that are still there when it ends are killed. */
#define test(name) cmocka_unit_test_setup_teardown(name, alarm_on, programs_off)
int programs_off(void **state);

/* Start a child of the test. What it writes goes into pipes. Returns NULL in the child, which must
 * claim nothing itself, and end by exit. */
struct program *start_child(void);

/* Start one command of the shell, printf-like: "echo-client -c 3 127.0.0.1 %s". (Variables need
 * "env A=b" before it.) The programs are found through $PATH. SIGINT and SIGPIPE have their default
 * meaning, whoever runs the tests. */
struct program *start(const char *format, ...);

/* Start echo-server with these options on a free port of its address, and read its ready line. */
struct program *serve(const char *options);
struct program *await_ready(struct program *server); /* the second half of it */

void interrupt(const struct program *program); /* Ctrl-C */

/* Read what is left of the program's output, then of its errors (for these a pipe must do), and
 * wait for its end. Returns its exit status, or the signal that killed it, negative. */
int finish(struct program *program);

/* finish, with a claim on its status and patterns (see below) for what it wrote to the end. */
#define assert_ends(program, status, out, err)                                     \
    ((program)->ended = finish(program), assert_match((program)->complained, err), \
        assert_match((program)->said, out), assert_int_equal((program)->ended, status))

/* Read until this text has come, whatever came before it. */
void await(int fd, const char *text);

/* In a pattern, # stands for digits and points, as many as come, * for any text in one line, and ~
 * for any text at all. expect_line reads the next line, and its pattern has no newline. */
#define assert_match(text, pattern) match(text, pattern, __FILE__, __LINE__)
#define expect_line(fd, pattern)    match(next_line(fd), pattern, __FILE__, __LINE__)
void match(const char *text, const char *pattern, const char *file, int line);
const char *next_line(int fd); /* at the end: ""; it is overwritten by the one after */

#endif
