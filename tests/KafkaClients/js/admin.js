// Asks everything of a cluster that kafkajs's admin client can, but for groups and access rights.
// Arguments: bootstrap, topic (made and deleted).
'use strict'

const { Kafka, ConfigResourceTypes, logLevel } = require('kafkajs')

const [bootstrap, topic] = process.argv.slice(2)

async function main () {
  const admin = new Kafka({ clientId: 'granary-tests', brokers: [bootstrap], logLevel: logLevel.ERROR }).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '60000' }] }] })
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
  await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.fetchTopicOffsets(topic)
  await admin.fetchTopicOffsetsByTimestamp(topic, 1700000000000)
  await admin.describeCluster()
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
  await admin.describeConfigs({ includeSynonyms: true, resources: [{ ...resource, configNames: ['retention.ms'] }] })
  await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '70000' }] }] })
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '-1' }] })
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
