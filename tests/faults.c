/* The wrapper module as programs under test may find it: with faults. $FAIL_CREATE and its like
 * hold the errnos with which the next calls of that function fail, before it works; 0 is Ctrl-C,
 * before a send and after a receive or a close; -1 lets one call work. And the host
 * "two" has two addresses, ::1 and 127.0.0.1, as localhost has on many machines; "many" has as many
 * as a list has room for. (In these programs, sock_create is fault_create, and so on: see FAULTS in
 * the Makefile.) */
#include "sock.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Returns -1 if it is to fail now, with errno set, else 0. */
static int fails(const char *variable)
{
    const char *value = getenv(variable);
    char left[100] = "", *next;
    long error;

    if (value != NULL)
        strncpy(left, value, sizeof left - 1);
    error = strtol(left, &next, 10);
    if (next == left)
        return 0;
    setenv(variable, next, 1);
    errno = (int)error;
    return error == -1 ? 0 : -1;
}

int fault_create(int family)
{
    return fails("FAIL_CREATE") == -1 ? -1 : sock_create(family);
}

int fault_listen(int fd, int backlog)
{
    return fails("FAIL_LISTEN") == -1 ? -1 : sock_listen(fd, backlog);
}

int fault_local_address(int fd, struct sock_address *local)
{
    return fails("FAIL_LOCAL_ADDRESS") == -1 ? -1 : sock_local_address(fd, local);
}

int fault_accept(int listener, struct sock_address *client)
{
    return fails("FAIL_ACCEPT") == -1 ? -1 : sock_accept(listener, client);
}

int fault_send(int fd, const void *data, size_t size)
{
    if (fails("FAIL_SEND") == -1) {
        if (errno != 0)
            return -1;
        raise(SIGINT);
    }
    return sock_send(fd, data, size);
}

ssize_t fault_recv(int fd, void *buffer, size_t room)
{
    ssize_t got = sock_recv(fd, buffer, room);

    if (fails("FAIL_RECV") == -1)
        raise(SIGINT);
    return got;
}

ssize_t fault_recv_all(int fd, void *buffer, size_t size)
{
    ssize_t got = sock_recv_all(fd, buffer, size);

    if (fails("FAIL_RECV_ALL") == -1)
        raise(SIGINT);
    return got;
}

int fault_close(int fd)
{
    int result = sock_close(fd);

    if (fails("FAIL_CLOSE") == -1) {
        if (errno != 0)
            return -1; /* it is closed even then */
        raise(SIGINT);
    }
    return result;
}

int fault_resolve(const char *host, uint16_t port, struct sock_addresses *addresses)
{
    struct sock_addresses first;
    bool many = strcmp(host, "many") == 0;

    if (!many && strcmp(host, "two") != 0)
        return sock_resolve(host, port, addresses);
    sock_resolve("::1", port, &first);
    sock_resolve("127.0.0.1", port, addresses);
    addresses->count = many ? SOCK_MAX_ADDRESSES : 2;
    for (size_t i = 1; i < addresses->count; i++)
        addresses->list[i] = addresses->list[0];
    addresses->list[0] = first.list[0];
    return 0;
}
