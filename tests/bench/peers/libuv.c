/* One loop for all clients. It keeps what the kernel does not take at once, and writes it later. */
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static void give_buffer(uv_handle_t *handle, size_t hint, uv_buf_t *buffer)
{
    static char room[65536]; /* One for all: each use of it ends before the next begins. */

    *buffer = uv_buf_init(room, sizeof room);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    uv_buf_t echo = uv_buf_init(buffer->base, (unsigned)got);
    int sent = got < 0 ? 0 : uv_try_write(stream, &echo, 1);

    if (got < 0) {
        uv_close((uv_handle_t *)stream, (uv_close_cb)free);
    } else if (sent < got) {
        unsigned left = (unsigned)(sent > 0 ? got - sent : got);
        uv_write_t *later = malloc(sizeof *later + left);

        echo = uv_buf_init(memcpy(later + 1, buffer->base + got - left, left), left);
        uv_write(later, stream, &echo, 1, (uv_write_cb)free);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = malloc(sizeof *client);

    uv_tcp_init(listener->loop, client);
    uv_accept(listener, (uv_stream_t *)client);
    uv_tcp_nodelay(client, 1);
    uv_read_start((uv_stream_t *)client, give_buffer, on_read);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    uv_tcp_t listener;

    uv_ip4_addr("127.0.0.1", argc > 1 ? atoi(argv[1]) : 0, &address);
    uv_tcp_init(uv_default_loop(), &listener);
    uv_tcp_bind(&listener, (struct sockaddr *)&address, 0);
    uv_listen((uv_stream_t *)&listener, 4096, on_connection);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
