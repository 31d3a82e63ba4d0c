/* The flow of TCP, claim by claim and call by call: a chapter of the tutorial that runs. The
 * sockets are real, and one program holds both ends: nothing waits for what it has yet to do. */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define fails_with(error, call) (assert_int_equal(call, -1), assert_int_equal(errno, error))

/* Each test begins with a connection, and with one more socket, as socket returned it. */
static struct pair pair;
static int fresh;
static char buffer[8], flood[32 << 20]; /* a flood is more than the kernel will hold for us */
static struct sock_address address;

static int set_up(void **state)
{
    alarm_on(state);
    signal(SIGPIPE, SIG_DFL); /* whatever it was to those who run this */
    pair = connected();
    fresh = sock_create(AF_INET);
    return 0;
}

static int tear_down(void **state)
{
    sock_close(fresh);
    disconnect(&pair);
    return alarm_off(state);
}

#undef claim /* instead of the alarm alone: the connection as well */
#define claim(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void close_now(int *fd)
{
    assert_int_equal(sock_close(*fd), 0);
    *fd = -1;
}

/* socket makes an end that is nowhere; bind puts it somewhere, on a free port if asked for 0. */
static void a_socket_has_no_address_until_it_gets_one(void **state)
{
    sock_local_address(fresh, &address);
    assert_string_equal(address.text, "0.0.0.0:0");
    assert_int_equal(sock_bind(fresh, &address), 0);
    sock_local_address(fresh, &address);
    assert_string_not_equal(port_in(address.text), "0");
}

/* What the article does before bind and connect; and what getaddrinfo does, inside sock_resolve. */
static void an_address_filled_in_by_hand_is_what_sock_resolve_gives(void **state)
{
    struct sockaddr_in by_hand;
    struct sock_addresses found;

    memset(&by_hand, 0, sizeof by_hand);
    by_hand.sin_family = AF_INET;
    by_hand.sin_port = htons(9999);
    assert_int_equal(inet_pton(AF_INET, "127.0.0.1", &by_hand.sin_addr), 1);

    assert_int_equal(sock_resolve("127.0.0.1", 9999, &found), 0);
    const struct sockaddr_in *resolved = (struct sockaddr_in *)&found.list[0].storage;
    assert_int_equal(found.list[0].length, sizeof by_hand);
    assert_int_equal(resolved->sin_family, by_hand.sin_family);
    assert_memory_equal(&resolved->sin_port, &by_hand.sin_port, sizeof by_hand.sin_port);
    assert_memory_equal(&resolved->sin_addr, &by_hand.sin_addr, sizeof by_hand.sin_addr);
}

/* A port travels big end first: 9999 is 0x270f, and a PC that forgets htons says 0x0f27. */
static void without_htons_port_9999_is_3879(void **state)
{
    assert_int_equal(ntohs(9999), htons(1) == 1 ? 9999 : 3879); /* few machines need no swap */
}

/* addrlen is the length of the struct: where addr is a pointer to it, sizeof(addr) is 8. */
static void the_size_of_a_pointer_is_an_invalid_addrlen(void **state)
{
    pair.listener_address.length = sizeof(struct sockaddr *);
    fails_with(EINVAL, sock_bind(fresh, &pair.listener_address));
}

/* One listener for an address and port, SO_REUSEADDR or not. */
static void a_port_on_which_somebody_listens_is_in_use(void **state)
{
    fails_with(EADDRINUSE, sock_bind(fresh, &pair.listener_address));
}

/* Not with a bare bind, as in the article: for a minute. SO_REUSEADDR, in sock_bind, helps. */
static void a_server_that_closed_first_gets_its_port_back(void **state)
{
    struct sockaddr *port = (struct sockaddr *)&pair.listener_address.storage;

    close_now(&pair.server);
    close_now(&pair.listener);
    fails_with(EADDRINUSE, bind(fresh, port, pair.listener_address.length));
    assert_int_equal(sock_bind(fresh, &pair.listener_address), 0);
    assert_int_equal(sock_listen(fresh, 5), 0);
}

/* INADDR_ANY is no "local IP", but every one there is. (On Linux all of 127.x.x.x is this host.) */
static void a_server_on_0_0_0_0_is_found_at_any_address(void **state)
{
    needs_linux();
    sock_listen(fresh, 5); /* without a bind, it is there that a socket listens */
    sock_local_address(fresh, &address);
    assert_match(address.text, "0.0.0.0:#");
    sock_close(connect_to("127.0.0.2", port_in(address.text)));
}

/* And a server on 127.0.0.1 is found at that one only. (Linux again.) */
static void a_server_on_127_0_0_1_is_not_found_at_127_0_0_2(void **state)
{
    needs_linux();
    ((struct sockaddr_in *)&pair.listener_address.storage)->sin_addr.s_addr = htonl(0x7f000002);
    fails_with(ECONNREFUSED, sock_connect(fresh, &pair.listener_address));
}

/* bind alone does not let anybody in; the connections that were accepted need no listener. */
static void without_a_listener_connect_is_refused_but_connections_live_on(void **state)
{
    close_now(&pair.listener);
    fails_with(ECONNREFUSED, sock_connect(fresh, &pair.listener_address));
    say(pair.client, "still here");
    hear(pair.server, "still here");
}

/* All are complete connections; the one after gets no answer. (128 was the limit before 5.4.) */
static void on_linux_a_backlog_of_129_lets_130_clients_wait(void **state)
{
    needs_linux();
    sock_listen(pair.listener, 129);
    for (int i = 0; i < 130; i++) {
        assert_int_equal(sock_connect(fresh, &pair.listener_address), 0);
        setsockopt(fresh, SOL_SOCKET, SO_LINGER, &(struct linger){1, 10}, sizeof(struct linger));
        sock_close(fresh); /* lingers until all was acknowledged: it is in the queue for sure */
        fresh = sock_create(AF_INET);
    }
    setsockopt(fresh, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){0, 20000}, sizeof(struct timeval));
    fails_with(EINPROGRESS, sock_connect(fresh, &pair.listener_address)); /* and no answer yet */
}

/* It is for that connection; the listener is still there for the next client. */
static void accept_returns_a_second_descriptor(void **state)
{
    assert_int_not_equal(pair.server, pair.listener);
    sock_connect(fresh, &pair.listener_address);
    sock_close(pair.server);
    pair.server = sock_accept(pair.listener, &address);
    say(fresh, "next");
    hear(pair.server, "next");
}

/* Going in, the length says how much room there is: with 0, nobody learns who called. */
static void accept_fills_in_no_more_than_its_length_allows(void **state)
{
    address = (struct sock_address){.length = 0};
    sock_connect(fresh, &pair.listener_address);
    sock_close(pair.server);
    pair.server = accept(pair.listener, (struct sockaddr *)&address.storage, &address.length);
    assert_int_not_equal(pair.server, -1);
    assert_int_equal(address.storage.ss_family, 0);
}

/* connect is given the server's address; the client's own port is the kernel's choice. */
static void connect_binds_the_port_that_accept_reports(void **state)
{
    sock_local_address(pair.client, &address);
    assert_string_equal(address.text, pair.client_address.text);
}

/* accept does not set the connection up: the kernel did, and it takes bytes for it as well. */
static void a_client_connects_and_sends_while_nobody_accepts(void **state)
{
    assert_int_equal(sock_connect(fresh, &pair.listener_address), 0);
    say(fresh, "hello");
}

/* Longer addresses, and no other difference. (Skipped on a machine without ::1.) */
static void over_ipv6_all_is_the_same(void **state)
{
    struct sock_addresses loopback;

    disconnect(&pair);
    pair = (struct pair){.listener = sock_create(AF_INET6), .client = -1, .server = -1};
    if (sock_resolve("::1", 0, &loopback) != 0 || sock_bind(pair.listener, &loopback.list[0]) != 0)
        needs(false, "IPv6");
    sock_listen(pair.listener, 5);
    sock_local_address(pair.listener, &address);
    pair.client = connect_to("::1", port_in(address.text));
    pair.server = sock_accept(pair.listener, &address);
    say(pair.client, "six");
    hear(pair.server, "six");
}

/* Success says that the kernel has the bytes. Here no program ever receives them. */
static void what_was_sent_may_yet_be_lost(void **state)
{
    sock_connect(fresh, &pair.listener_address);
    assert_int_equal(sock_send(fresh, "hello", 5), 0);
    close_now(&pair.listener); /* and with it whoever still waited in its queue */
    fails_with(ECONNRESET, sock_recv(fresh, buffer, sizeof buffer));
}

/* TCP carries bytes, not text: NUL ends nothing, 255 is no end of file. */
static void bytes_of_every_kind_arrive_as_they_are(void **state)
{
    sock_send(pair.client, "\0\xff\n", 3);
    assert_int_equal(sock_recv_all(pair.server, buffer, 3), 3);
    assert_memory_equal(buffer, "\0\xff\n", 3);
}

static void ignore(int signal_number)
{
}

/* A child signals us, ever more slowly: nobody can tell when the send has begun to wait. */
static ssize_t send_under_signals(int fd, int flags)
{
    struct sigaction action = {.sa_handler = ignore, .sa_flags = flags};
    pid_t us = getpid(), child;
    int patience = 1;

    sigaction(SIGUSR1, &action, NULL);
    child = fork();
    assert_int_not_equal(child, -1);
    while (child == 0)
        if (poll(NULL, 0, patience *= 2) != 0 || getppid() != us || kill(us, SIGUSR1) == -1)
            _exit(0);
    ssize_t sent = send(fd, flood, sizeof flood, 0);
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
        ;
    return sent;
}

/* It returns how far it got; SA_RESTART restarts only a send that got nowhere. */
static void a_signal_cuts_a_waiting_send_short_with_sa_restart_too(void **state)
{
    assert_in_range(send_under_signals(pair.client, 0), 1, sizeof flood - 1);
    sock_connect(fresh, &pair.listener_address);
    assert_in_range(send_under_signals(fresh, SA_RESTART), 1, sizeof flood - 1);
}

/* The first is answered by a reset; poll waits for it, and the second is told. */
static void after_the_peer_closed_the_second_send_fails(void **state)
{
    close_now(&pair.server);
    assert_int_equal(sock_recv(pair.client, buffer, sizeof buffer), 0);
    say(pair.client, "first");
    poll(&(struct pollfd){.fd = pair.client}, 1, -1);
    fails_with(EPIPE, sock_send(pair.client, "second", 6));
}

/* Unless told not to, a send that finds the pipe broken ends the program, without a word. */
static void sigpipe_kills_a_program_that_sends_unguarded(void **state)
{
    int status = 0;

    shutdown(pair.client, SHUT_WR);
    if (fork() == 0)
        _exit(send(pair.client, "hello", 5, 0) == -1);
    wait(&status);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

/* recv takes what is there, not a message. (SO_RCVLOWAT: here it waits until both are there.) */
static void two_sends_may_arrive_as_one_recv(void **state)
{
    setsockopt(pair.server, SOL_SOCKET, SO_RCVLOWAT, &(int){4}, sizeof(int));
    say(pair.client, "ab");
    say(pair.client, "cd");
    assert_int_equal(sock_recv(pair.server, buffer, sizeof buffer), 4);
}

/* Nor need the pieces agree: here a recv ends inside a send, and a character is cut in two. */
static void one_send_may_need_many_recvs_that_end_elsewhere(void **state)
{
    say(pair.client, "ab\xc3");
    say(pair.client, "\xa9");
    assert_int_equal(sock_recv(pair.server, buffer, 2), 2);
    hear(pair.server, "\xc3\xa9");
}

/* The result that is easily forgotten: no count and no error, but the end of the stream. */
static void recv_returns_0_after_the_peer_closed(void **state)
{
    close_now(&pair.client);
    assert_int_equal(sock_recv(pair.server, buffer, sizeof buffer), 0);
}

/* That 0 says "finished sending", not "gone": the echo still finds its way. */
static void after_a_half_close_every_byte_comes_back(void **state)
{
    say(pair.client, "echo");
    shutdown(pair.client, SHUT_WR);
    assert_int_equal(sock_recv_all(pair.server, buffer, sizeof buffer), 4);
    say(pair.server, "echo");
    hear(pair.client, "echo");
}

/* Its number may already be somebody else's: nothing more is to be done with it. */
static void a_closed_descriptor_is_gone(void **state)
{
    sock_close(pair.server);
    fails_with(EBADF, sock_send(pair.server, "hello", 5));
    pair.server = -1;
}

/* A close that leaves bytes unread is no orderly end, and the peer is told. */
static void bytes_unread_at_close_are_a_reset(void **state)
{
    say(pair.client, "hello");
    poll(&(struct pollfd){.fd = pair.server, .events = POLLIN}, 1, -1);
    close_now(&pair.server);
    fails_with(ECONNRESET, sock_recv(pair.client, buffer, sizeof buffer));
}

int main(void)
{
    const struct CMUnitTest flow[] = {/* socket, bind */
        claim(a_socket_has_no_address_until_it_gets_one),
        claim(an_address_filled_in_by_hand_is_what_sock_resolve_gives),
        claim(without_htons_port_9999_is_3879), claim(the_size_of_a_pointer_is_an_invalid_addrlen),
        claim(a_port_on_which_somebody_listens_is_in_use),
        claim(a_server_that_closed_first_gets_its_port_back),
        claim(a_server_on_0_0_0_0_is_found_at_any_address),
        claim(a_server_on_127_0_0_1_is_not_found_at_127_0_0_2),
        /* listen, accept */
        claim(without_a_listener_connect_is_refused_but_connections_live_on),
        claim(on_linux_a_backlog_of_129_lets_130_clients_wait),
        claim(accept_returns_a_second_descriptor),
        claim(accept_fills_in_no_more_than_its_length_allows),
        /* connect */
        claim(connect_binds_the_port_that_accept_reports),
        claim(a_client_connects_and_sends_while_nobody_accepts), claim(over_ipv6_all_is_the_same),
        /* send */
        claim(what_was_sent_may_yet_be_lost), claim(bytes_of_every_kind_arrive_as_they_are),
        claim(a_signal_cuts_a_waiting_send_short_with_sa_restart_too),
        claim(after_the_peer_closed_the_second_send_fails),
        claim(sigpipe_kills_a_program_that_sends_unguarded),
        /* recv */
        claim(two_sends_may_arrive_as_one_recv),
        claim(one_send_may_need_many_recvs_that_end_elsewhere),
        /* close */
        claim(recv_returns_0_after_the_peer_closed),
        claim(after_a_half_close_every_byte_comes_back), claim(a_closed_descriptor_is_gone),
        claim(bytes_unread_at_close_are_a_reset)};

    return run_all(flow);
}
