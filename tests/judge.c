/* judge: is it an echo server, and does it survive what a network does to one?
 *
 *     judge [-m] COMMAND PORT     -m: many clients at once, too
 *
 * COMMAND may be in any language. It is started anew for each test, in a process group of its own;
 * it must listen on PORT of 127.0.0.1 and stay in the foreground; the judge ends it. A server that
 * accepts once and leaves is judged too, so nothing connects only to look whether it is there yet:
 * the first client of a test tries until it gets in.
 *
 * Every wait is a poll with a limit, so a hang becomes a sentence. Exit status: 0 all passed,
 * 1 some failed, 2 wrong usage, or a server that could not be judged. */
#define _POSIX_C_SOURCE 200809L
#include "console.h"
#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SILENCE_MS = 3000, /* the longest wait for a byte, a connection, the end of a stream */
    START_MS = 10000,  /* the longest wait for a server to listen: some have much to load */
    PAUSE_MS = 5,      /* between two attempts to connect */
    MOMENT_MS = 100,   /* how long a server has to take more bytes; or to notice that a client has
                          left,   and perhaps to crash: a sooner test could miss that */
    FORGET_S = 70,     /* the longest wait for the kernel to forget a connection */
    LARGE = 1000000,
    MANY = 100
};

static const char *command, *port;
static struct sock_address address;
static char lines[LARGE + 1]; /* what clients send: numbered lines of ten bytes each */
static bool thin;             /* the clients of this test have little room: see try_to_connect */
static volatile pid_t server; /* the shell that runs COMMAND, or has become it; 0: none */
static FILE *server_said, *server_complained; /* what it wrote to stdout, and to stderr */
static bool ever_reached;                     /* by any client, of any test, */
static bool reached;                          /* and since the last start */
static jmp_buf end_of_test; /* where fail() goes, out of whatever function: to passes() */
static char seen[200];      /* what made the test fail */

/* End this test; passes() tells the rest. */
static _Noreturn void fail(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(seen, sizeof seen, format, list);
    va_end(list);
    longjmp(end_of_test, 1);
}

/* The server. */

/* How the server ended, to be appended to a sentence; or NULL if it has not. It is reaped only
 * after its group is killed: until then its number cannot pass to another process. */
static const char *ending(void)
{
    static char how[100];
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PID, (id_t)server, &info, WEXITED | WNOHANG | WNOWAIT) == -1 || info.si_pid == 0)
        return NULL;
    if (info.si_code == CLD_EXITED && (info.si_status <= 128 || info.si_status > 128 + 64))
        snprintf(how, sizeof how, "; the server is gone: it exited with status %d", info.si_status);
    else /* a shell says 128 + N when signal N ended its command */
        snprintf(how, sizeof how, "; the server is gone: a signal ended it: %s",
            strsignal(info.si_status % 128));
    return how;
}

static void end_server(void)
{
    if (server > 0) {
        kill(-server, SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
        fclose(server_said);
        fclose(server_complained);
    }
}

static void stop(void)
{
    end_server();
    for (int fd = STDERR_FILENO + 1; fd < MANY + 50; fd++)
        close(fd); /* the clients, which reset their connections */
}

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "judge: port %s: %s\n", port, why);
    stop();
    exit(2);
}

static void on_signal(int number)
{
    if (server > 0)
        kill(-server, SIGKILL);
    signal(number, SIG_DFL);
    raise(number);
}

/* Clients. close() resets a client's connection: then the server, though it is ended before, leaves
 * no TIME_WAIT that would keep a simple one from starting again. */

static bool is_ready(int client, short events, int limit_ms)
{
    return poll(&(struct pollfd){client, events, 0}, 1, limit_ms) == 1;
}

/* Whether the server has closed first, or does so now. A FIN from here would then leave it in
 * TIME_WAIT, and a simple one could not start for the next test. */
static bool has_closed(int client)
{
    return is_ready(client, POLLIN, MOMENT_MS) && recv(client, &(char){0}, 1, MSG_PEEK) == 0;
}

static void leave(int client)
{
    if (has_closed(client))
        close(client);
    else
        shutdown(client, SHUT_WR);
}

/* Returns a client, which does not block, or -1. A thin one has room for little, and asks for it in
 * small segments: the kernel sizes the server's send buffer by them, so it soon is full. */
static int try_to_connect(void)
{
    int error = 0, client = sock_create(AF_INET);
    struct sock_address own;

    if (client == -1)
        give_up("the judge itself has no descriptor left");
    fcntl(client, F_SETFD, FD_CLOEXEC);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    if (thin) {
        setsockopt(client, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
#ifdef TCP_MAXSEG /* not in POSIX: macOS hides it */
        setsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &(int){536}, sizeof(int));
#endif
    }
    fcntl(client, F_SETFL, O_NONBLOCK);
    if (sock_connect(client, &address) == -1)
        error = errno;
    if (error == EINPROGRESS && !is_ready(client, POLLOUT, SILENCE_MS))
        error = ETIMEDOUT;
    if (error == EINPROGRESS)
        getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
    /* If nobody listens, the kernel may give it that very port, so that it connects to itself. */
    if (error == 0 && sock_local_address(client, &own) == 0 && strcmp(own.text, address.text) == 0)
        error = ECONNREFUSED;
    if (error == 0)
        return client;
    close(client);
    errno = error;
    return -1;
}

static int connect_client(void)
{
    int client, tries = (reached ? SILENCE_MS : START_MS) / PAUSE_MS;

    while ((client = try_to_connect()) == -1) {
        if (errno != ECONNREFUSED || ending() != NULL || --tries == 0)
            fail("connect: %s%s", strerror(errno),
                ever_reached && !reached ? "; it does not start again" : "");
        poll(NULL, 0, PAUSE_MS);
    }
    ever_reached = reached = true;
    return client;
}

/* Send until all is sent, or no more can go for a while. Returns how much went. */
static size_t flood(int client, const char *data, size_t size)
{
    size_t sent = 0;

    while (sent < size && is_ready(client, POLLOUT, MOMENT_MS)) {
        ssize_t n = send(client, data + sent, size - sent, 0);
        if (n == -1)
            fail("%s, after %zu of %zu bytes were sent", strerror(errno), sent, size);
        sent += (size_t)n;
    }
    return sent;
}

static void hear(int client, const char *data, size_t size)
{
    static char in[LARGE];

    for (size_t heard = 0; heard < size;) {
        if (!is_ready(client, POLLIN, SILENCE_MS))
            fail("%zu of %zu bytes came, then none for %d s", heard, size, SILENCE_MS / 1000);
        ssize_t n = recv(client, in, size - heard, 0);
        if (n < 1)
            fail("%s, after %zu of %zu bytes came", n == 0 ? "the stream ended" : strerror(errno),
                heard, size);
        for (ssize_t i = 0; i < n; i++, heard++)
            if (in[i] != data[heard])
                fail("byte %zu of %zu was sent as 0x%02x and came back as 0x%02x", heard + 1, size,
                    data[heard] & 0xff, in[i] & 0xff);
    }
}

/* Sending all before reading could deadlock, so take turns when the buffers are full. */
static void echo(int client, const char *data, size_t size)
{
    for (size_t done = 0, sent; done < size; done += sent) {
        sent = flood(client, data + done, size - done);
        if (sent == 0)
            fail("the server accepts no more; %zu bytes are still unsent", size - done);
        hear(client, data + done, sent);
    }
}

static void hear_the_end(int client)
{
    char more;

    if (!is_ready(client, POLLIN, SILENCE_MS))
        fail("%d s after the client finished sending the server has not closed", SILENCE_MS / 1000);
    switch (recv(client, &more, 1, 0)) {
    case 0: return;
    case 1: fail("an extra byte came back: 0x%02x", more & 0xff);
    default: fail("%s, instead of the end of the stream", strerror(errno));
    }
}

/* Run a script of the shell, whose $1 is COMMAND. */
static void start(const char *script)
{
    int client, tries = SILENCE_MS / MOMENT_MS;

    /* What is left of the last one, a child that it forked, say, may take a moment to go. */
    while ((client = try_to_connect()) != -1 || errno == ETIMEDOUT) {
        close(client);
        if (client == -1 || --tries == 0)
            give_up(ever_reached ? "your server is still there, so it has left its process group; "
                                   "it must not become a daemon"
                                 : "another program listens there");
        poll(NULL, 0, MOMENT_MS);
    }
    reached = false;
    server_said = tmpfile(); /* the file goes when it is closed, however the judge ends */
    server_complained = tmpfile();
    if (server_said == NULL || server_complained == NULL)
        give_up("there is no room for a temporary file");
    if ((server = fork()) == -1)
        give_up(strerror(errno));
    setpgid(server, server); /* both do it, since either may be first; in the child server is 0 */
    if (server != 0)
        return;
    signal(SIGPIPE, SIG_DFL); /* or the server would inherit a safeguard that it may lack */
    close(STDIN_FILENO);
    open("/dev/null", O_RDWR); /* it gets that number */
    dup2(fileno(server_said), STDOUT_FILENO);
    dup2(fileno(server_complained), STDERR_FILENO);
    fclose(server_said);
    fclose(server_complained);
    execl("/bin/sh", "sh", "-c", script, "sh", command, (char *)NULL);
    _exit(127);
}

/* The tests. A name says what the server must do. The line after it shows the same without the
 * judge (to printf, %1$s is the port, and %% a %). In the body, the first client is connected. */

struct test {
    void (*run)(int client);
    const char *name, *by_hand;
    bool thin;
};
#define TEST(test_name, ...)                                                 \
    static void run_##test_name(int client);                                 \
    static const struct test test_name = {                                   \
        .run = run_##test_name, .name = #test_name, .by_hand = __VA_ARGS__}; \
    static void run_##test_name(int client)
#define NC    "nc -N 127.0.0.1 %1$s"
#define HELLO "echo hello | " NC
#define DIAL  "socket.create_connection((\"127.0.0.1\", %1$s))"
#define RESETS                                                                              \
    "python3 -c 'import socket; [" DIAL ".setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, " \
    "b\"\\1\\0\\0\\0\\0\\0\\0\\0\") for i in range(100)]'"
#define AGAIN "nc 127.0.0.1 %1$s   # leave it there, Ctrl-C the server, and start it again"

TEST(echoes_a_line, HELLO)
{
    flood(client, "hello, world\n", 13);
    shutdown(client, SHUT_WR);
    hear(client, "hello, world\n", 13);
}

TEST(answers_before_the_client_has_finished,
    "(printf 0; sleep 5) | " NC "   # the digit 0 comes at once")
{
    echo(client, "0", 1); /* no newline; and some languages take it for false */
}

TEST(goes_on_after_the_first_echo, "nc 127.0.0.1 %1$s | cat -v   # type two lines: both come back")
{
    echo(client, lines, 10);
    echo(client, lines + 10, 10);
}

TEST(echoes_bytes_that_are_not_text, "printf '\\000\\001\\377\\r\\n' | " NC " | od -c")
{
    char all[258] = "\r\n";

    for (int i = 0; i < 256; i++)
        all[2 + i] = (char)('\n' + 1 + i); /* the last is the newline */
    echo(client, all, sizeof all);
}

TEST(echoes_in_order_what_comes_byte_by_byte,
    "for i in 1 2 3 4 5; do printf $i; sleep 0.1; done | " NC " | cat -v")
{
    for (int i = 0; i < 1000; i++)
        flood(client, lines + i, 1);
    hear(client, lines, 1000);
}

TEST(echoes_a_message_larger_than_its_buffer,
    "seq 2000000 | " NC " | cksum; seq 2000000 | cksum   # the same twice")
{
    echo(client, lines, LARGE);
}

TEST(a_slow_reader_gets_every_byte,
    "seq 2000000 | " NC " | (sleep 3; cksum); seq 2000000 | cksum   # the same twice", .thin = true)
{
    hear(client, lines, flood(client, lines, LARGE));
}

TEST(adds_nothing_and_closes_after_the_client_has_finished,
    "printf abc | " NC " | cat -v   # abc, no more, and then the prompt")
{
    echo(client, lines, 10);
    if (!has_closed(client))
        shutdown(client, SHUT_WR);
    hear_the_end(client);
}

TEST(returns_every_byte_after_a_half_close,
    "seq 2000000 | " NC " | (sleep 3; cksum); seq 2000000 | cksum   # the same twice", .thin = true)
{
    size_t sent = flood(client, lines, LARGE);

    shutdown(client, SHUT_WR);
    poll(NULL, 0, MOMENT_MS);
    hear(client, lines, sent);
    hear_the_end(client);
}

TEST(says_nothing_to_a_client_that_says_nothing,
    NC " </dev/null | cat -v   # nothing, and then the prompt")
{
    shutdown(client, SHUT_WR);
    hear_the_end(client);
}

TEST(serves_the_next_client_after_the_first, HELLO "; " HELLO)
{
    echo(client, lines, 1000);
    leave(client);
    echo(connect_client(), lines, 1000);
}

TEST(a_second_client_waits_and_is_served,
    "nc 127.0.0.1 %1$s   # in two terminals: type two lines in each, then Ctrl-C the first")
{
    echo(client, lines, 10);
    int second = connect_client();
    flood(second, lines + 100, 10);
    echo(client, lines + 10, 10);
    leave(client);
    hear(second, lines + 100, 10);
    poll(NULL, 0, MOMENT_MS); /* now the server knows that the first one has left */
    echo(second, lines + 110, 10);
}

TEST(a_client_that_leaves_without_a_word_ends_only_itself, "nc -z 127.0.0.1 %1$s; " HELLO)
{
    shutdown(client, SHUT_WR);
    poll(NULL, 0, MOMENT_MS);
    echo(connect_client(), lines, 1000);
}

TEST(a_reset_ends_that_client_only, RESETS "; " HELLO)
{
    echo(client, lines, 10);
    close(connect_client()); /* a reset, of a client that may wait for accept, */
    close(client);           /* and of one that is served */
    poll(NULL, 0, MOMENT_MS);
    echo(connect_client(), lines, 1000);
}

/* It is the second send to a client that has left which raises SIGPIPE: so the server is stopped
 * until the client has left, and one with a large buffer needs more bytes for a second send. */
TEST(a_client_that_floods_and_leaves_ends_only_itself,
    "python3 -c 'import socket; " DIAL ".sendall(bytes(100000))'"
    "   # Ctrl-Z the server before, then fg; or 1000000, no Ctrl-Z; then: " HELLO)
{
    for (size_t size = 50000; size <= LARGE; size *= 2) {
        kill(-server, SIGSTOP);
        flood(client, lines, size);
        setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){0, 0}, sizeof(struct linger));
        close(client); /* this once without a reset */
        kill(-server, SIGCONT);
        poll(NULL, 0, MOMENT_MS);
        client = connect_client();
    }
    echo(client, lines, 1000);
}

TEST(gives_back_each_connection,
    "for i in $(seq 100); do " HELLO "; done; " RESETS "; " HELLO
    "   # before, in a new terminal for the server: ulimit -n 96; it may take 15 s")
{
    echo(client, lines, 10);
    bool closes_first = has_closed(client);
    close(client);
    end_server();
    start("ulimit -n 96; eval \"$1\"");
    for (int i = 0; i < 200; i++) {
        client = connect_client();
        echo(client, lines, 10);
        if (i % 2 == 0 && !closes_first) { /* the others are rude: their close is a reset */
            shutdown(client, SHUT_WR);
            hear_the_end(client);
        }
        close(client);
    }
}

/* The client stays while the server goes, so the kernel keeps the server's end, and without
 * SO_REUSEADDR bind fails. (In the end the client resets it, and so no TIME_WAIT is left.) */
TEST(it_starts_again_at_once_after_it_closed_first, AGAIN)
{
    echo(client, lines, 10);
    end_server();
    start(command);
    echo(connect_client(), lines, 1000);
}

TEST(serves_two_clients_at_once, "nc 127.0.0.1 %1$s   # in two terminals: type in the second first")
{
    int second = connect_client();
    echo(second, lines, 1000);
    leave(second);
    poll(NULL, 0, MOMENT_MS); /* now the server knows that the second one has left */
    echo(connect_client(), lines, 1000);
    echo(client, lines, 10);
}

/* While a client does not read, its thread waits in send. Whoever shares its buffer spoils it. */
TEST(a_client_that_does_not_read_spoils_no_other,
    "(seq 9000000; sleep 9) | " NC " | (sleep 5; cksum); seq 9000000 | cksum"
    "   # the same twice; after three seconds, in another terminal (it all comes at once): seq "
    "99999 | " NC,
    .thin = true)
{
    size_t sent = flood(client, lines, LARGE);
    int busy = connect_client();

    echo(busy, lines + LARGE / 2, LARGE / 2);
    hear(client, lines, sent);
}

TEST(serves_many_clients_at_once,
    "(for i in $(seq 100); do (echo $i; sleep 2; echo $i) | " NC " & done; wait)"
    "   # a hundred lines come at once, and a hundred two seconds later")
{
    int clients[MANY] = {client};

    for (int i = 1; i < MANY; i++)
        clients[i] = connect_client();
    for (int at = 0; at < 500; at += 100) {
        for (int i = 0; i < MANY; i++)
            flood(clients[i], lines + i * 1000 + at, 100);
        for (int i = 0; i < MANY; i++)
            if (!is_ready(clients[i], POLLIN, SILENCE_MS))
                fail("client %d of %d at once gets nothing", i + 1, MANY);
        for (int i = MANY; i-- > 0;)
            hear(clients[i], lines + i * 1000 + at, 100);
    }
}

enum { ONLY_WITH_M = 3 }; /* so many at the end run with -m only; add a new one before them */
static const struct test *const tests[] = {&echoes_a_line, &answers_before_the_client_has_finished,
    &goes_on_after_the_first_echo, &echoes_bytes_that_are_not_text,
    &echoes_in_order_what_comes_byte_by_byte, &echoes_a_message_larger_than_its_buffer,
    &a_slow_reader_gets_every_byte, &adds_nothing_and_closes_after_the_client_has_finished,
    &returns_every_byte_after_a_half_close, &says_nothing_to_a_client_that_says_nothing,
    &serves_the_next_client_after_the_first, &a_second_client_waits_and_is_served,
    &a_client_that_leaves_without_a_word_ends_only_itself, &a_reset_ends_that_client_only,
    &a_client_that_floods_and_leaves_ends_only_itself, &gives_back_each_connection,
    &it_starts_again_at_once_after_it_closed_first, &serves_two_clients_at_once,
    &a_client_that_does_not_read_spoils_no_other, &serves_many_clients_at_once};

/* The last lines of what the server wrote (up to a NUL), without what a terminal would obey. */
static void quote(FILE *file, const char *title)
{
    enum { LAST = 8 };
    char last[LAST][1000];
    size_t count = 0;

    rewind(file);
    while (fgets(last[count % LAST], sizeof *last, file) != NULL)
        count += *last[count % LAST] != '\n';
    for (size_t i = count < LAST ? 0 : count - LAST; i < count; i++) {
        const char *line = last[i % LAST];

        console_show(title, line, strcspn(line, "\n"));
        title = "              ";
    }
}

static void quote_server(void)
{
    kill(-server, SIGSTOP); /* its place in the file is also the judge's */
    quote(server_said, "     it said: ");
    quote(server_complained, "  its errors: ");
}

/* What was seen, how the server ended if it did, what it wrote last, and how to see it by hand.
 * What was seen before has the same cause, as a rule, and is told in short. */
static void explain(const char *by_hand)
{
    static char told[sizeof tests / sizeof tests[0] * (sizeof seen + 150)];
    char sentence[sizeof seen + 150];

    poll(NULL, 0, MOMENT_MS);
    const char *how = ending();
    snprintf(sentence, sizeof sentence, ": %s%s\n", seen, how != NULL ? how : "");
    if (strstr(told, sentence) != NULL) {
        printf("     seen, as above%s", sentence);
        return;
    }
    strcat(told, sentence);
    printf("     seen%s", sentence);
    quote_server();
    if (!ever_reached)
        give_up(how != NULL ? "the command ended before it listened (if it said nothing: did it go "
                              "into the background?)"
                            : "nobody listens there; the command still runs: does it listen on "
                              "another port, or on ::1 only?");
    if (!reached)
        by_hand = AGAIN;
    printf("     by hand: ");
    printf(by_hand, port);
    putchar('\n');
}

/* For a minute the kernel remembers connections that a server closed. Until then a server without
 * SO_REUSEADDR cannot start, nor one with it after one without. */
static bool port_is_remembered(void)
{
    int fd = sock_create(AF_INET);
    int result = bind(fd, (struct sockaddr *)&address.storage, address.length);
    bool in_use = result == -1 && errno == EADDRINUSE;

    close(fd);
    return in_use;
}

static bool passes(const struct test *test)
{
    static bool has_waited;

    if (setjmp(end_of_test) == 0) {
        thin = test->thin;
        start(command);
        test->run(connect_client());
        printf("ok   %s\n", test->name);
        stop();
        return true;
    }
    if (!ever_reached && !has_waited && ending() != NULL && port_is_remembered()) {
        puts("The command ended at once. Perhaps it could not bind: the kernel still remembers\n"
             "connections that an earlier server closed on this port. Please wait a minute.");
        quote_server();
        for (int seconds = 0; seconds < FORGET_S && port_is_remembered(); seconds++)
            poll(NULL, 0, 1000);
        has_waited = true;
        stop();
        return passes(test);
    }
    printf("FAIL %s\n", test->name);
    explain(test->by_hand);
    stop();
    return false;
}

int main(int argc, char **argv)
{
    static const int deadly[] = {SIGHUP, SIGINT, SIGTERM};
    bool with_m = argc > 1 && strcmp(argv[1], "-m") == 0;
    size_t passed = 0, tried = 0, all = sizeof tests / sizeof tests[0] - (with_m ? 0 : ONLY_WITH_M);
    struct sock_addresses found;
    char *end;

    port = argv[argc - 1];
    unsigned long number = strtoul(port, &end, 10);
    if (argc != 3 + with_m || *end != '\0' || number < 1 || number > 65535) {
        fputs("usage: judge [-m] COMMAND PORT\n"
              "  -m       many clients at once, too\n"
              "  COMMAND  starts an echo server on PORT (1 to 65535) of 127.0.0.1\n",
            stderr);
        return 2;
    }
    command = argv[argc - 2];
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    stop(); /* closes what the judge has inherited, which no server shall get */
    if (sock_resolve("127.0.0.1", (uint16_t)number, &found) != 0)
        give_up("there is no address 127.0.0.1");
    address = found.list[0];
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
        if (signal(deadly[i], SIG_IGN) != SIG_IGN) /* nohup wants it to stay so */
            signal(deadly[i], on_signal);
    for (int i = 0; i < LARGE / 10; i++)
        sprintf(lines + (size_t)i * 10, "%09d\n", i);

    /* If not even a line has come back (then 1 is tried), all the others would only fail too. */
    while (tried < all && (passed == tried || tried > 1))
        passed += passes(tests[tried++]);
    printf("%zu passed, %zu failed\n", passed, tried - passed);
    if (tried < all)
        printf("%zu not judged: they need a working echo; mend this first\n", all - tried);
    if (passed == tried)
        puts("Not judged: its log, short sends, EINTR, failures of accept, zombies, descriptors\n"
             "that a child inherits, Nagle's delay, and limits that the server sets itself.");
    return passed < tried;
}
