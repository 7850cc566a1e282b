"""Asks everything of a cluster that kafka-python's admin client can, but for groups and access rights.

Arguments: bootstrap, topic (made and deleted).
"""
import sys

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

bootstrap, topic = sys.argv[1:3]

admin = KafkaAdminClient(bootstrap_servers=bootstrap)
admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"retention.ms": "60000"})])
admin.create_partitions({topic: NewPartitions(2)})
admin.describe_topics([topic])
admin.describe_cluster()
admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "70000"})])
consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
consumer.offsets_for_times({TopicPartition(topic, 0): 1700000000000})
consumer.close()
admin.delete_topics([topic])
admin.close()
