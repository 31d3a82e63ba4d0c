/* sock talks to the network. It has one function for each call of the TCP flow: sock_create() makes
 * the call socket(), sock_bind() makes bind(), and so on. POSIX.1-2008 describes these calls, and
 * so does section 2 of the manual. Each comment says what its function adds to the call (accept,
 * send and recv also go on after a signal). There are also two loops, sock_send_all and
 * sock_recv_all, and two helpers for addresses.
 *
 *     server   create  bind  listen  accept   recv / send   close
 *     client   create  connect                send / recv   close
 *
 * Some words of TCP. The peer is the program at the other end. The handshake is the three packets
 * that set a connection up. A peer finishes when its close() or shutdown() says that it sends no
 * more (a FIN packet): you receive the rest, and then recv returns 0. Each direction of a
 * connection finishes by itself. A peer resets when it breaks the connection off (an RST packet):
 * what is on its way may be lost.
 *
 * All sockets here block: a call waits until it can do its work. Nothing here prints or exits. A
 * call that fails returns -1, and errno says why. The errnos that you are likely to meet are
 * listed; the manual has the rest.
 *
 * For larger programs (you can skip this now). Threads: all functions here are safe; but for each
 * connection let one thread receive and one send, and shut it down (shutdown(), which wakes both)
 * and join them before you close it. Signals: accept, send and recv go on after a signal handler
 * (EINTR), so a handler that only sets a flag does not stop them; let it also call shutdown(fd,
 * SHUT_RDWR) (for a listener on Linux only: accept then fails with EINVAL). Time limits
 * (SO_RCVTIMEO, SO_SNDTIMEO): a call then fails with EAGAIN, connect with EINPROGRESS, and each
 * signal starts its wait anew. Children, and programs that they start, inherit the descriptors. */
#ifndef SOCK_H
#define SOCK_H

#include <stdint.h>
#include <sys/socket.h>

/* The address of one end: family (AF_INET for IPv4, AF_INET6 for IPv6), port and IP. For IPv4, this
 * is how you would fill in its storage (htons puts the high byte first: the order of the network):
 *     struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9999)};
 *     inet_pton(AF_INET, "127.0.0.1", &a.sin_addr); */
struct sock_address {
    struct sockaddr_storage storage; /* large enough for each family; ss_family says which it is */
    socklen_t length;                /* the bytes of storage that this address uses */
    char text[80];                   /* for people: 127.0.0.1:9999 or [::1]:9999 */
};

/* Make a TCP socket. The family is that of the address which you will pass to sock_bind or
 * sock_connect. Returns its descriptor, which you must close with sock_close. Or -1: EAFNOSUPPORT
 * (this machine lacks that family), EMFILE or ENFILE (no descriptor is left). */
int sock_create(int family);

/* Give the socket fd its local address. For port 0, the kernel chooses one. First, this sets
 * SO_REUSEADDR, so that a server can soon start again, and switches IPV6_V6ONLY off, so that a
 * server on [::] (all addresses) takes IPv4 clients as well. Returns 0. Or -1: EADDRINUSE (another
 * socket listens on this port, or is bound to it without SO_REUSEADDR), EADDRNOTAVAIL (this machine
 * lacks the address), EACCES (a port below 1024 may need a privilege), EINVAL or ENODEV (an address
 * like fe80::1 needs its interface: fe80::1%eth0). */
int sock_bind(int fd, const struct sock_address *local);

/* Make the bound socket fd a listener. From now on the kernel completes handshakes by itself. About
 * backlog connections can wait in its queue to be accepted; SOMAXCONN asks for many, and the kernel
 * lowers what is too high. When the queue is full, clients wait in connect, or believe that they
 * are connected, and wait in recv. Returns 0. Or -1: EADDRINUSE (with SO_REUSEADDR two programs can
 * bind the same port, but only the first can listen). */
int sock_listen(int fd, int backlog);

/* Take the connection that has waited longest in the listener's queue; if there is none, wait for
 * one. The listener itself stays as it is. *client receives the address of the client's end. The
 * new socket gets TCP_NODELAY (small pieces leave at once) and SO_KEEPALIVE (when nothing has come
 * for two hours, the kernel asks whether the peer is still there). If a connection was reset before
 * its turn, Linux returns it, and its recv fails; elsewhere it is skipped. Returns a new
 * descriptor, for this one connection, which you must close with sock_close. Or -1: EMFILE or
 * ENFILE (no descriptor is left); on Linux also errors of the network. They may end: try again. */
int sock_accept(int listener, struct sock_address *client);

/* Connect the new socket fd to the server. This waits until the handshake is complete, which may
 * take minutes if nothing answers. Returns 0. Or -1: ECONNREFUSED (nothing listens there),
 * ETIMEDOUT (nothing answers), EHOSTUNREACH or ENETUNREACH (no way leads there, or a firewall says
 * so), EADDRNOTAVAIL (no local port is left), EINVAL (fe80::1 needs its interface), EACCES or EPERM
 * (it is forbidden), EINTR (a signal handler ended the wait). After -1, close fd, even if the
 * attempt goes on: a new attempt needs a new socket. */
int sock_connect(int fd, const struct sock_address *server);

/* Hand size bytes to the kernel (at most SSIZE_MAX). This waits while it has no room for them.
 * Returns how many it has taken: perhaps fewer (a signal can end the wait), and perhaps they have
 * not arrived. If the peer has closed, this send works: a reset comes back, and later sends fail.
 * Or -1: EPIPE or ECONNRESET (the connection was reset, or this end was shut down), ETIMEDOUT or
 * EHOSTUNREACH (the peer is out of reach). It never raises SIGPIPE, which would end the program. */
ssize_t sock_send(int fd, const void *data, size_t size);

/* Wait until bytes have come, and put up to room of them into the buffer (room: at least 1). TCP
 * keeps the bytes in order, but not the pieces in which they were sent: one recv may return a part
 * of what one send took, or the bytes of several. If the peer is silent, this waits. Returns how
 * many came; 0 when the peer has finished; or -1, as sock_send: ECONNRESET, ETIMEDOUT,
 * EHOSTUNREACH. (After such an error, and after your own shutdown, it returns 0, too.) */
ssize_t sock_recv(int fd, void *buffer, size_t room);

/* Send as sock_send does, again and again, until the kernel has taken all size bytes. Returns 0; or
 * -1, as sock_send, and then you cannot know how many bytes it has taken. */
int sock_send_all(int fd, const void *data, size_t size);

/* Receive as sock_recv does, again and again, until all size bytes have come. Returns how many
 * came, fewer than size only if recv returned 0 before; or -1, as sock_recv, and you cannot know
 * how many came. */
ssize_t sock_recv_all(int fd, void *buffer, size_t size);

/* Give the descriptor back. The kernel goes on to deliver what was sent. But if bytes that you
 * never received are waiting, Linux resets the connection instead of finishing it. Returns 0; or
 * -1: EIO, EINTR. Do not close fd again, even then: on Linux it is gone. */
int sock_close(int fd);

/* The addresses of one host. Of more than 16, the list has only the first ones. */
enum { SOCK_MAX_ADDRESSES = 16 };
struct sock_addresses {
    size_t count;
    struct sock_address list[SOCK_MAX_ADDRESSES];
};

/* Look up a host ("127.0.0.1", "::1", "localhost") and fill in its addresses, each with this port
 * (a plain number: 9999). Those that the system prefers come first. See getaddrinfo(3). Returns 0,
 * and there is at least one address. Otherwise returns an error code, which is not an errno:
 * gai_strerror() tells its meaning. (If it is EAI_SYSTEM, then errno says why.) */
int sock_resolve(const char *host, uint16_t port, struct sock_addresses *addresses);

/* Find out which local address the socket fd has, for instance which port the kernel chose for 0.
 * Returns 0, or -1. (The call is getsockname().) */
int sock_local_address(int fd, struct sock_address *local);

#endif
