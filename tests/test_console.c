/* console: what is printed, and what is made of what people type. What writes to a standard stream,
 * or exits, is done by a child. */
#define _POSIX_C_SOURCE 200809L
#include "programs.h"

#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Read a command line, as the server or as the client does. */
static struct options read_line(const char *letters, const char *const words[4])
{
    char *argv[6] = {(char *)"test"};
    int argc = 1;

    for (int i = 0; i < 4 && words[i] != NULL; i++)
        argv[argc++] = (char *)words[i];
    optind = 1;
    return console_options(argc, argv, "test", letters, "usage: test\n");
}

#define SERVER           "c:b:q"
#define CLIENT           "c:i:q"
#define server_line(...) read_line(SERVER, (const char *const[4]){__VA_ARGS__})
#define client_line(...) read_line(CLIENT, (const char *const[4]){__VA_ARGS__})

/* What a child does, and the status and the patterns of the two outputs that must come of it. */
#define child(status, out, err, ...)        \
    do {                                    \
        struct program *it = start_child(); \
        if (it == NULL) {                   \
            __VA_ARGS__;                    \
            exit(0);                        \
        }                                   \
        assert_ends(it, status, out, err);  \
    } while (0)

/* --- bytes that are safe to print --- */

/* A child goes through the same loop as the test. It shows the bytes, and the test claims which
 * line has come of them. */
static struct program *shower; /* in the child: NULL */

static void shows(const void *bytes, size_t size, const char *right)
{
    if (shower == NULL)
        console_show("", bytes, size);
    else
        assert_string_equal(next_line(shower->out), right);
}

static void shows_no_more(void)
{
    if (shower == NULL)
        exit(0);
    assert_ends(shower, 0, "", "");
}

/* What must be shown of bytes that are no character together. */
static const char *one_by_one(const void *bytes, size_t size)
{
    static char right[40];
    const unsigned char *p = bytes;
    char *end = right;

    *end = '\0';
    for (size_t i = 0; i < size; i++)
        if (p[i] >= ' ' && p[i] <= '~' && p[i] != '\\')
            end += sprintf(end, "%c", p[i]);
        else
            end += sprintf(end, p[i] == '\n' ? "\\n" : "\\x%02x", p[i]);
    return right;
}

/* In each pair that there is. */
static void a_byte_is_shown_as_itself_or_escaped_unless_two_are_a_character(void **state)
{
    shower = start_child();
    for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
        const char bytes[] = {(char)(pair >> 8), (char)pair, '\0'};
        bool character = pair >= 0xC2A0 && pair <= 0xDFBF && (pair & 0xC0) == 0x80;

        shows(bytes, 2, character ? bytes : one_by_one(bytes, 2));
    }
    shows_no_more();
}

static void what_is_not_UTF8_is_escaped(void **state)
{
    /* The first and the last character of three and of four bytes, around what is none. */
    static const char *const stand[] = {"\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "你好"};
    static const char *const none[] = {"\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80", "\xed\xbf\xbf",                                    /* surrogates */
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",                            /* above U+10FFFF */
        "\xf8\x88\x80\x80\x80", "\xff\xff\xff\xff",                        /* begin like none */
        "\xe5\xa5", "\xf0\x9f\x98",                                        /* cut off */
        "\xe2\x82(", "\xe2(\xac", "\xe2\x82\x7f", "\xe2\x82\xc0", "\xf0\x9f(\x80", "\xf0\x9f\x98("};
    static const struct {
        const char *bytes, *right;
    } mixed[] = {{"\033[2J\033]0;title\a", "\\x1b[2J\\x1b]0;title\\x07"}, /* a terminal obeys it */
        {"", ""}, {"\t\n\r %~\\\x7f\x9b", "\\x09\\n\\x0d %~\\x5c\\x7f\\x9b"},
        {"\xc3(\xc3", "\\xc3(\\xc3"}, {"\xc3\xc3\xa9", "\\xc3\xc3\xa9"},
        {"\xa0\xc2\xa0", "\\xa0\xc2\xa0"}, {"\xe4\xbd\xa0\xe5\xa5", "\xe4\xbd\xa0\\xe5\\xa5"}};

    shower = start_child();
    for (size_t i = 0; i < sizeof stand / sizeof stand[0]; i++) {
        shows(stand[i], strlen(stand[i]), stand[i]);
        shows(stand[i], 2, one_by_one(stand[i], 2)); /* what lies behind the end does not count */
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        shows(none[i], strlen(none[i]), one_by_one(none[i], strlen(none[i])));
    for (size_t i = 0; i < sizeof mixed / sizeof mixed[0]; i++)
        shows(mixed[i].bytes, strlen(mixed[i].bytes), mixed[i].right);
    shows("好你", 5, "好\\xe4\\xbd");
    shows("a\xc3\xa9", 2, "a\\xc3"); /* nor does it behind a later byte */
    shows_no_more();
}

/* A character of each length at each place near the limit, with and without more behind it. */
static void of_a_long_text_the_beginning_is_shown_and_the_size(void **state)
{
    static const char *const characters[] = {"z", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    enum { SHOWN = 240 };

    shower = start_child();
    for (size_t length = 1; length <= 4; length++)
        for (size_t place = SHOWN - 5; place <= SHOWN; place++)
            for (size_t more = 0; more < 7; more++) {
                char bytes[SHOWN + 20], right[SHOWN + 50];
                size_t size = place + length + more, shown = size;

                memset(bytes, 'a', sizeof bytes);
                memcpy(bytes + place, characters[length - 1], length);
                if (size > SHOWN)
                    shown = place < SHOWN && place + length > SHOWN ? place + length : SHOWN;
                memcpy(right, bytes, shown);
                right[shown] = '\0';
                if (size > SHOWN)
                    sprintf(right + shown, " [%zu bytes]", size);
                shows(bytes, size, right);
            }
    shows_no_more();
}

/* --- lines --- */

static void with_q_nothing_is_printed_but_errors(void **state)
{
    child(0, "", "test: send h:1: *\n", server_line("-q"), console_log("one\n"),
        console_show("", "two", 3), console_error("send", "h:1"));
}

static void an_error_tells_the_call_the_address_and_the_meaning(void **state)
{
    char told[200];

    sprintf(told, "test: socket h:1: %s\n", strerror(EMFILE));
    child(0, "", told, server_line(NULL); errno = EMFILE; console_error("socket", "h:1"));
    child(2, "", told, server_line(NULL); errno = EMFILE; console_die("socket", "h:1"));
    sprintf(told, "test: cannot look up \"h\": %s\n", gai_strerror(EAI_NONAME));
    child(2, "", told, server_line(NULL); console_die_lookup("h", EAI_NONAME));
    sprintf(told, "test: cannot look up \"h\": %s\n", strerror(EMFILE));
    child(2, "", told, server_line(NULL); errno = EMFILE; console_die_lookup("h", EAI_SYSTEM));
}

/* Start with those standard streams closed whose bits are set. Returns whether the next descriptor
 * is the one that it would be anyway, and nothing can be written to those streams. */
static bool starts_without(int closed)
{
    int usual = dup(STDIN_FILENO);

    close(usual);
    for (int fd = 0; fd < 3; fd++)
        if ((closed >> fd & 1) != 0)
            close(fd);
    server_line(NULL);
    bool right = dup(STDIN_FILENO) == usual;
    for (int fd = 0; fd < 3; fd++)
        if ((closed >> fd & 1) != 0 && write(fd, "x", 1) != -1)
            right = false;
    return right;
}

static struct rlimit descriptors;

static void restore_descriptors(void)
{
    setrlimit(RLIMIT_NOFILE, &descriptors);
}

/* Start where no file can be opened, not even /dev/null, for want of a descriptor. */
static void start_without_a_descriptor(void)
{
    getrlimit(RLIMIT_NOFILE, &descriptors);
    atexit(restore_descriptors); /* what measures coverage opens a file then */
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, descriptors.rlim_max});
    server_line(NULL);
}

static void no_socket_gets_the_number_of_a_standard_stream(void **state)
{
    for (int closed = 0; closed < 8; closed++)
        child(0, "", "", exit(starts_without(closed) ? 0 : 1));
    child(0, "", "", start_without_a_descriptor());
    child(2, "", "test: open /dev/null: *\n", close(STDIN_FILENO); start_without_a_descriptor());
}

/* --- the command line --- */

static void assert_place(struct options options, const char *host, int port)
{
    assert_string_equal(options.host, host);
    assert_int_equal(options.port, port);
}

static void defaults_are_what_the_usage_says(void **state)
{
    const struct options both[] = {server_line(NULL), client_line(NULL)};

    for (int i = 0; i < 2; i++) {
        assert_place(both[i], "127.0.0.1", 9999);
        assert_true(both[i].count == LLONG_MAX);
        assert_int_equal(both[i].room, 65536);
        assert_int_equal(both[i].pause, 1);
    }
}

static void the_host_and_the_port_may_each_be_missing(void **state)
{
    assert_place(server_line("9998"), "127.0.0.1", 9998);
    assert_place(server_line("0.0.0.0"), "0.0.0.0", 9999);
    assert_place(client_line("::1", "9998"), "::1", 9998);
    assert_place(client_line("1a", "1"), "1a", 1);
    assert_place(client_line("-c", "5", "7x"), "7x", 9999);
    assert_place(server_line("-b", "5", "8"), "127.0.0.1", 8);
    assert_place(client_line("--", "-x"), "-x", 9999);
}

static void a_number_may_be_the_least_and_the_greatest(void **state)
{
    assert_true(server_line("-b", "1").count == LLONG_MAX); /* and changes nothing else */
    assert_int_equal(client_line("-c", "5").pause, 1);
    assert_int_equal(server_line("-b", "1").room, 1);
    assert_int_equal(server_line("-b", "65536").room, 65536);
    assert_int_equal(server_line("-c", "1").count, 1);
    assert_int_equal(server_line("-c", "1000000000").count, 1000000000);
    assert_int_equal(server_line("-c", "7", "-b", "5").count, 7);
    assert_int_equal(client_line("-i", "0").pause, 0);
    assert_int_equal(client_line("-i", "86400").pause, 86400);
    assert_int_equal(server_line("0").port, 0);
    assert_int_equal(server_line("065535").port, 65535);
    assert_int_equal(client_line("h", "1").port, 1);
}

/* The odd word is named, then comes the usage. */
static void what_is_odd_is_named_and_answered_with_the_usage(void **state)
{
#define NUMBER(low, high) "is not a whole number from " low " to " high
#define COUNT             NUMBER("1", "1000000000")
#define OPTION            "is no option, or lacks its value"
    static const struct {
        const char *letters, *words[4], *odd, *why;
    } rows[] = {{SERVER, {"-b", "0"}, "0", NUMBER("1", "65536")},
        {SERVER, {"-b", "65537"}, "65537", NUMBER("1", "65536")}, {SERVER, {"-c", "0"}, "0", COUNT},
        {SERVER, {"-c", "1000000001"}, "1000000001", COUNT}, {SERVER, {"-c", ""}, "", COUNT},
        {SERVER, {"-c", "99999999999999999999"}, "99999999999999999999", COUNT},
        {CLIENT, {"-c", "x1"}, "x1", COUNT}, {CLIENT, {"-c", "1x"}, "1x", COUNT},
        {CLIENT, {"-c", "1.5"}, "1.5", COUNT}, {CLIENT, {"-c", "+1"}, "+1", COUNT},
        {CLIENT, {"-c", " 1"}, " 1", COUNT}, {CLIENT, {"-c", "1e3"}, "1e3", COUNT},
        {CLIENT, {"-i", "-1"}, "-1", NUMBER("0", "86400")},
        {CLIENT, {"-i", "86401"}, "86401", NUMBER("0", "86400")},
        {CLIENT, {"0"}, "0", NUMBER("1", "65535")},
        {CLIENT, {"h", "65536"}, "65536", NUMBER("1", "65535")},
        {SERVER, {"65536"}, "65536", NUMBER("0", "65535")},
        {SERVER, {"h", "x"}, "x", NUMBER("0", "65535")}, {SERVER, {""}, "", NUMBER("0", "65535")},
        {SERVER, {"1", "2"}, "2", "is one word too many"},
        {SERVER, {"h", "1", "-q"}, "-q", "is one word too many"}, {SERVER, {"-c"}, "-c", OPTION},
        {SERVER, {"-q", "-x", "1"}, "-x", OPTION}, {CLIENT, {"-b", "1"}, "-b", OPTION},
        {CLIENT, {"-h"}, "-h", OPTION}, {CLIENT, {"--help"}, "--help", OPTION}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char right[200];

        sprintf(right, "test: \"%s\" %s\nusage: test\n", rows[i].odd, rows[i].why);
        child(2, "", right, read_line(rows[i].letters, rows[i].words));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(a_byte_is_shown_as_itself_or_escaped_unless_two_are_a_character),
        test(what_is_not_UTF8_is_escaped), test(of_a_long_text_the_beginning_is_shown_and_the_size),
        test(with_q_nothing_is_printed_but_errors),
        test(an_error_tells_the_call_the_address_and_the_meaning),
        test(no_socket_gets_the_number_of_a_standard_stream),
        test(defaults_are_what_the_usage_says), test(the_host_and_the_port_may_each_be_missing),
        test(a_number_may_be_the_least_and_the_greatest),
        test(what_is_odd_is_named_and_answered_with_the_usage)};

    return run_all(tests);
}
