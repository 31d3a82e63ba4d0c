/* sock.h describes what each function does. */
#include "sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct sock_narrator *sock_narrator = NULL;

/* For -v, each call from socket to close stands between before(), which takes its arguments as
 * printf does, and after(). At first you can read as if these two were not there. */
static void before(const char *call, const char *format, ...)
{
    char arguments[120];
    va_list values;

    if (sock_narrator == NULL)
        return;
    va_start(values, format);
    vsnprintf(arguments, sizeof arguments, format, values);
    va_end(values);
    sock_narrator->before(call, arguments);
}

static void after(ssize_t result, const char *address)
{
    int error = errno; /* the caller still needs it */

    if (sock_narrator != NULL)
        sock_narrator->after(result, address);
    errno = error;
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
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

int sock_resolve(const char *host, uint16_t port, struct sock_addresses *addresses)
{
    /* AF_UNSPEC means IPv4 or IPv6; AI_NUMERICSERV means that the port is a number, not a name. */
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all, *next;
    char service[6];

    snprintf(service, sizeof service, "%d", port);
    int error = getaddrinfo(host, service, &hints, &all);
    if (error != 0)
        return error;

    /* Each address that getaddrinfo gives is complete: it has the family (AF_INET), the port in
     * network byte order (high byte first, as from htons), and the IP (as from inet_pton). */
    addresses->count = 0;
    for (next = all; next != NULL && addresses->count < SOCK_MAX_ADDRESSES; next = next->ai_next) {
        struct sock_address *address = &addresses->list[addresses->count++];

        memcpy(&address->storage, next->ai_addr, next->ai_addrlen);
        address->length = next->ai_addrlen;
        write_text(address);
    }
    freeaddrinfo(all);
    return 0;
}

int sock_create(int family)
{
    before("socket", "%s, SOCK_STREAM, 0", family == AF_INET6 ? "AF_INET6" : "AF_INET");
    int fd = socket(family, SOCK_STREAM, 0); /* 0: the usual protocol of streams, which is TCP */
    after(fd, "");
    return fd;
}

int sock_bind(int fd, const struct sock_address *local)
{
    /* If you stop a server while a client is connected, and start it again, bind fails with
     * EADDRINUSE, unless SO_REUSEADDR is set. The reason is that the end which closes first
     * remembers the connection (TIME_WAIT; on Linux for a minute), in case some packets arrive
     * late. */
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
        return -1;
    /* Let a server on [::] (all addresses) take IPv4 clients too. OpenBSD keeps it to IPv6. */
    if (local->storage.ss_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);

    before("bind", "%d, %s", fd, local->text);
    int result = bind(fd, (const struct sockaddr *)&local->storage, local->length);
    after(result, "");
    return result;
}

int sock_listen(int fd, int backlog)
{
    before("listen", "%d, %d", fd, backlog);
    int result = listen(fd, backlog);
    after(result, "");
    return result;
}

int sock_accept(int listener, struct sock_address *client)
{
    int fd;

    /* EINTR: a signal interrupted the wait, one that the program handles. (This server handles
     * none, but yours may.) ECONNABORTED: a client reset its connection before its turn. (On Linux,
     * accept succeeds then, and recv fails.) Neither is a reason to give up. */
    do {
        /* You say how much room there is for the address; accept says how much it used. */
        client->length = sizeof client->storage;
        before("accept", "%d", listener);
        fd = accept(listener, (struct sockaddr *)&client->storage, &client->length);
        if (fd != -1)
            write_text(client);
        after(fd, fd != -1 ? client->text : "");
    } while (fd == -1 && (errno == EINTR || errno == ECONNABORTED));

    /* TCP holds a small piece of data back until the peer has acknowledged the one before (Nagle's
     * algorithm), and the peer may delay its acknowledgement, on Linux by 40 ms. With TCP_NODELAY
     * each echo leaves at once. (Our client does without: it waits for each echo anyway.) */
    if (fd != -1)
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

/* Wait until an attempt to connect has ended (the socket is writable), and fetch its result. */
static int finish_connect(int fd)
{
    struct pollfd attempt = {.fd = fd, .events = POLLOUT};
    int error;
    socklen_t size = sizeof error;

    while (poll(&attempt, 1, -1) == -1)
        if (errno != EINTR)
            return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

int sock_connect(int fd, const struct sock_address *server)
{
    before("connect", "%d, %s", fd, server->text);
    int result = connect(fd, (const struct sockaddr *)&server->storage, server->length);
    after(result, "");

    /* A signal ends our wait, but not the attempt, so connect must not be called again. */
    if (result == -1 && errno == EINTR)
        return finish_connect(fd);
    return result;
}

int sock_send(int fd, const void *data, size_t size)
{
    const char *start = data;
    size_t done = 0;

    while (done < size) {
        before("send", "%d, %zu bytes", fd, size - done);
        /* Without MSG_NOSIGNAL, a send after a reset would end the program, by SIGPIPE. */
        ssize_t sent = send(fd, start + done, size - done, MSG_NOSIGNAL);
        after(sent, "");

        if (sent == -1 && errno != EINTR)
            return -1;
        if (sent != -1)
            done += (size_t)sent; /* perhaps a short write: a signal can end send early */
    }
    return 0;
}

ssize_t sock_recv(int fd, void *buffer, size_t room)
{
    ssize_t got;

    do {
        before("recv", "%d, room %zu", fd, room);
        got = recv(fd, buffer, room, 0);
        after(got, "");
    } while (got == -1 && errno == EINTR); /* a signal came before any byte did */
    return got;
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
    /* Never repeated, not even after EINTR. POSIX.1-2008 does not say whether fd is still open
     * then, but on most systems it is not, and its number may already belong to another file. */
    before("close", "%d", fd);
    int result = close(fd);
    after(result, "");
    return result;
}

int sock_local_address(int fd, struct sock_address *local)
{
    local->length = sizeof local->storage;
    if (getsockname(fd, (struct sockaddr *)&local->storage, &local->length) == -1)
        return -1;
    write_text(local);
    return 0;
}
