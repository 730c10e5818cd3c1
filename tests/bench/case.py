"""One kind of load, and the case's place in the tables."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    """`clients` at once, each with `exchanges` one after the other, of `tokens` that are `gap_us` apart. The model writes
    `burst` of them at once, and the clients begin within `spread_us`: None is one gap."""

    key: str
    title: str
    clients: int
    exchanges: int
    tokens: int
    gap_us: int
    burst: int = 1
    spread_us: int | None = None

    def options(self):
        """The words of it for the load client."""
        words = ["--clients", self.clients, "--exchanges", self.exchanges, "--tokens", self.tokens,
                 "--gap-us", self.gap_us, "--burst", self.burst]
        if self.spread_us is not None:
            words += ["--spread-us", self.spread_us]
        return [str(word) for word in words]
