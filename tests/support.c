#include "support.h"

#include <signal.h>
#include <unistd.h>

int alarm_on(void **state)
{
    (void)state;
    signal(SIGALRM, SIG_DFL);
    alarm(20);
    return 0;
}

int alarm_off(void **state)
{
    (void)state;
    alarm(0);
    return 0;
}

int listen_anywhere(struct sock_address *address, int backlog)
{
    size_t found;
    int listener;

    assert_int_equal(sock_resolve("127.0.0.1", 0, address, 1, &found), 0);
    listener = sock_create(AF_INET);
    assert_true(listener >= 0);
    assert_int_equal(sock_bind(listener, address), 0);
    assert_int_equal(sock_listen(listener, backlog), 0);
    assert_int_equal(sock_local_address(listener, address), 0);
    return listener;
}

struct pair connected(void)
{
    struct pair pair;

    pair.listener = listen_anywhere(&pair.listener_address, 5);
    pair.client = sock_create(AF_INET);
    assert_int_equal(sock_connect(pair.client, &pair.listener_address, 0), 0);
    pair.server = sock_accept(pair.listener, &pair.client_address);
    assert_true(pair.server >= 0);
    return pair;
}

void disconnect(struct pair *pair)
{
    if (pair->client != -1)
        sock_close(pair->client);
    if (pair->server != -1)
        sock_close(pair->server);
    if (pair->listener != -1)
        sock_close(pair->listener);
}
