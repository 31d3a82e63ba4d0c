/* floor: the shortest loop that can echo, and the shortest that can ask. What they reach on a
 * machine is what there is to be had; whatever a better program adds is measured against it.
 *
 *     floor PORT              serve one client after another
 *     floor PORT COUNT SIZE   be the client: COUNT round trips of SIZE bytes
 *
 * They handle no error: not an example to follow. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[65536];

static void serve(int listener)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL), on = 1;
        ssize_t got;

        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        while ((got = recv(fd, buffer, sizeof buffer, 0)) > 0)
            send(fd, buffer, (size_t)got, MSG_NOSIGNAL);
        close(fd);
    }
}

static void ask(int fd, long count, size_t size)
{
    while (count-- > 0) {
        ssize_t got = 1;

        send(fd, buffer, size, MSG_NOSIGNAL);
        for (size_t have = 0; have < size && got > 0; have += (size_t)got)
            got = recv(fd, buffer, size - have, 0);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (argc != 2 && argc != 4)
        return 2;
    address.sin_port = htons((uint16_t)atoi(argv[1]));
    if (argc == 4) {
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == -1)
            return 1;
        ask(fd, atol(argv[2]), (size_t)atol(argv[3]));
        return 0;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1 || listen(fd, SOMAXCONN) == -1)
        return 1;
    serve(fd);
}
