/* console.h describes what each function does. */
#include "console.h"

#include "sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "";

void console_start(const char *program)
{
    /* No line here is longer than these buffers. (musl uses its own, if it gets none.) */
    static char out_line[4096], error_line[4096];

    program_name = program;
    setvbuf(stdout, out_line, _IOLBF, sizeof out_line);
    setvbuf(stderr, error_line, _IOLBF, sizeof error_line);

    /* open returns the lowest free number, which is that of the closed stream. Read-only, so that a
     * write to it still fails. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDONLY) == -1) {
            console_error("open", "/dev/null", ", in place of a closed standard stream");
            exit(2);
        }
    }
}

bool console_say(const char *format, ...)
{
    va_list values;

    if (!console_works())
        return false;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
    if (!console_works())
        console_error("write", "to standard output", "");
    return console_works();
}

bool console_works(void)
{
    return !ferror(stdout);
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

/* What the person can do about it; NULL if we know nothing that helps. */
static const char *hint_for(const char *call, const char *address, int error)
{
    const char *colon = strrchr(address, ':');
    long port = colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
    bool serving = strcmp(call, "bind") == 0 || strcmp(call, "listen") == 0;

    if (serving && error == EADDRINUSE && port != 0)
        return "another program, or an earlier connection, has this port; try another port";
    if (serving && error == EACCES && port > 0 && port < 1024)
        return "ports below 1024 are for the administrator; choose a higher one";
    if (strcmp(call, "connect") == 0 && error == ECONNREFUSED)
        return "is the server running? start build/echo-server; on another host, add -l 0.0.0.0";
    return NULL;
}

void console_error(const char *call, const char *address, const char *format, ...)
{
    int error = errno;
    const char *hint = hint_for(call, address, error);
    char more[100];
    va_list values;

    va_start(values, format);
    vsnprintf(more, sizeof more, format, values);
    va_end(values);
    console_complain(
        "%s %s: %s (%s)%s", call, address, console_symbol(error), strerror(error), more);
    if (hint != NULL)
        console_complain("hint: %s", hint);
}

_Noreturn void console_die(const char *call, const char *address)
{
    console_error(call, address, "");
    exit(2);
}

_Noreturn void console_die_lookup(const char *host, int resolve_error)
{
    const char *why = resolve_error == EAI_SYSTEM ? strerror(errno) : gai_strerror(resolve_error);
    char text[CONSOLE_TEXT];

    console_complain("cannot look up \"%s\": %s", console_text(host, strlen(host), text), why);
    exit(2);
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
#ifdef __linux__ /* accept(2) and socket(2) have these four too */
        SYMBOL(EHOSTDOWN), SYMBOL(ENONET), SYMBOL(ENOSR), SYMBOL(ESOCKTNOSUPPORT),
#endif
        SYMBOL(EACCES), SYMBOL(EADDRINUSE), SYMBOL(EADDRNOTAVAIL), SYMBOL(EAFNOSUPPORT),
        SYMBOL(EAGAIN), SYMBOL(EALREADY), SYMBOL(EBADF), SYMBOL(ECONNABORTED), SYMBOL(ECONNREFUSED),
        SYMBOL(ECONNRESET), SYMBOL(EDESTADDRREQ), SYMBOL(EDQUOT), SYMBOL(EFAULT), SYMBOL(EFBIG),
        SYMBOL(EHOSTUNREACH), SYMBOL(EINPROGRESS), SYMBOL(EINTR), SYMBOL(EINVAL), SYMBOL(EIO),
        SYMBOL(EISCONN), SYMBOL(EMFILE), SYMBOL(ENETDOWN), SYMBOL(ENETUNREACH), SYMBOL(ENFILE),
        SYMBOL(ENOENT), SYMBOL(ENOBUFS), SYMBOL(ENODEV), SYMBOL(ENOMEM), SYMBOL(ENOPROTOOPT),
        SYMBOL(ENOSPC), SYMBOL(ENOTCONN), SYMBOL(ENOTSOCK), SYMBOL(EOPNOTSUPP), SYMBOL(EPERM),
        SYMBOL(EPIPE), SYMBOL(EPROTO), SYMBOL(EPROTONOSUPPORT), SYMBOL(EPROTOTYPE),
        SYMBOL(ETIMEDOUT)};
    static char number[20];

    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        if (symbols[i].error == error)
            return symbols[i].name;
    snprintf(number, sizeof number, "errno %d", error);
    return number;
}

/* Decode the UTF-8 character at p into *code. Returns its length in bytes; or 0, if the left bytes
 * at p do not begin with a valid one. (mbrtowc would ask the locale, which may not know UTF-8.) */
static size_t decode(const unsigned char *p, size_t left, unsigned long *code)
{
    /* How characters of 1, 2, 3 and 4 bytes begin, and the least code that needs so many. */
    static const struct {
        unsigned mask, mark, least;
    } kinds[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    size_t more = 0; /* bytes after the first */

    while (more < 4 && (*p & kinds[more].mask) != kinds[more].mark)
        more++;
    if (more == 4 || more >= left)
        return 0;
    *code = *p & ~kinds[more].mask;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3F);
    }
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < kinds[more].least || surrogate || *code > 0x10FFFF ? 0 : more + 1;
}

static bool is_safe(unsigned long code)
{
    bool control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
    bool ends_line = code == 0x2028 || code == 0x2029;
    bool turns_direction = code == 0x61C || code == 0x200E || code == 0x200F ||
                           (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);

    return !control && !ends_line && !turns_direction;
}

const char *console_text(const void *bytes, size_t size, char out[CONSOLE_TEXT])
{
    const unsigned char *p = bytes, *end = p + size;
    const unsigned char *shown_end = size > CONSOLE_SHOWN ? p + CONSOLE_SHOWN : end;
    char *next = out;

    while (p < shown_end) {
        unsigned long code = 0;
        size_t length = decode(p, (size_t)(end - p), &code);

        if (length > (size_t)(shown_end - p))
            break; /* the cut would go through this character */
        if (*p == '\n' || *p == '\t' || *p == '\\') {
            next += sprintf(next, "\\%c", *p == '\n' ? 'n' : *p == '\t' ? 't' : '\\');
            p++;
        } else if (length > 0 && is_safe(code)) {
            memcpy(next, p, length);
            next += length;
            p += length;
        } else {
            next += sprintf(next, "\\x%02x", (unsigned)*p++);
        }
    }
    *next = '\0';
    if (size > CONSOLE_SHOWN)
        sprintf(next, " [%zu bytes]", size);
    return out;
}

static const char *const *narrated_steps;

static void tell_before(const char *call, const char *arguments)
{
    int step = 0;

    while (narrated_steps[step] != NULL && strstr(narrated_steps[step], call) == NULL)
        step++;
    fprintf(stderr, "[%d] %s(%s)", step + 1, call, arguments);
    fflush(stderr); /* now, because the call may wait */
}

static void tell_after(ssize_t result, const char *address)
{
    int error = errno;

    if (result == -1)
        fprintf(stderr, " = -1 %s (%s)\n", console_symbol(error), strerror(error));
    else
        fprintf(stderr, " = %zd%s%s\n", result, *address != '\0' ? "  " : "", address);
}

void console_narrate(const char *const steps[])
{
    static const struct sock_narrator narrator = {tell_before, tell_after};

    narrated_steps = steps;
    sock_narrator = &narrator;
}

/* What the handler of Ctrl-C shares with the rest. With this type, neither can ever see a value
 * that the other has only half written. */
static volatile sig_atomic_t interrupted, connection_to_shut;

/* A flag alone would not do: a recv that begins just after Ctrl-C would wait all the same. After
 * shutdown, recv returns what has come, and then 0. If the connection is closed already, shutdown
 * merely fails. (If the program opened other files, one could have got the same number by then.) */
static void on_interrupt(int signal_number)
{
    int error = errno; /* the call that was interrupted still needs it */

    if (interrupted)
        signal(signal_number, SIG_DFL); /* this is the second, so the third will kill */
    interrupted = 1;
    shutdown(connection_to_shut, SHUT_RDWR);
    errno = error;
}

void console_catch_interrupt(int connection)
{
    /* SA_RESTART: a write that waits, for a full pipe, is not given up. (Nor is recv, but after the
     * shutdown it ends by itself.) */
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART}, old;

    sigemptyset(&action.sa_mask);
    connection_to_shut = connection;
    sigaction(SIGINT, NULL, &old);
    if (old.sa_handler != SIG_IGN) /* a shell ignores it for `command &` in a script */
        sigaction(SIGINT, &action, NULL);
}

bool console_interrupted(void)
{
    return interrupted;
}
