/* console and options: what is printed, and what is made of what people type and of what a network
 * delivers. What writes to a standard stream, or exits, is done by a child. */
#include "programs.h"

#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* What a child does, and the status and the patterns of the two outputs that must come of it. */
#define child(status, out, err, ...)        \
    do {                                    \
        struct program *it = start_child(); \
        if (it == NULL) {                   \
            console_start("test");          \
            __VA_ARGS__;                    \
            exit(0);                        \
        }                                   \
        assert_ends(it, status, out, err);  \
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
}

/* What must not reach a terminal, or anybody who reads the log by lines: the controls of C1, what
 * ends a line, what turns the direction of writing, and surrogates, which are no characters. */
static bool is_escaped(unsigned c)
{
    static const unsigned ranges[][2] = {{0x80, 0x9F}, {0x61C, 0x61C}, {0x200E, 0x200F},
        {0x2028, 0x202E}, {0x2066, 0x2069}, {0xD800, 0xDFFF}};

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

/* Each code point that there is, in UTF-8. */
static void valid_UTF8_stands_as_it_is(void **state)
{
    for (unsigned c = 0x80; c <= 0x10FFFF; c++) {
        char right[17], utf8[5] = "";
        size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (size_t i = 1; i < size; i++)
            utf8[i] = (char)(0x80 | (c >> 6 * (size - 1 - i) & 0x3F));
        utf8[0] = (char)((0xF00U >> size & 0xF0) | c >> 6 * (size - 1));
        memcpy(right, utf8, sizeof utf8);
        if (is_escaped(c))
            for (size_t i = 0; i < size; i++)
                sprintf(right + 4 * i, "\\x%02x", (unsigned char)utf8[i]);
        assert_text(utf8, size, right);
    }
}

/* Two bytes are one character, or else each of them is shown as it would be alone. */
static void a_pair_of_bytes_is_a_character_or_shown_one_by_one(void **state)
{
    for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
        const unsigned char bytes[] = {(unsigned char)(pair >> 8), (unsigned char)pair};
        unsigned c = (bytes[0] & 0x1FU) << 6 | (bytes[1] & 0x3FU);
        bool character = bytes[0] >= 0xC2 && bytes[0] <= 0xDF && bytes[1] >> 6 == 2;
        char right[2 * CONSOLE_TEXT], second[CONSOLE_TEXT];

        console_text(bytes, 1, right);
        strcat(right, console_text(bytes + 1, 1, second));
        if (character && !is_escaped(c))
            snprintf(right, sizeof right, "%.2s", (const char *)bytes);
        assert_text(bytes, 2, right);
    }
}

static void what_is_not_UTF8_is_escaped(void **state)
{
    static const struct {
        const char *bytes, *right;
    } cases[] = {
        {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"}, /* overlong, as is the next */
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"}, /* begins like none */
        {"\xf9\x80\x80\x80", "\\xf9\\x80\\x80\\x80"},
        {"\xe4\xbd\xa0\xe5\xa5", "\xe4\xbd\xa0\\xe5\\xa5"}, /* cut off */
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
        {"\xc3(\xc3", "\\xc3(\\xc3"}, /* no continuation: what follows still stands */
        {"\xc3\xc3\xa9", "\\xc3\xc3\xa9"}, {"\xe2\x82(", "\\xe2\\x82("},
        {"\xe2\x82\x7f", "\\xe2\\x82\\x7f"}, {"\xe2\x82\xc0", "\\xe2\\x82\\xc0"},
        {"\xe2(\xac", "\\xe2(\\xac"}, {"\xf0\x9f\x98(", "\\xf0\\x9f\\x98("},
        {"\xf0\x9f(\x80", "\\xf0\\x9f(\\x80"},
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

/* Numbers, as an option's value or an operand. */

static struct options client_options(const char *first, const char *second)
{
    char *words[] = {(char *)"test", (char *)first, (char *)second, NULL};

    optind = 1;
    return options_of_client(second != NULL ? 3 : 2, words);
}

static void a_number_is_read_whole(void **state)
{
    static const struct {
        const char *seconds;
        int ms;
    } pauses[] = {{"0", 0}, {"86400", 86400000}, {"1.5", 1500}, {".5", 500}, {"5.", 5000},
        {"0.0014", 1}, {"0.0015", 2}};

    assert_int_equal(client_options("-c", "1").count, 1);
    assert_int_equal(client_options("-c", "1000000000").count, 1000000000);
    assert_int_equal(client_options("::1", "0080").port, 80);
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++)
        assert_int_equal(client_options("-i", pauses[i].seconds).pause_ms, pauses[i].ms);
}

static void what_is_no_number_ends_the_program(void **state)
{
    static const char *const bad[] = {"", "99x", "x99", "-1", "+5", " 5", "5 ", "1e3", "0x10",
        "nan", "inf", ".", "..5", "1.2.3", "1,5", "86401", "99999999999999999999999", "5\n"};
    char complaint[200], shown[CONSOLE_TEXT];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sprintf(complaint, "echo-client: -i: \"%s\" is not a number from 0 to 86400\n",
            console_text(bad[i], strlen(bad[i]), shown));
        child(2, "", complaint, client_options("-i", bad[i]));
    }
    child(
        2, "", "echo-client: \"1.5\": this must be a whole number\n", client_options("-c", "1.5"));
}

static void defaults_are_what_the_usage_says(void **state)
{
    char *words[] = {(char *)"test", NULL};

    optind = 1;
    const struct options both[] = {options_of_server(1, words), options_of_client(1, words)};
    for (int i = 0; i < 2; i++) {
        assert_string_equal(both[i].host, "127.0.0.1");
        assert_int_equal(both[i].port, 9999);
        assert_true(both[i].count == ULONG_MAX);
        assert_int_equal(both[i].room, 65536);
        assert_int_equal(both[i].pause_ms, 1000);
        assert_false(both[i].quiet);
    }
}

/* Output. */

/* /dev/full is a full disk, on Linux and the BSDs. */
static void a_full_disk_is_told_once(void **state)
{
    needs(access("/dev/full", W_OK) == 0, "/dev/full");
    child(0, "", "test: write to standard output: ENOSPC (*)\n",
          dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
          exit(console_say("%s\n", "1") || console_say("2\n") || console_works()));
    child(1, "", "echo-client: write to standard output: ENOSPC (*)\n",
          dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
          client_options("-h", NULL));
}

static void tell(const char *call, const char *arguments, ssize_t result, const char *address)
{
    sock_narrator->before(call, arguments);
    errno = EMFILE;
    sock_narrator->after(result, address);
}

/* A socket of datagrams shows where one write ends and the next begins. The first half of a
 * narrated call must be seen while the call waits. */
static void a_line_is_one_write_but_a_narrated_call_is_two(void **state)
{
    static const char *const writes[] = {"test: a 1\n", "test: send h:1: EPIPE (*); dropped\n",
        "said 2\n", "[1] socket(AF_INET, SOCK_STREAM, 0)", " = 3\n", "[3] accept(3)",
        " = 4  [::1]:9\n", "[3] accept(3)", " = -1 EMFILE (*)\n", "[4] send(4, 24 bytes)",
        " = 24\n", "[4] recv(4, room 65536)", " = 0\n", "[5] bind(3, [::1]:9)", " = 0\n"};
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    struct program *it = start_child();
    if (it == NULL) {
        static const char *const steps[] = {"socket", "", "accept", "recv send", NULL};

        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        console_start("test");
        console_complain("%s %d", "a", 1);
        errno = EPIPE;
        console_error("send", "h:1", "; %s", "dropped");
        console_say("%s %d\n", "said", 2);
        console_narrate(steps);
        tell("socket", "AF_INET, SOCK_STREAM, 0", 3, "");
        tell("accept", "3", 4, "[::1]:9");
        tell("accept", "3", -1, "");
        tell("send", "4, 24 bytes", 24, "");
        tell("recv", "4, room 65536", 0, "");
        tell("bind", "3, [::1]:9", 0, ""); /* in no step: it counts as one more */
        exit(0);
    }
    close(ends[1]);
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        char got[600] = "";

        recv(ends[0], got, sizeof got - 1, 0);
        assert_match(got, writes[i]);
    }
    assert_ends(it, 0, "", "");
}

static void an_error_has_its_symbol_its_meaning_and_a_hint(void **state)
{
#define PORT \
    "test: hint: another program, or an earlier connection, has this port; try another port\n"
#define ADMIN  "test: hint: ports below 1024 are for the administrator; choose a higher one\n"
#define SERVER "test: hint: is the server running? start build/echo-server; *-l 0.0.0.0\n"
    static const struct {
        const char *call, *address;
        int error;
        const char *hint;
    } rows[] = {{"bind", "[::1]:9", EADDRINUSE, PORT}, {"listen", "[::1]:9", EADDRINUSE, PORT},
        {"bind", "127.0.0.1:0", EADDRINUSE, ""}, {"bind", "127.0.0.1:1023", EACCES, ADMIN},
        {"bind", "127.0.0.1:1", EACCES, ADMIN}, {"bind", "127.0.0.1:1024", EACCES, ""},
        {"bind", "127.0.0.1:0", EACCES, ""}, {"bind", "[::1]:9", EINVAL, ""},
        {"connect", "[::1]:9", EADDRINUSE, ""}, {"connect", "[::1]:9", EACCES, ""},
        {"connect", "[::1]:9", ECONNREFUSED, SERVER}, {"recv", "[::1]:9", ECONNREFUSED, ""}};
    char told[300];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sprintf(told, "test: %s %s: %s (%s); tail 1\n%s", rows[i].call, rows[i].address,
            console_symbol(rows[i].error), strerror(rows[i].error), rows[i].hint);
        child(0, "", told, errno = rows[i].error;
              console_error(rows[i].call, rows[i].address, "; tail %d", 1));
    }
}

static void an_unknown_host_is_named(void **state)
{
    char complaint[200];

    sprintf(complaint, "test: cannot look up \"no\\x1bwhere\": %s\n", gai_strerror(EAI_NONAME));
    child(2, "", complaint, console_die_lookup("no\033where", EAI_NONAME));
    sprintf(complaint, "test: cannot look up \"h\": %s\n", strerror(EMFILE));
    child(2, "", complaint, errno = EMFILE; console_die_lookup("h", EAI_SYSTEM));
    child(2, "", "test: socket h:1: EMFILE (*)\n", errno = EMFILE; console_die("socket", "h:1"));
}

/* Each of these errnos has the symbol that stands here. */
#define assert_symbols(...) assert_named((const int[]){__VA_ARGS__}, (char[]){#__VA_ARGS__})
static void assert_named(const int *errors, char *names)
{
    for (char *name = strtok(names, ", "); name != NULL; name = strtok(NULL, ", "))
        assert_is(console_symbol(*errors++), name);
}

/* Those that sock.h names, those that Linux's manual pages have beside POSIX's, and none. */
static void a_symbol_is_what_a_manual_page_has(void **state)
{
#ifdef __linux__
    assert_symbols(EHOSTDOWN, ENONET, ENOSR, ESOCKTNOSUPPORT);
#endif
    assert_symbols(EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF,
        ECONNABORTED, ECONNREFUSED, ECONNRESET, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EHOSTUNREACH,
        EINPROGRESS, EINTR, EINVAL, EIO, EISCONN, EMFILE, ENETDOWN, ENETUNREACH, ENFILE, ENOBUFS,
        ENODEV, ENOENT, ENOMEM, ENOPROTOOPT, ENOSPC, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPERM, EPIPE,
        EPROTO, EPROTONOSUPPORT, EPROTOTYPE, ETIMEDOUT);
    assert_is(console_symbol(0), "errno 0");
    assert_is(console_symbol(4096), "errno 4096");
}

/* Start with those standard streams closed whose bits are set. Returns whether the next descriptor
 * is the one that it would be anyway, and nothing can be written to those streams. */
static bool start_without(int closed)
{
    int usual = dup(STDIN_FILENO);

    close(usual);
    for (int fd = 0; fd < 3; fd++)
        if ((closed >> fd & 1) != 0)
            close(fd);
    console_start("test");
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

/* Start where no file can be opened, for want of a descriptor. */
static void start_without_a_descriptor(void)
{
    getrlimit(RLIMIT_NOFILE, &descriptors);
    atexit(restore_descriptors); /* what measures coverage opens a file then */
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, descriptors.rlim_max});
    console_start("test");
}

static void no_socket_gets_the_number_of_a_standard_stream(void **state)
{
    for (int closed = 0; closed < 8; closed++)
        child(0, "", "", exit(start_without(closed) ? 0 : 1));
    child(0, "", "", start_without_a_descriptor());
    child(2, "", "test: open /dev/null: EMFILE (*), in place of a closed standard stream\n",
          close(STDIN_FILENO);
          start_without_a_descriptor());
}

int main(void)
{
    const struct CMUnitTest tests[] = {test(a_byte_is_shown_as_itself_or_escaped),
        test(valid_UTF8_stands_as_it_is), test(a_pair_of_bytes_is_a_character_or_shown_one_by_one),
        test(what_is_not_UTF8_is_escaped), test(a_long_text_is_cut_between_characters),
        test(the_longest_text_fits), test(a_number_is_read_whole),
        test(what_is_no_number_ends_the_program), test(defaults_are_what_the_usage_says),
        test(a_full_disk_is_told_once), test(a_line_is_one_write_but_a_narrated_call_is_two),
        test(an_error_has_its_symbol_its_meaning_and_a_hint), test(an_unknown_host_is_named),
        test(a_symbol_is_what_a_manual_page_has),
        test(no_socket_gets_the_number_of_a_standard_stream)};

    return run_all(tests);
}
