/* console talks to the person: it reads the command line, prints the log and errors, and makes
 * bytes from the network safe to print. You can leave it for later: the flow is in the other
 * files. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONSOLE_MAX_ROOM = 65536 };
struct options {
    const char *host; /* where the server listens, or where the client looks for it */
    uint16_t port;    /* for the server also 0: the kernel chooses one */
    long long count;  /* -c: how many clients to serve, or messages to send; LLONG_MAX: no end */
    size_t room;      /* server -b: how many bytes one recv may return */
    unsigned pause;   /* client -i: seconds from an echo to the next message */
};

/* Call this first. It reads the command line: the options that the letters name, as in getopt(3),
 * where a colon means that a value follows; then a host and a port, each of which may be missing. A
 * wrong word is named on stderr, with the usage, and the program exits with status 2. From now on
 * stdout is written line by line. (A pipe or a file would get it much later.) */
struct options console_options(
    int argc, char **argv, const char *program, const char *letters, const char *usage);

/* Print a line of the log, as printf does, or a label and bytes from the network; after the option
 * -q, nothing. UTF-8 stands as it is, even U+202E, which turns the direction of writing. Control
 * characters could command the terminal, or forge lines: a newline becomes \n, and each byte of the
 * others, of a backslash and of what is not UTF-8 becomes \xHH. About 240 bytes are shown. */
void console_log(const char *format, ...);
void console_show(const char *label, const void *bytes, size_t size);

/* Report a failed call on stderr: "echo-server: bind 127.0.0.1:9999: Address already in use". The
 * other two then exit with status 2; the last one is for an error of sock_resolve. */
void console_error(const char *call, const char *address);
_Noreturn void console_die(const char *call, const char *address);
_Noreturn void console_die_lookup(const char *host, int error);

/* Whether all that was printed to stdout has been written. If not (a full disk), this says so. */
bool console_works(void);

#endif
