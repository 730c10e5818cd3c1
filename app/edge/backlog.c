/* Of a TCP socket by TCP_INFO, of a unix one by sock_diag(7): what ss(8) shows as Recv-Q and Send-Q. */
#include "edge/backlog.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

/* linux/rtnetlink.h has these for routes, in the same form. */
#define ATTRIBUTE_DATA(attribute) ((const char *)(attribute) + NLA_HDRLEN)

/* Of a listening socket the kernel puts the two numbers into these members. */
static bool ask_tcp(int fd, uint32_t *waiting, uint32_t *most)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return false;
	*waiting = info.tcpi_unacked;
	*most = info.tcpi_sacked;
	return true;
}

static bool send_question(int netlink, uint32_t inode)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req request;
	} message = {
		.head = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.request = {
			.sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_ino = inode,
			.udiag_show = UDIAG_SHOW_RQLEN,
			.udiag_cookie = { UINT32_MAX, UINT32_MAX },
		},
	};

	return send(netlink, &message, sizeof(message), 0) == (ssize_t)sizeof(message);
}

static bool read_answer(const char *bytes, size_t size, uint32_t *waiting, uint32_t *most)
{
	size_t at = NLMSG_LENGTH(sizeof(struct unix_diag_msg)), n;
	const struct nlmsghdr *head = (const struct nlmsghdr *)bytes;
	const struct nlattr *attribute;
	struct unix_diag_rqlen lengths;

	if (size < at || head->nlmsg_type != SOCK_DIAG_BY_FAMILY || head->nlmsg_len > size)
		return false;
	while (at + sizeof(*attribute) <= head->nlmsg_len) {
		attribute = (const struct nlattr *)(bytes + at);
		n = attribute->nla_len;
		if (n < NLA_HDRLEN || at + n > head->nlmsg_len)
			return false;
		if (attribute->nla_type == UNIX_DIAG_RQLEN && n >= NLA_HDRLEN + sizeof(lengths)) {
			memcpy(&lengths, ATTRIBUTE_DATA(attribute), sizeof(lengths));
			*waiting = lengths.udiag_rqueue;
			*most = lengths.udiag_wqueue;
			return true;
		}
		at += NLA_ALIGN(n);
	}
	return false;
}

static bool ask_unix(int fd, uint32_t *waiting, uint32_t *most)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	const struct timeval patience = { .tv_sec = 1 };
	_Alignas(struct nlmsghdr) char bytes[1024];
	ssize_t n = -1;
	struct stat st;

	if (netlink >= 0 && fstat(fd, &st) == 0 &&
	    setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    send_question(netlink, (uint32_t)st.st_ino))
		n = recv(netlink, bytes, sizeof(bytes), 0);
	if (netlink >= 0)
		close(netlink);
	return n > 0 && read_answer(bytes, (size_t)n, waiting, most);
}

bool backlog_of(int listen_fd, uint32_t *waiting, uint32_t *most)
{
	int domain = AF_UNSPEC;
	socklen_t size = sizeof(domain);

	if (listen_fd < 0 || getsockopt(listen_fd, SOL_SOCKET, SO_DOMAIN, &domain, &size))
		return false;
	return domain == AF_UNIX ? ask_unix(listen_fd, waiting, most)
				 : ask_tcp(listen_fd, waiting, most);
}
