"""What is killed and stopped besides workers: the pools' other processes, PostgreSQL, its sessions, PgBouncer."""

import signal
import time

from faults import Hand
from house import born, children, send
from servers import until


class Pool(Hand):
    """A pool's other processes."""

    def one_of(self, kind):
        found = self.chance.choice(self.house.sites).banter.children(kind)
        return self.chance.choice(found) if found else None

    def kill(self, kind, what):
        pid = self.one_of(kind)
        if pid and send(pid, signal.SIGKILL):
            self.storm.done[what] += 1

    def admission(self):
        self.kill("admit", "admission process killed")

    def admission_stopped(self):
        pid = self.one_of("admit")
        if pid:
            self.storm.done["admission process stopped"] += 1
            send(pid, signal.SIGSTOP)
            self.rest(1.5)
            send(pid, signal.SIGCONT)

    def status(self):
        self.kill("status", "status process killed")

    def reload(self):
        site = self.chance.choice(self.house.sites)
        self.storm.done["reload"] += 1
        site.banter.process.send_signal(signal.SIGHUP)

    def master(self):
        """Its children let what runs end, and a new one begins."""
        banter = self.chance.choice(self.house.sites).banter
        self.storm.done["master killed"] += 1
        crew = {(pid, born(pid)) for pid in children(banter.process.pid)}
        banter.process.kill()
        banter.process.wait()
        for pid, _ in crew:  # one that was left stopped cannot hear of it
            send(pid, signal.SIGCONT)
        self.storm.orphans.update(crew)
        self.rest(1)
        banter.start()

    def master_stopped(self):
        self.storm.done["master stopped"] += 1
        master = self.chance.choice(self.house.sites).banter.process
        master.send_signal(signal.SIGSTOP)
        self.rest(3)
        master.send_signal(signal.SIGCONT)


class Database(Hand):
    """PostgreSQL, its sessions, and PgBouncer."""

    def server(self):
        """One of PostgreSQL's."""
        return self.chance.choice(self.house.clusters())

    def session(self, sig, server):
        """One of PostgreSQL's own for the application, one that is at work if there is one."""
        found = self.house.sessions(server)
        busy = [pid for pid, at in found.items() if at == "SELECT"]
        some = busy if busy and self.chance.random() < 0.7 else list(found)
        if not some:
            return None
        pid = self.chance.choice(some)
        return pid if send(pid, sig) else None

    def terminate_session(self):
        if self.session(signal.SIGTERM, self.server()):  # as pg_terminate_backend() does
            self.storm.done["session terminated"] += 1
            self.storm.terminated.append(time.monotonic())

    def stop_session(self):
        server = self.server()
        pid = self.session(signal.SIGSTOP, server)
        if pid:
            with self.outage("session stopped", server):
                self.rest(4)
                send(pid, signal.SIGCONT)

    def crash_cluster(self):
        """PostgreSQL ends all of its sessions then, and starts anew."""
        server = self.server()
        with self.outage("one of PostgreSQL's processes killed, so that it crashed", server):
            if self.chance.random() < 0.3:
                send(self.chance.choice(list(children(server.process.pid))), signal.SIGKILL)
            else:
                self.session(signal.SIGKILL, server)
            self.rest(0.5)
            until(lambda: self.house.answers(server), "PostgreSQL after a crash")

    def kill(self):
        server = self.server()
        with self.outage("PostgreSQL killed", server):
            self.house.cut_power(server)
            self.rest(1.5)
            server.start()

    def restart(self):
        server = self.server()
        with self.outage("PostgreSQL restarted", server):
            self.house.shut_down(server)
            self.rest(0.5)
            server.start()

    def pause(self):
        server = self.server()
        with self.outage("PostgreSQL stopped for a moment", server):
            crew = [server.process.pid, *children(server.process.pid)]
            for pid in crew:
                send(pid, signal.SIGSTOP)
            self.rest(3)
            for pid in crew:
                send(pid, signal.SIGCONT)

    def kill_pooler(self):
        with self.outage("PgBouncer killed"):
            self.house.pooler.end(signal.SIGKILL)
            self.rest(1)
            (self.house.pooler.folder / f".s.PGSQL.{self.house.pooler.port}").unlink(missing_ok=True)
            self.house.pooler.start()

    def pause_pooler(self):
        with self.outage("PgBouncer stopped for a moment"):
            self.house.pooler.process.send_signal(signal.SIGSTOP)
            self.rest(3)
            self.house.pooler.process.send_signal(signal.SIGCONT)
