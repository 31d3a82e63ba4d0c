/* sock: see sock.h for what each function promises. */
#define _DARWIN_C_SOURCE /* macOS hides SO_NOSIGPIPE from a strict POSIX program */
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* A send on a connection that the peer has reset raises SIGPIPE, which ends the whole program
 * unless it is told not to. POSIX has a flag for send; older Apple systems, an option instead. */
#ifdef MSG_NOSIGNAL
#define SEND_FLAGS MSG_NOSIGNAL
#elif defined SO_NOSIGPIPE
#define SEND_FLAGS 0
#else
#error "This system has neither MSG_NOSIGNAL nor SO_NOSIGPIPE: a rude peer could end the program."
#endif

const struct sock_narrator *sock_narrator = NULL;

/* Each of the eight calls stands between these two, so that -v shows every one, and no other. */
static void before(enum sock_call call, int fd, size_t amount, const char *address)
{
    if (sock_narrator != NULL)
        sock_narrator->before(call, fd, amount, address);
}

static void after(enum sock_call call, ssize_t result, const char *address)
{
    int error = errno; /* of the call: telling it must not change it */

    if (sock_narrator != NULL)
        sock_narrator->after(call, result, address);
    errno = error;
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

static void keep_sigpipe_away(int fd)
{
#ifdef MSG_NOSIGNAL
    (void)fd; /* each send does it */
#else
    set_option(fd, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
}

/* Fill in the text of an address, from its ss and length. */
static void name(struct sock_address *address)
{
    char host[INET6_ADDRSTRLEN + 20], port[6]; /* 20: an IPv6 address may end in %interface */
    int error = getnameinfo((const struct sockaddr *)&address->ss, address->length, host,
        sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);

    if (error != 0)
        snprintf(address->text, sizeof address->text, "(%s)", gai_strerror(error));
    else if (address->ss.ss_family == AF_INET6)
        snprintf(address->text, sizeof address->text, "[%s]:%s", host, port);
    else
        snprintf(address->text, sizeof address->text, "%s:%s", host, port);
}

int sock_resolve(
    const char *host, uint16_t port, struct sock_address *list, size_t room, size_t *found)
{
    /* AI_ADDRCONFIG is left out: it hides ::1 on a host whose only IPv6 address is ::1. */
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all;
    char service[6];
    int error;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    error = getaddrinfo(host, service, &hints, &all);
    if (error != 0)
        return error;
    *found = 0;
    for (struct addrinfo *one = all; one != NULL && *found < room; one = one->ai_next) {
        struct sock_address *address = &list[(*found)++];

        memcpy(&address->ss, one->ai_addr, one->ai_addrlen);
        address->length = one->ai_addrlen;
        name(address);
    }
    freeaddrinfo(all);
    return 0;
}

int sock_create(int family)
{
    before(SOCK_CREATE, -1, (size_t)family, "");
    int fd = socket(family, SOCK_STREAM, 0); /* a stream of bytes; 0: by the usual protocol, TCP */
    after(SOCK_CREATE, fd, "");
    if (fd != -1)
        keep_sigpipe_away(fd);
    return fd;
}

int sock_bind(int fd, const struct sock_address *local)
{
    /* Without this, a server that closed first cannot have its port back for a minute: the kernel
     * remembers the old connections (TIME_WAIT), in case late packets of theirs arrive. */
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
        return -1;
    /* Systems differ in whether [::] takes IPv4 clients as well. If this fails, it takes what it
     * can. */
    if (local->ss.ss_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);

    before(SOCK_BIND, fd, 0, local->text);
    int result = bind(fd, (const struct sockaddr *)&local->ss, local->length);
    after(SOCK_BIND, result, local->text);
    return result;
}

int sock_listen(int fd, int backlog)
{
    before(SOCK_LISTEN, fd, (size_t)backlog, "");
    int result = listen(fd, backlog);
    after(SOCK_LISTEN, result, "");
    return result;
}

int sock_accept(int listener, struct sock_address *client)
{
    int fd;

    do {
        client->length = sizeof client->ss; /* in: the room there is; out: what accept used */
        before(SOCK_ACCEPT, listener, 0, "");
        fd = accept(listener, (struct sockaddr *)&client->ss, &client->length);
        if (fd != -1)
            name(client);
        after(SOCK_ACCEPT, fd, fd != -1 ? client->text : "");
        /* ECONNABORTED: that client left while it queued. The next one must not suffer for it. */
    } while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
    if (fd == -1)
        return -1;

    keep_sigpipe_away(fd);
    /* TCP likes to hold a small piece back until the last one is acknowledged (Nagle's algorithm),
     * which the peer may put off (on Linux, for 40 ms). An echo is to leave at once. (The client
     * sends each message whole and then waits, so it has nothing to gain.) Failing costs speed
     * alone. */
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

/* The attempt to connect goes on by itself; wait for its end, and learn how it ended. */
static int finish_connect(int fd, int limit_ms)
{
    struct pollfd attempt = {.fd = fd, .events = POLLOUT};
    int ready, error = ETIMEDOUT;
    socklen_t size = sizeof error;

    do
        ready = poll(&attempt, 1, limit_ms > 0 ? limit_ms : -1);
    while (ready == -1 && errno == EINTR);
    if (ready == -1)
        return -1;
    if (ready > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
        return -1;
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

int sock_connect(int fd, const struct sock_address *server, int limit_ms)
{
    int flags = fcntl(fd, F_GETFL);

    /* No option limits connect on every system. So make the socket nonblocking meanwhile: then
     * connect only starts the attempt (EINPROGRESS), and poll can wait as long as we say. */
    if (flags == -1 || (limit_ms > 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1))
        return -1;

    before(SOCK_CONNECT, fd, 0, server->text);
    int result = connect(fd, (const struct sockaddr *)&server->ss, server->length);
    after(SOCK_CONNECT, result, server->text);

    /* Interrupted, connect must not be called again: the first attempt is still under way. */
    if (result == -1 && (errno == EINTR || errno == EINPROGRESS))
        result = finish_connect(fd, limit_ms);
    if (result == 0 && limit_ms > 0)
        result = fcntl(fd, F_SETFL, flags); /* blocking again */
    return result;
}

/* A blocking call that reaches the connection's time limit fails with EAGAIN, "try again". Say what
 * happened instead. */
static int timeout_or_error(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        errno = ETIMEDOUT;
    return -1;
}

int sock_send(int fd, const void *data, size_t size)
{
    const char *next = data;
    size_t left = size;

    while (left > 0) {
        before(SOCK_SEND, fd, left, "");
        ssize_t sent = send(fd, next, left, SEND_FLAGS);
        after(SOCK_SEND, sent, "");

        if (sent >= 0) { /* perhaps not all: a signal or a full buffer cuts a send short */
            next += sent;
            left -= (size_t)sent;
        } else if (errno != EINTR) {
            return timeout_or_error();
        }
    }
    return 0;
}

ssize_t sock_recv(int fd, void *buffer, size_t room)
{
    ssize_t got;

    do {
        before(SOCK_RECV, fd, room, "");
        got = recv(fd, buffer, room, 0);
        after(SOCK_RECV, got, "");
    } while (got == -1 && errno == EINTR);
    return got == -1 ? timeout_or_error() : got;
}

ssize_t sock_recv_all(int fd, void *buffer, size_t size)
{
    char *start = buffer;
    size_t have = 0;

    while (have < size) {
        ssize_t got = sock_recv(fd, start + have, size - have);

        if (got == -1)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

int sock_close(int fd)
{
    /* Not repeated on EINTR: the descriptor is gone by then on every system we know, and its number
     * may already be somebody else's. (POSIX.1-2008 leaves it open.) */
    before(SOCK_CLOSE, fd, 0, "");
    int result = close(fd);
    after(SOCK_CLOSE, result, "");
    return result;
}

int sock_local_address(int fd, struct sock_address *local)
{
    local->length = sizeof local->ss;
    if (getsockname(fd, (struct sockaddr *)&local->ss, &local->length) == -1)
        return -1;
    name(local);
    return 0;
}

int sock_limit(int connection, int limit_ms)
{
    struct timeval limit = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000};

    if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == -1)
        return -1;
    return setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}
