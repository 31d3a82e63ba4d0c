/* What sock does when the system does not do what it should.
 *
 * Nobody can make a kernel interrupt just the third recv. So this program has a system of its own:
 * for each call that src/sock.c makes, there is a fake here. The Makefile compiles sock.c once more
 * for it, with an option for each call (see FAKES). -Dlisten=fake_listen has the effect of
 * "#define listen fake_listen" at the top: where sock.c says listen, fake_listen is called.
 *
 * A fake does not know what will come. The test says it beforehand, in queues that cmocka keeps:
 *     will_return(f, 5)                   mock_type(int), the next time in the function f, is 5.
 *     expect_string(f, call, "close(7)")  check_expected_ptr(call), the next time in f, fails the
 *                                         test unless the variable call holds this text.
 * A call that no test expects fails it ("No entries for symbol called"), and so does an expected
 * call that is not made. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

/* All tests use the socket 7, this message and this address. */
static const char MESSAGE[] = "echo!\n"; /* no byte is in it twice */
enum { SIZE = sizeof MESSAGE - 1 };
static struct sock_address end; /* for bind and connect, or from accept and getsockname */

static int trap = EINTR;  /* what a call that works leaves in errno, which may be anything */
static size_t received;   /* how many bytes recv gave */
static const char *scope; /* what getnameinfo writes behind the IP; NULL: it fails */
static char call[100];    /* the last one that sock made */

/* A test says first which calls it expects sock to make, and what their answers are to be. An
 * answer is one number here, as it is between the Linux kernel and the C library: a negative one is
 * an errno, and the C program sees -1. */
static void expect_call(const char *text, int answer)
{
    expect_string(called, call, text);
    will_return(called, answer);
}

/* Each fake writes its call down, and gets its answer here. */
static int called(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(call, sizeof call, format, arguments);
    va_end(arguments);
    check_expected_ptr(call);
    int answer = mock_type(int);
    errno = answer < 0 ? -answer : trap;
    return answer < 0 ? -1 : answer;
}

/* This is a fake. The others are at the end of this file. */
int fake_listen(int fd, int backlog)
{
    return called("listen(%d, %d)", fd, backlog);
}

/* The functions of sock fail as the calls do. What they return, and errno, must be this answer. */
static void assert_answer(ssize_t result, int answer)
{
    claim_call(result, answer < 0 ? -1 : answer, -answer, call, __FILE__, __LINE__);
}

static void assert_same(const struct sock_address *address, const struct sock_address *right)
{
    assert_string_equal(address->text, right->text);
    assert_int_equal(address->length, right->length);
    assert_memory_equal(&address->storage, &right->storage, right->length);
}

/* The functions of sock. From ACCEPT on, they do not pass on an EINTR. */
enum verb { CREATE, BIND, LISTEN, CLOSE, NAME, CONNECT, ACCEPT, SEND, RECV, SEND_ALL, RECV_ALL };

/* Call the function; and what it gave out must be what the fakes gave, and no more. */
static ssize_t make(enum verb function, int argument)
{
    static const struct sock_address untouched = {
        .storage.ss_family = AF_INET, .text = "untouched"};
    struct sock_address address = untouched;
    char buffer[] = "......"; /* SIZE bytes that no call has touched */
    ssize_t result;

    received = 0;
    switch (function) {
    case CREATE: return sock_create(argument);
    case BIND: return sock_bind(7, &end);
    case LISTEN: return sock_listen(7, argument);
    case CLOSE: return sock_close(7);
    case CONNECT: return sock_connect(7, &end);
    case SEND: return sock_send(7, MESSAGE, (size_t)argument);
    case SEND_ALL: return sock_send_all(7, MESSAGE, (size_t)argument);
    case NAME:
    case ACCEPT:
        result = (function == NAME ? sock_local_address : sock_accept)(7, &address);
        assert_same(&address, result != -1 ? &end : &untouched);
        return result;
    default:
        result = (function == RECV ? sock_recv : sock_recv_all)(7, buffer, (size_t)argument);
        assert_memory_equal(buffer, MESSAGE, received);
        assert_int_equal(strspn(buffer + received, "."), SIZE - received);
        return result;
    }
}

#define REUSE "setsockopt 7 SO_REUSEADDR 1"
enum { ANY = 99, ERRNOS = 200 };

/* A function of sock, what it must answer if all goes well (never an errno: each failure is tried
 * anyway), and the calls that it must make, with their answers. (ANY: the call returns 99 or fails,
 * and the function must go on either way.) */
static const struct row {
    const char *claim;
    enum verb function;
    int argument, answer; /* argument: a family, a backlog, or a size of at most SIZE */
    struct {
        const char *text;
        int answer;
    } calls[8];
} rows[] = {
    {"create_makes_a_TCP_socket", CREATE, AF_INET, 0, {{"socket(AF_INET, SOCK_STREAM, 0)", 0}}},
    {"create_takes_the_family", CREATE, AF_INET6, 7, {{"socket(AF_INET6, SOCK_STREAM, 0)", 7}}},
    {"bind_sets_SO_REUSEADDR_first", BIND, AF_INET, 0, {{REUSE, 0}, {"bind(7, 127.0.0.1:80)", 0}}},
    {"bind_lets_IPv6_take_IPv4_clients_if_it_can", BIND, AF_INET6, 0,
        {{REUSE, 0}, {"setsockopt 7 IPV6_V6ONLY 0", ANY}, {"bind(7, [::]:80)", 0}}},
    {"listen_passes_the_backlog_on", LISTEN, 4096, 0, {{"listen(7, 4096)", 0}}},
    {"close_is_never_repeated", CLOSE, 0, 0, {{"close(7)", 0}}},
    {"local_address_is_what_getsockname_gives", NAME, 0, 0, {{"getsockname 7", 0}}},
    {"accept_sets_TCP_NODELAY_and_SO_KEEPALIVE", ACCEPT, 0, 0,
        {{"accept(7)", 0}, {"setsockopt 0 TCP_NODELAY 1", ANY},
            {"setsockopt 0 SO_KEEPALIVE 1", ANY}}},
    {"accept_passes_over_clients_that_left", ACCEPT, 0, 8,
        {{"accept(7)", -ECONNABORTED}, {"accept(7)", -EINTR}, {"accept(7)", -EINTR},
            {"accept(7)", -ECONNABORTED}, {"accept(7)", 8}, {"setsockopt 8 TCP_NODELAY 1", ANY},
            {"setsockopt 8 SO_KEEPALIVE 1", ANY}}},
    {"connect_passes_the_address_on", CONNECT, 0, 0, {{"connect(7, 127.0.0.1:80)", 0}}},
    {"send_goes_on_after_interruptions", SEND, 6, 6,
        {{"send(7, 6 bytes)", -EINTR}, {"send(7, 6 bytes)", -EINTR}, {"send(7, 6 bytes)", 6}}},
    {"send_returns_however_little_is_taken", SEND, 6, 1, {{"send(7, 6 bytes)", 1}}},
    {"send_all_of_nothing_makes_no_call", SEND_ALL, 0, 0, {{NULL, 0}}},
    {"send_all_goes_on_when_nothing_was_taken", SEND_ALL, 6, 0,
        {{"send(7, 6 bytes)", 1}, {"send(7, 5 bytes)", 0}, {"send(7, 5 bytes)", 5}}},
    {"recv_goes_on_after_interruptions", RECV, 6, 6,
        {{"recv(7, room 6)", -EINTR}, {"recv(7, room 6)", -EINTR}, {"recv(7, room 6)", 6}}},
    {"recv_returns_however_little_comes", RECV, 6, 1, {{"recv(7, room 6)", 1}}},
    {"recv_returns_0_when_the_peer_has_finished", RECV, 6, 0, {{"recv(7, room 6)", 0}}},
    {"recv_all_returns_what_came_before_the_end", RECV_ALL, 6, 4,
        {{"recv(7, room 6)", 4}, {"recv(7, room 2)", 0}}},
    {"recv_all_of_nothing_makes_no_call", RECV_ALL, 0, 0, {{NULL, 0}}},
};

/* If one call of the row fails, the function must make no other, and fail with the same errno.
 * (There may be no such call: then all goes well.) */
static void follow(const struct row *row, int failing, int error)
{
    int answer = row->answer;

    for (int i = 0; row->calls[i].text != NULL && answer >= 0; i++) {
        expect_call(row->calls[i].text, i == failing ? -error : row->calls[i].answer);
        if (i == failing && row->calls[i].answer != ANY)
            answer = -error;
    }
    assert_answer(make(row->function, row->argument), answer);
}

/* Each row is a test: as it stands, and with each of its calls failing with each errno there is
 * (and so with all that manual pages name). All this with two errnos that calls which work leave
 * behind: traps for code that looks at errno before the result. */
static void follows_its_row(void **state)
{
    const struct row *row = *state;

    if (row->argument == AF_INET6)
        end = resolve("::", "80");
    for (int way = 0; way < 2; way++) {
        trap = way == 0 ? EINTR : EPIPE;
        for (int failing = 0; failing == 0 || row->calls[failing - 1].text != NULL; failing++)
            for (int error = 1; error < ERRNOS; error++) {
                bool again = (row->function >= ACCEPT && error == EINTR) ||
                             (row->function == ACCEPT && error == ECONNABORTED);
                if (!again) /* Rows of their own have these, which are not passed on. */
                    follow(row, failing, error);
            }
    }
}

/* Wherever the kernel cuts the bytes in two, with a signal before each part. */
static void move_every_split(enum verb function, const char *format, int answer)
{
    char whole[32], rest[32];

    snprintf(whole, sizeof whole, format, SIZE);
    for (int first = 1; first < SIZE; first++) {
        struct row row = {"", function, SIZE, answer,
            {{whole, -EINTR}, {whole, first}, {rest, -EINTR}, {rest, SIZE - first}}};

        snprintf(rest, sizeof rest, format, SIZE - first);
        follows_its_row(&(void *){&row});
    }
}

static void send_all_completes_every_split(void **state)
{
    move_every_split(SEND_ALL, "send(7, %d bytes)", 0);
}

static void recv_all_puts_every_split_together(void **state)
{
    move_every_split(RECV_ALL, "recv(7, room %d)", SIZE);
}

/* macOS may give a descriptor, and no address, for a client that has left. */
static void accept_without_an_address_does_not_show_the_previous_one(void **state)
{
    struct sock_address client = end;
    char why[80];

    end.length = 0;
    expect_call("accept(7)", 8);
    expect_call("setsockopt 8 TCP_NODELAY 1", 0);
    expect_call("setsockopt 8 SO_KEEPALIVE 1", 0);
    assert_answer(sock_accept(7, &client), 8);
    snprintf(why, sizeof why, "(%s)", gai_strerror(EAI_FAMILY));
    assert_is(client.text, why);
}

static void an_address_has_a_text_for_people_or_says_why_not(void **state)
{
    char why[80];
    const struct {
        const char *ip, *scope, *text;
    } cases[] = {{"127.0.0.1", "", "127.0.0.1:65535"}, {"::1", "", "[::1]:65535"},
        {"fe80::1", "%eth0", "[fe80::1%eth0]:65535"},
        {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "%abcdefghijklmno",
            "[2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff%abcdefghijklmno]:65535"},
        {"127.0.0.1", NULL, why}};

    snprintf(why, sizeof why, "(%s)", gai_strerror(EAI_FAMILY));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        scope = cases[i].scope;
        assert_is(resolve(cases[i].ip, "65535").text, cases[i].text);
    }
}

/* A host with one address more than the list has room for: the last one is left out. */
static void resolve_lists_the_addresses_in_order_while_there_is_room(void **state)
{
    enum { ALL = SOCK_MAX_ADDRESSES + 1 };
    struct sock_address known[ALL];
    struct addrinfo all[ALL];
    char ip[20];

    for (size_t i = 0; i < ALL; i++) {
        snprintf(ip, sizeof ip, i % 2 == 0 ? "::%zu" : "192.0.2.%zu", i + 1);
        known[i] = resolve(ip, "80");
        all[i] = (struct addrinfo){.ai_addr = (struct sockaddr *)&known[i].storage,
            .ai_addrlen = known[i].length,
            .ai_next = i + 1 < ALL ? &all[i + 1] : NULL};
    }
    for (size_t first = 0; first < ALL; first++) {
        struct sock_addresses found = {.count = 77};

        expect_call("getaddrinfo example 80", 0);
        will_return(fake_getaddrinfo, (uintptr_t)&all[first]);
        will_return(fake_getaddrinfo, 0);
        will_return(fake_freeaddrinfo, (uintptr_t)&all[first]);
        assert_answer(sock_resolve("example", 80, &found), 0);
        assert_int_equal(found.count, first == 0 ? ALL - 1 : ALL - first);
        for (size_t i = 0; i < found.count; i++)
            assert_same(&found.list[i], &known[first + i]);
    }
}

static void resolve_speaks_the_resolvers_own_error_language(void **state)
{
    static const int codes[] = {EAI_AGAIN, EAI_FAIL, EAI_MEMORY, EAI_NONAME, EAI_SYSTEM};
    struct sock_addresses found;

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        expect_call("getaddrinfo example 65535", 0);
        will_return(fake_getaddrinfo, 0);
        will_return(fake_getaddrinfo, codes[i]);
        assert_int_equal(sock_resolve("example", 65535, &found), codes[i]);
        assert_int_equal(errno, ENOENT);
    }
}

/* The other fakes, and what some of them share. */
static const char *text_of(const struct sockaddr *address, socklen_t length)
{
    assert_int_equal(length, end.length);
    assert_memory_equal(address, &end.storage, length);
    return end.text;
}

/* For accept and getsockname. When they fail, they may have spoilt the length. (end.length is 0 for
 * an accept that gives no address.) */
static int give(int result, struct sockaddr *address, socklen_t *length)
{
    assert_int_equal(*length, sizeof(struct sockaddr_storage));
    *length = result != -1 ? end.length : 0;
    memcpy(address, &end.storage, *length);
    return result;
}

static const char *option_name(int level, int option)
{
    return level == SOL_SOCKET && option == SO_REUSEADDR    ? "SO_REUSEADDR"
           : level == SOL_SOCKET && option == SO_KEEPALIVE  ? "SO_KEEPALIVE"
           : level == IPPROTO_TCP && option == TCP_NODELAY  ? "TCP_NODELAY"
           : level == IPPROTO_IPV6 && option == IPV6_V6ONLY ? "IPV6_V6ONLY"
                                                            : "an unknown option";
}

int fake_socket(int family, int type, int protocol)
{
    assert_int_equal(type, SOCK_STREAM);
    assert_int_equal(protocol, 0);
    return called("socket(%s, SOCK_STREAM, 0)", family == AF_INET ? "AF_INET" : "AF_INET6");
}

int fake_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return called("bind(%d, %s)", fd, text_of(address, length));
}

int fake_accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return give(called("accept(%d)", fd), address, length);
}

int fake_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return called("connect(%d, %s)", fd, text_of(address, length));
}

/* It takes the first bytes of what is left of the message. */
ssize_t fake_send(int fd, const void *data, size_t size, int flags)
{
    int result = called("send(%d, %zu bytes)", fd, size);

    assert_memory_equal(data, MESSAGE + SIZE - size, size);
    assert_int_equal(flags, MSG_NOSIGNAL);
    return result;
}

/* It gives the next bytes of the message. */
ssize_t fake_recv(int fd, void *buffer, size_t room, int flags)
{
    int result = called("recv(%d, room %zu)", fd, room);

    assert_int_equal(flags, 0);
    for (int i = 0; i < result; i++)
        ((char *)buffer)[i] = MESSAGE[received++];
    return result;
}

int fake_close(int fd)
{
    return called("close(%d)", fd);
}

int fake_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
    assert_int_equal(size, sizeof(int));
    return called("setsockopt %d %s %d", fd, option_name(level, option), *(const int *)value);
}

int fake_getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return give(called("getsockname %d", fd), address, length);
}

/* It has error codes of its own; with one of them, errno tells more. An IP it really looks up,
 * since support's resolve asks it for the addresses of our tests. */
int fake_getaddrinfo(const char *restrict host, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict all)
{
    const struct addrinfo right = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};

    assert_memory_equal(hints, &right, sizeof right);
    if (strcmp(host, "example") != 0)
        return getaddrinfo(host, service, hints, all);
    called("getaddrinfo %s %s", host, service);
    *all = mock_ptr_type(struct addrinfo *);
    errno = ENOENT;
    return mock_type(int);
}

void fake_freeaddrinfo(struct addrinfo *all)
{
    if (all->ai_socktype == SOCK_STREAM)
        freeaddrinfo(all); /* It is real. */
    else
        assert_ptr_equal(all, mock_ptr_type(struct addrinfo *));
}

/* No test expects this one: when it is called, and how often, does not matter. */
int fake_getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host,
    socklen_t host_room, char *restrict service, socklen_t service_room, int flags)
{
    char ip[INET6_ADDRSTRLEN];

    assert_int_equal(flags, NI_NUMERICHOST | NI_NUMERICSERV);
    if (address->sa_family == AF_UNSPEC)
        return EAI_FAMILY; /* as the real one says */
    assert_int_equal(length,
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    assert_int_equal(getnameinfo(address, length, ip, sizeof ip, service, service_room, flags), 0);
    assert_true(snprintf(host, host_room, "%s%s", ip, scope != NULL ? scope : "") < (int)host_room);
    errno = trap;
    return scope != NULL ? 0 : EAI_FAMILY;
}

static int set_up(void **state)
{
    scope = "";
    end = resolve("127.0.0.1", "80");
    return alarm_on(state);
}

#define faked(test) cmocka_unit_test_setup_teardown(test, set_up, alarm_off)

int main(void)
{
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct CMUnitTest tests[] = {[ROWS] = faked(send_all_completes_every_split),
        faked(recv_all_puts_every_split_together),
        faked(accept_without_an_address_does_not_show_the_previous_one),
        faked(an_address_has_a_text_for_people_or_says_why_not),
        faked(resolve_lists_the_addresses_in_order_while_there_is_room),
        faked(resolve_speaks_the_resolvers_own_error_language)};

    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){
            rows[i].claim, follows_its_row, set_up, alarm_off, (void *)&rows[i]};
    return run_all(tests);
}
