/* console: see console.h. */
#include "console.h"

#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "";
static const char *usage_text = "";
static bool stdout_failed = false;

void console_start(const char *program, const char *usage)
{
    static char line[4096]; /* given to setvbuf, since musl ignores a size without a buffer */
    int fd;

    program_name = program;
    usage_text = usage;
    /* Read-only: writing into a stream that was closed is to fail as it would have before. */
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd != -1 && fd <= STDERR_FILENO);
    if (fd != -1)
        close(fd);
    setvbuf(stdout, line, _IOLBF, sizeof line);
}

_Noreturn void console_usage(bool asked)
{
    if (asked)
        exit(console_say("%s", usage_text) ? 0 : 1);
    fputs(usage_text, stderr);
    exit(2);
}

void console_no_more(int argc, char **argv)
{
    char safe[CONSOLE_TEXT];

    if (optind < argc) {
        const char *extra = argv[optind];

        console_complain("\"%s\": one operand too many", console_text(extra, strlen(extra), safe));
        console_usage(false);
    }
}

bool console_say(const char *format, ...)
{
    va_list values;

    if (stdout_failed)
        return false;
    va_start(values, format);
    /* ferror too: the write happens at the newline, and its failure need not be vprintf's. */
    bool failed = vprintf(format, values) < 0 || ferror(stdout);
    va_end(values);
    if (failed && errno == EINTR) {
        clearerr(stdout); /* Ctrl-C cut a write short: stdout itself is well */
    } else if (failed) {
        stdout_failed = true;
        console_error("write", "to standard output", errno, "");
    }
    return !stdout_failed;
}

bool console_works(void)
{
    return !stdout_failed;
}

void console_complain(const char *format, ...)
{
    va_list values;

    fprintf(stderr, "%s: ", program_name);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

void console_error(const char *call, const char *address, int error, const char *tail)
{
    const char *hint = NULL;

    if (error == EADDRINUSE && strcmp(call, "connect") != 0)
        hint = "another program has this port, or a connection from before does; try another port";
    if (error == EACCES && strcmp(call, "bind") == 0)
        hint = "ports below 1024 are for the administrator; choose a higher one";
    if (error == ECONNREFUSED)
        hint = "is the server running? start build/echo-server; on another machine, "
               "with -l 0.0.0.0";
    console_complain(
        "%s %s: %s (%s)%s", call, address, console_symbol(error), strerror(error), tail);
    if (hint != NULL)
        console_complain("hint: %s", hint);
}

int console_unknown_host(const char *host, int gai_error)
{
    char safe[CONSOLE_TEXT];

    console_complain("cannot look up \"%s\": %s", console_text(host, strlen(host), safe),
        gai_error == EAI_SYSTEM ? strerror(errno) : gai_strerror(gai_error));
    return 2;
}

const char *console_symbol(int error)
{
#define SYMBOL(name) \
    {                \
        name, #name  \
    }
    static const struct {
        int error;
        const char *name;
    } symbols[] = {
#ifdef EHOSTDOWN /* not in POSIX; on Linux accept may report these two */
        SYMBOL(EHOSTDOWN),
#endif
#ifdef ENONET
        SYMBOL(ENONET),
#endif
        SYMBOL(EACCES), SYMBOL(EADDRINUSE), SYMBOL(EADDRNOTAVAIL), SYMBOL(EAFNOSUPPORT),
        SYMBOL(EAGAIN), SYMBOL(EALREADY), SYMBOL(EBADF), SYMBOL(ECONNABORTED), SYMBOL(ECONNREFUSED),
        SYMBOL(ECONNRESET), SYMBOL(EDESTADDRREQ), SYMBOL(EDOM), SYMBOL(EDQUOT), SYMBOL(EFAULT),
        SYMBOL(EHOSTUNREACH), SYMBOL(EINPROGRESS), SYMBOL(EINTR), SYMBOL(EINVAL), SYMBOL(EIO),
        SYMBOL(EISCONN), SYMBOL(ELOOP), SYMBOL(EMFILE), SYMBOL(EMSGSIZE), SYMBOL(ENAMETOOLONG),
        SYMBOL(ENETDOWN), SYMBOL(ENETUNREACH), SYMBOL(ENFILE), SYMBOL(ENOBUFS), SYMBOL(ENOENT),
        SYMBOL(ENOMEM), SYMBOL(ENOPROTOOPT), SYMBOL(ENOSPC), SYMBOL(ENOTCONN), SYMBOL(ENOTDIR),
        SYMBOL(ENOTSOCK), SYMBOL(EOPNOTSUPP), SYMBOL(EPERM), SYMBOL(EPIPE), SYMBOL(EPROTO),
        SYMBOL(EPROTONOSUPPORT), SYMBOL(EPROTOTYPE), SYMBOL(EROFS), SYMBOL(ETIMEDOUT)};

    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        if (symbols[i].error == error)
            return symbols[i].name;
    return "errno";
}

static double number(const char *name, const char *text, double low, double high, bool whole)
{
    static const char digits[] = "0123456789";
    size_t before = strspn(text, digits), after = 0;
    const char *rest = text + before;
    char safe[CONSOLE_TEXT];

    if (!whole && *rest == '.') {
        after = strspn(rest + 1, digits);
        rest += 1 + after;
    }
    if (before + after > 0 && *rest == '\0') {
        double value = strtod(text, NULL); /* main sets no locale, so a point is a point */

        if (value >= low && value <= high)
            return value;
    }
    console_complain("%s: \"%s\" is not a %snumber from %.10g to %.10g", name,
        console_text(text, strlen(text), safe), whole ? "whole " : "", low, high);
    exit(2);
}

long console_count(const char *name, const char *text, long low, long high)
{
    return (long)number(name, text, (double)low, (double)high, true);
}

int console_seconds(const char *name, const char *text, double low, double high)
{
    return (int)(number(name, text, low, high, false) * 1000 + 0.5);
}

/* How many bytes the UTF-8 character at p has, by the table of well-formed sequences in The Unicode
 * Standard, 3.9; 0 if there is none in the left bytes, or if it is a control character.
 * (mbrtowc would ask the locale, which may know nothing of UTF-8.) */
static size_t character(const unsigned char *p, size_t left)
{
    size_t length = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    /* The second byte's range; some first bytes narrow it. */
    unsigned char low = 0x80, high = 0xBF;

    if (length == 1)
        return p[0] >= 0x20 && p[0] != 0x7F;
    if (p[0] < 0xC2 || p[0] > 0xF4 || left < length)
        return 0;
    if (p[0] == 0xC2 || p[0] == 0xE0) /* U+0080 to U+009F, controls; overlong */
        low = 0xA0;
    if (p[0] == 0xF0) /* overlong */
        low = 0x90;
    if (p[0] == 0xED) /* surrogates */
        high = 0x9F;
    if (p[0] == 0xF4) /* above U+10FFFF */
        high = 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return length;
}

const char *console_text(const void *bytes, size_t size, char out[CONSOLE_TEXT])
{
    const unsigned char *p = bytes, *stop = p + size;
    const unsigned char *shown = p + (size < CONSOLE_SHOWN ? size : CONSOLE_SHOWN);
    size_t length;
    char *next = out;

    for (; p < shown; p += length) {
        length = character(p, (size_t)(stop - p));
        if (length > (size_t)(shown - p))
            break;
        if (*p == '\n' || *p == '\t' || *p == '\\') {
            next += sprintf(next, "\\%c", *p == '\n' ? 'n' : *p == '\t' ? 't' : '\\');
            length = 1;
        } else if (length == 0) {
            next += sprintf(next, "\\x%02x", (unsigned)*p);
            length = 1;
        } else {
            memcpy(next, p, length);
            next += length;
        }
    }
    *next = '\0';
    if (size > CONSOLE_SHOWN)
        sprintf(next, " [%zu bytes]", size);
    return out;
}

static const int *narrated_steps;

static void tell_before(enum sock_call call, int fd, size_t amount, const char *address)
{
    static const char *const names[] = {
        "socket", "bind", "listen", "accept", "connect", "send", "recv", "close"};

    fprintf(stderr, "[%d] %s(", narrated_steps[call], names[call]);
    if (call == SOCK_CREATE)
        fprintf(stderr, "%s, SOCK_STREAM, 0)", amount == AF_INET6 ? "AF_INET6" : "AF_INET");
    else if (call == SOCK_BIND || call == SOCK_CONNECT)
        fprintf(stderr, "%d, %s)", fd, address);
    else if (call == SOCK_LISTEN)
        fprintf(stderr, "%d, %zu)", fd, amount);
    else if (call == SOCK_SEND)
        fprintf(stderr, "%d, %zu bytes)", fd, amount);
    else if (call == SOCK_RECV)
        fprintf(stderr, "%d, room %zu)", fd, amount);
    else
        fprintf(stderr, "%d)", fd);
}

static void tell_after(enum sock_call call, ssize_t result, const char *address)
{
    int error = errno;

    if (result == -1)
        fprintf(stderr, " = -1 %s (%s)\n", console_symbol(error), strerror(error));
    else
        fprintf(stderr, " = %zd%s%s\n", result, call == SOCK_ACCEPT ? "  " : "",
            call == SOCK_ACCEPT ? address : "");
}

void console_narrate(const int steps[])
{
    static const struct sock_narrator narrator = {tell_before, tell_after};

    narrated_steps = steps;
    sock_narrator = &narrator;
}
