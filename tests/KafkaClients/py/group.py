"""Reads a topic as a member of a group with kafka-python. Arguments: bootstrap, topic, group, count. Prints the values, as JSON."""
import json
import sys

from kafka import KafkaConsumer

bootstrap, topic, group, count = sys.argv[1:5]
consumer = KafkaConsumer(
    topic,
    bootstrap_servers=bootstrap,
    group_id=group,
    auto_offset_reset="earliest",
    session_timeout_ms=6000,
    heartbeat_interval_ms=500,
    consumer_timeout_ms=30000,
)
read = []
for record in consumer:
    read.append(record.value.decode())
    if len(read) == int(count):
        break
consumer.close()
print(json.dumps(read))
