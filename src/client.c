/* echo-client: sends a message, waits for its whole echo, compares the two and pauses; again and
 * again, until Ctrl-C, or as often as -c says, or until something is wrong. (For what a socket is,
 * and what sock_xyz() and console_xyz() stand for, see server.c.) */
#define _POSIX_C_SOURCE 200809L
#include "console.h"
#include "sock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: echo-client [-c count] [-i seconds] [-q] [host] [port]\n"
    "  -c count    stop after this many messages, 1-1000000000 (default: never)\n"
    "  -i seconds  pause between an echo and the next message, 0-86400 (default 1)\n"
    "  -q          print only errors\n"
    "  host, port  where the server is (default 127.0.0.1 9999)\n";

static bool round_trip(int connection, const char *server, long long number);

int main(int argc, char **argv)
{
    const struct options options = console_options(argc, argv, "echo-client", "c:i:q", usage);
    struct sock_addresses servers;
    const struct sock_address *server = NULL;
    int connection = -1;
    bool right = true; /* no message has failed so far */

    /* Before step 1: look the host up. It may have several addresses, and not all may answer. */
    int error = sock_resolve(options.host, options.port, &servers);
    if (error != 0)
        console_die_lookup(options.host, error);

    /* Steps 1 to 3 with each address, until one works. */
    for (size_t i = 0; connection == -1 && i < servers.count; i++) {
        server = &servers.list[i];

        /* 1. Create a socket. */
        connection = sock_create(server->storage.ss_family);
        if (connection == -1) {
            console_error("socket", server->text);
            continue;
        }

        /* 2. Set the server's address. No call is left to make: sock_resolve() has filled it in.
         * (There is no bind either: connect makes the kernel choose a local port.) */

        /* 3. Connect. The server only has to listen; it need not have accepted us yet. */
        if (sock_connect(connection, server) == -1) {
            console_error("connect", server->text);
            sock_close(connection);
            connection = -1;
        }
    }
    if (connection == -1)
        return 2;
    console_log("connected to %s\n", server->text);

    /* 4. Send a message and receive its echo, in round_trip() below, again and again. */
    for (long long number = 0; right && number < options.count; number++) {
        if (number > 0 && options.pause > 0)
            sleep(options.pause);
        right = round_trip(connection, server->text, number);
    }

    /* 5. Close. (After Ctrl-C, the kernel does it.) */
    sock_close(connection);
    return (console_works() && right) ? 0 : 1; /* 1: a message failed, or could not be printed */
}

/* A part of step 4. Send a message, receive its echo, and compare the two. */
static bool round_trip(int connection, const char *server, long long number)
{
    /* Two buffers: with only one, the echo would overwrite the message, and always look right. */
    char message[64], echo[sizeof message];
    ssize_t size = snprintf(message, sizeof message, "你好,hello,world,%lld...\n", number);

    if (sock_send_all(connection, message, (size_t)size) == -1) {
        console_error("send", server);
        return false;
    }

    /* One recv might not be enough: the bytes of one send may come back in pieces. */
    ssize_t got = sock_recv_all(connection, echo, (size_t)size);
    if (got == -1) {
        console_error("recv", server);
        return false;
    }
    if (got < size) {
        fprintf(stderr, "echo-client: the server finished after %zd of %zd bytes\n", got, size);
        return false;
    }
    console_show("server say: ", echo, (size_t)got);
    if (memcmp(echo, message, (size_t)size) != 0) {
        fprintf(stderr, "echo-client: this is not what was sent\n");
        return false;
    }
    return true;
}
