/* Every way in which the calls under sock.c may behave, within bounds, one after the other.
 *
 * The technique: wherever a fake call could do several things, it asks choose(). The answers of one
 * run are the digits of an odometer. After the run the last digit that can still go up does so, and
 * those behind it start again at zero; when none can, every behaviour has been tried. */
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define MUST(claim)  ((claim) ? (void)0 : broken(#claim, __LINE__))
enum { LARGEST = 12, INTERRUPTIONS = 3, OUTCOMES = 6, FD = 7, CONNECTION = 8, UNTOUCHED = '?' };

static struct {
    int value, ways;
} digits[64];
static int asked, known;

static struct { /* cleared before each run */
    bool over;  /* the fakes have said the last word: none may be called any more */
    int error;  /* what must be in errno in the end; 0: success is due */
    int calls, interruptions, undelayed;
    size_t size, moved;       /* bytes in all; those that went or came so far */
    int limit, status, saved; /* of connect: its limit; the descriptor's flags now and before */
} run;
static const char message[LARGEST + 1] = "ABCDEFGHIJKL";
static char arrived[LARGEST + 4]; /* at the far end of a send; in the buffer of a receive */
static const struct sock_address server = {.length = sizeof(struct sockaddr_in)};

static void broken(const char *claim, int line)
{
    printf("exhaustive.c:%d: not so: %s; the choices were", line, claim);
    for (int i = 0; i < asked; i++)
        printf(" %d", digits[i].value);
    printf("\n");
    exit(1);
}

static int choose(int ways)
{
    if (asked == known) {
        MUST(known < COUNT(digits));
        digits[known].value = 0;
        digits[known++].ways = ways;
    }
    return digits[asked++].value;
}

static bool turn(void)
{
    while (known > 0 && digits[known - 1].value + 1 == digits[known - 1].ways)
        known--;
    if (known > 0)
        digits[known - 1].value++;
    return known > 0;
}

/* A call that succeeds may leave anything in errno, so it leaves the most misleading thing. */
static int succeed(int value)
{
    errno = EINTR;
    return value;
}

static int pass(int error)
{
    errno = error;
    return -1;
}

static int fail(int error)
{
    run.error = error;
    run.over = true;
    return pass(error);
}

/* Any count of bytes from least up, or a failure, or an interruption. */
static int move(int fd, size_t offered, size_t least)
{
    static const int errors[] = {ECONNRESET, EPIPE, EAGAIN, EINTR};
    int counts = (int)(run.size - run.moved - least + 1);

    MUST(!run.over && fd == FD && offered > 0 && offered == run.size - run.moved);
    int way = choose(counts + COUNT(errors) - (run.interruptions == INTERRUPTIONS));
    int error = way < counts ? 0 : errors[way - counts];
    if (error == 0)
        return succeed((int)least + way);
    if (error != EINTR)
        fail(error == EAGAIN ? ETIMEDOUT : error);
    else
        run.interruptions++;
    return pass(error);
}

ssize_t fake_send(int fd, const void *data, size_t size, int flags)
{
    MUST(data == message + run.moved && flags == MSG_NOSIGNAL);
    int sent = move(fd, size, 1);

    for (int i = 0; i < sent; i++)
        arrived[run.moved++] = ((const char *)data)[i];
    return sent;
}

ssize_t fake_recv(int fd, void *buffer, size_t room, int flags)
{
    MUST(buffer == arrived + run.moved && flags == 0);
    int got = move(fd, room, 0);

    for (int i = 0; i < got; i++)
        ((char *)buffer)[i] = message[run.moved++];
    if (got == 0)
        run.over = true;
    return got;
}

static void try_bytes(void)
{
    bool receive = choose(2) == 1;

    run.size = (size_t)choose(LARGEST + 1);
    memset(arrived, UNTOUCHED, sizeof arrived);
    ssize_t told =
        receive ? sock_recv_all(FD, arrived, run.size) : sock_send(FD, message, run.size);

    if (run.error != 0)
        MUST(told == -1 && errno == run.error);
    else
        MUST(told == (receive ? (ssize_t)run.moved : 0) && (run.moved == run.size || run.over));
    MUST(memcmp(arrived, message, run.moved) == 0);
    for (size_t i = run.moved; i < sizeof arrived; i++)
        MUST(arrived[i] == UNTOUCHED);
}

int fake_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    static const int errors[] = {0, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EPERM, EAGAIN,
        ENETDOWN, EINVAL, EBADF, ECONNABORTED, EINTR};
    bool last = ++run.calls == OUTCOMES;

    MUST(!run.over && fd == FD && *length == sizeof(struct sockaddr_storage));
    int error = errors[choose(COUNT(errors) - (last ? 2 : 0))];
    if (error != 0)
        return error == ECONNABORTED || error == EINTR ? pass(error) : fail(error);
    address->sa_family = AF_INET;
    *length = sizeof(struct sockaddr_in);
    return succeed(CONNECTION);
}

int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    MUST(!run.over && fd == CONNECTION && level == IPPROTO_TCP && option == TCP_NODELAY);
    MUST(size == sizeof(int) && *(const int *)value == 1);
    run.undelayed++;
    return choose(2) == 0 ? succeed(0) : pass(ENOPROTOOPT);
}

static void try_accept(void)
{
    struct sock_address client;
    int fd = sock_accept(FD, &client);

    if (run.error != 0)
        MUST(fd == -1 && errno == run.error);
    else
        MUST(fd == CONNECTION && run.undelayed == 1);
}

int fake_fcntl(int fd, int command, ...)
{
    va_list more;

    MUST(!run.over && fd == FD && (command == F_GETFL || (command == F_SETFL && run.limit > 0)));
    if (choose(2) == 1)
        return fail(EBADF);
    if (command == F_GETFL)
        return succeed(run.status);
    va_start(more, command);
    run.status = va_arg(more, int);
    va_end(more);
    return succeed(0);
}

int fake_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    static const int errors[] = {0, ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, ECONNRESET,
        EADDRNOTAVAIL, EACCES, EINPROGRESS, EINTR};
    int error = errors[choose(COUNT(errors))];

    MUST(!run.over && fd == FD && ++run.calls == 1);
    MUST(address == (const struct sockaddr *)&server.ss && length == server.length);
    MUST(run.status == (run.limit > 0 ? run.saved | O_NONBLOCK : run.saved));
    if (error == EINPROGRESS || error == EINTR)
        return pass(error);
    return error == 0 ? succeed(0) : fail(error);
}

int fake_poll(struct pollfd *list, nfds_t count, int limit)
{
    MUST(!run.over && ++run.calls > 1 && count == 1 && list->fd == FD && list->events == POLLOUT);
    MUST(limit == (run.limit > 0 ? run.limit : -1));
    switch (choose(run.calls < OUTCOMES ? 4 : 3)) {
    case 0: return succeed(1);
    case 1: fail(ETIMEDOUT); return succeed(0);
    case 2: return fail(ENOMEM);
    default: return pass(EINTR);
    }
}

int fake_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
    static const int errors[] = {0, ECONNREFUSED, ETIMEDOUT, ECONNRESET, EHOSTUNREACH, EINTR};
    int way = choose(COUNT(errors) + 1);

    MUST(!run.over && run.calls > 1 && fd == FD && level == SOL_SOCKET && option == SO_ERROR);
    MUST(*size == sizeof(int));
    if (way == COUNT(errors))
        return fail(ENOBUFS);
    if (errors[way] != 0)
        fail(errors[way]);
    *(int *)value = errors[way];
    return succeed(0);
}

static void try_connect(void)
{
    static const int flags[] = {O_RDWR, O_RDWR | O_APPEND, O_RDWR | O_NONBLOCK};

    run.limit = choose(2) == 0 ? 0 : 250;
    run.saved = run.status = flags[choose(COUNT(flags))];
    int result = sock_connect(FD, &server, run.limit);

    if (run.error != 0)
        MUST(result == -1 && errno == run.error);
    else
        MUST(result == 0 && run.calls > 0 && run.status == run.saved);
}

static void spoil_before(enum sock_call call, int fd, size_t amount, const char *address)
{
    (void)call, (void)fd, (void)amount, (void)address;
    errno = EINTR;
}
static void spoil_after(enum sock_call call, ssize_t result, const char *address)
{
    (void)call, (void)result, (void)address;
    errno = EINTR;
}

static long try_all(void (*try)(void))
{
    static const struct sock_narrator spoiler = {spoil_before, spoil_after};
    long tried = 0;

    do {
        memset(&run, 0, sizeof run);
        asked = 0;
        sock_narrator = choose(2) == 0 ? NULL : &spoiler;
        errno = EINTR;
        try();
        MUST(asked == known);
        tried++;
    } while (turn());
    return tried;
}

int main(void)
{
    alarm(300); /* a hang is a failure */
    long bytes = try_all(try_bytes), accept = try_all(try_accept), connect = try_all(try_connect);

    printf(
        "%ld behaviours of send and recv, %ld of accept, %ld of connect\n", bytes, accept, connect);
    return 0;
}
