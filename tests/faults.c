/* sock as programs under test may find it: with faults. $FAIL_ACCEPT='EMFILE ok EBADF' makes the
 * first call of sock_accept fail with EMFILE, lets the second one work, and the third fail; after
 * these, all work. "ctrl-c" is what a person presses: after a recv, recv_all or close, and before
 * any other call. The host "two" has two addresses, ::1 and 127.0.0.1, as localhost has on many
 * machines; "many" has as many as a list has room for. (In these programs, sock_create is
 * fault_create, and so on: see FAULTS in the Makefile.) */
#include "console.h"
#include "sock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns whether the call is to fail now, and then errno says why. */
static bool fails(const char *variable)
{
    const char *faults = getenv(variable);
    char first[20] = "", rest[80] = "";
    int error = 1;

    if (faults == NULL || sscanf(faults, "%19s%79[^\n]", first, rest) < 1)
        return false;
    setenv(variable, rest, 1);
    if (strcmp(first, "ctrl-c") == 0)
        return raise(SIGINT) != 0;
    if (strcmp(first, "ok") == 0)
        return false;
    while (strcmp(first, console_symbol(error)) != 0)
        if (++error > 200)
            abort(); /* it is not the name of an error */
    errno = error;
    return true;
}

int fault_create(int family)
{
    return fails("FAIL_CREATE") ? -1 : sock_create(family);
}

int fault_listen(int fd, int backlog)
{
    return fails("FAIL_LISTEN") ? -1 : sock_listen(fd, backlog);
}

int fault_local_address(int fd, struct sock_address *local)
{
    return fails("FAIL_LOCAL_ADDRESS") ? -1 : sock_local_address(fd, local);
}

int fault_accept(int listener, struct sock_address *client)
{
    return fails("FAIL_ACCEPT") ? -1 : sock_accept(listener, client);
}

int fault_send(int fd, const void *data, size_t size)
{
    return fails("FAIL_SEND") ? -1 : sock_send(fd, data, size);
}

ssize_t fault_recv(int fd, void *buffer, size_t room)
{
    ssize_t got = sock_recv(fd, buffer, room);

    return fails("FAIL_RECV") ? -1 : got;
}

ssize_t fault_recv_all(int fd, void *buffer, size_t size)
{
    ssize_t got = sock_recv_all(fd, buffer, size);

    return fails("FAIL_RECV_ALL") ? -1 : got;
}

int fault_close(int fd)
{
    int result = sock_close(fd);

    return fails("FAIL_CLOSE") ? -1 : result; /* it is closed even then */
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
