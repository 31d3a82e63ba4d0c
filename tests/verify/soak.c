/* soak PORT PID: a hundred thousand clients of the server that is process PID, one after another,
 * a thousand of them at once; most want their echo, every byte of it, many are rude.
 * Meanwhile the server may take no descriptor and no memory for good. (Linux: /proc tells.) */
#include "sock.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECTIONS = 100000, AT_ONCE = 1000, LARGEST = 65536 };
static const char *pid;
static struct sock_address server;
static unsigned char data[2 * LARGEST];
static unsigned long long compared;
static int made;

static _Noreturn void broken(const char *what)
{
    printf("%s, at connection %d: %s\n", what, made, strerror(errno));
    exit(1);
}

static unsigned random_below(unsigned limit)
{
    static uint64_t state = 1; /* the same each time, so that a failure can be seen again */

    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % limit;
}

/* Each of 127.0.x.y has ports of its own; those of one address alone would run out, as each that
 * was used rests for a minute (TIME_WAIT). */
static int visit(void)
{
    struct sock_address here = server;
    struct sockaddr_in *in = (struct sockaddr_in *)&here.ss;
    int fd = sock_create(AF_INET);

    in->sin_addr.s_addr = htonl(0x7f000001 + (uint32_t)(made++ % 1000));
    in->sin_port = 0;
    if (fd == -1 || sock_bind(fd, &here) == -1 || sock_connect(fd, &server, 0) == -1)
        broken("no connection");
    return fd;
}

static void leave(int fd, bool by_reset)
{
    const struct linger none = {.l_onoff = 1};

    if (by_reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    sock_close(fd);
}

static void expect_echo(int fd, const unsigned char *message, size_t size)
{
    static unsigned char echo[LARGEST];

    if (sock_recv_all(fd, echo, size) != (ssize_t)size)
        broken("bytes are missing");
    if (memcmp(echo, message, size) != 0)
        broken("a byte is wrong");
    compared += size;
}

static void expect_end(int fd)
{
    char more;

    if (sock_recv(fd, &more, 1) != 0)
        broken("no end");
}

/* Sizes of every magnitude, and never the same bytes twice. */
static void one_client(void)
{
    size_t size = 1 + random_below(1u << random_below(17));
    const unsigned char *message = data + random_below(LARGEST);
    unsigned manner = random_below(8);
    int fd = visit();

    if (manner >= 7) /* left without a word */
        size = 0;
    if (sock_send(fd, message, size) == -1)
        broken("nothing can be sent");
    if (manner < 5) /* 5, 6: left without the echo */
        expect_echo(fd, message, size);
    if (manner < 2) {
        shutdown(fd, SHUT_WR);
        expect_end(fd);
    }
    leave(fd, manner % 2 == 1);
}

/* All in the server's backlog before the first is served, with all that they want to say; so it
 * is short enough for the buffers on the way. */
static void thousand_clients(void)
{
    enum { SHORT = 2048 };
    struct {
        int fd;
        size_t size;
        const unsigned char *message;
    } clients[AT_ONCE];
    int first = visit(); /* which keeps the server busy meanwhile */

    for (int i = 0; i < AT_ONCE; i++) {
        clients[i].size = 1 + random_below(SHORT);
        clients[i].message = data + random_below(LARGEST);
        clients[i].fd = visit();
        if (sock_send(clients[i].fd, clients[i].message, clients[i].size) == -1)
            broken("nothing can be sent");
        shutdown(clients[i].fd, SHUT_WR);
    }
    for (int i = 0; i < AT_ONCE; i += 3)
        leave(clients[i].fd, i % 2 == 0);
    leave(first, false);
    for (int i = 0; i < AT_ONCE; i++) {
        if (i % 3 == 0)
            continue;
        expect_echo(clients[i].fd, clients[i].message, clients[i].size);
        expect_end(clients[i].fd);
        leave(clients[i].fd, false);
    }
}

struct holdings {
    int descriptors;
    long memory; /* in KiB, what no file is behind */
};

/* While the server is with a client of this: so all others are gone. */
static struct holdings measure(void)
{
    struct holdings now = {.descriptors = -2}; /* . and .. */
    char path[64], line[256];
    int fd = visit();

    if (sock_send(fd, data, 1) == -1)
        broken("nothing can be sent");
    expect_echo(fd, data, 1);
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *descriptors = opendir(path);
    snprintf(path, sizeof path, "/proc/%s/smaps_rollup", pid);
    FILE *memory = fopen(path, "r");
    if (descriptors == NULL || memory == NULL)
        broken("/proc tells nothing");
    while (readdir(descriptors) != NULL)
        now.descriptors++;
    while (fgets(line, sizeof line, memory) != NULL)
        if (strncmp(line, "Anonymous:", 10) == 0)
            now.memory = strtol(line + 10, NULL, 10);
    closedir(descriptors);
    fclose(memory);
    leave(fd, false);
    return now;
}

int main(int argc, char **argv)
{
    struct holdings early, late;
    size_t found;

    if (argc != 3)
        return 2;
    alarm(120);
    pid = argv[2];
    sock_resolve("127.0.0.1", (uint16_t)strtol(argv[1], NULL, 10), &server, 1, &found);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)random_below(256);

    while (made < CONNECTIONS / 10)
        one_client();
    early = measure();
    while (made < CONNECTIONS / 2)
        one_client();
    thousand_clients();
    while (made < CONNECTIONS + AT_ONCE)
        one_client();
    late = measure();

    printf(
        "%d connections, %d of them at once, %llu MB compared; the server held %d descriptors and "
        "%ld KiB at 10 %%, %d and %ld in the end\n",
        made, AT_ONCE, compared / 1000000, early.descriptors, early.memory, late.descriptors,
        late.memory);
    /* A byte lost in each connection would be 88 KiB; a page of the stack or of a library is none.
     */
    return late.descriptors > early.descriptors || late.memory > early.memory + 32;
}
