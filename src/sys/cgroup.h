/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.h - the CPU quota that a container runs under */
#ifndef TN_SRC_SYS_CGROUP_H
#define TN_SRC_SYS_CGROUP_H

/*
 * CPUs worth of the tightest quota from the process's control group up to the
 * root, rounded up; 0 when there is none. Reads version 1 and 2 hierarchies.
 * `membership` is /proc/self/cgroup and `mount` /sys/fs/cgroup, other paths
 * in tests.
 */
int tni_cgroup_cpus(const char *membership, const char *mount);

#endif
