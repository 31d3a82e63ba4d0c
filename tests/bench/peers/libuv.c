/* One loop for all clients. What the kernel does not take at once is written before more is read:
 * else a client that does not read would fill the memory. */
#include <stdlib.h>
#include <uv.h>

struct peer {
    uv_tcp_t tcp; /* first: a uv_stream_t * to it is a struct peer * too */
    uv_write_t rest;
    char buffer[65536];
};

static void give_buffer(uv_handle_t *handle, size_t hint, uv_buf_t *buffer)
{
    (void)hint;
    *buffer = uv_buf_init(((struct peer *)handle)->buffer, 65536);
}

static void forget(uv_handle_t *handle)
{
    free(handle);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer);

static void on_written(uv_write_t *rest, int status)
{
    if (status == 0)
        uv_read_start(rest->handle, give_buffer, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    if (got < 0) {
        uv_close((uv_handle_t *)stream, forget);
        return;
    }
    uv_buf_t echo = uv_buf_init(buffer->base, (unsigned)got);
    int sent = uv_try_write(stream, &echo, 1);

    if (sent < got) {
        echo.base += sent > 0 ? sent : 0;
        echo.len -= sent > 0 ? (size_t)sent : 0;
        uv_read_stop(stream);
        uv_write(&((struct peer *)stream)->rest, stream, &echo, 1, on_written);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct peer *peer = status == 0 ? malloc(sizeof *peer) : NULL;

    if (peer == NULL)
        return;
    uv_tcp_init(listener->loop, &peer->tcp);
    uv_accept(listener, (uv_stream_t *)peer);
    uv_tcp_nodelay(&peer->tcp, 1);
    uv_read_start((uv_stream_t *)peer, give_buffer, on_read);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    uv_tcp_t listener;

    uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0, &address);
    uv_tcp_init(uv_default_loop(), &listener);
    uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    if (uv_listen((uv_stream_t *)&listener, 4096, on_connection) != 0)
        return 1;
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
