/* A whole text by the grammar, which is json_scan's; and what a loose text holds beyond it. */
#include "wire/json_valid.h"

#include "base/count.h"
#include "wire/json_scan.h"

int json_valid_hex4(const char *p)
{
	int value = 0, i;

	for (i = 0; i < 4; i++) {
		value *= 16;
		if (p[i] >= '0' && p[i] <= '9')
			value += p[i] - '0';
		else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
			value += (p[i] | 0x20) - 'a' + 10;
		else
			return -1;
	}
	return value;
}

size_t json_valid_no_number(struct str text)
{
	static const struct str words[] = { { "nan", 3 }, { "infinity", 8 }, { "inf", 3 } };
	size_t sign = text.n && (*text.p == '-' || *text.p == '+'), i;

	for (i = 0; i < COUNT(words); i++)
		if (text.n - sign >= words[i].n &&
		    str_same((struct str){ text.p + sign, words[i].n }, words[i]))
			return sign + words[i].n;
	return 0;
}

size_t json_valid_skip(struct str text)
{
	size_t depth = 0, i;
	bool string = false;

	for (i = 0; i < text.n; i++) {
		if (string) {
			string = text.p[i] != '"';
			i += text.p[i] == '\\';
		} else if (text.p[i] == '"') {
			string = true;
		} else if (text.p[i] == '{' || text.p[i] == '[') {
			depth++;
		} else if (text.p[i] == '}' || text.p[i] == ']') {
			if (!--depth)
				return i + 1;
		}
	}
	return 0;
}

bool json_valid_scan(struct str text, bool loose, unsigned most, bool *odd)
{
	struct json_scan scan;

	json_scan_begin(&scan, text, loose);
	scan.values_most = most;
	if (!json_scan_value(&scan))
		return false;
	if (odd)
		*odd = scan.odd;
	return scan.p == scan.end;
}
