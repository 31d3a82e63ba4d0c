/* echo-server: sends every byte back, to one client after another.
 *
 * A TCP socket is one end of a connection, or a place where clients can connect. A program holds it
 * as a descriptor: a small number, like that of an open file. Most functions called sock_xyz() make
 * the system call xyz(); sock_create() makes socket(), and a few are helpers: see sock.h.
 *
 * While one client is served, the others wait in the kernel's queue (its limit is the backlog).
 * They are connected, and may have sent something, but nobody answers them until it is their turn.
 * (To serve many at once takes fork, threads or poll. Here they would hide the flow.) */
#include "console.h"
#include "options.h"
#include "sock.h"

#include <errno.h>
#include <time.h>

static int accept_next(int listener, const char *local, struct sock_address *client);
static void serve(int connection, const char *client, const struct options *options);
static const char *echo(int connection, const struct options *options, unsigned long long *echoed);

int main(int argc, char **argv)
{
    const struct options options = options_of_server(argc, argv);
    struct sock_addresses found;
    struct sock_address client;

    /* Before step 1: turn the text of the address into the form that bind takes. (If it is a name
     * with several addresses, use the first.) Step 1 needs to know its family, IPv4 or IPv6. */
    int error = sock_resolve(options.host, options.port, &found);
    if (error != 0)
        console_die_lookup(options.host, error);
    struct sock_address local = found.list[0];

    /* 1. Create a socket. */
    int listener = sock_create(local.storage.ss_family);
    if (listener == -1)
        console_die("socket", local.text);

    /* 2. Bind it to the address at which clients will look for it. */
    if (sock_bind(listener, &local) == -1)
        console_die("bind", local.text);

    /* 3. Listen, with a long queue. From now on clients can connect, even before you accept them.
     * Then ask for the address: if the port was 0, the kernel has chosen another. */
    if (sock_listen(listener, SOMAXCONN) == -1)
        console_die("listen", local.text);
    if (sock_local_address(listener, &local) == -1)
        console_die("getsockname", local.text);
    console_say("listening on %s\n", local.text);

    for (unsigned long served = 0; served < options.count; served++) {
        /* 4. Accept the next client. This gives a second descriptor, for this one connection. */
        int connection = accept_next(listener, local.text, &client);
        if (connection == -1)
            return 1;

        /* 5. Receive and send, in echo() below, until the client has finished sending. */
        serve(connection, client.text, &options);

        /* 6. Close the connection. The listener stays open for the next client. */
        sock_close(connection);
    }
    /* Without -c, this is never reached: Ctrl-C ends the server, and the kernel closes the rest. */
    sock_close(listener);
    return console_works() ? 0 : 1; /* 1, if something could not be printed */
}

/* Step 4. Many failures are temporary: no descriptor is left just now, or the network is down. So
 * report the first one, wait a tenth of a second and try again. (On Linux, the waiting client keeps
 * its place in the queue.) Returns the connection, or -1 if no attempt can ever succeed. */
static int accept_next(int listener, const char *local, struct sock_address *client)
{
    const struct timespec tenth = {.tv_nsec = 100 * 1000 * 1000};
    bool reported = false;
    int connection;

    while ((connection = sock_accept(listener, client)) == -1) {
        if (errno == EBADF || errno == EFAULT || errno == EINVAL || errno == ENOTSOCK) {
            console_error("accept", local, "");
            return -1; /* this is not temporary: it is a mistake in this program */
        }
        if (!reported)
            console_error("accept", local, "; trying again");
        reported = true;
        nanosleep(&tenth, NULL);
    }
    return connection;
}

/* Step 5, and what the person sees of it. A failure here ends this client, never the server. */
static void serve(int connection, const char *client, const struct options *options)
{
    unsigned long long echoed = 0;

    if (!options->quiet)
        console_say("client connected from %s\n", client);
    const char *failed = echo(connection, options, &echoed);
    if (failed != NULL)
        console_error(failed, client, "; client dropped after %llu bytes", echoed);
    else if (!options->quiet)
        console_say("client finished sending; %llu bytes echoed\n", echoed);
}

/* Send everything back, until recv returns 0: the client has finished sending. (It may still be
 * receiving: the two directions of a connection finish separately.) Returns NULL, or the name of
 * the call that failed, and then errno says why. */
static const char *echo(int connection, const struct options *options, unsigned long long *echoed)
{
    static char buffer[OPTIONS_MAX_ROOM]; /* static, because 1 MiB may be too much for the stack */
    char text[CONSOLE_TEXT];
    ssize_t got;

    while ((got = sock_recv(connection, buffer, options->room)) > 0) {
        if (!options->quiet)
            console_say("client say: %s\n", console_text(buffer, (size_t)got, text));
        /* Send as many bytes as came. They are not a string: no '\0' tells where they end. */
        if (sock_send(connection, buffer, (size_t)got) == -1)
            return "send";
        *echoed += (size_t)got;
    }
    return got == -1 ? "recv" : NULL;
}
