#include "support.h"
static void accept_returns_a_second_descriptor(void **state)
{
    struct pair pair = connected();

    (void)state;
    assert_int_not_equal(pair.server, pair.listener);
    disconnect(&pair);
}
int main(void)
{
    const struct CMUnitTest tests[] = {claim(accept_returns_a_second_descriptor)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
