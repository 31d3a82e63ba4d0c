/* sock as programs under test may find it: with faults. The Makefile has this file included at the
 * top of server.c and of client.c, and here a macro takes the place of each call of sock that a
 * test lets fail. $FAIL_ACCEPT='EMFILE ok EBADF' makes the first call of sock_accept fail with
 * EMFILE, lets the second one work, and the third fail; after these, all work. "ctrl-c" is what a
 * person presses: after a recv, recv_all or close, and before any other call. (Nothing is static,
 * or a compiler would warn where the file stands alone.) */
#include "console.h"
#include "sock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns whether the call is to fail now, and then errno says why. */
bool fails(const char *variable)
{
    const char *faults = getenv(variable);
    char first[20] = "", rest[80] = "";
    int error = 1;

    if (faults == NULL || sscanf(faults, "%19s%79[^\n]", first, rest) < 1)
        return false;
    setenv(variable, rest, 1);
    if (strcmp(first, "ctrl-c") == 0)
        return raise(SIGINT) != 0; /* it is 0: the call itself works */
    if (strcmp(first, "ok") == 0)
        return false;
    while (strcmp(first, console_symbol(error)) != 0)
        if (++error > 200)
            console_die("no error has the name", first);
    errno = error;
    return true;
}

/* Returns the result of a call that was made, or -1 if it is to fail. (After close, the descriptor
 * is closed even then.) */
ssize_t unless_fails(const char *variable, ssize_t result)
{
    return fails(variable) ? -1 : result;
}

/* The host "two" has two addresses, ::1 and 127.0.0.1, as localhost has on many machines; "many"
 * has as many as a list has room for. */
int resolve(const char *host, uint16_t port, struct sock_addresses *addresses)
{
    struct sock_addresses other;
    bool many = strcmp(host, "many") == 0;

    if (!many && strcmp(host, "two") != 0)
        return sock_resolve(host, port, addresses);
    sock_resolve("127.0.0.1", port, &other);
    sock_resolve("::1", port, addresses);
    while (addresses->count < (many ? SOCK_MAX_ADDRESSES : 2))
        addresses->list[addresses->count++] = other.list[0];
    return 0;
}

/* (Within its own expansion, the name of a macro is the function.) */
#define sock_resolve(host, port, addresses) resolve(host, port, addresses)
#define sock_create(family)                 (fails("FAIL_CREATE") ? -1 : sock_create(family))
#define sock_listen(fd, backlog)            (fails("FAIL_LISTEN") ? -1 : sock_listen(fd, backlog))
#define sock_local_address(fd, local) \
    (fails("FAIL_LOCAL_ADDRESS") ? -1 : sock_local_address(fd, local))
#define sock_accept(listener, client) (fails("FAIL_ACCEPT") ? -1 : sock_accept(listener, client))
#define sock_send(fd, data, size)     (fails("FAIL_SEND") ? -1 : sock_send(fd, data, size))
#define sock_recv(fd, buffer, room)   unless_fails("FAIL_RECV", sock_recv(fd, buffer, room))
#define sock_recv_all(fd, buffer, size) \
    unless_fails("FAIL_RECV_ALL", sock_recv_all(fd, buffer, size))
#define sock_close(fd) unless_fails("FAIL_CLOSE", sock_close(fd))
