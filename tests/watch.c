/* With watch, a program tells each call of the flow on stderr: the number of its step and the call
 * before it is made, and then the result. `make watch` compiles src once more, with
 * -Dsocket=watch_socket and so on for each function here: where a source says socket, watch_socket
 * is called. */
#define _POSIX_C_SOURCE 200809L
#include "symbol.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int step;       /* where in the flow the program is */
static bool is_client; /* only a client calls connect; its later steps have other numbers */

/* Until now there is no newline, since the call may have waited. */
static ssize_t after(ssize_t result, const char *address)
{
    int error = errno; /* sock still needs it */

    if (result == -1)
        fprintf(stderr, " = -1 %s (%s)\n", symbol(error), strerror(error));
    else
        fprintf(stderr, " = %zd%s%s\n", result, *address != '\0' ? "  " : "", address);
    errno = error;
    return result;
}

static const char *text(const struct sockaddr *address, socklen_t length)
{
    static char written[100];
    char ip[80] = "?", port[6] = "?";

    getnameinfo(address, length, ip, sizeof ip, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(
        written, sizeof written, address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", ip, port);
    return written;
}

int watch_socket(int family, int type, int protocol)
{
    const char *name = family == AF_INET ? "AF_INET" : family == AF_INET6 ? "AF_INET6" : "AF_?";

    fprintf(stderr, "[%d] socket(%s, %s, %d)", step = 1, name,
        type == SOCK_STREAM ? "SOCK_STREAM" : "SOCK_?", protocol);
    return (int)after(socket(family, type, protocol), "");
}

/* Before bind this belongs to step 2, and later to the step that has begun. */
int watch_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
#define OPTION(level, name) level, name, #name
    static const struct {
        int level, option;
        const char *name;
    } known[] = {{OPTION(SOL_SOCKET, SO_REUSEADDR)}, {OPTION(SOL_SOCKET, SO_KEEPALIVE)},
        {OPTION(SOL_SOCKET, SO_LINGER)}, {OPTION(SOL_SOCKET, SO_RCVTIMEO)},
        {OPTION(SOL_SOCKET, SO_SNDTIMEO)}, {OPTION(IPPROTO_TCP, TCP_NODELAY)},
        {OPTION(IPPROTO_IPV6, IPV6_V6ONLY)}};
    const char *name = "another option";

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].level == level && known[i].option == option)
            name = known[i].name;
    if (step == 1)
        step = 2;
    fprintf(stderr, "[%d] setsockopt(%d, %s, ", step, fd, name);
    if (size == sizeof(int))
        fprintf(stderr, "%d)", *(const int *)value);
    else
        fprintf(stderr, "...)");
    return (int)after(setsockopt(fd, level, option, value, size), "");
}

int watch_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    fprintf(stderr, "[%d] bind(%d, %s)", step = 2, fd, text(address, length));
    return (int)after(bind(fd, address, length), "");
}

int watch_listen(int fd, int backlog)
{
    fprintf(stderr, "[%d] listen(%d, %d)", step = 3, fd, backlog);
    return (int)after(listen(fd, backlog), "");
}

int watch_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    fprintf(stderr, "[%d] accept(%d)", step = 4, fd);
    int connection = accept(fd, address, length);
    return (int)after(
        connection, connection != -1 && address != NULL ? text(address, *length) : "");
}

int watch_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    is_client = true;
    fprintf(stderr, "[%d] connect(%d, %s)", step = 3, fd, text(address, length));
    return (int)after(connect(fd, address, length), "");
}

ssize_t watch_send(int fd, const void *data, size_t size, int flags)
{
    fprintf(stderr, "[%d] send(%d, %zu bytes)", step = is_client ? 4 : 5, fd, size);
    return after(send(fd, data, size, flags), "");
}

ssize_t watch_recv(int fd, void *buffer, size_t room, int flags)
{
    fprintf(stderr, "[%d] recv(%d, room %zu)", step = is_client ? 4 : 5, fd, room);
    return after(recv(fd, buffer, room, flags), "");
}

/* When connect has failed, its socket is closed in step 3. */
int watch_close(int fd)
{
    fprintf(stderr, "[%d] close(%d)", step = !is_client ? 6 : step == 3 ? 3 : 5, fd);
    return (int)after(close(fd), "");
}
