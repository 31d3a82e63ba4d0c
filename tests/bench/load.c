/* load: the measuring client, the same for every server. It compares each byte that comes back, and
 * prints one line: a rate and how many it counted, or, when the server failed, what it did.
 *
 *     load KIND PORT SIZE COUNT MS    stops at COUNT or after MS milliseconds
 *
 * It may share its core with the server: so it makes no call but send and recv while it measures.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* What is sent is cut from a pattern that repeats after PERIOD bytes, a prime: so bytes that were
 * lost, doubled or swapped do not look right by chance. */
enum { PERIOD = 65521, MOST_SIZE = 65536, MOST_CLIENTS = 4096, PATIENCE = 5 };
static unsigned char pattern[PERIOD + MOST_SIZE];
static struct sockaddr_in server = {.sin_family = AF_INET};
static struct client {
    int fd;
    long done;
    pthread_t thread;
} clients[MOST_CLIENTS];
static pthread_barrier_t all_are_there;
static size_t size;
static long count, done;  /* done: what the rate is a rate of */
static double limit, end; /* in seconds */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A measurement starts: returns when. */
static double begin(void)
{
    double start = now();

    end = start + limit;
    alarm((unsigned)limit + PATIENCE);
    return start;
}

static _Noreturn void fail(const char *what)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&once); /* for good: the first thread to fail tells */
    puts(what);
    exit(1);
}

static void on_alarm(int number)
{
    (void)number;
    _exit(write(STDOUT_FILENO, "hangs\n", 6) == 6 ? 1 : 2);
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&server, sizeof server) == -1)
        fail("refuses");
    return fd;
}

static void put(int fd, long number)
{
    const unsigned char *piece = pattern + (size_t)number * size % PERIOD;

    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, piece + sent, size - sent, MSG_NOSIGNAL);

        if (n == -1)
            fail("breaks off");
        sent += (size_t)n;
    }
}

/* Receive some bytes, at most room, of the stream's bytes from at on. Returns how many. */
static size_t take_some(int fd, size_t at, size_t room)
{
    unsigned char echo[MOST_SIZE];
    ssize_t n = recv(fd, echo, room, 0);

    if (n == -1)
        fail("breaks off");
    if (memcmp(echo, pattern + at % PERIOD, (size_t)n) != 0)
        fail("wrong bytes");
    return (size_t)n;
}

static void take(int fd, long number)
{
    size_t n;

    for (size_t have = 0; have < size; have += n) {
        n = take_some(fd, (size_t)number * size % PERIOD + have, size - have);
        if (n == 0)
            fail("loses data");
    }
}

static double trips(void)
{
    int fd = dial();
    double start = begin();

    for (; done < count && now() < end; done++) {
        put(fd, done);
        take(fd, done);
    }
    return now() - start;
}

static double connections(void)
{
    double start = begin();

    for (; done < count && now() < end; done++) {
        int fd = dial();

        put(fd, done);
        take(fd, done);
        close(fd);
    }
    return now() - start;
}

static void *send_all(void *fd)
{
    for (; done < count && now() < end; done++)
        put(*(int *)fd, done);
    shutdown(*(int *)fd, SHUT_WR);
    return NULL;
}

/* Both ways at once: a thread sends, this one receives until the server finishes. */
static double stream(void)
{
    int fd = dial();
    size_t have = 0, n;
    double start = begin(), last = start;
    pthread_t sender;

    if (pthread_create(&sender, NULL, send_all, &fd) != 0)
        fail("no thread");
    while ((n = take_some(fd, have, MOST_SIZE)) > 0) {
        have += n;
        last = now(); /* of a byte: some peers wait a while before they close */
    }
    pthread_join(sender, NULL);
    if (have != (size_t)done * size)
        fail("loses data");
    return last - start;
}

/* All connect and send before any is served. A server of one at a time answers them in the order
 * in which they came, and none before the one in front of it has gone. */
static double queue(void)
{
    double start = begin();
    char early;

    for (long i = 0; i < count; i++)
        put(clients[i].fd = dial(), i);
    for (; done < count; done++) {
        take(clients[done].fd, done);
        if (done + 1 < count &&
            recv(clients[done + 1].fd, &early, 1, MSG_PEEK | MSG_DONTWAIT) != -1)
            fail("out of turn");
        close(clients[done].fd);
    }
    return now() - start;
}

static void *one_of_many(void *argument)
{
    struct client *client = argument;

    pthread_barrier_wait(&all_are_there);
    for (long number = client - clients; now() < end; number += count, client->done++) {
        put(client->fd, number); /* no two clients send the same at the same time */
        take(client->fd, number);
    }
    return NULL;
}

/* All at once: each client is a thread, which sends again as soon as its echo is there. */
static double many(void)
{
    double start;

    pthread_barrier_init(&all_are_there, NULL, (unsigned)count + 1);
    for (long i = 0; i < count; i++) /* not measured: connecting, and a first trip for each */
        put(clients[i].fd = dial(), i);
    for (long i = 0; i < count; i++) {
        take(clients[i].fd, i);
        if (pthread_create(&clients[i].thread, NULL, one_of_many, &clients[i]) != 0)
            fail("no thread");
    }
    start = begin();
    pthread_barrier_wait(&all_are_there);
    for (long i = 0; i < count; i++) {
        pthread_join(clients[i].thread, NULL);
        done += clients[i].done;
    }
    return now() - start;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        double (*run)(void);
    } kinds[] = {{"trips", trips}, {"stream", stream}, {"connections", connections},
        {"queue", queue}, {"many", many}};
    struct sigaction action = {.sa_handler = on_alarm};

    if (argc != 6)
        return 2;
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.sin_port = htons((uint16_t)atoi(argv[2]));
    size = (size_t)atol(argv[3]);
    count = atol(argv[4]);
    limit = atof(argv[5]) / 1000;
    if (size > MOST_SIZE || (argv[1][0] != 't' && argv[1][0] != 's' && count > MOST_CLIENTS))
        return 2;
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (unsigned char)(i % PERIOD * 2654435761U >> 13);

    sigaction(SIGALRM, &action, NULL);
    alarm(PATIENCE);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            double took = kinds[i].run();

            printf("%.1f %ld\n", (double)done / took, done);
            return 0;
        }
    return 2;
}
