#include "programs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct program programs[PROGRAMS];
static size_t started;

static void kill_programs(void)
{
    for (size_t i = 0; i < started && i < PROGRAMS; i++)
        if (programs[i].pid != 0)
            kill(programs[i].pid, SIGKILL);
}

int programs_on(void **state)
{
    started = 0;
    return alarm_on(state);
}

static void put_away(struct program *program)
{
    if (program->pid != 0)
        waitpid(program->pid, NULL, 0);
    if (program->out != -1)
        close(program->out);
    close(program->err);
}

int programs_off(void **state)
{
    kill_programs();
    for (size_t i = 0; i < started && i < PROGRAMS; i++)
        put_away(&programs[i]);
    return alarm_off(state);
}

/* In the child: becomes the command, with nothing of the test's but two pipes. */
static _Noreturn void become(const char *command, int out, int err)
{
    const char *build = getenv("ECHO_BUILD"), *path = getenv("PATH");
    char search[4096];
    int in = open("/dev/null", O_RDONLY);

    snprintf(search, sizeof search, "%s:%s", build != NULL ? build : "build",
        path != NULL ? path : "/usr/bin:/bin");
    setenv("PATH", search, 1);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        close(fd); /* a connection that stays open in a child would never end */
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

struct program *start(const char *format, ...)
{
    struct program *program = &programs[started % PROGRAMS];
    char command[1024] = "exec ";
    int out[2], err[2];
    va_list values;
    pid_t pid;

    va_start(values, format);
    vsnprintf(command + strlen(command), sizeof command - strlen(command), format, values);
    va_end(values);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(pipe(err), 0);
    if (started++ >= PROGRAMS) {
        assert_int_equal(program->pid, 0);
        put_away(program);
    }
    *program = (struct program){.out = out[0], .err = err[0], .port = ""};
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        become(command, out[1], err[1]);
    assert_true(pid > 0);
    program->pid = pid;
    close(out[1]);
    close(err[1]);
    return program;
}

struct program *serve(const char *options)
{
    return await_ready(start("echo-server %s 0", options));
}

struct program *await_ready(struct program *server)
{
    snprintf(server->ready, sizeof server->ready, "%.99s", next_line(server->out));
    match(server->ready, "listening on *:#", __FILE__, __LINE__);
    server->port = port_in(server->ready);
    return server;
}

void interrupt(const struct program *program)
{
    assert_int_equal(kill(program->pid, SIGINT), 0);
}

void freeze(const struct program *program)
{
    int status;

    assert_int_equal(kill(program->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(program->pid, &status, WUNTRACED), program->pid);
    assert_true(WIFSTOPPED(status));
}

void thaw(const struct program *program)
{
    assert_int_equal(kill(program->pid, SIGCONT), 0);
}

int finish(struct program *program)
{
    struct pollfd ends[] = {
        {.fd = program->out, .events = POLLIN}, {.fd = program->err, .events = POLLIN}};
    char *texts[] = {program->said, program->complained};
    size_t used[] = {0, 0};
    int status;

    while (ends[0].fd != -1 || ends[1].fd != -1) {
        assert_true(poll(ends, 2, -1) > 0);
        for (int i = 0; i < 2; i++) {
            ssize_t got;

            if (ends[i].fd == -1 || ends[i].revents == 0)
                continue;
            got = read(ends[i].fd, texts[i] + used[i], sizeof program->said - 1 - used[i]);
            if (got <= 0)
                ends[i].fd = -1;
            else
                used[i] += (size_t)got;
        }
    }
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    program->pid = 0;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void await(int fd, const char *text)
{
    char seen[4096];
    size_t size = strlen(text), used = 0;

    while (used < size || memcmp(seen + used - size, text, size) != 0) {
        if (used == sizeof seen || read(fd, seen + used, 1) != 1)
            fail_msg("\"%s\" does not come after \"%.*s\"", text, (int)used, seen);
        used++;
    }
}

/* One byte at a time, so that what comes after the line stays in the pipe. */
const char *next_line(int fd)
{
    static char line[4096];
    size_t used = 0;

    while (used < sizeof line - 1 && read(fd, line + used, 1) == 1 && line[used] != '\n')
        used++;
    line[used] = '\0';
    return line;
}

static bool matches(const char *text, const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*') {
            while (!matches(text, pattern + 1))
                if (*text == '\0' || *text++ == '\n')
                    return false;
            return true;
        }
        if (*pattern == '#') {
            size_t digits = strspn(text, "0123456789.");

            if (digits == 0)
                return false;
            text += digits;
        } else if (*text++ != *pattern) {
            return false;
        }
    }
    return *text == '\0';
}

void match(const char *text, const char *pattern, const char *file, int line)
{
    if (pattern != NULL && !matches(text, pattern)) {
        print_error("expected \"%s\"\n     got \"%s\"\n", pattern, text);
        _fail(file, line);
    }
}

void close_if_open(int *fd)
{
    if (*fd != -1)
        sock_close(*fd);
    *fd = -1;
}
