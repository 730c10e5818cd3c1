/* What a probe's end means, wherever it went. */
#include "doctor/probe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define CLOCK_APART 60 /* seconds */

void doctor_probe_failed(struct doctor *doctor, const char *check, const struct probe *probe,
			 const char *setting, const char *ca)
{
	report_find(doctor->report, REPORT_WRONG, check, "%s: %s", probe->url, probe->cause);
	switch (probe->end) {
	case HTTP_END_NO_HOST:
		report_step(doctor->report,
			    "mend the host's name in %s, or this machine's resolver", setting);
		break;
	case HTTP_END_REFUSED:
		report_step(doctor->report,
			    "start what should listen there, or mend host and port in %s", setting);
		break;
	case HTTP_END_LATE:
		report_step(doctor->report,
			    "see that no firewall stands between, and that %s is right", setting);
		break;
	case HTTP_END_NOT_TLS:
		report_step(doctor->report,
			    "see whether %s should begin with http://, and that its port "
			    "is the one for TLS",
			    setting);
		break;
	case HTTP_END_EXPIRED:
	case HTTP_END_NOT_YET:
		report_step(doctor->report,
			    "renew its certificate, if this machine's clock is right: date");
		break;
	case HTTP_END_UNKNOWN_CA:
		if (ca)
			report_step(doctor->report,
				    "%s=/path/of/the/authority.pem, or apt install "
				    "ca-certificates where the authority is a public one",
				    ca);
		else
			report_step(doctor->report,
				    "let the web server send its whole chain (fullchain), "
				    "from an authority that clients know; is it your own? "
				    "--ca FILE");
		break;
	case HTTP_END_WRONG_NAME:
		report_step(doctor->report,
			    "a certificate for that host, or in %s the host it is for", setting);
		break;
	case HTTP_END_BAD_CA:
		report_step(doctor->report, "see that %s names a readable PEM file",
			    ca ? ca : "the system's list of authorities");
		break;
	default:
		report_step(doctor->report, "see the log of what listens there");
	}
}

void doctor_probe_date(struct doctor *doctor, const char *check, const struct probe *probe)
{
	struct str date = probe_header(probe, "Date");
	char text[64];
	struct tm tm = { 0 };
	int64_t apart;

	if (!date.p || date.n >= sizeof(text))
		return;
	memcpy(text, date.p, date.n);
	text[date.n] = '\0';
	if (!strptime(text, "%a, %d %b %Y %H:%M:%S", &tm))
		return;
	apart = (int64_t)timegm(&tm) - clock_wall_ms() / 1000;
	if (llabs(apart) <= CLOCK_APART)
		return;
	report_find(doctor->report, REPORT_WARNING, check,
		    "its clock is %" PRId64 " s %s this machine's, which certificates depend on",
		    (int64_t)llabs(apart), apart > 0 ? "ahead of" : "behind");
	report_step(doctor->report,
		    "timedatectl set-ntp true, if it is this machine's that is wrong");
}
