/* sock: the calls of the TCP flow, one function for each, with the errno handling that a bare call
 * lacks. Nothing here prints or exits: a function says -1, errno says why, the program decides.
 *
 *     server   create  bind  listen  accept   recv / send   close
 *     client   create  connect                send / recv   close
 *
 * The peer is the program at the other end. The handshake is the exchange of packets that makes a
 * connection. A peer that has no more to send finishes, and recv returns 0; one that breaks the
 * connection off resets it, and what was under way may be lost.
 *
 * All sockets are TCP sockets that block: a call waits until it can do its work. Each call is
 * specified in POSIX.1-2008 under its bare name, and described in section 2 of the Linux manual.
 * They may also fail with EBADF, ENOTSOCK, EISCONN or ENOTCONN: mistakes in the program. */
#ifndef SOCK_H
#define SOCK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* An address and port, of IPv4 or IPv6; text is for people: 127.0.0.1:9999, [::1]:9999.
 * ss is for the calls: they take a struct sockaddr *, the common head of all families, so a cast
 * is due. The port in it is in network byte order; sock_resolve has seen to that (htons). */
struct sock_address {
    struct sockaddr_storage ss; /* large enough for any family */
    socklen_t length;           /* how much of ss is in use, in bytes */
    char text[80];
};

/* Look up host ("127.0.0.1", "::1", "localhost") for TCP, and put its addresses, with port, into
 * list, room (not 0) entries at most. *found says how many: at least 1 on success.
 * Returns 0, or a code for gai_strerror() (EAI_NONAME: no such host), which is not an errno; only
 * with EAI_SYSTEM does errno say more. See getaddrinfo(3), RFC 6724 for the order. */
int sock_resolve(
    const char *host, uint16_t port, struct sock_address *list, size_t room, size_t *found);

/* Make a TCP socket of this family (AF_INET or AF_INET6, an address's ss.ss_family).
 * Returns its descriptor, which the caller closes with sock_close; or -1: EAFNOSUPPORT (no such
 * family on this machine), EMFILE or ENFILE (no descriptor left), ENOBUFS or ENOMEM. */
int sock_create(int family);

/* Give the socket fd its local address; port 0 lets the kernel choose one.
 * Returns 0; or -1: EADDRINUSE, EADDRNOTAVAIL (not an address of this machine), EACCES (a port
 * below 1024 without the right to it), EINVAL (bound already, or an fe80:: address without its
 * %interface). */
int sock_bind(int fd, const struct sock_address *local);

/* Make the bound socket fd a listener: from now on the kernel completes handshakes by itself, and
 * up to about backlog connections wait for sock_accept (the kernel may cap it without a word).
 * Returns 0; or -1: EADDRINUSE (another listener came first, though bind let both pass), EINVAL
 * (fd is connected already). */
int sock_listen(int fd, int backlog);

/* Take the next waiting connection off the listener's queue; wait if there is none. *client gets
 * the address of the other end. Interruptions, and clients that left while they queued, are passed
 * over.
 * Returns a new descriptor for this one connection, which the caller closes; the listener stays
 * as it was. Or -1: EMFILE or ENFILE, ENOBUFS or ENOMEM, on Linux also pending network errors
 * (accept(2) lists them), all of which may pass; or EINVAL (not a listener). */
int sock_accept(int listener, struct sock_address *client);

/* Connect the socket fd, which must be new, to the server; give up after limit_ms milliseconds
 * (0: when the kernel does, after minutes). A signal that the program handles starts them anew.
 * Returns 0; or -1: ECONNREFUSED (nobody listens there), ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
 * ECONNRESET, EADDRNOTAVAIL (no local port left), EACCES or EPERM (a firewall forbids it), EINVAL
 * (fe80:: again). After -1 close fd: POSIX does not say what state it is in, so another try needs
 * another socket. */
int sock_connect(int fd, const struct sock_address *server, int limit_ms);

/* Hand all size bytes of data to the kernel. 0 does not mean that they have arrived.
 * Returns 0; or -1 when the rest could not go: EPIPE (this side can send no more: the connection
 * was reset or shut down before), ECONNRESET (the peer reset it just now), ETIMEDOUT
 * (sock_limit's, or TCP's own patience), EHOSTUNREACH (the way there broke). Nobody can tell then
 * how much arrived. Never raises SIGPIPE. */
int sock_send(int fd, const void *data, size_t size);

/* Wait until bytes are there, and put what has come, room bytes at most, into buffer. How many
 * come at once says nothing about how they were sent: TCP keeps the order, not the pieces.
 * Returns their number; 0 when the peer has finished sending (it may still be reading!);
 * or -1: ECONNRESET, ETIMEDOUT (sock_limit's, or TCP's own patience), EHOSTUNREACH
 * (the way there broke).
 * room must not be 0: the result would be 0 as well, and mean nothing. */
ssize_t sock_recv(int fd, void *buffer, size_t room);

/* As sock_recv, but go on until all size bytes are there.
 * Returns how many came: fewer than size only if the peer finished sending before; or -1. */
ssize_t sock_recv_all(int fd, void *buffer, size_t size);

/* Give the descriptor back. The kernel still delivers what was sent, unless bytes that we never
 * received are waiting: then it resets the connection.
 * Returns 0; or -1: EIO, EINTR, on FreeBSD also ECONNRESET. The descriptor is gone either way, so
 * never call it twice. */
int sock_close(int fd);

/* Put the address that fd is bound to into *local: how one learns what port 0 became.
 * Returns 0; or -1: ENOBUFS. (The call is getsockname.) */
int sock_local_address(int fd, struct sock_address *local);

/* Let no send or receive on this connection wait longer than limit_ms milliseconds for a byte to
 * move (0: for ever); they fail with ETIMEDOUT then. It limits silence and is no deadline: each
 * byte, and each signal (on Linux, Ctrl-Z and fg too), starts it anew; a blocked send may take
 * twice as long. Do not set it on a listener: what it accepts would inherit it.
 * Returns 0; or -1: EINVAL, EDOM. (The options are SO_RCVTIMEO and SO_SNDTIMEO of setsockopt.) */
int sock_limit(int connection, int limit_ms);

/* Narration. While these are set, each of the eight calls is announced before it is made, and its
 * result told after it, with errno as the call left it. amount is the family for SOCK_CREATE, the
 * backlog for SOCK_LISTEN, else a number of bytes; address is "" where there is none. */
enum sock_call {
    SOCK_CREATE,
    SOCK_BIND,
    SOCK_LISTEN,
    SOCK_ACCEPT,
    SOCK_CONNECT,
    SOCK_SEND,
    SOCK_RECV,
    SOCK_CLOSE
};
struct sock_narrator {
    void (*before)(enum sock_call call, int fd, size_t amount, const char *address);
    void (*after)(enum sock_call call, ssize_t result, const char *address);
};
extern const struct sock_narrator *sock_narrator; /* NULL: no narration */

#endif
