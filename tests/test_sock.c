/* Scripted faults: what sock does when the system does not do what it should.
 *
 * Nobody can make a kernel interrupt just the third recv. So src/sock.c is compiled once more for
 * this program, with each of its calls to the system ending up in a fake below (see FAKES in the
 * Makefile), and the fakes follow a script: each step says which call must come next, with which
 * arguments, and what it answers. Any other call fails the test, and so does a step left over. */
#include "support.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct step {
    const char *call; /* as the fakes spell it; the eight calls of the flow as -v does */
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
enum { SIZE = sizeof MESSAGE - 1 };
/* In place of an errno: each one that there is, in turn. */
enum { EACH = -1, ERRNOS = 200 };

static const struct step *script;
static int each;          /* the errno whose turn it is */
static size_t moved;      /* bytes of MESSAGE that send took, or recv gave */
static int name_error;    /* what getnameinfo answers */
static const char *scope; /* what it calls the interface */
static struct sock_address server, server6, client;
static const struct step *announced; /* by the narrator, and not yet told */

static void follow(const struct step *steps)
{
    script = steps;
    moved = 0;
}

static const struct step *called(const char *format, ...)
{
    char call[100];
    va_list values;

    va_start(values, format);
    vsnprintf(call, sizeof call, format, values);
    va_end(values);
    assert_string_equal(call, script->call != NULL ? script->call : "the script's end");
    if (sock_narrator != NULL && strchr(call, '(') != NULL)
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
    const char *format = address->sa_family == AF_INET6 ? "%s(%d, [%s]:%s)" : "%s(%d, %s:%s)";

    return (int)called(format, call, fd, ip, port)->result;
}

static int giving_address(const char *call, int fd, struct sockaddr *address, socklen_t *length)
{
    const struct step *step = called(call, fd);
    const struct sock_address *given = step->gives;

    assert_int_equal(*length, sizeof(struct sockaddr_storage));
    *length = 0; /* a call that fails may have spoilt it */
    if (given != NULL) {
        memcpy(address, &given->storage, given->length);
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
    return (int)called("socket(%s, SOCK_STREAM, 0)", family == AF_INET ? "AF_INET" : "AF_INET6")
        ->result;
}

int fake_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return with_address("bind", fd, address, length);
}

int fake_listen(int fd, int backlog)
{
    return (int)called("listen(%d, %d)", fd, backlog)->result;
}

int fake_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return giving_address("accept(%d)", fd, address, length);
}

int fake_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return with_address("connect", fd, address, length);
}

ssize_t fake_send(int fd, const void *data, size_t size, int flags)
{
    const struct step *step = called("send(%d, %zu bytes)", fd, size);

    assert_int_equal(flags, MSG_NOSIGNAL);
    assert_memory_equal(data, MESSAGE + moved, size);
    moved += step->result > 0 ? (size_t)step->result : 0;
    return step->result;
}

ssize_t fake_recv(int fd, void *buffer, size_t room, int flags)
{
    const struct step *step = called("recv(%d, room %zu)", fd, room);
    size_t size = step->result > 0 ? (size_t)step->result : 0;

    assert_int_equal(flags, 0);
    memcpy(buffer, MESSAGE + moved, size);
    moved += size;
    return step->result;
}

int fake_close(int fd)
{
    return (int)called("close(%d)", fd)->result;
}

int fake_poll(struct pollfd *polled, nfds_t count, int limit)
{
    assert_int_equal(count, 1);
    assert_int_equal(polled->events, POLLOUT);
    assert_int_equal(limit, -1);
    return (int)called("poll %d", polled->fd)->result;
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
    assert_int_equal(size, sizeof(int));
    return (int)called("setsockopt %d %s %d", fd, option_name(level, option), *(const int *)value)
        ->result;
}

int fake_getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return giving_address("getsockname %d", fd, address, length);
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
static void tell_before(const char *call, const char *arguments)
{
    char text[100];

    snprintf(text, sizeof text, "%s(%s)", call, arguments);
    assert_null(announced);
    assert_string_equal(text, script->call);
    announced = script;
    errno = EDOM;
}

static void tell_after(ssize_t result, const char *address)
{
    int error = errno;
    bool accepted = strncmp(announced->call, "accept", 6) == 0 && result != -1;

    assert_ptr_equal(announced, script - 1);
    assert_int_equal(result, announced->result);
    if (result == -1)
        assert_int_equal(error, announced->error == EACH ? each : announced->error);
    assert_string_equal(address, accepted ? "192.0.2.1:40832" : "");
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
    memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
    address.length = found->ai_addrlen;
    snprintf(address.text, sizeof address.text, found->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
        ip, port);
    freeaddrinfo(found);
    return address;
}

static int set_up(void **state)
{
    alarm_on(state);
    announced = NULL;
    name_error = 0;
    scope = "";
    sock_narrator = NULL;
    server = address_of("127.0.0.1", "9999");
    server6 = address_of("::", "9999");
    client = address_of("192.0.2.1", "40832");
    return 0;
}

enum function { CREATE, BIND, LISTEN, ACCEPT, CONNECT, SEND, RECV, RECV_ALL, CLOSE, NAME };

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
    case CONNECT: return sock_connect(7, &server);
    case SEND: return sock_send(7, MESSAGE, (size_t)argument);
    case CLOSE: return sock_close(7);
    case NAME: return sock_local_address(7, &address);
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

#define REUSES      does("setsockopt 7 SO_REUSEADDR 1", 0)
#define INTERRUPTED fails("connect(7, 127.0.0.1:9999)", EINTR)
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
    {"create_makes_a_TCP_socket", CREATE, AF_INET, 0, 0,
        {does("socket(AF_INET, SOCK_STREAM, 0)", 0)}},
    {"create_takes_the_family", CREATE, AF_INET6, 7, 0,
        {does("socket(AF_INET6, SOCK_STREAM, 0)", 7)}},
    {"create_tells_why_it_fails", CREATE, AF_INET, -1, EACH,
        {fails("socket(AF_INET, SOCK_STREAM, 0)", EACH)}},
    {"bind_sets_SO_REUSEADDR_first", BIND, 0, 0, 0, {REUSES, does("bind(7, 127.0.0.1:9999)", 0)}},
    {"bind_is_not_tried_without_SO_REUSEADDR", BIND, 0, -1, EACH,
        {fails("setsockopt 7 SO_REUSEADDR 1", EACH)}},
    {"bind_tells_why_it_fails", BIND, 0, -1, EACH,
        {REUSES, fails("bind(7, 127.0.0.1:9999)", EACH)}},
    {"bind_lets_IPv6_take_IPv4_clients", BIND, AF_INET6, 0, 0,
        {REUSES, does("setsockopt 7 IPV6_V6ONLY 0", 0), does("bind(7, [::]:9999)", 0)}},
    {"bind_takes_IPv6_alone_if_it_must", BIND, AF_INET6, 0, 0,
        {REUSES, fails("setsockopt 7 IPV6_V6ONLY 0", EINVAL), does("bind(7, [::]:9999)", 0)}},
    {"listen_passes_the_backlog_on", LISTEN, 4096, 0, 0, {does("listen(7, 4096)", 0)}},
    {"listen_tells_why_it_fails", LISTEN, 5, -1, EACH, {fails("listen(7, 5)", EACH)}},

    {"accept_sets_TCP_NODELAY", ACCEPT, 0, 0, 0,
        {gives("accept(7)", 0, &client), does("setsockopt 0 TCP_NODELAY 1", 0)}},
    {"accept_does_without_TCP_NODELAY_if_it_must", ACCEPT, 0, 8, 0,
        {gives("accept(7)", 8, &client), fails("setsockopt 8 TCP_NODELAY 1", EINVAL)}},
    {"accept_passes_over_clients_that_left", ACCEPT, 0, 8, 0,
        {fails("accept(7)", ECONNABORTED), fails("accept(7)", EINTR), fails("accept(7)", EINTR),
            fails("accept(7)", ECONNABORTED), gives("accept(7)", 8, &client),
            does("setsockopt 8 TCP_NODELAY 1", 0)}},
    {"accept_tells_why_it_fails", ACCEPT, 0, -1, EACH, {fails("accept(7)", EACH)}},

    {"connect_passes_the_address_on", CONNECT, 0, 0, 0, {does("connect(7, 127.0.0.1:9999)", 0)}},
    {"connect_tells_why_it_fails", CONNECT, 0, -1, EACH,
        {fails("connect(7, 127.0.0.1:9999)", EACH)}},
    {"an_interrupted_connect_is_waited_for_and_not_made_again", CONNECT, 0, 0, 0,
        {INTERRUPTED, fails("poll 7", EINTR), fails("poll 7", EINTR), does("poll 7", 1),
            gives("getsockopt 7 SO_ERROR", 0, &no_error)}},
    {"an_interrupted_connect_tells_how_it_ended", CONNECT, 0, -1, EACH,
        {INTERRUPTED, does("poll 7", 1), gives("getsockopt 7 SO_ERROR", 0, &each)}},
    {"an_interrupted_connect_tells_why_it_cannot_wait", CONNECT, 0, -1, EACH,
        {INTERRUPTED, fails("poll 7", EACH)}},
    {"an_interrupted_connect_tells_why_it_cannot_learn_how_it_ended", CONNECT, 0, -1, EACH,
        {INTERRUPTED, does("poll 7", 1), fails("getsockopt 7 SO_ERROR", EACH)}},

    {"send_of_nothing_makes_no_call", SEND, 0, 0, 0, {{0}}},
    {"send_goes_on_when_nothing_was_taken", SEND, 6, 0, 0,
        {{"send(7, 6 bytes)", 0, EPIPE, NULL}, does("send(7, 6 bytes)", 6)}},
    {"send_tells_why_it_fails", SEND, 6, -1, EACH,
        {does("send(7, 6 bytes)", 1), fails("send(7, 5 bytes)", EACH)}},
    {"recv_goes_on_after_interruptions", RECV, 6, 6, 0,
        {fails("recv(7, room 6)", EINTR), fails("recv(7, room 6)", EINTR),
            does("recv(7, room 6)", 6)}},
    {"recv_returns_however_little_comes", RECV, 6, 1, 0, {does("recv(7, room 6)", 1)}},
    {"recv_returns_0_when_the_peer_has_finished", RECV, 6, 0, 0, {does("recv(7, room 6)", 0)}},
    {"recv_tells_why_it_fails", RECV, 6, -1, EACH, {fails("recv(7, room 6)", EACH)}},
    {"recv_all_returns_what_came_before_the_end", RECV_ALL, 6, 4, 0,
        {does("recv(7, room 6)", 4), does("recv(7, room 2)", 0)}},
    {"recv_all_tells_why_it_fails", RECV_ALL, 6, -1, EACH,
        {does("recv(7, room 6)", 1), fails("recv(7, room 5)", EACH)}},
    {"recv_all_of_nothing_makes_no_call", RECV_ALL, 0, 0, 0, {{0}}},
    {"close_gives_the_descriptor_back", CLOSE, 0, 0, 0, {does("close(7)", 0)}},
    {"close_is_never_repeated_and_tells_why_it_fails", CLOSE, 0, -1, EACH,
        {fails("close(7)", EACH)}},

    {"local_address_tells_why_it_fails", NAME, 0, -1, EACH, {fails("getsockname 7", EACH)}},
};

/* The errnos that are not simply passed on; they have rows of their own. */
static bool is_handled(enum function function, int error)
{
    switch (function) {
    case ACCEPT: return error == EINTR || error == ECONNABORTED;
    case CONNECT:
    case SEND:
    case RECV:
    case RECV_ALL: return error == EINTR;
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

/* Wherever the kernel cuts the bytes in two, with a signal before each part. */
static void move_every_split(enum function function, const char *call, ssize_t result)
{
    char whole[32], rest[32];

    snprintf(whole, sizeof whole, call, SIZE);
    for (int first = 1; first < SIZE; first++) {
        snprintf(rest, sizeof rest, call, SIZE - first);
        play(fails(whole, EINTR), does(whole, first), fails(rest, EINTR), does(rest, SIZE - first));
        expect(make(function, SIZE), result, 0);
    }
}

static void send_completes_every_split(void **state)
{
    move_every_split(SEND, "send(7, %d bytes)", 0);
}

static void recv_all_puts_every_split_together(void **state)
{
    move_every_split(RECV_ALL, "recv(7, room %d)", SIZE);
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
        assert_memory_equal(&local.storage, &bound.storage, bound.length);
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

/* A host with one address more than the list has room for: the last one is left out. */
static void resolve_lists_the_addresses_in_order_while_there_is_room(void **state)
{
    enum { ALL = SOCK_MAX_ADDRESSES + 1 };
    struct sock_address known[ALL];
    struct addrinfo all[ALL];

    for (size_t i = 0; i < ALL; i++) {
        char ip[20];

        snprintf(ip, sizeof ip, i % 2 == 0 ? "::%zu" : "192.0.2.%zu", i + 1);
        known[i] = address_of(ip, "80");
        all[i] = (struct addrinfo){.ai_addr = (struct sockaddr *)&known[i].storage,
            .ai_addrlen = known[i].length,
            .ai_next = i + 1 < ALL ? &all[i + 1] : NULL};
    }
    for (size_t first = 0; first < ALL; first++) {
        struct sock_addresses found = {.count = 77};

        play(
            gives("getaddrinfo example 80", 0, &all[first]), gives("freeaddrinfo", 0, &all[first]));
        expect(sock_resolve("example", 80, &found), 0, 0);
        assert_int_equal(found.count, first == 0 ? ALL - 1 : ALL - first);
        for (size_t i = 0; i < found.count; i++) {
            const struct sock_address *right = &known[first + i];

            assert_string_equal(found.list[i].text, right->text);
            assert_int_equal(found.list[i].length, right->length);
            assert_memory_equal(&found.list[i].storage, &right->storage, right->length);
        }
    }
}

static void resolve_speaks_the_resolvers_own_error_language(void **state)
{
    static const int codes[] = {EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_NONAME, EAI_SYSTEM};
    struct sock_addresses found;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        play({"getaddrinfo example 65535", codes[i], ENOENT, NULL});
        expect(sock_resolve("example", 65535, &found), codes[i], ENOENT);
        assert_int_equal(errno, ENOENT);
    }
}

#define scripted(test) cmocka_unit_test_setup_teardown(test, set_up, alarm_off)

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
        tests[OTHERS + i] = (struct CMUnitTest){
            rows[i].claim, follows_its_row, set_up, alarm_off, (void *)&rows[i]};
    return run_all(tests);
}
