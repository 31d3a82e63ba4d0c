/* Scripted faults: what sock does when the system does not do what it should.
 *
 * Nobody can make a kernel interrupt just the third recv. So src/sock.c is compiled once more for
 * this program, with each of its calls to the system ending up in a fake below (see FAKES in the
 * Makefile), and the fakes follow a script: each step says which call must come next, with which
 * arguments, and what it answers. Any other call fails the test, and so does a step left over. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

struct step {
    const char *call; /* as the fakes spell it */
    ssize_t result;
    int error;         /* what errno becomes */
    const void *gives; /* what goes out through the call's pointer, if not NULL */
};
/* A call that works may leave anything in errno. Here that is EINTR, a trap for code that looks at
 * errno without having looked at the result. */
#define gives(call, result, what) \
    {                             \
        call, result, EINTR, what \
    }
#define does(call, result) gives(call, result, NULL)
#define fails(call, error)    \
    {                         \
        call, -1, error, NULL \
    }
#define play(...) follow((const struct step[]){__VA_ARGS__, {0}})

static const char MESSAGE[] = "echo!\n"; /* no byte twice in the first */
enum { SIZE = sizeof MESSAGE - 1, OLD_FLAGS = O_RDWR | O_APPEND };
/* In place of an errno: each one that there is, in turn. */
enum { EACH = -1, ERRNOS = 200 };

static const struct step *script;
static int each;          /* the errno whose turn it is */
static size_t moved;      /* bytes of MESSAGE that send took, or recv gave */
static int name_error;    /* what getnameinfo answers */
static const char *scope; /* what it calls the interface */
static struct sock_address server, server6, client;
static const struct step *announced; /* by the narrator, and not yet told */
static const char *announced_address;
static const char *const names[] = {
    "socket", "bind", "listen", "accept", "connect", "send", "recv", "close"};

static void follow(const struct step *steps)
{
    script = steps;
    moved = 0;
}

static bool is_narrated(const char *call)
{
    for (int i = SOCK_CREATE; i <= SOCK_CLOSE; i++)
        if (strncmp(call, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static const struct step *called(const char *format, ...)
{
    char call[100];
    va_list values;

    va_start(values, format);
    vsnprintf(call, sizeof call, format, values);
    va_end(values);
    assert_string_equal(call, script->call != NULL ? script->call : "the script's end");
    if (sock_narrator != NULL && is_narrated(call))
        assert_ptr_equal(announced, script);
    errno = script->error == EACH ? each : script->error;
    return script++;
}

/* After a call of sock: whether it returned what it should, and the script is used up. */
static void expect(ssize_t result, ssize_t right, int right_error)
{
    int error = errno;

    assert_int_equal(result, right);
    if (right == -1)
        assert_int_equal(error, right_error == EACH ? each : right_error);
    assert_string_equal(
        script->call != NULL ? script->call : "the script's end", "the script's end");
    assert_null(announced);
}

/* The fakes. */

static const char *text_of(const struct sockaddr *address, socklen_t length, char port[6])
{
    static char ip[INET6_ADDRSTRLEN];
    bool v6 = address->sa_family == AF_INET6;

    assert_int_equal(length, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    assert_int_equal(
        getnameinfo(address, length, ip, sizeof ip, port, 6, NI_NUMERICHOST | NI_NUMERICSERV), 0);
    return ip;
}

static int with_address(const char *call, int fd, const struct sockaddr *address, socklen_t length)
{
    char port[6];
    const char *ip = text_of(address, length, port);

    return (int)called("%s %d %s %s", call, fd, ip, port)->result;
}

static int giving_address(const char *call, int fd, struct sockaddr *address, socklen_t *length)
{
    const struct step *step = called("%s %d", call, fd);
    const struct sock_address *given = step->gives;

    assert_int_equal(*length, sizeof(struct sockaddr_storage));
    *length = 0; /* a call that fails may have spoilt it */
    if (given != NULL) {
        memcpy(address, &given->ss, given->length);
        *length = given->length;
    }
    return (int)step->result;
}

static const char *option_name(int level, int option)
{
    static const struct {
        int level, option;
        const char *name;
    } known[] = {{SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"}, {SOL_SOCKET, SO_ERROR, "SO_ERROR"},
        {SOL_SOCKET, SO_RCVTIMEO, "SO_RCVTIMEO"}, {SOL_SOCKET, SO_SNDTIMEO, "SO_SNDTIMEO"},
        {IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY"}, {IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].level == level && known[i].option == option)
            return known[i].name;
    return "an unknown option";
}

int fake_socket(int family, int type, int protocol)
{
    assert_int_equal(type, SOCK_STREAM);
    assert_int_equal(protocol, 0);
    return (int)called("socket %s", family == AF_INET ? "AF_INET" : "AF_INET6")->result;
}

int fake_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return with_address("bind", fd, address, length);
}

int fake_listen(int fd, int backlog)
{
    return (int)called("listen %d %d", fd, backlog)->result;
}

int fake_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return giving_address("accept", fd, address, length);
}

int fake_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return with_address("connect", fd, address, length);
}

ssize_t fake_send(int fd, const void *data, size_t size, int flags)
{
    const struct step *step = called("send %d %zu", fd, size);

#ifdef MSG_NOSIGNAL
    assert_int_equal(flags, MSG_NOSIGNAL);
#endif
    assert_memory_equal(data, MESSAGE + moved, size);
    moved += step->result > 0 ? (size_t)step->result : 0;
    return step->result;
}

ssize_t fake_recv(int fd, void *buffer, size_t room, int flags)
{
    const struct step *step = called("recv %d %zu", fd, room);
    size_t size = step->result > 0 ? (size_t)step->result : 0;

    assert_int_equal(flags, 0);
    memcpy(buffer, MESSAGE + moved, size);
    moved += size;
    return step->result;
}

int fake_close(int fd)
{
    return (int)called("close %d", fd)->result;
}

int fake_poll(struct pollfd *polled, nfds_t count, int limit)
{
    assert_int_equal(count, 1);
    assert_int_equal(polled->events, POLLOUT);
    return (int)called("poll %d %d", polled->fd, limit)->result;
}

int fake_fcntl(int fd, int command, ...)
{
    va_list values;
    int flags;

    if (command == F_GETFL)
        return (int)called("fcntl %d F_GETFL", fd)->result;
    assert_int_equal(command, F_SETFL);
    va_start(values, command);
    flags = va_arg(values, int);
    va_end(values);
    assert_int_equal(flags & ~O_NONBLOCK, OLD_FLAGS);
    return (int)called("fcntl %d F_SETFL %s", fd, flags == OLD_FLAGS ? "old" : "O_NONBLOCK")
        ->result;
}

int fake_getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict size)
{
    const struct step *step = called("getsockopt %d %s", fd, option_name(level, option));

    assert_int_equal(*size, sizeof(int));
    if (step->gives != NULL)
        memcpy(value, step->gives, sizeof(int));
    return (int)step->result;
}

int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    const char *name = option_name(level, option);
    const struct timeval *limit = value;

#ifndef MSG_NOSIGNAL
    if (option == SO_NOSIGPIPE)
        return 0;
#endif
    if (size == sizeof(int))
        return (int)called("setsockopt %d %s %d", fd, name, *(const int *)value)->result;
    assert_int_equal(size, sizeof *limit);
    return (int)called(
        "setsockopt %d %s %ld.%06ld", fd, name, (long)limit->tv_sec, (long)limit->tv_usec)
        ->result;
}

int fake_getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return giving_address("getsockname", fd, address, length);
}

int fake_getaddrinfo(const char *restrict host, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict all)
{
    const struct step *step = called("getaddrinfo %s %s", host, service);
    const struct addrinfo right = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

    assert_memory_equal(hints, &right, sizeof right);
    *all = (struct addrinfo *)step->gives;
    return (int)step->result;
}

void fake_freeaddrinfo(struct addrinfo *all)
{
    assert_ptr_equal(all, called("freeaddrinfo")->gives);
}

/* Not in the scripts: when it comes does not matter. */
int fake_getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host,
    socklen_t host_room, char *restrict service, socklen_t service_room, int flags)
{
    char port[6];
    const char *ip = text_of(address, length, port);

    assert_int_equal(flags, NI_NUMERICHOST | NI_NUMERICSERV);
    assert_true(snprintf(host, host_room, "%s%s", ip, scope) < (int)host_room);
    assert_true(snprintf(service, service_room, "%s", port) < (int)service_room);
    errno = EDOM;
    return name_error;
}

/* The narrator: it must announce the very call that comes next, and tell what that one returned.
 * It ruins errno. */
static void tell_before(enum sock_call call, int fd, size_t amount, const char *address)
{
    char text[100], number[24] = "";

    if (call == SOCK_CREATE) {
        assert_int_equal(fd, -1);
        snprintf(text, sizeof text, "socket %s", amount == AF_INET ? "AF_INET" : "AF_INET6");
    } else {
        if (amount > 0)
            snprintf(number, sizeof number, " %zu", amount);
        snprintf(text, sizeof text, "%s %d%s%s%s", names[call], fd, number,
            *address != '\0' ? " " : "", address);
    }
    assert_null(announced);
    assert_string_equal(text, script->call);
    announced = script;
    announced_address = address;
    errno = EDOM;
}

static void tell_after(enum sock_call call, ssize_t result, const char *address)
{
    int error = errno;

    assert_ptr_equal(announced, script - 1);
    assert_int_equal(strncmp(announced->call, names[call], strlen(names[call])), 0);
    assert_int_equal(result, announced->result);
    if (result == -1)
        assert_int_equal(error, announced->error == EACH ? each : announced->error);
    if (call == SOCK_ACCEPT && result != -1)
        assert_string_equal(address, "192.0.2.1:40832");
    else
        assert_string_equal(address, announced_address);
    announced = NULL;
    errno = EDOM;
}

/* The tests. The socket is 7, the connection that accept returns 8. */

static struct sock_address address_of(const char *ip, const char *port)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct sock_address address = {.length = 0};
    struct addrinfo *found;

    assert_int_equal(getaddrinfo(ip, port, &hints, &found), 0);
    memcpy(&address.ss, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    freeaddrinfo(found);
    snprintf(address.text, sizeof address.text, "%s %s", ip, port);
    return address;
}

static int set_up(void **state)
{
    alarm(20);
    announced = NULL;
    name_error = 0;
    scope = "";
    sock_narrator = NULL;
    server = address_of("127.0.0.1", "9999");
    server6 = address_of("::", "9999");
    client = address_of("192.0.2.1", "40832");
    return 0;
}

enum function { CREATE, BIND, LISTEN, ACCEPT, CONNECT, SEND, RECV, RECV_ALL, CLOSE, NAME, LIMIT };

/* Call the function; and what it gave out must be what the fakes gave, and no more. */
static ssize_t make(enum function function, int argument)
{
    struct sock_address address = {.text = "untouched"};
    char buffer[] = "......"; /* SIZE bytes that no call has touched */
    ssize_t result;

    switch (function) {
    case CREATE: return sock_create(argument);
    case BIND: return sock_bind(7, argument == AF_INET6 ? &server6 : &server);
    case LISTEN: return sock_listen(7, argument);
    case CONNECT: return sock_connect(7, &server, argument);
    case SEND: return sock_send(7, MESSAGE, (size_t)argument);
    case CLOSE: return sock_close(7);
    case NAME: return sock_local_address(7, &address);
    case LIMIT: return sock_limit(7, argument);
    case ACCEPT:
        result = sock_accept(7, &address);
        assert_string_equal(address.text, result == -1 ? "untouched" : "192.0.2.1:40832");
        return result;
    default:
        result = (function == RECV ? sock_recv : sock_recv_all)(7, buffer, (size_t)argument);
        assert_memory_equal(buffer, MESSAGE, moved);
        assert_int_equal(strspn(buffer + moved, "."), SIZE - moved);
        return result;
    }
}

#define REUSES       does("setsockopt 7 SO_REUSEADDR 1", 0)
#define FLAGS        does("fcntl 7 F_GETFL", OLD_FLAGS)
#define LIMITED      FLAGS, does("fcntl 7 F_SETFL O_NONBLOCK", 0)
#define STARTED      LIMITED, fails("connect 7 127.0.0.1 9999", EINPROGRESS)
#define BLOCKS_AGAIN does("fcntl 7 F_SETFL old", 0)
static const int no_error = 0;

/* A function of sock, the script that it meets, and what it must return. EACH stands for every
 * errno there is, and so for each one that a manual page names: EADDRINUSE from bind and listen,
 * EMFILE from socket and accept, EPIPE from send, EIO and EINTR from close. */
static const struct row {
    const char *claim;
    enum function function;
    int argument;
    ssize_t result;
    int error;
    struct step steps[9];
} rows[] = {
    {"create_makes_a_TCP_socket", CREATE, AF_INET, 0, 0, {does("socket AF_INET", 0)}},
    {"create_takes_the_family", CREATE, AF_INET6, 7, 0, {does("socket AF_INET6", 7)}},
    {"create_tells_why_it_fails", CREATE, AF_INET, -1, EACH, {fails("socket AF_INET", EACH)}},
    {"bind_sets_SO_REUSEADDR_first", BIND, 0, 0, 0, {REUSES, does("bind 7 127.0.0.1 9999", 0)}},
    {"bind_is_not_tried_without_SO_REUSEADDR", BIND, 0, -1, EACH,
        {fails("setsockopt 7 SO_REUSEADDR 1", EACH)}},
    {"bind_tells_why_it_fails", BIND, 0, -1, EACH, {REUSES, fails("bind 7 127.0.0.1 9999", EACH)}},
    {"bind_lets_IPv6_take_IPv4_clients", BIND, AF_INET6, 0, 0,
        {REUSES, does("setsockopt 7 IPV6_V6ONLY 0", 0), does("bind 7 :: 9999", 0)}},
    {"bind_takes_IPv6_alone_if_it_must", BIND, AF_INET6, 0, 0,
        {REUSES, fails("setsockopt 7 IPV6_V6ONLY 0", EINVAL), does("bind 7 :: 9999", 0)}},
    {"listen_passes_the_backlog_on", LISTEN, 4096, 0, 0, {does("listen 7 4096", 0)}},
    {"listen_tells_why_it_fails", LISTEN, 5, -1, EACH, {fails("listen 7 5", EACH)}},

    {"accept_sets_TCP_NODELAY", ACCEPT, 0, 0, 0,
        {gives("accept 7", 0, &client), does("setsockopt 0 TCP_NODELAY 1", 0)}},
    {"accept_does_without_TCP_NODELAY_if_it_must", ACCEPT, 0, 8, 0,
        {gives("accept 7", 8, &client), fails("setsockopt 8 TCP_NODELAY 1", EINVAL)}},
    {"accept_passes_over_clients_that_left", ACCEPT, 0, 8, 0,
        {fails("accept 7", ECONNABORTED), fails("accept 7", EINTR), fails("accept 7", EINTR),
            fails("accept 7", ECONNABORTED), gives("accept 7", 8, &client),
            does("setsockopt 8 TCP_NODELAY 1", 0)}},
    {"accept_tells_why_it_fails", ACCEPT, 0, -1, EACH, {fails("accept 7", EACH)}},

    {"connect_without_a_limit_changes_no_flags", CONNECT, 0, 0, 0,
        {FLAGS, does("connect 7 127.0.0.1 9999", 0)}},
    {"connect_with_a_limit_gives_the_old_flags_back", CONNECT, 1, 0, 0,
        {LIMITED, does("connect 7 127.0.0.1 9999", 0), BLOCKS_AGAIN}},
    {"connect_waits_no_longer_than_its_limit", CONNECT, 1500, 0, 0,
        {STARTED, does("poll 7 1500", 1), gives("getsockopt 7 SO_ERROR", 0, &no_error),
            BLOCKS_AGAIN}},
    {"connect_gives_up_with_ETIMEDOUT", CONNECT, 1500, -1, ETIMEDOUT,
        {STARTED, does("poll 7 1500", 0)}},
    {"connect_tells_how_the_attempt_ended", CONNECT, 1, -1, EACH,
        {STARTED, does("poll 7 1", 1), gives("getsockopt 7 SO_ERROR", 0, &each)}},
    {"connect_tells_why_it_fails", CONNECT, 0, -1, EACH,
        {FLAGS, fails("connect 7 127.0.0.1 9999", EACH)}},
    {"connect_tells_why_it_fails_at_once", CONNECT, 1, -1, EACH,
        {LIMITED, fails("connect 7 127.0.0.1 9999", EACH)}},
    {"connect_tells_why_it_cannot_learn_the_flags", CONNECT, 1, -1, EACH,
        {fails("fcntl 7 F_GETFL", EACH)}},
    {"connect_tells_why_it_cannot_set_the_flags", CONNECT, 1, -1, EACH,
        {FLAGS, fails("fcntl 7 F_SETFL O_NONBLOCK", EACH)}},
    {"connect_tells_why_it_cannot_restore_the_flags", CONNECT, 1, -1, EACH,
        {LIMITED, does("connect 7 127.0.0.1 9999", 0), fails("fcntl 7 F_SETFL old", EACH)}},
    {"connect_tells_why_it_cannot_wait", CONNECT, 1, -1, EACH, {STARTED, fails("poll 7 1", EACH)}},
    {"connect_tells_why_it_cannot_learn_the_end", CONNECT, 1, -1, EACH,
        {STARTED, does("poll 7 1", 1), fails("getsockopt 7 SO_ERROR", EACH)}},
    {"an_interrupted_connect_is_not_made_again", CONNECT, 0, 0, 0,
        {FLAGS, fails("connect 7 127.0.0.1 9999", EINTR), does("poll 7 -1", 1),
            gives("getsockopt 7 SO_ERROR", 0, &no_error)}},
    {"an_interrupted_connect_keeps_its_limit", CONNECT, 1, 0, 0,
        {LIMITED, fails("connect 7 127.0.0.1 9999", EINTR), fails("poll 7 1", EINTR),
            fails("poll 7 1", EINTR), does("poll 7 1", 1),
            gives("getsockopt 7 SO_ERROR", 0, &no_error), BLOCKS_AGAIN}},

    {"send_of_nothing_makes_no_call", SEND, 0, 0, 0, {{0}}},
    {"send_goes_on_when_nothing_was_taken", SEND, 6, 0, 0,
        {{"send 7 6", 0, EPIPE, NULL}, does("send 7 6", 6)}},
    {"send_tells_why_it_fails", SEND, 6, -1, EACH, {does("send 7 6", 1), fails("send 7 5", EACH)}},
    {"send_tells_a_limit_as_ETIMEDOUT", SEND, 6, -1, ETIMEDOUT,
        {does("send 7 6", 1), fails("send 7 5", EAGAIN)}},
    {"recv_goes_on_after_interruptions", RECV, 6, 6, 0,
        {fails("recv 7 6", EINTR), fails("recv 7 6", EINTR), does("recv 7 6", 6)}},
    {"recv_returns_however_little_comes", RECV, 6, 1, 0, {does("recv 7 6", 1)}},
    {"recv_returns_0_when_the_peer_has_finished", RECV, 6, 0, 0, {does("recv 7 6", 0)}},
    {"recv_tells_why_it_fails", RECV, 6, -1, EACH, {fails("recv 7 6", EACH)}},
    {"recv_tells_a_limit_as_ETIMEDOUT", RECV, 6, -1, ETIMEDOUT, {fails("recv 7 6", EWOULDBLOCK)}},
    {"recv_all_returns_what_came_before_the_end", RECV_ALL, 6, 4, 0,
        {does("recv 7 6", 4), does("recv 7 2", 0)}},
    {"recv_all_tells_why_it_fails", RECV_ALL, 6, -1, EACH,
        {does("recv 7 6", 1), fails("recv 7 5", EACH)}},
    {"recv_all_of_nothing_makes_no_call", RECV_ALL, 0, 0, 0, {{0}}},
    {"close_gives_the_descriptor_back", CLOSE, 0, 0, 0, {does("close 7", 0)}},
    {"close_is_never_repeated_and_tells_why_it_fails", CLOSE, 0, -1, EACH,
        {fails("close 7", EACH)}},

    {"local_address_tells_why_it_fails", NAME, 0, -1, EACH, {fails("getsockname 7", EACH)}},
    {"a_limit_is_set_for_both_directions", LIMIT, 86399999, 0, 0,
        {does("setsockopt 7 SO_RCVTIMEO 86399.999000", 0),
            does("setsockopt 7 SO_SNDTIMEO 86399.999000", 0)}},
    {"a_limit_tells_why_it_fails", LIMIT, 1, -1, EACH,
        {fails("setsockopt 7 SO_RCVTIMEO 0.001000", EACH)}},
    {"half_a_limit_tells_why_it_fails", LIMIT, 1, -1, EACH,
        {does("setsockopt 7 SO_RCVTIMEO 0.001000", 0),
            fails("setsockopt 7 SO_SNDTIMEO 0.001000", EACH)}},
};

/* The errnos that are not simply passed on; they have rows of their own. */
static bool is_handled(enum function function, int error)
{
    switch (function) {
    case ACCEPT: return error == EINTR || error == ECONNABORTED;
    case CONNECT: return error == EINTR || error == EINPROGRESS;
    case SEND:
    case RECV:
    case RECV_ALL: return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
    default: return false;
    }
}

/* Without and with the narrator: it may change nothing. */
static void follows_its_row(void **state)
{
    static const struct sock_narrator narrator = {tell_before, tell_after};
    const struct row *row = *state;

    for (each = 1; each < (row->error == EACH ? ERRNOS : 2); each++)
        for (int i = 0; i < 2 && !is_handled(row->function, each); i++) {
            sock_narrator = i == 0 ? NULL : &narrator;
            follow(row->steps);
            expect(make(row->function, row->argument), row->result, row->error);
        }
}

/* Wherever the kernel cuts the bytes in two, with a signal before each part. (More cuts, and what
 * fails between them: tests/verify/exhaustive.) */
static void move_every_split(enum function function, const char *call, ssize_t result)
{
    char whole[20], rest[20];

    snprintf(whole, sizeof whole, "%s 7 %d", call, SIZE);
    for (int first = 1; first < SIZE; first++) {
        snprintf(rest, sizeof rest, "%s 7 %d", call, SIZE - first);
        play(fails(whole, EINTR), does(whole, first), fails(rest, EINTR), does(rest, SIZE - first));
        expect(make(function, SIZE), result, 0);
    }
}

static void send_completes_every_split(void **state)
{
    move_every_split(SEND, "send", 0);
}

static void recv_all_puts_every_split_together(void **state)
{
    move_every_split(RECV_ALL, "recv", SIZE);
}

static void an_address_has_a_text_for_people(void **state)
{
    static const struct {
        const char *ip, *interface, *text;
    } cases[] = {{"127.0.0.1", "", "127.0.0.1:65535"}, {"::1", "", "[::1]:65535"},
        {"fe80::1", "%eth0", "[fe80::1%eth0]:65535"},
        {"fe80:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "%abcdefghijklmno",
            "[fe80:ffff:ffff:ffff:ffff:ffff:ffff:ffff%abcdefghijklmno]:65535"}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sock_address bound = address_of(cases[i].ip, "65535");
        struct sock_address local;

        scope = cases[i].interface;
        play(gives("getsockname 7", 0, &bound));
        expect(sock_local_address(7, &local), 0, 0);
        assert_int_equal(local.length, bound.length);
        assert_memory_equal(&local.ss, &bound.ss, bound.length);
        assert_string_equal(local.text, cases[i].text);
    }
}

static void an_address_without_a_text_says_why(void **state)
{
    struct sock_address local;
    char why[80];

    name_error = EAI_FAMILY;
    snprintf(why, sizeof why, "(%s)", gai_strerror(EAI_FAMILY));
    play(gives("getsockname 7", 0, &server));
    expect(sock_local_address(7, &local), 0, 0);
    assert_string_equal(local.text, why);
}

static void resolve_lists_the_addresses_in_order_while_there_is_room(void **state)
{
    static const char *const texts[] = {"[::1]:80", "127.0.0.1:80", "192.0.2.1:80", ""};
    struct sock_address known[] = {
        address_of("::1", "80"), address_of("127.0.0.1", "80"), address_of("192.0.2.1", "80")};
    struct addrinfo all[3] = {{.ai_next = &all[1]}, {.ai_next = &all[2]}};

    for (size_t i = 0; i < 3; i++) {
        all[i].ai_addr = (struct sockaddr *)&known[i].ss;
        all[i].ai_addrlen = known[i].length;
    }
    for (size_t room = 1; room <= 4; room++) {
        struct sock_address list[4] = {{.length = 0}};
        size_t found = 77;

        play(gives("getaddrinfo example 80", 0, all), gives("freeaddrinfo", 0, all));
        expect(sock_resolve("example", 80, list, room, &found), 0, 0);
        assert_int_equal(found, room < 3 ? room : 3);
        for (size_t i = 0; i < 4; i++)
            assert_string_equal(list[i].text, i < found ? texts[i] : "");
        for (size_t i = 0; i < found; i++) {
            assert_int_equal(list[i].length, known[i].length);
            assert_memory_equal(&list[i].ss, &known[i].ss, known[i].length);
        }
    }
}

static void resolve_speaks_the_resolvers_own_error_language(void **state)
{
    static const int codes[] = {EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_NONAME, EAI_SYSTEM};
    struct sock_address address;
    size_t found;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        play({"getaddrinfo example 65535", codes[i], ENOENT, NULL});
        expect(sock_resolve("example", 65535, &address, 1, &found), codes[i], ENOENT);
        assert_int_equal(errno, ENOENT);
    }
}

#define scripted(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    const struct CMUnitTest others[] = {scripted(send_completes_every_split),
        scripted(recv_all_puts_every_split_together), scripted(an_address_has_a_text_for_people),
        scripted(an_address_without_a_text_says_why),
        scripted(resolve_lists_the_addresses_in_order_while_there_is_room),
        scripted(resolve_speaks_the_resolvers_own_error_language)};
    enum { ROWS = sizeof rows / sizeof rows[0], OTHERS = sizeof others / sizeof others[0] };
    struct CMUnitTest tests[OTHERS + ROWS];

    memcpy(tests, others, sizeof others);
    for (size_t i = 0; i < ROWS; i++)
        tests[OTHERS + i] =
            (struct CMUnitTest){rows[i].claim, follows_its_row, set_up, NULL, (void *)&rows[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
