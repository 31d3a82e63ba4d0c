/* The two programs as a person or a shell meets them: spawned for real, on ports that the kernel
 * chose. Rude and odd peers are sockets of the test itself. Nothing sleeps in order to wait: a test
 * reads what it waits for, and an alarm ends it if that never comes. */
#include "programs.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define test(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define MESSAGE(number) "你好,hello,world," number "...\n"
#define SHOWN(number)   "你好,hello,world," number "...\\n" /* as a log shows it */
#define SUMMARY         "\n--- 127.0.0.1:# echo statistics ---\n"
#define TRIPS           ", round trip min/avg/max = #/#/# ms\n"

/* Of the test that runs: two programs, and its own end of a connection to one of them. */
static struct program *server, *client;
static int peer, listener; /* the second if the test is a server; both may be -1 */

static int set_up(void **state)
{
    peer = listener = -1;
    return programs_on(state);
}

static void leave(void)
{
    close_if_open(&peer);
}

/* Leaves so rudely that the other end gets ECONNRESET. */
static void leave_by_reset(void)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
    leave();
}

static int tear_down(void **state)
{
    leave();
    close_if_open(&listener);
    return programs_off(state);
}

static void visit(void)
{
    leave();
    peer = connect_to("127.0.0.1", server->port);
}

static void exchange(const char *text)
{
    say(peer, text);
    hear(peer, text);
}

/* What every rude client is followed by: one that is served as if nothing had been. */
static void serves_the_next(void)
{
    visit();
    exchange("next");
    leave();
}

/* The test is the server: start a command of the client, and be where it is told to connect. */
static void be_server_of(const char *command)
{
    struct sock_address address, ignored;

    close_if_open(&listener);
    listener = listen_anywhere(&address, 1);
    client = start("%s 127.0.0.1 %s", command, port_in(address.text));
    leave();
    peer = sock_accept(listener, &ignored);
}

/* And up to its first message, which is to be answered. */
static void hear_first_of(const char *command)
{
    be_server_of(command);
    hear(peer, MESSAGE("0"));
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* --- both ends --- */

static void needs_ipv6(void)
{
    struct sock_addresses loopback;
    int fd = sock_create(AF_INET6);
    bool there =
        fd != -1 && sock_resolve("::1", 0, &loopback) == 0 && sock_bind(fd, &loopback.list[0]) == 0;

    if (fd != -1)
        sock_close(fd);
    needs(there, "IPv6");
}

#define THREE_LINES(who) who SHOWN("0") "\n" who SHOWN("1") "\n" who SHOWN("2") "\n"
static const struct meeting {
    const char *claim, *server_options, *host;
    void (*needs)(void);
} meetings[] = {
    {"both_ends_speak_over_ipv4", "", "127.0.0.1", NULL},
    {"both_ends_speak_over_ipv6", "-l ::1", "::1", needs_ipv6},
    {"the_ipv6_wildcard_takes_ipv4_clients_too", "-l ::", "127.0.0.1", needs_ipv6},
};

static void three_messages(void **state)
{
    const struct meeting *row = *state;

    if (row->needs != NULL)
        row->needs();
    server = await_ready(start("echo-server -c 1 %s 0", row->server_options));
    client = start("echo-client -c 3 -i 0 %s %s", row->host, server->port);
    assert_ends(client, 0,
        THREE_LINES("server say: ") "\n--- *:# echo statistics ---\n3 sent, 3 echoed" TRIPS, "");
    assert_ends(server, 0,
        "client connected from *:#\n" THREE_LINES(
            "client say: ") "client finished sending; 72 bytes echoed\n",
        "");
}

/* The hosts "two" and "many" have several addresses, ::1 first: see faults.c. */
static void the_client_tries_each_address_until_one_works(void **state)
{
    server = serve("-c 1");
    client = start("echo-client-faulty -c 1 -v many %s", server->port);
    assert_int_equal(finish(client), 0);
    assert_match(strstr(client->complained, "[3] connect(3, 127"),
        "[3] connect(#, 127.0.0.1:#) = 0\n[4] send*\n[4] recv*\n[5] close*\n");
    assert_int_equal(finish(server), 0);
}

static void an_address_without_a_socket_is_passed_over(void **state)
{
    server = serve("-c 1");
    client = start("env FAIL_CREATE=%d echo-client-faulty -c 1 two %s", EAFNOSUPPORT, server->port);
    assert_ends(client, 0, ANY, "");
    assert_int_equal(finish(server), 0);
}

/* FAIL_CLOSE: what went wrong is told, not what went wrong after it. */
static void when_no_address_works_the_last_is_reported(void **state)
{
    static const char *const commands[] = {
        "echo-client-faulty two %s", "env FAIL_CLOSE='1 1' echo-client-faulty two %s"};
    struct sock_address address;

    listener = bind_anywhere(&address); /* bound, but nobody listens there */
    for (int i = 0; i < 2; i++) {
        client = start(commands[i], port_in(address.text));
        assert_ends(client, 2, "",
            "echo-client: connect 127.0.0.1:#: ECONNREFUSED (*)\n"
            "echo-client: hint: is the server *\n");
    }
}

static void it_is_said_that_there_may_be_more_addresses_than_were_tried(void **state)
{
    struct sock_address address;

    listener = bind_anywhere(&address);
    client = start("echo-client-faulty many %s", port_in(address.text));
    assert_ends(client, 2, "",
        "echo-client: connect 127.0.0.1:#: ECONNREFUSED (*); the first 16 addresses were tried\n"
        "echo-client: hint: *\n");
}

/* Three times, so it waits three tenths of a second: no machine is so fast that it takes less. */
static void an_accept_that_fails_is_named_once_and_tried_again(void **state)
{
    double before = now_ms();

    server = await_ready(
        start("env FAIL_ACCEPT='%d %d %d' echo-server-faulty -c 1 0", EMFILE, ENFILE, EMFILE));
    client = start("echo-client -c 1 127.0.0.1 %s", server->port);
    assert_ends(client, 0, ANY, "");
    assert_ends(server, 0, ANY, "echo-server: accept 127.0.0.1:#: EMFILE (*); trying again\n");
    assert_true(now_ms() - before >= 300);
}

static void an_accept_that_cannot_succeed_ends_the_server_with_1(void **state)
{
    static const int mistakes[] = {EBADF, EFAULT, EINVAL, ENOTSOCK};

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        server = start("env FAIL_ACCEPT='%d %d' echo-server-faulty 0", EMFILE, mistakes[i]);
        assert_ends(server, 1, ANY,
            "echo-server: accept 127.0.0.1:#: EMFILE (*); trying again\n"
            "echo-server: accept 127.0.0.1:#: E* (*)\n");
    }
}

static void quiet_programs_say_the_address_and_the_summary_only(void **state)
{
    server = serve("-q -c 1");
    client = start("echo-client -q -c 2 -i 0 127.0.0.1 %s", server->port);
    assert_ends(client, 0, SUMMARY "2 sent, 2 echoed" TRIPS, "");
    assert_ends(server, 0, "", "");
}

static void the_trace_tells_each_call_behind_its_step(void **state)
{
    server = serve("-v -c 1");
    client = start("echo-client -v -c 1 127.0.0.1 %s", server->port);
    assert_ends(client, 0, ANY,
        "[1] socket(AF_INET, SOCK_STREAM, 0) = #\n"
        "[3] connect(#, 127.0.0.1:#) = 0\n"
        "[4] send(#, 24 bytes) = 24\n"
        "[4] recv(#, room 24) = 24\n"
        "[5] close(#) = 0\n");
    assert_ends(server, 0, ANY,
        "[1] socket(AF_INET, SOCK_STREAM, 0) = #\n"
        "[2] bind(#, 127.0.0.1:0) = 0\n"
        "[3] listen(#, #) = 0\n"
        "[4] accept(#) = #  127.0.0.1:#\n"
        "[5] recv(#, room 65536) = 24\n"
        "[5] send(#, 24 bytes) = 24\n"
        "[5] recv(#, room 65536) = 0\n"
        "[6] close(#) = 0\n"
        "[6] close(#) = 0\n");
}

/* --- the message and its echo --- */

static void the_message_on_the_wire_is_the_article_s_byte_for_byte(void **state)
{
    be_server_of("echo-client -c 12 -i 0");
    for (int number = 0; number < 12; number++) {
        char message[64];

        snprintf(message, sizeof message,
            "\xe4\xbd\xa0\xe5\xa5\xbd\x2chello\x2cworld\x2c%d\x2e\x2e\x2e\x0a", number);
        hear(peer, message);
        say(peer, message);
    }
    hear_the_end(peer);
    assert_int_equal(finish(client), 0);
    assert_non_null(strstr(client->said, "12 sent, 12 echoed"));
}

static void an_echo_in_pieces_of_one_byte_is_right(void **state)
{
    hear_first_of("echo-client -v -c 1");
    for (const char *next = MESSAGE("0"); *next != '\0'; next++) {
        await(client->err, "recv(");
        assert_int_equal(sock_send(peer, next, 1), 0);
        expect_line(client->err, "#, room #) = 1");
    }
    assert_ends(client, 0, "server say: " SHOWN("0") "\n" SUMMARY "1 sent, 1 echoed" TRIPS, ANY);
}

/* The second echo is held back until the clock shows another second, and the third a little, so the
 * first is the fastest; and no trip takes longer than the whole run. */
static void the_summary_has_the_fastest_the_mean_and_the_slowest_trip(void **state)
{
    double least, mean, most, before = now_ms();

    be_server_of("echo-client -c 3 -i 0");
    for (int number = 0; number < 3; number++) {
        char message[64];

        snprintf(message, sizeof message, MESSAGE("%d"), number);
        hear(peer, message);
        if (number == 1)
            poll(NULL, 0, 1030 - (int)((long long)now_ms() % 1000));
        if (number == 2)
            poll(NULL, 0, 25);
        say(peer, message);
    }
    assert_int_equal(finish(client), 0);
    assert_int_equal(
        sscanf(strstr(client->said, "max = "), "max = %lf/%lf/%lf", &least, &mean, &most), 3);
    assert_true(0 < least && least < mean && mean < most);
    assert_true(30 <= most && most <= now_ms() - before);
    assert_true(least <= mean * 3 - most - least + 0.01); /* the third trip; what rounding does */
}

static void a_pause_is_at_least_as_long_as_i_says(void **state)
{
    hear_first_of("echo-client -c 2 -i 0.05");
    double before = now_ms();
    say(peer, MESSAGE("0"));
    hear(peer, MESSAGE("1"));
    assert_true(now_ms() - before >= 50);
    say(peer, MESSAGE("1"));
    assert_ends(client, 0, ANY, "");
}

static void surprise(void)
{
    say(peer, "surprise");
}

static void interrupt_client(void)
{
    interrupt(client);
}

/* What the client makes of the test's answer to its first message, and of what the test does then,
 * in the pause if the answer was right. */
#define ONE_SENT "1 sent, 1 echoed" TRIPS
static const struct answer {
    const char *claim, *command, *answer;
    void (*then)(void);
    int status;
    const char *out, *err;
} answers[] = {
    {"one_wrong_byte_in_an_echo_ends_the_run_with_1", "echo-client -i 0", "你好,hello,World,0...\n",
        NULL, 1, SUMMARY "1 sent, 0 echoed\n",
        "echo-client: 127.0.0.1:#: *wrong * offset 13 *: 你好,hello,World,0...\\n\n"},
    {"the_first_byte_of_an_echo_counts_too", "echo-client -i 0", "x\xbd\xa0好,hello,world,0...\n",
        NULL, 1, ANY, "echo-client: 127.0.0.1:#: *wrong * offset 0 *\n"},
    {"and_so_does_the_last", "echo-client -i 0", "你好,hello,world,0...!", NULL, 1, ANY,
        "echo-client: 127.0.0.1:#: *wrong * offset 23 *\n"},
    {"an_echo_cut_short_by_the_end_ends_the_run_with_1", "echo-client -i 0", "你好", leave, 1,
        SUMMARY "1 sent, 0 echoed\n", "echo-client: 127.0.0.1:#: *finished* 6 of *24 *\n"},
    {"a_reset_instead_of_an_echo_ends_the_run_with_1", "echo-client", "", leave_by_reset, 1,
        SUMMARY "1 sent, 0 echoed\n", "echo-client: recv 127.0.0.1:#: ECONNRESET (*)\n"},
    {"bytes_that_nobody_asked_for_end_the_pause_with_1", "echo-client -i 86400", MESSAGE("0"),
        surprise, 1, ANY, "echo-client: 127.0.0.1:#: *nobody asked*\n"},
    {"the_shortest_pause_looks_at_the_connection", "echo-client -c 2 -i 0.001",
        MESSAGE("0") MESSAGE("1"), NULL, 1, ANY, "echo-client: 127.0.0.1:#: *nobody asked*\n"},
    {"no_pause_does_not_look_at_it", "echo-client -c 2 -i 0", MESSAGE("0") MESSAGE("1"), NULL, 0,
        ANY, ""},
    {"a_server_that_leaves_ends_the_pause_at_once_with_1", "echo-client -i 86400", MESSAGE("0"),
        leave, 1, SUMMARY ONE_SENT, "echo-client: 127.0.0.1:#: *finished*\n"},
    {"a_reset_ends_the_client_with_1_and_its_symbol", "echo-client -i 86400", MESSAGE("0"),
        leave_by_reset, 1, ANY, "echo-client: recv 127.0.0.1:#: ECONNRESET (*)\n"},
    {"ctrl_c_before_anything_came_back_ends_with_1_as_in_ping", "echo-client", "", interrupt_client,
        1, SUMMARY "1 sent, 0 echoed\n", ""},
    {"ctrl_c_ends_the_pause_at_once", "echo-client -i 86400", MESSAGE("0"), interrupt_client, 0,
        SUMMARY ONE_SENT, ""},
    {"ctrl_c_behind_a_whole_echo_lets_it_count", "env FAIL_RECV_ALL=0 echo-client-faulty",
        MESSAGE("0"), NULL, 0, SUMMARY ONE_SENT, ""},
    {"ctrl_c_as_the_pause_begins_is_not_taken_for_the_server_s_end",
        "env FAIL_RECV=0 echo-client-faulty -i 86400", MESSAGE("0"), leave, 0, SUMMARY ONE_SENT,
        ""},
    {"ctrl_c_behind_the_close_does_not_cost_the_summary",
        "env FAIL_CLOSE=0 echo-client-faulty -c 1", MESSAGE("0"), NULL, 0, SUMMARY ONE_SENT, ""},
};

static void answer_first(void **state)
{
    const struct answer *row = *state;

    hear_first_of(row->command);
    say(peer, row->answer);
    if (strcmp(row->answer, MESSAGE("0")) == 0)
        expect_line(client->out, "server say: " SHOWN("0"));
    if (row->then != NULL)
        row->then();
    assert_ends(client, row->status, row->out, row->err);
}

/* --- one stream, in whatever pieces --- */

/* Byte k of the stream is pattern[k % PERIOD], a prime, so that no buffer's size hides a slip. */
enum { PERIOD = 65521, CHUNK = 262144 };
static unsigned char pattern[PERIOD + CHUNK];

static void make_pattern(void)
{
    uint32_t random = 1;

    for (size_t i = 0; i < PERIOD; i++) {
        random = random * 1664525 + 1013904223;
        pattern[i] = (unsigned char)(random >> 24);
    }
    for (size_t i = PERIOD; i < sizeof pattern; i++)
        pattern[i] = pattern[i - PERIOD];
}

/* Sends and receives at once, as either direction allows; one after the other would wait for ever
 * as soon as both directions' buffers are full. */
static void stream(size_t size)
{
    static unsigned char buffer[CHUNK];
    size_t sent = 0, back = 0;

    make_pattern();
    assert_int_equal(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
    for (;;) {
        struct pollfd both = {.fd = peer, .events = sent < size ? POLLIN | POLLOUT : POLLIN};
        size_t chunk = size - sent < CHUNK ? size - sent : CHUNK;
        ssize_t moved;

        assert_int_equal(poll(&both, 1, -1), 1);
        if (chunk > 0 && (both.revents & POLLOUT) != 0) {
            moved = send(peer, pattern + sent % PERIOD, chunk, MSG_NOSIGNAL);
            assert_true(moved > 0);
            sent += (size_t)moved;
            if (sent == size)
                assert_int_equal(shutdown(peer, SHUT_WR), 0);
        }
        if ((both.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
            continue;
        moved = recv(peer, buffer, sizeof buffer, 0);
        assert_true(moved >= 0);
        if (moved == 0)
            break;
        assert_memory_equal(buffer, pattern + back % PERIOD, (size_t)moved);
        back += (size_t)moved;
    }
    assert_int_equal(back, size);
}

static void a_stream_both_ways_at_once_comes_back_whole(void **state)
{
    static const struct {
        const char *options;
        size_t size;
    } streams[] = {{"-q", 64 << 20}, {"-q -b 1048576", 16 << 20}, {"-q -b 4093", 4 << 20},
        {"-q -b 1", 10007}, {"-b 7", 5003}};

    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        server = serve(streams[i].options);
        visit();
        stream(streams[i].size);
    }
}

/* --- rude clients, and many --- */

/* The server stands still while the client sends and leaves. The first echo is then answered by a
 * reset, and the next send would raise SIGPIPE. */
static void a_client_that_leaves_before_its_echo_ends_only_itself(void **state)
{
    server = serve("-q -b 5 -c 2");
    visit();
    freeze(server);
    make_pattern();
    assert_int_equal(sock_send(peer, pattern, 4000), 0);
    leave();
    thaw(server);
    expect_line(
        server->err, "echo-server: send 127.0.0.1:#: EPIPE (*); client dropped after # bytes");
    serves_the_next();
    assert_ends(server, 0, "", "");
}

static void a_reset_ends_that_client_only(void **state)
{
    char byte;

    server = serve("-q -b 1000 -c 3");
    visit();
    exchange("hello");
    leave_by_reset();
    expect_line(
        server->err, "echo-server: recv 127.0.0.1:#: ECONNRESET (*); client dropped after 5 bytes");
    visit();
    make_pattern();
    assert_int_equal(sock_send(peer, pattern, 65536), 0);
    assert_int_equal(sock_recv(peer, &byte, 1), 1);
    leave_by_reset();
    expect_line(server->err, "echo-server: * 127.0.0.1:#: E* (*); client dropped after # bytes");
    serves_the_next();
    assert_ends(server, 0, "", "");
}

/* A server that kept them would soon have no more. */
static void the_server_gives_each_descriptor_back(void **state)
{
    server = await_ready(start("sh -c 'ulimit -n 32; exec echo-server -q -c 60 0'"));
    for (int i = 0; i < 60; i++)
        serves_the_next();
    assert_ends(server, 0, "", "");
}

static void recv_0_ends_the_exchange(void **state)
{
    server = serve("-q -c 1");
    visit();
    exchange("hello");
    shutdown(peer, SHUT_WR);
    hear_the_end(peer);
    assert_ends(server, 0, "", "");
}

/* A hundred connect while the server stands still (some systems have a backlog of 128 at most);
 * all three hundred are there before the first looks for its echo. */
static void three_hundred_clients_at_once_are_all_served_in_turn(void **state)
{
    int clients[300];

    server = serve("-c 300");
    freeze(server);
    for (int i = 0; i < 300; i++) {
        if (i == 100)
            thaw(server);
        clients[i] = connect_to("127.0.0.1", server->port);
        say(clients[i], "hello");
        shutdown(clients[i], SHUT_WR);
    }
    for (int i = 0; i < 300; i++) {
        char connected_from[128];
        struct sock_address own;

        assert_int_equal(sock_local_address(clients[i], &own), 0);
        snprintf(connected_from, sizeof connected_from, "client connected from %s", own.text);
        expect_line(server->out, connected_from);
        hear(clients[i], "hello");
        hear_the_end(clients[i]);
        sock_close(clients[i]);
        expect_line(server->out, "client say: hello");
        expect_line(server->out, "client finished sending; 5 bytes echoed");
    }
    assert_ends(server, 0, "", "");
}

/* --- starting, stopping, and who has the port --- */

static void ctrl_c_ends_the_server_and_its_port_is_free_at_once(void **state)
{
    struct program *again;

    server = serve("");
    visit();
    expect_line(server->out, "client connected from 127.0.0.1:#");
    interrupt(server);
    assert_ends(server, -SIGINT, "", "");
    hear_the_end(peer); /* it closed first, so the old connection will be in TIME_WAIT */
    leave();
    again = start("echo-server %s", server->port);
    expect_line(again->out, server->ready);
}

static void two_servers_cannot_have_one_port(void **state)
{
    struct program *second;

    server = serve("");
    second = start("echo-server %s", server->port);
    assert_ends(
        second, 2, "", "echo-server: bind 127.0.0.1:#: EADDRINUSE (*)\necho-server: hint: *\n");
    serves_the_next();
}

static void a_port_of_the_administrator_is_refused_to_others(void **state)
{
    needs(geteuid() != 0, "user but the administrator");
    server = start("echo-server 1");
    needs(*next_line(server->out) == '\0', "port that is forbidden"); /* in some containers */
    assert_ends(server, 2, "", "echo-server: bind 127.0.0.1:1: EACCES (*)\necho-server: hint: *\n");
}

/* Start a command of the client that finds a full backlog. Linux leaves a SYN unanswered then, and
 * a backlog of 0 is full at one. */
static void start_unanswered(const char *command)
{
    struct sock_address address;

    needs_linux();
    listener = listen_anywhere(&address, 0);
    peer = connect_to("127.0.0.1", port_in(address.text));
    client = start("%s 127.0.0.1 %s", command, port_in(address.text));
}

/* --- Ctrl-C of the client --- */

/* The message was sent, so it counts; but that its echo is missing is no failure. */
static void ctrl_c_may_cut_off_the_last_of_many_echoes(void **state)
{
    hear_first_of("echo-client -i 0");
    say(peer, MESSAGE("0"));
    hear(peer, MESSAGE("1"));
    say(peer, "你好"); /* part of it is here already */
    interrupt(client);
    hear_the_end(peer);
    assert_ends(client, 0, "server say: " SHOWN("0") "\n" SUMMARY "2 sent, 1 echoed" TRIPS, "");
}

static void part_of_an_echo_that_ctrl_c_cuts_off_can_be_wrong_too(void **state)
{
    hear_first_of("echo-client -v -i 0");
    say(peer, MESSAGE("0"));
    hear(peer, MESSAGE("1"));
    say(peer, "你好,hello,World");
    await(client->err, "room 6)");
    interrupt(client);
    assert_ends(client, 1, ANY,
        "*\necho-client: 127.0.0.1:#: *wrong * offset 13 *: 你好,hello,World\n[5] close(#) = 0\n");
}

static void ctrl_c_while_it_connects_has_its_default_meaning(void **state)
{
    start_unanswered("echo-client -v");
    await(client->err, "connect(");
    interrupt(client);
    assert_ends(client, -SIGINT, "", ANY);
}

/* Opens a file of Linux's /proc about a program. */
static int open_proc(const struct program *program, const char *name, int how)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)program->pid, name);
    fd = open(path, how);
    assert_true(fd >= 0);
    return fd;
}

/* Fill the pipe behind a descriptor, so that the program's next write waits. Returns the number of
 * bytes. */
static size_t fill(const struct program *program, const char *fd)
{
    int full = open_proc(program, fd, O_WRONLY | O_NONBLOCK);
    size_t filled = 0;

    while (write(full, "full", 1) == 1)
        filled++;
    close(full);
    return filled;
}

static void empty(int fd, size_t filled)
{
    char byte;

    while (filled > 0 && read(fd, &byte, 1) == 1)
        filled--;
}

static void await_blocking(const struct program *program)
{
    char text[256] = "";

    while (strstr(text, ") S ") == NULL) { /* proc(5): it sleeps in a call */
        int fd = open_proc(program, "stat", O_RDONLY);

        assert_true(read(fd, text, sizeof text - 1) > 0);
        close(fd);
    }
}

/* Press Ctrl-C so often while the client waits to print its first echo. Then make room. */
static void press_while_it_prints(int times)
{
    size_t filled;

    needs_linux();
    hear_first_of("echo-client -v");
    filled = fill(client, "fd/1");
    say(peer, MESSAGE("0"));
    await(client->err, ", room 24) = 24\n");
    for (int i = 0; i < times; i++) {
        await_blocking(client);
        interrupt(client);
    }
    await_blocking(client);
    empty(client->out, filled);
}

/* Twice, since timeout(1) delivers each Ctrl-C twice: to the client, and to its process group. */
static void two_ctrl_c_while_it_prints_lose_no_line(void **state)
{
    press_while_it_prints(2);
    assert_ends(client, 0, "server say: " SHOWN("0") "\n" SUMMARY ONE_SENT, "[5] close(#) = 0\n");
}

static void the_third_ctrl_c_kills(void **state)
{
    needs_linux();
    hear_first_of("echo-client -v");
    await(client->err, "recv(");
    fill(client, "fd/2"); /* what keeps the client there is its trace, which nobody reads */
    say(peer, "你好");
    for (int i = 0; i < 3; i++) {
        await_blocking(client);
        interrupt(client);
    }
    assert_int_equal(finish(client), -SIGINT);
}

static void ctrl_c_while_it_sums_up_does_not_cost_the_summary(void **state)
{
    size_t filled;

    needs_linux();
    hear_first_of("echo-client -q -c 1");
    filled = fill(client, "fd/1");
    say(peer, MESSAGE("0"));
    hear_the_end(peer);
    await_blocking(client);
    interrupt(client);
    await_blocking(client);
    empty(client->out, filled);
    assert_ends(client, 0, SUMMARY ONE_SENT, "");
}

/* As a shell without job control starts it with &. */
static void ctrl_c_does_nothing_where_it_was_ignored_from_the_start(void **state)
{
    needs_linux();
    hear_first_of("sh -c 'trap \"\" INT; exec echo-client -c 1 \"$@\"' sh");
    await_blocking(client);
    interrupt(client);
    await_blocking(client); /* it still waits for the echo */
    say(peer, MESSAGE("0"));
    assert_ends(client, 0, "server say: " SHOWN("0") "\n" SUMMARY ONE_SENT, "");
}

static void a_send_that_fails_ends_the_client_with_1(void **state)
{
    be_server_of("env FAIL_SEND=1 echo-client-faulty"); /* EPERM, on any system */
    leave();
    assert_ends(
        client, 1, SUMMARY "0 sent, 0 echoed\n", "echo-client: send 127.0.0.1:#: EPERM (*)\n");
}

static void ctrl_c_before_a_send_lets_nothing_out(void **state)
{
    be_server_of("env FAIL_SEND=0 echo-client-faulty");
    hear_the_end(peer);
    assert_ends(client, 0, SUMMARY "0 sent, 0 echoed\n", "");
}

/* --- what is printed --- */

static void the_log_is_safe_to_print(void **state)
{
    static const struct {
        const char *sent;
        size_t size;
        const char *shown;
    } rows[] = {{"\033[2J\033]0;title\a", 0, "\\x1b[2J\\x1b]0;title\\x07"}, /* to the terminal */
        {"before\0after", 12, "before\\x00after"},                          /* NUL ends no line */
        {"x\nclient connected from 192.0.2.1:1", 0, "x\\nclient connected from 192.0.2.1:1"},
        {"%s%n%d", 0, "%s%n%d"}};

    server = serve("");
    visit();
    expect_line(server->out, "client connected from 127.0.0.1:#");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = rows[i].size != 0 ? rows[i].size : strlen(rows[i].sent);
        char back[64], line[64];

        assert_int_equal(sock_send(peer, rows[i].sent, size), 0);
        assert_int_equal(sock_recv_all(peer, back, size), size);
        assert_memory_equal(back, rows[i].sent, size);
        snprintf(line, sizeof line, "client say: %s", rows[i].shown);
        assert_string_equal(next_line(server->out), line);
    }
}

static void a_line_of_the_log_is_out_before_its_echo(void **state)
{
    struct pollfd log = {.events = POLLIN};

    server = serve("");
    visit();
    expect_line(server->out, "client connected from 127.0.0.1:#");
    exchange("hello");
    log.fd = server->out;
    assert_int_equal(poll(&log, 1, 0), 1);
    expect_line(server->out, "client say: hello");
}

/* The ready line is lost, so the port is one that the test has bound and not listened on: on Linux
 * SO_REUSEADDR lets the server have it as well, and no other program. */
static void a_server_that_cannot_print_serves_on_and_ends_with_1(void **state)
{
    /* The second closes it: then no log must go into a socket that got stdout's number. */
    static const char *const rows[][2] = {{">/dev/full", "ENOSPC"}, {">&-", "EBADF"}};
    struct sock_address address;

    needs_linux();
    listener = bind_anywhere(&address);
    for (size_t i = 0; i < 2; i++) {
        server = start("echo-server -v -c 2 %s %s", port_in(address.text), rows[i][0]);
        server->port = port_in(address.text);
        await(server->err, rows[i][1]);
        await(server->err, "accept(");
        for (int j = 0; j < 2; j++) {
            visit();
            exchange("hello");
            shutdown(peer, SHUT_WR);
            hear_the_end(peer);
        }
        assert_int_equal(finish(server), 1);
        assert_null(strstr(server->complained, rows[i][1])); /* named once is enough */
    }
}

static void a_client_that_cannot_print_ends_with_1_and_one_sentence(void **state)
{
    static const char *const rows[][2] = {{"echo-client -i 0 >/dev/full", "ENOSPC"},
        {"echo-client -q -c 1 >/dev/full", "ENOSPC"}, {"echo-client -i 0 >&-", "EBADF"}};
    char sentence[80];

    needs_linux(); /* for /dev/full */
    for (size_t i = 0; i < 3; i++) {
        hear_first_of(rows[i][0]);
        say(peer, MESSAGE("0"));
        hear_the_end(peer);
        snprintf(sentence, sizeof sentence, "echo-client: write to standard output: %s (*)\n",
            rows[i][1]);
        assert_ends(client, 1, "", sentence);
    }
}

/* --- the command line --- */

/* The first beyond each end. (What is no number at all: test_console.c.) */
static void a_number_that_is_wrong_is_named_and_exits_2(void **state)
{
    static const char *const rows[][4] = {
        {"echo-server", "port", "x", "65536"},
        {"echo-server -c", "-c", "0", "1000000001"},
        {"echo-server -b", "-b", "0", "1048577"},
        {"echo-client 127.0.0.1", "port", "0", "65536"},
        {"echo-client -c", "-c", "0", "1000000001"},
        {"echo-client -i", "-i", "-1", "86401"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int end = 2; end < 4; end++) {
            char complaint[200];

            snprintf(complaint, sizeof complaint, "echo-*: %s: \"%s\" is not a *number from #*\n",
                rows[i][1], rows[i][end]);
            client = start("%s %s", rows[i][0], rows[i][end]);
            assert_ends(client, 2, "", complaint);
        }
}

/* FAIL_CREATE and its like: see faults.c. */
static void what_keeps_a_program_from_starting_is_named_and_exits_2(void **state)
{
    static const struct {
        const char *command;
        int errors[2];
        const char *complaint;
    } rows[] = {
        {"env FAIL_CREATE=%d echo-server-faulty", {EAFNOSUPPORT},
            "echo-server: socket 127.0.0.1:9999: EAFNOSUPPORT (*)\n"},
        {"env FAIL_CREATE=%d echo-server-faulty -c 1000000000 65535", {EMFILE},
            "echo-server: socket 127.0.0.1:65535: EMFILE (*)\n"},
        {"echo-server -l 192.0.2.1 0", {0}, /* RFC 5737: nobody has it */
            "echo-server: bind 192.0.2.1:0: EADDRNOTAVAIL (*)\n"},
        {"env FAIL_LISTEN=%d echo-server-faulty 0", {EADDRINUSE},
            "echo-server: listen 127.0.0.1:0: EADDRINUSE (*)\n"},
        {"env FAIL_LOCAL_ADDRESS=%d echo-server-faulty 0", {ENOBUFS},
            "echo-server: getsockname 127.0.0.1:0: ENOBUFS (*)\n"},
        {"env FAIL_CREATE='%d %d' echo-client-faulty -c 1000000000 -i 86400 two 65535",
            {EMFILE, ENFILE}, "echo-client: socket 127.0.0.1:65535: ENFILE (*)\n"},
        {"env FAIL_CREATE='%d %d' echo-client-faulty", {EMFILE, EMFILE},
            "echo-client: socket 127.0.0.1:9999: EMFILE (*)\n"},
        {"env FAIL_CREATE='%d %d' echo-client-faulty two", {EMFILE, EMFILE},
            "echo-client: socket 127.0.0.1:9999: EMFILE (*)\n"},
        {"echo-client 8080", {0}, "echo-client: \"8080\": *host *first, then *port\n"},
        {"echo-client '[::1]:9999'", {0}, "echo-client: \"[::1]:9999\": *two words*\n"},
        {"echo-client localhost:9999", {0}, "echo-client: \"localhost:9999\": *two words*\n"},
        {"echo-server -c \"$(printf '\\033[2J')\"", {0},
            "echo-server: -c: \"\\x1b[2J\" is not *\n"},
        {"echo-server -l 127.0.0.1:9999", {0}, "echo-server: \"127.0.0.1:9999\": *two words*\n"},
        /* An interface that is not there: hosts that need no network to be unknown. */
        {"echo-client ::1%%nosuch 9999", {0}, "echo-client: *\"::1%nosuch\": *\n"},
        {"echo-server -l ''", {0}, "echo-server: cannot look up \"\": *\n"},
        {"echo-server -l ::1%%nosuch 0", {0}, "echo-server: *\"::1%nosuch\": *\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        client = start(rows[i].command, rows[i].errors[0], rows[i].errors[1]);
        assert_ends(client, 2, "", rows[i].complaint);
    }
}

static void what_is_no_command_line_is_named_with_the_usage_and_exits_2(void **state)
{
    static const char *const rows[][2] = {{"echo-server 0 1", "\"1\": *too many"},
        {"echo-client 127.0.0.1 99 98", "\"98\": *too many"}, {"echo-server -z 0", "\"-z\": *"},
        {"echo-client -z", "\"-z\": *"}, {"echo-server -c", "\"-c\": *value*"},
        {"echo-client -i", "\"-i\": *value*"}, {"echo-server 0 -q", "\"-q\": options go before *"},
        {"echo-client ::1 -v 99", "\"-v\": options go before *"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char complaint[100];

        client = start("%s", rows[i][0]);
        snprintf(complaint, sizeof complaint, "%.11s: %s", rows[i][0], rows[i][1]);
        expect_line(client->err, complaint);
        snprintf(complaint, sizeof complaint, "usage: %.11s [*", rows[i][0]);
        expect_line(client->err, complaint);
        assert_ends(client, 2, "", ANY);
    }
}

static void help_goes_to_stdout_with_status_0(void **state)
{
    static const char *const names[] = {"echo-server", "echo-client"};
    char first[32];

    for (size_t i = 0; i < 2; i++) {
        client = start("%s -h", names[i]);
        snprintf(first, sizeof first, "usage: %s [*", names[i]);
        expect_line(client->out, first);
        assert_ends(client, 0, ANY, "");
    }
}

int main(void)
{
    const struct CMUnitTest others[] = {test(the_client_tries_each_address_until_one_works),
        test(an_address_without_a_socket_is_passed_over),
        test(when_no_address_works_the_last_is_reported),
        test(it_is_said_that_there_may_be_more_addresses_than_were_tried),
        test(an_accept_that_fails_is_named_once_and_tried_again),
        test(an_accept_that_cannot_succeed_ends_the_server_with_1),
        test(quiet_programs_say_the_address_and_the_summary_only),
        test(the_trace_tells_each_call_behind_its_step),
        test(the_message_on_the_wire_is_the_article_s_byte_for_byte),
        test(an_echo_in_pieces_of_one_byte_is_right),
        test(the_summary_has_the_fastest_the_mean_and_the_slowest_trip),
        test(a_pause_is_at_least_as_long_as_i_says),
        test(a_stream_both_ways_at_once_comes_back_whole),
        test(a_client_that_leaves_before_its_echo_ends_only_itself),
        test(a_reset_ends_that_client_only), test(the_server_gives_each_descriptor_back),
        test(recv_0_ends_the_exchange), test(three_hundred_clients_at_once_are_all_served_in_turn),
        test(ctrl_c_ends_the_server_and_its_port_is_free_at_once),
        test(two_servers_cannot_have_one_port),
        test(a_port_of_the_administrator_is_refused_to_others),
        test(ctrl_c_may_cut_off_the_last_of_many_echoes),
        test(part_of_an_echo_that_ctrl_c_cuts_off_can_be_wrong_too),
        test(ctrl_c_while_it_connects_has_its_default_meaning),
        test(two_ctrl_c_while_it_prints_lose_no_line), test(the_third_ctrl_c_kills),
        test(ctrl_c_while_it_sums_up_does_not_cost_the_summary),
        test(ctrl_c_does_nothing_where_it_was_ignored_from_the_start),
        test(a_send_that_fails_ends_the_client_with_1), test(ctrl_c_before_a_send_lets_nothing_out),
        test(the_log_is_safe_to_print), test(a_line_of_the_log_is_out_before_its_echo),
        test(a_server_that_cannot_print_serves_on_and_ends_with_1),
        test(a_client_that_cannot_print_ends_with_1_and_one_sentence),
        test(a_number_that_is_wrong_is_named_and_exits_2),
        test(what_keeps_a_program_from_starting_is_named_and_exits_2),
        test(what_is_no_command_line_is_named_with_the_usage_and_exits_2),
        test(help_goes_to_stdout_with_status_0)};
    enum {
        OTHERS = sizeof others / sizeof others[0],
        MEETINGS = sizeof meetings / sizeof meetings[0],
        ANSWERS = sizeof answers / sizeof answers[0]
    };
    struct CMUnitTest tests[OTHERS + MEETINGS + ANSWERS];

    memcpy(tests, others, sizeof others);
    for (size_t i = 0; i < MEETINGS; i++)
        tests[OTHERS + i] = (struct CMUnitTest){
            meetings[i].claim, three_messages, set_up, tear_down, (void *)&meetings[i]};
    for (size_t i = 0; i < ANSWERS; i++)
        tests[OTHERS + MEETINGS + i] = (struct CMUnitTest){
            answers[i].claim, answer_first, set_up, tear_down, (void *)&answers[i]};
    return run_all(tests);
}
