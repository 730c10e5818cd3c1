/* What a probe's end means, wherever it went. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "doctor/doctor.h"

#define CLOCK_APART 60 /* seconds */

void doctor_probe_failed(struct doctor *doctor, const char *check, const struct probe *probe,
			 const char *setting, const char *ca)
{
	doctor_find(doctor, DOCTOR_WRONG, check, "%s: %s", probe->url, probe->cause);
	switch (probe->end) {
	case PROBE_NO_HOST:
		doctor_step(doctor, "mend the host's name in %s, or this machine's resolver",
			    setting);
		break;
	case PROBE_NO_ONE:
		doctor_step(doctor, "start what should listen there, or mend host and port in %s",
			    setting);
		break;
	case PROBE_LATE:
		doctor_step(doctor, "see that no firewall stands between, and that %s is right",
			    setting);
		break;
	case PROBE_NOT_TLS:
		doctor_step(doctor,
			    "see whether %s should begin with http://, and that its port "
			    "is the one for TLS",
			    setting);
		break;
	case PROBE_EXPIRED:
	case PROBE_NOT_YET:
		doctor_step(doctor,
			    "renew its certificate, if this machine's clock is right: date");
		break;
	case PROBE_UNKNOWN_CA:
		if (ca)
			doctor_step(doctor,
				    "%s=/path/of/the/authority.pem, or apt install "
				    "ca-certificates where the authority is a public one",
				    ca);
		else
			doctor_step(doctor, "let the web server send its whole chain (fullchain), "
					    "from an authority that clients know; is it your own? "
					    "--ca FILE");
		break;
	case PROBE_WRONG_NAME:
		doctor_step(doctor, "a certificate for that host, or in %s the host it is for",
			    setting);
		break;
	case PROBE_BAD_CA:
		doctor_step(doctor, "see that %s names a readable PEM file",
			    ca ? ca : "the system's list of authorities");
		break;
	default:
		doctor_step(doctor, "see the log of what listens there");
	}
}

void doctor_date(struct doctor *doctor, const char *check, const struct probe *probe)
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
	doctor_find(doctor, DOCTOR_WARNING, check,
		    "its clock is %" PRId64 " s %s this machine's, which certificates depend on",
		    (int64_t)llabs(apart), apart > 0 ? "ahead of" : "behind");
	doctor_step(doctor, "timedatectl set-ntp true, if it is this machine's that is wrong");
}
