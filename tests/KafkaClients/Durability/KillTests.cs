using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using Granary.Support.Histories;

namespace Granary.KafkaClients.Durability;

/// <summary>
/// The silo, its PostgreSQL, or both are killed (-9) again and again under load from idempotent producers. Afterwards every
/// acknowledged record is there once, at the offset that was told, without holes or doubles, in each producer's order.
/// GRANARY_SEED repeats a run; GRANARY_KILLS makes it longer (`./dev durability`).
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Partitions = 3;
    private const int Producers = 2;

    /// <summary>What is killed in a round.</summary>
    public enum Victim
    {
        Silo,
        Postgres,
        Both,
    }

    [Theory]
    [InlineData(Victim.Silo)]
    [InlineData(Victim.Postgres)]
    [InlineData(Victim.Both)]
    public async Task KilledUnderLoad_NothingAcknowledgedIsLostOrDoubled(Victim victim)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("GRANARY_SEED"), out var given) ? given : Random.Shared.Next();
        var kills = int.TryParse(Environment.GetEnvironmentVariable("GRANARY_KILLS"), out var asked) ? asked : 3;
        output.WriteLine($"seed {seed}, {kills} kills of {victim}");
        var random = new Random(seed);
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions());
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, Partitions);
        var loads = Enumerable.Range(0, Producers).Select(number => new SteadyLoad(silo.KafkaBootstrap, topic, Partitions, number)).ToArray();
        try
        {
            for (var round = 0; round < kills; round++)
            {
                await RunUntilAsync(loads, random.Next(200, 3_000));
                await KillAsync(silo, victim);
            }

            await RunUntilAsync(loads, 500);
            foreach (var load in loads)
                load.Finish();
            var anomalies = HistoryChecker.Check(
                [.. loads.SelectMany(load => load.Sent)],
                [.. loads.SelectMany(load => load.Acknowledged)],
                ReadAll(silo.KafkaBootstrap, topic));
            output.WriteLine($"{loads.Sum(load => load.Sent.Count)} sent, {loads.Sum(load => load.Acknowledged.Count)} acknowledged, {loads.Sum(load => load.Refusals.Count)} refused");
            Assert.True(anomalies.Count == 0, $"seed {seed}: {string.Join('\n', anomalies.Take(20))}");
            Assert.All(loads, load => Assert.True(load.Fatal is null, $"seed {seed}: producer gave up: {load.Fatal}"));
        }
        finally
        {
            foreach (var load in loads)
                load.Dispose();
        }
    }

    /// <summary>Waits until that many more records were acknowledged.</summary>
    private static async Task RunUntilAsync(SteadyLoad[] loads, int more)
    {
        var goal = loads.Sum(load => load.Acknowledgements) + more;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (loads.Sum(load => load.Acknowledgements) < goal)
        {
            var fatal = loads.Select(load => load.Fatal).FirstOrDefault(reason => reason is not null);
            Assert.True(fatal is null, $"a producer gave up: {fatal}");
            Assert.False(deadline.IsCancellationRequested, $"fewer than {more} records were acknowledged within 90 s");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private static async Task KillAsync(SiloProcess silo, Victim victim)
    {
        if (victim is Victim.Silo or Victim.Both)
            silo.Kill();
        if (victim is Victim.Postgres or Victim.Both)
            silo.KillPostgres();
        if (victim is Victim.Silo or Victim.Both)
            await silo.RestartAsync();
    }

    private static List<FoundRecord> ReadAll(string bootstrap, string topic)
    {
        var found = new List<FoundRecord>();
        for (var partition = 0; partition < Partitions; partition++)
        {
            found.AddRange(Topics.ReadAll(bootstrap, new TopicPartition(topic, partition))
                .Select(record => new FoundRecord(record.Partition.Value, record.Offset.Value, SentRecord.Parse(record.Message.Value!))));
        }

        return found;
    }
}
