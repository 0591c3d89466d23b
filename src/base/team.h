/* SPDX-License-Identifier: Apache-2.0 */
/*
 * team.h - many short loops in a row, shared by the workers of one loop
 *
 * A recurrence has a loop of some microseconds at every step, too short to be
 * handed to the pool each time. Here the workers come once: one leads and runs
 * the whole walk, the others stay with it and help in its loops, which it runs
 * by `par`. A member begins with its own share of a loop, the same one every
 * time, so that what the tasks read stays in the cache of one core; loops go
 * backwards after every other step, so that of a share larger than the cache
 * the part seen last is met first. Nobody waits for a member that is not there: the
 * leader takes what others leave, a helper goes when nothing comes for long.
 */
#ifndef TN_SRC_BASE_TEAM_H
#define TN_SRC_BASE_TEAM_H

#include "base/par.h"
#include "tenon/base.h"

/* Runs once, in the leader; `par` is what its loops are run by. Workers have
 * the numbers there that they have in the loop that brought them together. */
typedef void (*tni_team_lead)(void *ctx, const tni_par *par);

/* At most n_members workers of `par` take part; returns when lead did. */
void tni_team_run(const tni_par *par, int n_members, tni_team_lead lead,
                  void *ctx);

/* To be called by the leader at the end of a step: what follows goes the other
 * way. `par` is what lead got. */
void tni_team_turn(const tni_par *par);

#endif
