/* The benchmark's histogram against exact sorting. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/hist.h"

static int ascending(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void quantiles_are_within_two_percent_of_the_sorted_values(void **state)
{
    enum { N = 20000 };
    static struct hist hist;
    static uint64_t values[N];
    uint64_t seed = 1;

    (void)state;
    memset(&hist, 0, sizeof hist);
    for (int i = 0; i < N; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        values[i] = (seed >> 33) >> (seed >> 59); /* over many orders of magnitude */
        hist_add(&hist, values[i]);
    }
    qsort(values, N, sizeof *values, ascending);
    for (int percent = 1; percent <= 100; percent++) {
        uint64_t exact = values[N * percent / 100 - 1], got = hist_quantile(&hist, percent / 100.0);

        assert_true(got >= exact && got <= exact + exact / 50 + 1);
    }
}

static void an_empty_histogram_says_zero(void **state)
{
    static struct hist hist;

    (void)state;
    assert_int_equal(hist_quantile(&hist, .99), 0);
}

static void the_largest_values_do_not_overflow(void **state)
{
    static struct hist hist;

    (void)state;
    hist_add(&hist, UINT64_MAX);
    assert_true(hist_quantile(&hist, 1) >= UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_two_percent_of_the_sorted_values),
        cmocka_unit_test(an_empty_histogram_says_zero),
        cmocka_unit_test(the_largest_values_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
