/* echo-client: sends a message, waits for its whole echo, compares the two, pauses; again and
 * again, until Ctrl-C, -c, or an echo that is not right. */
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
    unsigned long long messages; /* -c: stop after so many; 0: never */
    int pause_ms;                /* -i: from an echo to the next message */
    size_t size;                 /* -s: bytes in each message; 0: as many as it takes */
    int limit_ms;                /* -W: the silence that ends the run; 0: none does */
    bool quiet;                  /* -q */
};
struct statistics {
    unsigned long long sent, echoed, bytes;
    double least, sum, most; /* round trips, in ms */
};
enum { MOST_ADDRESSES = 16, MOST_SIZE = 65536 };

static struct options parse(int argc, char **argv);
static void check_host_alone(const char *host);
static int give_up(int connection);
static void catch_interrupt(int connection);
static bool exchange(int connection, const struct sock_address *server, const struct options *o,
    struct statistics *s);
static bool pause_between(int connection, const struct sock_address *server, int pause_ms);
static bool failed(const char *call, const struct sock_address *server);
static size_t compose(char *message, unsigned long long number, size_t size);
static double now_ms(void);
static void count_trip(struct statistics *s, double trip);
static void summarize(const struct sock_address *server, const struct statistics *s);

static volatile sig_atomic_t interrupted;   /* Ctrl-C came */
static volatile sig_atomic_t interruptible; /* the connection that it is to shut down */

int main(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct sock_address servers[MOST_ADDRESSES], *server = NULL;
    struct statistics s = {0};
    size_t found;

    /* A name may stand for several addresses, and the server need not be at the first. */
    int error = sock_resolve(o.host, o.port, servers, MOST_ADDRESSES, &found);
    if (error != 0)
        return console_unknown_host(o.host, error);

    const char *call = "socket";
    int connection = -1;
    for (size_t i = 0; i < found && connection == -1; i++) {
        /* 1. Create a socket, a new one for each address: its family decides which kind. */
        connection = sock_create(servers[i].ss.ss_family);

        /* 2. Take the server's address. Ours needs no bind: connect finds us a free port. */
        server = &servers[i];

        /* 3. Connect. It is enough that the server listens: it need not have accepted us yet. */
        if (connection != -1 && sock_connect(connection, server, o.limit_ms) == -1) {
            call = "connect";
            connection = give_up(connection);
        }
    }
    if (connection != -1 && o.limit_ms > 0 && sock_limit(connection, o.limit_ms) == -1) {
        call = "setsockopt";
        connection = give_up(connection);
    }
    if (connection == -1) {
        console_error(call, server->text, errno, "");
        return 2;
    }

    /* 4. Exchange: send a message, receive its echo, again and again. */
    catch_interrupt(connection);
    bool right = exchange(connection, server, &o, &s);

    /* 5. Close. Ctrl-C gets its old meaning first: its handler is not to touch a closed socket. */
    signal(SIGINT, SIG_DFL);
    sock_close(connection);
    summarize(server, &s);
    return right && console_works() ? 0 : 1;
}

/* Step 4, until Ctrl-C or -c ends it (true), or an echo that is lost, wrong or late (false: after
 * one of those, the next bytes to come might belong to any message). */
static bool exchange(int connection, const struct sock_address *server, const struct options *o,
    struct statistics *s)
{
    static char message[MOST_SIZE], echo[MOST_SIZE]; /* two: comparing one with itself is no test */
    char text[CONSOLE_TEXT];

    for (unsigned long long number = 0; o->messages == 0 || number < o->messages; number++) {
        if (number > 0 && o->pause_ms > 0 && !pause_between(connection, server, o->pause_ms))
            return interrupted;

        size_t size = compose(message, number, o->size);
        double start = now_ms();
        if (sock_send(connection, message, size) == -1)
            return interrupted || failed("send", server);
        /* The echo may come in pieces, whatever the pieces were that we sent. */
        ssize_t got = sock_recv_all(connection, echo, size);
        double trip = now_ms() - start;

        if (got < (ssize_t)size && interrupted)
            return true; /* this message was cut off by Ctrl-C: neither sent nor lost */
        s->sent++;
        if (got == -1)
            return failed("recv", server);
        s->bytes += (unsigned long long)got;
        if (got < (ssize_t)size) {
            console_complain("%s: the server finished after %zd of the %zu bytes of echo %llu",
                server->text, got, size, number);
            return false;
        }
        if (memcmp(echo, message, size) != 0) {
            console_complain("%s: echo %llu is not what was sent: %s", server->text, number,
                console_text(echo, size, text));
            return false;
        }
        count_trip(s, trip);
        if (!o->quiet && !console_say("server say: %s\n", console_text(echo, size, text)))
            return false;
    }
    return true;
}

/* Wait without sleeping: poll ends at once when the server leaves, or Ctrl-C shuts the connection
 * down. Returns whether the whole pause has passed. */
static bool pause_between(int connection, const struct sock_address *server, int pause_ms)
{
    struct pollfd peer = {.fd = connection, .events = POLLIN};
    char unasked;
    ssize_t got;

    if (poll(&peer, 1, pause_ms) == 0)
        return true;
    got = sock_recv(connection, &unasked, 1);
    if (interrupted)
        return false;
    if (got == -1)
        return failed("recv", server);
    console_complain("%s: the server %s", server->text,
        got == 0 ? "has finished sending" : "sent bytes that nobody asked it for");
    return false;
}

/* Write message number into the buffer, padded to size bytes if size is not 0. Returns its size. */
static size_t compose(char *message, unsigned long long number, size_t size)
{
    size_t used = (size_t)snprintf(message, MOST_SIZE, "你好,hello,world,%llu...\n", number);

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
    if (s->echoed == 0 || trip < s->least)
        s->least = trip;
    if (s->echoed == 0 || trip > s->most)
        s->most = trip;
    s->sum += trip;
    s->echoed++;
}

static void summarize(const struct sock_address *server, const struct statistics *s)
{
    char trips[100] = "";

    if (s->echoed > 0)
        snprintf(trips, sizeof trips, ", round trip min/avg/max = %.3f/%.3f/%.3f ms", s->least,
            s->sum / (double)s->echoed, s->most);
    console_say("\n--- %s echo statistics ---\n%llu sent, %llu echoed, %llu bytes back%s\n",
        server->text, s->sent, s->echoed, s->bytes, trips);
}

/* Ctrl-C. The flag says why, and the shutdown wakes whatever waits on the connection: a flag alone
 * would go unseen if the signal came just before the call that waits. */
static void on_interrupt(int number)
{
    int error = errno;

    (void)number;
    interrupted = 1;
    shutdown(interruptible, SHUT_RDWR);
    errno = error;
}

static void catch_interrupt(int connection)
{
    /* No SA_RESTART: a call that waits is to end. SA_RESETHAND: a second Ctrl-C always kills. */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

    sigemptyset(&action.sa_mask);
    interruptible = connection;
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

static bool failed(const char *call, const struct sock_address *server)
{
    console_error(call, server->text, errno, "");
    return false;
}

static struct options parse(int argc, char **argv)
{
    static const char usage[] =
        "usage: echo-client [-c count] [-i seconds] [-s bytes] [-W seconds] [-q] [-v] [-h]\n"
        "                   [host [port]]\n"
        "  -c count    stop after so many messages (never)\n"
        "  -i seconds  pause between an echo and the next message, 0-86400 (1)\n"
        "  -s bytes    make each message so long, 64-65536 (as long as its words)\n"
        "  -W seconds  give up when nothing moves for so long, 0.001-86400 (never)\n"
        "  -q          print the summary only\n"
        "  -v          tell each call of the flow, on standard error\n"
        "  host, port  where the server is (127.0.0.1 9999)\n";
    /* The step that each call belongs to: here send is part of step 4, in the server of step 5. */
    static const int steps[] = {
        [SOCK_CREATE] = 1, [SOCK_CONNECT] = 3, [SOCK_SEND] = 4, [SOCK_RECV] = 4, [SOCK_CLOSE] = 5};
    struct options o = {.host = "127.0.0.1", .port = 9999, .pause_ms = 1000};
    int letter;

    console_start("echo-client", usage);
    while ((letter = getopt(argc, argv, "c:i:s:W:qvh")) != -1) {
        switch (letter) {
        case 'c':
            o.messages = (unsigned long long)console_count("-c", optarg, 1, 1000000000);
            break;
        case 'i': o.pause_ms = console_seconds("-i", optarg, 0, 86400); break;
        case 's': o.size = (size_t)console_count("-s", optarg, 64, MOST_SIZE); break;
        case 'W': o.limit_ms = console_seconds("-W", optarg, 0.001, 86400); break;
        case 'q': o.quiet = true; break;
        case 'v': console_narrate(steps); break;
        default: console_usage(letter == 'h');
        }
    }
    if (optind < argc)
        o.host = argv[optind++];
    if (optind < argc)
        o.port = (uint16_t)console_count("port", argv[optind++], 1, 65535);
    else
        check_host_alone(o.host);
    if (optind < argc)
        console_usage(false);
    return o;
}

/* The two slips that everybody makes: a port without a host, and both in one word. */
static void check_host_alone(const char *host)
{
    const char *colon = strchr(host, ':');

    if (*host != '\0' && strspn(host, "0123456789") == strlen(host))
        console_complain("\"%s\" looks like a port: host first, then port", host);
    else if (host[0] == '[' || (colon != NULL && strchr(colon + 1, ':') == NULL))
        console_complain("\"%s\": host and port are two words: ::1 9999", host);
    else
        return;
    exit(2);
}
