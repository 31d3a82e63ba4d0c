/* console: talks to the person. Numbers from the command line, errors that say what to do, bytes
 * from the network made safe to print, and the narration of -v. (Optional reading: the flow is in
 * sock, server.c and client.c.) */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

/* Call this first. program goes before each error; usage is for console_usage. Makes stdout write
 * line by line, into pipes and files too, where it would otherwise hold its lines back, and lose
 * them on Ctrl-C. Opens /dev/null for standard streams that are closed; otherwise the first socket
 * would get such a number, and be printed into. */
void console_start(const char *program, const char *usage);

/* Print the usage and exit: to stdout with status 0 if the person asked for it (-h); otherwise,
 * after the complaint, to stderr with status 2. */
_Noreturn void console_usage(bool asked);

/* After the last operand: if there is one more, complain and exit as above. */
void console_no_more(int argc, char **argv);

/* printf for stdout. Returns true; or false from the first failure on (the disk full, say), of
 * which stderr is told once. A line that Ctrl-C interrupts is lost, and is no failure. */
bool console_say(const char *format, ...);

/* Whether every console_say so far has worked. */
bool console_works(void);

/* printf for stderr, with the program's name before it and a newline after. */
void console_complain(const char *format, ...);

/* Tell stderr that a call failed: which, on what address, the symbol and meaning of error (an
 * errno), then tail ("" for none); and on a line of its own a hint, where there is a cure. */
void console_error(const char *call, const char *address, int error, const char *tail);

/* Tell stderr that host was not found, from what sock_resolve returned. Returns 2, the exit status
 * of a program that could not start. */
int console_unknown_host(const char *host, int gai_error);

/* The symbol that one looks up in a manual page: "ECONNRESET". For an errno that none of the eight
 * calls is known for, "errno" alone. */
const char *console_symbol(int error);

/* The number that text spells out, for the option or operand called name. Digits only, and in
 * seconds at most one point among them: no sign, no blank, no 1e3, no 0x10. Anything else, or a
 * number not from low to high, is named on stderr and ends the program with status 2.
 * console_seconds returns milliseconds. */
long console_count(const char *name, const char *text, long low, long high);
int console_seconds(const char *name, const char *text, double low, double high);

/* Write size bytes that came from the network into out, as one string that is safe to print.
 * Valid UTF-8 stands as it is, in any locale; newline, tab and backslash as \n, \t and \\; other
 * control characters, and bytes that are not UTF-8, as \xHH. What is longer than CONSOLE_SHOWN
 * bytes is cut at a character's boundary, and its full size noted. Returns out. */
enum { CONSOLE_SHOWN = 256, CONSOLE_TEXT = 4 * CONSOLE_SHOWN + 32 };
const char *console_text(const void *bytes, size_t size, char out[CONSOLE_TEXT]);

/* From now on, report each call of sock on stderr, as strace would, after its step's number.
 * steps has one for each enum sock_call, and must outlive the program's last call. */
void console_narrate(const int steps[]);

#endif
