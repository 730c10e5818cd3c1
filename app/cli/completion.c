/*
 * Completions from the table of commands.  Both shells get the same facts: the words of commands,
 * and each command's options; what is no option is completed as a file.
 */
#include "cli/completion.h"

#include <string.h>

/* The words that may come first: each once, though many commands begin with it. */
static void put_first_words(const struct cli_program *program, FILE *out)
{
	const struct cli_command *const *group, *command;
	size_t n, last = 0;
	const char *before = "";

	for (group = program->groups; *group; group++)
		for (command = *group; command->name; command++) {
			n = strcspn(command->name, " ");
			if (n != last || strncmp(command->name, before, n) != 0)
				fprintf(out, " %.*s", (int)n, command->name);
			before = command->name;
			last = n;
		}
}

static bool same_first(const struct cli_command *a, const struct cli_command *b)
{
	size_t n = strcspn(a->name, " ");

	return b->name && strncmp(a->name, b->name, n) == 0 && b->name[n] == ' ';
}

/* "chatbot) offered='create list …'": commands of one first word stand together in the table. */
static void put_second_words(const struct cli_program *program, FILE *out)
{
	const struct cli_command *const *group, *command, *before = NULL;
	const char *second;
	bool first;

	for (group = program->groups; *group; group++)
		for (command = *group; command->name; command++) {
			second = strchr(command->name, ' ');
			if (!second)
				continue;
			first = !before || !same_first(before, command);
			if (first)
				fprintf(out, "\t%.*s) offered='", (int)(second - command->name),
					command->name);
			fprintf(out, "%s%s", first ? "" : " ", second + 1);
			if (!same_first(command, command + 1))
				fputs("' ;;\n", out);
			before = command;
		}
}

static void put_options(const struct cli_command *command, FILE *out)
{
	const struct cli_option *option;

	/* What stands behind a command of one word is an argument. */
	if (strchr(command->name, ' '))
		fprintf(out, "\t'%s') offered='", command->name);
	else
		fprintf(out, "\t%s | %s\\ *) offered='", command->name, command->name);
	for (option = command->options; option && option->name; option++)
		fprintf(out, "%s ", option->name);
	fprintf(out, "%s%s--help' ;;\n", command->flags & CLI_ASKS ? "--yes " : "",
		command->flags & CLI_PRINTS ? "--json --csv " : "");
}

static void put_all_options(const struct cli_program *program, FILE *out)
{
	const struct cli_command *const *group, *command;

	for (group = program->groups; *group; group++)
		for (command = *group; command->name; command++)
			put_options(command, out);
}

/* The function both shells share: sets `offered` to what may stand at the cursor. */
static void put_shared(const struct cli_program *program, FILE *out)
{
	fputs("_banterctl_words() {\n"
	      "\tlocal first=$1 second=$2\n"
	      "\toffered=''\n"
	      "\tif [[ -z $first ]]; then\n\t\toffered='--config --help --version",
	      out);
	put_first_words(program, out);
	fputs("'\n\t\treturn\n\tfi\n"
	      "\tcase \"$first${second:+ $second}\" in\n",
	      out);
	put_all_options(program, out);
	fputs("\tesac\n"
	      "\t[[ -z $second ]] || return\n"
	      "\tcase $first in\n",
	      out);
	put_second_words(program, out);
	fputs("\tesac\n}\n", out);
}

static void put_bash(const struct cli_program *program, FILE *out)
{
	fputs("# bash completion for banterctl; printed by `banterctl completion bash`.\n", out);
	put_shared(program, out);
	fputs("_banterctl() {\n"
	      "\tlocal offered here=${COMP_WORDS[COMP_CWORD]} said=() i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n"
	      "\t\t--config) ((i++)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) said+=(\"${COMP_WORDS[i]}\") ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\t_banterctl_words \"${said[0]:-}\" \"${said[1]:-}\"\n"
	      "\t# shellcheck disable=SC2207 # words are words\n"
	      "\tCOMPREPLY=($(compgen -W \"$offered\" -- \"$here\"))\n"
	      "}\n"
	      "complete -o default -F _banterctl banterctl\n",
	      out);
}

static void put_zsh(const struct cli_program *program, FILE *out)
{
	fputs("#compdef banterctl\n"
	      "# zsh completion for banterctl; printed by `banterctl completion zsh`.\n",
	      out);
	put_shared(program, out);
	fputs("_banterctl() {\n"
	      "\tlocal offered i\n"
	      "\tlocal -a said\n"
	      "\tfor ((i = 2; i < CURRENT; i++)); do\n"
	      "\t\tcase ${words[i]} in\n"
	      "\t\t--config) ((i++)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) said+=(\"${words[i]}\") ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\t_banterctl_words \"${said[1]:-}\" \"${said[2]:-}\"\n"
	      "\tcompadd -- ${=offered}\n"
	      "\t_files\n"
	      "}\n"
	      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _banterctl \"$@\"; else "
	      "compdef _banterctl banterctl; fi\n",
	      out);
}

bool completion_put(const struct cli_program *program, const char *shell, FILE *out)
{
	if (strcmp(shell, "bash") == 0)
		put_bash(program, out);
	else if (strcmp(shell, "zsh") == 0)
		put_zsh(program, out);
	else
		return false;
	return true;
}
