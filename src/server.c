/* echo-server: sends every byte back, to one client after another.
 *
 * A TCP socket is one end of a connection, or a place where clients can connect. A program holds it
 * as a descriptor: a small number, like that of an open file. A function called sock_xyz() makes
 * the system call xyz(), except that sock_create() makes socket(). A few are helpers: see sock.h.
 *
 * While one client is served, the others wait in the kernel's queue (its limit is the backlog).
 * They are connected, and may have sent something, but nobody answers them until it is their turn.
 * (To serve many at once takes fork, threads or poll. Here they would hide the flow.)
 *
 * console_xyz() talks to the person. console_options() is getopt(), console_log() is printf(), and
 * console_show() prints bytes that came from the network. console_error() is perror(), and
 * console_die() is perror() and exit(). */
#define _POSIX_C_SOURCE 200809L /* makes the headers declare POSIX too, not only standard C */
#include "console.h"
#include "sock.h"

#include <stdio.h>
#include <unistd.h>

static const char usage[] =
    "usage: echo-server [-c count] [-b bytes] [-q] [address] [port]\n"
    "  -c count  exit after serving this many clients, 1-1000000000 (default: never)\n"
    "  -b bytes  receive at most this many at once, 1-65536 (default 65536)\n"
    "  -q        print only errors and the address\n"
    "  address   local address (default 127.0.0.1; 0.0.0.0 or :: for all addresses)\n"
    "  port      0-65535 (default 9999); 0 lets the kernel choose\n";

static void serve(int connection, const char *client, size_t room);

int main(int argc, char **argv)
{
    const struct options options = console_options(argc, argv, "echo-server", "c:b:q", usage);
    struct sock_addresses found;
    struct sock_address client;
    int connection;

    /* Before step 1: turn the text into addresses. A server needs only the first of them. */
    int error = sock_resolve(options.host, options.port, &found);
    if (error != 0)
        console_die_lookup(options.host, error);
    struct sock_address local = found.list[0];

    /* 1. Create a socket, for the family of that address: AF_INET (IPv4) or AF_INET6 (IPv6). */
    int listener = sock_create(local.storage.ss_family);
    if (listener == -1)
        console_die("socket", local.text);

    /* 2. Bind it to the address where clients will look. (sock_bind also sets socket options.) */
    if (sock_bind(listener, &local) == -1)
        console_die("bind", local.text);

    /* 3. Listen, with a long queue: SOMAXCONN is the largest backlog. From now on clients can
     * connect, even before you accept them. Then ask for the real port: 0 lets the kernel
     * choose. */
    if (sock_listen(listener, SOMAXCONN) == -1)
        console_die("listen", local.text);
    if (sock_local_address(listener, &local) == -1)
        console_die("getsockname", local.text);
    printf("listening on %s\n", local.text); /* not console_log: it is printed with -q, too */

    for (long long served = 0; served < options.count; served++) {
        /* 4. Accept the next client. This gives a second descriptor, for this one connection. When
         * accept fails (no descriptor is left, for instance), wait a second, and try again. */
        while ((connection = sock_accept(listener, &client)) == -1) {
            console_error("accept", local.text);
            sleep(1);
        }

        /* 5. Receive and send, in serve() below: at most room bytes at once, until the end. */
        serve(connection, client.text, options.room);

        /* 6. Close the connection. The listener stays open for the next client. */
        sock_close(connection);
    }
    /* Without -c, count is huge: Ctrl-C ends the server first, and the kernel closes all. */
    sock_close(listener);
    return console_works() ? 0 : 1; /* 1: a line could not be printed */
}

/* Step 5. Send everything back, until recv returns 0: the client has finished sending, by close()
 * or shutdown(). (It may still be receiving: the two directions of a connection finish separately.)
 * A failure here ends this connection, never the server. */
static void serve(int connection, const char *client, size_t room)
{
    static char buffer[CONSOLE_MAX_ROOM]; /* static: one is enough for one client at a time */
    unsigned long long echoed = 0;
    ssize_t got;

    console_log("client connected from %s\n", client);
    while ((got = sock_recv(connection, buffer, room)) > 0) {
        console_show("client say: ", buffer, (size_t)got);
        /* Send as many bytes as came. They are not a string: no '\0' tells where they end. */
        if (sock_send_all(connection, buffer, (size_t)got) == -1)
            break; /* got stays > 0: send has failed */
        echoed += (size_t)got;
    }
    if (got == 0) {
        console_log("client finished sending; %llu bytes echoed\n", echoed);
        return;
    }
    console_error(got == -1 ? "recv" : "send", client);
    console_log("client dropped after %llu bytes\n", echoed);
}
