#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static int first_free; /* the descriptor that the first socket of a test gets */

/* Fail the test that hangs, and let the next one begin: as cmocka does when a test crashes. */
static void on_alarm(int signal_number)
{
    print_error("it hangs\n");
    _fail(__FILE__, __LINE__);
}

int alarm_on(void **state)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_NODEFER};
    const char *limit = getenv("TEST_LIMIT");

    sigaction(SIGALRM, &action, NULL);
    alarm(limit != NULL ? (unsigned)atoi(limit) : 5);
    first_free = dup(STDERR_FILENO);
    close(first_free);
    return 0;
}

int alarm_off(void **state)
{
    alarm(0);
    for (int fd = first_free; fd < first_free + 200; fd++)
        if (fcntl(fd, F_GETFD) != -1)
            close(fd);
    return 0;
}

void claim_text(const char *seen, const char *claimed, const char *what, const char *file, int line)
{
    if (strcmp(seen, claimed) != 0) {
        print_error("%s: %s, not %s as claimed\n", what, *seen != '\0' ? seen : "nothing", claimed);
        _fail(file, line);
    }
}

static const char *outcome(long long result, int error, char text[24])
{
    snprintf(text, 24, "%lld", result);
    if (result == -1)
        snprintf(text, 24, "%s", symbol(error)); /* whose text the next call changes */
    return text;
}

void claim_call(long long seen, long long claimed, int claimed_error, const char *call,
    const char *file, int line)
{
    char numbers[2][24];
    const char *outcome_seen = outcome(seen, errno, numbers[0]);

    claim_text(outcome_seen, outcome(claimed, claimed_error, numbers[1]), call, file, line);
}

/* Whoever starts the tests may ignore signals that they need, or have closed a standard stream,
 * whose number a socket would get. */
void prepare(void)
{
    static char pattern[200];

    signal(SIGCHLD, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    while (open("/dev/null", O_RDWR) <= STDERR_FILENO)
        continue;
    if (getenv("TEST") != NULL) {
        snprintf(pattern, sizeof pattern, "*%s*", getenv("TEST"));
        cmocka_set_test_filter(pattern);
    }
}

void needs(bool there, const char *what)
{
    if (!there) {
        print_message("skipped, since there is no %s\n", what);
        skip();
    }
}

void needs_linux(void)
{
#ifndef __linux__
    needs(false, "Linux");
#endif
}

struct sock_address resolve(const char *host, const char *port)
{
    struct sock_addresses found;

    assert_int_equal(sock_resolve(host, (uint16_t)strtol(port, NULL, 10), &found), 0);
    return found.list[0];
}

int bind_anywhere(struct sock_address *address)
{
    int fd = sock_create(AF_INET);

    *address = resolve("127.0.0.1", "0");
    assert_gives(sock_bind(fd, address), 0);
    assert_gives(sock_local_address(fd, address), 0);
    return fd;
}

int listen_anywhere(struct sock_address *address, int backlog)
{
    int listener = bind_anywhere(address);

    assert_gives(sock_listen(listener, backlog), 0);
    return listener;
}

const char *port_in(const char *text)
{
    const char *colon = strrchr(text, ':');

    assert_non_null(colon);
    return colon + 1;
}

int connect_to(const char *host, const char *port)
{
    const struct sock_address server = resolve(host, port);
    int connection = sock_create(server.storage.ss_family);

    assert_gives(sock_connect(connection, &server), 0);
    return connection;
}

void limit_waiting(int end)
{
    const struct timeval tenth = {.tv_usec = 100 * 1000};

    assert_gives(setsockopt(end, SOL_SOCKET, SO_SNDTIMEO, &tenth, sizeof tenth), 0);
}

const char *heard(int connection, size_t size)
{
    static char got[8192];

    assert_true(size < sizeof got);
    ssize_t count = sock_recv_all(connection, got, size);
    if (count == -1)
        return symbol(errno);
    got[count] = '\0';
    return got;
}
