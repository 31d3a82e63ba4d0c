/* console: what it prints, and what it makes of what people type and of what a network delivers.
 * What writes to a standard stream, or exits, is done by a child. */
#include "support.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define test cmocka_unit_test

static int status;                /* of the last child: how it exited, */
static char out[2000], err[2000]; /* and what it wrote */

static void read_all(int fd, char *text, size_t room)
{
    ssize_t got;

    while ((got = read(fd, text, room - 1)) > 0) {
        text += got;
        room -= (size_t)got;
    }
    *text = '\0';
    close(fd);
}

/* Start a child: returns true in it, with both its streams going into pipes; in the parent false,
 * when the child is gone. */
static bool in_child(void)
{
    int streams[2][2];
    pid_t pid;

    assert_int_equal(pipe(streams[0]), 0);
    assert_int_equal(pipe(streams[1]), 0);
    fflush(NULL); /* or the child would print it once more */
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        alarm(20);
        for (int i = 0; i < 2; i++) {
            dup2(streams[i][1], i + 1);
            close(streams[i][0]);
            close(streams[i][1]);
        }
        console_start("test", "usage: test\n");
        return true;
    }
    close(streams[0][1]);
    close(streams[1][1]);
    read_all(streams[0][0], out, sizeof out);
    read_all(streams[1][0], err, sizeof err);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return false;
}

/* The status and the two outputs that must come of it when a child does what follows them. */
#define child(right_status, right_out, right_err, ...) \
    do {                                               \
        if (in_child()) {                              \
            __VA_ARGS__;                               \
            exit(0);                                   \
        }                                              \
        assert_string_equal(err, right_err);           \
        assert_string_equal(out, right_out);           \
        assert_int_equal(status, right_status);        \
    } while (0)

/* Text. */

static void assert_text(const void *bytes, size_t size, const char *right)
{
    static struct {
        char text[CONSOLE_TEXT];
        char guard[8];
    } room;

    memset(&room, '#', sizeof room);
    assert_ptr_equal(console_text(bytes, size, room.text), room.text);
    assert_string_equal(room.text, right);
    assert_memory_equal(room.guard, "########", sizeof room.guard);
}

static void a_byte_is_shown_as_itself_or_escaped(void **state)
{
    for (int i = 0; i < 256; i++) {
        const unsigned char byte = (unsigned char)i;
        char right[5] = {(char)i};

        if (i < ' ' || i > '~')
            snprintf(right, sizeof right, "\\x%02x", (unsigned)i);
        assert_text(&byte, 1, i == '\n' ? "\\n" : i == '\t' ? "\\t" : i == '\\' ? "\\\\" : right);
    }
    assert_text("", 0, "");
    assert_text("a\x7f", 2, "a\\x7f");
    assert_text("a\nb\tc\\d", 7, "a\\nb\\tc\\\\d");
    assert_text("a\0b\033[31m\r\n", 10, "a\\x00b\\x1b[31m\\x0d\\n");
}

/* Each code point that there is, in UTF-8: only surrogates and the controls of C1 are escaped. */
static void valid_UTF8_stands_as_it_is(void **state)
{
    for (unsigned c = 0x80; c <= 0x10FFFF; c++) {
        char right[17], utf8[5] = "";
        size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = 1; i < size; i++)
            utf8[i] = (char)(0x80 | (c >> 6 * (size - 1 - i) & 0x3F));
        utf8[0] = (char)((0xF00U >> size & 0xF0) | c >> 6 * (size - 1));
        memcpy(right, utf8, sizeof utf8);
        if (c < 0xA0 || (c >= 0xD800 && c <= 0xDFFF))
            for (size_t i = 0; i < size; i++)
                sprintf(right + 4 * i, "\\x%02x", (unsigned char)utf8[i]);
        assert_text(utf8, size, right);
    }
}

static void what_is_not_UTF8_is_escaped(void **state)
{
    static const struct {
        const char *bytes, *right;
    } cases[] = {
        {"\xc1\xbf", "\\xc1\\xbf"}, /* overlong, here and in the next three */
        {"\xc0\x80", "\\xc0\\x80"}, {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
        {"\xe4\xbd\xa0\xe5\xa5", "\xe4\xbd\xa0\\xe5\\xa5"}, /* cut off */
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
        {"\xc3(\xc3", "\\xc3(\\xc3"}, /* no continuation: what follows still stands */
        {"\xc3\xc3\xa9", "\\xc3\xc3\xa9"}, {"\xe2\x82(", "\\xe2\\x82("}, {"\xc3\x7f", "\\xc3\\x7f"},
        {"\xc3\xc0", "\\xc3\\xc0"}, {"\xe2\x82\x7f", "\\xe2\\x82\\x7f"},
        {"\xe2\x82\xc0", "\\xe2\\x82\\xc0"}, {"\xe2(\xac", "\\xe2(\\xac"},
        {"\xf0\x9f\x98(", "\\xf0\\x9f\\x98("}, {"\xf0\x9f(\x80", "\\xf0\\x9f(\\x80"},
        {"\xa0\xc2\xa0", "\\xa0\xc2\xa0"}, /* a continuation of nothing */
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_text(cases[i].bytes, strlen(cases[i].bytes), cases[i].right);
    assert_text("\xe4\xbd\xa0", 2, "\\xe4\\xbd"); /* what lies behind the end does not count */
}

/* A character of every length at every place near the limit, with and without more behind it. */
static void a_long_text_is_cut_between_characters(void **state)
{
    static const char *const characters[] = {"z", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

    for (size_t length = 1; length <= 4; length++)
        for (size_t place = CONSOLE_SHOWN - 6; place <= CONSOLE_SHOWN; place++)
            for (size_t more = 0; more < 8; more++) {
                char bytes[CONSOLE_SHOWN + 20], right[CONSOLE_SHOWN + 50];
                size_t size = place + length + more, shown = size;

                memset(bytes, 'a', sizeof bytes);
                memcpy(bytes + place, characters[length - 1], length);
                if (size > CONSOLE_SHOWN)
                    shown = place + length > CONSOLE_SHOWN ? place : CONSOLE_SHOWN;
                memcpy(right, bytes, shown);
                right[shown] = '\0';
                if (size > CONSOLE_SHOWN)
                    sprintf(right + shown, " [%zu bytes]", size);
                assert_text(bytes, size, right);
            }
}

static void the_longest_text_fits(void **state)
{
    static unsigned char bytes[1048576];
    static char right[CONSOLE_TEXT];

    memset(bytes, 0xFF, sizeof bytes);
    for (size_t i = 0; i < CONSOLE_SHOWN; i++)
        memcpy(right + 4 * i, "\\xff", 4);
    strcpy(right + 4 * CONSOLE_SHOWN, " [1048576 bytes]");
    assert_text(bytes, sizeof bytes, right);
}

/* Numbers. */

static void a_number_is_read_whole(void **state)
{
    assert_int_equal(console_count("-c", "1", 1, 1000000000), 1);
    assert_int_equal(console_count("-c", "1000000000", 1, 1000000000), 1000000000);
    assert_int_equal(console_count("port", "0080", 0, 65535), 80);
    assert_int_equal(console_seconds("-i", "0", 0, 86400), 0);
    assert_int_equal(console_seconds("-i", "86400", 0, 86400), 86400000);
    assert_int_equal(console_seconds("-i", "1.5", 0, 86400), 1500);
    assert_int_equal(console_seconds("-i", ".5", 0, 86400), 500);
    assert_int_equal(console_seconds("-i", "5.", 0, 86400), 5000);
    assert_int_equal(console_seconds("-i", "0.0014", 0, 86400), 1);
    assert_int_equal(console_seconds("-i", "0.0015", 0, 86400), 2);
    assert_int_equal(console_seconds("-W", "0.001", 0.001, 86400), 1);
}

static void what_is_no_number_ends_the_program(void **state)
{
    static const char *const bad[] = {"", "99x", "x99", "-1", "+5", " 5", "5 ", "1e3", "0x10",
        "nan", "inf", ".", "..5", "1.2.3", "1,5", "101", "99999999999999999999999"};
    char complaint[200];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sprintf(complaint, "test: -c: \"%s\" is not a whole number from 0 to 100\n", bad[i]);
        child(2, "", complaint, console_count("-c", bad[i], 0, 100));
        sprintf(complaint, "test: -i: \"%s\" is not a number from 0 to 100\n", bad[i]);
        child(2, "", complaint, console_seconds("-i", bad[i], 0, 100));
    }
    child(2, "", "test: -c: \"5.\" is not a whole number from 5 to 1000000000\n",
        console_count("-c", "5.", 5, 1000000000));
    child(2, "", "test: -c: \"4\" is not a whole number from 5 to 9\n",
        console_count("-c", "4", 5, 9));
    child(2, "", "test: -c: \"7.5\" is not a whole number from 5 to 9\n",
        console_count("-c", "7.5", 5, 9));
    child(2, "", "test: -W: \"0.0009\\n\" is not a number from 0.001 to 86400\n",
        console_seconds("-W", "0.0009\n", 0.001, 86400));
}

/* Output. */

static void the_usage_goes_where_it_was_asked_for(void **state)
{
    child(0, "usage: test\n", "", console_usage(true));
    child(2, "", "usage: test\n", console_usage(false));
}

static void an_operand_too_many_is_named(void **state)
{
    char *words[] = {"test", "9999", "more\n", NULL};

    child(0, "", "", optind = 3; console_no_more(3, words));
    child(2, "", "test: \"more\\n\": one operand too many\nusage: test\n", optind = 2;
          console_no_more(3, words));
}

static void say_is_printf_and_is_seen_line_by_line(void **state)
{
    child(0, "line 1\n", "",
        _exit(console_say("") && console_say("%s %d\n%s", "line", 1, "more") && console_works()
                  ? 0
                  : 1));
}

static void on_alarm(int number)
{
    static volatile sig_atomic_t alarms;

    if (++alarms > 1000)
        _exit(3);
}

/* Whether say works on when a signal interrupts it while the pipe behind stdout is full. */
static bool say_interrupted(void)
{
    const struct itimerval each_ms = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
    bool said;
    struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
    char bytes[4096] = "";
    int ends[2];

    if (pipe(ends) == -1)
        return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], bytes, sizeof bytes) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    dup2(ends[1], STDOUT_FILENO);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &each_ms, NULL);
    said = console_say("while it is full\n");
    setitimer(ITIMER_REAL, &never, NULL);
    while (read(ends[0], bytes, sizeof bytes) > 0)
        ;
    return said && console_say("while it is empty\n") && console_works();
}

static void an_interrupted_say_is_no_failure(void **state)
{
    child(0, "", "", exit(say_interrupted() ? 0 : 1));
}

/* The text, with the system's own words for an errno, once or twice. */
static const char *with(int error, const char *format)
{
    static char text[600];

    snprintf(text, sizeof text, format, strerror(error), strerror(error));
    return text;
}

/* /dev/full is a full disk, on Linux and the BSDs. */
static bool fill_the_disk(void)
{
    int full = open("/dev/full", O_WRONLY);

    return dup2(full, STDOUT_FILENO) != -1 && close(full) == 0;
}

static void a_full_disk_is_told_once(void **state)
{
    const char *told = with(ENOSPC, "test: write to standard output: ENOSPC (%s)\n");

    if (access("/dev/full", W_OK) == -1)
        skip();
    child(0, "", told,
        exit(!console_works() || !fill_the_disk() || console_say("%s\n", "1") ||
             console_say("2\n") || console_works()));
    child(1, "", told, fill_the_disk(); console_usage(true));
    /* stdio keeps the failure in mind, even when the next words stay in its buffer */
    child(0, "", told, fill_the_disk(); puts("1"); exit(console_say("2")));
}

static void a_complaint_is_printf_behind_the_program_s_name(void **state)
{
    child(0, "", "test: what 1\n", console_complain("%s %d", "what", 1));
}

static void an_error_has_its_symbol_its_meaning_and_a_hint(void **state)
{
#define PORT "another program has this port, or a connection from before does; try another port"
    static const struct {
        const char *call;
        int error;
        const char *symbol, *hint;
    } rows[] = {{"listen", EADDRINUSE, "EADDRINUSE", PORT},
        {"bind", EACCES, "EACCES",
            "ports below 1024 are for the administrator; choose a higher one"},
        {"bind", EINVAL, "EINVAL", NULL}, {"connect", EADDRINUSE, "EADDRINUSE", NULL},
        {"connect", EACCES, "EACCES", NULL},
        {"connect", ECONNREFUSED, "ECONNREFUSED",
            "is the server running? start build/echo-server; on another machine, with -l 0.0.0.0"}};
    char told[600];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sprintf(told, "test: %s [::1]:9: %s (%s); tail\n%s%s%s", rows[i].call, rows[i].symbol,
            strerror(rows[i].error), rows[i].hint != NULL ? "test: hint: " : "",
            rows[i].hint != NULL ? rows[i].hint : "", rows[i].hint != NULL ? "\n" : "");
        child(0, "", told, console_error(rows[i].call, "[::1]:9", rows[i].error, "; tail"));
    }
}

static void an_unknown_host_is_named(void **state)
{
    char complaint[200];

    sprintf(complaint, "test: cannot look up \"nowhere\": %s\n", gai_strerror(EAI_NONAME));
    child(2, "", complaint, exit(console_unknown_host("nowhere", EAI_NONAME)));
    child(2, "", with(EMFILE, "test: cannot look up \"h\": %s\n"), errno = EMFILE;
          exit(console_unknown_host("h", EAI_SYSTEM)));
}

/* Those that sock.h names, one that only Linux has, and two that are none of its business. */
static void a_symbol_is_what_a_manual_page_has(void **state)
{
#define SYMBOL(name) \
    {                \
        name, #name  \
    }
    static const struct {
        int error;
        const char *name;
    } symbols[] = {
#ifdef EHOSTDOWN
        SYMBOL(EHOSTDOWN),
#endif
        SYMBOL(EACCES), SYMBOL(EADDRINUSE), SYMBOL(EADDRNOTAVAIL), SYMBOL(EAFNOSUPPORT),
        SYMBOL(EBADF), SYMBOL(ECONNREFUSED), SYMBOL(ECONNRESET), SYMBOL(EDOM), SYMBOL(EHOSTUNREACH),
        SYMBOL(EINTR), SYMBOL(EINVAL), SYMBOL(EIO), SYMBOL(EISCONN), SYMBOL(EMFILE),
        SYMBOL(ENETUNREACH), SYMBOL(ENFILE), SYMBOL(ENOBUFS), SYMBOL(ENOMEM), SYMBOL(ENOTCONN),
        SYMBOL(ENOTSOCK), SYMBOL(EPERM), SYMBOL(EPIPE), SYMBOL(ETIMEDOUT), {EXDEV, "errno"},
        {0, "errno"}};

    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        assert_string_equal(console_symbol(symbols[i].error), symbols[i].name);
}

static void narrate(void)
{
    static const int steps[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        enum sock_call call;
        int fd;
        size_t amount;
        ssize_t result;
    } calls[] = {{SOCK_CREATE, -1, AF_INET, 3}, {SOCK_CREATE, -1, AF_INET6, -1},
        {SOCK_BIND, 3, 0, 0}, {SOCK_LISTEN, 3, 4096, 0}, {SOCK_ACCEPT, 3, 0, 4},
        {SOCK_ACCEPT, 3, 0, -1}, {SOCK_CONNECT, 3, 0, 0}, {SOCK_SEND, 4, 24, 24},
        {SOCK_RECV, 4, 65536, 0}, {SOCK_CLOSE, 4, 0, 0}};

    console_narrate(steps);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        sock_narrator->before(calls[i].call, calls[i].fd, calls[i].amount, "[::1]:9");
        errno = EMFILE;
        sock_narrator->after(calls[i].call, calls[i].result, "[::1]:9");
    }
    sock_narrator->before(SOCK_RECV, 4, 5, ""); /* seen while it waits */
}

static void narration_tells_step_call_and_result(void **state)
{
    child(0, "",
        with(EMFILE, "[1] socket(AF_INET, SOCK_STREAM, 0) = 3\n"
                     "[1] socket(AF_INET6, SOCK_STREAM, 0) = -1 EMFILE (%s)\n"
                     "[2] bind(3, [::1]:9) = 0\n"
                     "[3] listen(3, 4096) = 0\n"
                     "[4] accept(3) = 4  [::1]:9\n"
                     "[4] accept(3) = -1 EMFILE (%s)\n"
                     "[5] connect(3, [::1]:9) = 0\n"
                     "[6] send(4, 24 bytes) = 24\n"
                     "[7] recv(4, room 65536) = 0\n"
                     "[8] close(4) = 0\n"
                     "[7] recv(4, room 5)"),
        narrate());
}

/* Start with those standard streams closed whose bits are set. Returns whether the next descriptor
 * is the one that it would be anyway, and nothing can be written to those streams. */
static bool start_without(int closed)
{
    int usual = dup(STDIN_FILENO);
    bool right;

    close(usual);
    for (int fd = 0; fd < 3; fd++)
        if ((closed >> fd & 1) != 0)
            close(fd);
    console_start("test", "");
    right = dup(STDIN_FILENO) == usual;
    for (int fd = 0; fd < 3; fd++)
        if ((closed >> fd & 1) != 0 && write(fd, "x", 1) != -1)
            right = false;
    return right;
}

/* Whether start comes back when there is no descriptor to be had. */
static bool start_with_three(void)
{
    struct rlimit limit, three;

    getrlimit(RLIMIT_NOFILE, &limit);
    three = limit;
    three.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &three);
    console_start("test", "");
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void no_socket_gets_the_number_of_a_standard_stream(void **state)
{
    for (int closed = 0; closed < 8; closed++)
        child(0, "", "", exit(start_without(closed) ? 0 : 1));
    child(0, "", "", exit(start_with_three() ? 0 : 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {test(a_byte_is_shown_as_itself_or_escaped),
        test(valid_UTF8_stands_as_it_is), test(what_is_not_UTF8_is_escaped),
        test(a_long_text_is_cut_between_characters), test(the_longest_text_fits),
        test(a_number_is_read_whole), test(what_is_no_number_ends_the_program),
        test(the_usage_goes_where_it_was_asked_for), test(an_operand_too_many_is_named),
        test(say_is_printf_and_is_seen_line_by_line), test(an_interrupted_say_is_no_failure),
        test(a_full_disk_is_told_once), test(a_complaint_is_printf_behind_the_program_s_name),
        test(an_error_has_its_symbol_its_meaning_and_a_hint), test(an_unknown_host_is_named),
        test(a_symbol_is_what_a_manual_page_has), test(narration_tells_step_call_and_result),
        test(no_socket_gets_the_number_of_a_standard_stream)};

    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
