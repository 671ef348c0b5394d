// SPDX-License-Identifier: GPL-2.0
#include <linux/kcoresnap.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "ksym.h"
#include "netlink.h"
#include "quiesce.h"
#include "request.h"
#include "snapshot.h"
#include "target.h"
#include "watch.h"

module_param_named(policy, kcs_policy, uint, 0644);
MODULE_PARM_DESC(policy, "who may snapshot: 0 CAP_SYS_PTRACE on the host (default), 1 over the target's user namespace, 2 whoever may ptrace");
module_param_named(max_snapshots, kcs_max_snapshots, uint, 0644);
MODULE_PARM_DESC(max_snapshots, "snapshots that may be open at once (default 4)");
module_param_named(max_pause_us, kcs_max_pause_us, ulong, 0644);
MODULE_PARM_DESC(max_pause_us, "bound of a pause where a request names none, in microseconds (default 250000)");
module_param_named(lifetime_s, kcs_lifetime_s, uint, 0644);
MODULE_PARM_DESC(lifetime_s, "seconds after which an open snapshot is dropped, 0 for never (default 3600)");

static int __init kcs_init(void)
{
	int ret;

	ret = kcs_ksym_init();
	if (ret)
		return ret;
	ret = kcs_quiesce_init();
	if (ret)
		return ret;
	ret = kcs_watch_init();
	if (ret)
		goto exit_quiesce;
	ret = kcs_netlink_init();
	if (ret)
		goto exit_watch;
	return 0;

exit_watch:
	kcs_watch_exit();
exit_quiesce:
	kcs_quiesce_exit();
	return ret;
}

static void __exit kcs_exit(void)
{
	kcs_netlink_exit();
	kcs_watch_exit();
	kcs_quiesce_exit();
	/* A callback that dropped the last reference may not have returned yet. */
	synchronize_rcu_tasks();
}

module_init(kcs_init);
module_exit(kcs_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The kcoresnap authors");
MODULE_DESCRIPTION("Copy-on-write snapshots of live processes as ELF cores");
MODULE_VERSION(KCORESNAP_VERSION);
