// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include <netlink/netlink.h>
#include <netlink/genl/genl.h>

#include <linux/genetlink.h>
#include <linux/kcoresnap.h>

#include "event.h"

/* The group "notify" of the family "nlctrl" has its number. */
#define CTRL_GROUP GENL_ID_CTRL

#define BUFFER_SIZE (1024 * 1024)

/** struct receiver - one call of kcs_event_receive() */
struct receiver {
	struct kcs_nl *nl;
	kcs_event_fn *fn;
	void *arg;
	int err;
};

int kcs_event_join(struct kcs_nl *nl)
{
	int ret;

	if (!nl->group)
		return -ENOENT;
	/* As much as may be had; less is no reason to give up. */
	nl_socket_set_buffer_size(nl->sock, BUFFER_SIZE, 0);
	ret = nl_socket_add_membership(nl->sock, (int)nl->group);
	if (!ret)
		ret = nl_socket_add_membership(nl->sock, CTRL_GROUP);
	if (!ret)
		ret = nl_socket_set_nonblocking(nl->sock);
	if (!ret)
		return 0;
	return ret == -NLE_PERM ? -EPERM : -EIO;
}

static void take_control(struct receiver *receiver, struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct nla_policy ctrl[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_FAMILY_NAME] = { .type = NLA_STRING },
	};

	if (genl->cmd == CTRL_CMD_DELFAMILY &&
	    !genlmsg_parse(nlh, 0, attrs, CTRL_ATTR_MAX, ctrl) &&
	    attrs[CTRL_ATTR_FAMILY_NAME] &&
	    !nla_strcmp(attrs[CTRL_ATTR_FAMILY_NAME], KCORESNAP_GENL_NAME))
		receiver->err = -ENOENT;
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[KCORESNAP_A_MAX + 1];
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	struct receiver *receiver = arg;

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		take_control(receiver, nlh);
	else if (nlh->nlmsg_type == receiver->nl->family &&
		 kcs_nl_parse(nlh, attrs))
		receiver->fn(genl->cmd, attrs, receiver->arg);
	return NL_OK;
}

/* Nobody asked for them, so they have no number. */
static int on_number(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

int kcs_event_receive(struct kcs_nl *nl, kcs_event_fn *fn, void *arg)
{
	struct receiver receiver = { .nl = nl, .fn = fn, .arg = arg };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, &receiver);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_number, NULL);
	ret = nl_recvmsgs(nl->sock, cb);
	nl_cb_put(cb);
	if (receiver.err)
		return receiver.err;
	/* That is what libnl makes of ENOBUFS. */
	if (ret == -NLE_NOMEM)
		return -ENOBUFS;
	return ret < 0 && ret != -NLE_AGAIN && ret != -NLE_INTR ? -EIO : 0;
}
