using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Support;

namespace Granary.Bench;

/// <summary>
/// The throughput of three silos beside that of one, on the same cores and PostgreSQL's disk. Which of the two is first changes with each round: a disk that
/// is slower after a burst would else always slow the same one.
/// </summary>
internal static class Scaling
{
    private const int Silos = 3;

    /// <summary>
    /// Six for each silo of three. librdkafka has one request in flight for a partition; where a broker leads fewer partitions than it may have requests in
    /// flight (5), its thread wakes for every single record, and the client's core is what is measured.
    /// </summary>
    private const int Partitions = 18;
    private const string Topic = "throughput";

    public static async Task RunAsync(ResultTable table, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var isOneFirst = round % 2 == 0;
            var first = await ThroughputAsync(isOneFirst ? 1 : Silos);
            var second = await ThroughputAsync(isOneFirst ? Silos : 1);
            var (one, three) = isOneFirst ? (first, second) : (second, first);
            table.Add("produce 1 KB records, one silo", "MB/s", one.MegabytesPerSecond, shares: one.Shares);
            table.Add("produce 1 KB records, three silos", "MB/s", three.MegabytesPerSecond, shares: three.Shares);
            table.Add("three silos / one silo", "ratio", three.MegabytesPerSecond / one.MegabytesPerSecond, "0.8");
        }
    }

    private static async Task<(double MegabytesPerSecond, string Shares)> ThroughputAsync(int silos)
    {
        await using var cluster = await ClusterProcess.StartAsync(new ClusterProcessOptions { Silos = silos });
        using (var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = cluster.KafkaBootstrap }).Build())
            await admin.CreateTopicsAsync([new TopicSpecification { Name = Topic, NumPartitions = Partitions, ReplicationFactor = 1 }]);

        // What a server does in its first seconds is the runtime's compiler's work, and three have three times as much of it: it is not measured.
        ProduceThroughput.Run(cluster.KafkaBootstrap, Topic, Partitions, 1_000, 200_000);
        SteadyLatency.Run(cluster.KafkaBootstrap, Topic, Partitions, 1_000, 1_000, TimeSpan.FromSeconds(10));
        var shares = new ProcessorShares(cluster);
        var produced = ProduceThroughput.Run(cluster.KafkaBootstrap, Topic, Partitions, 1_000, 400_000);
        return (produced.MegabytesPerSecond, shares.SinceThen());
    }
}
