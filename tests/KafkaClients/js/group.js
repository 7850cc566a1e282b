// Reads a topic as a member of a group with kafkajs. Arguments: bootstrap, topic, group, count. Prints the values, as JSON, when it has so many. Without a
// count it prints each value on a line of its own, commits after each, and leaves when its input ends; its assignor then goes by the name "range".
'use strict'

const { Kafka, logLevel, PartitionAssigners } = require('kafkajs')

const [bootstrap, topic, groupId, count] = process.argv.slice(2)

/** kafkajs' only assignor, under a name that other clients offer too: whose leader decides is nobody else's business. */
const range = ({ cluster }) => {
  const inner = PartitionAssigners.roundRobin({ cluster })
  return {
    ...inner,
    name: 'range',
    assign: request => inner.assign(request),
    protocol: subscription => ({ ...inner.protocol(subscription), name: 'range' })
  }
}

async function main () {
  const kafka = new Kafka({ clientId: 'granary-tests', brokers: [bootstrap], logLevel: logLevel.ERROR })
  const endless = count === undefined
  const timing = { sessionTimeout: 6000, heartbeatInterval: endless ? 200 : 500, rebalanceTimeout: 10000 }
  const consumer = kafka.consumer({ groupId, ...timing, ...(endless && { partitionAssigners: [range], maxWaitTimeInMs: 200 }) })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const read = []
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    if (endless) process.stdin.on('end', resolve).resume()
    consumer.run({
      autoCommitThreshold: endless ? 1 : undefined,
      eachMessage: async ({ message }) => {
        if (endless) process.stdout.write(`${message.value}\n`)
        else if (read.push(message.value.toString()) === Number(count)) resolve()
      }
    }).catch(reject)
  })
  await consumer.disconnect()
  if (!endless) process.stdout.write(JSON.stringify(read))
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
