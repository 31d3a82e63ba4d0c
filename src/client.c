/* echo-client: sends a message, waits for its whole echo, compares the two and pauses; again and
 * again, until Ctrl-C, or -c messages, or until something is wrong. (For what a socket is, and what
 * sock_xyz() stands for, see server.c.) */
#include "console.h"
#include "options.h"
#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

/* What the functions below share. */
struct run {
    struct options options;
    const char *server; /* its address, as text */
    int connection;
    unsigned long sent, echoed; /* messages */
    double least, most, sum;    /* of the round trips, in milliseconds */
};

static const char *dial(struct run *run, const struct sock_address *server);
static bool round_trip(struct run *run);
static bool pause_between(const struct run *run);
static double now_ms(void);
static void count_trip(struct run *run, double trip);
static void summarize(const struct run *run);

int main(int argc, char **argv)
{
    struct run run = {.options = options_of_client(argc, argv)};
    struct sock_addresses servers;

    /* Before step 1: look the host up. It may have several addresses, and the server may listen on
     * only one of them. */
    int error = sock_resolve(run.options.host, run.options.port, &servers);
    if (error != 0)
        console_die_lookup(run.options.host, error);

    /* 1 to 3. Create a socket, set the server's address, and connect: see dial(). Try each address
     * until one works. */
    const char *failed = dial(&run, &servers.list[0]);
    for (size_t i = 1; failed != NULL && i < servers.count; i++)
        failed = dial(&run, &servers.list[i]);
    if (failed != NULL) {
        bool cut = servers.count == SOCK_MAX_ADDRESSES;
        console_error(failed, run.server, cut ? "; the first 16 addresses were tried" : "");
        return 2;
    }

    /* 4. Send a message and receive its echo, again and again. On Ctrl-C, console calls shutdown(),
     * which ends both directions: recv returns 0, send fails, and the client can close and sum up.
     */
    bool right = true;
    console_catch_interrupt(run.connection);
    while (right && !console_interrupted() && run.sent < run.options.count)
        right = round_trip(&run) && pause_between(&run);

    /* 5. Close. */
    sock_close(run.connection);
    summarize(&run);
    bool unanswered = run.sent > 0 && run.echoed == 0; /* this is a failure, as it is in ping */
    return right && !unanswered && console_works() ? 0 : 1;
}

/* Steps 1 to 3 with one of the addresses. Returns NULL, or the name of the call that failed. */
static const char *dial(struct run *run, const struct sock_address *server)
{
    run->server = server->text;

    /* 1. Create a socket. */
    run->connection = sock_create(server->storage.ss_family);
    if (run->connection == -1)
        return "socket";

    /* 2. Set the server's address. Here sock_resolve() has done so already, since step 1 needs its
     * family. (You need no bind: connect chooses a free local port.) */

    /* 3. Connect. The server only has to listen; it need not have accepted us yet. */
    if (sock_connect(run->connection, server) == -1) {
        int error = errno; /* close may change it */
        sock_close(run->connection);
        errno = error;
        return "connect";
    }
    return NULL;
}

/* A part of step 4. Send a message, receive its echo, and compare the two. Returns false if
 * something went wrong; but it is not wrong that Ctrl-C cuts an echo off. */
static bool round_trip(struct run *run)
{
    /* Two buffers: in one, any echo would overwrite the message, and look right. */
    char message[64], echo[sizeof message], text[CONSOLE_TEXT];
    ssize_t size = snprintf(message, sizeof message, "你好,hello,world,%lu...\n", run->sent);
    double start = now_ms();

    if (sock_send(run->connection, message, (size_t)size) == -1) {
        if (console_interrupted())
            return true;
        console_error("send", run->server, "");
        return false;
    }
    run->sent++;

    /* One recv might not be enough: the echo may come in pieces, however it was sent. */
    ssize_t got = sock_recv_all(run->connection, echo, (size_t)size);
    ssize_t same = 0; /* the number of bytes, from the first on, that match */
    while (same < got && echo[same] == message[same])
        same++;

    if (same == size) {
        count_trip(run, now_ms() - start);
        /* If it cannot be printed, console_say returns false, and the run ends. */
        return run->options.quiet ||
               console_say("server say: %s\n", console_text(echo, (size_t)got, text));
    }
    if (same < got)
        console_complain("%s: the echo is wrong from offset %zd on: %s", run->server, same,
            console_text(echo, (size_t)got, text));
    else if (console_interrupted())
        return true;
    else if (got == -1)
        console_error("recv", run->server, "");
    else
        console_complain("%s: the server finished after %zd of %zd bytes", run->server, got, size);
    return false;
}

/* Pause, but watch the connection, which sleep would not. poll returns 0 when the time is up, -1
 * after a signal (Ctrl-C), or 1 when something has come. Nothing should come now: neither bytes
 * nor a FIN, which says that the server has finished sending. */
static bool pause_between(const struct run *run)
{
    struct pollfd connection = {.fd = run->connection, .events = POLLIN};
    char byte;

    if (console_interrupted() || run->options.pause_ms == 0 || run->sent == run->options.count)
        return true;
    if (poll(&connection, 1, run->options.pause_ms) <= 0)
        return true;
    ssize_t got = sock_recv(run->connection, &byte, 1);
    if (console_interrupted())
        return true;
    if (got == -1)
        console_error("recv", run->server, "");
    else if (got == 0)
        console_complain("%s: the server has finished sending", run->server);
    else
        console_complain("%s: the server sent bytes that nobody asked for", run->server);
    return false;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void count_trip(struct run *run, double trip)
{
    if (run->echoed == 0 || trip < run->least)
        run->least = trip;
    if (trip > run->most)
        run->most = trip;
    run->sum += trip;
    run->echoed++;
}

static void summarize(const struct run *run)
{
    console_say(
        "\n--- %s echo statistics ---\n%lu sent, %lu echoed", run->server, run->sent, run->echoed);
    if (run->echoed > 0)
        console_say(", round trip min/avg/max = %.3f/%.3f/%.3f ms", run->least,
            run->sum / (double)run->echoed, run->most);
    console_say("\n");
}
