/* For tests that start programs, or children of their own, and read what they write. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include "support.h"

#include <stdio.h>
#include <sys/types.h>

struct program {
    pid_t pid;       /* 0: none, or one that has ended */
    FILE *out, *err; /* its standard output and standard error, to be read */
};

/* A test that starts programs. Those that are still there when it ends are killed. */
#define test(name) cmocka_unit_test_setup_teardown(name, alarm_on, programs_off)
int programs_off(void **state);

/* Start a child of the test. What it writes goes into pipes. Returns NULL in the child, which must
 * claim nothing itself, and end by exit. */
struct program *start_child(void);

/* Start one command of the shell, printf-like: "echo-client -c 3 127.0.0.1 %s". (Variables need
 * "env A=b" before it.) The programs are found through $PATH. */
struct program *start(const char *format, ...);

/* Read until this text has come, whatever came before it. */
void await(FILE *from, const char *text);

/* In a pattern, # stands for digits and points, as many as come, * for any text in one line, and ~
 * for any text at all. expect_line reads the next line, and its pattern has no newline. */
#define assert_match(text, pattern) match(text, pattern, __FILE__, __LINE__)
#define expect_line(from, pattern)  match(next_line(from), pattern, __FILE__, __LINE__)
void match(const char *text, const char *pattern, const char *file, int line);
const char *next_line(FILE *from); /* at the end: ""; valid until the next call */

/* Read what is left of the program's output, then of its errors (until then a pipe has room for
 * them), and wait for its end. Claims, in this order, a pattern for its errors, one for its output,
 * and its exit status (or the signal that killed it, negative). */
#define assert_ends(program, status, out, err) \
    claim_end(program, status, out, err, __FILE__, __LINE__)
void claim_end(struct program *program, int status, const char *out, const char *err,
    const char *file, int line);

#endif
