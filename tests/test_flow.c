/* TCP, in tests that you can run. Before you read on, write down yes or no:
 *
 *   1. connect waits until the server has called accept.
 *   2. When the listener is closed, so are the connections that it has let in.
 *   3. What one send has taken comes out of one recv.
 *   4. When the peer has closed the connection, the next send fails.
 *   5. A client that has finished sending can still receive.
 *   6. When send has returned the number of bytes, the other program gets them.
 *
 * The first test is the whole flow, step by step. Each other test claims one thing, and its name is
 * the claim; the numbers of the questions stand above those that answer them. When you doubt one,
 * claim the contrary: `make test` says what was claimed and what was seen, or that the test hangs,
 * if it waits for what never comes. (`make test TEST=backlog` runs only the tests with this word in
 * their names.)
 *
 * assert_gives(call, 3) claims that the call returns 3. assert_fails(call, EPIPE) claims that it
 * returns -1 with this errno. say() sends a text, and hear() claims that this text is what comes.
 * The first test makes the bare calls. Later ones also have sock_xyz(), described in
 * include/sock.h, and a few more helpers, described in tests/support.h.
 *
 * One program holds both ends here, so it must never wait for something that it does only later.
 * Whatever a test leaves open is closed when it ends; the first one shows how to do it yourself. */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The numbers are those of the steps in src/server.c and src/client.c. */
static void a_client_sends_a_message_and_gets_it_back(void **state)
{
    char buffer[100], echo[100] = "";

    /* Server 1. Create a socket: for IPv4, for a stream of bytes, and for the usual protocol of
     * streams (0), which is TCP. You get a descriptor, which is a small number. */
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener != -1);

    /* Server 2. Bind it to an address of this machine. htons puts the high byte of the port first,
     * as the network has it. Port 0 lets the kernel choose a free one, and getsockname tells which.
     * The casts are needed since bind takes addresses of any family. */
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(0)};
    socklen_t length = sizeof address;
    assert_gives(inet_pton(AF_INET, "127.0.0.1", &address.sin_addr), 1);
    assert_gives(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_gives(getsockname(listener, (struct sockaddr *)&address, &length), 0);

    /* Server 3. Listen. From now on the kernel answers clients, whatever this program does. */
    assert_gives(listen(listener, 5), 0);

    /* Client 1. Create a socket. */
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(client != -1);

    /* Client 2. Set the server's address. (Its port has gone through htons already.) */
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = address.sin_port};
    assert_gives(inet_pton(AF_INET, "127.0.0.1", &server.sin_addr), 1);

    /* Client 3. Connect. It works, although the server has not called accept yet. */
    assert_gives(connect(client, (struct sockaddr *)&server, sizeof server), 0);

    /* Server 4. Accept the client. You get a second descriptor, for this connection alone, and the
     * address of the client. You say how much room there is for it; accept says how much it used.
     */
    struct sockaddr_in from = {0};
    length = sizeof from;
    int connection = accept(listener, (struct sockaddr *)&from, &length);
    assert_true(connection != -1);
    assert_gives(length, sizeof from);
    assert_gives(from.sin_family, AF_INET);

    /* Client 4. Send a message. */
    assert_gives(send(client, "hello", 5, MSG_NOSIGNAL), 5);

    /* Server 5. Receive what has come, and send that many bytes back. */
    ssize_t got = recv(connection, buffer, sizeof buffer, 0);
    assert_gives(got, 5);
    assert_gives(send(connection, buffer, (size_t)got, MSG_NOSIGNAL), 5);

    /* Client 4, again. Receive the whole echo: MSG_WAITALL waits for all five bytes. */
    assert_gives(recv(client, echo, 5, MSG_WAITALL), 5);
    assert_is(echo, "hello");

    /* Client 5. Close. */
    assert_gives(close(client), 0);

    /* Server 5, again. Now recv returns 0, since the client has finished. */
    assert_gives(recv(connection, buffer, sizeof buffer, 0), 0);

    /* Server 6. Close the connection. A server would go back to 4 now, but this one ends. */
    assert_gives(close(connection), 0);
    assert_gives(close(listener), 0);
}

/* Many claims begin where steps 1 to 4 of the server and 1 to 3 of the client are done. */
struct pair {
    int listener, client, server; /* server is the descriptor that accept returned */
    struct sock_address address, client_address;
};

static struct pair connected(void)
{
    struct pair pair;

    pair.listener = listen_anywhere(&pair.address, 5);
    pair.client = connect_to("127.0.0.1", port_in(pair.address.text));
    pair.server = sock_accept(pair.listener, &pair.client_address);
    assert_true(pair.server != -1);
    return pair;
}

/* Bytes need time to arrive, even here. MSG_PEEK looks at them, but leaves them there. */
static void wait_for_bytes(int end, ssize_t size)
{
    char seen[16];

    while (recv(end, seen, (size_t)size, MSG_PEEK | MSG_WAITALL) < size)
        continue; /* recv itself waits; but some systems wait only for the first byte */
}

/* A reset needs time too. It hangs the connection up. (A poll that asks for no event waits for this
 * on Linux, but on macOS for ever.) */
static void wait_for_reset(int end)
{
    struct pollfd polled = {.fd = end, .events = POLLOUT};

    while ((polled.revents & POLLHUP) == 0)
        poll(&polled, 1, -1);
}

/* --- socket and bind --- */

/* Many programs fill in their addresses like this; among them is the Chinese article with which
 * README compares ours ("the article" below). sock_resolve lets getaddrinfo do the same. */
static void an_address_filled_in_by_hand_is_what_sock_resolve_gives(void **state)
{
    struct sock_address address = resolve("127.0.0.1", "9999");
    const struct sockaddr_in *resolved = (struct sockaddr_in *)&address.storage;
    struct sockaddr_in by_hand = {.sin_family = AF_INET, .sin_port = htons(9999)};

    assert_gives(inet_pton(AF_INET, "127.0.0.1", &by_hand.sin_addr), 1);
    assert_gives(address.length, sizeof by_hand);
    assert_gives(resolved->sin_family, by_hand.sin_family);
    assert_gives(resolved->sin_port, by_hand.sin_port);
    assert_gives(resolved->sin_addr.s_addr, by_hand.sin_addr.s_addr);
}

/* 9999 is 39 * 256 + 15. On the network the 39 comes first, but a PC stores the 15 first. */
static void without_htons_port_9999_is_3879(void **state)
{
    struct sockaddr_in with = {.sin_port = htons(9999)}, without = {.sin_port = 9999};
    const unsigned char *right = (unsigned char *)&with.sin_port;
    const unsigned char *wrong = (unsigned char *)&without.sin_port;

    assert_gives(right[0], 39);
    assert_gives(right[1], 15);
    needs(wrong[0] != 39, "byte order like that of a PC"); /* a few machines store the 39 first */
    assert_gives(wrong[0] * 256 + wrong[1], 3879);
}

/* This is the article's bind. addr is a pointer, so sizeof(addr) is 8 (or 4), and never 16. */
static void the_size_of_a_pointer_is_an_invalid_addrlen(void **state)
{
    struct sock_address address = resolve("127.0.0.1", "0");
    const struct sockaddr *addr = (struct sockaddr *)&address.storage;
    int fd = sock_create(AF_INET);

    assert_fails(bind(fd, addr, sizeof(addr)), EINVAL); /* NOLINT: clang-tidy sees the mistake */
    assert_gives(bind(fd, addr, sizeof(struct sockaddr_in)), 0);
}

static void a_socket_has_no_address_until_it_gets_one(void **state)
{
    struct sock_address address = resolve("127.0.0.1", "0"), local;
    int fd = sock_create(AF_INET);

    assert_gives(sock_local_address(fd, &local), 0);
    assert_is(local.text, "0.0.0.0:0");
    assert_gives(sock_bind(fd, &address), 0);
    assert_gives(sock_local_address(fd, &local), 0);
    assert_true(strncmp(local.text, "127.0.0.1:", 10) == 0);
    assert_string_not_equal(local.text, "127.0.0.1:0");
}

/* Although sock_bind sets SO_REUSEADDR, only one socket can listen on a port. */
static void a_port_on_which_somebody_listens_is_in_use(void **state)
{
    struct sock_address address;
    int second = sock_create(AF_INET);

    listen_anywhere(&address, 5);
    assert_fails(sock_bind(second, &address), EADDRINUSE);
}

/* The end that closes first remembers the connection for a minute or so. Until then the article's
 * bare bind fails. With SO_REUSEADDR, which sock_bind sets, a server need not wait. */
static void a_server_that_closed_first_gets_its_port_back(void **state)
{
    struct pair pair = connected();
    const struct sockaddr *addr = (struct sockaddr *)&pair.address.storage;
    int next = sock_create(AF_INET);

    sock_close(pair.server);
    hear_the_end(pair.client);
    sock_close(pair.client);
    sock_close(pair.listener);
    assert_fails(bind(next, addr, pair.address.length), EADDRINUSE);
    assert_gives(sock_bind(next, &pair.address), 0);
    assert_gives(sock_listen(next, 5), 0);
}

/* 0.0.0.0 is INADDR_ANY, every address of the machine. Linux has 127.0.0.2 without any setup. */
static void a_server_on_0_0_0_0_is_found_at_any_address(void **state)
{
    needs_linux();
    struct sock_address any = resolve("0.0.0.0", "0");
    int listener = sock_create(AF_INET), client = sock_create(AF_INET);

    assert_gives(sock_bind(listener, &any), 0);
    assert_gives(sock_listen(listener, 5), 0);
    assert_gives(sock_local_address(listener, &any), 0);
    struct sock_address other = resolve("127.0.0.2", port_in(any.text));
    assert_gives(sock_connect(client, &other), 0);
}

static void a_server_on_127_0_0_1_is_not_found_at_127_0_0_2(void **state)
{
    needs_linux();
    struct pair pair = connected();
    struct sock_address other = resolve("127.0.0.2", port_in(pair.address.text));
    int client = sock_create(AF_INET);

    assert_fails(sock_connect(client, &other), ECONNREFUSED);
}

/* --- listen and accept --- */

/* The listener is needed only to let clients in. (Question 2.) */
static void without_a_listener_connect_is_refused_but_connections_live_on(void **state)
{
    struct pair pair = connected();
    int late = sock_create(AF_INET);

    sock_close(pair.listener);
    assert_fails(sock_connect(late, &pair.address), ECONNREFUSED);
    say(pair.client, "still here");
    hear(pair.server, "still here");
}

/* A client that leaves at once keeps its place in the queue. SO_LINGER lets close wait until the
 * listener's side has acknowledged everything: then the connection is in the queue for sure. */
static void join_the_queue(const struct sock_address *address)
{
    const struct linger ten_seconds = {.l_onoff = 1, .l_linger = 10};
    int client = connect_to("127.0.0.1", port_in(address->text));

    setsockopt(client, SOL_SOCKET, SO_LINGER, &ten_seconds, sizeof ten_seconds);
    sock_close(client);
}

/* The kernel keeps one more than you asked for. Whoever comes after that gets no answer for now. */
static void on_linux_a_backlog_of_129_lets_130_clients_wait(void **state)
{
    needs_linux();
    char longest[20] = "";
    int limit = open("/proc/sys/net/core/somaxconn", O_RDONLY);
    needs(read(limit, longest, sizeof longest - 1) > 0 && strtol(longest, NULL, 10) >= 129,
        "backlog of 129 (net.core.somaxconn)");
    struct sock_address address;
    int next = sock_create(AF_INET);

    listen_anywhere(&address, 129);
    for (int i = 0; i < 130; i++)
        join_the_queue(&address);
    limit_waiting(next);
    assert_fails(sock_connect(next, &address), EINPROGRESS); /* no answer until the time was up */
}

/* It serves one connection. The listener stays, and gives another one for the next client. */
static void accept_returns_a_second_descriptor(void **state)
{
    struct pair pair = connected();
    struct sock_address client_address;
    int client = connect_to("127.0.0.1", port_in(pair.address.text));
    int server = sock_accept(pair.listener, &client_address);

    assert_true(server != pair.listener && server != pair.server);
    say(client, "second");
    say(pair.client, "first");
    hear(server, "second");
    hear(pair.server, "first");
}

/* You put in how much room there is, and accept puts out how much the address needs. If you forget
 * to put it in, it may be 0 by chance. Then accept works, but you do not learn who has called. */
static void accept_fills_in_no_more_than_its_length_allows(void **state)
{
    struct pair pair = connected();
    struct sockaddr_storage address = {0};
    struct sockaddr *addr = (struct sockaddr *)&address;
    socklen_t none = 0, length = sizeof address;

    connect_to("127.0.0.1", port_in(pair.address.text));
    assert_true(accept(pair.listener, addr, &none) != -1);
    assert_gives(address.ss_family, 0);

    connect_to("127.0.0.1", port_in(pair.address.text));
    assert_true(accept(pair.listener, addr, &length) != -1);
    assert_gives(address.ss_family, AF_INET);
    assert_gives(length, sizeof(struct sockaddr_in));
}

/* --- connect --- */

/* You give connect the address of the server. The kernel chooses the port of the client. */
static void connect_binds_the_port_that_accept_reports(void **state)
{
    struct pair pair = connected();
    struct sock_address local;
    assert_gives(sock_local_address(pair.client, &local), 0);
    assert_is(local.text, pair.client_address.text);
}

/* It is not accept that sets up the connection, but the kernel, which also keeps what was sent.
 * (Question 1.) */
static void a_client_connects_and_sends_while_nobody_accepts(void **state)
{
    struct sock_address address, client_address;
    int listener = listen_anywhere(&address, 5), client = sock_create(AF_INET);

    assert_gives(sock_connect(client, &address), 0);
    assert_gives(sock_send_all(client, "hello", 5), 0);
    hear(sock_accept(listener, &client_address), "hello");
}

/* --- send --- */

/* When send succeeds, the kernel has the bytes. Here no program ever receives them. (Question 6.)
 */
static void what_was_sent_may_yet_be_lost(void **state)
{
    struct sock_address address;
    int listener = listen_anywhere(&address, 5);
    int client = connect_to("127.0.0.1", port_in(address.text));
    char buffer[8];

    assert_gives(sock_send_all(client, "hello", 5), 0);
    sock_close(listener); /* this resets the connections that nobody has accepted */
    assert_fails(sock_recv(client, buffer, sizeof buffer), ECONNRESET);
}

/* TCP carries bytes, and text is nothing special. A 0 does not end it, and 255 is not EOF. */
static void bytes_of_every_kind_arrive_as_they_are(void **state)
{
    struct pair pair = connected();
    char buffer[8];
    assert_gives(sock_send_all(pair.client, "\0\xff\n", 3), 0);
    assert_gives(sock_recv_all(pair.server, buffer, 3), 3);
    assert_memory_equal(buffer, "\0\xff\n", 3);
}

/* Nobody receives, so the kernel has no room after a while, and send waits. When its wait is cut
 * short (here by the limit, but a signal does the same), it returns how much the kernel took. */
static void a_send_with_a_time_limit_may_take_only_a_part(void **state)
{
    static char flood[32 << 20];
    struct pair pair = connected();
    limit_waiting(pair.client);
    ssize_t taken = send(pair.client, flood, sizeof flood, 0);
    assert_true(taken > 0 && taken < (ssize_t)sizeof flood);
}

/* The other side answers the first one with a reset. Only the second one can fail because of it.
 * (Question 4.) */
static void after_the_peer_closed_the_second_send_fails(void **state)
{
    struct pair pair = connected();
    sock_close(pair.server);
    assert_gives(sock_send(pair.client, "first", 5), 5);
    wait_for_reset(pair.client);
    assert_fails(sock_send(pair.client, "second", 6), EPIPE);
}

/* If both are bare sends, the second one ends the program, without a word. (sock_send does not.) */
static void sigpipe_kills_a_program_that_sends_unguarded(void **state)
{
    struct pair pair = connected();
    int status = 0;

    sock_close(pair.server);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL); /* whoever runs the tests may have chosen to ignore it */
        send(pair.client, "first", 5, 0);
        wait_for_reset(pair.client);
        send(pair.client, "second", 6, 0);
        _exit(0);
    }
    assert_gives(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGPIPE)
        fail_msg("the child: its status is %d, not killed by SIGPIPE as claimed", status);
}

/* --- recv --- */

/* recv takes what is there. Nothing tells it what was sent together. (Question 3.) */
static void two_sends_may_arrive_as_one_recv(void **state)
{
    struct pair pair = connected();
    char buffer[8];
    say(pair.client, "ab");
    say(pair.client, "cd");
    wait_for_bytes(pair.server, 4);
    assert_gives(sock_recv(pair.server, buffer, sizeof buffer), 4);
}

/* Here the first recv ends inside a send, and in the middle of é, which has the bytes C3 and A9. */
static void one_send_may_need_many_recvs_that_end_elsewhere(void **state)
{
    struct pair pair = connected();
    char buffer[3];
    say(pair.client, "abé!");
    wait_for_bytes(pair.server, 5);
    assert_gives(sock_recv(pair.server, buffer, sizeof buffer), 3);
    hear(pair.server, "\xa9!");
}

/* --- close --- */

/* A 0 from recv is easily forgotten. It is no error: the peer has finished sending, but may still
 * receive. (Question 5.) */
static void after_a_half_close_every_byte_comes_back(void **state)
{
    struct pair pair = connected();
    char sent[4000], buffer[sizeof sent], echo[sizeof sent];

    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)i;
    assert_gives(sock_send_all(pair.client, sent, sizeof sent), 0);
    assert_gives(shutdown(pair.client, SHUT_WR), 0);
    assert_gives(sock_recv_all(pair.server, buffer, sizeof buffer), sizeof buffer);
    hear_the_end(pair.server);
    assert_gives(sock_send_all(pair.server, buffer, sizeof buffer), 0);
    assert_gives(sock_recv_all(pair.client, echo, sizeof echo), sizeof echo);
    assert_memory_equal(echo, sent, sizeof sent);
}

/* The next socket gets the lowest free number, and then a mistake like this one hits a stranger. */
static void the_number_of_a_closed_socket_soon_belongs_to_another(void **state)
{
    struct pair pair = connected();
    int closed = pair.server;

    sock_close(closed);
    assert_fails(sock_send(closed, "nobody", 6), EBADF);
    int stranger = connect_to("127.0.0.1", port_in(pair.address.text));
    assert_gives(stranger, closed);
    say(closed, "hello");
    hear(sock_accept(pair.listener, &pair.client_address), "hello");
}

/* The server has not read what the client sent. The client must not believe that all went well. */
static void bytes_unread_at_close_are_a_reset(void **state)
{
    needs_linux();
    struct pair pair = connected();
    char buffer[8];
    say(pair.client, "hello");
    wait_for_bytes(pair.server, 5);
    sock_close(pair.server);
    assert_fails(sock_recv(pair.client, buffer, sizeof buffer), ECONNRESET);
}

int main(void)
{
    const struct CMUnitTest flow[] = {claim(a_client_sends_a_message_and_gets_it_back),
        claim(an_address_filled_in_by_hand_is_what_sock_resolve_gives),
        claim(without_htons_port_9999_is_3879), claim(the_size_of_a_pointer_is_an_invalid_addrlen),
        claim(a_socket_has_no_address_until_it_gets_one),
        claim(a_port_on_which_somebody_listens_is_in_use),
        claim(a_server_that_closed_first_gets_its_port_back),
        claim(a_server_on_0_0_0_0_is_found_at_any_address),
        claim(a_server_on_127_0_0_1_is_not_found_at_127_0_0_2),
        claim(without_a_listener_connect_is_refused_but_connections_live_on),
        claim(on_linux_a_backlog_of_129_lets_130_clients_wait),
        claim(accept_returns_a_second_descriptor),
        claim(accept_fills_in_no_more_than_its_length_allows),
        claim(connect_binds_the_port_that_accept_reports),
        claim(a_client_connects_and_sends_while_nobody_accepts),
        claim(what_was_sent_may_yet_be_lost), claim(bytes_of_every_kind_arrive_as_they_are),
        claim(a_send_with_a_time_limit_may_take_only_a_part),
        claim(after_the_peer_closed_the_second_send_fails),
        claim(sigpipe_kills_a_program_that_sends_unguarded),
        claim(two_sends_may_arrive_as_one_recv),
        claim(one_send_may_need_many_recvs_that_end_elsewhere),
        claim(after_a_half_close_every_byte_comes_back),
        claim(the_number_of_a_closed_socket_soon_belongs_to_another),
        claim(bytes_unread_at_close_are_a_reset)};

    return run_all(flow);
}
