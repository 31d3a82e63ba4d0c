/* The two programs as a person or a shell meets them: started for real, on ports that the kernel
 * chose. Rude and odd peers are sockets of the test itself. Nothing sleeps in order to wait: a test
 * reads what it waits for, and an alarm ends it if that never comes. */
#include "programs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE(number) "你好,hello,world," number "...\n"
#define SAID(number)    "server say: 你好,hello,world," number "...\\n\n"
#define SUMMARY         "\n--- *:# echo statistics ---\n"
#define TRIPS           ", round trip min/avg/max = #/#/# ms\n"
#define ONE_SENT        "1 sent, 1 echoed" TRIPS

/* Of the test that runs: two programs, and its own end of a connection to one of them. */
static struct program *server, *client;
static char ready[100];  /* the server's first line, */
static const char *port; /* and the port that it got */
static int peer;

/* Start a server on a free port of its address, and read its first line. */
static void serve(const char *command)
{
    server = start("%s 0", command);
    snprintf(ready, sizeof ready, "%s", next_line(server->out));
    assert_match(*ready != '\0' ? ready : next_line(server->err), "listening on *:#");
    port = port_in(ready);
}

/* The test is the client: start a server, and connect to it as the peer. */
static void be_client_of(const char *command)
{
    serve(command);
    peer = connect_to("127.0.0.1", port);
}

static void leave(void)
{
    sock_close(peer);
}

/* Leaves so rudely that the other end gets ECONNRESET. */
static void leave_by_reset(void)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
    leave();
}

static void exchange(const char *text)
{
    say(peer, text);
    hear(peer, text);
}

/* The polite end of an exchange. */
static void finish_sending(void)
{
    shutdown(peer, SHUT_WR);
    hear_the_end(peer);
    leave();
}

/* What every rude client is followed by: one that is served as if nothing had been. */
static void serves_the_next(void)
{
    peer = connect_to("127.0.0.1", port);
    exchange("next");
    finish_sending();
}

/* The test is the server: start a client that connects to it, and accept it as the peer. */
static void be_server_of(const char *command)
{
    struct sock_address address, ignored;
    int listener = listen_anywhere(&address, 1);

    client = start("%s 127.0.0.1 %s", command, port_in(address.text));
    peer = sock_accept(listener, &ignored);
    sock_close(listener);
}

/* The same, up to the client's first message. The test is to answer it. */
static void hear_first_of(const char *command)
{
    be_server_of(command);
    hear(peer, MESSAGE("0"));
}

static void press_ctrl_c(void)
{
    assert_int_equal(kill(client->pid, SIGINT), 0);
}

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* --- both ends --- */

/* A server and a client, and what each of them prints. */
struct meeting {
    const char *server, *client; /* the commands, but for the port */
    const char *server_out, *server_err, *client_out, *client_err;
};

static void meet(void **state)
{
    const struct meeting *m = *state;

    if (strstr(m->server, "::") != NULL) {
        const struct sock_address loopback = resolve("::1", "0");
        needs(sock_bind(sock_create(AF_INET6), &loopback) == 0, "IPv6");
    }
    serve(m->server);
    client = start("%s %s", m->client, port);
    assert_ends(client, 0, m->client_out, m->client_err);
    assert_ends(server, 0, m->server_out, m->server_err);
}

/* It waits four tenths of a second. (A hundredth less would pass: see mutation.equivalent.) */
static void an_accept_that_fails_is_named_once_and_tried_again(void **state)
{
    double before = now_ms();

    serve("env FAIL_ACCEPT='EMFILE ENFILE EMFILE ok ENOMEM' echo-server-faulty -q -c 2");
    serves_the_next();
    serves_the_next();
    assert_ends(server, 0, "",
        "echo-server: accept 127.0.0.1:#: EMFILE (*); trying again\n"
        "echo-server: accept 127.0.0.1:#: ENOMEM (*); trying again\n");
    assert_true(now_ms() - before >= 390);
}

static void an_accept_that_cannot_succeed_ends_the_server_with_1(void **state)
{
    static const char *const mistakes[] = {"EBADF", "EFAULT", "EINVAL", "ENOTSOCK"};

    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char told[100];

        snprintf(told, sizeof told, "*trying again\necho-server: accept 127.0.0.1:#: %s (*)\n",
            mistakes[i]);
        server = start("env FAIL_ACCEPT='EMFILE %s' echo-server-faulty 0", mistakes[i]);
        assert_ends(server, 1, "listening on *\n", told);
    }
}

/* --- the message and its echo --- */

static void the_message_on_the_wire_is_the_article_s_byte_for_byte(void **state)
{
    be_server_of("echo-client -c 101 -i 0");
    for (int number = 0; number <= 100; number++) {
        char message[64];

        snprintf(message, sizeof message,
            "\xe4\xbd\xa0\xe5\xa5\xbd\x2chello\x2cworld\x2c%d\x2e\x2e\x2e\x0a", number);
        hear(peer, message);
        say(peer, message);
    }
    hear_the_end(peer);
    assert_ends(client, 0, "~101 sent, 101 echoed*\n", "");
}

static void an_echo_in_pieces_of_one_byte_is_right(void **state)
{
    hear_first_of("echo-client -v -c 1");
    for (const char *next = MESSAGE("0"); *next != '\0'; next++) {
        await(client->err, "recv(");
        assert_gives(sock_send(peer, next, 1), 0);
        expect_line(client->err, "#, room #) = 1");
    }
    assert_ends(client, 0, SAID("0") SUMMARY ONE_SENT, "[5] close(#) = 0\n");
}

/* The second echo is held back until the clock shows another second (who forgets tv_sec would be
 * wrong then), the third a little; and no trip takes longer than the whole run. */
static void the_summary_has_the_fastest_the_mean_and_the_slowest_trip(void **state)
{
    double least, mean, most, before = now_ms();

    hear_first_of("echo-client -c 3 -i 0");
    say(peer, MESSAGE("0"));
    hear(peer, MESSAGE("1"));
    poll(NULL, 0, 1030 - (int)((long long)now_ms() % 1000));
    say(peer, MESSAGE("1"));
    hear(peer, MESSAGE("2"));
    poll(NULL, 0, 25);
    say(peer, MESSAGE("2"));
    await(client->out, "max = ");
    assert_int_equal(fscanf(client->out, "%lf/%lf/%lf", &least, &mean, &most), 3);
    assert_ends(client, 0, " ms\n", "");
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
    assert_ends(client, 0, "~", "");
}

/* What the client makes of the echo of its first message (NULL: it sends none), and of what the
 * function "then" does next. If the echo is right, the client is in its pause by then. */
struct answer {
    const char *command, *echo;
    void (*then)(void);
    int status;
    const char *out, *err;
};

static void answer(void **state)
{
    const struct answer *row = *state;

    if (strstr(row->command, "/dev/full") != NULL)
        needs(access("/dev/full", W_OK) == 0, "/dev/full");
    be_server_of(row->command);
    if (row->echo == NULL) {
        hear_the_end(peer);
    } else {
        hear(peer, MESSAGE("0"));
        say(peer, row->echo);
        if (row->then != NULL && strcmp(row->echo, MESSAGE("0")) == 0)
            expect_line(client->out, "server say: *");
    }
    if (row->then != NULL)
        row->then();
    assert_ends(client, row->status, row->out, row->err);
}

/* --- rude clients, and many --- */

/* While another is served, it sends and leaves. Its first echo is then answered by a reset, and the
 * next send would raise SIGPIPE. */
static void a_client_that_leaves_before_its_echo_ends_only_itself(void **state)
{
    static const char data[4000];

    be_client_of("echo-server -q -b 5 -c 3");
    int rude = connect_to("127.0.0.1", port);
    assert_gives(sock_send(rude, data, sizeof data), 0);
    sock_close(rude);
    finish_sending();
    expect_line(
        server->err, "echo-server: send 127.0.0.1:#: EPIPE (*); client dropped after # bytes");
    serves_the_next();
    assert_ends(server, 0, "", "");
}

static void a_reset_ends_that_client_only(void **state)
{
    be_client_of("echo-server -c 2");
    exchange("hello");
    leave_by_reset();
    expect_line(
        server->err, "echo-server: recv 127.0.0.1:#: ECONNRESET (*); client dropped after 5 bytes");
    serves_the_next();
    assert_ends(server, 0, "~\nclient finished sending; 4 bytes echoed\n", "");
}

/* A recv of one byte does not end it, and no more bytes come back than were sent. */
static void recv_0_ends_the_exchange(void **state)
{
    be_client_of("echo-server -q -c 1");
    exchange("hello");
    exchange("0");
    finish_sending();
    assert_ends(server, 0, "", "");
}

/* All are connected before the first is served; and a server that kept their descriptors would soon
 * have no more. */
static void sixty_clients_are_served_in_turn_with_32_descriptors(void **state)
{
    int clients[60];

    serve("sh -c 'ulimit -n 32; exec echo-server -q -c 60 \"$@\"' sh");
    for (int i = 0; i < 60; i++)
        clients[i] = connect_to("127.0.0.1", port);
    for (int i = 0; i < 60; i++) {
        peer = clients[i];
        exchange("hello");
        finish_sending();
    }
    assert_ends(server, 0, "", "");
}

/* --- Ctrl-C --- */

static void ctrl_c_ends_the_server_and_its_port_is_free_at_once(void **state)
{
    be_client_of("echo-server");
    expect_line(server->out, "client connected from 127.0.0.1:#");
    kill(server->pid, SIGINT);
    assert_ends(server, -SIGINT, "", "");
    hear_the_end(peer); /* it closed first, so the old connection will be in TIME_WAIT */
    leave();
    server = start("echo-server %s", port);
    expect_line(server->out, ready);
}

/* The message was sent, so it counts; but that its echo is missing is no failure. */
static void ctrl_c_may_cut_off_the_last_of_many_echoes(void **state)
{
    hear_first_of("echo-client -i 0");
    say(peer, MESSAGE("0"));
    hear(peer, MESSAGE("1"));
    say(peer, "你好"); /* part of it is here already */
    press_ctrl_c();
    hear_the_end(peer);
    assert_ends(client, 0, SAID("0") SUMMARY "2 sent, 1 echoed" TRIPS, "");
}

static void part_of_an_echo_that_ctrl_c_cuts_off_can_be_wrong_too(void **state)
{
    hear_first_of("echo-client -v -i 0");
    say(peer, MESSAGE("0"));
    hear(peer, MESSAGE("1"));
    say(peer, "你好,hello,World");
    await(client->err, "room 6)");
    press_ctrl_c();
    assert_ends(client, 1, "~",
        "*\necho-client: 127.0.0.1:#: *wrong * offset 13 *: 你好,hello,World\n[5] close(#) = 0\n");
}

/* The client finds a full backlog. Linux leaves a SYN unanswered then, and a backlog of 0 is full
 * at one. */
static void ctrl_c_while_it_connects_has_its_default_meaning(void **state)
{
    struct sock_address address;

    needs_linux();
    listen_anywhere(&address, 0);
    connect_to("127.0.0.1", port_in(address.text));
    client = start("echo-client -v 127.0.0.1 %s", port_in(address.text));
    await(client->err, "connect(");
    press_ctrl_c();
    assert_ends(client, -SIGINT, "", "~");
}

/* Opens a file of Linux's /proc about the client. */
static int open_proc(const char *name, int how)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/%s", (long)client->pid, name);
    fd = open(path, how);
    assert_true(fd >= 0);
    return fd;
}

static void await_blocking(void)
{
    char text[256] = "";

    while (strstr(text, ") S ") == NULL) { /* proc(5): it sleeps in a call */
        int fd = open_proc("stat", O_RDONLY);

        assert_true(read(fd, text, sizeof text - 1) > 0);
        close(fd);
    }
}

/* Fill the pipe of the client's output, and answer it. When its trace has come so far, press Ctrl-C
 * so often while it waits to print what comes next. (Reading empties the pipe.) */
static void press_while_it_prints(const char *command, const char *trace, int times)
{
    needs_linux();
    hear_first_of(command);
    int output = open_proc("fd/1", O_WRONLY | O_NONBLOCK);
    while (write(output, ".", 1) == 1)
        continue;
    close(output);
    say(peer, MESSAGE("0"));
    await(client->err, trace);
    for (int i = 0; i < times; i++) {
        await_blocking();
        press_ctrl_c();
    }
}

/* Twice, since timeout(1) delivers each Ctrl-C twice: to the client, and to its process group. */
static void two_ctrl_c_while_it_prints_lose_no_line(void **state)
{
    press_while_it_prints("echo-client -v", "room 24) = 24\n", 2);
    await_blocking();
    assert_ends(client, 0, "*" SAID("0") SUMMARY ONE_SENT, "[5] close(#) = 0\n");
}

static void the_third_ctrl_c_kills(void **state)
{
    press_while_it_prints("echo-client -v", "room 24) = 24\n", 3);
    assert_ends(client, -SIGINT, "~", "~");
}

static void ctrl_c_while_it_sums_up_does_not_cost_the_summary(void **state)
{
    press_while_it_prints("echo-client -v -q -c 1", "[5] close(", 1);
    await_blocking();
    assert_ends(client, 0, "*" SUMMARY ONE_SENT, "#) = 0\n");
}

/* As a shell without job control starts it with &. */
static void ctrl_c_does_nothing_where_it_was_ignored_from_the_start(void **state)
{
    needs_linux();
    hear_first_of("sh -c 'trap \"\" INT; exec echo-client -c 1 \"$@\"' sh");
    await_blocking();
    press_ctrl_c();
    await_blocking(); /* it still waits for the echo */
    say(peer, MESSAGE("0"));
    assert_ends(client, 0, SAID("0") SUMMARY ONE_SENT, "");
}

/* --- what is printed --- */

/* Each line is read while the server runs: it must not stay in a buffer. */
static void the_log_is_safe_to_print(void **state)
{
    struct sock_address own;

    be_client_of("echo-server");
    assert_gives(sock_local_address(peer, &own), 0);
    assert_is(next_line(server->out) + strlen("client connected from "), own.text);
    exchange("\033[2J\033]0;title\a"); /* a terminal would obey this */
    expect_line(server->out, "client say: \\x1b[2J\\x1b]0;title\\x07");
    exchange("x\nclient connected from 192.0.2.1:1");
    expect_line(server->out, "client say: x\\nclient connected from 192.0.2.1:1");
    exchange("%s%n%d");
    expect_line(server->out, "client say: %s%n%d");
    assert_gives(sock_send(peer, "before\0after", 12), 0); /* NUL ends no line */
    assert_memory_equal(heard(peer, 12), "before\0after", 12);
    expect_line(server->out, "client say: before\\x00after");
}

/* The ready line is lost, so the port is one that the test has bound and not listened on: on Linux
 * SO_REUSEADDR lets the server have it as well, and the kernel gives it to nobody else. */
static void a_server_that_cannot_print_serves_on_and_ends_with_1(void **state)
{
    /* The second closes it: then no log must go into a socket that got stdout's number. */
    static const char *const rows[][2] = {{">/dev/full", "ENOSPC"}, {">&-", "EBADF"}};
    struct sock_address address;

    needs_linux();
    bind_anywhere(&address);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        port = port_in(address.text);
        server = start("echo-server -c 2 %s %s", port, rows[i][0]);
        await(server->err, rows[i][1]);
        serves_the_next();
        serves_the_next();
        assert_ends(server, 1, "", " (*)\n"); /* named once is enough */
    }
}

/* --- the command line --- */

/* The commands are formats: %s is a port that the test has bound, so that nobody listens there.
 * (More bad numbers: test_console.c.) */
static void what_keeps_a_program_from_starting_is_named_and_exits_2(void **state)
{
    static const char *const rows[][2] = {
        {"echo-server 65536", "echo-server: port: \"65536\" is not a number from 0 to 65535\n"},
        {"echo-server -c 0", "echo-server: -c: \"0\" is not a number from 1 to 1000000000\n"},
        {"echo-server -c 1000000001", "echo-server: -c: \"1000000001\" is not a number from *\n"},
        {"echo-server -b 0", "echo-server: -b: \"0\" is not a number from 1 to 1048576\n"},
        {"echo-server -b 1048577", "echo-server: -b: \"1048577\" is not a number from *\n"},
        {"echo-client 1 0", "echo-client: port: \"0\" is not a number from 1 to 65535\n"},
        {"echo-client ::1 65536", "echo-client: port: \"65536\" is not a number from 1 *\n"},
        {"echo-client -c 0", "echo-client: -c: \"0\" is not a number from 1 to 1000000000\n"},
        {"echo-client -c 1000000001", "echo-client: -c: \"1000000001\" is not a number *\n"},
        {"echo-client 8080", "echo-client: \"8080\": *host *first, then *port\n"},
        {"echo-client '[::1]:9999'", "echo-client: \"[::1]:9999\": *two words*\n"},
        {"echo-client localhost:9999", "echo-client: \"localhost:9999\": *two words*\n"},
        {"echo-server -l 127.0.0.1:9999", "echo-server: \"127.0.0.1:9999\": *two words*\n"},

        {"echo-server 0 '\033'", "echo-server: \"\\x1b\": *too many\nusage: echo-server [~"},
        {"echo-client ::1 99 98", "echo-client: \"98\": *too many\nusage: echo-client [~"},
        {"echo-server -i 0", "echo-server: \"-i\": *\nusage: echo-server [~"},
        {"echo-client -b 1", "echo-client: \"-b\": *\nusage: echo-client [~"},
        {"echo-server -c", "echo-server: \"-c\": *value*\nusage: echo-server [~"},
        {"echo-client -i", "echo-client: \"-i\": *value*\nusage: echo-client [~"},
        {"echo-server 0 -q", "echo-server: \"-q\": options go before *\nusage: echo-server [~"},
        {"echo-client ::1 -v", "echo-client: \"-v\": options go before *\nusage: echo-client [~"},

        /* An interface that is not there: hosts that need no network to be unknown. */
        {"echo-client ::1%%nosuch 9999", "echo-client: *\"::1%nosuch\": *\n"},
        {"echo-server -l ::1%%nosuch 0", "echo-server: *\"::1%nosuch\": *\n"},
        {"echo-server -l ''", "echo-server: cannot look up \"\": *\n"},

        {"env FAIL_CREATE=EMFILE echo-server-faulty -c 1000000000 -l two 65535",
            "echo-server: socket [::1]:65535: EMFILE (*)\n"},
        {"echo-server -l 192.0.2.1 0", /* RFC 5737: nobody has it */
            "echo-server: bind 192.0.2.1:0: EADDRNOTAVAIL (*)\n"},
        {"env FAIL_LISTEN=EADDRINUSE echo-server-faulty 0",
            "echo-server: listen 127.0.0.1:0: EADDRINUSE (*)\n"},
        {"env FAIL_LOCAL_ADDRESS=ENOBUFS echo-server-faulty 0",
            "echo-server: getsockname 127.0.0.1:0: ENOBUFS (*)\n"},
        {"env FAIL_CREATE='EMFILE ENFILE' echo-client-faulty -c 1000000000 -i 86400 two 65535",
            "echo-client: socket 127.0.0.1:65535: ENFILE (*)\n"},
        {"env FAIL_CLOSE='EPERM EPERM' echo-client-faulty two %s",
            "echo-client: connect 127.0.0.1:#: ECONNREFUSED (*)\necho-client: hint: *\n"},
        {"echo-client-faulty many %s", "*connect 127.0.0.1:#: ECONNREFUSED (*); the first 16 "
                                       "addresses were tried\n*hint: *\n"},
    };
    struct sock_address address;

    bind_anywhere(&address);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        client = start(rows[i][0], port_in(address.text));
        assert_ends(client, 2, "", rows[i][1]);
    }
}

static void help_goes_to_stdout_with_status_0(void **state)
{
    server = start("echo-server -h");
    assert_ends(server, 0,
        "usage: echo-server [~ 127.0.0.1;~: never)~(default 65536)~(default 9999); 0 *\n", "");
    client = start("echo-client -h");
    assert_ends(
        client, 0, "usage: echo-client [~: never)~(default 1)~(default 127.0.0.1 9999)\n", "");
}

#define meeting(name, ...)  name, meet, alarm_on, programs_off, (&(struct meeting){__VA_ARGS__})
#define answered(name, ...) name, answer, alarm_on, programs_off, (&(struct answer){__VA_ARGS__})

static const char server_log[] = "client connected from *:#\n"
                                 "client say: 你好,hello,world,0...\\n\n"
                                 "client say: 你好,hello,world,1...\\n\n"
                                 "client say: 你好,hello,world,2...\\n\n"
                                 "client finished sending; 72 bytes echoed\n";
static const char client_log[] = SAID("0") SAID("1") SAID("2") SUMMARY "3 sent, 3 echoed" TRIPS;

/* The hosts "two" and "many" have several addresses, ::1 first: see faults.c. (With "connect(3",
 * the sockets of all attempts before are closed, as they should be.) */
static const struct CMUnitTest tests[] = {
    {meeting("both_ends_speak_over_ipv4", "echo-server -c 1", "echo-client -c 3 -i 0 127.0.0.1",
        server_log, "", client_log, "")},
    {meeting("both_ends_speak_over_ipv6", "echo-server -c 1 -l ::1", "echo-client -c 3 -i 0 ::1",
        server_log, "", client_log, "")},
    {meeting("the_ipv6_wildcard_takes_ipv4_clients_too", "echo-server -c 1 -l ::",
        "echo-client -c 3 -i 0 127.0.0.1", server_log, "", client_log, "")},
    {meeting("quiet_programs_say_the_address_and_the_summary_only",
        "echo-server -q -c 1 -b 1048576", "echo-client -q -c 2 -i 0 127.0.0.1", "", "",
        SUMMARY "2 sent, 2 echoed" TRIPS, "")},
    {meeting("the_trace_tells_each_call_behind_its_step", "echo-server -v -c 1",
        "echo-client -v -c 1 127.0.0.1", "~",
        "[1] socket(AF_INET, SOCK_STREAM, 0) = #\n"
        "[2] bind(#, 127.0.0.1:0) = 0\n"
        "[3] listen(#, #) = 0\n"
        "[4] accept(#) = #  127.0.0.1:#\n"
        "[5] recv(#, room 65536) = 24\n"
        "[5] send(#, 24 bytes) = 24\n"
        "[5] recv(#, room 65536) = 0\n"
        "[6] close(#) = 0\n"
        "[6] close(#) = 0\n",
        "~",
        "[1] socket(AF_INET, SOCK_STREAM, 0) = #\n"
        "[3] connect(#, 127.0.0.1:#) = 0\n"
        "[4] send(#, 24 bytes) = 24\n"
        "[4] recv(#, room 24) = 24\n"
        "[5] close(#) = 0\n")},
    {meeting("the_client_tries_each_address_until_one_works", "echo-server -c 1",
        "echo-client-faulty -c 1 -v many", "~", "", "~",
        "~[3] connect(3, 127.0.0.1:#) = 0\n[4] send*\n[4] recv*\n[5] close(#) = 0\n")},
    {meeting("an_address_without_a_socket_is_passed_over", "echo-server -c 1",
        "env FAIL_CREATE=EAFNOSUPPORT echo-client-faulty -c 1 -i 86400 two", "~", "", "~", "")},
    {answered("one_wrong_byte_in_an_echo_ends_the_run_with_1", "echo-client -i 0",
        "你好,hello,World,0...\n", NULL, 1, SUMMARY "1 sent, 0 echoed\n",
        "echo-client: 127.0.0.1:#: *wrong * offset 13 *: 你好,hello,World,0...\\n\n")},
    {answered("the_first_byte_of_an_echo_counts_too", "echo-client -i 0",
        "x\xbd\xa0好,hello,world,0...\n", NULL, 1, "~",
        "echo-client: 127.0.0.1:#: *wrong * offset 0 *\n")},
    {answered("the_last_byte_of_an_echo_counts_too", "echo-client -i 0", "你好,hello,world,0...!",
        NULL, 1, "~", "echo-client: 127.0.0.1:#: *wrong * offset 23 *\n")},
    {answered("an_echo_cut_short_by_the_end_ends_the_run_with_1", "echo-client -i 0", "你好", leave,
        1, SUMMARY "1 sent, 0 echoed\n", "echo-client: 127.0.0.1:#: *finished* 6 of *24 *\n")},
    {answered("a_reset_instead_of_an_echo_ends_the_run_with_1", "echo-client", "", leave_by_reset,
        1, SUMMARY "1 sent, 0 echoed\n", "echo-client: recv 127.0.0.1:#: ECONNRESET (*)\n")},
    {answered("bytes_that_nobody_asked_for_end_the_pause_with_1", "echo-client -i 86400",
        MESSAGE("0") "surprise", NULL, 1, "~", "echo-client: 127.0.0.1:#: *nobody asked*\n")},
    {answered("the_shortest_pause_looks_at_the_connection", "echo-client -c 2 -i 0.001",
        MESSAGE("0") MESSAGE("1"), NULL, 1, "~", "echo-client: 127.0.0.1:#: *nobody asked*\n")},
    {answered("without_a_pause_nobody_looks_at_the_connection", "echo-client -c 2 -i 0",
        MESSAGE("0") MESSAGE("1"), NULL, 0, "~", "")},
    {answered("a_full_disk_ends_the_client_with_1_and_one_sentence", "echo-client -i 0 >/dev/full",
        MESSAGE("0"), NULL, 1, "", "echo-client: write to standard output: ENOSPC (*)\n")},
    {answered("a_full_disk_costs_the_summary_too", "echo-client -q -c 1 >/dev/full", MESSAGE("0"),
        NULL, 1, "", "echo-client: write to standard output: ENOSPC (*)\n")},
    {answered("a_closed_standard_output_ends_the_client_with_1", "echo-client -i 0 >&-",
        MESSAGE("0"), NULL, 1, "", "echo-client: write to standard output: EBADF (*)\n")},
    {answered("a_server_that_leaves_ends_the_pause_at_once_with_1", "echo-client -i 86400",
        MESSAGE("0"), leave, 1, SUMMARY ONE_SENT, "echo-client: 127.0.0.1:#: *finished*\n")},
    {answered("a_reset_ends_the_client_with_1_and_its_symbol", "echo-client -i 86400", MESSAGE("0"),
        leave_by_reset, 1, "~", "echo-client: recv 127.0.0.1:#: ECONNRESET (*)\n")},
    {answered("a_send_that_fails_ends_the_client_with_1", "env FAIL_SEND=EPERM echo-client-faulty",
        NULL, NULL, 1, SUMMARY "0 sent, 0 echoed\n", "echo-client: send 127.0.0.1:#: EPERM (*)\n")},
    {answered("ctrl_c_before_a_send_lets_nothing_out", "env FAIL_SEND=ctrl-c echo-client-faulty",
        NULL, NULL, 0, SUMMARY "0 sent, 0 echoed\n", "")},
    {answered("ctrl_c_before_anything_came_back_ends_with_1_as_in_ping", "echo-client", "",
        press_ctrl_c, 1, SUMMARY "1 sent, 0 echoed\n", "")},
    {answered("ctrl_c_ends_the_pause_at_once", "echo-client -i 86400", MESSAGE("0"), press_ctrl_c,
        0, SUMMARY ONE_SENT, "")},
    {answered("ctrl_c_behind_a_whole_echo_lets_it_count",
        "env FAIL_RECV_ALL=ctrl-c echo-client-faulty", MESSAGE("0"), NULL, 0,
        SAID("0") SUMMARY ONE_SENT, "")},
    {answered("ctrl_c_as_the_pause_ends_is_not_taken_for_the_server_s_end",
        "env FAIL_RECV=ctrl-c echo-client-faulty -i 86400", MESSAGE("0"), leave, 0,
        SUMMARY ONE_SENT, "")},
    {answered("ctrl_c_behind_the_close_does_not_cost_the_summary",
        "env FAIL_CLOSE=ctrl-c echo-client-faulty -c 1", MESSAGE("0"), NULL, 0,
        SAID("0") SUMMARY ONE_SENT, "")},
    test(an_accept_that_fails_is_named_once_and_tried_again),
    test(an_accept_that_cannot_succeed_ends_the_server_with_1),
    test(the_message_on_the_wire_is_the_article_s_byte_for_byte),
    test(an_echo_in_pieces_of_one_byte_is_right),
    test(the_summary_has_the_fastest_the_mean_and_the_slowest_trip),
    test(a_pause_is_at_least_as_long_as_i_says),
    test(a_client_that_leaves_before_its_echo_ends_only_itself),
    test(a_reset_ends_that_client_only), test(recv_0_ends_the_exchange),
    test(sixty_clients_are_served_in_turn_with_32_descriptors),
    test(ctrl_c_ends_the_server_and_its_port_is_free_at_once),
    test(ctrl_c_may_cut_off_the_last_of_many_echoes),
    test(part_of_an_echo_that_ctrl_c_cuts_off_can_be_wrong_too),
    test(ctrl_c_while_it_connects_has_its_default_meaning),
    test(two_ctrl_c_while_it_prints_lose_no_line), test(the_third_ctrl_c_kills),
    test(ctrl_c_while_it_sums_up_does_not_cost_the_summary),
    test(ctrl_c_does_nothing_where_it_was_ignored_from_the_start), test(the_log_is_safe_to_print),
    test(a_server_that_cannot_print_serves_on_and_ends_with_1),
    test(what_keeps_a_program_from_starting_is_named_and_exits_2),
    test(help_goes_to_stdout_with_status_0)};

int main(void)
{
    return run_all(tests);
}
