/* sock talks to the network. It has one function for each call of the TCP flow: sock_create() makes
 * the call socket(), and the others the call of their name, which POSIX.1-2008 and section 2 of the
 * manual describe. They add what the bare calls leave to you: to go on after a signal (EINTR), to
 * send the rest when only a part was taken, and a few socket options. There are three helpers, too:
 * sock_resolve, sock_recv_all and sock_local_address.
 *
 *     server   create  bind  listen  accept   recv / send   close
 *     client   create  connect                send / recv   close
 *
 * Some words of TCP. The peer is the program at the other end. The handshake is the three packets
 * that set a connection up. A peer finishes when it says that it sends no more (a FIN packet): you
 * receive the rest, and then recv returns 0. The two directions of a connection finish separately.
 * A peer resets when it breaks the connection off (an RST packet): what is on its way may be lost.
 *
 * All sockets here block: a call waits until it can do its work. Nothing here prints or exits. A
 * call that fails returns -1, and errno says why. The usual errnos are listed; any call may also
 * fail with ENOBUFS or ENOMEM, when the kernel has no memory left. */
#ifndef SOCK_H
#define SOCK_H

#include <stdint.h>
#include <sys/socket.h>

/* The address of one end: family, port and IP. For IPv4, this is how you would fill it in yourself
 * (tests/test_flow.c does; htons makes the high byte of the port the first):
 *     struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9999)};
 *     inet_pton(AF_INET, "127.0.0.1", &a.sin_addr); */
struct sock_address {
    struct sockaddr_storage storage; /* room for any family; bind takes it as a struct sockaddr */
    socklen_t length;                /* the bytes of storage that this address uses */
    char text[80];                   /* for people: 127.0.0.1:9999 or [::1]:9999 */
};

/* The addresses of one host. If it has more of them, the list has the first ones only. */
enum { SOCK_MAX_ADDRESSES = 16 };
struct sock_addresses {
    size_t count;
    struct sock_address list[SOCK_MAX_ADDRESSES];
};

/* Look up a host ("127.0.0.1", "::1", "localhost") and fill in its addresses, each with this port
 * (as you write it: 9999). Those that the system prefers come first. See getaddrinfo(3).
 * Returns 0, and there is at least one address. Otherwise returns an error code, which is not an
 * errno: gai_strerror() tells its meaning. (If it is EAI_SYSTEM, then errno says why.) */
int sock_resolve(const char *host, uint16_t port, struct sock_addresses *addresses);

/* Make a TCP socket. The family is AF_INET for IPv4 or AF_INET6 for IPv6: that of the address which
 * you will pass to sock_bind or sock_connect (storage.ss_family).
 * Returns its descriptor, which you must close with sock_close. Or -1: EAFNOSUPPORT (this machine
 * lacks that family), EMFILE or ENFILE (no descriptor is left). */
int sock_create(int family);

/* Set SO_REUSEADDR, and give the socket fd its local address. For port 0, the kernel chooses one.
 * Returns 0. Or -1: EADDRINUSE (the address is in use), EADDRNOTAVAIL (this machine does not have
 * it), EACCES (a port below 1024 may need a privilege), EINVAL or ENODEV (an address fe80::...
 * needs the name of an interface, as in fe80::1%eth0). */
int sock_bind(int fd, const struct sock_address *local);

/* Make the bound socket fd a listener. From now on the kernel completes handshakes by itself, and
 * up to about backlog connections can wait to be accepted; SOMAXCONN asks for many. The kernel
 * silently lowers a number that is too high for it. When the queue is full, further clients wait in
 * connect. Returns 0. Or -1: EADDRINUSE (another program has begun to listen on this port since
 * bind). */
int sock_listen(int fd, int backlog);

/* Take the connection that has waited longest from the listener's queue. If there is none, wait for
 * one. The listener itself stays as it is. *client receives the address of the client's end.
 * Returns a new descriptor for this one connection, which you must close with sock_close. Or -1:
 * EMFILE or ENFILE (no descriptor is left); on Linux also errors of the network, which accept(2)
 * lists. All of these are temporary, so it is worth trying again. */
int sock_accept(int listener, struct sock_address *client);

/* Connect the new socket fd to the server. This waits until the handshake is complete, which may
 * take minutes if nothing answers.
 * Returns 0. Or -1: ECONNREFUSED (nothing listens there), ETIMEDOUT (nothing answers), EHOSTUNREACH
 * or ENETUNREACH (no way leads there), EADDRNOTAVAIL (no local address or port is left),
 * ECONNRESET, EINVAL (as for bind), EACCES, EPERM or ENOPROTOOPT (it is forbidden). After
 * -1, close fd: POSIX does not say what state it is in, so a new attempt needs a new socket. */
int sock_connect(int fd, const struct sock_address *server);

/* Hand all size bytes to the kernel. This waits while the kernel has no room for them.
 * Returns 0: the kernel has taken them all, which does not mean that they have arrived. (One send
 * succeeds even if the peer has closed; then the peer resets, and the next send fails.) Or -1:
 * EPIPE (the connection was reset, or this end shut down), ECONNRESET (it was reset just now),
 * ETIMEDOUT or EHOSTUNREACH (the peer is out of reach). You cannot know then how many bytes have
 * arrived. This never raises SIGPIPE, a signal that would end the program. */
int sock_send(int fd, const void *data, size_t size);

/* Wait until bytes have come, and put up to room of them into the buffer (room must not be 0). TCP
 * keeps the bytes in order, but not the pieces in which they were sent: one recv may return a part
 * of what one send took, or the bytes of several. If the peer is silent, this waits.
 * Returns the number of bytes; 0 when the peer has finished (or after shutdown(fd, SHUT_RDWR)); or
 * -1: ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ECONNREFUSED (a firewall), ECONNABORTED (rare). */
ssize_t sock_recv(int fd, void *buffer, size_t room);

/* Receive as sock_recv does, again and again, until all size bytes have come.
 * Returns the number of bytes, less than size only if the peer finished before; or -1, as
 * sock_recv. */
ssize_t sock_recv_all(int fd, void *buffer, size_t size);

/* Give the descriptor back. The kernel goes on to deliver what was sent. But if bytes are waiting
 * that you never received, Linux resets the connection instead of finishing it. Returns 0. Or -1:
 * EIO, EINTR, on FreeBSD also ECONNRESET. Never close fd again, even after -1. */
int sock_close(int fd);

/* Find out which local address the socket fd has, for instance which port the kernel chose for 0.
 * Returns 0, or -1. (The call is getsockname().) */
int sock_local_address(int fd, struct sock_address *local);

/* The option -v shows each of the eight calls by means of this. If you set sock_narrator, before()
 * is called with the call's name and its arguments as text; then after() with its result, errno
 * as the call left it, and for accept the client's address (else ""). */
struct sock_narrator {
    void (*before)(const char *call, const char *arguments);
    void (*after)(ssize_t result, const char *address);
};
extern const struct sock_narrator *sock_narrator; /* NULL at first: nothing is reported */

#endif
