/* console talks to the person: it prints lines and errors, makes bytes from the network safe to
 * print, reports the calls for -v, and catches Ctrl-C. You can leave it for later: the flow is in
 * sock, server.c and client.c. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Call this first. The program's name will stand before each error. From now on each line goes to
 * stdout or stderr at once. (A pipe or a file would get it much later, and Ctrl-C would lose it.) A
 * standard stream that is closed is replaced by /dev/null: otherwise a socket could get its number,
 * and your output would go to the network. If there is no /dev/null, this exits with status 2. */
void console_start(const char *program);

/* Print to stdout, as printf does.
 * Returns true; or false, from the first failure on (a full disk, say), which it reports once. */
bool console_say(const char *format, ...);

/* Whether every console_say has worked so far. */
bool console_works(void);

/* Print one line to stderr, as printf does: the program's name, a colon, your text, a newline. */
void console_complain(const char *format, ...);

/* Report on stderr that a call failed: the call's name, the address, the symbol and the meaning of
 * errno, and then your text, printf-like (it may be ""). Where there is a cure, a hint follows. */
void console_error(const char *call, const char *address, const char *format, ...);

/* Report it, and exit with status 2: the program could not start. */
_Noreturn void console_die(const char *call, const char *address);

/* Report what sock_resolve returned for this host, and exit with status 2. */
_Noreturn void console_die_lookup(const char *host, int resolve_error);

/* The name that manual pages give to an errno, "ECONNRESET"; or, for an errno that the calls here
 * do not give, "errno 200". The text is valid until the next call. */
const char *console_symbol(int error);

/* Write bytes that came from the network into out, as one string that is safe to print. UTF-8
 * stands as it is, in every locale. Newline, tab and backslash become \n, \t and \\. Each byte of
 * anything else becomes \xHH: control characters, what is not UTF-8, and characters that end a line
 * or change the direction of writing. What is longer than CONSOLE_SHOWN bytes is cut between two
 * characters, and its size noted. Returns out. (On a terminal that is not set to UTF-8, the second
 * byte of a harmless character may still act as a control character: Û contains the byte 9B.) */
enum { CONSOLE_SHOWN = 256, CONSOLE_TEXT = 4 * CONSOLE_SHOWN + 32 };
const char *console_text(const void *bytes, size_t size, char out[CONSOLE_TEXT]);

/* From now on, report each call of sock on stderr, after the number of its step: first the call,
 * then its result. steps[0] names the calls of step 1, and so on: {"socket", "bind", ..., NULL}. */
void console_narrate(const char *const steps[]);

/* From now on, Ctrl-C shuts this connection down: a call that waits for it ends at once, and
 * console_interrupted() is true. The third Ctrl-C kills (the second does not, since timeout(1)
 * delivers each one twice). If Ctrl-C was ignored from the start, it stays ignored. */
void console_catch_interrupt(int connection);
bool console_interrupted(void);

#endif
