/* options reads the command lines of both programs. There is nothing about sockets here. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_MAX_ROOM = 1048576 };

struct options {
    const char *host;    /* where the server listens (-l), or where it is to be found (operand) */
    uint16_t port;       /* for the server also 0: the kernel chooses one */
    unsigned long count; /* -c: how many clients to serve, or messages to send; or ULONG_MAX */
    size_t room;         /* server -b: how many bytes one recv may return */
    int pause_ms;        /* client -i: milliseconds from an echo to the next message */
    bool quiet;          /* -q */
};

/* Start console under the program's name, and read its command line. What is not given there gets a
 * default. -v starts the narration; -h prints the usage and exits with status 0. What cannot be
 * understood is named on stderr, with what to do about it, and ends the program with status 2. */
struct options options_of_server(int argc, char **argv);
struct options options_of_client(int argc, char **argv);

#endif
