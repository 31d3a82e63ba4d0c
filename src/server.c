/* echo-server: sends every byte back, to one client after another.
 *
 * While one client is served, the others wait in the backlog: they are connected, and may even
 * have sent, but nobody answers them yet. No fork and no thread: first see the flow plain. */
#include "console.h"
#include "sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *address; /* -l: where to listen */
    uint16_t port;       /* 0: the kernel chooses */
    long clients;        /* -c: leave after so many; 0: never */
    size_t room;         /* -b: bytes that one recv may return */
    int limit_ms;        /* -W: the silence that ends a connection; 0: none does */
    bool quiet;          /* -q */
};
enum { MOST_ROOM = 1048576 };

static struct options parse(int argc, char **argv);
static int cannot_start(const char *call, const struct sock_address *local);
static int next_client(int listener, const struct sock_address *local, struct sock_address *client);
static void exchange(int connection, const struct sock_address *client, const struct options *o);

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct sock_address local, client;
    size_t found;

    /* Before there can be a socket, the address must say of which family. */
    int error = sock_resolve(o.address, o.port, &local, 1, &found);
    if (error != 0)
        return console_unknown_host(o.address, error);

    /* 1. Create a socket. */
    int listener = sock_create(local.ss.ss_family);
    if (listener == -1)
        return cannot_start("socket", &local);

    /* 2. Bind it to the address at which clients will look for it. */
    if (sock_bind(listener, &local) == -1)
        return cannot_start("bind", &local);

    /* 3. Listen. From here on clients can connect, though nobody has accepted them yet. */
    if (sock_listen(listener, SOMAXCONN) == -1)
        return cannot_start("listen", &local);
    if (sock_local_address(listener, &local) == -1)
        return cannot_start("getsockname", &local);
    console_say("listening on %s\n", local.text);

    for (long served = 0; o.clients == 0 || served < o.clients; served++) {
        /* 4. Accept the next client: a second descriptor, for this one connection. */
        int connection = next_client(listener, &local, &client);
        if (connection == -1)
            return 1;

        /* 5. Exchange: receive and send, until the client has finished sending. */
        exchange(connection, &client, &o);

        /* 6. Close the connection. Without -c, Ctrl-C is the end: it needs no handler here, since
         * the kernel closes whatever a program leaves open. */
        sock_close(connection);
    }
    sock_close(listener);
    return console_works() ? 0 : 1;
}

/* Step 5. Whatever goes wrong here ends this client, never the server. */
static void exchange(int connection, const struct sock_address *client, const struct options *o)
{
    static char buffer[MOST_ROOM];
    char text[CONSOLE_TEXT];
    unsigned long long echoed = 0;
    const char *call = "recv";
    ssize_t got;

    if (!o->quiet)
        console_say("client connected from %s\n", client->text);
    if (o->limit_ms > 0 && sock_limit(connection, o->limit_ms) == -1) {
        console_error("setsockopt", client->text, errno, "; client dropped");
        return;
    }

    while ((got = sock_recv(connection, buffer, o->room)) > 0) {
        if (!o->quiet)
            console_say("client say: %s\n", console_text(buffer, (size_t)got, text));
        /* Send what has come, as many bytes as have come: no strlen, it may hold any byte. */
        if (sock_send(connection, buffer, (size_t)got) == -1) {
            call = "send";
            got = -1;
            break;
        }
        echoed += (size_t)got;
    }

    if (got == -1) {
        snprintf(text, sizeof text, "; client dropped after %llu bytes", echoed);
        console_error(call, client->text, errno, text);
    } else if (!o->quiet) {
        /* 0: the client sends no more. It may still be reading, but all it is to read is sent. */
        console_say("client finished sending; %llu bytes echoed\n", echoed);
    }
}

/* Step 4. When accept fails, the reason may pass (no descriptor or memory left, a network that is
 * down) and the client keeps its place in the queue: so try again, but not in a hot loop. */
static int next_client(int listener, const struct sock_address *local, struct sock_address *client)
{
    const struct timespec tenth = {.tv_nsec = 100 * 1000 * 1000};
    int connection, told = 0;

    while ((connection = sock_accept(listener, client)) == -1) {
        int error = errno;
        bool our_bug = error == EBADF || error == EFAULT || error == EINVAL || error == ENOTSOCK;

        if (error != told)
            console_error("accept", local->text, error, our_bug ? "" : "; trying again");
        told = error;
        if (our_bug)
            return -1;
        nanosleep(&tenth, NULL);
    }
    return connection;
}

static int cannot_start(const char *call, const struct sock_address *local)
{
    console_error(call, local->text, errno, "");
    return 2;
}

static struct options parse(int argc, char **argv)
{
    static const char usage[] =
        "usage: echo-server [-l address] [-c count] [-b bytes] [-W seconds] [-q] [-v] [-h] [port]\n"
        "  -l address  listen there (127.0.0.1); 0.0.0.0 or :: for every address of this machine\n"
        "  -c count    leave after so many clients (never)\n"
        "  -b bytes    receive at most so many at once, 1-1048576 (65536)\n"
        "  -W seconds  drop a client when nothing moves for so long, 0.001-86400 (never)\n"
        "  -q          print nothing but errors and the address\n"
        "  -v          tell each call of the flow, on standard error\n"
        "  port        0-65535 (9999); 0 lets the kernel choose\n";
    /* The step that each call belongs to: here send is part of step 5, in the client of step 4. */
    static const int steps[] = {[SOCK_CREATE] = 1,
        [SOCK_BIND] = 2,
        [SOCK_LISTEN] = 3,
        [SOCK_ACCEPT] = 4,
        [SOCK_RECV] = 5,
        [SOCK_SEND] = 5,
        [SOCK_CLOSE] = 6};
    struct options o = {.address = "127.0.0.1", .port = 9999, .room = 65536};
    int letter;

    console_start("echo-server", usage);
    while ((letter = getopt(argc, argv, "l:c:b:W:qvh")) != -1) {
        switch (letter) {
        case 'l': o.address = optarg; break;
        case 'c': o.clients = console_count("-c", optarg, 1, 1000000000); break;
        case 'b': o.room = (size_t)console_count("-b", optarg, 1, MOST_ROOM); break;
        case 'W': o.limit_ms = console_seconds("-W", optarg, 0.001, 86400); break;
        case 'q': o.quiet = true; break;
        case 'v': console_narrate(steps); break;
        default: console_usage(letter == 'h');
        }
    }
    if (optind < argc)
        o.port = (uint16_t)console_count("port", argv[optind++], 0, 65535);
    if (optind < argc)
        console_usage(false);
    return o;
}
