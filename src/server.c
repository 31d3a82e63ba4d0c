/* echo-server: sends every byte back, to one client after another.
 *
 * A socket is one end of a connection, or the place where clients can connect; a program holds it
 * as a descriptor, a small number like that of an open file. Each sock_xyz() is the system call
 * xyz() plus its error handling. (sock_create() is socket(); for other names sock.h says which.)
 *
 * While one client is served, the others wait in the kernel's queue, the backlog: connected,
 * perhaps sending already, but not answered yet. No fork, no thread: the plain flow first. */
#include "console.h"
#include "sock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *address;   /* -l: where to listen */
    uint16_t port;         /* 0: the kernel chooses */
    unsigned long clients; /* -c: exit after serving so many; 0: never */
    size_t room;           /* -b: bytes that one recv may return */
    int limit_ms;          /* -W: the longest silence allowed, in ms; 0: any */
    bool quiet;            /* -q */
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

    /* First the address, from text: it tells the family, IPv4 or IPv6, which step 1 needs. */
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

    /* 3. Listen, with the longest queue that the system allows. From here on clients can connect,
     * though nobody has accepted them yet. If the port was 0, the kernel has chosen: ask which. */
    if (sock_listen(listener, SOMAXCONN) == -1)
        return cannot_start("listen", &local);
    if (sock_local_address(listener, &local) == -1)
        return cannot_start("getsockname", &local);
    console_say("listening on %s\n", local.text);

    /* Steps 4 to 6, once for each client. */
    for (unsigned long served = 0; o.clients == 0 || served < o.clients; served++) {
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

/* Step 4. When accept fails, the reason may pass (no descriptor or memory left, a network that is
 * down) and the client keeps its place in the queue: so wait a tenth of a second and try again. */
static int next_client(int listener, const struct sock_address *local, struct sock_address *client)
{
    const struct timespec tenth = {.tv_nsec = 100 * 1000 * 1000};
    int connection;
    bool told = false;

    while ((connection = sock_accept(listener, client)) == -1) {
        int error = errno;
        /* These mean a mistake in this program, which trying again would not mend. */
        bool fatal = error == EBADF || error == EFAULT || error == EINVAL || error == ENOTSOCK;

        if (fatal || !told)
            console_error("accept", local->text, error, fatal ? "" : "; trying again");
        if (fatal)
            return -1;
        told = true;
        nanosleep(&tenth, NULL);
    }
    return connection;
}

/* Step 5. Whatever goes wrong here ends this client, never the server. */
static void exchange(int connection, const struct sock_address *client, const struct options *o)
{
    static char buffer[MOST_ROOM]; /* static: too large for the stack */
    char text[CONSOLE_TEXT];
    unsigned long long echoed = 0;
    const char *call = "setsockopt";
    ssize_t got = -1;

    if (!o->quiet)
        console_say("client connected from %s\n", client->text);

    if (o->limit_ms == 0 || sock_limit(connection, o->limit_ms) == 0) {
        call = "recv";
        while ((got = sock_recv(connection, buffer, o->room)) > 0) { /* 0: it sends no more */
            if (!o->quiet)
                console_say("client say: %s\n", console_text(buffer, (size_t)got, text));
            /* As many bytes as came. No strlen: they are no string, and may hold any byte. */
            if (sock_send(connection, buffer, (size_t)got) == -1) {
                call = "send";
                got = -1;
                break;
            }
            echoed += (size_t)got;
        }
    }

    if (got == -1) {
        int error = errno;

        snprintf(text, sizeof text, "; client dropped after %llu bytes", echoed);
        console_error(call, client->text, error, text);
    } else if (!o->quiet) {
        /* It may still be reading, but by now it has been sent all that it is owed. */
        console_say("client finished sending; %llu bytes echoed\n", echoed);
    }
}

static int cannot_start(const char *call, const struct sock_address *local)
{
    console_error(call, local->text, errno, "");
    return 2;
}

/* The command line: from here on nothing more about sockets. */
static struct options parse(int argc, char **argv)
{
    static const char usage[] =
        "usage: echo-server [-l address] [-c count] [-b bytes] [-W seconds] [-q] [-v] [-h] [port]\n"
        "  -l address  local address (default 127.0.0.1; 0.0.0.0 or :: for all of this machine)\n"
        "  -c count    exit after serving this many clients (default: never)\n"
        "  -b bytes    receive at most this many at once, 1-1048576 (default 65536)\n"
        "  -W seconds  drop a client after this long without a byte, 0.001-86400 (default: never)\n"
        "  -q          print only errors and the address\n"
        "  -v          report each call of the flow on standard error\n"
        "  -h          print this\n"
        "  port        0-65535 (default 9999); 0 lets the kernel choose\n";
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
        case 'c': o.clients = (unsigned long)console_count("-c", optarg, 1, 1000000000); break;
        case 'b': o.room = (size_t)console_count("-b", optarg, 1, MOST_ROOM); break;
        case 'W': o.limit_ms = console_seconds("-W", optarg, 0.001, 86400); break;
        case 'q': o.quiet = true; break;
        case 'v': console_narrate(steps); break;
        default: console_usage(letter == 'h');
        }
    }
    if (optind < argc)
        o.port = (uint16_t)console_count("port", argv[optind++], 0, 65535);
    console_no_more(argc, argv);
    return o;
}
