/* scenarios - all there are: main.c's table. */

#ifndef BENCH_SCENARIOS_H
#define BENCH_SCENARIOS_H

#include "bench/bench.h"

extern const struct scenario scenario_s1; /* idle.c */
extern const struct scenario scenario_s2; /* c2c.c */
extern const struct scenario scenario_s3;
extern const struct scenario scenario_s4;  /* group.c */
extern const struct scenario scenario_s4l; /* live.c */
extern const struct scenario scenario_s5;  /* sign_in.c */
extern const struct scenario scenario_s6;  /* history.c */
extern const struct scenario scenario_s7;  /* million.c */
extern const struct scenario scenario_s8;  /* rest.c */
extern const struct scenario scenario_s9;  /* c2c.c */

#endif
