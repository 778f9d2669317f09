#include "harness/test.h"

#include "base/mem.h"
#include "base/stop.h"

#include <signal.h>

TEST(signals_ask_to_stop_and_a_closed_pipe_does_not_end_us)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct error err = ERROR_INIT;
    stop_install();
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        stop_clear();
        assert_ok(stop_check(&err), err);
        raise(signals[i]);
        assert_true(stop_requested());
        assert_fails(stop_check(&err), err, ERROR_INTERRUPTED);
    }
    stop_clear();
    raise(SIGPIPE);
    assert_false(stop_requested());
}

TEST_MAIN(UNIT(signals_ask_to_stop_and_a_closed_pipe_does_not_end_us))
