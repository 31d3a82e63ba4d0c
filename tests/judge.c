/* judge: is it an echo server, and does it survive what a network does to one?
 *
 * COMMAND may be in any language. It is started anew for each test, in a process group of its own;
 * it must listen on PORT of 127.0.0.1 and stay in the foreground; the judge ends it. A server that
 * accepts once and leaves is judged too, so nothing connects only to look whether it is there yet:
 * the first client of a test tries until it gets in.
 *
 * Every wait is a poll with a limit, so a hang becomes a sentence. Exit status: 0 nothing failed,
 * 1 something did, 2 wrong usage, or a server that could not be judged. */
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "make judge SERVER='COMMAND' PORT=number [TEST=name] [JUDGE_ARGS='-m -t -l seconds']\n"
    "  COMMAND     starts an echo server on this port (1 to 65535) of 127.0.0.1; without SERVER, "
    "a\n"
    "              server that already runs there is judged, as far as it can be\n"
    "  TEST=name   only tests whose names contain this\n"
    "  -m          many clients at once, too\n"
    "  -t          the report in TAP, which prove(1) reads\n"
    "  -l seconds  the limit for all tests: 90 unless you give one, and with -m 120\n";

enum {
    TEST_S = 20,       /* the limit for one test; */
    START_MS = 10000,  /* for a server to listen, as some have much to load; */
    SILENCE_MS = 3000, /* for a byte, a connection, the end of a stream; */
    MOMENT_MS = 100,   /* for a server to take more bytes; or to notice that a client has left,
                          and perhaps to crash: a sooner test could miss that */
    SIGN_MS = 5000,    /* between two signs of life in a long test */
    PAUSE_MS = 5,      /* between two attempts to connect */
    DESCRIPTORS = 150, /* so many are closed after a test */
    SHOWN = 40,        /* so many bytes are shown of what came back wrong */
    LARGE = 1000000,   /* the size of lines[], */
    LINE = 10          /* and of each line there */
};

/* What a server may lack, so that many tests could only tell the same. A test says what it needs;
 * the one that finds out puts it at stake. */
enum {
    AN_ECHO = 1,
    AN_EARLY_ECHO = 2, /* before the client has finished */
    A_SECOND_ECHO = 4, /* on the same connection */
    A_CLOSE = 8,
    A_SECOND_CLIENT = 16,
    CTRL_Z = 32,
    SIDE_BY_SIDE = 64,
    A_START = 128, /* by the judge */
    OPTION_M = 256
};
struct test {
    void (*run)(int client);
    const char *name, *lab;
    unsigned needs;
    const char *by_hand;
    bool thin; /* the clients have room for little, so the server's send buffer soon is full */
};

static char lines[LARGE + 1]; /* what clients send: numbered lines */
static const char *command;   /* NULL: the server already runs */
static const char *port;
static bool tap;
static const char *margin = "     "; /* before a line of detail */
static struct sock_address address;
static volatile pid_t server; /* the shell that runs COMMAND, or has become it; 0: none */
static FILE *server_said, *server_complained; /* what it wrote to stdout, and to stderr */
static bool ever_reached;                     /* by any client, of any test, */
static bool reached;                          /* and since the last start */
static int starts;                            /* in this test; */
static bool remembered;                       /* the port, when the last one began */
static unsigned lacking;                      /* what the server was seen to lack */
static const struct test *current;
static unsigned at_stake;                      /* what it lacks if the test fails now */
static const char *excuse;                     /* if not NULL: why a failure now is none */
static int client_number, client_count;        /* fail() says "client 7 of 100" before all else */
static long long all_end, test_end, next_sign; /* as now_ms() tells the time */
static jmp_buf end_of_test;                    /* where fail() goes: to judge() */
static char seen[300];                         /* what it said */
static char in[LARGE + 65536];                 /* what the last recv brought; */
static const char *wrong, *wanted;             /* where it was wrong, and what should be there; */
static size_t wrong_size, wanted_size;         /* at most SHOWN bytes of each are shown; */
static size_t heard, expected; /* and how many bytes of the echo have come so far, of how many */

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* End this test. */
static _Noreturn void fail(const char *format, ...)
{
    va_list list;
    int used = 0;

    if (client_number > 0)
        used = sprintf(seen, "client %d of %d: ", client_number, client_count);
    va_start(list, format);
    vsnprintf(seen + used, sizeof seen - (size_t)used, format, list);
    va_end(list);
    longjmp(end_of_test, 1);
}

/* The server. */

/* How the server ended, to be appended to a sentence; "" if it has not. It is reaped only after its
 * group is killed: until then its number cannot pass to another process. */
static const char *ending(void)
{
    static char how[100];
    siginfo_t info = {.si_pid = 0};

    if (server == 0 || waitid(P_PID, (id_t)server, &info, WEXITED | WNOHANG | WNOWAIT) == -1 ||
        info.si_pid == 0)
        return "";
    if (info.si_code == CLD_EXITED && (info.si_status <= 128 || info.si_status > 128 + 64))
        snprintf(how, sizeof how, "; the server is gone: it exited with status %d", info.si_status);
    else /* a shell says 128 + N when signal N ended its command */
        snprintf(how, sizeof how, "; the server is gone: a signal ended it: %s",
            info.si_status % 128 == SIGPIPE ? "SIGPIPE, since it sent to a client that had left"
                                            : strsignal(info.si_status % 128));
    return how;
}

static void signal_server(int number)
{
    if (server > 0)
        kill(-server, number);
}

static void end_server(void)
{
    if (server > 0) {
        signal_server(SIGKILL);
        waitpid(server, NULL, 0);
        server = 0;
        fclose(server_said);
        fclose(server_complained);
    }
}

static void stop(void)
{
    end_server();
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
        close(fd); /* the clients, which reset their connections */
}

static _Noreturn void give_up(const char *why)
{
    if (tap)
        printf("Bail out! port %s: %s\n", port, why);
    fprintf(stderr, "judge: port %s: %s\n", port, why);
    stop();
    exit(2);
}

static void on_signal(int number)
{
    signal_server(SIGKILL);
    signal(number, SIG_DFL);
    raise(number);
}

/* Clients. They do not block. close() resets a client's connection: then the server, though it is
 * ended before, leaves no TIME_WAIT that would keep a simple one from starting again. */

/* Whether the client (-1: none) is ready for these events of poll before the limit. */
static bool is_ready(int client, short events, int limit_ms)
{
    long long now = now_ms(), end = now + limit_ms;

    if (end > test_end)
        end = test_end;
    for (; now < end; now = now_ms()) {
        if (now >= next_sign) {
            fprintf(stderr, "judge: %s goes on\n", current->name);
            next_sign += SIGN_MS;
        }
        int part_ms = (int)((end < next_sign ? end : next_sign) - now);
        if (poll(&(struct pollfd){client, events, 0}, 1, part_ms) == 1)
            return true;
    }
    if (now >= all_end)
        excuse = "the time of the judge is over";
    if (now >= test_end)
        fail("only %zu of %zu bytes came back in %d s", heard, expected, TEST_S);
    return false;
}

/* Returns a client, or -1. A thin one asks for small segments, by which the kernel sizes the
 * server's send buffer. */
static int try_to_connect(void)
{
    int error = 0, client = sock_create(AF_INET);
    struct sock_address own;

    if (client == -1)
        give_up("the judge itself has no descriptor left");
    fcntl(client, F_SETFD, FD_CLOEXEC);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    if (current->thin) {
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
    int client, tries = (reached || command == NULL ? SILENCE_MS : START_MS) / PAUSE_MS;

    while ((client = try_to_connect()) == -1) {
        if (command == NULL)
            at_stake = AN_ECHO; /* nobody can start it again */
        if (errno != ECONNREFUSED || *ending() != '\0' || --tries == 0)
            fail("connect: %s%s", strerror(errno),
                ever_reached && !reached ? "; it does not start again" : "");
        is_ready(-1, 0, PAUSE_MS);
    }
    if (!reached && test_end > now_ms() + TEST_S * 1000) /* it did not need all the time to start */
        test_end = now_ms() + TEST_S * 1000;
    ever_reached = reached = true;
    return client;
}

/* Send until all is sent, or no more can go for a moment. Returns how much went. */
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

/* Receive what there is, and compare it with the next size bytes of data. Returns how many bytes
 * came; 0 at the end of the stream. */
static size_t hear_some(int client, const char *data, size_t size)
{
    size_t right = 0;
    ssize_t n = recv(client, in, sizeof in, 0);

    if (n == -1)
        fail("%s, after %zu of %zu bytes came back", strerror(errno), heard, expected);
    while (right < size && right < (size_t)n && in[right] == data[right])
        right++;
    heard += right;
    if (right == (size_t)n)
        return right;
    wrong = in + right;
    wanted = data + right;
    wrong_size = (size_t)n - right < SHOWN ? (size_t)n - right : SHOWN;
    wanted_size = size - right < SHOWN ? size - right : SHOWN;
    if (right < size)
        fail("byte %zu of %zu is not the one that was sent", heard + 1, expected);
    fail("more came back than was sent: %zu bytes for %zu", heard + (size_t)n - right, heard);
}

/* Hear the next bytes of data: at least so many, at most so many. Returns how many came. */
static size_t hear(int client, const char *data, size_t least, size_t most)
{
    heard = 0;
    expected = most;
    while (heard < least) {
        if (!is_ready(client, POLLIN, SILENCE_MS))
            fail("%zu of %zu bytes came back, then none for %d s", heard, expected,
                SILENCE_MS / 1000);
        if (hear_some(client, data + heard, most - heard) == 0)
            fail("the server closed after %zu of %zu bytes", heard, expected);
    }
    return heard;
}

/* Send and hear by turns: sending all before reading could deadlock. */
static void echo(int client, const char *data, size_t size)
{
    for (size_t done = 0, sent = 0; done < size;) {
        sent += flood(client, data + sent, size - sent);
        /* The server may wait for whole lines. */
        size_t whole = sent == size ? size : sent - sent % LINE;
        if (whole <= done)
            fail("the server accepts no more; %zu bytes are still unsent", size - sent);
        done += hear(client, data + done, whole - done, sent - done);
    }
}

/* Whether the server closes, or has done so. No more bytes may come. */
static bool closes_within(int client, int limit_ms)
{
    return is_ready(client, POLLIN, limit_ms) && hear_some(client, "", 0) == 0;
}

/* Finish sending, but not after the server has closed: it would be left in TIME_WAIT, and a simple
 * one could not start for the next test. */
static void finish(int client)
{
    if (!closes_within(client, MOMENT_MS))
        shutdown(client, SHUT_WR);
}

static void hear_the_end(int client)
{
    if (closes_within(client, SILENCE_MS))
        return;
    at_stake = A_CLOSE;
    fail("the client finished sending (recv returns 0 then); %d s later the server has not closed",
        SILENCE_MS / 1000);
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

/* Run a script of the shell, whose $1 is the command. (This ends the server that runs.) */
static void start(const char *script)
{
    int client, tries = SILENCE_MS / MOMENT_MS;

    end_server();
    if (command == NULL)
        return;
    /* What is left of the last one, a child that it forked, say, may take a moment to go. */
    while ((client = try_to_connect()) != -1 || errno == ETIMEDOUT) {
        close(client);
        if (client == -1 || --tries == 0)
            give_up(ever_reached ? "your server is still there, so it has left its process group; "
                                   "it must not become a daemon"
                                 : "another program listens there (leave SERVER out to judge it)");
        is_ready(-1, 0, MOMENT_MS);
    }
    remembered = port_is_remembered(); /* now: to connect again and again may end that */
    starts++;
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

#include "judge_tests.h"

/* The report. */

static void show(const char *title, const char *bytes, size_t size)
{
    fputs(margin, stdout);
    console_show(title, bytes, size);
}

/* The first and the last lines of what the server wrote: in one language the reason stands first,
 * and in another last. */
static void quote(FILE *file, const char *title)
{
    enum { ENDS = 5 };
    char line[1000];
    size_t count = 0, i = 0;

    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        count++;
    for (rewind(file); fgets(line, sizeof line, file) != NULL; i++)
        if (*line != '\n' && *line != '\0' && (i < ENDS || i + ENDS >= count)) {
            show(title, line, strcspn(line, "\n"));
            title = "            ";
        }
}

/* What was seen, how the server ended if it did, what it wrote, and how to see it by hand. If it
 * ended so before, with the same last words, or if the same came back wrong, or the same was seen,
 * the cause is the same, as a rule. */
static void explain(const char *how)
{
    static char told[10000];
    const char *what = *how != '\0' ? how : wrong_size > 0 ? wrong : seen;
    int size = (int)(what == wrong ? wrong_size : strlen(what));
    char cause[SHOWN + sizeof seen + 100] = "";

    printf("%sseen: %s%s\n", margin, seen, how);
    if (wanted_size > 0)
        show("sent: ", wanted, wanted_size);
    if (wrong_size > 0)
        show(wanted_size > 0 ? "came: " : "more: ", wrong, wrong_size);
    signal_server(SIGSTOP); /* its place in the file is also the judge's */
    if (*how != '\0') {
        if (fseek(server_complained, -SHOWN, SEEK_END) == -1)
            rewind(server_complained);
        cause[fread(cause, 1, SHOWN, server_complained)] = '\0';
    }
    snprintf(cause + strlen(cause), sizeof seen + 100, "(%.*s)\n", size, what);
    if (strstr(told, cause) != NULL) {
        printf("%sThe cause may be the same as above.\n", margin);
        return;
    }
    if (server > 0) {
        quote(server_complained, "its errors: ");
        quote(server_said, "it said:    ");
    }
    if (!ever_reached)
        give_up(command == NULL ? "nobody listens there"
                : *how != '\0' ? "the command ended before it listened (if it said nothing: did it "
                                 "go into the background?)"
                               : "nobody listens there; the command still runs: does it listen on "
                                 "another port, or on ::1 only?");
    printf("%sby hand: ", margin);
    printf(current->by_hand, port);
    if (*told == '\0')
        printf("\n%s(nc is OpenBSD's; with ncat, or that of busybox or macOS, leave out -N and -I "
               "4096)\n"
               "%sRepair this first. The lab that belongs to it: tests/labs/README.md#%s",
            margin, margin,
            wrong_size > 0 && wanted_size == 0 ? "sizeof, or #percent-s" : current->lab);
    puts("");
    strcat(told, cause);
}

/* Why a test is not even begun, or NULL. */
static const char *obstacle(unsigned needs)
{
    static const char *const without[] = {"they need a working echo",
        "the server answers only when the client has finished",
        "the server was seen to echo once only for each client",
        "the server was seen not to close after the client has finished",
        "the server was seen to serve one client only",
        "the server was seen not to go on after Ctrl-Z and fg",
        "the server was seen to serve one client at a time", "the judge did not start the server"};

    for (size_t i = 0; i < sizeof without / sizeof without[0]; i++)
        if ((needs | AN_ECHO) & lacking & 1U << i)
            return without[i];
    return now_ms() >= all_end ? "the time of the judge is over" : NULL;
}

enum verdict { PASSED, FAILED, NOT_JUDGED, VERDICTS };

static enum verdict report(enum verdict verdict, const char *reason)
{
    static const char *const words[] = {"ok  ", "FAIL", "skip"}, *last = "";
    static int number;

    if (tap)
        printf("%s %d - %s%s%s\n", verdict == FAILED ? "not ok" : "ok", ++number, current->name,
            verdict == NOT_JUDGED ? " # SKIP " : "", reason);
    else if (!(lacking & AN_ECHO) || reason != last)
        printf("%s %s\n", words[verdict], current->name);
    if (!tap && verdict == NOT_JUDGED && reason != last)
        printf("%snot judged: %s\n", margin, reason);
    last = reason;
    return verdict;
}

static enum verdict judge(const struct test *test)
{
    const char *how;

    current = test;
    if (obstacle(test->needs) != NULL)
        return report(NOT_JUDGED, obstacle(test->needs));
    at_stake = 0;
    excuse = NULL;
    client_number = starts = 0;
    wrong_size = wanted_size = heard = expected = 0;
    next_sign = now_ms() + SIGN_MS;
    test_end = now_ms() + START_MS + TEST_S * 1000;
    if (test_end > all_end)
        test_end = all_end;
    if (setjmp(end_of_test) == 0) {
        start(command);
        test->run(connect_client());
        stop();
        return report(PASSED, "");
    }
    poll(NULL, 0, MOMENT_MS); /* it may be about to end */
    how = ending();
    if (server > 0 && !reached && (starts == 1 || excuse != NULL) && remembered) {
        excuse = "the kernel remembers, for a minute, a connection that the server closed first; "
                 "without SO_REUSEADDR it cannot start until then";
        if (!ever_reached)
            lacking |= AN_ECHO; /* no later test could start it either */
    }
    if (excuse == NULL) {
        report(FAILED, "");
        explain(how);
        lacking |= at_stake;
    }
    stop();
    return excuse == NULL ? FAILED : report(NOT_JUDGED, excuse);
}

int main(int argc, char **argv)
{
    const char *only = getenv("TEST"), *line = "";
    size_t counts[VERDICTS] = {0};
    bool with_m = false;
    long limit_s = 0, number;
    struct sock_addresses found;
    char *end;
    int letter;

    while ((letter = getopt(argc, argv, "mtl:h")) != -1) {
        switch (letter) {
        case 'm': with_m = true; break;
        case 't': line = margin = "# "; break;
        case 'l': limit_s = atol(optarg); break;
        case 'h': fputs(usage, stdout); return 0;
        default: optind = argc; /* no port */
        }
    }
    port = optind < argc ? argv[argc - 1] : "";
    command = optind + 1 < argc ? argv[optind] : NULL;
    number = strtol(port, &end, 10);
    if (*end != '\0' || number < 1 || number > 65535 || optind + 2 < argc) {
        fputs(usage, stderr);
        return 2;
    }
    tap = *line != '\0';
    if (limit_s <= 0)
        limit_s = with_m ? 120 : 90;
    all_end = now_ms() + limit_s * 1000;
    lacking = command == NULL ? A_START : 0;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    stop(); /* closes what the judge has inherited, which no server shall get */
    if (sock_resolve("127.0.0.1", (uint16_t)number, &found) != 0)
        give_up("there is no address 127.0.0.1");
    address = found.list[0];
    signal(SIGPIPE, SIG_IGN);
    for (const int *deadly = (int[]){SIGHUP, SIGINT, SIGTERM, 0}; *deadly != 0; deadly++)
        if (signal(*deadly, SIG_IGN) != SIG_IGN) /* nohup wants it to stay so */
            signal(*deadly, on_signal);
    for (int i = 0; i < LARGE / LINE; i++)
        sprintf(lines + (size_t)i * LINE, "%09d\n", i);

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (only != NULL && *only != '\0' ? strstr(tests[i]->name, only) != NULL
                                          : with_m || !(tests[i]->needs & OPTION_M))
            counts[judge(tests[i])]++;
    if (counts[PASSED] + counts[FAILED] + counts[NOT_JUDGED] == 0)
        give_up("no test has such a name");
    if (tap)
        printf("1..%zu\n", counts[PASSED] + counts[FAILED] + counts[NOT_JUDGED]);
    printf("%s%zu passed, %zu failed, %zu not judged\n"
           "%sNever judged: its log, short sends, failures of accept, zombies, what a child "
           "inherits,\n"
           "%sNagle's delay, a processor that spins, memory without bound, limits of its own.\n",
        line, counts[PASSED], counts[FAILED], counts[NOT_JUDGED], margin, margin);
    return counts[FAILED] > 0 ? 1 : counts[PASSED] > 0 ? 0 : 2;
}
