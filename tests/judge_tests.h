/* The tests of the judge. A name says what the server must do; with it stand the lab that shows the
 * same, what the test needs, and how to see it without the judge (to printf, %1$s is the port, and
 * %% a %). The body begins when the first client is connected. A new test is a function here, and
 * its name in the list at the end. judge.c includes this file, after all that the tests call. */
#define TEST(test_name, ...)                                      \
    static void run_##test_name(int client);                      \
    static const struct test test_name = {                        \
        .run = run_##test_name, .name = #test_name, __VA_ARGS__}; \
    static void run_##test_name(int client)
#define NC    "nc -N 127.0.0.1 %1$s"
#define HELLO "echo hello | " NC
#define SLOW                                                        \
    "seq 2000000 | nc -N -I 4096 127.0.0.1 %1$s | (sleep 3; cksum)" \
    "; seq 2000000 | cksum   # the same twice"
#define DIAL "socket.create_connection((\"127.0.0.1\", %1$s))"
#define RESETS                                                                              \
    "python3 -c 'import socket; [" DIAL ".setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, " \
    "b\"\\1\\0\\0\\0\\0\\0\\0\\0\") for i in range(100)]'"

enum {
    TALK = AN_EARLY_ECHO | A_SECOND_ECHO,
    NEXT = AN_EARLY_ECHO | A_SECOND_CLIENT,
    M = TALK | NEXT | OPTION_M
};

/* One that loses its echo when the client finishes still passes: that is another test's business.
 * So does one that waits for it: the next test tells. */
TEST(echoes_a_line, "sizeof", 0, HELLO)
{
    at_stake = AN_ECHO;
    flood(client, "hello, world\n", 13);
    if (!is_ready(client, POLLIN, SILENCE_MS)) {
        shutdown(client, SHUT_WR);
        if (!is_ready(client, POLLIN, SILENCE_MS))
            fail("nothing came back, not even after the client had finished sending");
    }
    hear(client, "hello, world\n", 13, 13);
    closes_within(client, MOMENT_MS); /* fails if more comes */
}

TEST(answers_before_the_client_has_finished, "split", 0,
    "(printf 0; sleep 5) | " NC "   # the digit 0 comes at once, not after 5 seconds")
{
    static const char *const after[] = {"", "when a newline came, too: it waits for whole lines",
        "when the client had finished: it waits for the end"};
    char first = '\0';
    int step = 0;

    flood(client, "0", 1);
    while (step < 3 && !is_ready(client, POLLIN, SILENCE_MS))
        if (++step == 1)
            flood(client, "\n", 1);
        else
            shutdown(client, SHUT_WR);
    recv(client, &first, 1, 0);
    if (first != '0')
        fail("\"0\" did not come back (does your language take that text for false?)");
    if (step == 2)
        at_stake = AN_EARLY_ECHO;
    if (step > 0)
        fail("the server sent \"0\" back %s", after[step]);
}

TEST(goes_on_after_the_first_echo, "eof", AN_EARLY_ECHO,
    "nc 127.0.0.1 %1$s | cat -v   # type three, and then one: both come back, and no more")
{
    echo(client, lines, LINE);
    at_stake = A_SECOND_ECHO;
    if (closes_within(client, MOMENT_MS))
        fail("the server closed after the first echo; but a client may send again and again");
    echo(client, lines + LINE, LINE);
}

TEST(echoes_bytes_that_are_not_text, "percent-s", AN_EARLY_ECHO,
    "printf '\\000\\001\\377\\r\\n' | " NC " | od -c")
{
    static char all[258] = "\r\n";

    for (int i = 0; i < 256; i++)
        all[2 + i] = (char)('\n' + 1 + i); /* the last is the newline */
    echo(client, all, sizeof all);
}

TEST(echoes_in_order_what_comes_byte_by_byte, "split", TALK,
    "for i in 1 2 3 4 5; do printf $i; sleep 0.1; done | " NC " | cat -v")
{
    for (int i = 0; i < 1000; i++)
        flood(client, lines + i, 1);
    hear(client, lines, 1000, 1000);
}

TEST(echoes_a_message_larger_than_its_buffer, "send-once", TALK,
    "seq 2000000 | " NC " | cksum; seq 2000000 | cksum   # the same twice")
{
    echo(client, lines, LARGE);
}

/* A slow server needs the second to take what was sent, and to lose what it cannot send on. */
TEST(a_slow_reader_gets_every_byte, "send-once", TALK, SLOW, .thin = true)
{
    size_t sent = flood(client, lines, LARGE), part = sent % LINE;

    is_ready(-1, 0, 1000);
    size_t whole = hear(client, lines, sent - part, sent);
    if (part > 0) /* the server may wait for whole lines */
        sent += flood(client, lines + sent, LINE - part);
    hear(client, lines + whole, sent - whole, sent - whole);
}

TEST(adds_nothing_and_closes_after_the_client_has_finished, "eof, or #never-closed", AN_EARLY_ECHO,
    HELLO " | cat -v   # hello, no more, and then the prompt")
{
    echo(client, lines, LINE);
    finish(client);
    hear_the_end(client);
}

TEST(returns_every_byte_after_a_half_close, "half-close", A_SECOND_ECHO | A_CLOSE, SLOW,
    .thin = true)
{
    size_t sent = flood(client, lines, LARGE);

    shutdown(client, SHUT_WR);
    is_ready(-1, 0, 1000);
    hear(client, lines, sent, sent);
    hear_the_end(client);
}

/* From here on one short line tells whether the server still lives. */
TEST(serves_the_next_client_after_the_first, "backlog", AN_EARLY_ECHO, HELLO "; " HELLO)
{
    echo(client, lines, LINE);
    finish(client);
    at_stake = A_SECOND_CLIENT;
    echo(connect_client(), lines, LINE);
}

TEST(a_second_client_waits_and_is_served, "backlog", TALK | NEXT,
    "nc 127.0.0.1 %1$s   # in two terminals: type two lines in each, then Ctrl-C the first")
{
    echo(client, lines, LINE);
    int second = connect_client();
    flood(second, lines + 100, LINE);
    echo(client, lines + LINE, LINE);
    finish(client);
    hear(second, lines + 100, LINE, LINE);
    is_ready(-1, 0, MOMENT_MS); /* now the server knows that the first one has left */
    echo(second, lines + 110, LINE);
}

TEST(a_client_that_says_nothing_hears_nothing_and_ends_only_itself, "eof", A_CLOSE,
    "nc -N 127.0.0.1 %1$s </dev/null | cat -v   # nothing, and then the prompt; now: " HELLO)
{
    finish(client);
    hear_the_end(client);
    if (!(lacking & NEXT)) {
        is_ready(-1, 0, MOMENT_MS);
        echo(connect_client(), lines, LINE);
    }
}

TEST(a_reset_ends_that_client_only, "reset", NEXT,
    RESETS "; " HELLO "   # hello; if it is refused, the server is gone")
{
    echo(client, lines, LINE);
    close(connect_client()); /* a reset, of a client that may wait for accept, */
    close(client);           /* and of one that is served */
    is_ready(-1, 0, MOMENT_MS);
    echo(connect_client(), lines, LINE);
}

/* After it, some calls fail with EINTR, even without a handler: epoll_wait, or recv with a limit.
 */
TEST(goes_on_after_ctrl_z_and_fg, "limit", TALK | A_START,
    "nc 127.0.0.1 %1$s   # type a line; Ctrl-Z the server, then fg; type another line")
{
    echo(client, lines, LINE);
    is_ready(-1, 0, MOMENT_MS); /* now the server waits again */
    at_stake = CTRL_Z;
    signal_server(SIGSTOP);
    is_ready(-1, 0, MOMENT_MS);
    signal_server(SIGCONT);
    echo(client, lines + LINE, LINE);
}

/* It is the second send to a client that has left which raises SIGPIPE: so the server is stopped
 * until the client has left, and one with a large buffer needs more bytes for a second send. */
TEST(a_client_that_floods_and_leaves_ends_only_itself, "sigpipe", NEXT | CTRL_Z | A_START,
    "python3 -c 'import socket; " DIAL ".sendall(bytes(100000))'   # before it, Ctrl-Z in the "
    "server's terminal, and after it, fg; or 1000000 bytes, and no Ctrl-Z. Then: " HELLO)
{
    for (size_t size = 50000; size <= LARGE; size *= 4) {
        signal_server(SIGSTOP);
        flood(client, lines, size);
        setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){0, 0}, sizeof(struct linger));
        close(client); /* this once without a reset */
        signal_server(SIGCONT);
        is_ready(-1, 0, MOMENT_MS);
        client = connect_client();
    }
    echo(client, lines, LINE);
}

TEST(gives_back_each_connection, "never-closed", NEXT | A_CLOSE | A_START,
    "for i in $(seq 100); do " HELLO "; done; " RESETS "; " HELLO
    "   # before, in a new terminal for the server: ulimit -n 96; it may take 15 s")
{
    echo(client, lines, LINE);
    bool closes_first = closes_within(client, MOMENT_MS), has_waited = false;
    close(client);
    start("ulimit -n 96; eval \"$1\"");
    excuse = "the server does not start with so few descriptors (ulimit -n 96)";
    client = connect_client();
    excuse = NULL;
    client_count = 200;
    for (client_number = 1; client_number <= client_count; client_number++) {
        if (client_number > 1)
            client = connect_client();
        /* One that is slow to give back (it reports each reset at length, say) gets time, once. */
        send(client, lines, LINE, 0);
        if (!has_waited &&
            (!is_ready(client, POLLIN, SILENCE_MS) || recv(client, &(char){0}, 1, MSG_PEEK) != 1)) {
            has_waited = true;
            close(client);
            is_ready(-1, 0, 2000);
            client = connect_client();
            send(client, lines, LINE, 0);
        }
        hear(client, lines, LINE, LINE);
        if (client_number % 2 == 0 && !closes_first) { /* the others are rude: a reset */
            shutdown(client, SHUT_WR);
            hear_the_end(client);
        }
        close(client);
    }
}

/* The client stays while the server goes, so the kernel keeps the server's end, and without
 * SO_REUSEADDR bind fails. (In the end the client resets it, and so no TIME_WAIT is left.) */
TEST(it_starts_again_at_once_after_it_closed_first, "no-reuseaddr", AN_EARLY_ECHO | A_START,
    "nc 127.0.0.1 %1$s   # leave it there, Ctrl-C the server, and start it again (see "
    "SO_REUSEADDR)")
{
    echo(client, lines, LINE);
    start(command);
    echo(connect_client(), lines, LINE);
}

TEST(serves_two_clients_at_once, "poll", M,
    "nc 127.0.0.1 %1$s   # in two terminals: type in the second first")
{
    int second = connect_client();

    at_stake = SIDE_BY_SIDE;
    echo(second, lines, 1000);
    finish(second);
    is_ready(-1, 0, MOMENT_MS); /* now the server knows that the second one has left */
    echo(connect_client(), lines, LINE);
    echo(client, lines, LINE);
}

/* While a client does not read, its thread waits in send. Whoever shares its buffer spoils it. */
TEST(a_client_that_does_not_read_spoils_no_other, "threads", M | SIDE_BY_SIDE,
    "(seq 9000000; sleep 9) | " NC " | (sleep 5; cksum); seq 9000000 | cksum"
    "   # the same twice; after three seconds, in another terminal (it all comes at once): seq "
    "99999 | " NC,
    .thin = true)
{
    size_t sent = flood(client, lines, LARGE);
    int busy = connect_client();

    echo(busy, lines + LARGE / 2, LARGE / 2);
    hear(client, lines, sent - sent % LINE, sent);
}

/* Each sends a line before the next one connects, so that a short backlog suffices. */
TEST(serves_many_clients_at_once, "poll", M | SIDE_BY_SIDE,
    "(for i in $(seq 100); do (echo $i; sleep 2; echo $i) | " NC " & done; wait)"
    "   # a hundred lines come at once, and a hundred two seconds later")
{
    enum { MANY = 100 };
    int clients[MANY] = {client};

    client_count = MANY;
    for (int i = 0; i < MANY; i++) {
        client_number = i + 1;
        if (i > 0)
            clients[i] = connect_client();
        echo(clients[i], lines + i * 1000, LINE);
    }
    for (int at = LINE; at < 500; at += 100) {
        for (int i = 0; i < MANY; i++)
            flood(clients[i], lines + i * 1000 + at, 100);
        for (client_number = MANY; client_number > 0; client_number--)
            hear(clients[client_number - 1], lines + (client_number - 1) * 1000 + at, 100, 100);
    }
}

static const struct test *const tests[] = {&echoes_a_line, &answers_before_the_client_has_finished,
    &goes_on_after_the_first_echo, &echoes_bytes_that_are_not_text,
    &echoes_in_order_what_comes_byte_by_byte, &echoes_a_message_larger_than_its_buffer,
    &a_slow_reader_gets_every_byte, &adds_nothing_and_closes_after_the_client_has_finished,
    &returns_every_byte_after_a_half_close, &serves_the_next_client_after_the_first,
    &a_second_client_waits_and_is_served,
    &a_client_that_says_nothing_hears_nothing_and_ends_only_itself, &a_reset_ends_that_client_only,
    &goes_on_after_ctrl_z_and_fg, &a_client_that_floods_and_leaves_ends_only_itself,
    &gives_back_each_connection, &it_starts_again_at_once_after_it_closed_first,
    &serves_two_clients_at_once, &a_client_that_does_not_read_spoils_no_other,
    &serves_many_clients_at_once};
