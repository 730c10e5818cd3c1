"""The pages people follow: what of them is a command, and following them."""

import re

FENCE = re.compile(r"^( *)```(\S*) *\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# Blocks that show something and are not to be typed.
SHOWN = {"apache", "conf", "console", "css", "html", "ini", "js", "json", "nginx", "php", "text", "yaml"}


# What a command that is typed as root, or with its rights, begins with.
COMMAND = re.compile(r"(\$ |# |sudo |apt(-get)? |systemctl |service |curl |make |install |cp |runuser )")


class Page:
    """A file, or the section of it under a heading."""

    def __init__(self, path, heading=None):
        self.path = path
        self.text = path.read_text()
        if heading:
            _, _, rest = self.text.partition(f"\n## {heading}\n")
            self.text = rest.partition("\n## ")[0]
        self.blocks = [(kind, body) for _, kind, body in FENCE.findall(self.text)]

    def commands(self):
        """The blocks that are run, in order."""
        return [body for kind, body in self.blocks if kind == "sh"]

    def follow(self, box, folder="/root"):
        """Runs them as a person would, who pastes them into one terminal, each after the one before succeeded."""
        script = f"set -e -o pipefail\ncd {folder}\n"
        for n, block in enumerate(self.commands(), 1):
            script += f"echo '== block {n}' >&2\n{block}"
        done = box.run(script, check=False)
        assert done.returncode == 0, f"{self.path}:\n{done.stdout[-4000:]}\n{box.journal()[-4000:]}"
        return done.stdout

    def hidden_commands(self):
        """Lines that look like commands and are in no block that is run: in one that is shown, or indented."""
        shown = [line for kind, body in self.blocks if kind not in ("sh", "console") for line in body.splitlines()]
        indented = [line for line in FENCE.sub("", self.text).splitlines() if line.startswith("    ")]
        return [line for line in shown + indented if COMMAND.match(line.strip()) and not line.startswith("# ")]
