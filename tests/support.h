/* What the tests share. Each test runs under an alarm, so that a hang is a failure, not a wait. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include "sock.h"

/* A test whose name is its claim, ended by SIGALRM when it takes longer than 20 seconds. */
#define claim(test) cmocka_unit_test_setup_teardown(test, alarm_on, alarm_off)
int alarm_on(void **state);
int alarm_off(void **state);

/* A listener on a port of 127.0.0.1 that the kernel chose. */
int listen_anywhere(struct sock_address *address, int backlog);

/* The two ends of one connection, and the listener that made it. */
struct pair {
    int listener, client, server;
    struct sock_address listener_address, client_address; /* the second as accept told it */
};
struct pair connected(void);
void disconnect(struct pair *pair); /* closes what is not -1 */

#endif
