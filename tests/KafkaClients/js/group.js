// Reads a topic as a member of a group with kafkajs. Arguments: bootstrap, topic, group, count. Prints the values, as JSON, when it has so many.
'use strict'

const { Kafka, logLevel } = require('kafkajs')

const [bootstrap, topic, groupId, count] = process.argv.slice(2)

async function main () {
  const kafka = new Kafka({ clientId: 'granary-tests', brokers: [bootstrap], logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId, sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 10000 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const read = []
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    consumer.run({
      eachMessage: async ({ message }) => {
        read.push(message.value.toString())
        if (read.length === Number(count)) resolve()
      }
    }).catch(reject)
  })
  await consumer.disconnect()
  process.stdout.write(JSON.stringify(read))
}

main().catch(error => {
  console.error(error)
  process.exit(1)
})
