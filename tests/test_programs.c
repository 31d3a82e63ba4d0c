/* The two programs as a person or a shell meets them: started for real, on ports that the kernel
 * chose. Rude and odd peers are sockets of the test itself. Nothing sleeps in order to wait: a test
 * reads what it waits for, and an alarm ends it if that never comes. */
#define _POSIX_C_SOURCE 200809L
#include "programs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE(number) "你好,hello,world," number "...\n"
#define SAID(number)    "server say: 你好,hello,world," number "...\\n\n"
#define CONNECTED       "connected to *:#\n"

/* The pair of `make watch` stands in a folder beside the usual one. */
#define WATCHED(program) "\"$(dirname \"$(command -v " program ")\")/watch/" program "\" "

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

static void half_close(void)
{
    shutdown(peer, SHUT_WR);
}

static void exchange(const char *text)
{
    say(peer, text);
    hear(peer, text);
}

/* The polite end of an exchange. */
static void finish_sending(void)
{
    half_close();
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
    hear_the_end(peer);
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

static void an_accept_that_fails_is_told_and_tried_again_after_a_second(void **state)
{
    serve("env FAIL_ACCEPT='EMFILE ENFILE ok ENOMEM' echo-server-faulty -q -c 2");
    serves_the_next();
    serves_the_next();
    assert_ends(server, 0, "",
        "echo-server: accept 127.0.0.1:#: *\nsleep(1)\necho-server: accept 127.0.0.1:#: *\n"
        "sleep(1)\necho-server: accept 127.0.0.1:#: *\nsleep(1)\n");
}

/* While one client is served, the next one is connected, and waits for its echo. */
static void a_second_client_is_connected_long_before_it_is_served(void **state)
{
    be_client_of("echo-server -c 2");
    client = start("echo-client -c 1 %s", port);
    expect_line(client->out, "connected to 127.0.0.1:#");
    exchange("hello");
    finish_sending();
    assert_ends(client, 0, SAID("0"), "");
    assert_ends(server, 0, "~5 bytes echoed\nclient connected ~24 bytes echoed\n", "");
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
    assert_ends(client, 0, "~", "");
}

/* Each piece is sent when recv has returned the one before. */
static void an_echo_in_pieces_of_one_byte_is_right(void **state)
{
    hear_first_of(WATCHED("echo-client") "-c 1");
    for (const char *next = MESSAGE("0"); *next != '\0'; next++) {
        await(client->err, "recv(");
        assert_gives(sock_send_all(peer, next, 1), 0);
        expect_line(client->err, "#, room #) = 1");
    }
    assert_ends(client, 0, CONNECTED SAID("0"), "[5] close(#) = 0\n");
}

/* What the client makes of the echo of its first message (NULL: it sends none), and of what the
 * function "then" does next. If the echo is right, the client has shown it by then. */
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
            await(client->out, SAID("0"));
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

    be_client_of("echo-server -b 5 -c 3");
    int rude = connect_to("127.0.0.1", port);
    assert_gives(sock_send_all(rude, data, sizeof data), 0);
    sock_close(rude);
    finish_sending();
    expect_line(server->err, "echo-server: send 127.0.0.1:#: *");
    await(server->out, "\nclient dropped after ");
    expect_line(server->out, "# bytes");
    serves_the_next();
    assert_ends(server, 0, "~\nclient finished sending; 4 bytes echoed\n", "");
}

static void a_reset_ends_that_client_only(void **state)
{
    be_client_of("echo-server -c 2");
    exchange("hello");
    leave_by_reset();
    expect_line(server->err, "echo-server: recv 127.0.0.1:#: *");
    await(server->out, "client say: hello\nclient dropped after 5 bytes\n");
    serves_the_next();
    assert_ends(server, 0, "*\n*\nclient finished sending; 4 bytes echoed\n", "");
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
    assert_gives(sock_send_all(peer, "before\0after", 12), 0); /* NUL ends no line */
    assert_memory_equal(heard(peer, 12), "before\0after", 12);
    expect_line(server->out, "client say: before\\x00after");
}

/* Its output is a pipe that nobody reads any more; on a full disk it would be the same. (A write
 * raises SIGPIPE there, which the server is started to ignore.) */
static void a_server_that_cannot_print_serves_on_and_ends_with_1(void **state)
{
    serve("sh -c 'trap \"\" PIPE; exec echo-server -c 2 \"$@\"' sh");
    assert_non_null(freopen("/dev/null", "r", server->out));
    serves_the_next();
    serves_the_next();
    assert_ends(server, 1, "", "echo-server: not all could be printed\n");
}

/* Programs that share a terminal write into each other's lines, unless a line is one write. Here a
 * socket of datagrams is in the place of the terminal: it keeps the writes apart. */
static void a_line_is_one_write(void **state)
{
    static char bytes[2000], longest[1024] = "client say: ";
    int ends[2];

    memset(bytes, 0xFF, sizeof bytes);
    for (int i = 0; i < 240; i++)
        strcat(longest, "\\xff");
    strcat(longest, " [2000 bytes]\n");
    const char *const writes[] = {"listening on 127.0.0.1:#\n",
        "client connected from 127.0.0.1:#\n", longest, "echo-server: recv 127.0.0.1:#: *\n",
        "client dropped after 2000 bytes\n"};

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    server = start_child();
    if (server == NULL) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execlp("echo-server", "echo-server", "-c", "1", "0", (char *)NULL);
        _exit(127);
    }
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        char got[2000] = "";

        recv(ends[0], got, sizeof got - 1, 0);
        assert_match(got, writes[i]);
        if (i == 0)
            peer = connect_to("127.0.0.1", strtok(strrchr(got, ':') + 1, "\n"));
        if (i == 1)
            assert_gives(sock_send_all(peer, bytes, sizeof bytes), 0);
        if (i == 2) {
            heard(peer, sizeof bytes);
            leave_by_reset();
        }
    }
    assert_ends(server, 0, "", "");
}

/* --- watch --- */

static void watch_tells_who_is_accepted_and_how_a_call_fails(void **state)
{
    struct sock_address own;
    char trace[1000];

    be_client_of(WATCHED("echo-server") "-q -b 5 -c 1");
    assert_gives(sock_local_address(peer, &own), 0);
    exchange("1234567");
    leave_by_reset();
    snprintf(trace, sizeof trace,
        "[1] socket(AF_INET, SOCK_STREAM, 0) = 3\n"
        "[2] setsockopt(3, SO_REUSEADDR, 1) = 0\n"
        "[2] bind(3, 127.0.0.1:0) = 0\n"
        "[3] listen(3, #) = 0\n"
        "[4] accept(3) = 4  %s\n"
        "[4] setsockopt(4, TCP_NODELAY, 1) = 0\n"
        "[4] setsockopt(4, SO_KEEPALIVE, 1) = 0\n"
        "[5] recv(4, room 5) = 5\n"
        "[5] send(4, 5 bytes) = 5\n"
        "[5] recv(4, room 5) = 2\n"
        "[5] send(4, 2 bytes) = 2\n"
        "[5] recv(4, room 5) = -1 ECONNRESET (Connection reset by peer)\n"
        "echo-server: recv %s: Connection reset by peer\n"
        "[6] close(4) = 0\n"
        "[6] close(3) = 0\n",
        own.text, own.text);
    assert_ends(server, 0, "", trace);
}

/* Whether the server waits in a call. (See proc(5); both this and a signal that interrupts,
 * although nothing handles it, are Linux's.) */
static bool server_sleeps(void)
{
    char path[64], seen[256] = "";

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)server->pid);
    int fd = open(path, O_RDONLY);
    assert_true(read(fd, seen, sizeof seen - 1) > 0);
    close(fd);
    return strstr(seen, ") S ") != NULL;
}

/* The peer sends without receiving, until neither end has room. A signal then ends the server's
 * send when a part has been taken; and the trace tells so. */
static void after_a_short_send_the_server_sends_the_rest(void **state)
{
    static char flood[1 << 20];
    long long sent = 0, back = 0;
    ssize_t part;
    int asked, taken, rest, shorts = 0;

    needs_linux();
    be_client_of(WATCHED("echo-server") "-q -b 65521 -c 1");
    limit_waiting(peer);
    do
        while ((part = sock_send(peer, flood, sizeof flood)) > 0)
            sent += part;
    while (!server_sleeps());
    kill(server->pid, SIGSTOP);
    assert_int_equal(waitpid(server->pid, &(int){0}, WUNTRACED), server->pid);
    kill(server->pid, SIGCONT);
    half_close();
    while ((part = sock_recv(peer, flood, sizeof flood)) > 0)
        back += part;
    assert_gives(back, sent);
    for (const char *line = "-"; *line != '\0'; line = next_line(server->err))
        if (sscanf(line, "[5] send(4, %d bytes) = %d", &asked, &taken) == 2 && taken < asked) {
            assert_int_equal(sscanf(next_line(server->err), "[5] send(4, %d", &rest), 1);
            assert_int_equal(rest, asked - taken);
            shorts++;
        }
    assert_gives(shorts, 1);
    assert_ends(server, 0, "", "");
}

/* --- what keeps a program from starting --- */

#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* %s is a port that the test had a moment ago, so nobody listens there. (It has it no longer: while
 * a socket is bound and does not listen, macOS leaves a SYN unanswered. What is odd in a command
 * line: test_console.c.) */
static void what_keeps_a_program_from_starting_is_told_and_exits_2(void **state)
{
    static const char *const rows[][2] = {
        {"echo-server -i 0", "echo-server: \"-i\" is no option*\nusage: echo-server [~"},
        {"echo-client -b 1", "echo-client: \"-b\" is no option*\nusage: echo-client [~"},

        /* No part of a name may have 64 letters: so it needs no network to be unknown. */
        {"echo-client " LONG, "echo-client: cannot look up \"" LONG "\": *\n"},
        {"echo-server " LONG, "echo-server: cannot look up \"" LONG "\": *\n"},

        {"env FAIL_CREATE=EMFILE echo-server-faulty two 65535",
            "echo-server: socket [::1]:65535: *\n"},
        {"echo-server 192.0.2.1 0", "echo-server: bind 192.0.2.1:0: *\n"}, /* RFC 5737: nobody's */
        {"env FAIL_LISTEN=EADDRINUSE echo-server-faulty 0", "echo-server: listen 127.0.0.1:0: *\n"},
        {"env FAIL_LOCAL_ADDRESS=ENOBUFS echo-server-faulty 0",
            "echo-server: getsockname 127.0.0.1:0: *\n"},
        {"env FAIL_CREATE='EMFILE ENFILE' echo-client-faulty two 65535",
            "echo-client: socket [::1]:65535: *\necho-client: socket 127.0.0.1:65535: *\n"},
        {"echo-client-faulty two %s",
            "echo-client: * [::1]:#: *\necho-client: connect 127.0.0.1:#: *\n"},
        {WATCHED("echo-client") "%s",
            "[1] socket(AF_INET, SOCK_STREAM, 0) = 3\n"
            "[3] connect(3, 127.0.0.1:#) = -1 ECONNREFUSED (Connection refused)\n"
            "echo-client: connect 127.0.0.1:#: Connection refused\n"
            "[3] close(3) = 0\n"},
    };
    struct sock_address address;

    sock_close(bind_anywhere(&address));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        client = start(rows[i][0], port_in(address.text));
        assert_ends(client, 2, "", rows[i][1]);
    }
}

#define meeting(name, ...)  name, meet, alarm_on, programs_off, (&(struct meeting){__VA_ARGS__})
#define answered(name, ...) name, answer, alarm_on, programs_off, (&(struct answer){__VA_ARGS__})

static const char server_log[] = "client connected from *:#\n"
                                 "client say: 你好,hello,world,0...\\n\n"
                                 "client say: 你好,hello,world,1...\\n\n"
                                 "client say: 你好,hello,world,2...\\n\n"
                                 "client finished sending; 72 bytes echoed\n";
static const char client_log[] = CONNECTED SAID("0") SAID("1") SAID("2");

/* The host "two" has two addresses, ::1 first: see faults.c. */
static const struct CMUnitTest tests[] = {
    {meeting("both_ends_speak_over_ipv4", "echo-server -c 1", "echo-client -c 3 -i 0 127.0.0.1",
        server_log, "", client_log, "")},
    {meeting("both_ends_speak_over_ipv6", "echo-server -c 1 ::1", "echo-client -c 3 -i 0 ::1",
        server_log, "", client_log, "")},
    {meeting("the_ipv6_wildcard_takes_ipv4_clients_too",
        "echo-server -c 1 ::", "echo-client -c 3 -i 0", server_log, "", client_log, "")},
    {meeting("both_ends_are_quiet_with_q", "echo-server -q -c 1", "echo-client -q -c 3 -i 0", "",
        "", "", "")},
    {meeting("watch_tells_each_call_at_both_ends", WATCHED("echo-server") "-q -c 1 ::1",
        WATCHED("echo-client") "-q -c 2 -i 0 ::1", "",
        "[1] socket(AF_INET6, SOCK_STREAM, 0) = 3\n"
        "[2] setsockopt(3, SO_REUSEADDR, 1) = 0\n"
        "[2] setsockopt(3, IPV6_V6ONLY, 0) = 0\n"
        "[2] bind(3, [::1]:0) = 0\n"
        "[3] listen(3, #) = 0\n"
        "[4] accept(3) = 4  [::1]:#\n"
        "[4] setsockopt(4, TCP_NODELAY, 1) = 0\n"
        "[4] setsockopt(4, SO_KEEPALIVE, 1) = 0\n"
        "[5] recv(4, room 65536) = 24\n"
        "[5] send(4, 24 bytes) = 24\n"
        "[5] recv(4, room 65536) = 24\n"
        "[5] send(4, 24 bytes) = 24\n"
        "[5] recv(4, room 65536) = 0\n"
        "[6] close(4) = 0\n"
        "[6] close(3) = 0\n",
        "",
        "[1] socket(AF_INET6, SOCK_STREAM, 0) = 3\n"
        "[3] connect(3, [::1]:#) = 0\n"
        "[4] send(3, 24 bytes) = 24\n"
        "[4] recv(3, room 24) = 24\n"
        "[4] send(3, 24 bytes) = 24\n"
        "[4] recv(3, room 24) = 24\n"
        "[5] close(3) = 0\n")},
    {meeting("the_client_tries_each_address_until_one_works", "echo-server -c 1",
        "echo-client-faulty -c 1 two", "~", "", "connected to 127.0.0.1:#\n" SAID("0"),
        "echo-client: * [::1]:#: *\n")},
    {meeting("the_client_tries_no_address_after_that", "echo-server -c 1 ::1",
        "echo-client-faulty -c 1 two", "~", "", "connected to [::1]:#\n" SAID("0"), "")},
    {meeting("an_address_without_a_socket_is_told_and_passed_over", "echo-server -c 1",
        "env FAIL_CREATE=EAFNOSUPPORT echo-client-faulty -c 1 two", "~", "", CONNECTED SAID("0"),
        "echo-client: socket [::1]:#: *\n")},
    {meeting("the_client_pauses_between_two_messages_only", "echo-server -c 1",
        "echo-client-faulty -q -c 3 -i 86400", "~", "", "", "sleep(86400)\nsleep(86400)\n")},
    {meeting("without_i_a_pause_has_one_second", "echo-server -c 1", "echo-client-faulty -q -c 2",
        "~", "", "", "sleep(1)\n")},
    {meeting("with_i_0_there_is_no_pause", "echo-server -c 1", "echo-client-faulty -q -c 2 -i 0",
        "~", "", "", "")},
    {answered("the_first_byte_of_an_echo_counts", "echo-client -i 0",
        "x\xbd\xa0好,hello,world,0...\n", NULL, 1,
        CONNECTED "server say: x\\xbd\\xa0好,hello,world,0...\\n\n",
        "echo-client: this is not what was sent\n")},
    {answered("the_last_byte_of_an_echo_counts", "echo-client -i 0", "你好,hello,world,0...!", NULL,
        1, CONNECTED "server say: 你好,hello,world,0...!\n",
        "echo-client: this is not what was sent\n")},
    {answered("an_echo_that_is_cut_off_is_not_shown", WATCHED("echo-client") "-i 0", "你好", leave,
        1, CONNECTED,
        "[1] socket(AF_INET, SOCK_STREAM, 0) = 3\n"
        "[3] connect(3, 127.0.0.1:#) = 0\n"
        "[4] send(3, 24 bytes) = 24\n"
        "[4] recv(3, room 24) = 6\n"
        "[4] recv(3, room 18) = 0\n"
        "echo-client: the server finished after 6 of 24 bytes\n"
        "[5] close(3) = 0\n")},
    {answered("a_server_that_finishes_between_two_messages_ends_the_run_with_1",
        "echo-client-faulty -i 0", MESSAGE("0"), half_close, 1, "",
        "echo-client: the server finished after 0 of 24 bytes\n")},
    {answered("a_reset_instead_of_an_echo_ends_the_run_with_1", "echo-client -i 86400", "",
        leave_by_reset, 1, CONNECTED, "echo-client: recv 127.0.0.1:#: *\n")},
    {answered("bytes_that_nobody_asked_for_end_the_run_with_1", "echo-client -i 0",
        MESSAGE("0") "surprise, and more surprise", NULL, 1,
        CONNECTED SAID("0") "server say: surprise, and more surpr\n",
        "echo-client: this is not what was sent\n")},
    {answered("a_send_that_fails_ends_the_run_with_1", "env FAIL_SEND=EPERM echo-client-faulty",
        NULL, NULL, 1, CONNECTED, "echo-client: send 127.0.0.1:#: *\n")},
    {answered("ctrl_c_ends_the_client_and_the_kernel_closes", "echo-client -i 86400", MESSAGE("0"),
        press_ctrl_c, -SIGINT, "", "")},
    {answered("a_full_disk_ends_the_client_with_1_and_one_sentence", "echo-client -c 1 >/dev/full",
        MESSAGE("0"), NULL, 1, "", "echo-client: not all could be printed\n")},
    {answered("a_closed_standard_output_ends_the_client_with_1", "echo-client -c 1 >&-",
        MESSAGE("0"), NULL, 1, "", "echo-client: not all could be printed\n")},
    test(an_accept_that_fails_is_told_and_tried_again_after_a_second),
    test(a_second_client_is_connected_long_before_it_is_served),
    test(the_message_on_the_wire_is_the_article_s_byte_for_byte),
    test(an_echo_in_pieces_of_one_byte_is_right),
    test(a_client_that_leaves_before_its_echo_ends_only_itself),
    test(a_reset_ends_that_client_only), test(recv_0_ends_the_exchange),
    test(sixty_clients_are_served_in_turn_with_32_descriptors),
    test(ctrl_c_ends_the_server_and_its_port_is_free_at_once), test(the_log_is_safe_to_print),
    test(a_server_that_cannot_print_serves_on_and_ends_with_1), test(a_line_is_one_write),
    test(watch_tells_who_is_accepted_and_how_a_call_fails),
    test(after_a_short_send_the_server_sends_the_rest),
    test(what_keeps_a_program_from_starting_is_told_and_exits_2)};

int main(void)
{
    return run_all(tests);
}
