/* options.h describes what each function does. */
#include "options.h"

#include "console.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the two programs differ in. */
struct program {
    const char *name;
    const char *letters; /* for getopt; the + tells GNU's to stop at the first other word */
    const char *usage;
    int operands;         /* at most */
    const char *steps[7]; /* for console_narrate */
};

static const struct program server = {
    "echo-server",
    "+l:c:b:qvh",
    "usage: echo-server [-l address] [-c count] [-b bytes] [-q] [-v] [-h] [port]\n"
    "  -l address  local address (default 127.0.0.1; 0.0.0.0 or :: for all addresses)\n"
    "  -c count    exit after serving this many clients (default: never)\n"
    "  -b bytes    receive at most this many at once, 1-1048576 (default 65536)\n"
    "  -q          print only errors and the address\n"
    "  -v          report each call of the flow on standard error\n"
    "  -h          print this\n"
    "  port        0-65535 (default 9999); 0 lets the kernel choose\n",
    1,
    {"socket", "bind", "listen", "accept", "recv send", "close"},
};

static const struct program client = {
    "echo-client",
    "+c:i:qvh",
    "usage: echo-client [-c count] [-i seconds] [-q] [-v] [-h] [host [port]]\n"
    "  -c count    stop after this many messages (default: never)\n"
    "  -i seconds  pause between an echo and the next message, 0-86400 (default 1)\n"
    "  -q          print only errors and the summary\n"
    "  -v          report each call of the flow on standard error\n"
    "  -h          print this\n"
    "  host, port  where the server is (default 127.0.0.1 9999)\n",
    2,
    {"socket", "", "connect", "send recv", "close"},
};

/* Say what is wrong with a word of the command line, print the usage unless it is "", and exit. */
static _Noreturn void refuse(const char *word, const char *why, const char *usage)
{
    char text[CONSOLE_TEXT];

    console_complain("\"%s\": %s", console_text(word, strlen(word), text), why);
    fputs(usage, stderr);
    exit(2);
}

/* The number that a word spells out, from digits and perhaps a point: no sign, no blank, no 1e3.
 * (For strtod, a point is a point as long as nobody calls setlocale.) */
static double number(const char *name, const char *word, double low, double high)
{
    char *end, text[CONSOLE_TEXT];
    double value = strtod(word, &end);
    bool plain = end != word && *end == '\0' && strspn(word, "0123456789.") == strlen(word);

    if (plain && value >= low && value <= high)
        return value;
    console_complain("%s: \"%s\" is not a number from %.10g to %.10g", name,
        console_text(word, strlen(word), text), low, high);
    exit(2);
}

static unsigned long count(const char *name, const char *word, double low, double high)
{
    if (strchr(word, '.') != NULL)
        refuse(word, "this must be a whole number", "");
    return (unsigned long)number(name, word, low, high);
}

/* 127.0.0.1:9999 and [::1]:9999 are how addresses are printed, but not how they are typed. */
static const char *host(const char *word)
{
    const char *colon = strchr(word, ':');

    if (*word == '[' || (colon != NULL && strchr(colon + 1, ':') == NULL))
        refuse(word, "address and port are two words, as in: ::1 9999", "");
    return word;
}

/* Read the options, and leave optind at the first word that is none. */
static struct options parse(int argc, char **argv, const struct program *program)
{
    struct options o = {
        .host = "127.0.0.1", .port = 9999, .count = ULONG_MAX, .room = 65536, .pause_ms = 1000};
    int letter;

    console_start(program->name);
    opterr = 0; /* this function complains itself, under the program's own name */
    while ((letter = getopt(argc, argv, program->letters)) != -1) {
        const char word[] = {'-', (char)optopt, '\0'};

        switch (letter) {
        case 'l': o.host = host(optarg); break;
        case 'c': o.count = count("-c", optarg, 1, 1000000000); break;
        case 'b': o.room = count("-b", optarg, 1, OPTIONS_MAX_ROOM); break;
        case 'i': o.pause_ms = (int)(number("-i", optarg, 0, 86400) * 1000 + 0.5); break;
        case 'q': o.quiet = true; break;
        case 'v': console_narrate(program->steps); break;
        case 'h': console_say("%s", program->usage); exit(console_works() ? 0 : 1);
        default: refuse(word, "there is no such option, or its value is missing", program->usage);
        }
    }
    for (int i = optind; i < argc; i++)
        if (*argv[i] == '-')
            refuse(argv[i], "options go before all other words", program->usage);
    if (argc - optind > program->operands)
        refuse(argv[optind + program->operands], "there is one word too many", program->usage);
    return o;
}

struct options options_of_server(int argc, char **argv)
{
    struct options o = parse(argc, argv, &server);

    if (optind < argc)
        o.port = (uint16_t)count("port", argv[optind], 0, 65535);
    return o;
}

struct options options_of_client(int argc, char **argv)
{
    struct options o = parse(argc, argv, &client);

    if (optind < argc)
        o.host = host(argv[optind++]);
    if (optind == argc && strspn(o.host, "0123456789") == strlen(o.host))
        refuse(o.host, "the host comes first, then the port", "");
    if (optind < argc)
        o.port = (uint16_t)count("port", argv[optind], 1, 65535);
    return o;
}
