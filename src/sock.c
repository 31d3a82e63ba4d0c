/* sock.h describes what each function does. */
#define _POSIX_C_SOURCE 200809L /* makes the headers declare POSIX too, not only standard C */
#include "sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_text(struct sock_address *address);

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

int sock_create(int family)
{
    return socket(family, SOCK_STREAM, 0); /* 0: the usual protocol of streams, which is TCP */
}

int sock_bind(int fd, const struct sock_address *local)
{
    /* If you stop a server while a client is connected, and start it again, bind fails with
     * EADDRINUSE, unless this option is set. The reason is that the end which closes first
     * remembers the connection (TIME_WAIT; on Linux for a minute), in case some packets arrive
     * late. */
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
        return -1;
    /* If this fails (on OpenBSD), go on: [::] is then for IPv6 only. */
    if (local->storage.ss_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);

    /* For bind, an address of any family is a struct sockaddr: all begin with the family. */
    return bind(fd, (const struct sockaddr *)&local->storage, local->length);
}

int sock_listen(int fd, int backlog)
{
    return listen(fd, backlog);
}

int sock_accept(int listener, struct sock_address *client)
{
    int fd;

    /* Two errors are no reason to give up. EINTR: a signal for which the program has a handler
     * interrupted the wait. (This server has none, but yours may.) ECONNABORTED: a client reset its
     * connection before its turn. (On Linux, accept succeeds then, and recv fails.) */
    do {
        /* You say how much room there is for the address; accept says how much it used. */
        client->length = sizeof client->storage;
        /* macOS may fill in no address, if the client has left: then do not show an older one. */
        client->storage.ss_family = AF_UNSPEC;
        fd = accept(listener, (struct sockaddr *)&client->storage, &client->length);
    } while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));
    if (fd == -1)
        return -1;

    /* Without TCP_NODELAY, TCP holds a small piece back until the one before is acknowledged, on
     * Linux for up to 40 ms (Nagle's algorithm). Without SO_KEEPALIVE, a client whose machine has
     * vanished would hold the server forever. If one fails, the connection still works. */
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    write_text(client);
    return fd;
}

int sock_connect(int fd, const struct sock_address *server)
{
    /* Not repeated after EINTR: the attempt goes on, and a second connect may fail (EALREADY). */
    return connect(fd, (const struct sockaddr *)&server->storage, server->length);
}

ssize_t sock_send(int fd, const void *data, size_t size)
{
    ssize_t sent;

    do {
        /* Without MSG_NOSIGNAL, a send after a reset would end the program, by SIGPIPE. */
        sent = send(fd, data, size, MSG_NOSIGNAL);
    } while (sent == -1 && errno == EINTR); /* a signal came before any byte was taken */
    return sent;
}

ssize_t sock_recv(int fd, void *buffer, size_t room)
{
    ssize_t got;

    do {
        got = recv(fd, buffer, room, 0);
    } while (got == -1 && errno == EINTR); /* a signal came before any byte did */
    return got;
}

int sock_send_all(int fd, const void *data, size_t size)
{
    const char *start = data;
    size_t done = 0;

    while (done < size) {
        ssize_t sent = sock_send(fd, start + done, size - done);

        if (sent == -1)
            return -1;
        done += (size_t)sent; /* perhaps a short write: a signal came after some bytes */
    }
    return 0;
}

ssize_t sock_recv_all(int fd, void *buffer, size_t size)
{
    char *start = buffer;
    size_t done = 0;

    while (done < size) {
        ssize_t got = sock_recv(fd, start + done, size - done);

        if (got == -1)
            return -1;
        if (got == 0)
            break; /* the peer has finished */
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int sock_close(int fd)
{
    /* Never repeated, not even after EINTR. POSIX.1-2008 does not say whether fd is still open
     * then, but on most systems it is not, and its number may already belong to another file. */
    return close(fd);
}

int sock_resolve(const char *host, uint16_t port, struct sock_addresses *addresses)
{
    /* What we look for: IPv4 or IPv6 (AF_UNSPEC), for TCP, and the port is a number, not a name. */
    struct addrinfo wanted = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all, *one;
    char service[6]; /* "65535" and its '\0' */

    snprintf(service, sizeof service, "%d", port);
    int error = getaddrinfo(host, service, &wanted, &all);
    if (error != 0)
        return error;

    /* Each address that getaddrinfo gives is complete: it has the family, the port in the order of
     * the network (as from htons), and the IP (as from inet_pton). */
    addresses->count = 0;
    for (one = all; one != NULL && addresses->count < SOCK_MAX_ADDRESSES; one = one->ai_next) {
        struct sock_address *address = &addresses->list[addresses->count++];

        memcpy(&address->storage, one->ai_addr, one->ai_addrlen);
        address->length = one->ai_addrlen;
        write_text(address);
    }
    freeaddrinfo(all);
    return 0;
}

int sock_local_address(int fd, struct sock_address *local)
{
    local->length = sizeof local->storage;
    if (getsockname(fd, (struct sockaddr *)&local->storage, &local->length) == -1)
        return -1;
    write_text(local);
    return 0;
}

/* Write the text of an address whose storage and length are filled in. */
static void write_text(struct sock_address *address)
{
    char ip[INET6_ADDRSTRLEN + 20], port[6]; /* 20: an IPv6 address may end in %interface */
    int error = getnameinfo((const struct sockaddr *)&address->storage, address->length, ip,
        sizeof ip, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);

    if (error != 0)
        snprintf(address->text, sizeof address->text, "(%s)", gai_strerror(error));
    else if (address->storage.ss_family == AF_INET6)
        snprintf(address->text, sizeof address->text, "[%s]:%s", ip, port);
    else
        snprintf(address->text, sizeof address->text, "%s:%s", ip, port);
}
