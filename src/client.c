/* echo-client: sends a message, waits for its whole echo, compares the two, pauses; again and
 * again, until Ctrl-C, -c, or an echo that is not right. (What a socket is: see server.c.) */
#include "console.h"
#include "sock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct options {
    const char *host;
    uint16_t port;
    unsigned long messages; /* -c: stop after so many; 0: never */
    int pause_ms;           /* -i: from an echo to the next message */
    size_t size;            /* -s: of each message, in bytes; 0: just the text */
    int limit_ms;           /* -W: the longest silence allowed, in ms; 0: any */
    bool quiet;             /* -q */
};
struct statistics {
    unsigned long long sent, echoed, bytes;
    double least, most, sum; /* of the round trips, in ms */
};
enum { MOST_ADDRESSES = 16, MOST_SIZE = 65536 };

static struct options parse(int argc, char **argv);
static int give_up(int connection);
static void catch_interrupt(int connection);
static bool exchange(
    int connection, const char *server, const struct options *o, struct statistics *s);
static bool pause_between(int connection, const char *server, int pause_ms);
static size_t compose(char *message, unsigned long number, size_t size);
static bool is_right(
    const char *echo, size_t got, const char *message, size_t size, const char *server);
static bool report(const char *call, const char *server);
static double now_ms(void);
static void count_trip(struct statistics *s, double trip);
static void summarize(const char *server, const struct statistics *s);
static void check_host(const char *host, bool alone);

/* For the handler of Ctrl-C. */
static volatile sig_atomic_t interrupted, connection_to_shut;

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct sock_address servers[MOST_ADDRESSES];
    struct statistics s = {0};
    const char *call = "", *server = "";
    size_t found;
    int connection = -1;

    /* First the addresses, from text: they tell the family, IPv4 or IPv6, which step 1 needs. A
     * host may have several, and the server listen on only one: steps 1 to 3 for each of them,
     * until one works. */
    int error = sock_resolve(o.host, o.port, servers, MOST_ADDRESSES, &found);
    if (error != 0)
        return console_unknown_host(o.host, error);
    for (size_t i = 0; i < found && connection == -1; i++) {
        /* 1. Create a socket. */
        call = "socket";
        connection = sock_create(servers[i].ss.ss_family);

        /* 2. Take the server's address. (So -v shows no step 2. We need no bind for an address of
         * our own: connect picks a free local port.) */
        server = servers[i].text;

        /* 3. Connect. It is enough that the server listens: it need not have accepted us yet. */
        if (connection != -1 && sock_connect(connection, &servers[i], o.limit_ms) == -1) {
            call = "connect";
            connection = give_up(connection);
        }
    }
    if (connection != -1 && o.limit_ms > 0 && sock_limit(connection, o.limit_ms) == -1) {
        call = "setsockopt";
        connection = give_up(connection);
    }
    if (connection == -1) {
        console_error(call, server, errno, "");
        return 2;
    }

    /* 4. Exchange: send a message, receive its echo, again and again. */
    catch_interrupt(connection);
    bool right = exchange(connection, server, &o, &s);

    /* 5. Close; but first restore Ctrl-C, so that its handler cannot touch a closed socket. */
    signal(SIGINT, SIG_DFL);
    sock_close(connection);
    summarize(server, &s);
    return right && console_works() ? 0 : 1;
}

/* Step 4. Returns true when Ctrl-C or -c ended it, false when an echo was lost, wrong or late: what
 * comes after one of those might belong to any message. */
static bool exchange(
    int connection, const char *server, const struct options *o, struct statistics *s)
{
    static char message[MOST_SIZE], echo[MOST_SIZE]; /* two: with one, every echo would be right */
    char text[CONSOLE_TEXT];

    for (unsigned long number = 0; o->messages == 0 || number < o->messages; number++) {
        if (number > 0 && o->pause_ms > 0 && !pause_between(connection, server, o->pause_ms))
            return false;
        if (interrupted)
            return true;

        size_t size = compose(message, number, o->size);
        double start = now_ms();
        const char *call = "send";
        ssize_t got = sock_send(connection, message, size);
        if (got == 0) {
            /* One recv is not enough: the echo may come in pieces, however it was sent. */
            call = "recv";
            got = sock_recv_all(connection, echo, size);
        }

        if (got < (ssize_t)size && interrupted)
            return true; /* cut off by Ctrl-C, this message counts as neither sent nor lost */
        s->sent++;
        if (got == -1)
            return report(call, server);
        double trip = now_ms() - start;
        s->bytes += (unsigned long long)got;
        if (!is_right(echo, (size_t)got, message, size, server))
            return false;
        count_trip(s, trip);
        if (!o->quiet && !console_say("server say: %s\n", console_text(echo, size, text)))
            return false;
    }
    return true;
}

static bool is_right(
    const char *echo, size_t got, const char *message, size_t size, const char *server)
{
    char text[CONSOLE_TEXT];

    if (got < size)
        console_complain("%s: the server finished after %zu of %zu bytes", server, got, size);
    else if (memcmp(echo, message, size) != 0)
        console_complain("%s: not what was sent: %s", server, console_text(echo, size, text));
    else
        return true;
    return false;
}

/* Pause, but watch the connection: poll returns 0 when the time is up, else at once when something
 * has come, and recv tells what. Returns false if it was the server's end, or bytes that nobody
 * had asked for; true if the pause has passed, or Ctrl-C ended it. */
static bool pause_between(int connection, const char *server, int pause_ms)
{
    struct pollfd peer = {.fd = connection, .events = POLLIN};
    char unasked;

    if (poll(&peer, 1, pause_ms) <= 0 || interrupted) /* -1: a signal cut the pause short */
        return true;
    ssize_t got = sock_recv(connection, &unasked, 1);
    if (got == -1)
        return report("recv", server);
    console_complain("%s: the server %s", server,
        got == 0 ? "has finished sending" : "sent bytes that nobody asked for");
    return false;
}

/* Write message number into the buffer, padded to size bytes if size is not 0. Returns its size. */
static size_t compose(char *message, unsigned long number, size_t size)
{
    size_t used = (size_t)snprintf(message, MOST_SIZE, "你好,hello,world,%lu...\n", number);

    if (size <= used)
        return used;
    memset(message + used - 1, '.', size - used);
    message[size - 1] = '\n';
    return size;
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void count_trip(struct statistics *s, double trip)
{
    if (s->echoed++ == 0 || trip < s->least)
        s->least = trip;
    if (trip > s->most)
        s->most = trip;
    s->sum += trip;
}

static void summarize(const char *server, const struct statistics *s)
{
    char trips[100] = "";

    if (s->echoed > 0)
        snprintf(trips, sizeof trips, ", round trip min/avg/max = %.3f/%.3f/%.3f ms", s->least,
            s->sum / (double)s->echoed, s->most);
    console_say("\n--- %s echo statistics ---\n%llu sent, %llu echoed, %llu bytes back%s\n", server,
        s->sent, s->echoed, s->bytes, trips);
}

/* Ctrl-C. Without a handler it would end the client before its summary; with one that only sets a
 * flag, a call that is about to wait would still wait. So shut the connection down as well: recv
 * then returns 0 at once, even if Ctrl-C came just before it. (shutdown ends the traffic; giving
 * the descriptor back is left to close, step 5.) */
static void on_interrupt(int number)
{
    int error = errno;

    (void)number;
    interrupted = 1;
    shutdown(connection_to_shut, SHUT_RDWR);
    errno = error;
}

static void catch_interrupt(int connection)
{
    /* No SA_RESTART, so that poll, and a write to a full pipe, end too. SA_RESETHAND: a second
     * Ctrl-C always kills. (The cast: on Linux it is the top bit of the int.) */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    connection_to_shut = connection;
    sigaction(SIGINT, &action, NULL);
}

/* Close the connection, but keep the errno that says why. Returns -1, as no connection is left. */
static int give_up(int connection)
{
    int error = errno;

    sock_close(connection);
    errno = error;
    return -1;
}

/* Tell which call failed. Returns false, for exchange to return. */
static bool report(const char *call, const char *server)
{
    console_error(call, server, errno, "");
    return false;
}

/* The command line: from here on nothing more about sockets. */
static struct options parse(int argc, char **argv)
{
    static const char usage[] =
        "usage: echo-client [-c count] [-i seconds] [-s bytes] [-W seconds] [-q] [-v] [-h]\n"
        "                   [host [port]]\n"
        "  -c count    stop after this many messages (default: never)\n"
        "  -i seconds  pause between an echo and the next message, 0-86400 (default 1)\n"
        "  -s bytes    size of each message, 64-65536 (default: just the text)\n"
        "  -W seconds  give up after this long without a byte, 0.001-86400 (default: never)\n"
        "  -q          print only errors and the summary\n"
        "  -v          report each call of the flow on standard error\n"
        "  -h          print this\n"
        "  host, port  where the server is (default 127.0.0.1 9999)\n";
    static const int steps[] = {
        [SOCK_CREATE] = 1, [SOCK_CONNECT] = 3, [SOCK_SEND] = 4, [SOCK_RECV] = 4, [SOCK_CLOSE] = 5};
    struct options o = {.host = "127.0.0.1", .port = 9999, .pause_ms = 1000};
    int letter;

    console_start("echo-client", usage);
    while ((letter = getopt(argc, argv, "c:i:s:W:qvh")) != -1) {
        switch (letter) {
        case 'c': o.messages = (unsigned long)console_count("-c", optarg, 1, 1000000000); break;
        case 'i': o.pause_ms = console_seconds("-i", optarg, 0, 86400); break;
        case 's': o.size = (size_t)console_count("-s", optarg, 64, MOST_SIZE); break;
        case 'W': o.limit_ms = console_seconds("-W", optarg, 0.001, 86400); break;
        case 'q': o.quiet = true; break;
        case 'v': console_narrate(steps); break;
        default: console_usage(letter == 'h');
        }
    }
    if (optind < argc) {
        o.host = argv[optind++];
        check_host(o.host, optind == argc);
    }
    if (optind < argc)
        o.port = (uint16_t)console_count("port", argv[optind++], 1, 65535);
    console_no_more(argc, argv);
    return o;
}

/* The two slips that everybody makes: a port without a host, and both in one word. */
static void check_host(const char *host, bool alone)
{
    const char *colon = strchr(host, ':');
    bool both = host[0] == '[' || (colon != NULL && strchr(colon + 1, ':') == NULL);
    char text[CONSOLE_TEXT];

    if (!both && !(alone && *host != '\0' && strspn(host, "0123456789") == strlen(host)))
        return;
    console_complain("\"%s\": %s", console_text(host, strlen(host), text),
        both ? "host and port are two words, as in: ::1 9999" : "host first, then port");
    exit(2);
}
