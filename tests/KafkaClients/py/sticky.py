"""Members of one group with kafka-python's sticky assignor: two, then a third that joins, then two again. Arguments: bootstrap, topic, group, count.

Prints who had which partitions at each of these times, and what all of them have read, as JSON."""
import json
import sys
import threading
import time

from kafka import KafkaConsumer
from kafka.coordinator.assignors.sticky import sticky_assignor


class UserData(sticky_assignor.StickyAssignorUserDataV1):
    """Version 2.0.2 makes it of an iterator, where its codec wants what has a length: on Python 3 a member's second join would fail."""

    def __init__(self, assignment, generation):
        super().__init__(list(assignment), generation)


sticky_assignor.StickyAssignorUserDataV1 = UserData

bootstrap, topic, group, count = sys.argv[1:5]
PARTITIONS = 6
PATIENCE = 60


class Member(threading.Thread):
    def __init__(self, name):
        super().__init__(daemon=True)
        # The assignor keeps what its member had in its class: each member needs one of its own.
        assignor = type("Sticky" + name, (sticky_assignor.StickyPartitionAssignor,), {})
        self.consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[assignor],
            session_timeout_ms=6000,
            heartbeat_interval_ms=200,
            auto_commit_interval_ms=100,
        )
        self.consumer.subscribe([topic])
        self.assigned, self.read, self.leaving = [], [], False
        self.start()

    def run(self):
        while not self.leaving:
            for records in self.consumer.poll(timeout_ms=100).values():
                self.read += [record.value.decode() for record in records]
            self.assigned = sorted(partition.partition for partition in self.consumer.assignment())
        self.consumer.close()

    def leave(self):
        self.leaving = True
        self.join(PATIENCE)


def until(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"{what}: {[member.assigned for member in members]}")
        time.sleep(0.05)


def shared(*who):
    return lambda: sorted(sum((member.assigned for member in who), [])) == list(range(PARTITIONS)) and all(member.assigned for member in who)


def now(*who):
    return [member.assigned for member in who]


members = [Member("First"), Member("Second")]
first, second = members
until(shared(first, second), "two members")
two = now(first, second)
third = Member("Third")
members.append(third)
until(shared(first, second, third), "three members")
three = now(first, second, third)
third.leave()
until(shared(first, second), "two members again")
again = now(first, second)
until(lambda: len(set(sum((member.read for member in members), []))) == int(count), "all records")
for member in (first, second):
    member.leave()
print(json.dumps({"two": two, "three": three, "again": again, "read": sorted(set(sum((member.read for member in members), [])), key=int)}))
