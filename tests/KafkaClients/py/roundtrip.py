"""Produces and fetches with kafka-python, by assignment.

Arguments: bootstrap, topic, codec (none, gzip, snappy, lz4, zstd), count. Prints what was read, as JSON.
"""
import json
import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

bootstrap, topic, codec, count = sys.argv[1:5]
count = int(count)

producer = KafkaProducer(
    bootstrap_servers=bootstrap,
    compression_type=None if codec == "none" else codec,
    acks="all",
    linger_ms=50,
)
futures = [
    producer.send(
        topic,
        partition=0,
        key=None if i % 3 == 0 else b"key-%d" % (i % 5),
        value=None if i % 4 == 0 else b"value %d " % i + b"z" * i,
        headers=[("trace", b"%d" % i)] if i % 2 == 0 else [],
        timestamp_ms=1700000000000 + i,
    )
    for i in range(count)
]
offsets = [future.get(timeout=60).offset for future in futures]
assert offsets == list(range(count)), offsets
producer.close()

consumer = KafkaConsumer(
    bootstrap_servers=bootstrap,
    group_id=None,
    auto_offset_reset="earliest",
    consumer_timeout_ms=20000,
)
assignment = TopicPartition(topic, 0)
consumer.assign([assignment])
consumer.seek_to_beginning(assignment)
assert consumer.end_offsets([assignment])[assignment] == count
read = []
for record in consumer:
    trace = dict(record.headers).get("trace")
    read.append(
        {
            "offset": record.offset,
            "key": record.key and record.key.decode(),
            "value": record.value and record.value.decode(),
            "timestamp": record.timestamp,
            "trace": trace and trace.decode(),
        }
    )
    if len(read) == count:
        break
consumer.close()
print(json.dumps(read))
