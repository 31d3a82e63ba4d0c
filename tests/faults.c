/* sock as programs under test may find it: with faults. The Makefile has this file included at the
 * top of server.c and of client.c, and here a macro takes the place of each call of sock that a
 * test lets fail. $FAIL_ACCEPT='EMFILE ok EBADF' makes the first call of sock_accept fail with
 * EMFILE, lets the second one work, and the third fail; after these, all work. (Nothing is static,
 * or a compiler would warn where the file stands alone.) */
#define _POSIX_C_SOURCE 200809L
#include "sock.h"
#include "symbol.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h> /* before sleep is a macro */

int number_of(const char *name)
{
    for (int error = 1; error < 200; error++)
        if (strcmp(symbol(error), name) == 0)
            return error;
    fprintf(stderr, "faults.c does not know %s\n", name);
    exit(2);
}

/* Returns whether the call is to fail now, and then errno says why. */
bool fails(const char *variable)
{
    const char *faults = getenv(variable);
    char first[20] = "", rest[80] = "";

    if (faults == NULL || sscanf(faults, "%19s%79[^\n]", first, rest) < 1)
        return false;
    setenv(variable, rest, 1);
    if (strcmp(first, "ok") == 0)
        return false;
    errno = number_of(first);
    return true;
}

/* The host "two" has two addresses, ::1 and 127.0.0.1, as localhost has on many machines. */
int resolve(const char *host, uint16_t port, struct sock_addresses *addresses)
{
    struct sock_addresses other;

    if (strcmp(host, "two") != 0)
        return sock_resolve(host, port, addresses);
    sock_resolve("127.0.0.1", port, &other);
    sock_resolve("::1", port, addresses);
    addresses->list[addresses->count++] = other.list[0];
    return 0;
}

/* A pause is told, and not made: so a test of it does not wait. */
unsigned tell_pause(unsigned seconds)
{
    fprintf(stderr, "sleep(%u)\n", seconds);
    return 0;
}

/* (Within its own expansion, the name of a macro is the function.) */
#define sock_resolve(host, port, addresses) resolve(host, port, addresses)
#define sock_create(family)                 (fails("FAIL_CREATE") ? -1 : sock_create(family))
#define sock_listen(fd, backlog)            (fails("FAIL_LISTEN") ? -1 : sock_listen(fd, backlog))
#define sock_local_address(fd, local) \
    (fails("FAIL_LOCAL_ADDRESS") ? -1 : sock_local_address(fd, local))
#define sock_accept(listener, client) (fails("FAIL_ACCEPT") ? -1 : sock_accept(listener, client))
#define sock_send_all(fd, data, size) (fails("FAIL_SEND") ? -1 : sock_send_all(fd, data, size))
#define sleep(seconds)                tell_pause(seconds)
