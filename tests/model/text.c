/*
 * The growing byte string, and the two encodings the stand-in needs: JSON strings and base64.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_FIRST_SIZE = 256 };

void text_clear(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

void text_reset(struct text *text)
{
	text->len = 0;
	if (text->data != NULL)
		text->data[0] = '\0';
}

bool text_ok(const struct text *text)
{
	return !text->failed;
}

static bool text_reserve(struct text *text, size_t more)
{
	size_t size = text->size != 0 ? text->size : TEXT_FIRST_SIZE;
	char *data;

	if (text->failed)
		return false;
	if (more < text->size - text->len)
		return true;
	while (size - text->len <= more)
		size *= 2;
	data = realloc(text->data, size);
	if (data == NULL) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->size = size;
	return true;
}

void text_add(struct text *text, const void *data, size_t len)
{
	if (!text_reserve(text, len))
		return;
	if (len != 0)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_puts(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list args;
	char *line = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&line, format, args);
	va_end(args);
	if (len < 0) {
		text->failed = true;
		return;
	}
	text_add(text, line, (size_t)len);
	free(line);
}

void text_json(struct text *text, const char *data, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		text_add(text, data + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\')
			text_add(text, (char[]){ '\\', (char)c }, 2);
		else if (c == '\n')
			text_puts(text, "\\n");
		else
			text_printf(text, "\\u%04x", c);
	}
	text_add(text, data + from, len - from);
}

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

enum status text_base64(struct text *text, const char *data, size_t len)
{
	size_t pad = 0;

	if (len % 4 != 0)
		return STATUS_INVALID;
	while (pad < 2 && pad < len && data[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < len; i += 4) {
		size_t digits = i + 4 == len ? 4 - pad : 4;
		unsigned bits = 0;
		char bytes[3];

		for (size_t k = 0; k < 4; k++) {
			int value = k < digits ? base64_value(data[i + k]) : 0;

			if (value < 0)
				return STATUS_INVALID;
			bits = bits << 6 | (unsigned)value;
		}
		bytes[0] = (char)(bits >> 16);
		bytes[1] = (char)(bits >> 8);
		bytes[2] = (char)bits;
		text_add(text, bytes, digits - 1);
	}
	return text_ok(text) ? STATUS_OK : STATUS_NO_MEMORY;
}

char *text_take(struct text *text)
{
	char *data;

	text_add(text, "", 0);
	if (text->failed) {
		text_clear(text);
		return NULL;
	}
	data = text->data;
	*text = (struct text){ 0 };
	return data;
}
