// Produces and fetches with kafkajs. Its public consumer always joins a group, so that part reads by kafkajs's own cluster and broker
// classes: the same requests and the same decoders, by assignment.
// Arguments: bootstrap, topic, codec (none, gzip, snappy), idempotent (true, false), count. Prints what was read, as JSON.
'use strict'

const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
const Cluster = require('kafkajs/src/cluster')
const { createLogger } = require('kafkajs/src/loggers')
const createSocketFactory = require('kafkajs/src/network/socketFactory')
const consoleLogger = require('kafkajs/src/loggers/console')
const snappy = require('kafkajs-snappy')

CompressionCodecs[CompressionTypes.Snappy] = snappy

const [bootstrap, topic, codec, idempotent, count] = process.argv.slice(2)
const compression = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }[codec]

async function main () {
  const kafka = new Kafka({ clientId: 'granary-tests', brokers: [bootstrap], logLevel: logLevel.ERROR })
  const producer = kafka.producer({ idempotent: idempotent === 'true', maxInFlightRequests: 1 })
  await producer.connect()
  const messages = Array.from({ length: Number(count) }, (_, i) => ({
    partition: 0,
    key: i % 3 === 0 ? null : `key-${i % 5}`,
    value: i % 4 === 0 ? null : `value ${i} ${'z'.repeat(i)}`,
    headers: i % 2 === 0 ? { trace: `${i}` } : undefined,
    timestamp: `${1700000000000 + i}`
  }))
  const half = messages.length / 2
  await producer.send({ topic, messages: messages.slice(0, half), compression, acks: -1 })
  await producer.send({ topic, messages: messages.slice(half), compression, acks: -1 })
  await producer.disconnect()

  const cluster = new Cluster({
    logger: createLogger({ level: logLevel.ERROR, logCreator: consoleLogger }),
    socketFactory: createSocketFactory(),
    brokers: [bootstrap],
    clientId: 'granary-tests',
    connectionTimeout: 10000,
    authenticationTimeout: 10000,
    metadataMaxAge: 300000,
    allowAutoTopicCreation: false,
    retry: {}
  })
  await cluster.connect()
  await cluster.addTargetTopic(topic)
  const leaders = cluster.findLeaderForPartitions(topic, [0])
  const broker = await cluster.findBroker({ nodeId: Object.keys(leaders)[0] })
  const read = []
  while (read.length < messages.length) {
    const fetchOffset = read.length
    const answer = await broker.fetch({
      maxWaitTime: 1000,
      isolationLevel: 1,
      topics: [{ topic, partitions: [{ partition: 0, fetchOffset: String(fetchOffset), maxBytes: 1048576 }] }]
    })
    for (const partition of answer.responses[0].partitions) {
      for (const message of partition.messages) {
        if (Number(message.offset) < fetchOffset) continue
        read.push({
          offset: Number(message.offset),
          key: message.key && message.key.toString(),
          value: message.value && message.value.toString(),
          timestamp: Number(message.timestamp),
          trace: message.headers.trace ? message.headers.trace.toString() : null
        })
      }
    }
  }
  await cluster.disconnect()
  process.stdout.write(JSON.stringify(read))
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
