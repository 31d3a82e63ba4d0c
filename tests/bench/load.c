/* load: the client that measures, the same for every server, and the floor to measure against. For
 * Linux: macOS has no pthread_barrier_t, and strictly POSIX headers there hide INADDR_LOOPBACK.
 *
 *     load KIND PORT SIZE CLIENTS COUNT MS    be the client; KIND is trips, stream or connections
 *     load floor PORT                         be the server
 *
 * The client sends COUNT messages of SIZE bytes; trips also end after MS milliseconds. It compares
 * each byte that comes back, and prints a rate, or, in words, what the server did wrong. It may
 * share its core with the server, so it makes no call but send and recv while it measures. */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What is sent is cut from a pattern that repeats after PERIOD bytes. PERIOD is a prime, so bytes
 * that were lost, doubled or swapped do not look right by chance. */
enum { PERIOD = 65521, MOST_SIZE = 65536, MOST_CLIENTS = 4096, PATIENCE = 5 };
static unsigned char pattern[PERIOD + MOST_SIZE];
static struct client {
    int fd;
    long done; /* messages */
    pthread_t thread;
} clients[MOST_CLIENTS];
static struct sockaddr_in server = {.sin_family = AF_INET};
static long crowd, count; /* how many clients and messages */
static size_t size;
static bool streaming;
static double limit, end; /* in seconds */
static pthread_barrier_t all_are_there;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void fail(const char *what)
{
    dprintf(STDOUT_FILENO, "%s\n", what);
    _exit(1);
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    if (fd == -1 || connect(fd, (struct sockaddr *)&server, sizeof server) == -1)
        fail("refuses");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/* Send the message of this number. (No signal interrupts this program, so send takes all of it.) */
static void put(int fd, long number)
{
    if (send(fd, pattern + (size_t)number * size % PERIOD, size, MSG_NOSIGNAL) != (ssize_t)size)
        fail("breaks off");
}

/* Receive the whole echo of the message of this number. */
static void take(int fd, long number)
{
    unsigned char echo[MOST_SIZE];
    ssize_t got = recv(fd, echo, size, MSG_WAITALL);

    if (got == -1)
        fail("breaks off");
    if (memcmp(echo, pattern + (size_t)number * size % PERIOD, (size_t)got) != 0)
        fail("wrong bytes");
    if ((size_t)got < size)
        fail("loses data");
}

static void *ask(void *argument)
{
    struct client *me = argument;
    long number = me - clients; /* No two clients send the same at the same time. */

    pthread_barrier_wait(&all_are_there);
    do {
        put(me->fd, number);
        if (!streaming)
            take(me->fd, number);
        number += crowd;
    } while (++me->done < count && (streaming || now() < end));
    return NULL;
}

/* Each client has a thread: it sends a message, waits for its echo, and sends the next. In a stream
 * the thread only sends. To connect, and a first round trip for each, are not measured. */
static double trips(void)
{
    double start, done = 0;

    pthread_barrier_init(&all_are_there, NULL, (unsigned)crowd + 1);
    for (long i = 0; i < crowd; i++)
        put(clients[i].fd = dial(), i);
    for (long i = 0; i < crowd; i++) {
        take(clients[i].fd, i);
        if (pthread_create(&clients[i].thread, NULL, ask, &clients[i]) != 0)
            fail("(the client got no thread)");
    }
    start = now();
    end = start + limit;
    pthread_barrier_wait(&all_are_there);
    for (long i = 0; streaming && i < count; i++) /* one client: its other half */
        take(clients->fd, i);
    for (long i = 0; i < crowd; i++) {
        pthread_join(clients[i].thread, NULL);
        done += (double)clients[i].done;
    }
    return done / (now() - start);
}

/* A new connection for each message. A crowd connects and sends before any of it is served; then it
 * is to be answered in the order in which it came, and nobody before the one in front has gone. */
static double connections(void)
{
    double start = now();
    char early;

    for (long done = 0; done < count; done += crowd) {
        for (long i = 0; i < crowd; i++)
            put(clients[i].fd = dial(), i);
        for (long i = 0; i < crowd; i++) {
            take(clients[i].fd, i);
            if (i + 1 < crowd && recv(clients[i + 1].fd, &early, 1, MSG_PEEK | MSG_DONTWAIT) != -1)
                fail("out of turn");
            close(clients[i].fd);
        }
    }
    return (double)count / (now() - start);
}

/* The floor: the shortest loop that can echo. What it reaches on a machine is all that there is to
 * be had. Once it runs, it looks at no error, so please do not copy it. */
static int floor_server(void)
{
    static char buffer[MOST_SIZE];
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd, on = 1;
    ssize_t got;

    if (listener == -1 || bind(listener, (struct sockaddr *)&server, sizeof server) == -1 ||
        listen(listener, SOMAXCONN) == -1)
        fail("does not start");
    while ((fd = accept(listener, NULL, NULL)) != -1) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0)
            send(fd, buffer, (size_t)got, MSG_NOSIGNAL);
        close(fd);
    }
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 7)
        return 2;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    if (argc == 3)
        return floor_server();
    size = (size_t)atol(argv[3]); /* at most MOST_SIZE */
    crowd = atol(argv[4]);
    count = atol(argv[5]);
    limit = atof(argv[6]) / 1000;
    streaming = *argv[1] == 's';
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i % PERIOD * 2654435761U >> 13);

    alarm((unsigned)limit + PATIENCE); /* If the server hangs, SIGALRM ends this program. */
    double rate = *argv[1] == 'c' ? connections() : trips();
    printf("%.1f\n", streaming ? rate * (double)size / 1048576 : rate); /* of a stream, MiB/s */
    return 0;
}
