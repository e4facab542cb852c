#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/loop.h"

struct fixture {
    struct hy_loop *loop;
    struct hy_timer *timer;
    struct hy_watch *watch;
    char log[64];
    int count;
};

static void open_loop(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    assert_int_equal(hy_loop_open(&f->loop), HY_OK);
}

static void note(struct fixture *f, char c)
{
    size_t len = strlen(f->log);

    if (len < sizeof f->log - 1)
        f->log[len] = c;
}

static void note_a(void *arg)
{
    note(arg, 'a');
}

static void note_b(void *arg)
{
    note(arg, 'b');
}

static void leave(void *arg)
{
    struct fixture *f = arg;

    note(f, 'l');
    hy_loop_off_turn(f->loop, leave, f);
}

static void hooks_run_in_order_and_may_leave(void **state)
{
    struct fixture f;

    (void)state;
    open_loop(&f);
    assert_int_equal(hy_loop_on_turn(f.loop, note_a, &f), HY_OK);
    assert_int_equal(hy_loop_on_turn(f.loop, leave, &f), HY_OK);
    assert_int_equal(hy_loop_on_turn(f.loop, note_b, &f), HY_OK);
    hy_loop_turn(f.loop, 0);
    hy_loop_turn(f.loop, 0);
    hy_loop_off_turn(f.loop, note_a, &f);
    hy_loop_off_turn(f.loop, note_a, &f);
    hy_loop_turn(f.loop, 0);
    assert_string_equal(f.log, "albabb");
    hy_loop_close(&f.loop);
}

static void ask_again(void *arg)
{
    struct fixture *f = arg;

    if (++f->count < 5)
        hy_loop_again(f->loop);
}

static void a_hook_with_work_left_keeps_the_loop_from_waiting(void **state)
{
    struct fixture f;
    uint64_t from = 0;

    (void)state;
    open_loop(&f);
    assert_int_equal(hy_loop_on_turn(f.loop, ask_again, &f), HY_OK);
    hy_loop_again(f.loop); /* also from outside of a turn */
    from = hy_steady_ms();
    while (f.count < 5)
        hy_loop_turn(f.loop, 10000);
    assert_true(hy_steady_ms() - from < 2000);
    hy_loop_close(&f.loop);
}

static void ask_in_callback(void *arg)
{
    struct fixture *f = arg;

    f->count++;
    hy_loop_again(f->loop);
}

static void a_callback_may_ask_for_the_next_turn(void **state)
{
    struct fixture f;
    uint64_t from = 0;

    (void)state;
    open_loop(&f);
    assert_int_equal(hy_loop_post(f.loop, ask_in_callback, &f), HY_OK);
    hy_loop_turn(f.loop, 1000);
    assert_int_equal(f.count, 1);
    from = hy_steady_ms();
    hy_loop_turn(f.loop, 200);
    assert_true(hy_steady_ms() - from < 150);
    hy_loop_close(&f.loop);
}

static void tick(void *arg)
{
    struct fixture *f = arg;

    if (++f->count == 3)
        hy_timer_close(&f->timer);
}

static void a_timer_repeats_and_may_close_itself(void **state)
{
    struct fixture f;
    uint64_t from = hy_steady_ms();

    (void)state;
    open_loop(&f);
    assert_int_equal(hy_timer_open(f.loop, tick, &f, &f.timer), HY_OK);
    hy_timer_every(f.timer, 20);
    while (f.timer != NULL)
        hy_loop_turn(f.loop, 1000);
    assert_int_equal(f.count, 3);
    assert_true(hy_steady_ms() - from >= 50);
    hy_loop_close(&f.loop);
}

static void a_stopped_timer_is_silent_and_a_set_one_fires_once(void **state)
{
    struct fixture f;

    (void)state;
    open_loop(&f);
    assert_int_equal(hy_timer_open(f.loop, note_a, &f, &f.timer), HY_OK);
    hy_timer_set(f.timer, 1);
    hy_timer_stop(f.timer);
    hy_loop_turn(f.loop, 30);
    assert_string_equal(f.log, "");
    hy_timer_set(f.timer, 5000);
    hy_timer_set(f.timer, 0); /* replaces */
    for (int i = 0; i < 5; i++)
        hy_loop_turn(f.loop, 10);
    assert_string_equal(f.log, "a");
    hy_timer_close(&f.timer);
    hy_timer_close(&f.timer);
    hy_loop_close(&f.loop);
}

static void on_ready(int fd, unsigned ready, void *arg)
{
    struct fixture *f = arg;
    char c;

    if (ready & HY_WRITE)
        note(f, 'w');
    if (ready & HY_READ) {
        note(f, 'r');
        assert_int_equal(read(fd, &c, 1), 1);
        hy_watch_close(&f->watch);
    }
}

static void a_watch_tells_what_is_ready(void **state)
{
    struct fixture f;
    int fds[2];

    (void)state;
    open_loop(&f);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(hy_watch_open(f.loop, fds[0], HY_READ, on_ready, &f, &f.watch), HY_OK);
    hy_loop_turn(f.loop, 0);
    assert_string_equal(f.log, "");
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(hy_watch_set(f.watch, 0), HY_OK);
    hy_loop_turn(f.loop, 20);
    assert_string_equal(f.log, "");
    assert_int_equal(hy_watch_set(f.watch, HY_READ), HY_OK);
    while (f.watch != NULL)
        hy_loop_turn(f.loop, 1000);
    assert_string_equal(f.log, "r");
    assert_int_equal(hy_watch_open(f.loop, fds[1], HY_WRITE, on_ready, &f, &f.watch), HY_OK);
    hy_loop_turn(f.loop, 1000);
    assert_string_equal(f.log, "rw");
    hy_watch_close(&f.watch);
    hy_loop_close(&f.loop);
    close(fds[0]);
    close(fds[1]);
}

static void count_post(void *arg)
{
    struct fixture *f = arg;

    if (++f->count == 4000)
        hy_loop_stop(f->loop);
}

static void *post_many(void *arg)
{
    struct fixture *f = arg;

    for (int i = 0; i < 1000; i++)
        assert_int_equal(hy_loop_post(f->loop, count_post, f), HY_OK);
    return NULL;
}

static void posts_of_other_threads_all_arrive(void **state)
{
    struct fixture f;
    pthread_t threads[4];

    (void)state;
    open_loop(&f);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &f), 0);
    hy_loop_run(f.loop);
    assert_int_equal(f.count, 4000);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    hy_loop_stop(f.loop); /* before running: the next run ends at once */
    hy_loop_run(f.loop);
    assert_int_equal(hy_loop_post(f.loop, count_post, &f), HY_OK); /* dropped by close */
    hy_loop_close(&f.loop);
}

static void an_idle_loop_beats(void **state)
{
    struct fixture f;
    uint64_t before = 0;

    (void)state;
    open_loop(&f);
    before = hy_loop_beat_ms(f.loop);
    while (hy_loop_beat_ms(f.loop) == before)
        hy_loop_turn(f.loop, 1000);
    assert_true(hy_loop_now_ms(f.loop) >= before);
    hy_loop_close(&f.loop);
    hy_loop_close(&f.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_run_in_order_and_may_leave),
        cmocka_unit_test(a_hook_with_work_left_keeps_the_loop_from_waiting),
        cmocka_unit_test(a_callback_may_ask_for_the_next_turn),
        cmocka_unit_test(a_timer_repeats_and_may_close_itself),
        cmocka_unit_test(a_stopped_timer_is_silent_and_a_set_one_fires_once),
        cmocka_unit_test(a_watch_tells_what_is_ready),
        cmocka_unit_test(posts_of_other_threads_all_arrive),
        cmocka_unit_test(an_idle_loop_beats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
